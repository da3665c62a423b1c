/*
** Small rows that everything refers to: accounts, event types, the head of
** the log, and the source of ids. Types are cached for ever (they are only
** ever added); a rollback drops the cache.
*/
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/sqlite/turn.h"

void lh_tx_forget(struct lh_committer *committer) {
  committer->type_count = 0;
  committer->dispatch_count = 0;
  lh_target_forget(committer);
}

int lh_tx_id(struct lh_tx *tx, int64_t now_ms, struct lh_id *id, struct lh_error *err) {
  struct lh_committer *committer = tx->committer;
  if (committer->ids.owner != (int64_t)getpid()) {
    unsigned char random[8];
    int rc = committer->clock->random(committer->clock->self, random, sizeof random, err);
    if (rc != LH_OK) return rc;
    lh_id_seed(&committer->ids, getpid(), random);
  }
  *id = lh_id_next(&committer->ids, now_ms);
  return LH_OK;
}

static int cache_type(struct lh_committer *committer, int64_t id, const char *name,
                      const char *category, struct lh_error *err) {
  if (committer->type_count == committer->type_cap) {
    size_t cap = committer->type_cap == 0 ? 64 : 2 * committer->type_cap;
    struct lh_type_entry *types = realloc(committer->types, cap * sizeof *types);
    if (types == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
    committer->types = types;
    committer->type_cap = cap;
  }
  struct lh_type_entry *entry = &committer->types[committer->type_count++];
  memset(entry, 0, sizeof *entry);
  entry->id = id;
  strncpy(entry->type.name, name, sizeof entry->type.name - 1);
  strncpy(entry->type.category, category, sizeof entry->type.category - 1);
  return LH_OK;
}

int lh_tx_types_refresh(struct lh_tx *tx, int64_t *highest, struct lh_error *err) {
  struct lh_committer *committer = tx->committer;
  int64_t known = committer->type_count > 0 ? committer->types[committer->type_count - 1].id : 0;
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_TYPES_HIGHEST, err);
  if (statement == NULL) return err->code;
  int row = lh_connection_row(tx->connection, statement, err);
  if (row < 0) return err->code;
  *highest = row ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_reset(statement);
  if (*highest == known) return LH_OK;
  statement = lh_connection_sql(tx->connection, LH_SQL_TYPES_AFTER, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, known);
  int rc = LH_OK;
  while (rc == LH_OK && (row = lh_connection_row(tx->connection, statement, err)) > 0)
    rc = cache_type(committer, sqlite3_column_int64(statement, 0), lh_column_text(statement, 1),
                    lh_column_text(statement, 2), err);
  sqlite3_reset(statement);
  return row < 0 ? (int)err->code : rc;
}

/* Types are few and their numbers dense: the entry is nearly always at id - 1. */
const struct lh_stored_type *lh_tx_type_name(struct lh_tx *tx, int64_t type, struct lh_error *err) {
  struct lh_committer *committer = tx->committer;
  for (int tries = 0; tries < 2; tries++) {
    size_t at = (size_t)(type - 1);
    if (at < committer->type_count && committer->types[at].id == type)
      return &committer->types[at].type;
    for (size_t i = 0; i < committer->type_count; i++)
      if (committer->types[i].id == type) return &committer->types[i].type;
    int64_t highest;
    if (lh_tx_types_refresh(tx, &highest, err) != LH_OK) return NULL;
  }
  lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged: event type %lld is not known",
               (long long)type);
  return NULL;
}

static int find_type(const struct lh_committer *committer, const char *name, int64_t *type) {
  for (size_t i = 0; i < committer->type_count; i++) {
    if (strcmp(committer->types[i].type.name, name) != 0) continue;
    *type = committer->types[i].id;
    return 1;
  }
  return 0;
}

int lh_tx_type(struct lh_tx *tx, const char *name, const char *category, int64_t *type,
               struct lh_error *err) {
  struct lh_committer *committer = tx->committer;
  int64_t highest;
  if (find_type(committer, name, type)) return LH_OK;
  int rc = lh_tx_types_refresh(tx, &highest, err);
  if (rc != LH_OK || find_type(committer, name, type)) return rc;
  if (committer->type_count >= LH_EVENT_TYPES_MAX)
    return lh_error_set(err, LH_E_LIMIT, "event_type: the store already knows %d types",
                        LH_EVENT_TYPES_MAX);
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_TYPE_ADD, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
  sqlite3_bind_text(statement, 2, category, -1, SQLITE_STATIC);
  rc = lh_connection_done(tx->connection, statement, err);
  if (rc != LH_OK) return rc;
  *type = sqlite3_last_insert_rowid(tx->connection->db);
  return cache_type(committer, *type, name, category, err);
}

int lh_tx_known(struct lh_tx *tx, const char *account_name, const char *type_name, int64_t *account,
                int64_t *type, struct lh_error *err) {
  int64_t highest;
  *account = *type = 0;
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_ACCOUNT_FIND, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_text(statement, 1, account_name, -1, SQLITE_STATIC);
  int row = lh_connection_row(tx->connection, statement, err);
  if (row < 0) return err->code;
  if (row > 0) *account = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  if (find_type(tx->committer, type_name, type)) return LH_OK;
  int rc = lh_tx_types_refresh(tx, &highest, err);
  if (rc == LH_OK) find_type(tx->committer, type_name, type);
  return rc;
}

int lh_tx_account(struct lh_tx *tx, const char *name, int64_t *account, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_ACCOUNT_FIND, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
  int row = lh_connection_row(tx->connection, statement, err);
  if (row < 0) return err->code;
  if (row > 0) {
    *account = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return LH_OK;
  }
  statement = lh_connection_sql(tx->connection, LH_SQL_ACCOUNT_ADD, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
  int rc = lh_connection_done(tx->connection, statement, err);
  *account = sqlite3_last_insert_rowid(tx->connection->db);
  return rc;
}

int lh_tx_head(struct lh_tx *tx, int64_t *head, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_HEAD, err);
  if (statement == NULL) return err->code;
  int row = lh_connection_row(tx->connection, statement, err);
  if (row < 0) return err->code;
  *head = row ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_reset(statement);
  return LH_OK;
}
