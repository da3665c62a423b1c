/* See kept.h. A version; the ids; for each event its type with NUL, time, length and data. */
#include "core/kept.h"

#include <string.h>

#include "core/error.h"

#define VERSION 1
#define NUMBER_BYTES 10

static size_t put_number(unsigned char out[NUMBER_BYTES], uint64_t number) {
  size_t len = 0;
  for (; number >= 0x80; number >>= 7) out[len++] = (unsigned char)(number | 0x80);
  out[len++] = (unsigned char)number;
  return len;
}

static int get_number(struct lh_kept_reader *reader, uint64_t *number) {
  *number = 0;
  for (int shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
    unsigned char byte = *reader->at++;
    *number |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return 1;
  }
  return 0;
}

int lh_kept_add(struct lh_kept *kept, const struct lh_event *event) {
  unsigned char numbers[2 * NUMBER_BYTES];
  size_t len = put_number(numbers, (uint64_t)event->created_ms);
  len += put_number(numbers + len, event->data_len);
  int rc = kept->ids.len > 0 ? LH_OK : lh_buffer_add(&kept->ids, &(char){VERSION}, 1);
  if (rc == LH_OK) rc = lh_buffer_add(&kept->ids, event->id.bytes, LH_ID_BYTES);
  if (rc == LH_OK)
    rc = lh_buffer_add(&kept->rest, event->event_type, strlen(event->event_type) + 1);
  if (rc == LH_OK) rc = lh_buffer_add(&kept->rest, numbers, len);
  return rc == LH_OK ? lh_buffer_add(&kept->rest, event->data, event->data_len) : rc;
}

int lh_kept_end(struct lh_kept *kept, struct lh_slice *bytes) {
  int rc = lh_buffer_add(&kept->ids, kept->rest.at, kept->rest.len);
  *bytes = (struct lh_slice){kept->ids.at, kept->ids.len};
  return rc;
}

void lh_kept_free(struct lh_kept *kept) {
  lh_buffer_free(&kept->ids);
  lh_buffer_free(&kept->rest);
}

size_t lh_kept_ids_len(int32_t count) {
  return 1 + (size_t)count * LH_ID_BYTES;
}

int lh_kept_ids(const unsigned char *at, size_t len, struct lh_id *ids, int32_t count) {
  if (len < lh_kept_ids_len(count) || at[0] != VERSION) return LH_E_INVALID;
  for (int32_t i = 0; i < count; i++)
    memcpy(ids[i].bytes, at + 1 + (size_t)i * LH_ID_BYTES, LH_ID_BYTES);
  return LH_OK;
}

int lh_kept_open(struct lh_kept_reader *reader, const void *at, size_t len, int32_t count) {
  const unsigned char *bytes = at;
  *reader = (struct lh_kept_reader){0};
  if (bytes == NULL || len < lh_kept_ids_len(count) || bytes[0] != VERSION) return LH_E_INVALID;
  reader->ids = bytes + 1;
  reader->at = bytes + lh_kept_ids_len(count);
  reader->end = bytes + len;
  reader->left = count;
  return LH_OK;
}

int lh_kept_next(struct lh_kept_reader *reader, struct lh_event *event) {
  uint64_t created_ms, data_len;
  memset(event, 0, sizeof *event);
  if (reader->left == 0) return reader->at == reader->end ? 0 : -1;
  size_t room = (size_t)(reader->end - reader->at);
  size_t type_len = strnlen((const char *)reader->at, room);
  if (type_len == room) return -1;
  event->event_type = (const char *)reader->at;
  reader->at += type_len + 1;
  if (!get_number(reader, &created_ms) || !get_number(reader, &data_len)) return -1;
  if (data_len > (size_t)(reader->end - reader->at)) return -1;
  memcpy(event->id.bytes, reader->ids, LH_ID_BYTES);
  event->created_ms = (int64_t)created_ms;
  event->data = (const char *)reader->at;
  event->data_len = (size_t)data_len;
  reader->at += data_len;
  reader->ids += LH_ID_BYTES;
  reader->left--;
  return 1;
}
