/* Contract suite: users, their passwords, and the token that makes the first one. */
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

static int set(struct lh_store *store, const struct lh_user_change *change) {
  struct lh_user after;
  return store->access->user_set(store, change, &access_actor, suite.fake.wall_ms, &after, NULL);
}

static int set_role(const char *name, enum lh_role role) {
  return set(suite.store,
             &(struct lh_user_change){.name = name, .fields = LH_USER_ROLE, .role = role});
}

static int disable(const char *name, int disabled) {
  return set(suite.store, &(struct lh_user_change){
                              .name = name, .fields = LH_USER_DISABLED, .disabled = disabled});
}

static int removed(const char *name) {
  return set(suite.store, &(struct lh_user_change){.name = name, .fields = LH_USER_REMOVED});
}

static int set_password(const char *name, const char *password) {
  return set(suite.store, &(struct lh_user_change){.name = name,
                                                   .fields = LH_USER_PASSWORD,
                                                   .password = access_piece(password),
                                                   .iterations = ACCESS_ITERATIONS});
}

static int add(const char *name, enum lh_role role) {
  return access_add(suite.store, name, role, NULL);
}

static size_t count_users(void) {
  struct lh_user_list list;
  assert_int_equal(suite.store->access->user_list(suite.store, &list, NULL), LH_OK);
  size_t count = list.count;
  lh_user_list_clear(&list);
  return count;
}

static void test_the_first_user_is_an_admin(void **state) {
  (void)state;
  assert_int_equal(add("vera", LH_ROLE_VIEWER), LH_E_REFUSED);
  assert_int_equal(add("anna", LH_ROLE_ADMIN), LH_OK);
  assert_int_equal(add("vera", LH_ROLE_VIEWER), LH_OK);
  assert_int_equal(add("Anna", LH_ROLE_ADMIN), LH_E_CONFLICT); /* the same in any case */
  assert_int_equal(add("an na", LH_ROLE_ADMIN), LH_E_INVALID);
  struct lh_user_list list;
  assert_int_equal(suite.store->access->user_list(suite.store, &list, NULL), LH_OK);
  assert_int_equal(list.count, 2);
  assert_string_equal(list.rows[0].name, "anna");
  assert_int_equal(list.rows[0].role, LH_ROLE_ADMIN);
  assert_int_equal(list.rows[1].role, LH_ROLE_VIEWER);
  assert_int_equal(list.rows[0].created_ms, FAKE_START_MS);
  lh_user_list_clear(&list);
  assert_int_equal(access_audited("user.add"), 2);
}

static void test_a_password_obeys_its_rule(void **state) {
  (void)state;
  struct lh_user made;
  struct lh_user_new user = {.name = "anna", .role = LH_ROLE_ADMIN};
  user.password = access_piece("too short");
  assert_int_equal(suite.store->access->user_add(suite.store, &user, NULL, 1, &made, NULL),
                   LH_E_INVALID);
  assert_int_equal(add("anna", LH_ROLE_ADMIN), LH_OK);
  assert_int_equal(set_password("anna", "too short"), LH_E_INVALID);
  assert_int_equal(access_claim("anna", ACCESS_PASSWORD, &made), LH_OK);
}

static void test_only_the_password_lets_in_and_no_word_says_what_was_wrong(void **state) {
  (void)state;
  struct lh_user user;
  struct lh_error errors[4];
  static const struct {
    const char *name, *password;
  } wrong[] = {{"anna", "incorrect horse"},
               {"nobody", ACCESS_PASSWORD},
               {"", ""},
               {"vera", ACCESS_PASSWORD}}; /* disabled */
  assert_int_equal(add("anna", LH_ROLE_ADMIN), LH_OK);
  assert_int_equal(add("vera", LH_ROLE_VIEWER), LH_OK);
  assert_int_equal(disable("vera", 1), LH_OK);
  for (int i = 0; i < 4; i++) {
    const struct lh_claim claim = {wrong[i].name, access_piece(wrong[i].password),
                                   ACCESS_ITERATIONS};
    assert_int_equal(suite.store->access->user_check(suite.store, &claim, &user, &errors[i]),
                     LH_E_DENIED);
    assert_string_equal(errors[i].message, errors[0].message);
    assert_int_equal(user.user, 0);
  }
  assert_int_equal(access_claim("ANNA", ACCESS_PASSWORD, &user), LH_OK);
  assert_string_equal(user.name, "anna");
  assert_int_equal(disable("vera", 0), LH_OK);
  assert_int_equal(access_claim("vera", ACCESS_PASSWORD, &user), LH_OK);
}

static void test_a_new_password_ends_the_old_one(void **state) {
  (void)state;
  struct lh_user user;
  assert_int_equal(add("anna", LH_ROLE_ADMIN), LH_OK);
  assert_int_equal(set_password("anna", "another long one"), LH_OK);
  assert_int_equal(access_claim("anna", ACCESS_PASSWORD, &user), LH_E_DENIED);
  assert_int_equal(access_claim("anna", "another long one", &user), LH_OK);
  assert_int_equal(set_password("nobody", "another long one"), LH_E_NOT_FOUND);
}

/* More iterations than when it was set: the hash is made anew, and the password stays the same. */
static void test_a_sign_in_raises_the_iterations(void **state) {
  (void)state;
  struct lh_user user, again;
  struct lh_claim claim = {"anna", access_piece(ACCESS_PASSWORD), 4 * ACCESS_ITERATIONS};
  assert_int_equal(add("anna", LH_ROLE_ADMIN), LH_OK);
  for (int i = 0; i < 3; i++)
    assert_int_equal(suite.store->access->user_check(suite.store, &claim, &user, NULL), LH_OK);
  assert_int_equal(access_claim("anna", ACCESS_PASSWORD, &again), LH_OK);
  assert_int_equal(again.revision, user.revision); /* nobody is signed out by it */
}

static void test_somebody_is_left_who_can_do_everything(void **state) {
  (void)state;
  assert_int_equal(add("anna", LH_ROLE_ADMIN), LH_OK);
  assert_int_equal(add("vera", LH_ROLE_VIEWER), LH_OK);
  assert_int_equal(removed("anna"), LH_E_REFUSED);
  assert_int_equal(set_role("anna", LH_ROLE_VIEWER), LH_E_REFUSED);
  assert_int_equal(disable("anna", 1), LH_E_REFUSED);
  assert_int_equal(set_role("vera", LH_ROLE_ADMIN), LH_OK);
  assert_int_equal(disable("vera", 1), LH_OK);
  assert_int_equal(removed("anna"), LH_E_REFUSED); /* vera is one, but disabled */
  assert_int_equal(disable("vera", 0), LH_OK);
  assert_int_equal(removed("anna"), LH_OK);
  assert_int_equal(removed("anna"), LH_E_NOT_FOUND);
  assert_int_equal(removed("vera"), LH_E_REFUSED);
  assert_int_equal(count_users(), 1);
  assert_int_equal(access_audited("user.remove"), 1);
}

/* ---- several at once, each with a handle and a thread of its own */

struct doer {
  pthread_t thread;
  struct lh_store *store;
  char name[24];
  int code;
};
static struct doer doers[THREADS];

static void all_at_once(void *(*act)(void *), int count) {
  for (int i = 0; i < count; i++) doers[i].store = maker->open(&suite.fake.door);
  for (int i = 0; i < count; i++)
    assert_int_equal(pthread_create(&doers[i].thread, NULL, act, &doers[i]), 0);
  for (int i = 0; i < count; i++) {
    assert_int_equal(pthread_join(doers[i].thread, NULL), 0);
    lh_store_close(doers[i].store);
  }
}

static size_t count_codes(int code, int count) {
  size_t found = 0;
  for (int i = 0; i < count; i++) found += doers[i].code == code;
  return found;
}

static void *demote(void *self) {
  struct doer *doer = self;
  const struct lh_user_change change = {.name = doer->name, .fields = LH_USER_ROLE};
  doer->code = set(doer->store, &change);
  return NULL;
}

static void test_admins_that_demote_each_other_at_once_leave_one(void **state) {
  (void)state;
  for (int i = 0; i < THREADS; i++) {
    snprintf(doers[i].name, sizeof doers[i].name, "admin-%d", i);
    assert_int_equal(add(doers[i].name, LH_ROLE_ADMIN), LH_OK);
  }
  all_at_once(demote, THREADS);
  assert_int_equal(count_codes(LH_OK, THREADS), THREADS - 1);
  assert_int_equal(count_codes(LH_E_REFUSED, THREADS), 1);
}

/* ---- first run */

static int offer(int number, int remove_users) {
  return suite.store->access->first_run(suite.store, access_hash(LH_TOKEN_FIRST_RUN, number),
                                        remove_users, &access_actor, suite.fake.wall_ms, NULL);
}

static int use(struct lh_store *store, const char *name, int number) {
  unsigned char hash[LH_TOKEN_HASH_BYTES];
  struct lh_user made;
  memcpy(hash, access_hash(LH_TOKEN_FIRST_RUN, number), sizeof hash);
  const struct lh_user_new user = {.name = name,
                                   .role = LH_ROLE_ADMIN,
                                   .password = access_piece(ACCESS_PASSWORD),
                                   .iterations = ACCESS_ITERATIONS,
                                   .first_run = hash};
  return store->access->user_add(store, &user, NULL, suite.fake.wall_ms, &made, NULL);
}

static void test_a_first_run_token_makes_one_user(void **state) {
  (void)state;
  assert_int_equal(use(suite.store, "mallory", 1), LH_E_DENIED);
  assert_int_equal(offer(1, 0), LH_OK);
  assert_int_equal(offer(2, 0), LH_OK); /* another server of the store printed this one */
  assert_int_equal(use(suite.store, "mallory", 3), LH_E_DENIED);
  assert_int_equal(use(suite.store, "anna", 1), LH_OK);
  assert_int_equal(use(suite.store, "mallory", 1), LH_E_REFUSED);
  assert_int_equal(use(suite.store, "mallory", 2), LH_E_REFUSED);
  assert_int_equal(offer(4, 0), LH_E_REFUSED);
  assert_int_equal(count_users(), 1);
}

static void *use_it(void *self) {
  struct doer *doer = self;
  doer->code = use(doer->store, doer->name, 1);
  return NULL;
}

static void test_a_first_run_token_that_is_used_at_once_makes_one_user(void **state) {
  (void)state;
  assert_int_equal(offer(1, 0), LH_OK);
  for (int i = 0; i < THREADS; i++) snprintf(doers[i].name, sizeof doers[i].name, "user-%d", i);
  all_at_once(use_it, THREADS);
  assert_int_equal(count_codes(LH_OK, THREADS), 1);
  assert_int_equal(count_codes(LH_E_REFUSED, THREADS), THREADS - 1);
  assert_int_equal(count_users(), 1);
}

static void test_a_first_run_token_is_over_after_a_day_and_with_the_first_user(void **state) {
  (void)state;
  assert_int_equal(offer(1, 0), LH_OK);
  fake_clock_advance(&suite.fake, LH_FIRST_RUN_MS);
  assert_int_equal(use(suite.store, "anna", 1), LH_E_DENIED);
  access_clean();
  assert_int_equal(offer(2, 0), LH_OK);
  assert_int_equal(add("anna", LH_ROLE_ADMIN), LH_OK); /* on the command line */
  assert_int_equal(offer(3, 1), LH_OK);
  assert_int_equal(count_users(), 0);
  assert_int_equal(use(suite.store, "mallory", 2), LH_E_DENIED);
  assert_int_equal(use(suite.store, "anna", 3), LH_OK);
}

static void test_of_many_first_run_tokens_the_newest_hold(void **state) {
  (void)state;
  for (int i = 0; i <= LH_FIRST_RUNS_MAX; i++) {
    fake_clock_advance(&suite.fake, 1);
    assert_int_equal(offer(i, 0), LH_OK);
  }
  assert_int_equal(use(suite.store, "anna", 0), LH_E_DENIED);
  assert_int_equal(use(suite.store, "anna", 1), LH_OK);
}

int store_suite_run_users(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, suite_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_the_first_user_is_an_admin),
      T(test_a_password_obeys_its_rule),
      T(test_only_the_password_lets_in_and_no_word_says_what_was_wrong),
      T(test_a_new_password_ends_the_old_one),
      T(test_a_sign_in_raises_the_iterations),
      T(test_somebody_is_left_who_can_do_everything),
      T(test_admins_that_demote_each_other_at_once_leave_one),
      T(test_a_first_run_token_makes_one_user),
      T(test_a_first_run_token_that_is_used_at_once_makes_one_user),
      T(test_a_first_run_token_is_over_after_a_day_and_with_the_first_user),
      T(test_of_many_first_run_tokens_the_newest_hold),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: users", tests, NULL, NULL);
}
