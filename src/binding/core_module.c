/*
** require "loyalhook.core": the pure part, safe in a web server's worker. It
** opens nothing, starts nothing, and keeps per Lua state only the source of
** ids. Ids, the clock and the constants are here; the rest is in core_*.c.
**
**   core.id([now_ms]) -> 24 hex digits
**   core.now_ms()     -> Unix time
**   core.monotonic_ms() -> time that nobody sets, for durations
**   core.limits       -> { name = number, … }
**   core._VERSION
*/
#include "binding/binding.h"

#include <unistd.h>

#include "clock/clock.h"
#include "core/limits.h"
#include "core/version.h"

static int now_ms(lua_State *L) {
  const struct lh_clock *clock = lh_clock_system();
  lh_push_int64(L, clock->wall_ms(clock->self));
  return 1;
}

static int monotonic_ms(lua_State *L) {
  const struct lh_clock *clock = lh_clock_system();
  lh_push_int64(L, clock->monotonic_ms(clock->self));
  return 1;
}

/* The source is an upvalue; a process forked from the one that seeded it seeds anew. */
static int new_id(lua_State *L) {
  const struct lh_clock *clock = lh_clock_system();
  struct lh_id_source *source = lua_touserdata(L, lua_upvalueindex(1));
  struct lh_error err;
  int64_t at_ms =
      lua_isnoneornil(L, 1) ? clock->wall_ms(clock->self) : lh_arg_int(L, 1, 0, LH_EXACT_MAX);
  int64_t process = getpid();
  if (source->owner != process) {
    unsigned char random[8];
    if (clock->random(clock->self, random, sizeof random, &err)) return lh_push_error(L, &err);
    lh_id_seed(source, process, random);
  }
  struct lh_id id = lh_id_next(source, at_ms);
  lh_push_id(L, &id);
  return 1;
}

static void bind_clock(lua_State *L) {
  lua_pushcfunction(L, now_ms);
  lua_setfield(L, -2, "now_ms");
  lua_pushcfunction(L, monotonic_ms);
  lua_setfield(L, -2, "monotonic_ms");
  struct lh_id_source *source = lua_newuserdata(L, sizeof *source);
  *source = (struct lh_id_source){0};
  lua_pushcclosure(L, new_id, 1);
  lua_setfield(L, -2, "id");
}

/* What Lua code checks before it calls, or shows; each with its reason in core/limits.h. */
static const struct {
  const char *name;
  int64_t value;
} limits[] = {
    {"id_len", LH_ID_LEN},
    {"account_max", LH_ACCOUNT_MAX},
    {"event_type_max", LH_EVENT_TYPE_MAX},
    {"category_max", LH_CATEGORY_MAX},
    {"event_types_max", LH_EVENT_TYPES_MAX},
    {"subscriptions_max", LH_SUBSCRIPTIONS_MAX},
    {"member_max", LH_MEMBER_MAX},
    {"idempotency_key_max", LH_IDEMPOTENCY_KEY_MAX},
    {"event_bytes_max", LH_EVENT_BYTES_MAX},
    {"emit_many_max", LH_EMIT_MANY_MAX},
    {"json_depth_max", LH_JSON_DEPTH_MAX},
    {"name_max", LH_NAME_MAX},
    {"url_max", LH_URL_MAX},
    {"secret_min", LH_SECRET_MIN},
    {"secret_max", LH_SECRET_MAX},
    {"secrets_max", LH_SECRETS_MAX},
    {"secret_overlap_s_max", LH_SECRET_OVERLAP_MS_MAX / 1000},
    {"headers_bytes_max", LH_HEADERS_BYTES_MAX},
    {"webhooks_max", LH_WEBHOOKS_MAX},
    {"batch_size_max", LH_BATCH_SIZE_MAX},
    {"batch_size_default", LH_BATCH_SIZE_DEFAULT},
    {"batch_bytes_max", LH_BATCH_BYTES_MAX},
    {"batch_wait_ms_max", LH_BATCH_WAIT_MS_MAX},
    {"retries_max", LH_RETRIES_MAX},
    {"retries_default", LH_RETRIES_DEFAULT},
    {"retry_interval_s_max", LH_RETRY_INTERVAL_S_MAX},
    {"retry_interval_s_default", LH_RETRY_INTERVAL_S_DEFAULT},
    {"retry_schedule_max", LH_RETRY_SCHEDULE_MAX},
    {"pause_after_max", LH_PAUSE_AFTER_MAX},
    {"pause_after_default", LH_PAUSE_AFTER_DEFAULT},
    {"in_flight_max", LH_IN_FLIGHT_MAX},
    {"in_flight_default", LH_IN_FLIGHT_DEFAULT},
    {"timeout_ms_min", LH_TIMEOUT_MS_MIN},
    {"timeout_ms_max", LH_TIMEOUT_MS_MAX},
    {"timeout_ms_default", LH_TIMEOUT_MS_DEFAULT},
    {"concurrency_default", LH_CONCURRENCY_DEFAULT},
    {"concurrency_max", LH_CONCURRENCY_MAX},
    {"backoff_max_ms", LH_BACKOFF_MAX_MS},
    {"safety_timer_ms", LH_SAFETY_TIMER_MS},
    {"drain_grace_ms", LH_DRAIN_GRACE_MS},
    {"nonce_len", LH_NONCE_LEN},
    {"tolerance_s_default", LH_TOLERANCE_S_DEFAULT},
    {"notify_max", LH_NOTIFY_MAX},
    {"mail_entries_max", LH_MAIL_ENTRIES_MAX},
    {"mail_interval_ms", LH_MAIL_INTERVAL_MS},
    {"mail_timeout_ms", LH_MAIL_TIMEOUT_MS},
    {"retry_many_max", LH_RETRY_MANY_MAX},
    {"list_limit_default", LH_LIST_LIMIT_DEFAULT},
    {"list_limit_max", LH_LIST_LIMIT_MAX},
    {"audit_detail_max", LH_AUDIT_DETAIL_MAX},
};

static void bind_limits(lua_State *L) {
  size_t count = sizeof limits / sizeof limits[0];
  lua_createtable(L, 0, (int)count);
  for (size_t i = 0; i < count; i++) lh_set_int64(L, limits[i].name, limits[i].value);
  lua_setfield(L, -2, "limits");
}

LH_EXPORT int luaopen_loyalhook_core(lua_State *L);
LH_EXPORT int luaopen_loyalhook_core(lua_State *L) {
  lua_newtable(L);
  lh_set_string(L, "_VERSION", LH_VERSION);
  bind_clock(L);
  bind_limits(L);
  lh_bind_signature(L);
  lh_bind_verify(L);
  lh_bind_json(L);
  lh_bind_event(L);
  lh_bind_batch(L);
  lh_bind_envelope(L);
  lh_bind_delivery(L);
  lh_bind_secret(L);
  lh_bind_address(L);
  lh_bind_mailbox(L);
  return 1;
}
