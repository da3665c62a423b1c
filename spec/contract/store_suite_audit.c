/*
** The contract suite: every change that a person makes stands in the audit log,
** noted in its own transaction, so neither is there without the other. What
** access.h's changes note is shown where they are tested.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/access_suite.h"
#include "spec/contract/tasks_suite.h"

/* One store in which there is something to do for every door. */
static struct lh_id webhook;
static struct lh_retry failed_request;
static struct task_worker worker;

static struct lh_which by(const struct lh_actor *actor) {
  return (struct lh_which){.id = &webhook, .actor = actor};
}

static int end(int rc, struct lh_webhook *changed) {
  lh_webhook_clear(changed);
  return rc;
}

static int create(const struct lh_actor *actor) {
  struct lh_webhook made;
  lh_webhook_init(&made);
  snprintf(made.name, sizeof made.name, "w");
  snprintf(made.account, sizeof made.account, "shop-7");
  snprintf(made.url, sizeof made.url, "http://w/");
  made.event_types = strdup("*");
  made.batch_size = 1;
  const struct lh_webhook_new given = {made.url, secret16, actor};
  int rc = suite.store->admin->webhook_create(suite.store, &made, &given, FAKE_START_MS, NULL);
  webhook = made.id;
  return end(rc, &made);
}

static int edit(const struct lh_actor *actor) {
  struct lh_webhook changed;
  struct lh_webhook_edit wanted = {.fields = LH_FIELD_RETRIES_MAX | LH_FIELD_PAUSE_AFTER};
  const struct lh_which which = by(actor);
  wanted.values.pause_after = 1;
  return end(suite.store->admin->webhook_edit(suite.store, &which, &wanted, &changed, NULL),
             &changed);
}

static int rotate(const struct lh_actor *actor) {
  struct lh_webhook changed;
  const struct lh_rotation rotation = {secret16, 60000};
  const struct lh_which which = by(actor);
  return end(suite.store->admin->secret_rotate(suite.store, &which, &rotation, &changed, NULL),
             &changed);
}

static int set_status(const struct lh_actor *actor, enum lh_status status) {
  struct lh_webhook changed;
  const struct lh_which which = by(actor);
  return end(suite.store->admin->webhook_status(suite.store, &which, status, &changed, NULL),
             &changed);
}

static int disable(const struct lh_actor *actor) {
  return set_status(actor, LH_STATUS_DISABLED);
}

static int enable(const struct lh_actor *actor) {
  return set_status(actor, LH_STATUS_ENABLED);
}

static int delete_it(const struct lh_actor *actor) {
  return set_status(actor, LH_STATUS_DELETED);
}

static int resume(const struct lh_actor *actor) {
  struct lh_webhook changed;
  struct lh_job job;
  const struct lh_which which = by(actor);
  return end(suite.store->admin->webhook_resume(suite.store, &which, &job, &changed, NULL),
             &changed);
}

static int try_it(const struct lh_actor *actor) {
  struct lh_target *target;
  const struct lh_which which = by(actor);
  int rc = suite.store->admin->target(suite.store, &which, &target, NULL);
  if (rc == LH_OK) suite.store->requests->target_release(suite.store, target);
  return rc;
}

static int retry(const struct lh_actor *actor) {
  struct lh_retry asked[2] = {failed_request, {.request_id = {{1}}}};
  const struct lh_retry_chosen chosen = {asked, 2, "shop-7", actor};
  return suite.store->jobs->retry(suite.store, &chosen, suite.fake.wall_ms, NULL);
}

static int retry_many(const struct lh_actor *actor) {
  const struct lh_retry_filter filter = {.webhook_id = &webhook};
  struct lh_job job;
  return suite.store->jobs->create(suite.store, &filter, actor, suite.fake.wall_ms, &job, NULL);
}

static int set_account(const struct lh_actor *actor) {
  return suite.store->notices->account_set(suite.store, "shop-7", "a@b", actor, suite.fake.wall_ms,
                                           NULL);
}

static int retry_task(const struct lh_actor *actor) {
  struct lh_task_retry asked[2] = {{.event_id = "e1"}, {.event_id = "e9"}};
  return suite.store->tasks->retry(suite.store, asked, 2, actor, suite.fake.wall_ms, NULL);
}

static int retry_tasks(const struct lh_actor *actor) {
  struct lh_task_retry_step step = {
      .handler = "crm", .source = "shop", .now_ms = suite.fake.wall_ms, .actor = actor};
  return suite.store->tasks->retry_failed(suite.store, &step, NULL);
}

static int forget(const struct lh_actor *actor) {
  size_t failed;
  return suite.store->tasks->forget(suite.store, "crm", actor, suite.fake.wall_ms, &failed, NULL);
}

/* ---- what has to have happened for a door to have something to do */

/* A request of the webhook, and the webhook with it, fail. */
static void fail_request(void) {
  struct lh_emit event = suite_emit_of("event_points_earned", "{}");
  struct lh_emitted emitted;
  event.account = "shop-7";
  assert_int_equal(emit_event(suite.store, &event, &emitted, NULL), LH_OK);
  suite_lease(1);
  assert_int_equal(suite.noted.count, 1);
  failed_request.request_id = suite.noted.leases[0].lease.request_id;
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_FAILURE);
}

static void fail_enabled(void) {
  fail_request();
  assert_int_equal(enable(NULL), LH_OK);
}

static void load(void) {
  task_worker_init(&worker);
  task_worker_load(&worker, (struct lh_handler_definition){.name = "crm"});
  worker.wishes[0].policy.tries = 1;
  task_receive_many(1);
}

static void fail_task(void) {
  if (worker.wish_count == 0) load();
  assert_int_equal(task_worker_lease(&worker), 1);
  task_worker_end_all(&worker, LH_TASK_IN_FAILURE);
}

static void unload(void) {
  fake_clock_advance(&suite.fake, LH_SESSION_DEAD_MS);
}

#define WEBHOOK "webhook" /* for its id */
#define ANEW (-1)

/* Each change, in an order in which each has something to do. */
static const struct change {
  void (*before)(void);
  int (*make)(const struct lh_actor *actor);
  const char *what;
  const char *object;  /* NULL: an id that the change makes */
  const char *account; /* "": none */
  const char *counted; /* its detail if the actor gives none, or NULL */
  int again; /* what it gives at once again, when it does nothing; ANEW: it does it anew */
} changes[] = {
    {NULL, create, "webhook.create", WEBHOOK, "shop-7", NULL, LH_E_CONFLICT},
    {NULL, edit, "webhook.edit", WEBHOOK, "shop-7", NULL, ANEW},
    {NULL, rotate, "webhook.rotate_secret", WEBHOOK, "shop-7", NULL, ANEW},
    {NULL, disable, "webhook.disable", WEBHOOK, "shop-7", NULL, LH_OK},
    {NULL, enable, "webhook.enable", WEBHOOK, "shop-7", NULL, LH_OK},
    {NULL, try_it, "webhook.test", WEBHOOK, "shop-7", NULL, ANEW},
    {fail_request, resume, "webhook.enable", WEBHOOK, "shop-7", NULL, LH_E_REFUSED},
    {fail_enabled, retry, "request.retry", "", "shop-7", "{\"asked\":2,\"retried\":1}", LH_OK},
    {NULL, retry_many, "request.retry_failed", NULL, "shop-7", NULL, ANEW},
    {NULL, set_account, "account.edit", "shop-7", "shop-7", NULL, LH_OK},
    {fail_task, retry_task, "inbox.retry", "", "", "{\"asked\":2,\"retried\":1}", LH_OK},
    {fail_task, retry_tasks, "inbox.retry_failed", "", "",
     "{\"count\":1,\"handler\":\"crm\",\"source\":\"shop\"}", LH_OK},
    {unload, forget, "handler.forget", "crm", "", NULL, LH_E_NOT_FOUND},
    {NULL, delete_it, "webhook.delete", WEBHOOK, "shop-7", NULL, LH_OK},
};
#define CHANGES (sizeof changes / sizeof *changes)

static int set_up(void **state) {
  memset(&worker, 0, sizeof worker);
  return suite_set_up(state);
}

static int tear_down(void **state) {
  lh_task_turn_clear(&worker.turn);
  return suite_tear_down(state);
}

static void check_newest(const struct change *change, const char *who, const char *detail) {
  const struct lh_audit_filter filter = {.limit = 1};
  struct lh_audit_list list;
  char id[LH_ID_LEN + 1];
  lh_id_format(&webhook, id);
  assert_int_equal(suite.store->audit->list(suite.store, &filter, &list, NULL), LH_OK);
  assert_int_equal(list.count, 1);
  assert_string_equal(list.rows[0].who, who);
  assert_string_equal(list.rows[0].what, change->what);
  assert_string_equal(list.rows[0].account, change->account);
  if (change->object == NULL)
    assert_int_equal(strlen(list.rows[0].object), LH_ID_LEN);
  else
    assert_string_equal(list.rows[0].object,
                        strcmp(change->object, WEBHOOK) == 0 ? id : change->object);
  if (detail == NULL)
    assert_null(list.rows[0].detail);
  else
    assert_string_equal(list.rows[0].detail, detail);
  lh_audit_list_clear(&list);
}

static void test_each_change_is_noted_with_what_it_is_about(void **state) {
  (void)state;
  static const struct lh_actor anna = {"user:anna", NULL};
  for (size_t i = 0; i < CHANGES; i++) {
    if (changes[i].before != NULL) changes[i].before();
    assert_int_equal(changes[i].make(&anna), LH_OK);
    assert_int_equal(access_audited(NULL), i + 1);
    check_newest(&changes[i], "user:anna", changes[i].counted);
  }
}

static void test_what_the_actor_says_is_the_detail(void **state) {
  (void)state;
  static const struct lh_actor line = {"command line", "{\"because\":\"of it\"}"};
  for (size_t i = 0; i < CHANGES; i++) {
    if (changes[i].before != NULL) changes[i].before();
    assert_int_equal(changes[i].make(&line), LH_OK);
    check_newest(&changes[i], "command line", line.detail);
  }
}

/* Its revision; 0: there is no such webhook. */
static int64_t revision(void) {
  struct lh_webhook_list list;
  const struct lh_webhook_query query = {.account = "shop-7", .with_deleted = 1};
  if (suite.store->admin->webhook_list(suite.store, &query, &list, NULL) != LH_OK) return -1;
  int64_t found = list.count > 0 ? list.rows[0].revision : 0;
  assert_true(list.count <= 1);
  lh_webhook_list_clear(&list);
  return found;
}

/* The same change is possible after it: what has been done already would not be noted again. */
static void test_a_change_that_cannot_be_noted_is_not_made(void **state) {
  (void)state;
  static const struct lh_actor unreadable = {"user:anna", "no JSON"};
  for (size_t i = 0; i < CHANGES; i++) {
    if (changes[i].before != NULL) changes[i].before();
    int64_t before = revision();
    size_t entries = access_audited(NULL);
    assert_int_equal(changes[i].make(&unreadable), LH_E_INVALID);
    assert_int_equal(revision(), before);
    assert_int_equal(access_audited(NULL), entries);
    assert_int_equal(changes[i].make(&access_actor), LH_OK);
    assert_int_equal(access_audited(NULL), entries + 1);
  }
}

static void test_nobody_and_nothing_done_note_nothing(void **state) {
  (void)state;
  for (size_t i = 0; i < CHANGES; i++) {
    if (changes[i].before != NULL) changes[i].before();
    assert_int_equal(changes[i].make(NULL), LH_OK);
    const struct lh_id made = webhook;
    if (changes[i].again != ANEW)
      assert_int_equal(changes[i].make(&access_actor), changes[i].again);
    webhook = made;
    assert_int_equal(access_audited(NULL), 0);
  }
  assert_int_equal(edit(&access_actor), LH_E_REFUSED); /* it is deleted */
  assert_int_equal(try_it(&access_actor), LH_E_REFUSED);
  assert_int_equal(retry_many(&access_actor), LH_E_REFUSED);
  assert_int_equal(access_audited(NULL), 0);
}

int store_suite_run_audit(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(test_each_change_is_noted_with_what_it_is_about),
      T(test_what_the_actor_says_is_the_detail),
      T(test_a_change_that_cannot_be_noted_is_not_made),
      T(test_nobody_and_nothing_done_note_nothing),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: audit", tests, NULL, NULL);
}
