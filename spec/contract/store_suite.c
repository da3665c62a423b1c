/* The contract suite: see store_suite.h. Each test starts with an empty store and its own clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/recount.h"
#include "spec/contract/store_suite.h"
#include "spec/contract/tasks_suite.h"

const struct store_maker *maker;
struct suite suite;

int suite_set_up(void **state) {
  (void)state;
  fake_clock_init(&suite.fake, 7);
  suite.store = maker->open(&suite.fake.door);
  assert_int_equal(
      suite.store->requests->session_open(suite.store, suite.fake.wall_ms, &suite.session, NULL),
      LH_OK);
  return 0;
}

int suite_tear_down(void **state) {
  (void)state;
  const char *wrong = recount(suite.store);
  if (wrong != NULL) print_error("%s\n", wrong);
  lh_store_close(suite.store);
  maker->wipe();
  assert_null(wrong);
  return 0;
}

static struct lh_webhook webhook_draft(const char *name, const char *event_types) {
  struct lh_webhook webhook;
  lh_webhook_init(&webhook);
  snprintf(webhook.account, sizeof webhook.account, "default");
  snprintf(webhook.name, sizeof webhook.name, "%s", name);
  snprintf(webhook.url, sizeof webhook.url, "http://127.0.0.1/%s", name);
  webhook.event_types = strdup(event_types);
  return webhook;
}

/* Creates it and clears the draft. */
static struct lh_id store_draft(struct lh_store *in, struct lh_webhook *webhook) {
  struct lh_error err;
  int rc = in->admin->webhook_create(
      in, webhook, &(struct lh_webhook_new){webhook->url, secret16, NULL}, FAKE_START_MS, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  lh_webhook_clear(webhook);
  return webhook->id;
}

struct lh_id make_webhook(struct lh_store *in, const char *name, const char *event_types,
                          int32_t batch_size) {
  struct lh_webhook webhook = webhook_draft(name, event_types);
  webhook.batch_size = batch_size;
  return store_draft(in, &webhook);
}

struct lh_emit suite_emit_of(const char *event_type, const char *data) {
  struct lh_emit emit;
  memset(&emit, 0, sizeof emit);
  emit.account = "default";
  emit.event_type = event_type;
  emit.category = strstr(event_type, "member") != NULL ? "member" : "transaction";
  emit.data = data;
  emit.data_len = strlen(data);
  return emit;
}

int emit_event(struct lh_store *in, const struct lh_emit *emit, struct lh_emitted *emitted,
               struct lh_error *err) {
  struct lh_emission emission = {.events = emit, .count = 1, .results = emitted};
  return in->log->emit(in, &emission, err);
}

struct lh_id emit_one(struct lh_store *in, const char *event_type, const char *data) {
  struct lh_emit emit = suite_emit_of(event_type, data);
  struct lh_emitted emitted;
  struct lh_error err;
  int rc = emit_event(in, &emit, &emitted, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  return emitted.id;
}

static int on_begin(void *self) {
  struct noted *into = self;
  memset(&into->leases[into->count], 0, sizeof into->leases[0]);
  return 0;
}
static int on_event(void *self, const struct lh_event *event) {
  struct noted *into = self;
  struct noted_lease *lease = &into->leases[into->count];
  if (lease->events++ == 0) lease->first_event = event->id;
  return event->data_len >= 2 && event->event_type[0] != '\0' ? 0 : LH_E_INVALID;
}
static int on_end(void *self, const struct lh_lease *lease) {
  struct noted *into = self;
  into->leases[into->count].revision = lease->target->revision;
  into->leases[into->count++].lease = *lease;
  return 0;
}

struct lh_turn turn_of(int64_t of_session, int64_t now_ms, size_t slots,
                       struct lh_attempt_result *results, size_t result_count) {
  struct lh_turn asked = {.session = of_session,
                          .now_ms = now_ms,
                          .slots = slots,
                          .results = results,
                          .result_count = result_count};
  return asked;
}

void take_turn(struct lh_store *in, struct lh_turn *asked, struct noted *into) {
  struct lh_lease_visitor visitor = {into, on_begin, on_event, on_end};
  struct lh_error err;
  into->count = 0;
  asked->bytes = LH_BODIES_IN_FLIGHT_BYTES;
  asked->visitor = &visitor;
  int rc = in->requests->turn(in, asked, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  assert_int_equal(asked->leased, into->count);
}

struct lh_attempt_result result_of(const struct lh_lease *lease, enum lh_input_kind kind,
                                   int64_t now_ms) {
  struct lh_attempt_result result;
  memset(&result, 0, sizeof result);
  result.request = lease->request;
  result.attempt = lease->attempt;
  result.kind = kind;
  result.status = kind == LH_INPUT_SUCCESS ? 200 : 500;
  result.started_ms = now_ms;
  result.ended_ms = now_ms;
  result.error = "";
  result.url = "http://127.0.0.1/";
  result.nonce = "1704067200000";
  result.response = "";
  return result;
}

void suite_lease(size_t slots) {
  suite.turn = turn_of(suite.session, suite.fake.wall_ms, slots, NULL, 0);
  take_turn(suite.store, &suite.turn, &suite.noted);
}
struct lh_attempt_result suite_record(const struct lh_lease *of, enum lh_input_kind kind) {
  struct lh_attempt_result result = result_of(of, kind, suite.fake.wall_ms);
  struct noted none;
  suite.turn = turn_of(suite.session, suite.fake.wall_ms, 0, &result, 1);
  take_turn(suite.store, &suite.turn, &none);
  return result;
}
static struct lh_request_list all_requests(int state) {
  struct lh_request_filter filter = {.state = state, .limit = LH_LIST_LIMIT_MAX};
  struct lh_request_list list;
  assert_int_equal(suite.store->requests->list(suite.store, &filter, &list, NULL), LH_OK);
  return list;
}
size_t suite_count_requests(int state) {
  struct lh_request_list list = all_requests(state);
  size_t count = list.count;
  lh_request_list_clear(&list);
  return count;
}

static void test_an_event_is_delivered_to_a_webhook_that_was_there_before(void **state) {
  (void)state;
  emit_one(suite.store, "event_points_earned", "{\"before\":1}");
  make_webhook(suite.store, "w", "event_points_earned", 100);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 0); /* from its creation on */
  struct lh_id id = emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(10);
  assert_int_equal(suite.noted.count, 1);
  assert_int_equal(suite.noted.leases[0].events, 1);
  assert_memory_equal(&suite.noted.leases[0].first_event, &id, sizeof id);
  assert_int_equal(suite.noted.leases[0].lease.attempt, 1);
  struct lh_attempt_result result = suite_record(&suite.noted.leases[0].lease, LH_INPUT_SUCCESS);
  assert_int_equal(result.after.state, LH_DELIVERED);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 0);
  assert_true(suite.turn.next_due_ms == INT64_MAX);
}

static void test_batches_are_full_and_disjoint_and_in_order(void **state) {
  (void)state;
  struct lh_id ids[17];
  make_webhook(suite.store, "w", "*", 7);
  for (int i = 0; i < 17; i++) ids[i] = emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(10);
  assert_int_equal(suite.noted.count, 3);
  int seen = 0, sizes[3] = {7, 7, 3};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(suite.noted.leases[i].events, sizes[i]);
    assert_int_equal(suite.noted.leases[i].lease.count, sizes[i]);
    assert_memory_equal(&suite.noted.leases[i].first_event, &ids[seen], sizeof ids[0]);
    seen += sizes[i];
  }
  struct lh_request_list list = all_requests(LH_SENDING);
  assert_int_equal(list.count, 3);
  assert_int_equal(list.rows[2].count, 7); /* newest first */
  for (int i = 0; i < 7; i++)
    assert_memory_equal(&list.rows[2].event_ids[i], &ids[i], sizeof ids[0]);
  lh_request_list_clear(&list);
}

static void test_no_more_in_flight_than_the_webhook_allows(void **state) {
  (void)state;
  make_webhook(suite.store, "w", "*", 1); /* max_in_flight is 4 */
  for (int i = 0; i < 10; i++) emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(100);
  assert_int_equal(suite.noted.count, 4);
  struct lh_lease first = suite.noted.leases[0].lease;
  int64_t other;
  struct lh_store *second = maker->open(&suite.fake.door);
  assert_int_equal(second->requests->session_open(second, suite.fake.wall_ms, &other, NULL), LH_OK);
  suite.turn = turn_of(other, suite.fake.wall_ms, 100, NULL, 0);
  take_turn(second, &suite.turn, &suite.noted);
  assert_int_equal(suite.noted.count, 0); /* over all workers */
  lh_store_close(second);
  struct lh_attempt_result result = result_of(&first, LH_INPUT_SUCCESS, suite.fake.wall_ms);
  suite.turn = turn_of(suite.session, suite.fake.wall_ms, 100, &result, 1);
  take_turn(suite.store, &suite.turn, &suite.noted);
  assert_int_equal(suite.noted.count, 1); /* recorded and leased in one turn */
}

static void test_a_failed_attempt_is_due_after_the_interval_with_the_same_events(void **state) {
  (void)state;
  make_webhook(suite.store, "w", "*", 100);
  struct lh_id id = emit_one(suite.store, "event_points_earned", "{\"a\":1}");
  suite_lease(10);
  struct lh_lease first = suite.noted.leases[0].lease;
  struct lh_attempt_result result = suite_record(&first, LH_INPUT_FAILURE);
  assert_int_equal(result.after.state, LH_RETRYING);
  assert_true(result.after.next_attempt_ms == suite.fake.wall_ms + 300000);
  fake_clock_advance(&suite.fake, 299999);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 0);
  assert_true(suite.turn.next_due_ms <= suite.fake.wall_ms + 1);
  fake_clock_advance(&suite.fake, 1);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 1);
  assert_int_equal(suite.noted.leases[0].lease.attempt, 2);
  assert_memory_equal(&suite.noted.leases[0].lease.request_id, &first.request_id, sizeof id);
  assert_memory_equal(&suite.noted.leases[0].first_event, &id, sizeof id);
  assert_true(suite.noted.leases[0].lease.created_ms == first.created_ms);
}

static void test_six_failures_end_as_retries_exhausted_with_every_attempt_logged(void **state) {
  (void)state;
  struct lh_request_list list;
  struct lh_attempt_list attempts;
  make_webhook(suite.store, "w", "*", 100);
  emit_one(suite.store, "event_points_earned", "{}");
  struct lh_attempt_result result;
  struct lh_id request_id = {{0}};
  for (int i = 1; i <= 6; i++) {
    suite_lease(1);
    assert_int_equal(suite.noted.count, 1);
    request_id = suite.noted.leases[0].lease.request_id;
    result = suite_record(&suite.noted.leases[0].lease, LH_INPUT_FAILURE);
    fake_clock_advance(&suite.fake, 300000);
  }
  assert_int_equal(result.after.state, LH_FAILED);
  assert_int_equal(result.after.reason, LH_REASON_RETRIES_EXHAUSTED);
  suite_lease(1);
  assert_int_equal(suite.noted.count, 0);
  assert_int_equal(suite.store->requests->get(suite.store, &request_id, &list, &attempts, NULL),
                   LH_OK);
  assert_int_equal(attempts.count, 6);
  assert_int_equal(attempts.rows[5].number, 6);
  assert_int_equal(attempts.rows[5].status, 500);
  lh_request_list_clear(&list);
  lh_attempt_list_clear(&attempts);
}

static void test_a_failing_webhook_gets_one_attempt_at_a_time(void **state) {
  (void)state;
  make_webhook(suite.store, "w", "*", 1);
  for (int i = 0; i < 5; i++) emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(1);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_FAILURE);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 0);
  fake_clock_advance(&suite.fake, 1000);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 1);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_FAILURE);
  fake_clock_advance(&suite.fake, 1999);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 0);
  fake_clock_advance(&suite.fake, 1);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 1);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_SUCCESS);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 2); /* the first success ends it */
}

static void test_five_failed_requests_pause_and_what_waits_fails(void **state) {
  (void)state;
  struct lh_webhook webhook = webhook_draft("w", "*");
  webhook.batch_size = 1;
  webhook.retries_max = 0;
  store_draft(suite.store, &webhook);
  for (int i = 0; i < 8; i++) emit_one(suite.store, "event_points_earned", "{}");
  struct lh_attempt_result result;
  for (int i = 0; i < 5; i++) {
    suite_lease(1);
    assert_int_equal(suite.noted.count, 1);
    result = suite_record(&suite.noted.leases[0].lease, LH_INPUT_FAILURE);
    assert_int_equal(result.paused_webhook, i == 4);
    fake_clock_advance(&suite.fake, 60000);
  }
  suite_lease(10);
  assert_int_equal(suite.noted.count, 0);
  for (int i = 0; i < 5; i++) { /* the rest is formed as failed, full or once a minute */
    fake_clock_advance(&suite.fake, 60000);
    suite_lease(10);
    assert_int_equal(suite.noted.count, 0);
  }
  assert_int_equal(suite_count_requests(LH_FAILED), 8);
  emit_one(suite.store, "event_points_earned", "{}");
  fake_clock_advance(&suite.fake, 60000);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 0);
  assert_int_equal(suite_count_requests(LH_FAILED), 9);
  struct lh_webhook_list list;
  assert_int_equal(suite.store->admin->webhook_get(suite.store, NULL, "w", &list, NULL), LH_OK);
  assert_int_equal(list.rows[0].status, LH_STATUS_PAUSED);
  assert_string_equal(list.rows[0].status_reason, "failures");
  lh_webhook_list_clear(&list);
}

static void test_a_given_back_attempt_burns_no_number(void **state) {
  (void)state;
  make_webhook(suite.store, "w", "*", 100);
  emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(1);
  struct lh_attempt_result result = suite_record(&suite.noted.leases[0].lease, LH_INPUT_GIVEN_BACK);
  assert_int_equal(result.after.state, LH_PENDING);
  assert_int_equal(result.after.attempts_made, 0);
  struct lh_pending_work work;
  assert_int_equal(
      suite.store->requests->pending_work(suite.store, suite.fake.wall_ms, &work, NULL), LH_OK);
  assert_int_equal(work.given_back, 1);
  fake_clock_advance(&suite.fake, 1000);
  suite_lease(1);
  assert_int_equal(suite.noted.count, 1);
  assert_int_equal(suite.noted.leases[0].lease.attempt, 1);
}

static void test_batch_wait_holds_a_part_batch_until_it_is_old_or_full(void **state) {
  (void)state;
  struct lh_webhook webhook = webhook_draft("w", "*");
  webhook.batch_size = 3;
  webhook.batch_wait_ms = 500;
  store_draft(suite.store, &webhook);
  for (int i = 0; i < 4; i++) emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(10);
  assert_int_equal(suite.noted.count, 1);
  assert_int_equal(suite.noted.leases[0].events, 3);
  assert_true(suite.turn.next_due_ms == suite.fake.wall_ms + 500);
  fake_clock_advance(&suite.fake, 500);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 1);
  assert_int_equal(suite.noted.leases[0].events, 1);
}

static void test_form_all_lets_nothing_wait(void **state) {
  (void)state;
  struct lh_webhook webhook = webhook_draft("w", "*");
  webhook.batch_size = 3;
  webhook.batch_wait_ms = 60000;
  store_draft(suite.store, &webhook);
  emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(10);
  assert_int_equal(suite.noted.count, 0);
  suite.turn = turn_of(suite.session, suite.fake.wall_ms, 10, NULL, 0);
  suite.turn.form_all = 1;
  take_turn(suite.store, &suite.turn, &suite.noted);
  assert_int_equal(suite.noted.count, 1);
}

static void test_a_clock_set_back_postpones_by_no_more_than_the_interval(void **state) {
  (void)state;
  make_webhook(suite.store, "w", "event_points_earned", 1);
  make_webhook(suite.store, "other", "event_member_enrol", 1);
  emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(1);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_FAILURE);
  emit_one(suite.store, "event_member_enrol", "{}");
  suite.fake.wall_ms -= INT64_C(3600000);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 1); /* what was due is due */
  assert_string_equal(suite.noted.leases[0].lease.target->webhook.name, "other");
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_SUCCESS);
  fake_clock_advance(&suite.fake, 60000); /* the longest back-off */
  suite_lease(10);
  fake_clock_advance(&suite.fake, 300000);
  suite_lease(10);
  assert_int_equal(suite.noted.leases[0].lease.attempt, 2);
}

static int refuse_end(void *self, const struct lh_lease *of) {
  (void)self;
  (void)of;
  return LH_E_MEMORY;
}

static void test_a_turn_whose_visitor_fails_leaves_nothing(void **state) {
  (void)state;
  struct lh_lease_visitor visitor = {&suite.noted, on_begin, on_event, refuse_end};
  struct lh_turn failing = {.session = suite.session,
                            .now_ms = suite.fake.wall_ms,
                            .slots = 1,
                            .bytes = 1000,
                            .visitor = &visitor};
  make_webhook(suite.store, "w", "*", 100);
  emit_one(suite.store, "event_points_earned", "{}");
  suite.noted.count = 0;
  assert_int_equal(suite.store->requests->turn(suite.store, &failing, NULL), LH_E_MEMORY);
  assert_int_equal(suite_count_requests(-1), 0);
  suite_lease(1);
  assert_int_equal(suite.noted.count, 1);
  assert_int_equal(suite.noted.leases[0].lease.attempt, 1);
}

int store_suite_run(const struct store_maker *of) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, suite_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_an_event_is_delivered_to_a_webhook_that_was_there_before),
      T(test_batches_are_full_and_disjoint_and_in_order),
      T(test_no_more_in_flight_than_the_webhook_allows),
      T(test_a_failed_attempt_is_due_after_the_interval_with_the_same_events),
      T(test_six_failures_end_as_retries_exhausted_with_every_attempt_logged),
      T(test_a_failing_webhook_gets_one_attempt_at_a_time),
      T(test_five_failed_requests_pause_and_what_waits_fails),
      T(test_a_given_back_attempt_burns_no_number),
      T(test_batch_wait_holds_a_part_batch_until_it_is_old_or_full),
      T(test_form_all_lets_nothing_wait),
      T(test_a_clock_set_back_postpones_by_no_more_than_the_interval),
      T(test_a_turn_whose_visitor_fails_leaves_nothing),
  };
#undef T
  maker = of;
  int failed = cmocka_run_group_tests_name("store contract: dispatch", tests, NULL, NULL);
  failed += store_suite_run_sessions();
  failed += store_suite_run_log();
  failed += store_suite_run_changes();
  failed += store_suite_run_notices();
  failed += store_suite_run_explain();
  failed += store_suite_run_retry();
  failed += store_suite_run_figures();
  failed += store_suite_run_clean();
  failed += store_suite_run_chance();
  failed += store_suite_run_inbox();
  failed += store_suite_run_tasks();
  failed += store_suite_run_task_rules();
  failed += store_suite_run_task_care();
  failed += store_suite_run_access();
  failed += store_suite_run_audit();
  failed += store_suite_run_revision();
  failed += store_suite_run_headers();
  failed += store_suite_run_series();
  return failed;
}
