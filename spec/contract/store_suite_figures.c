/* Contract suite: figures, and that they add up whatever happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/recount.h"
#include "spec/contract/store_suite.h"

#define MINUTE INT64_C(60000)

static struct lh_stats stats;

static int tear_down(void **state) {
  lh_stats_clear(&stats);
  return suite_tear_down(state);
}

static const struct lh_webhook_stats *ask(const struct lh_stats_query *query) {
  struct lh_error err = {.message = ""};
  lh_stats_clear(&stats);
  int rc = suite.store->admin->stats(suite.store, query, &stats, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  return &stats.sum;
}

/* Of one webhook (NULL: all), lately: since so long ago. */
static const struct lh_webhook_stats *figures(const struct lh_id *webhook, int64_t ago_ms) {
  return ask(
      &(struct lh_stats_query){.webhook_id = webhook, .since_ms = suite.fake.wall_ms - ago_ms});
}

static void set_status(const struct lh_id *webhook, enum lh_status status) {
  struct lh_webhook changed;
  assert_int_equal(suite.store->admin->webhook_status(
                       suite.store, &(struct lh_which){.id = webhook}, status, &changed, NULL),
                   LH_OK);
  lh_webhook_clear(&changed);
}

/* Emits one event and attempts it: it takes `took_ms` and ends so. */
static void attempt(enum lh_input_kind kind, int64_t waits_ms, int64_t took_ms) {
  emit_one(suite.store, "event_points_earned", "{}");
  fake_clock_advance(&suite.fake, waits_ms);
  suite_lease(1);
  assert_int_equal(suite.noted.count, 1);
  fake_clock_advance(&suite.fake, took_ms);
  struct lh_attempt_result result =
      result_of(&suite.noted.leases[0].lease, kind, suite.fake.wall_ms);
  struct noted none;
  result.started_ms -= took_ms;
  result.duration_ms = took_ms;
  suite.turn = turn_of(suite.session, suite.fake.wall_ms, 0, &result, 1);
  take_turn(suite.store, &suite.turn, &none);
}

static void test_what_was_done_lately_and_how_long_it_took(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1);
  for (int i = 0; i < 98; i++) attempt(LH_INPUT_SUCCESS, 90, 10);
  attempt(LH_INPUT_SUCCESS, 0, 5000);
  attempt(LH_INPUT_FAILURE, 0, 40);
  const struct lh_webhook_stats *found = figures(&webhook, 60 * MINUTE);
  assert_int_equal(found->recent.delivered, 99);
  assert_int_equal(found->recent.delivered_events, 99);
  assert_int_equal(found->recent.failed, 0);
  assert_int_equal(found->recent.attempts, 100);
  assert_int_equal(found->recent.failed_attempts, 1);
  assert_in_range(found->recent.attempt.p50_ms, 10, 12);
  assert_in_range(found->recent.attempt.p95_ms, 10, 12);
  assert_in_range(found->recent.attempt.p99_ms, 40, 50);
  assert_in_range(found->recent.delivery.p50_ms, 100, 125);
  assert_in_range(found->recent.delivery.p95_ms, 100, 125);
  assert_in_range(found->recent.delivery.p99_ms, 5000, 6250);
  assert_int_equal(found->requests[LH_DELIVERED], 99);
  assert_int_equal(found->requests[LH_RETRYING], 1);
  assert_int_equal(found->attempts, 100);
  assert_int_equal(figures(NULL, 60 * MINUTE)->recent.delivered, 99);
}

static void test_the_last_delivery_may_be_of_an_older_request(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1);
  assert_int_equal(figures(&webhook, 0)->last_delivered_ms, 0);
  for (int i = 0; i < 2; i++) emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(2);
  assert_int_equal(suite.noted.count, 2);
  struct lh_lease older = suite.noted.leases[0].lease, newer = suite.noted.leases[1].lease;
  int64_t first_ms = suite.fake.wall_ms;
  suite_record(&newer, LH_INPUT_SUCCESS);
  assert_int_equal(figures(&webhook, 0)->last_delivered_ms, first_ms);
  fake_clock_advance(&suite.fake, MINUTE);
  suite_record(&older, LH_INPUT_SUCCESS);
  assert_int_equal(figures(&webhook, 0)->last_delivered_ms, first_ms + MINUTE);
  fake_clock_advance(&suite.fake, MINUTE);
  attempt(LH_INPUT_FAILURE, 0, 1);
  assert_int_equal(figures(NULL, 0)->last_delivered_ms, first_ms + MINUTE);
}

/* Its worker stood still: what others delivered meanwhile was delivered later. */
static void test_a_delivery_that_is_recorded_late_is_not_the_last(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1);
  emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(1);
  struct lh_attempt_result late =
      result_of(&suite.noted.leases[0].lease, LH_INPUT_SUCCESS, suite.fake.wall_ms);
  struct noted none;
  fake_clock_advance(&suite.fake, MINUTE);
  attempt(LH_INPUT_SUCCESS, 0, 1);
  int64_t last_ms = suite.fake.wall_ms;
  fake_clock_advance(&suite.fake, MINUTE);
  late.ended_ms = late.started_ms;
  suite.turn = turn_of(suite.session, suite.fake.wall_ms, 0, &late, 1);
  take_turn(suite.store, &suite.turn, &none);
  assert_int_equal(figures(&webhook, 0)->last_delivered_ms, last_ms);
  suite.fake.wall_ms -= 90 * MINUTE; /* it was ahead */
  attempt(LH_INPUT_SUCCESS, 0, 1);
  assert_int_equal(figures(&webhook, 0)->last_delivered_ms, suite.fake.wall_ms);
}

static void test_the_window_moves_on(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1);
  attempt(LH_INPUT_SUCCESS, 0, 1);
  fake_clock_advance(&suite.fake, 20 * MINUTE);
  attempt(LH_INPUT_SUCCESS, 0, 1);
  attempt(LH_INPUT_SUCCESS, 0, 1);
  assert_int_equal(figures(&webhook, MINUTE)->recent.delivered, 2);
  assert_int_equal(figures(&webhook, 30 * MINUTE)->recent.delivered, 3);
  fake_clock_advance(&suite.fake, 20 * MINUTE); /* nothing happens: the span stays where it is */
  assert_int_equal(figures(&webhook, MINUTE)->recent.delivered, 0);
  assert_int_equal(figures(&webhook, 30 * MINUTE)->recent.delivered, 2);
  assert_int_equal(figures(&webhook, 60 * MINUTE)->recent.delivered, 3);
  assert_int_equal(figures(&webhook, 60 * MINUTE)->recent.delivery.p50_ms, 1);
  assert_int_equal(figures(&webhook, MINUTE)->recent.delivery.p50_ms, -1);
}

static void test_a_clock_that_is_set_loses_no_figures(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1);
  attempt(LH_INPUT_SUCCESS, 0, 1);
  suite.fake.wall_ms -= 120 * MINUTE;
  attempt(LH_INPUT_SUCCESS, 0, 1);
  suite.fake.wall_ms += 120 * MINUTE;
  attempt(LH_INPUT_SUCCESS, 0, 1);
  suite.fake.wall_ms += 10 * MINUTE;
  attempt(LH_INPUT_SUCCESS, 0, 1);
  assert_int_equal(figures(&webhook, 180 * MINUTE)->recent.delivered, 4);
  assert_int_equal(figures(&webhook, 60 * MINUTE)->recent.delivered, 3);
}

static void test_a_lost_attempt_counts_once(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1);
  int64_t other;
  size_t rescued;
  emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(1);
  struct lh_lease lease = suite.noted.leases[0].lease;
  struct lh_store *second = maker->open(&suite.fake.door);
  assert_int_equal(second->requests->session_open(second, suite.fake.wall_ms, &other, NULL), LH_OK);
  for (int i = 0; i < 8; i++) { /* its heartbeat stops, the other one's does not */
    fake_clock_advance(&suite.fake, LH_HEARTBEAT_MS);
    assert_int_equal(second->requests->rescue(second, other, suite.fake.wall_ms, &rescued, NULL),
                     LH_OK);
  }
  assert_int_equal(figures(&webhook, MINUTE)->recent.failed_attempts, 1);
  suite_record(&lease, LH_INPUT_SUCCESS); /* late */
  assert_int_equal(figures(&webhook, MINUTE)->recent.attempts, 1);
  assert_int_equal(figures(&webhook, MINUTE)->recent.delivered, 1);
  lh_store_close(second);
}

static void test_what_waits_is_what_a_worker_would_form(void **state) {
  (void)state;
  struct lh_id events[10];
  int count = 0;
  struct lh_id webhook = make_webhook(suite.store, "w", "event_points_earned", 1);
  struct lh_id deaf = make_webhook(suite.store, "deaf", "event_member_enrol", 1);
  int64_t first_ms = suite.fake.wall_ms;
  for (int i = 0; i < 2; i++) events[count++] = emit_one(suite.store, "event_points_earned", "{}");
  events[count++] = emit_one(suite.store, "event_tier_changed", "{}");
  assert_int_equal(figures(&webhook, 0)->waiting, 2);
  assert_int_equal(figures(&deaf, 0)->waiting, 0);
  fake_clock_advance(&suite.fake, MINUTE);
  set_status(&webhook, LH_STATUS_DISABLED); /* the two wait to be listed as failed */
  events[count++] = emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(figures(&webhook, 0)->waiting, 2);
  set_status(&webhook, LH_STATUS_ENABLED);
  events[count++] = emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(figures(&webhook, 0)->waiting, 3);
  assert_true(figures(&webhook, 0)->oldest_undelivered_ms == first_ms);
  assert_int_equal(figures(NULL, 0)->waiting, 3);
  assert_null(recount_events(suite.store, events, (size_t)count));
  suite_lease(10);
  assert_int_equal(figures(&webhook, 0)->waiting, 0);
  assert_int_equal(figures(&webhook, 0)->requests[LH_FAILED], 2);
  assert_int_equal(figures(&webhook, MINUTE)->recent.failed, 2);
  assert_int_equal(figures(&webhook, 0)->requests[LH_SENDING], 1);
  assert_true(figures(&webhook, 0)->oldest_undelivered_ms == first_ms + MINUTE);
  assert_null(recount_events(suite.store, events, (size_t)count));
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_FAILURE);
  assert_true(figures(&webhook, 0)->oldest_undelivered_ms == first_ms + MINUTE);
  set_status(&webhook, LH_STATUS_DELETED);
  suite_lease(10);
  assert_int_equal(figures(NULL, 0)->oldest_undelivered_ms, 0);
  assert_null(recount_events(suite.store, events, (size_t)count));
}

static void test_figures_of_each_of_one_and_of_an_account(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1), unknown = {{1}};
  struct lh_id gone = make_webhook(suite.store, "gone", "*", 1);
  attempt(LH_INPUT_SUCCESS, 0, 1);
  suite_lease(1);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_SUCCESS);
  set_status(&gone, LH_STATUS_DELETED);
  ask(&(struct lh_stats_query){.with_webhooks = 1});
  assert_int_equal(stats.count, 1);
  assert_memory_equal(&stats.rows[0].id, &webhook, sizeof webhook);
  assert_string_equal(stats.rows[0].name, "w");
  assert_string_equal(stats.rows[0].account, "default");
  assert_int_equal(stats.rows[0].recent.delivered, 1);
  assert_int_equal(stats.sum.recent.delivered, 2);
  assert_int_equal(stats.events, 1);
  assert_int_equal(stats.webhooks, 1);
  ask(&(struct lh_stats_query){.with_webhooks = 1, .account = "default"});
  assert_int_equal(stats.sum.requests[LH_DELIVERED], 2);
  ask(&(struct lh_stats_query){.with_webhooks = 1, .account = "shop-2"});
  assert_int_equal(stats.sum.requests[LH_DELIVERED], 0);
  assert_int_equal(stats.count, 0);
  const struct lh_stats_query of_nobody = {.webhook_id = &unknown};
  lh_stats_clear(&stats);
  assert_int_equal(suite.store->admin->stats(suite.store, &of_nobody, &stats, NULL),
                   LH_E_NOT_FOUND);
}

int store_suite_run_figures(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(test_what_was_done_lately_and_how_long_it_took),
      T(test_the_last_delivery_may_be_of_an_older_request),
      T(test_a_delivery_that_is_recorded_late_is_not_the_last),
      T(test_the_window_moves_on),
      T(test_a_clock_that_is_set_loses_no_figures),
      T(test_a_lost_attempt_counts_once),
      T(test_what_waits_is_what_a_worker_would_form),
      T(test_figures_of_each_of_one_and_of_an_account),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: figures", tests, NULL, NULL);
}
