/*
** Users. A password is hashed before the writer lock is asked for: that takes a
** quarter of a second, and everybody else's work goes on meanwhile.
*/
#include <stdlib.h>
#include <string.h>

#include "core/password.h"
#include "core/seal.h"
#include "store/sqlite/access.h"

#define COLUMN_PASSWORD 7

static void read_user(sqlite3_stmt *statement, struct lh_user *user) {
  memset(user, 0, sizeof *user);
  lh_column_put(user->name, sizeof user->name, statement, 0);
  user->role = (enum lh_role)sqlite3_column_int(statement, 1);
  user->created_ms = sqlite3_column_int64(statement, 2);
  user->disabled_ms = sqlite3_column_int64(statement, 3);
  user->seen_ms = sqlite3_column_int64(statement, 4);
  user->user = sqlite3_column_int64(statement, 5);
  user->revision = sqlite3_column_int64(statement, 6);
}

/* Its row, found in any case; user->user 0: there is none. stored: the password's, or NULL. */
static int find(struct lh_connection *connection, const char *name, struct lh_user *user,
                unsigned char stored[LH_PASSWORD_STORED_BYTES], struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(connection, LH_SQL_USER_BY_NAME, err);
  memset(user, 0, sizeof *user);
  if (statement == NULL) return err->code;
  lh_bind_text(statement, 1, name);
  int row = lh_connection_row(connection, statement, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  read_user(statement, user);
  int len = sqlite3_column_bytes(statement, COLUMN_PASSWORD);
  if (stored != NULL && len == LH_PASSWORD_STORED_BYTES)
    memcpy(stored, sqlite3_column_blob(statement, COLUMN_PASSWORD), LH_PASSWORD_STORED_BYTES);
  sqlite3_reset(statement);
  return LH_OK;
}

int lh_users_count(struct lh_connection *connection, struct lh_users *users, struct lh_error *err) {
  sqlite3_stmt *count = lh_connection_sql(connection, LH_SQL_USERS_COUNT, err);
  *users = (struct lh_users){0, 0};
  if (count == NULL || lh_connection_row(connection, count, err) <= 0) return err->code;
  users->all = sqlite3_column_int64(count, 0);
  users->admins = sqlite3_column_int64(count, 1);
  sqlite3_reset(count);
  return LH_OK;
}

/* ---- hashing */

static int32_t iterations_of(int32_t given) {
  return given > 0 ? given : LH_PASSWORD_ITERATIONS;
}

static int hash_password(struct lh_sqlite_store *self, struct lh_piece password, int32_t iterations,
                         unsigned char stored[LH_PASSWORD_STORED_BYTES], struct lh_error *err) {
  const struct lh_clock *clock = self->committer->clock;
  unsigned char salt[LH_PASSWORD_SALT_BYTES];
  int rc = clock->random(clock->self, salt, sizeof salt, err);
  if (rc != LH_OK) return rc;
  return lh_password_store(password.at, password.len, salt, iterations_of(iterations), stored, err);
}

/* ---- a new one */

struct adding {
  const struct lh_user_new *user;
  const struct lh_actor *actor;
  int64_t now_ms;
  struct lh_user *made;
  unsigned char stored[LH_PASSWORD_STORED_BYTES];
};

/*
** May a first-run token make this user? Asked before hashing, and again inside the write. Users are
** counted last: the first one takes the tokens along, and whoever finds none is to hear of him.
*/
static int check_first_run(struct lh_connection *connection, const struct adding *adding,
                           struct lh_error *err) {
  struct lh_users users;
  if (adding->user->first_run == NULL) return LH_OK;
  int rc = lh_first_run_check(connection, adding->user->first_run, adding->now_ms, err);
  if (rc != LH_OK && rc != LH_E_DENIED) return rc;
  int counted = lh_users_count(connection, &users, err);
  if (counted != LH_OK) return counted;
  if (users.all > 0) return lh_error_set(err, LH_E_REFUSED, "there is a user already: sign in");
  return rc;
}

static int check_new(struct lh_tx *tx, const struct adding *adding, struct lh_error *err) {
  struct lh_users users;
  int rc = lh_users_count(tx->connection, &users, err);
  if (rc == LH_OK) rc = check_first_run(tx->connection, adding, err);
  if (rc == LH_OK) rc = find(tx->connection, adding->user->name, adding->made, NULL, err);
  if (rc != LH_OK) return rc;
  if (adding->made->user != 0)
    return lh_error_set(err, LH_E_CONFLICT, "user: there is a user '%s' already",
                        adding->made->name);
  if (users.all >= LH_USERS_MAX)
    return lh_error_set(err, LH_E_LIMIT, "user: there are %d already, the limit", LH_USERS_MAX);
  if (users.admins == 0 && adding->user->role != LH_ROLE_ADMIN)
    return lh_error_set(err, LH_E_REFUSED, "role: the first user must be an admin");
  return LH_OK;
}

static int note(struct lh_tx *tx, const char *what, const char *name, const struct lh_actor *actor,
                int64_t now_ms, struct lh_error *err) {
  const struct lh_audit audit = {.what = what, .object = name};
  return lh_audit_note(tx, actor, &audit, now_ms, err);
}

static int add_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct adding *adding = context;
  const struct lh_user_new *user = adding->user;
  int rc = check_new(tx, adding, err);
  sqlite3_stmt *add = lh_connection_sql(tx->connection, LH_SQL_USER_ADD, err);
  sqlite3_stmt *end = lh_connection_sql(tx->connection, LH_SQL_FIRST_RUNS_END, err);
  if (rc != LH_OK || add == NULL || end == NULL) return rc != LH_OK ? rc : (int)err->code;
  lh_bind_text(add, 1, user->name);
  sqlite3_bind_blob(add, 2, adding->stored, sizeof adding->stored, SQLITE_STATIC);
  sqlite3_bind_int(add, 3, (int)user->role);
  sqlite3_bind_int64(add, 4, adding->now_ms);
  rc = lh_connection_done(tx->connection, add, err);
  if (rc == LH_OK) rc = lh_connection_done(tx->connection, end, err);
  if (rc == LH_OK) rc = note(tx, "user.add", user->name, adding->actor, adding->now_ms, err);
  return rc == LH_OK ? find(tx->connection, user->name, adding->made, NULL, err) : rc;
}

static int add_user(struct lh_sqlite_store *self, struct adding *adding, struct lh_error *err) {
  const struct lh_user_new *user = adding->user;
  struct lh_connection *reader = lh_sqlite_reader(self, err);
  if (reader == NULL) return err->code;
  int rc = lh_user_name_check(user->name, strlen(user->name), err);
  if (rc == LH_OK) rc = lh_password_rule(user->name, user->password.at, user->password.len, err);
  if (rc == LH_OK) rc = check_first_run(reader, adding, err);
  if (rc == LH_OK) rc = hash_password(self, user->password, user->iterations, adding->stored, err);
  return rc == LH_OK ? lh_committer_write(self->committer, add_write, adding, err) : rc;
}

int lh_sqlite_user_add(struct lh_store *store, const struct lh_user_new *user,
                       const struct lh_actor *actor, int64_t now_ms, struct lh_user *made,
                       struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct adding adding = {.user = user, .actor = actor, .now_ms = now_ms, .made = made};
  memset(made, 0, sizeof *made);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  int rc = self != NULL ? add_user(self, &adding, err) : (int)err->code;
  lh_wipe(adding.stored, sizeof adding.stored);
  return rc;
}

/* ---- changing one */

struct setting {
  const struct lh_user_change *change;
  const struct lh_actor *actor;
  int64_t now_ms;
  struct lh_user *after;
  unsigned char stored[LH_PASSWORD_STORED_BYTES];
};

static int run_on(struct lh_tx *tx, enum lh_sql which, int64_t user, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, which, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, user);
  return lh_connection_done(tx->connection, statement, err);
}

static int save(struct lh_tx *tx, const struct setting *setting, struct lh_error *err) {
  const struct lh_user_change *change = setting->change;
  const struct lh_user *user = setting->after;
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_USER_SAVE, err);
  if (statement == NULL) return err->code;
  int64_t disabled_ms = user->disabled_ms;
  if (change->fields & LH_USER_DISABLED)
    disabled_ms = !change->disabled ? 0 : disabled_ms != 0 ? disabled_ms : setting->now_ms;
  sqlite3_bind_int64(statement, 1, user->user);
  sqlite3_bind_int(statement, 2, (int)(change->fields & LH_USER_ROLE ? change->role : user->role));
  if (disabled_ms != 0)
    sqlite3_bind_int64(statement, 3, disabled_ms);
  else
    sqlite3_bind_null(statement, 3);
  if (change->fields & LH_USER_PASSWORD)
    sqlite3_bind_blob(statement, 4, setting->stored, sizeof setting->stored, SQLITE_STATIC);
  else
    sqlite3_bind_null(statement, 4);
  return lh_connection_done(tx->connection, statement, err);
}

/* Somebody must be left who can do everything. */
static int check_admins(struct lh_tx *tx, const struct lh_user *user, struct lh_error *err) {
  struct lh_users users;
  int rc = lh_users_count(tx->connection, &users, err);
  if (rc != LH_OK || users.admins > 0) return rc;
  return lh_error_set(err, LH_E_REFUSED,
                      "user '%s' is the last admin that is enabled: make another one first",
                      user->name);
}

static const char *what_of(const struct lh_user_change *change) {
  if (change->fields & LH_USER_REMOVED) return "user.remove";
  if (change->fields & LH_USER_ROLE) return "user.role";
  if (change->fields & LH_USER_DISABLED) return change->disabled ? "user.disable" : "user.enable";
  return "user.password";
}

static int set_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct setting *setting = context;
  const struct lh_user_change *change = setting->change;
  struct lh_user *user = setting->after;
  int rc = find(tx->connection, change->name, user, NULL, err);
  if (rc != LH_OK) return rc;
  if (user->user == 0)
    return lh_error_set(err, LH_E_NOT_FOUND, "no user has this name (loyalhook user list)");
  rc = run_on(tx, LH_SQL_LOGINS_END, user->user, err);
  if (rc == LH_OK && (change->fields & LH_USER_REMOVED))
    rc = run_on(tx, LH_SQL_USER_REMOVE, user->user, err);
  else if (rc == LH_OK)
    rc = save(tx, setting, err);
  if (rc == LH_OK) rc = check_admins(tx, user, err);
  if (rc == LH_OK) rc = note(tx, what_of(change), user->name, setting->actor, setting->now_ms, err);
  if (rc != LH_OK || (change->fields & LH_USER_REMOVED)) return rc;
  return find(tx->connection, change->name, user, NULL, err);
}

static int set_user(struct lh_sqlite_store *self, struct setting *setting, struct lh_error *err) {
  const struct lh_user_change *change = setting->change;
  if (change->fields & LH_USER_PASSWORD) {
    int rc = lh_password_rule(change->name, change->password.at, change->password.len, err);
    if (rc == LH_OK)
      rc = hash_password(self, change->password, change->iterations, setting->stored, err);
    if (rc != LH_OK) return rc;
  }
  return lh_committer_write(self->committer, set_write, setting, err);
}

int lh_sqlite_user_set(struct lh_store *store, const struct lh_user_change *change,
                       const struct lh_actor *actor, int64_t now_ms, struct lh_user *after,
                       struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct setting setting = {.change = change, .actor = actor, .now_ms = now_ms, .after = after};
  memset(after, 0, sizeof *after);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  int rc = self != NULL ? set_user(self, &setting, err) : (int)err->code;
  lh_wipe(setting.stored, sizeof setting.stored);
  return rc;
}

/* ---- looking */

int lh_sqlite_user_list(struct lh_store *store, struct lh_user_list *list, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(list, 0, sizeof *list);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  sqlite3_stmt *all = reader != NULL ? lh_connection_sql(reader, LH_SQL_USERS, err) : NULL;
  if (all == NULL) return err->code;
  list->rows = calloc(LH_USERS_MAX, sizeof *list->rows);
  if (list->rows == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  int row = 0;
  sqlite3_bind_int(all, 1, LH_USERS_MAX);
  while (list->count < LH_USERS_MAX && (row = lh_connection_row(reader, all, err)) > 0)
    read_user(all, &list->rows[list->count++]);
  sqlite3_reset(all);
  if (row >= 0) return LH_OK;
  lh_user_list_clear(list);
  return err->code;
}

/* ---- somebody says who it is */

struct rehashing {
  int64_t user;
  const unsigned char *before, *after;
};

static int rehash_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct rehashing *rehashing = context;
  sqlite3_stmt *rehash = lh_connection_sql(tx->connection, LH_SQL_USER_REHASH, err);
  if (rehash == NULL) return err->code;
  sqlite3_bind_int64(rehash, 1, rehashing->user);
  sqlite3_bind_blob(rehash, 2, rehashing->after, LH_PASSWORD_STORED_BYTES, SQLITE_STATIC);
  sqlite3_bind_blob(rehash, 3, rehashing->before, LH_PASSWORD_STORED_BYTES, SQLITE_STATIC);
  return lh_connection_done(tx->connection, rehash, err);
}

/* More iterations are used by now than when it was set. That this fails matters to nobody. */
static void rehash(struct lh_sqlite_store *self, const struct lh_claim *claim, int64_t user,
                   const unsigned char stored[LH_PASSWORD_STORED_BYTES]) {
  unsigned char fresh[LH_PASSWORD_STORED_BYTES];
  struct rehashing rehashing = {user, stored, fresh};
  if (lh_password_iterations(stored, LH_PASSWORD_STORED_BYTES) >= iterations_of(claim->iterations))
    return;
  if (hash_password(self, claim->password, claim->iterations, fresh, NULL) == LH_OK)
    (void)lh_committer_write(self->committer, rehash_write, &rehashing, NULL);
  lh_wipe(fresh, sizeof fresh);
}

static int check(struct lh_sqlite_store *self, const struct lh_claim *claim, struct lh_user *user,
                 struct lh_error *err) {
  static const unsigned char no_salt[LH_PASSWORD_SALT_BYTES] = {0};
  unsigned char stored[LH_PASSWORD_STORED_BYTES] = {0};
  struct lh_connection *reader = lh_sqlite_reader(self, err);
  if (reader == NULL) return err->code;
  int good = 0, rc = find(reader, claim->name, user, stored, err);
  if (rc != LH_OK) return rc;
  if (user->user != 0) {
    rc = lh_password_check(stored, sizeof stored, claim->password.at, claim->password.len, &good,
                           err);
  } else { /* nobody: in the time that it takes with somebody */
    rc = lh_password_store(claim->password.at, claim->password.len, no_salt,
                           iterations_of(claim->iterations), stored, err);
  }
  if (rc == LH_OK && (!good || user->disabled_ms != 0))
    rc = lh_error_set(err, LH_E_DENIED, "the name or the password is wrong");
  if (rc == LH_OK) rehash(self, claim, user->user, stored);
  lh_wipe(stored, sizeof stored);
  return rc;
}

int lh_sqlite_user_check(struct lh_store *store, const struct lh_claim *claim, struct lh_user *user,
                         struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(user, 0, sizeof *user);
  if (claim->password.len > LH_PASSWORD_MAX)
    return lh_error_set(err, LH_E_DENIED, "the name or the password is wrong");
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  int rc = check(self, claim, user, err);
  if (rc != LH_OK) memset(user, 0, sizeof *user);
  return rc;
}
