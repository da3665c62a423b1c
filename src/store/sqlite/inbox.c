/*
** Accepting into the inbox: a mark and a row for each event that is new, in
** the transaction that the web server's other requests of the moment share.
** Reading it is inbox_read.c's, cutting it clean_inbox.c's.
*/
#include <string.h>

#include "store/sqlite/sqlite.h"

struct accepting {
  struct lh_receipt *receipts;
  size_t count;
  int64_t now_ms;
  int64_t head;
};

int lh_tx_inbox_head(struct lh_tx *tx, int64_t *head, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_INBOX_HEAD, err);
  if (statement == NULL) return err->code;
  int row = lh_connection_row(tx->connection, statement, err);
  if (row < 0) return err->code;
  *head = row ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_reset(statement);
  return LH_OK;
}

/* Number of a source, stored if new. */
static int number_of_source(struct lh_tx *tx, const char *name, int64_t *source,
                            struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_SOURCE_FIND, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
  int row = lh_connection_row(tx->connection, statement, err);
  if (row < 0) return err->code;
  if (row > 0) {
    *source = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return LH_OK;
  }
  statement = lh_connection_sql(tx->connection, LH_SQL_SOURCE_ADD, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
  sqlite3_bind_int(statement, 2, LH_SOURCES_MAX);
  int rc = lh_connection_done(tx->connection, statement, err);
  if (rc == LH_OK && sqlite3_changes(tx->connection->db) == 0)
    return lh_error_set(err, LH_E_LIMIT, "source: the store already knows %d sources",
                        LH_SOURCES_MAX);
  *source = sqlite3_last_insert_rowid(tx->connection->db);
  return rc;
}

/* Marks an event; *added 0: it had been marked before. */
static int add_mark(struct accepting *accepting, struct lh_tx *tx, int64_t source,
                    const struct lh_received *event, int *added, struct lh_error *err) {
  sqlite3_stmt *mark = lh_connection_sql(tx->connection, LH_SQL_MARK_ADD, err);
  if (mark == NULL) return err->code;
  sqlite3_bind_text(mark, 1, event->event_id, (int)event->event_id_len, SQLITE_STATIC);
  sqlite3_bind_int64(mark, 2, source);
  sqlite3_bind_int64(mark, 3, accepting->head + 1);
  sqlite3_bind_int64(mark, 4, accepting->now_ms);
  int rc = lh_connection_done(tx->connection, mark, err);
  *added = rc == LH_OK && sqlite3_changes(tx->connection->db) > 0;
  return rc;
}

static int add_event(struct accepting *accepting, struct lh_tx *tx, int64_t source,
                     const struct lh_received *event, struct lh_error *err) {
  sqlite3_stmt *add = lh_connection_sql(tx->connection, LH_SQL_INBOX_ADD, err);
  if (add == NULL) return err->code;
  sqlite3_bind_int64(add, 1, ++accepting->head);
  sqlite3_bind_int64(add, 2, source);
  sqlite3_bind_text(add, 3, event->event_id, (int)event->event_id_len, SQLITE_STATIC);
  sqlite3_bind_text(add, 4, event->event_type, (int)event->event_type_len, SQLITE_STATIC);
  sqlite3_bind_int64(add, 5, accepting->now_ms);
  if (event->member_len > 0)
    sqlite3_bind_text(add, 6, event->member, (int)event->member_len, SQLITE_STATIC);
  else
    sqlite3_bind_null(add, 6);
  sqlite3_bind_blob64(add, 7, event->data, event->data_len, SQLITE_STATIC);
  return lh_connection_done(tx->connection, add, err);
}

static int accept_one(struct accepting *accepting, struct lh_tx *tx, struct lh_receipt *receipt,
                      struct lh_error *err) {
  int64_t source = 0;
  receipt->added = receipt->duplicates = 0;
  if (receipt->count == 0) return LH_OK;
  int rc = number_of_source(tx, receipt->source, &source, err);
  for (size_t i = 0; i < receipt->count && rc == LH_OK; i++) {
    int added = 0;
    rc = add_mark(accepting, tx, source, &receipt->events[i], &added, err);
    if (rc == LH_OK && added) rc = add_event(accepting, tx, source, &receipt->events[i], err);
    receipt->added += added;
    receipt->duplicates += !added;
  }
  if (receipt->added > 0) tx->wake = 1;
  return rc;
}

static int accept_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct accepting *accepting = context;
  int rc = lh_tx_inbox_head(tx, &accepting->head, err);
  for (size_t i = 0; i < accepting->count && rc == LH_OK; i++)
    rc = accept_one(accepting, tx, &accepting->receipts[i], err);
  return rc;
}

int lh_sqlite_accept(struct lh_store *store, struct lh_receipt *receipts, size_t count,
                     int64_t now_ms, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  struct accepting accepting = {receipts, count, now_ms, 0};
  return lh_committer_write(self->committer, accept_write, &accepting, err);
}
