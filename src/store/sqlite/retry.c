/*
** Manual retry of failed requests (design §3.8, §3a.5): chosen ones, in one
** transaction. Retrying many is jobs.c's and job_step.c's business, request by
** request through lh_retry_request here.
*/
#include <stdio.h>
#include <string.h>

#include "store/sqlite/turn.h"

const char *lh_retry_outcome_name(enum lh_retry_outcome outcome) {
  static const char *const names[] = {"retried", "not_failed", "refused", "unknown"};
  return names[outcome];
}

/* The id and not the name in the command: it needs neither quoting nor an account. */
void lh_retry_refusal(enum lh_status status, const char *name, const struct lh_id *id,
                      char message[LH_RETRY_MESSAGE_MAX]) {
  char text[LH_ID_LEN + 1];
  lh_id_format(id, text);
  message[0] = '\0';
  if (status == LH_STATUS_DELETED)
    snprintf(message, LH_RETRY_MESSAGE_MAX,
             "webhook '%s' is deleted: its requests can be read, not retried", name);
  else if (status != LH_STATUS_ENABLED)
    snprintf(message, LH_RETRY_MESSAGE_MAX,
             "webhook '%s' is %s: enable it first (loyalhook webhook enable %s)", name,
             lh_status_name(status), text);
}

int lh_retry_request(struct lh_turning *turning, int64_t request, int *retried,
                     struct lh_error *err) {
  struct lh_request_hot row;
  struct lh_target_entry *entry;
  struct lh_delivery_policy policy;
  const struct lh_input input = {LH_INPUT_RETRY, 0, 0, 0};
  struct lh_stepped stepped = {&row, LH_EFFECT_NONE, turning->now_ms};
  *retried = 0;
  int rc = lh_request_load(turning->tx, request, &row, err);
  if (rc != LH_OK) return rc;
  struct lh_dispatch *dispatch = lh_dispatch_get(turning->tx, row.webhook, err);
  if (dispatch == NULL) return err->code;
  rc = lh_target_get(turning->tx, row.webhook, dispatch->revision, &entry, err);
  if (rc != LH_OK) return rc;
  lh_request_policy(dispatch, entry, &policy);
  rc = lh_request_step(&row, &input, &policy, turning->now_ms, &stepped.effects, err);
  if (rc != LH_OK || (stepped.effects & LH_EFFECT_REFUSED)) return rc;
  *retried = 1;
  row.given_back = 0;
  dispatch->dirty = 1;
  dispatch->asleep = 0;
  if (dispatch->due_ms > turning->now_ms) dispatch->due_ms = turning->now_ms;
  rc = lh_request_save(turning->tx, &row, err);
  return rc == LH_OK ? lh_record_effects(turning->tx, dispatch, entry, &stepped, err) : rc;
}

/* 1 and its number, 0 there is none, -1 failure. */
static int find(struct lh_tx *tx, const struct lh_id *request_id, int64_t *request,
                struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_REQUEST_NUMBER, err);
  if (statement == NULL) return -1;
  sqlite3_bind_blob(statement, 1, request_id->bytes, LH_ID_BYTES, SQLITE_STATIC);
  int row = lh_connection_row(tx->connection, statement, err);
  if (row <= 0) return row;
  *request = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  return 1;
}

static int retry_one(struct lh_turning *turning, struct lh_retry *retry, int64_t account,
                     struct lh_error *err) {
  struct lh_request_hot row;
  struct lh_target_entry *entry;
  int64_t request;
  int retried = 0, found = find(turning->tx, &retry->request_id, &request, err);
  retry->message[0] = '\0';
  retry->outcome = LH_RETRY_UNKNOWN;
  if (found <= 0) return found < 0 ? (int)err->code : LH_OK;
  int rc = lh_request_load(turning->tx, request, &row, err);
  if (rc != LH_OK) return rc;
  struct lh_dispatch *dispatch = lh_dispatch_get(turning->tx, row.webhook, err);
  if (dispatch == NULL) return err->code;
  if (account != 0 && dispatch->account != account) return LH_OK;
  /* Stopped by a pause, disable or delete, and only its row does not say so yet. */
  int stale = row.delivery.epoch < dispatch->epoch &&
              (row.delivery.state == LH_PENDING || row.delivery.state == LH_RETRYING);
  retry->outcome = LH_RETRY_NOT_FAILED;
  if (row.delivery.state != LH_FAILED && !stale) return LH_OK;
  rc = lh_target_get(turning->tx, row.webhook, dispatch->revision, &entry, err);
  if (rc != LH_OK) return rc;
  const struct lh_webhook *webhook = &entry->target.webhook;
  lh_retry_refusal(dispatch->status, webhook->name, &webhook->id, retry->message);
  retry->outcome = LH_RETRY_REFUSED;
  if (retry->message[0] != '\0') return LH_OK;
  if (stale) rc = lh_settle_request(turning, dispatch, entry, request, err);
  if (rc == LH_OK) rc = lh_retry_request(turning, request, &retried, err);
  retry->outcome = retried ? LH_RETRY_RETRIED : LH_RETRY_NOT_FAILED;
  if (retried) turning->tx->wake = 1;
  return rc;
}

struct retrying {
  const struct lh_retry_chosen *chosen;
  int64_t now_ms;
};

/* *account: its number, -1 (which nothing has) if there is none of that name, 0 for any. */
static int find_account(struct lh_tx *tx, const char *name, int64_t *account,
                        struct lh_error *err) {
  *account = 0;
  if (name == NULL) return LH_OK;
  sqlite3_stmt *find_it = lh_connection_sql(tx->connection, LH_SQL_ACCOUNT_FIND, err);
  if (find_it == NULL) return err->code;
  sqlite3_bind_text(find_it, 1, name, -1, SQLITE_STATIC);
  int row = lh_connection_row(tx->connection, find_it, err);
  if (row < 0) return err->code;
  *account = row > 0 ? sqlite3_column_int64(find_it, 0) : -1;
  if (row > 0) sqlite3_reset(find_it);
  return LH_OK;
}

static int note(struct lh_tx *tx, const struct retrying *retrying, struct lh_error *err) {
  const struct lh_retry_chosen *chosen = retrying->chosen;
  const struct lh_audit audit = {.what = "request.retry", .account = chosen->account};
  struct lh_audit_counts counts = {.asked = chosen->count};
  for (size_t i = 0; i < chosen->count; i++)
    counts.retried += chosen->retries[i].outcome == LH_RETRY_RETRIED;
  return lh_audit_note_retry(tx, chosen->actor, &audit, counts, retrying->now_ms, err);
}

static int retry_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  const struct retrying *retrying = context;
  const struct lh_retry_chosen *chosen = retrying->chosen;
  struct lh_turn turn = {.now_ms = retrying->now_ms};
  struct lh_turning turning;
  int64_t account;
  int rc = lh_turning_begin(&turning, tx, &turn, err);
  if (rc == LH_OK) rc = find_account(tx, chosen->account, &account, err);
  for (size_t i = 0; i < chosen->count && rc == LH_OK; i++)
    rc = retry_one(&turning, &chosen->retries[i], account, err);
  if (rc == LH_OK) rc = lh_dispatch_save_all(tx, err);
  return rc == LH_OK ? note(tx, retrying, err) : rc;
}

int lh_sqlite_retry(struct lh_store *store, const struct lh_retry_chosen *chosen, int64_t now_ms,
                    struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  if (chosen->count < 1 || chosen->count > LH_RETRY_MANY_MAX)
    return lh_error_set(err, LH_E_LIMIT, "retry: %zu requests at once, 1 to %d can be",
                        chosen->count, LH_RETRY_MANY_MAX);
  struct retrying retrying = {chosen, now_ms};
  return lh_committer_write(self->committer, retry_write, &retrying, err);
}
