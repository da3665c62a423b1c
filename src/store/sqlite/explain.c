/*
** What became of one event, for each webhook of its account: by which span its
** position lies in, and in which request it is. The cursor's spans and those
** behind it are kept as long as events are, so that this can still be told of
** what was long ago. The words for it are the command line's.
*/
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/turn.h"

/* Columns of EXPLAIN_WEBHOOKS behind the webhook's own. */
enum {
  COLUMN_CURSOR = LH_COLUMN_AFTER,
  COLUMN_IN_FLIGHT,
  COLUMN_FAILING,
  COLUMN_NEXT_START,
  COLUMN_DUE,
  COLUMN_EPOCH,
  COLUMN_DELETED
};

struct explaining {
  struct lh_connection *reader;
  int64_t position;
  int64_t account;
  int64_t created_ms;
  char event_type[LH_EVENT_TYPE_MAX + 1];
  char category[LH_CATEGORY_MAX + 1];
};

static int find_event(struct explaining *explaining, const struct lh_id *id, struct lh_error *err) {
  sqlite3_stmt *find = lh_connection_sql(explaining->reader, LH_SQL_EXPLAIN_EVENT, err);
  if (find == NULL) return err->code;
  sqlite3_bind_blob(find, 1, id->bytes, LH_ID_BYTES, SQLITE_TRANSIENT);
  int row = lh_connection_row(explaining->reader, find, err);
  if (row < 0) return err->code;
  if (row == 0) return lh_error_set(err, LH_E_NOT_FOUND, "no event has this id");
  explaining->position = sqlite3_column_int64(find, 0);
  explaining->account = sqlite3_column_int64(find, 1);
  explaining->created_ms = sqlite3_column_int64(find, 2);
  strncpy(explaining->event_type, lh_column_text(find, 3), LH_EVENT_TYPE_MAX);
  strncpy(explaining->category, lh_column_text(find, 4), LH_CATEGORY_MAX);
  sqlite3_reset(find);
  return LH_OK;
}

/* Fills in the span that the event lies in, if the webhook had one then. */
static int read_span(const struct explaining *explaining, int64_t webhook,
                     struct lh_explained *found, struct lh_error *err) {
  sqlite3_stmt *span = lh_connection_sql(explaining->reader, LH_SQL_EXPLAIN_SPAN, err);
  if (span == NULL) return err->code;
  sqlite3_bind_int64(span, 1, webhook);
  sqlite3_bind_int64(span, 2, explaining->position);
  int row = lh_connection_row(explaining->reader, span, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  found->covered = 1;
  found->mode = (enum lh_span_mode)sqlite3_column_int(span, 0);
  found->reason = (enum lh_reason)sqlite3_column_int(span, 1);
  found->event_types = strdup(lh_column_text(span, 2));
  found->span_ms = sqlite3_column_int64(span, 3);
  sqlite3_reset(span);
  if (found->event_types == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  found->subscribed =
      lh_webhook_subscribes(found->event_types, explaining->event_type, explaining->category);
  return LH_OK;
}

/* The number of the webhook's request whose range begins last at or before the event; 0: none. */
static int nearest(const struct explaining *explaining, int64_t webhook, int64_t *request,
                   struct lh_error *err) {
  sqlite3_stmt *range = lh_connection_sql(explaining->reader, LH_SQL_PAGE_RANGE, err);
  if (range == NULL) return err->code;
  sqlite3_bind_int64(range, 1, webhook);
  sqlite3_bind_int64(range, 2, explaining->position + 1);
  int row = lh_connection_row(explaining->reader, range, err);
  if (row < 0) return err->code;
  *request = row > 0 ? sqlite3_column_int64(range, 0) : 0;
  if (row > 0) sqlite3_reset(range);
  return LH_OK;
}

/* Fills in the request that holds the event, if there is one. */
static int read_request(const struct explaining *explaining, int64_t webhook,
                        struct lh_explained *found, struct lh_error *err) {
  int64_t request = 0;
  int rc = nearest(explaining, webhook, &request, err);
  if (rc != LH_OK || request == 0) return rc;
  sqlite3_stmt *show = lh_connection_sql(explaining->reader, LH_SQL_REQUEST_SHOW, err);
  if (show == NULL) return err->code;
  sqlite3_bind_int64(show, 1, request);
  int row = lh_connection_row(explaining->reader, show, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  if (lh_request_row_holds(show, explaining->position)) {
    rc = lh_request_list_one(explaining->reader, show, &found->request, err);
    if (rc == LH_OK) rc = lh_request_attempts(explaining->reader, request, &found->attempts, err);
  }
  sqlite3_reset(show);
  return rc;
}

static int explain_webhook(const struct explaining *explaining, sqlite3_stmt *webhooks,
                           struct lh_explained *found, struct lh_error *err) {
  int64_t webhook = sqlite3_column_int64(webhooks, LH_COLUMN_WEBHOOK);
  int rc = lh_webhook_from_row(webhooks, &found->webhook, err);
  if (rc != LH_OK) return rc;
  found->passed = explaining->position <= sqlite3_column_int64(webhooks, COLUMN_CURSOR);
  found->in_flight = sqlite3_column_int(webhooks, COLUMN_IN_FLIGHT);
  found->failing = sqlite3_column_int(webhooks, COLUMN_FAILING);
  found->next_start_ms = sqlite3_column_int64(webhooks, COLUMN_NEXT_START);
  found->due_ms = sqlite3_column_type(webhooks, COLUMN_DUE) == SQLITE_NULL
                      ? INT64_MAX
                      : sqlite3_column_int64(webhooks, COLUMN_DUE);
  rc = read_span(explaining, webhook, found, err);
  if (rc == LH_OK && found->subscribed) rc = read_request(explaining, webhook, found, err);
  if (rc != LH_OK || found->request.count == 0) return rc;
  const struct lh_delivery *delivery = &found->request.rows[0].delivery;
  found->stopped = (delivery->state == LH_PENDING || delivery->state == LH_RETRYING) &&
                   delivery->epoch < sqlite3_column_int64(webhooks, COLUMN_EPOCH);
  return LH_OK;
}

/* Deleted before the event came: it has nothing to say about it. */
static int was_gone(const struct explaining *explaining, sqlite3_stmt *webhooks,
                    const struct lh_explained *found) {
  return found->mode == LH_SPAN_SKIP && found->webhook.status == LH_STATUS_DELETED &&
         sqlite3_column_int64(webhooks, COLUMN_DELETED) <= explaining->created_ms;
}

static int explain_all(const struct explaining *explaining, struct lh_explanation *explanation,
                       struct lh_error *err) {
  sqlite3_stmt *webhooks = lh_connection_sql(explaining->reader, LH_SQL_EXPLAIN_WEBHOOKS, err);
  int row, rc = LH_OK;
  if (webhooks == NULL) return err->code;
  sqlite3_bind_int64(webhooks, 1, explaining->account);
  sqlite3_bind_int(webhooks, 2, LH_LIST_LIMIT_MAX);
  while (rc == LH_OK && (row = lh_connection_row(explaining->reader, webhooks, err)) != 0) {
    if (row < 0) return err->code;
    struct lh_explained *rows =
        realloc(explanation->rows, (explanation->count + 1) * sizeof *explanation->rows);
    if (rows == NULL) {
      rc = lh_error_set(err, LH_E_MEMORY, "out of memory");
      break;
    }
    explanation->rows = rows;
    struct lh_explained *found = &rows[explanation->count++];
    memset(found, 0, sizeof *found);
    rc = explain_webhook(explaining, webhooks, found, err);
    if (rc == LH_OK && was_gone(explaining, webhooks, found)) {
      lh_webhook_clear(&found->webhook);
      free(found->event_types);
      explanation->count--;
    }
  }
  sqlite3_reset(webhooks);
  return rc;
}

int lh_sqlite_explain(struct lh_store *store, const struct lh_id *event_id,
                      struct lh_explanation *explanation, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(explanation, 0, sizeof *explanation);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  const struct lh_clock *clock = self->committer->clock;
  struct explaining explaining = {.reader = reader};
  int rc = lh_connection_run(reader->db, "BEGIN", err); /* one moment for all webhooks */
  if (rc != LH_OK) return rc;
  rc = find_event(&explaining, event_id, err);
  if (rc == LH_OK) rc = explain_all(&explaining, explanation, err);
  if (rc == LH_OK)
    rc = lh_sessions_alive(&self->committer->lock, reader, clock->wall_ms(clock->self),
                           &explanation->workers, err);
  lh_connection_reset_all(reader);
  sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
  if (rc != LH_OK) lh_explanation_clear(explanation);
  return rc;
}
