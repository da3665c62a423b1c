/*
** A second opinion about a store: what must have become of every event, request, notice and mail,
** kept in plain arrays and by plain rules (design §2.1, §3, §3a), without positions, cursors, spans
** or due times. test_model.c does things to a store at random and tells the model; model_sync.c
** compares the two. The model says what may be and what must end; when a worker does it is free.
*/
#ifndef SPEC_CONTRACT_MODEL_H
#define SPEC_CONTRACT_MODEL_H

#include "spec/c/fake_clock.h"
#include "store/store.h"

#define MODEL_EVENTS 400
#define MODEL_REQUESTS 4096
#define MODEL_WEBHOOKS 14
#define MODEL_TYPES 4
#define MODEL_SECRETS 5
#define MODEL_HANDLES 2
#define MODEL_LEASES 64
#define MODEL_JOBS 64

enum model_fate {
  FATE_NONE,    /* not wanted: too early, other type, other account, disabled, deleted */
  FATE_DELIVER, /* waits to be formed and sent */
  FATE_FAIL,    /* waits to be formed as failed */
  FATE_FORMED   /* is in a request */
};

struct model_event {
  struct lh_id id;
  int account, type;
  int64_t created_ms;
  char data[32];
  int gone; /* cut by retention */
};

struct model_webhook {
  struct lh_id id;
  int account;
  enum lh_status status;
  enum lh_reason epoch_reason, reason_before;
  int64_t epoch;
  char event_types[128]; /* as the store has them */
  int32_t batch_size, retries_max, pause_after, max_in_flight, failed_in_a_row;
  int ordered, failing;
  int secret, secret_next; /* -1: none waits */
  int64_t secret_until_ms;
  int64_t notices, told, covered; /* covered: by a mail that may have arrived; 0: none */
  char message_id[LH_MESSAGE_ID_MAX];
  int enabled_since; /* step */
  int gone;
  enum model_fate fate[MODEL_EVENTS];
  enum lh_reason why[MODEL_EVENTS];
  int formed_new; /* a request was formed and leased in this step */
};

struct model_request {
  int known, gone;
  struct lh_id id;
  int webhook;
  int events[100];
  int count;
  enum lh_state state;
  enum lh_reason reason;
  int attempts, budget_start;
  int64_t epoch, next_ms, finished_ms, created_ms;
  int64_t session;  /* while sending */
  int failed_since; /* step */
};

struct model_lease {
  int64_t request;
  int attempt;
  int64_t session;
};

struct model_job {
  struct lh_id id;
  int webhook, account; /* -1: any */
  enum lh_reason reason;
  int64_t from_ms;         /* failed from then on */
  int made, settled, over; /* steps; 0: not yet */
  int64_t settled_ms;      /* a clock that was set back makes later failures look earlier */
};

struct model {
  struct lh_store *store;
  struct fake_clock *clock;
  uint64_t seed, state;
  int step;
  int64_t latest_ms; /* that the clock has shown */
  struct model_event events[MODEL_EVENTS];
  int event_count;
  struct model_webhook webhooks[MODEL_WEBHOOKS];
  int webhook_count;
  struct model_request requests[MODEL_REQUESTS]; /* by the store's number */
  struct model_lease leases[MODEL_LEASES];
  int lease_count;
  struct model_job jobs[MODEL_JOBS];
  int job_count;
  int may_retry;                   /* this step may make failed requests wait again */
  const struct model_job *stepped; /* only for this job */
  int may_clean;                   /* this step may delete */
  int cleaned_notices;             /* retention of failed ones and notices ran */
  struct lh_clean clean;
  unsigned char leased[MODEL_REQUESTS]; /* in this step: new ones */
};

extern const char *const model_types[MODEL_TYPES], *const model_categories[MODEL_TYPES];
extern const char *const model_accounts[2];
extern const struct lh_piece model_secrets[MODEL_SECRETS];

uint64_t model_random(struct model *model, uint64_t below);
/* Ends the test with seed, step and these words. */
__attribute__((format(printf, 2, 3))) void model_wrong(const struct model *model, const char *words,
                                                       ...);
#define MODEL_MUST(model, holds, ...)                                                              \
  do {                                                                                             \
    if (!(holds)) model_wrong(model, __VA_ARGS__);                                                 \
  } while (0)

/* ---- model.c: what follows from what was done ---- */

void model_emitted(struct model *model, const struct lh_id *id, int account, int type,
                   const char *data);
/* A webhook was paused, disabled or deleted. */
void model_stopped(struct model *model, struct model_webhook *webhook, enum lh_status status);
void model_enabled(struct model *model, struct model_webhook *webhook);
void model_rotated(struct model *model, struct model_webhook *webhook, int secret,
                   int64_t overlap_ms);
/* The secret that signs now. */
int model_secret(const struct model *model, struct model_webhook *webhook);
/* An attempt ended; `session` reports. */
void model_ended(struct model *model, const struct model_lease *lease, enum lh_input_kind kind,
                 int64_t session);
/* A request failed of itself, or of a change: notices and the count of failures. */
void model_failed(struct model *model, struct model_request *request, enum lh_reason reason);
int model_waits(const struct model_request *request);
int model_in_flight(const struct model *model, int webhook);
/* Would this job have to have retried it by now? */
int model_job_missed(const struct model *model, const struct model_job *job,
                     const struct model_request *request);
/* Does the job mean it, whenever it failed? */
int model_job_means(const struct model *model, const struct model_job *job,
                    const struct model_request *request);

/* ---- model_sync.c: what the store says, compared ---- */

/* Reads every request and webhook; takes over what the store may do on its own. */
void model_sync(struct model *model);
/* What is dear to ask: figures, explanations, events that are gone. */
void model_sync_all(struct model *model);
/* A webhook's index by its id; -1. */
int model_webhook_of(const struct model *model, const struct lh_id *id);
int model_event_of(const struct model *model, const struct lh_id *id);

#endif
