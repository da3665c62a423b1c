/*
** Arguments and fields of argument tables. Wrong types raise at the caller's
** line and name the field; values that a person may have typed (numbers out of
** range, malformed ids) come back as LH_E_INVALID instead.
*/
#include "binding/binding.h"

#include <inttypes.h>
#include <string.h>

int lh_arg_type_error(lua_State *L, int arg, const char *field, const char *wanted, int index) {
  const char *got = luaL_typename(L, index);
  return luaL_argerror(L, arg, lua_pushfstring(L, "%s: %s expected, got %s", field, wanted, got));
}

const char *lh_arg_string(lua_State *L, int arg, size_t *len) {
  luaL_checktype(L, arg, LUA_TSTRING);
  return lua_tolstring(L, arg, len);
}

int64_t lh_arg_int(lua_State *L, int arg, int64_t min, int64_t max) {
  int64_t value = 0;
  luaL_checktype(L, arg, LUA_TNUMBER);
  if (!lh_compat_number(L, arg, &value)) luaL_argerror(L, arg, "whole number expected");
  if (value < min || value > max) luaL_argerror(L, arg, "number out of range");
  return value;
}

int64_t lh_arg_int_or(lua_State *L, int arg, int64_t missing, int64_t min, int64_t max) {
  return lua_isnoneornil(L, arg) ? missing : lh_arg_int(L, arg, min, max);
}

void lh_arg_options(lua_State *L, int arg) {
  if (lua_isnoneornil(L, arg)) {
    lua_settop(L, arg - 1);
    lua_newtable(L);
  } else {
    luaL_checktype(L, arg, LUA_TTABLE);
    lua_settop(L, arg);
  }
}

int lh_field_push(lua_State *L, int arg, const char *field) {
  luaL_checkstack(L, 4, "too many fields");
  lua_pushstring(L, field);
  lua_rawget(L, arg);
  return lua_type(L, -1);
}

const char *lh_field_string(lua_State *L, int arg, const char *field, size_t *len) {
  int type = lh_field_push(L, arg, field);
  *len = 0;
  if (type == LUA_TNIL) return NULL;
  if (type != LUA_TSTRING) lh_arg_type_error(L, arg, field, "string", -1);
  return lua_tolstring(L, -1, len);
}

const char *lh_field_text(lua_State *L, int arg, const char *field, size_t *len) {
  const char *text = lh_field_string(L, arg, field, len);
  if (!text) lh_arg_type_error(L, arg, field, "string", -1);
  return text;
}

int lh_field_name(lua_State *L, int arg, const char *field, const char **text,
                  struct lh_error *err) {
  size_t len;
  *text = lh_field_string(L, arg, field, &len);
  if (!*text) return 0;
  if (!memchr(*text, '\0', len)) return 1;
  lh_error_set(err, LH_E_INVALID, "%s: contains a NUL byte", field);
  return -1;
}

int lh_field_names(lua_State *L, int arg, const char *field, size_t max, struct lh_names *names,
                   struct lh_error *err) {
  *names = (struct lh_names){0};
  if (!lh_field_table(L, arg, field)) return 0;
  int list = lua_gettop(L);
  size_t count = lh_compat_len(L, list);
  if (count > max) {
    lh_error_set(err, LH_E_LIMIT, "%s: more than %zu", field, max);
    return -1;
  }
  luaL_checkstack(L, (int)count + 8, field);
  names->at = lh_box_scratch(L, count, sizeof *names->at);
  for (size_t i = 0; i < count; i++) {
    size_t len;
    lua_rawgeti(L, list, (lh_compat_index)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING) lh_arg_type_error(L, arg, field, "list of strings", -1);
    names->at[i] = lua_tolstring(L, -1, &len);
    if (memchr(names->at[i], '\0', len)) {
      lh_error_set(err, LH_E_INVALID, "%s[%zu]: contains a NUL byte", field, i + 1);
      return -1;
    }
  }
  names->count = count;
  return 1;
}

int lh_field_int(lua_State *L, int arg, const char *field, const int64_t bounds[2], int64_t *value,
                 struct lh_error *err) {
  int type = lh_field_push(L, arg, field);
  if (type == LUA_TNIL) return 0;
  if (type != LUA_TNUMBER) lh_arg_type_error(L, arg, field, "number", -1);
  if (lh_compat_number(L, -1, value) && *value >= bounds[0] && *value <= bounds[1]) return 1;
  lh_error_set(err, LH_E_INVALID, "%s: not a whole number from %" PRId64 " to %" PRId64, field,
               bounds[0], bounds[1]);
  return -1;
}

int lh_field_boolean(lua_State *L, int arg, const char *field) {
  int type = lh_field_push(L, arg, field);
  if (type != LUA_TNIL && type != LUA_TBOOLEAN) lh_arg_type_error(L, arg, field, "boolean", -1);
  return lua_toboolean(L, -1);
}

int lh_field_table(lua_State *L, int arg, const char *field) {
  int type = lh_field_push(L, arg, field);
  if (type != LUA_TNIL && type != LUA_TTABLE) lh_arg_type_error(L, arg, field, "table", -1);
  return type == LUA_TTABLE;
}

int lh_field_scheme(lua_State *L, int arg, enum lh_scheme *scheme, struct lh_error *err) {
  const char *name;
  int found = lh_field_name(L, arg, "scheme", &name, err);
  *scheme = LH_SCHEME_ZINRELO;
  if (found <= 0) return found ? (int)err->code : 0;
  if (lh_scheme_parse(name, scheme) == 0) return 0;
  return lh_error_set(err, LH_E_INVALID, "scheme: neither zinrelo nor standard");
}

int lh_field_id(lua_State *L, int arg, const char *field, struct lh_id *id, struct lh_error *err) {
  size_t len;
  const char *text = lh_field_string(L, arg, field, &len);
  if (!text) return 0;
  if (lh_id_parse(text, len, id) == 0) return 1;
  lh_error_set(err, LH_E_INVALID, "%s: not 24 lower-case hex digits", field);
  return -1;
}
