/* Contract suite: logins, and how often somebody may try. Helpers of access_suite.h. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/access_suite.h"

#define THREADS 8

const unsigned char *access_hash(enum lh_token_kind kind, int number) {
  static unsigned char hash[LH_TOKEN_HASH_BYTES];
  unsigned char random[LH_TOKEN_RANDOM_BYTES] = {0};
  char text[LH_TOKEN_LEN + 1];
  memcpy(random, &number, sizeof number);
  lh_token_from_random(kind, random, text);
  assert_int_equal(lh_token_hash(kind, text, LH_TOKEN_LEN, hash, NULL), LH_OK);
  return hash;
}

struct lh_piece access_piece(const char *text) {
  return (struct lh_piece){text, strlen(text)};
}

int access_add(struct lh_store *store, const char *name, enum lh_role role, struct lh_error *err) {
  struct lh_user made;
  const struct lh_user_new user = {.name = name,
                                   .role = role,
                                   .password = access_piece(ACCESS_PASSWORD),
                                   .iterations = ACCESS_ITERATIONS};
  return store->access->user_add(store, &user, &access_actor, suite.fake.wall_ms, &made, err);
}

int access_claim(const char *name, const char *password, struct lh_user *user) {
  const struct lh_claim claim = {name, access_piece(password), ACCESS_ITERATIONS};
  return suite.store->access->user_check(suite.store, &claim, user, NULL);
}

void access_clean(void) {
  struct lh_clean run = {.now_ms = suite.fake.wall_ms,
                         .retention_ms = INT64_C(30) * 86400000,
                         .failed_retention_ms = INT64_C(90) * 86400000,
                         .more = 1};
  while (run.more) assert_int_equal(suite.store->admin->clean(suite.store, &run, NULL), LH_OK);
}

size_t access_audited(const char *what) {
  const struct lh_audit_filter filter = {.what = what, .limit = LH_LIST_LIMIT_MAX};
  struct lh_audit_list list;
  assert_int_equal(suite.store->audit->list(suite.store, &filter, &list, NULL), LH_OK);
  size_t count = list.count;
  lh_audit_list_clear(&list);
  return count;
}

/* ---- logins */

static int sign_in(const struct lh_user *user, int number) {
  return suite.store->access->login_add(suite.store, user, access_hash(LH_TOKEN_LOGIN, number),
                                        &access_actor, suite.fake.wall_ms, NULL);
}

static int check(int number, struct lh_login *login) {
  return suite.store->access->login_check(suite.store, access_hash(LH_TOKEN_LOGIN, number),
                                          suite.fake.wall_ms, login, NULL);
}

static int sign_out(int number) {
  return suite.store->access->login_end(suite.store, access_hash(LH_TOKEN_LOGIN, number),
                                        &access_actor, suite.fake.wall_ms, NULL);
}

static struct lh_user user_of(const char *name, enum lh_role role) {
  struct lh_user user;
  assert_int_equal(access_add(suite.store, name, role, NULL), LH_OK);
  assert_int_equal(access_claim(name, ACCESS_PASSWORD, &user), LH_OK);
  return user;
}

static void test_a_login_says_who_it_is_until_it_ends(void **state) {
  (void)state;
  struct lh_login login;
  struct lh_user anna = user_of("anna", LH_ROLE_ADMIN), vera = user_of("vera", LH_ROLE_VIEWER);
  assert_int_equal(sign_in(&anna, 1), LH_OK);
  assert_int_equal(sign_in(&vera, 2), LH_OK);
  assert_int_equal(check(1, &login), LH_OK);
  assert_string_equal(login.user, "anna");
  assert_int_equal(login.role, LH_ROLE_ADMIN);
  assert_int_equal(login.expires_ms, FAKE_START_MS + LH_LOGIN_IDLE_MS);
  assert_int_equal(check(2, &login), LH_OK);
  assert_int_equal(login.role, LH_ROLE_VIEWER);
  assert_int_equal(check(3, &login), LH_E_DENIED);
  assert_int_equal(sign_out(1), LH_OK);
  assert_int_equal(sign_out(1), LH_OK);
  assert_int_equal(check(1, &login), LH_E_DENIED);
  assert_int_equal(check(2, &login), LH_OK);
  assert_int_equal(access_audited("login.begin"), 2);
  assert_int_equal(access_audited("login.end"), 1);
}

static void test_a_login_ends_when_it_is_not_used(void **state) {
  (void)state;
  struct lh_login login;
  struct lh_user anna = user_of("anna", LH_ROLE_ADMIN);
  assert_int_equal(sign_in(&anna, 1), LH_OK);
  fake_clock_advance(&suite.fake, LH_LOGIN_IDLE_MS - 1);
  assert_int_equal(check(1, &login), LH_OK);
  assert_int_equal(login.seen_ms, suite.fake.wall_ms);
  fake_clock_advance(&suite.fake, LH_LOGIN_IDLE_MS - 1);
  assert_int_equal(check(1, &login), LH_OK);
  fake_clock_advance(&suite.fake, LH_LOGIN_IDLE_MS);
  assert_int_equal(check(1, &login), LH_E_DENIED);
}

static void test_a_login_ends_after_a_week_however_much_it_is_used(void **state) {
  (void)state;
  struct lh_login login;
  struct lh_user anna = user_of("anna", LH_ROLE_ADMIN);
  assert_int_equal(sign_in(&anna, 1), LH_OK);
  int64_t whole = suite.fake.wall_ms + LH_LOGIN_WHOLE_MS;
  while (suite.fake.wall_ms + 3600000 < whole) {
    fake_clock_advance(&suite.fake, 3600000);
    assert_int_equal(check(1, &login), LH_OK);
    assert_true(login.expires_ms <= whole);
  }
  fake_clock_advance(&suite.fake, 3600000);
  assert_int_equal(check(1, &login), LH_E_DENIED);
}

static void test_a_login_writes_at_most_every_five_minutes(void **state) {
  (void)state;
  struct lh_login login;
  struct lh_user anna = user_of("anna", LH_ROLE_ADMIN);
  assert_int_equal(sign_in(&anna, 1), LH_OK);
  fake_clock_advance(&suite.fake, LH_LOGIN_SEEN_MS - 1);
  assert_int_equal(check(1, &login), LH_OK);
  assert_int_equal(login.seen_ms, FAKE_START_MS);
  fake_clock_advance(&suite.fake, 1);
  assert_int_equal(check(1, &login), LH_OK);
  assert_int_equal(login.seen_ms, FAKE_START_MS + LH_LOGIN_SEEN_MS);
}

static void test_a_login_of_a_clock_that_was_far_ahead_does_not_last(void **state) {
  (void)state;
  struct lh_login login;
  struct lh_user anna = user_of("anna", LH_ROLE_ADMIN);
  fake_clock_advance(&suite.fake, INT64_C(365) * 86400000);
  assert_int_equal(sign_in(&anna, 1), LH_OK);
  fake_clock_advance(&suite.fake, INT64_C(-365) * 86400000);
  assert_int_equal(check(1, &login), LH_E_DENIED);
}

static void test_what_changes_a_user_ends_its_logins(void **state) {
  (void)state;
  static const struct lh_user_change changes[] = {
      {.name = "vera", .fields = LH_USER_ROLE, .role = LH_ROLE_VIEWER},
      {.name = "vera",
       .fields = LH_USER_PASSWORD,
       .password = {"another long one", 16},
       .iterations = ACCESS_ITERATIONS},
      {.name = "vera", .fields = LH_USER_DISABLED, .disabled = 1},
      {.name = "vera", .fields = LH_USER_REMOVED}};
  struct lh_login login;
  struct lh_user after, anna = user_of("anna", LH_ROLE_ADMIN);
  assert_int_equal(sign_in(&anna, 100), LH_OK);
  for (int i = 0; i < 4; i++) {
    struct lh_user vera = user_of("vera", LH_ROLE_ADMIN);
    assert_int_equal(sign_in(&vera, 2 * i), LH_OK);
    assert_int_equal(suite.store->access->user_set(suite.store, &changes[i], NULL,
                                                   suite.fake.wall_ms, &after, NULL),
                     LH_OK);
    assert_int_equal(check(2 * i, &login), LH_E_DENIED);
    /* it was checked before the change, and comes to sign in after it */
    assert_int_equal(sign_in(&vera, 2 * i + 1), LH_E_DENIED);
    assert_int_equal(check(2 * i + 1, &login), LH_E_DENIED);
    if (i < 3)
      assert_int_equal(
          suite.store->access->user_set(suite.store, &changes[3], NULL, 1, &after, NULL), LH_OK);
  }
  assert_int_equal(check(100, &login), LH_OK);
}

static void test_a_user_has_so_many_logins(void **state) {
  (void)state;
  struct lh_login login;
  struct lh_user anna = user_of("anna", LH_ROLE_ADMIN), vera = user_of("vera", LH_ROLE_VIEWER);
  assert_int_equal(sign_in(&vera, 1000), LH_OK);
  for (int i = 0; i <= LH_LOGINS_MAX; i++) {
    fake_clock_advance(&suite.fake, 1);
    assert_int_equal(sign_in(&anna, i), LH_OK);
  }
  assert_int_equal(check(0, &login), LH_E_DENIED);
  assert_int_equal(check(1, &login), LH_OK);
  assert_int_equal(check(LH_LOGINS_MAX, &login), LH_OK);
  assert_int_equal(check(1000, &login), LH_OK);
}

static void test_what_is_over_is_deleted(void **state) {
  (void)state;
  struct lh_user_list list;
  struct lh_user anna = user_of("anna", LH_ROLE_ADMIN);
  assert_int_equal(sign_in(&anna, 1), LH_OK);
  fake_clock_advance(&suite.fake, LH_LOGIN_IDLE_MS - 1);
  access_clean();
  assert_int_equal(suite.store->access->user_list(suite.store, &list, NULL), LH_OK);
  assert_int_equal(list.rows[0].seen_ms, FAKE_START_MS);
  lh_user_list_clear(&list);
  fake_clock_advance(&suite.fake, 1);
  access_clean();
  assert_int_equal(suite.store->access->user_list(suite.store, &list, NULL), LH_OK);
  assert_int_equal(list.rows[0].seen_ms, 0);
  lh_user_list_clear(&list);
}

/* ---- wrong tries */

static int64_t knock(const char *address, const char *user) {
  const struct lh_knock from = {address, user};
  int64_t wait_ms = -1;
  assert_int_equal(
      suite.store->access->knock(suite.store, &from, suite.fake.wall_ms, &wait_ms, NULL), LH_OK);
  return wait_ms;
}

static void welcome(const char *address, const char *user) {
  const struct lh_knock from = {address, user};
  assert_int_equal(suite.store->access->welcome(suite.store, &from, suite.fake.wall_ms, NULL),
                   LH_OK);
}

static void test_after_so_many_wrong_tries_one_in_a_while(void **state) {
  (void)state;
  for (int i = 0; i < LH_KNOCK_ADDRESS_MAX; i++) assert_int_equal(knock("192.0.2.1", NULL), 0);
  for (int i = 0; i < 3; i++)
    assert_int_equal(knock("192.0.2.1", NULL), LH_KNOCK_ADDRESS_MS); /* waiting costs nothing */
  assert_int_equal(knock("192.0.2.2", NULL), 0);
  fake_clock_advance(&suite.fake, LH_KNOCK_ADDRESS_MS - 1);
  assert_int_equal(knock("192.0.2.1", NULL), 1);
  fake_clock_advance(&suite.fake, 1);
  assert_int_equal(knock("192.0.2.1", NULL), 0);
  assert_int_equal(knock("192.0.2.1", NULL), LH_KNOCK_ADDRESS_MS);
  fake_clock_advance(&suite.fake, LH_KNOCK_ADDRESS_MAX * LH_KNOCK_ADDRESS_MS);
  access_clean();
  for (int i = 0; i < LH_KNOCK_ADDRESS_MAX; i++) assert_int_equal(knock("192.0.2.1", NULL), 0);
  assert_true(knock("192.0.2.1", NULL) > 0);
}

static void test_one_user_is_guarded_against_all_addresses(void **state) {
  (void)state;
  char address[32];
  for (int i = 0; i < LH_KNOCK_USER_MAX; i++) {
    snprintf(address, sizeof address, "192.0.2.%d", i);
    assert_int_equal(knock(address, i % 2 ? "anna" : "Anna"), 0);
  }
  assert_int_equal(knock("198.51.100.1", "ANNA"), LH_KNOCK_USER_MS);
  assert_int_equal(knock("198.51.100.1", "vera"), 0); /* only that one was counted of it */
  for (int i = 1; i < LH_KNOCK_ADDRESS_MAX; i++) assert_int_equal(knock("198.51.100.1", NULL), 0);
  assert_true(knock("198.51.100.1", NULL) > 0);
}

static void test_who_is_right_is_not_counted(void **state) {
  (void)state;
  for (int i = 0; i < 3 * LH_KNOCK_ADDRESS_MAX; i++) {
    assert_int_equal(knock("192.0.2.1", "anna"), 0);
    welcome("192.0.2.1", "anna");
  }
  for (int i = 0; i < LH_KNOCK_USER_MAX; i++) assert_int_equal(knock("192.0.2.1", "vera"), 0);
  assert_true(knock("192.0.2.1", "vera") > 0);
  /* his own name is not a way to have the address's tries forgotten */
  for (int i = LH_KNOCK_USER_MAX; i < LH_KNOCK_ADDRESS_MAX; i++) {
    assert_int_equal(knock("192.0.2.1", "mallory"), 0);
    welcome("192.0.2.1", "mallory");
    assert_int_equal(knock("192.0.2.1", NULL), 0);
  }
  assert_true(knock("192.0.2.1", "mallory") > 0);
}

static void test_a_clock_that_was_set_back_keeps_nobody_out_for_long(void **state) {
  (void)state;
  for (int i = 0; i < LH_KNOCK_USER_MAX; i++) assert_int_equal(knock(NULL, "anna"), 0);
  fake_clock_advance(&suite.fake, INT64_C(-365) * 86400000);
  for (int i = 0; i < LH_KNOCK_USER_MAX; i++) assert_int_equal(knock(NULL, "anna"), 0);
  assert_int_equal(knock(NULL, "anna"), LH_KNOCK_USER_MS);
}

struct knocker {
  pthread_t thread;
  struct lh_store *store;
  int let;
};

static void *knock_often(void *self) {
  struct knocker *knocker = self;
  const struct lh_knock from = {"192.0.2.1", "anna"};
  for (int i = 0; i < LH_KNOCK_USER_MAX; i++) {
    int64_t wait_ms = -1;
    int rc =
        knocker->store->access->knock(knocker->store, &from, suite.fake.wall_ms, &wait_ms, NULL);
    knocker->let += rc == LH_OK && wait_ms == 0;
  }
  return NULL;
}

static void test_many_that_try_at_once_are_all_counted(void **state) {
  (void)state;
  struct knocker knockers[THREADS] = {{0}};
  int let = 0;
  for (int i = 0; i < THREADS; i++) knockers[i].store = maker->open(&suite.fake.door);
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&knockers[i].thread, NULL, knock_often, &knockers[i]), 0);
  for (int i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_join(knockers[i].thread, NULL), 0);
    lh_store_close(knockers[i].store);
    let += knockers[i].let;
  }
  assert_int_equal(let, LH_KNOCK_USER_MAX);
}

int store_suite_run_access(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, suite_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_a_login_says_who_it_is_until_it_ends),
      T(test_a_login_ends_when_it_is_not_used),
      T(test_a_login_ends_after_a_week_however_much_it_is_used),
      T(test_a_login_writes_at_most_every_five_minutes),
      T(test_a_login_of_a_clock_that_was_far_ahead_does_not_last),
      T(test_what_changes_a_user_ends_its_logins),
      T(test_a_user_has_so_many_logins),
      T(test_what_is_over_is_deleted),
      T(test_after_so_many_wrong_tries_one_in_a_while),
      T(test_one_user_is_guarded_against_all_addresses),
      T(test_who_is_right_is_not_counted),
      T(test_a_clock_that_was_set_back_keeps_nobody_out_for_long),
      T(test_many_that_try_at_once_are_all_counted),
  };
#undef T
  int failed = store_suite_run_tokens() + store_suite_run_users();
  return failed + cmocka_run_group_tests_name("store contract: access", tests, NULL, NULL);
}
