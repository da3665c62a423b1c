/* Figures of webhooks, for people and monitors: what waits, what was done, how long it took. */
#ifndef LH_STORE_STATS_H
#define LH_STORE_STATS_H

#include "core/delivery.h"
#include "core/id.h"
#include "core/limits.h"
#include "core/task.h"

/* Lengths that half, 95 and 99 of a hundred do not exceed; -1: none was measured. */
struct lh_percentiles {
  int64_t p50_ms, p95_ms, p99_ms;
};

/* What was done in a window of time. */
struct lh_recent {
  int64_t delivered; /* requests */
  int64_t delivered_events;
  int64_t failed; /* requests */
  int64_t attempts;
  int64_t failed_attempts;
  struct lh_percentiles attempt;  /* of attempts whose end was seen */
  struct lh_percentiles delivery; /* from emit (of a batch's oldest event) to delivery */
};

struct lh_webhook_stats {
  struct lh_id id;
  char account[LH_ACCOUNT_MAX + 1];
  char name[LH_NAME_MAX + 1];
  enum lh_status status;
  int64_t waiting;                 /* matching events not yet in a request */
  int waiting_more;                /* 1: counting stopped at a limit, there are more */
  int64_t requests[LH_FAILED + 1]; /* rows of the log by state; being sent is in flight */
  int64_t attempts;                /* rows of the attempt log */
  int64_t oldest_undelivered_ms;   /* when the oldest event not finished was emitted, 0: none */
  int64_t last_delivered_ms;       /* when a request was delivered last, 0: never */
  struct lh_recent recent;
};

struct lh_stats_query {
  const struct lh_id *webhook_id; /* one webhook, or NULL */
  const char *account;            /* one account's, or NULL */
  int64_t since_ms;               /* the window of `recent`; figures are kept for a week */
  int with_webhooks;              /* 1: a row for each that is not deleted */
};

/* What was received, in all. */
struct lh_inbox_stats {
  int64_t events; /* positions in use: one that was cut between kept ones counts too */
  int64_t tasks[LH_TASK_FAILED + 1]; /* by state */
  int64_t oldest_unfinished_ms;      /* when the oldest event with an unfinished task came, 0 */
};

struct lh_stats {
  struct lh_webhook_stats sum; /* of all that the query means, deleted ones included */
  int64_t recent_from_ms;      /* where the window really begins */
  int64_t events;              /* of the whole store, in the log */
  int64_t webhooks;            /* not deleted */
  int64_t accounts;
  struct lh_inbox_stats inbox;
  int64_t database_bytes;
  int64_t wal_bytes;
  struct lh_webhook_stats *rows; /* LH_LIST_LIMIT_MAX at most, oldest first */
  size_t count;
  int more; /* 1: there are more webhooks than rows */
};
void lh_stats_clear(struct lh_stats *stats);

#endif
