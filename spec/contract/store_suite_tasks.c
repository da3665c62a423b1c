/*
** The contract suite's part on handlers: where they begin, how tasks are formed,
** leased and ended, and what holds over all workers.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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
  return suite_tear_down(state);
}

static void test_an_event_becomes_a_task_and_is_done(void **state) {
  (void)state;
  task_worker_load(&worker, (struct lh_handler_definition){.name = "log"});
  task_receive("event_points_earned", "m-1");
  assert_int_equal(task_worker_lease(&worker), 1);
  const struct lh_task_lease lease = worker.turn.leases[0];
  assert_int_equal(lease.attempt, 1);
  assert_int_equal(lease.handler, worker.wishes[0].handler);
  assert_int_equal(lease.first_ms, suite.fake.wall_ms);
  assert_int_equal(lease.received_ms, suite.fake.wall_ms);
  assert_int_equal(lease.alone, 0);
  assert_string_equal(lease.source, "shop");
  assert_string_equal(lease.event_id, "e1");
  assert_string_equal(lease.event_type, "event_points_earned");
  assert_string_equal(lease.member, "m-1");
  assert_int_equal(lease.member_len, 3);
  assert_string_equal(lease.data, "{\"points\":5}");
  assert_int_equal(lease.data_len, 12);
  assert_int_equal(task_state(1, "log"), LH_TASK_RUNNING);
  struct lh_task after = task_worker_end(&worker, &lease, LH_TASK_IN_SUCCESS);
  assert_int_equal(after.state, LH_TASK_DONE);
  assert_int_equal(worker.turn.lease_count, 0);
  assert_int_equal(worker.turn.next_due_ms, INT64_MAX);
  assert_int_equal(task_state(1, "log"), LH_TASK_DONE);
  struct lh_handler_row row = task_handler("log");
  assert_int_equal(row.tasks[LH_TASK_DONE], 1);
  assert_int_equal(row.behind, 0);
}

static void test_a_handler_begins_at_the_head_or_at_the_start(void **state) {
  (void)state;
  task_receive_many(2);
  task_worker_load(&worker, (struct lh_handler_definition){.name = "new"});
  task_worker_load(&worker, (struct lh_handler_definition){.name = "all", .from_start = 1});
  task_receive_many(1);
  assert_int_equal(task_worker_lease(&worker), 4);
  assert_int_equal(task_state(1, "new"), -1);
  assert_int_equal(task_state(3, "new"), LH_TASK_RUNNING);
  assert_int_equal(task_state(1, "all"), LH_TASK_RUNNING);
}

static void test_a_handler_goes_on_where_it_was(void **state) {
  (void)state;
  int64_t number, again;
  int created;
  struct lh_handler_definition definition = {.name = "log", .event_types = "*"};
  const struct lh_store_tasks *tasks = suite.store->tasks;
  assert_int_equal(tasks->handler_open(suite.store, &definition, 1, &number, &created, NULL), 0);
  assert_int_equal(created, 1);
  task_receive_many(1); /* while no worker has it */
  definition.event_types = "a\nb";
  definition.from_start = 1;
  assert_int_equal(tasks->handler_open(suite.store, &definition, 2, &again, &created, NULL), 0);
  assert_int_equal(created, 0);
  assert_int_equal(again, number);
  definition.event_types = "*";
  task_worker_load(&worker, definition);
  assert_int_equal(task_worker_lease(&worker), 1);
  definition.name = "Log";
  assert_int_equal(tasks->handler_open(suite.store, &definition, 2, &again, &created, NULL),
                   LH_E_INVALID);
}

static void test_only_types_that_the_handler_wants(void **state) {
  (void)state;
  task_worker_load(&worker,
                   (struct lh_handler_definition){
                       .name = "some", .event_types = "event_points_earned\nevent_member_enrol"});
  task_receive("event_points_earned", NULL);
  task_receive("event_points", NULL);
  task_receive("points_earned", NULL);
  task_receive("event_member_enrol", NULL);
  task_receive("event_points_earned\nevent_member_enrol", NULL);
  assert_int_equal(task_worker_lease(&worker), 2);
  assert_true(task_is_of(&worker, 0, 1));
  assert_true(task_is_of(&worker, 1, 4));
  assert_int_equal(task_handler("some").behind, 0);
}

static void test_failures_wait_longer_each_time_and_end(void **state) {
  (void)state;
  struct lh_handler_wish *wish =
      task_worker_load(&worker, (struct lh_handler_definition){.name = "crm"});
  wish->policy.tries = 3;
  task_receive_many(1);
  int64_t first_ms = suite.fake.wall_ms, wait_ms = LH_TASK_FIRST_MS;
  for (int32_t attempt = 1; attempt <= 3; attempt++, wait_ms *= LH_TASK_FACTOR) {
    assert_int_equal(task_worker_lease(&worker), 1);
    const struct lh_task_lease lease = worker.turn.leases[0];
    assert_int_equal(lease.attempt, attempt);
    assert_int_equal(lease.first_ms, first_ms);
    struct lh_task after = task_worker_end(&worker, &lease, LH_TASK_IN_FAILURE);
    if (attempt == 3) break;
    assert_int_equal(after.state, LH_TASK_RETRYING);
    assert_int_equal(after.due_ms, suite.fake.wall_ms + wait_ms);
    assert_int_equal(worker.turn.next_due_ms, after.due_ms);
    fake_clock_advance(&suite.fake, wait_ms - 1);
    assert_int_equal(task_worker_lease(&worker), 0);
    fake_clock_advance(&suite.fake, 1);
  }
  assert_int_equal(task_state(1, "crm"), LH_TASK_FAILED);
  fake_clock_advance(&suite.fake, LH_TASK_MAX_MS);
  assert_int_equal(task_worker_lease(&worker), 0);
}

static void test_a_backlog_stays_in_the_log(void **state) {
  (void)state;
  struct lh_handler_wish *wish =
      task_worker_load(&worker, (struct lh_handler_definition){.name = "slow"});
  wish->concurrency = 2;
  task_receive_many(300);
  assert_int_equal(task_worker_lease(&worker), 2);
  struct lh_handler_row row = task_handler("slow");
  assert_int_equal(row.tasks[LH_TASK_PENDING], 2 * 2 + LH_TASKS_READY_EXTRA - 2);
  assert_int_equal(row.behind, 300 - 2 * 2 - LH_TASKS_READY_EXTRA);
  for (int n = 0; n < 150; n++) {
    assert_int_equal(worker.turn.lease_count, 2);
    assert_true(task_is_of(&worker, 0, 2 * n + 1)); /* in order */
    task_worker_end_all(&worker, LH_TASK_IN_SUCCESS);
  }
  assert_int_equal(worker.turn.lease_count, 0);
  assert_int_equal(task_handler("slow").tasks[LH_TASK_DONE], 300);
}

static void test_concurrency_holds_over_all_workers(void **state) {
  (void)state;
  task_worker_load(&worker, (struct lh_handler_definition){.name = "crm"})->concurrency = 3;
  task_worker_open(&second);
  task_worker_load(&second, (struct lh_handler_definition){.name = "crm"})->concurrency = 3;
  task_receive_many(10);
  worker.slots = 2;
  assert_int_equal(task_worker_lease(&worker), 2);
  assert_int_equal(task_worker_lease(&second), 1);
  assert_int_equal(task_worker_lease(&worker), 0);
  assert_int_equal(worker.turn.next_due_ms, INT64_MAX); /* a result brings it on */
  task_worker_end_all(&second, LH_TASK_IN_SUCCESS);
  assert_int_equal(second.turn.lease_count, 1);
  task_worker_close(&second, 0);
}

static void test_a_worker_takes_no_more_than_its_slots(void **state) {
  (void)state;
  struct lh_handler_wish *one =
      task_worker_load(&worker, (struct lh_handler_definition){.name = "one"});
  task_worker_load(&worker, (struct lh_handler_definition){.name = "two"});
  task_receive_many(20);
  one->slots = 3;
  worker.slots = 12;
  assert_int_equal(task_worker_lease(&worker), 12); /* what one leaves, two gets */
  size_t of_one = 0;
  for (size_t i = 0; i < 12; i++) of_one += worker.turn.leases[i].handler == one->handler;
  assert_int_equal(of_one, 3);
  worker.slots = 0; /* draining */
  task_receive_many(1);
  task_worker_end_all(&worker, LH_TASK_IN_GIVEN_BACK);
  assert_int_equal(worker.turn.lease_count, 0);
  assert_int_equal(task_handler("two").tasks[LH_TASK_PENDING], 20);
}

static void test_a_backlog_of_one_handler_starves_no_other(void **state) {
  (void)state;
  task_worker_load(&worker, (struct lh_handler_definition){.name = "busy"});
  task_worker_load(
      &worker, (struct lh_handler_definition){.name = "rare", .event_types = "event_member_enrol"});
  task_receive_many(200);
  task_receive("event_member_enrol", NULL);
  worker.slots = 1;
  int turns = 0, seen = 0;
  task_worker_lease(&worker);
  for (; !seen && turns < 10; turns++) {
    seen = worker.turn.leases[0].handler == worker.wishes[1].handler;
    task_worker_end_all(&worker, LH_TASK_IN_SUCCESS);
  }
  assert_true(seen);
  assert_true(turns <= 3);
}

static void test_the_rate_holds_over_all_workers(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct task_worker *of = i == 0 ? &worker : &second;
    if (i == 1) task_worker_open(&second);
    struct lh_handler_wish *wish =
        task_worker_load(of, (struct lh_handler_definition){.name = "crm"});
    wish->interval_us = 100000; /* ten a second, five at once */
    wish->burst = 5;
  }
  task_receive_many(50);
  assert_int_equal(task_worker_lease(&worker), 5);
  assert_int_equal(task_worker_lease(&second), 0);
  assert_int_equal(second.turn.next_due_ms, suite.fake.wall_ms + 100);
  fake_clock_advance(&suite.fake, 99);
  assert_int_equal(task_worker_lease(&second), 0);
  fake_clock_advance(&suite.fake, 1);
  assert_int_equal(task_worker_lease(&second), 1);
  fake_clock_advance(&suite.fake, 350);
  assert_int_equal(task_worker_lease(&second), 3);
  fake_clock_advance(&suite.fake, 3600000); /* rest is not saved up beyond the burst */
  assert_int_equal(task_worker_lease(&second), 5);
  suite.fake.wall_ms -= 7200000; /* a clock set back costs no more than a burst */
  assert_int_equal(task_worker_lease(&second), 0);
  fake_clock_advance(&suite.fake, 200);
  assert_int_equal(task_worker_lease(&second), 2); /* 16 run: the concurrency is used up */
  task_worker_close(&second, 0);
}

static void test_a_rest_is_the_whole_handlers(void **state) {
  (void)state;
  task_worker_load(&worker, (struct lh_handler_definition){.name = "crm"});
  task_worker_load(&worker, (struct lh_handler_definition){.name = "log"});
  worker.slots = 2;
  task_receive_many(3);
  assert_int_equal(task_worker_lease(&worker), 2);
  struct lh_task_result results[2] = {task_result_of(&worker.turn.leases[0], LH_TASK_IN_FAILURE),
                                      task_result_of(&worker.turn.leases[1], LH_TASK_IN_SUCCESS)};
  results[0].retry_after_ms = results[0].rest_ms = 60000;
  int64_t rests = worker.turn.leases[0].handler;
  task_worker_turn(&worker, results, 2);
  assert_int_equal(results[0].after.due_ms, suite.fake.wall_ms + 60000);
  for (size_t i = 0; i < worker.turn.lease_count; i++)
    assert_int_not_equal(worker.turn.leases[i].handler, rests);
  task_worker_end_all(&worker, LH_TASK_IN_SUCCESS);
  while (worker.turn.lease_count > 0) task_worker_end_all(&worker, LH_TASK_IN_SUCCESS);
  assert_int_equal(worker.turn.next_due_ms, suite.fake.wall_ms + 60000);
  fake_clock_advance(&suite.fake, 60000);
  assert_int_equal(task_worker_lease(&worker), 2);
}

static void test_a_rest_is_no_longer_than_the_longest_wait(void **state) {
  (void)state;
  task_worker_load(&worker, (struct lh_handler_definition){.name = "crm"});
  task_receive_many(1);
  task_worker_lease(&worker);
  struct lh_task_result result = task_result_of(&worker.turn.leases[0], LH_TASK_IN_FAILURE);
  result.retry_after_ms = result.rest_ms = INT64_MAX;
  task_worker_turn(&worker, &result, 1);
  assert_int_equal(task_handler("crm").rest_until_ms, suite.fake.wall_ms + LH_TASK_MAX_MS);
}

static void test_wishes_that_cannot_be_are_refused(void **state) {
  (void)state;
  static const struct lh_handler_wish wrong[] = {
      {.concurrency = 0, .policy = {10, 3, 10000, 21600000, 0}},
      {.concurrency = LH_TASK_CONCURRENCY_MAX + 1, .policy = {10, 3, 10000, 21600000, 0}},
      {.concurrency = 1, .interval_us = -1, .burst = 1, .policy = {10, 3, 10000, 21600000, 0}},
      {.concurrency = 1, .interval_us = 1, .burst = 0, .policy = {10, 3, 10000, 21600000, 0}},
      {.concurrency = 1, .interval_us = 1, .burst = INT64_MAX, .policy = {10, 3, 1, 2, 0}},
      {.concurrency = 1, .policy = {0, 3, 10000, 21600000, 0}},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct lh_task_turn turn = {.session = suite.session,
                                .now_ms = suite.fake.wall_ms,
                                .wishes = &wrong[i],
                                .wish_count = 1,
                                .slots = 1};
    assert_int_equal(suite.store->tasks->turn(suite.store, &turn, NULL), LH_E_INVALID);
  }
}

static void test_a_clock_set_back_holds_up_nothing_for_long(void **state) {
  (void)state;
  struct lh_handler_wish *wish =
      task_worker_load(&worker, (struct lh_handler_definition){.name = "crm"});
  wish->concurrency = 1;
  task_receive_many(3);
  assert_int_equal(task_worker_lease(&worker), 1);
  task_worker_end(&worker, &worker.turn.leases[0], LH_TASK_IN_FAILURE);
  suite.fake.wall_ms -= INT64_C(7200000); /* what was formed before is due all the same */
  task_worker_end(&worker, &worker.turn.leases[0], LH_TASK_IN_SUCCESS);
  assert_int_equal(worker.turn.lease_count, 1);
  assert_true(task_is_of(&worker, 0, 3));
  suite.fake.wall_ms -= INT64_C(100) * 86400000; /* and no retry waits longer than any may */
  task_worker_end(&worker, &worker.turn.leases[0], LH_TASK_IN_SUCCESS);
  assert_int_equal(worker.turn.next_due_ms, suite.fake.wall_ms + LH_TASK_FIRST_MS);
}

/* More than one turn sets right. */
static void test_a_clock_set_back_holds_up_none_of_many(void **state) {
  (void)state;
  struct lh_handler_wish *wish =
      task_worker_load(&worker, (struct lh_handler_definition){.name = "crm"});
  wish->concurrency = LH_TASK_CONCURRENCY_MAX;
  worker.slots = 1;
  task_receive_many(2100);
  for (int i = 0; i < 3; i++) task_worker_lease(&worker);
  assert_int_equal(task_handler("crm").tasks[LH_TASK_PENDING], 2097);
  suite.fake.wall_ms -= 72000000;
  worker.slots = wish->slots = LH_TASK_CONCURRENCY_MAX;
  size_t leased = 3;
  for (int i = 0; i < 8; i++) {
    leased += task_worker_lease(&worker);
    task_worker_end_all(&worker, LH_TASK_IN_SUCCESS);
    leased += worker.turn.lease_count;
    task_worker_end_all(&worker, LH_TASK_IN_SUCCESS);
    leased += worker.turn.lease_count;
  }
  assert_int_equal(leased, 2100);
}

static void test_a_clock_set_back_ends_a_rest(void **state) {
  (void)state;
  task_worker_load(&worker, (struct lh_handler_definition){.name = "crm"});
  task_receive_many(2);
  assert_int_equal(task_worker_lease(&worker), 2);
  struct lh_task_result result = task_result_of(&worker.turn.leases[0], LH_TASK_IN_SUCCESS);
  result.rest_ms = 1000;
  task_worker_turn(&worker, &result, 1);
  suite.fake.wall_ms -= 7200000;
  task_receive_many(1);
  assert_int_equal(task_worker_lease(&worker), 1);
}

/* While none ran: nobody saw it happen. */
static void test_a_clock_set_back_between_two_workers_holds_up_nothing_new(void **state) {
  (void)state;
  struct task_worker other;
  size_t rescued;
  task_worker_load(&worker, (struct lh_handler_definition){.name = "crm"})->concurrency = 1;
  task_receive_many(3);
  task_worker_open(&other);
  task_worker_load(&other, (struct lh_handler_definition){.name = "crm"})->concurrency = 1;
  assert_int_equal(task_worker_lease(&other), 1); /* and two are formed */
  task_worker_close(&other, 1);
  assert_int_equal(
      suite.store->requests->rescue(suite.store, suite.session, suite.fake.wall_ms, &rescued, NULL),
      LH_OK);
  assert_int_equal(rescued, 1); /* it is to run alone */
  suite.fake.wall_ms -= 72000000;
  assert_int_equal(task_worker_lease(&worker), 1);
  assert_int_equal(worker.turn.leases[0].alone, 1);
  task_worker_end(&worker, &worker.turn.leases[0], LH_TASK_IN_SUCCESS);
  assert_int_equal(worker.turn.lease_count, 1);
}

static void test_much_data_comes_in_several_turns(void **state) {
  (void)state;
  static char data[3 * 1024 * 1024];
  memset(data, ' ', sizeof data);
  data[0] = '{';
  data[sizeof data - 1] = '}';
  task_worker_load(&worker, (struct lh_handler_definition){.name = "log"});
  for (int i = 0; i < 4; i++) {
    char id[] = {'b', (char)('0' + i)};
    const struct lh_received event = {.event_id = id,
                                      .event_id_len = 2,
                                      .event_type = "t",
                                      .event_type_len = 1,
                                      .data = data,
                                      .data_len = sizeof data};
    struct lh_receipt receipt = {.source = "shop", .events = &event, .count = 1};
    assert_int_equal(suite.store->inbox->accept(suite.store, &receipt, 1, 1, NULL), LH_OK);
  }
  assert_int_equal(task_worker_lease(&worker), 3);
  assert_int_equal(worker.turn.more, 1);
  assert_memory_equal(worker.turn.leases[2].data, data, sizeof data);
  assert_int_equal(task_worker_lease(&worker), 1);
  assert_int_equal(worker.turn.more, 0);
}

int store_suite_run_tasks(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(test_an_event_becomes_a_task_and_is_done),
      T(test_a_handler_begins_at_the_head_or_at_the_start),
      T(test_a_handler_goes_on_where_it_was),
      T(test_only_types_that_the_handler_wants),
      T(test_failures_wait_longer_each_time_and_end),
      T(test_a_backlog_stays_in_the_log),
      T(test_concurrency_holds_over_all_workers),
      T(test_a_worker_takes_no_more_than_its_slots),
      T(test_a_backlog_of_one_handler_starves_no_other),
      T(test_the_rate_holds_over_all_workers),
      T(test_a_rest_is_the_whole_handlers),
      T(test_a_rest_is_no_longer_than_the_longest_wait),
      T(test_wishes_that_cannot_be_are_refused),
      T(test_a_clock_set_back_holds_up_nothing_for_long),
      T(test_a_clock_set_back_holds_up_none_of_many),
      T(test_a_clock_set_back_ends_a_rest),
      T(test_a_clock_set_back_between_two_workers_holds_up_nothing_new),
      T(test_much_data_comes_in_several_turns),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: tasks", tests, NULL, NULL);
}
