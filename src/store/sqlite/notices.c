/*
** Notices: one row for each request that failed and each pause, made in the
** transaction that causes it, and the list of them. Creating one is an insert
** and nothing else, because a pause can fail thousands of requests; the
** webhook's mailing is touched once a transaction (mailings.c).
*/
#include <stdlib.h>
#include <string.h>

#include "core/mailbox.h"
#include "store/sqlite/turn.h"

int lh_notice_add(struct lh_tx *tx, struct lh_dispatch *dispatch, int64_t request,
                  const char *reason, int64_t now_ms, struct lh_error *err) {
  sqlite3_stmt *add = lh_connection_sql(tx->connection, LH_SQL_NOTICE_ADD, err);
  if (add == NULL) return err->code;
  sqlite3_bind_int64(add, 1, dispatch->account);
  sqlite3_bind_int64(add, 2, dispatch->webhook);
  sqlite3_bind_int(add, 3, request != 0 ? LH_NOTICE_FAILED : LH_NOTICE_PAUSED);
  if (request != 0)
    sqlite3_bind_int64(add, 4, request);
  else
    sqlite3_bind_null(add, 4);
  sqlite3_bind_text(add, 5, reason, -1, SQLITE_STATIC);
  sqlite3_bind_int64(add, 6, now_ms);
  dispatch->noticed_ms = now_ms;
  return lh_connection_done(tx->connection, add, err);
}

int lh_notice_failed(struct lh_tx *tx, struct lh_dispatch *dispatch, int64_t request,
                     enum lh_reason reason, int64_t now_ms, struct lh_error *err) {
  if (reason == LH_REASON_DISABLED || reason == LH_REASON_DELETED) return LH_OK;
  return lh_notice_add(tx, dispatch, request, lh_reason_name(reason), now_ms, err);
}

static void read_notice(sqlite3_stmt *statement, struct lh_notice_row *row) {
  memset(row, 0, sizeof *row);
  row->notice = sqlite3_column_int64(statement, 0);
  row->kind = (enum lh_notice_kind)sqlite3_column_int(statement, 1);
  lh_column_put(row->account, sizeof row->account, statement, 2);
  lh_column_put(row->webhook_name, sizeof row->webhook_name, statement, 3);
  memcpy(row->webhook_id.bytes, sqlite3_column_blob(statement, 4), LH_ID_BYTES);
  if (sqlite3_column_type(statement, 5) != SQLITE_NULL)
    memcpy(row->request_id.bytes, sqlite3_column_blob(statement, 5), LH_ID_BYTES);
  lh_column_put(row->reason, sizeof row->reason, statement, 6);
  row->created_ms = sqlite3_column_int64(statement, 7);
  row->mailed = sqlite3_column_int(statement, 8);
}

static int check_limit(int limit, struct lh_error *err) {
  if (limit >= 1 && limit <= LH_LIST_LIMIT_MAX) return LH_OK;
  return lh_error_set(err, LH_E_INVALID, "limit: %d is not between 1 and %d", limit,
                      LH_LIST_LIMIT_MAX);
}

/* Reads until the page is full; one more row tells that there is a next page. */
static int collect_notices(struct lh_connection *reader, sqlite3_stmt *statement, size_t limit,
                           struct lh_notice_list *list, struct lh_error *err) {
  int row;
  list->rows = calloc(limit, sizeof *list->rows);
  if (list->rows == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  while ((row = lh_connection_row(reader, statement, err)) > 0) {
    if (list->count == limit) {
      list->next = list->rows[limit - 1].notice;
      sqlite3_reset(statement);
      return LH_OK;
    }
    read_notice(statement, &list->rows[list->count++]);
  }
  return row < 0 ? (int)err->code : LH_OK;
}

int lh_sqlite_notice_list(struct lh_store *store, const struct lh_notice_filter *filter,
                          struct lh_notice_list *list, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(list, 0, sizeof *list);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL || check_limit(filter->limit, err) != LH_OK) return err->code;
  enum lh_sql which = filter->webhook_id != NULL ? LH_SQL_NOTICES_OF : LH_SQL_NOTICES;
  sqlite3_stmt *statement = lh_connection_sql(reader, which, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, filter->after > 0 ? filter->after : INT64_MAX);
  sqlite3_bind_int64(statement, 2, filter->since_ms);
  lh_bind_text(statement, 3, filter->account);
  sqlite3_bind_int(statement, 4, filter->limit + 1);
  if (filter->webhook_id != NULL)
    sqlite3_bind_blob(statement, 5, filter->webhook_id->bytes, LH_ID_BYTES, SQLITE_STATIC);
  int rc = collect_notices(reader, statement, (size_t)filter->limit, list, err);
  if (rc != LH_OK) lh_notice_list_clear(list);
  return rc;
}

/* ---- accounts: where their mails go ---- */

static int read_account(sqlite3_stmt *statement, struct lh_account_row *row, struct lh_error *err) {
  memset(row, 0, sizeof *row);
  lh_column_put(row->name, sizeof row->name, statement, 0);
  row->webhooks = sqlite3_column_int64(statement, 2);
  if (sqlite3_column_type(statement, 1) == SQLITE_NULL) return LH_OK;
  row->notify = strdup(lh_column_text(statement, 1));
  return row->notify != NULL ? LH_OK : lh_error_set(err, LH_E_MEMORY, "out of memory");
}

static int collect_accounts(struct lh_connection *reader, sqlite3_stmt *statement, size_t limit,
                            struct lh_account_list *list, struct lh_error *err) {
  int row, rc = LH_OK;
  list->rows = calloc(limit, sizeof *list->rows);
  if (list->rows == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  while (rc == LH_OK && (row = lh_connection_row(reader, statement, err)) != 0) {
    if (row < 0) return err->code;
    list->more = list->count == limit;
    if (list->more) break;
    rc = read_account(statement, &list->rows[list->count++], err);
  }
  sqlite3_reset(statement);
  return rc;
}

int lh_sqlite_account_list(struct lh_store *store, const struct lh_account_filter *filter,
                           struct lh_account_list *list, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(list, 0, sizeof *list);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL || check_limit(filter->limit, err) != LH_OK) return err->code;
  sqlite3_stmt *statement = lh_connection_sql(reader, LH_SQL_ACCOUNTS, err);
  if (statement == NULL) return err->code;
  lh_bind_text(statement, 1, filter->name);
  sqlite3_bind_text(statement, 2, filter->after != NULL ? filter->after : "", -1, SQLITE_STATIC);
  sqlite3_bind_int(statement, 3, filter->limit + 1);
  int rc = collect_accounts(reader, statement, (size_t)filter->limit, list, err);
  if (rc != LH_OK) lh_account_list_clear(list);
  return rc;
}

struct setting {
  const char *name;
  const char *notify;
  const struct lh_actor *actor;
  int64_t now_ms;
};

/* Sets its addresses and notes it, unless they are these already. */
static int set_notify(struct lh_tx *tx, const struct setting *setting, int64_t account,
                      struct lh_error *err) {
  const struct lh_audit audit = {
      .what = "account.edit", .object = setting->name, .account = setting->name};
  sqlite3_stmt *set = lh_connection_sql(tx->connection, LH_SQL_ACCOUNT_NOTIFY, err);
  if (set == NULL) return err->code;
  sqlite3_bind_int64(set, 1, account);
  lh_bind_text(set, 2, setting->notify);
  int rc = lh_connection_done(tx->connection, set, err);
  if (rc != LH_OK || sqlite3_changes(tx->connection->db) == 0) return rc;
  return lh_audit_note(tx, setting->actor, &audit, setting->now_ms, err);
}

static int set_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct setting *setting = context;
  int64_t account;
  int rc = lh_tx_account(tx, setting->name, &account, err);
  if (rc != LH_OK) return rc;
  rc = set_notify(tx, setting, account, err);
  sqlite3_stmt *hurry = lh_connection_sql(tx->connection, LH_SQL_MAILINGS_HURRY, err);
  if (rc != LH_OK || hurry == NULL) return rc != LH_OK ? rc : (int)err->code;
  sqlite3_bind_int64(hurry, 1, account);
  sqlite3_bind_int64(hurry, 2, setting->now_ms);
  sqlite3_bind_int64(hurry, 3, LH_MAIL_INTERVAL_MS);
  tx->wake = 1;
  return lh_connection_done(tx->connection, hurry, err);
}

int lh_sqlite_account_set(struct lh_store *store, const char *name, const char *notify,
                          const struct lh_actor *actor, int64_t now_ms, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  int rc = lh_account_check(name, strlen(name), err);
  if (rc == LH_OK && notify != NULL) rc = lh_mailbox_check_list(notify, err);
  if (rc != LH_OK) return rc;
  struct setting setting = {name, notify, actor, now_ms};
  return lh_committer_write(self->committer, set_write, &setting, err);
}
