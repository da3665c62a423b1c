/* What one event must be like before it is accepted, and the member it is about. */
#include "core/event.h"

#include <string.h>

/* 1 if `text` has 1 to `max` bytes, each of the allowed ASCII characters. */
static int is_word(const char *text, size_t len, size_t max, int upper, const char *also) {
  if (len < 1 || len > max) return 0;
  for (size_t i = 0; i < len; i++) {
    char byte = text[i];
    int letter = (byte >= 'a' && byte <= 'z') || (upper && byte >= 'A' && byte <= 'Z');
    int digit = byte >= '0' && byte <= '9';
    if (!letter && !digit && (byte == '\0' || strchr(also, byte) == NULL)) return 0;
  }
  return 1;
}

/* For messages: not more of a wrong name than makes sense to show. */
static int shown(size_t len) {
  return len < 80 ? (int)len : 80;
}

int lh_account_check(const char *account, size_t len, struct lh_error *err) {
  if (is_word(account, len, LH_ACCOUNT_MAX, 1, "._-")) return LH_OK;
  return lh_error_set(err, LH_E_INVALID, "account: \"%.*s\" is not 1 to %d of A-Z a-z 0-9 . _ -",
                      shown(len), account, LH_ACCOUNT_MAX);
}

int lh_source_check(const char *source, size_t len, struct lh_error *err) {
  if (is_word(source, len, LH_SOURCE_MAX, 1, "._-")) return LH_OK;
  return lh_error_set(err, LH_E_INVALID, "source: \"%.*s\" is not 1 to %d of A-Z a-z 0-9 . _ -",
                      shown(len), source, LH_SOURCE_MAX);
}

int lh_event_type_check(const char *event_type, size_t len, struct lh_error *err) {
  if (is_word(event_type, len, LH_EVENT_TYPE_MAX, 0, "_.")) return LH_OK;
  return lh_error_set(err, LH_E_INVALID, "event_type: \"%.*s\" is not 1 to %d of a-z 0-9 _ .",
                      shown(len), event_type, LH_EVENT_TYPE_MAX);
}

int lh_event_data_check(const char *data, size_t len, struct lh_error *err) {
  if (len > LH_EVENT_BYTES_MAX)
    return lh_error_set(err, LH_E_TOO_LARGE, "data: %zu bytes are more than %d", len,
                        LH_EVENT_BYTES_MAX);
  enum lh_json_type type;
  struct lh_error cause;
  if (lh_json_check(data, len, LH_JSON_DEPTH_MAX, &type, &cause) != LH_OK)
    return lh_error_set(err, LH_E_INVALID, "data: %s", cause.message);
  if (type != LH_JSON_OBJECT) return lh_error_set(err, LH_E_INVALID, "data: not a JSON object");
  return LH_OK;
}

/* The bytes of an id as the log keeps them. Returns the full length; 0 if the value is no id. */
static size_t put_id(struct lh_slice value, char out[LH_MEMBER_MAX]) {
  switch (lh_json_type_of(value)) {
  case LH_JSON_STRING:
    return lh_json_string(value, out, LH_MEMBER_MAX);
  case LH_JSON_NUMBER:
    if (value.len <= LH_MEMBER_MAX) memcpy(out, value.at, value.len);
    return value.len;
  case LH_JSON_OBJECT:
  case LH_JSON_ARRAY:
  case LH_JSON_TRUE:
  case LH_JSON_FALSE:
  case LH_JSON_NULL:
    break;
  }
  return 0;
}

/* Of repeated names the first counts here: what follows need not be read at every emit. */
static int first_member(struct lh_slice object, const char *name, struct lh_slice *value) {
  size_t position = 0;
  struct lh_slice key;
  while (lh_json_next(object, &position, &key, value))
    if (lh_json_key_is(key, name)) return 1;
  return 0;
}

size_t lh_event_member(const char *data, size_t len, char out[LH_MEMBER_MAX]) {
  struct lh_slice info;
  if (!first_member((struct lh_slice){.at = data, .len = len}, "member_info", &info) ||
      lh_json_type_of(info) != LH_JSON_OBJECT)
    return 0;
  struct lh_slice key, value;
  struct lh_slice id = {.at = NULL};
  size_t position = 0;
  while (lh_json_next(info, &position, &key, &value)) {
    if (id.at == NULL && lh_json_key_is(key, "id")) id = value;
    size_t id_len = lh_json_key_is(key, "member_id") ? put_id(value, out) : 0;
    if (id_len > 0) return id_len <= LH_MEMBER_MAX ? id_len : 0;
  }
  size_t id_len = id.at == NULL ? 0 : put_id(id, out);
  return id_len <= LH_MEMBER_MAX ? id_len : 0;
}
