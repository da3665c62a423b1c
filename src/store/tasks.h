/*
** Table group: handlers and their tasks (design §3.18). A worker lives in
** `turn`, as with requests: one transaction that records what happened, forms
** new tasks from the inbox and hands out what to run next. What becomes of a
** task is core/task.h's business; here is which one runs when:
**
** Serial: of the unfinished tasks of one (handler, member) one is due or runs;
** the others wait (LH_TASK_WAITS), and when it ends, the one of lowest position
** is due at once. One that a person retries waits if another of its member is
** unfinished.
**
** Alone: what was lost with its worker runs one at a time, in one worker of
** those that have its handler, and nothing runs beside it there: that worker is
** leased nothing more until it runs nothing, then it alone. The others go on
** with everything else.
**
** A handler's concurrency and rate hold over all workers, alone ones included;
** so does its rest, which a remote side's Retry-After asked for.
*/
#ifndef LH_STORE_TASKS_H
#define LH_STORE_TASKS_H

#include <stddef.h>

#include "core/limits.h"
#include "core/task.h"

struct lh_store;
struct lh_actor; /* audit.h */

/* A handler as a worker loads it. */
struct lh_handler_definition {
  const char *name;        /* [a-z0-9_.-]{1,64} */
  const char *event_types; /* names joined by '\n', or "*" */
  int fails_when_unknown;
  int serial;     /* one member's tasks run in order */
  int from_start; /* a handler new to the store begins with the first event of the inbox */
};

/* A handler in a turn, from the worker's configuration. */
struct lh_handler_wish {
  int64_t handler;     /* number, from handler_open */
  int32_t concurrency; /* running at once over all workers, 1..LH_TASK_CONCURRENCY_MAX */
  int64_t interval_us; /* between starts in the long run, over all workers; 0: no rate */
  int64_t burst;       /* starts that may come at once after a pause; 1 at least */
  struct lh_task_policy policy;
  size_t slots; /* this worker takes at most that many more of it now */
};

/* How an attempt ended, for recording. Texts are borrowed during the call. */
struct lh_task_result {
  int64_t task;
  int32_t attempt;
  enum lh_task_input_kind kind; /* SUCCESS, FAILURE, REFUSAL, UNKNOWN or GIVEN_BACK */
  int64_t retry_after_ms;
  int64_t
      rest_ms; /* no task of the handler starts for so long, at most its longest wait; 0: none */
  uint32_t jitter_ppm;
  const char *error; /* "" if none; at most LH_TASK_ERROR_MAX bytes are kept */
  /* out, after the turn: */
  struct lh_task after;
  int gone; /* 1: retention deleted it: `after` says nothing */
};

/* The right to make one attempt. */
struct lh_task_lease {
  int64_t task;
  int64_t handler;
  int32_t attempt;  /* its number, from 1 */
  int64_t first_ms; /* when the first one started; now if this is it */
  int alone;
  int64_t position; /* of its event in the inbox */
  int64_t received_ms;
  const char *source;
  const char *event_id;
  const char *event_type;
  const char *member; /* NULL: none */
  size_t member_len;
  const char *data; /* the exact bytes of one JSON object */
  size_t data_len;
  char *texts; /* what they all point into; owned by the turn */
};

struct lh_task_turn {
  int64_t session; /* as in requests.h */
  int64_t now_ms;
  const struct lh_handler_wish *wishes; /* of all handlers of this worker, at each turn */
  size_t wish_count;
  struct lh_task_result *results;
  size_t result_count;
  size_t slots; /* leases wanted at most, LH_TASK_SLOTS_MAX; 0 while draining: nothing is formed */
  size_t running; /* tasks of this worker that run and whose results do not stand above */
  /* out: */
  struct lh_task_lease *leases; /* owned by the turn: lh_task_turn_clear */
  size_t lease_count;
  int64_t next_due_ms; /* when one of its handlers next has something due, INT64_MAX: nothing */
  int more;            /* 1: the turn stopped at a bound; call again at once */
  int session_dead;    /* 1: others declared this session dead; open a new one */
};
void lh_task_turn_clear(struct lh_task_turn *turn); /* after a turn that returned 0 */

/* Counts of what some handlers have left to do, for --until-idle. Each may stop at 1000. */
struct lh_task_work {
  int64_t due;     /* due now, whether they may start or not; and events not come to */
  int64_t running; /* by anybody */
  int64_t later;   /* waiting for a time, or for another task of their member */
};

enum lh_task_retry_outcome {
  LH_TASK_RETRY_RETRIED,    /* at least one task is retrying, with fresh tries */
  LH_TASK_RETRY_NOT_FAILED, /* nothing to do */
  LH_TASK_RETRY_UNKNOWN     /* no such event (any more), or no task of it with that handler */
};
const char *lh_task_retry_outcome_name(enum lh_task_retry_outcome outcome);

struct lh_task_retry {
  const char *event_id;
  const char *source;                 /* or NULL: any */
  const char *handler;                /* or NULL: any */
  enum lh_task_retry_outcome outcome; /* out */
};

/* One step of a retry of many, or of counting what it would retry. */
struct lh_task_retry_step {
  const char *handler;      /* or NULL: any */
  const char *source;       /* or NULL: any */
  int64_t since_ms;         /* received at or after; 0: any */
  int64_t failed_before_ms; /* failed before; 0: any. So what fails again is not retried again */
  int64_t now_ms;
  int dry_run;
  const struct lh_actor *actor; /* each step that retries something is noted */
  /* in and out: where to go on, 0: from the beginning, and: it is over */
  int64_t after;
  /* out: */
  size_t count; /* retried in this step; dry run: that would be */
};

struct lh_handler_row {
  int64_t handler;
  char name[LH_HANDLER_NAME_MAX + 1];
  char *event_types; /* as defined; owned by the list */
  int fails_when_unknown;
  int serial;
  int64_t behind;                    /* events it has not come to, whether it wants them or not */
  int64_t tasks[LH_TASK_FAILED + 1]; /* by state */
  int64_t rest_until_ms;             /* asked for by the remote side; past: it does not rest */
  int64_t loaded_ms; /* by a worker, for the last time; a live one: within the last seconds */
  int64_t created_ms;
};
struct lh_handler_list {
  struct lh_handler_row *rows;
  size_t count;
};
void lh_handler_list_clear(struct lh_handler_list *list);

struct lh_store_tasks {
  /*
  ** Makes a handler that is new (or was forgotten) at the inbox's head, or before its first event;
  ** brings one that is known up to date. Codes: LH_E_INVALID (name), LH_E_LIMIT (LH_HANDLERS_MAX;
  ** forgotten ones without any task make room).
  */
  int (*handler_open)(struct lh_store *store, const struct lh_handler_definition *definition,
                      int64_t now_ms, int64_t *handler, int *created, struct lh_error *err);
  /* Records, then forms and leases, handlers in turn. All or nothing. LH_E_INVALID: a wish. */
  int (*turn)(struct lh_store *store, struct lh_task_turn *turn, struct lh_error *err);
  int (*pending_work)(struct lh_store *store, const int64_t *handlers, size_t count, int64_t now_ms,
                      struct lh_task_work *work, struct lh_error *err);
  /* All in one transaction, 1..LH_RETRY_MANY_MAX of them, each with its own outcome. */
  int (*retry)(struct lh_store *store, struct lh_task_retry *retries, size_t count,
               const struct lh_actor *actor, int64_t now_ms, struct lh_error *err);
  /*
  ** A bounded part of a retry of many, oldest tasks first; the caller goes on with the same filter
  ** until step->after is 0. LH_E_NOT_FOUND: there is no such handler or source.
  */
  int (*retry_failed)(struct lh_store *store, struct lh_task_retry_step *step,
                      struct lh_error *err);
  /* All that are not forgotten, or have unfinished tasks left, by name. */
  int (*handler_list)(struct lh_store *store, struct lh_handler_list *list, struct lh_error *err);
  /*
  ** Its unfinished tasks end failed (forgotten), in steps; *failed counts them. It is listed no
  ** more, and begins anew when a worker loads it again. Codes: LH_E_NOT_FOUND; LH_E_REFUSED while a
  ** worker lives and one has loaded it within LH_SESSION_DEAD_MS. After a failure: again.
  */
  int (*forget)(struct lh_store *store, const char *name, const struct lh_actor *actor,
                int64_t now_ms, size_t *failed, struct lh_error *err);
};

#endif
