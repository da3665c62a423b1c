/*
** The body of a request as every attempt sends it, for people: from the same
** bytes and through the same envelope as a worker's, outside of any turn.
*/
#include <string.h>

#include "core/kept.h"
#include "store/sqlite/sqlite.h"

struct building {
  struct lh_connection *reader;
  struct lh_buffer *buffer;
};

static int damaged(struct lh_error *err) {
  return lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged: events of a request");
}

static int add(struct building *building, const struct lh_event *event, struct lh_error *err) {
  if (lh_envelope_add(building->buffer, event) == LH_OK) return LH_OK;
  return lh_error_set(err, LH_E_MEMORY, "out of memory");
}

/* Of a request that keeps its events itself. */
static int add_kept(struct building *building, int64_t request, int32_t count,
                    struct lh_error *err) {
  sqlite3_stmt *kept = lh_connection_sql(building->reader, LH_SQL_KEPT_GET, err);
  struct lh_kept_reader events;
  struct lh_event event;
  int more = 1, rc = LH_OK;
  if (kept == NULL) return err->code;
  sqlite3_bind_int64(kept, 1, request);
  int row = lh_connection_row(building->reader, kept, err);
  if (row <= 0) return row < 0 ? (int)err->code : damaged(err);
  const void *blob = sqlite3_column_blob(kept, 0);
  if (blob == NULL ||
      lh_kept_open(&events, blob, (size_t)sqlite3_column_bytes(kept, 0), count) != LH_OK)
    return damaged(err);
  while (rc == LH_OK && (more = lh_kept_next(&events, &event)) > 0) rc = add(building, &event, err);
  sqlite3_reset(kept);
  return rc == LH_OK && more < 0 ? damaged(err) : rc;
}

static int add_at(struct building *building, int64_t position, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(building->reader, LH_SQL_BODY_EVENT, err);
  struct lh_event event;
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, position);
  int row = lh_connection_row(building->reader, statement, err);
  if (row <= 0) return row < 0 ? (int)err->code : damaged(err);
  memset(&event, 0, sizeof event);
  event.position = position;
  memcpy(event.id.bytes, sqlite3_column_blob(statement, 0), LH_ID_BYTES);
  event.event_type = lh_column_text(statement, 1);
  event.data = sqlite3_column_blob(statement, 2);
  event.data_len = (size_t)sqlite3_column_bytes(statement, 2);
  int rc = event.data == NULL ? lh_error_set(err, LH_E_MEMORY, "out of memory")
                              : add(building, &event, err);
  sqlite3_reset(statement);
  return rc;
}

/* Of one whose events are in the log. `row` is of REQUEST_BY_ID. */
static int add_listed(struct building *building, sqlite3_stmt *row, struct lh_error *err) {
  const unsigned char *at = sqlite3_column_blob(row, 12);
  const unsigned char *end = at != NULL ? at + sqlite3_column_bytes(row, 12) : NULL;
  int64_t position = sqlite3_column_int64(row, 13);
  int rc = LH_OK;
  for (int left = sqlite3_column_int(row, 10); rc == LH_OK && left > 0; left--) {
    rc = add_at(building, position, err);
    size_t used = left > 1 ? lh_batch_list_get(at, end, position, &position) : 1;
    if (rc == LH_OK && used == 0) rc = damaged(err);
    at = left > 1 && used > 0 ? at + used : at;
  }
  return rc;
}

static int build(struct building *building, const struct lh_id *request_id, struct lh_slice *body,
                 struct lh_error *err) {
  sqlite3_stmt *find = lh_connection_sql(building->reader, LH_SQL_REQUEST_BY_ID, err);
  if (find == NULL) return err->code;
  sqlite3_bind_blob(find, 1, request_id->bytes, LH_ID_BYTES, SQLITE_TRANSIENT);
  int row = lh_connection_row(building->reader, find, err);
  if (row < 0) return err->code;
  if (row == 0) return lh_error_set(err, LH_E_NOT_FOUND, "no request has this id");
  int32_t count = sqlite3_column_int(find, 10);
  int rc = lh_envelope_begin(building->buffer);
  if (rc == LH_OK)
    rc = sqlite3_column_int(find, 17)
             ? add_kept(building, sqlite3_column_int64(find, 0), count, err)
             : add_listed(building, find, err);
  if (rc == LH_OK)
    rc = lh_envelope_end(building->buffer, request_id, count, sqlite3_column_int64(find, 11), body);
  return rc == LH_E_MEMORY ? lh_error_set(err, LH_E_MEMORY, "out of memory") : rc;
}

int lh_sqlite_request_body(struct lh_store *store, const struct lh_id *request_id,
                           struct lh_buffer *buffer, struct lh_slice *body, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  *body = (struct lh_slice){"", 0};
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  struct building building = {reader, buffer};
  int rc = lh_connection_run(reader->db, "BEGIN", err); /* one moment: nothing is cut meanwhile */
  if (rc != LH_OK) return rc;
  rc = build(&building, request_id, body, err);
  lh_connection_reset_all(reader);
  sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
  return rc;
}
