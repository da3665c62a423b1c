/* Reading one request of the log with its events and attempts. Lists are pages.c's. */
#include <stdlib.h>
#include <string.h>

#include "core/head.h"
#include "core/kept.h"
#include "store/sqlite/sqlite.h"

/* The ids of a request that keeps its events itself: the beginning of a long blob. */
static int read_kept_ids(struct lh_connection *reader, struct lh_request_row *row,
                         struct lh_error *err) {
  sqlite3_blob *body = NULL;
  size_t len = lh_kept_ids_len(row->count);
  unsigned char *bytes = malloc(len);
  if (bytes == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  int rc = sqlite3_blob_open(reader->db, "main", "kept", "events", row->request, 0, &body);
  if (rc == SQLITE_OK) rc = sqlite3_blob_read(body, bytes, (int)len, 0);
  int result = rc == SQLITE_OK ? LH_OK : lh_connection_error(reader->db, rc, err);
  if (rc == SQLITE_OK && lh_kept_ids(bytes, len, row->event_ids, row->count) != LH_OK)
    result = lh_error_set(err, LH_E_STORE_DAMAGED, "kept events are damaged");
  sqlite3_blob_close(body);
  free(bytes);
  return result;
}

/* The positions of a request's events, as ids. */
static int read_ids(struct lh_connection *reader, sqlite3_stmt *request, struct lh_request_row *row,
                    struct lh_error *err) {
  sqlite3_stmt *id_at = lh_connection_sql(reader, LH_SQL_EVENT_ID_AT, err);
  if (id_at == NULL) return err->code;
  row->event_ids = calloc((size_t)row->count, sizeof *row->event_ids);
  if (row->event_ids == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  if (sqlite3_column_int(request, 17)) return read_kept_ids(reader, row, err);
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

int lh_request_row_read(struct lh_connection *reader, sqlite3_stmt *statement,
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

int lh_request_list_one(struct lh_connection *reader, sqlite3_stmt *statement,
                        struct lh_request_list *list, struct lh_error *err) {
  list->rows = calloc(1, sizeof *list->rows);
  if (list->rows == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  list->count = 1;
  return lh_request_row_read(reader, statement, &list->rows[0], err);
}

int lh_request_row_holds(sqlite3_stmt *statement, int64_t position) {
  const unsigned char *at = sqlite3_column_blob(statement, 12);
  const unsigned char *end = at != NULL ? at + sqlite3_column_bytes(statement, 12) : NULL;
  int64_t listed = sqlite3_column_int64(statement, 13);
  while (listed < position && at != NULL) {
    size_t used = lh_batch_list_get(at, end, listed, &listed);
    if (used == 0) return 0;
    at += used;
  }
  return listed == position;
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
  row->custom = copy_column(statement, 12);
  if (!row->error || !row->url || !row->nonce || !row->custom || !row->response)
    return lh_error_set(err, LH_E_MEMORY, "out of memory");
  if (row->response_len > 0)
    memcpy(row->response, sqlite3_column_blob(statement, 8), row->response_len);
  row->response[row->response_len] = '\0';
  row->sent = (enum lh_sent)sqlite3_column_int(statement, 9);
  row->scheme = (enum lh_scheme)sqlite3_column_int(statement, 11);
  row->tags_len = (size_t)sqlite3_column_bytes(statement, 10);
  if (row->tags_len == 0) return LH_OK;
  if (!lh_head_tags_fit(row->scheme, row->tags_len))
    return lh_error_set(err, LH_E_STORE_DAMAGED, "a signature in the attempt log is damaged");
  memcpy(row->tags, sqlite3_column_blob(statement, 10), row->tags_len);
  return LH_OK;
}

int lh_request_attempts(struct lh_connection *reader, int64_t request,
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
  int row = lh_connection_row(reader, find, err);
  if (row < 0) return err->code;
  if (row == 0) return lh_error_set(err, LH_E_NOT_FOUND, "no request has this id");
  int rc = lh_request_list_one(reader, find, list, err);
  sqlite3_reset(find);
  if (rc == LH_OK) rc = lh_request_attempts(reader, list->rows[0].request, attempts, err);
  if (rc != LH_OK) {
    lh_request_list_clear(list);
    lh_attempt_list_clear(attempts);
  }
  return rc;
}
