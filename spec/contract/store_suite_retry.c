/* The contract suite: manual retry of chosen requests, and the stored jobs that retry many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/store_suite.h"

static void set_status(const struct lh_id *id, enum lh_status status) {
  struct lh_webhook changed;
  int rc = suite.store->admin->webhook_status(suite.store, &(struct lh_which){.id = id}, status,
                                              &changed, NULL);
  assert_int_equal(rc, LH_OK);
  lh_webhook_clear(&changed);
}

static void emit_many(size_t count) {
  struct lh_emit *events = calloc(count, sizeof *events);
  struct lh_emitted *results = calloc(count, sizeof *results);
  assert_true(events != NULL && results != NULL);
  for (size_t i = 0; i < count; i++) events[i] = suite_emit_of("event_points_earned", "{}");
  struct lh_emission emission = {.events = events, .count = count, .results = results};
  assert_int_equal(suite.store->log->emit(suite.store, &emission, NULL), LH_OK);
  free(events);
  free(results);
}

/* Requests of one event each that failed without an attempt, of a webhook that is enabled again. */
static struct lh_id make_failed(const char *name, size_t count) {
  struct lh_id id = make_webhook(suite.store, name, "*", 1);
  emit_many(count);
  set_status(&id, LH_STATUS_DISABLED);
  do suite_lease(100);
  while (suite.turn.more);
  set_status(&id, LH_STATUS_ENABLED);
  return id;
}

static struct lh_request_list failed_of(const struct lh_id *webhook) {
  struct lh_request_filter filter = {
      .state = LH_FAILED, .webhook_id = webhook, .limit = LH_LIST_LIMIT_MAX};
  struct lh_request_list list;
  assert_int_equal(suite.store->requests->list(suite.store, &filter, &list, NULL), LH_OK);
  return list;
}

static void retry(struct lh_retry *retries, size_t count) {
  struct lh_error err;
  int rc = suite.store->jobs->retry(suite.store,
                                    &(struct lh_retry_chosen){.retries = retries, .count = count},
                                    suite.fake.wall_ms, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
}

static struct lh_job create(const struct lh_retry_filter *filter) {
  struct lh_job job;
  struct lh_error err;
  int rc = suite.store->jobs->create(suite.store, filter, NULL, suite.fake.wall_ms, &job, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  return job;
}

static struct lh_job step_on(struct lh_store *store, const struct lh_id *id) {
  struct lh_job_step step = {.id = id, .now_ms = suite.fake.wall_ms};
  assert_int_equal(store->jobs->step(store, &step, NULL), LH_OK);
  return step.job;
}

static int64_t due(void) {
  struct lh_pending_work work;
  assert_int_equal(
      suite.store->requests->pending_work(suite.store, suite.fake.wall_ms, &work, NULL), LH_OK);
  return work.due;
}

static void test_each_id_has_its_own_outcome(void **state) {
  (void)state;
  struct lh_id id = make_failed("w", 2), paused = make_failed("p", 1);
  struct lh_request_list list = failed_of(&id), other = failed_of(&paused);
  struct lh_retry retries[5] = {{.request_id = list.rows[0].request_id},
                                {.request_id = other.rows[0].request_id},
                                {.request_id = {{1}}},
                                {.request_id = list.rows[0].request_id}};
  char command[64], text[LH_ID_LEN + 1];
  set_status(&paused, LH_STATUS_DISABLED);
  retry(retries, 4);
  assert_int_equal(retries[0].outcome, LH_RETRY_RETRIED);
  assert_int_equal(retries[1].outcome, LH_RETRY_REFUSED);
  assert_int_equal(retries[2].outcome, LH_RETRY_UNKNOWN);
  assert_int_equal(retries[3].outcome, LH_RETRY_NOT_FAILED);
  lh_id_format(&paused, text);
  snprintf(command, sizeof command, "loyalhook webhook enable %s", text);
  assert_non_null(strstr(retries[1].message, "webhook 'p' is disabled: enable it first"));
  assert_non_null(strstr(retries[1].message, command));
  assert_string_equal(retries[0].message, "");
  assert_int_equal(suite_count_requests(LH_FAILED), 2);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 1);
  assert_memory_equal(&suite.noted.leases[0].lease.request_id, &list.rows[0].request_id,
                      sizeof(struct lh_id));
  lh_request_list_clear(&list);
  lh_request_list_clear(&other);
}

static void test_another_accounts_requests_are_unknown(void **state) {
  (void)state;
  struct lh_id id = make_failed("w", 1);
  struct lh_request_list list = failed_of(&id);
  struct lh_retry asked = {.request_id = list.rows[0].request_id};
  static const char *const names[] = {"shop-2", "nobody", "default"};
  static const enum lh_retry_outcome outcomes[] = {LH_RETRY_UNKNOWN, LH_RETRY_UNKNOWN,
                                                   LH_RETRY_RETRIED};
  for (int i = 0; i < 3; i++) {
    if (i == 0) emit_one(suite.store, "event_points_earned", "{}");
    assert_int_equal(
        suite.store->jobs->retry(
            suite.store,
            &(struct lh_retry_chosen){.retries = &asked, .count = 1, .account = names[i]},
            suite.fake.wall_ms, NULL),
        LH_OK);
    assert_int_equal(asked.outcome, outcomes[i]);
  }
  lh_request_list_clear(&list);
}

static void test_as_many_as_may_be_at_once(void **state) {
  (void)state;
  struct lh_retry *retries = calloc(LH_RETRY_MANY_MAX + 1, sizeof *retries);
  assert_non_null(retries);
  assert_int_equal(
      suite.store->jobs->retry(suite.store,
                               &(struct lh_retry_chosen){.retries = retries, .count = 0}, 1, NULL),
      LH_E_LIMIT);
  assert_int_equal(
      suite.store->jobs->retry(
          suite.store,
          &(struct lh_retry_chosen){.retries = retries, .count = LH_RETRY_MANY_MAX + 1}, 1, NULL),
      LH_E_LIMIT);
  retry(retries, LH_RETRY_MANY_MAX);
  assert_int_equal(retries[LH_RETRY_MANY_MAX - 1].outcome, LH_RETRY_UNKNOWN);
  free(retries);
}

static void test_a_retry_ends_a_back_off_and_a_wait_for_room(void **state) {
  (void)state;
  struct lh_id id = make_failed("w", 1);
  emit_many(1);
  suite_lease(1);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_FAILURE); /* failing */
  emit_many(1);
  suite_lease(1);
  assert_int_equal(suite.noted.count, 0);
  struct lh_request_list list = failed_of(&id);
  struct lh_retry chosen = {.request_id = list.rows[0].request_id};
  retry(&chosen, 1);
  suite_lease(10);
  assert_int_equal(suite.noted.count, 2);
  assert_memory_equal(&suite.noted.leases[0].lease.request_id, &chosen.request_id,
                      sizeof chosen.request_id);
  lh_request_list_clear(&list);
}

/* What an operator is told before is what is listed. */
static void test_the_count_is_that_of_the_list(void **state) {
  (void)state;
  struct lh_id early = make_failed("early", 3);
  fake_clock_advance(&suite.fake, 60000);
  struct lh_id late = make_failed("late", 2); /* the first one's events are in it too */
  struct lh_retry_filter filters[] = {
      {.account = NULL},
      {.webhook_id = &early},
      {.since_ms = suite.fake.wall_ms},
      {.webhook_id = &late, .since_ms = suite.fake.wall_ms},
      {.account = "default"},
      {.account = "nobody"},
      {.webhook_id = &early, .since_ms = suite.fake.wall_ms + 1},
      {.until_ms = suite.fake.wall_ms},
      {.until_ms = suite.fake.wall_ms + 1},
      {.until_ms = 1},
  };
  for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
    struct lh_request_filter same = {.state = LH_FAILED,
                                     .webhook_id = filters[i].webhook_id,
                                     .account = filters[i].account,
                                     .since_ms = filters[i].since_ms,
                                     .until_ms = filters[i].until_ms,
                                     .limit = LH_LIST_LIMIT_MAX};
    struct lh_request_list list;
    int64_t total = -1;
    assert_int_equal(suite.store->requests->list(suite.store, &same, &list, NULL), LH_OK);
    assert_int_equal(suite.store->jobs->count(suite.store, &filters[i], &total, NULL), LH_OK);
    assert_int_equal(total, list.count);
    lh_request_list_clear(&list);
  }
  struct lh_retry_filter paused = {.reason = LH_REASON_PAUSED};
  struct lh_retry_filter disabled = {.reason = LH_REASON_DISABLED,
                                     .failed_from_ms = suite.fake.wall_ms};
  int64_t total = -1;
  assert_int_equal(suite.store->jobs->count(suite.store, &paused, &total, NULL), LH_OK);
  assert_int_equal(total, 0);
  assert_int_equal(suite.store->jobs->count(suite.store, &disabled, &total, NULL), LH_OK);
  assert_int_equal(total, 2);
}

/* Leases and ends everything that is due as a success; counts by request number. */
static void deliver_all(unsigned char *times, size_t cap) {
  struct lh_attempt_result results[64];
  size_t count = 0;
  do {
    suite.turn = turn_of(suite.session, suite.fake.wall_ms, 64, results, count);
    take_turn(suite.store, &suite.turn, &suite.noted);
    count = suite.noted.count;
    for (size_t i = 0; i < count; i++) {
      const struct lh_lease *lease = &suite.noted.leases[i].lease;
      assert_true((size_t)lease->request < cap);
      times[lease->request]++;
      results[i] = result_of(lease, LH_INPUT_SUCCESS, suite.fake.wall_ms);
    }
  } while (count > 0 || suite.turn.more);
}

static void test_a_job_retries_each_once_in_steps_that_anybody_makes(void **state) {
  (void)state;
  enum { COUNT = 2500 };
  static unsigned char times[COUNT + 1];
  memset(times, 0, sizeof times);
  struct lh_id id = make_failed("w", COUNT);
  struct lh_retry_filter filter = {.webhook_id = &id};
  struct lh_job job = create(&filter);
  assert_int_equal(job.settled, 0);
  assert_true(due() > 0);
  struct lh_store *second = maker->open(&suite.fake.door);
  int64_t before = 0;
  int steps = 0;
  while (job.finished_ms == 0) {
    assert_true(++steps < 10);
    job = step_on(steps % 2 ? second : suite.store, &job.id);
    assert_true(job.retried - before <= LH_RETRY_MANY_MAX); /* of one transaction */
    before = job.retried;
    suite_lease(0);
    assert_int_equal(suite.turn.job_open, job.finished_ms == 0);
  }
  lh_store_close(second);
  assert_int_equal(job.total, COUNT);
  assert_int_equal(job.retried, COUNT);
  assert_int_equal(job.left_over, 0);
  deliver_all(times, sizeof times);
  for (int i = 1; i <= COUNT; i++) assert_int_equal(times[i], 1);
  assert_int_equal(suite_count_requests(LH_FAILED), 0);
  assert_int_equal(due(), 0);
}

/* Several at once would only wait for each other; whoever is killed is replaced a second later. */
static void test_a_job_is_one_workers_until_it_makes_no_step_for_a_second(void **state) {
  (void)state;
  struct lh_id id = make_failed("w", 2 * LH_RETRY_MANY_MAX + 1);
  struct lh_retry_filter filter = {.webhook_id = &id};
  struct lh_job job = create(&filter);
  struct lh_job_step ours = {.id = &job.id, .session = 7, .now_ms = suite.fake.wall_ms};
  struct lh_job_step theirs = {.session = 8};
  while (!ours.made || ours.job.retried == 0)
    assert_int_equal(suite.store->jobs->step(suite.store, &ours, NULL), LH_OK);
  theirs.now_ms = ours.now_ms + LH_JOB_HELD_MS - 1;
  assert_int_equal(suite.store->jobs->step(suite.store, &theirs, NULL), LH_OK);
  assert_int_equal(theirs.made, 0);
  assert_int_equal(theirs.job.retried, LH_RETRY_MANY_MAX); /* it sees how far the job is */
  theirs.now_ms = ours.now_ms + LH_JOB_HELD_MS;
  assert_int_equal(suite.store->jobs->step(suite.store, &theirs, NULL), LH_OK);
  assert_int_equal(theirs.made, 1);
  ours.now_ms = theirs.now_ms;
  assert_int_equal(suite.store->jobs->step(suite.store, &ours, NULL), LH_OK);
  assert_int_equal(ours.made, 0);
  ours.now_ms = theirs.now_ms - 1; /* a clock that was set back holds nothing */
  assert_int_equal(suite.store->jobs->step(suite.store, &ours, NULL), LH_OK);
  assert_int_equal(ours.made, 1);
  assert_true(ours.job.finished_ms > 0);
}

static void test_what_fails_after_a_job_settled_is_not_its_business(void **state) {
  (void)state;
  make_failed("w", LH_RETRY_MANY_MAX + 10);
  struct lh_id later = make_webhook(suite.store, "later", "event_member_enrol", 1);
  struct lh_webhook_edit edit = {.fields = LH_FIELD_RETRIES_MAX}; /* none */
  struct lh_webhook changed;
  assert_int_equal(suite.store->admin->webhook_edit(suite.store, &(struct lh_which){.id = &later},
                                                    &edit, &changed, NULL),
                   LH_OK);
  lh_webhook_clear(&changed);
  struct lh_retry_filter all = {.account = NULL};
  struct lh_job job = create(&all);
  while (job.retried == 0) job = step_on(suite.store, &job.id);
  fake_clock_advance(&suite.fake, 1);
  emit_one(suite.store, "event_member_enrol", "{}");
  suite_lease(100);
  size_t at = 0; /* where the job has not been yet */
  while (strcmp(suite.noted.leases[at].lease.target->webhook.name, "later") != 0) at++;
  struct lh_attempt_result result = suite_record(&suite.noted.leases[at].lease, LH_INPUT_FAILURE);
  assert_int_equal(result.after.state, LH_FAILED);
  while (job.finished_ms == 0) job = step_on(suite.store, &job.id);
  assert_int_equal(job.retried, LH_RETRY_MANY_MAX + 10);
  struct lh_request_list list = failed_of(&later);
  assert_int_equal(list.count, 1);
  lh_request_list_clear(&list);
}

static void test_a_job_stops_for_a_webhook_that_is_no_longer_enabled(void **state) {
  (void)state;
  struct lh_id id = make_failed("w", LH_RETRY_MANY_MAX + 5);
  struct lh_retry_filter all = {.account = NULL};
  struct lh_job job = create(&all);
  while (job.retried == 0) job = step_on(suite.store, &job.id);
  assert_int_equal(job.retried, LH_RETRY_MANY_MAX);
  set_status(&id, LH_STATUS_DISABLED);
  while (job.finished_ms == 0) job = step_on(suite.store, &job.id);
  assert_int_equal(job.total, LH_RETRY_MANY_MAX + 5);
  assert_int_equal(job.retried, LH_RETRY_MANY_MAX);
  assert_int_equal(job.left_over, 5);
}

static void test_passing_over_what_a_job_does_not_mean_is_bounded_too(void **state) {
  (void)state;
  make_failed("old", LH_RETRY_LOOKS_MAX);
  fake_clock_advance(&suite.fake, 60000);
  struct lh_id id = make_failed("new", 2);
  struct lh_retry_filter filter = {.since_ms = suite.fake.wall_ms};
  struct lh_job job = create(&filter);
  while (!job.settled) job = step_on(suite.store, &job.id);
  job = step_on(suite.store, &job.id);
  assert_int_equal(job.retried, 0);
  assert_int_equal(job.finished_ms, 0);
  job = step_on(suite.store, &job.id);
  assert_int_equal(job.retried, 2);
  assert_true(job.finished_ms > 0);
  assert_int_equal(job.total, 2);
  struct lh_request_list list = failed_of(&id);
  assert_int_equal(list.count, 0);
  lh_request_list_clear(&list);
}

/* Its total is counted before its steps: one is retried by hand in between. */
static void test_a_finished_job_adds_up(void **state) {
  (void)state;
  struct lh_id id = make_failed("w", 3);
  struct lh_request_list list = failed_of(&id);
  struct lh_retry one = {.request_id = list.rows[0].request_id};
  lh_request_list_clear(&list);
  struct lh_job job = create(&(struct lh_retry_filter){.webhook_id = &id});
  while (!job.settled) job = step_on(suite.store, &job.id);
  assert_int_equal(job.total, 3);
  retry(&one, 1);
  while (job.finished_ms == 0) job = step_on(suite.store, &job.id);
  assert_int_equal(job.retried, 2);
  assert_int_equal(job.total, job.retried + job.left_over);
}

static void test_a_retried_request_was_not_given_back(void **state) {
  (void)state;
  struct lh_pending_work work;
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  emit_many(1);
  suite_lease(1);
  struct lh_retry chosen = {.request_id = suite.noted.leases[0].lease.request_id};
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_GIVEN_BACK);
  set_status(&id, LH_STATUS_DISABLED);
  suite_lease(1);
  set_status(&id, LH_STATUS_ENABLED);
  retry(&chosen, 1);
  assert_int_equal(chosen.outcome, LH_RETRY_RETRIED);
  assert_int_equal(
      suite.store->requests->pending_work(suite.store, suite.fake.wall_ms, &work, NULL), LH_OK);
  assert_int_equal(work.given_back, 0);
}

static void test_a_job_is_refused_where_nothing_could_be_retried(void **state) {
  (void)state;
  struct lh_job job;
  struct lh_error err;
  struct lh_id id = make_failed("w", 1), none = {{9}};
  struct lh_retry_filter filter = {.webhook_id = &id}, unknown = {.webhook_id = &none},
                         nobody = {.account = "nobody"};
  set_status(&id, LH_STATUS_DISABLED);
  assert_int_equal(suite.store->jobs->create(suite.store, &filter, NULL, 1, &job, &err),
                   LH_E_REFUSED);
  assert_non_null(strstr(err.message, "enable it first (loyalhook webhook enable "));
  set_status(&id, LH_STATUS_DELETED);
  assert_int_equal(suite.store->jobs->create(suite.store, &filter, NULL, 1, &job, &err),
                   LH_E_REFUSED);
  assert_int_equal(suite.store->jobs->create(suite.store, &unknown, NULL, 1, &job, &err),
                   LH_E_NOT_FOUND);
  assert_int_equal(suite.store->jobs->create(suite.store, &nobody, NULL, 1, &job, &err),
                   LH_E_NOT_FOUND);
  suite_lease(0);
  assert_int_equal(suite.turn.job_open, 0);
}

static void test_jobs_are_listed_newest_first_and_their_number_is_bounded(void **state) {
  (void)state;
  struct lh_id id = make_failed("w", 1);
  struct lh_retry_filter all = {.account = NULL}, one = {.account = "default", .webhook_id = &id};
  struct lh_job job, found;
  struct lh_job_list list;
  struct lh_job_step step = {.now_ms = 1};
  assert_int_equal(suite.store->jobs->step(suite.store, &step, NULL), LH_E_NOT_FOUND);
  struct lh_job first = create(&all);
  for (int i = 1; i < LH_JOBS_OPEN_MAX; i++) create(&all);
  assert_int_equal(suite.store->jobs->create(suite.store, &one, NULL, 1, &job, NULL), LH_E_LIMIT);
  while (first.finished_ms == 0) first = step_on(suite.store, &first.id);
  assert_int_equal(first.retried, 1);
  job = create(&one);
  assert_int_equal(suite.store->jobs->list(suite.store, 2, &list, NULL), LH_OK);
  assert_int_equal(list.count, 2);
  assert_memory_equal(&list.rows[0].id, &job.id, sizeof job.id);
  assert_string_equal(list.rows[0].account, "default");
  assert_true(list.rows[0].one_webhook);
  assert_memory_equal(&list.rows[0].webhook_id, &id, sizeof id);
  lh_job_list_clear(&list);
  assert_int_equal(suite.store->jobs->get(suite.store, &first.id, &found, NULL), LH_OK);
  assert_true(found.finished_ms == first.finished_ms);
  assert_int_equal(suite.store->jobs->get(suite.store, &id, &found, NULL), LH_E_NOT_FOUND);
  /* Another step of one that is over does nothing. */
  assert_int_equal(step_on(suite.store, &first.id).retried, 1);
}

/* A process that lives long makes many, one after the other, on the same connection. */
static void test_a_job_does_not_mean_what_the_one_before_meant(void **state) {
  (void)state;
  struct lh_id a = make_failed("a", 2), b = make_failed("b", 3);
  const struct lh_retry_filter all = {0}, one = {.account = "default", .webhook_id = &a};
  struct lh_job job = create(&one);
  while (job.finished_ms == 0) job = step_on(suite.store, &job.id);
  assert_int_equal(job.retried, 2);
  job = create(&all);
  assert_false(job.one_webhook);
  assert_string_equal(job.account, "");
  while (job.finished_ms == 0) job = step_on(suite.store, &job.id);
  assert_int_equal(job.retried, 3);
  struct lh_request_list left = failed_of(&b);
  assert_int_equal(left.count, 0);
  lh_request_list_clear(&left);
}

int store_suite_run_retry(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, suite_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_each_id_has_its_own_outcome),
      T(test_another_accounts_requests_are_unknown),
      T(test_as_many_as_may_be_at_once),
      T(test_a_retry_ends_a_back_off_and_a_wait_for_room),
      T(test_the_count_is_that_of_the_list),
      T(test_a_job_retries_each_once_in_steps_that_anybody_makes),
      T(test_a_job_is_one_workers_until_it_makes_no_step_for_a_second),
      T(test_what_fails_after_a_job_settled_is_not_its_business),
      T(test_a_job_stops_for_a_webhook_that_is_no_longer_enabled),
      T(test_passing_over_what_a_job_does_not_mean_is_bounded_too),
      T(test_a_retried_request_was_not_given_back),
      T(test_a_job_is_refused_where_nothing_could_be_retried),
      T(test_a_job_does_not_mean_what_the_one_before_meant),
      T(test_a_finished_job_adds_up),
      T(test_jobs_are_listed_newest_first_and_their_number_is_bounded),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: retry", tests, NULL, NULL);
}
