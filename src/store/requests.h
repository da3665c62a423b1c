/*
** Table group: requests, attempts, leases and sessions (design §2.1, §3a).
** A worker lives in `turn`: one transaction that records what happened and
** hands out what to do next.
*/
#ifndef LH_STORE_REQUESTS_H
#define LH_STORE_REQUESTS_H

#include "core/delivery.h"
#include "core/envelope.h"
#include "core/event.h"
#include "core/outcome.h"
#include "core/webhook.h"

struct lh_store;

/*
** What a worker needs to send to a webhook, as it is now. Shared and counted; take with _hold,
** give back with _release.
*/
struct lh_target {
  struct lh_webhook webhook;
  int64_t revision; /* changes with every edit */
  struct lh_hmac_key *keys
      /*
      ** the signing key, and the other one during a rotation (standard signs with both); NULL: the
      ** secret cannot be read
      */
      [2];
  int holders; /* the store's business */
};

/* The right to make one attempt. */
struct lh_lease {
  int64_t request; /* the store's number of the request */
  struct lh_id request_id;
  int32_t attempt;          /* its number, from 1 */
  int32_t count;            /* events */
  int64_t created_ms;       /* of the request: created_date */
  struct lh_target *target; /* borrowed during `end`; hold it there to keep it */
};

/*
** How the turn shows a request to the worker: begin, each event in order, then
** end with the lease. Events go straight from the store's pages into the
** worker's body, so nothing is read or copied twice. Pure C, called inside the
** transaction, possibly on another thread of this process while the caller
** waits; must not call the store. A non-zero return undoes the whole turn with
** that code. Nothing that was shown counts before `turn` has returned 0.
*/
struct lh_lease_visitor {
  void *self;
  int (*begin)(void *self);
  int (*event)(void *self, const struct lh_event *event);
  int (*end)(void *self, const struct lh_lease *lease);
};

/* Did anything of an attempt's request leave? Numbers are stored; do not renumber. */
enum lh_sent {
  LH_SENT_UNKNOWN = 0, /* its worker was lost, or an earlier version recorded it */
  LH_SENT_YES = 1,
  LH_SENT_NO = 2 /* no address, no connection, refused: its headers are what would have been sent */
};

/* How an attempt ended, for recording. Texts are borrowed during the call. */
struct lh_attempt_result {
  int64_t request;
  int32_t attempt;
  enum lh_input_kind
      kind; /* SUCCESS, FAILURE, LOST or GIVEN_BACK; the store finds out if it is late */
  enum lh_outcome outcome;
  int status;
  int64_t started_ms;
  int64_t ended_ms;
  int64_t duration_ms;
  int64_t retry_after_ms;
  uint32_t jitter_ppm;
  const char *error; /* "" if none */
  const char *url;
  const char *nonce;
  const unsigned char *tags; /* the signature's, as of core/head.h */
  size_t tags_len;           /* 0: no headers were built */
  int64_t revision;          /* of the target that they were built from */
  enum lh_sent sent;
  const char *response;
  size_t response_len;
  /* out, after the turn: */
  struct lh_delivery after; /* the request's new state */
  unsigned effects;         /* enum lh_effect */
  int paused_webhook;       /* 1: this result paused its webhook */
};

struct lh_turn {
  int64_t session;
  int64_t now_ms;
  struct lh_attempt_result *results;
  size_t result_count;
  size_t slots;  /* leases wanted at most; 0 while draining */
  int64_t bytes; /* bodies wanted at most; a lease is granted while more than 0 is left */
  int form_all;  /* 1: nothing waits to be formed, neither for batch_wait_ms nor for its minute */
  const struct lh_lease_visitor *visitor; /* may be NULL if slots is 0 */
  /* out: */
  size_t leased;
  int64_t next_due_ms;      /* when the store next has something due, INT64_MAX if nothing waits */
  int more;                 /* 1: the turn stopped at its bound; call again at once */
  size_t failed_unsent;     /* requests that failed in this turn without an attempt */
  size_t paused_unreadable; /* webhooks paused in it because their secret does not decrypt */
  int session_dead;         /* 1: others declared this session dead; open a new one */
  int job_open;             /* 1: a stored job waits to be worked off (jobs.h) */
};

/* Counts of what is unfinished, for --until-idle. */
struct lh_pending_work {
  int64_t due;        /* due now or not yet formed, of enabled webhooks; and open jobs */
  int64_t sending;    /* leased by anybody */
  int64_t later;      /* waiting for a later time */
  int64_t given_back; /* of `later` and `due`: only because attempts were given back */
};

/* One row of the request log. */
struct lh_request_row {
  int64_t request;
  struct lh_id request_id;
  struct lh_id webhook_id;
  struct lh_delivery delivery;
  int32_t count;
  int64_t created_ms;
  struct lh_id *event_ids; /* count of them; owned by the list */
};

struct lh_request_list {
  struct lh_request_row *rows;
  size_t count;
  int64_t next; /* cursor for the following page, 0: no more */
};
void lh_request_list_clear(struct lh_request_list *list);

struct lh_request_filter {
  int state;                      /* enum lh_state, or -1 */
  const char *account;            /* or NULL */
  const struct lh_id *webhook_id; /* or NULL */
  const struct lh_id *event_id;   /* or NULL */
  const char *member;             /* or NULL */
  const char *event_type;         /* of one of its events that are still in the log, or NULL */
  int64_t since_ms;               /* created at or after; 0: any */
  int64_t until_ms;               /* created before; 0: any */
  int64_t after;                  /* cursor; 0: from the newest */
  int limit;                      /* 1..LH_LIST_LIMIT_MAX */
};

/* One row of the attempt log; texts are owned by the list. */
struct lh_attempt_row {
  int32_t number;
  int64_t started_ms;
  int64_t duration_ms; /* -1: unknown (lost) */
  enum lh_outcome outcome;
  int status;
  char *error;
  char *url;
  char *nonce;
  enum lh_sent sent;
  unsigned char tags[LH_TAGS_MAX];
  size_t tags_len;       /* 0: its headers are not known; scheme and custom say nothing then */
  enum lh_scheme scheme; /* as it was when it was made */
  char *custom;          /* the same of the webhook's headers, "" if it had none */
  char *response;
  size_t response_len;
};
struct lh_attempt_list {
  struct lh_attempt_row *rows;
  size_t count;
};
void lh_attempt_list_clear(struct lh_attempt_list *list);

/* What becomes of a webhook's events from a position on. Numbers are stored; do not renumber. */
enum lh_span_mode { LH_SPAN_DELIVER = 0, LH_SPAN_FAIL = 1, LH_SPAN_SKIP = 2 };

/* What one webhook did, or will do, with an event. Texts are owned by the list. */
struct lh_explained {
  struct lh_webhook webhook; /* as it is now */
  int covered;               /* 0: it did not exist when the event was emitted; the rest is empty */
  enum lh_span_mode mode;    /* of the span that the event lies in */
  enum lh_reason reason;     /* fail: of what it collects */
  char *event_types;         /* that were wanted in it, joined by '\n' */
  int64_t span_ms;           /* when the first event that it still holds was emitted */
  int subscribed;            /* event_types take the event */
  int passed;                /* 1: nothing of it waits to be formed any more */
  struct lh_request_list request;  /* the one that holds it, or none */
  struct lh_attempt_list attempts; /* its attempts */
  int stopped;                     /* it waits, but a pause, disable or delete came since */
  int32_t in_flight;               /* requests of the webhook that are being sent */
  int32_t failing;                 /* attempts of it that failed in a row; 0: it answers */
  int64_t next_start_ms;           /* failing: no attempt before; stopped: no part batch before */
  int64_t due_ms; /* when a worker looks at it, INT64_MAX: not before something changes */
};
struct lh_explanation {
  struct lh_explained *rows; /* of the event's account, oldest webhook first */
  size_t count;
  int64_t workers; /* that are alive */
};
void lh_explanation_clear(struct lh_explanation *explanation);

struct lh_store_requests {
  /*
  ** Opens a worker's session; its life is seen by others through a lock that ends with the
  ** process.
  */
  int (*session_open)(struct lh_store *store, int64_t now_ms, int64_t *session,
                      struct lh_error *err);
  /* Ends it; attempts it still holds are rescued as lost. */
  void (*session_close)(struct lh_store *store, int64_t session, int64_t now_ms);
  /*
  ** Heartbeat (write at most every LH_HEARTBEAT_MS) and rescue of dead sessions' attempts, a
  ** bounded number; *rescued counts them.
  */
  int (*rescue)(struct lh_store *store, int64_t session, int64_t now_ms, size_t *rescued,
                struct lh_error *err);
  /* Records, then leases (due retries first, then newly formed requests). All or nothing. */
  int (*turn)(struct lh_store *store, struct lh_turn *turn, struct lh_error *err);
  /*
  ** A descriptor that becomes readable when another process or VM commits something due; -1: none,
  ** use the safety timer. Owned by the store.
  */
  int (*wake_fd)(struct lh_store *store);
  /* Empties the descriptor. */
  void (*wake_clear)(struct lh_store *store);
  int (*pending_work)(struct lh_store *store, int64_t now_ms, struct lh_pending_work *work,
                      struct lh_error *err);
  /*
  ** Newest first. One call does a bounded amount of work whatever the filter is, so a page may hold
  ** fewer than `limit` rows, even none, while `next` says that there may be more.
  */
  int (*list)(struct lh_store *store, const struct lh_request_filter *filter,
              struct lh_request_list *list, struct lh_error *err);
  /* One request (a list of one) and its attempts. LH_E_NOT_FOUND. */
  int (*get)(struct lh_store *store, const struct lh_id *request_id, struct lh_request_list *list,
             struct lh_attempt_list *attempts, struct lh_error *err);
  /*
  ** The bytes that every attempt of a request sends, built in *buffer; *body points into it.
  ** LH_E_NOT_FOUND.
  */
  int (*body)(struct lh_store *store, const struct lh_id *request_id, struct lh_buffer *buffer,
              struct lh_slice *body, struct lh_error *err);
  /*
  ** What became of an event, for each webhook of its account (LH_LIST_LIMIT_MAX at most); those
  ** deleted before it was emitted are left out. LH_E_NOT_FOUND: unknown, or older than the log.
  */
  int (*explain)(struct lh_store *store, const struct lh_id *event_id,
                 struct lh_explanation *explanation, struct lh_error *err);
  /* Targets given to visitors. From any thread; hold is the one call a visitor may make. */
  void (*target_hold)(struct lh_store *store, struct lh_target *target);
  void (*target_release)(struct lh_store *store, struct lh_target *target);
};

#endif
