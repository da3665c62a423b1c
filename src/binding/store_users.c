/*
** Users of the console, their logins, and the token that makes the first one.
** What hashes a password (user_add, a new password, login_open, password_check)
** takes a quarter of a second: not for an event loop. `by` as in store_access.c.
**
**   store:user_add({ user =, password =, role =, first_run = }, by, now_ms) -> row
**   store:user_set(user, { role =, disabled =, password =, removed = }, by, now_ms) -> row
**   store:users()                                 -> { row, … } by name
**   store:password_check({ user =, password = })  -> true | nil, message, "denied"
**   store:login_open({ user =, password = }, now_ms)
**     -> { login =, csrf =, user =, role = } | nil, message, "denied"
**   store:login_check(text, now_ms)
**     -> { user, role, csrf, created_ms, seen_ms, expires_ms } | nil, message, "denied"
**   store:login_end(text, by, now_ms)             -> true
**   store:first_run({ remove_users = }, by, now_ms) -> text | nil, message, "refused"
**
** Row: user role disabled created_ms last_seen_ms (nil: no open login).
*/
#include "binding/store.h"

#include <stdio.h>
#include <string.h>

#include "core/seal.h"

static const char wrong[] = "the name or the password is wrong";

static void push_user(lua_State *L, const struct lh_user *user) {
  lua_createtable(L, 0, 5);
  lh_set_string(L, "user", user->name);
  lh_set_string(L, "role", lh_role_name(user->role));
  lh_set_boolean(L, "disabled", user->disabled_ms != 0);
  lh_set_int64(L, "created_ms", user->created_ms);
  if (user->seen_ms) lh_set_int64(L, "last_seen_ms", user->seen_ms);
}

/* 1 found, 0 nil, -1 and LH_E_INVALID. */
static int read_role(lua_State *L, int arg, enum lh_role *role, struct lh_error *err) {
  const char *name;
  int found = lh_field_name(L, arg, "role", &name, err);
  if (found <= 0 || lh_role_parse(name, role) == 0) return found;
  lh_error_set(err, LH_E_INVALID, "role: neither viewer nor admin");
  return -1;
}

/* ---- users */

static int read_new(lua_State *L, struct lh_user_new *user, unsigned char *hash,
                    struct lh_error *err) {
  size_t len;
  user->password.at = lh_field_text(L, 2, "password", &user->password.len);
  int found = lh_field_name(L, 2, "user", &user->name, err);
  if (found == 0) lh_arg_type_error(L, 2, "user", "string", -1);
  if (found < 0) return err->code;
  found = read_role(L, 2, &user->role, err);
  if (found == 0) return lh_error_set(err, LH_E_INVALID, "role: neither viewer nor admin");
  if (found < 0) return err->code;
  const char *first_run = lh_field_string(L, 2, "first_run", &len);
  if (!first_run) return 0;
  user->first_run = hash;
  return lh_token_hash(LH_TOKEN_FIRST_RUN, first_run, len, hash, err);
}

static int user_add(lua_State *L) {
  struct lh_error err;
  struct lh_user_new user = {0};
  struct lh_user made;
  struct lh_actor actor = {0};
  const struct lh_actor *by;
  unsigned char hash[LH_TOKEN_HASH_BYTES];
  lh_store_object_at(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  int64_t now_ms = lh_arg_int(L, 4, 0, LH_EXACT_MAX);
  if (lh_store_read_actor(L, 3, &actor, &by, &err) || read_new(L, &user, hash, &err)) {
    return lh_push_error(L, &err);
  }
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->access->user_add(store, &user, by, now_ms, &made, &err)) {
    return lh_push_error(L, &err);
  }
  push_user(L, &made);
  return 1;
}

static int read_change(lua_State *L, struct lh_user_change *change, struct lh_error *err) {
  int found = read_role(L, 3, &change->role, err);
  if (found < 0) return err->code;
  if (found > 0) change->fields |= LH_USER_ROLE;
  if (lh_field_push(L, 3, "disabled") != LUA_TNIL) {
    change->fields |= LH_USER_DISABLED;
    change->disabled = lh_field_boolean(L, 3, "disabled");
  }
  change->password.at = lh_field_string(L, 3, "password", &change->password.len);
  if (change->password.at) change->fields |= LH_USER_PASSWORD;
  if (lh_field_boolean(L, 3, "removed")) change->fields = LH_USER_REMOVED;
  if (change->fields) return 0;
  return lh_error_set(err, LH_E_INVALID, "user: nothing to change is given");
}

static int user_set(lua_State *L) {
  struct lh_error err;
  struct lh_user_change change = {0};
  struct lh_user after;
  struct lh_actor actor = {0};
  const struct lh_actor *by;
  size_t len;
  lh_store_object_at(L, 1);
  change.name = lh_arg_string(L, 2, &len);
  luaL_checktype(L, 3, LUA_TTABLE);
  int64_t now_ms = lh_arg_int(L, 5, 0, LH_EXACT_MAX);
  if (lh_store_read_actor(L, 4, &actor, &by, &err) || read_change(L, &change, &err)) {
    return lh_push_error(L, &err);
  }
  if (memchr(change.name, '\0', len)) {
    return lh_push_failure(L, LH_E_NOT_FOUND, "no such user: a NUL byte is part of no name");
  }
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->access->user_set(store, &change, by, now_ms, &after, &err)) {
    return lh_push_error(L, &err);
  }
  push_user(L, &after);
  return 1;
}

static void release_users(void *memory) {
  lh_user_list_clear(memory);
}

static int users(lua_State *L) {
  struct lh_error err;
  lh_store_object_at(L, 1);
  struct lh_user_list *list = lh_box_new(L, sizeof *list, release_users);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->access->user_list(store, list, &err)) return lh_push_error(L, &err);
  lua_createtable(L, (int)list->count, 0);
  for (size_t i = 0; i < list->count; i++) {
    push_user(L, &list->rows[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lh_box_release(list);
  return 1;
}

/* ---- somebody says who it is */

/* Names come from outside: one that cannot be is as wrong as one that is not there. */
static int read_claim(lua_State *L, struct lh_claim *claim, struct lh_error *err) {
  claim->password.at = lh_field_text(L, 2, "password", &claim->password.len);
  int found = lh_field_name(L, 2, "user", &claim->name, err);
  if (found == 0) lh_arg_type_error(L, 2, "user", "string", -1);
  return found < 0 ? lh_error_set(err, LH_E_DENIED, "%s", wrong) : 0;
}

static int password_check(lua_State *L) {
  struct lh_error err;
  struct lh_claim claim = {0};
  struct lh_user user;
  lh_store_object_at(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  if (read_claim(L, &claim, &err)) return lh_push_error(L, &err);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->access->user_check(store, &claim, &user, &err)) return lh_push_error(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

/* Checks the claim and signs its user in. *secret is the login's text and hash. */
static int open_login(struct lh_store *store, const struct lh_claim *claim, int64_t now_ms,
                      struct lh_store_secret *secret, struct lh_user *user, struct lh_error *err) {
  char who[sizeof user->name + 8];
  const struct lh_actor actor = {who, NULL};
  int code = store->access->user_check(store, claim, user, err);
  if (!code) code = lh_store_token_make(LH_TOKEN_LOGIN, secret, err);
  if (code) return code;
  snprintf(who, sizeof who, "user:%s", user->name);
  return store->access->login_add(store, user, secret->hash, &actor, now_ms, err);
}

static int login_open(lua_State *L) {
  struct lh_error err;
  struct lh_claim claim = {0};
  struct lh_user user;
  struct lh_store_secret secret;
  char csrf[LH_CSRF_LEN + 1];
  lh_store_object_at(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  int64_t now_ms = lh_arg_int(L, 3, 0, LH_EXACT_MAX);
  if (read_claim(L, &claim, &err)) return lh_push_error(L, &err);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (open_login(store, &claim, now_ms, &secret, &user, &err) ||
      lh_token_csrf(secret.text, csrf, &err)) {
    lh_wipe(&secret, sizeof secret);
    return lh_push_error(L, &err);
  }
  lua_createtable(L, 0, 4);
  lh_set_string(L, "user", user.name);
  lh_set_string(L, "role", lh_role_name(user.role));
  lh_set_string(L, "csrf", csrf);
  lh_set_string(L, "login", secret.text);
  lh_wipe(&secret, sizeof secret);
  return 1;
}

static int login_check(lua_State *L) {
  struct lh_error err;
  struct lh_login login;
  unsigned char hash[LH_TOKEN_HASH_BYTES];
  char csrf[LH_CSRF_LEN + 1];
  size_t len;
  lh_store_object_at(L, 1);
  const char *text = lh_arg_string(L, 2, &len);
  int64_t now_ms = lh_arg_int(L, 3, 0, LH_EXACT_MAX);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (lh_token_hash(LH_TOKEN_LOGIN, text, len, hash, &err) ||
      store->access->login_check(store, hash, now_ms, &login, &err) ||
      lh_token_csrf(text, csrf, &err)) {
    return lh_push_error(L, &err);
  }
  lua_createtable(L, 0, 6);
  lh_set_string(L, "user", login.user);
  lh_set_string(L, "role", lh_role_name(login.role));
  lh_set_string(L, "csrf", csrf);
  lh_set_int64(L, "created_ms", login.created_ms);
  lh_set_int64(L, "seen_ms", login.seen_ms);
  lh_set_int64(L, "expires_ms", login.expires_ms);
  return 1;
}

static int login_end(lua_State *L) {
  struct lh_error err;
  struct lh_actor actor = {0};
  const struct lh_actor *by;
  unsigned char hash[LH_TOKEN_HASH_BYTES];
  size_t len;
  lh_store_object_at(L, 1);
  const char *text = lh_arg_string(L, 2, &len);
  int64_t now_ms = lh_arg_int(L, 4, 0, LH_EXACT_MAX);
  if (lh_store_read_actor(L, 3, &actor, &by, &err)) return lh_push_error(L, &err);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  int code = lh_token_hash(LH_TOKEN_LOGIN, text, len, hash, &err);
  if (!code) code = store->access->login_end(store, hash, by, now_ms, &err);
  if (code && code != LH_E_DENIED) return lh_push_error(L, &err);
  lua_pushboolean(L, 1); /* what is no login is ended too */
  return 1;
}

static int first_run(lua_State *L) {
  struct lh_error err;
  struct lh_actor actor = {0};
  const struct lh_actor *by;
  struct lh_store_secret secret;
  lh_store_object_at(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  int64_t now_ms = lh_arg_int(L, 4, 0, LH_EXACT_MAX);
  if (lh_store_read_actor(L, 3, &actor, &by, &err)) return lh_push_error(L, &err);
  int remove_users = lh_field_boolean(L, 2, "remove_users");
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  int code = lh_store_token_make(LH_TOKEN_FIRST_RUN, &secret, &err);
  if (!code) code = store->access->first_run(store, secret.hash, remove_users, by, now_ms, &err);
  if (code) {
    lh_wipe(&secret, sizeof secret);
    return lh_push_error(L, &err);
  }
  lua_pushlstring(L, secret.text, LH_TOKEN_LEN);
  lh_wipe(&secret, sizeof secret);
  return 1;
}

void lh_bind_store_users(lua_State *L) {
  static const luaL_Reg methods[] = {{"user_add", user_add},
                                     {"user_set", user_set},
                                     {"users", users},
                                     {"password_check", password_check},
                                     {"login_open", login_open},
                                     {"login_check", login_check},
                                     {"login_end", login_end},
                                     {"first_run", first_run},
                                     {NULL, NULL}};
  lh_set_functions(L, methods);
}
