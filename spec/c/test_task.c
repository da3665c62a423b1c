/*
** A task's state machine: every state × input × policy with the invariants as
** assertions, then the stories of the design one by one.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/task.h"

#define NOW_MS INT64_C(1700000000000)
#define STATES 5
#define REASONS 6
#define INPUTS 9

static struct lh_task_policy policy_of(int32_t tries, int fails_when_unknown) {
  return (struct lh_task_policy){
      .tries = tries,
      .factor = LH_TASK_FACTOR,
      .first_ms = LH_TASK_FIRST_MS,
      .max_ms = LH_TASK_MAX_MS,
      .fails_when_unknown = fails_when_unknown,
  };
}

static const struct lh_task_policy retries = {10, 3, 10000, 21600000, 0};
static const struct lh_task_policy fails = {10, 3, 10000, 21600000, 1};

/* Middle jitter: none at all. */
static unsigned give(struct lh_task *task, enum lh_task_input_kind kind,
                     const struct lh_task_policy *policy, int64_t now_ms) {
  struct lh_task_input input = {.kind = kind, .attempt = task->attempts_made, .jitter_ppm = 500000};
  return lh_task_step(task, &input, policy, now_ms);
}

static int same(const struct lh_task *a, const struct lh_task *b) {
  return a->state == b->state && a->reason == b->reason && a->attempts_made == b->attempts_made &&
         a->budget_start == b->budget_start && a->strikes == b->strikes && a->alone == b->alone &&
         a->due_ms == b->due_ms && a->finished_ms == b->finished_ms;
}

static int is_finished(const struct lh_task *task) {
  return task->state == LH_TASK_DONE || task->state == LH_TASK_FAILED;
}

/* Attempts, tries and strikes. */
static void check_numbers(const struct lh_task *before, const struct lh_task_input *input,
                          const struct lh_task_policy *policy, const struct lh_task *after,
                          unsigned effects) {
  int32_t tries = after->attempts_made - after->budget_start;
  if (effects & LH_TASK_EFFECT_STARTED) {
    assert_int_equal(effects, LH_TASK_EFFECT_STARTED);
    assert_int_equal(input->kind, LH_TASK_IN_START);
    assert_int_equal(after->state, LH_TASK_RUNNING);
    assert_int_equal(after->attempts_made, before->attempts_made + 1);
    assert_true(before->due_ms <= NOW_MS);
    assert_true(tries <= policy->tries);
  } else if (after->attempts_made != before->attempts_made) {
    assert_int_equal(input->kind, LH_TASK_IN_GIVEN_BACK);
    assert_int_equal(after->attempts_made, before->attempts_made - 1);
  }
  if (after->budget_start != before->budget_start)
    assert_true(input->kind == LH_TASK_IN_RETRY || input->kind == LH_TASK_IN_LOST);
  if (after->strikes > before->strikes)
    assert_true(input->kind == LH_TASK_IN_LOST && before->alone);
  if (after->strikes < before->strikes) assert_int_equal(input->kind, LH_TASK_IN_RETRY);
  if (after->alone && !before->alone) assert_int_equal(input->kind, LH_TASK_IN_LOST);
}

/* What one step may do, whatever it was given. */
static void check_step(const struct lh_task *before, const struct lh_task_input *input,
                       const struct lh_task_policy *policy, const struct lh_task *after,
                       unsigned effects) {
  assert_int_equal(lh_task_check(after, input, policy, NULL), LH_OK);
  if (before->state == LH_TASK_DONE) assert_true(same(before, after)); /* absorbs */
  if (effects & LH_TASK_EFFECT_REFUSED) {
    assert_int_equal(effects, LH_TASK_EFFECT_REFUSED);
    assert_true(same(before, after));
  }
  check_numbers(before, input, policy, after, effects);
  if (after->state == LH_TASK_RUNNING && before->state != LH_TASK_RUNNING)
    assert_true(effects & LH_TASK_EFFECT_STARTED);
  assert_int_equal(!!(effects & LH_TASK_EFFECT_ENDED), !is_finished(before) && is_finished(after));
  if (is_finished(after) && !same(before, after)) {
    assert_int_equal(after->finished_ms, NOW_MS);
    assert_int_equal(after->due_ms, 0);
  }
  if (before->state == LH_TASK_FAILED && after->state != LH_TASK_FAILED)
    assert_true(input->kind == LH_TASK_IN_RETRY || input->kind == LH_TASK_IN_SUCCESS);
  int speaks = input->kind >= LH_TASK_IN_FAILURE && input->kind <= LH_TASK_IN_GIVEN_BACK;
  int late = before->state != LH_TASK_RUNNING || input->attempt != before->attempts_made;
  if (speaks && late) assert_int_equal(effects, LH_TASK_EFFECT_REFUSED);
  if (input->kind == LH_TASK_IN_SUCCESS) assert_int_equal(after->state, LH_TASK_DONE);
  if (!is_finished(after) && after->state != LH_TASK_RUNNING && !same(before, after)) {
    assert_true(after->due_ms >= NOW_MS && after->due_ms <= NOW_MS + policy->max_ms);
    assert_int_equal(after->finished_ms, 0);
  }
}

static void try_inputs(const struct lh_task *before, const struct lh_task_policy *policy,
                       size_t *steps) {
  for (int n = 0; n < INPUTS * 3 * 2; n++) {
    struct lh_task_input input = {.kind = (enum lh_task_input_kind)(n % INPUTS)};
    input.attempt = before->attempts_made - n / INPUTS % 3;
    input.retry_after_ms = n / INPUTS / 3 ? 25000 : 0;
    if (input.attempt < 0) continue;
    struct lh_task after = *before;
    unsigned effects = lh_task_step(&after, &input, policy, NOW_MS);
    check_step(before, &input, policy, &after, effects);
    ++*steps;
  }
}

static int legal(const struct lh_task *task, const struct lh_task_policy *policy) {
  struct lh_task_input input = {.kind = LH_TASK_IN_START};
  return lh_task_check(task, &input, policy, NULL) == LH_OK;
}

static void try_tasks(const struct lh_task_policy *policy, size_t *steps) {
  static const int64_t dues[] = {NOW_MS - 1, NOW_MS, NOW_MS + 1, LH_TASK_WAITS};
  for (int n = 0; n < STATES * REASONS * 7 * 7 * 4 * 2 * 4; n++) {
    int rest = n;
    struct lh_task before = {.state = (enum lh_task_state)(rest % STATES)};
    rest /= STATES;
    before.reason = (enum lh_task_reason)(rest % REASONS);
    rest /= REASONS;
    before.attempts_made = rest % 7;
    rest /= 7;
    before.budget_start = rest % 7;
    rest /= 7;
    before.strikes = rest % 4;
    rest /= 4;
    before.alone = rest % 2;
    rest /= 2;
    int waiting = before.state == LH_TASK_PENDING || before.state == LH_TASK_RETRYING;
    before.due_ms = waiting ? dues[rest % 4] : 0;
    if (!waiting && rest % 4 > 0) continue;
    before.finished_ms = is_finished(&before) ? NOW_MS - 5 : 0;
    if (legal(&before, policy)) try_inputs(&before, policy, steps);
  }
}

static void test_every_step_keeps_the_invariants(void **state) {
  (void)state;
  size_t steps = 0;
  for (int32_t tries = 1; tries <= 5; tries++)
    for (int unknown = 0; unknown <= 1; unknown++) {
      struct lh_task_policy policy = policy_of(tries, unknown);
      try_tasks(&policy, &steps);
    }
  assert_true(steps > 100000);
}

static void test_what_cannot_be_is_named(void **state) {
  (void)state;
  static const struct {
    struct lh_task task;
    const char *message;
  } impossible[] = {
      {{.state = (enum lh_task_state)5}, "state: unknown"},
      {{.reason = (enum lh_task_reason)6}, "reason: unknown"},
      {{.state = LH_TASK_FAILED}, "reason: goes with failed, and only with it"},
      {{.reason = LH_TASK_POISON}, "reason: goes with failed, and only with it"},
      {{.budget_start = 1}, "budget_start: is not between 0 and attempts_made"},
      {{.state = LH_TASK_RUNNING}, "attempts_made: running without an attempt of the budget"},
      {{.attempts_made = 1}, "attempts_made: pending, but attempts were made"},
      {{.strikes = 4}, "strikes: not 0 to 3"},
      {{.strikes = 3}, "strikes: three, but not over"},
      {{.alone = 2}, "alone: not 0 or 1"},
  };
  struct lh_error err;
  struct lh_task_input input = {.kind = LH_TASK_IN_START};
  struct lh_task fine = {.due_ms = NOW_MS};
  for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
    assert_int_equal(lh_task_check(&impossible[i].task, &input, &retries, &err), LH_E_INVALID);
    assert_string_equal(err.message, impossible[i].message);
  }
  static const struct lh_task_policy policies[] = {{0, 3, 10, 20, 0},
                                                   {1, 0, 10, 20, 0},
                                                   {1, 3, -1, 20, 0},
                                                   {1, 3, 21, 20, 0},
                                                   {1, 3, 10, LH_TASK_WAIT_MS_MAX + 1, 0}};
  for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
    assert_int_equal(lh_task_check(&fine, &input, &policies[i], NULL), LH_E_INVALID);
  input.attempt = -1;
  assert_int_equal(lh_task_check(&fine, &input, &retries, NULL), LH_E_INVALID);
  input = (struct lh_task_input){.kind = (enum lh_task_input_kind)9};
  assert_int_equal(lh_task_check(&fine, &input, &retries, NULL), LH_E_INVALID);
}

static void test_ten_tries_with_growing_waits(void **state) {
  (void)state;
  static const int64_t waits_ms[] = {10000,   30000,   90000,    270000,  810000,
                                     2430000, 7290000, 21600000, 21600000};
  struct lh_task task = {.due_ms = NOW_MS};
  int64_t now_ms = NOW_MS;
  for (int i = 0; i < 9; i++) {
    assert_int_equal(give(&task, LH_TASK_IN_START, &retries, now_ms), LH_TASK_EFFECT_STARTED);
    assert_int_equal(task.attempts_made, i + 1);
    assert_int_equal(give(&task, LH_TASK_IN_FAILURE, &retries, now_ms), LH_TASK_EFFECT_NONE);
    assert_int_equal(task.state, LH_TASK_RETRYING);
    assert_int_equal(task.due_ms - now_ms, waits_ms[i]);
    now_ms = task.due_ms;
  }
  give(&task, LH_TASK_IN_START, &retries, now_ms);
  assert_int_equal(give(&task, LH_TASK_IN_FAILURE, &retries, now_ms), LH_TASK_EFFECT_ENDED);
  assert_int_equal(task.state, LH_TASK_FAILED);
  assert_int_equal(task.reason, LH_TASK_RETRIES_EXHAUSTED);
  assert_int_equal(task.attempts_made, 10);
}

static void test_jitter_is_a_tenth_and_never_beyond_the_longest(void **state) {
  (void)state;
  assert_int_equal(lh_task_wait_ms(&retries, 1, 0, 0), 9000);
  assert_int_equal(lh_task_wait_ms(&retries, 1, 0, 250000), 9500);
  assert_int_equal(lh_task_wait_ms(&retries, 1, 0, 1000000), 11000);
  assert_int_equal(lh_task_wait_ms(&retries, 1, 0, UINT32_MAX), 11000);
  assert_int_equal(lh_task_wait_ms(&retries, 100, 0, 0), 19440000);
  assert_int_equal(lh_task_wait_ms(&retries, 100, 0, 500000), 21600000);
  assert_int_equal(lh_task_wait_ms(&retries, 100, 0, 1000000), 19440000); /* spread below it */
  const struct lh_task_policy steady = {100, 1, 500, 500, 0};
  assert_int_equal(lh_task_wait_ms(&steady, 99, 0, 500000), 500);
  const struct lh_task_policy none = {100, 3, 0, 0, 0};
  assert_int_equal(lh_task_wait_ms(&none, 99, 60000, 1000000), 0);
}

static void test_retry_after_only_lengthens(void **state) {
  (void)state;
  assert_int_equal(lh_task_wait_ms(&retries, 1, 1, 500000), 10000);
  assert_int_equal(lh_task_wait_ms(&retries, 1, 60000, 500000), 60000);
  assert_int_equal(lh_task_wait_ms(&retries, 1, INT64_MAX, 500000), LH_TASK_MAX_MS);
  struct lh_task task = {.due_ms = NOW_MS};
  give(&task, LH_TASK_IN_START, &retries, NOW_MS);
  struct lh_task_input failure = {LH_TASK_IN_FAILURE, 1, 45000, 500000};
  lh_task_step(&task, &failure, &retries, NOW_MS);
  assert_int_equal(task.due_ms, NOW_MS + 45000);
}

static void test_not_before_it_is_due(void **state) {
  (void)state;
  struct lh_task task = {.due_ms = NOW_MS + 1};
  assert_int_equal(give(&task, LH_TASK_IN_START, &retries, NOW_MS), LH_TASK_EFFECT_REFUSED);
  task.due_ms = LH_TASK_WAITS;
  assert_int_equal(give(&task, LH_TASK_IN_START, &retries, INT64_MAX - 1), LH_TASK_EFFECT_REFUSED);
}

static void test_refused_is_final_at_once(void **state) {
  (void)state;
  struct lh_task task = {.due_ms = NOW_MS};
  give(&task, LH_TASK_IN_START, &retries, NOW_MS);
  assert_int_equal(give(&task, LH_TASK_IN_REFUSAL, &retries, NOW_MS + 7), LH_TASK_EFFECT_ENDED);
  assert_int_equal(task.reason, LH_TASK_REFUSED);
  assert_int_equal(task.finished_ms, NOW_MS + 7);
}

static void test_unknown_retries_or_fails_as_the_handler_says(void **state) {
  (void)state;
  struct lh_task task = {.due_ms = NOW_MS}, other = task;
  give(&task, LH_TASK_IN_START, &retries, NOW_MS);
  give(&task, LH_TASK_IN_UNKNOWN, &retries, NOW_MS);
  assert_int_equal(task.state, LH_TASK_RETRYING);
  assert_int_equal(task.due_ms, NOW_MS + 10000);
  give(&other, LH_TASK_IN_START, &fails, NOW_MS);
  give(&other, LH_TASK_IN_UNKNOWN, &fails, NOW_MS);
  assert_int_equal(other.state, LH_TASK_FAILED);
  assert_int_equal(other.reason, LH_TASK_UNKNOWN);
}

static void test_a_failure_that_is_known_is_retried_by_both(void **state) {
  (void)state;
  struct lh_task task = {.due_ms = NOW_MS};
  give(&task, LH_TASK_IN_START, &fails, NOW_MS);
  give(&task, LH_TASK_IN_FAILURE, &fails, NOW_MS);
  assert_int_equal(task.state, LH_TASK_RETRYING);
}

static void test_a_lost_one_runs_alone_at_once_and_is_no_try(void **state) {
  (void)state;
  struct lh_task task = {.due_ms = NOW_MS};
  give(&task, LH_TASK_IN_START, &retries, NOW_MS);
  assert_int_equal(give(&task, LH_TASK_IN_LOST, &retries, NOW_MS + 5), LH_TASK_EFFECT_NONE);
  assert_int_equal(task.state, LH_TASK_RETRYING);
  assert_int_equal(task.due_ms, NOW_MS + 5);
  assert_int_equal(task.alone, 1);
  assert_int_equal(task.strikes, 0);
  assert_int_equal(task.attempts_made - task.budget_start, 0);
  give(&task, LH_TASK_IN_START, &retries, NOW_MS + 5);
  assert_int_equal(task.attempts_made, 2); /* its number is not used again */
  give(&task, LH_TASK_IN_FAILURE, &retries, NOW_MS + 5);
  assert_int_equal(task.alone, 0);
  assert_int_equal(task.due_ms, NOW_MS + 5 + 10000); /* its first failure */
}

static void test_third_strike_is_poison(void **state) {
  (void)state;
  struct lh_task task = {.due_ms = NOW_MS};
  for (int death = 0; death < 3; death++) {
    give(&task, LH_TASK_IN_START, &retries, NOW_MS);
    assert_int_equal(give(&task, LH_TASK_IN_LOST, &retries, NOW_MS), LH_TASK_EFFECT_NONE);
    assert_int_equal(task.strikes, death);
  }
  give(&task, LH_TASK_IN_START, &retries, NOW_MS);
  assert_int_equal(give(&task, LH_TASK_IN_LOST, &retries, NOW_MS), LH_TASK_EFFECT_ENDED);
  assert_int_equal(task.state, LH_TASK_FAILED);
  assert_int_equal(task.reason, LH_TASK_POISON);
  assert_int_equal(task.attempts_made, 4);
  give(&task, LH_TASK_IN_RETRY, &retries, NOW_MS);
  assert_int_equal(task.strikes, 0);
  assert_int_equal(task.alone, 1); /* it is known for what it can do */
}

static void test_strikes_stay_when_it_fails_in_between(void **state) {
  (void)state;
  struct lh_task task = {
      .state = LH_TASK_RETRYING, .attempts_made = 3, .strikes = 2, .due_ms = NOW_MS};
  give(&task, LH_TASK_IN_START, &retries, NOW_MS);
  give(&task, LH_TASK_IN_LOST, &retries, NOW_MS);
  assert_int_equal(task.strikes, 2); /* others ran beside it: no strike */
  give(&task, LH_TASK_IN_START, &retries, NOW_MS);
  give(&task, LH_TASK_IN_LOST, &retries, NOW_MS);
  assert_int_equal(task.reason, LH_TASK_POISON);
}

static void test_a_lost_one_fails_if_unknown_means_fail(void **state) {
  (void)state;
  struct lh_task task = {.due_ms = NOW_MS};
  give(&task, LH_TASK_IN_START, &fails, NOW_MS);
  assert_int_equal(give(&task, LH_TASK_IN_LOST, &fails, NOW_MS), LH_TASK_EFFECT_ENDED);
  assert_int_equal(task.reason, LH_TASK_UNKNOWN);
  give(&task, LH_TASK_IN_RETRY, &fails, NOW_MS);
  assert_int_equal(task.alone, 1);
}

static void test_given_back_uses_its_number_again(void **state) {
  (void)state;
  struct lh_task task = {.due_ms = NOW_MS};
  give(&task, LH_TASK_IN_START, &retries, NOW_MS);
  give(&task, LH_TASK_IN_GIVEN_BACK, &retries, NOW_MS + 1);
  assert_int_equal(task.state, LH_TASK_PENDING);
  assert_int_equal(task.attempts_made, 0);
  assert_int_equal(task.due_ms, NOW_MS + 1);
  give(&task, LH_TASK_IN_START, &retries, NOW_MS + 1);
  give(&task, LH_TASK_IN_FAILURE, &retries, NOW_MS + 1);
  give(&task, LH_TASK_IN_START, &retries, NOW_MS + 20000);
  struct lh_task_input back = {LH_TASK_IN_GIVEN_BACK, 2, 3000, 0};
  lh_task_step(&task, &back, &retries, NOW_MS + 20000);
  assert_int_equal(task.state, LH_TASK_RETRYING);
  assert_int_equal(task.attempts_made, 1);
  assert_int_equal(task.due_ms, NOW_MS + 23000); /* whoever gave it back is short of something */
}

static void test_given_back_ones_run_alone_still(void **state) {
  (void)state;
  struct lh_task task = {
      .state = LH_TASK_RETRYING, .attempts_made = 1, .budget_start = 1, .alone = 1};
  give(&task, LH_TASK_IN_START, &retries, NOW_MS);
  give(&task, LH_TASK_IN_GIVEN_BACK, &retries, NOW_MS);
  assert_int_equal(task.alone, 1);
}

static void test_late_success_ends_it_from_any_state(void **state) {
  (void)state;
  struct lh_task_input late = {LH_TASK_IN_SUCCESS, 1, 0, 0};
  struct lh_task task = {.due_ms = NOW_MS};
  give(&task, LH_TASK_IN_START, &retries, NOW_MS);
  give(&task, LH_TASK_IN_LOST, &retries, NOW_MS);
  struct lh_task again = task, failed = task;
  assert_int_equal(lh_task_step(&task, &late, &retries, NOW_MS), LH_TASK_EFFECT_ENDED);
  assert_int_equal(task.state, LH_TASK_DONE);
  give(&again, LH_TASK_IN_START, &retries, NOW_MS); /* attempt 2 runs meanwhile */
  assert_int_equal(lh_task_step(&again, &late, &retries, NOW_MS), LH_TASK_EFFECT_ENDED);
  assert_int_equal(again.state, LH_TASK_DONE);
  late.attempt = 2;
  assert_int_equal(lh_task_step(&again, &late, &retries, NOW_MS), LH_TASK_EFFECT_REFUSED);
  give(&failed, LH_TASK_IN_FORGET, &retries, NOW_MS);
  assert_int_equal(failed.reason, LH_TASK_FORGOTTEN);
  assert_int_equal(lh_task_step(&failed, &late, &retries, NOW_MS), LH_TASK_EFFECT_NONE);
  assert_int_equal(failed.state, LH_TASK_DONE);
}

static void test_late_failures_change_nothing(void **state) {
  (void)state;
  static const enum lh_task_input_kind kinds[] = {LH_TASK_IN_FAILURE, LH_TASK_IN_REFUSAL,
                                                  LH_TASK_IN_UNKNOWN, LH_TASK_IN_LOST,
                                                  LH_TASK_IN_GIVEN_BACK};
  struct lh_task task = {.due_ms = NOW_MS};
  give(&task, LH_TASK_IN_START, &fails, NOW_MS);
  give(&task, LH_TASK_IN_FAILURE, &fails, NOW_MS);
  give(&task, LH_TASK_IN_START, &fails, NOW_MS + 20000);
  struct lh_task before = task;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    struct lh_task_input late = {kinds[i], 1, 0, 0};
    assert_int_equal(lh_task_step(&task, &late, &fails, NOW_MS), LH_TASK_EFFECT_REFUSED);
    late.attempt = 0;
    assert_int_equal(lh_task_step(&task, &late, &fails, NOW_MS), LH_TASK_EFFECT_REFUSED);
  }
  assert_true(same(&before, &task));
}

static void test_retry_gives_fresh_tries_and_goes_on_counting(void **state) {
  (void)state;
  const struct lh_task_policy two = policy_of(2, 0);
  struct lh_task task = {.due_ms = NOW_MS};
  for (int32_t round = 1; round <= 2; round++) {
    for (int i = 0; i < 2; i++) {
      task.due_ms = NOW_MS;
      give(&task, LH_TASK_IN_START, &two, NOW_MS);
      give(&task, LH_TASK_IN_FAILURE, &two, NOW_MS);
    }
    assert_int_equal(task.state, LH_TASK_FAILED);
    assert_int_equal(task.attempts_made, 2 * round);
    assert_int_equal(give(&task, LH_TASK_IN_RETRY, &two, NOW_MS + 9), LH_TASK_EFFECT_NONE);
    assert_int_equal(task.state, LH_TASK_RETRYING);
    assert_int_equal(task.due_ms, NOW_MS + 9);
    assert_int_equal(give(&task, LH_TASK_IN_RETRY, &two, NOW_MS), LH_TASK_EFFECT_REFUSED);
  }
}

static void test_fewer_tries_than_were_made_end_it(void **state) {
  (void)state;
  const struct lh_task_policy two = policy_of(2, 0);
  struct lh_task task = {.state = LH_TASK_RETRYING, .attempts_made = 3, .due_ms = NOW_MS};
  assert_int_equal(give(&task, LH_TASK_IN_START, &two, NOW_MS), LH_TASK_EFFECT_ENDED);
  assert_int_equal(task.reason, LH_TASK_RETRIES_EXHAUSTED);
  assert_int_equal(task.attempts_made, 3);
}

static void test_forget_ends_what_is_unfinished(void **state) {
  (void)state;
  struct lh_task pending = {.due_ms = NOW_MS}, waiting = {.due_ms = LH_TASK_WAITS};
  struct lh_task done = {.state = LH_TASK_DONE, .attempts_made = 1};
  assert_int_equal(give(&pending, LH_TASK_IN_FORGET, &retries, NOW_MS), LH_TASK_EFFECT_ENDED);
  assert_int_equal(give(&waiting, LH_TASK_IN_FORGET, &retries, NOW_MS), LH_TASK_EFFECT_ENDED);
  assert_int_equal(waiting.reason, LH_TASK_FORGOTTEN);
  assert_int_equal(give(&done, LH_TASK_IN_FORGET, &retries, NOW_MS), LH_TASK_EFFECT_REFUSED);
  assert_int_equal(give(&pending, LH_TASK_IN_RETRY, &retries, NOW_MS), LH_TASK_EFFECT_NONE);
  assert_int_equal(give(&pending, LH_TASK_IN_START, &retries, NOW_MS), LH_TASK_EFFECT_STARTED);
}

static void test_names(void **state) {
  (void)state;
  assert_string_equal(lh_task_state_name(LH_TASK_PENDING), "pending");
  assert_string_equal(lh_task_state_name(LH_TASK_FAILED), "failed");
  assert_string_equal(lh_task_reason_name(LH_TASK_REASON_NONE), "");
  assert_string_equal(lh_task_reason_name(LH_TASK_FORGOTTEN), "forgotten");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_step_keeps_the_invariants),
      cmocka_unit_test(test_what_cannot_be_is_named),
      cmocka_unit_test(test_ten_tries_with_growing_waits),
      cmocka_unit_test(test_jitter_is_a_tenth_and_never_beyond_the_longest),
      cmocka_unit_test(test_retry_after_only_lengthens),
      cmocka_unit_test(test_not_before_it_is_due),
      cmocka_unit_test(test_refused_is_final_at_once),
      cmocka_unit_test(test_unknown_retries_or_fails_as_the_handler_says),
      cmocka_unit_test(test_a_failure_that_is_known_is_retried_by_both),
      cmocka_unit_test(test_a_lost_one_runs_alone_at_once_and_is_no_try),
      cmocka_unit_test(test_third_strike_is_poison),
      cmocka_unit_test(test_strikes_stay_when_it_fails_in_between),
      cmocka_unit_test(test_a_lost_one_fails_if_unknown_means_fail),
      cmocka_unit_test(test_given_back_uses_its_number_again),
      cmocka_unit_test(test_given_back_ones_run_alone_still),
      cmocka_unit_test(test_late_success_ends_it_from_any_state),
      cmocka_unit_test(test_late_failures_change_nothing),
      cmocka_unit_test(test_retry_gives_fresh_tries_and_goes_on_counting),
      cmocka_unit_test(test_fewer_tries_than_were_made_end_it),
      cmocka_unit_test(test_forget_ends_what_is_unfinished),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
