/*
** The events of a request as the request keeps them itself, once they are to be
** cut from the log: what the envelope is made of, in a few bytes more than the
** data. Written once and never changed, so a retry after the cut sends the same
** body. The ids stand first: whoever wants no more need not read the data.
*/
#ifndef LH_CORE_KEPT_H
#define LH_CORE_KEPT_H

#include "core/envelope.h"

/* Being written. Zero it before use, free it after. */
struct lh_kept {
  struct lh_buffer ids;
  struct lh_buffer rest;
};

/* Adds the next event. 0 or LH_E_MEMORY. */
int lh_kept_add(struct lh_kept *kept, const struct lh_event *event);
/* All of it, in `kept`'s memory. 0 or LH_E_MEMORY. */
int lh_kept_end(struct lh_kept *kept, struct lh_slice *bytes);
void lh_kept_free(struct lh_kept *kept);

/* How many bytes hold the ids of so many events, from the first byte on. */
size_t lh_kept_ids_len(int32_t count);
/* Takes them out of that many bytes. 0 or LH_E_INVALID. */
int lh_kept_ids(const unsigned char *at, size_t len, struct lh_id *ids, int32_t count);

/* Being read: all `count` events in order. */
struct lh_kept_reader {
  const unsigned char *at, *end;
  const unsigned char *ids;
  int32_t left;
};
/* 0 or LH_E_INVALID. `at` is borrowed until the last event was read. */
int lh_kept_open(struct lh_kept_reader *reader, const void *at, size_t len, int32_t count);
/*
** The next event; its texts point into what was opened. 1, 0 at the end, -1 damage. Its position
** and account are not kept.
*/
int lh_kept_next(struct lh_kept_reader *reader, struct lh_event *event);

#endif
