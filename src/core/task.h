/*
** A task: one event's turn with one handler (design §3.18). Pure: (task,
** input, policy, now) → (task', effects). Nothing else in the system decides a
** task's state; a store loads it, steps it and saves it in one transaction.
**
**   pending ──start──▶ running ──success──▶ done (final)
**                        │ ├──failure────▶ retrying ──start──▶ running …   tries left
**                        │ │               failed (retries_exhausted)       none left
**                        │ ├──refusal────▶ failed (refused)
**                        │ ├──unknown────▶ as a failure; failed (unknown) if the handler says so
**                        │ ├──given back─▶ what it was before
**                        │ └──lost───────▶ retrying, due now, alone; failed (unknown) if the
**                        │                 handler says so; failed (poison) at the third strike
**   failed ──retry──▶ retrying, due now, with fresh tries and no strikes
**
** A late success (of an attempt thought lost) makes it done from any state;
** any other late result is ignored.
*/
#ifndef LH_CORE_TASK_H
#define LH_CORE_TASK_H

#include <stdint.h>

#include "core/error.h"

#define LH_TASK_WAITS INT64_MAX /* due_ms: an earlier task of its member comes first */

/* Numbers are stored; do not renumber. */
enum lh_task_state {
  LH_TASK_PENDING = 0,  /* formed, or its first attempt was given back; due_ms counts */
  LH_TASK_RUNNING = 1,  /* a worker runs it; attempts_made is the attempt's number */
  LH_TASK_RETRYING = 2, /* failed, lost, or retried by a person; due_ms counts */
  LH_TASK_DONE = 3,     /* final; finished_ms counts */
  LH_TASK_FAILED = 4    /* reason and finished_ms count; left by retry or late success only */
};
const char *lh_task_state_name(enum lh_task_state state);

enum lh_task_reason {
  LH_TASK_REASON_NONE = 0,
  LH_TASK_RETRIES_EXHAUSTED = 1, /* its last try failed, or their number was lowered */
  LH_TASK_REFUSED = 2,           /* the handler says that no retry will help */
  LH_TASK_UNKNOWN = 3,           /* it may have had its effect: a person decides */
  LH_TASK_POISON = 4,            /* three workers died while it ran alone */
  LH_TASK_FORGOTTEN = 5          /* its handler was forgotten */
};
const char *lh_task_reason_name(enum lh_task_reason reason); /* "" for none */

enum lh_task_input_kind {
  LH_TASK_IN_START,      /* a worker wants to run it */
  LH_TASK_IN_SUCCESS,    /* the handler is done with it */
  LH_TASK_IN_FAILURE,    /* it wants another try */
  LH_TASK_IN_REFUSAL,    /* it wants none */
  LH_TASK_IN_UNKNOWN,    /* it cannot tell whether the remote side acted */
  LH_TASK_IN_LOST,       /* its worker died */
  LH_TASK_IN_GIVEN_BACK, /* its worker did not begin it after all */
  LH_TASK_IN_RETRY,      /* a person retries it */
  LH_TASK_IN_FORGET      /* a person forgets its handler */
};

struct lh_task_input {
  enum lh_task_input_kind kind;
  /*
  ** Success to given back: the attempt that ended; if it is not the one that runs, the input is
  ** late. 0: none that runs.
  */
  int32_t attempt;
  int64_t
      retry_after_ms;  /* failure, unknown, given back: what the remote side asked for; 0: none */
  uint32_t jitter_ppm; /* failure, unknown: random 0..1,000,000 */
};

/* What the task knows about itself. */
struct lh_task {
  enum lh_task_state state;
  enum lh_task_reason reason;
  int32_t attempts_made; /* lifetime; the number of the attempt that runs while running */
  int32_t budget_start;  /* attempts_made - budget_start tries count of the present budget */
  int32_t strikes;       /* workers that died while it ran alone */
  int alone;             /* its last worker died: nothing else may run beside it in a worker */
  int64_t due_ms;        /* pending, retrying; LH_TASK_WAITS: not before another one ended */
  int64_t finished_ms;   /* done, failed */
};

/* What the handler says, by the worker that runs it. */
struct lh_task_policy {
  int32_t tries; /* at most, the first included; lost and given-back ones do not count */
  int32_t factor;
  int64_t first_ms; /* wait after the first failure; each further one is `factor` times as long */
  int64_t max_ms;   /* … up to this; also the most that retry_after_ms may ask for */
  int fails_when_unknown;
};

/* What the caller must do in the same transaction. */
enum lh_task_effect {
  LH_TASK_EFFECT_NONE = 0,
  LH_TASK_EFFECT_STARTED = 1 << 0, /* attempt number attempts_made may begin */
  LH_TASK_EFFECT_ENDED = 1 << 1,   /* became done or failed: the next of its member may go */
  LH_TASK_EFFECT_REFUSED = 1 << 2  /* input does not apply in this state; nothing changed */
};

/*
** 0, or LH_E_INVALID and what cannot be: for values from outside (a stored row,
** a Lua table). lh_task_step asserts the same.
*/
int lh_task_check(const struct lh_task *task, const struct lh_task_input *input,
                  const struct lh_task_policy *policy, struct lh_error *err);

/*
** Steps *task in place and returns the effects (a set of enum lh_task_effect).
** Total: every input in every state has a defined result; one that does not
** apply changes nothing and returns LH_TASK_EFFECT_REFUSED. A start that finds
** the tries used up fails the task, without STARTED.
*/
unsigned lh_task_step(struct lh_task *task, const struct lh_task_input *input,
                      const struct lh_task_policy *policy, int64_t now_ms);

/*
** The wait after that many failures (1, 2 …), give or take a tenth by jitter_ppm; retry_after_ms
** may only lengthen it. At most policy->max_ms.
*/
int64_t lh_task_wait_ms(const struct lh_task_policy *policy, int32_t failures,
                        int64_t retry_after_ms, uint32_t jitter_ppm);

#endif
