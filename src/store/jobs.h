/*
** Table group: manual retry of failed requests, and the stored jobs behind a
** retry of many (design §2.1, §3.8, §3a.5-7, §3a.12). A job is a row that says
** what is meant and how far it is; whoever calls `step` works it off, and after
** a kill anybody goes on where it stands.
*/
#ifndef LH_STORE_JOBS_H
#define LH_STORE_JOBS_H

#include "core/delivery.h"
#include "core/limits.h"

struct lh_store;
struct lh_actor; /* audit.h */

enum lh_retry_outcome {
  LH_RETRY_RETRIED,    /* it is retrying, due now, with a fresh budget */
  LH_RETRY_NOT_FAILED, /* nothing to do: it waits, is being sent, or was delivered */
  LH_RETRY_REFUSED,    /* its webhook is paused, disabled or deleted: see message */
  LH_RETRY_UNKNOWN     /* there is no such request */
};
const char *lh_retry_outcome_name(enum lh_retry_outcome outcome);

#define LH_RETRY_MESSAGE_MAX 256 /* the webhook's name and id, and a sentence */

struct lh_retry {
  struct lh_id request_id;
  enum lh_retry_outcome outcome;      /* out */
  char message[LH_RETRY_MESSAGE_MAX]; /* out: why it was refused and what to do, else "" */
};

/* Chosen requests. */
struct lh_retry_chosen {
  struct lh_retry *retries;
  size_t count;        /* 1..LH_RETRY_MANY_MAX */
  const char *account; /* those of another one are unknown; NULL: of any */
  const struct lh_actor *actor;
};

/* Which failed requests a retry of many means. */
struct lh_retry_filter {
  const char *account;            /* or NULL */
  const struct lh_id *webhook_id; /* or NULL */
  enum lh_reason reason;          /* failed for this; LH_REASON_NONE: for any */
  int64_t since_ms;               /* created at or after; 0: any */
  int64_t until_ms;               /* created before; 0: any */
  int64_t failed_from_ms;         /* failed at or after; 0: any */
};

struct lh_job {
  struct lh_id id;
  char account[LH_ACCOUNT_MAX + 1]; /* "": all */
  struct lh_id webhook_id;          /* counts if one_webhook */
  int one_webhook;
  enum lh_reason reason;
  int64_t since_ms;
  int64_t until_ms;
  int64_t failed_from_ms;
  int64_t created_ms;
  int settled;   /* 1: it knows what it covers, and total counts */
  int64_t total; /* as counted when it settled; once finished, retried + left_over */
  int64_t retried;
  int64_t left_over;   /* passed over, because their webhook was not enabled */
  int64_t finished_ms; /* 0: open */
};

/* One step of a job. */
struct lh_job_step {
  const struct lh_id *id; /* which; NULL: the oldest open one */
  int64_t session;        /* of the worker that makes it, 0: no worker */
  int64_t now_ms;
  /* out: */
  struct lh_job job;    /* after the step */
  int made;             /* 0: somebody else is at it, or the job is over */
  size_t failed_unsent; /* requests that ended failed in it, because a pause had stopped them */
};

struct lh_job_list {
  struct lh_job *rows;
  size_t count;
};
void lh_job_list_clear(struct lh_job_list *list);

struct lh_store_jobs {
  /*
  ** Retries the requests that are failed, all in one transaction, each with its own outcome. What a
  ** pause stopped counts as failed also where its row was not turned yet. Codes: LH_E_LIMIT
  ** (count), LH_E_KEY_MISSING, LH_E_FULL, LH_E_IO ….
  */
  int (*retry)(struct lh_store *store, const struct lh_retry_chosen *chosen, int64_t now_ms,
               struct lh_error *err);
  /* How many failed requests there are now: those that `list` of requests.h lists. */
  int (*count)(struct lh_store *store, const struct lh_retry_filter *filter, int64_t *total,
               struct lh_error *err);
  /*
  ** Stores a job and wakes the workers. Codes: LH_E_NOT_FOUND (webhook, account), LH_E_REFUSED (the
  ** webhook is not enabled; the message says what to do), LH_E_LIMIT (LH_JOBS_OPEN_MAX).
  */
  int (*create)(struct lh_store *store, const struct lh_retry_filter *filter,
                const struct lh_actor *actor, int64_t now_ms, struct lh_job *job,
                struct lh_error *err);
  /*
  ** A bounded part of a job in one transaction; whoever made the last one goes on alone, until
  ** LH_JOB_HELD_MS have passed without a further one. First it settles the webhooks concerned: what
  ** a pause stopped ends failed, as far as it had not yet. Then it knows what it covers: what had
  ** failed by then. Each of these is visited once, in order of forming; whatever fails meanwhile is
  ** not retried by this job, unless the clock was set back: then some may be, each once all the
  ** same. LH_E_NOT_FOUND: there is no such job, or none is open.
  */
  int (*step)(struct lh_store *store, struct lh_job_step *step, struct lh_error *err);
  /* LH_E_NOT_FOUND. */
  int (*get)(struct lh_store *store, const struct lh_id *id, struct lh_job *job,
             struct lh_error *err);
  /* Newest first, at most limit (1..LH_LIST_LIMIT_MAX). */
  int (*list)(struct lh_store *store, int limit, struct lh_job_list *list, struct lh_error *err);
};

#endif
