/* The contract suite's second part: what matches, keys and ids, the limits and the lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/store_suite.h"

static void test_subscriptions_by_type_category_and_all(void **state) {
  (void)state;
  make_webhook(suite.store, "one", "event_points_earned", 100);
  make_webhook(suite.store, "category", "category:member", 100);
  make_webhook(suite.store, "all", "*", 100);
  emit_one(suite.store, "event_points_earned", "{}");
  emit_one(suite.store, "event_member_enrol", "{}");
  emit_one(suite.store, "event_points_expired", "{}");
  suite_lease(10);
  assert_int_equal(suite.noted.count, 3);
  int events[3] = {0, 0, 0};
  for (int i = 0; i < 3; i++) {
    const char *name = suite.noted.leases[i].lease.target->webhook.name;
    events[strcmp(name, "one") == 0        ? 0
           : strcmp(name, "category") == 0 ? 1
                                           : 2] = suite.noted.leases[i].events;
  }
  assert_int_equal(events[0], 1);
  assert_int_equal(events[1], 1);
  assert_int_equal(events[2], 3);
}

static void test_star_includes_types_stored_later(void **state) {
  (void)state;
  make_webhook(suite.store, "all", "*", 100);
  emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(1);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_SUCCESS);
  emit_one(suite.store, "event_new_kind", "{}");
  suite_lease(1);
  assert_int_equal(suite.noted.count, 1);
}

static void test_rare_events_in_a_busy_log_are_found(void **state) {
  (void)state;
  struct lh_emit other = suite_emit_of("event_points_earned", "{}");
  struct lh_emitted emitted;
  other.account = "other";
  make_webhook(suite.store, "rare", "event_member_delete\nevent_member_update", 100);
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 60; i++) emit_event(suite.store, &other, &emitted, NULL);
    emit_one(suite.store, round == 1 ? "event_member_update" : "event_member_delete", "{}");
  }
  suite_lease(10);
  assert_int_equal(suite.noted.count, 1);
  assert_int_equal(suite.noted.leases[0].events, 3);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_SUCCESS);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 0);
}

static void test_idempotency_keys_and_ids(void **state) {
  (void)state;
  struct lh_emit emit = suite_emit_of("event_points_earned", "{\"n\":1}");
  struct lh_emitted first, again;
  emit.idempotency_key = "order-1";
  emit.idempotency_key_len = 7;
  assert_int_equal(emit_event(suite.store, &emit, &first, NULL), LH_OK);
  assert_int_equal(emit_event(suite.store, &emit, &again, NULL), LH_OK);
  assert_true(again.duplicate);
  assert_memory_equal(&first.id, &again.id, sizeof first.id);
  emit.data = "{\"n\":2}";
  assert_int_equal(emit_event(suite.store, &emit, &again, NULL), LH_E_CONFLICT);
  emit.account = "other"; /* another account's keys are its own */
  assert_int_equal(emit_event(suite.store, &emit, &again, NULL), LH_OK);
  assert_false(again.duplicate);
  struct lh_emit given = suite_emit_of("event_points_earned", "{}");
  struct lh_id id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
  given.id = &id;
  assert_int_equal(emit_event(suite.store, &given, &again, NULL), LH_OK);
  assert_memory_equal(&again.id, &id, sizeof id);
  assert_int_equal(emit_event(suite.store, &given, &again, NULL), LH_OK);
  assert_true(again.duplicate);
  given.event_type = "event_points_expired";
  assert_int_equal(emit_event(suite.store, &given, &again, NULL), LH_E_CONFLICT);
}

/* Whoever may emit for one account sees its ids, and can tell which come next. */
static void test_an_id_that_was_guessed_beforehand_stops_nobody(void **state) {
  (void)state;
  struct lh_emit guessed = suite_emit_of("event_points_earned", "{}");
  struct lh_emitted emitted;
  struct lh_id id = emit_one(suite.store, "event_points_earned", "{}");
  guessed.account = "other";
  guessed.id = &id;
  for (int i = 0; i < 20; i++) {
    for (int byte = LH_ID_BYTES - 1; ++id.bytes[byte] == 0; byte--) continue;
    assert_int_equal(emit_event(suite.store, &guessed, &emitted, NULL), LH_OK);
  }
  for (int i = 0; i < 3; i++) emit_one(suite.store, "event_points_earned", "{}");
}

static int emit_three(const struct lh_emit *emits, enum lh_emit_mode mode,
                      struct lh_emitted *results, size_t *bad) {
  struct lh_emission emission = {.events = emits, .count = 3, .mode = mode, .results = results};
  int rc = suite.store->log->emit(suite.store, &emission, NULL);
  *bad = emission.bad_index;
  return rc;
}

static void test_emit_all_undoes_and_emit_each_skips(void **state) {
  (void)state;
  struct lh_id id = {{9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}};
  struct lh_emit emits[3] = {suite_emit_of("event_points_earned", "{\"n\":1}"),
                             suite_emit_of("event_points_earned", "{\"n\":2}"),
                             suite_emit_of("event_points_earned", "{\"n\":3}")};
  struct lh_emitted results[3];
  size_t bad;
  const struct lh_stats_query everything = {0};
  struct lh_stats stats;
  emits[0].id = emits[2].id = &id;
  assert_int_equal(emit_three(emits, LH_EMIT_ALL, results, &bad), LH_E_CONFLICT);
  assert_int_equal(bad, 2);
  assert_int_equal(suite.store->admin->stats(suite.store, &everything, &stats, NULL), LH_OK);
  assert_int_equal(stats.events, 0);
  assert_int_equal(emit_three(emits, LH_EMIT_EACH, results, &bad), LH_OK);
  assert_int_equal(results[0].code, LH_OK);
  assert_int_equal(results[1].code, LH_OK);
  assert_int_equal(results[2].code, LH_E_CONFLICT);
  assert_int_equal(suite.store->admin->stats(suite.store, &everything, &stats, NULL), LH_OK);
  assert_int_equal(stats.events, 2);
}

static void test_ten_webhooks_per_account_unique_names_and_urls(void **state) {
  (void)state;
  char name[16];
  struct lh_webhook webhook;
  for (int i = 0; i < 10; i++) {
    snprintf(name, sizeof name, "w%d", i);
    make_webhook(suite.store, name, "*", 1);
  }
  lh_webhook_init(&webhook);
  snprintf(webhook.account, sizeof webhook.account, "default");
  snprintf(webhook.name, sizeof webhook.name, "eleventh");
  webhook.event_types = strdup("*");
  assert_int_equal(
      suite.store->admin->webhook_create(
          suite.store, &webhook, &(struct lh_webhook_new){"http://x/", secret16, NULL}, 1, NULL),
      LH_E_LIMIT);
  snprintf(webhook.account, sizeof webhook.account, "other");
  assert_int_equal(
      suite.store->admin->webhook_create(
          suite.store, &webhook, &(struct lh_webhook_new){"http://x/", secret16, NULL}, 1, NULL),
      LH_OK);
  assert_int_equal(
      suite.store->admin->webhook_create(
          suite.store, &webhook, &(struct lh_webhook_new){"http://y/", secret16, NULL}, 1, NULL),
      LH_E_CONFLICT);
  snprintf(webhook.name, sizeof webhook.name, "twelfth");
  assert_int_equal(
      suite.store->admin->webhook_create(
          suite.store, &webhook, &(struct lh_webhook_new){"http://x/", secret16, NULL}, 1, NULL),
      LH_E_CONFLICT);
  lh_webhook_clear(&webhook);
}

static void test_lists_filter_and_page(void **state) {
  (void)state;
  struct lh_emit emit = suite_emit_of("event_points_earned", "{}");
  struct lh_emitted emitted;
  struct lh_id one = make_webhook(suite.store, "one", "*", 1);
  make_webhook(suite.store, "two", "*", 1);
  emit.member = "m1";
  emit.member_len = 2;
  emit_event(suite.store, &emit, &emitted, NULL);
  for (int i = 0; i < 3; i++) emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(100);
  assert_int_equal(suite.noted.count, 8);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_SUCCESS);
  assert_int_equal(suite_count_requests(LH_DELIVERED), 1);
  assert_int_equal(suite_count_requests(LH_SENDING), 7);
  struct lh_request_filter filter = {.state = -1, .webhook_id = &one, .limit = 3};
  struct lh_request_list list;
  assert_int_equal(suite.store->requests->list(suite.store, &filter, &list, NULL), LH_OK);
  assert_int_equal(list.count, 3);
  filter.after = list.next;
  assert_true(list.next > 0);
  lh_request_list_clear(&list);
  assert_int_equal(suite.store->requests->list(suite.store, &filter, &list, NULL), LH_OK);
  assert_int_equal(list.count, 1);
  assert_int_equal(list.next, 0);
  lh_request_list_clear(&list);
  struct lh_request_filter by_event = {.state = -1, .event_id = &emitted.id, .limit = 50};
  assert_int_equal(suite.store->requests->list(suite.store, &by_event, &list, NULL), LH_OK);
  assert_int_equal(list.count, 2);
  lh_request_list_clear(&list);
  struct lh_request_filter by_member = {.state = -1, .member = "m1", .limit = 50};
  assert_int_equal(suite.store->requests->list(suite.store, &by_member, &list, NULL), LH_OK);
  assert_int_equal(list.count, 2);
  lh_request_list_clear(&list);
}

/* Pages of two, of all, one webhook's, an account's, a member's and the delivered ones. */
static void test_a_cursor_stays_where_it_was_while_the_log_grows(void **state) {
  (void)state;
  struct lh_emit emit = suite_emit_of("event_points_earned", "{}");
  struct lh_emitted emitted;
  struct lh_id webhook = make_webhook(suite.store, "w", "*", 1);
  struct lh_request_filter filters[] = {{.state = -1, .limit = 2},
                                        {.state = -1, .webhook_id = &webhook, .limit = 2},
                                        {.state = -1, .account = "default", .limit = 2},
                                        {.state = -1, .member = "m1", .limit = 2},
                                        {.state = LH_DELIVERED, .limit = 2}};
  emit.member = "m1";
  emit.member_len = 2;
  int64_t expected = 6;
  for (int page = 0; page < 3; page++, expected -= 2) {
    for (int i = page == 0 ? 6 : 1; i > 0; i--) { /* six, and one more before each next page */
      emit_event(suite.store, &emit, &emitted, NULL);
      suite_lease(1);
      suite_record(&suite.noted.leases[0].lease, LH_INPUT_SUCCESS);
    }
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
      struct lh_request_list list;
      assert_int_equal(suite.store->requests->list(suite.store, &filters[i], &list, NULL), LH_OK);
      assert_int_equal(list.count, 2);
      assert_true(list.rows[0].request == expected && list.rows[1].request == expected - 1);
      assert_true(list.next == (page < 2 ? expected - 1 : 0));
      filters[i].after = list.next;
      lh_request_list_clear(&list);
    }
  }
}

static void test_a_member_lists_only_requests_with_its_events(void **state) {
  (void)state;
  struct lh_emitted emitted;
  struct lh_request_list list;
  make_webhook(suite.store, "w", "event_points_earned", 10);
  const char *members[] = {"ann", "bob", "ann", "carl"};
  for (int i = 0; i < 4; i++) {
    struct lh_emit emit =
        suite_emit_of(i == 1 ? "event_member_enrol" : "event_points_earned", "{}");
    emit.member = members[i];
    emit.member_len = strlen(members[i]);
    if (i == 3) suite_lease(10); /* carl's comes after the request was formed */
    assert_int_equal(emit_event(suite.store, &emit, &emitted, NULL), LH_OK);
  }
  for (int i = 0; i < 4; i++) {
    struct lh_request_filter by = {.state = -1, .member = members[i], .limit = 50};
    assert_int_equal(suite.store->requests->list(suite.store, &by, &list, NULL), LH_OK);
    assert_int_equal(list.count, strcmp(members[i], "ann") == 0);
    lh_request_list_clear(&list);
  }
}

static void test_a_refused_event_leaves_no_account_behind(void **state) {
  (void)state;
  struct lh_id id = {{7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7}};
  struct lh_emit emit = suite_emit_of("event_points_earned", "{}");
  struct lh_emitted emitted;
  const struct lh_stats_query everything = {0};
  struct lh_stats stats;
  emit.id = &id;
  assert_int_equal(emit_event(suite.store, &emit, &emitted, NULL), LH_OK);
  emit.account = "typo";
  emit.event_type = "event_typo";
  struct lh_emission each = {
      .events = &emit, .count = 1, .mode = LH_EMIT_EACH, .results = &emitted};
  assert_int_equal(suite.store->log->emit(suite.store, &each, NULL), LH_OK);
  assert_int_equal(emitted.code, LH_E_CONFLICT);
  assert_int_equal(suite.store->admin->stats(suite.store, &everything, &stats, NULL), LH_OK);
  assert_int_equal(stats.accounts, 1);
}

static void test_an_event_reads_back_byte_for_byte(void **state) {
  (void)state;
  const char *data = "{ \"a\\u0000b\" : 1e400, \"x\":[ ] ,\"\":\"\\/\"}";
  struct lh_event event;
  struct lh_id id = emit_one(suite.store, "event_points_earned", data);
  assert_int_equal(suite.store->log->event_get(suite.store, &id, &event, NULL), LH_OK);
  assert_int_equal(event.data_len, strlen(data));
  assert_memory_equal(event.data, data, event.data_len);
  assert_string_equal(event.event_type, "event_points_earned");
  assert_string_equal(event.account, "default");
  struct lh_id none = {{0}};
  assert_int_equal(suite.store->log->event_get(suite.store, &none, &event, NULL), LH_E_NOT_FOUND);
}

int store_suite_run_log(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, suite_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_idempotency_keys_and_ids),
      T(test_an_id_that_was_guessed_beforehand_stops_nobody),
      T(test_emit_all_undoes_and_emit_each_skips),
      T(test_ten_webhooks_per_account_unique_names_and_urls),
      T(test_lists_filter_and_page),
      T(test_a_cursor_stays_where_it_was_while_the_log_grows),
      T(test_a_member_lists_only_requests_with_its_events),
      T(test_a_refused_event_leaves_no_account_behind),
      T(test_an_event_reads_back_byte_for_byte),
      T(test_subscriptions_by_type_category_and_all),
      T(test_star_includes_types_stored_later),
      T(test_rare_events_in_a_busy_log_are_found),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: log", tests, NULL, NULL);
}
