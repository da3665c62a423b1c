/* Retention between the turns of the engine; what it deletes is in spec/contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_bench.h"

static int setup(void **state) {
  struct bench *bench = bench_open(LH_SCHEME_ZINRELO, 4, 0);
  bench->store.clock = &bench->clock;
  *state = bench;
  return 0;
}

static int teardown(void **state) {
  bench_close(*state);
  return 0;
}

static void after(struct bench *bench, int64_t ms) {
  fake_clock_advance(&bench->clock, ms);
  bench_step(bench);
}

static void test_a_run_begins_after_a_minute_and_then_every_hour(void **state) {
  struct bench *bench = *state;
  bench_step(bench);
  after(bench, LH_CLEAN_FIRST_MS - 1);
  assert_int_equal(bench->store.clean_steps, 0);
  after(bench, 1);
  assert_int_equal(bench->store.clean_steps, 1);
  assert_true(bench->store.clean.now_ms == bench->clock.wall_ms);
  assert_int_equal(bench->store.clean.retention_ms, 30);
  assert_int_equal(bench->store.clean.failed_retention_ms, 90);
  assert_int_equal(bench->report.cleaned_events, 10);
  after(bench, LH_CLEAN_EVERY_MS - 1);
  assert_int_equal(bench->store.clean_steps, 1);
  assert_int_equal(bench->report.cleaned_events, 0);
  after(bench, 1);
  assert_int_equal(bench->store.clean_steps, 2);
  assert_int_equal(bench->store.clean.events, 0); /* a new run */
}

static void test_the_store_is_others_for_as_long_as_a_step_took(void **state) {
  struct bench *bench = *state;
  bench->store.clean_steps_left = 3;
  bench->store.clean_step_ms = 30;
  bench_step(bench);
  after(bench, LH_CLEAN_FIRST_MS);
  assert_int_equal(bench->store.clean_steps, 1);
  assert_int_equal(bench->report.cleaned_events, 0); /* told when the run is over */
  after(bench, 30 + LH_CLEAN_PAUSE_MS - 1);
  assert_int_equal(bench->store.clean_steps, 1);
  after(bench, 1);
  assert_int_equal(bench->store.clean_steps, 2);
  assert_int_equal(bench->store.clean.events, 10); /* the same run */
  after(bench, 30 + LH_CLEAN_PAUSE_MS);
  assert_int_equal(bench->report.cleaned_events, 30);
  assert_int_equal(bench->report.cleaned_requests, 3);
}

static void test_a_clock_that_leaps_ahead_makes_nothing_old(void **state) {
  struct bench *bench = *state;
  bench_step(bench);
  int64_t right_ms = bench->clock.wall_ms + LH_CLEAN_FIRST_MS;
  bench->clock.wall_ms += INT64_C(200) * 86400000;
  after(bench, LH_CLEAN_FIRST_MS);
  assert_int_equal(bench->store.clean_steps, 1);
  assert_true(bench->store.clean.now_ms == right_ms + LH_CLEAN_LEAP_MS);
  bench->clock.wall_ms -= INT64_C(200) * 86400000;
  after(bench, LH_CLEAN_EVERY_MS);
  assert_int_equal(bench->store.clean_steps, 2);
  assert_true(bench->store.clean.now_ms == right_ms + LH_CLEAN_EVERY_MS);
}

static void test_a_full_store_is_no_error_of_the_step(void **state) {
  struct bench *bench = *state;
  bench->store.clean_code = LH_E_FULL;
  bench_step(bench);
  after(bench, LH_CLEAN_FIRST_MS);
  assert_int_equal(bench->store.clean_steps, 1);
  after(bench, LH_CLEAN_FIRST_MS - 1);
  assert_int_equal(bench->store.clean_steps, 1);
  bench->store.clean_code = LH_E_IO;
  fake_clock_advance(&bench->clock, 1);
  assert_int_equal(lh_engine_step(bench->engine, 0, NULL, 0, &bench->report, NULL), LH_E_IO);
}

static void test_a_worker_that_works_until_idle_begins_at_once(void **state) {
  struct bench *bench = *state;
  lh_engine_form_all(bench->engine);
  bench_step(bench);
  assert_int_equal(bench->store.clean_steps, 1);
}

static void test_a_worker_that_drains_deletes_nothing(void **state) {
  struct bench *bench = *state;
  lh_engine_drain(bench->engine);
  after(bench, LH_CLEAN_EVERY_MS);
  assert_int_equal(bench->store.clean_steps, 0);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(test_a_run_begins_after_a_minute_and_then_every_hour),
      T(test_the_store_is_others_for_as_long_as_a_step_took),
      T(test_a_clock_that_leaps_ahead_makes_nothing_old),
      T(test_a_full_store_is_no_error_of_the_step),
      T(test_a_worker_that_works_until_idle_begins_at_once),
      T(test_a_worker_that_drains_deletes_nothing),
  };
#undef T
  return cmocka_run_group_tests(tests, NULL, NULL);
}
