/*
** A worker's turn with its handlers: results are recorded, tasks formed and
** leases given in one transaction. Each handler gets its share of the worker's
** slots, another one first each time, and what is left goes to those that want
** more. What runs alone (tasks.h) comes before everything else.
*/
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/task.h"

#define CLOCK_SLACK_MS 1000     /* smaller steps back only shorten waits by as much */
#define PULLED_IN_PER_TURN 1000 /* due times set right in one turn; bounds the lock */
#define RATE_SPAN_US_MAX (INT64_C(86400) * 1000 * 1000 * 1000) /* of a burst; keeps sums small */

struct turning {
  struct lh_tasking tasking;
  struct lh_task_turn *turn;
  struct lh_task_leasing leasing;
  struct lh_sqlite_store *self;
  struct lh_task_wished *wished; /* in the order in which they are served; wish_count */
  size_t room;                   /* leases that may still be given */
  int nothing_else;              /* what runs alone forbids it */
  int64_t seen_ms;               /* the latest time of a turn that is known */
  int set_back;                  /* the clock was, since then */
  int far_left;                  /* due times far off that are to be set right in the next turn */
};

/* ---- before anything is given ---- */

static int check_wish(const struct lh_handler_wish *wish, struct lh_error *err) {
  static const struct lh_task_input input = {LH_TASK_IN_START, 0, 0, 0};
  static const struct lh_task task = {.state = LH_TASK_PENDING};
  if (wish->concurrency < 1 || wish->concurrency > LH_TASK_CONCURRENCY_MAX)
    return lh_error_set(err, LH_E_INVALID, "concurrency: %d is not 1-%d", (int)wish->concurrency,
                        LH_TASK_CONCURRENCY_MAX);
  if (wish->interval_us < 0 || wish->interval_us > RATE_SPAN_US_MAX ||
      (wish->interval_us > 0 &&
       (wish->burst < 1 || wish->burst > RATE_SPAN_US_MAX / wish->interval_us)))
    return lh_error_set(err, LH_E_INVALID, "rate: a burst takes no time, or more than a day");
  return lh_task_check(&task, &input, &wish->policy, err);
}

static int check_turn(const struct lh_task_turn *turn, struct lh_error *err) {
  int rc = LH_OK;
  if (turn->wish_count > LH_HANDLERS_MAX || turn->slots > LH_TASK_SLOTS_MAX)
    return lh_error_set(err, LH_E_INVALID, "more than %d handlers, or %d slots", LH_HANDLERS_MAX,
                        LH_TASK_SLOTS_MAX);
  for (size_t i = 0; i < turn->wish_count && rc == LH_OK; i++)
    rc = check_wish(&turn->wishes[i], err);
  return rc;
}

static int check_session(struct turning *turning, struct lh_error *err) {
  struct lh_connection *connection = turning->tasking.tx->connection;
  sqlite3_stmt *here = lh_connection_sql(connection, LH_SQL_SESSION_HERE, err);
  if (here == NULL) return err->code;
  sqlite3_bind_int64(here, 1, turning->turn->session);
  int row = lh_connection_row(connection, here, err);
  if (row < 0) return err->code;
  sqlite3_reset(here);
  turning->turn->session_dead = row == 0;
  return LH_OK;
}

/* A worker that lives says so of its handlers too; one that was forgotten meanwhile begins anew. */
static int look_at(struct turning *turning, struct lh_task_wished *wished, struct lh_error *err) {
  struct lh_handler_hot *row = lh_handler_wished(&turning->tasking, wished->wish->handler, err);
  int64_t now_ms = turning->tasking.now_ms;
  wished->row = row;
  if (row == NULL) return err->code;
  if (turning->turn->session_dead) return LH_OK;
  if (row->loaded_ms > turning->seen_ms) turning->seen_ms = row->loaded_ms;
  if (now_ms < row->loaded_ms || now_ms - row->loaded_ms >= LH_HEARTBEAT_MS) {
    row->loaded_ms = now_ms;
    row->dirty = 1;
  }
  lh_task_bound_times(wished, now_ms);
  if (row->forgotten_ms == 0) return LH_OK;
  row->forgotten_ms = 0;
  row->dirty = 1;
  return lh_tx_inbox_head(turning->tasking.tx, &row->cursor, err);
}

static int look_at_all(struct turning *turning, struct lh_error *err) {
  size_t count = turning->turn->wish_count, first = turning->self->task_turns;
  int rc = LH_OK;
  if (count == 0) return LH_OK;
  turning->wished = calloc(count, sizeof *turning->wished);
  if (turning->wished == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  for (size_t i = 0; i < count && rc == LH_OK; i++) {
    turning->wished[i].wish = &turning->turn->wishes[(first + i) % count];
    rc = look_at(turning, &turning->wished[i], err);
  }
  return rc;
}

/* ---- results ---- */

static const struct lh_handler_wish *wish_of(const struct lh_task_turn *turn, int64_t handler) {
  for (size_t i = 0; i < turn->wish_count; i++)
    if (turn->wishes[i].handler == handler) return &turn->wishes[i];
  return NULL;
}

static void rest(struct lh_handler_hot *handler, int64_t rest_ms,
                 const struct lh_task_policy *policy, int64_t now_ms) {
  int64_t until_ms = now_ms + (rest_ms < policy->max_ms ? rest_ms : policy->max_ms);
  if (rest_ms <= 0 || until_ms <= handler->rest_until_ms) return;
  handler->rest_until_ms = until_ms;
  handler->dirty = 1;
}

/* A result whose lease is no longer held by its reporter is a late one. */
static int record(struct turning *turning, struct lh_task_result *result, struct lh_error *err) {
  struct lh_tasking *tasking = &turning->tasking;
  struct lh_task_hot row;
  int rc = lh_task_load(tasking, result->task, &row, err);
  result->gone = rc == LH_E_NOT_FOUND;
  if (rc != LH_OK) return result->gone ? LH_OK : rc;
  struct lh_handler_hot *handler = lh_handler_get(tasking, row.handler, err);
  if (handler == NULL) return err->code;
  const struct lh_handler_wish *wish = wish_of(turning->turn, row.handler);
  int ours = row.session == turning->turn->session && row.now.state == LH_TASK_RUNNING;
  struct lh_task_change change = {
      .input = {result->kind, ours ? result->attempt : 0, result->retry_after_ms,
                result->jitter_ppm},
      .policy = wish != NULL ? wish->policy : lh_task_policy_of(handler),
      .error = result->kind != LH_TASK_IN_SUCCESS ? result->error : NULL,
  };
  rest(handler, result->rest_ms, &change.policy, tasking->now_ms);
  rc = lh_task_apply(tasking, &row, &change, err);
  result->after = row.now;
  return rc;
}

static int record_all(struct turning *turning, struct lh_error *err) {
  struct lh_task_turn *turn = turning->turn;
  int rc = LH_OK;
  for (size_t i = 0; i < turn->result_count && rc == LH_OK; i++)
    rc = record(turning, &turn->results[i], err);
  return rc;
}

/* ---- a clock that was set back ---- */

/* Tasks of a statement (handler, due after, limit) become due at due_ms. */
static int pull_in(struct turning *turning, enum lh_sql which, const int64_t keys[2],
                   int64_t due_ms, struct lh_error *err) {
  struct lh_connection *connection = turning->tasking.tx->connection;
  int64_t tasks[PULLED_IN_PER_TURN];
  struct lh_task_numbers listed = {tasks, PULLED_IN_PER_TURN, 0};
  int rc = lh_task_list(&turning->tasking, which, keys, &listed, err);
  for (size_t i = 0; i < listed.count && rc == LH_OK; i++) {
    sqlite3_stmt *due = lh_connection_sql(connection, LH_SQL_TASK_DUE, err);
    if (due == NULL) return err->code;
    sqlite3_bind_int64(due, 1, tasks[i]);
    sqlite3_bind_int64(due, 2, due_ms);
    rc = lh_connection_done(connection, due, err);
  }
  if (listed.count == PULLED_IN_PER_TURN) turning->far_left = 1;
  return rc;
}

/*
** Due times are wall time: none is further off than the longest wait, and one that was just formed
** is due at once, unless the clock was set back. How long the remote side wished to rest nobody
** knows any more then.
*/
static int check_clock_of(struct turning *turning, const struct lh_task_wished *wished,
                          struct lh_error *err) {
  int set_back = turning->set_back;
  int64_t now_ms = turning->tasking.now_ms;
  int64_t first_ms = now_ms + wished->wish->policy.first_ms;
  int64_t longest_ms = set_back ? wished->wish->policy.max_ms : LH_TASK_WAIT_MS_MAX;
  const int64_t far[2] = {wished->row->handler, now_ms + longest_ms};
  const int64_t ahead[2] = {wished->row->handler, now_ms};
  if (set_back && wished->row->rest_until_ms > now_ms) {
    wished->row->rest_until_ms = now_ms;
    wished->row->dirty = 1;
  }
  int rc = pull_in(turning, LH_SQL_TASKS_FAR, far, first_ms, err);
  if (rc == LH_OK)
    rc = pull_in(turning, LH_SQL_TASKS_FAR_ALONE, set_back ? ahead : far, now_ms, err);
  if (rc != LH_OK || !set_back) return rc;
  return pull_in(turning, LH_SQL_TASKS_AHEAD, ahead, now_ms, err);
}

/* That it was set back while no worker ran shows in the handlers' rows. */
static int check_clock(struct turning *turning, struct lh_error *err) {
  int64_t last_ms = turning->self->last_tasks_ms;
  int rc = LH_OK;
  if (last_ms > turning->seen_ms) turning->seen_ms = last_ms;
  turning->set_back = turning->tasking.now_ms < turning->seen_ms - CLOCK_SLACK_MS;
  if (last_ms != 0 && !turning->set_back) return LH_OK;
  for (size_t i = 0; i < turning->turn->wish_count && rc == LH_OK; i++)
    rc = check_clock_of(turning, &turning->wished[i], err);
  return rc;
}

/* ---- what runs alone ---- */

/* 1 there is one, 0 not, -1 failure. */
static int runs_alone(struct turning *turning, int64_t session, struct lh_error *err) {
  struct lh_connection *connection = turning->tasking.tx->connection;
  sqlite3_stmt *find = lh_connection_sql(connection, LH_SQL_TASKS_RUN_ALONE, err);
  if (find == NULL) return -1;
  sqlite3_bind_int64(find, 1, session);
  int row = lh_connection_row(connection, find, err);
  if (row > 0) sqlite3_reset(find);
  return row;
}

/* May this worker run what runs alone of the handler? An idle one takes it from a busy one. */
static int is_mine(struct turning *turning, const struct lh_handler_hot *row,
                   struct lh_error *err) {
  if (row->alone_session == 0 || row->alone_session == turning->turn->session) return 1;
  if (turning->turn->running > 0) return 0;
  int busy = runs_alone(turning, row->alone_session, err);
  return busy < 0 ? -1 : !busy;
}

static int serve_alone(struct turning *turning, struct lh_task_wished *wished,
                       struct lh_error *err) {
  struct lh_handler_hot *row = wished->row;
  const int64_t keys[2] = {row->handler, turning->tasking.now_ms};
  int64_t task;
  struct lh_task_numbers found = {&task, 1, 0};
  int rc = lh_task_list(&turning->tasking, LH_SQL_TASKS_ALONE, keys, &found, err);
  if (rc != LH_OK || found.count == 0) return rc;
  wished->alone_due = 1;
  if (lh_task_may_start(wished, turning->tasking.now_ms) == 0) return LH_OK;
  int mine = is_mine(turning, row, err);
  if (mine <= 0) return mine < 0 ? (int)err->code : LH_OK;
  if (row->alone_session != turning->turn->session) row->dirty = 1;
  row->alone_session = turning->turn->session;
  turning->nothing_else = 1;
  if (turning->turn->running > 0) return LH_OK; /* its results bring the worker back here */
  return lh_task_lease(&turning->leasing, wished, 1, LH_SQL_TASKS_ALONE, err);
}

static int serve_all_alone(struct turning *turning, struct lh_error *err) {
  int row = runs_alone(turning, turning->turn->session, err);
  if (row < 0) return err->code;
  turning->nothing_else = row;
  int rc = LH_OK;
  for (size_t i = 0; i < turning->turn->wish_count && rc == LH_OK && !turning->nothing_else; i++)
    rc = serve_alone(turning, &turning->wished[i], err);
  return rc;
}

/* A worker that stops leaves what is to run alone to others, once it runs none of it any more. */
static int leave_alone(struct turning *turning, struct lh_error *err) {
  int row = runs_alone(turning, turning->turn->session, err);
  if (row != 0) return row < 0 ? (int)err->code : LH_OK;
  for (size_t i = 0; i < turning->turn->wish_count; i++) {
    struct lh_handler_hot *handler = turning->wished[i].row;
    if (handler->alone_session != turning->turn->session) continue;
    handler->alone_session = 0;
    handler->dirty = 1;
    turning->tasking.tx->wake = 1;
  }
  return LH_OK;
}

/* ---- everything else ---- */

/*
** Not the last one while another is to run alone: whoever is to run that would find none free, as
** long as the others have work.
*/
static size_t may_start(const struct turning *turning, const struct lh_task_wished *wished) {
  size_t most = lh_task_may_start(wished, turning->tasking.now_ms);
  int64_t left = wished->wish->concurrency - wished->row->tasks[LH_TASK_RUNNING] - 1;
  return !wished->alone_due || left >= (int64_t)most ? most : (size_t)(left > 0 ? left : 0);
}

static int serve(struct turning *turning, struct lh_task_wished *wished, size_t share,
                 struct lh_error *err) {
  size_t before = wished->taken, most = may_start(turning, wished);
  wished->wants_more = most > share;
  if (most > share) most = share;
  if (most == 0) return LH_OK;
  int rc = lh_task_lease(&turning->leasing, wished, most, LH_SQL_TASKS_DUE, err);
  size_t leased = wished->taken - before;
  if (leased < most) wished->wants_more = 0;
  turning->room -= leased;
  return rc;
}

static int serve_all(struct turning *turning, struct lh_error *err) {
  size_t count = turning->turn->wish_count;
  int rc = LH_OK;
  for (size_t i = 0; i < count && rc == LH_OK && turning->room > 0; i++) {
    size_t share = turning->room / (count - i);
    rc = serve(turning, &turning->wished[i], share > 0 ? share : 1, err);
  }
  for (size_t i = 0; i < count && rc == LH_OK && turning->room > 0; i++)
    if (turning->wished[i].wants_more) rc = serve(turning, &turning->wished[i], turning->room, err);
  return rc;
}

static int form_all(struct turning *turning, struct lh_error *err) {
  int rc = LH_OK;
  for (size_t i = 0; i < turning->turn->wish_count && rc == LH_OK; i++)
    rc = lh_task_form(&turning->tasking, turning->wished[i].row,
                      turning->wished[i].wish->concurrency, &turning->leasing.more, err);
  return rc;
}

/* ---- what the worker is told ---- */

/* First column of a statement (handler, after which time, limit); INT64_MAX: none. */
static int earliest(struct turning *turning, enum lh_sql which, const int64_t keys[2],
                    int64_t *due_ms, struct lh_error *err) {
  struct lh_task_numbers found = {due_ms, 1, 0};
  int rc = lh_task_list(&turning->tasking, which, keys, &found, err);
  if (rc != LH_OK || found.count == 0) *due_ms = INT64_MAX;
  return rc;
}

static void due_by(struct lh_task_turn *turn, int64_t at_ms) {
  if (at_ms < turn->next_due_ms) turn->next_due_ms = at_ms;
}

/*
** When the handler is to be looked at again, if nothing happens before: what is due and has no room
** here needs a result, and what others run alone needs nothing of us.
*/
static int look_ahead(struct turning *turning, const struct lh_task_wished *wished,
                      struct lh_error *err) {
  struct lh_task_turn *turn = turning->turn;
  int64_t due_ms, alone_ms = INT64_MAX, now_ms = turn->now_ms;
  const int64_t any[2] = {wished->row->handler, INT64_MIN};
  const int64_t later[2] = {wished->row->handler, now_ms};
  int rc = earliest(turning, LH_SQL_TASKS_NEXT, any, &due_ms, err);
  if (rc == LH_OK) rc = earliest(turning, LH_SQL_TASKS_NEXT_ALONE, later, &alone_ms, err);
  if (rc != LH_OK || wished->row->tasks[LH_TASK_RUNNING] >= wished->wish->concurrency) return rc;
  int64_t start_ms = lh_task_start_ms(wished, now_ms);
  if (due_ms <= now_ms && start_ms <= now_ms) {
    /* Work that this worker has no room for, or wants no more: another one may. */
    if (turn->result_count > 0) turning->tasking.tx->wake = 1;
  } else if (due_ms != INT64_MAX) {
    due_by(turn, due_ms > start_ms ? due_ms : start_ms);
  }
  if (alone_ms != INT64_MAX) due_by(turn, alone_ms > start_ms ? alone_ms : start_ms);
  return LH_OK;
}

static int look_ahead_all(struct turning *turning, struct lh_error *err) {
  int rc = LH_OK;
  for (size_t i = 0; i < turning->turn->wish_count && rc == LH_OK; i++)
    rc = look_ahead(turning, &turning->wished[i], err);
  if (turning->leasing.more && turning->turn->slots > 0) turning->turn->more = 1;
  if (turning->turn->more) turning->turn->next_due_ms = turning->turn->now_ms;
  return rc;
}

static int give(struct turning *turning, struct lh_error *err) {
  if (turning->turn->slots == 0) return leave_alone(turning, err);
  int rc = serve_all_alone(turning, err);
  if (rc != LH_OK || turning->nothing_else) return rc;
  rc = form_all(turning, err);
  return rc == LH_OK ? serve_all(turning, err) : rc;
}

static int run(struct turning *turning, struct lh_error *err) {
  int rc = check_session(turning, err);
  if (rc == LH_OK) rc = look_at_all(turning, err);
  if (rc == LH_OK && !turning->turn->session_dead) rc = check_clock(turning, err);
  if (rc == LH_OK) rc = record_all(turning, err);
  if (rc != LH_OK || turning->turn->session_dead) return rc;
  rc = give(turning, err);
  return rc == LH_OK ? look_ahead_all(turning, err) : rc;
}

static int turn_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct turning *turning = context;
  struct lh_task_turn *turn = turning->turn;
  turning->tasking = (struct lh_tasking){.tx = tx, .now_ms = turn->now_ms};
  turning->leasing = (struct lh_task_leasing){.tasking = &turning->tasking, .turn = turn};
  turning->room = turn->slots;
  int rc = lh_tasking_end(&turning->tasking, run(turning, err), err);
  if (turn->session_dead && turning->tasking.woken > 0) tx->wake = 1;
  free(turning->wished);
  turning->wished = NULL;
  return rc;
}

int lh_sqlite_task_turn(struct lh_store *store, struct lh_task_turn *turn, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  turn->leases = NULL;
  turn->lease_count = 0;
  turn->next_due_ms = INT64_MAX;
  turn->more = turn->session_dead = 0;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  int rc = check_turn(turn, err);
  struct turning turning = {.turn = turn, .self = self};
  if (rc == LH_OK) rc = lh_committer_write(self->committer, turn_write, &turning, err);
  if (rc != LH_OK) {
    lh_task_turn_clear(turn);
    return rc;
  }
  self->last_tasks_ms = !turning.far_left ? turn->now_ms : turning.set_back ? turning.seen_ms : 0;
  self->task_turns++;
  return LH_OK;
}
