/*
** The care of a store.
**
**   store:health([full])      -> { integrity, key_present, key_readable, sessions, schema_version,
**                                  sqlite_version, path, filesystem_warning,
**                                  permissions_warning }
**   store:pending_work()      -> { due, sending, later, given_back }
**   store:backup(path), store:key_check() -> true
**
** The warnings are left out if there is none.
*/
#include "binding/store.h"

#include <string.h>

static int health(lua_State *L) {
  struct lh_store_health findings;
  struct lh_error err;
  lh_store_object_at(L, 1);
  int full = lua_toboolean(L, 2);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->admin->health(store, full, &findings, &err)) return lh_push_error(L, &err);
  lua_createtable(L, 0, 9);
  lh_set_string(L, "integrity", findings.integrity);
  lh_set_boolean(L, "key_present", findings.key_present);
  lh_set_boolean(L, "key_readable", findings.key_readable);
  lh_set_int64(L, "sessions", findings.sessions);
  lh_set_int64(L, "schema_version", findings.schema_version);
  lh_set_string(L, "sqlite_version", findings.sqlite_version);
  lh_set_string(L, "path", findings.path);
  lh_set_string(L, "filesystem_warning", findings.filesystem_warning);
  lh_set_string(L, "permissions_warning", findings.permissions_warning);
  return 1;
}

static int pending_work(lua_State *L) {
  struct lh_pending_work work;
  struct lh_error err;
  const struct lh_clock *clock = lh_clock_system();
  lh_store_object_at(L, 1);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->requests->pending_work(store, clock->wall_ms(clock->self), &work, &err)) {
    return lh_push_error(L, &err);
  }
  lua_createtable(L, 0, 4);
  lh_set_int64(L, "due", work.due);
  lh_set_int64(L, "sending", work.sending);
  lh_set_int64(L, "later", work.later);
  lh_set_int64(L, "given_back", work.given_back);
  return 1;
}

static int backup(lua_State *L) {
  struct lh_error err;
  size_t len;
  lh_store_object_at(L, 1);
  const char *path = lh_arg_string(L, 2, &len);
  if (len == 0 || memchr(path, '\0', len)) {
    return lh_push_failure(L, LH_E_INVALID, "path: empty, or contains a NUL byte");
  }
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->admin->backup(store, path, &err)) return lh_push_error(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

static int key_check(lua_State *L) {
  struct lh_error err;
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->admin->key_check(store, &err)) return lh_push_error(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

void lh_bind_store_care(lua_State *L) {
  static const luaL_Reg methods[] = {{"health", health},
                                     {"pending_work", pending_work},
                                     {"backup", backup},
                                     {"key_check", key_check},
                                     {NULL, NULL}};
  lh_set_functions(L, methods);
}
