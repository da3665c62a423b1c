/*
** The contract suite's part on which task runs when: one member's in order, what
** was lost with its worker alone, late results, and what counts as a strike.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/tasks_suite.h"

static struct task_worker worker, second;

static int set_up(void **state) {
  suite_set_up(state);
  task_worker_init(&worker);
  return 0;
}

static int tear_down(void **state) {
  lh_task_turn_clear(&worker.turn);
  if (second.store != NULL) task_worker_close(&second, 0);
  return suite_tear_down(state);
}

static void load(struct task_worker *of, const char *name) {
  task_worker_load(of, (struct lh_handler_definition){.name = name});
}

/* The second worker takes what it can and dies; the first one finds out. */
static size_t die_with(size_t count) {
  size_t rescued = 0;
  assert_int_equal(task_worker_lease(&second), count);
  task_worker_close(&second, 1);
  assert_int_equal(worker.store->requests->rescue(worker.store, worker.session, suite.fake.wall_ms,
                                                  &rescued, NULL),
                   LH_OK);
  return rescued;
}

static void open_second(const char *handler) {
  task_worker_open(&second);
  load(&second, handler);
}

/* ---- one member's tasks in order */

static void test_one_members_tasks_run_in_order(void **state) {
  (void)state;
  task_worker_load(&worker, (struct lh_handler_definition){.name = "crm", .serial = 1});
  task_receive("t", "a");  /* e1 */
  task_receive("t", "a");  /* e2 */
  task_receive("t", "b");  /* e3 */
  task_receive("t", "a");  /* e4 */
  task_receive("t", NULL); /* e5 and e6 are nobody's: they wait for none */
  task_receive("t", NULL);
  assert_int_equal(task_worker_lease(&worker), 4);
  assert_true(task_is_of(&worker, 0, 1));
  assert_true(task_is_of(&worker, 1, 3));
  assert_true(task_is_of(&worker, 2, 5));
  assert_true(task_is_of(&worker, 3, 6));
  const struct lh_task_lease first = worker.turn.leases[0];
  assert_int_equal(task_worker_lease(&worker), 0);
  struct lh_task after = task_worker_end(&worker, &first, LH_TASK_IN_FAILURE);
  assert_int_equal(worker.turn.lease_count, 0); /* e2 waits for the retry of e1 */
  fake_clock_advance(&suite.fake, after.due_ms - suite.fake.wall_ms);
  assert_int_equal(task_worker_lease(&worker), 1);
  assert_true(task_is_of(&worker, 0, 1));
  task_worker_end(&worker, &worker.turn.leases[0], LH_TASK_IN_REFUSAL);
  assert_int_equal(worker.turn.lease_count, 1); /* in the same turn */
  assert_true(task_is_of(&worker, 0, 2));
  task_receive("t", "a"); /* e7 */
  task_worker_end(&worker, &worker.turn.leases[0], LH_TASK_IN_SUCCESS);
  assert_true(task_is_of(&worker, 0, 4));
  task_worker_end(&worker, &worker.turn.leases[0], LH_TASK_IN_SUCCESS);
  assert_true(task_is_of(&worker, 0, 7));
  task_worker_end(&worker, &worker.turn.leases[0], LH_TASK_IN_SUCCESS);
  assert_int_equal(worker.turn.lease_count, 0);
  task_receive("t", "a"); /* and with nothing before it, at once */
  assert_int_equal(task_worker_lease(&worker), 1);
}

static enum lh_task_retry_outcome retry(int event) {
  char id[16];
  snprintf(id, sizeof id, "e%d", event);
  struct lh_task_retry asked = {.event_id = id};
  assert_int_equal(
      worker.store->tasks->retry(worker.store, &asked, 1, NULL, suite.fake.wall_ms, NULL), LH_OK);
  return asked.outcome;
}

static void test_a_retried_one_waits_for_its_members_turn(void **state) {
  (void)state;
  task_worker_load(&worker, (struct lh_handler_definition){.name = "crm", .serial = 1});
  for (int i = 0; i < 3; i++) task_receive("t", "a");
  task_worker_lease(&worker);
  task_worker_end(&worker, &worker.turn.leases[0], LH_TASK_IN_REFUSAL); /* e1; e2 runs */
  const struct lh_task_lease running = worker.turn.leases[0];
  assert_int_equal(retry(1), LH_TASK_RETRY_RETRIED);
  assert_int_equal(task_worker_lease(&worker), 0);
  struct lh_task_result result = task_result_of(&running, LH_TASK_IN_SUCCESS);
  task_worker_turn(&worker, &result, 1);
  assert_true(task_is_of(&worker, 0, 1)); /* the oldest is next, not e3 */
  task_worker_end(&worker, &worker.turn.leases[0], LH_TASK_IN_SUCCESS);
  assert_true(task_is_of(&worker, 0, 3));
  task_worker_end(&worker, &worker.turn.leases[0], LH_TASK_IN_REFUSAL);
  assert_int_equal(retry(3), LH_TASK_RETRY_RETRIED); /* nobody before it */
  assert_int_equal(task_worker_lease(&worker), 1);
}

static void test_a_member_that_is_stuck_holds_up_no_other(void **state) {
  (void)state;
  struct lh_handler_wish *wish =
      task_worker_load(&worker, (struct lh_handler_definition){.name = "crm", .serial = 1});
  wish->concurrency = 2;
  for (int i = 0; i < 300; i++) task_receive("t", "stuck");
  int free_one = task_receive("t", "free");
  assert_int_equal(task_worker_lease(&worker), 2);
  assert_true(task_is_of(&worker, 1, free_one));
}

static void test_a_late_success_wakes_nobody_before_his_turn(void **state) {
  (void)state;
  task_worker_load(&worker, (struct lh_handler_definition){.name = "crm", .serial = 1});
  task_worker_open(&second);
  task_worker_load(&second, (struct lh_handler_definition){.name = "crm", .serial = 1});
  for (int i = 0; i < 3; i++) task_receive("t", "a");
  task_worker_lease(&worker);
  const struct lh_task_lease first = worker.turn.leases[0];
  task_worker_end(&worker, &first, LH_TASK_IN_REFUSAL); /* e2 runs now */
  struct lh_task_result late = task_result_of(&first, LH_TASK_IN_SUCCESS);
  assert_int_equal(task_worker_turn(&second, &late, 1), 0);
  second.running = 0;
  assert_int_equal(late.after.state, LH_TASK_DONE);
  assert_int_equal(task_state(3, "crm"), LH_TASK_PENDING);
}

/* ---- workers that die */

static void test_a_dead_workers_tasks_run_alone_in_one_worker(void **state) {
  (void)state;
  open_second("crm");
  load(&worker, "crm");
  load(&worker, "log");
  task_receive_many(3); /* both handlers want them; the second worker has only one */
  assert_int_equal(die_with(3), 3);
  task_receive_many(2);
  assert_int_equal(task_worker_lease(&worker), 1);
  for (int n = 3; n > 0; n--) {
    assert_int_equal(worker.turn.lease_count, 1);
    assert_int_equal(worker.turn.leases[0].alone, 1);
    assert_int_equal(worker.turn.leases[0].attempt, 2);
    const struct lh_task_lease lease = worker.turn.leases[0];
    assert_int_equal(task_worker_lease(&worker), 0); /* nothing beside it */
    assert_int_equal(worker.turn.next_due_ms, INT64_MAX);
    struct lh_task_result result = task_result_of(&lease, LH_TASK_IN_SUCCESS);
    task_worker_turn(&worker, &result, 1);
  }
  assert_int_equal(worker.turn.lease_count, 2 + 5); /* and then everything else */
  for (size_t i = 0; i < worker.turn.lease_count; i++)
    assert_int_equal(worker.turn.leases[i].alone, 0);
}

static void test_a_busy_worker_ends_what_it_runs_first(void **state) {
  (void)state;
  open_second("crm");
  task_receive_many(1);
  load(&worker, "log"); /* it wants only what comes from here on */
  task_receive_many(2);
  worker.slots = 1;
  assert_int_equal(task_worker_lease(&worker), 1);
  worker.slots = 1000;
  const struct lh_task_lease running = worker.turn.leases[0];
  load(&worker, "crm");
  die_with(3);
  assert_int_equal(task_worker_lease(&worker), 0); /* e3 of log must wait as well */
  struct lh_task_result result = task_result_of(&running, LH_TASK_IN_SUCCESS);
  assert_int_equal(task_worker_turn(&worker, &result, 1), 1);
  assert_int_equal(worker.turn.leases[0].alone, 1);
}

static void test_other_workers_go_on_meanwhile(void **state) {
  (void)state;
  struct task_worker third;
  open_second("crm");
  load(&worker, "crm");
  task_receive_many(4);
  die_with(4);
  task_worker_open(&third);
  load(&third, "crm");
  task_receive_many(3);
  assert_int_equal(task_worker_lease(&worker), 1);
  assert_int_equal(worker.turn.leases[0].alone, 1);
  assert_int_equal(task_worker_lease(&third), 3);
  for (size_t i = 0; i < 3; i++) assert_int_equal(third.turn.leases[i].alone, 0);
  /* The one who has them may leave: then they are anybody's. */
  worker.slots = 0;
  task_worker_end_all(&worker, LH_TASK_IN_GIVEN_BACK);
  task_worker_end_all(&third, LH_TASK_IN_SUCCESS);
  assert_int_equal(third.turn.lease_count, 1);
  assert_int_equal(third.turn.leases[0].alone, 1);
  task_worker_close(&third, 0);
}

static void test_an_idle_worker_takes_over_from_a_busy_one(void **state) {
  (void)state;
  struct task_worker third;
  load(&worker, "crm");
  task_receive_many(1);
  assert_int_equal(task_worker_lease(&worker), 1); /* it takes long */
  open_second("crm");
  task_receive_many(2);
  die_with(2);
  assert_int_equal(task_worker_lease(&worker), 0); /* it is the one, and waits for its own */
  task_worker_open(&third);
  load(&third, "crm");
  assert_int_equal(task_worker_lease(&third), 1);
  assert_int_equal(third.turn.leases[0].alone, 1);
  task_receive_many(1);
  assert_int_equal(task_worker_lease(&worker), 1); /* not its business any more */
  assert_int_equal(worker.turn.leases[0].alone, 0);
  task_worker_close(&third, 0);
}

/* Two workers are never idle, and between them always run all that the handler may. */
static void test_what_is_to_run_alone_gets_its_turn_among_busy_workers(void **state) {
  (void)state;
  struct task_worker *pair[] = {&worker, &second};
  load(&worker, "crm");
  worker.wishes[0].concurrency = 1;
  task_receive_many(1);
  open_second("crm");
  die_with(1);
  task_receive_many(60);
  worker.running = 1; /* of another handler */
  open_second("crm");
  second.wishes[0].concurrency = 1;
  second.running = 1;
  int alone = 0;
  for (int i = 0; i < 20 && !alone; i++) {
    struct task_worker *at = pair[i % 2];
    task_worker_end_all(at, LH_TASK_IN_SUCCESS);
    alone = at->turn.lease_count > 0 && at->turn.leases[0].alone;
    if (i >= 6) worker.running = worker.turn.lease_count; /* what else it ran has ended */
  }
  assert_true(alone);
}

static void test_the_third_death_alone_is_poison(void **state) {
  (void)state;
  load(&worker, "crm");
  task_receive_many(2);
  for (int death = 0; death < 4; death++) {
    open_second("crm");
    assert_int_equal(die_with(death == 0 ? 2 : 1), death == 0 ? 2 : 1);
    assert_int_equal(task_state(1, "crm"), death < 3 ? LH_TASK_RETRYING : LH_TASK_FAILED);
  }
  struct lh_inbox_list list;
  assert_int_equal(worker.store->inbox->get(worker.store, "e1", NULL, &list, NULL), LH_OK);
  assert_int_equal(list.rows[0].tasks[0].reason, LH_TASK_POISON);
  assert_int_equal(list.rows[0].tasks[0].attempts_made, 4);
  lh_inbox_list_clear(&list);
  assert_int_equal(task_state(2, "crm"), LH_TASK_RETRYING); /* it never ran alone */
  assert_int_equal(task_worker_lease(&worker), 1);
  assert_true(task_is_of(&worker, 0, 2));
  assert_int_equal(retry(1), LH_TASK_RETRY_RETRIED);
  task_worker_end(&worker, &worker.turn.leases[0], LH_TASK_IN_SUCCESS);
  assert_true(task_is_of(&worker, 0, 1)); /* a person said so: it runs, and still alone */
  assert_int_equal(worker.turn.leases[0].alone, 1);
}

static void test_unknown_means_fail_where_the_handler_says_so(void **state) {
  (void)state;
  const struct lh_handler_definition wallet = {.name = "wallet", .fails_when_unknown = 1};
  task_worker_open(&second);
  task_worker_load(&second, wallet);
  task_receive_many(2);
  second.slots = 1;
  die_with(1);
  task_worker_load(&worker, wallet);
  assert_int_equal(task_state(1, "wallet"), LH_TASK_FAILED);
  assert_int_equal(task_worker_lease(&worker), 1); /* e2 has nobody to fear */
  struct lh_task after = task_worker_end(&worker, &worker.turn.leases[0], LH_TASK_IN_UNKNOWN);
  assert_int_equal(after.state, LH_TASK_FAILED);
  assert_int_equal(after.reason, LH_TASK_UNKNOWN);
}

static void test_closing_a_session_loses_what_it_runs(void **state) {
  (void)state;
  open_second("crm");
  task_receive_many(1);
  assert_int_equal(task_worker_lease(&second), 1);
  task_worker_close(&second, 0);
  assert_int_equal(task_state(1, "crm"), LH_TASK_RETRYING);
}

/* ---- results that come late */

static void test_only_a_success_counts_late(void **state) {
  (void)state;
  load(&worker, "crm");
  open_second("crm");
  task_receive_many(2);
  second.slots = 2;
  assert_int_equal(task_worker_lease(&second), 2);
  struct lh_task_result results[2] = {task_result_of(&second.turn.leases[0], LH_TASK_IN_SUCCESS),
                                      task_result_of(&second.turn.leases[1], LH_TASK_IN_REFUSAL)};
  size_t rescued;
  for (int i = 0; i < 5; i++) {
    fake_clock_advance(&suite.fake, LH_HEARTBEAT_MS); /* the second one is silent */
    worker.store->requests->rescue(worker.store, worker.session, suite.fake.wall_ms, &rescued,
                                   NULL);
  }
  assert_int_equal(rescued, 2);
  task_worker_turn(&second, results, 2);
  assert_int_equal(second.turn.session_dead, 1);
  assert_int_equal(second.turn.lease_count, 0);
  assert_int_equal(results[0].after.state, LH_TASK_DONE);
  assert_int_equal(results[1].after.state, LH_TASK_RETRYING);
  assert_int_equal(task_worker_lease(&worker), 1);
  assert_true(task_is_of(&worker, 0, 2));
}

static void test_a_repeated_result_is_nobodys(void **state) {
  (void)state;
  load(&worker, "crm");
  open_second("crm");
  task_receive_many(1);
  assert_int_equal(task_worker_lease(&worker), 1);
  struct lh_task_result back = task_result_of(&worker.turn.leases[0], LH_TASK_IN_GIVEN_BACK);
  worker.slots = 0;
  task_worker_turn(&worker, &back, 1);
  assert_int_equal(task_worker_lease(&second), 1);
  assert_int_equal(second.turn.leases[0].attempt, 1); /* the same number, but another's */
  worker.running = 1;
  task_worker_turn(&worker, &back, 1);
  assert_int_equal(back.after.state, LH_TASK_RUNNING);
  const struct lh_task_result unheard = {.task = 4711, .attempt = 1, .error = ""};
  struct lh_task_result gone = unheard;
  gone.kind = LH_TASK_IN_SUCCESS;
  worker.running = 1;
  task_worker_turn(&worker, &gone, 1);
  assert_int_equal(gone.gone, 1);
}

int store_suite_run_task_rules(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(test_one_members_tasks_run_in_order),
      T(test_a_retried_one_waits_for_its_members_turn),
      T(test_a_member_that_is_stuck_holds_up_no_other),
      T(test_a_late_success_wakes_nobody_before_his_turn),
      T(test_a_dead_workers_tasks_run_alone_in_one_worker),
      T(test_a_busy_worker_ends_what_it_runs_first),
      T(test_other_workers_go_on_meanwhile),
      T(test_an_idle_worker_takes_over_from_a_busy_one),
      T(test_what_is_to_run_alone_gets_its_turn_among_busy_workers),
      T(test_the_third_death_alone_is_poison),
      T(test_unknown_means_fail_where_the_handler_says_so),
      T(test_closing_a_session_loses_what_it_runs),
      T(test_only_a_success_counts_late),
      T(test_a_repeated_result_is_nobodys),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: which task runs when", tests, NULL, NULL);
}
