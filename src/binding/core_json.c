/*
** The strict scanner as scripts see it.
**
**   core.json.check(text [, depth_max]) -> "object" | "array" | "string" | "number" | "true" |
**                                          "false" | "null", or nil, message, code
**   core.json.members(text [, depth_max]) -> { name = the value's text as it stands }, the last of
**                                            a repeated one, or nil, message, code
**   core.utf8_check(text) -> true | nil, offset of the first bad byte (from 1)
*/
#include "binding/binding.h"

#include <string.h>

#include "core/json.h"
#include "core/limits.h"
#include "core/utf8.h"

static const char *type_name(enum lh_json_type type) {
  switch (type) {
  case LH_JSON_OBJECT:
    return "object";
  case LH_JSON_ARRAY:
    return "array";
  case LH_JSON_STRING:
    return "string";
  case LH_JSON_NUMBER:
    return "number";
  case LH_JSON_TRUE:
    return "true";
  case LH_JSON_FALSE:
    return "false";
  case LH_JSON_NULL:
    return "null";
  }
  return NULL;
}

static int check(lua_State *L) {
  size_t len;
  const char *text = lh_arg_string(L, 1, &len);
  int64_t depth_max = lh_arg_int_or(L, 2, LH_JSON_DEPTH_MAX, 1, LH_JSON_NESTING_MAX);
  enum lh_json_type type;
  struct lh_error err;
  if (lh_json_check(text, len, (unsigned)depth_max, &type, &err)) return lh_push_error(L, &err);
  lua_pushstring(L, type_name(type));
  return 1;
}

/* A string value without quotes and escapes, pushed; `value` lies in a text on the stack. */
static void push_decoded(lua_State *L, struct lh_slice value) {
  if (!memchr(value.at, '\\', value.len)) {
    lua_pushlstring(L, value.at + 1, value.len - 2);
    return;
  }
  char *scratch = lh_box_scratch(L, value.len, 1); /* an escape is longer than what it stands for */
  size_t len = lh_json_string(value, scratch, value.len);
  lua_pushlstring(L, scratch, len);
  lua_remove(L, -2);
}

static int members(lua_State *L) {
  size_t len, position = 0;
  const char *text = lh_arg_string(L, 1, &len);
  int64_t depth_max = lh_arg_int_or(L, 2, LH_JSON_DEPTH_MAX, 1, LH_JSON_NESTING_MAX);
  enum lh_json_type type;
  struct lh_error err;
  if (lh_json_check(text, len, (unsigned)depth_max, &type, &err)) return lh_push_error(L, &err);
  if (type != LH_JSON_OBJECT) return lh_push_failure(L, LH_E_INVALID, "not a JSON object");
  struct lh_slice key, value;
  lua_newtable(L);
  while (lh_json_next((struct lh_slice){text, len}, &position, &key, &value)) {
    push_decoded(L, key);
    lua_pushlstring(L, value.at, value.len);
    lua_rawset(L, -3);
  }
  return 1;
}

static int utf8_check(lua_State *L) {
  size_t len;
  const char *text = lh_arg_string(L, 1, &len);
  size_t valid = lh_utf8_check(text, len);
  if (valid == len) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lh_push_int64(L, (int64_t)valid + 1);
  return 2;
}

void lh_bind_json(lua_State *L) {
  static const luaL_Reg functions[] = {{"check", check}, {"members", members}, {NULL, NULL}};
  lua_newtable(L);
  lh_set_functions(L, functions);
  lua_setfield(L, -2, "json");
  lua_pushcfunction(L, utf8_check);
  lua_setfield(L, -2, "utf8_check");
}
