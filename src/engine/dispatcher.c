/*
** One turn: what ended is recorded and what is next is leased in one
** transaction of the store; after it has committed, and only then, the leased
** requests are signed and started. Everything that decides (gate, budget,
** order, back-off) is decided inside the turn, by the store with core's rules.
*/
#include "engine/parts.h"

#include <assert.h>
#include <stdlib.h>

/* Largest body a lease may bring beyond what was asked: one event of the largest size, alone. */
#define BODY_BYTES_RESERVE (LH_EVENT_BYTES_MAX + LH_ENVELOPE_BYTES + LH_ENVELOPE_EVENT_BYTES)

static int64_t monotonic(const struct lh_engine *engine) {
  return engine->clock->monotonic_ms(engine->clock->self);
}

static int64_t wall(const struct lh_engine *engine) {
  return engine->clock->wall_ms(engine->clock->self);
}

/*
** The store grants while more than 0 is left, so the last body may go over;
** the reserve keeps even that below the limit. One body is always allowed.
*/
static int64_t bytes_wanted(const struct lh_engine *engine) {
  int64_t flying = engine->transfers.flying_bytes;
  int64_t left = engine->bodies_bytes_max - flying - BODY_BYTES_RESERVE;
  if (left > 0) return left;
  return flying == 0 ? 1 : 0;
}

int lh_dispatcher_may_lease(const struct lh_engine *engine, int64_t monotonic_ms) {
  return !engine->draining && !engine->handles_only && monotonic_ms >= engine->lease_at_ms &&
         engine->transfers.flying_count < engine->concurrency && bytes_wanted(engine) > 0;
}

int lh_dispatcher_turn_due(const struct lh_engine *engine) {
  int64_t now_ms = monotonic(engine);
  if (now_ms < engine->turn_at_ms) return 0;
  if (engine->result_count > 0) return 1;
  if (!lh_dispatcher_may_lease(engine, now_ms)) return 0;
  return engine->more || engine->woken || wall(engine) >= engine->next_due_ms ||
         now_ms >= engine->safety_at_ms;
}

static int lease_begin(void *self) {
  struct lh_engine *engine = self;
  struct lh_transfer *transfer = lh_transfers_next(&engine->transfers);
  return transfer ? lh_envelope_begin(&transfer->buffer) : LH_E_MEMORY;
}

static int lease_event(void *self, const struct lh_event *event) {
  struct lh_engine *engine = self;
  return lh_envelope_add(&lh_transfers_next(&engine->transfers)->buffer, event);
}

/* Held here and not after the turn: by then another handle may have made the store drop it. */
static int lease_end(void *self, const struct lh_lease *lease) {
  struct lh_engine *engine = self;
  struct lh_transfers *transfers = &engine->transfers;
  struct lh_transfer *transfer = lh_transfers_next(transfers);
  assert(lease->count > 0 && lease->attempt > 0 && lease->target);
  transfer->lease = *lease;
  int code = lh_envelope_end(&transfer->buffer, &lease->request_id, lease->count, lease->created_ms,
                             &transfer->body);
  if (code != 0) return code;
  engine->store->requests->target_hold(engine->store, lease->target);
  transfers->shown_count++;
  return 0;
}

/* The turn failed: nothing of it happened. */
static void leases_forget(struct lh_engine *engine) {
  struct lh_transfers *transfers = &engine->transfers;
  for (size_t i = 0; i < transfers->shown_count; i++)
    engine->store->requests->target_release(engine->store, transfers->shown[i]->lease.target);
  lh_transfers_forget_shown(transfers, 0);
}

int lh_dispatcher_session_renew(struct lh_engine *engine, struct lh_error *err) {
  if (engine->session != 0) return 0;
  return engine->store->requests->session_open(engine->store, wall(engine), &engine->session, err);
}

static int events_room(struct lh_engine *engine, struct lh_error *err) {
  size_t needed = engine->event_count + engine->result_count;
  if (needed <= engine->event_cap) return 0;
  struct lh_engine_event *grown = realloc(engine->events, needed * sizeof *grown);
  if (!grown) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  engine->events = grown;
  engine->event_cap = needed;
  return 0;
}

/* Recorded: the caller hears of it, the target may go. */
static void results_tell(struct lh_engine *engine) {
  for (size_t i = 0; i < engine->result_count; i++) {
    const struct lh_attempt_result *result = &engine->results[i];
    struct lh_transfer *transfer = engine->result_of[i];
    engine->events[engine->event_count++] = (struct lh_engine_event){
        .request_id = transfer->lease.request_id,
        .webhook_id = transfer->lease.target->webhook.id,
        .attempt = result->attempt,
        .count = transfer->lease.count,
        .outcome = result->outcome,
        .status = result->status,
        .duration_ms = result->duration_ms,
        .error = result->error,
        .state = result->after.state,
        .reason = result->after.reason,
        .next_attempt_ms = result->after.next_attempt_ms,
        .paused_webhook = result->paused_webhook,
    };
    engine->store->requests->target_release(engine->store, transfer->lease.target);
    transfer->lease.target = NULL;
    lh_transfers_tell(&engine->transfers, transfer);
  }
  engine->result_count = 0;
}

/* Not started: the attempt is given back with the next turn. */
static void start_failed(struct lh_engine *engine, struct lh_transfer *transfer, int code,
                         const char *error) {
  if (code == LH_E_INVALID) { /* the webhook's own fault: no retry of ours makes the URL usable */
    lh_collector_end(engine, transfer, LH_INPUT_FAILURE, LH_OUTCOME_BLOCKED, error);
    return;
  }
  engine->lease_at_ms = monotonic(engine) + LH_SHORTAGE_PAUSE_MS;
  lh_collector_end(engine, transfer, LH_INPUT_GIVEN_BACK, LH_OUTCOME_LOCAL, error);
}

static int post(struct lh_engine *engine, struct lh_transfer *transfer, struct lh_error *err) {
  int64_t nonce_ms = lh_headers_nonce(engine, transfer->lease.request, wall(engine));
  int code = lh_headers_build(transfer, nonce_ms, err);
  if (code != 0) {
    transfer->tags_len = 0; /* nothing is recorded of headers that were not built */
    return code == LH_E_INVALID ? LH_E_SHORTAGE : code;
  }
  transfer->started_ms = wall(engine);
  return lh_transfer_start(engine->transport, transfer, err);
}

/* `refusal`: why it must not be started after all, or NULL. 0, or why it was not. */
static int lease_start(struct lh_engine *engine, struct lh_transfer *transfer,
                       const char *refusal) {
  struct lh_error why = {.message = ""};
  transfer->nonce[0] = '\0';
  transfer->tags_len = 0;
  transfer->started_ms = wall(engine);
  int code =
      refusal ? lh_error_set(&why, LH_E_SHORTAGE, "%s", refusal) : post(engine, transfer, &why);
  if (code == 0) {
    lh_transfers_fly(&engine->transfers, transfer);
    engine->started++;
  } else {
    lh_transfers_drop_body(&engine->transfers, transfer);
    start_failed(engine, transfer, code, why.message);
  }
  return code;
}

/*
** In the order of leasing, which is the order of first attempts: when one
** cannot start for our own shortage, those behind it do not overtake it. A
** worker that was stopped for long, since before the turn that leased, must not
** send what others may rescue by now.
*/
static void leases_start(struct lh_engine *engine, int64_t deadline_ms) {
  struct lh_transfers *transfers = &engine->transfers;
  const char *refusal = NULL;
  for (size_t i = 0; i < transfers->shown_count; i++) {
    struct lh_transfer *transfer = transfers->shown[i];
    transfers->shown[i] = NULL;
    if (monotonic(engine) > deadline_ms) refusal = "lease was not started in time";
    int code = lease_start(engine, transfer, refusal);
    if (!refusal && (code == LH_E_SHORTAGE || code == LH_E_MEMORY))
      refusal = "another attempt before it could not be started";
  }
  transfers->shown_count = 0;
}

/* What the turn says about the next one. */
static void schedule(struct lh_engine *engine, const struct lh_turn *turn) {
  int64_t now_ms = monotonic(engine);
  engine->turn_at_ms = 0;
  if (turn->session_dead) engine->session = 0;
  engine->job_open = turn->job_open;
  if (turn->slots == 0) { /* it did not lease, so what was known to be due still is */
    if (turn->next_due_ms < engine->next_due_ms) engine->next_due_ms = turn->next_due_ms;
    return;
  }
  engine->more = turn->more || turn->session_dead;
  engine->woken = 0;
  engine->next_due_ms = turn->next_due_ms;
  engine->safety_at_ms = now_ms + LH_SAFETY_TIMER_MS;
  if (turn->leased == 0 && !engine->more && turn->next_due_ms <= turn->now_ms)
    engine->next_due_ms = turn->now_ms + LH_DUE_AGAIN_MS; /* due, but nobody could have it now */
}

/* A lack of memory may come from the leases: record alone next time. */
static int turn_failed(struct lh_engine *engine, int code) {
  int64_t now_ms = monotonic(engine);
  leases_forget(engine);
  engine->turn_at_ms = now_ms + LH_TURN_AGAIN_MS;
  if (code == LH_E_MEMORY) engine->lease_at_ms = now_ms + LH_SHORTAGE_PAUSE_MS;
  return code;
}

static int turn_take(struct lh_engine *engine, struct lh_turn *turn, struct lh_error *err) {
  int code = lh_dispatcher_session_renew(engine, err);
  if (code == 0) code = events_room(engine, err);
  if (code != 0) return code;
  turn->session = engine->session;
  turn->now_ms = wall(engine);
  turn->form_all = engine->form_all;
  if (lh_dispatcher_may_lease(engine, monotonic(engine))) {
    turn->slots = engine->concurrency - engine->transfers.flying_count;
    turn->bytes = bytes_wanted(engine);
  }
  return engine->store->requests->turn(engine->store, turn, err);
}

/* Something for administrators: a mail may be due. */
static int made_notices(const struct lh_engine *engine, const struct lh_turn *turn) {
  int made = turn->failed_unsent > 0 || turn->paused_unreadable > 0;
  for (size_t i = 0; i < engine->result_count && !made; i++)
    made = (engine->results[i].effects & LH_EFFECT_FAILED) || engine->results[i].paused_webhook;
  return made;
}

int lh_dispatcher_turn(struct lh_engine *engine, struct lh_error *err) {
  struct lh_transfers *transfers = &engine->transfers;
  const struct lh_lease_visitor visitor = {
      .self = engine, .begin = lease_begin, .event = lease_event, .end = lease_end};
  struct lh_turn turn = {
      .results = engine->results, .result_count = engine->result_count, .visitor = &visitor};
  int64_t deadline_ms = monotonic(engine) + LH_LEASE_START_MS;
  int code = turn_take(engine, &turn, err);
  if (code != 0) return turn_failed(engine, code);
  assert(turn.leased == transfers->shown_count);
  lh_transfers_forget_shown(transfers, turn.leased);
  if (turn.leased > 0 || engine->result_count > 0) engine->checkpoint_wanted = 1;
  engine->failed_unsent += turn.failed_unsent;
  engine->paused_unreadable += turn.paused_unreadable;
  if (made_notices(engine, &turn)) engine->mail_look_at_ms = 0;
  results_tell(engine);
  schedule(engine, &turn);
  leases_start(engine, deadline_ms);
  return 0;
}
