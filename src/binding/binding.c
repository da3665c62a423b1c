/*
** What every object of the room needs to answer a script: the error triple,
** numbers that survive both VMs, and classes. Reading arguments is in arg.c.
*/
#include "binding/binding.h"

#include <string.h>

int lh_push_error(lua_State *L, const struct lh_error *err) {
  lua_pushnil(L);
  lua_pushstring(L, err->message);
  lua_pushstring(L, lh_error_name(err->code));
  return 3;
}

int lh_push_failure(lua_State *L, enum lh_code code, const char *message) {
  struct lh_error err;
  lh_error_set(&err, code, "%s", message);
  return lh_push_error(L, &err);
}

void lh_push_int64(lua_State *L, int64_t value) {
  lh_compat_push(L, value);
}

void lh_push_id(lua_State *L, const struct lh_id *id) {
  char text[LH_ID_LEN + 1];
  lh_id_format(id, text);
  lua_pushlstring(L, text, LH_ID_LEN);
}

void lh_set_int64(lua_State *L, const char *name, int64_t value) {
  lh_push_int64(L, value);
  lua_setfield(L, -2, name);
}

void lh_set_boolean(lua_State *L, const char *name, int value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

void lh_set_string(lua_State *L, const char *name, const char *value) {
  if (!value || !*value) return;
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

void lh_set_id(lua_State *L, const char *name, const struct lh_id *id) {
  lh_push_id(L, id);
  lua_setfield(L, -2, name);
}

/* luaL_setfuncs is missing from the Lua 5.1 headers that some LuaJIT installations build with. */
void lh_set_functions(lua_State *L, const luaL_Reg *functions) {
  for (; functions->name; functions++) {
    lua_pushcfunction(L, functions->func);
    lua_setfield(L, -2, functions->name);
  }
}

void lh_class_define(lua_State *L, const struct lh_class *definition) {
  luaL_newmetatable(L, definition->name);
  const luaL_Reg hooks[] = {{"__gc", definition->close},
                            {"__close", definition->close},
                            {"__tostring", definition->tostring},
                            {NULL, NULL}};
  lh_set_functions(L, hooks);
  lh_set_string(L, "__name", definition->name);
  lh_set_boolean(L, "__metatable", 0);
  lua_newtable(L);
  lh_set_functions(L, definition->methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__index");
  lua_remove(L, -2);
}

void *lh_class_new(lua_State *L, size_t size, const char *name) {
  void *object = lh_compat_new(L, size);
  memset(object, 0, size);
  luaL_getmetatable(L, name);
  lua_setmetatable(L, -2);
  return object;
}

/* luaL_testudata, which the Lua 5.1 headers lack. */
void *lh_class_test(lua_State *L, int index, const char *name) {
  void *object = lua_touserdata(L, index);
  if (!object || !lua_getmetatable(L, index)) return NULL;
  luaL_getmetatable(L, name);
  int same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same ? object : NULL;
}
