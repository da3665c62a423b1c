/*
** Contract suite: what the log says of the headers of each attempt, however the
** webhook was changed since.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/store_suite.h"

static unsigned char tags[LH_TAGS_MAX] = {1, 2, 3};

/* headers NULL: none. */
static void set_headers(const struct lh_id *id, const char *headers) {
  struct lh_webhook after;
  char text[64];
  struct lh_webhook_edit edit = {.fields = LH_FIELD_HEADERS};
  snprintf(text, sizeof text, "%s", headers != NULL ? headers : "");
  edit.values.headers = headers != NULL ? text : NULL;
  assert_int_equal(suite.store->admin->webhook_edit(suite.store, &(struct lh_which){.id = id},
                                                    &edit, &after, NULL),
                   LH_OK);
  lh_webhook_clear(&after);
}

/* A webhook with headers of its own, and one event for it. */
static struct lh_id prepare(const char *headers) {
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  set_headers(&id, headers);
  emit_one(suite.store, "event_points_earned", "{}");
  return id;
}

/* The lease of the one request, when it is due. */
static struct noted_lease lease_next(void) {
  fake_clock_advance(&suite.fake, INT64_C(1000) * LH_RETRY_INTERVAL_S_DEFAULT);
  suite_lease(1);
  assert_int_equal(suite.noted.count, 1);
  return suite.noted.leases[0];
}

/* Records it as a worker does that built headers with `tags_len` bytes of signature. */
static void record(const struct noted_lease *noted, enum lh_input_kind kind, size_t tags_len) {
  struct lh_attempt_result result = result_of(&noted->lease, kind, suite.fake.wall_ms);
  struct noted none;
  result.revision = noted->revision;
  result.tags = tags;
  result.tags_len = tags_len;
  result.sent = kind == LH_INPUT_SUCCESS ? LH_SENT_YES : LH_SENT_NO;
  suite.turn = turn_of(suite.session, suite.fake.wall_ms, 0, &result, 1);
  take_turn(suite.store, &suite.turn, &none);
}

static struct lh_attempt_list attempts_of(const struct lh_id *request_id) {
  struct lh_request_list list;
  struct lh_attempt_list attempts;
  assert_int_equal(suite.store->requests->get(suite.store, request_id, &list, &attempts, NULL),
                   LH_OK);
  lh_request_list_clear(&list);
  return attempts;
}

static void shows(const struct lh_attempt_row *row, enum lh_scheme scheme, const char *custom,
                  size_t tags_len) {
  assert_int_equal(row->scheme, scheme);
  assert_string_equal(row->custom, custom);
  assert_int_equal(row->tags_len, tags_len);
  assert_memory_equal(row->tags, tags, tags_len);
}

static void test_each_attempt_has_the_headers_of_its_lease(void **state) {
  (void)state;
  struct lh_id id = prepare("X-A: 1");
  struct noted_lease first = lease_next();
  set_headers(&id, "X-A: 2"); /* while it is under way */
  record(&first, LH_INPUT_FAILURE, 64);
  set_headers(&id, "X-A: 3"); /* no attempt has these */
  set_headers(&id, NULL);
  struct noted_lease second = lease_next();
  record(&second, LH_INPUT_FAILURE, 64);
  set_headers(&id, "X-A: 4");
  struct noted_lease third = lease_next();
  record(&third, LH_INPUT_SUCCESS, 64);
  set_headers(&id, "X-A: 4"); /* changes nothing */
  set_headers(&id, "X-A: 5");
  struct lh_attempt_list attempts = attempts_of(&first.lease.request_id);
  assert_int_equal(attempts.count, 3);
  shows(&attempts.rows[0], LH_SCHEME_ZINRELO, "X-A: 1", 64);
  shows(&attempts.rows[1], LH_SCHEME_ZINRELO, "", 64);
  shows(&attempts.rows[2], LH_SCHEME_ZINRELO, "X-A: 4", 64);
  assert_int_equal(attempts.rows[0].sent, LH_SENT_NO);
  assert_int_equal(attempts.rows[2].sent, LH_SENT_YES);
  lh_attempt_list_clear(&attempts);
}

static void test_a_change_of_scheme_and_of_secrets(void **state) {
  (void)state;
  static const struct lh_piece standard = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38};
  struct lh_id id = prepare("X-A: 1");
  struct lh_webhook after;
  struct noted_lease first = lease_next();
  record(&first, LH_INPUT_FAILURE, 64);
  const struct lh_rotation now = {standard, 0}, later = {standard, LH_SECRET_OVERLAP_MS_MAX};
  assert_int_equal(suite.store->admin->secret_rotate(suite.store, &(struct lh_which){.id = &id},
                                                     &now, &after, NULL),
                   LH_OK);
  lh_webhook_clear(&after);
  struct lh_webhook_edit edit = {.fields = LH_FIELD_SCHEME};
  edit.values.scheme = LH_SCHEME_STANDARD;
  assert_int_equal(suite.store->admin->webhook_edit(suite.store, &(struct lh_which){.id = &id},
                                                    &edit, &after, NULL),
                   LH_OK);
  lh_webhook_clear(&after);
  struct noted_lease second = lease_next();
  record(&second, LH_INPUT_FAILURE, 32);
  assert_int_equal(suite.store->admin->secret_rotate(suite.store, &(struct lh_which){.id = &id},
                                                     &later, &after, NULL),
                   LH_OK);
  lh_webhook_clear(&after);
  struct noted_lease third = lease_next();
  record(&third, LH_INPUT_FAILURE, 64);
  struct lh_attempt_list attempts = attempts_of(&first.lease.request_id);
  assert_int_equal(attempts.count, 3);
  shows(&attempts.rows[0], LH_SCHEME_ZINRELO, "X-A: 1", 64);
  shows(&attempts.rows[1], LH_SCHEME_STANDARD, "X-A: 1", 32);
  shows(&attempts.rows[2], LH_SCHEME_STANDARD, "X-A: 1", 64);
  lh_attempt_list_clear(&attempts);
}

static void test_a_deleted_webhook_keeps_what_it_sent(void **state) {
  (void)state;
  struct lh_id id = prepare("X-A: 1");
  struct lh_webhook after;
  struct noted_lease first = lease_next();
  record(&first, LH_INPUT_SUCCESS, 64);
  set_headers(&id, "X-A: 2");
  assert_int_equal(suite.store->admin->webhook_status(suite.store, &(struct lh_which){.id = &id},
                                                      LH_STATUS_DELETED, &after, NULL),
                   LH_OK);
  lh_webhook_clear(&after);
  struct lh_attempt_list attempts = attempts_of(&first.lease.request_id);
  shows(&attempts.rows[0], LH_SCHEME_ZINRELO, "X-A: 1", 64);
  lh_attempt_list_clear(&attempts);
}

/* Its worker is gone, and what it sent with it, until it turns up again. */
static void test_of_a_lost_attempt_nothing_is_known(void **state) {
  (void)state;
  prepare("X-A: 1");
  struct noted_lease first = lease_next();
  suite.store->requests->session_close(suite.store, suite.session, suite.fake.wall_ms);
  struct lh_attempt_list attempts = attempts_of(&first.lease.request_id);
  assert_int_equal(attempts.count, 1);
  assert_int_equal(attempts.rows[0].tags_len, 0);
  assert_int_equal(attempts.rows[0].sent, LH_SENT_UNKNOWN);
  lh_attempt_list_clear(&attempts);
  assert_int_equal(
      suite.store->requests->session_open(suite.store, suite.fake.wall_ms, &suite.session, NULL),
      LH_OK);
  record(&first, LH_INPUT_SUCCESS, 64); /* late */
  attempts = attempts_of(&first.lease.request_id);
  assert_int_equal(attempts.count, 1);
  shows(&attempts.rows[0], LH_SCHEME_ZINRELO, "X-A: 1", 64);
  assert_int_equal(attempts.rows[0].sent, LH_SENT_YES);
  lh_attempt_list_clear(&attempts);
}

int store_suite_run_headers(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, suite_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_each_attempt_has_the_headers_of_its_lease),
      T(test_a_change_of_scheme_and_of_secrets),
      T(test_a_deleted_webhook_keeps_what_it_sent),
      T(test_of_a_lost_attempt_nothing_is_known),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: headers", tests, NULL, NULL);
}
