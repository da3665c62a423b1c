/*
** Serving one webhook in a turn: how many attempts it may have now, due
** retries first, then newly formed requests; and when to look at it again.
** Before that, what was stopped is settled (settle.c).
*/
#include <string.h>

#include "store/sqlite/turn.h"

#define ENDED_PER_TURN 200 /* requests that the gate fails in one turn; bounds the lock */

static void due_by(struct lh_dispatch *dispatch, int64_t at_ms) {
  if (at_ms < dispatch->due_ms) dispatch->due_ms = at_ms;
}

/* What the webhook itself allows, over all workers (design §3.4, §3.11). */
static int32_t own_slots(const struct lh_dispatch *dispatch, const struct lh_webhook *webhook,
                         int64_t now_ms) {
  int32_t most = webhook->ordered ? 1 : webhook->max_in_flight;
  if (dispatch->failing > 0) most = now_ms >= dispatch->next_start_ms ? 1 : 0;
  return most > dispatch->in_flight ? most - dispatch->in_flight : 0;
}

struct waiting {
  int64_t request;
  int64_t at_ms;
};

/*
** The first waiting request: of REQUEST_RETRYING by due time, of REQUEST_PENDING
** (given back before its first attempt) and REQUEST_OLDEST by number, for first
** attempts keep their order. 1 and its number and time, 0 none, -1 failure.
*/
static int first_waiting(struct lh_tx *tx, enum lh_sql which, const struct lh_dispatch *dispatch,
                         struct waiting *found, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, which, err);
  if (statement == NULL) return -1;
  sqlite3_bind_int64(statement, 1, dispatch->webhook);
  if (which == LH_SQL_REQUEST_RETRYING) sqlite3_bind_int64(statement, 2, dispatch->epoch);
  int row = lh_connection_row(tx->connection, statement, err);
  if (row <= 0) return row;
  *found = (struct waiting){sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1)};
  sqlite3_reset(statement);
  return 1;
}

/* No due time is later than this, unless the clock was set back since it was set. */
static int64_t latest_due_ms(const struct lh_webhook *webhook, int64_t now_ms) {
  int64_t latest_ms = now_ms + lh_webhook_longest_wait_ms(webhook) + LH_BACKOFF_MAX_MS;
  return latest_ms > webhook->waits_until_ms ? latest_ms : webhook->waits_until_ms;
}

/* If a time is too far off, all such requests of the webhook are given their wait anew. */
static int pull_in(struct lh_turning *turning, const struct lh_target_entry *entry,
                   enum lh_sql which, int64_t *at_ms, struct lh_error *err) {
  int64_t now_ms = turning->now_ms, latest_ms = latest_due_ms(&entry->target.webhook, now_ms);
  int64_t retry_ms = now_ms + (int64_t)entry->target.webhook.retry_interval_s * 1000;
  int64_t pending_ms = now_ms + lh_retry_backoff_ms(1, 0);
  if (*at_ms <= latest_ms) return LH_OK;
  sqlite3_stmt *all = lh_connection_sql(turning->tx->connection, LH_SQL_REQUESTS_PULL_IN, err);
  if (all == NULL) return err->code;
  sqlite3_bind_int64(all, 1, entry->webhook);
  sqlite3_bind_int64(all, 2, latest_ms);
  sqlite3_bind_int64(all, 3, retry_ms);
  sqlite3_bind_int64(all, 4, pending_ms);
  *at_ms = which == LH_SQL_REQUEST_PENDING ? pending_ms : retry_ms;
  return lh_connection_done(turning->tx->connection, all, err);
}

static int show_lease(struct lh_turning *turning, struct lh_dispatch *dispatch,
                      struct lh_target_entry *entry, const struct lh_request_hot *row,
                      struct lh_error *err) {
  struct lh_lease lease;
  int64_t bytes = LH_ENVELOPE_BYTES;
  memset(&lease, 0, sizeof lease);
  int rc = lh_form_replay(turning, row->request, &bytes, err);
  if (rc != LH_OK) return rc;
  lease.request = row->request;
  lease.request_id = row->request_id;
  lease.attempt = row->delivery.attempts_made;
  lease.count = row->count;
  lease.created_ms = row->created_ms;
  lease.target = &entry->target;
  return lh_form_hand_over(turning, dispatch, &lease, bytes, err);
}

/* Leases a waiting request, or fails it where the gate says so. */
static int lease_waiting(struct lh_turning *turning, struct lh_dispatch *dispatch,
                         struct lh_target_entry *entry, int64_t request, struct lh_error *err) {
  struct lh_request_hot row;
  struct lh_delivery_policy policy;
  const struct lh_input input = {LH_INPUT_LEASE, 0, 0, 0};
  int rc = lh_request_load(turning->tx, request, &row, err);
  if (rc != LH_OK) return rc;
  lh_request_policy(dispatch, entry, &policy);
  unsigned effects;
  rc = lh_request_step(&row, &input, &policy, turning->now_ms, &effects, err);
  if (rc != LH_OK) return rc;
  if (effects & LH_EFFECT_REFUSED)
    return lh_error_set(err, LH_E_STORE_DAMAGED, "request %lld cannot be stepped",
                        (long long)request);
  if (effects & LH_EFFECT_FAILED) turning->turn->failed_unsent++;
  if (effects & LH_EFFECT_SEND) {
    row.session = turning->turn->session;
    row.started_ms = turning->now_ms;
  }
  if ((effects & LH_EFFECT_SEND) && entry->target.webhook.ordered)
    dispatch->ordered_request = request;
  rc = lh_request_save(turning->tx, &row, err);
  const struct lh_stepped stepped = {&row, effects, turning->now_ms};
  if (rc == LH_OK) rc = lh_record_effects(turning->tx, dispatch, entry, &stepped, err);
  if (rc == LH_OK && (effects & LH_EFFECT_SEND))
    rc = show_lease(turning, dispatch, entry, &row, err);
  return rc;
}

/*
** Leases a waiting request if it is due. *state as first_waiting returned it:
** 1 becomes 2 if it waits for its time.
*/
static int serve_found(struct lh_turning *turning, struct lh_dispatch *dispatch,
                       struct lh_target_entry *entry, enum lh_sql which,
                       const struct waiting *found, struct lh_error *err) {
  int64_t at_ms = found->at_ms;
  if (at_ms <= turning->now_ms) return lease_waiting(turning, dispatch, entry, found->request, err);
  int rc = pull_in(turning, entry, which, &at_ms, err);
  due_by(dispatch, at_ms);
  return rc;
}

/*
** Of an ordered webhook: the one whose turn it is, be it that it waits for its own retry; else the
** oldest that waits (design §3a.15). As first_waiting.
*/
static int first_ordered(struct lh_tx *tx, struct lh_dispatch *dispatch, struct waiting *found,
                         struct lh_error *err) {
  struct lh_request_hot row;
  if (dispatch->ordered_request != 0) {
    int rc = lh_request_load(tx, dispatch->ordered_request, &row, err);
    if (rc != LH_OK && rc != LH_E_NOT_FOUND) return -1;
    if (rc == LH_OK && row.delivery.epoch == dispatch->epoch &&
        (row.delivery.state == LH_PENDING || row.delivery.state == LH_RETRYING)) {
      *found = (struct waiting){row.request, row.delivery.next_attempt_ms};
      return 1;
    }
    dispatch->ordered_request = 0;
  }
  return first_waiting(tx, LH_SQL_REQUEST_OLDEST, dispatch, found, err);
}

/* What was formed before, at most one lease. *state: 0 none waits, 1 leased, 2 it must wait. */
static int serve_waiting(struct lh_turning *turning, struct lh_dispatch *dispatch,
                         struct lh_target_entry *entry, int *state, struct lh_error *err) {
  static const enum lh_sql kinds[] = {LH_SQL_REQUEST_RETRYING, LH_SQL_REQUEST_PENDING};
  struct waiting found;
  int ordered = entry->target.webhook.ordered;
  *state = 0;
  for (int i = 0; i < (ordered ? 1 : 2); i++) {
    int row = ordered ? first_ordered(turning->tx, dispatch, &found, err)
                      : first_waiting(turning->tx, kinds[i], dispatch, &found, err);
    if (row < 0) return err->code;
    if (row == 0) continue;
    int due = found.at_ms <= turning->now_ms;
    int rc = serve_found(turning, dispatch, entry, kinds[i], &found, err);
    if (due || rc != LH_OK) *state = 1;
    if (due || rc != LH_OK) return rc;
    /* Order: what was given back goes before what is not formed yet (design §3a.9, §3a.15). */
    if (ordered || kinds[i] == LH_SQL_REQUEST_PENDING) *state = 2;
  }
  return LH_OK;
}

/* One lease at most. *more 0: nothing left to do now. */
static int serve_one(struct lh_turning *turning, struct lh_dispatch *dispatch,
                     struct lh_target_entry *entry, int *more, struct lh_error *err) {
  int state, formed = 0;
  int rc = serve_waiting(turning, dispatch, entry, &state, err);
  if (rc != LH_OK || state == 1) return rc;
  *more = 0;
  if (state == 2) return LH_OK;
  rc = lh_form_next(turning, dispatch, entry, LH_FORM_ANY, &formed, err);
  *more = formed == 1;
  dispatch->asleep = formed != 1; /* also while a part batch waits: new events may fill it */
  return rc;
}

static int serve_enabled(struct lh_turning *turning, struct lh_dispatch *dispatch,
                         struct lh_target_entry *entry, size_t slots_max, struct lh_error *err) {
  const struct lh_webhook *webhook = &entry->target.webhook;
  size_t floor = turning->slots > slots_max ? turning->slots - slots_max : 0;
  int more = 1, rc = LH_OK, left = ENDED_PER_TURN; /* requests that the gate fails take no slot */
  while (more && rc == LH_OK && dispatch->status == LH_STATUS_ENABLED) {
    if (own_slots(dispatch, webhook, turning->now_ms) == 0) {
      /* A result of its own brings it back; a back-off without one in flight needs the clock. */
      if (dispatch->failing > 0 && dispatch->in_flight == 0)
        due_by(dispatch, dispatch->next_start_ms);
      return LH_OK;
    }
    if (turning->slots <= floor || turning->bytes <= 0 || left == 0) {
      due_by(dispatch, turning->now_ms);
      turning->room_ran_out = 1;
      return LH_OK;
    }
    size_t before = turning->slots;
    rc = serve_one(turning, dispatch, entry, &more, err);
    if (turning->slots == before) left--;
  }
  return rc;
}

/* Further off than any back-off can be: the clock was set back. */
static void bound_next_start(struct lh_dispatch *dispatch, const struct lh_webhook *webhook,
                             int64_t now_ms) {
  int64_t longest_ms = LH_BACKOFF_MAX_MS;
  if (dispatch->failing > 0)
    longest_ms = lh_retry_backoff_ms(dispatch->failing, (int64_t)webhook->retry_interval_s * 1000);
  if (dispatch->next_start_ms > now_ms + longest_ms) dispatch->next_start_ms = now_ms + longest_ms;
}

/* A secret that does not decrypt pauses the webhook; the reason reaches its administrator. */
static int check_secret(struct lh_turning *turning, struct lh_dispatch *dispatch,
                        struct lh_target_entry **entry, struct lh_error *err) {
  int rc = lh_target_current(turning->tx, dispatch, turning->now_ms, entry, err);
  if (rc != LH_OK || dispatch->status != LH_STATUS_ENABLED || (*entry)->target.keys[0] != NULL)
    return rc;
  turning->turn->paused_unreadable++;
  rc = lh_status_pause(turning->tx, dispatch, "secret_unreadable", turning->now_ms, err);
  if (rc != LH_OK) return rc;
  return lh_target_get(turning->tx, dispatch->webhook, dispatch->revision, entry, err);
}

int lh_lease_serve(struct lh_turning *turning, struct lh_dispatch *dispatch, size_t slots_max,
                   struct lh_error *err) {
  struct lh_target_entry *entry;
  int settled;
  dispatch->served = 1;
  dispatch->dirty = 1;
  dispatch->due_ms = INT64_MAX;
  dispatch->asleep = 0;
  int rc = check_secret(turning, dispatch, &entry, err);
  if (rc == LH_OK) rc = lh_settle(turning, dispatch, entry, &settled, err);
  if (rc != LH_OK || !settled || dispatch->status != LH_STATUS_ENABLED) return rc;
  bound_next_start(dispatch, &entry->target.webhook, turning->now_ms);
  return serve_enabled(turning, dispatch, entry, slots_max, err);
}
