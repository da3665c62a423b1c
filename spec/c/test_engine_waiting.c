/* When the engine waits, looks again, and what it does in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "engine_bench.h"

static int setup(void **state) {
  *state = bench_open(LH_SCHEME_ZINRELO, 4, 0);
  return 0;
}

static int teardown(void **state) {
  bench_close(*state);
  return 0;
}

static int waited(struct bench *bench, int timeout_ms) {
  struct lh_error err;
  assert_int_equal(lh_engine_step(bench->engine, timeout_ms, NULL, 0, &bench->report, &err), 0);
  return bench->transport.waited_ms;
}

static void test_engine_waits_until_something_is_due(void **state) {
  struct bench *bench = *state;
  assert_int_equal(waited(bench, 700), 0); /* it has not looked yet */
  assert_int_equal(waited(bench, 700), 700);
  assert_int_equal(waited(bench, 5000), LH_SAFETY_TIMER_MS);
  assert_int_equal(waited(bench, -1), LH_SAFETY_TIMER_MS);
  bench->store.next_due_ms = bench->clock.wall_ms + 1300;
  fake_clock_advance(&bench->clock, 400);
  assert_int_equal(waited(bench, 5000), 600); /* for the rescuer */
  fake_clock_advance(&bench->clock, 600);
  assert_int_equal(waited(bench, 5000), 0); /* the safety timer's turn */
  assert_int_equal(waited(bench, 5000), 300);
  fake_clock_advance(&bench->clock, 300);
  fake_store_add(&bench->store, 40);
  bench->store.next_due_ms = INT64_MAX;
  assert_int_equal(waited(bench, 5000), 0);
  assert_int_equal(bench->sent, 1);
}

static void test_engine_does_not_spin_over_what_nobody_can_have(void **state) {
  struct bench *bench = *state;
  bench->store.next_due_ms = 0;
  bench_step(bench);
  assert_int_equal(waited(bench, 5000), LH_DUE_AGAIN_MS);
  lh_engine_drain(bench->engine);
  assert_int_equal(waited(bench, 700), 700);
}

static void test_engine_looks_at_once_when_woken(void **state) {
  struct bench *bench = *state;
  assert_int_equal(pipe(bench->store.wake_fds), 0);
  bench_step(bench);
  bench_step(bench);
  size_t turns = bench->store.turns;
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  assert_int_equal(bench->store.turns, turns); /* nobody said so */
  assert_int_equal(write(bench->store.wake_fds[1], "w", 1), 1);
  int fds[2] = {0, 0};
  assert_int_equal(lh_engine_step(bench->engine, 0, fds, 2, &bench->report, NULL), 0);
  assert_int_equal(bench->transport.watched, 3);
  assert_int_equal(bench->store.wake_clears, 1);
  assert_int_equal(bench->sent, 1);
  turns = bench->store.turns;
  bench_step(bench); /* records */
  bench_step(bench);
  assert_int_equal(bench->store.turns, turns + 1); /* one wake-up, one look */
  close(bench->store.wake_fds[0]);
  close(bench->store.wake_fds[1]);
  bench->store.wake_fds[0] = -1;
}

static void test_engine_records_what_comes_meanwhile_in_one_turn(void **state) {
  (void)state;
  struct bench *bench = bench_open(LH_SCHEME_ZINRELO, 8, 0);
  bench->transport.trickles = 1;
  for (size_t i = 0; i < 6; i++) fake_store_add(&bench->store, 40);
  bench_step(bench);
  assert_int_equal(bench->report.started, 6);
  size_t turns = bench->store.turns;
  bench_step(bench);
  assert_int_equal(bench->store.turns, turns + 1);
  assert_int_equal(bench->store.record_count, 4); /* a trickle does not hold up the others */
  bench_step(bench);
  assert_int_equal(bench->store.record_count, 6);
  bench_close(bench);
}

static void test_engine_checkpoints_once_when_it_comes_to_rest(void **state) {
  struct bench *bench = *state;
  fake_store_add(&bench->store, 40);
  for (size_t i = 0; i < 3; i++) bench_step(bench);
  assert_int_equal(bench->report.idle, 1);
  fake_clock_advance(&bench->clock, LH_CHECKPOINT_IDLE_MS - 1);
  bench_step(bench);
  assert_int_equal(bench->store.checkpoints, 0);
  for (size_t i = 0; i < 5; i++) {
    fake_clock_advance(&bench->clock, 500);
    bench_step(bench);
  }
  assert_int_equal(bench->store.checkpoints, 1);
}

static void test_engine_rescues_every_second_and_again_while_there_is_more(void **state) {
  struct bench *bench = *state;
  bench_step(bench);
  assert_int_equal(bench->store.rescues, 1);
  bench_step(bench);
  assert_int_equal(bench->store.rescues, 1);
  bench->store.rescued = 500;
  fake_clock_advance(&bench->clock, 1000);
  bench_step(bench);
  assert_int_equal(bench->report.rescued, 500);
  bench_step(bench);
  assert_int_equal(bench->store.rescues, 3);
}

int main(void) {
#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
  const struct CMUnitTest tests[] = {
      test(test_engine_waits_until_something_is_due),
      test(test_engine_does_not_spin_over_what_nobody_can_have),
      test(test_engine_looks_at_once_when_woken),
      cmocka_unit_test(test_engine_records_what_comes_meanwhile_in_one_turn),
      test(test_engine_checkpoints_once_when_it_comes_to_rest),
      test(test_engine_rescues_every_second_and_again_while_there_is_more),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
