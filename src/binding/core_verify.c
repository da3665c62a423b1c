/*
** Verification: one-shot, and an object with prepared keys for a web server.
**
**   core.verify{ scheme =, secrets = {…} | secret =, body =, headers =, now_ms =, tolerance_s = }
**   core.verifier{ scheme =, secrets = {…} | secret =, tolerance_s = } -> v
**   v:verify(body, headers [, now_ms]) -> true | nil, message, code
**
** headers is a table name -> value; case of names does not matter. A value that
** is a table (how web servers show a repeated header) and two names that differ
** in case only are both header_repeated. now_ms: default the system's clock;
** tolerance_s: default 300, negative: age is not checked.
*/
#include "binding/binding.h"

#include <string.h>
#include <strings.h>

#include "clock/clock.h"
#include "core/limits.h"

#define VERIFIER "loyalhook.verifier"
#define TOLERANCE_S_MAX INT64_C(3153600000) /* 100 years; keeps milliseconds far from overflow */

struct key_list {
  size_t count;
  struct lh_hmac_key *keys[LH_SECRETS_MAX];
};

struct verifier {
  int closed;
  enum lh_scheme scheme;
  int64_t tolerance_ms;
  struct key_list list;
};

static void free_keys(struct key_list *list) {
  for (size_t i = 0; i < list->count; i++) lh_hmac_key_free(list->keys[i]);
  list->count = 0;
}

static int make_keys(struct key_list *list, enum lh_scheme scheme, const struct lh_value *secrets,
                     size_t count, struct lh_error *err) {
  for (list->count = 0; list->count < count; list->count++) {
    const struct lh_value *secret = &secrets[list->count];
    if (lh_signature_key_new(scheme, secret->at, secret->len, &list->keys[list->count], err)) {
      free_keys(list);
      return err->code;
    }
  }
  return 0;
}

/* Reads secret or secrets; the strings stay on the stack. */
static int read_secrets(lua_State *L, struct lh_value secrets[LH_SECRETS_MAX], size_t *count,
                        struct lh_error *err) {
  secrets[0].at = lh_field_string(L, 1, "secret", &secrets[0].len);
  int many = lh_field_table(L, 1, "secrets"), table = lua_gettop(L);
  if (many && secrets[0].at) luaL_argerror(L, 1, "secret or secrets, not both");
  if (!many && !secrets[0].at) luaL_argerror(L, 1, "secrets: table expected, got nil");
  *count = many ? lh_compat_len(L, table) : 1;
  if (*count == 0) return lh_error_set(err, LH_E_SECRET_INVALID, "secrets: the list is empty");
  if (*count > LH_SECRETS_MAX) {
    return lh_error_set(err, LH_E_LIMIT, "secrets: more than %d", LH_SECRETS_MAX);
  }
  if (!many) return 0;
  luaL_checkstack(L, LH_SECRETS_MAX + 4, "secrets");
  for (size_t i = 0; i < *count; i++) {
    lua_rawgeti(L, table, (lh_compat_index)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING) lh_arg_type_error(L, 1, "secrets", "list of strings", -1);
    secrets[i].at = lua_tolstring(L, -1, &secrets[i].len);
  }
  return 0;
}

/* Which of the scheme's headers the key at `index` names; NULL for any other. */
static struct lh_value *header_wanted(lua_State *L, int index, struct lh_verify *verify) {
  if (lua_type(L, index) != LUA_TSTRING) return NULL;
  const char *name = lua_tostring(L, index);
  if (verify->scheme == LH_SCHEME_ZINRELO) {
    if (strcasecmp(name, "nonce") == 0) return &verify->nonce;
    return strcasecmp(name, "x-zinrelo-signature") == 0 ? &verify->signature : NULL;
  }
  if (strcasecmp(name, "webhook-timestamp") == 0) return &verify->nonce;
  if (strcasecmp(name, "webhook-id") == 0) return &verify->id;
  return strcasecmp(name, "webhook-signature") == 0 ? &verify->signature : NULL;
}

/* Optional white space around a value is not part of it (RFC 9110 §5.5). */
static void trim(struct lh_value *value) {
  while (value->len > 0 && (*value->at == ' ' || *value->at == '\t')) {
    value->at++;
    value->len--;
  }
  while (value->len > 0 &&
         (value->at[value->len - 1] == ' ' || value->at[value->len - 1] == '\t')) {
    value->len--;
  }
}

/* Finds the scheme's headers; their strings stay on the stack. */
static int read_headers(lua_State *L, int arg, int headers, struct lh_verify *verify,
                        struct lh_error *err) {
  luaL_checkstack(L, 8, "headers");
  lua_pushnil(L);
  while (lua_next(L, headers)) {
    struct lh_value *wanted = header_wanted(L, -2, verify);
    if (!wanted) {
      lua_pop(L, 1);
      continue;
    }
    if (wanted->at || lua_type(L, -1) == LUA_TTABLE) {
      return lh_error_set(err, LH_E_HEADER_REPEATED, "header %s: given more than once",
                          lua_tostring(L, -2));
    }
    if (lua_type(L, -1) != LUA_TSTRING) lh_arg_type_error(L, arg, "headers", "string as value", -1);
    wanted->at = lua_tolstring(L, -1, &wanted->len);
    trim(wanted);
    lua_insert(L, -2); /* the value stays below, the key goes on */
  }
  return 0;
}

static int64_t wall_ms(void) {
  const struct lh_clock *clock = lh_clock_system();
  return clock->wall_ms(clock->self);
}

static int read_tolerance(lua_State *L, int64_t *tolerance_ms, struct lh_error *err) {
  static const int64_t bounds[2] = {-1, TOLERANCE_S_MAX};
  int64_t tolerance_s = LH_TOLERANCE_S_DEFAULT;
  if (lh_field_int(L, 1, "tolerance_s", bounds, &tolerance_s, err) < 0) return err->code;
  *tolerance_ms = 1000 * tolerance_s;
  return 0;
}

static int verify(lua_State *L) {
  static const int64_t now_bounds[2] = {0, LH_EXACT_MAX};
  struct lh_verify input = {.now_ms = wall_ms()};
  struct lh_value secrets[LH_SECRETS_MAX];
  struct key_list list;
  struct lh_error err;
  size_t count;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (lh_field_scheme(L, 1, &input.scheme, &err) || read_secrets(L, secrets, &count, &err) ||
      read_tolerance(L, &input.tolerance_ms, &err) ||
      lh_field_int(L, 1, "now_ms", now_bounds, &input.now_ms, &err) < 0) {
    return lh_push_error(L, &err);
  }
  input.body = lh_field_text(L, 1, "body", &input.body_len);
  if (!lh_field_table(L, 1, "headers")) lh_arg_type_error(L, 1, "headers", "table", -1);
  if (read_headers(L, 1, lua_gettop(L), &input, &err)) return lh_push_error(L, &err);

  if (make_keys(&list, input.scheme, secrets, count, &err)) return lh_push_error(L, &err);
  int code = lh_signature_verify(&input, list.keys, list.count, &err);
  free_keys(&list);
  if (code) return lh_push_error(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

static int verifier_new(lua_State *L) {
  struct lh_value secrets[LH_SECRETS_MAX];
  struct lh_error err;
  size_t count;
  enum lh_scheme scheme;
  int64_t tolerance_ms = 0;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (lh_field_scheme(L, 1, &scheme, &err) || read_tolerance(L, &tolerance_ms, &err) ||
      read_secrets(L, secrets, &count, &err)) {
    return lh_push_error(L, &err);
  }
  struct verifier *verifier = lh_class_new(L, sizeof *verifier, VERIFIER);
  verifier->scheme = scheme;
  verifier->tolerance_ms = tolerance_ms;
  if (make_keys(&verifier->list, scheme, secrets, count, &err)) return lh_push_error(L, &err);
  return 1;
}

static int verifier_verify(lua_State *L) {
  const struct verifier *verifier = luaL_checkudata(L, 1, VERIFIER);
  struct lh_verify input = {.scheme = verifier->scheme, .tolerance_ms = verifier->tolerance_ms};
  struct lh_error err;
  input.body = lh_arg_string(L, 2, &input.body_len);
  luaL_checktype(L, 3, LUA_TTABLE);
  input.now_ms = lua_isnoneornil(L, 4) ? wall_ms() : lh_arg_int(L, 4, 0, LH_EXACT_MAX);
  if (verifier->closed) return lh_push_failure(L, LH_E_CLOSED, "verifier is closed");
  if (read_headers(L, 3, 3, &input, &err)) return lh_push_error(L, &err);
  if (lh_signature_verify(&input, verifier->list.keys, verifier->list.count, &err)) {
    return lh_push_error(L, &err);
  }
  lua_pushboolean(L, 1);
  return 1;
}

static int verifier_close(lua_State *L) {
  struct verifier *verifier = luaL_checkudata(L, 1, VERIFIER);
  verifier->closed = 1;
  free_keys(&verifier->list);
  return 0;
}

static int verifier_tostring(lua_State *L) {
  const struct verifier *verifier = luaL_checkudata(L, 1, VERIFIER);
  lua_pushfstring(L, VERIFIER " (%s%s)", lh_scheme_name(verifier->scheme),
                  verifier->closed ? ", closed" : "");
  return 1;
}

void lh_bind_verify(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"verify", verifier_verify}, {"close", verifier_close}, {NULL, NULL}};
  static const struct lh_class definition = {VERIFIER, methods, verifier_close, verifier_tostring};
  static const luaL_Reg functions[] = {
      {"verify", verify}, {"verifier", verifier_new}, {NULL, NULL}};
  lh_class_define(L, &definition);
  lua_pop(L, 1);
  lh_set_functions(L, functions);
}
