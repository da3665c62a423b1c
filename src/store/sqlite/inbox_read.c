/*
** The inbox as a person sees it. A page goes down by position; failed events,
** and pending ones below all cursors, are found through the indexes of their
** tasks, everything else is walked. Every row is checked against the whole
** filter, and a page stops looking after a bounded number of rows.
*/
#include <stdlib.h>
#include <string.h>

#include "core/envelope.h"
#include "core/webhook.h"
#include "store/sqlite/sqlite.h"

#define LOOKS_MAX 10000                /* rows looked at for one page that do not belong */
#define IN_USE_MS INT64_C(3600000)     /* a handler that a worker loaded so lately is in use */
#define CLOCK_STEP_MS INT64_C(3600000) /* a clock set back may have put older rows above newer */

/* A handler in use: it will come to what lies behind its cursor. */
struct reader_of {
  char *event_types;
  int64_t cursor;
};

struct page {
  struct lh_connection *reader;
  const struct lh_inbox_filter *filter;
  struct lh_inbox_list *list;
  struct reader_of *handlers;
  size_t handler_count;
  int64_t lowest_cursor; /* of handlers in use; events up to it have all their tasks */
  int looks;             /* left */
};

static int out_of_memory(struct lh_error *err) {
  return lh_error_set(err, LH_E_MEMORY, "out of memory");
}

static void free_handlers(struct page *page) {
  for (size_t i = 0; i < page->handler_count; i++) free(page->handlers[i].event_types);
  free(page->handlers);
}

/* Which handlers are in use now. */
static int load_handlers(struct page *page, int64_t now_ms, struct lh_error *err) {
  sqlite3_stmt *all = lh_connection_sql(page->reader, LH_SQL_INBOX_HANDLERS, err);
  int row = 0, rc = LH_OK;
  page->lowest_cursor = INT64_MAX;
  if (all == NULL) return err->code;
  page->handlers = calloc(LH_HANDLERS_MAX, sizeof *page->handlers);
  if (page->handlers == NULL) return out_of_memory(err);
  sqlite3_bind_int64(all, 1, now_ms - IN_USE_MS);
  sqlite3_bind_int(all, 2, LH_HANDLERS_MAX);
  while (rc == LH_OK && page->handler_count < LH_HANDLERS_MAX &&
         (row = lh_connection_row(page->reader, all, err)) > 0) {
    struct reader_of *handler = &page->handlers[page->handler_count++];
    handler->event_types = strdup(lh_column_text(all, 0));
    handler->cursor = sqlite3_column_int64(all, 1);
    if (handler->event_types == NULL) rc = out_of_memory(err);
    if (handler->cursor < page->lowest_cursor) page->lowest_cursor = handler->cursor;
  }
  sqlite3_reset(all);
  return row < 0 ? (int)err->code : rc;
}

static int is_awaited(const struct page *page, const struct lh_inbox_row *row) {
  for (size_t i = 0; i < page->handler_count; i++)
    if (page->handlers[i].cursor < row->position &&
        lh_webhook_subscribes(page->handlers[i].event_types, row->event_type, ""))
      return 1;
  return 0;
}

static void copy_text(sqlite3_stmt *statement, int column, char *out, size_t size) {
  const char *text = lh_column_text(statement, column);
  size_t len = (size_t)sqlite3_column_bytes(statement, column);
  if (len >= size) len = size - 1;
  memcpy(out, text, len);
  out[len] = '\0';
}

/* The columns of LH_INBOX_COLUMNS. */
static void read_event(sqlite3_stmt *statement, struct lh_inbox_row *row) {
  memset(row, 0, sizeof *row);
  row->position = sqlite3_column_int64(statement, 0);
  copy_text(statement, 1, row->source, sizeof row->source);
  copy_text(statement, 2, row->event_id, sizeof row->event_id);
  copy_text(statement, 3, row->event_type, sizeof row->event_type);
  row->received_ms = sqlite3_column_int64(statement, 4);
  copy_text(statement, 5, row->member, sizeof row->member);
  row->member_len = (size_t)sqlite3_column_bytes(statement, 5);
  if (row->member_len > LH_MEMBER_MAX) row->member_len = LH_MEMBER_MAX;
}

/* The columns of INBOX_TASKS. */
static int read_task(sqlite3_stmt *statement, struct lh_inbox_task *task, struct lh_error *err) {
  memset(task, 0, sizeof *task);
  copy_text(statement, 0, task->handler, sizeof task->handler);
  task->state = (enum lh_task_state)sqlite3_column_int(statement, 1);
  task->reason = (enum lh_task_reason)sqlite3_column_int(statement, 2);
  task->attempts_made = sqlite3_column_int(statement, 3);
  task->next_attempt_ms = sqlite3_column_int64(statement, 4);
  task->waits = sqlite3_column_int(statement, 6);
  if (sqlite3_column_type(statement, 5) == SQLITE_NULL) return LH_OK;
  task->error = strdup(lh_column_text(statement, 5));
  return task->error != NULL ? LH_OK : out_of_memory(err);
}

/* Its tasks, and what they make of its state. */
static int read_tasks(const struct page *page, struct lh_inbox_row *row, struct lh_error *err) {
  sqlite3_stmt *all = lh_connection_sql(page->reader, LH_SQL_INBOX_TASKS, err);
  int found = 0, unfinished = 0, failed = 0, rc = LH_OK;
  if (all == NULL) return err->code;
  sqlite3_bind_int64(all, 1, row->position);
  while (rc == LH_OK && (found = lh_connection_row(page->reader, all, err)) > 0) {
    struct lh_inbox_task *tasks = realloc(row->tasks, (row->task_count + 1) * sizeof *tasks);
    if (tasks == NULL) {
      rc = out_of_memory(err);
      break;
    }
    row->tasks = tasks;
    rc = read_task(all, &tasks[row->task_count++], err);
    unfinished |= sqlite3_column_int(all, 7);
    failed |= sqlite3_column_int(all, 8);
  }
  sqlite3_reset(all);
  row->state = failed                                ? LH_INBOX_FAILED
               : unfinished || is_awaited(page, row) ? LH_INBOX_PENDING
                                                     : LH_INBOX_DONE;
  return found < 0 ? (int)err->code : rc;
}

/* ---- a page ---- */

/* One number of a statement with one parameter. 1, 0 none, -1 failure. */
static int position_below(const struct page *page, enum lh_sql which, int64_t below,
                          int64_t *position, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(page->reader, which, err);
  if (statement == NULL) return -1;
  sqlite3_bind_int64(statement, 1, below);
  int row = lh_connection_row(page->reader, statement, err);
  if (row <= 0) return row;
  int found = sqlite3_column_type(statement, 0) != SQLITE_NULL;
  *position = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  return found;
}

/* The event at or below a position; *statement stands on it. 1, 0 none, -1 failure. */
static int stand_on(const struct page *page, enum lh_sql which, int64_t position,
                    sqlite3_stmt **statement, struct lh_error *err) {
  *statement = lh_connection_sql(page->reader, which, err);
  if (*statement == NULL) return -1;
  sqlite3_bind_int64(*statement, 1, position);
  return lh_connection_row(page->reader, *statement, err);
}

/* The next event below a position that may belong. As stand_on. */
static int next_below(const struct page *page, int64_t below, sqlite3_stmt **statement,
                      struct lh_error *err) {
  const int state = page->filter->state;
  enum lh_sql tasks = state == LH_INBOX_FAILED ? LH_SQL_INBOX_FAILED : LH_SQL_INBOX_UNFINISHED;
  int all_formed = below - 1 <= page->lowest_cursor;
  if (state != LH_INBOX_FAILED && !(state == LH_INBOX_PENDING && all_formed))
    return stand_on(page, LH_SQL_INBOX_BELOW, below, statement, err);
  for (;;) {
    int found = position_below(page, tasks, below, &below, err);
    if (found > 0) found = stand_on(page, LH_SQL_INBOX_AT, below, statement, err);
    if (found != 0 || below <= 1) return found;
    /* no task left, or retention came in between: then on to the next one */
  }
}

static int has_task_of(const struct lh_inbox_row *row, const char *handler) {
  for (size_t i = 0; i < row->task_count; i++)
    if (strcmp(row->tasks[i].handler, handler) == 0) return 1;
  return 0;
}

/* The filter, cheapest question first; reads the row's tasks on the way. 1, 0, -1 failure. */
static int belongs(const struct page *page, struct lh_inbox_row *row, struct lh_error *err) {
  const struct lh_inbox_filter *filter = page->filter;
  if (row->received_ms < filter->since_ms) return 0;
  if (filter->source != NULL && strcmp(row->source, filter->source) != 0) return 0;
  if (filter->event_type != NULL && strcmp(row->event_type, filter->event_type) != 0) return 0;
  if (read_tasks(page, row, err) != LH_OK) return -1;
  if (filter->state >= 0 && (int)row->state != filter->state) return 0;
  return filter->handler == NULL || has_task_of(row, filter->handler);
}

/*
** Looks at one event, which goes to the list's end if it belongs. *over 1: the
** page is complete. A full one looks on until it knows that there is a next.
*/
static int look(struct page *page, struct lh_inbox_row *row, int *over, struct lh_error *err) {
  struct lh_inbox_list *list = page->list;
  *over = 1;
  if (row->received_ms < page->filter->since_ms - CLOCK_STEP_MS) return LH_OK;
  int keep = belongs(page, row, err);
  int full = list->count == (size_t)page->filter->limit;
  if (keep > 0 && !full) {
    list->rows[list->count++] = *row;
    *over = 0;
    return LH_OK;
  }
  int64_t position = row->position;
  lh_inbox_row_clear(row);
  if (keep < 0) return err->code;
  if (full && (keep || --page->looks <= 0))
    list->next = list->rows[list->count - 1].position;
  else if (!full && --page->looks <= 0)
    list->next = position;
  *over = list->next != 0;
  return LH_OK;
}

static int collect(struct page *page, struct lh_error *err) {
  int64_t below = page->filter->after > 0 ? page->filter->after : INT64_MAX;
  sqlite3_stmt *statement;
  int over = 0, found = 0, rc = LH_OK;
  page->list->rows = calloc((size_t)page->filter->limit, sizeof *page->list->rows);
  if (page->list->rows == NULL) return out_of_memory(err);
  while (rc == LH_OK && !over && (found = next_below(page, below, &statement, err)) > 0) {
    struct lh_inbox_row row;
    read_event(statement, &row);
    sqlite3_reset(statement);
    below = row.position;
    rc = look(page, &row, &over, err);
  }
  return found < 0 ? (int)err->code : rc;
}

/* A page to fill, of the handle's reader. 0 or a code. */
static int open_page(struct lh_store *store, struct page *page, struct lh_inbox_list *list,
                     struct lh_error *err) {
  memset(page, 0, sizeof *page);
  memset(list, 0, sizeof *list);
  page->list = list;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  const struct lh_clock *clock = self->committer->clock;
  page->looks = LOOKS_MAX;
  page->reader = lh_sqlite_reader(self, err);
  if (page->reader == NULL) return err->code;
  return load_handlers(page, clock->wall_ms(clock->self), err);
}

static int close_page(struct page *page, int rc) {
  free_handlers(page);
  if (rc != LH_OK) lh_inbox_list_clear(page->list);
  return rc;
}

int lh_sqlite_inbox_list(struct lh_store *store, const struct lh_inbox_filter *filter,
                         struct lh_inbox_list *list, struct lh_error *err) {
  struct lh_error local;
  struct page page;
  if (err == NULL) err = &local;
  int rc = open_page(store, &page, list, err);
  page.filter = filter;
  return close_page(&page, rc == LH_OK ? collect(&page, err) : rc);
}

/* ---- one event ---- */

/* The event at a position with its data, if it is still there. */
static int add_event_at(struct page *page, int64_t position, struct lh_error *err) {
  struct lh_inbox_list *list = page->list;
  sqlite3_stmt *at = lh_connection_sql(page->reader, LH_SQL_INBOX_AT, err);
  if (at == NULL) return err->code;
  sqlite3_bind_int64(at, 1, position);
  int found = lh_connection_row(page->reader, at, err);
  if (found <= 0) return found < 0 ? (int)err->code : LH_OK;
  struct lh_inbox_row *rows = realloc(list->rows, (list->count + 1) * sizeof *rows);
  if (rows == NULL) {
    sqlite3_reset(at);
    return out_of_memory(err);
  }
  list->rows = rows;
  struct lh_inbox_row *row = &rows[list->count++];
  read_event(at, row);
  row->data_len = (size_t)sqlite3_column_bytes(at, 6);
  row->data = malloc(row->data_len + 1);
  if (row->data != NULL) memcpy(row->data, sqlite3_column_blob(at, 6), row->data_len);
  sqlite3_reset(at);
  return row->data != NULL ? read_tasks(page, row, err) : out_of_memory(err);
}

/* Nothing is there: was it ever? received_ms 0: it was not. */
static int not_found(int64_t received_ms, struct lh_error *err) {
  char date[LH_CREATED_DATE_LEN + 1];
  if (received_ms == 0) return lh_error_set(err, LH_E_NOT_FOUND, "no event has this id");
  lh_created_date(received_ms, date); /* MM/DD/YYYY HH:MM:SS */
  return lh_error_set(err, LH_E_NOT_FOUND,
                      "this event was received at %.4s-%.2s-%.2sT%sZ and is no longer kept; it"
                      " would still be known as a repetition",
                      date + 6, date, date + 3, date + 11);
}

/* One mark that names the event. */
struct mark {
  int64_t position, received_ms;
};

/* The marks of an id, at most one a source; then the reader is free for their events. */
static int marks_of(struct page *page, const char *event_id, const char *source,
                    struct mark marks[LH_SOURCES_MAX], size_t *count, struct lh_error *err) {
  sqlite3_stmt *all = lh_connection_sql(page->reader, LH_SQL_INBOX_MARKS, err);
  int found = 0;
  *count = 0;
  if (all == NULL) return err->code;
  sqlite3_bind_text(all, 1, event_id, -1, SQLITE_STATIC);
  while (*count < LH_SOURCES_MAX && (found = lh_connection_row(page->reader, all, err)) > 0) {
    if (source != NULL && strcmp(lh_column_text(all, 1), source) != 0) continue;
    marks[*count].position = sqlite3_column_int64(all, 0);
    marks[(*count)++].received_ms = sqlite3_column_int64(all, 2);
  }
  sqlite3_reset(all);
  return found < 0 ? (int)err->code : LH_OK;
}

int lh_sqlite_inbox_get(struct lh_store *store, const char *event_id, const char *source,
                        struct lh_inbox_list *list, struct lh_error *err) {
  struct lh_error local;
  struct page page;
  struct mark marks[LH_SOURCES_MAX];
  size_t count = 0;
  if (err == NULL) err = &local;
  int rc = open_page(store, &page, list, err);
  if (rc == LH_OK) rc = marks_of(&page, event_id, source, marks, &count, err);
  for (size_t i = 0; i < count && rc == LH_OK; i++)
    rc = add_event_at(&page, marks[i].position, err);
  if (rc == LH_OK && list->count == 0) rc = not_found(count > 0 ? marks[0].received_ms : 0, err);
  return close_page(&page, rc);
}
