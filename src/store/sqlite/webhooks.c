/*
** Webhooks: created within the account's limits, listed, found. Secrets go in sealed and come out
** nowhere here.
*/
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/change.h"

static int copy(sqlite3_stmt *statement, int column, char **out, struct lh_error *err) {
  if (sqlite3_column_type(statement, column) == SQLITE_NULL) return LH_OK;
  *out = strdup(lh_column_text(statement, column));
  return *out != NULL ? LH_OK : lh_error_set(err, LH_E_MEMORY, "out of memory");
}

int lh_webhook_from_row(sqlite3_stmt *statement, struct lh_webhook *webhook, struct lh_error *err) {
  lh_webhook_init(webhook);
  memcpy(webhook->id.bytes, sqlite3_column_blob(statement, 0), LH_ID_BYTES);
  lh_column_put(webhook->account, sizeof webhook->account, statement, 1);
  lh_column_put(webhook->name, sizeof webhook->name, statement, 2);
  lh_column_put(webhook->url, sizeof webhook->url, statement, 3);
  webhook->status = (enum lh_status)sqlite3_column_int(statement, 7);
  lh_column_put(webhook->status_reason, sizeof webhook->status_reason, statement, 8);
  webhook->status_since_ms = sqlite3_column_int64(statement, 9);
  webhook->batch_size = sqlite3_column_int(statement, 10);
  webhook->batch_bytes_max = sqlite3_column_int(statement, 11);
  webhook->batch_wait_ms = sqlite3_column_int(statement, 12);
  webhook->retries_max = sqlite3_column_int(statement, 13);
  webhook->retry_interval_s = sqlite3_column_int(statement, 14);
  webhook->pause_after = sqlite3_column_int(statement, 15);
  webhook->failed_in_a_row = sqlite3_column_int(statement, 16);
  webhook->timeout_ms = sqlite3_column_int(statement, 17);
  webhook->max_in_flight = sqlite3_column_int(statement, 18);
  webhook->ordered = sqlite3_column_int(statement, 19);
  webhook->success = (enum lh_success)sqlite3_column_int(statement, 20);
  webhook->scheme = (enum lh_scheme)sqlite3_column_int(statement, 21);
  webhook->created_ms = sqlite3_column_int64(statement, 22);
  webhook->updated_ms = sqlite3_column_int64(statement, 23);
  webhook->revision = sqlite3_column_int64(statement, LH_COLUMN_REVISION);
  webhook->secret_rotates_ms = sqlite3_column_int64(statement, 29);
  webhook->waits_until_ms = sqlite3_column_int64(statement, 30);
  int rc = copy(statement, 4, &webhook->event_types, err);
  if (rc == LH_OK) rc = copy(statement, 5, &webhook->headers, err);
  if (rc == LH_OK) rc = copy(statement, 6, &webhook->retry_schedule, err);
  return rc;
}

struct creating {
  struct lh_webhook *webhook;
  const struct lh_webhook_new *given;
  int64_t now_ms;
};

int lh_webhook_note(struct lh_tx *tx, const struct lh_actor *actor, const char *what,
                    const struct lh_webhook *webhook, int64_t now_ms, struct lh_error *err) {
  char id[LH_ID_LEN + 1];
  const struct lh_audit audit = {.what = what, .object = id, .account = webhook->account};
  lh_id_format(&webhook->id, id);
  return lh_audit_note(tx, actor, &audit, now_ms, err);
}

int lh_webhook_check_unique(struct lh_tx *tx, const struct lh_webhook *webhook,
                            const struct lh_dispatch *dispatch, const char *url_normal,
                            struct lh_error *err) {
  int64_t account;
  int rc = lh_tx_account(tx, webhook->account, &account, err);
  sqlite3_stmt *same = lh_connection_sql(tx->connection, LH_SQL_WEBHOOK_SAME, err);
  if (rc != LH_OK || same == NULL) return rc != LH_OK ? rc : (int)err->code;
  sqlite3_bind_int64(same, 1, account);
  sqlite3_bind_text(same, 2, webhook->name, -1, SQLITE_STATIC);
  lh_bind_text(same, 3, url_normal);
  sqlite3_bind_int64(same, 4, dispatch != NULL ? dispatch->webhook : 0);
  int row = lh_connection_row(tx->connection, same, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  int same_name = sqlite3_column_int(same, 0);
  sqlite3_reset(same);
  return lh_error_set(err, LH_E_CONFLICT, "%s: another webhook of account %s has this %s",
                      same_name ? "name" : "url", webhook->account, same_name ? "name" : "URL");
}

static int check_count(struct lh_tx *tx, const struct lh_webhook *webhook, int64_t account,
                       struct lh_error *err) {
  sqlite3_stmt *count = lh_connection_sql(tx->connection, LH_SQL_WEBHOOK_COUNT, err);
  if (count == NULL) return err->code;
  sqlite3_bind_int64(count, 1, account);
  if (lh_connection_row(tx->connection, count, err) <= 0) return err->code;
  int64_t present = sqlite3_column_int64(count, 0);
  sqlite3_reset(count);
  if (present < tx->committer->webhooks_max) return LH_OK;
  return lh_error_set(err, LH_E_LIMIT, "account %s already has %d webhooks, the limit",
                      webhook->account, (int)tx->committer->webhooks_max);
}

void lh_webhook_bind(sqlite3_stmt *statement, const struct lh_webhook *webhook,
                     const char *url_normal) {
  sqlite3_bind_text(statement, 3, webhook->name, -1, SQLITE_STATIC);
  sqlite3_bind_text(statement, 4, webhook->url, -1, SQLITE_STATIC);
  lh_bind_text(statement, 5, url_normal);
  sqlite3_bind_text(statement, 6, webhook->event_types, -1, SQLITE_STATIC);
  lh_bind_text(statement, 7, webhook->headers);
  lh_bind_text(statement, 8, webhook->retry_schedule);
  const int32_t numbers[] = {
      webhook->batch_size,       webhook->batch_bytes_max,  webhook->batch_wait_ms,
      webhook->retries_max,      webhook->retry_interval_s, webhook->pause_after,
      webhook->timeout_ms,       webhook->max_in_flight,    webhook->ordered,
      (int32_t)webhook->success, (int32_t)webhook->scheme};
  for (int i = 0; i < (int)(sizeof numbers / sizeof numbers[0]); i++)
    sqlite3_bind_int(statement, 9 + i, numbers[i]);
}

static int insert_row(struct lh_tx *tx, const struct creating *creating, int64_t account,
                      struct lh_error *err) {
  const struct lh_webhook *webhook = creating->webhook;
  unsigned char sealed[LH_SECRET_MAX + LH_SEAL_OVERHEAD];
  int rc = lh_secret_seal(tx, &webhook->id, creating->given->secret, sealed, err);
  sqlite3_stmt *add = lh_connection_sql(tx->connection, LH_SQL_WEBHOOK_ADD, err);
  if (rc != LH_OK || add == NULL) return rc != LH_OK ? rc : (int)err->code;
  sqlite3_bind_blob(add, 1, webhook->id.bytes, LH_ID_BYTES, SQLITE_STATIC);
  sqlite3_bind_int64(add, 2, account);
  lh_webhook_bind(add, webhook, creating->given->url_normal);
  sqlite3_bind_blob64(add, 20, sealed, creating->given->secret.len + LH_SEAL_OVERHEAD,
                      SQLITE_STATIC);
  sqlite3_bind_int64(add, 21, creating->now_ms);
  return lh_connection_done(tx->connection, add, err);
}

/* Its state, and the span that says: deliver from the head of the log on. */
static int insert_state(struct lh_tx *tx, const struct creating *creating, int64_t account,
                        struct lh_error *err) {
  int64_t webhook = sqlite3_last_insert_rowid(tx->connection->db), head;
  int rc = lh_tx_head(tx, &head, err);
  if (rc != LH_OK) return rc;
  sqlite3_stmt *state = lh_connection_sql(tx->connection, LH_SQL_DISPATCH_ADD, err);
  sqlite3_stmt *span = lh_connection_sql(tx->connection, LH_SQL_SPAN_PUT, err);
  if (state == NULL || span == NULL) return err->code;
  sqlite3_bind_int64(state, 1, webhook);
  sqlite3_bind_int64(state, 2, account);
  sqlite3_bind_int64(state, 3, creating->now_ms);
  sqlite3_bind_int64(state, 4, head);
  rc = lh_connection_done(tx->connection, state, err);
  if (rc != LH_OK) return rc;
  sqlite3_bind_int64(span, 1, webhook);
  sqlite3_bind_int64(span, 2, head + 1);
  sqlite3_bind_int(span, 3, LH_SPAN_DELIVER);
  sqlite3_bind_int(span, 4, LH_REASON_NONE);
  sqlite3_bind_text(span, 5, creating->webhook->event_types, -1, SQLITE_STATIC);
  return lh_connection_done(tx->connection, span, err);
}

static int create_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct creating *creating = context;
  int64_t account;
  int rc = lh_tx_account(tx, creating->webhook->account, &account, err);
  if (rc == LH_OK)
    rc = lh_webhook_check_unique(tx, creating->webhook, NULL, creating->given->url_normal, err);
  if (rc == LH_OK) rc = check_count(tx, creating->webhook, account, err);
  if (rc == LH_OK) rc = lh_tx_id(tx, creating->now_ms, &creating->webhook->id, err);
  if (rc == LH_OK) rc = insert_row(tx, creating, account, err);
  if (rc == LH_OK) rc = insert_state(tx, creating, account, err);
  if (rc != LH_OK) return rc;
  return lh_webhook_note(tx, creating->given->actor, "webhook.create", creating->webhook,
                         creating->now_ms, err);
}

int lh_sqlite_webhook_create(struct lh_store *store, struct lh_webhook *webhook,
                             const struct lh_webhook_new *given, int64_t now_ms,
                             struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  if (given->secret.len > LH_SECRET_MAX)
    return lh_error_set(err, LH_E_SECRET_INVALID, "secret: longer than %d bytes", LH_SECRET_MAX);
  struct creating creating = {webhook, given, now_ms};
  webhook->status = LH_STATUS_ENABLED;
  webhook->revision = 1;
  webhook->status_reason[0] = '\0';
  webhook->status_since_ms = webhook->created_ms = webhook->updated_ms = now_ms;
  return lh_committer_write(self->committer, create_write, &creating, err);
}

static int collect(struct lh_connection *reader, sqlite3_stmt *statement,
                   struct lh_webhook_list *list, struct lh_error *err) {
  int row, rc = LH_OK;
  memset(list, 0, sizeof *list);
  while (rc == LH_OK && (row = lh_connection_row(reader, statement, err)) != 0) {
    if (row < 0) rc = (int)err->code;
    if (row < 0) break;
    struct lh_webhook *rows = realloc(list->rows, (list->count + 1) * sizeof *rows);
    if (rows == NULL) {
      rc = lh_error_set(err, LH_E_MEMORY, "out of memory");
      break;
    }
    list->rows = rows;
    rc = lh_webhook_from_row(statement, &rows[list->count++], err);
  }
  sqlite3_reset(statement);
  if (rc != LH_OK) lh_webhook_list_clear(list);
  return rc;
}

/* Behind which number the list goes on. */
static int find_after(struct lh_connection *reader, const struct lh_webhook_query *query,
                      int64_t *number, struct lh_error *err) {
  *number = 0;
  if (query->after == NULL) return LH_OK;
  sqlite3_stmt *get = lh_connection_sql(reader, LH_SQL_WEBHOOK_NUMBER, err);
  if (get == NULL) return err->code;
  sqlite3_bind_blob(get, 1, query->after->bytes, LH_ID_BYTES, SQLITE_STATIC);
  lh_bind_text(get, 2, query->account);
  int row = lh_connection_row(reader, get, err);
  if (row < 0) return err->code;
  if (row == 0)
    return lh_error_set(err, LH_E_INVALID, "after: expected the id of a webhook of this list");
  *number = sqlite3_column_int64(get, 0);
  sqlite3_reset(get);
  return LH_OK;
}

int lh_sqlite_webhook_list(struct lh_store *store, const struct lh_webhook_query *query,
                           struct lh_webhook_list *list, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  sqlite3_stmt *all = reader != NULL ? lh_connection_sql(reader, LH_SQL_WEBHOOKS, err) : NULL;
  int64_t after = 0;
  if (all == NULL || find_after(reader, query, &after, err) != LH_OK) return err->code;
  lh_bind_text(all, 1, query->account);
  sqlite3_bind_int(all, 2, query->with_deleted != 0);
  sqlite3_bind_int64(all, 3, after);
  sqlite3_bind_int(all, 4, query->limit > 0 ? query->limit : -1);
  return collect(reader, all, list, err);
}

int lh_sqlite_webhook_get(struct lh_store *store, const char *account, const char *id_or_name,
                          struct lh_webhook_list *list, struct lh_error *err) {
  struct lh_error local;
  struct lh_id id;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  memset(list, 0, sizeof *list);
  if (lh_id_parse(id_or_name, strlen(id_or_name), &id) == LH_OK) {
    sqlite3_stmt *by_id = lh_connection_sql(reader, LH_SQL_WEBHOOK_BY_ID, err);
    if (by_id == NULL) return err->code;
    sqlite3_bind_blob(by_id, 1, id.bytes, LH_ID_BYTES, SQLITE_STATIC);
    int rc = collect(reader, by_id, list, err);
    if (rc != LH_OK) return rc;
    if (list->count > 0 && (account == NULL || strcmp(list->rows[0].account, account) == 0))
      return LH_OK;
    lh_webhook_list_clear(list);
  }
  sqlite3_stmt *by_name = lh_connection_sql(reader, LH_SQL_WEBHOOK_BY_NAME, err);
  if (by_name == NULL) return err->code;
  sqlite3_bind_text(by_name, 1, id_or_name, -1, SQLITE_STATIC);
  lh_bind_text(by_name, 2, account);
  int rc = collect(reader, by_name, list, err);
  if (rc != LH_OK || list->count == 1) return rc;
  size_t count = list->count;
  lh_webhook_list_clear(list);
  if (count == 0)
    return lh_error_set(err, LH_E_NOT_FOUND,
                        "no webhook%s%s has the id or name '%s' (loyalhook webhook list)",
                        account ? " of account " : "", account ? account : "", id_or_name);
  return lh_error_set(err, LH_E_CONFLICT,
                      "webhooks of several accounts are named '%s': give the id or the account",
                      id_or_name);
}
