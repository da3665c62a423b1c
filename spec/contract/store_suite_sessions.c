/* The contract suite's third part: workers that end, die, or only seem to be dead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/store_suite.h"

static void test_a_dead_workers_attempt_is_lost_counts_and_is_due_at_once(void **state) {
  (void)state;
  size_t rescued;
  int64_t other;
  make_webhook(suite.store, "w", "*", 100);
  emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(1);
  struct lh_lease lost = suite.noted.leases[0].lease;
  struct lh_store *second = maker->open(&suite.fake.door);
  assert_int_equal(second->requests->session_open(second, suite.fake.wall_ms, &other, NULL), LH_OK);
  assert_int_equal(second->requests->rescue(second, other, suite.fake.wall_ms, &rescued, NULL),
                   LH_OK);
  assert_int_equal(rescued, 0); /* it lives */
  for (int silent_ms = 0; silent_ms < LH_SESSION_DEAD_MS; silent_ms += LH_HEARTBEAT_MS) {
    fake_clock_advance(&suite.fake, LH_HEARTBEAT_MS);
    assert_int_equal(second->requests->rescue(second, other, suite.fake.wall_ms, &rescued, NULL),
                     LH_OK);
    assert_int_equal(rescued, 0);
  }
  fake_clock_advance(&suite.fake, 1);
  assert_int_equal(second->requests->rescue(second, other, suite.fake.wall_ms, &rescued, NULL),
                   LH_OK);
  assert_int_equal(rescued, 1);
  suite.turn = turn_of(other, suite.fake.wall_ms, 10, NULL, 0);
  take_turn(second, &suite.turn, &suite.noted);
  assert_int_equal(suite.noted.count, 1);
  assert_int_equal(suite.noted.leases[0].lease.attempt, 2);
  struct lh_lease again = suite.noted.leases[0].lease;
  /* The first worker was only slow. Its answer is late, and a success counts. */
  struct lh_attempt_result late = suite_record(&lost, LH_INPUT_SUCCESS);
  assert_int_equal(suite.turn.session_dead, 1);
  assert_int_equal(late.after.state, LH_DELIVERED);
  struct lh_attempt_result result = result_of(&again, LH_INPUT_FAILURE, suite.fake.wall_ms);
  suite.turn = turn_of(other, suite.fake.wall_ms, 10, &result, 1);
  take_turn(second, &suite.turn, &suite.noted);
  assert_int_equal(result.after.state, LH_DELIVERED);
  lh_store_close(second);
  for (int i = 0; i < 5; i++) emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(
      suite.store->requests->session_open(suite.store, suite.fake.wall_ms, &suite.session, NULL),
      LH_OK);
  suite_lease(10); /* and the slots are free: none leaked */
  assert_int_equal(suite.noted.count, 1);
}

static void test_closing_a_session_loses_what_it_holds(void **state) {
  (void)state;
  make_webhook(suite.store, "w", "*", 100);
  emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(1);
  suite.store->requests->session_close(suite.store, suite.session, suite.fake.wall_ms);
  assert_int_equal(
      suite.store->requests->session_open(suite.store, suite.fake.wall_ms, &suite.session, NULL),
      LH_OK);
  suite_lease(1);
  assert_int_equal(suite.noted.count, 1);
  assert_int_equal(suite.noted.leases[0].lease.attempt, 2);
}

static void test_one_worker_a_handle(void **state) {
  (void)state;
  int64_t other;
  assert_int_equal(
      suite.store->requests->session_open(suite.store, suite.fake.wall_ms, &other, NULL),
      LH_E_REFUSED);
}

int store_suite_run_sessions(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, suite_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_a_dead_workers_attempt_is_lost_counts_and_is_due_at_once),
      T(test_closing_a_session_loses_what_it_holds),
      T(test_one_worker_a_handle),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: sessions", tests, NULL, NULL);
}
