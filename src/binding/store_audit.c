/*
** The audit log.
**
**   store:audit_add({ who =, what =, object =, account =, detail = JSON text }, now_ms) -> true
**   store:audit{ who =, what =, object =, account =, since_ms =, limit =, after = }
**     -> { row, … }, cursor of the next page | nil; newest first
**
** Row: id at_ms who what object account detail (JSON text); the last three only if there are.
*/
#include "binding/store.h"

#include <inttypes.h>
#include <stdio.h>

static int audit_add(lua_State *L) {
  static const char *const names[] = {"who", "what", "object", "account", "detail"};
  struct lh_error err;
  struct lh_audit audit = {0};
  const char **const places[] = {&audit.who, &audit.what, &audit.object, &audit.account,
                                 &audit.detail};
  lh_store_object_at(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  int64_t now_ms = lh_arg_int(L, 3, 0, LH_EXACT_MAX);
  for (int i = 0; i < 5; i++) {
    if (lh_field_name(L, 2, names[i], places[i], &err) < 0) return lh_push_error(L, &err);
  }
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->audit->add(store, &audit, now_ms, &err)) return lh_push_error(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

static int read_filter(lua_State *L, struct lh_audit_filter *filter, struct lh_error *err) {
  static const int64_t limit_bounds[2] = {1, LH_LIST_LIMIT_MAX};
  static const int64_t since_bounds[2] = {0, LH_EXACT_MAX};
  int64_t limit = LH_LIST_LIMIT_DEFAULT;
  if (lh_store_read_cursor(L, 2, &filter->after, err) ||
      lh_field_int(L, 2, "since_ms", since_bounds, &filter->since_ms, err) < 0 ||
      lh_field_int(L, 2, "limit", limit_bounds, &limit, err) < 0 ||
      lh_field_name(L, 2, "who", &filter->who, err) < 0 ||
      lh_field_name(L, 2, "what", &filter->what, err) < 0 ||
      lh_field_name(L, 2, "object", &filter->object, err) < 0 ||
      lh_field_name(L, 2, "account", &filter->account, err) < 0) {
    return err->code;
  }
  filter->limit = (int)limit;
  return 0;
}

static void release(void *memory) {
  lh_audit_list_clear(memory);
}

static void push_row(lua_State *L, const struct lh_audit_row *row) {
  lua_createtable(L, 0, 7);
  lh_set_int64(L, "id", row->entry);
  lh_set_int64(L, "at_ms", row->at_ms);
  lh_set_string(L, "who", row->who);
  lh_set_string(L, "what", row->what);
  lh_set_string(L, "object", row->object);
  lh_set_string(L, "account", row->account);
  lh_set_string(L, "detail", row->detail);
}

static int audit(lua_State *L) {
  struct lh_audit_filter filter = {0};
  struct lh_error err;
  char cursor[24];
  lh_store_object_at(L, 1);
  lh_arg_options(L, 2);
  if (read_filter(L, &filter, &err)) return lh_push_error(L, &err);
  struct lh_audit_list *list = lh_box_new(L, sizeof *list, release);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->audit->list(store, &filter, list, &err)) return lh_push_error(L, &err);
  lua_createtable(L, (int)list->count, 0);
  for (size_t i = 0; i < list->count; i++) {
    push_row(L, &list->rows[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  int64_t next = list->next;
  lh_box_release(list);
  if (next == 0) return 1;
  snprintf(cursor, sizeof cursor, "%" PRId64, next);
  lua_pushstring(L, cursor);
  return 2;
}

void lh_bind_store_audit(lua_State *L) {
  static const luaL_Reg methods[] = {{"audit_add", audit_add}, {"audit", audit}, {NULL, NULL}};
  lh_set_functions(L, methods);
}
