/*
** The worker object: an engine with a libcurl transport on a store, which it
** keeps from being collected.
**
**   engine.worker_open{ store =, concurrency =, retention_days =, failed_retention_days =,
**     dedupe_days =, allow_http =, allow_networks = {…}, ca_file =, sends_notices =,
**     deliver = true }
**     -> worker | nil, message, code
**   worker:step(timeout_ms) -> report | nil, message, code [, signal]
**   worker:catch_signals(), worker:form_all(), worker:drain(), worker:abort(),
**     worker:close() -> true
**
** Report: events (request_id webhook_id attempt total_count outcome status
** duration_ms error state reason next_attempt_ms paused_webhook), job (after a
** step of a stored one, as store:job shows it), started, rescued, cleaned_events,
** cleaned_requests and cleaned_received (deleted by a run of retention that ended), in_flight,
** next_due_ms (left out: nothing waits), woken (something was committed since the
** last one), idle, signal ("TERM", "INT" or "HUP", once).
** A signal that came during a failed step is its fourth value, for a worker on a
** full disk must be stoppable too. After "full", "busy" and "shortage" step
** again; after other codes close.
*/
#include "binding/worker.h"
#include "binding/engine_guard.h"
#include "binding/engine_signals.h"
#include "binding/store.h"

#include <unistd.h>

#include "core/limits.h"

#define WORKER "loyalhook.worker"
#define DAY_MS INT64_C(86400000)
#define STEP_MS_MAX 3600000 /* an hour: longer waits are a mistake */

struct worker {
  struct lh_engine *engine; /* NULL: closed */
  struct lh_transport *transport;
  struct lh_store_object *store; /* kept alive by the object's slot */
  struct lh_engine_signals signals;
  int64_t process; /* that opened it; a forked one must not touch its sockets */
  uint64_t round;  /* of step and close: texts of an older round are gone */
};

static void close_worker(struct worker *worker) {
  if (!worker->engine) return;
  worker->round++;
  if (worker->process == getpid()) {
    lh_engine_close(worker->engine);
    worker->transport->ops->close(worker->transport);
    lh_engine_signals_close(&worker->signals);
  }
  worker->engine = NULL;
  worker->transport = NULL;
  lh_store_object_release(worker->store);
}

/* The open worker of a method, or NULL after pushing the error (3 values). */
static struct worker *worker_at(lua_State *L) {
  struct worker *worker = luaL_checkudata(L, 1, WORKER);
  if (!worker->engine) {
    lh_push_failure(L, LH_E_CLOSED, "worker is closed");
    return NULL;
  }
  if (worker->process != getpid()) {
    lh_push_failure(L, LH_E_CLOSED, "worker belongs to the process that opened it");
    return NULL;
  }
  return worker;
}

struct lh_engine *lh_worker_engine(lua_State *L) {
  struct worker *worker = worker_at(L);
  return worker ? worker->engine : NULL;
}

/* Opens transport and engine into an empty object; raises nothing. */
static int open_worker(struct worker *worker, const struct lh_transport_options *transport_options,
                       struct lh_engine_options *options, struct lh_error *err) {
  options->clock = lh_clock_system();
  options->store = worker->store->store;
  int code = lh_transport_curl_open(transport_options, options->clock, &worker->transport, err);
  if (code) return code;
  options->transport = worker->transport;
  code = lh_engine_open(options, &worker->engine, err);
  if (code) {
    worker->engine = NULL;
    worker->transport->ops->close(worker->transport);
    worker->transport = NULL;
    return code;
  }
  worker->process = getpid();
  lh_store_object_hold(worker->store);
  return 0;
}

static int read_options(lua_State *L, struct lh_engine_options *options, struct lh_error *err) {
  static const int64_t concurrency_bounds[2] = {1, LH_CONCURRENCY_MAX};
  static const int64_t days_bounds[2] = {1, LH_RETENTION_DAYS_MAX};
  int64_t concurrency = LH_CONCURRENCY_DEFAULT, days = LH_RETENTION_DAYS_DEFAULT;
  int64_t failed_days = LH_FAILED_RETENTION_DAYS_DEFAULT, dedupe_days = LH_DEDUPE_DAYS_DEFAULT;
  if (lh_field_int(L, 1, "concurrency", concurrency_bounds, &concurrency, err) < 0 ||
      lh_field_int(L, 1, "retention_days", days_bounds, &days, err) < 0 ||
      lh_field_int(L, 1, "failed_retention_days", days_bounds, &failed_days, err) < 0 ||
      lh_field_int(L, 1, "dedupe_days", days_bounds, &dedupe_days, err) < 0) {
    return err->code;
  }
  options->concurrency = (size_t)concurrency;
  options->retention_ms = days * DAY_MS;
  options->failed_retention_ms = failed_days * DAY_MS;
  options->dedupe_ms = dedupe_days * DAY_MS;
  return 0;
}

static int worker_open(lua_State *L) {
  struct lh_transport_options transport_options = {0};
  struct lh_engine_options options = {0};
  struct lh_error err;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lh_field_push(L, 1, "store");
  struct lh_store_object *store = lh_store_object_test(L, 2);
  if (!store) return lh_arg_type_error(L, 1, "store", "loyalhook.store", 2);
  if (read_options(L, &options, &err) || lh_engine_guard_read(L, 1, &transport_options, &err)) {
    return lh_push_error(L, &err);
  }
  options.sends_notices = lh_field_boolean(L, 1, "sends_notices");
  int deliver = lh_field_boolean(L, 1, "deliver");
  options.handles_only = !lua_isnil(L, -1) && !deliver;
  transport_options.connections_max = options.concurrency;
  struct worker *worker = lh_class_new(L, sizeof *worker, WORKER);
  lua_pushvalue(L, 2);
  lh_compat_keep(L, lua_gettop(L) - 1);
  if (!lh_store_open_at(L, 2)) return 3;
  worker->store = store;
  if (open_worker(worker, &transport_options, &options, &err)) return lh_push_error(L, &err);
  return 1;
}

/* The copy's texts are borrowed: only the first push may use them. */
static void push_event(lua_State *L, const struct lh_engine_event event) {
  const char *error = event.error && *event.error ? event.error : NULL;
  lua_pushstring(L, error);
  lua_createtable(L, 0, 12);
  lua_insert(L, -2);
  lua_setfield(L, -2, "error");
  lh_set_id(L, "request_id", &event.request_id);
  lh_set_id(L, "webhook_id", &event.webhook_id);
  lh_set_int64(L, "attempt", event.attempt);
  lh_set_int64(L, "total_count", event.count);
  lh_set_string(L, "outcome", lh_outcome_name(event.outcome));
  if (event.status > 0) lh_set_int64(L, "status", event.status);
  if (event.duration_ms >= 0) lh_set_int64(L, "duration_ms", event.duration_ms);
  lh_set_string(L, "state", lh_state_name(event.state));
  lh_set_string(L, "reason", lh_reason_name(event.reason));
  if (event.state == LH_PENDING || event.state == LH_RETRYING) {
    lh_set_int64(L, "next_attempt_ms", event.next_attempt_ms);
  }
  lh_set_boolean(L, "paused_webhook", event.paused_webhook);
}

static void push_report(lua_State *L, const struct worker *worker,
                        const struct lh_engine_report *report) {
  uint64_t round = worker->round;
  struct lh_worker_mail_ends mails;
  lh_worker_copy_mails(report, &mails);
  lua_createtable(L, 0, 8);
  lua_createtable(L, (int)report->event_count, 0);
  /* A finalizer that steps or closes this worker in between ends the list: its events are gone. */
  for (size_t i = 0; i < report->event_count && worker->round == round; i++) {
    push_event(L, report->events[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lua_setfield(L, -2, "events");
  lh_set_int64(L, "started", (int64_t)report->started);
  lh_set_int64(L, "rescued", (int64_t)report->rescued);
  lh_set_int64(L, "failed_unsent", (int64_t)report->failed_unsent);
  lh_set_int64(L, "paused_unreadable", (int64_t)report->paused_unreadable);
  lh_worker_set_mails(L, &mails);
  lh_set_boolean(L, "mail_due", report->mail_due);
  lh_set_int64(L, "cleaned_events", report->cleaned_events);
  lh_set_int64(L, "cleaned_requests", report->cleaned_requests);
  lh_set_int64(L, "cleaned_received", report->cleaned_received);
  lh_set_int64(L, "in_flight", (int64_t)report->in_flight);
  if (report->job_steps > 0) {
    lh_store_job_push(L, &report->job);
    lua_setfield(L, -2, "job");
  }
  if (report->next_due_ms != INT64_MAX) lh_set_int64(L, "next_due_ms", report->next_due_ms);
  lh_set_boolean(L, "woken", report->woken);
  lh_set_boolean(L, "idle", report->idle);
  lh_worker_set_calls(L, &worker->engine, report->call_count);
}

static int step(lua_State *L) {
  struct lh_engine_report report = {0};
  struct lh_error err;
  luaL_checkudata(L, 1, WORKER);
  int timeout_ms = (int)lh_arg_int(L, 2, 0, STEP_MS_MAX);
  struct worker *worker = worker_at(L);
  if (!worker) return 3;
  worker->round++;
  size_t fd_count = worker->signals.open && !worker->signals.changed;
  int code =
      lh_engine_step(worker->engine, timeout_ms, &worker->signals.fd, fd_count, &report, &err);
  const char *signal_name = lh_engine_signals_read(&worker->signals);
  if (code) {
    lh_push_error(L, &err);
    lua_pushstring(L, signal_name);
    return 4;
  }
  push_report(L, worker, &report);
  lh_set_string(L, "signal", signal_name);
  return 1;
}

static int succeed(lua_State *L) {
  lua_pushboolean(L, 1);
  return 1;
}

static int catch_signals(lua_State *L) {
  struct lh_error err;
  struct worker *worker = worker_at(L);
  if (!worker) return 3;
  if (lh_engine_signals_open(&worker->signals, &err)) return lh_push_error(L, &err);
  return succeed(L);
}

static int drain(lua_State *L) {
  struct worker *worker = worker_at(L);
  if (!worker) return 3;
  lh_engine_drain(worker->engine);
  return succeed(L);
}

static int form_all(lua_State *L) {
  struct worker *worker = worker_at(L);
  if (!worker) return 3;
  lh_engine_form_all(worker->engine);
  return succeed(L);
}

static int abort_drain(lua_State *L) {
  struct lh_error err;
  struct worker *worker = worker_at(L);
  if (!worker) return 3;
  worker->round++;
  if (lh_engine_abort(worker->engine, &err)) return lh_push_error(L, &err);
  return succeed(L);
}

static int close_method(lua_State *L) {
  close_worker(luaL_checkudata(L, 1, WORKER));
  return succeed(L);
}

static int tostring(lua_State *L) {
  const struct worker *worker = luaL_checkudata(L, 1, WORKER);
  if (worker->engine) {
    lua_pushfstring(L, WORKER " (%p)", (const void *)worker);
  } else {
    lua_pushstring(L, WORKER " (closed)");
  }
  return 1;
}

void lh_bind_worker(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"step", step},   {"catch_signals", catch_signals}, {"form_all", form_all},
      {"drain", drain}, {"abort", abort_drain},           {"close", close_method},
      {NULL, NULL}};
  static const luaL_Reg functions[] = {{"worker_open", worker_open}, {NULL, NULL}};
  static const struct lh_class definition = {WORKER, methods, close_method, tostring};
  lh_set_functions(L, functions);
  lh_class_define(L, &definition);
  lh_bind_worker_mail(L);
  lh_bind_worker_call(L);
  lh_bind_worker_tasks(L);
  lua_pop(L, 1);
}
