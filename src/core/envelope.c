/*
** Writing the body of a request. The bytes are part of the wire format: a
** change here changes what every receiver sees and what retries send again.
*/
#include "core/envelope.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 4096
#define DAY_MS INT64_C(86400000)
#define LAST_MS INT64_C(253402300799999) /* 12/31/9999 23:59:59.999 */

void lh_buffer_free(struct lh_buffer *buffer) {
  free(buffer->at);
  *buffer = (struct lh_buffer){0};
}

/* Room for `more` bytes behind the present ones. */
static int reserve(struct lh_buffer *buffer, size_t more) {
  if (more <= buffer->cap - buffer->len) return LH_OK;
  if (more > SIZE_MAX / 4 || buffer->cap > SIZE_MAX / 4) return LH_E_MEMORY;
  size_t cap = buffer->cap < CAPACITY_MIN ? CAPACITY_MIN : buffer->cap * 2;
  if (cap < buffer->len + more) cap = buffer->len + more;
  char *at = realloc(buffer->at, cap);
  if (at == NULL) return LH_E_MEMORY;
  buffer->at = at;
  buffer->cap = cap;
  return LH_OK;
}

/* For bytes that reserve has made room for. */
static void put(struct lh_buffer *buffer, const void *at, size_t len) {
  memcpy(buffer->at + buffer->len, at, len);
  buffer->len += len;
}

#define PUT_LITERAL(buffer, text) put(buffer, text, sizeof(text) - 1)

int lh_buffer_add(struct lh_buffer *buffer, const void *at, size_t len) {
  if (len == 0) return LH_OK;
  if (reserve(buffer, len) != LH_OK) return LH_E_MEMORY;
  put(buffer, at, len);
  return LH_OK;
}

/* Day, month and year of a day since 1970 in the Gregorian calendar, counted from a 1 March. */
static void civil_date(int64_t days, int *year, int *month, int *day) {
  int64_t since = days + 719468; /* days since 1 March of year 0 */
  int64_t era = since / 146097;  /* 400 years */
  int64_t day_of_era = since % 146097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month_from_march = (5 * day_of_year + 2) / 153;
  *day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  *month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static void put_digits(char *out, int value, int digits) {
  for (int i = digits - 1; i >= 0; i--) {
    out[i] = (char)('0' + value % 10);
    value /= 10;
  }
}

void lh_created_date(int64_t created_ms, char out[LH_CREATED_DATE_LEN + 1]) {
  int64_t at_ms = created_ms < 0 ? 0 : created_ms > LAST_MS ? LAST_MS : created_ms;
  int seconds = (int)(at_ms % DAY_MS / 1000);
  int year, month, day;
  civil_date(at_ms / DAY_MS, &year, &month, &day);
  memcpy(out, "MM/DD/YYYY HH:MM:SS", LH_CREATED_DATE_LEN + 1);
  put_digits(out, month, 2);
  put_digits(out + 3, day, 2);
  put_digits(out + 6, year, 4);
  put_digits(out + 11, seconds / 3600, 2);
  put_digits(out + 14, seconds / 60 % 60, 2);
  put_digits(out + 17, seconds % 60, 2);
}

int lh_envelope_begin(struct lh_buffer *buffer) {
  buffer->len = 0;
  if (reserve(buffer, LH_ENVELOPE_BYTES) != LH_OK) return LH_E_MEMORY;
  buffer->len = LH_ENVELOPE_BYTES;
  return LH_OK;
}

int lh_envelope_add(struct lh_buffer *buffer, const struct lh_event *event) {
  assert(buffer->len >= LH_ENVELOPE_BYTES);
  size_t type_len = strlen(event->event_type);
  if (event->data_len > SIZE_MAX / 4 ||
      reserve(buffer, LH_ENVELOPE_EVENT_BYTES + type_len + event->data_len) != LH_OK)
    return LH_E_MEMORY;
  char id[LH_ID_LEN + 1];
  lh_id_format(&event->id, id);
  if (buffer->len > LH_ENVELOPE_BYTES) PUT_LITERAL(buffer, ",");
  PUT_LITERAL(buffer, "{\"id\":\"");
  put(buffer, id, LH_ID_LEN);
  PUT_LITERAL(buffer, "\",\"event_type\":\"");
  put(buffer, event->event_type, type_len);
  PUT_LITERAL(buffer, "\",\"data\":");
  put(buffer, event->data, event->data_len);
  PUT_LITERAL(buffer, "}");
  return LH_OK;
}

int lh_envelope_end(struct lh_buffer *buffer, const struct lh_id *request_id, int32_t count,
                    int64_t created_ms, struct lh_slice *body) {
  assert(buffer->len >= LH_ENVELOPE_BYTES && count >= 0);
  if (lh_buffer_add(buffer, "]}", 2) != LH_OK) return LH_E_MEMORY;
  char id[LH_ID_LEN + 1];
  char date[LH_CREATED_DATE_LEN + 1];
  lh_id_format(request_id, id);
  lh_created_date(created_ms, date);
  char opening[LH_ENVELOPE_BYTES];
  int len = snprintf(opening, sizeof opening,
                     "{\"request_id\":\"%s\",\"total_count\":\"%" PRId32
                     "\",\"created_date\":\"%s\",\"events\":[",
                     id, count, date);
  assert(len > 0 && (size_t)len < sizeof opening);
  size_t start = LH_ENVELOPE_BYTES - (size_t)len;
  memcpy(buffer->at + start, opening, (size_t)len);
  body->at = buffer->at + start;
  body->len = buffer->len - start;
  return LH_OK;
}
