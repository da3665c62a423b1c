/*
** Forming: the next matching events of a webhook become a request, in the
** transaction that moves its cursor. The search walks the log itself first,
** which is best where most events match, and turns to the index of (account,
** type) when it has passed over too much, so that neither a rare subscription
** nor a log shared by many accounts is ever scanned.
*/
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/kept.h"
#include "store/sqlite/turn.h"

#define PASSED_OVER_MAX 24      /* events of others read before the index takes over */
#define PASSED_OVER_PER_MATCH 4 /* more of them where matches are not rare: a seek costs as much */

/* Where the search stands. */
struct search {
  struct lh_turning *turning;
  const struct lh_target_entry *entry;
  const struct lh_span *span;
  int64_t position; /* last one looked at */
  int64_t last;     /* of the span, and of the log */
  int passed_over;
  int matches; /* of the walk */
  int by_index;
  int64_t
      next_of_type[LH_EVENT_TYPES_MAX]; /* by index: next position of each type, INT64_MAX none */
};

/* The request that is being formed. */
struct forming {
  struct lh_batch batch;
  int64_t first, last;
  int64_t first_created_ms;
  int overflowed; /* an event was found that did not fit any more */
};

static int takes(const struct search *search, int64_t account, int64_t type) {
  if (account != search->entry->account) return 0;
  size_t low = 0, high = search->span->type_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (search->span->types[middle] < type)
      low = middle + 1;
    else
      high = middle;
  }
  return low < search->span->type_count && search->span->types[low] == type;
}

/*
** Walks the log. 1 a match (the statement stands on it), 0 none left, -1 failure; by_index is set
** if it gives up.
*/
static int walk(struct search *search, sqlite3_stmt *statement, struct lh_error *err) {
  for (;;) {
    int row = lh_connection_row(search->turning->tx->connection, statement, err);
    if (row <= 0) return row;
    int64_t position = sqlite3_column_int64(statement, 0);
    if (position > search->last) return 0;
    search->position = position;
    if (takes(search, sqlite3_column_int64(statement, 1), sqlite3_column_int64(statement, 2))) {
      search->matches++;
      return 1;
    }
    if (++search->passed_over > PASSED_OVER_MAX + PASSED_OVER_PER_MATCH * search->matches) {
      search->by_index = 1;
      return 0;
    }
  }
}

static int seek_type(struct search *search, size_t which, struct lh_error *err) {
  struct lh_connection *connection = search->turning->tx->connection;
  sqlite3_stmt *statement = lh_connection_sql(connection, LH_SQL_EVENT_NEXT_OF_TYPE, err);
  if (statement == NULL) return -1;
  sqlite3_bind_int64(statement, 1, search->entry->account);
  sqlite3_bind_int64(statement, 2, search->span->types[which]);
  sqlite3_bind_int64(statement, 3, search->position);
  int row = lh_connection_row(connection, statement, err);
  if (row < 0) return -1;
  search->next_of_type[which] = row > 0 ? sqlite3_column_int64(statement, 0) : INT64_MAX;
  sqlite3_reset(statement);
  return 0;
}

/* Position of the next match by the index; 0 none left, -1 failure. */
static int64_t next_by_index(struct search *search, struct lh_error *err) {
  int64_t position = INT64_MAX;
  for (size_t i = 0; i < search->span->type_count; i++) {
    if (search->next_of_type[i] <= search->position && seek_type(search, i, err) < 0) return -1;
    if (search->next_of_type[i] < position) position = search->next_of_type[i];
  }
  if (position > search->last) return 0;
  search->position = position;
  return position;
}

static int show(struct lh_turning *turning, sqlite3_stmt *statement, struct lh_error *err) {
  struct lh_event event;
  memset(&event, 0, sizeof event);
  const struct lh_stored_type *type =
      lh_tx_type_name(turning->tx, sqlite3_column_int64(statement, 2), err);
  if (type == NULL) return err->code;
  event.position = sqlite3_column_int64(statement, 0);
  memcpy(event.id.bytes, sqlite3_column_blob(statement, 3), LH_ID_BYTES);
  event.event_type = type->name;
  event.data = sqlite3_column_blob(statement, 4);
  event.data_len = (size_t)sqlite3_column_bytes(statement, 4);
  event.created_ms = sqlite3_column_int64(statement, 5);
  if (event.data == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  int code = turning->turn->visitor->event(turning->turn->visitor->self, &event);
  return code == 0 ? LH_OK : lh_error_set(err, (enum lh_code)code, "worker is out of memory");
}

static int note_position(struct lh_committer *committer, struct forming *forming, int64_t position,
                         struct lh_error *err) {
  if (committer->list_len + 10 > committer->list_cap) {
    size_t cap = committer->list_cap == 0 ? 1024 : 2 * committer->list_cap;
    unsigned char *list = realloc(committer->list, cap);
    if (list == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
    committer->list = list;
    committer->list_cap = cap;
  }
  if (forming->batch.count == 1)
    forming->first = position;
  else
    committer->list_len +=
        lh_batch_list_put(committer->list + committer->list_len, forming->last, position);
  forming->last = position;
  return LH_OK;
}

/* Adds the event the statement stands on. 1 taken, 0 it belongs to the next request, -1 failure. */
static int take(struct search *search, struct forming *forming, sqlite3_stmt *statement,
                int visible, struct lh_error *err) {
  struct lh_turning *turning = search->turning;
  const struct lh_stored_type *type =
      lh_tx_type_name(turning->tx, sqlite3_column_int64(statement, 2), err);
  if (type == NULL) return -1;
  int first = forming->batch.count == 0;
  if (!lh_batch_add(&forming->batch, strlen(type->name),
                    (size_t)sqlite3_column_bytes(statement, 4))) {
    forming->overflowed = 1;
    return 0;
  }
  if (first) forming->first_created_ms = sqlite3_column_int64(statement, 5);
  if (note_position(turning->tx->committer, forming, search->position, err) != LH_OK) return -1;
  if (!visible) return 1;
  if (first && turning->turn->visitor->begin(turning->turn->visitor->self) != 0) {
    lh_error_set(err, LH_E_MEMORY, "worker is out of memory");
    return -1;
  }
  return show(turning, statement, err) == LH_OK ? 1 : -1;
}

static int gather_by_walk(struct search *search, struct forming *forming, int visible,
                          struct lh_error *err) {
  struct lh_connection *connection = search->turning->tx->connection;
  sqlite3_stmt *statement = lh_connection_sql(connection, LH_SQL_EVENTS_FROM, err);
  if (statement == NULL) return -1;
  sqlite3_bind_int64(statement, 1, search->position);
  int found = 0;
  while (!lh_batch_full(&forming->batch) && (found = walk(search, statement, err)) > 0) {
    found = take(search, forming, statement, visible, err);
    if (found <= 0) break;
  }
  sqlite3_reset(statement);
  return found;
}

static int gather_by_index(struct search *search, struct forming *forming, int visible,
                           struct lh_error *err) {
  struct lh_connection *connection = search->turning->tx->connection;
  sqlite3_stmt *statement = lh_connection_sql(connection, LH_SQL_EVENT_BY_POSITION, err);
  if (statement == NULL) return -1;
  memset(search->next_of_type, 0, search->span->type_count * sizeof search->next_of_type[0]);
  int found = 0;
  while (!lh_batch_full(&forming->batch)) {
    int64_t position = next_by_index(search, err);
    if (position <= 0) return (int)position;
    sqlite3_bind_int64(statement, 1, position);
    found = lh_connection_row(connection, statement, err);
    if (found > 0) found = take(search, forming, statement, visible, err);
    sqlite3_reset(statement);
    if (found <= 0) break;
  }
  return found;
}

/* Collects events into `forming`. LH_OK or the error. */
static int gather(struct search *search, struct forming *forming, int visible,
                  struct lh_error *err) {
  const struct lh_webhook *webhook = &search->entry->target.webhook;
  lh_batch_init(&forming->batch, webhook->batch_size, webhook->batch_bytes_max);
  search->turning->tx->committer->list_len = 0;
  int found = gather_by_walk(search, forming, visible, err);
  if (found >= 0 && search->by_index && !lh_batch_full(&forming->batch))
    found = gather_by_index(search, forming, visible, err);
  return found < 0 ? (int)err->code : LH_OK;
}

static const struct lh_span *span_at(const struct lh_target_entry *entry, int64_t position,
                                     int64_t *next_from) {
  const struct lh_span *span = NULL;
  *next_from = INT64_MAX;
  for (size_t i = 0; i < entry->span_count; i++) {
    if (entry->spans[i].from <= position)
      span = &entry->spans[i];
    else if (*next_from == INT64_MAX)
      *next_from = entry->spans[i].from;
  }
  return span;
}

static void bind_state(sqlite3_stmt *statement, const struct lh_delivery *delivery, int64_t session,
                       int64_t now_ms) {
  int sends = delivery->state == LH_SENDING;
  sqlite3_bind_int(statement, 3, (int)delivery->state);
  sqlite3_bind_int(statement, 4, (int)delivery->reason);
  sqlite3_bind_int64(statement, 5, delivery->epoch);
  sqlite3_bind_int(statement, 6, delivery->attempts_made);
  sqlite3_bind_null(statement, 7);
  if (sends)
    sqlite3_bind_null(statement, 8);
  else
    sqlite3_bind_int64(statement, 8, delivery->finished_ms);
  if (sends) {
    sqlite3_bind_int64(statement, 9, session);
    sqlite3_bind_int64(statement, 10, now_ms);
  } else {
    sqlite3_bind_null(statement, 9);
    sqlite3_bind_null(statement, 10);
  }
}

static int insert(struct lh_turning *turning, struct lh_dispatch *dispatch,
                  const struct forming *forming, const struct lh_delivery *delivery,
                  struct lh_lease *lease, struct lh_error *err) {
  struct lh_tx *tx = turning->tx;
  struct lh_committer *committer = tx->committer;
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_REQUEST_ADD, err);
  if (statement == NULL) return err->code;
  int rc = lh_tx_id(tx, turning->now_ms, &lease->request_id, err);
  if (rc != LH_OK) return rc;
  sqlite3_bind_blob(statement, 1, lease->request_id.bytes, LH_ID_BYTES, SQLITE_STATIC);
  sqlite3_bind_int64(statement, 2, dispatch->webhook);
  bind_state(statement, delivery, turning->turn->session, turning->now_ms);
  sqlite3_bind_int(statement, 11, forming->batch.count);
  sqlite3_bind_int64(statement, 12, forming->first);
  sqlite3_bind_int64(statement, 13, forming->last);
  if (committer->list_len > 0)
    sqlite3_bind_blob64(statement, 14, committer->list, committer->list_len, SQLITE_STATIC);
  else
    sqlite3_bind_zeroblob(statement, 14, 0);
  sqlite3_bind_int64(statement, 15, turning->now_ms);
  sqlite3_bind_int64(statement, 16, forming->first_created_ms);
  rc = lh_connection_done(tx->connection, statement, err);
  lease->request = sqlite3_last_insert_rowid(tx->connection->db);
  lh_dispatch_count(dispatch, -1, (int)delivery->state);
  return rc;
}

int lh_form_hand_over(struct lh_turning *turning, struct lh_dispatch *dispatch,
                      const struct lh_lease *lease, int64_t bytes, struct lh_error *err) {
  int code = turning->turn->visitor->end(turning->turn->visitor->self, lease);
  if (code != 0) return lh_error_set(err, (enum lh_code)code, "worker is out of memory");
  dispatch->in_flight++;
  turning->turn->leased++;
  turning->slots--;
  turning->bytes -= bytes;
  return LH_OK;
}

/* Forms a request in a deliver span and leases it at once. */
static int form_lease(struct lh_turning *turning, struct lh_dispatch *dispatch,
                      struct lh_target_entry *entry, const struct forming *forming,
                      struct lh_error *err) {
  struct lh_delivery delivery;
  struct lh_delivery_policy policy;
  struct lh_input input = {LH_INPUT_LEASE, 0, 0, 0};
  struct lh_lease lease;
  memset(&delivery, 0, sizeof delivery);
  memset(&lease, 0, sizeof lease);
  delivery.epoch = dispatch->epoch;
  lh_request_policy(dispatch, entry, &policy);
  unsigned effects = lh_delivery_step(&delivery, &input, &policy, turning->now_ms);
  assert(effects & LH_EFFECT_SEND);
  (void)effects;
  int rc = insert(turning, dispatch, forming, &delivery, &lease, err);
  if (rc != LH_OK) return rc;
  lease.attempt = delivery.attempts_made;
  lease.count = forming->batch.count;
  lease.created_ms = turning->now_ms;
  lease.target = &entry->target;
  if (entry->target.webhook.ordered) dispatch->ordered_request = lease.request;
  return lh_form_hand_over(turning, dispatch, &lease, forming->batch.bytes, err);
}

/* Forms a request in a fail span: failed from the start, no attempt. */
static int form_failed(struct lh_turning *turning, struct lh_dispatch *dispatch,
                       const struct lh_span *span, const struct forming *forming,
                       struct lh_error *err) {
  struct lh_delivery delivery;
  struct lh_lease lease;
  memset(&delivery, 0, sizeof delivery);
  memset(&lease, 0, sizeof lease);
  delivery.state = LH_FAILED;
  delivery.reason = span->reason;
  delivery.epoch = dispatch->epoch;
  delivery.finished_ms = turning->now_ms;
  int rc = insert(turning, dispatch, forming, &delivery, &lease, err);
  if (rc != LH_OK) return rc;
  struct lh_figures *figures = lh_dispatch_figures(turning->tx, dispatch, turning->now_ms, err);
  if (figures == NULL) return err->code;
  figures->failed++;
  return lh_notice_failed(turning->tx, dispatch, lease.request, span->reason, turning->now_ms, err);
}

/*
** batch_wait_ms, or the minute of a fail span: is what waits worth a request yet? *until says when
** it will be.
*/
static int must_wait(struct search *search, struct lh_dispatch *dispatch, int64_t *until,
                     struct lh_error *err) {
  struct forming probe;
  const struct lh_webhook *webhook = &search->entry->target.webhook;
  int64_t now_ms = search->turning->now_ms;
  int failing_span = search->span->mode == LH_SPAN_FAIL;
  *until = 0;
  if (search->turning->turn->form_all) return 0;
  /* Nothing more will come to what an ended pause, a disable or a delete left behind. */
  if (failing_span && dispatch->status != LH_STATUS_PAUSED) return 0;
  if (failing_span ? now_ms >= dispatch->next_start_ms : webhook->batch_wait_ms == 0) return 0;
  int64_t position = search->position;
  memset(&probe, 0, sizeof probe);
  int rc = gather(search, &probe, 0, err);
  search->position = position;
  search->by_index = 0;
  search->passed_over = search->matches = 0;
  if (rc != LH_OK) return -1;
  if (probe.batch.count == 0 || lh_batch_full(&probe.batch) || probe.overflowed) return 0;
  if (probe.first_created_ms > now_ms) return 0; /* the clock was set back: it has waited enough */
  *until = failing_span ? dispatch->next_start_ms : probe.first_created_ms + webhook->batch_wait_ms;
  return now_ms < *until;
}

/*
** One span's worth: forms at most one request. *formed: 1 a request, 0 nothing here, 2 wait
** (due_ms set).
*/
static int form_in_span(struct search *search, struct lh_dispatch *dispatch,
                        struct lh_target_entry *entry, int *formed, struct lh_error *err) {
  struct lh_turning *turning = search->turning;
  struct forming forming;
  int64_t until;
  int delivers = search->span->mode == LH_SPAN_DELIVER;
  memset(&forming, 0, sizeof forming);
  *formed = 0;
  int wait = must_wait(search, dispatch, &until, err);
  if (wait < 0) return err->code;
  if (wait > 0) {
    if (until < dispatch->due_ms) dispatch->due_ms = until;
    *formed = 2;
    return LH_OK;
  }
  int rc = gather(search, &forming, delivers, err);
  if (rc != LH_OK || forming.batch.count == 0) return rc;
  rc = delivers ? form_lease(turning, dispatch, entry, &forming, err)
                : form_failed(turning, dispatch, search->span, &forming, err);
  if (rc != LH_OK) return rc;
  dispatch->cursor = forming.last;
  if (!delivers) turning->turn->failed_unsent++;
  if (!delivers) dispatch->next_start_ms = turning->now_ms + 60000;
  *formed = 1;
  return LH_OK;
}

int lh_form_next(struct lh_turning *turning, struct lh_dispatch *dispatch,
                 struct lh_target_entry *entry, enum lh_form which, int *formed,
                 struct lh_error *err) {
  *formed = 0;
  while (dispatch->cursor < turning->head) {
    struct search search;
    int64_t next_from;
    search.span = span_at(entry, dispatch->cursor + 1, &next_from);
    if (which == LH_FORM_FAILED && search.span != NULL && search.span->mode == LH_SPAN_DELIVER)
      return LH_OK;
    search.turning = turning;
    search.entry = entry;
    search.position = dispatch->cursor;
    search.last = next_from - 1 < turning->head ? next_from - 1 : turning->head;
    search.passed_over = search.matches = 0;
    search.by_index = 0;
    if (search.span != NULL && search.span->mode != LH_SPAN_SKIP) {
      int rc = form_in_span(&search, dispatch, entry, formed, err);
      if (rc != LH_OK || *formed != 0) return rc;
    }
    dispatch->cursor = search.last;
    dispatch->dirty = 1;
  }
  return LH_OK;
}

static int show_kept(struct lh_turning *turning, struct lh_kept_reader *reader, int64_t *bytes,
                     struct lh_error *err) {
  const struct lh_lease_visitor *visitor = turning->turn->visitor;
  struct lh_event event;
  int more;
  while ((more = lh_kept_next(reader, &event)) > 0) {
    int code = visitor->event(visitor->self, &event);
    if (code != 0) return lh_error_set(err, (enum lh_code)code, "worker is out of memory");
    *bytes += (int64_t)event.data_len;
  }
  if (more == 0) return LH_OK;
  return lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged: kept events of a request");
}

/* Of a request that keeps its events itself: they may be gone from the log. */
static int replay_kept(struct lh_turning *turning, int64_t request, int32_t count, int64_t *bytes,
                       struct lh_error *err) {
  struct lh_connection *connection = turning->tx->connection;
  sqlite3_stmt *kept = lh_connection_sql(connection, LH_SQL_KEPT_GET, err);
  struct lh_kept_reader reader;
  if (kept == NULL) return err->code;
  sqlite3_bind_int64(kept, 1, request);
  int row = lh_connection_row(connection, kept, err);
  if (row < 0) return err->code;
  const void *blob = row > 0 ? sqlite3_column_blob(kept, 0) : NULL;
  size_t len = row > 0 ? (size_t)sqlite3_column_bytes(kept, 0) : 0;
  int rc;
  if (blob != NULL && lh_kept_open(&reader, blob, len, count) == LH_OK)
    rc = show_kept(turning, &reader, bytes, err);
  else if (row > 0 && blob == NULL) /* it is never empty */
    rc = lh_error_set(err, LH_E_MEMORY, "out of memory");
  else
    rc = lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged: request %lld has lost its events",
                      (long long)request);
  if (row > 0) sqlite3_reset(kept);
  return rc;
}

static int replay_listed(struct lh_turning *turning, sqlite3_stmt *list, int64_t *bytes,
                         struct lh_error *err) {
  struct lh_connection *connection = turning->tx->connection;
  sqlite3_stmt *events = lh_connection_sql(connection, LH_SQL_EVENT_BY_POSITION, err);
  if (events == NULL) return err->code;
  int64_t position = sqlite3_column_int64(list, 0);
  const unsigned char *at = sqlite3_column_blob(list, 1);
  const unsigned char *end = at != NULL ? at + sqlite3_column_bytes(list, 1) : NULL;
  int rc = LH_OK;
  for (int left = sqlite3_column_int(list, 2); rc == LH_OK && left > 0; left--) {
    sqlite3_bind_int64(events, 1, position);
    int row = lh_connection_row(connection, events, err);
    if (row > 0) {
      *bytes += sqlite3_column_bytes(events, 4);
      rc = show(turning, events, err);
    } else {
      rc = row < 0 ? (int)err->code
                   : lh_error_set(err, LH_E_STORE_DAMAGED, "event at position %lld is missing",
                                  (long long)position);
    }
    sqlite3_reset(events);
    size_t used = left > 1 ? lh_batch_list_get(at, end, position, &position) : 1;
    if (used == 0) rc = lh_error_set(err, LH_E_STORE_DAMAGED, "an event list is damaged");
    at = left > 1 ? at + used : at;
  }
  return rc;
}

int lh_form_replay(struct lh_turning *turning, int64_t request, int64_t *bytes,
                   struct lh_error *err) {
  struct lh_connection *connection = turning->tx->connection;
  const struct lh_lease_visitor *visitor = turning->turn->visitor;
  sqlite3_stmt *row = lh_connection_sql(connection, LH_SQL_REQUEST_EVENTS, err);
  if (row == NULL) return err->code;
  sqlite3_bind_int64(row, 1, request);
  int found = lh_connection_row(connection, row, err);
  if (found < 0) return err->code;
  if (found == 0)
    return lh_error_set(err, LH_E_STORE_DAMAGED, "request %lld is gone", (long long)request);
  int rc = visitor->begin(visitor->self) == 0
               ? LH_OK
               : lh_error_set(err, LH_E_MEMORY, "worker is out of memory");
  int kept = sqlite3_column_type(row, 3) != SQLITE_NULL;
  if (rc == LH_OK)
    rc = kept ? replay_kept(turning, request, sqlite3_column_int(row, 2), bytes, err)
              : replay_listed(turning, row, bytes, err);
  sqlite3_reset(row);
  return rc;
}
