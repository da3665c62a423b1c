/* Where one request ends and the next begins (design §2.1 Forming, reliability-facts S15). */
#ifndef LH_CORE_BATCH_H
#define LH_CORE_BATCH_H

#include <stddef.h>
#include <stdint.h>

struct lh_batch {
  int32_t size_max;  /* events */
  int64_t bytes_max; /* of the body */
  int32_t count;
  int64_t bytes; /* of the body with what was added so far */
};

/* A batch without events; bytes starts at the envelope's own length. */
void lh_batch_init(struct lh_batch *batch, int32_t size_max, int64_t bytes_max);
/*
** 1 and the event counts, or 0: the batch is full and the event belongs to
** the next. The first event always fits.
*/
int lh_batch_add(struct lh_batch *batch, size_t event_type_len, size_t data_len);
/* 1 if nothing more can be added whatever it is (count reached). */
int lh_batch_full(const struct lh_batch *batch);

/*
** The exact event list of a frozen request: ascending positions as LEB128
** deltas from the previous one (the first from `base`). Encoding one position
** takes at most 10 bytes. Returns bytes written.
*/
size_t lh_batch_list_put(unsigned char *out, int64_t previous, int64_t position);
/* Reads one. Returns the bytes read, or 0: at the end, or damage if `at` is not the end. */
size_t lh_batch_list_get(const unsigned char *at, const unsigned char *end, int64_t previous,
                         int64_t *position);

#endif
