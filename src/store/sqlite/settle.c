/*
** Settling a webhook: what a pause, disable or delete stopped ends failed, a
** bounded number a turn and before anything of the webhook is leased. That is
** the requests of an older epoch, and the events that wait in fail spans. It
** needs no worker: the rows say what is left to do.
*/
#include <string.h>

#include "store/sqlite/turn.h"

#define SETTLED_PER_TURN 200 /* requests failed in one turn; bounds the lock */

/* 1 and the next request of an older epoch that waits, 0 none, -1 failure. */
static int next_stale(struct lh_tx *tx, const struct lh_dispatch *dispatch, int64_t *request,
                      struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_REQUEST_STALE, err);
  if (statement == NULL) return -1;
  sqlite3_bind_int64(statement, 1, dispatch->webhook);
  sqlite3_bind_int64(statement, 2, dispatch->epoch);
  int row = lh_connection_row(tx->connection, statement, err);
  if (row <= 0) return row;
  *request = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  return 1;
}

int lh_settle_request(struct lh_turning *turning, struct lh_dispatch *dispatch,
                      const struct lh_target_entry *entry, int64_t request, struct lh_error *err) {
  struct lh_request_hot row;
  struct lh_delivery_policy policy;
  const struct lh_input input = {LH_INPUT_STOP, 0, 0, 0};
  struct lh_stepped stepped = {&row, LH_EFFECT_NONE, turning->now_ms};
  int rc = lh_request_load(turning->tx, request, &row, err);
  if (rc != LH_OK) return rc;
  lh_request_policy(dispatch, entry, &policy);
  rc = lh_request_step(&row, &input, &policy, turning->now_ms, &stepped.effects, err);
  if (rc != LH_OK) return rc;
  if (!(stepped.effects & LH_EFFECT_FAILED))
    return lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged: request %lld does not end",
                        (long long)request);
  turning->turn->failed_unsent++;
  rc = lh_request_save(turning->tx, &row, err);
  return rc == LH_OK ? lh_record_effects(turning->tx, dispatch, entry, &stepped, err) : rc;
}

int lh_settle(struct lh_turning *turning, struct lh_dispatch *dispatch,
              struct lh_target_entry *entry, int *settled, struct lh_error *err) {
  int left = SETTLED_PER_TURN, found = 1, formed = 0, rc = LH_OK;
  int64_t request;
  for (; left > 0 && rc == LH_OK; left--) {
    found = next_stale(turning->tx, dispatch, &request, err);
    if (found < 0) return err->code;
    if (found == 0) break;
    rc = lh_settle_request(turning, dispatch, entry, request, err);
  }
  while (left > 0 && rc == LH_OK) {
    rc = lh_form_next(turning, dispatch, entry, LH_FORM_FAILED, &formed, err);
    if (formed != 1) break;
    left--;
  }
  *settled = left > 0;
  if (left == 0) dispatch->due_ms = turning->now_ms;
  /* Later events concern a paused webhook only: the others' are nobody's, or leased. */
  dispatch->asleep = left > 0 && dispatch->status == LH_STATUS_PAUSED;
  return rc;
}
