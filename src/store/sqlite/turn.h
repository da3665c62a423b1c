/*
** What happens inside a worker's turn, and what its files share: webhook
** settings (targets.c), a webhook's hot row (dispatch.c) and status (status.c),
** one request's row (requests.c), recording results (record.c), failing what was
** stopped (settle.c), giving leases (lease.c) and forming requests from the log
** (form.c), and what an administrator must hear of it (notices.c, mailings.c).
** turn.c puts them in order; a manual retry (retry.c, job_step.c) uses the same
** parts.
*/
#ifndef LH_STORE_SQLITE_TURN_H
#define LH_STORE_SQLITE_TURN_H

#include "core/figures.h"
#include "store/sqlite/sqlite.h"

/* ---- targets.c: webhook settings as dispatch needs them, kept per revision ---- */

struct lh_span {
  int64_t from; /* first position it covers */
  enum lh_span_mode mode;
  enum lh_reason reason; /* fail */
  char *event_types;
  int64_t *types; /* type ids it takes, ascending */
  size_t type_count;
};

struct lh_target_entry {
  struct lh_target target; /* first, so that a pointer to one is a pointer to the other */
  int64_t webhook;
  int64_t account;
  int64_t types_seen; /* highest type id when the spans were expanded */
  int32_t schedule[LH_RETRY_SCHEDULE_MAX];
  int32_t schedule_count;
  struct lh_span *spans;
  size_t span_count;
};

/*
** Target of a webhook as of `revision`; borrowed until the next forget or get. Only inside a
** write.
*/
int lh_target_get(struct lh_tx *tx, int64_t webhook, int64_t revision,
                  struct lh_target_entry **entry, struct lh_error *err);
struct lh_dispatch;
/* The same, as it is at now_ms: a secret whose time has come takes over first. */
int lh_target_current(struct lh_tx *tx, struct lh_dispatch *dispatch, int64_t now_ms,
                      struct lh_target_entry **entry, struct lh_error *err);
void lh_target_release(struct lh_target *target);
void lh_target_forget(struct lh_committer *committer);

/* secrets.c: the keys of an entry from its row. One that does not decrypt stays NULL. */
int lh_secret_load(struct lh_committer *committer, sqlite3_stmt *row, struct lh_target_entry *entry,
                   struct lh_error *err);
/* secrets.c: the secret that waits takes the place of the present one. */
int lh_secret_promote(struct lh_tx *tx, struct lh_dispatch *dispatch, struct lh_error *err);

/* ---- dispatch.c: the hot row of a webhook, loaded once and saved once per turn ---- */

struct lh_dispatch {
  int64_t webhook;
  int64_t account;
  enum lh_status status;
  int64_t epoch; /* it and its reason are saved where they change, by status.c */
  enum lh_reason epoch_reason;
  int64_t revision;
  int64_t cursor; /* last position that was formed or passed over */
  int32_t in_flight;
  int32_t failing;         /* failed attempts in a row; 0: not failing */
  int64_t next_start_ms;   /* failing: no start before; stopped: no partial fail request before */
  int32_t failed_in_a_row; /* requests */
  int64_t due_ms;          /* INT64_MAX: nothing to do until something changes */
  int asleep;              /* waits for new events of its account */
  int64_t ordered_request; /* ordered: the one that is leased or waits for its retry; 0: none */
  int64_t requests[LH_FAILED + 1]; /* rows by state; those being sent are in_flight */
  int64_t attempts;                /* rows in the attempt log */
  int64_t figures_ms;              /* begin of the span that `figures` are of; 0: none yet */
  struct lh_figures figures;
  int64_t last_delivered_ms; /* 0: nothing was */
  int64_t noticed_ms;        /* a notice was made in this transaction, then; 0: none */
  int dirty;
  int served; /* looked at in this turn */
};

/* Context of one turn, beside the public struct. */
struct lh_turning {
  struct lh_tx *tx;
  struct lh_turn *turn;
  int64_t now_ms;
  size_t slots;
  int64_t bytes;
  int64_t head; /* of the log; the log cannot grow during the turn */
  int64_t types_highest;
  int room_ran_out;
  int64_t last_turn_ms; /* of this handle; 0: this is its first */
  int formed_all;       /* its last turn was one of form_all already */
};

/*
** turn.c: how a turn begins. *turning is filled from *turn: no webhook is loaded yet, head and
** types are known. Also without a worker (no session, visitor or slots), to settle or to retry.
*/
int lh_turning_begin(struct lh_turning *turning, struct lh_tx *tx, struct lh_turn *turn,
                     struct lh_error *err);

/* Borrowed until the next call of it. */
struct lh_dispatch *lh_dispatch_get(struct lh_tx *tx, int64_t webhook, struct lh_error *err);
int lh_dispatch_save_all(struct lh_tx *tx, struct lh_error *err);
/* A request came from one state to another; -1: it was formed, or is deleted. */
void lh_dispatch_count(struct lh_dispatch *dispatch, int from, int to);
void lh_dispatch_begin(struct lh_tx *tx);

/*
** figures.c: where to count what happened at this moment; what an ended span counted goes into its
** table first. NULL and *err on failure. Mark the row dirty.
*/
struct lh_figures *lh_dispatch_figures(struct lh_tx *tx, struct lh_dispatch *dispatch,
                                       int64_t at_ms, struct lh_error *err);

/* ---- status.c: changes of status. Rows in memory: the caller saves them. ---- */

/* An enabled webhook pauses; any other stays as it is. `why`: "failures", "secret_unreadable". */
int lh_status_pause(struct lh_tx *tx, struct lh_dispatch *dispatch, const char *why, int64_t now_ms,
                    struct lh_error *err);
/* LH_STATUS_DISABLED or _DELETED, from any other status. event_types: as configured now. */
int lh_status_stop(struct lh_tx *tx, struct lh_dispatch *dispatch, enum lh_status status,
                   char *event_types, int64_t now_ms, struct lh_error *err);
/* From paused or disabled. */
int lh_status_enable(struct lh_tx *tx, struct lh_dispatch *dispatch, char *event_types,
                     int64_t now_ms, struct lh_error *err);
/* From the log's head on a span as the present status wants it, with these types. */
int lh_status_span_at_head(struct lh_tx *tx, const struct lh_dispatch *dispatch, char *event_types,
                           struct lh_error *err);

/* ---- notices.c: what an administrator must hear of ---- */

/*
** A notice of this webhook, of a pause if request is 0. Saving the dispatch rows lets its mail
** become due.
*/
int lh_notice_add(struct lh_tx *tx, struct lh_dispatch *dispatch, int64_t request,
                  const char *reason, int64_t now_ms, struct lh_error *err);
/* Of a request that became failed; none for what a person did, disable and delete. */
int lh_notice_failed(struct lh_tx *tx, struct lh_dispatch *dispatch, int64_t request,
                     enum lh_reason reason, int64_t now_ms, struct lh_error *err);

/* ---- mailings.c ---- */

/* A webhook with a new notice: its mail is due now, or as soon as the last one allows. */
int lh_mailing_note(struct lh_tx *tx, const struct lh_dispatch *dispatch, struct lh_error *err);
/* Mails of a session that ends, whose outcome nobody knows, are due again as they were. */
int lh_mailing_release(struct lh_tx *tx, int64_t session, int64_t now_ms, struct lh_error *err);

/* ---- requests.c: one row of requests, loaded, stepped and saved ---- */

struct lh_request_hot {
  int64_t request;
  struct lh_id request_id;
  int64_t webhook;
  struct lh_delivery delivery;
  int32_t count;
  int64_t session;    /* while sending, else 0 */
  int64_t started_ms; /* of the attempt in flight */
  int32_t given_back; /* in a row */
  int64_t created_ms;
  int64_t emitted_ms;   /* of its first event */
  enum lh_state stored; /* its state when it was loaded */
};
/* LH_E_NOT_FOUND if there is none. */
int lh_request_load(struct lh_tx *tx, int64_t request, struct lh_request_hot *row,
                    struct lh_error *err);
/* Counts the change of state too: the webhook's hot row must have been loaded. */
int lh_request_save(struct lh_tx *tx, struct lh_request_hot *row, struct lh_error *err);
/* lh_delivery_step on a row from the disk: LH_E_STORE_DAMAGED where it cannot be. */
int lh_request_step(struct lh_request_hot *row, const struct lh_input *input,
                    const struct lh_delivery_policy *policy, int64_t now_ms, unsigned *effects,
                    struct lh_error *err);
/* What lh_delivery_step needs to know of the webhook. */
void lh_request_policy(const struct lh_dispatch *dispatch, const struct lh_target_entry *entry,
                       struct lh_delivery_policy *policy);

/*
** record.c: one result into its request, its webhook and the attempt log. `session` is who
** reports.
*/
int lh_record(struct lh_tx *tx, struct lh_attempt_result *result, int64_t session, int64_t now_ms,
              struct lh_error *err);

/* A request after a step. */
struct lh_stepped {
  const struct lh_request_hot *row;
  unsigned effects; /* enum lh_effect */
  int64_t now_ms;
};
/* What a step's effects mean for the webhook: failing, failed_in_a_row, notices, pause. */
int lh_record_effects(struct lh_tx *tx, struct lh_dispatch *dispatch,
                      const struct lh_target_entry *entry, const struct lh_stepped *stepped,
                      struct lh_error *err);

/*
** settle.c: fails a bounded number of what a change of status stopped. *settled 0: there is more,
** and the webhook is due again.
*/
int lh_settle(struct lh_turning *turning, struct lh_dispatch *dispatch,
              struct lh_target_entry *entry, int *settled, struct lh_error *err);

/* One request that waits, of an older epoch: it ends failed. */
int lh_settle_request(struct lh_turning *turning, struct lh_dispatch *dispatch,
                      const struct lh_target_entry *entry, int64_t request, struct lh_error *err);

/* retry.c: a failed request of an enabled webhook. *retried 0: it is not failed any more. */
int lh_retry_request(struct lh_turning *turning, int64_t request, int *retried,
                     struct lh_error *err);
/* Why a webhook's requests cannot be retried now, and what to do, into `message`; "": they can. */
void lh_retry_refusal(enum lh_status status, const char *name, const struct lh_id *id,
                      char message[LH_RETRY_MESSAGE_MAX]);

/*
** sessions.c: how many workers live. One that was killed leaves its row until another comes, but
** its lock is gone at once; one that hangs or is stopped keeps its lock: its heartbeat tells.
*/
int lh_sessions_alive(const struct lh_lock *lock, struct lh_connection *connection, int64_t now_ms,
                      int64_t *alive, struct lh_error *err);

/* lease.c: gives one webhook as many leases as it may have; sets its due time. */
int lh_lease_serve(struct lh_turning *turning, struct lh_dispatch *dispatch, size_t slots_max,
                   struct lh_error *err);

enum lh_form {
  LH_FORM_ANY,   /* a request of a deliver span is leased */
  LH_FORM_FAILED /* stops where a deliver span begins */
};
/*
** form.c: the next request of a webhook from the log. *formed: 1 a request, 0 nothing (more) to
** form, 2 what there is waits for more (due_ms is set).
*/
int lh_form_next(struct lh_turning *turning, struct lh_dispatch *dispatch,
                 struct lh_target_entry *entry, enum lh_form which, int *formed,
                 struct lh_error *err);
/* Ends the showing of a request with its lease and counts it: slots, bytes, in flight. */
int lh_form_hand_over(struct lh_turning *turning, struct lh_dispatch *dispatch,
                      const struct lh_lease *lease, int64_t bytes, struct lh_error *err);
/* Shows the events of a formed request to the visitor. */
int lh_form_replay(struct lh_turning *turning, int64_t request, int64_t *bytes,
                   struct lh_error *err);

#endif
