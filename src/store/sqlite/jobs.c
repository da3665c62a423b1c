/*
** Stored jobs as rows: made, counted, found, listed. Working one off is in
** job_step.c. Texts that vary are only which conditions stand in the WHERE of
** a count; values are always bound.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/job.h"

static void read_row(sqlite3_stmt *statement, struct lh_job_row *row) {
  struct lh_job *shown = &row->shown;
  memset(row, 0, sizeof *row);
  row->job = sqlite3_column_int64(statement, 0);
  memcpy(shown->id.bytes, sqlite3_column_blob(statement, 1), LH_ID_BYTES);
  snprintf(shown->account, sizeof shown->account, "%s", lh_column_text(statement, 2));
  shown->one_webhook = sqlite3_column_type(statement, 3) != SQLITE_NULL;
  if (shown->one_webhook)
    memcpy(shown->webhook_id.bytes, sqlite3_column_blob(statement, 3), LH_ID_BYTES);
  shown->reason = (enum lh_reason)sqlite3_column_int(statement, 4);
  shown->since_ms = sqlite3_column_int64(statement, 5);
  shown->failed_from_ms = sqlite3_column_int64(statement, 6);
  shown->created_ms = sqlite3_column_int64(statement, 7);
  row->settled_ms = sqlite3_column_int64(statement, 8);
  shown->settled = sqlite3_column_type(statement, 8) != SQLITE_NULL;
  shown->total = sqlite3_column_int64(statement, 9);
  shown->retried = sqlite3_column_int64(statement, 10);
  shown->left_over = sqlite3_column_int64(statement, 11);
  shown->finished_ms = sqlite3_column_int64(statement, 12);
  row->account = sqlite3_column_int64(statement, 13);
  row->webhook = sqlite3_column_int64(statement, 14);
  row->at_webhook = sqlite3_column_int64(statement, 15);
  row->at_request = sqlite3_column_int64(statement, 16);
  row->session = sqlite3_column_int64(statement, 17);
  row->stepped_ms = sqlite3_column_int64(statement, 18);
  shown->until_ms = sqlite3_column_int64(statement, 19);
}

int lh_job_load(struct lh_connection *connection, const struct lh_id *id, struct lh_job_row *row,
                struct lh_error *err) {
  sqlite3_stmt *statement =
      lh_connection_sql(connection, id != NULL ? LH_SQL_JOB_BY_ID : LH_SQL_JOB_FIRST_OPEN, err);
  if (statement == NULL) return err->code;
  if (id != NULL) sqlite3_bind_blob(statement, 1, id->bytes, LH_ID_BYTES, SQLITE_STATIC);
  int found = lh_connection_row(connection, statement, err);
  if (found < 0) return err->code;
  if (found == 0)
    return lh_error_set(err, LH_E_NOT_FOUND, id != NULL ? "no job has this id" : "no job is open");
  read_row(statement, row);
  sqlite3_reset(statement);
  return LH_OK;
}

/* A time or a number; 0: none. Always bound: a statement keeps what it was given before. */
static void bind_if_any(sqlite3_stmt *statement, int column, int64_t value) {
  if (value != 0)
    sqlite3_bind_int64(statement, column, value);
  else
    sqlite3_bind_null(statement, column);
}

int lh_job_save(struct lh_tx *tx, const struct lh_job_row *row, struct lh_error *err) {
  const struct lh_job *shown = &row->shown;
  sqlite3_stmt *save = lh_connection_sql(tx->connection, LH_SQL_JOB_SAVE, err);
  if (save == NULL) return err->code;
  sqlite3_bind_int64(save, 1, row->job);
  bind_if_any(save, 2, row->settled_ms);
  sqlite3_bind_int64(save, 3, row->at_webhook);
  sqlite3_bind_int64(save, 4, row->at_request);
  sqlite3_bind_int64(save, 5, shown->total);
  sqlite3_bind_int64(save, 6, shown->retried);
  sqlite3_bind_int64(save, 7, shown->left_over);
  bind_if_any(save, 8, shown->finished_ms);
  sqlite3_bind_int64(save, 9, row->session);
  sqlite3_bind_int64(save, 10, row->stepped_ms);
  return lh_connection_done(tx->connection, save, err);
}

struct lh_retry_filter lh_job_filter(const struct lh_job *job) {
  return (struct lh_retry_filter){
      .account = job->account[0] != '\0' ? job->account : NULL,
      .webhook_id = job->one_webhook ? &job->webhook_id : NULL,
      .reason = job->reason,
      .since_ms = job->since_ms,
      .until_ms = job->until_ms,
      .failed_from_ms = job->failed_from_ms,
  };
}

int lh_job_total(struct lh_connection *reader, const struct lh_retry_filter *filter,
                 int64_t until_ms, int64_t *total, struct lh_error *err) {
  char text[512];
  sqlite3_stmt *count = NULL;
  snprintf(text, sizeof text,
           "SELECT count(*) FROM requests INDEXED BY requests_failed WHERE state = 4"
           " AND created_ms >= ?1 AND finished_ms BETWEEN ?2 AND ?3%s%s%s%s",
           filter->until_ms > 0 ? " AND created_ms < ?7" : "",
           filter->reason != LH_REASON_NONE ? " AND reason = ?4" : "",
           filter->webhook_id != NULL ? " AND webhook = (SELECT webhook FROM webhooks WHERE id"
                                        " = ?5)"
                                      : "",
           filter->account != NULL ? " AND webhook IN (SELECT webhook FROM dispatch WHERE account"
                                     " = (SELECT account FROM accounts WHERE name = ?6))"
                                   : "");
  int rc = sqlite3_prepare_v2(reader->db, text, -1, &count, NULL);
  if (rc != SQLITE_OK) return lh_connection_error(reader->db, rc, err);
  sqlite3_bind_int64(count, 1, filter->since_ms);
  sqlite3_bind_int64(count, 2, filter->failed_from_ms);
  sqlite3_bind_int64(count, 3, until_ms);
  if (filter->until_ms > 0) sqlite3_bind_int64(count, 7, filter->until_ms);
  if (filter->reason != LH_REASON_NONE) sqlite3_bind_int(count, 4, (int)filter->reason);
  if (filter->webhook_id != NULL)
    sqlite3_bind_blob(count, 5, filter->webhook_id->bytes, LH_ID_BYTES, SQLITE_STATIC);
  if (filter->account != NULL) sqlite3_bind_text(count, 6, filter->account, -1, SQLITE_STATIC);
  int row = lh_connection_row(reader, count, err);
  if (row > 0) *total = sqlite3_column_int64(count, 0);
  sqlite3_finalize(count);
  return row > 0 ? LH_OK : (int)err->code;
}

int lh_sqlite_job_count(struct lh_store *store, const struct lh_retry_filter *filter,
                        int64_t *total, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  return lh_job_total(reader, filter, INT64_MAX, total, err);
}

struct creating {
  const struct lh_retry_filter *filter;
  int64_t now_ms;
  struct lh_job_row row;
  char account[LH_ACCOUNT_MAX + 1]; /* whose requests it is about; "": all */
};

/* Sets the row's webhook, unless its requests cannot be retried now. */
static int find_webhook(struct lh_tx *tx, struct creating *creating, struct lh_error *err) {
  const struct lh_id *id = creating->filter->webhook_id;
  char message[LH_RETRY_MESSAGE_MAX];
  sqlite3_stmt *find = lh_connection_sql(tx->connection, LH_SQL_WEBHOOK_BY_ID, err);
  if (find == NULL) return err->code;
  sqlite3_bind_blob(find, 1, id->bytes, LH_ID_BYTES, SQLITE_STATIC);
  int row = lh_connection_row(tx->connection, find, err);
  if (row < 0) return err->code;
  if (row == 0) return lh_error_set(err, LH_E_NOT_FOUND, "no webhook has this id");
  creating->row.webhook = sqlite3_column_int64(find, LH_COLUMN_WEBHOOK);
  lh_column_put(creating->account, sizeof creating->account, find, 1);
  lh_retry_refusal((enum lh_status)sqlite3_column_int(find, 7), lh_column_text(find, 2), id,
                   message);
  sqlite3_reset(find);
  return message[0] == '\0' ? LH_OK : lh_error_set(err, LH_E_REFUSED, "%s", message);
}

static int find_account(struct lh_tx *tx, struct creating *creating, struct lh_error *err) {
  const char *name = creating->filter->account;
  int64_t unused;
  snprintf(creating->account, sizeof creating->account, "%s", name);
  int rc = lh_tx_known(tx, name, "", &creating->row.account, &unused, err);
  if (rc != LH_OK || creating->row.account != 0) return rc;
  return lh_error_set(err, LH_E_NOT_FOUND, "there is no account '%s'", name);
}

static int check_open(struct lh_tx *tx, struct lh_error *err) {
  sqlite3_stmt *count = lh_connection_sql(tx->connection, LH_SQL_JOBS_OPEN, err);
  if (count == NULL || lh_connection_row(tx->connection, count, err) <= 0) return err->code;
  int64_t open = sqlite3_column_int64(count, 0);
  sqlite3_reset(count);
  if (open < LH_JOBS_OPEN_MAX) return LH_OK;
  return lh_error_set(err, LH_E_LIMIT,
                      "%d retries of many are under way, the limit: a worker works them off",
                      LH_JOBS_OPEN_MAX);
}

static int insert(struct lh_tx *tx, struct creating *creating, struct lh_error *err) {
  const struct lh_retry_filter *filter = creating->filter;
  sqlite3_stmt *add = lh_connection_sql(tx->connection, LH_SQL_JOB_ADD, err);
  sqlite3_stmt *trim = lh_connection_sql(tx->connection, LH_SQL_JOBS_TRIM, err);
  if (add == NULL || trim == NULL) return err->code;
  int rc = lh_tx_id(tx, creating->now_ms, &creating->row.shown.id, err);
  if (rc != LH_OK) return rc;
  sqlite3_bind_blob(add, 1, creating->row.shown.id.bytes, LH_ID_BYTES, SQLITE_STATIC);
  bind_if_any(add, 2, creating->row.account);
  bind_if_any(add, 3, creating->row.webhook);
  sqlite3_bind_int(add, 4, (int)filter->reason);
  sqlite3_bind_int64(add, 5, filter->since_ms);
  sqlite3_bind_int64(add, 6, filter->failed_from_ms);
  sqlite3_bind_int64(add, 7, creating->now_ms);
  sqlite3_bind_int64(add, 8, filter->until_ms);
  rc = lh_connection_done(tx->connection, add, err);
  if (rc != LH_OK) return rc;
  sqlite3_bind_int64(trim, 1, sqlite3_last_insert_rowid(tx->connection->db) - LH_JOBS_KEPT);
  return lh_connection_done(tx->connection, trim, err);
}

static int note(struct lh_tx *tx, const struct creating *creating, const struct lh_actor *actor,
                struct lh_error *err) {
  char id[LH_ID_LEN + 1];
  const char *account = *creating->account != '\0' ? creating->account : NULL;
  const struct lh_audit audit = {.what = "request.retry_failed", .object = id, .account = account};
  lh_id_format(&creating->row.shown.id, id);
  return lh_audit_note(tx, actor, &audit, creating->now_ms, err);
}

int lh_job_add(struct lh_tx *tx, const struct lh_retry_filter *filter, const struct lh_actor *actor,
               int64_t now_ms, struct lh_job *job, struct lh_error *err) {
  struct creating creating = {.filter = filter, .now_ms = now_ms};
  int rc = check_open(tx, err);
  if (rc == LH_OK && filter->account != NULL) rc = find_account(tx, &creating, err);
  if (rc == LH_OK && filter->webhook_id != NULL) rc = find_webhook(tx, &creating, err);
  if (rc == LH_OK) rc = insert(tx, &creating, err);
  if (rc == LH_OK) rc = lh_job_load(tx->connection, &creating.row.shown.id, &creating.row, err);
  if (rc == LH_OK) rc = note(tx, &creating, actor, err);
  tx->wake = tx->wake || rc == LH_OK;
  *job = creating.row.shown;
  return rc;
}

struct asked {
  const struct lh_retry_filter *filter;
  const struct lh_actor *actor;
  int64_t now_ms;
  struct lh_job *job;
};

static int create_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct asked *asked = context;
  return lh_job_add(tx, asked->filter, asked->actor, asked->now_ms, asked->job, err);
}

int lh_sqlite_job_create(struct lh_store *store, const struct lh_retry_filter *filter,
                         const struct lh_actor *actor, int64_t now_ms, struct lh_job *job,
                         struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  struct asked asked = {filter, actor, now_ms, job};
  return lh_committer_write(self->committer, create_write, &asked, err);
}

int lh_sqlite_job_get(struct lh_store *store, const struct lh_id *id, struct lh_job *job,
                      struct lh_error *err) {
  struct lh_error local;
  struct lh_job_row row;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  int rc = lh_job_load(reader, id, &row, err);
  if (rc == LH_OK) *job = row.shown;
  return rc;
}

int lh_sqlite_job_list(struct lh_store *store, int limit, struct lh_job_list *list,
                       struct lh_error *err) {
  struct lh_error local;
  int found = 0;
  if (err == NULL) err = &local;
  memset(list, 0, sizeof *list);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  sqlite3_stmt *jobs = reader != NULL ? lh_connection_sql(reader, LH_SQL_JOBS, err) : NULL;
  if (jobs == NULL) return err->code;
  if (limit < 1 || limit > LH_LIST_LIMIT_MAX)
    return lh_error_set(err, LH_E_INVALID, "limit: %d is not between 1 and %d", limit,
                        LH_LIST_LIMIT_MAX);
  list->rows = calloc((size_t)limit, sizeof *list->rows);
  if (list->rows == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  sqlite3_bind_int(jobs, 1, limit);
  while (list->count < (size_t)limit && (found = lh_connection_row(reader, jobs, err)) > 0) {
    struct lh_job_row row;
    read_row(jobs, &row);
    list->rows[list->count++] = row.shown;
  }
  sqlite3_reset(jobs);
  if (found < 0) lh_job_list_clear(list);
  return found < 0 ? (int)err->code : LH_OK;
}
