/*
** The engine room's inner door: what its files know of each other. Nobody
** outside src/engine includes it.
**
** engine.c        the door's functions: open, step, drain, abort, close
** dispatcher.c    one turn of the store, then starting what it leased
** collector.c     results of the transport become results for the store
** headers.c       nonce, signature and header lines of one attempt
** transfers.c     memory of attempts and bodies, reused and bounded
** mailer.c        mails: slots, ends, when those about notices are due
** caller.c        calls of handlers: what flies, what ended
** tasker.c        handlers' tasks: the store's doors for whoever runs them
** rescuer.c, cleaner.c, checkpointer.c   timers
** probe.c         one attempt outside log and budget, without an engine
** jobber.c        stored jobs, a step between the turns
*/
#ifndef LH_ENGINE_PARTS_H
#define LH_ENGINE_PARTS_H

#include "core/envelope.h"
#include "core/limits.h"
#include "engine/engine.h"

#define LH_NONCE_TEXT_MAX 24

/* One attempt in this worker's memory, from being shown in a turn until its event was read. */
struct lh_transfer {
  struct lh_transfer *next; /* while on a list */
  size_t place;             /* index in `flying` while there */
  struct lh_lease lease;    /* its target is held from commit to recording */
  struct lh_buffer buffer;  /* the body's memory; goes back to the pool when the exchange ended */
  struct lh_slice body;
  struct lh_buffer lines; /* header lines, each with its NUL */
  const char **headers;   /* into `lines` */
  size_t header_count;
  size_t header_cap;
  struct lh_buffer texts; /* of the result: error, NUL, response */
  char nonce[LH_NONCE_TEXT_MAX];
  unsigned char tags[LH_TAGS_MAX]; /* the signature's */
  size_t tags_len;                 /* 0: no headers were built */
  int64_t started_ms;              /* wall */
};

struct lh_transfers {
  struct lh_transfer *unused; /* list */
  struct lh_transfer *told;   /* list: recorded, their texts are in the report of this step */
  struct lh_transfer **shown; /* shown in the running turn; not ours before it commits */
  size_t shown_count;
  struct lh_transfer **flying; /* with the transport */
  size_t flying_count;
  size_t cap;             /* of shown, flying and kept: the engine's concurrency */
  int64_t flying_bytes;   /* of the bodies with the transport */
  struct lh_buffer *kept; /* bodies' memory for reuse */
  size_t kept_count;
  size_t kept_bytes;
};

/* 0 or LH_E_MEMORY. */
int lh_transfers_init(struct lh_transfers *transfers, size_t cap);
/* Frees all; nothing may be flying. */
void lh_transfers_clear(struct lh_transfers *transfers);
/*
** The next one to show, with a buffer from the pool; it stays the next one
** until it is counted in shown_count. NULL: no memory.
*/
struct lh_transfer *lh_transfers_next(struct lh_transfers *transfers);
/* Gives it to the transport, with its own address as the tag. Codes: the transport's. */
int lh_transfer_start(struct lh_transport *transport, struct lh_transfer *transfer,
                      struct lh_error *err);
/* Frees what a transfer holds, not the struct. */
void lh_transfer_clear(struct lh_transfer *transfer);
/* Forgets what the turn showed after the first `keep`. */
void lh_transfers_forget_shown(struct lh_transfers *transfers, size_t keep);
void lh_transfers_fly(struct lh_transfers *transfers, struct lh_transfer *transfer);
/* Takes it out of flying; the body's memory goes back to the pool. */
void lh_transfers_land(struct lh_transfers *transfers, struct lh_transfer *transfer);
/* Body's memory back to the pool (or freed, if the pool holds enough). */
void lh_transfers_drop_body(struct lh_transfers *transfers, struct lh_transfer *transfer);
void lh_transfers_tell(struct lh_transfers *transfers, struct lh_transfer *transfer);
/* What was told may be used again. */
void lh_transfers_recycle(struct lh_transfers *transfers);

/* Last nonce of recently attempted requests: a standing or stepping clock repeats none. */
struct lh_nonce_memory {
  int64_t request;
  int64_t nonce_ms;
};

/* One mail in this worker's memory. */
enum lh_mail_slot_state {
  LH_MAIL_SLOT_FREE,
  LH_MAIL_SLOT_FLYING, /* with the transport; the slot's address is its tag */
  LH_MAIL_SLOT_ENDED,  /* not yet in a report */
  LH_MAIL_SLOT_TOLD    /* its text is lent until the next step */
};
struct lh_mail_slot {
  enum lh_mail_slot_state state;
  struct lh_engine_mail_end end;
  char error[LH_MAIL_ERROR_MAX];
};

/* One call in this worker's memory; `end` is first, because taking it takes all. */
struct lh_call_slot {
  struct lh_engine_call_end end;
  size_t place; /* index in `flying` while there */
  size_t body_len;
};

struct lh_calls {
  struct lh_call_slot **flying; /* with the transport; a slot's address is its tag */
  size_t flying_count;
  size_t flying_cap;
  struct lh_engine_call_end *ended; /* not yet taken */
  struct lh_engine_call_end **ended_tail;
  size_t ended_count;
  int64_t number; /* of the last one */
  size_t bodies;  /* bytes of those that fly */
  int64_t room;   /* bytes that answers may still take */
};

struct lh_engine {
  struct lh_store *store;
  struct lh_transport *transport;
  const struct lh_clock *clock;
  size_t concurrency;
  int64_t bodies_bytes_max;
  int64_t session;       /* 0: none, open one before the next turn */
  int64_t tasks_session; /* of the last turn with handlers, whose tasks may run; 0: none */
  int draining;
  int aborted;
  int form_all;

  struct lh_transfers transfers;
  struct lh_attempt_result *results; /* waiting to be recorded; at most `concurrency` */
  struct lh_transfer **result_of;    /* whose they are */
  size_t result_count;
  struct lh_nonce_memory *nonces; /* LH_NONCE_MEMORY of them, by request number */

  struct lh_engine_event *events; /* of this step */
  size_t event_count;
  size_t event_cap;
  int told; /* the events were handed to the caller */
  size_t started;
  size_t rescued;
  size_t failed_unsent;
  size_t paused_unreadable;
  size_t job_steps;
  struct lh_job job; /* after the last of them */
  struct lh_mail_slot mails[LH_MAILS_IN_FLIGHT_MAX];
  struct lh_engine_mail_end mail_ends[LH_MAILS_IN_FLIGHT_MAX]; /* of this step */
  size_t mail_end_count;
  int64_t mail_number; /* of the last one */
  int sends_notices;
  int handles_only;
  struct lh_calls calls;
  int64_t retention_ms, failed_retention_ms, dedupe_ms;
  int64_t opened_wall_ms, opened_monotonic_ms; /* when the engine was opened */
  struct lh_clean clean;                       /* the run that is under way, if more is set */
  int64_t cleaned_events, cleaned_requests, cleaned_received;
  int *fds; /* the caller's and the store's */
  size_t fd_cap;

  /* What to do next, and when. Due times are wall time, all others monotonic. */
  int more;       /* the last turn stopped at its bound */
  int woken;      /* the store says something was committed */
  int woken_told; /* … and no report has said so yet */
  int64_t next_due_ms;
  int64_t mail_due_ms;     /* when the next mail about notices is due */
  int64_t mail_look_at_ms; /* when that is looked up again */
  int64_t turn_at_ms;      /* no turn before: the last one failed */
  int64_t lease_at_ms;     /* no leases before: own shortage */
  int64_t safety_at_ms;    /* a turn at the latest */
  int64_t rescue_at_ms;
  int job_open;        /* the last turn says that a stored job waits */
  int64_t job_at_ms;   /* no step of it before */
  int64_t clean_at_ms; /* no step of retention before */
  int64_t checkpoint_at_ms;
  int checkpoint_wanted; /* something was written since the last one */
};

/* Opens a session if there is none. Codes: the store's. */
int lh_dispatcher_session_renew(struct lh_engine *engine, struct lh_error *err);
/* 1 if leases may be asked for now. */
int lh_dispatcher_may_lease(const struct lh_engine *engine, int64_t monotonic_ms);
/* 1 if a turn has something to do now. */
int lh_dispatcher_turn_due(const struct lh_engine *engine);
/* Records what waits, leases and starts. Codes: the store's; then everything is as before. */
int lh_dispatcher_turn(struct lh_engine *engine, struct lh_error *err);

/* Waits for the transport, the store's descriptor or the caller's, then takes in what ended. */
int lh_collector_gather(struct lh_engine *engine, int wait_ms, const int *fds, size_t fd_count,
                        struct lh_error *err);
/* Result of a transfer that did not get to its end: GIVEN_BACK, LOST or FAILURE with a sentence. */
void lh_collector_end(struct lh_engine *engine, struct lh_transfer *transfer,
                      enum lh_input_kind kind, enum lh_outcome outcome, const char *error);

/* Random 0..1,000,000 for the jitter of a wait. */
uint32_t lh_collector_jitter_ppm(const struct lh_clock *clock);
/* What an answer means for the request under a success rule (design §3.1). */
enum lh_input_kind lh_collector_judge(const struct lh_post_result *answer, enum lh_success success);

/* A nonce for an attempt of a request at now_ms: new for each. */
int64_t lh_headers_nonce(struct lh_engine *engine, int64_t request, int64_t now_ms);
/* Signature and header lines of lease and body. 0, LH_E_MEMORY, or what signing answers. */
int lh_headers_build(struct lh_transfer *transfer, int64_t nonce_ms, struct lh_error *err);

/* Mails with the transport. */
size_t lh_mailer_flying(const struct lh_engine *engine);
void lh_mailer_take_in(struct lh_engine *engine, const struct lh_post_result *answer);
void lh_mailer_cancel_all(struct lh_engine *engine);
/* What ended goes into a report, once; the next step forgets it. */
void lh_mailer_tell(struct lh_engine *engine, struct lh_engine_report *report);
void lh_mailer_recycle(struct lh_engine *engine);
/* Asks the store when the next mail about notices is due, if it is time to; and what it said. */
void lh_mailer_look(struct lh_engine *engine);
int lh_mailer_due(const struct lh_engine *engine);
int64_t lh_mailer_wait_ms(const struct lh_engine *engine);

void lh_caller_init(struct lh_engine *engine);
void lh_caller_take_in(struct lh_engine *engine, const struct lh_post_result *answer);
void lh_caller_cancel_all(struct lh_engine *engine);
/* Frees all; none may be flying. */
void lh_caller_clear(struct lh_engine *engine);

/* Heartbeat and rescue when their time has come. Codes: the store's. */
int lh_rescuer_run(struct lh_engine *engine, struct lh_error *err);
/* 1 if a step of a stored job can be made now. */
int lh_jobber_due(const struct lh_engine *engine, int64_t monotonic_ms);
/* That step. Codes: the store's. */
int lh_jobber_run(struct lh_engine *engine, struct lh_error *err);
/* A step of retention when its time has come, and how long that is. Codes: the store's. */
int lh_cleaner_run(struct lh_engine *engine, struct lh_error *err);
int64_t lh_cleaner_wait_ms(const struct lh_engine *engine, int64_t monotonic_ms);
/* Empties the store's write-ahead log while there is nothing else to do. */
void lh_checkpointer_run(struct lh_engine *engine);

#endif
