/* A stored job between the turns of the engine; what a job does is in spec/contract. */
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

static void test_a_job_is_worked_off_a_step_a_round_beside_deliveries(void **state) {
  struct bench *bench = *state;
  bench->store.job_steps_left = 3;
  fake_store_add(&bench->store, 40);
  for (int step = 1; step <= 3; step++) {
    bench_step(bench);
    assert_int_equal(bench->report.job_steps, 1);
    assert_int_equal(bench->report.failed_unsent, 3);
    assert_int_equal(bench->store.turns, step);
    assert_int_equal(bench->report.idle, 0);
  }
  assert_true(bench->report.job.finished_ms > 0);
  assert_int_equal(bench->store.record_count, 1); /* delivered meanwhile */
  bench_step(bench);                              /* looks for another one */
  assert_int_equal(bench->report.job_steps, 0);
  assert_int_equal(bench->report.idle, 1);
}

static void test_no_job_costs_no_turn(void **state) {
  struct bench *bench = *state;
  for (int i = 0; i < 5; i++) bench_step(bench);
  assert_int_equal(bench->store.turns, 1);
}

static void test_the_store_is_others_for_as_long_as_a_step_took(void **state) {
  struct bench *bench = *state;
  bench->store.job_steps_left = 2;
  bench->store.job_step_ms = 30;
  bench_step(bench);
  assert_int_equal(bench->report.job_steps, 1);
  fake_clock_advance(&bench->clock, 29);
  bench_step(bench);
  assert_int_equal(bench->report.job_steps, 0);
  assert_int_equal(bench->report.idle, 0);
  fake_clock_advance(&bench->clock, 1);
  bench_step(bench);
  assert_int_equal(bench->report.job_steps, 1);
}

static void test_a_job_that_somebody_else_is_at_is_looked_at_later(void **state) {
  struct bench *bench = *state;
  bench->store.job_steps_left = 1;
  bench->store.job_held = 1;
  bench_step(bench);
  assert_int_equal(bench->report.job_steps, 0);
  assert_int_equal(bench->report.idle, 0); /* --until-idle waits for it */
  bench->store.job_held = 0;
  fake_clock_advance(&bench->clock, LH_JOB_HELD_MS - 1);
  bench_step(bench);
  assert_int_equal(bench->report.job_steps, 0);
  fake_clock_advance(&bench->clock, 1);
  bench_step(bench);
  assert_int_equal(bench->report.job_steps, 1);
}

static void test_a_draining_worker_leaves_the_job_to_others(void **state) {
  struct bench *bench = *state;
  bench->store.job_steps_left = 2;
  bench_step(bench);
  lh_engine_drain(bench->engine);
  bench_step(bench);
  assert_int_equal(bench->report.job_steps, 0);
  assert_int_equal(bench->report.idle, 1);
  assert_int_equal(bench->store.job_steps_left, 1);
}

static void test_a_step_that_fails_is_made_later(void **state) {
  struct bench *bench = *state;
  struct lh_error err;
  bench->store.job_steps_left = 1;
  bench->store.job_code = LH_E_FULL;
  int code = lh_engine_step(bench->engine, 0, NULL, 0, &bench->report, &err);
  assert_int_equal(code, LH_E_FULL);
  assert_string_equal(err.message, "no step");
  bench->store.job_code = 0;
  bench_step(bench);
  assert_int_equal(bench->report.job_steps, 0);
  fake_clock_advance(&bench->clock, LH_TURN_AGAIN_MS);
  bench_step(bench);
  assert_int_equal(bench->report.job_steps, 1);
}

static void test_a_job_that_somebody_else_ended_is_no_error(void **state) {
  struct bench *bench = *state;
  bench->store.job_steps_left = 1;
  bench->store.job_code = LH_E_NOT_FOUND;
  bench_step(bench);
  assert_int_equal(bench->report.job_steps, 0);
  assert_int_equal(bench->report.idle, 1);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(test_a_job_is_worked_off_a_step_a_round_beside_deliveries),
      T(test_no_job_costs_no_turn),
      T(test_the_store_is_others_for_as_long_as_a_step_took),
      T(test_a_job_that_somebody_else_is_at_is_looked_at_later),
      T(test_a_draining_worker_leaves_the_job_to_others),
      T(test_a_step_that_fails_is_made_later),
      T(test_a_job_that_somebody_else_ended_is_no_error),
  };
#undef T
  return cmocka_run_group_tests_name("engine: jobs", tests, NULL, NULL);
}
