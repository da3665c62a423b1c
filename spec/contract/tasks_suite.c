/* See tasks_suite.h. */
#include "spec/contract/tasks_suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int received; /* events of this test; "e1" is the first */

void task_worker_init(struct task_worker *worker) {
  received = 0;
  memset(worker, 0, sizeof *worker);
  worker->store = suite.store;
  worker->session = suite.session;
  worker->slots = 1000;
}

void task_worker_open(struct task_worker *worker) {
  memset(worker, 0, sizeof *worker);
  worker->store = maker->open(&suite.fake.door);
  worker->slots = 1000;
  assert_int_equal(worker->store->requests->session_open(worker->store, suite.fake.wall_ms,
                                                         &worker->session, NULL),
                   LH_OK);
}

void task_worker_close(struct task_worker *worker, int dies) {
  lh_task_turn_clear(&worker->turn);
  if (!dies)
    worker->store->requests->session_close(worker->store, worker->session, suite.fake.wall_ms);
  if (worker->store != suite.store) lh_store_close(worker->store);
  worker->store = NULL;
}

struct lh_handler_wish *task_worker_load(struct task_worker *worker,
                                         struct lh_handler_definition definition) {
  struct lh_error err;
  int created;
  struct lh_handler_wish *wish = &worker->wishes[worker->wish_count++];
  if (definition.event_types == NULL) definition.event_types = "*";
  *wish = (struct lh_handler_wish){
      .concurrency = 16,
      .slots = 1000,
      .policy = {LH_TASK_TRIES_DEFAULT, LH_TASK_FACTOR, LH_TASK_FIRST_MS, LH_TASK_MAX_MS,
                 definition.fails_when_unknown},
  };
  int rc = worker->store->tasks->handler_open(worker->store, &definition, suite.fake.wall_ms,
                                              &wish->handler, &created, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  return wish;
}

size_t task_worker_turn(struct task_worker *worker, struct lh_task_result *results, size_t count) {
  struct lh_error err;
  lh_task_turn_clear(&worker->turn);
  worker->running -= count;
  worker->turn = (struct lh_task_turn){
      .session = worker->session,
      .now_ms = suite.fake.wall_ms,
      .wishes = worker->wishes,
      .wish_count = worker->wish_count,
      .results = results,
      .result_count = count,
      .slots = worker->slots,
      .running = worker->running,
  };
  int rc = worker->store->tasks->turn(worker->store, &worker->turn, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  worker->running += worker->turn.lease_count;
  return worker->turn.lease_count;
}

size_t task_worker_lease(struct task_worker *worker) {
  return task_worker_turn(worker, NULL, 0);
}

struct lh_task_result task_result_of(const struct lh_task_lease *lease,
                                     enum lh_task_input_kind kind) {
  return (struct lh_task_result){
      .task = lease->task,
      .attempt = lease->attempt,
      .kind = kind,
      .jitter_ppm = 500000, /* none */
      .error = kind == LH_TASK_IN_SUCCESS ? "" : "it did not work",
  };
}

struct lh_task task_worker_end(struct task_worker *worker, const struct lh_task_lease *lease,
                               enum lh_task_input_kind kind) {
  struct lh_task_result result = task_result_of(lease, kind);
  task_worker_turn(worker, &result, 1);
  assert_false(result.gone);
  return result.after;
}

void task_worker_end_all(struct task_worker *worker, enum lh_task_input_kind kind) {
  struct lh_task_result results[1000];
  size_t count = worker->turn.lease_count;
  assert_true(count <= sizeof results / sizeof *results);
  for (size_t i = 0; i < count; i++) results[i] = task_result_of(&worker->turn.leases[i], kind);
  task_worker_turn(worker, results, count);
}

int task_receive(const char *type, const char *member) {
  char id[16];
  struct lh_error err;
  snprintf(id, sizeof id, "e%d", ++received);
  const struct lh_received event = {
      .event_id = id,
      .event_id_len = strlen(id),
      .event_type = type,
      .event_type_len = strlen(type),
      .member = member,
      .member_len = member != NULL ? strlen(member) : 0,
      .data = "{\"points\":5}",
      .data_len = 12,
  };
  struct lh_receipt receipt = {.source = "shop", .events = &event, .count = 1};
  int rc = suite.store->inbox->accept(suite.store, &receipt, 1, suite.fake.wall_ms, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  assert_int_equal(receipt.added, 1);
  return received;
}

void task_receive_many(int count) {
  while (count-- > 0) task_receive("event_points_earned", NULL);
}

int task_state(int event, const char *handler) {
  struct lh_inbox_list list;
  char id[16];
  int state = -1;
  snprintf(id, sizeof id, "e%d", event);
  assert_int_equal(suite.store->inbox->get(suite.store, id, NULL, &list, NULL), LH_OK);
  for (size_t i = 0; i < list.rows[0].task_count; i++)
    if (strcmp(list.rows[0].tasks[i].handler, handler) == 0) state = list.rows[0].tasks[i].state;
  lh_inbox_list_clear(&list);
  return state;
}

int task_is_of(const struct task_worker *worker, size_t lease, int event) {
  char id[16];
  snprintf(id, sizeof id, "e%d", event);
  return lease < worker->turn.lease_count && strcmp(worker->turn.leases[lease].event_id, id) == 0;
}

struct lh_handler_row task_handler(const char *name) {
  struct lh_handler_list list;
  struct lh_handler_row found = {.handler = 0};
  assert_int_equal(suite.store->tasks->handler_list(suite.store, &list, NULL), LH_OK);
  for (size_t i = 0; i < list.count; i++)
    if (strcmp(list.rows[i].name, name) == 0) found = list.rows[i];
  lh_handler_list_clear(&list);
  found.event_types = NULL; /* it went with the list */
  return found;
}
