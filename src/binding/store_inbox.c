/*
** The inbox. Bodies are read before the store is asked, so that a transaction
** holds nothing up; a body that cannot be read fails alone.
**
**   store:inbox_accept({ { source =, body = [, scheme =, id = (webhook-id, standard only)] }, … },
**                      now_ms)
**     -> { { events =, added =, duplicates =, total_count = what it says if that is wrong }
**          or { code = "invalid", message = }, … }
**      | nil, message, code: nothing was stored
**   store:inbox_list{ state =, source =, event_type =, handler =, since_ms =, after =, limit = }
**     -> { events = { row, … }, next = cursor | nil }
**   store:inbox_get(event_id [, source]) -> { row, … }, one a source, with data
**
** Row: id source event_type received_ms member state tasks; task: handler state
** reason attempts_made next_attempt_ms waits error. Left out are what does not
** count: member if there is none, reason unless failed, next_attempt_ms unless
** an attempt is to come, error if there is none.
*/
#include "binding/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/event.h"
#include "core/limits.h"

/* One request of a call. */
struct entry {
  struct lh_received_list list;
  char *message; /* why its body was refused; NULL: it was read */
};

/* All of a call. Receipts are those of the bodies that were read, in order. */
struct batch {
  size_t count;
  struct entry *entries;
  struct lh_receipt *receipts;
};

static void release_batch(void *memory) {
  struct batch *batch = memory;
  for (size_t i = 0; batch->entries && i < batch->count; i++) {
    lh_received_free(&batch->entries[i].list);
    free(batch->entries[i].message);
  }
  free(batch->entries);
  free(batch->receipts);
}

#define SLOTS 5 /* of the stack that one entry takes: what is borrowed stays there */

/* Reads the fields of the entry on top of the stack; wrong types raise. 0, or LH_E_INVALID. */
static int read_entry(lua_State *L, const char **source, struct lh_received_body *body,
                      struct lh_error *err) {
  size_t source_len;
  int at = lua_gettop(L);
  luaL_checktype(L, at, LUA_TTABLE);
  *source = lh_field_text(L, at, "source", &source_len);
  body->text = lh_field_text(L, at, "body", &body->len);
  if (lh_field_scheme(L, at, &body->scheme, err)) return err->code;
  body->id = body->scheme == LH_SCHEME_STANDARD ? lh_field_text(L, at, "id", &body->id_len) : NULL;
  return lh_source_check(*source, source_len, err);
}

/* Parses every body. 0, or the failure that ends the call. */
static int read_batch(lua_State *L, struct batch *batch, size_t *good, struct lh_error *err) {
  for (size_t i = 0; i < batch->count; i++) {
    struct entry *entry = &batch->entries[i];
    struct lh_receipt *receipt = &batch->receipts[*good];
    struct lh_received_body body = {0};
    struct lh_error refusal;
    lua_rawgeti(L, 2, (lh_compat_index)i + 1);
    int rc = read_entry(L, &receipt->source, &body, err);
    if (rc) return rc;
    rc = lh_received_parse(&body, &entry->list, &refusal);
    if (rc == LH_E_INVALID) entry->message = strdup(refusal.message);
    if (rc == LH_E_INVALID ? !entry->message : rc != LH_OK) {
      return lh_error_set(err, LH_E_MEMORY, "out of memory");
    }
    if (rc != LH_OK) continue;
    receipt->events = entry->list.events;
    receipt->count = entry->list.count;
    ++*good;
  }
  return 0;
}

static void push_batch(lua_State *L, const struct batch *batch) {
  size_t next = 0;
  lua_createtable(L, (int)batch->count, 0);
  for (size_t i = 0; i < batch->count; i++) {
    const struct entry *entry = &batch->entries[i];
    lua_createtable(L, 0, 4);
    if (entry->message) {
      lh_set_string(L, "code", lh_error_name(LH_E_INVALID));
      lh_set_string(L, "message", entry->message);
    } else {
      const struct lh_receipt *receipt = &batch->receipts[next++];
      lh_set_int64(L, "events", (int64_t)receipt->count);
      lh_set_int64(L, "added", (int64_t)receipt->added);
      lh_set_int64(L, "duplicates", (int64_t)receipt->duplicates);
      lh_set_string(L, "total_count", entry->list.total_count);
    }
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
}

static int inbox_accept(lua_State *L) {
  struct lh_error err;
  size_t good = 0;
  lh_store_object_at(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  int64_t now_ms = lh_arg_int(L, 3, 0, LH_EXACT_MAX);
  lua_settop(L, 3);
  size_t count = lh_compat_len(L, 2);
  if (count > LH_ACCEPT_MANY_MAX) {
    return lh_push_failure(L, LH_E_LIMIT, "inbox_accept: more than 256 requests in one call");
  }
  luaL_checkstack(L, SLOTS * (int)count + LUA_MINSTACK, "inbox_accept");
  struct batch *batch = lh_box_new(L, sizeof *batch, release_batch);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  batch->count = count;
  batch->entries = calloc(count + 1, sizeof *batch->entries);
  batch->receipts = calloc(count + 1, sizeof *batch->receipts);
  if (!batch->entries || !batch->receipts) {
    return lh_push_failure(L, LH_E_MEMORY, "out of memory");
  }
  if (read_batch(L, batch, &good, &err)) return lh_push_error(L, &err);
  if (good > 0 && store->inbox->accept(store, batch->receipts, good, now_ms, &err)) {
    return lh_push_error(L, &err);
  }
  push_batch(L, batch);
  lh_box_release(batch);
  return 1;
}

/* ---- what people see */

static const char *const state_names[] = {"pending", "failed", "done"};

static void release_list(void *memory) {
  lh_inbox_list_clear(memory);
}

static int read_state(lua_State *L, int arg, int *state, struct lh_error *err) {
  const char *name;
  int named = lh_field_name(L, arg, "state", &name, err);
  *state = -1;
  if (named <= 0) return named ? (int)err->code : 0;
  for (int i = LH_INBOX_PENDING; i <= LH_INBOX_DONE; i++) {
    if (strcmp(name, state_names[i]) == 0) *state = i;
  }
  if (*state >= 0) return 0;
  return lh_error_set(err, LH_E_INVALID, "state: not one of pending, failed, done");
}

static int read_filter(lua_State *L, int arg, struct lh_inbox_filter *filter,
                       struct lh_error *err) {
  static const int64_t since_bounds[2] = {0, LH_EXACT_MAX};
  static const int64_t limit_bounds[2] = {1, LH_LIST_LIMIT_MAX};
  int64_t limit = LH_LIST_LIMIT_DEFAULT;
  if (read_state(L, arg, &filter->state, err) ||
      lh_store_read_cursor(L, arg, &filter->after, err) ||
      lh_field_int(L, arg, "since_ms", since_bounds, &filter->since_ms, err) < 0 ||
      lh_field_int(L, arg, "limit", limit_bounds, &limit, err) < 0 ||
      lh_field_name(L, arg, "source", &filter->source, err) < 0 ||
      lh_field_name(L, arg, "event_type", &filter->event_type, err) < 0 ||
      lh_field_name(L, arg, "handler", &filter->handler, err) < 0) {
    return err->code;
  }
  filter->limit = (int)limit;
  return 0;
}

static void push_task(lua_State *L, const struct lh_inbox_task *task) {
  lua_createtable(L, 0, 6);
  lh_set_string(L, "handler", task->handler);
  lh_set_string(L, "state", lh_task_state_name(task->state));
  lh_set_string(L, "reason", lh_task_reason_name(task->reason));
  lh_set_int64(L, "attempts_made", task->attempts_made);
  if (task->next_attempt_ms > 0) lh_set_int64(L, "next_attempt_ms", task->next_attempt_ms);
  lh_set_boolean(L, "waits", task->waits);
  lh_set_string(L, "error", task->error);
}

static void push_row(lua_State *L, const struct lh_inbox_row *row) {
  lua_createtable(L, 0, 8);
  lh_set_string(L, "id", row->event_id);
  lh_set_string(L, "source", row->source);
  lh_set_string(L, "event_type", row->event_type);
  lh_set_int64(L, "received_ms", row->received_ms);
  lh_set_string(L, "state", state_names[row->state]);
  if (row->member_len > 0) {
    lua_pushlstring(L, row->member, row->member_len);
    lua_setfield(L, -2, "member");
  }
  if (row->data) {
    lua_pushlstring(L, row->data, row->data_len);
    lua_setfield(L, -2, "data");
  }
  lua_createtable(L, (int)row->task_count, 0);
  for (size_t i = 0; i < row->task_count; i++) {
    push_task(L, &row->tasks[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lua_setfield(L, -2, "tasks");
}

static void push_rows(lua_State *L, const struct lh_inbox_list *list) {
  lua_createtable(L, (int)list->count, 0);
  for (size_t i = 0; i < list->count; i++) {
    push_row(L, &list->rows[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
}

static int inbox_list(lua_State *L) {
  struct lh_inbox_filter filter = {0};
  struct lh_error err;
  char cursor[24];
  lh_store_object_at(L, 1);
  lh_arg_options(L, 2);
  if (read_filter(L, 2, &filter, &err)) return lh_push_error(L, &err);
  struct lh_inbox_list *list = lh_box_new(L, sizeof *list, release_list);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->inbox->list(store, &filter, list, &err)) return lh_push_error(L, &err);
  lua_createtable(L, 0, 2);
  push_rows(L, list);
  lua_setfield(L, -2, "events");
  snprintf(cursor, sizeof cursor, "%" PRId64, list->next);
  lh_set_string(L, "next", list->next > 0 ? cursor : NULL);
  lh_box_release(list);
  return 1;
}

static int inbox_get(lua_State *L) {
  struct lh_error err;
  size_t id_len, source_len = 0;
  lh_store_object_at(L, 1);
  const char *event_id = lh_arg_string(L, 2, &id_len);
  const char *source = lua_isnoneornil(L, 3) ? NULL : lh_arg_string(L, 3, &source_len);
  if (strlen(event_id) != id_len || (source && strlen(source) != source_len)) {
    return lh_push_failure(L, LH_E_INVALID, "event_id or source: contains a NUL byte");
  }
  struct lh_inbox_list *list = lh_box_new(L, sizeof *list, release_list);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->inbox->get(store, event_id, source, list, &err)) return lh_push_error(L, &err);
  push_rows(L, list);
  lh_box_release(list);
  return 1;
}

void lh_bind_store_inbox(lua_State *L) {
  static const luaL_Reg methods[] = {{"inbox_accept", inbox_accept},
                                     {"inbox_list", inbox_list},
                                     {"inbox_get", inbox_get},
                                     {NULL, NULL}};
  lh_set_functions(L, methods);
}
