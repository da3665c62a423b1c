/* One row of tasks: loaded, stepped by core/task.h, saved, and what that means for others. */
#include <string.h>

#include "store/sqlite/task.h"

#define LOST_PER_WRITE 500

static int64_t due_of(sqlite3_stmt *statement, int column, enum lh_task_state state) {
  if (state != LH_TASK_PENDING && state != LH_TASK_RETRYING) return 0;
  int waits = sqlite3_column_type(statement, column) == SQLITE_NULL;
  return waits ? LH_TASK_WAITS : sqlite3_column_int64(statement, column);
}

int lh_task_load(struct lh_tasking *tasking, int64_t task, struct lh_task_hot *row,
                 struct lh_error *err) {
  struct lh_connection *connection = tasking->tx->connection;
  sqlite3_stmt *get = lh_connection_sql(connection, LH_SQL_TASK_GET, err);
  memset(row, 0, sizeof *row);
  if (get == NULL) return err->code;
  sqlite3_bind_int64(get, 1, task);
  int found = lh_connection_row(connection, get, err);
  if (found < 0) return err->code;
  if (found == 0) return lh_error_set(err, LH_E_NOT_FOUND, "task %lld is gone", (long long)task);
  row->task = task;
  row->handler = sqlite3_column_int64(get, 0);
  row->position = sqlite3_column_int64(get, 1);
  row->now.state = (enum lh_task_state)sqlite3_column_int(get, 2);
  row->now.reason = (enum lh_task_reason)sqlite3_column_int(get, 3);
  row->now.attempts_made = sqlite3_column_int(get, 4);
  row->now.budget_start = sqlite3_column_int(get, 5);
  row->now.strikes = sqlite3_column_int(get, 6);
  row->now.alone = sqlite3_column_int(get, 7);
  row->now.due_ms = due_of(get, 8, row->now.state);
  row->session = sqlite3_column_int64(get, 9); /* NULL reads as 0 */
  row->started_ms = sqlite3_column_int64(get, 10);
  row->first_ms = sqlite3_column_int64(get, 11);
  row->now.finished_ms = sqlite3_column_int64(get, 12);
  row->serial = sqlite3_column_int(get, 13);
  row->stored = row->now;
  sqlite3_reset(get);
  return LH_OK;
}

static int waits(const struct lh_task *task) {
  return task->state == LH_TASK_PENDING || task->state == LH_TASK_RETRYING;
}

static int is_waiting(const struct lh_task *task) {
  return waits(task) && task->due_ms == LH_TASK_WAITS;
}

static void bind_if(sqlite3_stmt *statement, int column, int present, int64_t value) {
  if (present)
    sqlite3_bind_int64(statement, column, value);
  else
    sqlite3_bind_null(statement, column);
}

/* As much of it as is kept; not in the middle of a character. */
static void bind_error(sqlite3_stmt *statement, int column, const char *error) {
  if (error == NULL || *error == '\0') {
    sqlite3_bind_null(statement, column);
    return;
  }
  size_t len = strlen(error);
  if (len > LH_TASK_ERROR_MAX) {
    len = LH_TASK_ERROR_MAX;
    while (len > 0 && ((unsigned char)error[len] & 0xc0) == 0x80) len--;
  }
  sqlite3_bind_text(statement, column, error, (int)len, SQLITE_STATIC);
}

static void count(struct lh_handler_hot *handler, const struct lh_task *from,
                  const struct lh_task *to) {
  handler->tasks[from->state]--;
  handler->tasks[to->state]++;
  handler->waiting += (to->state == LH_TASK_PENDING && is_waiting(to)) -
                      (from->state == LH_TASK_PENDING && is_waiting(from));
  handler->dirty = 1;
}

static int save(struct lh_tasking *tasking, const struct lh_task_hot *row, const char *error,
                struct lh_error *err) {
  const struct lh_task *task = &row->now;
  int runs = task->state == LH_TASK_RUNNING;
  sqlite3_stmt *statement = lh_connection_sql(tasking->tx->connection, LH_SQL_TASK_SAVE, err);
  struct lh_handler_hot *handler = lh_handler_get(tasking, row->handler, err);
  if (statement == NULL || handler == NULL) return err->code;
  count(handler, &row->stored, task);
  sqlite3_bind_int64(statement, 1, row->task);
  sqlite3_bind_int(statement, 2, (int)task->state);
  sqlite3_bind_int(statement, 3, (int)task->reason);
  sqlite3_bind_int(statement, 4, task->attempts_made);
  sqlite3_bind_int(statement, 5, task->budget_start);
  sqlite3_bind_int(statement, 6, task->strikes);
  sqlite3_bind_int(statement, 7, task->alone);
  bind_if(statement, 8, waits(task) && !is_waiting(task), task->due_ms);
  bind_if(statement, 9, runs, row->session);
  bind_if(statement, 10, runs, row->started_ms);
  bind_if(statement, 11, row->first_ms != 0, row->first_ms);
  bind_if(statement, 12, task->state >= LH_TASK_DONE, task->finished_ms);
  bind_error(statement, 13, error);
  return lh_connection_done(tasking->tx->connection, statement, err);
}

struct serial_first {
  int64_t task; /* 0: its member has no unfinished task */
  int waits;
  enum lh_task_state state;
};

/* Of the unfinished tasks of the same handler and member, the one of lowest position. */
static int serial_first(struct lh_tasking *tasking, const struct lh_task_hot *row,
                        struct serial_first *first, struct lh_error *err) {
  struct lh_connection *connection = tasking->tx->connection;
  sqlite3_stmt *statement = lh_connection_sql(connection, LH_SQL_SERIAL_FIRST, err);
  memset(first, 0, sizeof *first);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, row->handler);
  sqlite3_bind_int64(statement, 2, row->task);
  int found = lh_connection_row(connection, statement, err);
  if (found <= 0) return found < 0 ? (int)err->code : LH_OK;
  first->task = sqlite3_column_int64(statement, 0);
  first->waits = sqlite3_column_int(statement, 1);
  first->state = (enum lh_task_state)sqlite3_column_int(statement, 2);
  sqlite3_reset(statement);
  return LH_OK;
}

/* The one that ended was the one whose turn it was: now it is the next one's. */
static int wake_next(struct lh_tasking *tasking, const struct lh_task_hot *row,
                     struct lh_error *err) {
  struct serial_first next;
  int rc = serial_first(tasking, row, &next, err);
  if (rc != LH_OK || next.task == 0 || !next.waits) return rc;
  struct lh_handler_hot *handler = lh_handler_get(tasking, row->handler, err);
  sqlite3_stmt *due = lh_connection_sql(tasking->tx->connection, LH_SQL_TASK_DUE, err);
  if (handler == NULL || due == NULL) return err->code;
  if (next.state == LH_TASK_PENDING) handler->waiting--;
  handler->dirty = 1;
  tasking->woken++;
  sqlite3_bind_int64(due, 1, next.task);
  sqlite3_bind_int64(due, 2, tasking->now_ms);
  return lh_connection_done(tasking->tx->connection, due, err);
}

/* What only rows know: the worker of a start, the first attempt, who waits for whom. */
static int fit_in(struct lh_tasking *tasking, struct lh_task_hot *row, unsigned effects,
                  struct lh_error *err) {
  struct serial_first first;
  if (effects & LH_TASK_EFFECT_STARTED) {
    row->started_ms = tasking->now_ms;
    if (row->first_ms == 0) row->first_ms = tasking->now_ms;
  }
  if (row->now.attempts_made == 0) row->first_ms = 0; /* given back: it never began */
  if (!row->serial || row->stored.state != LH_TASK_FAILED || !waits(&row->now)) return LH_OK;
  int rc = serial_first(tasking, row, &first, err);
  if (rc == LH_OK && first.task != 0) row->now.due_ms = LH_TASK_WAITS;
  return rc;
}

int lh_task_apply(struct lh_tasking *tasking, struct lh_task_hot *row,
                  struct lh_task_change *change, struct lh_error *err) {
  struct lh_error why;
  int was_active =
      row->stored.state == LH_TASK_RUNNING || (waits(&row->stored) && !is_waiting(&row->stored));
  change->effects = LH_TASK_EFFECT_REFUSED;
  if (lh_task_check(&row->now, &change->input, &change->policy, &why) != LH_OK)
    return lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged: task %lld: %s",
                        (long long)row->task, why.message);
  change->effects = lh_task_step(&row->now, &change->input, &change->policy, tasking->now_ms);
  if (change->effects & LH_TASK_EFFECT_REFUSED) return LH_OK;
  int rc = fit_in(tasking, row, change->effects, err);
  if (rc == LH_OK) rc = save(tasking, row, change->error, err);
  if (rc == LH_OK && (change->effects & LH_TASK_EFFECT_ENDED) && row->serial && was_active)
    rc = wake_next(tasking, row, err);
  row->stored = row->now;
  return rc;
}

struct lh_task_policy lh_task_policy_of(const struct lh_handler_hot *handler) {
  return (struct lh_task_policy){
      .tries = LH_TASK_TRIES_DEFAULT,
      .factor = LH_TASK_FACTOR,
      .first_ms = LH_TASK_FIRST_MS,
      .max_ms = LH_TASK_MAX_MS,
      .fails_when_unknown = handler->fails_when_unknown,
  };
}

int lh_task_list(struct lh_tasking *tasking, enum lh_sql which, const int64_t keys[2],
                 struct lh_task_numbers *numbers, struct lh_error *err) {
  struct lh_connection *connection = tasking->tx->connection;
  sqlite3_stmt *statement = lh_connection_sql(connection, which, err);
  int row = 0;
  numbers->count = 0;
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, keys[0]);
  sqlite3_bind_int64(statement, 2, keys[1]);
  sqlite3_bind_int64(statement, 3, (int64_t)numbers->limit);
  while (numbers->count < numbers->limit &&
         (row = lh_connection_row(connection, statement, err)) > 0)
    numbers->at[numbers->count++] = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  return row < 0 ? (int)err->code : LH_OK;
}

static int lose(struct lh_tasking *tasking, int64_t task, struct lh_error *err) {
  struct lh_task_hot row;
  int rc = lh_task_load(tasking, task, &row, err);
  if (rc != LH_OK) return rc;
  const struct lh_handler_hot *handler = lh_handler_get(tasking, row.handler, err);
  if (handler == NULL) return err->code;
  struct lh_task_change change = {.input = {LH_TASK_IN_LOST, row.now.attempts_made, 0, 0},
                                  .policy = lh_task_policy_of(handler),
                                  .error = "worker was lost before it had ended"};
  return lh_task_apply(tasking, &row, &change, err);
}

int lh_tasks_lose(struct lh_tx *tx, int64_t session, int64_t now_ms, size_t *lost, int *left,
                  struct lh_error *err) {
  struct lh_tasking tasking = {.tx = tx, .now_ms = now_ms};
  int64_t tasks[LOST_PER_WRITE];
  struct lh_task_numbers listed = {tasks, LOST_PER_WRITE, 0};
  const int64_t keys[2] = {session, 0};
  int rc = lh_task_list(&tasking, LH_SQL_TASKS_OF_SESSION, keys, &listed, err);
  for (size_t i = 0; i < listed.count && rc == LH_OK; i++) rc = lose(&tasking, tasks[i], err);
  *lost += listed.count;
  *left = listed.count == LOST_PER_WRITE;
  return lh_tasking_end(&tasking, rc, err);
}
