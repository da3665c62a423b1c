/*
** Workers' sessions: opened with a lock that ends with the process, kept by a
** heartbeat, and cleaned up by whichever worker sees first that one is dead.
** A dead session's attempts are ended as lost; their requests and tasks are due
** at once.
*/
#include <string.h>
#include <unistd.h>

#include "store/sqlite/task.h"
#include "store/sqlite/turn.h"

#define RESCUED_PER_WRITE 500
#define SESSIONS_LOOKED_AT 64

struct opening {
  struct lh_sqlite_store *self;
  int64_t now_ms;
  int64_t session;
  int fd;
};

/* One worker a handle: lock and heartbeat are the handle's. A dead session may be replaced. */
static int check_free(struct lh_tx *tx, int64_t session, struct lh_error *err) {
  if (session == 0) return LH_OK;
  sqlite3_stmt *here = lh_connection_sql(tx->connection, LH_SQL_SESSION_HERE, err);
  if (here == NULL) return err->code;
  sqlite3_bind_int64(here, 1, session);
  int row = lh_connection_row(tx->connection, here, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  sqlite3_reset(here);
  return lh_error_set(err, LH_E_REFUSED,
                      "this store handle has a worker already: open the store once for each");
}

static int open_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct opening *opening = context;
  int free = check_free(tx, opening->self->session, err);
  if (free != LH_OK) return free;
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_SESSION_ADD, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, opening->now_ms);
  sqlite3_bind_int64(statement, 2, getpid());
  sqlite3_bind_int64(statement, 3, lh_lock_inode(&tx->committer->lock));
  int rc = lh_connection_done(tx->connection, statement, err);
  if (rc != LH_OK) return rc;
  opening->session = sqlite3_last_insert_rowid(tx->connection->db);
  /* Locked before anybody can see the row: nobody ever finds it dead. */
  opening->fd = lh_lock_session(&tx->committer->lock, opening->session, err);
  return opening->fd >= 0 ? LH_OK : (int)err->code;
}

int lh_sqlite_session_open(struct lh_store *store, int64_t now_ms, int64_t *session,
                           struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  struct opening opening = {self, now_ms, 0, -1};
  int rc = lh_committer_write(self->committer, open_write, &opening, err);
  if (rc != LH_OK) {
    if (opening.fd >= 0) close(opening.fd);
    return rc;
  }
  if (self->session_fd >= 0) close(self->session_fd);
  self->session = *session = opening.session;
  self->session_fd = opening.fd;
  self->last_turn_ms = self->last_tasks_ms = 0; /* a new worker: everybody is looked at once */
  self->formed_all = 0;
  self->heartbeat_ms = now_ms;
  return LH_OK;
}

/* Ends up to `limit` attempts of a session as lost. *left 1: there are more. */
static int lose_attempts(struct lh_tx *tx, int64_t session, int64_t now_ms, size_t *lost, int *left,
                         struct lh_error *err) {
  int64_t requests[RESCUED_PER_WRITE];
  size_t count = 0;
  int row;
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_REQUEST_OF_SESSION, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, session);
  sqlite3_bind_int(statement, 2, RESCUED_PER_WRITE);
  while (count < RESCUED_PER_WRITE && (row = lh_connection_row(tx->connection, statement, err))) {
    if (row < 0) return err->code;
    requests[count++] = sqlite3_column_int64(statement, 0);
  }
  sqlite3_reset(statement);
  *left = count == RESCUED_PER_WRITE;
  for (size_t i = 0; i < count; i++) {
    struct lh_request_hot hot;
    struct lh_attempt_result result;
    int rc = lh_request_load(tx, requests[i], &hot, err);
    if (rc != LH_OK) return rc;
    memset(&result, 0, sizeof result);
    result.request = requests[i];
    result.attempt = hot.delivery.attempts_made;
    result.kind = LH_INPUT_LOST;
    result.outcome = LH_OUTCOME_LOST;
    result.started_ms = hot.started_ms;
    result.duration_ms = -1;
    result.error = "worker was lost before it knew the outcome";
    rc = lh_record(tx, &result, session, now_ms, err);
    if (rc != LH_OK) return rc;
  }
  *lost += count;
  return LH_OK;
}

struct ending {
  int64_t session;
  int64_t now_ms;
  size_t lost;
  int left;
};

static int run_with(struct lh_tx *tx, enum lh_sql which, int64_t session, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, which, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, session);
  return lh_connection_done(tx->connection, statement, err);
}

static int end_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct ending *ending = context;
  int left = 0;
  ending->lost = 0;
  lh_dispatch_begin(tx);
  int rc = lose_attempts(tx, ending->session, ending->now_ms, &ending->lost, &ending->left, err);
  if (rc == LH_OK) rc = lh_dispatch_save_all(tx, err);
  if (rc == LH_OK)
    rc = lh_tasks_lose(tx, ending->session, ending->now_ms, &ending->lost, &left, err);
  if (rc == LH_OK) rc = lh_mailing_release(tx, ending->session, ending->now_ms, err);
  if (rc != LH_OK) return rc;
  ending->left = ending->left || left;
  tx->wake = 1; /* for what was lost; and what it knew to be due later others look up now */
  if (ending->left) return LH_OK;
  rc = run_with(tx, LH_SQL_HANDLERS_RELEASE, ending->session, err);
  return rc == LH_OK ? run_with(tx, LH_SQL_SESSION_END, ending->session, err) : rc;
}

void lh_sqlite_session_close(struct lh_store *store, int64_t session, int64_t now_ms) {
  struct lh_error ignored; /* what cannot be ended here is ended by whoever finds the lock gone */
  struct lh_sqlite_store *self = lh_sqlite_self(store, &ignored);
  if (self == NULL || session == 0) return;
  struct ending ending = {session, now_ms, 0, 1};
  while (ending.left)
    if (lh_committer_write(self->committer, end_write, &ending, &ignored) != LH_OK) break;
  if (self->session != session) return;
  if (self->session_fd >= 0) close(self->session_fd);
  self->session_fd = -1;
  self->session = 0;
}

static int beat_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct ending *beat = context;
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_SESSION_BEAT, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, beat->session);
  sqlite3_bind_int64(statement, 2, beat->now_ms);
  return lh_connection_done(tx->connection, statement, err);
}

/*
** Whoever was itself away for long (stopped, suspended with the machine, or
** the clock was set) finds old heartbeats everywhere: the others beat first.
** A lock that is gone needs no clock.
*/
static void note_absence(struct lh_sqlite_store *self, int64_t now_ms) {
  int64_t away_ms = now_ms - self->heartbeat_ms;
  if (away_ms < 0 || away_ms > LH_SESSION_DEAD_MS / 2)
    self->judge_at_ms = now_ms + 2 * LH_HEARTBEAT_MS;
}

static int is_dead(const struct lh_sqlite_store *self, int64_t session, int64_t heartbeat_ms,
                   int64_t inode, int64_t now_ms) {
  if (lh_lock_session_alive(&self->committer->lock, session, inode) == 0) return 1;
  return now_ms >= self->judge_at_ms && now_ms - heartbeat_ms > LH_SESSION_DEAD_MS;
}

static int list_dead(struct lh_sqlite_store *self, int64_t session, int64_t now_ms, int64_t *dead,
                     size_t *count, struct lh_error *err) {
  int row;
  *count = 0;
  struct lh_connection *reader = lh_sqlite_reader(self, err);
  if (reader == NULL) return err->code;
  sqlite3_stmt *statement = lh_connection_sql(reader, LH_SQL_SESSIONS, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, session);
  while (*count < SESSIONS_LOOKED_AT && (row = lh_connection_row(reader, statement, err)) != 0) {
    if (row < 0) return err->code;
    int64_t other = sqlite3_column_int64(statement, 0);
    if (is_dead(self, other, sqlite3_column_int64(statement, 1), sqlite3_column_int64(statement, 2),
                now_ms))
      dead[(*count)++] = other;
  }
  sqlite3_reset(statement);
  return LH_OK;
}

int lh_sqlite_rescue(struct lh_store *store, int64_t session, int64_t now_ms, size_t *rescued,
                     struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  int64_t dead[SESSIONS_LOOKED_AT];
  size_t count = 0;
  *rescued = 0;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  int rc = LH_OK;
  note_absence(self, now_ms);
  if (now_ms - self->heartbeat_ms >= LH_HEARTBEAT_MS || now_ms < self->heartbeat_ms) {
    struct ending beat = {session, now_ms, 0, 0};
    rc = lh_committer_write(self->committer, beat_write, &beat, err);
    if (rc == LH_OK) self->heartbeat_ms = now_ms;
  }
  if (rc == LH_OK) rc = list_dead(self, session, now_ms, dead, &count, err);
  for (size_t i = 0; i < count && rc == LH_OK; i++) {
    struct ending ending = {dead[i], now_ms, 0, 0};
    rc = lh_committer_write(self->committer, end_write, &ending, err);
    *rescued += ending.lost;
  }
  return rc;
}

int lh_sessions_alive(const struct lh_lock *lock, struct lh_connection *connection, int64_t now_ms,
                      int64_t *alive, struct lh_error *err) {
  sqlite3_stmt *sessions = lh_connection_sql(connection, LH_SQL_SESSIONS, err);
  int row;
  *alive = 0;
  if (sessions == NULL) return err->code;
  sqlite3_bind_int64(sessions, 1, 0);
  while ((row = lh_connection_row(connection, sessions, err)) > 0) {
    int locked = lh_lock_session_alive(lock, sqlite3_column_int64(sessions, 0),
                                       sqlite3_column_int64(sessions, 2));
    int64_t silent_ms = now_ms - sqlite3_column_int64(sessions, 1);
    if (locked != 0 && silent_ms <= LH_SESSION_DEAD_MS) ++*alive;
  }
  return row < 0 ? (int)err->code : LH_OK;
}
