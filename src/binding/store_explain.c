/*
** What became of one event.
**
**   store:explain(event_id) -> { webhooks = { row, … }, workers } | nil, message, code
**
** Row: webhook; covered; and if it is: mode ("deliver", "fail", "skip"), reason
** (of fail), event_types (of then), span_ms, subscribed, passed, request (with
** attempts, as store:request returns it) if one holds the event, stopped (of a
** request that waits: a pause, disable or delete came since), in_flight, failing,
** next_start_ms, due_ms (left out: not before something changes).
** workers: how many are alive.
*/
#include "binding/store.h"

static void release(void *memory) {
  lh_explanation_clear(memory);
}

static const char *mode_name(enum lh_span_mode mode) {
  static const char *const names[] = {
      [LH_SPAN_DELIVER] = "deliver", [LH_SPAN_FAIL] = "fail", [LH_SPAN_SKIP] = "skip"};
  return names[mode];
}

static void push_explained(lua_State *L, const struct lh_explained *row) {
  lua_createtable(L, 0, 13);
  lh_store_push_webhook(L, &row->webhook);
  lua_setfield(L, -2, "webhook");
  lh_set_boolean(L, "covered", row->covered);
  if (!row->covered) return;
  lh_set_string(L, "mode", mode_name(row->mode));
  lh_set_string(L, "reason", lh_reason_name(row->reason));
  lh_store_set_list(L, "event_types", row->event_types, '\n');
  lh_set_int64(L, "span_ms", row->span_ms);
  lh_set_boolean(L, "subscribed", row->subscribed);
  lh_set_boolean(L, "passed", row->passed);
  if (row->request.count > 0) {
    lh_store_push_request(L, &row->request.rows[0], &row->attempts);
    lua_setfield(L, -2, "request");
    lh_set_boolean(L, "stopped", row->stopped);
  }
  lh_set_int64(L, "in_flight", row->in_flight);
  lh_set_int64(L, "failing", row->failing);
  lh_set_int64(L, "next_start_ms", row->next_start_ms);
  if (row->due_ms != INT64_MAX) lh_set_int64(L, "due_ms", row->due_ms);
}

static int explain(lua_State *L) {
  struct lh_id id;
  struct lh_error err;
  size_t len;
  lh_store_object_at(L, 1);
  const char *text = lh_arg_string(L, 2, &len);
  if (lh_id_parse(text, len, &id)) {
    return lh_push_failure(L, LH_E_INVALID, "event_id: not 24 lower-case hex digits");
  }
  struct lh_explanation *found = lh_box_new(L, sizeof *found, release);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->requests->explain(store, &id, found, &err)) return lh_push_error(L, &err);
  lua_createtable(L, 0, 2);
  lua_createtable(L, (int)found->count, 0);
  for (size_t i = 0; i < found->count; i++) {
    push_explained(L, &found->rows[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lua_setfield(L, -2, "webhooks");
  lh_set_int64(L, "workers", found->workers);
  lh_box_release(found);
  return 1;
}

void lh_bind_store_explain(lua_State *L) {
  static const luaL_Reg methods[] = {{"explain", explain}, {NULL, NULL}};
  lh_set_functions(L, methods);
}
