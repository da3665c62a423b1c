/*
** Turns with handlers through the engine: whose session, which time, and a worker that only
** handles.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_bench.h"

static int setup(void **state) {
  *state = bench_open(LH_SCHEME_ZINRELO, 4, 0);
  return 0;
}

static int teardown(void **state) {
  bench_close(*state);
  return 0;
}

static int take_turn(struct bench *bench, struct lh_task_turn *turn) {
  struct lh_task_result result = {.task = 1, .attempt = 1, .kind = LH_TASK_IN_FAILURE, .error = ""};
  *turn = (struct lh_task_turn){.results = &result, .result_count = 1};
  return lh_engine_task_turn(bench->engine, turn, NULL);
}

static void test_a_turn_has_the_engines_session_time_and_chance(void **state) {
  struct bench *bench = *state;
  struct lh_task_turn turn;
  uint32_t first;
  fake_clock_advance(&bench->clock, 1234);
  assert_int_equal(take_turn(bench, &turn), LH_OK);
  assert_int_equal(bench->store.task_session, bench->store.sessions);
  assert_int_equal(bench->store.task_now_ms, bench->clock.wall_ms);
  first = bench->store.task_jitter_ppm;
  assert_true(first <= 1000000);
  assert_int_equal(take_turn(bench, &turn), LH_OK);
  assert_int_not_equal(bench->store.task_jitter_ppm, first);
}

static void test_a_session_that_was_declared_dead_is_opened_anew(void **state) {
  struct bench *bench = *state;
  struct lh_task_turn turn;
  bench->store.task_dead = 1;
  assert_int_equal(take_turn(bench, &turn), LH_OK);
  assert_int_equal(turn.session_dead, 1);
  bench->store.task_dead = 0;
  bench->store.session_code = LH_E_FULL;
  assert_int_equal(take_turn(bench, &turn), LH_E_FULL);
  assert_int_equal(bench->store.task_turns, 1); /* nothing without a session */
  bench->store.session_code = LH_OK;
  assert_int_equal(take_turn(bench, &turn), LH_OK);
  assert_int_equal(bench->store.task_session, 2);
}

/* The tasks that run belong to the dead one, whoever hears of it first. */
static void test_that_a_delivery_found_the_session_dead_is_told_with_the_next_turn(void **state) {
  struct bench *bench = *state;
  struct lh_task_turn turn;
  assert_int_equal(take_turn(bench, &turn), LH_OK);
  assert_int_equal(turn.session_dead, 0);
  bench->store.session_dead = 1;
  for (int i = 0; i < 3; i++) {
    fake_clock_advance(&bench->clock, LH_SAFETY_TIMER_MS);
    bench_step(bench);
  }
  assert_int_equal(bench->store.sessions, 2);
  assert_int_equal(take_turn(bench, &turn), LH_OK);
  assert_int_equal(bench->store.task_session, 2);
  assert_int_equal(turn.session_dead, 1);
  assert_int_equal(take_turn(bench, &turn), LH_OK);
  assert_int_equal(bench->store.task_session, 2);
  assert_int_equal(turn.session_dead, 0);
}

static void test_a_turn_that_fails_leases_nothing(void **state) {
  struct bench *bench = *state;
  struct lh_task_turn turn;
  bench->store.task_code = LH_E_BUSY;
  assert_int_equal(take_turn(bench, &turn), LH_E_BUSY);
  assert_int_equal(turn.lease_count, 0);
  lh_task_turn_clear(&turn);
}

static void test_a_worker_that_only_handles_makes_no_attempt(void **state) {
  struct bench *bench = *state;
  struct lh_task_turn turn;
  const struct lh_engine_options options = {.store = &bench->store.door,
                                            .transport = &bench->transport.door,
                                            .clock = &bench->clock.door,
                                            .handles_only = 1};
  lh_engine_close(bench->engine);
  bench->engine = NULL;
  assert_int_equal(lh_engine_open(&options, &bench->engine, NULL), LH_OK);
  fake_store_add(&bench->store, 40);
  bench->store.job_steps_left = 1;
  size_t turns = bench->store.turns, rescues = bench->store.rescues;
  for (int i = 0; i < 5; i++) {
    bench_step(bench);
    assert_int_equal(bench->report.started, 0);
    assert_int_equal(bench->report.job_steps, 0);
    assert_int_equal(bench->report.idle, 1);
    assert_int_equal(bench->report.next_due_ms, INT64_MAX);
    fake_clock_advance(&bench->clock, 2000);
  }
  assert_int_equal(bench->store.turns, turns);
  assert_true(bench->store.rescues > rescues); /* it beats, and rescues others' tasks */
  assert_int_equal(take_turn(bench, &turn), LH_OK);
  for (int i = 0; i < 3; i++) {
    bench_step(bench);
    fake_clock_advance(&bench->clock, LH_CHECKPOINT_IDLE_MS);
  }
  assert_true(bench->store.checkpoints > 0);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(test_a_turn_has_the_engines_session_time_and_chance),
      T(test_a_session_that_was_declared_dead_is_opened_anew),
      T(test_that_a_delivery_found_the_session_dead_is_told_with_the_next_turn),
      T(test_a_turn_that_fails_leases_nothing),
      T(test_a_worker_that_only_handles_makes_no_attempt),
  };
#undef T
  return cmocka_run_group_tests(tests, NULL, NULL);
}
