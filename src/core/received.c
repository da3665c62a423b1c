/*
** Reading a verified body. One strict check of the whole text, then walks over
** its slices; ids, types and members are decoded into one block, which needs no
** more room than the body, because they lie in it beside each other.
*/
#include "core/received.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/event.h"
#include "core/limits.h"
#include "core/utf8.h"

/* The three members that make an event; at NULL: not there. */
struct parts {
  struct lh_slice id, event_type, data;
};

/* No control character: neither ASCII's, nor DEL, nor U+0080 to U+009F. Valid UTF-8 is given. */
static int printable(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    unsigned char byte = (unsigned char)text[i];
    if (byte < 0x20 || byte == 0x7F) return 0;
    if (byte == 0xC2 && i + 1 < len && (unsigned char)text[i + 1] < 0xA0) return 0;
  }
  return 1;
}

/* Checks the decoded text of an id or a type. */
static int check_text(const char *text, size_t len, size_t max, const char *name,
                      struct lh_error *err) {
  if (len < 1 || len > max)
    return lh_error_set(err, LH_E_INVALID, "%s is not 1 to %zu bytes", name, max);
  if (!printable(text, len))
    return lh_error_set(err, LH_E_INVALID, "%s has a control character", name);
  return LH_OK;
}

/* A header's value may be any bytes. */
static int check_id(const char *id, size_t len, struct lh_error *err) {
  if (lh_utf8_check(id, len) != len)
    return lh_error_set(err, LH_E_INVALID, "webhook-id is not valid UTF-8");
  return check_text(id, len, LH_RECEIVED_ID_MAX, "webhook-id", err);
}

static char *room(const struct lh_received_list *list) {
  return list->texts + list->texts_len;
}

/* Decodes the string of an id or a type behind the texts. */
static int take_text(struct lh_received_list *list, struct lh_slice value, size_t max,
                     const char *name, struct lh_slice *text, struct lh_error *err) {
  if (value.at == NULL) return lh_error_set(err, LH_E_INVALID, "%s is missing", name);
  if (lh_json_type_of(value) != LH_JSON_STRING)
    return lh_error_set(err, LH_E_INVALID, "%s is not a string", name);
  text->at = room(list);
  text->len = lh_json_string(value, room(list), list->texts_cap - list->texts_len);
  int rc = check_text(text->at, text->len, max, name, err);
  if (rc == LH_OK) list->texts_len += text->len;
  return rc;
}

static void take_member(struct lh_received_list *list, struct lh_received *event) {
  char member[LH_MEMBER_MAX];
  event->member_len = lh_event_member(event->data, event->data_len, member);
  event->member = event->member_len > 0 ? room(list) : NULL;
  assert(event->member_len <= list->texts_cap - list->texts_len);
  if (event->member_len > 0) memcpy(room(list), member, event->member_len);
  list->texts_len += event->member_len;
}

static struct parts find_parts(struct lh_slice object) {
  struct parts parts;
  struct lh_slice key, value;
  size_t position = 0;
  memset(&parts, 0, sizeof parts);
  while (lh_json_next(object, &position, &key, &value)) {
    if (lh_json_key_is(key, "id"))
      parts.id = value;
    else if (lh_json_key_is(key, "event_type"))
      parts.event_type = value;
    else if (lh_json_key_is(key, "data"))
      parts.data = value;
  }
  return parts;
}

static int read_event(struct lh_received_list *list, struct lh_slice value,
                      struct lh_received *event, struct lh_error *err) {
  struct lh_slice id, event_type;
  if (lh_json_type_of(value) != LH_JSON_OBJECT)
    return lh_error_set(err, LH_E_INVALID, "not a JSON object");
  struct parts parts = find_parts(value);
  int rc = take_text(list, parts.id, LH_RECEIVED_ID_MAX, "id", &id, err);
  if (rc == LH_OK)
    rc = take_text(list, parts.event_type, LH_RECEIVED_TYPE_MAX, "event_type", &event_type, err);
  if (rc != LH_OK) return rc;
  if (parts.data.at == NULL) return lh_error_set(err, LH_E_INVALID, "data is missing");
  if (lh_json_type_of(parts.data) != LH_JSON_OBJECT)
    return lh_error_set(err, LH_E_INVALID, "data is not a JSON object");
  *event = (struct lh_received){.event_id = id.at,
                                .event_id_len = id.len,
                                .event_type = event_type.at,
                                .event_type_len = event_type.len,
                                .data = parts.data.at,
                                .data_len = parts.data.len};
  take_member(list, event);
  return LH_OK;
}

/* Makes room for one more event. */
static int reserve(struct lh_received_list *list, struct lh_error *err) {
  if (list->count < list->cap) return LH_OK;
  size_t cap = list->cap == 0 ? 16 : 2 * list->cap;
  struct lh_received *events = realloc(list->events, cap * sizeof *events);
  if (events == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  list->events = events;
  list->cap = cap;
  return LH_OK;
}

static int read_events(struct lh_received_list *list, struct lh_slice events,
                       struct lh_error *err) {
  struct lh_slice value;
  size_t position = 0;
  if (lh_json_type_of(events) != LH_JSON_ARRAY)
    return lh_error_set(err, LH_E_INVALID, "events is not an array");
  while (lh_json_next(events, &position, NULL, &value)) {
    struct lh_error cause;
    if (list->count == LH_RECEIVED_EVENTS_MAX)
      return lh_error_set(err, LH_E_INVALID, "events: more than %d", LH_RECEIVED_EVENTS_MAX);
    int rc = reserve(list, err);
    if (rc != LH_OK) return rc;
    rc = read_event(list, value, &list->events[list->count], &cause);
    if (rc != LH_OK)
      return lh_error_set(err, cause.code, "events[%zu]: %s", list->count + 1, cause.message);
    list->count++;
  }
  return LH_OK;
}

/*
** A count that is missing says nothing; one that is no string is taken as it
** stands. It goes into a log: whatever is not plain ASCII becomes a '?'.
*/
static void compare_count(struct lh_received_list *list, struct lh_slice total_count) {
  char counted[LH_RECEIVED_COUNT_LEN + 1];
  char *said = list->total_count;
  if (total_count.at == NULL) return;
  int text = lh_json_type_of(total_count) == LH_JSON_STRING;
  size_t len = text ? lh_json_string(total_count, said, LH_RECEIVED_COUNT_LEN) : total_count.len;
  size_t kept = len < LH_RECEIVED_COUNT_LEN ? len : LH_RECEIVED_COUNT_LEN;
  if (!text) memcpy(said, total_count.at, kept);
  said[kept] = '\0';
  for (size_t i = 0; i < kept; i++)
    if (said[i] < 0x20 || said[i] > 0x7E) said[i] = '?';
  snprintf(counted, sizeof counted, "%zu", list->count);
  if (len == kept && strcmp(counted, said) == 0) *said = '\0';
  if (len == 0) snprintf(said, LH_RECEIVED_COUNT_LEN, "\"\"");
}

/* A body that is no envelope, of a sender that names the event in a header. */
static int read_single(const struct lh_received_body *body, struct lh_received_list *list,
                       struct lh_slice event_type, struct lh_error *err) {
  struct lh_slice text;
  if (event_type.at == NULL)
    return lh_error_set(err, LH_E_INVALID, "neither events nor type, which would be one event");
  int rc = reserve(list, err);
  /* As deep as the data of an envelope's event may be. */
  if (rc == LH_OK) rc = lh_json_check(body->text, body->len, LH_JSON_DEPTH_MAX, NULL, err);
  if (rc == LH_OK) rc = check_id(body->id, body->id_len, err);
  if (rc == LH_OK) rc = take_text(list, event_type, LH_RECEIVED_TYPE_MAX, "type", &text, err);
  if (rc != LH_OK) return rc;
  list->events[0] = (struct lh_received){.event_id = body->id,
                                         .event_id_len = body->id_len,
                                         .event_type = text.at,
                                         .event_type_len = text.len,
                                         .data = body->text,
                                         .data_len = body->len};
  take_member(list, &list->events[0]);
  list->count = 1;
  return LH_OK;
}

static int read_body(const struct lh_received_body *body, struct lh_received_list *list,
                     struct lh_error *err) {
  struct lh_slice events = {NULL, 0}, total_count = {NULL, 0}, event_type = {NULL, 0};
  struct lh_slice key, value;
  enum lh_json_type type;
  size_t position = 0;
  if (lh_json_check(body->text, body->len, LH_RECEIVED_DEPTH_MAX, &type, err) != LH_OK)
    return err->code;
  if (type != LH_JSON_OBJECT) return lh_error_set(err, LH_E_INVALID, "not a JSON object");
  while (lh_json_next((struct lh_slice){body->text, body->len}, &position, &key, &value)) {
    if (lh_json_key_is(key, "events"))
      events = value;
    else if (lh_json_key_is(key, "total_count"))
      total_count = value;
    else if (lh_json_key_is(key, "type"))
      event_type = value;
  }
  if (events.at == NULL && body->scheme == LH_SCHEME_STANDARD)
    return read_single(body, list, event_type, err);
  if (events.at == NULL) return lh_error_set(err, LH_E_INVALID, "events is missing");
  int rc = read_events(list, events, err);
  if (rc == LH_OK) compare_count(list, total_count);
  return rc;
}

int lh_received_parse(const struct lh_received_body *body, struct lh_received_list *list,
                      struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  list->count = list->texts_len = 0;
  list->total_count[0] = '\0';
  if (list->texts_cap < body->len) {
    char *texts = realloc(list->texts, body->len);
    if (texts == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
    list->texts = texts;
    list->texts_cap = body->len;
  }
  int rc = read_body(body, list, err);
  if (rc != LH_OK) list->count = 0;
  return rc;
}

void lh_received_free(struct lh_received_list *list) {
  free(list->events);
  free(list->texts);
  memset(list, 0, sizeof *list);
}
