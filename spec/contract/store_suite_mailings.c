/* Contract suite: mails tell each notice once, whatever becomes of them. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/notices_suite.h"

#define MINUTE_MS 60000
#define HOUR_MS 3600000

static void test_a_mail_says_what_happened(void **state) {
  (void)state;
  struct lh_id webhook = make_failing("shop-7", "crm", 2);
  assert_int_equal(suite.store->notices->account_set(suite.store, "shop-7", "a@b,c@d", NULL,
                                                     suite.fake.wall_ms, NULL),
                   LH_OK);
  struct lh_lease first = fail_one("shop-7");
  fail_one("shop-7");
  assert_true(lease_mail());
  assert_string_equal(mailing.notify, "a@b,c@d");
  assert_memory_equal(&mailing.webhook.id, &webhook, sizeof webhook);
  assert_string_equal(mailing.webhook.name, "crm");
  assert_string_equal(mailing.webhook.account, "shop-7");
  assert_int_equal(mailing.webhook.status, LH_STATUS_PAUSED);
  assert_int_equal(mailing.sum_count, 2);
  assert_int_equal(told(LH_NOTICE_FAILED), 2);
  assert_int_equal(told(LH_NOTICE_PAUSED), 1);
  assert_string_equal(mailing.sums[0].reason, "retries_exhausted");
  assert_true(mailing.sums[0].last_ms == suite.fake.wall_ms);
  assert_true(mailing.sums[0].first_ms == suite.fake.wall_ms - 2000);
  assert_int_equal(mailing.entry_count, 2);
  assert_memory_equal(&mailing.entries[0].request_id, &first.request_id, sizeof first.request_id);
  assert_int_equal(mailing.entries[0].state, LH_FAILED);
  assert_int_equal(mailing.entries[0].count, 1);
  assert_int_equal(mailing.entries[0].attempts_made, 1);
  assert_int_equal(mailing.entries[0].status, 500);
  assert_string_equal(mailing.entries[0].response, "out of order");
  assert_int_equal(strlen(mailing.message_id), LH_ID_LEN + strlen("@example.com"));
  assert_int_equal(mailing.again, 0);
}

static void test_the_first_mail_goes_at_once_the_next_five_minutes_later(void **state) {
  (void)state;
  make_failing("default", "w", 0);
  assert_true(due_ms() == INT64_MAX);
  assert_false(lease_mail());
  fail_one("default");
  assert_true(due_ms() <= suite.fake.wall_ms);
  assert_true(lease_mail());
  assert_int_equal(told(LH_NOTICE_FAILED), 1);
  assert_true(due_ms() == INT64_MAX); /* it is under way */
  fail_one("default");                /* meanwhile */
  assert_true(due_ms() == INT64_MAX);
  assert_false(lease_mail());
}

static void test_notices_merge_until_five_minutes_after_the_last_mail(void **state) {
  (void)state;
  make_failing("default", "w", 0);
  fail_one("default");
  assert_true(lease_mail());
  fail_one("default"); /* while it is under way */
  record_mail(LH_MAIL_ACCEPTED);
  int64_t next_ms = suite.fake.wall_ms + LH_MAIL_INTERVAL_MS;
  assert_int_equal(count_notices(1), 1);
  assert_true(due_ms() == next_ms);
  for (int i = 0; i < 3; i++) fail_one("default");
  assert_true(due_ms() == next_ms);
  fake_clock_advance(&suite.fake, next_ms - suite.fake.wall_ms - 1);
  assert_false(lease_mail());
  fake_clock_advance(&suite.fake, 1);
  assert_true(lease_mail());
  assert_int_equal(told(LH_NOTICE_FAILED), 4);
  record_mail(LH_MAIL_ACCEPTED);
  assert_int_equal(count_notices(0), 0);
  assert_true(due_ms() == INT64_MAX);
  fake_clock_advance(&suite.fake, LH_MAIL_INTERVAL_MS + 1);
  fail_one("default"); /* the interval is over: at once */
  assert_true(due_ms() <= suite.fake.wall_ms);
}

static void test_the_interval_is_each_webhooks_own(void **state) {
  (void)state;
  make_failing("default", "w", 0);
  fail_one("default");
  assert_true(lease_mail());
  int64_t first = mailing.mailing;
  record_mail(LH_MAIL_ACCEPTED);
  make_failing("shop-7", "w", 0);
  fail_one("shop-7");
  assert_true(lease_mail());
  assert_true(mailing.mailing != first);
}

static void test_a_refused_mail_backs_off_and_takes_along_what_comes(void **state) {
  (void)state;
  char before[LH_MESSAGE_ID_MAX];
  int64_t wait_ms = MINUTE_MS;
  make_failing("default", "w", 0);
  fail_one("default");
  for (int i = 1; i <= 9; i++) {
    assert_true(lease_mail());
    assert_int_equal(told(LH_NOTICE_FAILED), i);
    assert_int_equal(mailing.again, 0);
    if (i > 1) assert_string_not_equal(mailing.message_id, before);
    snprintf(before, sizeof before, "%s", mailing.message_id);
    record_mail(LH_MAIL_REFUSED);
    assert_true(due_ms() == suite.fake.wall_ms + wait_ms);
    fail_one("default");
    assert_int_equal(count_notices(1), 0);
    fake_clock_advance(&suite.fake, wait_ms);
    wait_ms = 2 * wait_ms > HOUR_MS ? HOUR_MS : 2 * wait_ms;
  }
  assert_true(lease_mail());
  record_mail(LH_MAIL_ACCEPTED);
  assert_int_equal(count_notices(0), 0);
  fake_clock_advance(&suite.fake, LH_MAIL_INTERVAL_MS);
  fail_one("default");
  assert_true(lease_mail());
  record_mail(LH_MAIL_REFUSED);
  assert_true(due_ms() == suite.fake.wall_ms + MINUTE_MS); /* the success began it anew */
}

static void test_a_mail_of_unknown_fate_is_sent_again_as_it_was(void **state) {
  (void)state;
  char id[LH_MESSAGE_ID_MAX];
  make_failing("default", "w", 0);
  fail_one("default");
  assert_true(lease_mail());
  snprintf(id, sizeof id, "%s", mailing.message_id);
  record_mail(LH_MAIL_UNKNOWN);
  fail_one("default");
  assert_true(due_ms() < INT64_MAX);
  fake_clock_advance(&suite.fake, MINUTE_MS);
  assert_true(lease_mail());
  assert_string_equal(mailing.message_id, id);
  assert_int_equal(mailing.again, 1);
  assert_int_equal(told(LH_NOTICE_FAILED), 1);
  record_mail(LH_MAIL_REFUSED); /* the first try may have arrived all the same */
  fake_clock_advance(&suite.fake, 2 * MINUTE_MS);
  assert_true(lease_mail());
  assert_string_equal(mailing.message_id, id);
  assert_int_equal(told(LH_NOTICE_FAILED), 1);
  record_mail(LH_MAIL_ACCEPTED);
  assert_int_equal(count_notices(1), 1);
  fake_clock_advance(&suite.fake, LH_MAIL_INTERVAL_MS);
  assert_true(lease_mail());
  assert_string_not_equal(mailing.message_id, id);
  assert_int_equal(told(LH_NOTICE_FAILED), 1); /* the other one */
}

static void test_a_dead_workers_mail_is_due_at_once_with_the_same_id(void **state) {
  (void)state;
  char id[LH_MESSAGE_ID_MAX];
  size_t rescued;
  make_failing("default", "w", 0);
  fail_one("default");
  struct lh_store *second = maker->open(&suite.fake.door);
  int64_t dead;
  assert_int_equal(second->requests->session_open(second, suite.fake.wall_ms, &dead, NULL), LH_OK);
  const struct lh_mailing_wish wish = {dead, suite.fake.wall_ms, "example.com", 1};
  assert_int_equal(second->notices->lease(second, &wish, &mailing, NULL), LH_OK);
  assert_true(mailing.mailing != 0);
  snprintf(id, sizeof id, "%s", mailing.message_id);
  const struct lh_mailing_result late = {.mailing = mailing.mailing,
                                         .message_id = id,
                                         .session = dead,
                                         .now_ms = suite.fake.wall_ms,
                                         .error = ""};
  lh_store_close(second); /* its lock goes: everybody sees that it died */
  assert_int_equal(
      suite.store->requests->rescue(suite.store, suite.session, suite.fake.wall_ms, &rescued, NULL),
      LH_OK);
  assert_true(due_ms() <= suite.fake.wall_ms);
  assert_true(lease_mail());
  assert_string_equal(mailing.message_id, id);
  assert_int_equal(mailing.again, 1);
  struct lh_mailing_result refused = late;
  refused.verdict = LH_MAIL_REFUSED; /* of a session that has lost it: says nothing */
  assert_int_equal(suite.store->notices->record(suite.store, &refused, NULL), LH_OK);
  assert_true(due_ms() == INT64_MAX);
  struct lh_mailing_result accepted = late;
  accepted.verdict = LH_MAIL_ACCEPTED; /* it was only slow: that counts */
  assert_int_equal(suite.store->notices->record(suite.store, &accepted, NULL), LH_OK);
  assert_int_equal(count_notices(1), 1);
  record_mail(
      LH_MAIL_UNKNOWN); /* and the second try, whose mail is no longer under way, does not */
  assert_true(due_ms() == INT64_MAX);
}

static void test_a_session_that_was_declared_dead_gets_no_mail(void **state) {
  (void)state;
  make_failing("default", "w", 0);
  fail_one("default");
  assert_false(lease_by(suite.session + 1000, 1));
  assert_true(lease_mail());
}

static void test_a_closed_session_leaves_its_mail_to_others(void **state) {
  (void)state;
  char id[LH_MESSAGE_ID_MAX];
  make_failing("default", "w", 0);
  fail_one("default");
  assert_true(lease_mail());
  snprintf(id, sizeof id, "%s", mailing.message_id);
  suite.store->requests->session_close(suite.store, suite.session, suite.fake.wall_ms);
  assert_int_equal(
      suite.store->requests->session_open(suite.store, suite.fake.wall_ms, &suite.session, NULL),
      LH_OK);
  assert_true(lease_mail());
  assert_string_equal(mailing.message_id, id);
}

static void test_mails_to_nobody_are_not_leased(void **state) {
  (void)state;
  make_failing("default", "w", 0);
  make_failing("shop-7", "w", 0);
  fail_one("default");
  assert_false(lease_by(suite.session, 0));
  assert_true(due_ms() == suite.fake.wall_ms + LH_MAIL_INTERVAL_MS); /* nobody asks all the time */
  fail_one("shop-7");
  assert_int_equal(suite.store->notices->account_set(suite.store, "shop-7", "ops@example.com", NULL,
                                                     suite.fake.wall_ms, NULL),
                   LH_OK);
  assert_true(lease_by(suite.session, 0));
  assert_string_equal(mailing.webhook.account, "shop-7");
  record_mail(LH_MAIL_ACCEPTED);
  assert_false(lease_by(suite.session, 0));
  assert_int_equal(suite.store->notices->account_set(suite.store, "default", "ops@example.com",
                                                     NULL, suite.fake.wall_ms, NULL),
                   LH_OK);
  assert_true(lease_by(suite.session, 0)); /* at once, with what waited for an address */
  assert_string_equal(mailing.webhook.account, "default");
  assert_int_equal(told(LH_NOTICE_FAILED), 1);
}

static void test_a_clock_set_back_holds_up_no_mail(void **state) {
  (void)state;
  make_failing("default", "w", 0);
  fail_one("default");
  assert_true(lease_mail());
  record_mail(LH_MAIL_ACCEPTED);
  fail_one("default");
  suite.fake.wall_ms -= INT64_C(86400000);
  assert_true(due_ms() <= suite.fake.wall_ms);
  assert_true(lease_mail());
  record_mail(LH_MAIL_ACCEPTED);
  suite.fake.wall_ms -= INT64_C(86400000);
  suite_lease(1); /* the back-off of the webhook itself is bounded too */
  fake_clock_advance(&suite.fake, LH_BACKOFF_MAX_MS);
  fail_one("default");
  assert_true(due_ms() <= suite.fake.wall_ms + LH_MAIL_INTERVAL_MS);
}

static void emit_many(int count) {
  static struct lh_emit events[1000];
  static struct lh_emitted results[1000];
  for (int i = 0; i < 1000; i++) events[i] = suite_emit_of("event_points_earned", "{}");
  for (; count > 0; count -= 1000) {
    struct lh_emission emission = {
        .events = events, .count = count < 1000 ? (size_t)count : 1000, .results = results};
    assert_int_equal(suite.store->log->emit(suite.store, &emission, NULL), LH_OK);
  }
}

static void test_ten_thousand_failures_make_a_handful_of_mails(void **state) {
  (void)state;
  int64_t failed = 0, pauses = 0;
  int mails = 0;
  make_failing("default", "w", 1);
  fail_one("default");
  emit_many(9999);
  for (int rounds = 0; rounds < 1000 && (rounds < 60 || due_ms() != INT64_MAX); rounds++) {
    suite_lease(10);
    fake_clock_advance(&suite.fake, 10000);
    if (!lease_mail()) continue;
    mails++;
    failed += told(LH_NOTICE_FAILED);
    pauses += told(LH_NOTICE_PAUSED);
    assert_true(mailing.entry_count <= LH_MAIL_ENTRIES_MAX);
    record_mail(mails == 2 ? LH_MAIL_REFUSED : LH_MAIL_ACCEPTED);
    if (mails == 2) failed -= told(LH_NOTICE_FAILED);
    if (mails == 2) pauses -= told(LH_NOTICE_PAUSED);
  }
  assert_int_equal(failed, 10000);
  assert_int_equal(pauses, 1);
  assert_in_range(mails, 2, 6);
  assert_int_equal(suite_count_requests(LH_FAILED), LH_LIST_LIMIT_MAX);
}

/* Eight workers, each with a handle and a thread of its own, ask at the same time. */
struct asker {
  pthread_t thread;
  struct lh_store *store;
  int64_t session;
  int code;
  struct lh_mailing mailing;
};

static void *ask(void *self) {
  struct asker *asker = self;
  const struct lh_mailing_wish wish = {asker->session, suite.fake.wall_ms, "example.com", 1};
  asker->code = asker->store->notices->lease(asker->store, &wish, &asker->mailing, NULL);
  return NULL;
}

static void test_eight_workers_lease_one_mail(void **state) {
  (void)state;
  static struct asker askers[8];
  int leased = 0;
  make_failing("default", "w", 0);
  fail_one("default");
  for (int i = 0; i < 8; i++) {
    askers[i].store = maker->open(&suite.fake.door);
    assert_int_equal(askers[i].store->requests->session_open(askers[i].store, suite.fake.wall_ms,
                                                             &askers[i].session, NULL),
                     LH_OK);
  }
  for (int i = 0; i < 8; i++)
    assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
  for (int i = 0; i < 8; i++) {
    assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
    assert_int_equal(askers[i].code, LH_OK);
    leased += askers[i].mailing.mailing != 0;
    lh_mailing_clear(&askers[i].mailing);
    lh_store_close(askers[i].store);
  }
  assert_int_equal(leased, 1);
}

int store_suite_run_mailings(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, notices_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_a_mail_says_what_happened),
      T(test_the_first_mail_goes_at_once_the_next_five_minutes_later),
      T(test_notices_merge_until_five_minutes_after_the_last_mail),
      T(test_the_interval_is_each_webhooks_own),
      T(test_a_refused_mail_backs_off_and_takes_along_what_comes),
      T(test_a_mail_of_unknown_fate_is_sent_again_as_it_was),
      T(test_a_dead_workers_mail_is_due_at_once_with_the_same_id),
      T(test_a_session_that_was_declared_dead_gets_no_mail),
      T(test_a_closed_session_leaves_its_mail_to_others),
      T(test_mails_to_nobody_are_not_leased),
      T(test_a_clock_set_back_holds_up_no_mail),
      T(test_ten_thousand_failures_make_a_handful_of_mails),
      T(test_eight_workers_lease_one_mail),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: mailings", tests, NULL, NULL);
}
