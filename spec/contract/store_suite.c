/* The contract suite: see store_suite.h. Each test starts with an empty store and its own clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/store_suite.h"

static const struct store_maker *maker;
static struct fake_clock fake;
static struct lh_store *store;
static int64_t session;
static struct noted noted;
static struct lh_turn turn;

static int set_up(void **state) {
  (void)state;
  fake_clock_init(&fake, 7);
  store = maker->open(&fake.door);
  assert_int_equal(store->requests->session_open(store, fake.wall_ms, &session, NULL), LH_OK);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  lh_store_close(store);
  maker->wipe();
  return 0;
}

struct lh_id make_webhook(struct lh_store *in, const char *name, const char *event_types,
                          int32_t batch_size) {
  struct lh_webhook webhook;
  struct lh_error err;
  char url[128];
  lh_webhook_init(&webhook);
  snprintf(webhook.account, sizeof webhook.account, "default");
  snprintf(webhook.name, sizeof webhook.name, "%s", name);
  snprintf(url, sizeof url, "http://127.0.0.1/%s", name);
  snprintf(webhook.url, sizeof webhook.url, "%s", url);
  webhook.event_types = strdup(event_types);
  webhook.batch_size = batch_size;
  int rc = in->admin->webhook_create(in, &webhook, url, "0123456789abcdef", 16, FAKE_START_MS, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  struct lh_id id = webhook.id;
  lh_webhook_clear(&webhook);
  return id;
}

static struct lh_emit emit_of(const char *event_type, const char *data) {
  struct lh_emit emit;
  memset(&emit, 0, sizeof emit);
  emit.account = "default";
  emit.event_type = event_type;
  emit.category = strstr(event_type, "member") != NULL ? "member" : "transaction";
  emit.data = data;
  emit.data_len = strlen(data);
  return emit;
}

struct lh_id emit_one(struct lh_store *in, const char *event_type, const char *data) {
  struct lh_emit emit = emit_of(event_type, data);
  struct lh_emitted emitted;
  struct lh_error err;
  int rc = in->log->emit(in, &emit, 1, LH_EMIT_ALL, &emitted, NULL, &err);
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
  into->leases[into->count++].lease = *lease;
  return 0;
}

void take_turn(struct lh_store *in, int64_t of_session, int64_t now_ms,
               struct lh_attempt_result *results, size_t result_count, size_t slots,
               struct noted *into, struct lh_turn *asked) {
  struct lh_lease_visitor visitor = {into, on_begin, on_event, on_end};
  struct lh_error err;
  memset(asked, 0, sizeof *asked);
  into->count = 0;
  asked->session = of_session;
  asked->now_ms = now_ms;
  asked->results = results;
  asked->result_count = result_count;
  asked->slots = slots;
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

static void lease(size_t slots) {
  take_turn(store, session, fake.wall_ms, NULL, 0, slots, &noted, &turn);
}
static struct lh_attempt_result record(const struct lh_lease *of, enum lh_input_kind kind) {
  struct lh_attempt_result result = result_of(of, kind, fake.wall_ms);
  struct noted none;
  take_turn(store, session, fake.wall_ms, &result, 1, 0, &none, &turn);
  return result;
}
static struct lh_request_list all_requests(int state) {
  struct lh_request_filter filter = {.state = state, .limit = LH_LIST_LIMIT_MAX};
  struct lh_request_list list;
  assert_int_equal(store->requests->list(store, &filter, &list, NULL), LH_OK);
  return list;
}
static size_t count_requests(int state) {
  struct lh_request_list list = all_requests(state);
  size_t count = list.count;
  lh_request_list_clear(&list);
  return count;
}

static void test_an_event_is_delivered_to_a_webhook_that_was_there_before(void **state) {
  (void)state;
  emit_one(store, "event_points_earned", "{\"before\":1}");
  make_webhook(store, "w", "event_points_earned", 100);
  lease(10);
  assert_int_equal(noted.count, 0); /* from its creation on */
  struct lh_id id = emit_one(store, "event_points_earned", "{}");
  lease(10);
  assert_int_equal(noted.count, 1);
  assert_int_equal(noted.leases[0].events, 1);
  assert_memory_equal(&noted.leases[0].first_event, &id, sizeof id);
  assert_int_equal(noted.leases[0].lease.attempt, 1);
  struct lh_attempt_result result = record(&noted.leases[0].lease, LH_INPUT_SUCCESS);
  assert_int_equal(result.after.state, LH_DELIVERED);
  lease(10);
  assert_int_equal(noted.count, 0);
  assert_true(turn.next_due_ms == INT64_MAX);
}

static void test_subscriptions_by_type_category_and_all(void **state) {
  (void)state;
  make_webhook(store, "one", "event_points_earned", 100);
  make_webhook(store, "category", "category:member", 100);
  make_webhook(store, "all", "*", 100);
  emit_one(store, "event_points_earned", "{}");
  emit_one(store, "event_member_enrol", "{}");
  emit_one(store, "event_points_expired", "{}");
  lease(10);
  assert_int_equal(noted.count, 3);
  int events[3] = {0, 0, 0};
  for (int i = 0; i < 3; i++) {
    const char *name = noted.leases[i].lease.target->webhook.name;
    events[strcmp(name, "one") == 0 ? 0 : strcmp(name, "category") == 0 ? 1 : 2] =
        noted.leases[i].events;
  }
  assert_int_equal(events[0], 1);
  assert_int_equal(events[1], 1);
  assert_int_equal(events[2], 3);
}

static void test_star_includes_types_stored_later(void **state) {
  (void)state;
  make_webhook(store, "all", "*", 100);
  emit_one(store, "event_points_earned", "{}");
  lease(1);
  record(&noted.leases[0].lease, LH_INPUT_SUCCESS);
  emit_one(store, "event_new_kind", "{}");
  lease(1);
  assert_int_equal(noted.count, 1);
}

static void test_batches_are_full_and_disjoint_and_in_order(void **state) {
  (void)state;
  struct lh_id ids[17];
  make_webhook(store, "w", "*", 7);
  for (int i = 0; i < 17; i++) ids[i] = emit_one(store, "event_points_earned", "{}");
  lease(10);
  assert_int_equal(noted.count, 3);
  int seen = 0, sizes[3] = {7, 7, 3};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(noted.leases[i].events, sizes[i]);
    assert_int_equal(noted.leases[i].lease.count, sizes[i]);
    assert_memory_equal(&noted.leases[i].first_event, &ids[seen], sizeof ids[0]);
    seen += sizes[i];
  }
  struct lh_request_list list = all_requests(LH_SENDING);
  assert_int_equal(list.count, 3);
  assert_int_equal(list.rows[2].count, 7); /* newest first */
  for (int i = 0; i < 7; i++)
    assert_memory_equal(&list.rows[2].event_ids[i], &ids[i], sizeof ids[0]);
  lh_request_list_clear(&list);
}

static void test_rare_events_in_a_busy_log_are_found(void **state) {
  (void)state;
  struct lh_emit other = emit_of("event_points_earned", "{}");
  struct lh_emitted emitted;
  other.account = "other";
  make_webhook(store, "rare", "event_member_delete\nevent_member_update", 100);
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 60; i++)
      store->log->emit(store, &other, 1, LH_EMIT_ALL, &emitted, NULL, NULL);
    emit_one(store, round == 1 ? "event_member_update" : "event_member_delete", "{}");
  }
  lease(10);
  assert_int_equal(noted.count, 1);
  assert_int_equal(noted.leases[0].events, 3);
  record(&noted.leases[0].lease, LH_INPUT_SUCCESS);
  lease(10);
  assert_int_equal(noted.count, 0);
}

static void test_no_more_in_flight_than_the_webhook_allows(void **state) {
  (void)state;
  make_webhook(store, "w", "*", 1); /* max_in_flight is 4 */
  for (int i = 0; i < 10; i++) emit_one(store, "event_points_earned", "{}");
  lease(100);
  assert_int_equal(noted.count, 4);
  struct lh_lease first = noted.leases[0].lease;
  int64_t other;
  assert_int_equal(store->requests->session_open(store, fake.wall_ms, &other, NULL), LH_OK);
  take_turn(store, other, fake.wall_ms, NULL, 0, 100, &noted, &turn);
  assert_int_equal(noted.count, 0); /* over all workers */
  struct lh_attempt_result result = result_of(&first, LH_INPUT_SUCCESS, fake.wall_ms);
  take_turn(store, session, fake.wall_ms, &result, 1, 100, &noted, &turn);
  assert_int_equal(noted.count, 1); /* recorded and leased in one turn */
}

static void test_a_failed_attempt_is_due_after_the_interval_with_the_same_events(void **state) {
  (void)state;
  make_webhook(store, "w", "*", 100);
  struct lh_id id = emit_one(store, "event_points_earned", "{\"a\":1}");
  lease(10);
  struct lh_lease first = noted.leases[0].lease;
  struct lh_attempt_result result = record(&first, LH_INPUT_FAILURE);
  assert_int_equal(result.after.state, LH_RETRYING);
  assert_true(result.after.next_attempt_ms == fake.wall_ms + 300000);
  fake_clock_advance(&fake, 299999);
  lease(10);
  assert_int_equal(noted.count, 0);
  assert_true(turn.next_due_ms <= fake.wall_ms + 1);
  fake_clock_advance(&fake, 1);
  lease(10);
  assert_int_equal(noted.count, 1);
  assert_int_equal(noted.leases[0].lease.attempt, 2);
  assert_memory_equal(&noted.leases[0].lease.request_id, &first.request_id, sizeof id);
  assert_memory_equal(&noted.leases[0].first_event, &id, sizeof id);
  assert_true(noted.leases[0].lease.created_ms == first.created_ms);
}

static void test_six_failures_end_as_retries_exhausted_with_every_attempt_logged(void **state) {
  (void)state;
  struct lh_request_list list;
  struct lh_attempt_list attempts;
  make_webhook(store, "w", "*", 100);
  emit_one(store, "event_points_earned", "{}");
  struct lh_attempt_result result;
  struct lh_id request_id = {{0}};
  for (int i = 1; i <= 6; i++) {
    lease(1);
    assert_int_equal(noted.count, 1);
    request_id = noted.leases[0].lease.request_id;
    result = record(&noted.leases[0].lease, LH_INPUT_FAILURE);
    fake_clock_advance(&fake, 300000);
  }
  assert_int_equal(result.after.state, LH_FAILED);
  assert_int_equal(result.after.reason, LH_REASON_RETRIES_EXHAUSTED);
  lease(1);
  assert_int_equal(noted.count, 0);
  assert_int_equal(store->requests->get(store, &request_id, &list, &attempts, NULL), LH_OK);
  assert_int_equal(attempts.count, 6);
  assert_int_equal(attempts.rows[5].number, 6);
  assert_int_equal(attempts.rows[5].status, 500);
  lh_request_list_clear(&list);
  lh_attempt_list_clear(&attempts);
}

static void test_a_failing_webhook_gets_one_attempt_at_a_time(void **state) {
  (void)state;
  make_webhook(store, "w", "*", 1);
  for (int i = 0; i < 5; i++) emit_one(store, "event_points_earned", "{}");
  lease(1);
  record(&noted.leases[0].lease, LH_INPUT_FAILURE);
  lease(10);
  assert_int_equal(noted.count, 0);
  fake_clock_advance(&fake, 1000);
  lease(10);
  assert_int_equal(noted.count, 1);
  record(&noted.leases[0].lease, LH_INPUT_FAILURE);
  fake_clock_advance(&fake, 1999);
  lease(10);
  assert_int_equal(noted.count, 0);
  fake_clock_advance(&fake, 1);
  lease(10);
  assert_int_equal(noted.count, 1);
  record(&noted.leases[0].lease, LH_INPUT_SUCCESS);
  lease(10);
  assert_int_equal(noted.count, 2); /* the first success ends it */
}

static void test_five_failed_requests_pause_and_what_waits_fails(void **state) {
  (void)state;
  struct lh_webhook webhook;
  lh_webhook_init(&webhook);
  snprintf(webhook.account, sizeof webhook.account, "default");
  snprintf(webhook.name, sizeof webhook.name, "w");
  snprintf(webhook.url, sizeof webhook.url, "http://127.0.0.1/w");
  webhook.event_types = strdup("*");
  webhook.batch_size = 1;
  webhook.retries_max = 0;
  assert_int_equal(store->admin->webhook_create(store, &webhook, webhook.url, "0123456789abcdef",
                                                16, fake.wall_ms, NULL), LH_OK);
  lh_webhook_clear(&webhook);
  for (int i = 0; i < 8; i++) emit_one(store, "event_points_earned", "{}");
  struct lh_attempt_result result;
  for (int i = 0; i < 5; i++) {
    lease(1);
    assert_int_equal(noted.count, 1);
    result = record(&noted.leases[0].lease, LH_INPUT_FAILURE);
    assert_int_equal(result.paused_webhook, i == 4);
    fake_clock_advance(&fake, 60000);
  }
  lease(10);
  assert_int_equal(noted.count, 0);
  for (int i = 0; i < 5; i++) { /* the rest is formed as failed, full or once a minute */
    fake_clock_advance(&fake, 60000);
    lease(10);
    assert_int_equal(noted.count, 0);
  }
  assert_int_equal(count_requests(LH_FAILED), 8);
  emit_one(store, "event_points_earned", "{}");
  fake_clock_advance(&fake, 60000);
  lease(10);
  assert_int_equal(noted.count, 0);
  assert_int_equal(count_requests(LH_FAILED), 9);
  struct lh_webhook_list list;
  assert_int_equal(store->admin->webhook_get(store, NULL, "w", &list, NULL), LH_OK);
  assert_int_equal(list.rows[0].status, LH_STATUS_PAUSED);
  assert_string_equal(list.rows[0].status_reason, "failures");
  lh_webhook_list_clear(&list);
}

static void test_a_dead_workers_attempt_is_lost_counts_and_is_due_at_once(void **state) {
  (void)state;
  size_t rescued;
  int64_t other;
  make_webhook(store, "w", "*", 100);
  emit_one(store, "event_points_earned", "{}");
  lease(1);
  struct lh_lease lost = noted.leases[0].lease;
  struct lh_store *second = maker->open(&fake.door);
  assert_int_equal(second->requests->session_open(second, fake.wall_ms, &other, NULL), LH_OK);
  assert_int_equal(second->requests->rescue(second, other, fake.wall_ms, &rescued, NULL), LH_OK);
  assert_int_equal(rescued, 0); /* it lives */
  fake_clock_advance(&fake, LH_SESSION_DEAD_MS + 1);
  assert_int_equal(second->requests->rescue(second, other, fake.wall_ms, &rescued, NULL), LH_OK);
  assert_int_equal(rescued, 1);
  take_turn(second, other, fake.wall_ms, NULL, 0, 10, &noted, &turn);
  assert_int_equal(noted.count, 1);
  assert_int_equal(noted.leases[0].lease.attempt, 2);
  struct lh_lease again = noted.leases[0].lease;
  /* The first worker was only slow. Its answer is late, and a success counts. */
  struct lh_attempt_result late = record(&lost, LH_INPUT_SUCCESS);
  assert_int_equal(turn.session_dead, 1);
  assert_int_equal(late.after.state, LH_DELIVERED);
  struct lh_attempt_result result = result_of(&again, LH_INPUT_FAILURE, fake.wall_ms);
  take_turn(second, other, fake.wall_ms, &result, 1, 10, &noted, &turn);
  assert_int_equal(result.after.state, LH_DELIVERED);
  lh_store_close(second);
  for (int i = 0; i < 5; i++) emit_one(store, "event_points_earned", "{}");
  assert_int_equal(store->requests->session_open(store, fake.wall_ms, &session, NULL), LH_OK);
  lease(10); /* and the slots are free: none leaked */
  assert_int_equal(noted.count, 1);
}

static void test_a_given_back_attempt_burns_no_number(void **state) {
  (void)state;
  make_webhook(store, "w", "*", 100);
  emit_one(store, "event_points_earned", "{}");
  lease(1);
  struct lh_attempt_result result = record(&noted.leases[0].lease, LH_INPUT_GIVEN_BACK);
  assert_int_equal(result.after.state, LH_PENDING);
  assert_int_equal(result.after.attempts_made, 0);
  struct lh_pending_work work;
  assert_int_equal(store->requests->pending_work(store, fake.wall_ms, &work, NULL), LH_OK);
  assert_int_equal(work.given_back, 1);
  fake_clock_advance(&fake, 1000);
  lease(1);
  assert_int_equal(noted.count, 1);
  assert_int_equal(noted.leases[0].lease.attempt, 1);
}

static void test_closing_a_session_loses_what_it_holds(void **state) {
  (void)state;
  make_webhook(store, "w", "*", 100);
  emit_one(store, "event_points_earned", "{}");
  lease(1);
  store->requests->session_close(store, session, fake.wall_ms);
  assert_int_equal(store->requests->session_open(store, fake.wall_ms, &session, NULL), LH_OK);
  lease(1);
  assert_int_equal(noted.count, 1);
  assert_int_equal(noted.leases[0].lease.attempt, 2);
}

static void test_batch_wait_holds_a_part_batch_until_it_is_old_or_full(void **state) {
  (void)state;
  struct lh_webhook webhook;
  lh_webhook_init(&webhook);
  snprintf(webhook.account, sizeof webhook.account, "default");
  snprintf(webhook.name, sizeof webhook.name, "w");
  snprintf(webhook.url, sizeof webhook.url, "http://127.0.0.1/w");
  webhook.event_types = strdup("*");
  webhook.batch_size = 3;
  webhook.batch_wait_ms = 500;
  assert_int_equal(store->admin->webhook_create(store, &webhook, webhook.url, "0123456789abcdef",
                                                16, fake.wall_ms, NULL), LH_OK);
  lh_webhook_clear(&webhook);
  for (int i = 0; i < 4; i++) emit_one(store, "event_points_earned", "{}");
  lease(10);
  assert_int_equal(noted.count, 1);
  assert_int_equal(noted.leases[0].events, 3);
  assert_true(turn.next_due_ms == fake.wall_ms + 500);
  fake_clock_advance(&fake, 500);
  lease(10);
  assert_int_equal(noted.count, 1);
  assert_int_equal(noted.leases[0].events, 1);
}

static void test_idempotency_keys_and_ids(void **state) {
  (void)state;
  struct lh_emit emit = emit_of("event_points_earned", "{\"n\":1}");
  struct lh_emitted first, again;
  emit.idempotency_key = "order-1";
  emit.idempotency_key_len = 7;
  assert_int_equal(store->log->emit(store, &emit, 1, LH_EMIT_ALL, &first, NULL, NULL), LH_OK);
  assert_int_equal(store->log->emit(store, &emit, 1, LH_EMIT_ALL, &again, NULL, NULL), LH_OK);
  assert_true(again.duplicate);
  assert_memory_equal(&first.id, &again.id, sizeof first.id);
  emit.data = "{\"n\":2}";
  assert_int_equal(store->log->emit(store, &emit, 1, LH_EMIT_ALL, &again, NULL, NULL),
                   LH_E_CONFLICT);
  emit.account = "other"; /* another account's keys are its own */
  assert_int_equal(store->log->emit(store, &emit, 1, LH_EMIT_ALL, &again, NULL, NULL), LH_OK);
  assert_false(again.duplicate);
  struct lh_emit given = emit_of("event_points_earned", "{}");
  struct lh_id id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
  given.id = &id;
  assert_int_equal(store->log->emit(store, &given, 1, LH_EMIT_ALL, &again, NULL, NULL), LH_OK);
  assert_memory_equal(&again.id, &id, sizeof id);
  assert_int_equal(store->log->emit(store, &given, 1, LH_EMIT_ALL, &again, NULL, NULL), LH_OK);
  assert_true(again.duplicate);
  given.event_type = "event_points_expired";
  assert_int_equal(store->log->emit(store, &given, 1, LH_EMIT_ALL, &again, NULL, NULL),
                   LH_E_CONFLICT);
}

static void test_emit_all_undoes_and_emit_each_skips(void **state) {
  (void)state;
  struct lh_id id = {{9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}};
  struct lh_emit emits[3] = {emit_of("event_points_earned", "{\"n\":1}"),
                             emit_of("event_points_earned", "{\"n\":2}"),
                             emit_of("event_points_earned", "{\"n\":3}")};
  struct lh_emitted results[3];
  size_t bad;
  struct lh_stats stats;
  emits[0].id = emits[2].id = &id;
  assert_int_equal(store->log->emit(store, emits, 3, LH_EMIT_ALL, results, &bad, NULL),
                   LH_E_CONFLICT);
  assert_int_equal(bad, 2);
  assert_int_equal(store->admin->stats(store, NULL, &stats, NULL), LH_OK);
  assert_int_equal(stats.events, 0);
  assert_int_equal(store->log->emit(store, emits, 3, LH_EMIT_EACH, results, &bad, NULL), LH_OK);
  assert_int_equal(results[0].code, LH_OK);
  assert_int_equal(results[1].code, LH_OK);
  assert_int_equal(results[2].code, LH_E_CONFLICT);
  assert_int_equal(store->admin->stats(store, NULL, &stats, NULL), LH_OK);
  assert_int_equal(stats.events, 2);
}

static void test_ten_webhooks_per_account_unique_names_and_urls(void **state) {
  (void)state;
  char name[16];
  struct lh_webhook webhook;
  for (int i = 0; i < 10; i++) {
    snprintf(name, sizeof name, "w%d", i);
    make_webhook(store, name, "*", 1);
  }
  lh_webhook_init(&webhook);
  snprintf(webhook.account, sizeof webhook.account, "default");
  snprintf(webhook.name, sizeof webhook.name, "eleventh");
  webhook.event_types = strdup("*");
  const char *secret = "0123456789abcdef";
  assert_int_equal(store->admin->webhook_create(store, &webhook, "http://x/", secret, 16, 1, NULL),
                   LH_E_LIMIT);
  snprintf(webhook.account, sizeof webhook.account, "other");
  assert_int_equal(store->admin->webhook_create(store, &webhook, "http://x/", secret, 16, 1, NULL),
                   LH_OK);
  assert_int_equal(store->admin->webhook_create(store, &webhook, "http://y/", secret, 16, 1, NULL),
                   LH_E_CONFLICT);
  snprintf(webhook.name, sizeof webhook.name, "twelfth");
  assert_int_equal(store->admin->webhook_create(store, &webhook, "http://x/", secret, 16, 1, NULL),
                   LH_E_CONFLICT);
  lh_webhook_clear(&webhook);
}

static void test_lists_filter_and_page(void **state) {
  (void)state;
  struct lh_emit emit = emit_of("event_points_earned", "{}");
  struct lh_emitted emitted;
  struct lh_id one = make_webhook(store, "one", "*", 1);
  make_webhook(store, "two", "*", 1);
  emit.member = "m1";
  emit.member_len = 2;
  store->log->emit(store, &emit, 1, LH_EMIT_ALL, &emitted, NULL, NULL);
  for (int i = 0; i < 3; i++) emit_one(store, "event_points_earned", "{}");
  lease(100);
  assert_int_equal(noted.count, 8);
  record(&noted.leases[0].lease, LH_INPUT_SUCCESS);
  assert_int_equal(count_requests(LH_DELIVERED), 1);
  assert_int_equal(count_requests(LH_SENDING), 7);
  struct lh_request_filter filter = {.state = -1, .webhook_id = &one, .limit = 3};
  struct lh_request_list list;
  assert_int_equal(store->requests->list(store, &filter, &list, NULL), LH_OK);
  assert_int_equal(list.count, 3);
  filter.after = list.next;
  assert_true(list.next > 0);
  lh_request_list_clear(&list);
  assert_int_equal(store->requests->list(store, &filter, &list, NULL), LH_OK);
  assert_int_equal(list.count, 1);
  assert_int_equal(list.next, 0);
  lh_request_list_clear(&list);
  struct lh_request_filter by_event = {.state = -1, .event_id = &emitted.id, .limit = 50};
  assert_int_equal(store->requests->list(store, &by_event, &list, NULL), LH_OK);
  assert_int_equal(list.count, 2);
  lh_request_list_clear(&list);
  struct lh_request_filter by_member = {.state = -1, .member = "m1", .limit = 50};
  assert_int_equal(store->requests->list(store, &by_member, &list, NULL), LH_OK);
  assert_int_equal(list.count, 2);
  lh_request_list_clear(&list);
}

static void test_an_event_reads_back_byte_for_byte(void **state) {
  (void)state;
  const char *data = "{ \"a\\u0000b\" : 1e400, \"x\":[ ] ,\"\":\"\\/\"}";
  struct lh_event event;
  struct lh_id id = emit_one(store, "event_points_earned", data);
  assert_int_equal(store->log->event_get(store, &id, &event, NULL), LH_OK);
  assert_int_equal(event.data_len, strlen(data));
  assert_memory_equal(event.data, data, event.data_len);
  assert_string_equal(event.event_type, "event_points_earned");
  assert_string_equal(event.account, "default");
  struct lh_id none = {{0}};
  assert_int_equal(store->log->event_get(store, &none, &event, NULL), LH_E_NOT_FOUND);
}

static int refuse_end(void *self, const struct lh_lease *of) {
  (void)self;
  (void)of;
  return LH_E_MEMORY;
}

static void test_a_turn_whose_visitor_fails_leaves_nothing(void **state) {
  (void)state;
  struct lh_lease_visitor visitor = {&noted, on_begin, on_event, refuse_end};
  struct lh_turn failing = {.session = session, .now_ms = fake.wall_ms, .slots = 1, .bytes = 1000,
                            .visitor = &visitor};
  make_webhook(store, "w", "*", 100);
  emit_one(store, "event_points_earned", "{}");
  noted.count = 0;
  assert_int_equal(store->requests->turn(store, &failing, NULL), LH_E_MEMORY);
  assert_int_equal(count_requests(-1), 0);
  lease(1);
  assert_int_equal(noted.count, 1);
  assert_int_equal(noted.leases[0].lease.attempt, 1);
}

int store_suite_run(const struct store_maker *of) {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(test_an_event_is_delivered_to_a_webhook_that_was_there_before),
      T(test_subscriptions_by_type_category_and_all),
      T(test_star_includes_types_stored_later),
      T(test_batches_are_full_and_disjoint_and_in_order),
      T(test_rare_events_in_a_busy_log_are_found),
      T(test_no_more_in_flight_than_the_webhook_allows),
      T(test_a_failed_attempt_is_due_after_the_interval_with_the_same_events),
      T(test_six_failures_end_as_retries_exhausted_with_every_attempt_logged),
      T(test_a_failing_webhook_gets_one_attempt_at_a_time),
      T(test_five_failed_requests_pause_and_what_waits_fails),
      T(test_a_dead_workers_attempt_is_lost_counts_and_is_due_at_once),
      T(test_a_given_back_attempt_burns_no_number),
      T(test_closing_a_session_loses_what_it_holds),
      T(test_batch_wait_holds_a_part_batch_until_it_is_old_or_full),
      T(test_idempotency_keys_and_ids),
      T(test_emit_all_undoes_and_emit_each_skips),
      T(test_ten_webhooks_per_account_unique_names_and_urls),
      T(test_lists_filter_and_page),
      T(test_an_event_reads_back_byte_for_byte),
      T(test_a_turn_whose_visitor_fails_leaves_nothing),
  };
#undef T
  maker = of;
  return cmocka_run_group_tests_name("store contract", tests, NULL, NULL);
}
