/*
** Reading the request log: lists with filters and cursors, one request with
** its attempts. Texts that vary are only which conditions stand in the WHERE;
** values are always bound.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/sqlite.h"

#define EXAMINED_MAX 10000 /* rows of one page that may turn out not to belong */

/* The positions of a request's events, as ids. */
static int read_ids(struct lh_connection *reader, sqlite3_stmt *request, struct lh_request_row *row,
                    struct lh_error *err) {
  sqlite3_stmt *id_at = lh_connection_sql(reader, LH_SQL_EVENT_ID_AT, err);
  if (id_at == NULL) return err->code;
  row->event_ids = calloc((size_t)row->count, sizeof *row->event_ids);
  if (row->event_ids == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  const unsigned char *at = sqlite3_column_blob(request, 12);
  const unsigned char *end = at != NULL ? at + sqlite3_column_bytes(request, 12) : NULL;
  int64_t position = sqlite3_column_int64(request, 13);
  for (int32_t i = 0; i < row->count; i++) {
    sqlite3_bind_int64(id_at, 1, position);
    int found = lh_connection_row(reader, id_at, err);
    if (found < 0) return err->code;
    if (found > 0) memcpy(row->event_ids[i].bytes, sqlite3_column_blob(id_at, 0), LH_ID_BYTES);
    sqlite3_reset(id_at);
    if (i + 1 == row->count) break;
    size_t used = lh_batch_list_get(at, end, position, &position);
    if (used == 0) return lh_error_set(err, LH_E_STORE_DAMAGED, "an event list is damaged");
    at += used;
  }
  return LH_OK;
}

static int read_row(struct lh_connection *reader, sqlite3_stmt *statement,
                    struct lh_request_row *row, struct lh_error *err) {
  memset(row, 0, sizeof *row);
  row->request = sqlite3_column_int64(statement, 0);
  memcpy(row->request_id.bytes, sqlite3_column_blob(statement, 1), LH_ID_BYTES);
  memcpy(row->webhook_id.bytes, sqlite3_column_blob(statement, 2), LH_ID_BYTES);
  row->delivery.state = (enum lh_state)sqlite3_column_int(statement, 3);
  row->delivery.reason = (enum lh_reason)sqlite3_column_int(statement, 4);
  row->delivery.epoch = sqlite3_column_int64(statement, 5);
  row->delivery.attempts_made = sqlite3_column_int(statement, 6);
  row->delivery.budget_start = sqlite3_column_int(statement, 7);
  row->delivery.next_attempt_ms = sqlite3_column_int64(statement, 8);
  row->delivery.finished_ms = sqlite3_column_int64(statement, 9);
  row->count = sqlite3_column_int(statement, 10);
  row->created_ms = sqlite3_column_int64(statement, 11);
  return read_ids(reader, statement, row, err);
}

/*
** Events are few per filter value and lead to requests by one seek each: the
** one of a webhook whose range starts last at or before the position.
*/
#define OF_EVENTS                                                                                  \
  " AND r.request IN (SELECT (SELECT q.request FROM requests q WHERE q.webhook = v.webhook"        \
  " AND q.first_position <= e.position ORDER BY q.first_position DESC LIMIT 1)"                    \
  " FROM events e JOIN webhooks v ON v.account = e.account WHERE "
#define STATE_WAITING " AND r.next_attempt_ms IS NOT NULL AND r.state = ?1"
#define STATE_SENDING " AND r.session IS NOT NULL AND r.state = ?1"
#define STATE_FAILED " AND r.state = 4 AND r.state = ?1"
#define STATE_DELIVERED " AND r.state = ?1"

static const char *state_text(int state) {
  switch (state) {
  case LH_PENDING:
  case LH_RETRYING:
    return STATE_WAITING;
  case LH_SENDING:
    return STATE_SENDING;
  case LH_FAILED:
    return STATE_FAILED;
  case LH_DELIVERED:
    return STATE_DELIVERED;
  default:
    return "";
  }
}

static sqlite3_stmt *prepare_list(struct lh_connection *reader,
                                  const struct lh_request_filter *filter, struct lh_error *err) {
  char text[2048];
  sqlite3_stmt *statement = NULL;
  snprintf(
      text, sizeof text, "SELECT %s%sWHERE 1%s%s%s%s%s%s%s ORDER BY r.request DESC",
      LH_REQUEST_COLUMNS, LH_REQUEST_FROM, state_text(filter->state),
      filter->account != NULL ? " AND w.account = (SELECT account FROM accounts WHERE name = ?8)"
                              : "",
      filter->webhook_id != NULL ? " AND r.webhook = (SELECT webhook FROM webhooks WHERE id = ?2)"
                                 : "",
      filter->event_id != NULL ? OF_EVENTS "e.event_id = ?3)" : "",
      filter->member != NULL ? OF_EVENTS "e.member = ?4)" : "",
      filter->since_ms > 0 ? " AND r.created_ms >= ?5" : "",
      filter->after > 0 ? " AND r.request < ?6" : "");
  int rc = sqlite3_prepare_v2(reader->db, text, -1, &statement, NULL);
  if (rc != SQLITE_OK) {
    lh_connection_error(reader->db, rc, err);
    return NULL;
  }
  sqlite3_bind_int(statement, 1, filter->state);
  if (filter->webhook_id != NULL)
    sqlite3_bind_blob(statement, 2, filter->webhook_id->bytes, LH_ID_BYTES, SQLITE_STATIC);
  if (filter->event_id != NULL)
    sqlite3_bind_blob(statement, 3, filter->event_id->bytes, LH_ID_BYTES, SQLITE_STATIC);
  if (filter->member != NULL) sqlite3_bind_text(statement, 4, filter->member, -1, SQLITE_STATIC);
  if (filter->account != NULL) sqlite3_bind_text(statement, 8, filter->account, -1, SQLITE_STATIC);
  sqlite3_bind_int64(statement, 5, filter->since_ms);
  sqlite3_bind_int64(statement, 6, filter->after);
  return statement;
}

static int holds_event(const struct lh_request_row *row, const void *id) {
  for (int32_t i = 0; i < row->count; i++)
    if (memcmp(row->event_ids[i].bytes, id, LH_ID_BYTES) == 0) return 1;
  return 0;
}

/* One of the member's events is in the request? 1 yes, 0 no, -1 failure. */
static int holds_member(struct lh_connection *reader, const struct lh_request_row *row,
                        const char *member, struct lh_error *err) {
  sqlite3_stmt *events = lh_connection_sql(reader, LH_SQL_REQUEST_OF_MEMBER, err);
  if (events == NULL) return -1;
  sqlite3_bind_int64(events, 1, row->request);
  sqlite3_bind_text(events, 2, member, -1, SQLITE_STATIC);
  int found, holds = 0;
  while (!holds && (found = lh_connection_row(reader, events, err)) != 0) {
    if (found < 0) return -1;
    holds = holds_event(row, sqlite3_column_blob(events, 0));
  }
  sqlite3_reset(events);
  return holds;
}

/* A range can contain a position without its event: only the exact list tells. 1, 0, -1 failure. */
static int belongs(struct lh_connection *reader, const struct lh_request_filter *filter,
                   const struct lh_request_row *row, struct lh_error *err) {
  if (filter->event_id != NULL && !holds_event(row, filter->event_id->bytes)) return 0;
  return filter->member == NULL ? 1 : holds_member(reader, row, filter->member, err);
}

/* Reads rows until the page is full (one more tells of a next) or enough was looked at. */
static int collect(struct lh_connection *reader, sqlite3_stmt *statement,
                   const struct lh_request_filter *filter, struct lh_request_list *list,
                   struct lh_error *err) {
  int row, examined = 0;
  size_t limit = (size_t)filter->limit;
  list->rows = calloc(limit, sizeof *list->rows);
  if (list->rows == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  while ((row = lh_connection_row(reader, statement, err)) > 0) {
    struct lh_request_row next;
    if (list->count == limit) {
      list->next = list->rows[limit - 1].request;
      return LH_OK;
    }
    int rc = read_row(reader, statement, &next, err);
    int keep = rc == LH_OK ? belongs(reader, filter, &next, err) : 0;
    if (keep > 0)
      list->rows[list->count++] = next;
    else
      free(next.event_ids);
    if (rc != LH_OK || keep < 0) return err->code;
    if (++examined < EXAMINED_MAX + filter->limit) continue;
    list->next = next.request;
    return LH_OK;
  }
  return row < 0 ? (int)err->code : LH_OK;
}

int lh_sqlite_request_list(struct lh_store *store, const struct lh_request_filter *filter,
                           struct lh_request_list *list, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(list, 0, sizeof *list);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  if (filter->limit < 1 || filter->limit > LH_LIST_LIMIT_MAX)
    return lh_error_set(err, LH_E_INVALID, "limit: %d is not between 1 and %d", filter->limit,
                        LH_LIST_LIMIT_MAX);
  sqlite3_stmt *statement = prepare_list(reader, filter, err);
  if (statement == NULL) return err->code;
  int rc = collect(reader, statement, filter, list, err);
  sqlite3_finalize(statement);
  if (rc != LH_OK) lh_request_list_clear(list);
  return rc;
}

static char *copy_column(sqlite3_stmt *statement, int column) {
  return strdup(lh_column_text(statement, column));
}

static int read_attempt(sqlite3_stmt *statement, struct lh_attempt_row *row, struct lh_error *err) {
  memset(row, 0, sizeof *row);
  row->number = sqlite3_column_int(statement, 0);
  row->started_ms = sqlite3_column_int64(statement, 1);
  row->duration_ms =
      sqlite3_column_type(statement, 2) == SQLITE_NULL ? -1 : sqlite3_column_int64(statement, 2);
  row->outcome = (enum lh_outcome)sqlite3_column_int(statement, 3);
  row->status = sqlite3_column_int(statement, 4);
  row->error = copy_column(statement, 5);
  row->url = copy_column(statement, 6);
  row->nonce = copy_column(statement, 7);
  row->response_len = (size_t)sqlite3_column_bytes(statement, 8);
  row->response = malloc(row->response_len + 1);
  if (!row->error || !row->url || !row->nonce || !row->response)
    return lh_error_set(err, LH_E_MEMORY, "out of memory");
  if (row->response_len > 0)
    memcpy(row->response, sqlite3_column_blob(statement, 8), row->response_len);
  row->response[row->response_len] = '\0';
  return LH_OK;
}

static int read_attempts(struct lh_connection *reader, int64_t request,
                         struct lh_attempt_list *attempts, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(reader, LH_SQL_ATTEMPTS, err);
  if (statement == NULL) return err->code;
  int row, rc = LH_OK;
  sqlite3_bind_int64(statement, 1, request);
  while (rc == LH_OK && (row = lh_connection_row(reader, statement, err)) != 0) {
    if (row < 0) return err->code;
    struct lh_attempt_row *rows = realloc(attempts->rows, (attempts->count + 1) * sizeof *rows);
    if (rows == NULL) {
      rc = lh_error_set(err, LH_E_MEMORY, "out of memory");
      break;
    }
    attempts->rows = rows;
    rc = read_attempt(statement, &rows[attempts->count++], err);
  }
  sqlite3_reset(statement);
  return rc;
}

int lh_sqlite_request_get(struct lh_store *store, const struct lh_id *request_id,
                          struct lh_request_list *list, struct lh_attempt_list *attempts,
                          struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(list, 0, sizeof *list);
  memset(attempts, 0, sizeof *attempts);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  sqlite3_stmt *find = reader != NULL ? lh_connection_sql(reader, LH_SQL_REQUEST_BY_ID, err) : NULL;
  if (find == NULL) return err->code;
  sqlite3_bind_blob(find, 1, request_id->bytes, LH_ID_BYTES, SQLITE_TRANSIENT);
  const struct lh_request_filter one = {.limit = 1};
  int rc = collect(reader, find, &one, list, err);
  sqlite3_reset(find);
  if (rc == LH_OK && list->count == 0)
    rc = lh_error_set(err, LH_E_NOT_FOUND, "no request has this id");
  if (rc == LH_OK) rc = read_attempts(reader, list->rows[0].request, attempts, err);
  if (rc != LH_OK) {
    lh_request_list_clear(list);
    lh_attempt_list_clear(attempts);
  }
  return rc;
}
