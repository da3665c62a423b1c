/*
** The one place where a request's state is decided; delivery.h shows the
** picture. One function per input, each of them total over the states.
*/
#include "core/delivery.h"

#include <assert.h>

const char *lh_state_name(enum lh_state state) {
  static const char *const names[] = {"pending", "sending", "retrying", "delivered", "failed"};
  assert(state >= LH_PENDING && state <= LH_FAILED);
  return names[state];
}

const char *lh_reason_name(enum lh_reason reason) {
  static const char *const names[] = {"",       "retries_exhausted", "worker_lost",
                                      "paused", "disabled",          "deleted"};
  assert(reason >= LH_REASON_NONE && reason <= LH_REASON_DELETED);
  return names[reason];
}

/* What is impossible about a request, or NULL. Holds before and after every step. */
static const char *state_problem(const struct lh_delivery *delivery) {
  if (delivery->state < LH_PENDING || delivery->state > LH_FAILED) return "state: unknown";
  if (delivery->reason < LH_REASON_NONE || delivery->reason > LH_REASON_DELETED)
    return "reason: unknown";
  if ((delivery->state == LH_FAILED) != (delivery->reason != LH_REASON_NONE))
    return "reason: goes with failed, and only with it";
  if (delivery->budget_start < 0 || delivery->attempts_made < delivery->budget_start)
    return "budget_start: is not between 0 and attempts_made";
  if (delivery->state == LH_SENDING && delivery->attempts_made == delivery->budget_start)
    return "attempts_made: sending without an attempt of the budget";
  if (delivery->state == LH_PENDING && delivery->attempts_made > 0)
    return "attempts_made: pending, but attempts were made";
  return NULL;
}

static const char *policy_problem(const struct lh_delivery *delivery,
                                  const struct lh_delivery_policy *policy) {
  if (policy->status < LH_STATUS_ENABLED || policy->status > LH_STATUS_DELETED)
    return "status: unknown";
  if (delivery->epoch > policy->epoch) return "epoch: of the request is newer than the webhook's";
  if (policy->epoch_reason > LH_REASON_DELETED ||
      (delivery->epoch < policy->epoch && policy->epoch_reason < LH_REASON_PAUSED))
    return "epoch_reason: is not paused, disabled or deleted";
  if (policy->retry.retries_max < 0 || policy->retry.interval_ms < 0)
    return "retry: a negative number";
  return NULL;
}

int lh_delivery_check(const struct lh_delivery *delivery, const struct lh_input *input,
                      const struct lh_delivery_policy *policy, struct lh_error *err) {
  const char *problem = state_problem(delivery);
  if (problem == NULL) problem = policy_problem(delivery, policy);
  if (problem == NULL && (input->kind < LH_INPUT_LEASE || input->kind > LH_INPUT_RETRY))
    problem = "kind: unknown";
  if (problem == NULL && (input->given_back_in_a_row < 0 || input->retry_after_ms < 0))
    problem = "input: a negative number";
  return problem == NULL ? LH_OK : lh_error_set(err, LH_E_INVALID, "%s", problem);
}

/* Why a request of this webhook may go no further, or NONE if it may. */
static enum lh_reason stop_reason(const struct lh_delivery *delivery,
                                  const struct lh_delivery_policy *policy) {
  switch (policy->status) {
  case LH_STATUS_PAUSED:
    return LH_REASON_PAUSED;
  case LH_STATUS_DISABLED:
    return LH_REASON_DISABLED;
  case LH_STATUS_DELETED:
    return LH_REASON_DELETED;
  case LH_STATUS_ENABLED:
    break;
  }
  if (delivery->epoch >= policy->epoch) return LH_REASON_NONE;
  return policy->epoch_reason;
}

static int budget_used(const struct lh_delivery *delivery,
                       const struct lh_delivery_policy *policy) {
  return lh_retry_exhausted(&policy->retry, delivery->attempts_made - delivery->budget_start);
}

static int waits(const struct lh_delivery *delivery) {
  return delivery->state == LH_PENDING || delivery->state == LH_RETRYING;
}

static unsigned finish(struct lh_delivery *delivery, enum lh_state state, enum lh_reason reason,
                       int64_t now_ms) {
  delivery->state = state;
  delivery->reason = reason;
  delivery->next_attempt_ms = 0;
  delivery->finished_ms = now_ms;
  return state == LH_DELIVERED ? LH_EFFECT_DELIVERED : LH_EFFECT_FAILED;
}

static unsigned wait_until(struct lh_delivery *delivery, enum lh_state state, int64_t due_ms) {
  delivery->state = state;
  delivery->reason = LH_REASON_NONE;
  delivery->next_attempt_ms = due_ms;
  delivery->finished_ms = 0;
  return LH_EFFECT_NONE;
}

static unsigned lease(struct lh_delivery *delivery, const struct lh_delivery_policy *policy,
                      int64_t now_ms) {
  if (!waits(delivery)) return LH_EFFECT_REFUSED;
  if (delivery->epoch < policy->epoch) /* accepted before a pause, disable or delete */
    return finish(delivery, LH_FAILED, policy->epoch_reason, now_ms);
  if (policy->status != LH_STATUS_ENABLED || delivery->next_attempt_ms > now_ms)
    return LH_EFFECT_REFUSED;
  if (budget_used(delivery, policy)) /* retries_max was lowered meanwhile */
    return finish(delivery, LH_FAILED, LH_REASON_RETRIES_EXHAUSTED, now_ms) |
           LH_EFFECT_COUNT_FAILURE;
  delivery->state = LH_SENDING;
  delivery->attempts_made++;
  delivery->next_attempt_ms = 0;
  return LH_EFFECT_SEND;
}

static unsigned success(struct lh_delivery *delivery, int64_t now_ms) {
  if (delivery->state != LH_SENDING) return LH_EFFECT_REFUSED;
  return finish(delivery, LH_DELIVERED, LH_REASON_NONE, now_ms) | LH_EFFECT_LOG_ATTEMPT |
         LH_EFFECT_FAILING_END;
}

static unsigned failure(struct lh_delivery *delivery, const struct lh_input *input,
                        const struct lh_delivery_policy *policy, int64_t now_ms) {
  if (delivery->state != LH_SENDING) return LH_EFFECT_REFUSED;
  unsigned effects = LH_EFFECT_LOG_ATTEMPT | LH_EFFECT_FAILING_START;
  enum lh_reason stopped = stop_reason(delivery, policy);
  if (stopped != LH_REASON_NONE) return effects | finish(delivery, LH_FAILED, stopped, now_ms);
  if (budget_used(delivery, policy))
    return effects | LH_EFFECT_COUNT_FAILURE |
           finish(delivery, LH_FAILED, LH_REASON_RETRIES_EXHAUSTED, now_ms);
  int64_t due_ms = lh_retry_due(&policy->retry, delivery->attempts_made - delivery->budget_start,
                                now_ms, input->retry_after_ms, input->jitter_ppm);
  return effects | wait_until(delivery, LH_RETRYING, due_ms);
}

/* Counts toward the budget, for bytes may have been sent, but says nothing about the receiver. */
static unsigned lost(struct lh_delivery *delivery, const struct lh_delivery_policy *policy,
                     int64_t now_ms) {
  if (delivery->state != LH_SENDING) return LH_EFFECT_REFUSED;
  unsigned effects = LH_EFFECT_LOG_ATTEMPT;
  enum lh_reason stopped = stop_reason(delivery, policy);
  if (stopped != LH_REASON_NONE) return effects | finish(delivery, LH_FAILED, stopped, now_ms);
  if (budget_used(delivery, policy))
    return effects | finish(delivery, LH_FAILED, LH_REASON_WORKER_LOST, now_ms);
  return effects | wait_until(delivery, LH_RETRYING, now_ms);
}

static unsigned given_back(struct lh_delivery *delivery, const struct lh_input *input,
                           const struct lh_delivery_policy *policy, int64_t now_ms) {
  if (delivery->state != LH_SENDING) return LH_EFFECT_REFUSED;
  unsigned effects = LH_EFFECT_REMOVE_ATTEMPT;
  delivery->attempts_made--;
  enum lh_reason stopped = stop_reason(delivery, policy);
  if (stopped != LH_REASON_NONE) return effects | finish(delivery, LH_FAILED, stopped, now_ms);
  enum lh_state state = delivery->attempts_made == 0 ? LH_PENDING : LH_RETRYING;
  int64_t wait_ms = lh_retry_backoff_ms(input->given_back_in_a_row + 1, 0);
  return effects | wait_until(delivery, state, now_ms + wait_ms);
}

static unsigned late_success(struct lh_delivery *delivery, int64_t now_ms) {
  unsigned effects = LH_EFFECT_LOG_ATTEMPT | LH_EFFECT_FAILING_END;
  if (delivery->state == LH_DELIVERED) /* by another attempt */
    return effects;
  return effects | finish(delivery, LH_DELIVERED, LH_REASON_NONE, now_ms);
}

static unsigned stop(struct lh_delivery *delivery, const struct lh_delivery_policy *policy,
                     int64_t now_ms) {
  enum lh_reason stopped = stop_reason(delivery, policy);
  if (!waits(delivery) || stopped == LH_REASON_NONE) /* what is in flight decides itself */
    return LH_EFFECT_REFUSED;
  return finish(delivery, LH_FAILED, stopped, now_ms);
}

static unsigned retry(struct lh_delivery *delivery, const struct lh_delivery_policy *policy,
                      int64_t now_ms) {
  if (delivery->state != LH_FAILED || policy->status != LH_STATUS_ENABLED) return LH_EFFECT_REFUSED;
  delivery->budget_start = delivery->attempts_made;
  delivery->epoch = policy->epoch;
  return LH_EFFECT_FAILING_END | wait_until(delivery, LH_RETRYING, now_ms);
}

static unsigned step(struct lh_delivery *delivery, const struct lh_input *input,
                     const struct lh_delivery_policy *policy, int64_t now_ms) {
  switch (input->kind) {
  case LH_INPUT_LEASE:
    return lease(delivery, policy, now_ms);
  case LH_INPUT_SUCCESS:
    return success(delivery, now_ms);
  case LH_INPUT_FAILURE:
    return failure(delivery, input, policy, now_ms);
  case LH_INPUT_LOST:
    return lost(delivery, policy, now_ms);
  case LH_INPUT_GIVEN_BACK:
    return given_back(delivery, input, policy, now_ms);
  case LH_INPUT_LATE_SUCCESS:
    return late_success(delivery, now_ms);
  case LH_INPUT_LATE_FAILURE:
    return LH_EFFECT_LOG_ATTEMPT;
  case LH_INPUT_STOP:
    return stop(delivery, policy, now_ms);
  case LH_INPUT_RETRY:
    return retry(delivery, policy, now_ms);
  }
  return LH_EFFECT_REFUSED;
}

unsigned lh_delivery_step(struct lh_delivery *delivery, const struct lh_input *input,
                          const struct lh_delivery_policy *policy, int64_t now_ms) {
  assert(lh_delivery_check(delivery, input, policy, NULL) == LH_OK);
  unsigned effects = step(delivery, input, policy, now_ms);
  assert(state_problem(delivery) == NULL);
  return effects;
}
