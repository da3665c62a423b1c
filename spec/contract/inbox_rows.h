/*
** The inbox of a SQLite store for tests that write rows of handlers and tasks
** by SQL, as a worker leaves them: a store in a folder of its own, as
** suite.store with suite.fake as its clock.
*/
#ifndef SPEC_CONTRACT_INBOX_ROWS_H
#define SPEC_CONTRACT_INBOX_ROWS_H

#include "spec/contract/store_suite.h"

int inbox_set_up(void **state);
int inbox_tear_down(void **state);
struct lh_store *inbox_open(void); /* another handle of the same store */
extern char inbox_location[128];
/* "…/store.db" and the suffix; valid until the next call. */
const char *inbox_path(const char *suffix);

/* Runs statements; the first column of the last row. Nothing else may write at that moment. */
int64_t inbox_sql(const char *text);
/* A handler for events of type t. */
void inbox_handler(int64_t handler, const char *name, int64_t cursor, int64_t loaded_ms);
/* columns: "state, reason, …" with their values. */
void inbox_task(int64_t handler, int64_t position, const char *columns, const char *values);
/* Events of type t with the ids from … to, from the source zinrelo. */
void inbox_accept_numbers(int from, int to);

#endif
