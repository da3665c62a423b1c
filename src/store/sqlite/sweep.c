/*
** Before events are cut from the log, each webhook's requests are dealt with in
** order: what was delivered goes, what failed takes its events along in its own
** row, so that it can be shown and retried. The first request that is not
** finished ends the walk, and so does what waits unformed: `swept` never passes
** anything that still needs the log. A request is swept whole.
*/
#include <stdlib.h>
#include <string.h>

#include "core/kept.h"
#include "store/sqlite/clean.h"

/* A webhook's turn: how far it may go, and how far it is. */
struct sweep {
  int64_t webhook;
  int64_t limit; /* last position that it may pass */
  int64_t swept;
  int stopped; /* something needs the log from there on, or the step's bounds are reached */
};

int lh_clean_run(struct lh_cleaning *cleaning, enum lh_sql which, int64_t first, int64_t second,
                 struct lh_error *err) {
  struct lh_connection *connection = cleaning->tx->connection;
  sqlite3_stmt *statement = lh_connection_sql(connection, which, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, first);
  if (sqlite3_bind_parameter_count(statement) > 1) sqlite3_bind_int64(statement, 2, second);
  return lh_connection_done(connection, statement, err);
}

/* What it kept itself, if it did. */
static int delete_kept(struct lh_cleaning *cleaning, int64_t request, struct lh_error *err) {
  struct lh_connection *connection = cleaning->tx->connection;
  sqlite3_stmt *length = lh_connection_sql(connection, LH_SQL_KEPT_LENGTH, err);
  if (length == NULL) return err->code;
  sqlite3_bind_int64(length, 1, request);
  int row = lh_connection_row(connection, length, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  cleaning->bytes -= sqlite3_column_int64(length, 0);
  sqlite3_reset(length);
  return lh_clean_run(cleaning, LH_SQL_KEPT_DELETE, request, 0, err);
}

int lh_clean_request(struct lh_cleaning *cleaning, int64_t request, int64_t webhook,
                     enum lh_state state, struct lh_error *err) {
  struct lh_dispatch *dispatch = lh_dispatch_get(cleaning->tx, webhook, err);
  if (dispatch == NULL) return err->code;
  int rc = delete_kept(cleaning, request, err);
  if (rc == LH_OK) rc = lh_clean_run(cleaning, LH_SQL_ATTEMPTS_DELETE, request, 0, err);
  if (rc != LH_OK) return rc;
  int attempts = sqlite3_changes(cleaning->tx->connection->db);
  rc = lh_clean_run(cleaning, LH_SQL_REQUEST_DELETE, request, 0, err);
  if (rc != LH_OK) return rc;
  dispatch->attempts -= attempts;
  lh_dispatch_count(dispatch, (int)state, -1);
  cleaning->rows -= attempts + 1;
  cleaning->clean->requests++;
  return LH_OK;
}

/* Adds the event at a position to what the request keeps. */
static int keep_event(struct lh_cleaning *cleaning, int64_t position, struct lh_kept *kept,
                      struct lh_error *err) {
  struct lh_connection *connection = cleaning->tx->connection;
  sqlite3_stmt *find = lh_connection_sql(connection, LH_SQL_EVENT_BY_POSITION, err);
  if (find == NULL) return err->code;
  sqlite3_bind_int64(find, 1, position);
  int row = lh_connection_row(connection, find, err);
  if (row < 0) return err->code;
  if (row == 0)
    return lh_error_set(err, LH_E_STORE_DAMAGED, "event at position %lld is missing",
                        (long long)position);
  const struct lh_stored_type *type =
      lh_tx_type_name(cleaning->tx, sqlite3_column_int64(find, 2), err);
  struct lh_event event = {.data = sqlite3_column_blob(find, 4),
                           .data_len = (size_t)sqlite3_column_bytes(find, 4),
                           .created_ms = sqlite3_column_int64(find, 5)};
  memcpy(event.id.bytes, sqlite3_column_blob(find, 3), LH_ID_BYTES);
  int rc = type != NULL ? LH_OK : (int)err->code;
  if (rc == LH_OK) {
    event.event_type = type->name;
    rc = event.data != NULL ? lh_kept_add(kept, &event) : LH_E_MEMORY;
    if (rc != LH_OK) lh_error_set(err, LH_E_MEMORY, "out of memory");
  }
  sqlite3_reset(find);
  return rc;
}

static int gather(struct lh_cleaning *cleaning, int64_t request, struct lh_kept *kept,
                  struct lh_error *err) {
  struct lh_connection *connection = cleaning->tx->connection;
  sqlite3_stmt *list = lh_connection_sql(connection, LH_SQL_REQUEST_EVENTS, err);
  if (list == NULL) return err->code;
  sqlite3_bind_int64(list, 1, request);
  int row = lh_connection_row(connection, list, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  int64_t position = sqlite3_column_int64(list, 0);
  const unsigned char *at = sqlite3_column_blob(list, 1);
  const unsigned char *end = at != NULL ? at + sqlite3_column_bytes(list, 1) : NULL;
  int rc = LH_OK;
  for (int left = sqlite3_column_int(list, 2); left > 0 && rc == LH_OK; left--) {
    rc = keep_event(cleaning, position, kept, err);
    if (rc != LH_OK || left == 1) break;
    size_t used = lh_batch_list_get(at, end, position, &position);
    at += used;
    if (used == 0) rc = lh_error_set(err, LH_E_STORE_DAMAGED, "an event list is damaged");
  }
  sqlite3_reset(list);
  return rc;
}

/* From now on the request holds its events itself. */
static int keep(struct lh_cleaning *cleaning, int64_t request, struct lh_error *err) {
  struct lh_kept kept;
  struct lh_slice bytes = {0};
  memset(&kept, 0, sizeof kept);
  int rc = gather(cleaning, request, &kept, err);
  if (rc == LH_OK && lh_kept_end(&kept, &bytes) != LH_OK)
    rc = lh_error_set(err, LH_E_MEMORY, "out of memory");
  sqlite3_stmt *save = lh_connection_sql(cleaning->tx->connection, LH_SQL_KEPT_ADD, err);
  if (rc == LH_OK && save == NULL) rc = (int)err->code;
  if (rc == LH_OK) {
    sqlite3_bind_int64(save, 1, request);
    sqlite3_bind_blob64(save, 2, bytes.at, bytes.len, SQLITE_STATIC);
    rc = lh_connection_done(cleaning->tx->connection, save, err);
    sqlite3_clear_bindings(save);
  }
  if (rc == LH_OK) rc = lh_clean_run(cleaning, LH_SQL_SWEEP_KEEP, request, 0, err);
  cleaning->bytes -= (int64_t)bytes.len;
  lh_kept_free(&kept);
  return rc;
}

/* One request of the walk. */
struct swept {
  int64_t request;
  int64_t first, last;
  enum lh_state state;
  int kept;
};

#define WALKED_AT_ONCE 64

/* Reads the next ones: what is done with them changes the index that they are read from. */
static int read_some(struct lh_cleaning *cleaning, const struct sweep *sweep, struct swept *some,
                     size_t *count, struct lh_error *err) {
  struct lh_connection *connection = cleaning->tx->connection;
  sqlite3_stmt *walk = lh_connection_sql(connection, LH_SQL_SWEEP_REQUESTS, err);
  int row = 0;
  *count = 0;
  if (walk == NULL) return err->code;
  sqlite3_bind_int64(walk, 1, sweep->webhook);
  sqlite3_bind_int64(walk, 2, sweep->swept);
  sqlite3_bind_int(walk, 3, WALKED_AT_ONCE);
  while (*count < WALKED_AT_ONCE && (row = lh_connection_row(connection, walk, err)) > 0)
    some[(*count)++] = (struct swept){.request = sqlite3_column_int64(walk, 0),
                                      .state = (enum lh_state)sqlite3_column_int(walk, 1),
                                      .first = sqlite3_column_int64(walk, 2),
                                      .last = sqlite3_column_int64(walk, 3),
                                      .kept = sqlite3_column_int(walk, 4)};
  sqlite3_reset(walk);
  return row < 0 ? (int)err->code : LH_OK;
}

/* Deals with one request. Stops the walk before it if it must stay as it is. */
static int deal_with(struct lh_cleaning *cleaning, struct sweep *sweep, const struct swept *one,
                     struct lh_error *err) {
  int finished = one->state == LH_DELIVERED || one->state == LH_FAILED;
  int goes = one->state == LH_DELIVERED && one->request != cleaning->newest;
  int rc = LH_OK;
  int within_bounds = cleaning->rows > 0 && cleaning->bytes > 0;
  if (!finished || one->last > sweep->limit || !within_bounds) {
    sweep->stopped = 1;
    if (one->first - 1 < sweep->limit) sweep->limit = one->first - 1;
    return LH_OK;
  }
  cleaning->rows--;
  if (goes)
    rc = lh_clean_request(cleaning, one->request, sweep->webhook, one->state, err);
  else if (!one->kept)
    rc = keep(cleaning, one->request, err);
  if (rc == LH_OK) sweep->swept = one->last;
  return rc;
}

static int walk(struct lh_cleaning *cleaning, struct sweep *sweep, struct lh_error *err) {
  struct swept some[WALKED_AT_ONCE];
  size_t count = WALKED_AT_ONCE;
  int rc = LH_OK;
  while (rc == LH_OK && !sweep->stopped && count == WALKED_AT_ONCE) {
    rc = read_some(cleaning, sweep, some, &count, err);
    for (size_t i = 0; i < count && rc == LH_OK && !sweep->stopped; i++)
      rc = deal_with(cleaning, sweep, &some[i], err);
  }
  if (sweep->limit > sweep->swept) sweep->swept = sweep->limit;
  return rc;
}

int lh_sweep_next(struct lh_cleaning *cleaning, int *more, struct lh_error *err) {
  struct lh_clean *clean = cleaning->clean;
  struct lh_connection *connection = cleaning->tx->connection;
  sqlite3_stmt *next = lh_connection_sql(connection, LH_SQL_SWEEP_NEXT, err);
  if (next == NULL) return err->code;
  sqlite3_bind_int64(next, 1, clean->at);
  sqlite3_bind_int64(next, 2, clean->cut);
  int row = lh_connection_row(connection, next, err);
  *more = row > 0;
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  int64_t cursor = sqlite3_column_int64(next, 1);
  int at_rest = sqlite3_column_int(next, 2);
  struct sweep sweep = {.webhook = sqlite3_column_int64(next, 0),
                        .limit = at_rest || cursor > clean->cut ? clean->cut : cursor,
                        .swept = sqlite3_column_int64(next, 3)};
  int64_t before = sweep.swept;
  sqlite3_reset(next);
  cleaning->rows--;
  int rc = walk(cleaning, &sweep, err);
  if (rc == LH_OK && sweep.swept > before)
    rc = lh_clean_run(cleaning, LH_SQL_SWEEP_DONE, sweep.webhook, sweep.swept, err);
  int64_t spans_below = clean->low < cursor + 1 ? clean->low : cursor + 1;
  if (rc == LH_OK) rc = lh_clean_run(cleaning, LH_SQL_SWEEP_SPANS, sweep.webhook, spans_below, err);
  /* Its rest, if the bounds left one, comes with the next step. */
  if (cleaning->rows > 0 && cleaning->bytes > 0) clean->at = sweep.webhook;
  return rc;
}
