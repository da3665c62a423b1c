/*
** The strict scanner as scripts see it.
**
**   core.json.check(text [, depth_max]) -> "object" | "array" | "string" | "number" | "true" |
**                                          "false" | "null", or nil, message, code
**   core.json.members(text [, depth_max]) -> { name = the value's text as it stands }, the last of
**                                            a repeated one, or nil, message, code
**   core.json.items(text [, depth_max])   -> { a value's text as it stands, … } of an array, or
**                                            nil, message, code
**   core.json.decode(text [, array_metatable [, depth_max]])
**     -> the value, or nil, message, code; every array gets the metatable
**   core.json.null -> what null decodes to: the same lightuserdata as lua-cjson's and ngx.null
**   core.utf8_check(text) -> true | nil, offset of the first bad byte (from 1)
*/
#include "binding/binding.h"

#include <assert.h>
#include <locale.h>
#include <stdlib.h>
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

/* Text and depth, arguments 1 and 2, checked; 0 after pushing nil, message, code (3 values). */
static int read_text(lua_State *L, struct lh_slice *text, enum lh_json_type *type) {
  struct lh_error err;
  text->at = lh_arg_string(L, 1, &text->len);
  int64_t depth_max = lh_arg_int_or(L, 2, LH_JSON_DEPTH_MAX, 1, LH_JSON_NESTING_MAX);
  if (lh_json_check(text->at, text->len, (unsigned)depth_max, type, &err) == 0) return 1;
  lh_push_error(L, &err);
  return 0;
}

static int check(lua_State *L) {
  struct lh_slice text;
  enum lh_json_type type;
  if (!read_text(L, &text, &type)) return 3;
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
  struct lh_slice text, key, value;
  size_t position = 0;
  enum lh_json_type type;
  if (!read_text(L, &text, &type)) return 3;
  if (type != LH_JSON_OBJECT) return lh_push_failure(L, LH_E_INVALID, "not a JSON object");
  lua_newtable(L);
  while (lh_json_next(text, &position, &key, &value)) {
    push_decoded(L, key);
    lua_pushlstring(L, value.at, value.len);
    lua_rawset(L, -3);
  }
  return 1;
}

static int items(lua_State *L) {
  struct lh_slice text, value;
  size_t position = 0;
  enum lh_json_type type;
  if (!read_text(L, &text, &type)) return 3;
  if (type != LH_JSON_ARRAY) return lh_push_failure(L, LH_E_INVALID, "not a JSON array");
  lua_newtable(L);
  for (int i = 1; lh_json_next(text, &position, NULL, &value); i++) {
    lua_pushlstring(L, value.at, value.len);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

/* ---- numbers */

#define WHOLE_MAX (UINT64_C(1) << 53) /* whole numbers below are exact */
#define POWER_MAX 22                  /* the largest power of ten that is exact */

static const double powers[POWER_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                             1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                             1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static double by_library(const char *at) {
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  double value = plain != (locale_t)0 ? strtod_l(at, NULL, plain) : strtod(at, NULL);
  if (plain != (locale_t)0) freelocale(plain);
  return value;
}

/* Adds digits to *whole; *places counts them. 0: it became too large. */
static int take_digits(const char **at, const char *end, uint64_t *whole, int *places) {
  for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
    if (*whole >= WHOLE_MAX / 10) return 0;
    *whole = *whole * 10 + (uint64_t)(**at - '0');
    ++*places;
  }
  return 1;
}

/*
** The double nearest to a number of a checked text that ends with a NUL, whatever the locale;
** infinite if it is too large for one. Most numbers have few digits: then a whole number divided by
** a power of ten, both exact in a double, is rounded once and therefore right. The others are the C
** library's business, in a locale of its own: a process may be set to decimal commas.
*/
static double number_of(struct lh_slice number) {
  const char *at = number.at, *end = number.at + number.len;
  uint64_t whole = 0;
  int digits = 0, places = 0;
  int negative = *at == '-';
  at += negative;
  int few = take_digits(&at, end, &whole, &digits);
  if (few && at < end && *at == '.') {
    at++;
    few = take_digits(&at, end, &whole, &places);
  }
  if (!few || at < end || places > POWER_MAX) return by_library(number.at);
  double value = (double)whole / powers[places];
  return negative ? -value : value;
}

/* ---- decode: one pass over the tokens, the open containers on Lua's stack */

/* Each open container has two slots: its table, and the name of the member to come. */
#define SLOTS 2

struct decoding {
  lua_State *L;
  char *scratch; /* for strings with escapes; NULL: the text has none */
  int arrays;    /* index of the metatable, 0: none */
  int depth;
  int64_t counts[LH_JSON_NESTING_MAX + 1]; /* elements so far; -1: an object */
  int named;                               /* the object on top has a member's name */
};

/*
** Whole numbers that a double holds exactly are integers where the VM has such,
** however they are written: 2, 2.0 and 2e0 are one number to JSON, and print
** alike on both VMs.
*/
static void push_number(lua_State *L, struct lh_slice token) {
  double number = number_of(token);
  int exact = number >= (double)-LH_EXACT_MAX && number <= (double)LH_EXACT_MAX;
  if (exact && (double)(int64_t)number == number) {
    lh_push_int64(L, (int64_t)number);
  } else {
    lua_pushnumber(L, number);
  }
}

static void push_string(const struct decoding *decoding, struct lh_slice token) {
  lua_State *L = decoding->L;
  if (!decoding->scratch || !memchr(token.at, '\\', token.len)) {
    lua_pushlstring(L, token.at + 1, token.len - 2);
    return;
  }
  size_t len = lh_json_string(token, decoding->scratch, token.len);
  lua_pushlstring(L, decoding->scratch, len);
}

static void push_scalar(const struct decoding *decoding, struct lh_slice token) {
  lua_State *L = decoding->L;
  switch (*token.at) {
  case '"':
    push_string(decoding, token);
    return;
  case 't':
  case 'f':
    lua_pushboolean(L, *token.at == 't');
    return;
  case 'n':
    lua_pushlightuserdata(L, NULL);
    return;
  default:
    push_number(L, token);
  }
}

static void open_table(struct decoding *decoding, int array) {
  lua_State *L = decoding->L;
  lua_newtable(L);
  if (array && decoding->arrays) {
    lua_pushvalue(L, decoding->arrays);
    lua_setmetatable(L, -2);
  }
  decoding->depth++;
  assert(decoding->depth <= LH_JSON_NESTING_MAX);
  decoding->counts[decoding->depth] = array ? 0 : -1;
  decoding->named = 0;
}

/* Puts the value on top of the stack into the container below it, or leaves it at the end. */
static void settle(struct decoding *decoding) {
  lua_State *L = decoding->L;
  if (decoding->depth == 0) return;
  if (decoding->counts[decoding->depth] >= 0) {
    decoding->counts[decoding->depth]++;
    lua_rawseti(L, -2, (lh_compat_index)decoding->counts[decoding->depth]);
  } else {
    lua_rawset(L, -3);
    decoding->named = 0;
  }
}

static void take_token(struct decoding *decoding, struct lh_slice token) {
  int object = decoding->depth > 0 && decoding->counts[decoding->depth] < 0;
  char byte = *token.at;
  if (byte == '{' || byte == '[') {
    open_table(decoding, byte == '[');
  } else if (byte == '}' || byte == ']') {
    assert(decoding->depth > 0);
    decoding->depth--;
    settle(decoding);
  } else if (object && !decoding->named) {
    push_string(decoding, token);
    decoding->named = 1;
  } else {
    push_scalar(decoding, token);
    settle(decoding);
  }
}

static int decode(lua_State *L) {
  struct lh_slice text, token;
  size_t position = 0;
  struct lh_error err;
  text.at = lh_arg_string(L, 1, &text.len);
  int64_t depth_max = lh_arg_int_or(L, 3, LH_JSON_DEPTH_MAX, 1, LH_JSON_NESTING_MAX);
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TTABLE);
  if (lh_json_check(text.at, text.len, (unsigned)depth_max, NULL, &err)) {
    return lh_push_error(L, &err);
  }
  struct decoding decoding = {.L = L, .arrays = lua_isnoneornil(L, 2) ? 0 : 2};
  luaL_checkstack(L, SLOTS * ((int)depth_max + 1) + LUA_MINSTACK, "json.decode");
  lua_settop(L, 3);
  decoding.scratch = memchr(text.at, '\\', text.len) ? lh_box_scratch(L, text.len, 1) : NULL;
  while (lh_json_token(text, &position, &token)) take_token(&decoding, token);
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
  static const luaL_Reg functions[] = {
      {"check", check}, {"members", members}, {"items", items}, {"decode", decode}, {NULL, NULL}};
  lua_newtable(L);
  lh_set_functions(L, functions);
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  lua_setfield(L, -2, "json");
  lua_pushcfunction(L, utf8_check);
  lua_setfield(L, -2, "utf8_check");
}
