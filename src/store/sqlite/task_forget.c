/*
** Forgetting a handler: from the first step on nothing of it is formed or
** leased, and in bounded steps what it has left ends failed. Those that wait for
** another task of their member become due when that one ends, so they are found
** too. Its row stays, with the name of its tasks; once it has none it makes room
** where there are very many.
*/
#include "store/sqlite/task.h"

#define FORGOTTEN_PER_WRITE 500

struct forgetting {
  const char *name;
  const struct lh_actor *actor;
  int64_t now_ms;
  int begun;
  size_t failed; /* in this step */
  int64_t left;
};

/* 1: a worker lives, 0: none, -1: failure. */
static int worker_lives(struct lh_tx *tx, struct lh_error *err) {
  sqlite3_stmt *count = lh_connection_sql(tx->connection, LH_SQL_SESSIONS_COUNT, err);
  if (count == NULL || lh_connection_row(tx->connection, count, err) <= 0) return -1;
  int lives = sqlite3_column_int64(count, 0) > 0;
  sqlite3_reset(count);
  return lives;
}

static int begin(struct lh_tx *tx, const struct forgetting *forgetting,
                 struct lh_handler_hot *handler, struct lh_error *err) {
  int64_t unfinished = handler->tasks[LH_TASK_PENDING] + handler->tasks[LH_TASK_RUNNING] +
                       handler->tasks[LH_TASK_RETRYING];
  if (handler->forgotten_ms != 0 && unfinished == 0)
    return lh_error_set(err, LH_E_NOT_FOUND, "handler '%.64s' was forgotten already",
                        forgetting->name);
  int lives = worker_lives(tx, err);
  if (lives < 0) return err->code;
  int64_t ago_ms = forgetting->now_ms - handler->loaded_ms;
  if (lives && ago_ms < LH_SESSION_DEAD_MS && ago_ms > -LH_SESSION_DEAD_MS)
    return lh_error_set(err, LH_E_REFUSED,
                        "a worker has handler '%.64s' loaded: take it out of the worker's"
                        " configuration, restart it, and wait %d s",
                        forgetting->name, LH_SESSION_DEAD_MS / 1000);
  const struct lh_audit audit = {.what = "handler.forget", .object = forgetting->name};
  handler->forgotten_ms = forgetting->now_ms;
  handler->dirty = 1;
  return lh_audit_note(tx, forgetting->actor, &audit, forgetting->now_ms, err);
}

static int end_one(struct lh_tasking *tasking, const struct lh_handler_hot *handler, int64_t task,
                   struct lh_error *err) {
  struct lh_task_change change = {.input = {LH_TASK_IN_FORGET, 0, 0, 0},
                                  .policy = lh_task_policy_of(handler)};
  struct lh_task_hot row;
  int rc = lh_task_load(tasking, task, &row, err);
  if (rc != LH_OK) return rc;
  return lh_task_apply(tasking, &row, &change, err);
}

/* Those that a statement (handler, key, limit) gives; the next of a member's comes into it then. */
static int end_listed(struct lh_tasking *tasking, const struct lh_handler_hot *handler,
                      enum lh_sql which, int64_t key, size_t *ended, struct lh_error *err) {
  const int64_t keys[2] = {handler->handler, key};
  int64_t tasks[FORGOTTEN_PER_WRITE];
  struct lh_task_numbers found = {tasks, 0, 1};
  int rc = LH_OK;
  while (rc == LH_OK && found.count > 0 && *ended < FORGOTTEN_PER_WRITE) {
    found.limit = FORGOTTEN_PER_WRITE - *ended;
    rc = lh_task_list(tasking, which, keys, &found, err);
    for (size_t i = 0; i < found.count && rc == LH_OK; i++)
      rc = end_one(tasking, handler, tasks[i], err);
    *ended += found.count;
  }
  return rc;
}

static int end_some(struct lh_tasking *tasking, const struct lh_handler_hot *handler, size_t *ended,
                    struct lh_error *err) {
  int rc = end_listed(tasking, handler, LH_SQL_TASKS_RUNNING_OF, 0, ended, err);
  if (rc == LH_OK) rc = end_listed(tasking, handler, LH_SQL_TASKS_ALONE, INT64_MAX, ended, err);
  return rc == LH_OK ? end_listed(tasking, handler, LH_SQL_TASKS_DUE, INT64_MAX, ended, err) : rc;
}

static int forget(struct lh_tasking *tasking, struct forgetting *forgetting, struct lh_error *err) {
  int64_t number;
  int rc = lh_handler_find(tasking->tx->connection, forgetting->name, &number, err);
  struct lh_handler_hot *handler = rc == LH_OK ? lh_handler_get(tasking, number, err) : NULL;
  if (handler == NULL) return err->code;
  if (!forgetting->begun) rc = begin(tasking->tx, forgetting, handler, err);
  if (rc == LH_OK && handler->forgotten_ms == 0)
    rc = lh_error_set(err, LH_E_REFUSED, "a worker has loaded handler '%.64s' meanwhile",
                      forgetting->name);
  if (rc == LH_OK) rc = end_some(tasking, handler, &forgetting->failed, err);
  forgetting->left = handler->tasks[LH_TASK_PENDING] + handler->tasks[LH_TASK_RUNNING] +
                     handler->tasks[LH_TASK_RETRYING];
  return rc;
}

static int forget_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct forgetting *forgetting = context;
  struct lh_tasking tasking = {.tx = tx, .now_ms = forgetting->now_ms};
  forgetting->failed = 0;
  return lh_tasking_end(&tasking, forget(&tasking, forgetting, err), err);
}

int lh_sqlite_handler_forget(struct lh_store *store, const char *name, const struct lh_actor *actor,
                             int64_t now_ms, size_t *failed, struct lh_error *err) {
  struct lh_error local;
  struct forgetting forgetting = {.name = name, .actor = actor, .now_ms = now_ms};
  if (err == NULL) err = &local;
  *failed = 0;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  do {
    int rc = lh_committer_write(self->committer, forget_write, &forgetting, err);
    if (rc != LH_OK) return rc;
    forgetting.begun = 1;
    *failed += forgetting.failed;
  } while (forgetting.left > 0 && forgetting.failed > 0);
  return LH_OK;
}
