/*
** What was done in equal spans of time: rows of figures added up, and what the
** webhooks' hot rows hold of the span that runs. Bounded: of very many rows the
** newest count, and the answer says from when on it is complete.
*/
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/sqlite.h"

#define ROWS_MAX 200000 /* of figures; a hundred webhooks' week */

struct adding {
  struct lh_connection *reader;
  const struct lh_series_query *query;
  struct lh_figures *sums; /* one a point */
  size_t count;
  int64_t webhook, account; /* 0: any */
  int64_t complete_from_ms;
};

/* The number of what the query names. 1 it is there, 0 not, -1 failure. */
static int find(struct adding *adding, struct lh_error *err) {
  const struct lh_series_query *query = adding->query;
  sqlite3_stmt *statement = lh_connection_sql(
      adding->reader, query->webhook_id != NULL ? LH_SQL_WEBHOOK_BY_ID : LH_SQL_ACCOUNT_FIND, err);
  if (statement == NULL) return -1;
  if (query->webhook_id != NULL)
    sqlite3_bind_blob(statement, 1, query->webhook_id->bytes, LH_ID_BYTES, SQLITE_TRANSIENT);
  else
    sqlite3_bind_text(statement, 1, query->account, -1, SQLITE_TRANSIENT);
  int row = lh_connection_row(adding->reader, statement, err);
  if (row <= 0) return row;
  if (query->webhook_id != NULL)
    adding->webhook = sqlite3_column_int64(statement, LH_COLUMN_WEBHOOK);
  else
    adding->account = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  return 1;
}

static void add(struct adding *adding, int64_t from_ms, const void *blob, int len) {
  struct lh_figures figures;
  const struct lh_series_query *query = adding->query;
  if (from_ms < query->from_ms || from_ms > query->to_ms) return;
  if (blob == NULL || lh_figures_decode(blob, (size_t)len, &figures) != LH_OK) return;
  lh_figures_merge(&adding->sums[(from_ms - query->from_ms) / query->step_ms], &figures);
}

/* A statement with (from_ms, figures) columns, newest first if there may be many. */
static int add_all(struct adding *adding, enum lh_sql which, struct lh_error *err) {
  sqlite3_stmt *rows = lh_connection_sql(adding->reader, which, err);
  int64_t last_ms = INT64_MAX;
  int row = 0, left = ROWS_MAX;
  if (rows == NULL) return err->code;
  sqlite3_bind_int64(rows, 1, adding->query->from_ms);
  sqlite3_bind_int64(rows, 2, adding->webhook != 0 ? adding->webhook : adding->account);
  while (left-- > 0 && (row = lh_connection_row(adding->reader, rows, err)) > 0) {
    last_ms = sqlite3_column_int64(rows, 0);
    add(adding, last_ms, sqlite3_column_blob(rows, 1), sqlite3_column_bytes(rows, 1));
  }
  sqlite3_reset(rows);
  if (row > 0) adding->complete_from_ms = last_ms + LH_FIGURES_MS;
  return row < 0 ? (int)err->code : LH_OK;
}

static int add_up(struct adding *adding, struct lh_error *err) {
  enum lh_sql stored = adding->webhook != 0   ? LH_SQL_SERIES_OF_WEBHOOK
                       : adding->account != 0 ? LH_SQL_SERIES_OF_ACCOUNT
                                              : LH_SQL_SERIES_OF_ALL;
  enum lh_sql running = adding->webhook != 0   ? LH_SQL_RUNNING_OF_WEBHOOK
                        : adding->account != 0 ? LH_SQL_RUNNING_OF_ACCOUNT
                                               : LH_SQL_RUNNING_OF_ALL;
  int rc = add_all(adding, running, err);
  return rc == LH_OK ? add_all(adding, stored, err) : rc;
}

static int put_points(const struct adding *adding, struct lh_series *series, struct lh_error *err) {
  series->rows = calloc(adding->count, sizeof *series->rows);
  if (series->rows == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  series->count = adding->count;
  series->complete_from_ms = adding->complete_from_ms;
  for (size_t i = 0; i < adding->count; i++) {
    series->rows[i].from_ms = adding->query->from_ms + (int64_t)i * adding->query->step_ms;
    series->rows[i].done = lh_recent_of(&adding->sums[i]);
  }
  return LH_OK;
}

static int read_series(struct adding *adding, struct lh_series *series, struct lh_error *err) {
  const struct lh_series_query *query = adding->query;
  int named = query->webhook_id != NULL || query->account != NULL;
  int found = named ? find(adding, err) : 1;
  if (found < 0) return err->code;
  if (found == 0 && query->webhook_id != NULL)
    return lh_error_set(err, LH_E_NOT_FOUND, "no webhook has this id");
  int rc = found > 0 ? add_up(adding, err) : LH_OK;
  return rc == LH_OK ? put_points(adding, series, err) : rc;
}

int lh_sqlite_series(struct lh_store *store, const struct lh_series_query *query,
                     struct lh_series *series, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(series, 0, sizeof *series);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  if (query->step_ms < LH_FIGURES_MS || query->to_ms < query->from_ms ||
      (query->to_ms - query->from_ms) / query->step_ms >= LH_SERIES_POINTS_MAX)
    return lh_error_set(err, LH_E_INVALID, "series: not 1 to %d points", LH_SERIES_POINTS_MAX);
  struct adding adding = {.reader = reader, .query = query};
  adding.count = (size_t)((query->to_ms - query->from_ms) / query->step_ms) + 1;
  adding.sums = calloc(adding.count, sizeof *adding.sums);
  if (adding.sums == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  int rc = lh_connection_run(reader->db, "BEGIN", err); /* one moment for all of it */
  if (rc == LH_OK) {
    rc = read_series(&adding, series, err);
    lh_connection_reset_all(reader);
    sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
  }
  free(adding.sums);
  return rc;
}
