/* Contract suite: tokens of programs, and the audit log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/access_suite.h"

#define DAY INT64_C(86400000)

static int create(const char *name, const char *account, int number, struct lh_token *token) {
  memset(token, 0, sizeof *token);
  snprintf(token->name, sizeof token->name, "%s", name);
  snprintf(token->account, sizeof token->account, "%s", account);
  token->scope = LH_SCOPE_WRITE;
  return suite.store->access->token_create(suite.store, token, access_hash(LH_TOKEN_API, number),
                                           &access_actor, suite.fake.wall_ms, NULL);
}

static int check(int number, struct lh_token *token) {
  return suite.store->access->token_check(suite.store, access_hash(LH_TOKEN_API, number),
                                          suite.fake.wall_ms, token, NULL);
}

static int revoke(const char *id_or_name) {
  struct lh_token token;
  return suite.store->access->token_revoke(suite.store, id_or_name, &access_actor,
                                           suite.fake.wall_ms, &token, NULL);
}

static struct lh_token_list all_tokens(void) {
  struct lh_token_list list;
  assert_int_equal(suite.store->access->token_list(suite.store, &list, NULL), LH_OK);
  return list;
}

static void test_a_token_opens_until_it_is_revoked(void **state) {
  (void)state;
  struct lh_token made, found;
  assert_int_equal(create("crm", "shop-7", 1, &made), LH_OK);
  assert_int_equal(check(1, &found), LH_OK);
  assert_memory_equal(&found.id, &made.id, sizeof made.id);
  assert_string_equal(found.name, "crm");
  assert_string_equal(found.account, "shop-7");
  assert_int_equal(found.scope, LH_SCOPE_WRITE);
  assert_int_equal(found.created_ms, FAKE_START_MS);
  assert_int_equal(check(2, &found), LH_E_DENIED);
  fake_clock_advance(&suite.fake, 1000);
  assert_int_equal(revoke("crm"), LH_OK);
  assert_int_equal(check(1, &found), LH_E_DENIED);
  assert_int_equal(revoke("crm"), LH_OK); /* once */
  assert_int_equal(revoke("other"), LH_E_NOT_FOUND);
  assert_int_equal(revoke("61f11851bdfb9aac526d0c70"), LH_E_NOT_FOUND);
  struct lh_token_list list = all_tokens();
  assert_int_equal(list.count, 1);
  assert_int_equal(list.rows[0].revoked_ms, FAKE_START_MS + 1000);
  lh_token_list_clear(&list);
  assert_int_equal(access_audited("token.create"), 1);
  assert_int_equal(access_audited("token.revoke"), 1);
}

static void test_a_token_of_all_accounts_has_none(void **state) {
  (void)state;
  struct lh_token token;
  assert_int_equal(create("all", "", 1, &token), LH_OK);
  assert_int_equal(check(1, &token), LH_OK);
  assert_string_equal(token.account, "");
}

static void test_a_name_is_one_live_tokens(void **state) {
  (void)state;
  struct lh_token first, second, found;
  char id[LH_ID_LEN + 1];
  assert_int_equal(create("crm", "", 1, &first), LH_OK);
  assert_int_equal(create("crm", "", 2, &second), LH_E_CONFLICT);
  assert_int_equal(create("", "", 2, &second), LH_E_INVALID);
  assert_int_equal(create("two\nlines", "", 2, &second), LH_E_INVALID);
  assert_int_equal(create("61f11851bdfb9aac526d0c70", "", 2, &second), LH_E_INVALID);
  assert_int_equal(create("crm 2", "not an account", 2, &second), LH_E_INVALID);
  lh_id_format(&first.id, id);
  assert_int_equal(revoke(id), LH_OK);
  assert_int_equal(create("crm", "", 2, &second), LH_OK);
  assert_int_equal(revoke("crm"), LH_OK); /* the live one */
  assert_int_equal(check(2, &found), LH_E_DENIED);
  assert_int_equal(access_audited("token.create"), 2); /* of refused ones nothing */
}

static void test_when_it_was_used_is_known_to_ten_minutes(void **state) {
  (void)state;
  struct lh_token token;
  struct lh_token_list list;
  assert_int_equal(create("crm", "", 1, &token), LH_OK);
  list = all_tokens();
  assert_int_equal(list.rows[0].last_used_ms, 0);
  lh_token_list_clear(&list);
  static const int64_t advances[] = {0, LH_TOKEN_USED_MS - 1, 1, -3600000};
  int64_t seen[4];
  for (int i = 0; i < 4; i++) {
    fake_clock_advance(&suite.fake, advances[i]);
    assert_int_equal(check(1, &token), LH_OK);
    list = all_tokens();
    seen[i] = list.rows[0].last_used_ms - FAKE_START_MS;
    lh_token_list_clear(&list);
  }
  assert_int_equal(seen[0], 0);
  assert_int_equal(seen[1], 0);
  assert_int_equal(seen[2], LH_TOKEN_USED_MS);
  assert_int_equal(seen[3], LH_TOKEN_USED_MS - 3600000); /* a clock set back does not stop it */
}

static void test_revoked_tokens_make_room_live_ones_do_not(void **state) {
  (void)state;
  struct lh_token token;
  char name[32];
  for (int i = 0; i < LH_TOKENS_MAX; i++) {
    snprintf(name, sizeof name, "token %d", i);
    assert_int_equal(create(name, "", i, &token), LH_OK);
  }
  assert_int_equal(create("one more", "", LH_TOKENS_MAX, &token), LH_E_LIMIT);
  assert_int_equal(revoke("token 7"), LH_OK);
  assert_int_equal(create("one more", "", LH_TOKENS_MAX, &token), LH_OK);
  assert_int_equal(create("two more", "", LH_TOKENS_MAX + 1, &token), LH_E_LIMIT);
  struct lh_token_list list = all_tokens();
  assert_int_equal(list.count, LH_TOKENS_MAX);
  lh_token_list_clear(&list);
  assert_int_equal(check(0, &token), LH_OK);
}

static void test_revoked_tokens_and_old_entries_go_with_time(void **state) {
  (void)state;
  struct lh_token token;
  assert_int_equal(create("gone", "", 1, &token), LH_OK);
  assert_int_equal(create("kept", "", 2, &token), LH_OK);
  assert_int_equal(revoke("gone"), LH_OK);
  fake_clock_advance(&suite.fake, 90 * DAY - 1);
  access_clean();
  struct lh_token_list list = all_tokens();
  assert_int_equal(list.count, 2);
  lh_token_list_clear(&list);
  assert_int_equal(access_audited(NULL), 3);
  assert_int_equal(create("new", "", 3, &token), LH_OK);
  fake_clock_advance(&suite.fake, 1);
  access_clean();
  list = all_tokens();
  assert_int_equal(list.count, 2);
  assert_string_equal(list.rows[0].name, "kept");
  lh_token_list_clear(&list);
  assert_int_equal(access_audited(NULL), 1);
  assert_int_equal(check(2, &token), LH_OK);
}

/* ---- the audit log */

static int add(const struct lh_audit *audit) {
  return suite.store->audit->add(suite.store, audit, suite.fake.wall_ms, NULL);
}

static const char *found(const struct lh_audit_filter *wanted, int limit) {
  static char text[512];
  struct lh_audit_filter filter = *wanted;
  size_t len = 0;
  text[0] = '\0';
  filter.limit = limit;
  do {
    struct lh_audit_list list;
    assert_int_equal(suite.store->audit->list(suite.store, &filter, &list, NULL), LH_OK);
    assert_true(list.count <= (size_t)limit);
    for (size_t i = 0; i < list.count; i++)
      len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", len > 0 ? " " : "",
                              list.rows[i].object);
    filter.after = list.next;
    lh_audit_list_clear(&list);
  } while (filter.after != 0);
  return text;
}

static void test_the_audit_log_is_read_from_its_end_by_what_is_asked(void **state) {
  (void)state;
  static const struct lh_audit entries[] = {
      {"user:anna", "webhook.create", "1", "shop-7", "{\"name\":\"crm\"}"},
      {"token:x", "webhook.edit", "2", "shop-8", NULL},
      {"user:anna", "token.create", "3", NULL, NULL},
      {"user:anna", "webhooks", "4", "shop-7", NULL}};
  for (size_t i = 0; i < 4; i++) {
    fake_clock_advance(&suite.fake, 1000);
    assert_int_equal(add(&entries[i]), LH_OK);
  }
  for (int limit = 1; limit <= 5; limit++) {
    assert_string_equal(found(&(struct lh_audit_filter){0}, limit), "4 3 2 1");
    assert_string_equal(found(&(struct lh_audit_filter){.who = "user:anna"}, limit), "4 3 1");
    assert_string_equal(found(&(struct lh_audit_filter){.what = "webhook."}, limit), "2 1");
    assert_string_equal(found(&(struct lh_audit_filter){.what = "webhook.edit"}, limit), "2");
    assert_string_equal(found(&(struct lh_audit_filter){.account = "shop-7"}, limit), "4 1");
    assert_string_equal(found(&(struct lh_audit_filter){.object = "3"}, limit), "3");
    assert_string_equal(found(&(struct lh_audit_filter){.since_ms = FAKE_START_MS + 3000}, limit),
                        "4 3");
  }
  struct lh_audit_filter first = {.object = "1", .limit = 1};
  struct lh_audit_list list;
  assert_int_equal(suite.store->audit->list(suite.store, &first, &list, NULL), LH_OK);
  assert_string_equal(list.rows[0].who, "user:anna");
  assert_string_equal(list.rows[0].what, "webhook.create");
  assert_string_equal(list.rows[0].account, "shop-7");
  assert_string_equal(list.rows[0].detail, "{\"name\":\"crm\"}");
  assert_int_equal(list.rows[0].at_ms, FAKE_START_MS + 1000);
  lh_audit_list_clear(&list);
  first.limit = 0;
  assert_int_equal(suite.store->audit->list(suite.store, &first, &list, NULL), LH_E_INVALID);
}

static void test_an_entry_that_would_not_be_readable_is_refused(void **state) {
  (void)state;
  char longest[LH_AUDIT_OBJECT_MAX + 2];
  memset(longest, 'x', sizeof longest);
  longest[sizeof longest - 1] = '\0';
  const struct lh_audit bad[] = {
      {NULL, "a", NULL, NULL, NULL},    {"", "a", NULL, NULL, NULL},
      {"a", "", NULL, NULL, NULL},      {"a", "b", longest, NULL, NULL},
      {"a", "b\xFF", NULL, NULL, NULL}, {"a", "b", NULL, "no account", NULL},
      {"a", "b", NULL, NULL, "[1]"},    {"a", "b", NULL, NULL, "{"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(add(&bad[i]), LH_E_INVALID);
  assert_int_equal(access_audited(NULL), 0);
}

int store_suite_run_tokens(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, suite_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_a_token_opens_until_it_is_revoked),
      T(test_a_token_of_all_accounts_has_none),
      T(test_a_name_is_one_live_tokens),
      T(test_when_it_was_used_is_known_to_ten_minutes),
      T(test_revoked_tokens_make_room_live_ones_do_not),
      T(test_revoked_tokens_and_old_entries_go_with_time),
      T(test_the_audit_log_is_read_from_its_end_by_what_is_asked),
      T(test_an_entry_that_would_not_be_readable_is_refused),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: tokens", tests, NULL, NULL);
}
