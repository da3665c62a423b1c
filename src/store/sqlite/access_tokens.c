/* Tokens of programs. Their texts are nobody's business here: a hash comes in. */
#include <stdlib.h>
#include <string.h>

#include "core/event.h"
#include "store/sqlite/access.h"

static void read_token(sqlite3_stmt *statement, struct lh_token *token) {
  memset(token, 0, sizeof *token);
  memcpy(token->id.bytes, sqlite3_column_blob(statement, 0), LH_ID_BYTES);
  lh_column_put(token->name, sizeof token->name, statement, 1);
  lh_column_put(token->account, sizeof token->account, statement, 2);
  token->scope = (enum lh_scope)sqlite3_column_int(statement, 3);
  token->created_ms = sqlite3_column_int64(statement, 4);
  token->last_used_ms = sqlite3_column_int64(statement, 5);
  token->revoked_ms = sqlite3_column_int64(statement, 6);
}

/* ---- making one */

struct creating {
  struct lh_token *token;
  const unsigned char *hash;
  const struct lh_actor *actor;
  int64_t now_ms;
};

static int check_free(struct lh_tx *tx, const struct lh_token *token, struct lh_error *err) {
  sqlite3_stmt *named = lh_connection_sql(tx->connection, LH_SQL_TOKEN_NAMED, err);
  if (named == NULL) return err->code;
  lh_bind_text(named, 1, token->name);
  int row = lh_connection_row(tx->connection, named, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  sqlite3_reset(named);
  return lh_error_set(err, LH_E_CONFLICT, "name: another token has it; revoke that one first");
}

/* Revoked ones are kept to be looked at, not for ever. */
static int make_room(struct lh_tx *tx, struct lh_error *err) {
  sqlite3_stmt *count = lh_connection_sql(tx->connection, LH_SQL_TOKENS_COUNT, err);
  sqlite3_stmt *drop = lh_connection_sql(tx->connection, LH_SQL_TOKENS_MAKE_ROOM, err);
  if (count == NULL || drop == NULL) return err->code;
  if (lh_connection_row(tx->connection, count, err) <= 0) return err->code;
  int64_t present = sqlite3_column_int64(count, 0);
  sqlite3_reset(count);
  if (present < LH_TOKENS_MAX) return LH_OK;
  int rc = lh_connection_done(tx->connection, drop, err);
  if (rc != LH_OK || sqlite3_changes(tx->connection->db) > 0) return rc;
  return lh_error_set(err, LH_E_LIMIT, "token: there are %d already, the limit", LH_TOKENS_MAX);
}

static int insert(struct lh_tx *tx, const struct creating *creating, struct lh_error *err) {
  const struct lh_token *token = creating->token;
  int64_t account = 0;
  int rc = *token->account != '\0' ? lh_tx_account(tx, token->account, &account, err) : LH_OK;
  sqlite3_stmt *add = lh_connection_sql(tx->connection, LH_SQL_TOKEN_ADD, err);
  if (rc != LH_OK || add == NULL) return rc != LH_OK ? rc : (int)err->code;
  sqlite3_bind_blob(add, 1, token->id.bytes, LH_ID_BYTES, SQLITE_STATIC);
  lh_bind_text(add, 2, token->name);
  sqlite3_bind_blob(add, 3, creating->hash, LH_TOKEN_HASH_BYTES, SQLITE_STATIC);
  if (account != 0)
    sqlite3_bind_int64(add, 4, account);
  else
    sqlite3_bind_null(add, 4);
  sqlite3_bind_int(add, 5, (int)token->scope);
  sqlite3_bind_int64(add, 6, creating->now_ms);
  return lh_connection_done(tx->connection, add, err);
}

static int note(struct lh_tx *tx, const struct lh_token *token, const char *what,
                const struct lh_actor *actor, struct lh_error *err) {
  char id[LH_ID_LEN + 1];
  lh_id_format(&token->id, id);
  const struct lh_audit audit = {
      .what = what, .object = id, .account = *token->account ? token->account : NULL};
  int64_t at_ms = token->revoked_ms != 0 ? token->revoked_ms : token->created_ms;
  return lh_audit_note(tx, actor, &audit, at_ms, err);
}

static int create_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct creating *creating = context;
  int rc = check_free(tx, creating->token, err);
  if (rc == LH_OK) rc = make_room(tx, err);
  if (rc == LH_OK) rc = lh_tx_id(tx, creating->now_ms, &creating->token->id, err);
  if (rc == LH_OK) rc = insert(tx, creating, err);
  return rc == LH_OK ? note(tx, creating->token, "token.create", creating->actor, err) : rc;
}

int lh_sqlite_token_create(struct lh_store *store, struct lh_token *token,
                           const unsigned char *hash, const struct lh_actor *actor, int64_t now_ms,
                           struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  int rc = lh_name_check(token->name, err);
  if (rc == LH_OK && *token->account != '\0')
    rc = lh_account_check(token->account, strlen(token->account), err);
  if (rc != LH_OK) return rc;
  struct creating creating = {token, hash, actor, now_ms};
  token->created_ms = now_ms;
  token->last_used_ms = token->revoked_ms = 0;
  return lh_committer_write(self->committer, create_write, &creating, err);
}

/* ---- looking */

int lh_sqlite_token_list(struct lh_store *store, struct lh_token_list *list, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(list, 0, sizeof *list);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  sqlite3_stmt *all = reader != NULL ? lh_connection_sql(reader, LH_SQL_TOKENS, err) : NULL;
  if (all == NULL) return err->code;
  list->rows = calloc(LH_TOKENS_MAX, sizeof *list->rows);
  if (list->rows == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  int row = 0;
  while (list->count < LH_TOKENS_MAX && (row = lh_connection_row(reader, all, err)) > 0)
    read_token(all, &list->rows[list->count++]);
  sqlite3_reset(all);
  if (row >= 0) return LH_OK;
  lh_token_list_clear(list);
  return err->code;
}

/* ---- revoking */

struct revoking {
  const char *id_or_name;
  const struct lh_actor *actor;
  int64_t now_ms;
  struct lh_token *token;
};

/* *number 0: there is none. */
static int find(struct lh_tx *tx, const char *id_or_name, struct lh_token *token, int64_t *number,
                struct lh_error *err) {
  struct lh_id id;
  int is_id = lh_id_parse(id_or_name, strlen(id_or_name), &id) == LH_OK;
  enum lh_sql which = is_id ? LH_SQL_TOKEN_BY_ID : LH_SQL_TOKEN_BY_NAME;
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, which, err);
  *number = 0;
  if (statement == NULL) return err->code;
  if (is_id)
    sqlite3_bind_blob(statement, 1, id.bytes, LH_ID_BYTES, SQLITE_STATIC);
  else
    lh_bind_text(statement, 1, id_or_name);
  int row = lh_connection_row(tx->connection, statement, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  read_token(statement, token);
  *number = sqlite3_column_int64(statement, 7);
  sqlite3_reset(statement);
  return LH_OK;
}

static int revoke_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct revoking *revoking = context;
  int64_t number;
  int rc = find(tx, revoking->id_or_name, revoking->token, &number, err);
  if (rc != LH_OK) return rc;
  if (number == 0)
    return lh_error_set(err, LH_E_NOT_FOUND, "no token has this id or name (loyalhook token list)");
  if (revoking->token->revoked_ms != 0) return LH_OK;
  sqlite3_stmt *revoke = lh_connection_sql(tx->connection, LH_SQL_TOKEN_REVOKE, err);
  if (revoke == NULL) return err->code;
  sqlite3_bind_int64(revoke, 1, number);
  sqlite3_bind_int64(revoke, 2, revoking->now_ms);
  revoking->token->revoked_ms = revoking->now_ms;
  rc = lh_connection_done(tx->connection, revoke, err);
  return rc == LH_OK ? note(tx, revoking->token, "token.revoke", revoking->actor, err) : rc;
}

int lh_sqlite_token_revoke(struct lh_store *store, const char *id_or_name,
                           const struct lh_actor *actor, int64_t now_ms, struct lh_token *token,
                           struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  struct revoking revoking = {id_or_name, actor, now_ms, token};
  return lh_committer_write(self->committer, revoke_write, &revoking, err);
}

/* ---- somebody brings one */

struct using_it {
  const unsigned char *hash;
  int64_t now_ms;
};

static int used_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct using_it *using_it = context;
  sqlite3_stmt *used = lh_connection_sql(tx->connection, LH_SQL_TOKEN_USED, err);
  if (used == NULL) return err->code;
  sqlite3_bind_blob(used, 1, using_it->hash, LH_TOKEN_HASH_BYTES, SQLITE_STATIC);
  sqlite3_bind_int64(used, 2, using_it->now_ms);
  return lh_connection_done(tx->connection, used, err);
}

int lh_sqlite_token_check(struct lh_store *store, const unsigned char *hash, int64_t now_ms,
                          struct lh_token *token, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(token, 0, sizeof *token);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  sqlite3_stmt *find = reader != NULL ? lh_connection_sql(reader, LH_SQL_TOKEN_BY_HASH, err) : NULL;
  if (find == NULL) return err->code;
  sqlite3_bind_blob(find, 1, hash, LH_TOKEN_HASH_BYTES, SQLITE_STATIC);
  int row = lh_connection_row(reader, find, err);
  if (row < 0) return err->code;
  if (row > 0) read_token(find, token);
  if (row > 0) sqlite3_reset(find);
  if (row == 0 || token->revoked_ms != 0)
    return lh_error_set(err, LH_E_DENIED, "token: unknown or revoked");
  int64_t unused_ms = now_ms - token->last_used_ms;
  if (unused_ms >= 0 && unused_ms < LH_TOKEN_USED_MS) return LH_OK;
  /* A store that takes nothing (a full disk) can still be looked at. */
  struct using_it using_it = {hash, now_ms};
  (void)lh_committer_write(self->committer, used_write, &using_it, NULL);
  return LH_OK;
}
