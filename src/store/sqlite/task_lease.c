/*
** Giving leases of one handler: how many of its tasks may start now (its
** concurrency, rate and rest hold over all workers, so they stand in its row),
** which, and what the worker is told of them.
**
** The rate is GCRA: next_start_us is when the next start would be owed if
** starts came evenly; one may be early by burst - 1 intervals.
*/
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/task.h"

#define LISTED_AT_ONCE 256

static int64_t owed_us(const struct lh_handler_hot *handler, int64_t now_us) {
  return handler->next_start_us < now_us ? now_us : handler->next_start_us;
}

void lh_task_bound_times(const struct lh_task_wished *wished, int64_t now_ms) {
  struct lh_handler_hot *handler = wished->row;
  const struct lh_handler_wish *wish = wished->wish;
  int64_t latest_us = now_ms * 1000 + wish->burst * wish->interval_us;
  if (wish->interval_us > 0 && handler->next_start_us > latest_us) {
    handler->next_start_us = latest_us;
    handler->dirty = 1;
  }
  if (handler->rest_until_ms > now_ms + LH_TASK_WAIT_MS_MAX) {
    handler->rest_until_ms = now_ms;
    handler->dirty = 1;
  }
}

static int64_t rate_allows(const struct lh_task_wished *wished, int64_t now_ms) {
  const struct lh_handler_wish *wish = wished->wish;
  if (wish->interval_us == 0) return INT64_MAX;
  int64_t now_us = now_ms * 1000;
  int64_t latest_us = now_us + wish->burst * wish->interval_us;
  return (latest_us - owed_us(wished->row, now_us)) / wish->interval_us;
}

size_t lh_task_may_start(const struct lh_task_wished *wished, int64_t now_ms) {
  const struct lh_handler_wish *wish = wished->wish;
  int64_t most = wish->concurrency - wished->row->tasks[LH_TASK_RUNNING];
  int64_t by_rate = rate_allows(wished, now_ms);
  size_t own = wish->slots - wished->taken;
  if (wished->row->rest_until_ms > now_ms) return 0;
  if (by_rate < most) most = by_rate;
  if (most <= 0) return 0;
  return own < (size_t)most ? own : (size_t)most;
}

int64_t lh_task_start_ms(const struct lh_task_wished *wished, int64_t now_ms) {
  const struct lh_handler_wish *wish = wished->wish;
  int64_t start_ms = wished->row->rest_until_ms;
  if (wish->interval_us > 0) {
    int64_t at_us = owed_us(wished->row, now_ms * 1000) - (wish->burst - 1) * wish->interval_us;
    int64_t at_ms = (at_us + 999) / 1000;
    if (at_ms > start_ms) start_ms = at_ms;
  }
  return start_ms;
}

static void note_start(const struct lh_task_wished *wished, int64_t now_ms) {
  if (wished->wish->interval_us == 0) return;
  wished->row->next_start_us = owed_us(wished->row, now_ms * 1000) + wished->wish->interval_us;
  wished->row->dirty = 1;
}

/* Copies a column behind what is there, with a NUL. */
static const char *put(char **at, sqlite3_stmt *event, int column) {
  char *from = *at;
  const void *bytes = sqlite3_column_blob(event, column);
  size_t len = (size_t)sqlite3_column_bytes(event, column);
  if (len > 0) memcpy(from, bytes, len);
  from[len] = '\0';
  *at = from + len + 1;
  return from;
}

static int show_event(struct lh_task_lease *lease, sqlite3_stmt *event, struct lh_error *err) {
  size_t bytes = 0;
  for (int column = 0; column < 5; column++) {
    if (sqlite3_column_blob(event, column) == NULL && sqlite3_column_bytes(event, column) > 0)
      return lh_error_set(err, LH_E_MEMORY, "out of memory");
    bytes += (size_t)sqlite3_column_bytes(event, column) + 1;
  }
  lease->texts = malloc(bytes);
  if (lease->texts == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  char *at = lease->texts;
  lease->source = put(&at, event, 0);
  lease->event_id = put(&at, event, 1);
  lease->event_type = put(&at, event, 2);
  lease->member_len = (size_t)sqlite3_column_bytes(event, 3);
  lease->member = put(&at, event, 3);
  if (sqlite3_column_type(event, 3) == SQLITE_NULL) lease->member = NULL;
  lease->data_len = (size_t)sqlite3_column_bytes(event, 4);
  lease->data = put(&at, event, 4);
  lease->received_ms = sqlite3_column_int64(event, 5);
  return LH_OK;
}

static int grow(struct lh_task_leasing *leasing, struct lh_error *err) {
  size_t cap = leasing->lease_cap == 0 ? 64 : 2 * leasing->lease_cap;
  struct lh_task_lease *leases = realloc(leasing->turn->leases, cap * sizeof *leases);
  if (leases == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  leasing->turn->leases = leases;
  leasing->lease_cap = cap;
  return LH_OK;
}

static int show(struct lh_task_leasing *leasing, const struct lh_task_hot *row,
                struct lh_error *err) {
  struct lh_task_turn *turn = leasing->turn;
  struct lh_connection *connection = leasing->tasking->tx->connection;
  sqlite3_stmt *event = lh_connection_sql(connection, LH_SQL_TASK_EVENT, err);
  if (event == NULL) return err->code;
  if (turn->lease_count == leasing->lease_cap && grow(leasing, err) != LH_OK) return err->code;
  struct lh_task_lease *lease = &turn->leases[turn->lease_count];
  *lease = (struct lh_task_lease){
      .task = row->task,
      .handler = row->handler,
      .attempt = row->now.attempts_made,
      .first_ms = row->first_ms,
      .alone = row->now.alone,
      .position = row->position,
  };
  sqlite3_bind_int64(event, 1, row->position);
  int found = lh_connection_row(connection, event, err);
  if (found < 0) return err->code;
  if (found == 0)
    return lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged: the event at %lld is missing",
                        (long long)row->position);
  int rc = show_event(lease, event, err);
  sqlite3_reset(event);
  if (rc != LH_OK) return rc;
  leasing->bytes += (int64_t)lease->data_len;
  turn->lease_count++;
  return LH_OK;
}

/* It starts, or ends instead: then `taken` stays as it was. */
static int lease_one(struct lh_task_leasing *leasing, struct lh_task_wished *wished, int64_t task,
                     struct lh_error *err) {
  struct lh_tasking *tasking = leasing->tasking;
  struct lh_task_change change = {.input = {LH_TASK_IN_START, 0, 0, 0},
                                  .policy = wished->wish->policy};
  struct lh_task_hot row;
  int rc = lh_task_load(tasking, task, &row, err);
  if (rc != LH_OK) return rc;
  row.session = leasing->turn->session;
  rc = lh_task_apply(tasking, &row, &change, err);
  if (rc == LH_OK && (change.effects & LH_TASK_EFFECT_REFUSED))
    rc = lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged: task %lld cannot start",
                      (long long)task);
  if (rc != LH_OK || !(change.effects & LH_TASK_EFFECT_STARTED)) return rc;
  wished->taken++;
  note_start(wished, tasking->now_ms);
  return show(leasing, &row, err);
}

int lh_task_lease(struct lh_task_leasing *leasing, struct lh_task_wished *wished, size_t most,
                  enum lh_sql which, struct lh_error *err) {
  int64_t tasks[LISTED_AT_ONCE];
  struct lh_task_numbers listed = {tasks, LISTED_AT_ONCE, LISTED_AT_ONCE};
  const int64_t keys[2] = {wished->row->handler, leasing->tasking->now_ms};
  size_t end = wished->taken + most;
  int rc = LH_OK;
  while (rc == LH_OK && wished->taken < end && listed.count == LISTED_AT_ONCE) {
    size_t left = end - wished->taken, before = wished->taken;
    listed.limit = left < LISTED_AT_ONCE ? left : LISTED_AT_ONCE;
    rc = lh_task_list(leasing->tasking, which, keys, &listed, err);
    for (size_t i = 0; i < listed.count && rc == LH_OK; i++) {
      if (leasing->bytes >= LH_TASK_BYTES_PER_TURN) {
        leasing->more = 1;
        return LH_OK;
      }
      rc = lease_one(leasing, wished, tasks[i], err);
    }
    if (wished->taken - before < listed.count) leasing->more = 1; /* what ended took no slot */
  }
  return rc;
}
