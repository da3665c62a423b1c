/*
** Notices, and where accounts' mails go.
**
**   store:notices{ account =, webhook =, since_ms =, limit =, after = }
**     -> { row, … }, cursor of the next page | nil; newest first
**   store:accounts{ name =, after =, limit = } -> { { name, notify = { … }, webhooks }, … }, more
**   store:account_set(name, { address, … } | nil [, by]) -> true; by as in store_access.c
**
** Row: notice kind ("failed" or "paused") account webhook_id webhook_name request_id reason
** created_ms mailed. Left out are request_id of a pause and of a request that is gone,
** and notify of an account that has none of its own.
*/
#include "binding/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/mailbox.h"

static const int64_t limit_bounds[2] = {1, LH_LIST_LIMIT_MAX};

static void release_notices(void *memory) {
  lh_notice_list_clear(memory);
}

static void release_accounts(void *memory) {
  lh_account_list_clear(memory);
}

static void push_notice(lua_State *L, const struct lh_notice_row *row) {
  static const struct lh_id none = {{0}};
  lua_createtable(L, 0, 9);
  lh_set_int64(L, "notice", row->notice);
  lh_set_string(L, "kind", row->kind == LH_NOTICE_PAUSED ? "paused" : "failed");
  lh_set_string(L, "account", row->account);
  lh_set_id(L, "webhook_id", &row->webhook_id);
  lh_set_string(L, "webhook_name", row->webhook_name);
  if (memcmp(&row->request_id, &none, sizeof none) != 0)
    lh_set_id(L, "request_id", &row->request_id);
  lh_set_string(L, "reason", row->reason);
  lh_set_int64(L, "created_ms", row->created_ms);
  lh_set_boolean(L, "mailed", row->mailed);
}

static int read_filter(lua_State *L, struct lh_notice_filter *filter, struct lh_id *webhook,
                       struct lh_error *err) {
  static const int64_t since_bounds[2] = {0, LH_EXACT_MAX};
  int64_t limit = LH_LIST_LIMIT_DEFAULT;
  if (lh_store_read_cursor(L, 2, &filter->after, err) ||
      lh_field_int(L, 2, "since_ms", since_bounds, &filter->since_ms, err) < 0 ||
      lh_field_int(L, 2, "limit", limit_bounds, &limit, err) < 0 ||
      lh_field_name(L, 2, "account", &filter->account, err) < 0)
    return err->code;
  filter->limit = (int)limit;
  int found = lh_field_id(L, 2, "webhook", webhook, err);
  if (found > 0) filter->webhook_id = webhook;
  return found < 0 ? (int)err->code : 0;
}

static int notices(lua_State *L) {
  struct lh_notice_filter filter = {0};
  struct lh_id webhook;
  struct lh_error err;
  char cursor[24];
  lh_store_object_at(L, 1);
  lh_arg_options(L, 2);
  if (read_filter(L, &filter, &webhook, &err)) return lh_push_error(L, &err);
  struct lh_notice_list *list = lh_box_new(L, sizeof *list, release_notices);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->notices->list(store, &filter, list, &err)) return lh_push_error(L, &err);
  lua_createtable(L, (int)list->count, 0);
  for (size_t i = 0; i < list->count; i++) {
    push_notice(L, &list->rows[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  int64_t next = list->next;
  lh_box_release(list);
  if (next == 0) return 1;
  snprintf(cursor, sizeof cursor, "%" PRId64, next);
  lua_pushstring(L, cursor);
  return 2;
}

void lh_store_set_addresses(lua_State *L, const char *field, const char *addresses) {
  lua_newtable(L);
  for (int count = 1; *addresses; count++) {
    size_t len = strcspn(addresses, ",");
    lua_pushlstring(L, addresses, len);
    lua_rawseti(L, -2, count);
    addresses += len + (addresses[len] == ',');
  }
  lua_setfield(L, -2, field);
}

static void push_account(lua_State *L, const struct lh_account_row *row) {
  lua_createtable(L, 0, 3);
  lh_set_string(L, "name", row->name);
  lh_set_int64(L, "webhooks", row->webhooks);
  if (row->notify) lh_store_set_addresses(L, "notify", row->notify);
}

static int accounts(lua_State *L) {
  struct lh_account_filter filter = {0};
  struct lh_error err;
  int64_t limit = LH_LIST_LIMIT_DEFAULT;
  lh_store_object_at(L, 1);
  lh_arg_options(L, 2);
  if (lh_field_name(L, 2, "name", &filter.name, &err) < 0 ||
      lh_field_name(L, 2, "after", &filter.after, &err) < 0 ||
      lh_field_int(L, 2, "limit", limit_bounds, &limit, &err) < 0)
    return lh_push_error(L, &err);
  filter.limit = (int)limit;
  struct lh_account_list *list = lh_box_new(L, sizeof *list, release_accounts);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->notices->account_list(store, &filter, list, &err)) return lh_push_error(L, &err);
  lua_createtable(L, (int)list->count, 0);
  for (size_t i = 0; i < list->count; i++) {
    push_account(L, &list->rows[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lua_pushboolean(L, list->more);
  lh_box_release(list);
  return 2;
}

/* The list at argument 3 joined by ',', pushed. 0 or what is wrong with an address. */
static int join(lua_State *L, struct lh_error *err) {
  luaL_Buffer buffer;
  size_t count = lh_compat_len(L, 3);
  if (count > LH_NOTIFY_MAX)
    return lh_error_set(err, LH_E_LIMIT, "notify: more than %d mail addresses", LH_NOTIFY_MAX);
  for (size_t i = 0; i < count; i++) {
    size_t len;
    lua_rawgeti(L, 3, (lh_compat_index)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING) luaL_argerror(L, 3, "list of strings expected");
    const char *address = lua_tolstring(L, -1, &len);
    if (lh_mailbox_check(address, len, err)) return err->code;
    lua_pop(L, 1);
  }
  luaL_buffinit(L, &buffer);
  for (size_t i = 0; i < count; i++) {
    if (i > 0) luaL_addlstring(&buffer, ",", 1);
    lua_rawgeti(L, 3, (lh_compat_index)i + 1);
    luaL_addvalue(&buffer);
  }
  luaL_pushresult(&buffer);
  return 0;
}

static int account_set(lua_State *L) {
  struct lh_error err;
  size_t len;
  const char *notify = NULL;
  struct lh_actor actor = {0};
  const struct lh_actor *by;
  const struct lh_clock *clock = lh_clock_system();
  lh_store_object_at(L, 1);
  lua_settop(L, 4);
  const char *name = lh_arg_string(L, 2, &len);
  if (memchr(name, '\0', len)) return lh_push_failure(L, LH_E_INVALID, "account: a NUL byte");
  if (lh_store_read_actor(L, 4, &actor, &by, &err)) return lh_push_error(L, &err);
  if (!lua_isnoneornil(L, 3)) {
    luaL_checktype(L, 3, LUA_TTABLE);
    if (join(L, &err)) return lh_push_error(L, &err);
    notify = lua_tostring(L, -1);
  }
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->notices->account_set(store, name, notify, by, clock->wall_ms(clock->self), &err)) {
    return lh_push_error(L, &err);
  }
  lua_pushboolean(L, 1);
  return 1;
}

void lh_bind_store_notices(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"notices", notices}, {"accounts", accounts}, {"account_set", account_set}, {NULL, NULL}};
  lh_set_functions(L, methods);
}
