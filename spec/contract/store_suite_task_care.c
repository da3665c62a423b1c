/*
** The contract suite's part on what people do with tasks: retry, forget, and
** what they are shown of handlers.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/tasks_suite.h"

static struct task_worker worker;
static const struct lh_store_tasks *tasks;

static int set_up(void **state) {
  suite_set_up(state);
  task_worker_init(&worker);
  tasks = suite.store->tasks;
  return 0;
}

static int tear_down(void **state) {
  lh_task_turn_clear(&worker.turn);
  return suite_tear_down(state);
}

static void load(const char *name, int serial) {
  task_worker_load(&worker, (struct lh_handler_definition){.name = name, .serial = serial});
  worker.wishes[worker.wish_count - 1].concurrency = LH_TASK_CONCURRENCY_MAX;
}

/* All that is due ends so. */
static void end_due(enum lh_task_input_kind kind) {
  task_worker_lease(&worker);
  while (worker.turn.lease_count > 0 || worker.turn.more) task_worker_end_all(&worker, kind);
}

static void test_chosen_events_are_retried_with_fresh_tries(void **state) {
  (void)state;
  load("crm", 0);
  load("log", 0);
  worker.wishes[0].policy.tries = 1;
  task_receive_many(2);
  task_worker_lease(&worker);
  task_worker_end_all(&worker, LH_TASK_IN_FAILURE); /* crm: failed, log: retrying */
  struct lh_task_retry asked[] = {
      {.event_id = "e1", .source = "shop", .handler = "crm"},
      {.event_id = "e1"},
      {.event_id = "e2", .handler = "log"},
      {.event_id = "e2"},
      {.event_id = "e2", .source = "other"},
      {.event_id = "e2", .handler = "nobody"},
      {.event_id = "e3"},
  };
  static const enum lh_task_retry_outcome outcomes[] = {
      LH_TASK_RETRY_RETRIED, LH_TASK_RETRY_NOT_FAILED, LH_TASK_RETRY_NOT_FAILED,
      LH_TASK_RETRY_RETRIED, LH_TASK_RETRY_UNKNOWN,    LH_TASK_RETRY_UNKNOWN,
      LH_TASK_RETRY_UNKNOWN};
  assert_int_equal(tasks->retry(suite.store, asked, 7, NULL, suite.fake.wall_ms, NULL), LH_OK);
  for (size_t i = 0; i < 7; i++) assert_int_equal(asked[i].outcome, outcomes[i]);
  assert_int_equal(task_worker_lease(&worker), 2);
  assert_int_equal(worker.turn.leases[0].attempt, 2);
  assert_int_equal(tasks->retry(suite.store, asked, 0, NULL, 1, NULL), LH_E_LIMIT);
  assert_int_equal(tasks->retry(suite.store, asked, LH_RETRY_MANY_MAX + 1, NULL, 1, NULL),
                   LH_E_LIMIT);
}

static void test_what_retention_took_is_unknown(void **state) {
  (void)state;
  const int64_t month_ms = INT64_C(30) * 86400000;
  load("crm", 0);
  task_receive_many(2);
  end_due(LH_TASK_IN_SUCCESS);
  fake_clock_advance(&suite.fake, month_ms);
  struct lh_clean run = {.now_ms = suite.fake.wall_ms,
                         .retention_ms = month_ms,
                         .failed_retention_ms = month_ms,
                         .dedupe_ms = 2 * month_ms,
                         .more = 1};
  while (run.more) assert_int_equal(suite.store->admin->clean(suite.store, &run, NULL), LH_OK);
  assert_int_equal(run.received, 1); /* the newest stays */
  struct lh_task_retry asked[] = {
      {.event_id = "e1"}, {.event_id = "e1", .handler = "crm"}, {.event_id = "e2"}};
  assert_int_equal(tasks->retry(suite.store, asked, 3, NULL, suite.fake.wall_ms, NULL), LH_OK);
  assert_int_equal(asked[0].outcome, LH_TASK_RETRY_UNKNOWN);
  assert_int_equal(asked[1].outcome, LH_TASK_RETRY_UNKNOWN);
  assert_int_equal(asked[2].outcome, LH_TASK_RETRY_NOT_FAILED);
}

/* Steps until it is over; how many in all, and in how many steps. */
static size_t retry_failed(struct lh_task_retry_step step, size_t *steps) {
  size_t sum = 0;
  step.now_ms = suite.fake.wall_ms;
  *steps = 0;
  do {
    assert_int_equal(tasks->retry_failed(suite.store, &step, NULL), LH_OK);
    sum += step.count;
    ++*steps;
  } while (step.after != 0 && *steps < 100);
  return sum;
}

static void test_many_are_retried_in_steps(void **state) {
  (void)state;
  size_t steps;
  load("crm", 0);
  load("log", 0);
  task_receive_many(1200);
  end_due(LH_TASK_IN_REFUSAL);
  assert_int_equal(task_handler("crm").tasks[LH_TASK_FAILED], 1200);
  assert_int_equal(retry_failed((struct lh_task_retry_step){.dry_run = 1}, &steps), 2400);
  assert_true(steps >= 3);
  assert_int_equal(retry_failed((struct lh_task_retry_step){.handler = "log"}, &steps), 1200);
  assert_int_equal(steps, 2);
  assert_int_equal(task_handler("log").tasks[LH_TASK_RETRYING], 1200);
  assert_int_equal(retry_failed((struct lh_task_retry_step){.handler = "log"}, &steps), 0);
  assert_int_equal(retry_failed((struct lh_task_retry_step){.source = "shop"}, &steps), 1200);
}

static void test_a_retry_of_many_means_what_was_asked(void **state) {
  (void)state;
  size_t steps;
  load("crm", 0);
  task_receive_many(2);
  end_due(LH_TASK_IN_REFUSAL);
  fake_clock_advance(&suite.fake, 1000);
  int64_t later_ms = suite.fake.wall_ms;
  task_receive_many(3);
  end_due(LH_TASK_IN_REFUSAL);
  struct lh_task_retry_step step = {.dry_run = 1, .since_ms = later_ms};
  assert_int_equal(retry_failed(step, &steps), 3);
  step = (struct lh_task_retry_step){.dry_run = 1, .failed_before_ms = later_ms};
  assert_int_equal(retry_failed(step, &steps), 2);
  step = (struct lh_task_retry_step){.handler = "nobody"};
  assert_int_equal(tasks->retry_failed(suite.store, &step, NULL), LH_E_NOT_FOUND);
  step = (struct lh_task_retry_step){.source = "nobody"};
  assert_int_equal(tasks->retry_failed(suite.store, &step, NULL), LH_E_NOT_FOUND);
}

static void test_a_handler_in_use_is_not_forgotten(void **state) {
  (void)state;
  size_t failed;
  load("crm", 0);
  assert_int_equal(tasks->forget(suite.store, "crm", NULL, suite.fake.wall_ms, &failed, NULL),
                   LH_E_REFUSED);
  fake_clock_advance(&suite.fake, LH_SESSION_DEAD_MS - 1);
  assert_int_equal(tasks->forget(suite.store, "crm", NULL, suite.fake.wall_ms, &failed, NULL),
                   LH_E_REFUSED);
  task_worker_lease(&worker); /* it says that it has it still */
  fake_clock_advance(&suite.fake, LH_SESSION_DEAD_MS - 1);
  assert_int_equal(tasks->forget(suite.store, "crm", NULL, suite.fake.wall_ms, &failed, NULL),
                   LH_E_REFUSED);
  fake_clock_advance(&suite.fake, 1);
  assert_int_equal(tasks->forget(suite.store, "crm", NULL, suite.fake.wall_ms, &failed, NULL),
                   LH_OK);
  assert_int_equal(tasks->forget(suite.store, "crm", NULL, suite.fake.wall_ms, &failed, NULL),
                   LH_E_NOT_FOUND);
  assert_int_equal(tasks->forget(suite.store, "nobody", NULL, suite.fake.wall_ms, &failed, NULL),
                   LH_E_NOT_FOUND);
}

static void test_what_a_forgotten_handler_has_left_fails(void **state) {
  (void)state;
  size_t failed;
  load("crm", 1);
  for (int i = 0; i < 1500; i++) task_receive("t", i % 2 ? "a" : "b"); /* two long lines */
  while (task_handler("crm").behind > 0) task_worker_lease(&worker);
  assert_int_equal(worker.running, 2);
  task_receive_many(5); /* not come to: nobody's */
  fake_clock_advance(&suite.fake, LH_SESSION_DEAD_MS);
  assert_int_equal(tasks->forget(suite.store, "crm", NULL, suite.fake.wall_ms, &failed, NULL),
                   LH_OK);
  assert_int_equal(failed, 1500);
  struct lh_handler_list list;
  assert_int_equal(tasks->handler_list(suite.store, &list, NULL), LH_OK);
  assert_int_equal(list.count, 0);
  lh_handler_list_clear(&list);
  assert_int_equal(task_state(700, "crm"), LH_TASK_FAILED); /* its tasks keep its name */
  assert_int_equal(task_state(1501, "crm"), -1);
}

static void test_a_forgotten_handler_begins_anew(void **state) {
  (void)state;
  size_t failed;
  int64_t number;
  int created;
  load("crm", 0);
  task_receive_many(1);
  assert_int_equal(task_worker_lease(&worker), 1);
  const struct lh_task_lease lease = worker.turn.leases[0];
  fake_clock_advance(&suite.fake, LH_SESSION_DEAD_MS);
  assert_int_equal(tasks->forget(suite.store, "crm", NULL, suite.fake.wall_ms, &failed, NULL),
                   LH_OK);
  task_receive_many(1);
  const struct lh_handler_definition definition = {
      .name = "crm", .event_types = "*", .from_start = 1};
  assert_int_equal(
      tasks->handler_open(suite.store, &definition, suite.fake.wall_ms, &number, &created, NULL),
      LH_OK);
  assert_int_equal(created, 1);
  assert_int_equal(number, worker.wishes[0].handler);
  worker.running = 0;
  assert_int_equal(task_worker_lease(&worker), 1); /* e2; what it had before is not begun again */
  assert_true(task_is_of(&worker, 0, 2));
  assert_int_equal(task_state(1, "crm"), LH_TASK_FAILED);
  worker.running++;
  assert_int_equal(task_worker_end(&worker, &lease, LH_TASK_IN_SUCCESS).state, LH_TASK_DONE);
}

static void test_a_worker_that_was_away_has_its_handler_back(void **state) {
  (void)state;
  size_t failed;
  load("crm", 0);
  fake_clock_advance(&suite.fake, LH_SESSION_DEAD_MS);
  assert_int_equal(tasks->forget(suite.store, "crm", NULL, suite.fake.wall_ms, &failed, NULL),
                   LH_OK);
  task_receive_many(1);
  assert_int_equal(task_worker_lease(&worker), 0); /* its turn is as good as loading it */
  task_receive_many(1);
  assert_int_equal(task_worker_lease(&worker), 1);
  assert_int_equal(task_handler("crm").tasks[LH_TASK_RUNNING], 1);
}

/* The answer of the store to one more handler; its number, if it is taken. */
static int open_one(const char *name, int64_t *number) {
  const struct lh_handler_definition definition = {.name = name, .event_types = "*"};
  int created;
  return tasks->handler_open(suite.store, &definition, suite.fake.wall_ms, number, &created, NULL);
}

static void test_forgotten_handlers_make_room_for_others(void **state) {
  (void)state;
  int64_t number, gone;
  size_t failed;
  char name[16];
  load("old", 0);
  task_receive_many(1);
  end_due(LH_TASK_IN_REFUSAL);
  assert_int_equal(open_one("h1", &gone), LH_OK);
  for (int i = 2; i < LH_HANDLERS_MAX; i++) {
    snprintf(name, sizeof name, "h%d", i);
    assert_int_equal(open_one(name, &number), LH_OK);
  }
  assert_int_equal(open_one("new", &number), LH_E_LIMIT);
  fake_clock_advance(&suite.fake, LH_SESSION_DEAD_MS);
  assert_int_equal(tasks->forget(suite.store, "old", NULL, suite.fake.wall_ms, &failed, NULL),
                   LH_OK);
  assert_int_equal(open_one("new", &number), LH_E_LIMIT); /* its task is still shown */
  assert_int_equal(tasks->forget(suite.store, "h1", NULL, suite.fake.wall_ms, &failed, NULL),
                   LH_OK);
  assert_int_equal(open_one("new", &number), LH_OK);
  assert_int_equal(open_one("newer", &number), LH_E_LIMIT);
  assert_int_equal(task_state(1, "old"), LH_TASK_FAILED);
  struct lh_handler_wish wish = worker.wishes[0];
  wish.handler = gone; /* of a worker that was away meanwhile */
  struct lh_task_turn turn = {.session = suite.session,
                              .now_ms = suite.fake.wall_ms,
                              .wishes = &wish,
                              .wish_count = 1,
                              .slots = 1};
  assert_int_equal(tasks->turn(suite.store, &turn, NULL), LH_E_INVALID);
}

static struct lh_task_work work_of(const struct task_worker *of) {
  struct lh_task_work work;
  int64_t numbers[TASK_WORKER_HANDLERS];
  for (size_t i = 0; i < of->wish_count; i++) numbers[i] = of->wishes[i].handler;
  assert_int_equal(
      tasks->pending_work(suite.store, numbers, of->wish_count, suite.fake.wall_ms, &work, NULL),
      LH_OK);
  return work;
}

static void test_what_is_left_to_do_is_counted(void **state) {
  (void)state;
  load("crm", 1);
  task_receive("t", "a");
  task_receive("t", "a");
  task_receive("t", "b");
  struct lh_task_work work = work_of(&worker);
  assert_int_equal(work.due, 3); /* not come to */
  task_worker_lease(&worker);
  work = work_of(&worker);
  assert_int_equal(work.due, 0);
  assert_int_equal(work.running, 2);
  assert_int_equal(work.later, 1);
  const struct lh_task_lease second = worker.turn.leases[1];
  task_worker_end(&worker, &second, LH_TASK_IN_FAILURE);
  work = work_of(&worker);
  assert_int_equal(work.running, 1);
  assert_int_equal(work.later, 2);
  fake_clock_advance(&suite.fake, LH_TASK_FIRST_MS);
  assert_int_equal(work_of(&worker).due, 1);
  worker.wishes[0].handler += 1000;
  struct lh_task_work none;
  assert_int_equal(tasks->pending_work(suite.store, &worker.wishes[0].handler, 1, 1, &none, NULL),
                   LH_E_NOT_FOUND);
}

static void test_fewer_tries_end_what_has_had_more(void **state) {
  (void)state;
  load("crm", 0);
  task_receive_many(300);
  for (int i = 0; i < 2; i++) {
    end_due(LH_TASK_IN_FAILURE);
    fake_clock_advance(&suite.fake, LH_TASK_MAX_MS);
  }
  worker.wishes[0].policy.tries = 1;
  worker.slots = 100;
  int turns = 0;
  do {
    assert_int_equal(task_worker_lease(&worker), 0);
    turns++;
  } while (worker.turn.more && turns < 10);
  assert_int_equal(task_handler("crm").tasks[LH_TASK_FAILED], 300);
}

int store_suite_run_task_care(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(test_chosen_events_are_retried_with_fresh_tries),
      T(test_what_retention_took_is_unknown),
      T(test_many_are_retried_in_steps),
      T(test_a_retry_of_many_means_what_was_asked),
      T(test_a_handler_in_use_is_not_forgotten),
      T(test_what_a_forgotten_handler_has_left_fails),
      T(test_a_forgotten_handler_begins_anew),
      T(test_a_worker_that_was_away_has_its_handler_back),
      T(test_forgotten_handlers_make_room_for_others),
      T(test_what_is_left_to_do_is_counted),
      T(test_fewer_tries_end_what_has_had_more),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: care of tasks", tests, NULL, NULL);
}
