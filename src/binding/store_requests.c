/*
** The log of requests, newest first.
**
**   store:requests{ state =, account =, webhook =, event =, member =, event_type =, since_ms =,
**     until_ms =, limit =, after = }
**     -> { row, … }, cursor of the next page | nil
**   store:request(request_id) -> row with attempts
**   store:request_body(request_id) -> the bytes that every attempt sends
**
** Row: request_id webhook_id state reason total_count event_ids attempts_made
** next_attempt_ms created_ms finished_ms; attempt: number started_ms
** duration_ms status outcome error url nonce sent headers header_names response.
** headers is name -> value, header_names their order. Left out are what does
** not count: reason unless failed, next_attempt_ms unless waiting, finished_ms
** unless finished, status without an answer, duration_ms of a lost attempt,
** sent and headers where they are not known.
*/
#include "binding/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/head.h"
#include "core/limits.h"
#include "core/outcome.h"

/* What stands behind a filter's pointers. */
struct filter {
  struct lh_request_filter door;
  struct lh_id webhook_id;
  struct lh_id event_id;
};

/* Both lists of one call. */
struct found {
  struct lh_request_list requests;
  struct lh_attempt_list attempts;
};

static void release_found(void *memory) {
  struct found *found = memory;
  lh_request_list_clear(&found->requests);
  lh_attempt_list_clear(&found->attempts);
}

static int read_state(lua_State *L, int arg, int *state, struct lh_error *err) {
  const char *name;
  int named = lh_field_name(L, arg, "state", &name, err);
  *state = -1;
  if (named <= 0) return named ? (int)err->code : 0;
  for (int i = LH_PENDING; i <= LH_FAILED; i++) {
    if (strcmp(name, lh_state_name((enum lh_state)i)) == 0) *state = i;
  }
  if (*state >= 0) return 0;
  return lh_error_set(err, LH_E_INVALID,
                      "state: not one of pending, sending, retrying, delivered, failed");
}

int lh_store_read_cursor(lua_State *L, int arg, int64_t *after, struct lh_error *err) {
  size_t len;
  const char *text = lh_field_string(L, arg, "after", &len);
  *after = 0;
  if (!text) return 0;
  if (len < 1 || len > 18 || strspn(text, "0123456789") != len || text[0] == '0') {
    return lh_error_set(err, LH_E_INVALID, "after: not a cursor that a list returned");
  }
  for (; *text; text++) *after = 10 * *after + (*text - '0');
  return 0;
}

static int read_filter(lua_State *L, int arg, struct filter *filter, struct lh_error *err) {
  static const int64_t since_bounds[2] = {0, LH_EXACT_MAX};
  static const int64_t limit_bounds[2] = {1, LH_LIST_LIMIT_MAX};
  int64_t limit = LH_LIST_LIMIT_DEFAULT;
  struct lh_request_filter *door = &filter->door;
  if (read_state(L, arg, &door->state, err) || lh_store_read_cursor(L, arg, &door->after, err) ||
      lh_field_int(L, arg, "since_ms", since_bounds, &door->since_ms, err) < 0 ||
      lh_field_int(L, arg, "until_ms", since_bounds, &door->until_ms, err) < 0 ||
      lh_field_int(L, arg, "limit", limit_bounds, &limit, err) < 0 ||
      lh_field_name(L, arg, "account", &door->account, err) < 0 ||
      lh_field_name(L, arg, "member", &door->member, err) < 0 ||
      lh_field_name(L, arg, "event_type", &door->event_type, err) < 0) {
    return err->code;
  }
  door->limit = (int)limit;
  int webhook = lh_field_id(L, arg, "webhook", &filter->webhook_id, err);
  int event = webhook < 0 ? -1 : lh_field_id(L, arg, "event", &filter->event_id, err);
  if (webhook < 0 || event < 0) return err->code;
  door->webhook_id = webhook ? &filter->webhook_id : NULL;
  door->event_id = event ? &filter->event_id : NULL;
  return 0;
}

static void push_row(lua_State *L, const struct lh_request_row *row) {
  const struct lh_delivery *delivery = &row->delivery;
  lua_createtable(L, 0, 11);
  lh_set_id(L, "request_id", &row->request_id);
  lh_set_id(L, "webhook_id", &row->webhook_id);
  lh_set_string(L, "state", lh_state_name(delivery->state));
  lh_set_string(L, "reason", lh_reason_name(delivery->reason));
  lh_set_int64(L, "total_count", row->count);
  lh_set_int64(L, "attempts_made", delivery->attempts_made);
  lh_set_int64(L, "created_ms", row->created_ms);
  if (delivery->state == LH_PENDING || delivery->state == LH_RETRYING) {
    lh_set_int64(L, "next_attempt_ms", delivery->next_attempt_ms);
  }
  if (delivery->state == LH_DELIVERED || delivery->state == LH_FAILED) {
    lh_set_int64(L, "finished_ms", delivery->finished_ms);
  }
  lua_createtable(L, row->count, 0);
  for (int32_t i = 0; row->event_ids && i < row->count; i++) {
    lh_push_id(L, &row->event_ids[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "event_ids");
}

static void release_buffer(void *memory) {
  lh_buffer_free(memory);
}

/* Into the table on top; `lines` is in a box: pushing may raise. */
static void set_head(lua_State *L, const struct lh_head *head, struct lh_buffer *lines) {
  size_t count = 0;
  lines->len = 0;
  if (lh_head_write(head, lines, &count)) luaL_error(L, "out of memory");
  lua_createtable(L, 0, (int)count);
  lua_createtable(L, (int)count, 0);
  const char *line = lines->at;
  for (size_t i = 0; i < count; i++) {
    size_t len = strlen(line);
    if (lh_store_push_header(L, line, len)) {
      lua_pushvalue(L, -2);
      lua_rawseti(L, -4, (lh_compat_index)i + 1);
      lua_rawset(L, -4);
    }
    line += len + 1;
  }
  lua_setfield(L, -3, "header_names");
  lua_setfield(L, -2, "headers");
}

static void push_attempt(lua_State *L, const struct lh_attempt_row *row,
                         const struct lh_id *request_id, struct lh_buffer *lines) {
  lua_createtable(L, 0, 12);
  lh_set_int64(L, "number", row->number);
  lh_set_int64(L, "started_ms", row->started_ms);
  if (row->duration_ms >= 0) lh_set_int64(L, "duration_ms", row->duration_ms);
  if (row->status > 0) lh_set_int64(L, "status", row->status);
  lh_set_string(L, "outcome", lh_outcome_name((enum lh_outcome)row->outcome));
  lh_set_string(L, "error", row->error);
  lh_set_string(L, "url", row->url);
  lh_set_string(L, "nonce", row->nonce);
  if (row->sent != LH_SENT_UNKNOWN) lh_set_boolean(L, "sent", row->sent == LH_SENT_YES);
  if (row->tags_len > 0) {
    const struct lh_head head = {.request_id = request_id,
                                 .scheme = row->scheme,
                                 .nonce = row->nonce,
                                 .tags = row->tags,
                                 .tags_len = row->tags_len,
                                 .custom = row->custom};
    set_head(L, &head, lines);
  }
  if (row->response && row->response_len > 0) {
    lua_pushlstring(L, row->response, row->response_len);
    lua_setfield(L, -2, "response");
  }
}

static void set_attempts(lua_State *L, const struct lh_attempt_list *list,
                         const struct lh_id *request_id) {
  struct lh_buffer *lines = lh_box_new(L, sizeof *lines, release_buffer);
  lua_createtable(L, (int)list->count, 0);
  for (size_t i = 0; i < list->count; i++) {
    push_attempt(L, &list->rows[i], request_id, lines);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lua_setfield(L, -3, "attempts");
  lh_box_release(lines);
  lua_pop(L, 1);
}

void lh_store_push_request(lua_State *L, const struct lh_request_row *row,
                           const struct lh_attempt_list *attempts) {
  push_row(L, row);
  if (attempts) set_attempts(L, attempts, &row->request_id);
}

static int requests(lua_State *L) {
  struct filter filter = {0};
  struct lh_error err;
  char cursor[24];
  lh_store_object_at(L, 1);
  lh_arg_options(L, 2);
  if (read_filter(L, 2, &filter, &err)) return lh_push_error(L, &err);
  struct found *found = lh_box_new(L, sizeof *found, release_found);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->requests->list(store, &filter.door, &found->requests, &err)) {
    return lh_push_error(L, &err);
  }
  lua_createtable(L, (int)found->requests.count, 0);
  for (size_t i = 0; i < found->requests.count; i++) {
    lh_store_push_request(L, &found->requests.rows[i], NULL);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  int64_t next = found->requests.next;
  lh_box_release(found);
  if (next == 0) return 1;
  snprintf(cursor, sizeof cursor, "%" PRId64, next);
  lua_pushstring(L, cursor);
  return 2;
}

static int request(lua_State *L) {
  struct lh_id id;
  struct lh_error err;
  size_t len;
  lh_store_object_at(L, 1);
  const char *text = lh_arg_string(L, 2, &len);
  if (lh_id_parse(text, len, &id)) {
    return lh_push_failure(L, LH_E_INVALID, "request_id: not 24 lower-case hex digits");
  }
  struct found *found = lh_box_new(L, sizeof *found, release_found);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->requests->get(store, &id, &found->requests, &found->attempts, &err)) {
    return lh_push_error(L, &err);
  }
  lh_store_push_request(L, &found->requests.rows[0], &found->attempts);
  lh_box_release(found);
  return 1;
}

static int request_body(lua_State *L) {
  struct lh_id id;
  struct lh_error err;
  struct lh_slice body;
  size_t len;
  lh_store_object_at(L, 1);
  const char *text = lh_arg_string(L, 2, &len);
  if (lh_id_parse(text, len, &id)) {
    return lh_push_failure(L, LH_E_INVALID, "request_id: not 24 lower-case hex digits");
  }
  struct lh_buffer *buffer = lh_box_new(L, sizeof *buffer, release_buffer);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->requests->body(store, &id, buffer, &body, &err)) return lh_push_error(L, &err);
  lua_pushlstring(L, body.at, body.len);
  lh_box_release(buffer);
  return 1;
}

void lh_bind_store_requests(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"requests", requests}, {"request", request}, {"request_body", request_body}, {NULL, NULL}};
  lh_set_functions(L, methods);
}
