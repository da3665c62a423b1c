/* Contract suite: what a person changes about a webhook, and that every lease obeys it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/store_suite.h"

static struct lh_webhook changed; /* the result of the last change */

static int edit(const struct lh_id *id, struct lh_webhook_edit *wanted, struct lh_error *err) {
  lh_webhook_clear(&changed);
  wanted->url_normal = wanted->values.url;
  return suite.store->admin->webhook_edit(suite.store, &(struct lh_which){.id = id}, wanted,
                                          &changed, err);
}

static int set_status(const struct lh_id *id, enum lh_status status, struct lh_error *err) {
  lh_webhook_clear(&changed);
  return suite.store->admin->webhook_status(suite.store, &(struct lh_which){.id = id}, status,
                                            &changed, err);
}

static void must_be(const struct lh_id *id, enum lh_status status) {
  struct lh_error err = {.message = ""};
  int rc = set_status(id, status, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  assert_int_equal(changed.status, status);
}

static int tear_down(void **state) {
  lh_webhook_clear(&changed);
  return suite_tear_down(state);
}

static void test_an_edit_sets_its_fields_and_no_others(void **state) {
  (void)state;
  struct lh_id id = make_webhook(suite.store, "w", "event_points_earned", 7);
  struct lh_webhook_edit wanted = {.fields = LH_FIELD_NAME | LH_FIELD_TIMEOUT_MS};
  snprintf(wanted.values.name, sizeof wanted.values.name, "renamed");
  wanted.values.timeout_ms = 1234;
  fake_clock_advance(&suite.fake, 5000);
  assert_int_equal(edit(&id, &wanted, NULL), LH_OK);
  assert_string_equal(changed.name, "renamed");
  assert_string_equal(changed.url, "http://127.0.0.1/w");
  assert_string_equal(changed.event_types, "event_points_earned");
  assert_int_equal(changed.timeout_ms, 1234);
  assert_int_equal(changed.batch_size, 7);
  assert_int_equal(changed.created_ms, FAKE_START_MS);
  assert_int_equal(changed.updated_ms, FAKE_START_MS + 5000);
  struct lh_webhook_list list;
  assert_int_equal(suite.store->admin->webhook_get(suite.store, NULL, "renamed", &list, NULL),
                   LH_OK);
  assert_int_equal(list.rows[0].timeout_ms, 1234);
  lh_webhook_list_clear(&list);
}

static void test_a_refused_edit_changes_nothing(void **state) {
  (void)state;
  struct lh_error err;
  struct lh_id id = make_webhook(suite.store, "w", "*", 7);
  make_webhook(suite.store, "other", "*", 7);
  struct lh_webhook_edit wanted = {.fields = LH_FIELD_BATCH_SIZE | LH_FIELD_TIMEOUT_MS};
  wanted.values.batch_size = 8;
  wanted.values.timeout_ms = 1;
  assert_int_equal(edit(&id, &wanted, &err), LH_E_INVALID);
  assert_string_equal(err.message, "timeout_ms: 1 is not between 100 and 300000");
  wanted = (struct lh_webhook_edit){.fields = LH_FIELD_NAME};
  snprintf(wanted.values.name, sizeof wanted.values.name, "other");
  assert_int_equal(edit(&id, &wanted, &err), LH_E_CONFLICT);
  wanted = (struct lh_webhook_edit){.fields = LH_FIELD_URL};
  snprintf(wanted.values.url, sizeof wanted.values.url, "http://127.0.0.1/other");
  assert_int_equal(edit(&id, &wanted, &err), LH_E_CONFLICT);
  assert_string_equal(err.message, "url: another webhook of account default has this URL");
  snprintf(wanted.values.url, sizeof wanted.values.url, "http://127.0.0.1/w");
  assert_int_equal(edit(&id, &wanted, &err), LH_OK); /* its own */
  assert_int_equal(changed.batch_size, 7);
}

static void test_a_scheme_needs_a_secret_of_its_form(void **state) {
  (void)state;
  struct lh_error err;
  static const struct lh_piece good = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38};
  struct lh_id id = make_webhook(suite.store, "w", "*", 7);
  struct lh_webhook_edit wanted = {.fields = LH_FIELD_SCHEME};
  wanted.values.scheme = LH_SCHEME_STANDARD;
  assert_int_equal(edit(&id, &wanted, &err), LH_E_SECRET_INVALID);
  assert_non_null(strstr(err.message, "rotate it"));
  lh_webhook_clear(&changed);
  assert_int_equal(suite.store->admin->secret_rotate(suite.store, &(struct lh_which){.id = &id},
                                                     &(struct lh_rotation){good, 60000}, &changed,
                                                     &err),
                   LH_OK);
  assert_int_equal(changed.secret_rotates_ms, FAKE_START_MS + 60000);
  assert_int_equal(edit(&id, &wanted, &err), LH_E_SECRET_INVALID); /* the old one still signs */
  lh_webhook_clear(&changed);
  assert_int_equal(suite.store->admin->secret_rotate(suite.store, &(struct lh_which){.id = &id},
                                                     &(struct lh_rotation){good, 0}, &changed,
                                                     &err),
                   LH_OK);
  assert_int_equal(changed.secret_rotates_ms, 0);
  assert_int_equal(edit(&id, &wanted, &err), LH_OK);
  assert_int_equal(changed.scheme, LH_SCHEME_STANDARD);
  lh_webhook_clear(&changed);
  assert_int_equal(suite.store->admin->secret_rotate(suite.store, &(struct lh_which){.id = &id},
                                                     &(struct lh_rotation){secret16, 0}, &changed,
                                                     &err),
                   LH_E_SECRET_INVALID);
}

static void test_a_deleted_webhook_is_final_and_frees_its_name(void **state) {
  (void)state;
  struct lh_error err;
  struct lh_id ids[10];
  char name[16];
  for (int i = 0; i < 10; i++) {
    snprintf(name, sizeof name, "w%d", i);
    ids[i] = make_webhook(suite.store, name, "*", 7);
  }
  must_be(&ids[3], LH_STATUS_DELETED);
  must_be(&ids[3], LH_STATUS_DELETED);
  assert_int_equal(set_status(&ids[3], LH_STATUS_ENABLED, &err), LH_E_REFUSED);
  assert_int_equal(set_status(&ids[3], LH_STATUS_DISABLED, &err), LH_E_REFUSED);
  struct lh_webhook_edit wanted = {.fields = LH_FIELD_TIMEOUT_MS, .values.timeout_ms = 1000};
  assert_int_equal(edit(&ids[3], &wanted, &err), LH_E_REFUSED);
  assert_int_equal(suite.store->admin->secret_rotate(suite.store, &(struct lh_which){.id = &ids[3]},
                                                     &(struct lh_rotation){secret16, 0}, &changed,
                                                     &err),
                   LH_E_REFUSED);
  struct lh_target *target;
  assert_int_equal(
      suite.store->admin->target(suite.store, &(struct lh_which){.id = &ids[3]}, &target, &err),
      LH_E_REFUSED);
  ids[3] = make_webhook(suite.store, "w3", "*", 7); /* its name, URL and place are free */
}

static void test_an_unknown_webhook_is_not_found(void **state) {
  (void)state;
  const struct lh_id none = {{0}};
  assert_int_equal(set_status(&none, LH_STATUS_ENABLED, NULL), LH_E_NOT_FOUND);
}

static void lease_none(void) {
  suite_lease(100);
  assert_int_equal(suite.noted.count, 0);
}

/* More than one turn may settle: enabling comes before a worker got to all of it. */
static void test_what_a_pause_stopped_is_never_leased_again(void **state) {
  (void)state;
  struct lh_webhook_edit wide = {.fields = LH_FIELD_MAX_IN_FLIGHT | LH_FIELD_PAUSE_AFTER |
                                           LH_FIELD_RETRIES_MAX};
  wide.values.max_in_flight = 1000;
  wide.values.retries_max = 0;
  wide.values.pause_after = 1;
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  assert_int_equal(edit(&id, &wide, NULL), LH_OK);
  for (int i = 0; i < 501; i++) emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(451);
  assert_int_equal(suite.noted.count, 451);
  struct lh_attempt_result results[451];
  for (int i = 0; i < 450; i++)
    results[i] = result_of(&suite.noted.leases[i].lease, LH_INPUT_GIVEN_BACK, suite.fake.wall_ms);
  struct noted *none = &suite.noted;
  struct lh_lease last = suite.noted.leases[450].lease;
  suite.turn = turn_of(suite.session, suite.fake.wall_ms, 0, results, 450);
  take_turn(suite.store, &suite.turn, none);
  assert_int_equal(suite_count_requests(LH_PENDING), 450);
  struct lh_attempt_result failure = suite_record(&last, LH_INPUT_FAILURE);
  assert_int_equal(failure.paused_webhook, 1);
  must_be(&id, LH_STATUS_ENABLED);
  assert_int_equal(changed.failed_in_a_row, 0);
  struct lh_id later = emit_one(suite.store, "event_points_earned", "{}");
  fake_clock_advance(&suite.fake, 60000);
  for (int turns = 0; turns < 2; turns++) lease_none();
  suite_lease(100);
  assert_int_equal(suite.noted.count, 1); /* only what came after it was enabled */
  assert_memory_equal(&suite.noted.leases[0].first_event, &later, sizeof later);
  assert_int_equal(suite_count_requests(LH_FAILED), 501);
}

static void test_the_threshold_pauses_once_however_results_come(void **state) {
  (void)state;
  struct lh_attempt_result results[8];
  struct lh_webhook_edit wanted = {.fields = LH_FIELD_MAX_IN_FLIGHT | LH_FIELD_RETRIES_MAX};
  wanted.values.max_in_flight = 8;
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  assert_int_equal(edit(&id, &wanted, NULL), LH_OK);
  for (int i = 0; i < 8; i++) emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(8);
  assert_int_equal(suite.noted.count, 8);
  for (int i = 0; i < 8; i++)
    results[i] = result_of(&suite.noted.leases[i].lease, LH_INPUT_FAILURE, suite.fake.wall_ms);
  struct noted none;
  suite.turn = turn_of(suite.session, suite.fake.wall_ms, 8, results, 8);
  take_turn(suite.store, &suite.turn, &none);
  assert_int_equal(none.count, 0);
  for (int i = 0; i < 8; i++) {
    assert_int_equal(results[i].paused_webhook, i == 4);
    assert_int_equal(results[i].after.reason,
                     i <= 4 ? LH_REASON_RETRIES_EXHAUSTED : LH_REASON_PAUSED);
  }
}

static void test_no_lease_after_a_disable_or_delete(void **state) {
  (void)state;
  static const enum lh_status stops[] = {LH_STATUS_DISABLED, LH_STATUS_DELETED};
  for (int i = 0; i < 2; i++) {
    struct lh_id id = make_webhook(suite.store, i == 0 ? "a" : "b", "*", 1);
    for (int e = 0; e < 20; e++) emit_one(suite.store, "event_points_earned", "{}");
    suite_lease(2);
    assert_int_equal(suite.noted.count, 2);
    struct noted leased = suite.noted;
    must_be(&id, stops[i]);
    lease_none();
    suite_record(&leased.leases[0].lease, LH_INPUT_SUCCESS);
    suite_record(&leased.leases[1].lease, LH_INPUT_FAILURE);
    emit_one(suite.store, "event_points_earned", "{}");
    fake_clock_advance(&suite.fake, 3600000);
    lease_none();
  }
  assert_int_equal(suite_count_requests(LH_DELIVERED), 2);
  assert_int_equal(suite_count_requests(LH_FAILED), 38);
}

static void test_a_target_outside_the_log_follows_the_rotation(void **state) {
  (void)state;
  static const struct lh_piece next = {"fedcba9876543210", 16};
  struct lh_target *before, *after;
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  assert_int_equal(suite.store->admin->secret_rotate(suite.store, &(struct lh_which){.id = &id},
                                                     &(struct lh_rotation){next, 60000}, &changed,
                                                     NULL),
                   LH_OK);
  assert_int_equal(
      suite.store->admin->target(suite.store, &(struct lh_which){.id = &id}, &before, NULL), LH_OK);
  assert_non_null(before->keys[0]);
  assert_non_null(before->keys[1]);
  fake_clock_advance(&suite.fake, 60000);
  assert_int_equal(
      suite.store->admin->target(suite.store, &(struct lh_which){.id = &id}, &after, NULL), LH_OK);
  assert_non_null(after->keys[0]);
  assert_null(after->keys[1]);
  assert_true(after->revision > before->revision);
  suite.store->requests->target_release(suite.store, before);
  suite.store->requests->target_release(suite.store, after);
}

static int signs_with(const struct lh_id *id, struct lh_piece secret) {
  struct lh_target *target;
  struct lh_hmac_key *key;
  const struct lh_piece text = {"text", 4};
  unsigned char wanted[LH_HMAC_MAX], found[LH_HMAC_MAX];
  assert_int_equal(
      suite.store->admin->target(suite.store, &(struct lh_which){.id = id}, &target, NULL), LH_OK);
  assert_int_equal(lh_signature_key_new(target->webhook.scheme, secret.at, secret.len, &key, NULL),
                   LH_OK);
  size_t len = lh_hmac_tag(key, &text, 1, wanted);
  assert_int_equal(lh_hmac_tag(target->keys[0], &text, 1, found), len);
  lh_hmac_key_free(key);
  suite.store->requests->target_release(suite.store, target);
  return memcmp(wanted, found, len) == 0;
}

static void rotate(const struct lh_id *id, struct lh_piece secret, int64_t overlap_ms) {
  lh_webhook_clear(&changed);
  assert_int_equal(suite.store->admin->secret_rotate(suite.store, &(struct lh_which){.id = id},
                                                     &(struct lh_rotation){secret, overlap_ms},
                                                     &changed, NULL),
                   LH_OK);
}

/* Nothing was sent between the end of the first overlap and the second rotation. */
static void test_an_expired_secret_does_not_come_back_with_the_next_rotation(void **state) {
  (void)state;
  static const struct lh_piece second = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38},
                               third = {"fedcba9876543210", 16};
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  rotate(&id, second, 60000);
  assert_true(signs_with(&id, secret16));
  fake_clock_advance(&suite.fake, 60000);
  rotate(&id, third, 60000);
  assert_true(signs_with(&id, second));
  fake_clock_advance(&suite.fake, 60000);
  assert_true(signs_with(&id, third));
}

static void test_a_scheme_is_compared_with_the_secret_of_now(void **state) {
  (void)state;
  static const struct lh_piece second = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38};
  struct lh_webhook_edit wanted = {.fields = LH_FIELD_SCHEME};
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  wanted.values.scheme = LH_SCHEME_STANDARD;
  rotate(&id, second, 60000);
  assert_int_equal(edit(&id, &wanted, NULL), LH_E_SECRET_INVALID);
  fake_clock_advance(&suite.fake, 60000);
  assert_int_equal(edit(&id, &wanted, NULL), LH_OK);
  assert_true(signs_with(&id, second));
}

/* What failed of itself before, and what fails after, is not the pause's. */
static void test_resuming_retries_what_the_pause_failed(void **state) {
  (void)state;
  struct lh_error err;
  struct lh_job job;
  struct lh_webhook_edit wanted = {.fields = LH_FIELD_PAUSE_AFTER | LH_FIELD_RETRIES_MAX |
                                             LH_FIELD_MAX_IN_FLIGHT};
  wanted.values.pause_after = 2;
  wanted.values.max_in_flight = 4;
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  assert_int_equal(edit(&id, &wanted, NULL), LH_OK);
  lh_webhook_clear(&changed);
  assert_int_equal(suite.store->admin->webhook_resume(suite.store, &(struct lh_which){.id = &id},
                                                      &job, &changed, &err),
                   LH_E_REFUSED);
  assert_non_null(strstr(err.message, "is enabled, not paused"));
  for (int i = 0; i < 5; i++) emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(4);
  assert_int_equal(suite.noted.count, 4);
  struct noted leased = suite.noted;
  fake_clock_advance(&suite.fake, 1000);
  struct lh_attempt_result late = result_of(&leased.leases[3].lease, LH_INPUT_FAILURE,
                                            suite.fake.wall_ms); /* ended before the pause */
  fake_clock_advance(&suite.fake, 1000);
  for (int i = 0; i < 3; i++) suite_record(&leased.leases[i].lease, LH_INPUT_FAILURE);
  suite.turn = turn_of(suite.session, suite.fake.wall_ms, 0, &late, 1);
  take_turn(suite.store, &suite.turn, &suite.noted);
  assert_int_equal(late.after.reason, LH_REASON_PAUSED);
  fake_clock_advance(&suite.fake, 1000);
  assert_int_equal(suite.store->admin->webhook_resume(suite.store, &(struct lh_which){.id = &id},
                                                      &job, &changed, &err),
                   LH_OK);
  assert_int_equal(changed.status, LH_STATUS_ENABLED);
  struct lh_job_step step = {.id = &job.id, .now_ms = suite.fake.wall_ms};
  do assert_int_equal(suite.store->jobs->step(suite.store, &step, &err), LH_OK);
  while (step.job.finished_ms == 0);
  assert_int_equal(step.job.total, 3); /* two failed of themselves, one waited unformed */
  assert_int_equal(step.job.retried, 3);
  assert_int_equal(suite_count_requests(LH_FAILED), 2);
}

static void page_is(const struct lh_webhook_query *query, const char *names) {
  struct lh_webhook_list list;
  char read[64] = "";
  assert_int_equal(suite.store->admin->webhook_list(suite.store, query, &list, NULL), LH_OK);
  for (size_t i = 0; i < list.count; i++) strcat(read, list.rows[i].name);
  lh_webhook_list_clear(&list);
  assert_string_equal(read, names);
}

static void test_webhooks_are_read_page_by_page(void **state) {
  (void)state;
  struct lh_webhook_list list;
  struct lh_id ids[4], none = {{0}};
  const char *names[4] = {"a", "b", "c", "d"};
  for (int i = 0; i < 4; i++) ids[i] = make_webhook(suite.store, names[i], "*", 1);
  must_be(&ids[1], LH_STATUS_DELETED);
  page_is(&(struct lh_webhook_query){.limit = 2}, "ac");
  page_is(&(struct lh_webhook_query){.limit = 2, .after = &ids[0]}, "cd");
  page_is(&(struct lh_webhook_query){.limit = 1, .after = &ids[1]}, "c");
  page_is(&(struct lh_webhook_query){.limit = 2, .after = &ids[0], .with_deleted = 1}, "bc");
  page_is(&(struct lh_webhook_query){.after = &ids[3], .account = "default"}, "");
  struct lh_webhook_query unknown = {.after = &none}, foreign = {.after = ids, .account = "shop-7"};
  const struct lh_store_admin *admin = suite.store->admin;
  assert_int_equal(admin->webhook_list(suite.store, &unknown, &list, NULL), LH_E_INVALID);
  assert_int_equal(admin->webhook_list(suite.store, &foreign, &list, NULL), LH_E_INVALID);
}

/* An id is looked for within the account too; else a command for one account's webhook could hit
   another's. Deleted ones are found by their id alone. */
static void test_a_webhook_is_found_within_its_account_only(void **state) {
  (void)state;
  struct lh_webhook_list list;
  const struct lh_store_admin *admin = suite.store->admin;
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  char text[LH_ID_LEN + 1];
  lh_id_format(&id, text);
  assert_int_equal(admin->webhook_get(suite.store, "shop-7", text, &list, NULL), LH_E_NOT_FOUND);
  assert_int_equal(admin->webhook_get(suite.store, "shop-7", "w", &list, NULL), LH_E_NOT_FOUND);
  assert_int_equal(list.count, 0);
  must_be(&id, LH_STATUS_DELETED);
  assert_int_equal(admin->webhook_get(suite.store, "default", "w", &list, NULL), LH_E_NOT_FOUND);
  assert_int_equal(admin->webhook_get(suite.store, "default", text, &list, NULL), LH_OK);
  assert_int_equal(list.count, 1);
  lh_webhook_list_clear(&list);
}

int store_suite_run_changes(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(test_an_edit_sets_its_fields_and_no_others),
      T(test_a_refused_edit_changes_nothing),
      T(test_a_scheme_needs_a_secret_of_its_form),
      T(test_a_deleted_webhook_is_final_and_frees_its_name),
      T(test_an_unknown_webhook_is_not_found),
      T(test_webhooks_are_read_page_by_page),
      T(test_a_webhook_is_found_within_its_account_only),
      T(test_what_a_pause_stopped_is_never_leased_again),
      T(test_the_threshold_pauses_once_however_results_come),
      T(test_no_lease_after_a_disable_or_delete),
      T(test_a_target_outside_the_log_follows_the_rotation),
      T(test_an_expired_secret_does_not_come_back_with_the_next_rotation),
      T(test_a_scheme_is_compared_with_the_secret_of_now),
      T(test_resuming_retries_what_the_pause_failed),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: changes", tests, NULL, NULL);
}
