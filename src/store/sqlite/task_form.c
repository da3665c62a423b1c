/*
** Forming tasks: the next events of the inbox that a handler wants become rows.
** Only as many as may soon run; a backlog stays in the log. Those that wait for
** another task of their member do not count, or one member would hold up all.
*/
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/task.h"

struct forming {
  struct lh_tasking *tasking;
  struct lh_handler_hot *handler;
  char *types;     /* '\n' before, between and behind the names; NULL: all */
  int64_t at_most; /* tasks that may wait to be started */
  int looks;
};

/* Padded, so that a name is found with its ends. */
static int read_types(struct forming *forming, struct lh_error *err) {
  struct lh_connection *connection = forming->tasking->tx->connection;
  sqlite3_stmt *get = lh_connection_sql(connection, LH_SQL_HANDLER_TYPES, err);
  if (get == NULL) return err->code;
  sqlite3_bind_int64(get, 1, forming->handler->handler);
  int row = lh_connection_row(connection, get, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  const char *types = lh_column_text(get, 0);
  if (strcmp(types, "*") == 0) {
    sqlite3_reset(get);
    return LH_OK;
  }
  size_t len = strlen(types);
  forming->types = malloc(len + 3);
  if (forming->types != NULL) {
    forming->types[0] = forming->types[len + 1] = '\n';
    memcpy(forming->types + 1, types, len);
    forming->types[len + 2] = '\0';
  }
  sqlite3_reset(get);
  return forming->types != NULL ? LH_OK : lh_error_set(err, LH_E_MEMORY, "out of memory");
}

static int wants(const struct forming *forming, const char *event_type) {
  size_t len = strlen(event_type);
  if (forming->types == NULL) return 1;
  if (strchr(event_type, '\n') != NULL)
    return 0; /* never the end of one and the begin of another */
  for (const char *at = forming->types; (at = strstr(at, event_type)) != NULL; at++)
    if (at[-1] == '\n' && at[len] == '\n') return 1;
  return 0;
}

/* 1: its member has an unfinished task already, 0 not, -1 failure. */
static int comes_later(const struct forming *forming, sqlite3_stmt *event, struct lh_error *err) {
  struct lh_connection *connection = forming->tasking->tx->connection;
  sqlite3_stmt *here = lh_connection_sql(connection, LH_SQL_SERIAL_HERE, err);
  if (here == NULL) return -1;
  sqlite3_bind_int64(here, 1, forming->handler->handler);
  sqlite3_bind_value(here, 2, sqlite3_column_value(event, 2));
  int row = lh_connection_row(connection, here, err);
  if (row > 0) sqlite3_reset(here);
  return row;
}

static int add(struct forming *forming, sqlite3_stmt *event, struct lh_error *err) {
  struct lh_connection *connection = forming->tasking->tx->connection;
  struct lh_handler_hot *handler = forming->handler;
  int serial = handler->serial && sqlite3_column_type(event, 2) != SQLITE_NULL;
  int waits = serial ? comes_later(forming, event, err) : 0;
  sqlite3_stmt *insert = lh_connection_sql(connection, LH_SQL_TASK_ADD, err);
  if (waits < 0 || insert == NULL) return err->code;
  sqlite3_bind_int64(insert, 1, handler->handler);
  sqlite3_bind_int64(insert, 2, sqlite3_column_int64(event, 0));
  if (waits)
    sqlite3_bind_null(insert, 3);
  else
    sqlite3_bind_int64(insert, 3, forming->tasking->now_ms);
  if (serial)
    sqlite3_bind_value(insert, 4, sqlite3_column_value(event, 2));
  else
    sqlite3_bind_null(insert, 4);
  int rc = lh_connection_done(connection, insert, err);
  if (rc != LH_OK || sqlite3_changes(connection->db) == 0) return rc; /* it was here before */
  handler->tasks[LH_TASK_PENDING]++;
  handler->waiting += waits;
  return LH_OK;
}

static int has_enough(const struct forming *forming) {
  const struct lh_handler_hot *handler = forming->handler;
  return handler->tasks[LH_TASK_PENDING] - handler->waiting >= forming->at_most;
}

static int form(struct forming *forming, int *more, struct lh_error *err) {
  struct lh_connection *connection = forming->tasking->tx->connection;
  sqlite3_stmt *events = lh_connection_sql(connection, LH_SQL_TASKS_INBOX_FROM, err);
  int row = 0, rc = LH_OK;
  if (events == NULL) return err->code;
  sqlite3_bind_int64(events, 1, forming->handler->cursor);
  while (rc == LH_OK && !has_enough(forming) && forming->looks < LH_TASKS_FORM_MAX &&
         (row = lh_connection_row(connection, events, err)) > 0) {
    forming->looks++;
    if (wants(forming, lh_column_text(events, 1))) rc = add(forming, events, err);
    forming->handler->cursor = sqlite3_column_int64(events, 0);
  }
  sqlite3_reset(events);
  if (row < 0) rc = err->code;
  if (forming->looks == LH_TASKS_FORM_MAX && !has_enough(forming)) *more = 1;
  return rc;
}

int lh_task_form(struct lh_tasking *tasking, struct lh_handler_hot *handler, int32_t concurrency,
                 int *more, struct lh_error *err) {
  struct forming forming = {.tasking = tasking, .handler = handler};
  int64_t head;
  forming.at_most = 2 * (int64_t)concurrency + LH_TASKS_READY_EXTRA;
  int rc = lh_tx_inbox_head(tasking->tx, &head, err);
  if (rc != LH_OK || handler->cursor >= head || has_enough(&forming)) return rc;
  rc = read_types(&forming, err);
  if (rc == LH_OK) rc = form(&forming, more, err);
  handler->dirty = 1;
  free(forming.types);
  return rc;
}
