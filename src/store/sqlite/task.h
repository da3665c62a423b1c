/*
** What the files of the receiving side share: a handler's hot row (handlers.c),
** one task's row (task.c), forming tasks from the inbox (task_form.c), giving
** leases of one handler (task_lease.c). task_turn.c puts them in order; a
** retry by a person (task_retry.c) and sessions.c use the same parts.
*/
#ifndef LH_STORE_SQLITE_TASK_H
#define LH_STORE_SQLITE_TASK_H

#include "store/sqlite/sqlite.h"

/* ---- handlers.c: the hot row of a handler, loaded once and saved once per transaction ---- */

struct lh_handler_hot {
  struct lh_handler_hot *next;
  int64_t handler;
  int fails_when_unknown;
  int serial;
  int64_t cursor;
  int64_t next_start_us; /* rate: the theoretical arrival time of the next start */
  int64_t rest_until_ms;
  int64_t loaded_ms;
  int64_t forgotten_ms;  /* 0: not */
  int64_t alone_session; /* 0: nobody's */
  int64_t waiting;       /* of the pending ones: LH_TASK_WAITS */
  int64_t tasks[LH_TASK_FAILED + 1];
  int dirty;
};

/* What a transaction works with. Zero it but for the first two; end it in any case. */
struct lh_tasking {
  struct lh_tx *tx;
  int64_t now_ms;
  struct lh_handler_hot *handlers;
  size_t woken; /* tasks that others waited behind ended, or a retry: something new is due */
};
/* Borrowed until the end. NULL and *err: LH_E_STORE_DAMAGED if there is none. */
struct lh_handler_hot *lh_handler_get(struct lh_tasking *tasking, int64_t handler,
                                      struct lh_error *err);
/* The same for a number that a worker brings: LH_E_INVALID if there is none (any more). */
struct lh_handler_hot *lh_handler_wished(struct lh_tasking *tasking, int64_t handler,
                                         struct lh_error *err);
/* With code LH_OK: saves what changed. Frees. Returns code or the failure. */
int lh_tasking_end(struct lh_tasking *tasking, int code, struct lh_error *err);
/* Number of a handler. LH_E_NOT_FOUND with a sentence. */
int lh_handler_find(struct lh_connection *connection, const char *name, int64_t *handler,
                    struct lh_error *err);

/* ---- task.c: one row of tasks, loaded, stepped and saved ---- */

struct lh_task_hot {
  int64_t task;
  int64_t handler;
  int64_t position;
  struct lh_task now;
  int64_t session;    /* while running, else 0 */
  int64_t started_ms; /* of the attempt that runs */
  int64_t first_ms;   /* of its first attempt, 0: none yet */
  int serial;         /* it has a member whose tasks run in order */
  struct lh_task stored;
};
/* LH_E_NOT_FOUND if there is none. */
int lh_task_load(struct lh_tasking *tasking, int64_t task, struct lh_task_hot *row,
                 struct lh_error *err);
struct lh_task_change {
  struct lh_task_input input;
  struct lh_task_policy policy;
  const char *error; /* NULL or "" leaves the stored one */
  unsigned effects;  /* out */
};
/*
** Steps and saves it: counts the change of state, makes the next of its member due when it ended,
** lets it wait for another one where it was retried. LH_E_STORE_DAMAGED where the row cannot be.
*/
int lh_task_apply(struct lh_tasking *tasking, struct lh_task_hot *row,
                  struct lh_task_change *change, struct lh_error *err);
/* Without a worker's configuration: the defaults, and what the handler's row says. */
struct lh_task_policy lh_task_policy_of(const struct lh_handler_hot *handler);
/* First column of what a statement (key, key, limit) gives. */
struct lh_task_numbers {
  int64_t *at;
  size_t limit;
  size_t count; /* out */
};
int lh_task_list(struct lh_tasking *tasking, enum lh_sql which, const int64_t keys[2],
                 struct lh_task_numbers *numbers, struct lh_error *err);
/* Ends a bounded number of tasks of a session as lost. *left 1: there are more. */
int lh_tasks_lose(struct lh_tx *tx, int64_t session, int64_t now_ms, size_t *lost, int *left,
                  struct lh_error *err);

/* ---- task_form.c ---- */

/*
** Forms what may be formed of a handler now; a bounded number of rows is looked at. *more 1: it
** stopped at that bound.
*/
int lh_task_form(struct lh_tasking *tasking, struct lh_handler_hot *handler, int32_t concurrency,
                 int *more, struct lh_error *err);

/* ---- task_lease.c: leases of one handler ---- */

/* A wished handler in a turn. */
struct lh_task_wished {
  struct lh_handler_hot *row;
  const struct lh_handler_wish *wish;
  size_t taken;   /* leases of it in this turn */
  int wants_more; /* it got its share, and may have had more to lease */
  int alone_due;  /* one is due that runs alone: a start is kept for it */
};

struct lh_task_leasing {
  struct lh_tasking *tasking;
  struct lh_task_turn *turn;
  size_t lease_cap;
  int64_t bytes; /* of event data leased so far */
  int more;
};
/* How many may start now, by concurrency, rate, rest and wish. */
size_t lh_task_may_start(const struct lh_task_wished *wished, int64_t now_ms);
/*
** Where the clock was set back: no start is owed further ahead than starts can have brought it, and
** no rest is longer than any wait.
*/
void lh_task_bound_times(const struct lh_task_wished *wished, int64_t now_ms);
/* When rate and rest allow the next start; past: now. */
int64_t lh_task_start_ms(const struct lh_task_wished *wished, int64_t now_ms);
/*
** Leases up to `most` of what is due, by LH_SQL_TASKS_DUE or LH_SQL_TASKS_ALONE, and counts them in
** `taken`. Where some ended instead, for their tries had been lowered, leasing->more is set.
*/
int lh_task_lease(struct lh_task_leasing *leasing, struct lh_task_wished *wished, size_t most,
                  enum lh_sql which, struct lh_error *err);

#endif
