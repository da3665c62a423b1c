/*
** Figures of a store.
**
**   store:stats{ webhook = id, account = name, since_ms =, with_webhooks = boolean }
**     -> { events, webhooks, accounts, database_bytes, wal_bytes, recent_from_ms,
**          inbox = { events, tasks = { pending = n, … }, oldest_unfinished_ms },
**          of the webhooks meant, together: waiting, waiting_at_least, requests =
**          { pending = n, … }, attempts, oldest_undelivered_ms, last_delivered_ms,
**          recent = { delivered, delivered_events, failed, attempts, failed_attempts, attempt_ms =
**          { p50, p95, p99 }, delivery_ms = { … } },
**          per_webhook = { { webhook_id, account, name, status, the same }, … }, more }
**
** Left out are: inbox if nothing was received, waiting_at_least unless counting stopped at a limit,
** oldest_undelivered_ms and last_delivered_ms if there is none, percentiles of nothing, per_webhook
** unless asked for, more unless there are more webhooks than rows.
*/
#include "binding/store.h"

static void release(void *memory) {
  lh_stats_clear(memory);
}

static void set_percentiles(lua_State *L, const char *name, const struct lh_percentiles *lengths) {
  if (lengths->p50_ms < 0) return;
  lua_createtable(L, 0, 3);
  lh_set_int64(L, "p50", lengths->p50_ms);
  lh_set_int64(L, "p95", lengths->p95_ms);
  lh_set_int64(L, "p99", lengths->p99_ms);
  lua_setfield(L, -2, name);
}

void lh_store_set_recent(lua_State *L, const struct lh_recent *recent) {
  lh_set_int64(L, "delivered", recent->delivered);
  lh_set_int64(L, "delivered_events", recent->delivered_events);
  lh_set_int64(L, "failed", recent->failed);
  lh_set_int64(L, "attempts", recent->attempts);
  lh_set_int64(L, "failed_attempts", recent->failed_attempts);
  set_percentiles(L, "attempt_ms", &recent->attempt);
  set_percentiles(L, "delivery_ms", &recent->delivery);
}

/* Into the table on top. */
static void set_figures(lua_State *L, const struct lh_webhook_stats *figures) {
  lh_set_int64(L, "waiting", figures->waiting);
  if (figures->waiting_more) lh_set_boolean(L, "waiting_at_least", 1);
  lua_createtable(L, 0, LH_FAILED + 1);
  for (int state = LH_PENDING; state <= LH_FAILED; state++) {
    lh_set_int64(L, lh_state_name((enum lh_state)state), figures->requests[state]);
  }
  lua_setfield(L, -2, "requests");
  lh_set_int64(L, "attempts", figures->attempts);
  if (figures->oldest_undelivered_ms > 0) {
    lh_set_int64(L, "oldest_undelivered_ms", figures->oldest_undelivered_ms);
  }
  if (figures->last_delivered_ms > 0) {
    lh_set_int64(L, "last_delivered_ms", figures->last_delivered_ms);
  }
  lua_createtable(L, 0, 7);
  lh_store_set_recent(L, &figures->recent);
  lua_setfield(L, -2, "recent");
}

static void set_inbox(lua_State *L, const struct lh_inbox_stats *inbox) {
  lua_createtable(L, 0, 3);
  lh_set_int64(L, "events", inbox->events);
  lua_createtable(L, 0, LH_TASK_FAILED + 1);
  for (int state = LH_TASK_PENDING; state <= LH_TASK_FAILED; state++) {
    lh_set_int64(L, lh_task_state_name((enum lh_task_state)state), inbox->tasks[state]);
  }
  lua_setfield(L, -2, "tasks");
  if (inbox->oldest_unfinished_ms > 0) {
    lh_set_int64(L, "oldest_unfinished_ms", inbox->oldest_unfinished_ms);
  }
  lua_setfield(L, -2, "inbox");
}

static void set_rows(lua_State *L, const struct lh_stats *stats) {
  lua_createtable(L, (int)stats->count, 0);
  for (size_t i = 0; i < stats->count; i++) {
    const struct lh_webhook_stats *row = &stats->rows[i];
    lua_createtable(L, 0, 11);
    lh_set_id(L, "webhook_id", &row->id);
    lh_set_string(L, "account", row->account);
    lh_set_string(L, "name", row->name);
    lh_set_string(L, "status", lh_status_name(row->status));
    set_figures(L, row);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lua_setfield(L, -2, "per_webhook");
  if (stats->more) lh_set_boolean(L, "more", 1);
}

static int stats(lua_State *L) {
  static const int64_t since_bounds[2] = {0, LH_EXACT_MAX};
  struct lh_stats_query query = {0};
  struct lh_error err;
  struct lh_id id;
  lh_store_object_at(L, 1);
  lh_arg_options(L, 2);
  int webhook = lh_field_id(L, 2, "webhook", &id, &err);
  if (webhook < 0 || lh_field_name(L, 2, "account", &query.account, &err) < 0 ||
      lh_field_int(L, 2, "since_ms", since_bounds, &query.since_ms, &err) < 0) {
    return lh_push_error(L, &err);
  }
  if (webhook) query.webhook_id = &id;
  query.with_webhooks = lh_field_boolean(L, 2, "with_webhooks");
  struct lh_stats *found = lh_box_new(L, sizeof *found, release);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->admin->stats(store, &query, found, &err)) return lh_push_error(L, &err);
  lua_createtable(L, 0, 15);
  lh_set_int64(L, "events", found->events);
  lh_set_int64(L, "webhooks", found->webhooks);
  lh_set_int64(L, "accounts", found->accounts);
  lh_set_int64(L, "database_bytes", found->database_bytes);
  lh_set_int64(L, "wal_bytes", found->wal_bytes);
  lh_set_int64(L, "recent_from_ms", found->recent_from_ms);
  if (found->inbox.events > 0) set_inbox(L, &found->inbox);
  set_figures(L, &found->sum);
  if (query.with_webhooks) set_rows(L, found);
  lh_box_release(found);
  return 1;
}

void lh_bind_store_stats(lua_State *L) {
  static const luaL_Reg methods[] = {{"stats", stats}, {NULL, NULL}};
  lh_set_functions(L, methods);
}
