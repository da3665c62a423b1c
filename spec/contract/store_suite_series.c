/*
** Contract suite: what was done span by span, totals that never fall, whether a
** store can do its work, and the body of a request as people see it.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/store_suite.h"

#define STEP LH_FIGURES_MS
#define DAY INT64_C(86400000)

static struct lh_series series;

static int tear_down(void **state) {
  lh_series_clear(&series);
  return suite_tear_down(state);
}

static void ask(const struct lh_series_query *query) {
  struct lh_error err = {.message = ""};
  lh_series_clear(&series);
  int rc = suite.store->figures->series(suite.store, query, &series, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
}

static struct lh_totals totals(void) {
  struct lh_totals found;
  assert_int_equal(suite.store->figures->totals(suite.store, &found, NULL), LH_OK);
  return found;
}

/* One event, and its attempt that takes 10 ms. */
static void attempt(enum lh_input_kind kind) {
  emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(1);
  assert_int_equal(suite.noted.count, 1);
  struct lh_attempt_result result =
      result_of(&suite.noted.leases[0].lease, kind, suite.fake.wall_ms);
  struct noted none;
  result.duration_ms = 10;
  suite.turn = turn_of(suite.session, suite.fake.wall_ms, 0, &result, 1);
  take_turn(suite.store, &suite.turn, &none);
}

/* To the begin of the next span. */
static void next_span(void) {
  fake_clock_advance(&suite.fake, STEP - suite.fake.wall_ms % STEP);
}

static void test_each_span_has_what_was_done_in_it(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1), unknown = {{1}};
  next_span();
  int64_t from_ms = suite.fake.wall_ms;
  attempt(LH_INPUT_SUCCESS);
  attempt(LH_INPUT_SUCCESS);
  next_span();
  next_span(); /* nothing was done in the second */
  attempt(LH_INPUT_SUCCESS);
  const struct lh_series_query queries[] = {
      {.from_ms = from_ms, .to_ms = suite.fake.wall_ms, .step_ms = STEP},
      {.account = "default", .from_ms = from_ms, .to_ms = suite.fake.wall_ms, .step_ms = STEP},
      {.webhook_id = &webhook, .from_ms = from_ms, .to_ms = suite.fake.wall_ms, .step_ms = STEP},
  };
  for (size_t i = 0; i < 3; i++) {
    ask(&queries[i]);
    assert_int_equal(series.count, 3);
    assert_int_equal(series.complete_from_ms, 0);
    assert_int_equal(series.rows[0].from_ms, from_ms);
    assert_int_equal(series.rows[0].done.delivered, 2);
    assert_in_range(series.rows[0].done.attempt.p50_ms, 10, 12);
    assert_int_equal(series.rows[1].done.attempts, 0);
    assert_int_equal(series.rows[1].done.attempt.p50_ms, -1);
    assert_int_equal(series.rows[2].from_ms, from_ms + 2 * STEP);
    assert_int_equal(series.rows[2].done.delivered, 1);
  }
  struct lh_series_query query = queries[0];
  query.step_ms = 3 * STEP;
  ask(&query);
  assert_int_equal(series.count, 1);
  assert_int_equal(series.rows[0].done.delivered, 3);
  query.account = "nobody";
  ask(&query);
  assert_int_equal(series.rows[0].done.delivered, 0);
  query = queries[2];
  query.webhook_id = &unknown;
  lh_series_clear(&series);
  assert_int_equal(suite.store->figures->series(suite.store, &query, &series, NULL),
                   LH_E_NOT_FOUND);
  query = queries[0];
  query.from_ms = query.to_ms - LH_SERIES_POINTS_MAX * STEP;
  assert_int_equal(suite.store->figures->series(suite.store, &query, &series, NULL), LH_E_INVALID);
}

static void clean_all(int64_t now_ms) {
  struct lh_clean clean = {
      .now_ms = now_ms, .retention_ms = DAY, .failed_retention_ms = DAY, .dedupe_ms = DAY};
  do assert_int_equal(suite.store->admin->clean(suite.store, &clean, NULL), LH_OK);
  while (clean.more);
}

static void test_totals_only_rise(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1);
  struct lh_totals before = totals(), after;
  assert_int_equal(before.emitted, 0);
  for (int round = 0; round < 4; round++) {
    attempt(LH_INPUT_SUCCESS);
    after = totals();
    assert_int_equal(after.emitted, before.emitted + 1);
    assert_int_equal(after.attempts, before.attempts + 1);
    assert_int_equal(after.delivered, before.delivered + 1);
    assert_int_equal(after.attempt[lh_lengths_bucket(10)],
                     before.attempt[lh_lengths_bucket(10)] + 1);
    before = after;
    next_span();
  }
  struct lh_webhook changed;
  assert_int_equal(suite.store->admin->webhook_status(suite.store,
                                                      &(struct lh_which){.id = &webhook},
                                                      LH_STATUS_DELETED, &changed, NULL),
                   LH_OK);
  lh_webhook_clear(&changed);
  fake_clock_advance(&suite.fake, 30 * DAY);
  clean_all(suite.fake.wall_ms);
  after = totals();
  assert_memory_equal(&after, &before, sizeof after);
}

static void test_vitals_tell_who_lives(void **state) {
  (void)state;
  struct lh_vitals found;
  assert_int_equal(suite.store->figures->vitals(suite.store, suite.fake.wall_ms, &found, NULL),
                   LH_OK);
  assert_int_equal(found.workers, 1);
  assert_int_equal(found.key_present, 1);
  assert_int_equal(found.writable, 1);
  assert_int_equal(found.notices_last, 0);
  assert_int_equal(suite.store->figures->vitals(
                       suite.store, suite.fake.wall_ms + LH_SESSION_DEAD_MS + 1, &found, NULL),
                   LH_OK);
  assert_int_equal(found.workers, 0); /* it was stopped, or hangs */
  struct lh_store_health health;
  assert_int_equal(suite.store->admin->health(suite.store, 0, &health, NULL), LH_OK);
  assert_int_equal(health.sessions, 1);
  fake_clock_advance(&suite.fake, LH_SESSION_DEAD_MS + 1);
  assert_int_equal(suite.store->admin->health(suite.store, 0, &health, NULL), LH_OK);
  assert_int_equal(health.sessions, 0);
  suite.store->requests->session_close(suite.store, suite.session, suite.fake.wall_ms);
  assert_int_equal(suite.store->figures->vitals(suite.store, suite.fake.wall_ms, &found, NULL),
                   LH_OK);
  assert_int_equal(found.workers, 0);
  assert_int_equal(
      suite.store->requests->session_open(suite.store, suite.fake.wall_ms, &suite.session, NULL),
      LH_OK);
}

static void assert_body(const struct lh_id *request_id, const struct lh_buffer *expected) {
  struct lh_buffer buffer = {NULL, 0, 0};
  struct lh_slice body;
  struct lh_error err;
  int rc = suite.store->requests->body(suite.store, request_id, &buffer, &body, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  assert_int_equal(body.len, expected->len);
  assert_memory_equal(body.at, expected->at, expected->len);
  lh_buffer_free(&buffer);
}

static void test_a_body_is_the_same_before_and_after_the_log_is_cut(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 10), unknown = {{1}};
  struct lh_buffer first = {NULL, 0, 0};
  struct lh_slice body;
  struct lh_webhook changed;
  emit_one(suite.store, "event_points_earned", "{\"a\": 1.50}");
  emit_one(suite.store, "event_member_enrol", "{}");
  suite_lease(1);
  struct lh_id id = suite.noted.leases[0].lease.request_id;
  assert_int_equal(suite.store->requests->body(suite.store, &id, &first, &body, NULL), LH_OK);
  assert_non_null(memmem(body.at, body.len, "{\"a\": 1.50}", 11));
  assert_non_null(memmem(body.at, body.len, "event_member_enrol", 18));
  struct lh_buffer kept = {NULL, 0, 0};
  assert_int_equal(lh_buffer_add(&kept, body.at, body.len), LH_OK);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_FAILURE);
  assert_int_equal(suite.store->admin->webhook_status(suite.store,
                                                      &(struct lh_which){.id = &webhook},
                                                      LH_STATUS_DISABLED, &changed, NULL),
                   LH_OK);
  lh_webhook_clear(&changed);
  suite_lease(10);
  emit_one(suite.store, "event_points_earned", "{}"); /* the newest is never cut */
  fake_clock_advance(&suite.fake, 20 * DAY);
  struct lh_clean clean = {.now_ms = suite.fake.wall_ms,
                           .retention_ms = DAY,
                           .failed_retention_ms = 90 * DAY,
                           .dedupe_ms = DAY};
  do assert_int_equal(suite.store->admin->clean(suite.store, &clean, NULL), LH_OK);
  while (clean.more);
  assert_int_equal(clean.events, 2);
  assert_body(&id, &kept);
  assert_int_equal(suite.store->requests->body(suite.store, &unknown, &first, &body, NULL),
                   LH_E_NOT_FOUND);
  lh_buffer_free(&first);
  lh_buffer_free(&kept);
}

int store_suite_run_series(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(test_each_span_has_what_was_done_in_it),
      T(test_totals_only_rise),
      T(test_vitals_tell_who_lives),
      T(test_a_body_is_the_same_before_and_after_the_log_is_cut),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: series", tests, NULL, NULL);
}
