/*
** A worker's turn: results are recorded and new leases given in one
** transaction, so one sync serves both. Webhooks are served in the order in
** which they became due; whoever leaves the room without having had enough
** goes to the end of the line.
*/
#include <string.h>

#include "store/sqlite/turn.h"

#define CLOCK_SLACK_MS 1000 /* smaller steps back only shorten waits by as much */
#define SERVED_PER_TURN 64  /* webhooks taken from the line in one turn; bounds the lock */

static int check_session(struct lh_turning *turning, struct lh_error *err) {
  struct lh_connection *connection = turning->tx->connection;
  sqlite3_stmt *statement = lh_connection_sql(connection, LH_SQL_SESSION_HERE, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, turning->turn->session);
  int row = lh_connection_row(connection, statement, err);
  if (row < 0) return err->code;
  sqlite3_reset(statement);
  turning->turn->session_dead = row == 0;
  return LH_OK;
}

static int list_due(struct lh_turning *turning, int64_t *webhooks, size_t *count,
                    struct lh_error *err) {
  struct lh_connection *connection = turning->tx->connection;
  sqlite3_stmt *statement = lh_connection_sql(connection, LH_SQL_DISPATCH_DUE, err);
  int row;
  *count = 0;
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, turning->now_ms);
  sqlite3_bind_int(statement, 2, SERVED_PER_TURN);
  while (*count < SERVED_PER_TURN && (row = lh_connection_row(connection, statement, err)) != 0) {
    if (row < 0) return err->code;
    webhooks[(*count)++] = sqlite3_column_int64(statement, 0);
  }
  sqlite3_reset(statement);
  return LH_OK;
}

static int has_room(const struct lh_turning *turning) {
  return turning->slots > 0 && turning->bytes > 0;
}

static int serve(struct lh_turning *turning, struct lh_dispatch *dispatch, size_t waiting,
                 struct lh_error *err) {
  if (dispatch->served || dispatch->due_ms > turning->now_ms) return LH_OK;
  size_t share = turning->slots / (waiting > 0 ? waiting : 1);
  return lh_lease_serve(turning, dispatch, share > 0 ? share : 1, err);
}

/* First the line as it stood, then those whose results freed a slot just now. */
static int serve_due(struct lh_turning *turning, struct lh_error *err) {
  struct lh_committer *committer = turning->tx->committer;
  int64_t webhooks[SERVED_PER_TURN];
  size_t count, freed = committer->dispatch_count;
  int rc = list_due(turning, webhooks, &count, err);
  for (size_t i = 0; i < count && rc == LH_OK && has_room(turning); i++) {
    struct lh_dispatch *dispatch = lh_dispatch_get(turning->tx, webhooks[i], err);
    if (dispatch == NULL) return err->code;
    rc = serve(turning, dispatch, count - i + freed, err);
  }
  for (size_t i = 0; i < freed && rc == LH_OK && has_room(turning); i++)
    rc = serve(turning, &committer->dispatches[i], freed - i, err);
  return rc;
}

static int look_for_job(struct lh_turning *turning, struct lh_error *err) {
  struct lh_connection *connection = turning->tx->connection;
  sqlite3_stmt *statement = lh_connection_sql(connection, LH_SQL_JOB_OPEN, err);
  if (statement == NULL) return err->code;
  int row = lh_connection_row(connection, statement, err);
  if (row < 0) return err->code;
  sqlite3_reset(statement);
  turning->turn->job_open = row;
  return LH_OK;
}

static int next_due(struct lh_turning *turning, struct lh_error *err) {
  struct lh_connection *connection = turning->tx->connection;
  struct lh_turn *turn = turning->turn;
  sqlite3_stmt *statement = lh_connection_sql(connection, LH_SQL_DISPATCH_NEXT, err);
  if (statement == NULL) return err->code;
  int row = lh_connection_row(connection, statement, err);
  if (row < 0) return err->code;
  if (row > 0 && sqlite3_column_type(statement, 0) != SQLITE_NULL)
    turn->next_due_ms = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  turn->more = turn->slots > 0 && !turn->session_dead && turn->next_due_ms <= turn->now_ms &&
               has_room(turning);
  return LH_OK;
}

/*
** Due times are wall time. When the clock was set back, what is due may seem
** far away: everybody is looked at again, and lease.c brings the requests'
** own times back into their interval. The same look serves form_all.
*/
static int check_clock(struct lh_turning *turning, struct lh_error *err) {
  int64_t before = turning->last_turn_ms;
  int all = turning->turn->form_all && !turning->formed_all;
  if (before != 0 && turning->now_ms >= before - CLOCK_SLACK_MS && !all) return LH_OK;
  struct lh_connection *connection = turning->tx->connection;
  sqlite3_stmt *statement = lh_connection_sql(connection, LH_SQL_DISPATCH_LOOK_AGAIN, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, turning->now_ms);
  return lh_connection_done(connection, statement, err);
}

int lh_turning_begin(struct lh_turning *turning, struct lh_tx *tx, struct lh_turn *turn,
                     struct lh_error *err) {
  memset(turning, 0, sizeof *turning);
  turning->tx = tx;
  turning->turn = turn;
  turning->now_ms = turn->now_ms;
  turning->slots = turn->slots;
  turning->bytes = turn->bytes;
  turn->leased = 0;
  turn->failed_unsent = 0;
  turn->paused_unreadable = 0;
  turn->more = 0;
  turn->job_open = 0;
  turn->next_due_ms = INT64_MAX;
  lh_dispatch_begin(tx);
  int rc = lh_tx_head(tx, &turning->head, err);
  return rc == LH_OK ? lh_tx_types_refresh(tx, &turning->types_highest, err) : rc;
}

struct asked {
  struct lh_sqlite_store *self;
  struct lh_turn *turn;
};

static int turn_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct lh_sqlite_store *self = ((struct asked *)context)->self;
  struct lh_turn *turn = ((struct asked *)context)->turn;
  struct lh_turning turning;
  int rc = lh_turning_begin(&turning, tx, turn, err);
  turning.last_turn_ms = self->last_turn_ms;
  turning.formed_all = self->formed_all;
  if (rc == LH_OK) rc = check_session(&turning, err);
  if (rc == LH_OK) rc = check_clock(&turning, err);
  for (size_t i = 0; i < turn->result_count && rc == LH_OK; i++)
    rc = lh_record(tx, &turn->results[i], turn->session, turn->now_ms, err);
  if (rc == LH_OK && has_room(&turning) && !turn->session_dead) rc = serve_due(&turning, err);
  if (rc == LH_OK) rc = lh_dispatch_save_all(tx, err);
  if (rc == LH_OK) rc = next_due(&turning, err);
  if (rc == LH_OK) rc = look_for_job(&turning, err);
  /* Work may be left that this worker has no room for, or wants no more: another one may. */
  if (!has_room(&turning) && (turning.room_ran_out || turn->result_count > 0)) tx->wake = 1;
  if (turn->result_count > 0 && turn->slots == 0 && turn->next_due_ms <= turn->now_ms) tx->wake = 1;
  return rc;
}

int lh_sqlite_turn(struct lh_store *store, struct lh_turn *turn, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  struct asked asked = {self, turn};
  int rc = lh_committer_write(self->committer, turn_write, &asked, err);
  if (rc != LH_OK) return rc;
  self->last_turn_ms = turn->now_ms;
  self->formed_all = turn->form_all;
  return LH_OK;
}
