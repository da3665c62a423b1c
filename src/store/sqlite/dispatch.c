/*
** The hot row of a webhook: what changes while it works. A turn loads each
** row once, changes it in memory and saves it once at the end.
*/
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/turn.h"

void lh_dispatch_begin(struct lh_tx *tx) {
  tx->committer->dispatch_count = 0;
}

static int grow(struct lh_committer *committer, struct lh_error *err) {
  size_t cap = committer->dispatch_cap == 0 ? 32 : 2 * committer->dispatch_cap;
  struct lh_dispatch *rows = realloc(committer->dispatches, cap * sizeof *rows);
  if (rows == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  committer->dispatches = rows;
  committer->dispatch_cap = cap;
  return LH_OK;
}

static int load(struct lh_tx *tx, int64_t webhook, struct lh_dispatch *row, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_DISPATCH_GET, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, webhook);
  int found = lh_connection_row(tx->connection, statement, err);
  if (found < 0) return err->code;
  if (found == 0)
    return lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged: webhook %lld has no state",
                        (long long)webhook);
  memset(row, 0, sizeof *row);
  row->webhook = webhook;
  row->account = sqlite3_column_int64(statement, 0);
  row->status = (enum lh_status)sqlite3_column_int(statement, 1);
  row->epoch = sqlite3_column_int64(statement, 2);
  row->epoch_reason = (enum lh_reason)sqlite3_column_int(statement, 3);
  row->revision = sqlite3_column_int64(statement, 4);
  row->cursor = sqlite3_column_int64(statement, 5);
  row->in_flight = sqlite3_column_int(statement, 6);
  row->failing = sqlite3_column_int(statement, 7);
  row->next_start_ms = sqlite3_column_int64(statement, 8);
  row->failed_in_a_row = sqlite3_column_int(statement, 9);
  row->due_ms = sqlite3_column_type(statement, 10) == SQLITE_NULL
                    ? INT64_MAX
                    : sqlite3_column_int64(statement, 10);
  row->asleep = sqlite3_column_int(statement, 11);
  row->ordered_request = sqlite3_column_int64(statement, 12);
  row->requests[LH_PENDING] = sqlite3_column_int64(statement, 13);
  row->requests[LH_RETRYING] = sqlite3_column_int64(statement, 14);
  row->requests[LH_DELIVERED] = sqlite3_column_int64(statement, 15);
  row->requests[LH_FAILED] = sqlite3_column_int64(statement, 16);
  row->attempts = sqlite3_column_int64(statement, 17);
  row->figures_ms = sqlite3_column_int64(statement, 18);
  (void)lh_figures_decode(sqlite3_column_blob(statement, 19),
                          (size_t)sqlite3_column_bytes(statement, 19), &row->figures);
  row->last_delivered_ms = sqlite3_column_int64(statement, 20);
  sqlite3_reset(statement);
  return LH_OK;
}

struct lh_dispatch *lh_dispatch_get(struct lh_tx *tx, int64_t webhook, struct lh_error *err) {
  struct lh_committer *committer = tx->committer;
  for (size_t i = 0; i < committer->dispatch_count; i++)
    if (committer->dispatches[i].webhook == webhook) return &committer->dispatches[i];
  if (committer->dispatch_count == committer->dispatch_cap && grow(committer, err) != LH_OK)
    return NULL;
  struct lh_dispatch *row = &committer->dispatches[committer->dispatch_count];
  if (load(tx, webhook, row, err) != LH_OK) return NULL;
  committer->dispatch_count++;
  return row;
}

void lh_dispatch_count(struct lh_dispatch *dispatch, int from, int to) {
  if (from >= 0) dispatch->requests[from]--;
  if (to >= 0) dispatch->requests[to]++;
  dispatch->dirty = 1;
}

static int save(struct lh_tx *tx, const struct lh_dispatch *row, struct lh_error *err) {
  unsigned char figures[LH_FIGURES_BYTES_MAX];
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_DISPATCH_SAVE, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, row->webhook);
  sqlite3_bind_int(statement, 2, (int)row->status);
  sqlite3_bind_int64(statement, 3, row->revision);
  sqlite3_bind_int64(statement, 4, row->cursor);
  sqlite3_bind_int(statement, 5, row->in_flight);
  sqlite3_bind_int(statement, 6, row->failing);
  sqlite3_bind_int64(statement, 7, row->next_start_ms);
  sqlite3_bind_int(statement, 8, row->failed_in_a_row);
  if (row->due_ms == INT64_MAX)
    sqlite3_bind_null(statement, 9);
  else
    sqlite3_bind_int64(statement, 9, row->due_ms);
  sqlite3_bind_int(statement, 10, row->asleep);
  if (row->ordered_request == 0)
    sqlite3_bind_null(statement, 11);
  else
    sqlite3_bind_int64(statement, 11, row->ordered_request);
  sqlite3_bind_int64(statement, 12, row->requests[LH_PENDING]);
  sqlite3_bind_int64(statement, 13, row->requests[LH_RETRYING]);
  sqlite3_bind_int64(statement, 14, row->requests[LH_DELIVERED]);
  sqlite3_bind_int64(statement, 15, row->requests[LH_FAILED]);
  sqlite3_bind_int64(statement, 16, row->attempts);
  sqlite3_bind_int64(statement, 17, row->figures_ms);
  sqlite3_bind_blob64(statement, 18, figures, lh_figures_encode(&row->figures, figures),
                      SQLITE_STATIC);
  sqlite3_bind_int64(statement, 19, row->last_delivered_ms);
  return lh_connection_done(tx->connection, statement, err);
}

int lh_dispatch_save_all(struct lh_tx *tx, struct lh_error *err) {
  struct lh_committer *committer = tx->committer;
  int rc = LH_OK;
  for (size_t i = 0; i < committer->dispatch_count && rc == LH_OK; i++) {
    const struct lh_dispatch *row = &committer->dispatches[i];
    if (row->dirty) rc = save(tx, row, err);
    if (rc == LH_OK && row->noticed_ms > 0) rc = lh_mailing_note(tx, row, err);
  }
  committer->dispatch_count = 0;
  return rc;
}
