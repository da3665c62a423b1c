/* Contract suite: retention. Months pass; what may go goes, and nothing that may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/recount.h"
#include "spec/contract/store_suite.h"

#define DAY INT64_C(86400000)
#define KEEP (30 * DAY)
#define KEEP_FAILED (90 * DAY)
#define STEPS_MAX 1000

static struct lh_clean run;

/* A whole run. Returns how many steps it took. */
static int clean(void) {
  struct lh_error err = {.message = ""};
  int steps = 0;
  run = (struct lh_clean){.now_ms = suite.fake.wall_ms,
                          .retention_ms = KEEP,
                          .failed_retention_ms = KEEP_FAILED,
                          .more = 1};
  while (run.more) {
    int64_t before = run.events + run.requests;
    int rc = suite.store->admin->clean(suite.store, &run, &err);
    if (rc != LH_OK) print_error("%s\n", err.message);
    assert_int_equal(rc, LH_OK);
    assert_true(run.events + run.requests - before <= 600); /* of one transaction */
    assert_true(++steps < STEPS_MAX);
  }
  return steps;
}

static int64_t events_left(void) {
  struct lh_stats stats;
  assert_int_equal(
      suite.store->admin->stats(suite.store, &(struct lh_stats_query){0}, &stats, NULL), LH_OK);
  return stats.events;
}

static int is_there(const struct lh_id *event) {
  struct lh_event found;
  return suite.store->log->event_get(suite.store, event, &found, NULL) == LH_OK;
}

static void set_status(const struct lh_id *webhook, enum lh_status status) {
  struct lh_webhook changed;
  assert_int_equal(suite.store->admin->webhook_status(
                       suite.store, &(struct lh_which){.id = webhook}, status, &changed, NULL),
                   LH_OK);
  lh_webhook_clear(&changed);
}

static struct lh_retry retry(const struct lh_id *request) {
  struct lh_retry asked = {.request_id = *request};
  assert_int_equal(suite.store->jobs->retry(
                       suite.store, &(struct lh_retry_chosen){.retries = &asked, .count = 1},
                       suite.fake.wall_ms, NULL),
                   LH_OK);
  return asked;
}

/* Leases what there is and ends it all the same way; returns how many. */
static size_t attempt_all(enum lh_input_kind kind) {
  size_t count = 0;
  for (;;) {
    suite_lease(1);
    if (suite.noted.count == 0) return count;
    suite_record(&suite.noted.leases[0].lease, kind);
    count++;
  }
}

/* A webhook whose first failure is final. */
struct lh_id suite_webhook_without_retries(const char *name) {
  struct lh_id id = make_webhook(suite.store, name, "*", 1);
  struct lh_webhook changed;
  struct lh_webhook_edit edit = {.fields = LH_FIELD_RETRIES_MAX | LH_FIELD_PAUSE_AFTER};
  edit.values.pause_after = 0;
  assert_int_equal(suite.store->admin->webhook_edit(suite.store, &(struct lh_which){.id = &id},
                                                    &edit, &changed, NULL),
                   LH_OK);
  lh_webhook_clear(&changed);
  return id;
}

static struct lh_request_list list_of(int state) {
  struct lh_request_filter filter = {.state = state, .limit = LH_LIST_LIMIT_MAX};
  struct lh_request_list list;
  assert_int_equal(suite.store->requests->list(suite.store, &filter, &list, NULL), LH_OK);
  return list;
}

static void test_what_was_delivered_goes_after_its_time(void **state) {
  (void)state;
  struct lh_id events[10];
  make_webhook(suite.store, "w", "*", 1);
  for (int i = 0; i < 10; i++) events[i] = emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(attempt_all(LH_INPUT_SUCCESS), 10);
  fake_clock_advance(&suite.fake, KEEP - 1);
  clean();
  assert_int_equal(events_left(), 10);
  assert_int_equal(suite_count_requests(-1), 10);
  fake_clock_advance(&suite.fake, 1);
  clean();
  assert_int_equal(events_left(), 1); /* the newest ones stay: no number is used twice */
  assert_int_equal(suite_count_requests(-1), 1);
  assert_false(is_there(&events[0]));
  assert_true(is_there(&events[9]));
  struct lh_request_list list = list_of(-1);
  assert_memory_equal(&list.rows[0].event_ids[0], &events[9], sizeof events[9]);
  int64_t number = list.rows[0].request;
  lh_request_list_clear(&list);
  emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(attempt_all(LH_INPUT_SUCCESS), 1);
  clean();
  assert_int_equal(events_left(), 1);
  list = list_of(-1);
  assert_int_equal(list.count, 1);
  assert_true(list.rows[0].request > number);
  lh_request_list_clear(&list);
}

static void test_what_waits_holds_the_log(void **state) {
  (void)state;
  make_webhook(suite.store, "w", "event_points_earned", 1);
  make_webhook(suite.store, "other", "event_member_enrol", 1);
  for (int i = 0; i < 3; i++) emit_one(suite.store, "event_member_enrol", "{}");
  struct lh_id waiting = emit_one(suite.store, "event_points_earned", "{}");
  for (int i = 0; i < 3; i++) emit_one(suite.store, "event_member_enrol", "{}");
  fake_clock_advance(&suite.fake, 400 * DAY); /* no worker came by */
  clean();
  assert_int_equal(events_left(), 7);
  assert_int_equal(attempt_all(LH_INPUT_SUCCESS), 7);
  assert_true(is_there(&waiting));
  clean();
  assert_int_equal(events_left(), 1);
}

static void test_what_is_not_finished_holds_the_log(void **state) {
  (void)state;
  make_webhook(suite.store, "w", "*", 1);
  struct lh_id before = emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(attempt_all(LH_INPUT_SUCCESS), 1);
  struct lh_id first = emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(1);
  struct lh_lease lease = suite.noted.leases[0].lease;
  emit_one(suite.store, "event_points_earned", "{}");
  fake_clock_advance(&suite.fake, 400 * DAY);
  clean(); /* being sent */
  assert_false(is_there(&before));
  assert_true(is_there(&first));
  suite_record(&lease, LH_INPUT_FAILURE);
  clean(); /* waits for its retry */
  assert_true(is_there(&first));
  fake_clock_advance(&suite.fake, DAY);
  assert_int_equal(attempt_all(LH_INPUT_SUCCESS), 2);
  clean();
  assert_false(is_there(&first));
}

static void test_a_failed_request_takes_its_events_along(void **state) {
  (void)state;
  struct lh_request_list list;
  struct lh_attempt_list attempts;
  suite_webhook_without_retries("w");
  struct lh_id event = emit_one(suite.store, "event_points_earned", "{\"a\":1}");
  suite_lease(1);
  struct lh_id request = suite.noted.leases[0].lease.request_id;
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_FAILURE);
  fake_clock_advance(&suite.fake, DAY);
  emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(attempt_all(LH_INPUT_SUCCESS), 1);
  fake_clock_advance(&suite.fake, KEEP);
  clean();
  assert_false(is_there(&event));
  assert_int_equal(suite.store->requests->get(suite.store, &request, &list, &attempts, NULL),
                   LH_OK);
  assert_memory_equal(&list.rows[0].event_ids[0], &event, sizeof event);
  assert_int_equal(attempts.count, 1);
  lh_request_list_clear(&list);
  lh_attempt_list_clear(&attempts);
  assert_int_equal(retry(&request).outcome, LH_RETRY_RETRIED);
  clean(); /* retrying again: still its own */
  suite_lease(1);
  assert_int_equal(suite.noted.count, 1);
  assert_memory_equal(&suite.noted.leases[0].first_event, &event, sizeof event);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_SUCCESS);
  fake_clock_advance(&suite.fake, KEEP - 1);
  clean();
  assert_int_equal(suite.store->requests->get(suite.store, &request, &list, &attempts, NULL),
                   LH_OK);
  lh_request_list_clear(&list);
  lh_attempt_list_clear(&attempts);
  fake_clock_advance(&suite.fake, 1); /* delivered so long ago */
  clean();
  assert_int_equal(suite.store->requests->get(suite.store, &request, &list, &attempts, NULL),
                   LH_E_NOT_FOUND);
}

static void test_failed_ones_go_after_their_own_time(void **state) {
  (void)state;
  suite_webhook_without_retries("w");
  emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(1);
  struct lh_lease lease = suite.noted.leases[0].lease;
  suite_record(&lease, LH_INPUT_FAILURE);
  emit_one(suite.store, "event_points_earned", "{}");
  fake_clock_advance(&suite.fake, 2000);
  assert_int_equal(attempt_all(LH_INPUT_SUCCESS), 1);
  fake_clock_advance(&suite.fake, KEEP_FAILED - 2001);
  clean();
  assert_int_equal(suite_count_requests(LH_FAILED), 1);
  fake_clock_advance(&suite.fake, 1);
  clean();
  assert_int_equal(suite_count_requests(LH_FAILED), 0);
  suite_record(&lease, LH_INPUT_SUCCESS); /* very late: nobody can ask for it any more */
  assert_int_equal(suite_count_requests(-1), 1);
}

static void test_keys_go_with_their_events(void **state) {
  (void)state;
  struct lh_emit emit = suite_emit_of("event_points_earned", "{}");
  struct lh_emitted first, again;
  emit.idempotency_key = "order-1";
  emit.idempotency_key_len = 7;
  assert_int_equal(emit_event(suite.store, &emit, &first, NULL), LH_OK);
  fake_clock_advance(&suite.fake, KEEP);
  emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(emit_event(suite.store, &emit, &again, NULL), LH_OK);
  assert_int_equal(again.duplicate, 1);
  clean();
  assert_int_equal(events_left(), 1); /* a store without webhooks is cut too */
  assert_int_equal(emit_event(suite.store, &emit, &again, NULL), LH_OK);
  assert_int_equal(again.duplicate, 0);
}

static void test_a_wrong_clock_neither_holds_nor_cuts(void **state) {
  (void)state;
  make_webhook(suite.store, "w", "*", 1);
  struct lh_id old = emit_one(suite.store, "event_points_earned", "{}");
  suite.fake.wall_ms += 3650 * DAY; /* ahead for a while */
  struct lh_id ahead = emit_one(suite.store, "event_points_earned", "{}");
  suite.fake.wall_ms -= 3650 * DAY;
  struct lh_id also_old = emit_one(suite.store, "event_points_earned", "{}");
  fake_clock_advance(&suite.fake, KEEP);
  struct lh_id young = emit_one(suite.store, "event_points_earned", "{}");
  suite.fake.wall_ms -= 3650 * DAY; /* behind for a while */
  struct lh_id behind = emit_one(suite.store, "event_points_earned", "{}");
  suite.fake.wall_ms += 3650 * DAY;
  emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(attempt_all(LH_INPUT_SUCCESS), 6);
  clean();
  assert_false(is_there(&old));
  assert_false(is_there(&ahead));
  assert_false(is_there(&also_old));
  assert_true(is_there(&young));
  assert_true(is_there(&behind));
}

static void test_steps_are_small_and_may_end_anywhere(void **state) {
  (void)state;
  make_webhook(suite.store, "w", "*", 1000);
  for (int i = 0; i < 3000; i++) emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(attempt_all(LH_INPUT_SUCCESS), 3);
  fake_clock_advance(&suite.fake, KEEP);
  emit_one(suite.store, "event_points_earned", "{}");
  int64_t left = events_left();
  for (int i = 0; i < 100 && left > 1; i++) { /* every time a new worker, killed after one step */
    struct lh_clean one = {
        .now_ms = suite.fake.wall_ms, .retention_ms = KEEP, .failed_retention_ms = KEEP_FAILED};
    assert_int_equal(suite.store->admin->clean(suite.store, &one, NULL), LH_OK);
    assert_true(left - events_left() <= 500);
    left = events_left();
    assert_null(recount(suite.store));
  }
  assert_int_equal(left, 1);
  assert_int_equal(clean(), 1); /* with nothing to do it is one step */
}

static void test_one_run_goes_through_all_that_is_old(void **state) {
  (void)state;
  make_webhook(suite.store, "w", "*", 1);
  for (int i = 0; i < 700; i++) emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(attempt_all(LH_INPUT_SUCCESS), 700);
  fake_clock_advance(&suite.fake, KEEP);
  emit_one(suite.store, "event_points_earned", "{}");
  assert_true(clean() > 2);
  assert_int_equal(events_left(), 1);
  assert_int_equal(suite_count_requests(-1), 1);
}

static void test_a_request_goes_as_a_whole(void **state) {
  (void)state;
  make_webhook(suite.store, "w", "*", 2);
  struct lh_id first = emit_one(suite.store, "event_points_earned", "{}");
  fake_clock_advance(&suite.fake, 20 * DAY);
  emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(attempt_all(LH_INPUT_SUCCESS), 1);
  fake_clock_advance(&suite.fake, 20 * DAY);
  emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(attempt_all(LH_INPUT_SUCCESS), 1);
  clean(); /* its first event is old enough, its second is not */
  assert_int_equal(suite_count_requests(-1), 2);
  assert_true(is_there(&first));
  fake_clock_advance(&suite.fake, 10 * DAY);
  clean();
  assert_int_equal(suite_count_requests(-1), 1);
  assert_false(is_there(&first));
}

static void test_a_deleted_webhook_goes_with_its_last_trace(void **state) {
  (void)state;
  struct lh_webhook_list list;
  struct lh_id gone = suite_webhook_without_retries("gone");
  make_webhook(suite.store, "stays", "*", 1);
  emit_one(suite.store, "event_points_earned", "{}");
  assert_int_equal(attempt_all(LH_INPUT_FAILURE), 2);
  set_status(&gone, LH_STATUS_DELETED);
  suite_lease(0);
  const int64_t days[] = {31, 30, 30};
  for (int i = 0; i < 3; i++) {
    fake_clock_advance(&suite.fake, days[i] * DAY);
    emit_one(suite.store, "event_points_earned", "{}");
    attempt_all(LH_INPUT_SUCCESS);
    clean();
    assert_int_equal(suite.store->admin->webhook_list(
                         suite.store, &(struct lh_webhook_query){.with_deleted = 1}, &list, NULL),
                     LH_OK);
    assert_int_equal(list.count, i < 2 ? 2 : 1);
    lh_webhook_list_clear(&list);
  }
  make_webhook(suite.store, "gone", "*", 1);
}

static int webhooks_known(void) {
  struct lh_webhook_list list;
  assert_int_equal(suite.store->admin->webhook_list(
                       suite.store, &(struct lh_webhook_query){.with_deleted = 1}, &list, NULL),
                   LH_OK);
  int count = (int)list.count;
  lh_webhook_list_clear(&list);
  return count;
}

/* A retry of many that nobody worked off for so long still finds what it names. */
static void test_a_webhook_stays_for_a_job_that_names_it(void **state) {
  (void)state;
  struct lh_id gone = make_webhook(suite.store, "gone", "*", 1);
  const struct lh_retry_filter filter = {.webhook_id = &gone};
  struct lh_job job;
  struct lh_job_list list;
  assert_int_equal(
      suite.store->jobs->create(suite.store, &filter, NULL, suite.fake.wall_ms, &job, NULL), LH_OK);
  set_status(&gone, LH_STATUS_DELETED);
  suite_lease(0);
  suite_lease(1);
  fake_clock_advance(&suite.fake, KEEP + DAY);
  clean();
  assert_int_equal(webhooks_known(), 1);
  struct lh_job_step step = {.id = &job.id, .now_ms = suite.fake.wall_ms};
  for (int i = 0; i < 4; i++)
    assert_int_equal(suite.store->jobs->step(suite.store, &step, NULL), LH_OK);
  assert_true(step.job.finished_ms != 0);
  clean();
  assert_int_equal(webhooks_known(), 0);
  /* What is left of it would read as a job of all webhooks. */
  assert_int_equal(suite.store->jobs->list(suite.store, 10, &list, NULL), LH_OK);
  assert_int_equal(list.count, 0);
  lh_job_list_clear(&list);
}

static void test_figures_are_kept_for_a_week(void **state) {
  (void)state;
  make_webhook(suite.store, "w", "*", 1);
  struct lh_stats stats;
  const struct lh_stats_query ever = {0};
  for (int day = 0; day < 10; day++) {
    emit_one(suite.store, "event_points_earned", "{}");
    attempt_all(LH_INPUT_SUCCESS);
    fake_clock_advance(&suite.fake, DAY);
  }
  assert_int_equal(suite.store->admin->stats(suite.store, &ever, &stats, NULL), LH_OK);
  assert_int_equal(stats.sum.recent.delivered, 10);
  clean();
  assert_int_equal(suite.store->admin->stats(suite.store, &ever, &stats, NULL), LH_OK);
  assert_in_range(stats.sum.recent.delivered, 7, 8);
}

static void test_old_notices_go_but_for_a_mail_under_way(void **state) {
  (void)state;
  struct lh_notice_list list;
  struct lh_mailing mailing;
  const struct lh_notice_filter all = {.limit = 10};
  suite_webhook_without_retries("w");
  for (int i = 0; i < 2; i++) {
    emit_one(suite.store, "event_points_earned", "{}");
    fake_clock_advance(&suite.fake, 61000);
    assert_int_equal(attempt_all(LH_INPUT_FAILURE), 1);
  }
  const struct lh_mailing_wish wish = {
      .session = suite.session, .now_ms = suite.fake.wall_ms, .host = "h", .fallback = 1};
  assert_int_equal(suite.store->notices->lease(suite.store, &wish, &mailing, NULL), LH_OK);
  assert_true(mailing.mailing > 0);
  emit_one(suite.store, "event_points_earned", "{}");
  fake_clock_advance(&suite.fake, 61000);
  assert_int_equal(attempt_all(LH_INPUT_FAILURE), 1);
  fake_clock_advance(&suite.fake, KEEP_FAILED);
  clean();
  assert_int_equal(suite.store->notices->list(suite.store, &all, &list, NULL), LH_OK);
  assert_int_equal(list.count, 2); /* those in the mail */
  lh_notice_list_clear(&list);
  const struct lh_mailing_result accepted = {.mailing = mailing.mailing,
                                             .message_id = mailing.message_id,
                                             .session = suite.session,
                                             .now_ms = suite.fake.wall_ms,
                                             .verdict = LH_MAIL_ACCEPTED,
                                             .error = ""};
  assert_int_equal(suite.store->notices->record(suite.store, &accepted, NULL), LH_OK);
  lh_mailing_clear(&mailing);
  clean();
  assert_int_equal(suite.store->notices->list(suite.store, &all, &list, NULL), LH_OK);
  assert_int_equal(list.count, 0);
  lh_notice_list_clear(&list);
}

static void test_an_event_is_explained_as_long_as_it_is_there(void **state) {
  (void)state;
  struct lh_explanation found;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1);
  struct lh_id old = emit_one(suite.store, "event_points_earned", "{}");
  attempt_all(LH_INPUT_SUCCESS);
  set_status(&webhook, LH_STATUS_DISABLED);
  fake_clock_advance(&suite.fake, 20 * DAY);
  struct lh_id while_disabled = emit_one(suite.store, "event_points_earned", "{}");
  set_status(&webhook, LH_STATUS_ENABLED);
  struct lh_id young = emit_one(suite.store, "event_points_earned", "{}");
  attempt_all(LH_INPUT_SUCCESS);
  fake_clock_advance(&suite.fake, 10 * DAY);
  clean();
  assert_int_equal(suite.store->requests->explain(suite.store, &old, &found, NULL), LH_E_NOT_FOUND);
  assert_int_equal(suite.store->requests->explain(suite.store, &while_disabled, &found, NULL),
                   LH_OK);
  assert_int_equal(found.rows[0].mode, LH_SPAN_SKIP);
  lh_explanation_clear(&found);
  assert_int_equal(suite.store->requests->explain(suite.store, &young, &found, NULL), LH_OK);
  assert_int_equal(found.rows[0].mode, LH_SPAN_DELIVER);
  assert_int_equal(found.rows[0].request.count, 1);
  lh_explanation_clear(&found);
}

int store_suite_run_clean(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, suite_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_what_was_delivered_goes_after_its_time),
      T(test_what_waits_holds_the_log),
      T(test_what_is_not_finished_holds_the_log),
      T(test_a_failed_request_takes_its_events_along),
      T(test_failed_ones_go_after_their_own_time),
      T(test_keys_go_with_their_events),
      T(test_a_wrong_clock_neither_holds_nor_cuts),
      T(test_steps_are_small_and_may_end_anywhere),
      T(test_one_run_goes_through_all_that_is_old),
      T(test_a_request_goes_as_a_whole),
      T(test_a_deleted_webhook_goes_with_its_last_trace),
      T(test_a_webhook_stays_for_a_job_that_names_it),
      T(test_figures_are_kept_for_a_week),
      T(test_old_notices_go_but_for_a_mail_under_way),
      T(test_an_event_is_explained_as_long_as_it_is_there),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: retention", tests, NULL, NULL);
}
