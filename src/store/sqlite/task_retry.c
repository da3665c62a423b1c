/*
** Retry of failed tasks by a person: of chosen events in one transaction, or of
** many, a bounded step at a time.
*/
#include <stdio.h>
#include <string.h>

#include "store/sqlite/task.h"

#define PER_EVENT_MAX LH_HANDLERS_MAX /* an event has at most one task a handler */
#define POSITIONS_MAX LH_SOURCES_MAX  /* events of one id: one a source */

const char *lh_task_retry_outcome_name(enum lh_task_retry_outcome outcome) {
  static const char *const names[] = {"retried", "not_failed", "unknown"};
  return names[outcome];
}

static void bind_text_if_any(sqlite3_stmt *statement, int column, const char *text) {
  if (text != NULL)
    sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
  else
    sqlite3_bind_null(statement, column);
}

/* *retried 0: it is not failed any more. */
static int retry_task(struct lh_tasking *tasking, int64_t task, int *retried,
                      struct lh_error *err) {
  struct lh_task_hot row;
  *retried = 0;
  int rc = lh_task_load(tasking, task, &row, err);
  if (rc != LH_OK) return rc;
  const struct lh_handler_hot *handler = lh_handler_get(tasking, row.handler, err);
  if (handler == NULL) return err->code;
  struct lh_task_change change = {.input = {LH_TASK_IN_RETRY, 0, 0, 0},
                                  .policy = lh_task_policy_of(handler)};
  rc = lh_task_apply(tasking, &row, &change, err);
  *retried = rc == LH_OK && !(change.effects & LH_TASK_EFFECT_REFUSED);
  if (*retried) tasking->tx->wake = 1;
  return rc;
}

/* ---- chosen events ---- */

/* First column of all rows of a statement, at most `limit`. */
static int numbers(struct lh_tasking *tasking, sqlite3_stmt *statement, int64_t *values,
                   size_t limit, size_t *count, struct lh_error *err) {
  int row = 0;
  *count = 0;
  while (*count < limit && (row = lh_connection_row(tasking->tx->connection, statement, err)) > 0)
    values[(*count)++] = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  return row < 0 ? (int)err->code : LH_OK;
}

/* The tasks of the event at a position. It stays unknown if a handler was named and has none. */
static int retry_at(struct lh_tasking *tasking, struct lh_task_retry *retry, int64_t position,
                    struct lh_error *err) {
  int64_t tasks[PER_EVENT_MAX];
  size_t count;
  sqlite3_stmt *list = lh_connection_sql(tasking->tx->connection, LH_SQL_TASKS_OF_EVENT, err);
  if (list == NULL) return err->code;
  sqlite3_bind_int64(list, 1, position);
  bind_text_if_any(list, 2, retry->handler);
  int rc = numbers(tasking, list, tasks, PER_EVENT_MAX, &count, err);
  int known = retry->handler == NULL || count > 0;
  if (known && retry->outcome == LH_TASK_RETRY_UNKNOWN) retry->outcome = LH_TASK_RETRY_NOT_FAILED;
  for (size_t i = 0; i < count && rc == LH_OK; i++) {
    int retried;
    rc = retry_task(tasking, tasks[i], &retried, err);
    if (retried) retry->outcome = LH_TASK_RETRY_RETRIED;
  }
  return rc;
}

static int retry_one(struct lh_tasking *tasking, struct lh_task_retry *retry,
                     struct lh_error *err) {
  int64_t positions[POSITIONS_MAX];
  size_t count;
  retry->outcome = LH_TASK_RETRY_UNKNOWN;
  sqlite3_stmt *find = lh_connection_sql(tasking->tx->connection, LH_SQL_TASK_POSITIONS, err);
  if (find == NULL) return err->code;
  sqlite3_bind_text(find, 1, retry->event_id, -1, SQLITE_STATIC);
  bind_text_if_any(find, 2, retry->source);
  int rc = numbers(tasking, find, positions, POSITIONS_MAX, &count, err);
  for (size_t i = 0; i < count && rc == LH_OK; i++)
    rc = retry_at(tasking, retry, positions[i], err);
  return rc;
}

struct retrying {
  struct lh_task_retry *retries;
  size_t count;
  const struct lh_actor *actor;
  int64_t now_ms;
};

static int note_retry(struct lh_tx *tx, const struct retrying *retrying, struct lh_error *err) {
  const struct lh_audit audit = {.what = "inbox.retry"};
  struct lh_audit_counts counts = {.asked = retrying->count};
  for (size_t i = 0; i < retrying->count; i++)
    counts.retried += retrying->retries[i].outcome == LH_TASK_RETRY_RETRIED;
  return lh_audit_note_retry(tx, retrying->actor, &audit, counts, retrying->now_ms, err);
}

static int retry_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct retrying *retrying = context;
  struct lh_tasking tasking = {.tx = tx, .now_ms = retrying->now_ms};
  int rc = LH_OK;
  for (size_t i = 0; i < retrying->count && rc == LH_OK; i++)
    rc = retry_one(&tasking, &retrying->retries[i], err);
  if (rc == LH_OK) rc = note_retry(tx, retrying, err);
  return lh_tasking_end(&tasking, rc, err);
}

int lh_sqlite_task_retry(struct lh_store *store, struct lh_task_retry *retries, size_t count,
                         const struct lh_actor *actor, int64_t now_ms, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  if (count < 1 || count > LH_RETRY_MANY_MAX)
    return lh_error_set(err, LH_E_LIMIT, "retry: %zu events at once, 1 to %d can be", count,
                        LH_RETRY_MANY_MAX);
  struct retrying retrying = {retries, count, actor, now_ms};
  return lh_committer_write(self->committer, retry_write, &retrying, err);
}

/* ---- many ---- */

struct stepping {
  struct lh_task_retry_step *step;
  int64_t handler; /* 0: all */
  int64_t source;  /* 0: all */
  int64_t tasks[LH_RETRY_MANY_MAX + PER_EVENT_MAX];
  size_t count;
  int64_t next;
};

static int find_source(struct lh_connection *connection, const char *name, int64_t *source,
                       struct lh_error *err) {
  sqlite3_stmt *find = lh_connection_sql(connection, LH_SQL_SOURCE_FIND, err);
  if (find == NULL) return err->code;
  sqlite3_bind_text(find, 1, name, -1, SQLITE_STATIC);
  int row = lh_connection_row(connection, find, err);
  if (row < 0) return err->code;
  if (row == 0)
    return lh_error_set(err, LH_E_NOT_FOUND, "nothing was received from a source '%.64s'", name);
  *source = sqlite3_column_int64(find, 0);
  sqlite3_reset(find);
  return LH_OK;
}

static int is_meant(const struct stepping *stepping, sqlite3_stmt *task) {
  const struct lh_task_retry_step *step = stepping->step;
  if (step->failed_before_ms > 0 && sqlite3_column_int64(task, 2) >= step->failed_before_ms)
    return 0;
  if (stepping->source != 0 && sqlite3_column_int64(task, 3) != stepping->source) return 0;
  return sqlite3_column_int64(task, 4) >= step->since_ms;
}

/*
** The next ones that are meant, without the writer lock. A position is taken whole, for the next
** step goes on behind it.
*/
static int gather(struct stepping *stepping, struct lh_connection *reader, struct lh_error *err) {
  int64_t at = stepping->step->after;
  int row = 0;
  sqlite3_stmt *list = lh_connection_sql(
      reader, stepping->handler != 0 ? LH_SQL_TASKS_FAILED_OF : LH_SQL_TASKS_FAILED, err);
  if (list == NULL) return err->code;
  sqlite3_bind_int64(list, 1, at);
  if (stepping->handler != 0) sqlite3_bind_int64(list, 2, stepping->handler);
  for (int looks = 0; (row = lh_connection_row(reader, list, err)) > 0; looks++) {
    int64_t position = sqlite3_column_int64(list, 1);
    int full = stepping->count >= LH_RETRY_MANY_MAX || looks >= LH_RETRY_LOOKS_MAX;
    if (full && position != at) {
      stepping->next = at;
      break;
    }
    at = position;
    if (is_meant(stepping, list))
      stepping->tasks[stepping->count++] = sqlite3_column_int64(list, 0);
  }
  sqlite3_reset(list);
  return row < 0 ? (int)err->code : LH_OK;
}

/* Names of handlers and sources need no escaping; these were found. */
static int note_step(struct lh_tx *tx, const struct lh_task_retry_step *step,
                     struct lh_error *err) {
  char detail[64 + LH_HANDLER_NAME_MAX + LH_SOURCE_MAX];
  const struct lh_audit audit = {.what = "inbox.retry_failed", .detail = detail};
  if (step->count == 0) return LH_OK;
  int len = snprintf(detail, sizeof detail, "{\"count\":%zu", step->count);
  if (step->handler != NULL)
    len +=
        snprintf(detail + len, sizeof detail - (size_t)len, ",\"handler\":\"%s\"", step->handler);
  if (step->source != NULL)
    len += snprintf(detail + len, sizeof detail - (size_t)len, ",\"source\":\"%s\"", step->source);
  snprintf(detail + len, sizeof detail - (size_t)len, "}");
  return lh_audit_note(tx, step->actor, &audit, step->now_ms, err);
}

static int step_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct stepping *stepping = context;
  struct lh_tasking tasking = {.tx = tx, .now_ms = stepping->step->now_ms};
  int rc = LH_OK;
  stepping->step->count = 0;
  for (size_t i = 0; i < stepping->count && rc == LH_OK; i++) {
    int retried;
    rc = retry_task(&tasking, stepping->tasks[i], &retried, err);
    if (rc == LH_E_NOT_FOUND) rc = LH_OK; /* retention was faster */
    stepping->step->count += (size_t)retried;
  }
  if (rc == LH_OK) rc = note_step(tx, stepping->step, err);
  return lh_tasking_end(&tasking, rc, err);
}

int lh_sqlite_task_retry_failed(struct lh_store *store, struct lh_task_retry_step *step,
                                struct lh_error *err) {
  struct lh_error local;
  struct stepping stepping = {.step = step};
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  int rc = LH_OK;
  if (step->handler != NULL) rc = lh_handler_find(reader, step->handler, &stepping.handler, err);
  if (rc == LH_OK && step->source != NULL)
    rc = find_source(reader, step->source, &stepping.source, err);
  if (rc == LH_OK) rc = gather(&stepping, reader, err);
  step->count = stepping.count;
  if (rc == LH_OK && !step->dry_run && stepping.count > 0)
    rc = lh_committer_write(self->committer, step_write, &stepping, err);
  if (rc == LH_OK) step->after = stepping.next;
  return rc;
}
