/*
** A page of the request log, newest first, for any filter. Requests are
** numbered as they are formed, and within a webhook numbers and positions rise
** together (its ranges are disjoint and formed in order). So a filter is served
** by streams, one for each webhook that it can concern, each of which finds its
** next lower request with one or two seeks in an index that fits; the page is
** their merge by number. What a stream brings is only likely to belong: every
** row is checked against the whole filter, and a page stops looking after a
** bounded amount of work. Reading one row and its attempts is query.c's.
*/
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/pages.h"

#define WORK_MAX 10000   /* rows and list entries looked at for one page that do not belong */
#define STREAMS_MAX 2000 /* more webhooks than that: the table itself is walked */

/* The request of a webhook that begins last before `below`. 1, 0 none, -1 failure. */
static int range_below(struct lh_page *page, int64_t webhook, int64_t below, int64_t *request,
                       int64_t *first, struct lh_error *err) {
  sqlite3_stmt *statement;
  int row = lh_page_ask(page, LH_SQL_PAGE_RANGE, webhook, below, &statement, err);
  *request = 0;
  if (row <= 0) return row;
  *request = sqlite3_column_int64(statement, 0);
  *first = sqlite3_column_int64(statement, 1);
  sqlite3_reset(statement);
  return 1;
}

/* ---- streams: each finds its next lower request ---- */

static int advance_by_number(struct lh_page *page, struct lh_page_stream *stream,
                             struct lh_error *err) {
  static const enum lh_sql statements[] = {
      [SOURCE_ANY] = LH_SQL_PAGE_ANY,         [SOURCE_FAILED_ANY] = LH_SQL_PAGE_FAILED_ANY,
      [SOURCE_FAILED] = LH_SQL_PAGE_FAILED,   [SOURCE_PENDING] = LH_SQL_PAGE_PENDING,
      [SOURCE_WAITING] = LH_SQL_PAGE_WAITING,
  };
  sqlite3_stmt *statement;
  int row = lh_page_ask(page, statements[page->source], stream->webhook, stream->request,
                        &statement, err);
  if (row < 0) return err->code;
  stream->request = row > 0 ? sqlite3_column_int64(statement, 0) : 0;
  if (row > 0) sqlite3_reset(statement);
  return LH_OK;
}

/* By first position; a member's next event says below which one to look at all. */
static int advance_by_range(struct lh_page *page, struct lh_page_stream *stream,
                            struct lh_error *err) {
  int64_t below = stream->position, event = -1;
  if (page->source == SOURCE_MEMBER) {
    if (lh_page_ask_member(page, LH_SQL_MEMBER_BELOW, stream->account, below, &event, err) < 0)
      return err->code;
    below = event + 1;
  }
  int row = range_below(page, stream->webhook, below, &stream->request, &stream->position, err);
  return row < 0 ? (int)err->code : LH_OK;
}

static int advance(struct lh_page *page, struct lh_page_stream *stream, struct lh_error *err) {
  switch (page->source) {
  case SOURCE_RANGE:
  case SOURCE_MEMBER:
    return advance_by_range(page, stream, err);
  case SOURCE_GIVEN:
    stream->request = 0;
    return LH_OK;
  default:
    return advance_by_number(page, stream, err);
  }
}

/*
** Where a cursor stands in one webhook: *position below which all its requests
** are numbered lower. Numbers and positions rise together, so it is halved; the
** cursor's own request may be another webhook's, or gone.
*/
static int place_of(struct lh_page *page, int64_t webhook, int64_t *position,
                    struct lh_error *err) {
  int64_t low = 0, high = INT64_MAX, request, first;
  if (page->after > 0) {
    int row = range_below(page, webhook, INT64_MAX, &request, &high, err);
    if (row < 0) return err->code;
    high = row > 0 ? high + 1 : 0;
  }
  while (page->after > 0 && low < high) {
    int64_t middle = low + (high - low) / 2;
    int row = range_below(page, webhook, middle + 1, &request, &first, err);
    if (row < 0) return err->code;
    if (row == 0 || request < page->after)
      low = middle + 1;
    else
      high = first;
  }
  *position = high;
  return LH_OK;
}

static int start(struct lh_page *page, struct lh_page_stream *stream, struct lh_error *err) {
  if (page->source == SOURCE_GIVEN) return LH_OK;
  int rc = LH_OK;
  stream->request = page->after > 0 ? page->after : INT64_MAX;
  if (page->source == SOURCE_RANGE || page->source == SOURCE_MEMBER)
    rc = place_of(page, stream->webhook, &stream->position, err);
  return rc == LH_OK ? advance(page, stream, err) : rc;
}

static int add(struct lh_page *page, const struct lh_page_stream *stream, struct lh_error *err) {
  if (page->webhook != 0 && stream->webhook != page->webhook) return LH_OK;
  if (page->count == STREAMS_MAX) {
    page->overflowed = 1;
    return LH_OK;
  }
  if (page->count == page->cap) {
    size_t cap = page->cap == 0 ? 16 : 2 * page->cap;
    struct lh_page_stream *streams = realloc(page->streams, cap * sizeof *streams);
    if (streams == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
    page->streams = streams;
    page->cap = cap;
  }
  page->streams[page->count++] = *stream;
  return LH_OK;
}

/* ---- which streams a filter needs ---- */

static int add_webhooks_of(struct lh_page *page, int64_t account, struct lh_error *err) {
  sqlite3_stmt *statement;
  int rc = LH_OK;
  int row = lh_page_ask(page, LH_SQL_WEBHOOKS_OF, account, 0, &statement, err);
  for (; row > 0 && rc == LH_OK && !page->overflowed;
       row = lh_connection_row(page->reader, statement, err))
    rc =
        add(page, &(struct lh_page_stream){sqlite3_column_int64(statement, 0), account, 0, 0}, err);
  if (row > 0) sqlite3_reset(statement);
  return row < 0 ? (int)err->code : rc;
}

/* A member id is an account's own: several may have the same. */
static int add_webhooks_of_member(struct lh_page *page, struct lh_error *err) {
  int64_t account = 0;
  int rc = LH_OK;
  while (rc == LH_OK && !page->overflowed) {
    sqlite3_stmt *statement = lh_connection_sql(page->reader, LH_SQL_MEMBER_ACCOUNT, err);
    if (statement == NULL) return err->code;
    sqlite3_bind_text(statement, 1, page->filter->member, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, account);
    int row = lh_connection_row(page->reader, statement, err);
    if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
    account = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    rc = add_webhooks_of(page, account, err);
  }
  return rc;
}

static int add_waiting_webhooks(struct lh_page *page, struct lh_error *err) {
  struct lh_page_stream stream = {0};
  int row = 1, rc = LH_OK;
  while (rc == LH_OK && !page->overflowed) {
    sqlite3_stmt *statement;
    row = lh_page_ask(page, LH_SQL_WAITING_WEBHOOK, stream.webhook, 0, &statement, err);
    if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
    stream.webhook = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    rc = add(page, &stream, err);
  }
  return rc;
}

/* Few: workers have only so many transfers. */
static int add_sending(struct lh_page *page, struct lh_error *err) {
  sqlite3_stmt *statement;
  int rc = LH_OK;
  int row = lh_page_ask(page, LH_SQL_PAGE_SENDING, 0, 0, &statement, err);
  for (; row > 0 && rc == LH_OK; row = lh_connection_row(page->reader, statement, err)) {
    int64_t request = sqlite3_column_int64(statement, 0);
    if (page->after > 0 && request >= page->after) continue;
    rc =
        add(page, &(struct lh_page_stream){sqlite3_column_int64(statement, 1), 0, request, 0}, err);
  }
  if (row > 0) sqlite3_reset(statement);
  return row < 0 ? (int)err->code : rc;
}

/* The webhooks' requests that could hold the one event: one seek each. */
static int pick_given(struct lh_page *page, struct lh_error *err) {
  for (size_t i = 0; i < page->count; i++) {
    struct lh_page_stream *stream = &page->streams[i];
    if (range_below(page, stream->webhook, page->event + 1, &stream->request, &stream->position,
                    err) < 0)
      return err->code;
    if (page->after > 0 && stream->request >= page->after) stream->request = 0;
  }
  page->source = SOURCE_GIVEN;
  return LH_OK;
}

static enum lh_page_source source_of(const struct lh_request_filter *filter) {
  if (filter->event_id != NULL || filter->state == LH_SENDING) return SOURCE_GIVEN;
  if (filter->member != NULL) return SOURCE_MEMBER;
  int of_webhooks = filter->webhook_id != NULL || filter->account != NULL;
  if (filter->state == LH_RETRYING) return SOURCE_WAITING;
  if (filter->state == LH_PENDING) return SOURCE_PENDING;
  if (filter->state == LH_FAILED) return of_webhooks ? SOURCE_FAILED : SOURCE_FAILED_ANY;
  return of_webhooks ? SOURCE_RANGE : SOURCE_ANY;
}

static int add_streams(struct lh_page *page, struct lh_error *err) {
  const struct lh_request_filter *filter = page->filter;
  page->source = source_of(filter);
  if (filter->state == LH_SENDING && filter->event_id == NULL) return add_sending(page, err);
  int64_t account = filter->event_id != NULL ? page->event_account : page->account;
  if (page->webhook != 0)
    return add(page, &(struct lh_page_stream){page->webhook, account, 0, 0}, err);
  if (account != 0) return add_webhooks_of(page, account, err);
  if (filter->member != NULL) return add_webhooks_of_member(page, err);
  if (page->source == SOURCE_WAITING || page->source == SOURCE_PENDING)
    return add_waiting_webhooks(page, err);
  return add(page, &(struct lh_page_stream){0}, err);
}

static int open_streams(struct lh_page *page, struct lh_error *err) {
  int rc = add_streams(page, err);
  if (rc == LH_OK && page->overflowed) { /* so many concern most of what there is */
    page->source = SOURCE_ANY;
    page->count = 1;
    page->streams[0] = (struct lh_page_stream){0};
  }
  if (rc == LH_OK && page->filter->event_id != NULL && !page->overflowed)
    return pick_given(page, err);
  for (size_t i = 0; i < page->count && rc == LH_OK; i++) rc = start(page, &page->streams[i], err);
  return rc;
}

/* ---- the page ---- */

static struct lh_page_stream *highest(const struct lh_page *page) {
  struct lh_page_stream *found = NULL;
  for (size_t i = 0; i < page->count; i++) {
    struct lh_page_stream *stream = &page->streams[i];
    if (stream->request > 0 && (found == NULL || stream->request > found->request)) found = stream;
  }
  return found;
}

/*
** Looks at one row. *over 1: the page is complete. A full page looks on until
** it knows that there is a next one, so that the last page has no cursor.
*/
static int look(struct lh_page *page, sqlite3_stmt *row, int *over, struct lh_error *err) {
  struct lh_request_list *list = page->list;
  int64_t slack_ms = page->filter->since_ms - LH_PAGE_CLOCK_STEP_MS;
  *over = 1;
  if (sqlite3_column_int64(row, 11) < slack_ms) return LH_OK; /* the rest is older still */
  int keep = lh_page_belongs(page, row, err);
  if (keep < 0) return err->code;
  int full = list->count == (size_t)page->filter->limit;
  if (full && (keep || page->work <= 0)) {
    list->next = list->rows[list->count - 1].request;
    return LH_OK;
  }
  if (!keep && --page->work <= 0) {
    list->next = sqlite3_column_int64(row, 0);
    return LH_OK;
  }
  *over = 0;
  return keep ? lh_request_row_read(page->reader, row, &list->rows[list->count++], err) : LH_OK;
}

static int collect(struct lh_page *page, struct lh_error *err) {
  struct lh_page_stream *stream;
  int over = 0;
  page->list->rows = calloc((size_t)page->filter->limit, sizeof *page->list->rows);
  if (page->list->rows == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  while (!over && (stream = highest(page)) != NULL) {
    sqlite3_stmt *row;
    int found = lh_page_ask(page, LH_SQL_REQUEST_SHOW, stream->request, 0, &row, err);
    if (found < 0) return err->code;
    int rc = found > 0 ? look(page, row, &over, err) : LH_OK;
    if (found > 0) sqlite3_reset(row);
    if (rc == LH_OK && !over) rc = advance(page, stream, err);
    if (rc != LH_OK) return rc;
  }
  return LH_OK;
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
  struct lh_page page = {
      .reader = reader, .filter = filter, .list = list, .work = WORK_MAX, .after = filter->after};
  int rc = lh_connection_run(reader->db, "BEGIN", err); /* one moment for the whole page */
  if (rc != LH_OK) return rc;
  int found = lh_page_resolve(&page, err);
  rc = found < 0 ? (int)err->code : LH_OK;
  if (found > 0) rc = open_streams(&page, err);
  if (found > 0 && rc == LH_OK) rc = collect(&page, err);
  lh_connection_reset_all(reader);
  sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
  free(page.streams);
  if (rc != LH_OK) lh_request_list_clear(list);
  return rc;
}
