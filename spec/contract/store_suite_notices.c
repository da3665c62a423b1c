/* Contract suite: what administrators hear of, its list, and where their mails go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/notices_suite.h"

struct lh_mailing mailing;

int notices_tear_down(void **state) {
  lh_mailing_clear(&mailing);
  return suite_tear_down(state);
}

struct lh_id make_failing(const char *account, const char *name, int32_t pause_after) {
  struct lh_webhook webhook;
  struct lh_error err;
  lh_webhook_init(&webhook);
  snprintf(webhook.account, sizeof webhook.account, "%s", account);
  snprintf(webhook.name, sizeof webhook.name, "%s", name);
  snprintf(webhook.url, sizeof webhook.url, "http://127.0.0.1/%s", name);
  webhook.event_types = strdup("*");
  webhook.batch_size = 1;
  webhook.retries_max = 0;
  webhook.retry_interval_s = 1;
  webhook.pause_after = pause_after;
  int rc = suite.store->admin->webhook_create(suite.store, &webhook,
                                              &(struct lh_webhook_new){webhook.url, secret16, NULL},
                                              suite.fake.wall_ms, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  lh_webhook_clear(&webhook);
  return webhook.id;
}

struct lh_lease fail_one(const char *account) {
  struct lh_emit emit = suite_emit_of("event_points_earned", "{}");
  struct lh_emitted emitted;
  emit.account = account;
  assert_int_equal(emit_event(suite.store, &emit, &emitted, NULL), LH_OK);
  fake_clock_advance(&suite.fake, 2000);
  suite_lease(1);
  assert_int_equal(suite.noted.count, 1);
  struct lh_lease lease = suite.noted.leases[0].lease;
  struct lh_attempt_result result = result_of(&lease, LH_INPUT_FAILURE, suite.fake.wall_ms);
  result.response = "out of order";
  result.response_len = 12;
  suite.turn = turn_of(suite.session, suite.fake.wall_ms, 0, &result, 1);
  take_turn(suite.store, &suite.turn, &suite.noted);
  assert_int_equal(result.after.state, LH_FAILED);
  return lease;
}

struct lh_notice_list list_of(const struct lh_notice_filter *filter) {
  struct lh_notice_list list;
  struct lh_error err;
  int rc = suite.store->notices->list(suite.store, filter, &list, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  return list;
}

size_t count_notices(int mailed) {
  const struct lh_notice_filter filter = {.limit = LH_LIST_LIMIT_MAX};
  struct lh_notice_list list = list_of(&filter);
  size_t count = 0;
  for (size_t i = 0; i < list.count; i++) count += list.rows[i].mailed == mailed;
  lh_notice_list_clear(&list);
  return count;
}

int lease_by(int64_t session, int fallback) {
  const struct lh_mailing_wish wish = {session, suite.fake.wall_ms, "example.com", fallback};
  struct lh_error err;
  lh_mailing_clear(&mailing);
  int rc = suite.store->notices->lease(suite.store, &wish, &mailing, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  return mailing.mailing != 0;
}

int lease_mail(void) {
  return lease_by(suite.session, 1);
}

void record_mail(enum lh_mail_verdict verdict) {
  const struct lh_mailing_result result = {.mailing = mailing.mailing,
                                           .message_id = mailing.message_id,
                                           .session = suite.session,
                                           .now_ms = suite.fake.wall_ms,
                                           .verdict = verdict,
                                           .again = mailing.again,
                                           .error = "why"};
  assert_int_equal(suite.store->notices->record(suite.store, &result, NULL), LH_OK);
}

int64_t due_ms(void) {
  int64_t due;
  assert_int_equal(suite.store->notices->next_due(suite.store, suite.fake.wall_ms, &due, NULL),
                   LH_OK);
  return due;
}

int64_t told(enum lh_notice_kind kind) {
  int64_t count = 0;
  for (size_t i = 0; i < mailing.sum_count; i++)
    if (mailing.sums[i].kind == kind) count += mailing.sums[i].count;
  return count;
}

static void test_each_failed_request_and_each_pause_makes_one_notice(void **state) {
  (void)state;
  struct lh_id webhook = make_failing("default", "w", 3);
  struct lh_lease last = {0};
  for (int i = 0; i < 3; i++) last = fail_one("default");
  const struct lh_notice_filter filter = {.limit = 50};
  struct lh_notice_list list = list_of(&filter);
  assert_int_equal(list.count, 4);
  assert_int_equal(list.rows[0].kind, LH_NOTICE_PAUSED);
  assert_string_equal(list.rows[0].reason, "failures");
  for (int i = 1; i < 4; i++) {
    assert_int_equal(list.rows[i].kind, LH_NOTICE_FAILED);
    assert_string_equal(list.rows[i].reason, "retries_exhausted");
    assert_memory_equal(&list.rows[i].webhook_id, &webhook, sizeof webhook);
    assert_string_equal(list.rows[i].webhook_name, "w");
    assert_string_equal(list.rows[i].account, "default");
    assert_int_equal(list.rows[i].mailed, 0);
  }
  assert_memory_equal(&list.rows[1].request_id, &last.request_id, sizeof last.request_id);
  assert_int_equal(list.rows[0].created_ms, suite.fake.wall_ms);
  lh_notice_list_clear(&list);
}

static void test_what_waits_or_comes_while_paused_makes_notices_too(void **state) {
  (void)state;
  make_failing("default", "w", 1);
  fail_one("default");
  emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(10);
  assert_int_equal(suite.noted.count, 0);
  const struct lh_notice_filter filter = {.limit = 1};
  struct lh_notice_list list = list_of(&filter);
  assert_int_equal(list.rows[0].kind, LH_NOTICE_FAILED);
  assert_string_equal(list.rows[0].reason, "paused");
  assert_true(list.next != 0);
  lh_notice_list_clear(&list);
  assert_int_equal(count_notices(0), 3);
}

static void test_what_a_person_stops_makes_none(void **state) {
  (void)state;
  static const enum lh_status stops[] = {LH_STATUS_DISABLED, LH_STATUS_DELETED};
  for (int i = 0; i < 2; i++) {
    struct lh_webhook result;
    struct lh_id id = make_failing("default", i == 0 ? "disabled" : "deleted", 5);
    emit_one(suite.store, "event_points_earned", "{}");
    emit_one(suite.store, "event_points_earned", "{}");
    suite_lease(1);
    suite_record(&suite.noted.leases[0].lease, LH_INPUT_GIVEN_BACK);
    assert_int_equal(suite.store->admin->webhook_status(suite.store, &(struct lh_which){.id = &id},
                                                        stops[i], &result, NULL),
                     LH_OK);
    lh_webhook_clear(&result);
    suite_lease(10);
    assert_int_equal(suite_count_requests(LH_FAILED), 2 * (i + 1));
  }
  assert_int_equal(count_notices(0), 0);
  assert_true(due_ms() == INT64_MAX);
}

static void test_a_late_success_leaves_the_notice(void **state) {
  (void)state;
  make_failing("default", "w", 5);
  struct lh_lease lease = fail_one("default");
  struct lh_attempt_result late = suite_record(&lease, LH_INPUT_SUCCESS);
  assert_int_equal(late.after.state, LH_DELIVERED);
  assert_int_equal(count_notices(0), 1);
  assert_true(lease_mail());
  assert_int_equal(mailing.entries[0].state, LH_DELIVERED);
}

static void test_the_list_is_filtered_and_paged(void **state) {
  (void)state;
  struct lh_id w = make_failing("default", "w", 0);
  make_failing("shop-7", "other", 0);
  for (int i = 0; i < 3; i++) fail_one("default");
  int64_t since_ms = suite.fake.wall_ms + 1;
  for (int i = 0; i < 2; i++) fail_one("shop-7");
  const struct lh_notice_filter filters[] = {
      {.limit = 50},
      {.limit = 50, .account = "shop-7"},
      {.limit = 50, .webhook_id = &w},
      {.limit = 50, .webhook_id = &w, .account = "shop-7"},
      {.limit = 50, .since_ms = since_ms},
      {.limit = 50, .account = "nobody"},
  };
  static const size_t counts[] = {5, 2, 3, 0, 2, 0};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    struct lh_notice_list list = list_of(&filters[i]);
    assert_int_equal(list.count, counts[i]);
    assert_int_equal(list.next, 0);
    lh_notice_list_clear(&list);
  }
  struct lh_notice_filter page = {.limit = 2};
  size_t seen = 0, pages = 0;
  do {
    struct lh_notice_list list = list_of(&page);
    for (size_t i = 1; i < list.count; i++)
      assert_true(list.rows[i].notice < list.rows[i - 1].notice);
    seen += list.count;
    pages++;
    page.after = list.next;
    lh_notice_list_clear(&list);
  } while (page.after != 0);
  assert_int_equal(seen, 5);
  assert_int_equal(pages, 3);
  page.limit = 0;
  struct lh_notice_list none;
  assert_int_equal(suite.store->notices->list(suite.store, &page, &none, NULL), LH_E_INVALID);
}

static int set_account(const char *name, const char *notify) {
  return suite.store->notices->account_set(suite.store, name, notify, NULL, suite.fake.wall_ms,
                                           NULL);
}

static void test_accounts_have_addresses(void **state) {
  (void)state;
  struct lh_account_list list;
  struct lh_account_filter filter = {.limit = 2};
  make_failing("shop-7", "w", 0);
  assert_int_equal(set_account("shop-7", "a@example.com,b@example.com"), LH_OK);
  assert_int_equal(set_account("new", "c@example.com"), LH_OK);
  assert_int_equal(set_account("bare", NULL), LH_OK);
  assert_int_equal(set_account("shop-7", "no address"), LH_E_INVALID);
  assert_int_equal(set_account("shop-7", "a@b\r\nBcc: c@d"), LH_E_INVALID);
  assert_int_equal(set_account("no account!", "a@b"), LH_E_INVALID);
  assert_int_equal(suite.store->notices->account_list(suite.store, &filter, &list, NULL), LH_OK);
  assert_int_equal(list.count, 2);
  assert_int_equal(list.more, 1);
  assert_string_equal(list.rows[0].name, "bare");
  assert_null(list.rows[0].notify);
  assert_string_equal(list.rows[1].name, "new");
  lh_account_list_clear(&list);
  filter.after = "new";
  assert_int_equal(suite.store->notices->account_list(suite.store, &filter, &list, NULL), LH_OK);
  assert_int_equal(list.count, 1);
  assert_int_equal(list.more, 0);
  assert_string_equal(list.rows[0].notify, "a@example.com,b@example.com");
  assert_int_equal(list.rows[0].webhooks, 1);
  lh_account_list_clear(&list);
  assert_int_equal(set_account("shop-7", NULL), LH_OK);
  filter = (struct lh_account_filter){.limit = 1, .name = "shop-7"};
  assert_int_equal(suite.store->notices->account_list(suite.store, &filter, &list, NULL), LH_OK);
  assert_int_equal(list.count, 1);
  assert_null(list.rows[0].notify);
  lh_account_list_clear(&list);
}

int store_suite_run_notices(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, notices_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_each_failed_request_and_each_pause_makes_one_notice),
      T(test_what_waits_or_comes_while_paused_makes_notices_too),
      T(test_what_a_person_stops_makes_none),
      T(test_a_late_success_leaves_the_notice),
      T(test_the_list_is_filtered_and_paged),
      T(test_accounts_have_addresses),
  };
#undef T
  int failed = cmocka_run_group_tests_name("store contract: notices", tests, NULL, NULL);
  return failed + store_suite_run_mailings();
}
