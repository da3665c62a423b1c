/*
** Which requests belong to a page of the log: what its filter names, and
** whether a row fits it. Where rows come from is pages.c's business.
*/
#include "store/sqlite/pages.h"

int lh_page_ask(struct lh_page *page, enum lh_sql which, int64_t first, int64_t second,
                sqlite3_stmt **statement, struct lh_error *err) {
  *statement = lh_connection_sql(page->reader, which, err);
  if (*statement == NULL) return -1;
  int parameters = sqlite3_bind_parameter_count(*statement);
  if (parameters > 0) sqlite3_bind_int64(*statement, 1, first);
  if (parameters > 1) sqlite3_bind_int64(*statement, 2, second);
  return lh_connection_row(page->reader, *statement, err);
}

int lh_page_ask_member(struct lh_page *page, enum lh_sql which, int64_t account, int64_t bound,
                       int64_t *position, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(page->reader, which, err);
  if (statement == NULL) return -1;
  sqlite3_bind_text(statement, 1, page->filter->member, -1, SQLITE_STATIC);
  sqlite3_bind_int64(statement, 2, account);
  sqlite3_bind_int64(statement, 3, bound);
  int row = lh_connection_row(page->reader, statement, err);
  if (row <= 0) return row;
  *position = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  return 1;
}

/* ---- what the filter names ---- */

/* The event's position and account. 1 it is there, 0 not, -1 failure. */
static int find_event(struct lh_page *page, struct lh_error *err) {
  sqlite3_stmt *find = lh_connection_sql(page->reader, LH_SQL_EVENT_BY_ID, err);
  if (find == NULL) return -1;
  sqlite3_bind_blob(find, 1, page->filter->event_id->bytes, LH_ID_BYTES, SQLITE_TRANSIENT);
  int row = lh_connection_row(page->reader, find, err);
  if (row <= 0) return row;
  page->event = sqlite3_column_int64(find, 0);
  page->event_account = sqlite3_column_int64(find, 1);
  sqlite3_reset(find);
  return 1;
}

static int find_webhook(struct lh_page *page, struct lh_error *err) {
  sqlite3_stmt *find = lh_connection_sql(page->reader, LH_SQL_WEBHOOK_BY_ID, err);
  if (find == NULL) return -1;
  sqlite3_bind_blob(find, 1, page->filter->webhook_id->bytes, LH_ID_BYTES, SQLITE_TRANSIENT);
  int row = lh_connection_row(page->reader, find, err);
  if (row <= 0) return row;
  int64_t account = sqlite3_column_int64(find, 27);
  page->webhook = sqlite3_column_int64(find, 24);
  sqlite3_reset(find);
  if (page->account != 0 && page->account != account) return 0;
  page->account = account;
  return 1;
}

static int find_account(struct lh_page *page, struct lh_error *err) {
  sqlite3_stmt *find = lh_connection_sql(page->reader, LH_SQL_ACCOUNT_FIND, err);
  if (find == NULL) return -1;
  sqlite3_bind_text(find, 1, page->filter->account, -1, SQLITE_TRANSIENT);
  int row = lh_connection_row(page->reader, find, err);
  if (row <= 0) return row;
  page->account = sqlite3_column_int64(find, 0);
  sqlite3_reset(find);
  return 1;
}

static int find_type(struct lh_page *page, struct lh_error *err) {
  sqlite3_stmt *find = lh_connection_sql(page->reader, LH_SQL_TYPE_FIND, err);
  if (find == NULL) return -1;
  sqlite3_bind_text(find, 1, page->filter->event_type, -1, SQLITE_TRANSIENT);
  int row = lh_connection_row(page->reader, find, err);
  if (row <= 0) return row;
  page->type = sqlite3_column_int64(find, 0);
  sqlite3_reset(find);
  return 1;
}

/*
** Requests are numbered as they are formed, so what is too new is passed over by halving instead of
** row by row. 1, or -1 failure.
*/
static int pass_over_newer(struct lh_page *page, struct lh_error *err) {
  int64_t bound_ms = page->filter->until_ms + LH_PAGE_CLOCK_STEP_MS;
  int64_t low = 1, high = page->after > 0 ? page->after : INT64_MAX;
  while (low < high) {
    sqlite3_stmt *found;
    int64_t middle = low + (high - low) / 2;
    int row = lh_page_ask(page, LH_SQL_PAGE_CREATED, 0, middle + 1, &found, err);
    if (row < 0) return -1;
    int newer = row > 0 && sqlite3_column_int64(found, 1) >= bound_ms;
    if (newer)
      high = sqlite3_column_int64(found, 0);
    else
      low = middle + 1;
    if (row > 0) sqlite3_reset(found);
  }
  page->after = high < INT64_MAX ? high : 0;
  return 1;
}

int lh_page_resolve(struct lh_page *page, struct lh_error *err) {
  const struct lh_request_filter *filter = page->filter;
  int found = filter->account == NULL ? 1 : find_account(page, err);
  if (found > 0 && filter->webhook_id != NULL) found = find_webhook(page, err);
  if (found > 0 && filter->event_id != NULL) found = find_event(page, err);
  if (found > 0 && page->event != 0 && page->account != 0 && page->account != page->event_account)
    found = 0;
  if (found > 0 && filter->event_type != NULL) found = find_type(page, err);
  if (found > 0 && filter->until_ms > 0) found = pass_over_newer(page, err);
  return found;
}

/* ---- does a row belong? ---- */

/* The positions of a row's events, one after the other. */
struct positions {
  const unsigned char *at, *end;
  int64_t position;
  int left;
};

static struct positions positions_of(sqlite3_stmt *row) {
  struct positions list = {.at = sqlite3_column_blob(row, 12)};
  if (list.at != NULL) list.end = list.at + sqlite3_column_bytes(row, 12);
  list.position = sqlite3_column_int64(row, 13);
  list.left = sqlite3_column_int(row, 10);
  return list;
}

/* Goes on to the first one at or after `position`. 0: there is none. */
static int seek(struct lh_page *page, struct positions *list, int64_t position) {
  while (list->position < position) {
    if (--list->left <= 0) return 0;
    size_t used = lh_batch_list_get(list->at, list->end, list->position, &list->position);
    if (used == 0) return 0;
    list->at += used;
    page->work--;
  }
  return 1;
}

/* One of the member's events is among the row's: both lists are walked by leaps. 1, 0, -1. */
static int holds_member(struct lh_page *page, sqlite3_stmt *row, struct lh_error *err) {
  struct positions list = positions_of(row);
  int64_t account = sqlite3_column_int64(row, 16), event = 0;
  for (;;) {
    int found = lh_page_ask_member(page, LH_SQL_MEMBER_FROM, account, list.position, &event, err);
    page->work--;
    if (found <= 0 || !seek(page, &list, event)) return found < 0 ? -1 : 0;
    if (list.position == event) return 1;
  }
}

/* The same for one of a type. */
static int holds_type(struct lh_page *page, sqlite3_stmt *row, struct lh_error *err) {
  struct positions list = positions_of(row);
  int64_t account = sqlite3_column_int64(row, 16);
  for (;;) {
    sqlite3_stmt *next = lh_connection_sql(page->reader, LH_SQL_EVENT_NEXT_OF_TYPE, err);
    if (next == NULL) return -1;
    sqlite3_bind_int64(next, 1, account);
    sqlite3_bind_int64(next, 2, page->type);
    sqlite3_bind_int64(next, 3, list.position - 1);
    int found = lh_connection_row(page->reader, next, err);
    page->work--;
    if (found <= 0) return found;
    int64_t event = sqlite3_column_int64(next, 0);
    sqlite3_reset(next);
    if (!seek(page, &list, event)) return 0;
    if (list.position == event) return 1;
  }
}

/* A range can contain a position without its event. */
int lh_page_belongs(struct lh_page *page, sqlite3_stmt *row, struct lh_error *err) {
  const struct lh_request_filter *filter = page->filter;
  if (filter->state >= 0 && sqlite3_column_int(row, 3) != filter->state) return 0;
  if (sqlite3_column_int64(row, 11) < filter->since_ms) return 0;
  if (filter->until_ms > 0 && sqlite3_column_int64(row, 11) >= filter->until_ms) return 0;
  if (page->webhook != 0 && sqlite3_column_int64(row, 15) != page->webhook) return 0;
  if (page->account != 0 && sqlite3_column_int64(row, 16) != page->account) return 0;
  if (page->event != 0 && !lh_request_row_holds(row, page->event)) return 0;
  int held = filter->member == NULL ? 1 : holds_member(page, row, err);
  return held > 0 && page->type != 0 ? holds_type(page, row, err) : held;
}
