/*
** Figures of the span of time that runs are in a webhook's hot row, which is
** saved anyway; when the next span begins they become a row of the table. So
** counting costs no write of its own.
*/
#include <string.h>

#include "store/sqlite/turn.h"

/* A moment that lies so little before the running span is counted in it. */
#define LATE_MS INT64_C(3600000)

/* A clock that was set back, and forward again, comes to the same span twice. */
static int add_stored(struct lh_tx *tx, struct lh_dispatch *dispatch, struct lh_error *err) {
  struct lh_figures stored;
  sqlite3_stmt *get = lh_connection_sql(tx->connection, LH_SQL_FIGURES_GET, err);
  if (get == NULL) return err->code;
  sqlite3_bind_int64(get, 1, dispatch->webhook);
  sqlite3_bind_int64(get, 2, dispatch->figures_ms);
  int row = lh_connection_row(tx->connection, get, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  (void)lh_figures_decode(sqlite3_column_blob(get, 0), (size_t)sqlite3_column_bytes(get, 0),
                          &stored);
  lh_figures_merge(&dispatch->figures, &stored);
  sqlite3_reset(get);
  return LH_OK;
}

static int put(struct lh_tx *tx, struct lh_dispatch *dispatch, struct lh_error *err) {
  unsigned char bytes[LH_FIGURES_BYTES_MAX];
  if (lh_figures_encode(&dispatch->figures, bytes) == 0) return LH_OK;
  int rc = lh_totals_add(tx->connection, &dispatch->figures, err);
  if (rc == LH_OK) rc = add_stored(tx, dispatch, err);
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_FIGURES_PUT, err);
  if (rc != LH_OK || statement == NULL) return rc != LH_OK ? rc : (int)err->code;
  sqlite3_bind_int64(statement, 1, dispatch->webhook);
  sqlite3_bind_int64(statement, 2, dispatch->figures_ms);
  sqlite3_bind_blob64(statement, 3, bytes, lh_figures_encode(&dispatch->figures, bytes),
                      SQLITE_STATIC);
  return lh_connection_done(tx->connection, statement, err);
}

struct lh_figures *lh_dispatch_figures(struct lh_tx *tx, struct lh_dispatch *dispatch,
                                       int64_t at_ms, struct lh_error *err) {
  int64_t span_ms = lh_figures_span(at_ms);
  int same = span_ms <= dispatch->figures_ms && span_ms > dispatch->figures_ms - LATE_MS;
  dispatch->dirty = 1;
  if (same) return &dispatch->figures;
  if (put(tx, dispatch, err) != LH_OK) return NULL;
  dispatch->figures_ms = span_ms;
  memset(&dispatch->figures, 0, sizeof dispatch->figures);
  return &dispatch->figures;
}
