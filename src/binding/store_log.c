/*
** What reads the event log. Writing to it is in store_emit.c.
**
**   store:event(id) -> { id, event_type, account, created_ms, data }
**   store:types()   -> { { name =, category = }, … }
*/
#include "binding/store.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"

static int event(lua_State *L) {
  struct lh_id id;
  struct lh_event found;
  struct lh_error err;
  char account[LH_ACCOUNT_MAX + 1], event_type[LH_EVENT_TYPE_MAX + 1];
  size_t len;
  lh_store_object_at(L, 1);
  const char *text = lh_arg_string(L, 2, &len);
  if (lh_id_parse(text, len, &id)) {
    return lh_push_failure(L, LH_E_INVALID, "id: not 24 lower-case hex digits");
  }
  lua_createtable(L, 0, 5);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->log->event_get(store, &id, &found, &err)) return lh_push_error(L, &err);
  /* Borrowed texts: a push may run a finalizer, so all but the longest are copied before. */
  snprintf(account, sizeof account, "%s", found.account);
  snprintf(event_type, sizeof event_type, "%s", found.event_type);
  lua_pushlstring(L, found.data, found.data_len);
  lua_setfield(L, -2, "data");
  lh_set_id(L, "id", &found.id);
  lh_set_string(L, "account", account);
  lh_set_string(L, "event_type", event_type);
  lh_set_int64(L, "created_ms", found.created_ms);
  return 1;
}

/* Holds the array of types while it is pushed. */
struct types {
  struct lh_stored_type *rows;
  size_t count;
};

static void release_types(void *memory) {
  free(((struct types *)memory)->rows);
}

static int types(lua_State *L) {
  struct lh_error err;
  lh_store_object_at(L, 1);
  struct types *list = lh_box_new(L, sizeof *list, release_types);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->log->types(store, &list->rows, &list->count, &err)) {
    list->rows = NULL;
    return lh_push_error(L, &err);
  }
  lua_createtable(L, (int)list->count, 0);
  for (size_t i = 0; i < list->count; i++) {
    lua_createtable(L, 0, 2);
    lh_set_string(L, "name", list->rows[i].name);
    lh_set_string(L, "category", list->rows[i].category);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lh_box_release(list);
  return 1;
}

void lh_bind_store_log(lua_State *L) {
  static const luaL_Reg methods[] = {{"event", event}, {"types", types}, {NULL, NULL}};
  lh_set_functions(L, methods);
}
