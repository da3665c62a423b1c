/*
** Tokens of programs, and how often somebody has tried in vain. Users are in
** store_users.c, the audit log in store_audit.c. `by` is { who =, detail = } or nil:
** who is noted in the audit log.
**
**   store:token_create({ name =, account =, scope = }, by, now_ms) -> row with token: its text
**   store:tokens()                              -> { row, … }, oldest first
**   store:token_revoke(id | name, by, now_ms)   -> row
**   store:token_check(text, now_ms)             -> row | nil, message, "denied"
**   store:knock({ address =, user = }, now_ms)  -> how long to wait, 0: a try is counted
**   store:welcome({ address =, user = }, now_ms) -> true: it was right
**
** Row: id name account (nil: all) scope created_ms last_used_ms revoked_ms.
*/
#include "binding/store.h"

#include <string.h>

#include "core/seal.h"

int lh_store_read_actor(lua_State *L, int arg, struct lh_actor *actor, const struct lh_actor **read,
                        struct lh_error *err) {
  *read = NULL;
  if (lua_isnoneornil(L, arg)) return 0;
  luaL_checktype(L, arg, LUA_TTABLE);
  int found = lh_field_name(L, arg, "who", &actor->who, err);
  if (found == 0) lh_arg_type_error(L, arg, "who", "string", -1);
  if (found < 0 || lh_field_name(L, arg, "detail", &actor->detail, err) < 0) return err->code;
  *read = actor;
  return 0;
}

int lh_store_field_actor(lua_State *L, int arg, struct lh_actor *actor,
                         const struct lh_actor **read, struct lh_error *err) {
  lh_field_table(L, arg, "by");
  return lh_store_read_actor(L, lua_gettop(L), actor, read, err);
}

int lh_store_token_make(enum lh_token_kind kind, struct lh_store_secret *secret,
                        struct lh_error *err) {
  const struct lh_clock *clock = lh_clock_system();
  unsigned char random[LH_TOKEN_RANDOM_BYTES];
  int code = clock->random(clock->self, random, sizeof random, err);
  if (!code) {
    lh_token_from_random(kind, random, secret->text);
    code = lh_token_hash(kind, secret->text, LH_TOKEN_LEN, secret->hash, err);
  }
  lh_wipe(random, sizeof random);
  return code;
}

static void push_token(lua_State *L, const struct lh_token *token) {
  lua_createtable(L, 0, 8);
  lh_set_id(L, "id", &token->id);
  lh_set_string(L, "name", token->name);
  lh_set_string(L, "account", token->account);
  lh_set_string(L, "scope", lh_scope_name(token->scope));
  lh_set_int64(L, "created_ms", token->created_ms);
  if (token->last_used_ms) lh_set_int64(L, "last_used_ms", token->last_used_ms);
  if (token->revoked_ms) lh_set_int64(L, "revoked_ms", token->revoked_ms);
}

static int read_into(lua_State *L, const char *field, char *out, size_t cap, struct lh_error *err) {
  const char *text;
  if (lh_field_name(L, 2, field, &text, err) < 0) return err->code;
  size_t len = text ? strlen(text) : 0;
  if (len >= cap)
    return lh_error_set(err, LH_E_INVALID, "%s: longer than %zu bytes", field, cap - 1);
  if (text) memcpy(out, text, len + 1);
  return 0;
}

static int read_token(lua_State *L, struct lh_token *token, struct lh_error *err) {
  const char *scope;
  if (read_into(L, "name", token->name, sizeof token->name, err) ||
      read_into(L, "account", token->account, sizeof token->account, err) ||
      lh_field_name(L, 2, "scope", &scope, err) < 0) {
    return err->code;
  }
  if (scope && lh_scope_parse(scope, &token->scope) == 0) return 0;
  return lh_error_set(err, LH_E_INVALID, "scope: neither read nor write");
}

static int token_create(lua_State *L) {
  struct lh_error err;
  struct lh_token token = {0};
  struct lh_store_secret secret;
  struct lh_actor actor = {0};
  const struct lh_actor *by;
  lh_store_object_at(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  int64_t now_ms = lh_arg_int(L, 4, 0, LH_EXACT_MAX);
  if (lh_store_read_actor(L, 3, &actor, &by, &err) || read_token(L, &token, &err)) {
    return lh_push_error(L, &err);
  }
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  int code = lh_store_token_make(LH_TOKEN_API, &secret, &err);
  if (!code) code = store->access->token_create(store, &token, secret.hash, by, now_ms, &err);
  if (code) {
    lh_wipe(&secret, sizeof secret);
    return lh_push_error(L, &err);
  }
  push_token(L, &token);
  lua_pushlstring(L, secret.text, LH_TOKEN_LEN);
  lua_setfield(L, -2, "token");
  lh_wipe(&secret, sizeof secret);
  return 1;
}

static void release_tokens(void *memory) {
  lh_token_list_clear(memory);
}

static int tokens(lua_State *L) {
  struct lh_error err;
  lh_store_object_at(L, 1);
  struct lh_token_list *list = lh_box_new(L, sizeof *list, release_tokens);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->access->token_list(store, list, &err)) return lh_push_error(L, &err);
  lua_createtable(L, (int)list->count, 0);
  for (size_t i = 0; i < list->count; i++) {
    push_token(L, &list->rows[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lh_box_release(list);
  return 1;
}

static int token_revoke(lua_State *L) {
  struct lh_error err;
  struct lh_token token;
  struct lh_actor actor = {0};
  const struct lh_actor *by;
  size_t len;
  lh_store_object_at(L, 1);
  const char *which = lh_arg_string(L, 2, &len);
  int64_t now_ms = lh_arg_int(L, 4, 0, LH_EXACT_MAX);
  if (lh_store_read_actor(L, 3, &actor, &by, &err)) return lh_push_error(L, &err);
  if (memchr(which, '\0', len)) {
    return lh_push_failure(L, LH_E_NOT_FOUND, "no such token: a NUL byte is part of no name");
  }
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->access->token_revoke(store, which, by, now_ms, &token, &err)) {
    return lh_push_error(L, &err);
  }
  push_token(L, &token);
  return 1;
}

static int token_check(lua_State *L) {
  struct lh_error err;
  struct lh_token token;
  unsigned char hash[LH_TOKEN_HASH_BYTES];
  size_t len;
  lh_store_object_at(L, 1);
  const char *text = lh_arg_string(L, 2, &len);
  int64_t now_ms = lh_arg_int(L, 3, 0, LH_EXACT_MAX);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (lh_token_hash(LH_TOKEN_API, text, len, hash, &err) ||
      store->access->token_check(store, hash, now_ms, &token, &err)) {
    return lh_push_error(L, &err);
  }
  push_token(L, &token);
  return 1;
}

/* ---- wrong tries */

static int read_knock(lua_State *L, struct lh_knock *knock, struct lh_error *err) {
  if (lh_field_name(L, 2, "address", &knock->address, err) < 0 ||
      lh_field_name(L, 2, "user", &knock->user, err) < 0) {
    return err->code;
  }
  return 0;
}

static int knock(lua_State *L) {
  struct lh_error err;
  struct lh_knock from = {0};
  int64_t wait_ms;
  lh_store_object_at(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  int64_t now_ms = lh_arg_int(L, 3, 0, LH_EXACT_MAX);
  if (read_knock(L, &from, &err)) return lh_push_error(L, &err);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->access->knock(store, &from, now_ms, &wait_ms, &err)) return lh_push_error(L, &err);
  lh_push_int64(L, wait_ms);
  return 1;
}

static int welcome(lua_State *L) {
  struct lh_error err;
  struct lh_knock from = {0};
  lh_store_object_at(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  int64_t now_ms = lh_arg_int(L, 3, 0, LH_EXACT_MAX);
  if (read_knock(L, &from, &err)) return lh_push_error(L, &err);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->access->welcome(store, &from, now_ms, &err)) return lh_push_error(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

void lh_bind_store_access(lua_State *L) {
  static const luaL_Reg methods[] = {{"token_create", token_create},
                                     {"tokens", tokens},
                                     {"token_revoke", token_revoke},
                                     {"token_check", token_check},
                                     {"knock", knock},
                                     {"welcome", welcome},
                                     {NULL, NULL}};
  lh_set_functions(L, methods);
}
