/*
** Webhooks of a store, as tables with the names of design §5 (times are
** *_ms integers; the Lua layer above shows them as RFC 3339). Reading the
** fields of a new one is in store_fields.c, changing one in store_change.c.
**
**   store:webhook_create(fields [, { allow_http =, allow_networks = {…}, by = }])
**     -> webhook with secret; by: who is noted in the audit log (store_access.c)
**   store:webhooks{ account =, with_deleted =, after =, limit = } -> { webhook, … }, oldest first
**   store:webhook(account | nil, id | name) -> webhook
**
** Left out of a table are: status_reason while enabled, retry_schedule without one,
** secret_rotates_ms unless a new secret waits for the old one's end.
*/
#include "binding/engine_guard.h"
#include "binding/store.h"

#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/seal.h"

/* A webhook on its way into the store. */
struct draft {
  struct lh_webhook webhook;
  char url_normal[LH_URL_MAX + 1];
  char secret[LH_SECRET_GENERATED_LEN + 1]; /* if one had to be made */
};

static void release_draft(void *memory) {
  struct draft *draft = memory;
  lh_webhook_clear(&draft->webhook);
  lh_wipe(draft->secret, sizeof draft->secret);
}

static void release_list(void *memory) {
  lh_webhook_list_clear(memory);
}

void lh_store_set_list(lua_State *L, const char *field, const char *text, char separator) {
  int count = 0;
  lua_newtable(L);
  while (text && *text) {
    const char *end = strchr(text, separator);
    size_t len = end ? (size_t)(end - text) : strlen(text);
    if (separator == ',') {
      lh_push_int64(L, strtol(text, NULL, 10));
    } else {
      lua_pushlstring(L, text, len);
    }
    lua_rawseti(L, -2, ++count);
    text += len + (end != NULL);
  }
  lua_setfield(L, -2, field);
}

int lh_store_push_header(lua_State *L, const char *line, size_t len) {
  const char *colon = memchr(line, ':', len);
  if (!colon) return 0;
  const char *value = colon + 1 + (colon[1] == ' ');
  lua_pushlstring(L, line, (size_t)(colon - line));
  lua_pushlstring(L, value, len - (size_t)(value - line));
  return 1;
}

static void set_headers(lua_State *L, const char *lines) {
  lua_newtable(L);
  while (lines && *lines) {
    const char *end = strchr(lines, '\n');
    size_t len = end ? (size_t)(end - lines) : strlen(lines);
    if (lh_store_push_header(L, lines, len)) lua_rawset(L, -3);
    lines += len + (end != NULL);
  }
  lua_setfield(L, -2, "headers");
}

/* The webhook is in a box or in a list in one: it outlives what a push can do. */
void lh_store_push_webhook(lua_State *L, const struct lh_webhook *webhook) {
  lua_createtable(L, 0, 28);
  lh_set_id(L, "id", &webhook->id);
  lh_set_string(L, "account", webhook->account);
  lh_set_string(L, "name", webhook->name);
  lh_set_string(L, "url", webhook->url);
  lh_set_string(L, "status", lh_status_name(webhook->status));
  lh_set_string(L, "status_reason", webhook->status_reason);
  lh_set_int64(L, "status_since_ms", webhook->status_since_ms);
  lh_store_set_list(L, "event_types", webhook->event_types, '\n');
  lh_set_int64(L, "batch_size", webhook->batch_size);
  lh_set_int64(L, "batch_bytes_max", webhook->batch_bytes_max);
  lh_set_int64(L, "batch_wait_ms", webhook->batch_wait_ms);
  lh_set_int64(L, "retries_max", webhook->retries_max);
  lh_set_int64(L, "retry_interval_s", webhook->retry_interval_s);
  if (webhook->retry_schedule) lh_store_set_list(L, "retry_schedule", webhook->retry_schedule, ',');
  lh_set_int64(L, "pause_after", webhook->pause_after);
  lh_set_int64(L, "failed_in_a_row", webhook->failed_in_a_row);
  lh_set_int64(L, "timeout_ms", webhook->timeout_ms);
  lh_set_int64(L, "max_in_flight", webhook->max_in_flight);
  lh_set_boolean(L, "ordered", webhook->ordered);
  lh_set_string(L, "success", webhook->success == LH_SUCCESS_2XX ? "2xx" : "200");
  lh_set_string(L, "scheme", lh_scheme_name(webhook->scheme));
  set_headers(L, webhook->headers);
  if (webhook->secret_rotates_ms) {
    lh_set_int64(L, "secret_rotates_ms", webhook->secret_rotates_ms);
  }
  lh_set_int64(L, "created_ms", webhook->created_ms);
  lh_set_int64(L, "updated_ms", webhook->updated_ms);
  lh_set_int64(L, "revision", webhook->revision);
}

int lh_store_make_secret(char secret[LH_SECRET_GENERATED_LEN + 1], struct lh_error *err) {
  const struct lh_clock *clock = lh_clock_system();
  unsigned char random[32];
  int code = clock->random(clock->self, random, sizeof random, err);
  if (!code) lh_secret_from_random(random, secret);
  lh_wipe(random, sizeof random);
  return code;
}

static int webhook_create(lua_State *L) {
  struct lh_transport_options options = {0};
  struct lh_error err;
  struct lh_actor actor = {0};
  struct lh_webhook_new given = {0};
  lh_store_object_at(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lh_arg_options(L, 3);
  struct draft *draft = lh_box_new(L, sizeof *draft, release_draft);
  lh_webhook_init(&draft->webhook);
  if (lh_store_fields_read(L, 2, &draft->webhook, &err) ||
      lh_engine_guard_read(L, 3, &options, &err) ||
      lh_store_field_actor(L, 3, &actor, &given.actor, &err)) {
    return lh_push_error(L, &err);
  }
  given.url_normal = draft->url_normal;
  given.secret.at = lh_field_string(L, 2, "secret", &given.secret.len);
  if (!given.secret.at) {
    if (lh_store_make_secret(draft->secret, &err)) return lh_push_error(L, &err);
    given.secret = (struct lh_piece){draft->secret, LH_SECRET_GENERATED_LEN};
  }
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  const struct lh_clock *clock = lh_clock_system();
  if (lh_webhook_check(&draft->webhook, &err) ||
      lh_url_check(draft->webhook.url, &options, draft->url_normal, sizeof draft->url_normal,
                   &err) ||
      lh_secret_check(draft->webhook.scheme, given.secret.at, given.secret.len, &err) ||
      store->admin->webhook_create(store, &draft->webhook, &given, clock->wall_ms(clock->self),
                                   &err)) {
    return lh_push_error(L, &err);
  }
  lh_store_push_webhook(L, &draft->webhook);
  lua_pushlstring(L, given.secret.at, given.secret.len);
  lua_setfield(L, -2, "secret");
  lh_box_release(draft);
  return 1;
}

static int webhooks(lua_State *L) {
  static const int64_t limit_bounds[2] = {1, LH_LIST_LIMIT_MAX};
  struct lh_error err;
  struct lh_webhook_query query = {0};
  struct lh_id after;
  int64_t limit = 0;
  lh_store_object_at(L, 1);
  lh_arg_options(L, 2);
  query.with_deleted = lh_field_boolean(L, 2, "with_deleted");
  int has_after = lh_field_id(L, 2, "after", &after, &err);
  if (has_after < 0 || lh_field_int(L, 2, "limit", limit_bounds, &limit, &err) < 0 ||
      lh_field_name(L, 2, "account", &query.account, &err) < 0) {
    return lh_push_error(L, &err);
  }
  query.after = has_after ? &after : NULL;
  query.limit = (int)limit;
  struct lh_webhook_list *list = lh_box_new(L, sizeof *list, release_list);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->admin->webhook_list(store, &query, list, &err)) {
    return lh_push_error(L, &err);
  }
  lua_createtable(L, (int)list->count, 0);
  for (size_t i = 0; i < list->count; i++) {
    lh_store_push_webhook(L, &list->rows[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lh_box_release(list);
  return 1;
}

static int webhook(lua_State *L) {
  struct lh_error err;
  size_t account_len = 0, name_len;
  lh_store_object_at(L, 1);
  const char *account = lua_isnoneornil(L, 2) ? NULL : lh_arg_string(L, 2, &account_len);
  const char *id_or_name = lh_arg_string(L, 3, &name_len);
  lua_settop(L, 3);
  if (memchr(id_or_name, '\0', name_len) || (account && memchr(account, '\0', account_len))) {
    return lh_push_failure(L, LH_E_NOT_FOUND, "no such webhook: a NUL byte is part of no name");
  }
  struct lh_webhook_list *list = lh_box_new(L, sizeof *list, release_list);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->admin->webhook_get(store, account, id_or_name, list, &err)) {
    return lh_push_error(L, &err);
  }
  lh_store_push_webhook(L, &list->rows[0]);
  lh_box_release(list);
  return 1;
}

void lh_bind_store_webhooks(lua_State *L) {
  static const luaL_Reg methods[] = {{"webhook_create", webhook_create},
                                     {"webhooks", webhooks},
                                     {"webhook", webhook},
                                     {NULL, NULL}};
  lh_set_functions(L, methods);
}
