/*
** The state machine: every state × input × policy with the invariants as
** assertions, then the stories of the design one by one.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/delivery.h"

#define NOW_MS INT64_C(1700000000000)
#define INTERVAL_MS INT64_C(300000)
#define STATES 5
#define INPUTS 9

static struct lh_delivery_policy policy_of(enum lh_status status, int64_t epoch,
                                           enum lh_reason epoch_reason, int32_t retries_max) {
  return (struct lh_delivery_policy){
      .status = status,
      .epoch = epoch,
      .epoch_reason = epoch_reason,
      .retry = {.retries_max = retries_max, .interval_ms = INTERVAL_MS},
  };
}

static struct lh_delivery_policy enabled(int32_t retries_max) {
  return policy_of(LH_STATUS_ENABLED, 0, LH_REASON_NONE, retries_max);
}

static unsigned give(struct lh_delivery *delivery, enum lh_input_kind kind,
                     const struct lh_delivery_policy *policy, int64_t now_ms) {
  struct lh_input input = {.kind = kind};
  return lh_delivery_step(delivery, &input, policy, now_ms);
}

static int same(const struct lh_delivery *a, const struct lh_delivery *b) {
  return a->state == b->state && a->reason == b->reason && a->attempts_made == b->attempts_made &&
         a->budget_start == b->budget_start && a->next_attempt_ms == b->next_attempt_ms &&
         a->finished_ms == b->finished_ms && a->epoch == b->epoch;
}

/* What one step may do, whatever it was given. */
static void check_step(const struct lh_delivery *before, const struct lh_input *input,
                       const struct lh_delivery_policy *policy, const struct lh_delivery *after,
                       unsigned effects) {
  int32_t spent = after->attempts_made - after->budget_start;
  int own = after->reason == LH_REASON_RETRIES_EXHAUSTED;
  int became_failed = before->state != LH_FAILED && after->state == LH_FAILED;
  int became_delivered = before->state != LH_DELIVERED && after->state == LH_DELIVERED;

  assert_int_equal(lh_delivery_check(after, input, policy, NULL), LH_OK);
  if (before->state == LH_DELIVERED) /* absorbs */
    assert_true(same(before, after));
  if (effects & LH_EFFECT_REFUSED) {
    assert_int_equal(effects, LH_EFFECT_REFUSED);
    assert_true(same(before, after));
  }
  if (effects & LH_EFFECT_SEND) {
    assert_int_equal(effects, LH_EFFECT_SEND);
    assert_int_equal(after->state, LH_SENDING);
    assert_int_equal(after->next_attempt_ms, 0);
    assert_int_equal(after->attempts_made, before->attempts_made + 1);
    assert_int_equal(policy->status, LH_STATUS_ENABLED);
    assert_int_equal(after->epoch, policy->epoch);
    assert_true(spent <= 1 + policy->retry.retries_max);
    assert_true(before->next_attempt_ms <= NOW_MS);
  } else {
    assert_true(after->attempts_made <= before->attempts_made);
  }
  if (after->state == LH_SENDING && before->state != LH_SENDING)
    assert_true(effects & LH_EFFECT_SEND);
  assert_int_equal(!!(effects & LH_EFFECT_FAILED), became_failed);
  assert_int_equal(!!(effects & LH_EFFECT_DELIVERED), became_delivered);
  if (became_failed || became_delivered) assert_int_equal(after->finished_ms, NOW_MS);
  if (became_failed) assert_int_not_equal(after->reason, LH_REASON_NONE);
  assert_int_equal(!!(effects & LH_EFFECT_COUNT_FAILURE), became_failed && own);
  if (before->state == LH_FAILED && after->state != LH_FAILED)
    assert_true(input->kind == LH_INPUT_RETRY || input->kind == LH_INPUT_LATE_SUCCESS);
  if (after->budget_start != before->budget_start) assert_int_equal(input->kind, LH_INPUT_RETRY);
  if (effects & LH_EFFECT_FAILING_START)
    assert_true(input->kind == LH_INPUT_FAILURE && before->state == LH_SENDING);
  if (became_delivered) assert_true(effects & LH_EFFECT_FAILING_END);
  if (input->kind == LH_INPUT_LOST)
    assert_false(effects & (LH_EFFECT_FAILING_START | LH_EFFECT_FAILING_END));
  assert_false((effects & LH_EFFECT_LOG_ATTEMPT) && (effects & LH_EFFECT_REMOVE_ATTEMPT));
  if ((after->state == LH_PENDING || after->state == LH_RETRYING) && !same(before, after))
    assert_true(after->next_attempt_ms >= NOW_MS);
}

static int legal(const struct lh_delivery *delivery, const struct lh_delivery_policy *policy) {
  struct lh_input input = {.kind = LH_INPUT_LEASE};
  return lh_delivery_check(delivery, &input, policy, NULL) == LH_OK;
}

static void try_inputs(const struct lh_delivery *before, const struct lh_delivery_policy *policy,
                       size_t *steps) {
  for (int kind = 0; kind < INPUTS; kind++) {
    struct lh_input input = {.kind = (enum lh_input_kind)kind, .given_back_in_a_row = kind % 3};
    struct lh_delivery after = *before;
    unsigned effects = lh_delivery_step(&after, &input, policy, NOW_MS);
    check_step(before, &input, policy, &after, effects);
    ++*steps;
  }
}

static void try_deliveries(const struct lh_delivery_policy *policy, size_t *steps) {
  for (int n = 0; n < STATES * 6 * 9 * 9 * 2 * 2; n++) {
    int rest = n;
    struct lh_delivery before = {.state = (enum lh_state)(rest % STATES)};
    rest /= STATES;
    before.reason = (enum lh_reason)(rest % 6);
    rest /= 6;
    before.attempts_made = rest % 9;
    rest /= 9;
    before.budget_start = rest % 9;
    rest /= 9;
    before.epoch = policy->epoch - rest % 2;
    rest /= 2;
    before.next_attempt_ms = NOW_MS + (rest % 2 ? 1 : 0);
    if (legal(&before, policy)) try_inputs(&before, policy, steps);
  }
}

static void test_every_step_keeps_the_invariants(void **state) {
  (void)state;
  size_t steps = 0;
  for (int status = LH_STATUS_ENABLED; status <= LH_STATUS_DELETED; status++)
    for (int reason = LH_REASON_PAUSED; reason <= LH_REASON_DELETED; reason++)
      for (int32_t retries_max = 0; retries_max <= 5; retries_max++) {
        struct lh_delivery_policy policy =
            policy_of((enum lh_status)status, 7, (enum lh_reason)reason, retries_max);
        try_deliveries(&policy, &steps);
      }
  assert_true(steps > 100000);
}

/* The whole table for a webhook that is enabled, with budget left: where each input leads. */
static void test_table_of_an_enabled_webhook(void **state) {
  (void)state;
  enum { X = -1 }; /* refused */
  static const int next[STATES][INPUTS] = {
      /* lease, success, failure, lost, given back, late success, late failure, stop, retry */
      [LH_PENDING] = {LH_SENDING, X, X, X, X, LH_DELIVERED, LH_PENDING, X, X},
      [LH_SENDING] = {X, LH_DELIVERED, LH_RETRYING, LH_RETRYING, LH_RETRYING, LH_DELIVERED,
                      LH_SENDING, X, X},
      [LH_RETRYING] = {LH_SENDING, X, X, X, X, LH_DELIVERED, LH_RETRYING, X, X},
      [LH_DELIVERED] = {X, X, X, X, X, LH_DELIVERED, LH_DELIVERED, X, X},
      [LH_FAILED] = {X, X, X, X, X, LH_DELIVERED, LH_FAILED, X, LH_RETRYING},
  };
  struct lh_delivery_policy policy = enabled(5);
  for (int from = 0; from < STATES; from++)
    for (int kind = 0; kind < INPUTS; kind++) {
      struct lh_delivery delivery = {
          .state = (enum lh_state)from,
          .reason = from == LH_FAILED ? LH_REASON_PAUSED : LH_REASON_NONE,
          .attempts_made = from == LH_PENDING ? 0 : 2,
      };
      unsigned effects = give(&delivery, (enum lh_input_kind)kind, &policy, NOW_MS);
      if (next[from][kind] == X) {
        assert_int_equal(effects, LH_EFFECT_REFUSED);
        assert_int_equal(delivery.state, from);
      } else {
        assert_false(effects & LH_EFFECT_REFUSED);
        assert_int_equal(delivery.state, next[from][kind]);
      }
    }
}

static void test_six_failures_end_a_request(void **state) {
  (void)state;
  struct lh_delivery_policy policy = enabled(5);
  struct lh_delivery delivery = {.state = LH_PENDING};
  int64_t now_ms = NOW_MS;
  for (int32_t attempt = 1; attempt <= 6; attempt++) {
    assert_int_equal(give(&delivery, LH_INPUT_LEASE, &policy, now_ms), LH_EFFECT_SEND);
    assert_int_equal(delivery.attempts_made, attempt);
    now_ms += 700;
    unsigned effects = give(&delivery, LH_INPUT_FAILURE, &policy, now_ms);
    unsigned expected = LH_EFFECT_LOG_ATTEMPT | LH_EFFECT_FAILING_START;
    if (attempt == 6) expected |= LH_EFFECT_FAILED | LH_EFFECT_COUNT_FAILURE;
    assert_int_equal(effects, expected);
    if (attempt == 6) break;
    assert_int_equal(delivery.state, LH_RETRYING);
    assert_int_equal(delivery.next_attempt_ms, now_ms + INTERVAL_MS);
    /* not a millisecond early */
    assert_int_equal(give(&delivery, LH_INPUT_LEASE, &policy, now_ms + INTERVAL_MS - 1),
                     LH_EFFECT_REFUSED);
    now_ms += INTERVAL_MS;
  }
  assert_int_equal(delivery.state, LH_FAILED);
  assert_int_equal(delivery.reason, LH_REASON_RETRIES_EXHAUSTED);
  assert_int_equal(delivery.finished_ms, now_ms);
}

static void test_manual_retry_continues_numbers_with_a_fresh_budget(void **state) {
  (void)state;
  struct lh_delivery_policy policy = policy_of(LH_STATUS_ENABLED, 4, LH_REASON_PAUSED, 1);
  struct lh_delivery delivery = {.state = LH_FAILED,
                                 .reason = LH_REASON_RETRIES_EXHAUSTED,
                                 .attempts_made = 6,
                                 .finished_ms = 5,
                                 .epoch = 2};
  unsigned effects = give(&delivery, LH_INPUT_RETRY, &policy, NOW_MS);
  assert_int_equal(effects, LH_EFFECT_FAILING_END);
  assert_int_equal(delivery.state, LH_RETRYING);
  assert_int_equal(delivery.reason, LH_REASON_NONE);
  assert_int_equal(delivery.next_attempt_ms, NOW_MS);
  assert_int_equal(delivery.finished_ms, 0);
  assert_int_equal(delivery.epoch, 4);
  assert_int_equal(delivery.budget_start, 6);
  /* a double click makes one retry */
  assert_int_equal(give(&delivery, LH_INPUT_RETRY, &policy, NOW_MS), LH_EFFECT_REFUSED);
  for (int32_t attempt = 7; attempt <= 8; attempt++) {
    delivery.next_attempt_ms = NOW_MS;
    assert_int_equal(give(&delivery, LH_INPUT_LEASE, &policy, NOW_MS), LH_EFFECT_SEND);
    assert_int_equal(delivery.attempts_made, attempt);
    give(&delivery, LH_INPUT_FAILURE, &policy, NOW_MS);
  }
  assert_int_equal(delivery.state, LH_FAILED);
  assert_int_equal(delivery.reason, LH_REASON_RETRIES_EXHAUSTED);
}

static void test_manual_retry_is_refused_unless_the_webhook_is_enabled(void **state) {
  (void)state;
  for (int status = LH_STATUS_PAUSED; status <= LH_STATUS_DELETED; status++) {
    struct lh_delivery_policy policy = policy_of((enum lh_status)status, 1, LH_REASON_PAUSED, 5);
    struct lh_delivery delivery = {.state = LH_FAILED, .reason = LH_REASON_PAUSED, .epoch = 1};
    assert_int_equal(give(&delivery, LH_INPUT_RETRY, &policy, NOW_MS), LH_EFFECT_REFUSED);
  }
}

static void test_dead_worker_makes_its_request_due_at_once(void **state) {
  (void)state;
  struct lh_delivery_policy policy = enabled(5);
  struct lh_delivery delivery = {.state = LH_SENDING, .attempts_made = 1};
  assert_int_equal(give(&delivery, LH_INPUT_LOST, &policy, NOW_MS), LH_EFFECT_LOG_ATTEMPT);
  assert_int_equal(delivery.state, LH_RETRYING);
  assert_int_equal(delivery.next_attempt_ms, NOW_MS);
  assert_int_equal(delivery.attempts_made, 1); /* counts toward the budget */
}

static void test_budget_spent_on_dead_workers_fails_without_counting(void **state) {
  (void)state;
  struct lh_delivery_policy policy = enabled(0);
  struct lh_delivery delivery = {.state = LH_SENDING, .attempts_made = 1};
  assert_int_equal(give(&delivery, LH_INPUT_LOST, &policy, NOW_MS),
                   LH_EFFECT_LOG_ATTEMPT | LH_EFFECT_FAILED);
  assert_int_equal(delivery.state, LH_FAILED);
  assert_int_equal(delivery.reason, LH_REASON_WORKER_LOST);
}

static void test_given_back_attempt_gives_its_number_back(void **state) {
  (void)state;
  struct lh_delivery_policy policy = enabled(5);
  struct lh_delivery delivery = {.state = LH_PENDING};
  static const int64_t waits_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
  int64_t now_ms = NOW_MS;
  for (int32_t i = 0; i < 8; i++) {
    assert_int_equal(give(&delivery, LH_INPUT_LEASE, &policy, now_ms), LH_EFFECT_SEND);
    assert_int_equal(delivery.attempts_made, 1);
    struct lh_input input = {.kind = LH_INPUT_GIVEN_BACK, .given_back_in_a_row = i};
    assert_int_equal(lh_delivery_step(&delivery, &input, &policy, now_ms),
                     LH_EFFECT_REMOVE_ATTEMPT);
    assert_int_equal(delivery.state, LH_PENDING);
    assert_int_equal(delivery.attempts_made, 0);
    assert_int_equal(delivery.next_attempt_ms, now_ms + waits_ms[i]);
    now_ms = delivery.next_attempt_ms;
  }
}

static void test_given_back_second_attempt_stays_retrying(void **state) {
  (void)state;
  struct lh_delivery_policy policy = enabled(5);
  struct lh_delivery delivery = {.state = LH_SENDING, .attempts_made = 2};
  give(&delivery, LH_INPUT_GIVEN_BACK, &policy, NOW_MS);
  assert_int_equal(delivery.state, LH_RETRYING);
  assert_int_equal(delivery.attempts_made, 1);
}

static void test_request_in_flight_at_a_pause_is_decided_by_its_result(void **state) {
  (void)state;
  static const struct {
    enum lh_status status;
    enum lh_reason reason;
  } stops[] = {{LH_STATUS_PAUSED, LH_REASON_PAUSED},
               {LH_STATUS_DISABLED, LH_REASON_DISABLED},
               {LH_STATUS_DELETED, LH_REASON_DELETED},
               {LH_STATUS_ENABLED, LH_REASON_PAUSED}}; /* enabled again meanwhile */
  static const enum lh_input_kind ends[] = {LH_INPUT_FAILURE, LH_INPUT_LOST, LH_INPUT_GIVEN_BACK};
  for (size_t i = 0; i < 4; i++) {
    struct lh_delivery_policy policy = policy_of(stops[i].status, 1, stops[i].reason, 5);
    struct lh_delivery sending = {.state = LH_SENDING, .attempts_made = 1, .epoch = 0};
    struct lh_delivery delivery = sending;
    assert_int_equal(give(&delivery, LH_INPUT_STOP, &policy, NOW_MS), LH_EFFECT_REFUSED);
    assert_true(give(&delivery, LH_INPUT_SUCCESS, &policy, NOW_MS) & LH_EFFECT_DELIVERED);
    assert_int_equal(delivery.state, LH_DELIVERED);
    for (size_t k = 0; k < 3; k++) {
      delivery = sending;
      unsigned effects = give(&delivery, ends[k], &policy, NOW_MS);
      assert_true(effects & LH_EFFECT_FAILED);
      assert_false(effects & LH_EFFECT_COUNT_FAILURE);
      assert_int_equal(delivery.state, LH_FAILED);
      assert_int_equal(delivery.reason, stops[i].reason);
    }
  }
}

static void test_last_failure_during_a_pause_is_paused_not_exhausted(void **state) {
  (void)state;
  struct lh_delivery_policy policy = policy_of(LH_STATUS_PAUSED, 1, LH_REASON_PAUSED, 0);
  struct lh_delivery delivery = {.state = LH_SENDING, .attempts_made = 1};
  assert_int_equal(give(&delivery, LH_INPUT_FAILURE, &policy, NOW_MS),
                   LH_EFFECT_LOG_ATTEMPT | LH_EFFECT_FAILING_START | LH_EFFECT_FAILED);
  assert_int_equal(delivery.reason, LH_REASON_PAUSED);
}

static void test_waiting_requests_stop_with_their_webhook(void **state) {
  (void)state;
  struct lh_delivery_policy policy = policy_of(LH_STATUS_DISABLED, 3, LH_REASON_DISABLED, 5);
  static const enum lh_state from[] = {LH_PENDING, LH_RETRYING};
  for (size_t i = 0; i < 2; i++) {
    struct lh_delivery delivery = {.state = from[i], .epoch = 2, .next_attempt_ms = NOW_MS + 9};
    assert_int_equal(give(&delivery, LH_INPUT_STOP, &policy, NOW_MS), LH_EFFECT_FAILED);
    assert_int_equal(delivery.reason, LH_REASON_DISABLED);
    assert_int_equal(delivery.next_attempt_ms, 0);
  }
}

static void test_request_of_an_older_epoch_is_never_leased_again(void **state) {
  (void)state;
  /* paused and enabled again before the job came to this request */
  struct lh_delivery_policy policy = policy_of(LH_STATUS_ENABLED, 3, LH_REASON_PAUSED, 5);
  struct lh_delivery delivery = {.state = LH_RETRYING, .attempts_made = 1, .epoch = 2};
  assert_int_equal(give(&delivery, LH_INPUT_LEASE, &policy, NOW_MS), LH_EFFECT_FAILED);
  assert_int_equal(delivery.state, LH_FAILED);
  assert_int_equal(delivery.reason, LH_REASON_PAUSED);
  assert_int_equal(delivery.attempts_made, 1);
}

static void test_no_lease_while_the_webhook_is_not_enabled(void **state) {
  (void)state;
  for (int status = LH_STATUS_PAUSED; status <= LH_STATUS_DELETED; status++) {
    struct lh_delivery_policy policy = policy_of((enum lh_status)status, 2, LH_REASON_PAUSED, 5);
    struct lh_delivery delivery = {.state = LH_PENDING, .epoch = 2};
    assert_int_equal(give(&delivery, LH_INPUT_LEASE, &policy, NOW_MS), LH_EFFECT_REFUSED);
  }
}

static void test_lowered_budget_fails_at_the_lease_without_an_attempt(void **state) {
  (void)state;
  struct lh_delivery_policy policy = enabled(1);
  struct lh_delivery delivery = {.state = LH_RETRYING, .attempts_made = 3};
  assert_int_equal(give(&delivery, LH_INPUT_LEASE, &policy, NOW_MS),
                   LH_EFFECT_FAILED | LH_EFFECT_COUNT_FAILURE);
  assert_int_equal(delivery.reason, LH_REASON_RETRIES_EXHAUSTED);
  assert_int_equal(delivery.attempts_made, 3);
}

static void test_late_success_delivers_even_what_had_failed(void **state) {
  (void)state;
  struct lh_delivery_policy policy = policy_of(LH_STATUS_PAUSED, 1, LH_REASON_PAUSED, 5);
  struct lh_delivery delivery = {
      .state = LH_FAILED, .reason = LH_REASON_WORKER_LOST, .attempts_made = 6, .finished_ms = 1};
  assert_int_equal(give(&delivery, LH_INPUT_LATE_SUCCESS, &policy, NOW_MS),
                   LH_EFFECT_LOG_ATTEMPT | LH_EFFECT_DELIVERED | LH_EFFECT_FAILING_END);
  assert_int_equal(delivery.state, LH_DELIVERED);
  assert_int_equal(delivery.reason, LH_REASON_NONE);
  assert_int_equal(delivery.finished_ms, NOW_MS);
}

static void test_delivery_stays_final_after_late_answers(void **state) {
  (void)state;
  struct lh_delivery_policy policy = enabled(5);
  struct lh_delivery delivery = {.state = LH_DELIVERED, .attempts_made = 2, .finished_ms = 77};
  assert_int_equal(give(&delivery, LH_INPUT_LATE_FAILURE, &policy, NOW_MS), LH_EFFECT_LOG_ATTEMPT);
  assert_int_equal(give(&delivery, LH_INPUT_LATE_SUCCESS, &policy, NOW_MS),
                   LH_EFFECT_LOG_ATTEMPT | LH_EFFECT_FAILING_END);
  assert_int_equal(delivery.state, LH_DELIVERED);
  assert_int_equal(delivery.finished_ms, 77);
}

static void test_retry_after_and_schedule_reach_the_due_time(void **state) {
  (void)state;
  static const int32_t schedule_s[] = {5, 60, 900};
  struct lh_delivery_policy policy = enabled(5);
  struct lh_delivery delivery = {.state = LH_SENDING, .attempts_made = 9, .budget_start = 7};
  struct lh_input input = {.kind = LH_INPUT_FAILURE, .retry_after_ms = INTERVAL_MS + 1};
  lh_delivery_step(&delivery, &input, &policy, NOW_MS);
  assert_int_equal(delivery.next_attempt_ms, NOW_MS + INTERVAL_MS + 1);
  policy.retry.schedule_s = schedule_s;
  policy.retry.schedule_count = 3;
  delivery.state = LH_SENDING;
  input = (struct lh_input){.kind = LH_INPUT_FAILURE, .jitter_ppm = 1000000};
  lh_delivery_step(&delivery, &input, &policy, NOW_MS);
  assert_int_equal(delivery.next_attempt_ms, NOW_MS + 66000); /* second of this budget, + 10 % */
}

static void test_check_names_what_cannot_be(void **state) {
  (void)state;
  struct lh_delivery_policy policy = enabled(5);
  struct lh_input input = {.kind = LH_INPUT_LEASE};
  struct lh_error err;
  static const struct lh_delivery wrong[] = {
      {.state = (enum lh_state)9},
      {.state = LH_FAILED},
      {.state = LH_FAILED, .reason = (enum lh_reason)6},
      {.state = LH_PENDING, .reason = LH_REASON_PAUSED},
      {.state = LH_PENDING, .attempts_made = 1},
      {.state = LH_SENDING},
      {.state = LH_RETRYING, .attempts_made = 1, .budget_start = 2},
      {.state = LH_RETRYING, .budget_start = -1},
      {.state = LH_RETRYING, .epoch = 1},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    assert_int_equal(lh_delivery_check(&wrong[i], &input, &policy, &err), LH_E_INVALID);
    assert_non_null(strchr(err.message, ':'));
  }
  struct lh_delivery old = {.state = LH_PENDING, .epoch = -1};
  assert_int_equal(lh_delivery_check(&old, &input, &policy, &err), LH_E_INVALID);
  old.epoch = 0;
  assert_int_equal(lh_delivery_check(&old, &input, &policy, &err), LH_OK);
  input.kind = (enum lh_input_kind)INPUTS;
  assert_int_equal(lh_delivery_check(&old, &input, &policy, &err), LH_E_INVALID);
}

static void test_check_names_impossible_policies_and_inputs(void **state) {
  (void)state;
  const struct lh_delivery delivery = {.state = LH_SENDING, .attempts_made = 1};
  const struct lh_input input = {.kind = LH_INPUT_FAILURE};
  struct lh_delivery_policy policy = enabled(0);
  policy.retry.interval_ms = 0;
  assert_int_equal(lh_delivery_check(&delivery, &input, &policy, NULL), LH_OK);
  policy.retry.interval_ms = -1;
  assert_int_equal(lh_delivery_check(&delivery, &input, &policy, NULL), LH_E_INVALID);
  policy = enabled(-1);
  assert_int_equal(lh_delivery_check(&delivery, &input, &policy, NULL), LH_E_INVALID);
  policy = policy_of((enum lh_status)4, 0, LH_REASON_NONE, 5);
  assert_int_equal(lh_delivery_check(&delivery, &input, &policy, NULL), LH_E_INVALID);
  policy = policy_of(LH_STATUS_ENABLED, 1, LH_REASON_WORKER_LOST, 5);
  assert_int_equal(lh_delivery_check(&delivery, &input, &policy, NULL), LH_E_INVALID);
  policy = enabled(5);
  struct lh_input wrong = {.kind = LH_INPUT_FAILURE, .retry_after_ms = -1};
  assert_int_equal(lh_delivery_check(&delivery, &wrong, &policy, NULL), LH_E_INVALID);
  wrong = (struct lh_input){.kind = LH_INPUT_GIVEN_BACK, .given_back_in_a_row = -1};
  assert_int_equal(lh_delivery_check(&delivery, &wrong, &policy, NULL), LH_E_INVALID);
}

static void test_names(void **state) {
  (void)state;
  assert_string_equal(lh_state_name(LH_PENDING), "pending");
  assert_string_equal(lh_state_name(LH_SENDING), "sending");
  assert_string_equal(lh_state_name(LH_RETRYING), "retrying");
  assert_string_equal(lh_state_name(LH_DELIVERED), "delivered");
  assert_string_equal(lh_state_name(LH_FAILED), "failed");
  assert_string_equal(lh_reason_name(LH_REASON_NONE), "");
  assert_string_equal(lh_reason_name(LH_REASON_RETRIES_EXHAUSTED), "retries_exhausted");
  assert_string_equal(lh_reason_name(LH_REASON_WORKER_LOST), "worker_lost");
  assert_string_equal(lh_reason_name(LH_REASON_PAUSED), "paused");
  assert_string_equal(lh_reason_name(LH_REASON_DISABLED), "disabled");
  assert_string_equal(lh_reason_name(LH_REASON_DELETED), "deleted");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_step_keeps_the_invariants),
      cmocka_unit_test(test_table_of_an_enabled_webhook),
      cmocka_unit_test(test_six_failures_end_a_request),
      cmocka_unit_test(test_manual_retry_continues_numbers_with_a_fresh_budget),
      cmocka_unit_test(test_manual_retry_is_refused_unless_the_webhook_is_enabled),
      cmocka_unit_test(test_dead_worker_makes_its_request_due_at_once),
      cmocka_unit_test(test_budget_spent_on_dead_workers_fails_without_counting),
      cmocka_unit_test(test_given_back_attempt_gives_its_number_back),
      cmocka_unit_test(test_given_back_second_attempt_stays_retrying),
      cmocka_unit_test(test_request_in_flight_at_a_pause_is_decided_by_its_result),
      cmocka_unit_test(test_last_failure_during_a_pause_is_paused_not_exhausted),
      cmocka_unit_test(test_waiting_requests_stop_with_their_webhook),
      cmocka_unit_test(test_request_of_an_older_epoch_is_never_leased_again),
      cmocka_unit_test(test_no_lease_while_the_webhook_is_not_enabled),
      cmocka_unit_test(test_lowered_budget_fails_at_the_lease_without_an_attempt),
      cmocka_unit_test(test_late_success_delivers_even_what_had_failed),
      cmocka_unit_test(test_delivery_stays_final_after_late_answers),
      cmocka_unit_test(test_retry_after_and_schedule_reach_the_due_time),
      cmocka_unit_test(test_check_names_what_cannot_be),
      cmocka_unit_test(test_check_names_impossible_policies_and_inputs),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
