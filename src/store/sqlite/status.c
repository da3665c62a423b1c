/*
** A webhook's status, and the spans that follow from it (design §2.1, §3a.1,
** §3a.3). What becomes of an event is decided by the span that its position
** lies in, so a change of status writes spans: from the cursor on for what was
** accepted before it, from the log's head on for what comes later. Turning
** what waits is settle.c's work.
*/
#include "store/sqlite/turn.h"

static int put_span(struct lh_tx *tx, int64_t webhook, const struct lh_span *span,
                    struct lh_error *err) {
  sqlite3_stmt *put = lh_connection_sql(tx->connection, LH_SQL_SPAN_PUT, err);
  if (put == NULL) return err->code;
  sqlite3_bind_int64(put, 1, webhook);
  sqlite3_bind_int64(put, 2, span->from);
  sqlite3_bind_int(put, 3, (int)span->mode);
  sqlite3_bind_int(put, 4, (int)span->reason);
  sqlite3_bind_text(put, 5, span->event_types, -1, SQLITE_STATIC);
  return lh_connection_done(tx->connection, put, err);
}

int lh_status_span_at_head(struct lh_tx *tx, const struct lh_dispatch *dispatch, char *event_types,
                           struct lh_error *err) {
  static const enum lh_span_mode modes[] = {
      [LH_STATUS_ENABLED] = LH_SPAN_DELIVER,
      [LH_STATUS_PAUSED] = LH_SPAN_FAIL,
      [LH_STATUS_DISABLED] = LH_SPAN_SKIP,
      [LH_STATUS_DELETED] = LH_SPAN_SKIP,
  };
  struct lh_span span = {.mode = modes[dispatch->status], .event_types = event_types};
  if (span.mode == LH_SPAN_FAIL) span.reason = LH_REASON_PAUSED;
  int rc = lh_tx_head(tx, &span.from, err);
  span.from++;
  return rc == LH_OK ? put_span(tx, dispatch->webhook, &span, err) : rc;
}

/* The deliver span at the cursor is split there; those behind it take the new mode too. */
static int fail_from_cursor(struct lh_tx *tx, const struct lh_dispatch *dispatch,
                            enum lh_reason reason, struct lh_error *err) {
  int64_t from = dispatch->cursor + 1;
  sqlite3_stmt *at = lh_connection_sql(tx->connection, LH_SQL_SPAN_AT, err);
  sqlite3_stmt *later = lh_connection_sql(tx->connection, LH_SQL_SPANS_LATER_MODE, err);
  if (at == NULL || later == NULL) return err->code;
  sqlite3_bind_int64(at, 1, dispatch->webhook);
  sqlite3_bind_int64(at, 2, from);
  int row = lh_connection_row(tx->connection, at, err);
  if (row < 0) return err->code;
  int rc = LH_OK;
  if (row > 0 && sqlite3_column_int(at, 1) == LH_SPAN_DELIVER) {
    char *types = (char *)(uintptr_t)lh_column_text(at, 0);
    const struct lh_span span = {from, LH_SPAN_FAIL, reason, types, NULL, 0};
    rc = put_span(tx, dispatch->webhook, &span, err);
  }
  sqlite3_reset(at);
  if (rc != LH_OK) return rc;
  sqlite3_bind_int64(later, 1, dispatch->webhook);
  sqlite3_bind_int64(later, 2, from);
  sqlite3_bind_int(later, 3, LH_SPAN_FAIL);
  sqlite3_bind_int(later, 4, (int)reason);
  return lh_connection_done(tx->connection, later, err);
}

static int change(struct lh_tx *tx, struct lh_dispatch *dispatch, enum lh_status status,
                  const char *why, int64_t now_ms, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_DISPATCH_STATUS, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, dispatch->webhook);
  sqlite3_bind_text(statement, 2, why, -1, SQLITE_STATIC);
  sqlite3_bind_int64(statement, 3, now_ms);
  sqlite3_bind_int64(statement, 4, dispatch->epoch);
  sqlite3_bind_int(statement, 5, (int)dispatch->epoch_reason);
  dispatch->status = status;
  dispatch->revision++;
  dispatch->failing = 0;
  dispatch->next_start_ms = status == LH_STATUS_ENABLED ? 0 : now_ms;
  dispatch->due_ms = now_ms;
  dispatch->asleep = 0;
  dispatch->dirty = 1;
  return lh_connection_done(tx->connection, statement, err);
}

/* What was accepted before ends failed for this reason, whatever comes after. */
static void begin_epoch(struct lh_dispatch *dispatch, enum lh_reason reason) {
  dispatch->epoch++;
  dispatch->epoch_reason = reason;
}

int lh_status_pause(struct lh_tx *tx, struct lh_dispatch *dispatch, const char *why, int64_t now_ms,
                    struct lh_error *err) {
  if (dispatch->status != LH_STATUS_ENABLED) return LH_OK;
  int rc = fail_from_cursor(tx, dispatch, LH_REASON_PAUSED, err);
  if (rc != LH_OK) return rc;
  begin_epoch(dispatch, LH_REASON_PAUSED);
  rc = change(tx, dispatch, LH_STATUS_PAUSED, why, now_ms, err);
  return rc == LH_OK ? lh_notice_add(tx, dispatch, 0, why, now_ms, err) : rc;
}

int lh_status_stop(struct lh_tx *tx, struct lh_dispatch *dispatch, enum lh_status status,
                   char *event_types, int64_t now_ms, struct lh_error *err) {
  enum lh_reason reason = status == LH_STATUS_DELETED ? LH_REASON_DELETED : LH_REASON_DISABLED;
  int rc = fail_from_cursor(tx, dispatch, reason, err);
  if (rc != LH_OK) return rc;
  begin_epoch(dispatch, reason);
  rc = change(tx, dispatch, status, "", now_ms, err);
  return rc == LH_OK ? lh_status_span_at_head(tx, dispatch, event_types, err) : rc;
}

int lh_status_enable(struct lh_tx *tx, struct lh_dispatch *dispatch, char *event_types,
                     int64_t now_ms, struct lh_error *err) {
  int rc = change(tx, dispatch, LH_STATUS_ENABLED, "", now_ms, err);
  dispatch->failed_in_a_row = 0;
  return rc == LH_OK ? lh_status_span_at_head(tx, dispatch, event_types, err) : rc;
}
