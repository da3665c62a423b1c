/* The audit log: entries are added, in the transaction of what they tell. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/event.h"
#include "core/json.h"
#include "core/utf8.h"
#include "store/sqlite/sqlite.h"

static int check_text(const char *field, const char *text, size_t max, struct lh_error *err) {
  size_t len = text != NULL ? strlen(text) : 0;
  if (len > max) return lh_error_set(err, LH_E_INVALID, "%s: longer than %zu bytes", field, max);
  if (text == NULL || lh_utf8_check(text, len) == len) return LH_OK;
  return lh_error_set(err, LH_E_INVALID, "%s: is not valid UTF-8", field);
}

static int check_detail(const char *detail, struct lh_error *err) {
  enum lh_json_type type;
  if (detail == NULL) return LH_OK;
  int rc = check_text("detail", detail, LH_AUDIT_DETAIL_MAX, err);
  if (rc != LH_OK) return rc;
  if (lh_json_check(detail, strlen(detail), LH_JSON_DEPTH_MAX, &type, NULL) == LH_OK &&
      type == LH_JSON_OBJECT)
    return LH_OK;
  return lh_error_set(err, LH_E_INVALID, "detail: is not a JSON object");
}

static int check_audit(const struct lh_audit *audit, struct lh_error *err) {
  if (audit->who == NULL || *audit->who == '\0' || audit->what == NULL || *audit->what == '\0')
    return lh_error_set(err, LH_E_INVALID, "audit: who and what are needed");
  int rc = check_text("who", audit->who, LH_AUDIT_WHO_MAX, err);
  if (rc == LH_OK) rc = check_text("what", audit->what, LH_AUDIT_WHAT_MAX, err);
  if (rc == LH_OK) rc = check_text("object", audit->object, LH_AUDIT_OBJECT_MAX, err);
  if (rc == LH_OK && audit->account != NULL)
    rc = lh_account_check(audit->account, strlen(audit->account), err);
  return rc == LH_OK ? check_detail(audit->detail, err) : rc;
}

static int put(struct lh_tx *tx, const struct lh_audit *audit, int64_t now_ms,
               struct lh_error *err) {
  int rc = check_audit(audit, err);
  sqlite3_stmt *add = lh_connection_sql(tx->connection, LH_SQL_AUDIT_ADD, err);
  if (rc != LH_OK || add == NULL) return rc != LH_OK ? rc : (int)err->code;
  sqlite3_bind_int64(add, 1, now_ms);
  lh_bind_text(add, 2, audit->who);
  lh_bind_text(add, 3, audit->what);
  lh_bind_text(add, 4, audit->object);
  lh_bind_text(add, 5, audit->account);
  lh_bind_text(add, 6, audit->detail);
  return lh_connection_done(tx->connection, add, err);
}

int lh_audit_note(struct lh_tx *tx, const struct lh_actor *actor, const struct lh_audit *what,
                  int64_t now_ms, struct lh_error *err) {
  struct lh_audit audit = *what;
  if (actor == NULL) return LH_OK;
  audit.who = actor->who;
  if (actor->detail != NULL) audit.detail = actor->detail;
  return put(tx, &audit, now_ms, err);
}

int lh_audit_note_retry(struct lh_tx *tx, const struct lh_actor *actor, const struct lh_audit *what,
                        struct lh_audit_counts counts, int64_t now_ms, struct lh_error *err) {
  char detail[80];
  struct lh_audit audit = *what;
  if (counts.retried == 0) return LH_OK;
  snprintf(detail, sizeof detail, "{\"asked\":%zu,\"retried\":%zu}", counts.asked, counts.retried);
  audit.detail = detail;
  return lh_audit_note(tx, actor, &audit, now_ms, err);
}

struct adding {
  const struct lh_audit *audit;
  int64_t now_ms;
};

static int add_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct adding *adding = context;
  return put(tx, adding->audit, adding->now_ms, err);
}

int lh_sqlite_audit_add(struct lh_store *store, const struct lh_audit *audit, int64_t now_ms,
                        struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  struct adding adding = {audit, now_ms};
  return lh_committer_write(self->committer, add_write, &adding, err);
}

static int read_row(sqlite3_stmt *statement, struct lh_audit_row *row, struct lh_error *err) {
  memset(row, 0, sizeof *row);
  row->entry = sqlite3_column_int64(statement, 0);
  row->at_ms = sqlite3_column_int64(statement, 1);
  lh_column_put(row->who, sizeof row->who, statement, 2);
  lh_column_put(row->what, sizeof row->what, statement, 3);
  lh_column_put(row->object, sizeof row->object, statement, 4);
  lh_column_put(row->account, sizeof row->account, statement, 5);
  if (sqlite3_column_type(statement, 6) == SQLITE_NULL) return LH_OK;
  row->detail = strdup(lh_column_text(statement, 6));
  return row->detail != NULL ? LH_OK : lh_error_set(err, LH_E_MEMORY, "out of memory");
}

/* Reads until the page is full; one more row tells that there is a next page. */
static int collect(struct lh_connection *reader, sqlite3_stmt *statement, size_t limit,
                   struct lh_audit_list *list, struct lh_error *err) {
  int row, rc = LH_OK;
  list->rows = calloc(limit, sizeof *list->rows);
  if (list->rows == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  while (rc == LH_OK && (row = lh_connection_row(reader, statement, err)) != 0) {
    if (row < 0) return err->code;
    if (list->count == limit) {
      list->next = list->rows[limit - 1].entry;
      break;
    }
    rc = read_row(statement, &list->rows[list->count++], err);
  }
  sqlite3_reset(statement);
  return rc;
}

int lh_sqlite_audit_list(struct lh_store *store, const struct lh_audit_filter *filter,
                         struct lh_audit_list *list, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(list, 0, sizeof *list);
  if (filter->limit < 1 || filter->limit > LH_LIST_LIMIT_MAX)
    return lh_error_set(err, LH_E_INVALID, "limit: %d is not between 1 and %d", filter->limit,
                        LH_LIST_LIMIT_MAX);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  sqlite3_stmt *statement = reader != NULL ? lh_connection_sql(reader, LH_SQL_AUDIT, err) : NULL;
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, filter->after > 0 ? filter->after : INT64_MAX);
  sqlite3_bind_int64(statement, 2, filter->since_ms);
  lh_bind_text(statement, 3, filter->who);
  lh_bind_text(statement, 4, filter->what);
  lh_bind_text(statement, 5, filter->object);
  lh_bind_text(statement, 6, filter->account);
  sqlite3_bind_int(statement, 7, filter->limit + 1);
  int rc = collect(reader, statement, (size_t)filter->limit, list, err);
  if (rc != LH_OK) lh_audit_list_clear(list);
  return rc;
}
