/*
** Figures. What a webhook has in the log is counted in its hot row, what it did
** lately in its figures; only what waits unformed is counted here, in the index
** of (account, type) and up to a limit. So nothing is read that grows with the
** log, and only webhooks that have something to do cost more than their row.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/figures.h"
#include "store/sqlite/sqlite.h"

#define WAITING_MAX 100000      /* events counted for one webhook … */
#define WAITING_ALL_MAX 1000000 /* … and for all together; an index entry each */

/* Columns of STATS_… */
enum {
  COLUMN_WEBHOOK,
  COLUMN_ID,
  COLUMN_ACCOUNT_NAME,
  COLUMN_NAME,
  COLUMN_ACCOUNT,
  COLUMN_STATUS,
  COLUMN_PENDING,
  COLUMN_IN_FLIGHT,
  COLUMN_RETRYING,
  COLUMN_DELIVERED,
  COLUMN_FAILED,
  COLUMN_ATTEMPTS,
  COLUMN_CURSOR,
  COLUMN_DUE,
  COLUMN_ASLEEP,
  COLUMN_FIGURES_MS,
  COLUMN_FIGURES,
  COLUMN_LAST_DELIVERED
};

struct counting {
  struct lh_connection *reader;
  const struct lh_stats_query *query;
  struct lh_stats *stats;
  struct lh_type_entry *types;
  size_t type_count;
  int64_t left;             /* events that may still be counted */
  struct lh_figures recent; /* of all */
};

/* Steps a statement that has one row: 0 and the statement stands on it, or the error. */
static int one_row(struct counting *counting, sqlite3_stmt *statement, struct lh_error *err) {
  if (statement == NULL) return err->code;
  int row = lh_connection_row(counting->reader, statement, err);
  if (row > 0) return LH_OK;
  return row < 0 ? (int)err->code : lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged");
}

static int load_types(struct counting *counting, struct lh_error *err) {
  sqlite3_stmt *all = lh_connection_sql(counting->reader, LH_SQL_TYPES_AFTER, err);
  int row = 0;
  if (all == NULL) return err->code;
  counting->types = calloc(LH_EVENT_TYPES_MAX, sizeof *counting->types);
  if (counting->types == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  sqlite3_bind_int64(all, 1, 0);
  while (counting->type_count < LH_EVENT_TYPES_MAX &&
         (row = lh_connection_row(counting->reader, all, err)) > 0) {
    struct lh_type_entry *entry = &counting->types[counting->type_count++];
    entry->id = sqlite3_column_int64(all, 0);
    strncpy(entry->type.name, lh_column_text(all, 1), LH_EVENT_TYPE_MAX);
    strncpy(entry->type.category, lh_column_text(all, 2), LH_CATEGORY_MAX);
  }
  sqlite3_reset(all);
  return row < 0 ? (int)err->code : LH_OK;
}

/* ---- what waits unformed ---- */

/* Positions of one webhook that what waits lies in. */
struct range {
  int64_t account;
  int64_t from, to;
  int64_t first; /* smallest position of what was found, 0: nothing */
};

/* How many events of a type lie in the range; adds to *waiting. */
static int count_type(struct counting *counting, struct range *range, int64_t type,
                      struct lh_webhook_stats *found, struct lh_error *err) {
  sqlite3_stmt *next = lh_connection_sql(counting->reader, LH_SQL_EVENT_NEXT_OF_TYPE, err);
  sqlite3_stmt *count = lh_connection_sql(counting->reader, LH_SQL_STATS_WAITING, err);
  if (next == NULL || count == NULL) return err->code;
  sqlite3_bind_int64(next, 1, range->account);
  sqlite3_bind_int64(next, 2, type);
  sqlite3_bind_int64(next, 3, range->from - 1);
  int row = lh_connection_row(counting->reader, next, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  int64_t first = sqlite3_column_int64(next, 0);
  sqlite3_reset(next);
  if (first > range->to) return LH_OK;
  if (range->first == 0 || first < range->first) range->first = first;
  int64_t limit = WAITING_MAX - found->waiting;
  if (limit > counting->left) limit = counting->left;
  sqlite3_bind_int64(count, 1, range->account);
  sqlite3_bind_int64(count, 2, type);
  sqlite3_bind_int64(count, 3, first);
  sqlite3_bind_int64(count, 4, range->to);
  sqlite3_bind_int64(count, 5, limit + 1);
  int rc = one_row(counting, count, err);
  if (rc != LH_OK) return rc;
  int64_t counted = sqlite3_column_int64(count, 0);
  sqlite3_reset(count);
  if (counted > limit) found->waiting_more = 1;
  if (counted > limit) counted = limit;
  found->waiting += counted;
  counting->left -= counted;
  return LH_OK;
}

static int count_span(struct counting *counting, struct range *range, const char *event_types,
                      struct lh_webhook_stats *found, struct lh_error *err) {
  int rc = LH_OK;
  for (size_t i = 0; i < counting->type_count && rc == LH_OK; i++) {
    const struct lh_type_entry *entry = &counting->types[i];
    if (lh_webhook_subscribes(event_types, entry->type.name, entry->type.category))
      rc = count_type(counting, range, entry->id, found, err);
  }
  return rc;
}

static void older(struct lh_webhook_stats *found, int64_t emitted_ms) {
  if (found->oldest_undelivered_ms == 0 || emitted_ms < found->oldest_undelivered_ms)
    found->oldest_undelivered_ms = emitted_ms;
}

/* The first row of a statement about a webhook is the time of an event that is not finished. */
static int note_oldest(struct counting *counting, enum lh_sql which, int64_t bound,
                       struct lh_webhook_stats *found, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(counting->reader, which, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, bound);
  int row = lh_connection_row(counting->reader, statement, err);
  if (row <= 0) return row < 0 ? (int)err->code : LH_OK;
  if (sqlite3_column_type(statement, 0) != SQLITE_NULL)
    older(found, sqlite3_column_int64(statement, 0));
  sqlite3_reset(statement);
  return LH_OK;
}

/* From the cursor on, span by span: what a worker would form, to deliver it or to fail it. */
static int count_waiting(struct counting *counting, sqlite3_stmt *hot,
                         struct lh_webhook_stats *found, struct lh_error *err) {
  int64_t begin = sqlite3_column_int64(hot, COLUMN_CURSOR) + 1;
  struct range range = {.account = sqlite3_column_int64(hot, COLUMN_ACCOUNT)};
  sqlite3_stmt *spans = lh_connection_sql(counting->reader, LH_SQL_STATS_SPANS, err);
  int row, rc = LH_OK;
  if (spans == NULL) return err->code;
  sqlite3_bind_int64(spans, 1, sqlite3_column_int64(hot, COLUMN_WEBHOOK));
  sqlite3_bind_int64(spans, 2, begin);
  while (rc == LH_OK && (row = lh_connection_row(counting->reader, spans, err)) != 0) {
    if (row < 0) return err->code;
    int64_t from = sqlite3_column_int64(spans, 0);
    range.from = from > begin ? from : begin;
    range.to =
        sqlite3_column_type(spans, 2) == SQLITE_NULL ? INT64_MAX : sqlite3_column_int64(spans, 2);
    if (range.to >= begin) rc = count_span(counting, &range, lh_column_text(spans, 1), found, err);
  }
  sqlite3_reset(spans);
  if (rc != LH_OK || range.first == 0) return rc;
  return note_oldest(counting, LH_SQL_STATS_EMITTED, range.first, found, err);
}

/* ---- one webhook ---- */

static int add_recent(struct counting *counting, sqlite3_stmt *hot, struct lh_figures *recent,
                      struct lh_error *err) {
  int64_t from_ms = counting->stats->recent_from_ms;
  sqlite3_stmt *spans = lh_connection_sql(counting->reader, LH_SQL_STATS_FIGURES, err);
  struct lh_figures figures;
  int row;
  if (spans == NULL) return err->code;
  if (sqlite3_column_int64(hot, COLUMN_FIGURES_MS) >= from_ms)
    (void)lh_figures_decode(sqlite3_column_blob(hot, COLUMN_FIGURES),
                            (size_t)sqlite3_column_bytes(hot, COLUMN_FIGURES), recent);
  sqlite3_bind_int64(spans, 1, sqlite3_column_int64(hot, COLUMN_WEBHOOK));
  sqlite3_bind_int64(spans, 2, from_ms);
  while ((row = lh_connection_row(counting->reader, spans, err)) > 0) {
    (void)lh_figures_decode(sqlite3_column_blob(spans, 0), (size_t)sqlite3_column_bytes(spans, 0),
                            &figures);
    lh_figures_merge(recent, &figures);
  }
  return row < 0 ? (int)err->code : LH_OK;
}

static struct lh_percentiles percentiles(const struct lh_lengths *lengths) {
  return (struct lh_percentiles){lh_lengths_percentile(lengths, 50),
                                 lh_lengths_percentile(lengths, 95),
                                 lh_lengths_percentile(lengths, 99)};
}

struct lh_recent lh_recent_of(const struct lh_figures *figures) {
  return (struct lh_recent){.delivered = figures->delivered,
                            .delivered_events = figures->delivered_events,
                            .failed = figures->failed,
                            .attempts = figures->attempts,
                            .failed_attempts = figures->failed_attempts,
                            .attempt = percentiles(&figures->attempt),
                            .delivery = percentiles(&figures->delivery)};
}

static void read_hot(sqlite3_stmt *hot, struct lh_webhook_stats *found) {
  memset(found, 0, sizeof *found);
  memcpy(found->id.bytes, sqlite3_column_blob(hot, COLUMN_ID), LH_ID_BYTES);
  snprintf(found->account, sizeof found->account, "%s", lh_column_text(hot, COLUMN_ACCOUNT_NAME));
  snprintf(found->name, sizeof found->name, "%s", lh_column_text(hot, COLUMN_NAME));
  found->status = (enum lh_status)sqlite3_column_int(hot, COLUMN_STATUS);
  for (int state = LH_PENDING; state <= LH_FAILED; state++)
    found->requests[state] = sqlite3_column_int64(hot, COLUMN_PENDING + state);
  found->attempts = sqlite3_column_int64(hot, COLUMN_ATTEMPTS);
  found->last_delivered_ms = sqlite3_column_int64(hot, COLUMN_LAST_DELIVERED);
}

/* Nothing to do until new events come, or never again: then there are none behind the cursor. */
static int is_at_rest(sqlite3_stmt *hot) {
  int status = sqlite3_column_int(hot, COLUMN_STATUS);
  return sqlite3_column_type(hot, COLUMN_DUE) == SQLITE_NULL &&
         (sqlite3_column_int(hot, COLUMN_ASLEEP) || status == LH_STATUS_DISABLED ||
          status == LH_STATUS_DELETED);
}

static int read_webhook(struct counting *counting, sqlite3_stmt *hot,
                        struct lh_webhook_stats *found, struct lh_error *err) {
  int64_t webhook = sqlite3_column_int64(hot, COLUMN_WEBHOOK);
  struct lh_figures recent;
  int rc = LH_OK;
  memset(&recent, 0, sizeof recent);
  read_hot(hot, found);
  if (!is_at_rest(hot)) rc = count_waiting(counting, hot, found, err);
  if (rc == LH_OK && found->requests[LH_PENDING] + found->requests[LH_RETRYING] > 0)
    rc = note_oldest(counting, LH_SQL_STATS_OLDEST_WAITING, webhook, found, err);
  if (rc == LH_OK && found->requests[LH_SENDING] > 0)
    rc = note_oldest(counting, LH_SQL_STATS_OLDEST_SENDING, webhook, found, err);
  if (rc == LH_OK) rc = add_recent(counting, hot, &recent, err);
  found->recent = lh_recent_of(&recent);
  lh_figures_merge(&counting->recent, &recent);
  return rc;
}

/* ---- all that the query means ---- */

static void add_to_sum(struct lh_webhook_stats *sum, const struct lh_webhook_stats *found) {
  sum->waiting += found->waiting;
  sum->waiting_more |= found->waiting_more;
  for (int state = LH_PENDING; state <= LH_FAILED; state++)
    sum->requests[state] += found->requests[state];
  sum->attempts += found->attempts;
  if (found->oldest_undelivered_ms > 0) older(sum, found->oldest_undelivered_ms);
  if (found->last_delivered_ms > sum->last_delivered_ms)
    sum->last_delivered_ms = found->last_delivered_ms;
}

static int keep_row(struct lh_stats *stats, const struct lh_webhook_stats *found,
                    struct lh_error *err) {
  if (found->status == LH_STATUS_DELETED) return LH_OK;
  if (stats->count == LH_LIST_LIMIT_MAX) {
    stats->more = 1;
    return LH_OK;
  }
  struct lh_webhook_stats *rows = realloc(stats->rows, (stats->count + 1) * sizeof *stats->rows);
  if (rows == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  stats->rows = rows;
  rows[stats->count++] = *found;
  return LH_OK;
}

/* The statement that goes through the hot rows meant, bound. NULL and *err on failure. */
static sqlite3_stmt *hot_rows(struct counting *counting, struct lh_error *err) {
  const struct lh_stats_query *query = counting->query;
  enum lh_sql which = query->webhook_id != NULL ? LH_SQL_STATS_OF_ID
                      : query->account != NULL  ? LH_SQL_STATS_OF_ACCOUNT
                                                : LH_SQL_STATS_OF_ALL;
  sqlite3_stmt *hot = lh_connection_sql(counting->reader, which, err);
  if (hot == NULL) return NULL;
  if (query->webhook_id != NULL)
    sqlite3_bind_blob(hot, 1, query->webhook_id->bytes, LH_ID_BYTES, SQLITE_STATIC);
  else if (query->account != NULL)
    sqlite3_bind_text(hot, 1, query->account, -1, SQLITE_STATIC);
  return hot;
}

static int count_webhooks(struct counting *counting, struct lh_error *err) {
  struct lh_stats *stats = counting->stats;
  sqlite3_stmt *hot = hot_rows(counting, err);
  int row, any = 0, rc = LH_OK;
  if (hot == NULL) return err->code;
  while (rc == LH_OK && (row = lh_connection_row(counting->reader, hot, err)) != 0) {
    struct lh_webhook_stats found;
    if (row < 0) return err->code;
    any = 1;
    rc = read_webhook(counting, hot, &found, err);
    if (rc == LH_OK) add_to_sum(&stats->sum, &found);
    if (rc == LH_OK && counting->query->with_webhooks) rc = keep_row(stats, &found, err);
  }
  stats->sum.recent = lh_recent_of(&counting->recent);
  if (rc == LH_OK && !any && counting->query->webhook_id != NULL)
    return lh_error_set(err, LH_E_NOT_FOUND, "no webhook has this id");
  return rc;
}

/* Positions have no gaps: the log is only cut at its old end. */
static int count_store(struct counting *counting, struct lh_error *err) {
  struct lh_stats *stats = counting->stats;
  sqlite3_stmt *counts = lh_connection_sql(counting->reader, LH_SQL_STATS_STORE, err);
  int rc = one_row(counting, counts, err);
  if (rc != LH_OK) return rc;
  stats->events = sqlite3_column_int64(counts, 0);
  stats->webhooks = sqlite3_column_int64(counts, 1);
  stats->accounts = sqlite3_column_int64(counts, 2);
  sqlite3_reset(counts);
  return LH_OK;
}

/* What waits to be formed is no task yet; store:handlers() says how far each handler is behind. */
static int count_inbox(struct counting *counting, struct lh_error *err) {
  struct lh_inbox_stats *inbox = &counting->stats->inbox;
  sqlite3_stmt *counts = lh_connection_sql(counting->reader, LH_SQL_STATS_INBOX, err);
  int rc = one_row(counting, counts, err);
  if (rc != LH_OK) return rc;
  inbox->events = sqlite3_column_int64(counts, 0);
  for (int state = LH_TASK_PENDING; state <= LH_TASK_FAILED; state++)
    inbox->tasks[state] = sqlite3_column_int64(counts, 1 + state);
  inbox->oldest_unfinished_ms = sqlite3_column_int64(counts, 6);
  sqlite3_reset(counts);
  return LH_OK;
}

static int64_t file_bytes(const char *path, const char *suffix) {
  char name[PATH_MAX + 8];
  struct stat found;
  snprintf(name, sizeof name, "%s%s", path, suffix);
  return stat(name, &found) == 0 ? found.st_size : 0;
}

int lh_sqlite_stats(struct lh_store *store, const struct lh_stats_query *query,
                    struct lh_stats *stats, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(stats, 0, sizeof *stats);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  struct counting counting = {
      .reader = reader, .query = query, .stats = stats, .left = WAITING_ALL_MAX};
  stats->recent_from_ms = lh_figures_span(query->since_ms);
  int rc = lh_connection_run(reader->db, "BEGIN", err); /* one moment for all figures */
  if (rc != LH_OK) return rc;
  rc = count_store(&counting, err);
  if (rc == LH_OK) rc = count_inbox(&counting, err);
  if (rc == LH_OK) rc = load_types(&counting, err);
  if (rc == LH_OK) rc = count_webhooks(&counting, err);
  lh_connection_reset_all(reader);
  sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
  stats->database_bytes = file_bytes(self->committer->path, "");
  stats->wal_bytes = file_bytes(self->committer->path, "-wal");
  free(counting.types);
  if (rc != LH_OK) lh_stats_clear(stats);
  return rc;
}
