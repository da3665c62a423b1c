/* One row of requests, loaded, stepped by core/delivery.h elsewhere, and saved. */
#include <string.h>

#include "store/sqlite/turn.h"

static int64_t or_zero(sqlite3_stmt *statement, int column) {
  return sqlite3_column_int64(statement, column); /* NULL reads as 0 */
}

int lh_request_load(struct lh_tx *tx, int64_t request, struct lh_request_hot *row,
                    struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_REQUEST_GET, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, request);
  int found = lh_connection_row(tx->connection, statement, err);
  if (found < 0) return err->code;
  if (found == 0)
    return lh_error_set(err, LH_E_NOT_FOUND, "request %lld is gone", (long long)request);
  memset(row, 0, sizeof *row);
  row->request = request;
  memcpy(row->request_id.bytes, sqlite3_column_blob(statement, 0), LH_ID_BYTES);
  row->webhook = sqlite3_column_int64(statement, 1);
  row->stored = row->delivery.state = (enum lh_state)sqlite3_column_int(statement, 2);
  row->delivery.reason = (enum lh_reason)sqlite3_column_int(statement, 3);
  row->delivery.epoch = sqlite3_column_int64(statement, 4);
  row->delivery.attempts_made = sqlite3_column_int(statement, 5);
  row->delivery.budget_start = sqlite3_column_int(statement, 6);
  row->delivery.next_attempt_ms = or_zero(statement, 7);
  row->delivery.finished_ms = or_zero(statement, 8);
  row->count = sqlite3_column_int(statement, 9);
  row->session = or_zero(statement, 10);
  row->started_ms = or_zero(statement, 11);
  row->given_back = sqlite3_column_int(statement, 12);
  row->created_ms = sqlite3_column_int64(statement, 13);
  row->emitted_ms = sqlite3_column_int64(statement, 14);
  sqlite3_reset(statement);
  return LH_OK;
}

/* Counts where a request came from and went to; its end goes into the figures too. */
static int count(struct lh_tx *tx, struct lh_dispatch *dispatch, const struct lh_request_hot *row,
                 struct lh_error *err) {
  const struct lh_delivery *delivery = &row->delivery;
  lh_dispatch_count(dispatch, (int)row->stored, (int)delivery->state);
  if (delivery->state != LH_DELIVERED && delivery->state != LH_FAILED) return LH_OK;
  struct lh_figures *figures = lh_dispatch_figures(tx, dispatch, delivery->finished_ms, err);
  if (figures == NULL) return err->code;
  if (delivery->state == LH_FAILED) {
    figures->failed++;
    return LH_OK;
  }
  figures->delivered++;
  figures->delivered_events += row->count;
  lh_lengths_add(&figures->delivery, delivery->finished_ms - row->emitted_ms);
  return LH_OK;
}

static void bind_if(sqlite3_stmt *statement, int column, int present, int64_t value) {
  if (present)
    sqlite3_bind_int64(statement, column, value);
  else
    sqlite3_bind_null(statement, column);
}

int lh_request_save(struct lh_tx *tx, struct lh_request_hot *row, struct lh_error *err) {
  const struct lh_delivery *delivery = &row->delivery;
  int waits = delivery->state == LH_PENDING || delivery->state == LH_RETRYING;
  int sends = delivery->state == LH_SENDING;
  int ended = delivery->state == LH_DELIVERED || delivery->state == LH_FAILED;
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_REQUEST_SAVE, err);
  struct lh_dispatch *dispatch = lh_dispatch_get(tx, row->webhook, err);
  if (statement == NULL || dispatch == NULL) return err->code;
  if (delivery->state != row->stored && count(tx, dispatch, row, err) != LH_OK) return err->code;
  row->stored = delivery->state;
  sqlite3_bind_int64(statement, 1, row->request);
  sqlite3_bind_int(statement, 2, (int)delivery->state);
  sqlite3_bind_int(statement, 3, (int)delivery->reason);
  sqlite3_bind_int64(statement, 4, delivery->epoch);
  sqlite3_bind_int(statement, 5, delivery->attempts_made);
  sqlite3_bind_int(statement, 6, delivery->budget_start);
  bind_if(statement, 7, waits, delivery->next_attempt_ms);
  bind_if(statement, 8, ended, delivery->finished_ms);
  bind_if(statement, 9, sends, row->session);
  bind_if(statement, 10, sends, row->started_ms);
  sqlite3_bind_int(statement, 11, row->given_back);
  return lh_connection_done(tx->connection, statement, err);
}

void lh_request_policy(const struct lh_dispatch *dispatch, const struct lh_target_entry *entry,
                       struct lh_delivery_policy *policy) {
  const struct lh_webhook *webhook = &entry->target.webhook;
  memset(policy, 0, sizeof *policy);
  policy->status = dispatch->status;
  policy->epoch = dispatch->epoch;
  policy->epoch_reason = dispatch->epoch_reason;
  policy->retry.retries_max = webhook->retries_max;
  policy->retry.interval_ms = (int64_t)webhook->retry_interval_s * 1000;
  policy->retry.schedule_s = entry->schedule_count > 0 ? entry->schedule : NULL;
  policy->retry.schedule_count = entry->schedule_count;
}

int lh_request_step(struct lh_request_hot *row, const struct lh_input *input,
                    const struct lh_delivery_policy *policy, int64_t now_ms, unsigned *effects,
                    struct lh_error *err) {
  struct lh_error why;
  if (lh_delivery_check(&row->delivery, input, policy, &why) != LH_OK)
    return lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged: request %lld: %s",
                        (long long)row->request, why.message);
  *effects = lh_delivery_step(&row->delivery, input, policy, now_ms);
  return LH_OK;
}
