/*
** Totals that never fall. A span's figures go into the table when the span is
** over, in the transaction that ends it; those that run are in the webhooks'
** hot rows, and a total is the sum of both. Retention does not touch them.
*/
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/sqlite/turn.h"

#define ROOM_BYTES (4 * 1024 * 1024) /* free on the disk; less is as good as full */

/* Rows of the table. Numbers are stored; do not renumber. */
enum item {
  ITEM_DELIVERED = 1,
  ITEM_DELIVERED_EVENTS,
  ITEM_FAILED,
  ITEM_ATTEMPTS,
  ITEM_FAILED_ATTEMPTS,
  ITEM_ATTEMPT = 1000, /* … + bucket */
  ITEM_DELIVERY = 2000
};

const char *const lh_schema_totals[] = {"CREATE TABLE totals ("
                                        " item INTEGER PRIMARY KEY,"
                                        " count INTEGER NOT NULL CHECK (count >= 0)"
                                        ") STRICT;"
                                        "ALTER TABLE jobs ADD COLUMN until_ms INTEGER NOT NULL "
                                        "DEFAULT 0;", /* only made before; 0 any */
                                        NULL};

static int add(struct lh_connection *connection, int item, int64_t count, struct lh_error *err) {
  if (count <= 0) return LH_OK;
  sqlite3_stmt *statement = lh_connection_sql(connection, LH_SQL_TOTAL_ADD, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int(statement, 1, item);
  sqlite3_bind_int64(statement, 2, count);
  return lh_connection_done(connection, statement, err);
}

int lh_totals_add(struct lh_connection *connection, const struct lh_figures *figures,
                  struct lh_error *err) {
  int rc = add(connection, ITEM_DELIVERED, figures->delivered, err);
  if (rc == LH_OK) rc = add(connection, ITEM_DELIVERED_EVENTS, figures->delivered_events, err);
  if (rc == LH_OK) rc = add(connection, ITEM_FAILED, figures->failed, err);
  if (rc == LH_OK) rc = add(connection, ITEM_ATTEMPTS, figures->attempts, err);
  if (rc == LH_OK) rc = add(connection, ITEM_FAILED_ATTEMPTS, figures->failed_attempts, err);
  for (int i = 0; i < LH_LENGTHS && rc == LH_OK; i++) {
    rc = add(connection, ITEM_ATTEMPT + i, figures->attempt.counts[i], err);
    if (rc == LH_OK) rc = add(connection, ITEM_DELIVERY + i, figures->delivery.counts[i], err);
  }
  return rc;
}

int lh_totals_close(struct lh_connection *connection, int64_t webhook, struct lh_error *err) {
  struct lh_figures figures;
  sqlite3_stmt *running = lh_connection_sql(connection, LH_SQL_RUNNING_OF_WEBHOOK, err);
  if (running == NULL) return err->code;
  sqlite3_bind_int64(running, 2, webhook);
  int row = lh_connection_row(connection, running, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  (void)lh_figures_decode(sqlite3_column_blob(running, 1), (size_t)sqlite3_column_bytes(running, 1),
                          &figures);
  sqlite3_reset(running);
  return lh_totals_add(connection, &figures, err);
}

/* ---- reading ---- */

static void take(struct lh_totals *totals, int item, int64_t count) {
  switch ((enum item)item) {
  case ITEM_DELIVERED:
    totals->delivered += count;
    break;
  case ITEM_DELIVERED_EVENTS:
    totals->delivered_events += count;
    break;
  case ITEM_FAILED:
    totals->failed += count;
    break;
  case ITEM_ATTEMPTS:
    totals->attempts += count;
    break;
  case ITEM_FAILED_ATTEMPTS:
    totals->failed_attempts += count;
    break;
  default:
    if (item >= ITEM_ATTEMPT && item < ITEM_ATTEMPT + LH_LENGTHS)
      totals->attempt[item - ITEM_ATTEMPT] += count;
    else if (item >= ITEM_DELIVERY && item < ITEM_DELIVERY + LH_LENGTHS)
      totals->delivery[item - ITEM_DELIVERY] += count;
  }
}

static int take_stored(struct lh_connection *reader, struct lh_totals *totals,
                       struct lh_error *err) {
  sqlite3_stmt *rows = lh_connection_sql(reader, LH_SQL_TOTALS, err);
  int row;
  if (rows == NULL) return err->code;
  while ((row = lh_connection_row(reader, rows, err)) > 0)
    take(totals, sqlite3_column_int(rows, 0), sqlite3_column_int64(rows, 1));
  return row < 0 ? (int)err->code : LH_OK;
}

static int take_running(struct lh_connection *reader, struct lh_totals *totals,
                        struct lh_error *err) {
  sqlite3_stmt *rows = lh_connection_sql(reader, LH_SQL_RUNNING_OF_ALL, err);
  struct lh_figures figures;
  int row;
  if (rows == NULL) return err->code;
  while ((row = lh_connection_row(reader, rows, err)) > 0) {
    (void)lh_figures_decode(sqlite3_column_blob(rows, 1), (size_t)sqlite3_column_bytes(rows, 1),
                            &figures);
    totals->delivered += figures.delivered;
    totals->delivered_events += figures.delivered_events;
    totals->failed += figures.failed;
    totals->attempts += figures.attempts;
    totals->failed_attempts += figures.failed_attempts;
    for (int i = 0; i < LH_LENGTHS; i++) {
      totals->attempt[i] += figures.attempt.counts[i];
      totals->delivery[i] += figures.delivery.counts[i];
    }
  }
  return row < 0 ? (int)err->code : LH_OK;
}

/* The newest rows are never deleted, and positions have no gaps at the new end. */
static int take_heads(struct lh_connection *reader, struct lh_totals *totals,
                      struct lh_error *err) {
  sqlite3_stmt *heads = lh_connection_sql(reader, LH_SQL_TOTAL_HEADS, err);
  if (heads == NULL || lh_connection_row(reader, heads, err) <= 0) return err->code;
  totals->emitted = sqlite3_column_int64(heads, 0);
  totals->received = sqlite3_column_int64(heads, 1);
  sqlite3_reset(heads);
  return LH_OK;
}

int lh_sqlite_totals(struct lh_store *store, struct lh_totals *totals, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(totals, 0, sizeof *totals);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  int rc = lh_connection_run(reader->db, "BEGIN", err); /* one moment: nothing counts twice */
  if (rc != LH_OK) return rc;
  rc = take_heads(reader, totals, err);
  if (rc == LH_OK) rc = take_stored(reader, totals, err);
  if (rc == LH_OK) rc = take_running(reader, totals, err);
  lh_connection_reset_all(reader);
  sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
  return rc;
}

/* ---- can it work? ---- */

static int has_room(const char *path) {
  struct statvfs found;
  return access(path, W_OK) == 0 && statvfs(path, &found) == 0 &&
         (uint64_t)found.f_bavail * found.f_frsize >= ROOM_BYTES;
}

int lh_sqlite_vitals(struct lh_store *store, int64_t now_ms, struct lh_vitals *vitals,
                     struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(vitals, 0, sizeof *vitals);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  sqlite3_stmt *last = reader != NULL ? lh_connection_sql(reader, LH_SQL_NOTICES_LAST, err) : NULL;
  if (last == NULL || lh_connection_row(reader, last, err) <= 0) return err->code;
  vitals->notices_last = sqlite3_column_int64(last, 0);
  sqlite3_reset(last);
  vitals->key_present = access(self->committer->key_path, R_OK) == 0;
  vitals->writable = has_room(self->committer->path);
  return lh_sessions_alive(&self->committer->lock, reader, now_ms, &vitals->workers, err);
}
