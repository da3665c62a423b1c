/*
** What only files and processes can show of access: a disk that takes nothing, an
** entry of the audit log that is not written, a first-run token that several
** processes bring at once.
*/
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spec/contract/access_suite.h"
#include "spec/contract/inbox_rows.h"

#define PROCESSES 6

static struct lh_user sign_in(int number) {
  struct lh_user user;
  assert_int_equal(access_claim("anna", ACCESS_PASSWORD, &user), LH_OK);
  assert_int_equal(suite.store->access->login_add(suite.store, &user,
                                                  access_hash(LH_TOKEN_LOGIN, number), NULL,
                                                  suite.fake.wall_ms, NULL),
                   LH_OK);
  return user;
}

/* Whoever is in stays in and can look; nobody new comes in, and no wrong try goes uncounted. */
static void test_a_full_disk_lets_those_look_who_are_in(void **state) {
  (void)state;
  struct lh_token token = {.name = "shop"};
  struct lh_login login;
  struct rlimit before, full;
  struct stat wal;
  const struct lh_knock from = {"192.0.2.1", "anna"};
  int64_t wait_ms;
  assert_int_equal(access_add(suite.store, "anna", LH_ROLE_ADMIN, NULL), LH_OK);
  assert_int_equal(suite.store->access->token_create(suite.store, &token,
                                                     access_hash(LH_TOKEN_API, 1), NULL,
                                                     suite.fake.wall_ms, NULL),
                   LH_OK);
  struct lh_user user = sign_in(1);
  fake_clock_advance(&suite.fake, 3600000); /* both would be noted as used now */
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(stat(inbox_path("-wal"), &wal), 0);
  full = before;
  full.rlim_cur = (rlim_t)wal.st_size + 100;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
  int looked = suite.store->access->token_check(suite.store, access_hash(LH_TOKEN_API, 1),
                                                suite.fake.wall_ms, &token, NULL);
  int seen = suite.store->access->login_check(suite.store, access_hash(LH_TOKEN_LOGIN, 1),
                                              suite.fake.wall_ms, &login, NULL);
  int knocked = suite.store->access->knock(suite.store, &from, suite.fake.wall_ms, &wait_ms, NULL);
  int came = suite.store->access->login_add(suite.store, &user, access_hash(LH_TOKEN_LOGIN, 2),
                                            NULL, suite.fake.wall_ms, NULL);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(looked, LH_OK);
  assert_int_equal(seen, LH_OK);
  assert_string_equal(login.user, "anna");
  assert_true(knocked == LH_E_FULL || knocked == LH_E_IO);
  assert_true(came == LH_E_FULL || came == LH_E_IO);
  assert_int_equal(inbox_sql("SELECT count(*) FROM logins"), 1);
  sign_in(2);
}

/* The webhook's rows are written by then: they are taken back, and what is remembered of them. */
static void test_a_change_whose_entry_is_not_written_is_not_made(void **state) {
  (void)state;
  struct lh_webhook after;
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  const struct lh_which which = {.id = &id, .actor = &access_actor};
  inbox_sql("CREATE TRIGGER torn BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'torn'); END");
  int rc =
      suite.store->admin->webhook_status(suite.store, &which, LH_STATUS_DISABLED, &after, NULL);
  assert_int_not_equal(rc, LH_OK);
  assert_int_equal(inbox_sql("SELECT count(*) FROM dispatch WHERE revision = 1"), 1);
  inbox_sql("DROP TRIGGER torn");
  rc = suite.store->admin->webhook_status(suite.store, &which, LH_STATUS_DISABLED, &after, NULL);
  assert_int_equal(rc, LH_OK);
  lh_webhook_clear(&after);
  assert_int_equal(inbox_sql("SELECT count(*) FROM audit WHERE what = 'webhook.disable'"), 1);
}

static int use_first_run(int number) {
  char name[24];
  struct lh_user made;
  snprintf(name, sizeof name, "user-%d", number);
  struct lh_store *own = inbox_open();
  const struct lh_user_new user = {.name = name,
                                   .role = LH_ROLE_ADMIN,
                                   .password = access_piece(ACCESS_PASSWORD),
                                   .iterations = ACCESS_ITERATIONS,
                                   .first_run = access_hash(LH_TOKEN_FIRST_RUN, 1)};
  int rc = own->access->user_add(own, &user, NULL, suite.fake.wall_ms, &made, NULL);
  lh_store_close(own);
  return rc;
}

static void test_processes_that_bring_one_first_run_token_make_one_user(void **state) {
  (void)state;
  pid_t children[PROCESSES];
  int made = 0, status;
  assert_int_equal(suite.store->access->first_run(suite.store, access_hash(LH_TOKEN_FIRST_RUN, 1),
                                                  0, NULL, suite.fake.wall_ms, NULL),
                   LH_OK);
  lh_store_close(suite.store); /* nothing open is inherited */
  for (int i = 0; i < PROCESSES; i++) {
    children[i] = fork();
    assert_true(children[i] >= 0);
    if (children[i] == 0) {
      int rc = use_first_run(i);
      _exit(rc == LH_OK ? 1 : rc == LH_E_REFUSED ? 0 : 2);
    }
  }
  for (int i = 0; i < PROCESSES; i++) {
    assert_int_equal(waitpid(children[i], &status, 0), children[i]);
    assert_true(WIFEXITED(status));
    assert_in_range(WEXITSTATUS(status), 0, 1);
    made += WEXITSTATUS(status);
  }
  suite.store = inbox_open();
  assert_int_equal(made, 1);
  assert_int_equal(inbox_sql("SELECT count(*) FROM users"), 1);
  assert_int_equal(inbox_sql("SELECT count(*) FROM first_runs"), 0);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, inbox_set_up, inbox_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_a_full_disk_lets_those_look_who_are_in),
      T(test_a_change_whose_entry_is_not_written_is_not_made),
      T(test_processes_that_bring_one_first_run_token_make_one_user),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
