/*
** Appending to the log. One row per event, however many webhooks there are;
** webhooks that slept are marked due in the same transaction.
*/
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/sqlite.h"

#define ACCOUNTS_AT_HAND 16 /* of one call; more of them are looked up and woken again */

struct named_account {
  const char *name;
  int64_t account;
};

struct emitting {
  struct lh_emission *emission;
  int64_t now_ms;
  int64_t head;
  int64_t account;                                 /* of the event at hand */
  int64_t type;                                    /* of the event at hand */
  struct named_account accounts[ACCOUNTS_AT_HAND]; /* got events; to be woken at the end */
  size_t account_count;
};

/* An event that is already there under this id or key: the same one, or a conflict? */
static void settle_known(const struct emitting *emitting, const struct lh_emit *event,
                         sqlite3_stmt *known, struct lh_emitted *result) {
  int same = sqlite3_column_int64(known, 1) == emitting->account &&
             sqlite3_column_int64(known, 2) == emitting->type &&
             (size_t)sqlite3_column_bytes(known, 4) == event->data_len &&
             memcmp(sqlite3_column_blob(known, 4), event->data, event->data_len) == 0;
  result->position = sqlite3_column_int64(known, 0);
  memcpy(result->id.bytes, sqlite3_column_blob(known, 3), LH_ID_BYTES);
  result->duplicate = same;
  result->code = same ? LH_OK : LH_E_CONFLICT;
}

/* 1 if the event's id is known, 0 if not, -1 failure. */
static int known_by_id(struct lh_tx *tx, const struct emitting *emitting,
                       const struct lh_emit *event, struct lh_emitted *result,
                       struct lh_error *err) {
  if (event->id == NULL) return 0;
  sqlite3_stmt *known = lh_connection_sql(tx->connection, LH_SQL_EVENT_BY_ID, err);
  if (known == NULL) return -1;
  sqlite3_bind_blob(known, 1, event->id->bytes, LH_ID_BYTES, SQLITE_STATIC);
  int row = lh_connection_row(tx->connection, known, err);
  if (row > 0) settle_known(emitting, event, known, result);
  if (row > 0) sqlite3_reset(known);
  return row;
}

/* 1 if the idempotency key is known, 0 if not, -1 failure. */
static int known_by_key(struct lh_tx *tx, const struct emitting *emitting,
                        const struct lh_emit *event, struct lh_emitted *result,
                        struct lh_error *err) {
  if (event->idempotency_key == NULL) return 0;
  sqlite3_stmt *find = lh_connection_sql(tx->connection, LH_SQL_KEY_FIND, err);
  sqlite3_stmt *known = lh_connection_sql(tx->connection, LH_SQL_EVENT_BY_POSITION, err);
  if (find == NULL || known == NULL) return -1;
  sqlite3_bind_int64(find, 1, emitting->account);
  sqlite3_bind_text(find, 2, event->idempotency_key, (int)event->idempotency_key_len,
                    SQLITE_STATIC);
  int row = lh_connection_row(tx->connection, find, err);
  if (row <= 0) return row;
  sqlite3_bind_int64(known, 1, sqlite3_column_int64(find, 0));
  sqlite3_reset(find);
  row = lh_connection_row(tx->connection, known, err);
  if (row > 0) settle_known(emitting, event, known, result);
  if (row > 0) sqlite3_reset(known);
  return row;
}

static int add_key(struct lh_tx *tx, const struct lh_emit *event, int64_t account, int64_t position,
                   struct lh_error *err) {
  sqlite3_stmt *key = lh_connection_sql(tx->connection, LH_SQL_KEY_ADD, err);
  if (key == NULL) return err->code;
  sqlite3_bind_int64(key, 1, account);
  sqlite3_bind_text(key, 2, event->idempotency_key, (int)event->idempotency_key_len, SQLITE_STATIC);
  sqlite3_bind_int64(key, 3, position);
  return lh_connection_done(tx->connection, key, err);
}

/*
** Stores the bound event, under its own id or the next one. That one can be taken: somebody may
** give his event an id that he has guessed. Then ids begin anew at random, which nobody guesses.
*/
static int insert_bound(struct lh_tx *tx, const struct emitting *emitting, sqlite3_stmt *add,
                        const struct lh_emit *event, struct lh_id *id, struct lh_error *err) {
  int rc = LH_OK, is_taken = 1;
  for (int tries = 0; tries < 2 && is_taken; tries++) {
    if (event->id != NULL)
      *id = *event->id;
    else
      rc = lh_tx_id(tx, emitting->now_ms, id, err);
    if (rc != LH_OK) return rc;
    sqlite3_bind_blob(add, 4, id->bytes, LH_ID_BYTES, SQLITE_STATIC);
    rc = lh_connection_done(tx->connection, add, err);
    is_taken = rc != LH_OK && event->id == NULL &&
               sqlite3_extended_errcode(tx->connection->db) == SQLITE_CONSTRAINT_UNIQUE;
    if (is_taken) tx->committer->ids.owner = 0;
  }
  return rc;
}

static int insert_event(struct lh_tx *tx, struct emitting *emitting, const struct lh_emit *event,
                        struct lh_emitted *result, struct lh_error *err) {
  sqlite3_stmt *add = lh_connection_sql(tx->connection, LH_SQL_EVENT_ADD, err);
  if (add == NULL) return err->code;
  result->position = ++emitting->head;
  sqlite3_bind_int64(add, 1, result->position);
  sqlite3_bind_int64(add, 2, emitting->account);
  sqlite3_bind_int64(add, 3, emitting->type);
  sqlite3_bind_int64(add, 5, emitting->now_ms);
  if (event->member_len > 0)
    sqlite3_bind_text(add, 6, event->member, (int)event->member_len, SQLITE_STATIC);
  else
    sqlite3_bind_null(add, 6);
  sqlite3_bind_blob64(add, 7, event->data, event->data_len, SQLITE_STATIC);
  int rc = insert_bound(tx, emitting, add, event, &result->id, err);
  if (rc != LH_OK || event->idempotency_key == NULL) return rc;
  return add_key(tx, event, emitting->account, result->position, err);
}

/* Marks the sleeping webhooks of an account as due. */
static int wake(struct lh_tx *tx, int64_t account, int64_t now_ms, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_WAKE_ACCOUNT, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, account);
  sqlite3_bind_int64(statement, 2, now_ms);
  int rc = lh_connection_done(tx->connection, statement, err);
  if (rc == LH_OK && sqlite3_changes(tx->connection->db) > 0) tx->wake = 1;
  return rc;
}

/* All accounts at hand got events: their webhooks hear of it. */
static int wake_accounts(struct lh_tx *tx, struct emitting *emitting, struct lh_error *err) {
  int rc = LH_OK;
  for (size_t i = 0; i < emitting->account_count && rc == LH_OK; i++)
    rc = wake(tx, emitting->accounts[i].account, emitting->now_ms, err);
  emitting->account_count = 0;
  return rc;
}

static int turn_to_account(struct lh_tx *tx, struct emitting *emitting, const char *name,
                           struct lh_error *err) {
  for (size_t i = 0; i < emitting->account_count; i++) {
    if (strcmp(emitting->accounts[i].name, name) != 0) continue;
    emitting->account = emitting->accounts[i].account;
    return LH_OK;
  }
  int rc = LH_OK;
  if (emitting->account_count == ACCOUNTS_AT_HAND) rc = wake_accounts(tx, emitting, err);
  if (rc == LH_OK) rc = lh_tx_account(tx, name, &emitting->account, err);
  if (rc != LH_OK) return rc;
  struct named_account *at_hand = &emitting->accounts[emitting->account_count++];
  at_hand->name = name;
  at_hand->account = emitting->account;
  return LH_OK;
}

/*
** Was this event accepted before, under its key or its id? 1 yes, 0 no, -1
** failure. Both given must mean the same event; a new key of a known event is
** kept. A refused event stores nothing.
*/
static int known_before(struct lh_tx *tx, const struct emitting *emitting,
                        const struct lh_emit *event, struct lh_emitted *result,
                        struct lh_error *err) {
  struct emitting probe = *emitting;
  struct lh_emitted by_id;
  if (event->id == NULL && event->idempotency_key == NULL) return 0;
  if (lh_tx_known(tx, event->account, event->event_type, &probe.account, &probe.type, err) != LH_OK)
    return -1;
  memset(&by_id, 0, sizeof by_id);
  int key = known_by_key(tx, &probe, event, result, err);
  int id = key < 0 ? -1 : known_by_id(tx, &probe, event, &by_id, err);
  if (key < 0 || id < 0) return -1;
  if (id > 0 && key == 0) {
    *result = by_id;
    if (event->idempotency_key != NULL && by_id.code == LH_OK &&
        add_key(tx, event, probe.account, by_id.position, err) != LH_OK)
      return -1;
  }
  int other_id = key > 0 && event->id != NULL && memcmp(event->id, &result->id, LH_ID_BYTES) != 0;
  if (other_id) result->code = LH_E_CONFLICT;
  return key > 0 || id > 0;
}

static int emit_one(struct lh_tx *tx, struct emitting *emitting, size_t index,
                    struct lh_error *err) {
  const struct lh_emit *event = &emitting->emission->events[index];
  struct lh_emitted *result = &emitting->emission->results[index];
  memset(result, 0, sizeof *result);
  int known = known_before(tx, emitting, event, result, err);
  if (known < 0) return err->code;
  if (known > 0 && result->code != LH_OK && emitting->emission->mode == LH_EMIT_ALL)
    return lh_error_set(err, LH_E_CONFLICT,
                        "this id or idempotency key was used for another event (its account, type"
                        " or data differ)");
  if (known > 0) return LH_OK;
  int rc = turn_to_account(tx, emitting, event->account, err);
  if (rc == LH_OK) rc = lh_tx_type(tx, event->event_type, event->category, &emitting->type, err);
  return rc == LH_OK ? insert_event(tx, emitting, event, result, err) : rc;
}

static int emit_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct emitting *emitting = context;
  emitting->account_count = 0;
  int rc = lh_tx_head(tx, &emitting->head, err);
  for (size_t i = 0; i < emitting->emission->count && rc == LH_OK; i++) {
    emitting->emission->bad_index = i;
    rc = emit_one(tx, emitting, i, err);
  }
  return rc == LH_OK ? wake_accounts(tx, emitting, err) : rc;
}

int lh_sqlite_emit(struct lh_store *store, struct lh_emission *emission, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  if (emission->count == 0 || emission->count > LH_EMIT_MANY_MAX)
    return lh_error_set(err, LH_E_INVALID, "emit: 1 to %d events at a time", LH_EMIT_MANY_MAX);
  const struct lh_clock *clock = self->committer->clock;
  struct emitting emitting;
  memset(&emitting, 0, sizeof emitting);
  emitting.emission = emission;
  emitting.now_ms = clock->wall_ms(clock->self);
  return lh_committer_write(self->committer, emit_write, &emitting, err);
}

/* Copies what the statement stands on into the handle's buffer and lets *event point there. */
static int lend(struct lh_sqlite_store *self, sqlite3_stmt *show, struct lh_event *event,
                struct lh_error *err) {
  size_t at[3];
  memset(event, 0, sizeof *event);
  self->shown.len = 0;
  event->position = sqlite3_column_int64(show, 0);
  event->created_ms = sqlite3_column_int64(show, 3);
  event->data_len = (size_t)sqlite3_column_bytes(show, 4);
  const struct lh_piece texts[3] = {
      {lh_column_text(show, 1), (size_t)sqlite3_column_bytes(show, 1) + 1},
      {lh_column_text(show, 2), (size_t)sqlite3_column_bytes(show, 2) + 1},
      {sqlite3_column_blob(show, 4), event->data_len}};
  for (int i = 0; i < 3; i++) {
    at[i] = self->shown.len;
    if (lh_buffer_add(&self->shown, texts[i].at, texts[i].len) != LH_OK)
      return lh_error_set(err, LH_E_MEMORY, "out of memory");
  }
  event->event_type = self->shown.at + at[0];
  event->account = self->shown.at + at[1];
  event->data = self->shown.at + at[2];
  return LH_OK;
}

int lh_sqlite_event_get(struct lh_store *store, const struct lh_id *id, struct lh_event *event,
                        struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  sqlite3_stmt *show = reader != NULL ? lh_connection_sql(reader, LH_SQL_EVENT_SHOW, err) : NULL;
  if (show == NULL) return err->code;
  sqlite3_bind_blob(show, 1, id->bytes, LH_ID_BYTES, SQLITE_TRANSIENT);
  int row = lh_connection_row(reader, show, err);
  if (row < 0) return err->code;
  if (row == 0) return lh_error_set(err, LH_E_NOT_FOUND, "no event has this id");
  int rc = lend(self, show, event, err);
  event->id = *id;
  sqlite3_reset(show); /* an open statement would keep the WAL from being reused */
  return rc;
}

int lh_sqlite_types(struct lh_store *store, struct lh_stored_type **types, size_t *count,
                    struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  sqlite3_stmt *all = reader != NULL ? lh_connection_sql(reader, LH_SQL_TYPES_AFTER, err) : NULL;
  if (all == NULL) return err->code;
  struct lh_stored_type *list = calloc(LH_EVENT_TYPES_MAX, sizeof *list);
  if (list == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  int row = 0;
  *count = 0;
  sqlite3_bind_int64(all, 1, 0);
  while (*count < LH_EVENT_TYPES_MAX && (row = lh_connection_row(reader, all, err)) > 0) {
    strncpy(list[*count].name, lh_column_text(all, 1), LH_EVENT_TYPE_MAX);
    strncpy(list[*count].category, lh_column_text(all, 2), LH_CATEGORY_MAX);
    ++*count;
  }
  sqlite3_reset(all);
  if (row < 0) {
    free(list);
    return err->code;
  }
  *types = list;
  return LH_OK;
}
