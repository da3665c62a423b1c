/* Logins of browsers, and the token that makes the first user. */
#include <string.h>

#include "store/sqlite/access.h"

static void bind_hash(sqlite3_stmt *statement, const unsigned char *hash) {
  sqlite3_bind_blob(statement, 1, hash, LH_TOKEN_HASH_BYTES, SQLITE_STATIC);
}

/* When it ends, used now for the last time. */
static int64_t end_of(int64_t created_ms, int64_t now_ms) {
  int64_t idle = now_ms + LH_LOGIN_IDLE_MS, whole = created_ms + LH_LOGIN_WHOLE_MS;
  return idle < whole ? idle : whole;
}

struct beginning {
  const struct lh_user *user;
  const unsigned char *hash;
  const struct lh_actor *actor;
  int64_t now_ms;
};

/* Between its check and now it may have been disabled, removed, or given another password. */
static int check_still(struct lh_tx *tx, const struct lh_user *user, struct lh_error *err) {
  sqlite3_stmt *still = lh_connection_sql(tx->connection, LH_SQL_USER_STILL, err);
  if (still == NULL) return err->code;
  sqlite3_bind_int64(still, 1, user->user);
  sqlite3_bind_int64(still, 2, user->revision);
  int row = lh_connection_row(tx->connection, still, err);
  if (row > 0) sqlite3_reset(still);
  if (row < 0) return err->code;
  return row > 0 ? LH_OK : lh_error_set(err, LH_E_DENIED, "the name or the password is wrong");
}

static int add_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct beginning *beginning = context;
  const struct lh_audit audit = {.what = "login.begin", .object = beginning->user->name};
  int rc = check_still(tx, beginning->user, err);
  sqlite3_stmt *add = lh_connection_sql(tx->connection, LH_SQL_LOGIN_ADD, err);
  sqlite3_stmt *trim = lh_connection_sql(tx->connection, LH_SQL_LOGINS_TRIM, err);
  if (rc != LH_OK || add == NULL || trim == NULL) return rc != LH_OK ? rc : (int)err->code;
  bind_hash(add, beginning->hash);
  sqlite3_bind_int64(add, 2, beginning->user->user);
  sqlite3_bind_int64(add, 3, beginning->now_ms);
  sqlite3_bind_int64(add, 4, end_of(beginning->now_ms, beginning->now_ms));
  sqlite3_bind_int64(trim, 1, beginning->user->user);
  sqlite3_bind_int(trim, 2, LH_LOGINS_MAX);
  rc = lh_connection_done(tx->connection, add, err);
  if (rc == LH_OK) rc = lh_connection_done(tx->connection, trim, err);
  if (rc != LH_OK) return rc;
  return lh_audit_note(tx, beginning->actor, &audit, beginning->now_ms, err);
}

int lh_sqlite_login_add(struct lh_store *store, const struct lh_user *user,
                        const unsigned char *hash, const struct lh_actor *actor, int64_t now_ms,
                        struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  struct beginning beginning = {user, hash, actor, now_ms};
  return lh_committer_write(self->committer, add_write, &beginning, err);
}

/* ---- using one */

struct seeing {
  const unsigned char *hash;
  int64_t now_ms, expires_ms;
};

static int seen_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct seeing *seeing = context;
  sqlite3_stmt *seen = lh_connection_sql(tx->connection, LH_SQL_LOGIN_SEEN, err);
  if (seen == NULL) return err->code;
  bind_hash(seen, seeing->hash);
  sqlite3_bind_int64(seen, 2, seeing->now_ms);
  sqlite3_bind_int64(seen, 3, seeing->expires_ms);
  return lh_connection_done(tx->connection, seen, err);
}

static int find(struct lh_connection *connection, const unsigned char *hash, struct lh_login *login,
                struct lh_error *err) {
  sqlite3_stmt *get = lh_connection_sql(connection, LH_SQL_LOGIN_GET, err);
  memset(login, 0, sizeof *login);
  if (get == NULL) return err->code;
  bind_hash(get, hash);
  int row = lh_connection_row(connection, get, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  lh_column_put(login->user, sizeof login->user, get, 0);
  login->role = (enum lh_role)sqlite3_column_int(get, 1);
  login->created_ms = sqlite3_column_int64(get, 2);
  login->seen_ms = sqlite3_column_int64(get, 3);
  login->expires_ms = sqlite3_column_int64(get, 4);
  sqlite3_reset(get);
  return LH_OK;
}

int lh_sqlite_login_check(struct lh_store *store, const unsigned char *hash, int64_t now_ms,
                          struct lh_login *login, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(login, 0, sizeof *login);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  int rc = find(reader, hash, login, err);
  if (rc != LH_OK) return rc;
  /* One that would last longer than any can was made by a clock that was far ahead. */
  int64_t left_ms = login->expires_ms - now_ms;
  if (left_ms <= 0 || left_ms > LH_LOGIN_WHOLE_MS)
    return lh_error_set(err, LH_E_DENIED, "the login is over: sign in");
  int64_t idle_ms = now_ms - login->seen_ms;
  if (idle_ms >= 0 && idle_ms < LH_LOGIN_SEEN_MS) return LH_OK;
  struct seeing seeing = {hash, now_ms, end_of(login->created_ms, now_ms)};
  /* A store that takes nothing (a full disk) can still be looked at. */
  if (lh_committer_write(self->committer, seen_write, &seeing, NULL) == LH_OK) {
    login->seen_ms = now_ms;
    login->expires_ms = seeing.expires_ms;
  }
  return LH_OK;
}

/* ---- ending one */

struct ending {
  const unsigned char *hash;
  const struct lh_actor *actor;
  int64_t now_ms;
};

static int end_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct ending *ending = context;
  struct lh_login login;
  int rc = find(tx->connection, ending->hash, &login, err);
  const struct lh_audit audit = {.what = "login.end", .object = login.user};
  sqlite3_stmt *end = lh_connection_sql(tx->connection, LH_SQL_LOGIN_END, err);
  if (rc != LH_OK || end == NULL) return rc != LH_OK ? rc : (int)err->code;
  bind_hash(end, ending->hash);
  rc = lh_connection_done(tx->connection, end, err);
  if (rc != LH_OK || *login.user == '\0') return rc;
  return lh_audit_note(tx, ending->actor, &audit, ending->now_ms, err);
}

int lh_sqlite_login_end(struct lh_store *store, const unsigned char *hash,
                        const struct lh_actor *actor, int64_t now_ms, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  struct ending ending = {hash, actor, now_ms};
  return lh_committer_write(self->committer, end_write, &ending, err);
}

/* ---- first run */

int lh_first_run_check(struct lh_connection *connection, const unsigned char *hash, int64_t now_ms,
                       struct lh_error *err) {
  sqlite3_stmt *get = lh_connection_sql(connection, LH_SQL_FIRST_RUN_GET, err);
  if (get == NULL) return err->code;
  bind_hash(get, hash);
  int row = lh_connection_row(connection, get, err);
  if (row < 0) return err->code;
  int64_t age_ms = row > 0 ? now_ms - sqlite3_column_int64(get, 0) : LH_FIRST_RUN_MS;
  if (row > 0) sqlite3_reset(get);
  if (age_ms > -LH_FIRST_RUN_MS && age_ms < LH_FIRST_RUN_MS) return LH_OK;
  return lh_error_set(err, LH_E_DENIED,
                      "the first-run token is unknown or over: 'loyalhook user reset' makes a new"
                      " one");
}

struct offering {
  const unsigned char *hash;
  int remove_users;
  const struct lh_actor *actor;
  int64_t now_ms;
};

static int run(struct lh_tx *tx, enum lh_sql which, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, which, err);
  return statement != NULL ? lh_connection_done(tx->connection, statement, err) : (int)err->code;
}

static int clear_users(struct lh_tx *tx, const struct offering *offering, struct lh_error *err) {
  struct lh_users users;
  int rc = lh_users_count(tx->connection, &users, err);
  if (rc != LH_OK || users.all == 0) return rc;
  if (!offering->remove_users)
    return lh_error_set(err, LH_E_REFUSED,
                        "there are users already: they sign in with their passwords");
  rc = run(tx, LH_SQL_LOGINS_END_ALL, err);
  return rc == LH_OK ? run(tx, LH_SQL_USERS_REMOVE, err) : rc;
}

static int offer_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct offering *offering = context;
  const struct lh_audit audit = {.what = offering->remove_users ? "user.reset" : "user.first_run"};
  int rc = clear_users(tx, offering, err);
  sqlite3_stmt *add = lh_connection_sql(tx->connection, LH_SQL_FIRST_RUN_ADD, err);
  sqlite3_stmt *trim = lh_connection_sql(tx->connection, LH_SQL_FIRST_RUNS_TRIM, err);
  if (rc != LH_OK || add == NULL || trim == NULL) return rc != LH_OK ? rc : (int)err->code;
  bind_hash(add, offering->hash);
  sqlite3_bind_int64(add, 2, offering->now_ms);
  sqlite3_bind_int(trim, 1, LH_FIRST_RUNS_MAX);
  rc = lh_connection_done(tx->connection, add, err);
  if (rc == LH_OK) rc = lh_connection_done(tx->connection, trim, err);
  if (rc != LH_OK) return rc;
  return lh_audit_note(tx, offering->actor, &audit, offering->now_ms, err);
}

int lh_sqlite_first_run(struct lh_store *store, const unsigned char *hash, int remove_users,
                        const struct lh_actor *actor, int64_t now_ms, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  struct offering offering = {hash, remove_users, actor, now_ms};
  return lh_committer_write(self->committer, offer_write, &offering, err);
}
