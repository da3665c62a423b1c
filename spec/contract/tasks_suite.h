/* What the contract tests of handlers and tasks share: a worker with a few handlers. */
#ifndef SPEC_CONTRACT_TASKS_SUITE_H
#define SPEC_CONTRACT_TASKS_SUITE_H

#include "spec/contract/store_suite.h"

#define TASK_WORKER_HANDLERS 8

/* A worker: a store handle with a session, its handlers, and what it got in its last turn. */
struct task_worker {
  struct lh_store *store;
  int64_t session;
  struct lh_handler_wish wishes[TASK_WORKER_HANDLERS];
  size_t wish_count;
  size_t slots; /* it has so many; task_worker_init: 1000 */
  size_t running;
  struct lh_task_turn turn; /* its leases live until the next turn */
};
/* The suite's own handle and session. */
void task_worker_init(struct task_worker *worker);
/* A handle and a session of its own, as another process would have. */
void task_worker_open(struct task_worker *worker);
/* Ends it; its session is closed, or dies (1) as with its process. */
void task_worker_close(struct task_worker *worker, int dies);
/* Loads a handler into it; asks for 16 at once, without a rate, with the default policy. */
struct lh_handler_wish *task_worker_load(struct task_worker *worker,
                                         struct lh_handler_definition definition);
/* A turn with these results; the number of leases. `running` is kept. */
size_t task_worker_turn(struct task_worker *worker, struct lh_task_result *results, size_t count);
/* The same without results. */
size_t task_worker_lease(struct task_worker *worker);
struct lh_task_result task_result_of(const struct lh_task_lease *lease,
                                     enum lh_task_input_kind kind);
/* A turn with one result of one lease, of the present turn: what became of the task. */
struct lh_task task_worker_end(struct task_worker *worker, const struct lh_task_lease *lease,
                               enum lh_task_input_kind kind);
/* All leases of the present turn end so, in one turn. */
void task_worker_end_all(struct task_worker *worker, enum lh_task_input_kind kind);

/* The inbox takes an event "eN" of `type` from source "shop"; member NULL: none. Returns N. */
int task_receive(const char *type, const char *member);
void task_receive_many(int count);
/* The state of the task of event N with a handler, -1: there is none. */
int task_state(int event, const char *handler);
/* Is the lease of event N? */
int task_is_of(const struct task_worker *worker, size_t lease, int event);
struct lh_handler_row task_handler(const char *name);

int store_suite_run_tasks(void); /* these are run by store_suite_run */
int store_suite_run_task_rules(void);
int store_suite_run_task_care(void);

#endif
