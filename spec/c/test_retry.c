/* Waiting times: interval, schedule, jitter, Retry-After and its bound, back-off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/retry.h"

#define ENDED_MS INT64_C(1700000000000)

static int64_t wait_ms(const struct lh_retry_policy *policy, int32_t attempt,
                       int64_t retry_after_ms, uint32_t jitter_ppm) {
  return lh_retry_due(policy, attempt, ENDED_MS, retry_after_ms, jitter_ppm) - ENDED_MS;
}

static void test_interval_is_the_same_after_every_attempt(void **state) {
  (void)state;
  struct lh_retry_policy policy = {.retries_max = 5, .interval_ms = 300000};
  for (int32_t attempt = 1; attempt <= 6; attempt++) {
    assert_int_equal(wait_ms(&policy, attempt, 0, 0), 300000);
    assert_int_equal(wait_ms(&policy, attempt, 0, 1000000),
                     300000); /* no jitter without schedule */
  }
}

static void test_schedule_goes_entry_by_entry_and_repeats_the_last(void **state) {
  (void)state;
  static const int32_t schedule_s[] = {5, 300, 1800};
  struct lh_retry_policy policy = {.interval_ms = 1, .schedule_s = schedule_s, .schedule_count = 3};
  assert_int_equal(wait_ms(&policy, 1, 0, 0), 5000);
  assert_int_equal(wait_ms(&policy, 2, 0, 0), 300000);
  assert_int_equal(wait_ms(&policy, 3, 0, 0), 1800000);
  assert_int_equal(wait_ms(&policy, 4, 0, 0), 1800000);
  assert_int_equal(wait_ms(&policy, INT32_MAX, 0, 0), 1800000);
}

static void test_jitter_adds_at_most_a_tenth(void **state) {
  (void)state;
  static const int32_t schedule_s[] = {100};
  struct lh_retry_policy policy = {.schedule_s = schedule_s, .schedule_count = 1};
  assert_int_equal(wait_ms(&policy, 1, 0, 0), 100000);
  assert_int_equal(wait_ms(&policy, 1, 0, 500000), 105000);
  assert_int_equal(wait_ms(&policy, 1, 0, 1000000), 110000);
  assert_int_equal(wait_ms(&policy, 1, 0, UINT32_MAX), 110000);
}

static void test_retry_after_only_lengthens_and_at_most_to_twice_the_interval(void **state) {
  (void)state;
  struct lh_retry_policy policy = {.interval_ms = 300000};
  static const int64_t cases[][2] = {
      {0, 300000},      {1, 300000},      {-1, 300000},     {INT64_MIN, 300000},
      {300001, 300001}, {600000, 600000}, {600001, 600000}, {INT64_MAX, 600000},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(wait_ms(&policy, 1, cases[i][0], 0), cases[i][1]);
  static const int32_t schedule_s[] = {10, 20};
  policy.schedule_s = schedule_s;
  policy.schedule_count = 2;
  assert_int_equal(wait_ms(&policy, 1, 999999, 1000000), 20000); /* of the entry in force */
  assert_int_equal(wait_ms(&policy, 2, 999999, 0), 40000);
  assert_int_equal(wait_ms(&policy, 1, 10500, 1000000), 11000); /* jitter already waits longer */
}

static void test_the_end_of_time_is_not_passed(void **state) {
  (void)state;
  struct lh_retry_policy policy = {.interval_ms = 300000};
  assert_int_equal(lh_retry_due(&policy, 1, INT64_MAX - 5, 0, 0), INT64_MAX);
}

static void test_budget_is_the_first_attempt_and_the_retries(void **state) {
  (void)state;
  struct lh_retry_policy policy = {.retries_max = 5};
  assert_false(lh_retry_exhausted(&policy, 0));
  assert_false(lh_retry_exhausted(&policy, 5));
  assert_true(lh_retry_exhausted(&policy, 6));
  assert_true(lh_retry_exhausted(&policy, 7));
  policy.retries_max = 0;
  assert_false(lh_retry_exhausted(&policy, 0));
  assert_true(lh_retry_exhausted(&policy, 1));
}

static void test_backoff_doubles_up_to_its_bounds(void **state) {
  (void)state;
  static const int64_t expected_ms[] = {0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
  for (int32_t i = 0; i < 9; i++) {
    assert_int_equal(lh_retry_backoff_ms(i, 0), expected_ms[i]);
    int64_t bound_ms = expected_ms[i] < 5000 ? expected_ms[i] : 5000;
    assert_int_equal(lh_retry_backoff_ms(i, 5000), bound_ms);
  }
  assert_int_equal(lh_retry_backoff_ms(INT32_MAX, 0), 60000);
  assert_int_equal(lh_retry_backoff_ms(INT32_MAX, 86400000), 60000);
  assert_int_equal(lh_retry_backoff_ms(-1, 0), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_interval_is_the_same_after_every_attempt),
      cmocka_unit_test(test_schedule_goes_entry_by_entry_and_repeats_the_last),
      cmocka_unit_test(test_jitter_adds_at_most_a_tenth),
      cmocka_unit_test(test_retry_after_only_lengthens_and_at_most_to_twice_the_interval),
      cmocka_unit_test(test_the_end_of_time_is_not_passed),
      cmocka_unit_test(test_budget_is_the_first_attempt_and_the_retries),
      cmocka_unit_test(test_backoff_doubles_up_to_its_bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
