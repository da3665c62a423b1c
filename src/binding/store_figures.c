/*
** Figures over time, totals, and whether the store can do its work.
**
**   store:series{ webhook = id, account =, from_ms =, to_ms =, step_ms = }
**     -> { { from_ms =, delivered, delivered_events, failed, attempts, failed_attempts,
**            attempt_ms = { p50, p95, p99 }, delivery_ms = { … } }, … }, complete_from_ms | nil
**   store:totals() -> { emitted, received, delivered, delivered_events, failed, attempts,
**                       failed_attempts, attempt = lengths, delivery = lengths }
**     lengths: { count =, sum_ms = (a little too high), below = { how many were below 1, 2, 4, 8 …
**                ms } }
**   store:vitals() -> { workers, key_present, writable, notices_last }
**
** Percentiles of nothing are left out.
*/
#include "binding/store.h"

#define DOUBLINGS 31 /* 2^30 ms: 12 days */

static void release_series(void *memory) {
  lh_series_clear(memory);
}

static int series(lua_State *L) {
  static const int64_t bounds[2] = {0, LH_EXACT_MAX};
  struct lh_series_query query = {0};
  struct lh_error err;
  struct lh_id id;
  lh_store_object_at(L, 1);
  lh_arg_options(L, 2);
  int webhook = lh_field_id(L, 2, "webhook", &id, &err);
  if (webhook < 0 || lh_field_name(L, 2, "account", &query.account, &err) < 0 ||
      lh_field_int(L, 2, "from_ms", bounds, &query.from_ms, &err) < 0 ||
      lh_field_int(L, 2, "to_ms", bounds, &query.to_ms, &err) < 0 ||
      lh_field_int(L, 2, "step_ms", bounds, &query.step_ms, &err) < 0) {
    return lh_push_error(L, &err);
  }
  if (webhook) query.webhook_id = &id;
  struct lh_series *found = lh_box_new(L, sizeof *found, release_series);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->figures->series(store, &query, found, &err)) return lh_push_error(L, &err);
  lua_createtable(L, (int)found->count, 0);
  for (size_t i = 0; i < found->count; i++) {
    lua_createtable(L, 0, 8);
    lh_set_int64(L, "from_ms", found->rows[i].from_ms);
    lh_store_set_recent(L, &found->rows[i].done);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  int64_t complete_from_ms = found->complete_from_ms;
  lh_box_release(found);
  if (complete_from_ms == 0) return 1;
  lh_push_int64(L, complete_from_ms);
  return 2;
}

/* Lengths are whole milliseconds, rounded down: below 2^k is what a bucket's begin says. */
static void set_lengths(lua_State *L, const char *name, const int64_t counts[LH_LENGTHS]) {
  int64_t count = 0, sum_ms = 0;
  int bucket = 0;
  lua_createtable(L, 0, 3);
  lua_createtable(L, DOUBLINGS, 0);
  for (int doubling = 0; doubling < DOUBLINGS; doubling++) {
    for (; bucket < lh_lengths_bucket(INT64_C(1) << doubling); bucket++) count += counts[bucket];
    lh_push_int64(L, count);
    lua_rawseti(L, -2, doubling + 1);
  }
  lua_setfield(L, -2, "below");
  for (; bucket < LH_LENGTHS; bucket++) count += counts[bucket];
  for (int i = 0; i < LH_LENGTHS; i++) sum_ms += counts[i] * lh_lengths_end(i);
  lh_set_int64(L, "count", count);
  lh_set_int64(L, "sum_ms", sum_ms);
  lua_setfield(L, -2, name);
}

static int totals(lua_State *L) {
  struct lh_totals found;
  struct lh_error err;
  lh_store_object_at(L, 1);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->figures->totals(store, &found, &err)) return lh_push_error(L, &err);
  lua_createtable(L, 0, 9);
  lh_set_int64(L, "emitted", found.emitted);
  lh_set_int64(L, "received", found.received);
  lh_set_int64(L, "delivered", found.delivered);
  lh_set_int64(L, "delivered_events", found.delivered_events);
  lh_set_int64(L, "failed", found.failed);
  lh_set_int64(L, "attempts", found.attempts);
  lh_set_int64(L, "failed_attempts", found.failed_attempts);
  set_lengths(L, "attempt", found.attempt);
  set_lengths(L, "delivery", found.delivery);
  return 1;
}

static int vitals(lua_State *L) {
  struct lh_vitals found;
  struct lh_error err;
  const struct lh_clock *clock = lh_clock_system();
  lh_store_object_at(L, 1);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->figures->vitals(store, clock->wall_ms(clock->self), &found, &err)) {
    return lh_push_error(L, &err);
  }
  lua_createtable(L, 0, 4);
  lh_set_int64(L, "workers", found.workers);
  lh_set_boolean(L, "key_present", found.key_present);
  lh_set_boolean(L, "writable", found.writable);
  lh_set_int64(L, "notices_last", found.notices_last);
  return 1;
}

void lh_bind_store_figures(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"series", series}, {"totals", totals}, {"vitals", vitals}, {NULL, NULL}};
  lh_set_functions(L, methods);
}
