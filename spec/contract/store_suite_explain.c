/* Contract suite: what became of an event is told for each webhook, also of what is long ago. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/store_suite.h"

static struct lh_explanation explanation;

static int tear_down(void **state) {
  lh_explanation_clear(&explanation);
  return suite_tear_down(state);
}

/* What a webhook has to say about an event; NULL: nothing. */
static const struct lh_explained *about(const struct lh_id *event, const struct lh_id *webhook) {
  lh_explanation_clear(&explanation);
  struct lh_error err = {.message = ""};
  int rc = suite.store->requests->explain(suite.store, event, &explanation, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  for (size_t i = 0; i < explanation.count; i++)
    if (memcmp(&explanation.rows[i].webhook.id, webhook, sizeof *webhook) == 0)
      return &explanation.rows[i];
  return NULL;
}

static void set_status(const struct lh_id *webhook, enum lh_status status) {
  struct lh_webhook changed;
  assert_int_equal(suite.store->admin->webhook_status(
                       suite.store, &(struct lh_which){.id = webhook}, status, &changed, NULL),
                   LH_OK);
  lh_webhook_clear(&changed);
}

static struct lh_id emit_later(const char *event_type) {
  fake_clock_advance(&suite.fake, 1000);
  return emit_one(suite.store, event_type, "{}");
}

static void test_an_event_is_in_the_request_that_holds_it(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "event_points_earned", 2), events[5];
  for (int i = 0; i < 5; i++) events[i] = emit_later("event_points_earned");
  struct lh_id other = emit_later("event_member_enrol");
  suite_lease(2);
  assert_int_equal(suite.noted.count, 2);
  suite_record(&suite.noted.leases[1].lease, LH_INPUT_FAILURE);
  for (int i = 0; i < 4; i++) {
    const struct lh_explained *found = about(&events[i], &webhook);
    assert_int_equal(found->mode, LH_SPAN_DELIVER);
    assert_int_equal(found->subscribed, 1);
    assert_int_equal(found->request.count, 1);
    assert_memory_equal(&found->request.rows[0].event_ids[i % 2], &events[i], sizeof events[i]);
    assert_int_equal(found->request.rows[0].delivery.state, i < 2 ? LH_SENDING : LH_RETRYING);
    assert_int_equal(found->attempts.count, i < 2 ? 0 : 1);
    assert_int_equal(found->failing, 1);
    assert_int_equal(found->in_flight, 1);
  }
  const struct lh_explained *found = about(&events[4], &webhook);
  assert_int_equal(found->request.count, 0);
  assert_int_equal(found->passed, 0);
  found = about(&other, &webhook);
  assert_int_equal(found->subscribed, 0);
  assert_int_equal(found->request.count, 0);
  assert_int_equal(explanation.workers, 1);
  fake_clock_advance(&suite.fake, LH_SESSION_DEAD_MS); /* it was stopped, or hangs */
  about(&other, &webhook);
  assert_int_equal(explanation.workers, 0);
}

static void test_what_became_of_an_event_depends_on_when_it_was_emitted(void **state) {
  (void)state;
  struct lh_id before = emit_later("event_points_earned");
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1);
  struct lh_id enabled = emit_later("event_points_earned");
  set_status(&webhook, LH_STATUS_DISABLED);
  struct lh_id disabled = emit_later("event_points_earned");
  set_status(&webhook, LH_STATUS_ENABLED);
  struct lh_id again = emit_later("event_points_earned");
  for (int round = 0; round < 2; round++) { /* the same after a worker has done its part */
    assert_int_equal(about(&before, &webhook)->covered, 0);
    const struct lh_explained *found = about(&enabled, &webhook);
    assert_int_equal(found->mode, LH_SPAN_FAIL);
    assert_int_equal(found->reason, LH_REASON_DISABLED);
    assert_int_equal(found->passed, round);
    assert_int_equal(found->request.count, round);
    assert_int_equal(about(&disabled, &webhook)->mode, LH_SPAN_SKIP);
    found = about(&again, &webhook);
    assert_int_equal(found->mode, LH_SPAN_DELIVER);
    assert_true(found->span_ms == suite.fake.wall_ms);
    suite_lease(5);
  }
}

static void test_a_request_that_a_pause_stopped_says_so_before_a_worker_comes(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1);
  struct lh_id event = emit_later("event_points_earned");
  suite_lease(1);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_FAILURE);
  assert_int_equal(about(&event, &webhook)->stopped, 0);
  set_status(&webhook, LH_STATUS_DISABLED);
  set_status(&webhook, LH_STATUS_ENABLED);
  assert_int_equal(about(&event, &webhook)->stopped, 1);
  suite_lease(1);
  assert_int_equal(about(&event, &webhook)->stopped, 0);
  assert_int_equal(about(&event, &webhook)->request.rows[0].delivery.state, LH_FAILED);
}

static void test_a_deleted_webhook_speaks_of_what_came_before(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1);
  struct lh_id before = emit_later("event_points_earned");
  fake_clock_advance(&suite.fake, 1000);
  set_status(&webhook, LH_STATUS_DELETED);
  struct lh_id after = emit_later("event_points_earned");
  assert_int_equal(about(&before, &webhook)->reason, LH_REASON_DELETED);
  assert_null(about(&after, &webhook));
}

static void test_accounts_and_unknown_events(void **state) {
  (void)state;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1), unknown = {{1}};
  struct lh_emit emit = suite_emit_of("event_points_earned", "{}");
  struct lh_emitted emitted;
  emit.account = "shop-2";
  assert_int_equal(emit_event(suite.store, &emit, &emitted, NULL), LH_OK);
  assert_null(about(&emitted.id, &webhook));
  assert_int_equal(explanation.count, 0);
  lh_explanation_clear(&explanation);
  assert_int_equal(suite.store->requests->explain(suite.store, &unknown, &explanation, NULL),
                   LH_E_NOT_FOUND);
}

int store_suite_run_explain(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(test_an_event_is_in_the_request_that_holds_it),
      T(test_what_became_of_an_event_depends_on_when_it_was_emitted),
      T(test_a_request_that_a_pause_stopped_says_so_before_a_worker_comes),
      T(test_a_deleted_webhook_speaks_of_what_came_before),
      T(test_accounts_and_unknown_events),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: explain", tests, NULL, NULL);
}
