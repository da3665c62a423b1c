/* Counting a request's events and bytes, and the compact list of its events. */
#include "core/batch.h"

#include <assert.h>

#include "core/envelope.h"

#define POSITION_BYTES_MAX 9 /* seven bits each, positions have 63 */

void lh_batch_init(struct lh_batch *batch, int32_t size_max, int64_t bytes_max) {
  batch->size_max = size_max;
  batch->bytes_max = bytes_max;
  batch->count = 0;
  batch->bytes = LH_ENVELOPE_BYTES;
}

int lh_batch_add(struct lh_batch *batch, size_t event_type_len, size_t data_len) {
  int64_t bytes = (int64_t)(LH_ENVELOPE_EVENT_BYTES + event_type_len + data_len);
  if (batch->count > 0 &&
      (batch->count >= batch->size_max || bytes > batch->bytes_max - batch->bytes))
    return 0;
  batch->count++;
  batch->bytes += bytes;
  return 1;
}

int lh_batch_full(const struct lh_batch *batch) {
  return batch->count > 0 && batch->count >= batch->size_max;
}

size_t lh_batch_list_put(unsigned char *out, int64_t previous, int64_t position) {
  assert(previous >= 0 && position >= previous);
  uint64_t delta = (uint64_t)(position - previous);
  size_t len = 0;
  while (delta >= 0x80) {
    out[len++] = (unsigned char)(delta | 0x80);
    delta >>= 7;
  }
  out[len++] = (unsigned char)delta;
  return len;
}

size_t lh_batch_list_get(const unsigned char *at, const unsigned char *end, int64_t previous,
                         int64_t *position) {
  uint64_t delta = 0;
  for (size_t len = 0; len < POSITION_BYTES_MAX && at + len < end; len++) {
    unsigned char byte = at[len];
    delta |= (uint64_t)(byte & 0x7F) << (7 * len);
    if (byte & 0x80) continue;
    if ((byte == 0 && len > 0) || delta > (uint64_t)(INT64_MAX - previous))
      return 0; /* a longer form than needed, or past the last position */
    *position = previous + (int64_t)delta;
    return len + 1;
  }
  return 0;
}
