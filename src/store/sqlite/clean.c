/*
** Retention (design §2.1): what is old enough goes, in small steps of one
** transaction each. How far a run is stands in the caller's struct; what was
** done stands in the rows, so a run that ends anywhere is simply begun again.
**
** The log is cut at its old end only: first the cut is found (events in a row
** that are old enough), then every webhook's requests below it are dealt with
** (sweep.c), then the events go that no webhook needs any more. After that
** come failed requests, figures, jobs, notices, past headers, what access_clean.c
** knows and webhooks whose time is over, and last the receiving side (clean_inbox.c).
*/
#include <string.h>

#include "store/sqlite/access.h"

#define BYTES_PER_STEP (INT64_C(4) * 1024 * 1024) /* of events moved or deleted */
#define AGES_PER_STEP 5000                        /* events whose age is read */
#define CUT_MAX 50000 /* events cut before all webhooks are swept again */
#define FIGURES_KEPT_MS (INT64_C(7) * 86400000)

int lh_clean_number(struct lh_cleaning *cleaning, enum lh_sql which, int64_t *value,
                    struct lh_error *err) {
  struct lh_connection *connection = cleaning->tx->connection;
  sqlite3_stmt *statement = lh_connection_sql(connection, which, err);
  if (statement == NULL || lh_connection_row(connection, statement, err) <= 0) return err->code;
  if (sqlite3_column_type(statement, 0) != SQLITE_NULL) *value = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  return LH_OK;
}

/* A time in the future is wrong (the clock was ahead once) and says nothing about an age. */
int lh_clean_find_cut(struct lh_cleaning *cleaning, enum lh_sql low, enum lh_sql which, int *over,
                      struct lh_error *err) {
  struct lh_clean *clean = cleaning->clean;
  struct lh_connection *connection = cleaning->tx->connection;
  int64_t oldest_ms = clean->now_ms - clean->retention_ms;
  int row = 0, left = AGES_PER_STEP, young = 0;
  sqlite3_stmt *ages = lh_connection_sql(connection, which, err);
  int rc = clean->at == 0 ? lh_clean_number(cleaning, low, &clean->low, err) : LH_OK;
  if (ages == NULL || rc != LH_OK) return err->code;
  if (clean->at == 0) clean->at = clean->low - 1;
  sqlite3_bind_int64(ages, 1, clean->at);
  sqlite3_bind_int(ages, 2, left);
  while (left > 0 && !young && (row = lh_connection_row(connection, ages, err)) > 0) {
    int64_t stamped_ms = sqlite3_column_int64(ages, 1);
    young = stamped_ms > oldest_ms && stamped_ms <= clean->now_ms;
    if (!young) clean->at = sqlite3_column_int64(ages, 0);
    if (stamped_ms <= oldest_ms) clean->cut = clean->at;
    left--;
  }
  sqlite3_reset(ages);
  cleaning->rows -= (AGES_PER_STEP - left) / 10; /* they are only read */
  *over = young || row == 0;
  return row < 0 ? (int)err->code : LH_OK;
}

static int find_cut(struct lh_cleaning *cleaning, struct lh_error *err) {
  struct lh_clean *clean = cleaning->clean;
  int over = 0;
  int rc = lh_clean_find_cut(cleaning, LH_SQL_CLEAN_LOW, LH_SQL_CLEAN_AGES, &over, err);
  if (rc != LH_OK) return rc;
  clean->limited = !over && clean->at - clean->low >= CUT_MAX;
  if (!over && !clean->limited) return LH_OK;
  clean->at = 0;
  clean->phase = clean->cut > 0 ? LH_CLEAN_SWEEP : LH_CLEAN_FAILED;
  return LH_OK;
}

static int sweep(struct lh_cleaning *cleaning, struct lh_error *err) {
  struct lh_clean *clean = cleaning->clean;
  int more = 0;
  int rc = lh_sweep_next(cleaning, &more, err);
  if (rc != LH_OK || more) return rc;
  clean->floor = clean->cut; /* of a store without webhooks */
  rc = lh_clean_number(cleaning, LH_SQL_CLEAN_FLOOR, &clean->floor, err);
  if (clean->floor > clean->cut) clean->floor = clean->cut;
  clean->phase = LH_CLEAN_EVENTS;
  return rc;
}

/* The last position that one step may cut; 0: none is left. */
static int end_of_step(struct lh_cleaning *cleaning, int64_t *last, struct lh_error *err) {
  struct lh_connection *connection = cleaning->tx->connection;
  int64_t head, floor = cleaning->clean->floor;
  int row = 0;
  *last = 0;
  int rc = lh_tx_head(cleaning->tx, &head, err);
  sqlite3_stmt *sizes = lh_connection_sql(connection, LH_SQL_CLEAN_SIZES, err);
  if (rc != LH_OK || sizes == NULL) return rc != LH_OK ? rc : (int)err->code;
  sqlite3_bind_int64(sizes, 1, floor < head ? floor : head - 1); /* the newest one stays */
  sqlite3_bind_int(sizes, 2, LH_CLEAN_ROWS);
  while (cleaning->rows > 0 && cleaning->bytes > 0 &&
         (row = lh_connection_row(connection, sizes, err)) > 0) {
    *last = sqlite3_column_int64(sizes, 0);
    cleaning->bytes -= sqlite3_column_int64(sizes, 1);
    cleaning->rows--;
    cleaning->clean->events++;
  }
  sqlite3_reset(sizes);
  return row < 0 ? (int)err->code : LH_OK;
}

static int cut_events(struct lh_cleaning *cleaning, struct lh_error *err) {
  struct lh_clean *clean = cleaning->clean;
  int64_t last;
  int rc = end_of_step(cleaning, &last, err);
  if (rc != LH_OK) return rc;
  if (last == 0) { /* the rest of what is old comes in the next round, unless something holds it */
    int again = clean->limited && clean->floor == clean->cut;
    clean->phase = again ? LH_CLEAN_CUT : LH_CLEAN_FAILED;
    clean->cut = clean->at = 0;
    return LH_OK;
  }
  rc = lh_clean_run(cleaning, LH_SQL_CLEAN_KEYS, last, 0, err);
  return rc == LH_OK ? lh_clean_run(cleaning, LH_SQL_CLEAN_EVENTS, last, 0, err) : rc;
}

/* Deletes requests that a statement lists, with their attempts. */
static int delete_requests(struct lh_cleaning *cleaning, enum lh_sql which, int64_t until_ms,
                           struct lh_error *err) {
  struct {
    int64_t request, webhook;
    enum lh_state state;
  } some[LH_CLEAN_ROWS / 4];
  const int most = (int)(sizeof some / sizeof *some);
  struct lh_connection *connection = cleaning->tx->connection;
  sqlite3_stmt *list = lh_connection_sql(connection, which, err);
  int row = 0, count = 0, rc = LH_OK;
  if (list == NULL) return err->code;
  sqlite3_bind_int64(list, 1, until_ms);
  sqlite3_bind_int64(list, 2, cleaning->newest);
  sqlite3_bind_int(list, 3, most);
  for (; count < most && (row = lh_connection_row(connection, list, err)) > 0; count++) {
    some[count].request = sqlite3_column_int64(list, 0);
    some[count].webhook = sqlite3_column_int64(list, 1);
    some[count].state = (enum lh_state)sqlite3_column_int(list, 2);
  }
  sqlite3_reset(list);
  if (row < 0) return err->code;
  int deleted = 0;
  for (; deleted < count && rc == LH_OK && cleaning->bytes > 0; deleted++)
    rc = lh_clean_request(cleaning, some[deleted].request, some[deleted].webhook,
                          some[deleted].state, err);
  if (rc == LH_OK && deleted == count && count < most) cleaning->clean->phase++;
  return rc;
}

/* Few rows, or rows that cost next to nothing. */
static int delete_rest(struct lh_cleaning *cleaning, struct lh_error *err) {
  struct lh_clean *clean = cleaning->clean;
  sqlite3 *db = cleaning->tx->connection->db;
  int64_t until_ms = clean->now_ms - clean->failed_retention_ms;
  int before = sqlite3_total_changes(db);
  int rc = lh_clean_run(cleaning, LH_SQL_CLEAN_FIGURES, clean->now_ms - FIGURES_KEPT_MS,
                        LH_CLEAN_ROWS, err);
  if (rc == LH_OK) rc = lh_clean_run(cleaning, LH_SQL_CLEAN_NOTICES, until_ms, LH_CLEAN_ROWS, err);
  if (rc == LH_OK) rc = lh_clean_run(cleaning, LH_SQL_CLEAN_JOBS, until_ms, 0, err);
  if (rc == LH_OK) rc = lh_clean_run(cleaning, LH_SQL_CLEAN_HEADERS, LH_CLEAN_ROWS, 0, err);
  if (rc == LH_OK) rc = lh_access_clean(cleaning, err);
  int deleted = sqlite3_total_changes(db) - before;
  cleaning->rows -= deleted;
  if (deleted == 0) clean->phase = LH_CLEAN_WEBHOOKS;
  return rc;
}

/* One deleted webhook that nothing speaks of any more; an open job may come to any. */
static int delete_webhook(struct lh_cleaning *cleaning, struct lh_error *err) {
  static const enum lh_sql parts[] = {LH_SQL_GONE_SPANS,    LH_SQL_GONE_FIGURES,
                                      LH_SQL_GONE_MAILINGS, LH_SQL_GONE_DISPATCH,
                                      LH_SQL_GONE_JOBS,     LH_SQL_GONE_WEBHOOK};
  struct lh_clean *clean = cleaning->clean;
  struct lh_connection *connection = cleaning->tx->connection;
  sqlite3_stmt *gone = lh_connection_sql(connection, LH_SQL_CLEAN_GONE, err);
  int rc = LH_OK;
  if (gone == NULL) return err->code;
  sqlite3_bind_int64(gone, 1, clean->now_ms - clean->retention_ms);
  int row = lh_connection_row(connection, gone, err);
  if (row < 0) return err->code;
  int64_t webhook = row > 0 ? sqlite3_column_int64(gone, 0) : 0;
  if (row > 0) sqlite3_reset(gone);
  if (row == 0) {
    clean->phase = LH_CLEAN_INBOX_CUT;
    clean->at = clean->cut = 0;
  }
  if (webhook != 0) rc = lh_totals_close(connection, webhook, err);
  for (size_t i = 0; webhook != 0 && i < sizeof parts / sizeof *parts && rc == LH_OK; i++)
    rc = lh_clean_run(cleaning, parts[i], webhook, 0, err);
  cleaning->rows -= 10;
  return rc;
}

static int step(struct lh_cleaning *cleaning, struct lh_error *err) {
  const struct lh_clean *clean = cleaning->clean;
  switch ((enum lh_clean_phase)clean->phase) {
  case LH_CLEAN_CUT:
    return find_cut(cleaning, err);
  case LH_CLEAN_SWEEP:
    return sweep(cleaning, err);
  case LH_CLEAN_EVENTS:
    return cut_events(cleaning, err);
  case LH_CLEAN_FAILED:
    return delete_requests(cleaning, LH_SQL_CLEAN_FAILED,
                           clean->now_ms - clean->failed_retention_ms, err);
  case LH_CLEAN_KEPT:
    return delete_requests(cleaning, LH_SQL_CLEAN_KEPT, clean->now_ms - clean->retention_ms, err);
  case LH_CLEAN_REST:
    return delete_rest(cleaning, err);
  case LH_CLEAN_WEBHOOKS:
    return delete_webhook(cleaning, err);
  default:
    return lh_clean_inbox(cleaning, err);
  }
}

struct asked {
  struct lh_clean before; /* the transaction may be run again */
  struct lh_clean *clean;
};

static int clean_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct asked *asked = context;
  struct lh_clean *clean = asked->clean;
  *clean = asked->before;
  struct lh_cleaning cleaning = {
      .tx = tx, .clean = clean, .rows = LH_CLEAN_ROWS, .bytes = BYTES_PER_STEP};
  lh_dispatch_begin(tx);
  int rc = lh_clean_number(&cleaning, LH_SQL_REQUEST_NEWEST, &cleaning.newest, err);
  while (rc == LH_OK && cleaning.rows > 0 && cleaning.bytes > 0 && clean->phase != LH_CLEAN_DONE)
    rc = step(&cleaning, err);
  clean->more = clean->phase != LH_CLEAN_DONE;
  return rc == LH_OK ? lh_dispatch_save_all(tx, err) : rc;
}

int lh_sqlite_clean(struct lh_store *store, struct lh_clean *clean, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  struct asked asked = {*clean, clean};
  int rc = lh_committer_write(self->committer, clean_write, &asked, err);
  if (rc != LH_OK) *clean = asked.before;
  return rc;
}
