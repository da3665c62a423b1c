/*
** The door's functions: one step is wait, take in, rescue, turn, and a step of a
** stored job if there is one. What happens in a turn is in dispatcher.c.
*/
#include "engine/parts.h"

#include <assert.h>
#include <stdlib.h>

static int64_t monotonic(const struct lh_engine *engine) {
  return engine->clock->monotonic_ms(engine->clock->self);
}

/* Frees memory only; what was in flight is the caller's care. */
static void engine_free(struct lh_engine *engine) {
  lh_transfers_recycle(&engine->transfers);
  lh_transfers_clear(&engine->transfers);
  lh_caller_clear(engine);
  free(engine->results);
  free(engine->result_of);
  free(engine->nonces);
  free(engine->events);
  free(engine->fds);
  free(engine);
}

static int engine_new(const struct lh_engine_options *options, struct lh_engine **engine) {
  struct lh_engine *made = calloc(1, sizeof *made);
  if (!made) return LH_E_MEMORY;
  made->store = options->store;
  made->transport = options->transport;
  made->clock = options->clock;
  made->concurrency = options->concurrency ? options->concurrency : LH_CONCURRENCY_DEFAULT;
  made->bodies_bytes_max =
      options->bodies_bytes_max ? options->bodies_bytes_max : LH_BODIES_IN_FLIGHT_BYTES;
  made->sends_notices = options->sends_notices;
  made->handles_only = options->handles_only;
  if (made->handles_only) made->next_due_ms = INT64_MAX;
  made->retention_ms = options->retention_ms;
  made->failed_retention_ms = options->failed_retention_ms;
  made->dedupe_ms = options->dedupe_ms;
  made->opened_wall_ms = made->clock->wall_ms(made->clock->self);
  made->opened_monotonic_ms = monotonic(made);
  made->clean_at_ms = monotonic(made) + LH_CLEAN_FIRST_MS;
  made->mail_due_ms = INT64_MAX;
  lh_caller_init(made);
  made->results = calloc(made->concurrency, sizeof *made->results);
  made->result_of = calloc(made->concurrency, sizeof(struct lh_transfer *));
  made->nonces = calloc(LH_NONCE_MEMORY, sizeof *made->nonces);
  int code = lh_transfers_init(&made->transfers, made->concurrency);
  if (!made->results || !made->result_of || !made->nonces) code = LH_E_MEMORY;
  if (code != 0) {
    engine_free(made);
    return code;
  }
  *engine = made;
  return 0;
}

int lh_engine_open(const struct lh_engine_options *options, struct lh_engine **engine,
                   struct lh_error *err) {
  assert(options->store && options->transport && options->clock);
  if (options->concurrency > LH_CONCURRENCY_MAX)
    return lh_error_set(err, LH_E_INVALID, "concurrency: %zu is not 1-%d", options->concurrency,
                        LH_CONCURRENCY_MAX);
  struct lh_engine *made = NULL;
  if (engine_new(options, &made) != 0) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  int64_t now_ms = made->clock->wall_ms(made->clock->self);
  int code = made->store->requests->session_open(made->store, now_ms, &made->session, err);
  if (code == LH_E_FULL || code == LH_E_BUSY) code = LH_OK; /* the first turn tries again */
  if (code != 0) {
    engine_free(made);
    return code;
  }
  *engine = made;
  return 0;
}

static int64_t sooner(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* How long nothing needs us, if neither the network nor a descriptor does. */
static int wait_ms(const struct lh_engine *engine, int timeout_ms) {
  int64_t now_ms = monotonic(engine);
  if (lh_dispatcher_turn_due(engine) || lh_jobber_due(engine, now_ms)) return 0;
  int64_t wait = sooner(timeout_ms < 0 ? LH_SAFETY_TIMER_MS : timeout_ms, LH_SAFETY_TIMER_MS);
  wait = sooner(wait, engine->rescue_at_ms - now_ms);
  if (engine->job_open && !engine->draining) wait = sooner(wait, engine->job_at_ms - now_ms);
  wait = sooner(wait, lh_mailer_wait_ms(engine));
  wait = sooner(wait, lh_cleaner_wait_ms(engine, now_ms));
  if (engine->turn_at_ms > now_ms) {
    wait = sooner(wait, engine->turn_at_ms - now_ms);
  } else if (engine->lease_at_ms > now_ms) {
    wait = sooner(wait, engine->lease_at_ms - now_ms);
  } else if (lh_dispatcher_may_lease(engine, now_ms)) {
    wait = sooner(wait, engine->next_due_ms - engine->clock->wall_ms(engine->clock->self));
  }
  return wait > 0 ? (int)wait : 0;
}

static void report_begin(struct lh_engine *engine) {
  if (!engine->told) return; /* a step that failed, or an abort, left news behind */
  engine->told = 0;
  engine->event_count = 0;
  engine->started = 0;
  engine->rescued = 0;
  engine->failed_unsent = 0;
  engine->paused_unreadable = 0;
  engine->job_steps = 0;
  engine->cleaned_events = engine->cleaned_requests = engine->cleaned_received = 0;
  engine->woken_told = 0;
  lh_transfers_recycle(&engine->transfers);
  lh_mailer_recycle(engine);
}

static size_t in_flight(const struct lh_engine *engine) {
  return engine->transfers.flying_count + engine->result_count + lh_mailer_flying(engine) +
         engine->calls.flying_count;
}

static int is_idle(const struct lh_engine *engine) {
  if (in_flight(engine) > 0) return 0;
  if (engine->draining || engine->handles_only) return 1;
  return !engine->more && !engine->woken && !engine->job_open &&
         engine->next_due_ms > engine->clock->wall_ms(engine->clock->self);
}

static void report_end(struct lh_engine *engine, struct lh_engine_report *report) {
  *report = (struct lh_engine_report){
      .events = engine->events,
      .event_count = engine->event_count,
      .started = engine->started,
      .rescued = engine->rescued,
      .failed_unsent = engine->failed_unsent,
      .paused_unreadable = engine->paused_unreadable,
      .job_steps = engine->job_steps,
      .job = engine->job,
      .cleaned_events = engine->cleaned_events,
      .cleaned_requests = engine->cleaned_requests,
      .cleaned_received = engine->cleaned_received,
      .in_flight = in_flight(engine),
      .next_due_ms = engine->next_due_ms,
      .call_count = engine->calls.ended_count,
      .woken = engine->woken_told,
      .idle = is_idle(engine),
  };
  lh_mailer_tell(engine, report);
  engine->told = 1;
}

int lh_engine_step(struct lh_engine *engine, int timeout_ms, const int *fds, size_t fd_count,
                   struct lh_engine_report *report, struct lh_error *err) {
  *report = (struct lh_engine_report){0};
  report_begin(engine);
  int code = lh_collector_gather(engine, wait_ms(engine, timeout_ms), fds, fd_count, err);
  if (code == 0) code = lh_rescuer_run(engine, err);
  if (code == 0 && lh_dispatcher_turn_due(engine)) code = lh_dispatcher_turn(engine, err);
  if (code == 0) code = lh_jobber_run(engine, err);
  if (code == 0) code = lh_cleaner_run(engine, err);
  if (code != 0) {
    report->in_flight = in_flight(engine);
    report->next_due_ms = engine->next_due_ms;
    return code;
  }
  lh_mailer_look(engine);
  lh_checkpointer_run(engine);
  report_end(engine, report);
  return 0;
}

void lh_engine_form_all(struct lh_engine *engine) {
  engine->form_all = 1;
  engine->woken = 1;
  engine->clean_at_ms = monotonic(engine);
}

void lh_engine_drain(struct lh_engine *engine) {
  engine->draining = 1;
}

static void cancel_all(struct lh_engine *engine) {
  struct lh_transfers *transfers = &engine->transfers;
  while (transfers->flying_count > 0) {
    struct lh_transfer *transfer = transfers->flying[transfers->flying_count - 1];
    int unsent = engine->transport->ops->cancel(engine->transport, transfer);
    lh_transfers_land(transfers, transfer);
    if (unsent)
      lh_collector_end(engine, transfer, LH_INPUT_GIVEN_BACK, LH_OUTCOME_LOCAL,
                       "worker stopped before anything was sent");
    else
      lh_collector_end(engine, transfer, LH_INPUT_LOST, LH_OUTCOME_LOST,
                       "worker stopped before the answer came");
  }
}

int lh_engine_abort(struct lh_engine *engine, struct lh_error *err) {
  engine->draining = 1;
  engine->aborted = 1;
  report_begin(engine);
  (void)lh_collector_gather(engine, 0, NULL, 0, NULL); /* an answer that is here already counts */
  cancel_all(engine);
  lh_mailer_cancel_all(engine);
  lh_caller_cancel_all(engine);
  return engine->result_count > 0 ? lh_dispatcher_turn(engine, err) : 0;
}

/* Results that cannot be recorded any more: whoever rescues the session logs them as lost. */
static void results_drop(struct lh_engine *engine) {
  for (size_t i = 0; i < engine->result_count; i++) {
    struct lh_transfer *transfer = engine->result_of[i];
    engine->store->requests->target_release(engine->store, transfer->lease.target);
    lh_transfers_tell(&engine->transfers, transfer);
  }
  engine->result_count = 0;
}

void lh_engine_close(struct lh_engine *engine) {
  if (!engine) return;
  (void)lh_engine_abort(engine, NULL);
  results_drop(engine);
  if (engine->session != 0)
    engine->store->requests->session_close(engine->store, engine->session,
                                           engine->clock->wall_ms(engine->clock->self));
  engine_free(engine);
}
