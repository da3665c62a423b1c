/*
** Event and request ids: 4 bytes of seconds, 5 random bytes, 3 bytes of a
** counter that starts at random (MongoDB's ObjectId; wire-format.md).
*/
#ifndef LH_CORE_ID_H
#define LH_CORE_ID_H

#include <stddef.h>
#include <stdint.h>

#include "core/limits.h"

struct lh_id {
  unsigned char bytes[LH_ID_BYTES];
};

/* Owned by one user at a time. All zero means: not seeded yet. */
struct lh_id_source {
  int64_t owner; /* process that seeded it; another one must seed anew (fork) */
  unsigned char random[5];
  uint32_t counter;
};

/* Takes 8 random bytes (5 + 3 of the counter) for process `owner` (non-zero). */
void lh_id_seed(struct lh_id_source *source, int64_t owner, const unsigned char random[8]);
/*
** Next id. Asserts that the source is seeded. 2^24 ids a second are distinct;
** more would repeat only after a wrap within one second.
*/
struct lh_id lh_id_next(struct lh_id_source *source, int64_t now_ms);
void lh_id_format(const struct lh_id *id, char out[LH_ID_LEN + 1]);
/* 0, or LH_E_INVALID if text is not exactly 24 lower-case hex digits. */
int lh_id_parse(const char *text, size_t len, struct lh_id *id);

#endif
