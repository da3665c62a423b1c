/*
** One attempt's result: into its request (core/delivery.h decides), its
** webhook's counters and the attempt log. A result whose lease is no longer
** held by its reporter is a late one.
*/
#include <string.h>

#include "core/pause.h"
#include "store/sqlite/turn.h"

static int put_attempt(struct lh_tx *tx, const struct lh_attempt_result *result,
                       struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_ATTEMPT_PUT, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, result->request);
  sqlite3_bind_int(statement, 2, result->attempt);
  sqlite3_bind_int64(statement, 3, result->started_ms);
  if (result->duration_ms < 0)
    sqlite3_bind_null(statement, 4);
  else
    sqlite3_bind_int64(statement, 4, result->duration_ms);
  sqlite3_bind_int(statement, 5, (int)result->outcome);
  sqlite3_bind_int(statement, 6, result->status);
  sqlite3_bind_text(statement, 7, result->error, -1, SQLITE_STATIC);
  sqlite3_bind_text(statement, 8, result->url, -1, SQLITE_STATIC);
  sqlite3_bind_text(statement, 9, result->nonce, -1, SQLITE_STATIC);
  sqlite3_bind_blob64(statement, 10, result->response, result->response_len, SQLITE_STATIC);
  sqlite3_bind_int(statement, 11, (int)result->sent);
  if (result->tags_len > 0) {
    sqlite3_bind_int64(statement, 12, result->revision);
    sqlite3_bind_blob64(statement, 13, result->tags, result->tags_len, SQLITE_STATIC);
  } else { /* the statement keeps its last values */
    sqlite3_bind_null(statement, 12);
    sqlite3_bind_null(statement, 13);
  }
  return lh_connection_done(tx->connection, statement, err);
}

static int count_attempt(struct lh_tx *tx, struct lh_dispatch *dispatch,
                         const struct lh_attempt_result *result, int64_t at_ms,
                         struct lh_error *err) {
  struct lh_figures *figures = lh_dispatch_figures(tx, dispatch, at_ms, err);
  if (figures == NULL) return err->code;
  dispatch->attempts++;
  figures->attempts++;
  if (result->kind != LH_INPUT_SUCCESS) figures->failed_attempts++;
  if (result->duration_ms >= 0) lh_lengths_add(&figures->attempt, result->duration_ms);
  return LH_OK;
}

/* Logs it; a late one mostly takes the place of the lost one that was logged before. */
static int log_attempt(struct lh_tx *tx, struct lh_dispatch *dispatch,
                       const struct lh_attempt_result *result, int late, int64_t at_ms,
                       struct lh_error *err) {
  int known = 0;
  if (late) {
    sqlite3_stmt *here = lh_connection_sql(tx->connection, LH_SQL_ATTEMPT_HERE, err);
    if (here == NULL) return err->code;
    sqlite3_bind_int64(here, 1, result->request);
    sqlite3_bind_int(here, 2, result->attempt);
    known = lh_connection_row(tx->connection, here, err);
    if (known < 0) return err->code;
    sqlite3_reset(here);
  }
  dispatch->dirty = 1;
  int rc = known ? LH_OK : count_attempt(tx, dispatch, result, at_ms, err);
  return rc == LH_OK ? put_attempt(tx, result, err) : rc;
}

/* Whose result is it? One that is not the present lease's can still come, and count, late. */
static enum lh_input_kind kind_of(const struct lh_attempt_result *result,
                                  const struct lh_request_hot *row, int64_t session) {
  int ours = row->delivery.state == LH_SENDING && row->session == session &&
             row->delivery.attempts_made == result->attempt;
  if (ours) return result->kind;
  return result->kind == LH_INPUT_SUCCESS ? LH_INPUT_LATE_SUCCESS : LH_INPUT_LATE_FAILURE;
}

int lh_record_effects(struct lh_tx *tx, struct lh_dispatch *dispatch,
                      const struct lh_target_entry *entry, const struct lh_stepped *stepped,
                      struct lh_error *err) {
  const struct lh_webhook *webhook = &entry->target.webhook;
  unsigned effects = stepped->effects;
  if (effects & LH_EFFECT_FAILING_START) {
    int64_t interval_ms = (int64_t)webhook->retry_interval_s * 1000;
    dispatch->failing++;
    dispatch->next_start_ms = stepped->now_ms + lh_retry_backoff_ms(dispatch->failing, interval_ms);
  }
  if (effects & LH_EFFECT_FAILING_END) dispatch->failing = 0;
  if (effects & LH_EFFECT_DELIVERED) {
    int64_t at_ms = stepped->row->delivery.finished_ms;
    dispatch->failed_in_a_row = 0;
    /* One recorded late ended before those in between. A time in the future was a wrong clock's. */
    if (at_ms > dispatch->last_delivered_ms || dispatch->last_delivered_ms > stepped->now_ms)
      dispatch->last_delivered_ms = at_ms;
  }
  if ((effects & (LH_EFFECT_DELIVERED | LH_EFFECT_FAILED)) &&
      dispatch->ordered_request == stepped->row->request)
    dispatch->ordered_request = 0;
  if (effects & LH_EFFECT_FAILED) {
    const struct lh_request_hot *row = stepped->row;
    int rc =
        lh_notice_failed(tx, dispatch, row->request, row->delivery.reason, stepped->now_ms, err);
    if (rc != LH_OK) return rc;
  }
  if (!(effects & LH_EFFECT_COUNT_FAILURE)) return LH_OK;
  dispatch->failed_in_a_row++;
  if (dispatch->status != LH_STATUS_ENABLED ||
      !lh_pause_due(dispatch->failed_in_a_row, webhook->pause_after))
    return LH_OK;
  return lh_status_pause(tx, dispatch, "failures", stepped->now_ms, err);
}

/*
** Waits count from the end of the attempt, however late it is recorded; never from the future. What
** a change of status decides it decides now, not before it was made.
*/
static int64_t when(const struct lh_attempt_result *result, const struct lh_delivery_policy *policy,
                    int64_t epoch, int64_t now_ms) {
  int stopped = policy->status != LH_STATUS_ENABLED || epoch < policy->epoch;
  int ended = result->kind == LH_INPUT_SUCCESS || (result->kind == LH_INPUT_FAILURE && !stopped);
  return ended && result->ended_ms > 0 && result->ended_ms < now_ms ? result->ended_ms : now_ms;
}

int lh_record(struct lh_tx *tx, struct lh_attempt_result *result, int64_t session, int64_t now_ms,
              struct lh_error *err) {
  struct lh_request_hot row;
  struct lh_target_entry *entry;
  struct lh_delivery_policy policy;
  result->effects = LH_EFFECT_NONE;
  result->paused_webhook = 0;
  int rc = lh_request_load(tx, result->request, &row, err);
  if (rc == LH_E_NOT_FOUND) return LH_OK; /* cut by retention: nobody can ask for it any more */
  if (rc != LH_OK) return rc;
  struct lh_dispatch *dispatch = lh_dispatch_get(tx, row.webhook, err);
  if (dispatch == NULL) return err->code;
  rc = lh_target_get(tx, row.webhook, dispatch->revision, &entry, err);
  if (rc != LH_OK) return rc;
  lh_request_policy(dispatch, entry, &policy);
  struct lh_input input = {kind_of(result, &row, session), result->retry_after_ms,
                           result->jitter_ppm, row.given_back};
  int was_sending = row.delivery.state == LH_SENDING;
  int64_t at_ms = when(result, &policy, row.delivery.epoch, now_ms);
  rc = lh_request_step(&row, &input, &policy, at_ms, &result->effects, err);
  if (rc != LH_OK) return rc;
  result->after = row.delivery;
  int late = input.kind == LH_INPUT_LATE_SUCCESS || input.kind == LH_INPUT_LATE_FAILURE;
  if (result->effects & LH_EFFECT_LOG_ATTEMPT)
    rc = log_attempt(tx, dispatch, result, late, at_ms, err);
  if (rc != LH_OK || (result->effects & LH_EFFECT_REFUSED)) return rc;
  if (was_sending && row.delivery.state != LH_SENDING) dispatch->in_flight--;
  row.given_back = input.kind == LH_INPUT_GIVEN_BACK ? row.given_back + 1 : 0;
  dispatch->dirty = 1;
  dispatch->asleep = 0;
  if (dispatch->due_ms > now_ms) dispatch->due_ms = now_ms; /* a slot is free: look again */
  rc = lh_request_save(tx, &row, err);
  int64_t epoch = dispatch->epoch;
  /* Began before the back-off, beside the first that failed: no further step of 1, 2, 4 … s. */
  if ((result->effects & LH_EFFECT_FAILING_START) && dispatch->failing > 0 &&
      row.started_ms < dispatch->next_start_ms)
    dispatch->failing--;
  const struct lh_stepped stepped = {&row, result->effects, now_ms};
  if (rc == LH_OK) rc = lh_record_effects(tx, dispatch, entry, &stepped, err);
  result->paused_webhook = dispatch->epoch != epoch;
  return rc;
}
