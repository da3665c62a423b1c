/*
** What the parts of a page of the request log share (pages.c, pages_match.c).
*/
#ifndef LH_STORE_SQLITE_PAGES_H
#define LH_STORE_SQLITE_PAGES_H

#include "store/sqlite/sqlite.h"

/* A clock set back may have put older rows above newer. */
#define LH_PAGE_CLOCK_STEP_MS INT64_C(3600000)

/* How streams find their next request. */
enum lh_page_source {
  SOURCE_ANY,        /* all, by number */
  SOURCE_FAILED_ANY, /* all failed ones, by number */
  SOURCE_FAILED,     /* of a webhook, by number … */
  SOURCE_PENDING,
  SOURCE_WAITING,
  SOURCE_RANGE,  /* of a webhook, by first position */
  SOURCE_MEMBER, /* the same, from one of the member's events to the next */
  SOURCE_GIVEN   /* known from the start: one request each */
};

struct lh_page_stream {
  int64_t webhook;
  int64_t account;
  int64_t request;  /* its next one; 0: none */
  int64_t position; /* of that one's first event */
};

struct lh_page {
  struct lh_connection *reader;
  const struct lh_request_filter *filter;
  struct lh_request_list *list;
  enum lh_page_source source;
  struct lh_page_stream *streams;
  size_t count, cap;
  int64_t after;            /* the cursor to begin at, 0: the newest */
  int64_t webhook, account; /* the filter's, 0: any */
  int64_t type;             /* the filter's event type, 0: any */
  int64_t event;            /* its position, 0: any */
  int64_t event_account;
  int overflowed; /* more than STREAMS_MAX */
  int work;       /* left */
};

/* Binds what it takes and steps: 1 a row (the statement stands on it), 0 none, -1 failure. */
int lh_page_ask(struct lh_page *page, enum lh_sql which, int64_t first, int64_t second,
                sqlite3_stmt **statement, struct lh_error *err);
/* The same for the statements about the member's events: *position of the one found. */
int lh_page_ask_member(struct lh_page *page, enum lh_sql which, int64_t account, int64_t bound,
                       int64_t *position, struct lh_error *err);
/*
** Finds what the filter names, and where to begin. 1 if all of it exists, 0 if nothing can match,
** -1 failure.
*/
int lh_page_resolve(struct lh_page *page, struct lh_error *err);
/* A row of REQUEST_SHOW belongs to the filter: 1, 0 not, -1 failure. */
int lh_page_belongs(struct lh_page *page, sqlite3_stmt *row, struct lh_error *err);

#endif
