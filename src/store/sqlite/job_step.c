/*
** Working off a retry of many (design §2.1, §3a.6): one bounded transaction a
** step, and what takes long but changes nothing is read before it, outside of
** the writer lock. How far a job is stands in its row, so a step needs nothing
** from the one before.
**
** First the webhooks concerned are settled (settle.c), in order of number, so
** that what a pause stopped can be retried. Then the job knows what it covers,
** and visits that once, in order of (webhook, request).
*/
#include <string.h>

#include "store/sqlite/job.h"

#define WEBHOOKS_PER_STEP 64 /* looked at in one step; bounds the rows it holds in memory */
#define SETTLED_PER_STEP 200 /* requests ended failed, unless one webhook has more of its own */

struct stepping {
  struct lh_job_step *step;
  struct lh_job_row row;               /* as it was read; then as it was written */
  int64_t settle[WEBHOOKS_PER_STEP];   /* webhooks to settle next */
  size_t settle_count;                 /* 0: all are */
  int64_t total;                       /* then it counts */
  int64_t requests[LH_RETRY_MANY_MAX]; /* to retry next */
  size_t request_count;
  size_t looks; /* failed requests looked at */
};

/* Over, or somebody else is at it: several at once would only wait for each other's lock. */
static int others(const struct lh_job_row *row, const struct lh_job_step *step) {
  if (row->shown.finished_ms != 0) return 1;
  return row->session != step->session && row->stepped_ms <= step->now_ms &&
         row->stepped_ms + LH_JOB_HELD_MS > step->now_ms;
}

/* ---- before the transaction */

/* Only an enabled webhook that was stopped once can have something to settle. */
static int list_unsettled(struct lh_connection *reader, struct stepping *stepping,
                          struct lh_error *err) {
  const struct lh_job_row *row = &stepping->row;
  sqlite3_stmt *next = lh_connection_sql(reader, LH_SQL_JOB_TO_SETTLE, err);
  int found = 0;
  if (next == NULL) return err->code;
  sqlite3_bind_int64(next, 1, row->at_webhook);
  sqlite3_bind_int64(next, 2, row->webhook);
  sqlite3_bind_int64(next, 3, row->account);
  sqlite3_bind_int(next, 4, WEBHOOKS_PER_STEP);
  while (stepping->settle_count < WEBHOOKS_PER_STEP &&
         (found = lh_connection_row(reader, next, err)) > 0)
    stepping->settle[stepping->settle_count++] = sqlite3_column_int64(next, 0);
  sqlite3_reset(next);
  return found < 0 ? (int)err->code : LH_OK;
}

static int prepare(struct lh_connection *reader, struct stepping *stepping, struct lh_error *err) {
  int rc = lh_job_load(reader, stepping->step->id, &stepping->row, err);
  if (rc != LH_OK || stepping->row.settled_ms != 0) return rc;
  if (others(&stepping->row, stepping->step)) return rc;
  rc = list_unsettled(reader, stepping, err);
  if (rc != LH_OK || stepping->settle_count > 0) return rc;
  struct lh_retry_filter filter = lh_job_filter(&stepping->row.shown);
  return lh_job_total(reader, &filter, INT64_MAX, &stepping->total, err);
}

/* ---- inside it: settling */

static int settle(struct lh_turning *turning, struct stepping *stepping, struct lh_job_row *row,
                  struct lh_error *err) {
  struct lh_target_entry *entry;
  int settled = 1, rc = LH_OK;
  for (size_t i = 0; i < stepping->settle_count && settled; i++) {
    struct lh_dispatch *dispatch = lh_dispatch_get(turning->tx, stepping->settle[i], err);
    if (dispatch == NULL) return err->code;
    if (dispatch->status == LH_STATUS_ENABLED) {
      rc = lh_target_get(turning->tx, dispatch->webhook, dispatch->revision, &entry, err);
      if (rc == LH_OK) rc = lh_settle(turning, dispatch, entry, &settled, err);
      if (rc != LH_OK) return rc;
      dispatch->due_ms = turning->now_ms; /* a worker looks what else it has to do */
      dispatch->dirty = 1;
    }
    if (settled) row->at_webhook = dispatch->webhook;
    if (turning->turn->failed_unsent >= SETTLED_PER_STEP) break;
  }
  turning->tx->wake = 1;
  return rc;
}

/* A clock that was set back leaves failures in the future: they are meant too. */
static int begin(struct lh_turning *turning, const struct stepping *stepping,
                 struct lh_job_row *row, struct lh_error *err) {
  struct lh_connection *connection = turning->tx->connection;
  sqlite3_stmt *last = lh_connection_sql(connection, LH_SQL_FAILED_LAST, err);
  if (last == NULL || lh_connection_row(connection, last, err) <= 0) return err->code;
  int64_t last_ms = sqlite3_column_int64(last, 0);
  sqlite3_reset(last);
  row->settled_ms = last_ms > turning->now_ms ? last_ms : turning->now_ms;
  row->shown.total = stepping->total;
  row->at_webhook = row->webhook;
  row->at_request = 0;
  return LH_OK;
}

/* ---- inside it: retrying */

/* The failed request that the statement stands on: does the job mean it? */
static int covers(const struct lh_job_row *row, sqlite3_stmt *failed) {
  int64_t finished_ms = sqlite3_column_int64(failed, 2);
  return sqlite3_column_int64(failed, 1) >= row->shown.since_ms &&
         (row->shown.until_ms == 0 || sqlite3_column_int64(failed, 1) < row->shown.until_ms) &&
         finished_ms >= row->shown.failed_from_ms && finished_ms <= row->settled_ms &&
         (row->shown.reason == LH_REASON_NONE ||
          sqlite3_column_int(failed, 3) == (int)row->shown.reason);
}

/* Goes through at_webhook's failed requests behind at_request. *more 0: these were the last. */
static int collect_of(struct lh_turning *turning, struct stepping *stepping, struct lh_job_row *row,
                      int *more, struct lh_error *err) {
  struct lh_connection *connection = turning->tx->connection;
  const struct lh_dispatch *dispatch = lh_dispatch_get(turning->tx, row->at_webhook, err);
  sqlite3_stmt *failed = lh_connection_sql(connection, LH_SQL_FAILED_OF, err);
  if (dispatch == NULL || failed == NULL) return err->code;
  *more = 0;
  if (row->account != 0 && dispatch->account != row->account) return LH_OK;
  sqlite3_bind_int64(failed, 1, row->at_webhook);
  sqlite3_bind_int64(failed, 2, row->at_request);
  *more = 1;
  while (*more > 0 && stepping->looks < LH_RETRY_LOOKS_MAX &&
         stepping->request_count < LH_RETRY_MANY_MAX) {
    *more = lh_connection_row(connection, failed, err);
    if (*more <= 0) break;
    stepping->looks++;
    row->at_request = sqlite3_column_int64(failed, 0);
    if (!covers(row, failed)) continue;
    if (dispatch->status == LH_STATUS_ENABLED)
      stepping->requests[stepping->request_count++] = row->at_request;
    else
      row->shown.left_over++;
  }
  sqlite3_reset(failed);
  return *more < 0 ? (int)err->code : LH_OK;
}

/* On to the next webhook that has failed requests. *more 0: there is none. */
static int next_webhook(struct lh_turning *turning, struct lh_job_row *row, int *more,
                        struct lh_error *err) {
  struct lh_connection *connection = turning->tx->connection;
  *more = 0;
  if (row->webhook != 0) return LH_OK;
  sqlite3_stmt *next = lh_connection_sql(connection, LH_SQL_FAILED_WEBHOOK, err);
  if (next == NULL) return err->code;
  sqlite3_bind_int64(next, 1, row->at_webhook);
  int found = lh_connection_row(connection, next, err);
  if (found <= 0) return found < 0 ? (int)err->code : LH_OK;
  row->at_webhook = sqlite3_column_int64(next, 0);
  row->at_request = 0;
  *more = 1;
  sqlite3_reset(next);
  return LH_OK;
}

/* Moves the row on to behind what is retried next. *more 0: nothing is left behind that. */
static int collect(struct lh_turning *turning, struct stepping *stepping, struct lh_job_row *row,
                   int *more, struct lh_error *err) {
  int rc = LH_OK;
  *more = 1;
  if (row->at_webhook == 0) rc = next_webhook(turning, row, more, err);
  for (int i = 0; i < WEBHOOKS_PER_STEP && *more && rc == LH_OK; i++) {
    rc = collect_of(turning, stepping, row, more, err);
    if (rc != LH_OK || *more) return rc;
    rc = next_webhook(turning, row, more, err);
  }
  return rc;
}

static int retry_some(struct lh_turning *turning, struct stepping *stepping, struct lh_job_row *row,
                      struct lh_error *err) {
  int more = 0, retried;
  int rc = collect(turning, stepping, row, &more, err);
  for (size_t i = 0; i < stepping->request_count && rc == LH_OK; i++) {
    rc = lh_retry_request(turning, stepping->requests[i], &retried, err);
    row->shown.retried += retried;
  }
  /* It was counted outside of the lock: some may have failed, or been retried by hand, since. */
  int64_t seen = row->shown.retried + row->shown.left_over;
  if (!more || row->shown.total < seen) row->shown.total = seen;
  if (!more) row->shown.finished_ms = turning->now_ms;
  if (stepping->request_count > 0) turning->tx->wake = 1;
  return rc;
}

static int make(struct lh_turning *turning, struct stepping *stepping, struct lh_job_row *row,
                struct lh_error *err) {
  int rc;
  row->session = stepping->step->session;
  row->stepped_ms = turning->now_ms;
  if (row->settled_ms != 0)
    rc = retry_some(turning, stepping, row, err);
  else if (stepping->settle_count > 0)
    rc = settle(turning, stepping, row, err);
  else
    rc = begin(turning, stepping, row, err);
  return rc == LH_OK ? lh_job_save(turning->tx, row, err) : rc;
}

static int step_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct stepping *stepping = context;
  struct lh_job_row *before = &stepping->row, row;
  struct lh_turn turn = {.now_ms = stepping->step->now_ms};
  struct lh_turning turning;
  int rc = lh_turning_begin(&turning, tx, &turn, err);
  if (rc == LH_OK) rc = lh_job_load(tx->connection, &before->shown.id, &row, err);
  if (rc != LH_OK) return rc;
  stepping->step->made = !others(&row, stepping->step) &&
                         (row.settled_ms != 0 || row.at_webhook == before->at_webhook);
  if (stepping->step->made) rc = make(&turning, stepping, &row, err);
  if (rc == LH_OK) rc = lh_dispatch_save_all(tx, err);
  *before = row;
  before->shown.settled = row.settled_ms != 0;
  stepping->step->failed_unsent = turn.failed_unsent;
  return rc;
}

int lh_sqlite_job_step(struct lh_store *store, struct lh_job_step *step, struct lh_error *err) {
  struct lh_error local;
  struct stepping stepping;
  if (err == NULL) err = &local;
  memset(&stepping, 0, sizeof stepping);
  stepping.step = step;
  step->failed_unsent = 0;
  step->made = 0;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  int rc = prepare(reader, &stepping, err);
  if (rc == LH_OK && !others(&stepping.row, step))
    rc = lh_committer_write(self->committer, step_write, &stepping, err);
  step->job = stepping.row.shown;
  return rc;
}
