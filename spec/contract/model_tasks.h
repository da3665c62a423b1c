/*
** A second opinion about handlers and their tasks, as model.h is about webhooks:
** what must have become of every event with every handler, kept in plain arrays
** and by plain rules (store/tasks.h). core/task.h decides here too: it has a test
** of its own. Which worker gets what, and when, is the store's choice as far as
** the rules leave one.
*/
#ifndef SPEC_CONTRACT_MODEL_TASKS_H
#define SPEC_CONTRACT_MODEL_TASKS_H

#include "spec/contract/model_world.h"

#define TASK_EVENTS 160
#define TASK_HANDLERS 3
#define TASK_MEMBERS 3
#define TASK_STARTS 256

struct tasks_event {
  int member; /* -1: none */
  int type;   /* 0 or 1 */
};

struct tasks_task {
  int known;
  int64_t number;
  struct lh_task now;
  int64_t session; /* of the attempt that runs */
};

struct tasks_handler {
  struct lh_handler_definition definition;
  struct lh_handler_wish wish; /* number, concurrency, rate, policy; slots are each turn's */
  int begin;                   /* it wants what comes behind this event */
  int forgotten;
  int64_t loaded_ms;
  int64_t rest_until_ms;
  int64_t starts[TASK_STARTS]; /* times, the last ones */
  int start_count;
  struct tasks_task tasks[TASK_EVENTS + 1]; /* by position */
};

struct tasks_model {
  struct tasks_event events[TASK_EVENTS + 1]; /* by position, from 1 */
  int event_count;
  struct tasks_handler handlers[TASK_HANDLERS];
  int clock_moves_back; /* in this life: due times are the store's */
};
extern struct tasks_model tasks;

/* An attempt ended, or something else happened to a task; `session` reports it. */
void tasks_apply(struct tasks_task *task, const struct lh_task_input *input, int64_t session);
struct tasks_task *tasks_of(int handler, int position);
/* All that a session that is no more had running. */
void tasks_lose(int64_t session);
/* What a turn said and did: its leases are checked, and the model has them. */
void tasks_leased(const struct lh_task_turn *turn, size_t running_before);
/* Takes over what the last turn formed, before its leases. */
void tasks_formed(void);
/* Reads every row and compares. */
void tasks_sync(void);
/* Before the store's files are deleted. */
void tasks_look_away(void);
/* The store's own counts. */
void tasks_recount(void);
/* 1: that session is in the store still. */
int tasks_session_here(int64_t session);
int tasks_wanted(const struct tasks_handler *handler, int position);
int tasks_runs_alone(int64_t session);

#endif
