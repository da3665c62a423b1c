/*
** Door of the engine room: makes attempts. It knows a store, a transport and
** a clock by their doors and owns none of them. Each step does a bounded
** amount of work and returns what happened as data; it never calls back.
**
** Loop: record results and lease in one turn of the store → build, sign,
** start → poll → collect results → again.
*/
#ifndef LH_ENGINE_ENGINE_H
#define LH_ENGINE_ENGINE_H

#include "clock/clock.h"
#include "store/store.h"
#include "transport/transport.h"

struct lh_engine;

struct lh_engine_options {
  struct lh_store *store;         /* borrowed until lh_engine_close */
  struct lh_transport *transport; /* borrowed until lh_engine_close */
  const struct lh_clock *clock;   /* borrowed */
  size_t concurrency;             /* transfers at once, 1..LH_CONCURRENCY_MAX; 0: default */
  int64_t bodies_bytes_max;       /* 0: LH_BODIES_IN_FLIGHT_BYTES */
  int64_t retention_ms;           /* how long events and delivered requests are kept */
  int64_t failed_retention_ms;    /* and failed ones; both 0: this worker deletes nothing */
  int64_t dedupe_ms;              /* how long ids of received events are remembered */
  int sends_notices;              /* 1: reports say when mails about notices are due */
  int handles_only;               /* 1: no attempts and no stored jobs: it runs handlers' tasks */
};

/* One recorded attempt of this worker. Texts are borrowed until the next step. */
struct lh_engine_event {
  struct lh_id request_id;
  struct lh_id webhook_id;
  int32_t attempt;
  int32_t count; /* events of the request */
  enum lh_outcome outcome;
  int status;
  int64_t duration_ms; /* -1: unknown (lost) */
  const char *error;
  enum lh_state state; /* of the request now */
  enum lh_reason reason;
  int64_t next_attempt_ms; /* if pending or retrying */
  int paused_webhook;
};

/* How a mail of this worker ended. */
struct lh_engine_mail_end {
  int64_t number; /* that lh_engine_mail_send gave it */
  enum lh_mail_verdict verdict;
  enum lh_mail_stage stage;
  enum lh_outcome outcome;
  int status;
  int64_t duration_ms;
  const char *error; /* borrowed until the next step */
};

/*
** How a call of this worker ended, as the transport's result says it. Outcome "lost": the worker
** stopped before the answer came.
*/
struct lh_engine_call_end {
  struct lh_engine_call_end *next; /* in the order in which they ended */
  int64_t number;                  /* that lh_engine_call_send gave it */
  enum lh_outcome outcome;
  int status;
  int sent; /* 0: no byte of its request has left this machine */
  int64_t duration_ms;
  int64_t retry_after_ms;
  struct lh_call_answer answer;
  char error[LH_CALL_ERROR_MAX];
};

struct lh_engine_report {
  const struct lh_engine_event *events; /* borrowed until the next step */
  size_t event_count;
  size_t started;           /* attempts begun in this step */
  size_t rescued;           /* attempts of dead workers ended as lost */
  size_t failed_unsent;     /* requests that failed without an attempt: their webhook is stopped */
  size_t paused_unreadable; /* webhooks paused because their secret does not decrypt */
  size_t job_steps;         /* steps of stored jobs made (store/jobs.h) */
  struct lh_job job;        /* counts if there were any: the last one's job after it */
  const struct lh_engine_mail_end *mails; /* borrowed until the next step */
  size_t mail_count;
  size_t call_count;        /* that lh_engine_calls_take has to give */
  int mail_due;             /* 1: lh_engine_mailing_lease has one to give */
  int64_t cleaned_events;   /* deleted by a run of retention that ended in this step */
  int64_t cleaned_requests; /* the same */
  int64_t cleaned_received; /* the same, of the inbox */
  size_t in_flight;         /* sent and not yet recorded; mails and calls that have not ended */
  int64_t next_due_ms;      /* as in lh_turn */
  int woken;                /* 1: something was committed since the last report */
  int idle;                 /* 1: nothing in flight, nothing due, nothing being recorded */
};

/*
** Opens a session in the store; while that is full or busy, the steps go on trying. Codes as the
** store's.
*/
int lh_engine_open(const struct lh_engine_options *options, struct lh_engine **engine,
                   struct lh_error *err);
/*
** One round; waits up to timeout_ms if there is nothing to do (the store's
** wake descriptor and `fds` end the wait). Codes: the store's. On LH_E_FULL,
** LH_E_BUSY, LH_E_SHORTAGE and LH_E_MEMORY results are kept and offered again
** LH_TURN_AGAIN_MS later, nothing new is sent, and the caller may go on
** stepping; what the failed step had done is in the next report. Other codes: close.
*/
int lh_engine_step(struct lh_engine *engine, int timeout_ms, const int *fds, size_t fd_count,
                   struct lh_engine_report *report, struct lh_error *err);
/*
** From now on nothing waits to be formed, neither part batches nor what a stopped webhook fails;
** and retention begins at once: such a worker may not live long.
*/
void lh_engine_form_all(struct lh_engine *engine);
/* Stops leasing. Steps go on until report.in_flight is 0. */
void lh_engine_drain(struct lh_engine *engine);
/*
** Ends the drain: unsent transfers are given back, others recorded lost, all
** committed; the next step reports them. On failure results are kept as above.
*/
int lh_engine_abort(struct lh_engine *engine, struct lh_error *err);
/* Aborts what is in flight, closes the session. Accepts NULL. */
void lh_engine_close(struct lh_engine *engine);

/*
** Hands a mail over, which is copied; its end is in a later report under *number. Codes: the
** transport's, LH_E_REFUSED after an abort.
*/
int lh_engine_mail_send(struct lh_engine *engine, const struct lh_mail *mail, int64_t *number,
                        struct lh_error *err);
/* Drops it: no report will have it. 1 if the server cannot have got its end, 0 if it may, -1: no
** such mail is under way. */
int lh_engine_mail_cancel(struct lh_engine *engine, int64_t number);

/*
** Hands a handler's call over; `answer` and `tag` are the engine's own. Codes: the transport's;
** LH_E_LIMIT while LH_CALLS_MAX calls or LH_CALL_BODIES_MAX bytes are under way, LH_E_REFUSED
** after an abort (a drain lets handlers come to an end).
*/
int lh_engine_call_send(struct lh_engine *engine, const struct lh_call *call, int64_t *number,
                        struct lh_error *err);
/* Drops it: no report will have it. 1 if no byte had left, 0 if one may have, -1: no such call. */
int lh_engine_call_cancel(struct lh_engine *engine, int64_t number);
/* Those that ended, a list for lh_engine_calls_free, valid whatever becomes of the engine. */
struct lh_engine_call_end *lh_engine_calls_take(struct lh_engine *engine);
void lh_engine_calls_free(struct lh_engine_call_end *list);

/* As in store/notices.h, for this worker's session: the next mail that is due, and its end. */
int lh_engine_mailing_lease(struct lh_engine *engine, const char *host, int fallback,
                            struct lh_mailing *mailing, struct lh_error *err);
int lh_engine_mailing_record(struct lh_engine *engine, const struct lh_mailing_result *result,
                             struct lh_error *err);

/*
** As in store/tasks.h, for this worker's session and clock; session, now_ms and jitter are filled
** in. A session that others declared dead, or that could not be opened yet, is opened anew first; a
** turn says session_dead if none said so before: what ran in the old one is others' by now.
*/
int lh_engine_open_handler(struct lh_engine *engine, const struct lh_handler_definition *definition,
                           int64_t *handler, int *created, struct lh_error *err);
int lh_engine_task_turn(struct lh_engine *engine, struct lh_task_turn *turn, struct lh_error *err);
int lh_engine_task_work(struct lh_engine *engine, const int64_t *handlers, size_t count,
                        struct lh_task_work *work, struct lh_error *err);

/* How an attempt outside log and budget ended. Texts are borrowed from the transport. */
struct lh_probe {
  struct lh_id request_id;
  int delivered; /* 1: the webhook's success rule holds */
  struct lh_post_result answer;
};
/*
** Sends one event to a target as a worker would (signature, headers, time
** limits, address guard), stores nothing, and waits until it has ended. 0 for
** any answer and any failure of the exchange; LH_E_SHORTAGE, LH_E_MEMORY or
** LH_E_RANDOM if it could not begin. `request_id` is made by the caller.
*/
int lh_engine_probe(struct lh_transport *transport, const struct lh_clock *clock,
                    struct lh_target *target, const struct lh_event *event, struct lh_probe *probe,
                    struct lh_error *err);

#endif
