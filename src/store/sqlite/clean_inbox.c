/*
** Retention of the inbox (design §3a.17). It is cut at its old end: below the
** first unfinished task and the cursor of every handler in use, but for events
** with a task that failed lately, which a person may still retry. Marks have a
** time of their own and outlive their event.
*/
#include "store/sqlite/clean.h"

/* The last position that may go: nobody works on it or will, and the newest one stays. */
static int find_floor(struct lh_cleaning *cleaning, int64_t *floor, struct lh_error *err) {
  struct lh_clean *clean = cleaning->clean;
  struct lh_connection *connection = cleaning->tx->connection;
  int64_t head = 0, unfinished = INT64_MAX, cursor = INT64_MAX;
  int rc = lh_tx_inbox_head(cleaning->tx, &head, err);
  if (rc == LH_OK) rc = lh_clean_number(cleaning, LH_SQL_CLEAN_UNFINISHED, &unfinished, err);
  sqlite3_stmt *lowest = lh_connection_sql(connection, LH_SQL_CLEAN_CURSOR, err);
  if (rc != LH_OK || lowest == NULL) return err->code;
  sqlite3_bind_int64(lowest, 1, clean->now_ms - clean->retention_ms);
  int row = lh_connection_row(connection, lowest, err);
  if (row < 0) return err->code;
  if (row > 0 && sqlite3_column_type(lowest, 0) != SQLITE_NULL)
    cursor = sqlite3_column_int64(lowest, 0);
  if (row > 0) sqlite3_reset(lowest);
  *floor = clean->cut < head - 1 ? clean->cut : head - 1;
  if (unfinished - 1 < *floor) *floor = unfinished - 1;
  if (cursor < *floor) *floor = cursor;
  return LH_OK;
}

/* The event's tasks go, and their handlers' counts with them. */
static int delete_tasks(struct lh_cleaning *cleaning, int64_t position, struct lh_error *err) {
  struct lh_connection *connection = cleaning->tx->connection;
  sqlite3_stmt *tasks = lh_connection_sql(connection, LH_SQL_CLEAN_TASKS_OF, err);
  sqlite3_stmt *count = lh_connection_sql(connection, LH_SQL_CLEAN_COUNT, err);
  int row = 0, rc = LH_OK;
  if (tasks == NULL || count == NULL) return err->code;
  sqlite3_bind_int64(tasks, 1, position);
  while (rc == LH_OK && (row = lh_connection_row(connection, tasks, err)) > 0) {
    sqlite3_bind_int64(count, 1, sqlite3_column_int64(tasks, 0));
    sqlite3_bind_int64(count, 2, sqlite3_column_int64(tasks, 1));
    rc = lh_connection_done(connection, count, err);
    cleaning->rows--;
  }
  sqlite3_reset(tasks);
  if (row < 0 || rc != LH_OK) return err->code;
  return lh_clean_run(cleaning, LH_SQL_CLEAN_TASKS, position, 0, err);
}

/*
** Deletes events behind clean->at that nothing keeps. They are read in pieces, because rows are
** deleted while none is being read.
*/
static int cut_inbox(struct lh_cleaning *cleaning, struct lh_error *err) {
  struct {
    int64_t position, bytes;
    int kept;
  } some[LH_CLEAN_ROWS / 4];
  const int most = (int)(sizeof some / sizeof *some);
  struct lh_clean *clean = cleaning->clean;
  struct lh_connection *connection = cleaning->tx->connection;
  int64_t floor = 0;
  int row = 0, count = 0;
  int rc = find_floor(cleaning, &floor, err);
  sqlite3_stmt *rows = lh_connection_sql(connection, LH_SQL_CLEAN_INBOX_ROWS, err);
  if (rc != LH_OK || rows == NULL) return err->code;
  sqlite3_bind_int64(rows, 1, clean->at);
  sqlite3_bind_int64(rows, 2, floor);
  sqlite3_bind_int64(rows, 3, clean->now_ms - clean->failed_retention_ms);
  sqlite3_bind_int(rows, 4, most);
  for (; count < most && (row = lh_connection_row(connection, rows, err)) > 0; count++) {
    some[count].position = sqlite3_column_int64(rows, 0);
    some[count].bytes = sqlite3_column_int64(rows, 1);
    some[count].kept = sqlite3_column_int(rows, 2);
  }
  sqlite3_reset(rows);
  if (row < 0) return err->code;
  int done = 0;
  for (; done < count && rc == LH_OK && cleaning->rows > 0 && cleaning->bytes > 0; done++) {
    clean->at = some[done].position;
    cleaning->rows--;
    if (some[done].kept) continue;
    rc = delete_tasks(cleaning, some[done].position, err);
    if (rc == LH_OK)
      rc = lh_clean_run(cleaning, LH_SQL_CLEAN_INBOX_ROW, some[done].position, 0, err);
    cleaning->bytes -= some[done].bytes;
    clean->received++;
  }
  if (rc == LH_OK && done == count && count < most) clean->phase = LH_CLEAN_MARKS;
  return rc;
}

/*
** Marks that are old enough, of events that are gone. The oldest are looked at
** first; were all of a step's still needed, the rest would wait.
*/
static int delete_marks(struct lh_cleaning *cleaning, struct lh_error *err) {
  struct lh_clean *clean = cleaning->clean;
  struct lh_connection *connection = cleaning->tx->connection;
  int64_t kept_ms = clean->dedupe_ms > clean->retention_ms ? clean->dedupe_ms : clean->retention_ms;
  int64_t low = 0;
  int rc = lh_clean_number(cleaning, LH_SQL_CLEAN_INBOX_LOW, &low, err);
  sqlite3_stmt *marks = lh_connection_sql(connection, LH_SQL_CLEAN_MARKS, err);
  if (rc != LH_OK || marks == NULL) return err->code;
  sqlite3_bind_int64(marks, 1, clean->now_ms - kept_ms);
  sqlite3_bind_int(marks, 2, LH_CLEAN_ROWS);
  sqlite3_bind_int64(marks, 3, low);
  rc = lh_connection_done(connection, marks, err);
  if (rc != LH_OK) return rc;
  cleaning->rows -= LH_CLEAN_ROWS;
  if (sqlite3_changes(connection->db) == 0) clean->phase = LH_CLEAN_DONE;
  return LH_OK;
}

int lh_clean_inbox(struct lh_cleaning *cleaning, struct lh_error *err) {
  struct lh_clean *clean = cleaning->clean;
  int over = 0, rc;
  switch ((enum lh_clean_phase)clean->phase) {
  case LH_CLEAN_INBOX_CUT:
    rc = lh_clean_find_cut(cleaning, LH_SQL_CLEAN_INBOX_LOW, LH_SQL_CLEAN_INBOX_AGES, &over, err);
    if (rc != LH_OK || !over) return rc;
    clean->at = clean->low - 1;
    clean->phase = clean->cut > 0 ? LH_CLEAN_INBOX : LH_CLEAN_MARKS;
    return LH_OK;
  case LH_CLEAN_INBOX:
    return cut_inbox(cleaning, err);
  case LH_CLEAN_MARKS:
    return delete_marks(cleaning, err);
  default:
    return LH_OK;
  }
}
