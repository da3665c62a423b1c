/*
** What people do with tasks and handlers.
**
**   store:inbox_retry({ { id = [, source =] [, handler =] }, … } [, by])
**     -> { { id, source, handler, outcome = "retried"|"not_failed"|"unknown" }, … }
**   store:inbox_retry_failed{ handler =, source =, since_ms =, failed_before_ms =, dry_run =,
**     after =, by = } -> { count =, next = cursor | nil }: one step; the same call with
**     after = next goes on, and a dry run only counts
**   store:handlers() -> { { name, event_types = { … }, serial, fails_when_unknown, behind,
**     tasks = { pending =, running =, retrying =, done =, failed = }, rest_until_ms, loaded_ms,
**     created_ms }, … }
**   store:handler_forget(name [, by]) -> number of tasks that failed by it
**
** All of them can answer nil, message, code. rest_until_ms is left out if it never rested.
** by: who is noted in the audit log (store_access.c).
*/
#include "binding/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/limits.h"

static int64_t now_ms(void) {
  const struct lh_clock *clock = lh_clock_system();
  return clock->wall_ms(clock->self);
}

/* ---- retry of chosen events */

/* Text of a field of the table at the top, kept in the table at `texts`; NULL: nil. */
static int read_text(lua_State *L, int texts, const char *field, const char **text,
                     struct lh_error *err) {
  int entry = lua_gettop(L);
  if (lh_field_name(L, entry, field, text, err) < 0) return err->code;
  if (*text)
    lua_rawseti(L, texts, (lh_compat_index)lh_compat_len(L, texts) + 1);
  else
    lua_pop(L, 1);
  return 0;
}

static int read_retry(lua_State *L, int texts, struct lh_task_retry *retry, struct lh_error *err) {
  memset(retry, 0, sizeof *retry);
  if (lua_type(L, -1) != LUA_TTABLE) lh_arg_type_error(L, 2, "entry", "table", -1);
  if (read_text(L, texts, "id", &retry->event_id, err) ||
      read_text(L, texts, "source", &retry->source, err) ||
      read_text(L, texts, "handler", &retry->handler, err))
    return err->code;
  if (!retry->event_id) return lh_error_set(err, LH_E_INVALID, "id: missing");
  return 0;
}

static void push_retries(lua_State *L, const struct lh_task_retry *retries, size_t count) {
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 4);
    lh_set_string(L, "id", retries[i].event_id);
    lh_set_string(L, "source", retries[i].source);
    lh_set_string(L, "handler", retries[i].handler);
    lh_set_string(L, "outcome", lh_task_retry_outcome_name(retries[i].outcome));
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
}

static int inbox_retry(lua_State *L) {
  struct lh_error err;
  struct lh_actor actor = {0};
  const struct lh_actor *by;
  lh_store_object_at(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 3);
  if (lh_store_read_actor(L, 3, &actor, &by, &err)) return lh_push_error(L, &err);
  size_t count = lh_compat_len(L, 2);
  if (count > LH_RETRY_MANY_MAX) count = 0; /* the store refuses it */
  struct lh_task_retry *retries = lh_box_scratch(L, count, sizeof *retries);
  lua_newtable(L);
  int texts = lua_gettop(L);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (lh_compat_index)i + 1);
    if (read_retry(L, texts, &retries[i], &err)) return lh_push_error(L, &err);
    lua_pop(L, 1);
  }
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->tasks->retry(store, retries, lh_compat_len(L, 2), by, now_ms(), &err))
    return lh_push_error(L, &err);
  push_retries(L, retries, count);
  return 1;
}

/* ---- retry of many */

static int inbox_retry_failed(lua_State *L) {
  static const int64_t bounds[2] = {0, LH_EXACT_MAX};
  struct lh_task_retry_step step = {0};
  struct lh_actor actor = {0};
  struct lh_error err;
  char cursor[24];
  lh_store_object_at(L, 1);
  lh_arg_options(L, 2);
  if (lh_field_name(L, 2, "handler", &step.handler, &err) < 0 ||
      lh_field_name(L, 2, "source", &step.source, &err) < 0 ||
      lh_field_int(L, 2, "since_ms", bounds, &step.since_ms, &err) < 0 ||
      lh_field_int(L, 2, "failed_before_ms", bounds, &step.failed_before_ms, &err) < 0 ||
      lh_store_read_cursor(L, 2, &step.after, &err) ||
      lh_store_field_actor(L, 2, &actor, &step.actor, &err))
    return lh_push_error(L, &err);
  step.dry_run = lh_field_boolean(L, 2, "dry_run");
  step.now_ms = now_ms();
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->tasks->retry_failed(store, &step, &err)) return lh_push_error(L, &err);
  lua_createtable(L, 0, 2);
  lh_set_int64(L, "count", (int64_t)step.count);
  snprintf(cursor, sizeof cursor, "%" PRId64, step.after);
  lh_set_string(L, "next", step.after > 0 ? cursor : NULL);
  return 1;
}

/* ---- handlers */

static void release_list(void *memory) {
  lh_handler_list_clear(memory);
}

static void push_handler(lua_State *L, const struct lh_handler_row *row) {
  lua_createtable(L, 0, 9);
  lh_set_string(L, "name", row->name);
  lh_store_set_list(L, "event_types", row->event_types, '\n');
  lh_set_boolean(L, "serial", row->serial);
  lh_set_boolean(L, "fails_when_unknown", row->fails_when_unknown);
  lh_set_int64(L, "behind", row->behind);
  lua_createtable(L, 0, 5);
  for (int state = LH_TASK_PENDING; state <= LH_TASK_FAILED; state++)
    lh_set_int64(L, lh_task_state_name((enum lh_task_state)state), row->tasks[state]);
  lua_setfield(L, -2, "tasks");
  if (row->rest_until_ms > 0) lh_set_int64(L, "rest_until_ms", row->rest_until_ms);
  lh_set_int64(L, "loaded_ms", row->loaded_ms);
  lh_set_int64(L, "created_ms", row->created_ms);
}

static int handlers(lua_State *L) {
  struct lh_error err;
  lh_store_object_at(L, 1);
  struct lh_handler_list *list = lh_box_new(L, sizeof *list, release_list);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->tasks->handler_list(store, list, &err)) return lh_push_error(L, &err);
  lua_createtable(L, (int)list->count, 0);
  for (size_t i = 0; i < list->count; i++) {
    push_handler(L, &list->rows[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lh_box_release(list);
  return 1;
}

static int handler_forget(lua_State *L) {
  struct lh_error err;
  struct lh_actor actor = {0};
  const struct lh_actor *by;
  size_t len, failed = 0;
  lh_store_object_at(L, 1);
  lua_settop(L, 3);
  const char *name = lh_arg_string(L, 2, &len);
  if (strlen(name) != len) return lh_push_failure(L, LH_E_INVALID, "name: contains a NUL byte");
  if (lh_store_read_actor(L, 3, &actor, &by, &err)) return lh_push_error(L, &err);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->tasks->forget(store, name, by, now_ms(), &failed, &err)) return lh_push_error(L, &err);
  lh_push_int64(L, (int64_t)failed);
  return 1;
}

void lh_bind_store_tasks(lua_State *L) {
  static const luaL_Reg methods[] = {{"inbox_retry", inbox_retry},
                                     {"inbox_retry_failed", inbox_retry_failed},
                                     {"handlers", handlers},
                                     {"handler_forget", handler_forget},
                                     {NULL, NULL}};
  lh_set_functions(L, methods);
}
