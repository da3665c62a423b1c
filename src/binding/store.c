/*
** The store object: opening and closing. A store may be closed only when no
** worker uses it; if it is collected or leaves its scope before its worker
** (both can happen when a Lua state ends), the last worker closes it.
**
**   engine.store_open{ location =, key_file =, create =, create_only =, as_is =,
**                     wal_bytes_max =,
**                      webhooks_max = } -> store | nil, message, code
**   store:close() -> true | nil, message, "refused"
**
** Any method of a closed store answers nil, "store is closed", "closed".
*/
#include "binding/store.h"

#define STORE "loyalhook.store"

struct lh_store_object *lh_store_object_at(lua_State *L, int index) {
  return luaL_checkudata(L, index, STORE);
}

struct lh_store_object *lh_store_object_test(lua_State *L, int index) {
  return lh_class_test(L, index, STORE);
}

struct lh_store *lh_store_open_at(lua_State *L, int index) {
  struct lh_store_object *object = lh_store_object_at(L, index);
  if (!object->store) lh_push_failure(L, LH_E_CLOSED, "store is closed");
  return object->store;
}

static void close_store(struct lh_store_object *object) {
  struct lh_store *store = object->store;
  object->store = NULL;
  lh_store_close(store);
}

void lh_store_object_hold(struct lh_store_object *object) {
  object->workers++;
}

void lh_store_object_release(struct lh_store_object *object) {
  object->workers--;
  if (object->orphaned && object->workers == 0) close_store(object);
}

static int read_options(lua_State *L, struct lh_store_options *options, struct lh_error *err) {
  static const int64_t bytes_bounds[2] = {0, LH_EXACT_MAX};
  static const int64_t count_bounds[2] = {0, INT32_MAX};
  int64_t webhooks_max = 0;
  int found = lh_field_name(L, 1, "location", &options->location, err);
  if (found == 0) lh_arg_type_error(L, 1, "location", "string", -1);
  if (found < 0 || lh_field_name(L, 1, "key_file", &options->key_file, err) < 0 ||
      lh_field_int(L, 1, "wal_bytes_max", bytes_bounds, &options->wal_bytes_max, err) < 0 ||
      lh_field_int(L, 1, "webhooks_max", count_bounds, &webhooks_max, err) < 0) {
    return err->code;
  }
  options->webhooks_max = (int32_t)webhooks_max;
  options->create = lh_field_boolean(L, 1, "create");
  options->create_only = lh_field_boolean(L, 1, "create_only");
  options->as_is = lh_field_boolean(L, 1, "as_is");
  return 0;
}

static int store_open(lua_State *L) {
  struct lh_store_options options = {0};
  struct lh_error err;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (read_options(L, &options, &err)) return lh_push_error(L, &err);
  struct lh_store_object *object = lh_class_new(L, sizeof *object, STORE);
  if (lh_store_open(&options, &object->store, &err)) {
    object->store = NULL;
    return lh_push_error(L, &err);
  }
  return 1;
}

static int close_method(lua_State *L) {
  struct lh_store_object *object = lh_store_object_at(L, 1);
  if (object->store && object->workers > 0) {
    return lh_push_failure(L, LH_E_REFUSED, "a worker still uses this store: close it first");
  }
  if (object->store) close_store(object);
  lua_pushboolean(L, 1);
  return 1;
}

static int collect(lua_State *L) {
  struct lh_store_object *object = lh_store_object_at(L, 1);
  if (object->workers > 0) {
    object->orphaned = 1;
  } else if (object->store) {
    close_store(object);
  }
  return 0;
}

static int tostring(lua_State *L) {
  struct lh_store_object *object = lh_store_object_at(L, 1);
  if (object->store) {
    lua_pushfstring(L, STORE " (%p)", (void *)object);
  } else {
    lua_pushstring(L, STORE " (closed)");
  }
  return 1;
}

void lh_bind_store(lua_State *L) {
  static const luaL_Reg methods[] = {{"close", close_method}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"store_open", store_open}, {NULL, NULL}};
  static const struct lh_class definition = {STORE, methods, collect, tostring};
  lh_set_functions(L, functions);
  lh_class_define(L, &definition);
  lh_bind_store_emit(L);
  lh_bind_store_log(L);
  lh_bind_store_webhooks(L);
  lh_bind_store_change(L);
  lh_bind_store_requests(L);
  lh_bind_store_explain(L);
  lh_bind_store_jobs(L);
  lh_bind_store_stats(L);
  lh_bind_store_figures(L);
  lh_bind_store_care(L);
  lh_bind_store_notices(L);
  lh_bind_store_inbox(L);
  lh_bind_store_access(L);
  lh_bind_store_users(L);
  lh_bind_store_audit(L);
  lh_bind_store_tasks(L);
  lua_pop(L, 1);
}
