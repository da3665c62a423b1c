/*
** Handlers: the row that a worker's turn loads and saves, how a handler becomes
** known, what is listed of it, and what it has left to do.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/task.h"

#define WORK_COUNT_MAX 1000 /* of each kind: whoever asks wants to know whether there is any */

/* *found 0: there is none. */
static int load(struct lh_tasking *tasking, struct lh_handler_hot *row, int *found,
                struct lh_error *err) {
  struct lh_connection *connection = tasking->tx->connection;
  sqlite3_stmt *get = lh_connection_sql(connection, LH_SQL_HANDLER_GET, err);
  if (get == NULL) return err->code;
  sqlite3_bind_int64(get, 1, row->handler);
  *found = lh_connection_row(connection, get, err);
  if (*found <= 0) return *found < 0 ? (int)err->code : LH_OK;
  row->fails_when_unknown = sqlite3_column_int(get, 0);
  row->serial = sqlite3_column_int(get, 1);
  row->cursor = sqlite3_column_int64(get, 2);
  row->next_start_us = sqlite3_column_int64(get, 3);
  row->rest_until_ms = sqlite3_column_int64(get, 4);
  row->loaded_ms = sqlite3_column_int64(get, 5);
  row->forgotten_ms = sqlite3_column_int64(get, 6); /* NULL reads as 0 */
  row->alone_session = sqlite3_column_int64(get, 7);
  row->waiting = sqlite3_column_int64(get, 8);
  for (int state = LH_TASK_PENDING; state <= LH_TASK_FAILED; state++)
    row->tasks[state] = sqlite3_column_int64(get, 9 + state);
  sqlite3_reset(get);
  return LH_OK;
}

/* NULL and LH_OK: there is none. */
static struct lh_handler_hot *get(struct lh_tasking *tasking, int64_t handler, int *code,
                                  struct lh_error *err) {
  struct lh_handler_hot *row = tasking->handlers;
  int found = 0;
  *code = LH_OK;
  while (row != NULL && row->handler != handler) row = row->next;
  if (row != NULL) return row;
  row = calloc(1, sizeof *row);
  if (row == NULL) {
    *code = lh_error_set(err, LH_E_MEMORY, "out of memory");
    return NULL;
  }
  row->handler = handler;
  *code = load(tasking, row, &found, err);
  if (*code != LH_OK || !found) {
    free(row);
    return NULL;
  }
  row->next = tasking->handlers;
  tasking->handlers = row;
  return row;
}

struct lh_handler_hot *lh_handler_get(struct lh_tasking *tasking, int64_t handler,
                                      struct lh_error *err) {
  int code;
  struct lh_handler_hot *row = get(tasking, handler, &code, err);
  if (row == NULL && code == LH_OK)
    lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged: there is no handler %lld",
                 (long long)handler);
  return row;
}

struct lh_handler_hot *lh_handler_wished(struct lh_tasking *tasking, int64_t handler,
                                         struct lh_error *err) {
  int code;
  struct lh_handler_hot *row = get(tasking, handler, &code, err);
  if (row == NULL && code == LH_OK)
    lh_error_set(err, LH_E_INVALID,
                 "handler %lld is not known: it was forgotten, and another one needed its place;"
                 " restart the worker",
                 (long long)handler);
  return row;
}

static void bind_if_any(sqlite3_stmt *statement, int column, int64_t value) {
  if (value != 0)
    sqlite3_bind_int64(statement, column, value);
  else
    sqlite3_bind_null(statement, column);
}

static int save(struct lh_tasking *tasking, const struct lh_handler_hot *row,
                struct lh_error *err) {
  struct lh_connection *connection = tasking->tx->connection;
  sqlite3_stmt *statement = lh_connection_sql(connection, LH_SQL_HANDLER_SAVE, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, row->handler);
  sqlite3_bind_int64(statement, 2, row->cursor);
  sqlite3_bind_int64(statement, 3, row->next_start_us);
  sqlite3_bind_int64(statement, 4, row->rest_until_ms);
  sqlite3_bind_int64(statement, 5, row->loaded_ms);
  bind_if_any(statement, 6, row->forgotten_ms);
  bind_if_any(statement, 7, row->alone_session);
  sqlite3_bind_int64(statement, 8, row->waiting);
  for (int state = LH_TASK_PENDING; state <= LH_TASK_FAILED; state++)
    sqlite3_bind_int64(statement, 9 + state, row->tasks[state]);
  return lh_connection_done(connection, statement, err);
}

int lh_tasking_end(struct lh_tasking *tasking, int code, struct lh_error *err) {
  while (tasking->handlers != NULL) {
    struct lh_handler_hot *row = tasking->handlers;
    if (code == LH_OK && row->dirty) code = save(tasking, row, err);
    tasking->handlers = row->next;
    free(row);
  }
  return code;
}

int lh_handler_find(struct lh_connection *connection, const char *name, int64_t *handler,
                    struct lh_error *err) {
  sqlite3_stmt *find = lh_connection_sql(connection, LH_SQL_HANDLER_BY_NAME, err);
  if (find == NULL) return err->code;
  sqlite3_bind_text(find, 1, name, -1, SQLITE_STATIC);
  int row = lh_connection_row(connection, find, err);
  if (row < 0) return err->code;
  if (row == 0) return lh_error_set(err, LH_E_NOT_FOUND, "there is no handler '%.64s'", name);
  *handler = sqlite3_column_int64(find, 0);
  sqlite3_reset(find);
  return LH_OK;
}

/* A statement of one number; NULL is 0. */
static int number(struct lh_connection *connection, sqlite3_stmt *statement, int64_t *value,
                  struct lh_error *err) {
  if (statement == NULL) return err->code;
  int row = lh_connection_row(connection, statement, err);
  if (row < 0) return err->code;
  *value = row > 0 ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_reset(statement);
  return LH_OK;
}

static int read_head(struct lh_connection *reader, int64_t *head, struct lh_error *err) {
  return number(reader, lh_connection_sql(reader, LH_SQL_INBOX_HEAD, err), head, err);
}

/* ---- a handler is loaded by a worker ---- */

struct opening {
  const struct lh_handler_definition *definition;
  int64_t now_ms;
  int64_t handler;
  int created;
};

/* Where a handler begins. */
static int begin_at(struct lh_tx *tx, int from_start, int64_t *cursor, struct lh_error *err) {
  if (!from_start) return lh_tx_inbox_head(tx, cursor, err);
  int rc = number(tx->connection, lh_connection_sql(tx->connection, LH_SQL_TASKS_FIRST, err),
                  cursor, err);
  if (rc == LH_OK && *cursor > 0) --*cursor;
  return rc;
}

/* The one that was forgotten first goes; not if tasks still bear its name. */
static int make_room(struct lh_tx *tx, struct lh_error *err) {
  int64_t count = 0;
  int rc = number(tx->connection, lh_connection_sql(tx->connection, LH_SQL_HANDLERS_COUNT, err),
                  &count, err);
  if (rc != LH_OK || count < LH_HANDLERS_MAX) return rc;
  sqlite3_stmt *drop = lh_connection_sql(tx->connection, LH_SQL_HANDLERS_MAKE_ROOM, err);
  if (drop == NULL) return err->code;
  rc = lh_connection_done(tx->connection, drop, err);
  if (rc != LH_OK || sqlite3_changes(tx->connection->db) > 0) return rc;
  return lh_error_set(err, LH_E_LIMIT,
                      "the store knows %d handlers, the limit: forget some (one with tasks counts"
                      " until retention has deleted them)",
                      LH_HANDLERS_MAX);
}

static int add(struct lh_tx *tx, struct opening *opening, struct lh_error *err) {
  const struct lh_handler_definition *definition = opening->definition;
  int64_t cursor = 0;
  int rc = make_room(tx, err);
  if (rc == LH_OK) rc = begin_at(tx, definition->from_start, &cursor, err);
  sqlite3_stmt *statement =
      rc == LH_OK ? lh_connection_sql(tx->connection, LH_SQL_HANDLER_ADD, err) : NULL;
  if (statement == NULL) return err->code;
  sqlite3_bind_text(statement, 1, definition->name, -1, SQLITE_STATIC);
  sqlite3_bind_text(statement, 2, definition->event_types, -1, SQLITE_STATIC);
  sqlite3_bind_int(statement, 3, !!definition->fails_when_unknown);
  sqlite3_bind_int(statement, 4, !!definition->serial);
  sqlite3_bind_int64(statement, 5, cursor);
  sqlite3_bind_int64(statement, 6, opening->now_ms);
  rc = lh_connection_done(tx->connection, statement, err);
  opening->handler = sqlite3_last_insert_rowid(tx->connection->db);
  opening->created = 1;
  return rc;
}

static int edit(struct lh_tx *tx, const struct opening *opening, struct lh_error *err) {
  const struct lh_handler_definition *definition = opening->definition;
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_HANDLER_EDIT, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, opening->handler);
  sqlite3_bind_text(statement, 2, definition->event_types, -1, SQLITE_STATIC);
  sqlite3_bind_int(statement, 3, !!definition->fails_when_unknown);
  sqlite3_bind_int(statement, 4, !!definition->serial);
  sqlite3_bind_int64(statement, 5, opening->now_ms);
  return lh_connection_done(tx->connection, statement, err);
}

/* One that was forgotten begins anew. */
static int revive(struct lh_tx *tx, struct opening *opening, struct lh_error *err) {
  int64_t cursor = 0;
  int rc = begin_at(tx, opening->definition->from_start, &cursor, err);
  sqlite3_stmt *statement =
      rc == LH_OK ? lh_connection_sql(tx->connection, LH_SQL_HANDLER_REVIVE, err) : NULL;
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, opening->handler);
  sqlite3_bind_int64(statement, 2, cursor);
  sqlite3_bind_int64(statement, 3, opening->now_ms);
  opening->created = 1;
  return lh_connection_done(tx->connection, statement, err);
}

static int open_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct opening *opening = context;
  sqlite3_stmt *find = lh_connection_sql(tx->connection, LH_SQL_HANDLER_BY_NAME, err);
  if (find == NULL) return err->code;
  sqlite3_bind_text(find, 1, opening->definition->name, -1, SQLITE_STATIC);
  int row = lh_connection_row(tx->connection, find, err);
  if (row < 0) return err->code;
  if (row == 0) return add(tx, opening, err);
  opening->handler = sqlite3_column_int64(find, 0);
  int here = sqlite3_column_int(find, 1);
  sqlite3_reset(find);
  int rc = here ? LH_OK : revive(tx, opening, err);
  return rc == LH_OK ? edit(tx, opening, err) : rc;
}

static int check_name(const char *name, struct lh_error *err) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
  size_t len = strlen(name);
  if (len >= 1 && len <= LH_HANDLER_NAME_MAX && strspn(name, allowed) == len) return LH_OK;
  return lh_error_set(err, LH_E_INVALID, "handler: its name is not [a-z0-9_.-]{1,%d}",
                      LH_HANDLER_NAME_MAX);
}

int lh_sqlite_handler_open(struct lh_store *store, const struct lh_handler_definition *definition,
                           int64_t now_ms, int64_t *handler, int *created, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  int rc = check_name(definition->name, err);
  if (rc == LH_OK && definition->event_types[0] == '\0')
    rc = lh_error_set(err, LH_E_INVALID, "handler '%s' wants no event type", definition->name);
  if (rc != LH_OK) return rc;
  struct opening opening = {.definition = definition, .now_ms = now_ms};
  rc = lh_committer_write(self->committer, open_write, &opening, err);
  if (rc != LH_OK) return rc;
  *handler = opening.handler;
  *created = opening.created;
  return LH_OK;
}

/* ---- what is shown ---- */

static int read_row(sqlite3_stmt *statement, int64_t head, struct lh_handler_row *row,
                    struct lh_error *err) {
  row->handler = sqlite3_column_int64(statement, 0);
  snprintf(row->name, sizeof row->name, "%s", lh_column_text(statement, 1));
  row->event_types = strdup(lh_column_text(statement, 2));
  row->fails_when_unknown = sqlite3_column_int(statement, 3);
  row->serial = sqlite3_column_int(statement, 4);
  row->behind = head - sqlite3_column_int64(statement, 5);
  if (row->behind < 0) row->behind = 0; /* the head was read before */
  row->rest_until_ms = sqlite3_column_int64(statement, 6);
  row->loaded_ms = sqlite3_column_int64(statement, 7);
  row->created_ms = sqlite3_column_int64(statement, 8);
  for (int state = LH_TASK_PENDING; state <= LH_TASK_FAILED; state++)
    row->tasks[state] = sqlite3_column_int64(statement, 9 + state);
  return row->event_types != NULL ? LH_OK : lh_error_set(err, LH_E_MEMORY, "out of memory");
}

int lh_sqlite_handler_list(struct lh_store *store, struct lh_handler_list *list,
                           struct lh_error *err) {
  struct lh_error local;
  int64_t head = 0;
  int found = 0;
  if (err == NULL) err = &local;
  memset(list, 0, sizeof *list);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL || read_head(reader, &head, err) != LH_OK) return err->code;
  sqlite3_stmt *rows = lh_connection_sql(reader, LH_SQL_HANDLER_ROWS, err);
  if (rows == NULL) return err->code;
  list->rows = calloc(LH_HANDLERS_MAX, sizeof *list->rows);
  if (list->rows == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  sqlite3_bind_int(rows, 1, LH_HANDLERS_MAX);
  int rc = LH_OK;
  while (rc == LH_OK && list->count < LH_HANDLERS_MAX &&
         (found = lh_connection_row(reader, rows, err)) > 0)
    rc = read_row(rows, head, &list->rows[list->count++], err);
  sqlite3_reset(rows);
  if (rc == LH_OK && found >= 0) return LH_OK;
  lh_handler_list_clear(list);
  return err->code;
}

/* ---- what is left to do ---- */

/* Counts of a statement (handler, due_ms, limit). */
static int count_due(struct lh_connection *reader, enum lh_sql which, int64_t handler,
                     int64_t now_ms, int64_t *sum, struct lh_error *err) {
  int64_t counted = 0;
  sqlite3_stmt *count = lh_connection_sql(reader, which, err);
  if (count == NULL) return err->code;
  sqlite3_bind_int64(count, 1, handler);
  sqlite3_bind_int64(count, 2, now_ms);
  sqlite3_bind_int64(count, 3, WORK_COUNT_MAX);
  int rc = number(reader, count, &counted, err);
  *sum += counted;
  return rc;
}

static int add_work(struct lh_connection *reader, int64_t handler, int64_t now_ms,
                    struct lh_task_work *work, struct lh_error *err) {
  int64_t head = 0, due = 0;
  int rc = read_head(reader, &head, err);
  if (rc == LH_OK) rc = count_due(reader, LH_SQL_TASKS_COUNT_DUE, handler, now_ms, &due, err);
  if (rc == LH_OK) rc = count_due(reader, LH_SQL_TASKS_COUNT_ALONE, handler, now_ms, &due, err);
  sqlite3_stmt *get = rc == LH_OK ? lh_connection_sql(reader, LH_SQL_HANDLER_GET, err) : NULL;
  if (get == NULL) return err->code;
  sqlite3_bind_int64(get, 1, handler);
  int found = lh_connection_row(reader, get, err);
  if (found < 0) return err->code;
  if (found == 0) return lh_error_set(err, LH_E_NOT_FOUND, "there is no such handler");
  int64_t behind = head - sqlite3_column_int64(get, 2);
  int64_t unfinished = sqlite3_column_int64(get, 9) + sqlite3_column_int64(get, 11);
  work->due += due + (behind < 0 ? 0 : behind < WORK_COUNT_MAX ? behind : WORK_COUNT_MAX);
  work->running += sqlite3_column_int64(get, 10);
  work->later += unfinished > due ? unfinished - due : 0;
  sqlite3_reset(get);
  return LH_OK;
}

int lh_sqlite_task_work(struct lh_store *store, const int64_t *handlers, size_t count,
                        int64_t now_ms, struct lh_task_work *work, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(work, 0, sizeof *work);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  int rc = lh_connection_run(reader->db, "BEGIN", err); /* one view of all of it */
  if (rc != LH_OK) return rc;
  for (size_t i = 0; i < count && rc == LH_OK; i++)
    rc = add_work(reader, handlers[i], now_ms, work, err);
  sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
  return rc;
}
