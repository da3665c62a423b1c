/*
** The life of a request as a pure function: (state, input, policy, now) →
** (state', effects). Nothing else in the system decides a request's state; a
** store loads it, steps it and saves it in one transaction.
**
**   pending ──lease──▶ sending ──success──▶ delivered (final)
**      ▲                 │  ▲
**      └──given back─────┤  └──lease── retrying ◀─┐
**                        └──failure, lost─────────┤ budget left
**                                                 ▼ none left, or stopped
**                                               failed ──manual retry──▶ retrying
**
** A late success (of an attempt thought lost) delivers from any state.
*/
#ifndef LH_CORE_DELIVERY_H
#define LH_CORE_DELIVERY_H

#include "core/retry.h"
#include "core/webhook.h"

/* Numbers are stored; do not renumber. */
enum lh_state {
  LH_PENDING = 0,   /* formed, or its first attempt was given back; next_attempt_ms counts */
  LH_SENDING = 1,   /* an attempt is leased; attempts_made is its number */
  LH_RETRYING = 2,  /* last attempt failed or a person retried it; next_attempt_ms counts */
  LH_DELIVERED = 3, /* final; finished_ms counts */
  LH_FAILED = 4     /* reason and finished_ms count; left by manual retry or late success only */
};
const char *lh_state_name(enum lh_state state);

enum lh_reason {
  LH_REASON_NONE = 0,
  LH_REASON_RETRIES_EXHAUSTED = 1, /* last attempt of the budget failed, or it was lowered */
  LH_REASON_WORKER_LOST = 2,       /* last attempt of the budget was lost with its worker */
  LH_REASON_PAUSED = 3,
  LH_REASON_DISABLED = 4,
  LH_REASON_DELETED = 5
};
const char *lh_reason_name(enum lh_reason reason); /* "" for none */

enum lh_input_kind {
  LH_INPUT_LEASE,      /* a worker wants to attempt it; the gate decides */
  LH_INPUT_SUCCESS,    /* the leased attempt succeeded */
  LH_INPUT_FAILURE,    /* the leased attempt failed */
  LH_INPUT_LOST,       /* its worker died, or drain aborted it with bytes sent */
  LH_INPUT_GIVEN_BACK, /* local shortage before the first byte */
  LH_INPUT_LATE_SUCCESS,
  LH_INPUT_LATE_FAILURE,
  LH_INPUT_STOP, /* its webhook was paused, disabled or deleted */
  LH_INPUT_RETRY /* a person retries it */
};

struct lh_input {
  enum lh_input_kind kind;
  int64_t retry_after_ms;      /* failure: what Retry-After asked for, 0 none */
  uint32_t jitter_ppm;         /* failure: random 0..1,000,000 */
  int32_t given_back_in_a_row; /* given back: how often in a row before this, for the back-off */
};

/* What the request knows about itself. */
struct lh_delivery {
  enum lh_state state;
  enum lh_reason reason;
  int32_t attempts_made;   /* lifetime; the number of the attempt in flight while sending */
  int32_t budget_start;    /* attempts_made when the present budget began: 0, or at a retry */
  int64_t next_attempt_ms; /* pending, retrying */
  int64_t finished_ms;     /* delivered, failed */
  int64_t epoch;           /* of the webhook when formed or last retried */
};

/* What the webhook says now, in the same transaction. */
struct lh_delivery_policy {
  enum lh_status status;
  int64_t epoch;               /* raised by pause, disable, delete */
  enum lh_reason epoch_reason; /* of the last such change; for requests of an older epoch */
  struct lh_retry_policy retry;
};

/* What the caller must do in the same transaction. */
enum lh_effect {
  LH_EFFECT_NONE = 0,
  LH_EFFECT_SEND = 1 << 0,           /* lease granted: attempt number is attempts_made */
  LH_EFFECT_LOG_ATTEMPT = 1 << 1,    /* keep the attempt's row */
  LH_EFFECT_REMOVE_ATTEMPT = 1 << 2, /* given back: the number will be used again */
  LH_EFFECT_DELIVERED = 1 << 3,      /* became delivered: failed_in_a_row = 0 */
  LH_EFFECT_FAILED = 1 << 4, /* became failed: a notice, unless reason is disabled or deleted */
  LH_EFFECT_COUNT_FAILURE = 1 << 5, /* failed_in_a_row + 1; then ask lh_pause_due */
  LH_EFFECT_FAILING_START = 1 << 6, /* webhook is failing; back off */
  LH_EFFECT_FAILING_END = 1 << 7,   /* webhook answered, or a person retried; end back-off */
  LH_EFFECT_REFUSED = 1 << 8        /* input does not apply in this state; nothing changed */
};

/*
** 0, or LH_E_INVALID and what cannot be: for values from outside (a stored
** row, a Lua table). lh_delivery_step asserts the same.
*/
int lh_delivery_check(const struct lh_delivery *delivery, const struct lh_input *input,
                      const struct lh_delivery_policy *policy, struct lh_error *err);

/*
** Steps *delivery in place and returns the effects (a set of enum lh_effect).
** Total: every input in every state has a defined result; one that does not
** apply changes nothing and returns LH_EFFECT_REFUSED (a late failure returns
** LH_EFFECT_LOG_ATTEMPT). A lease before next_attempt_ms is refused; one that
** finds the budget used up or the epoch old fails the request, without SEND.
*/
unsigned lh_delivery_step(struct lh_delivery *delivery, const struct lh_input *input,
                          const struct lh_delivery_policy *policy, int64_t now_ms);

#endif
