/*
** Mailings: which mail is due, and what became of it. A mail covers the notices
** of one webhook from behind the last that was told of up to one that is
** fixed when it is leased; so every notice is in exactly one mail that was
** accepted, however many there are and whatever breaks. No row of notices is
** ever touched for it.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/turn.h"

#define PUT_OFF_PER_LEASE 64 /* mails to nobody passed over in one transaction; bounds the lock */

int lh_mailing_note(struct lh_tx *tx, const struct lh_dispatch *dispatch, struct lh_error *err) {
  sqlite3_stmt *note = lh_connection_sql(tx->connection, LH_SQL_MAILING_NOTE, err);
  if (note == NULL) return err->code;
  sqlite3_bind_int64(note, 1, dispatch->webhook);
  sqlite3_bind_int64(note, 2, dispatch->account);
  sqlite3_bind_int64(note, 3, dispatch->noticed_ms);
  sqlite3_bind_int64(note, 4, LH_MAIL_INTERVAL_MS);
  return lh_connection_done(tx->connection, note, err);
}

int lh_mailing_release(struct lh_tx *tx, int64_t session, int64_t now_ms, struct lh_error *err) {
  sqlite3_stmt *release = lh_connection_sql(tx->connection, LH_SQL_MAILINGS_RELEASE, err);
  if (release == NULL) return err->code;
  sqlite3_bind_int64(release, 1, session);
  sqlite3_bind_int64(release, 2, now_ms);
  int rc = lh_connection_done(tx->connection, release, err);
  if (rc == LH_OK && sqlite3_changes(tx->connection->db) > 0) tx->wake = 1;
  return rc;
}

/* No wait is longer than the longest back-off, unless the clock was set back since it began. */
int lh_sqlite_mailing_next_due(struct lh_store *store, int64_t now_ms, int64_t *due_ms,
                               struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  *due_ms = INT64_MAX;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  sqlite3_stmt *next = reader != NULL ? lh_connection_sql(reader, LH_SQL_MAILING_NEXT, err) : NULL;
  if (next == NULL) return err->code;
  if (lh_connection_row(reader, next, err) < 0) return err->code;
  if (sqlite3_column_type(next, 0) != SQLITE_NULL) {
    int set_back = sqlite3_column_int64(next, 1) > now_ms + LH_MAIL_BACKOFF_MAX_MS;
    *due_ms = set_back ? now_ms : sqlite3_column_int64(next, 0);
  }
  sqlite3_reset(next);
  return LH_OK;
}

/* ---- lease ---- */

struct leasing {
  const struct lh_mailing_wish *wish;
  struct lh_mailing *mailing;
  int64_t notified;
  int64_t last_notice;
};

static int session_lives(struct lh_tx *tx, int64_t session, struct lh_error *err) {
  sqlite3_stmt *here = lh_connection_sql(tx->connection, LH_SQL_SESSION_HERE, err);
  if (here == NULL) return -1;
  sqlite3_bind_int64(here, 1, session);
  int row = lh_connection_row(tx->connection, here, err);
  if (row > 0) sqlite3_reset(here);
  return row;
}

static int pull_in(struct lh_tx *tx, int64_t now_ms, struct lh_error *err) {
  sqlite3_stmt *all = lh_connection_sql(tx->connection, LH_SQL_MAILINGS_PULL_IN, err);
  if (all == NULL) return err->code;
  sqlite3_bind_int64(all, 1, now_ms);
  sqlite3_bind_int64(all, 2, now_ms + LH_MAIL_BACKOFF_MAX_MS);
  return lh_connection_done(tx->connection, all, err);
}

/* due_ms INT64_MAX: nothing waits there. */
static int put_off(struct lh_tx *tx, int64_t webhook, int64_t due_ms, struct lh_error *err) {
  sqlite3_stmt *off = lh_connection_sql(tx->connection, LH_SQL_MAILING_PUT_OFF, err);
  if (off == NULL) return err->code;
  sqlite3_bind_int64(off, 1, webhook);
  if (due_ms == INT64_MAX)
    sqlite3_bind_null(off, 2);
  else
    sqlite3_bind_int64(off, 2, due_ms);
  return lh_connection_done(tx->connection, off, err);
}

static int last_of(struct lh_tx *tx, int64_t webhook, int64_t *last, struct lh_error *err) {
  sqlite3_stmt *newest = lh_connection_sql(tx->connection, LH_SQL_NOTICE_LAST, err);
  if (newest == NULL) return err->code;
  sqlite3_bind_int64(newest, 1, webhook);
  if (lh_connection_row(tx->connection, newest, err) < 0) return err->code;
  *last = sqlite3_column_int64(newest, 0);
  sqlite3_reset(newest);
  return LH_OK;
}

/* A new mail's name, or the one under which it may have arrived. */
static int name_mail(struct lh_tx *tx, struct leasing *leasing, const char *known,
                     struct lh_error *err) {
  struct lh_mailing *mailing = leasing->mailing;
  char hex[LH_ID_LEN + 1];
  struct lh_id id;
  mailing->again = known != NULL;
  if (known != NULL) {
    snprintf(mailing->message_id, sizeof mailing->message_id, "%s", known);
    return LH_OK;
  }
  int rc = lh_tx_id(tx, leasing->wish->now_ms, &id, err);
  if (rc != LH_OK) return rc;
  lh_id_format(&id, hex);
  snprintf(mailing->message_id, sizeof mailing->message_id, "%s@%s", hex, leasing->wish->host);
  return LH_OK;
}

/* 1 there is a mail, with what the row says in *leasing; 0 none is due; -1 failure. */
static int first_due(struct lh_tx *tx, struct leasing *leasing, struct lh_error *err) {
  struct lh_mailing *mailing = leasing->mailing;
  sqlite3_stmt *due = lh_connection_sql(tx->connection, LH_SQL_MAILING_DUE, err);
  if (due == NULL) return -1;
  sqlite3_bind_int64(due, 1, leasing->wish->now_ms);
  int row = lh_connection_row(tx->connection, due, err);
  if (row <= 0) return row;
  int rc = LH_OK;
  mailing->mailing = sqlite3_column_int64(due, 0);
  leasing->notified = sqlite3_column_int64(due, 1);
  leasing->last_notice = sqlite3_column_int64(due, 2); /* NULL reads as 0 */
  rc = name_mail(tx, leasing, (const char *)sqlite3_column_text(due, 3), err);
  if (rc == LH_OK && sqlite3_column_type(due, 4) != SQLITE_NULL) {
    mailing->notify = strdup(lh_column_text(due, 4));
    if (mailing->notify == NULL) rc = lh_error_set(err, LH_E_MEMORY, "out of memory");
  }
  sqlite3_reset(due);
  return rc == LH_OK ? 1 : -1;
}

static int take(struct lh_tx *tx, const struct leasing *leasing, struct lh_error *err) {
  sqlite3_stmt *lease = lh_connection_sql(tx->connection, LH_SQL_MAILING_LEASE, err);
  if (lease == NULL) return err->code;
  sqlite3_bind_int64(lease, 1, leasing->mailing->mailing);
  sqlite3_bind_int64(lease, 2, leasing->last_notice);
  sqlite3_bind_text(lease, 3, leasing->mailing->message_id, -1, SQLITE_STATIC);
  sqlite3_bind_int64(lease, 4, leasing->wish->session);
  return lh_connection_done(tx->connection, lease, err);
}

/* Leases the mail that first_due found, unless it has nobody to go to or nothing to tell. */
static int take_or_pass(struct lh_tx *tx, struct leasing *leasing, int *taken,
                        struct lh_error *err) {
  const struct lh_mailing_wish *wish = leasing->wish;
  int64_t webhook = leasing->mailing->mailing;
  int rc = LH_OK;
  *taken = 0;
  if (leasing->mailing->notify == NULL && !wish->fallback)
    return put_off(tx, webhook, wish->now_ms + LH_MAIL_INTERVAL_MS, err);
  if (leasing->last_notice == 0) rc = last_of(tx, webhook, &leasing->last_notice, err);
  if (rc != LH_OK) return rc;
  if (leasing->last_notice <= leasing->notified) return put_off(tx, webhook, INT64_MAX, err);
  *taken = 1;
  return take(tx, leasing, err);
}

static int lease_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct leasing *leasing = context;
  struct lh_mailing *mailing = leasing->mailing;
  int taken = 0;
  lh_mailing_clear(mailing); /* of a write that was undone */
  int alive = session_lives(tx, leasing->wish->session, err);
  if (alive <= 0) return alive < 0 ? (int)err->code : LH_OK;
  int rc = pull_in(tx, leasing->wish->now_ms, err);
  for (int i = 0; i < PUT_OFF_PER_LEASE && rc == LH_OK && !taken; i++) {
    lh_mailing_clear(mailing);
    int found = first_due(tx, leasing, err);
    if (found <= 0) return found < 0 ? (int)err->code : LH_OK;
    rc = take_or_pass(tx, leasing, &taken, err);
  }
  if (!taken) lh_mailing_clear(mailing);
  return rc;
}

/* ---- what a mail tells: its notices cannot change, so it is read outside the lock ---- */

static int read_webhook(struct lh_connection *reader, struct lh_mailing *mailing,
                        struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(reader, LH_SQL_WEBHOOK_BY_NUMBER, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, mailing->mailing);
  int row = lh_connection_row(reader, statement, err);
  if (row < 0) return err->code;
  if (row == 0)
    return lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged: webhook %lld is gone",
                        (long long)mailing->mailing);
  int rc = lh_webhook_from_row(statement, &mailing->webhook, err);
  sqlite3_reset(statement);
  return rc;
}

/* A statement about the notices that the mail covers. */
static sqlite3_stmt *about(struct lh_connection *reader, enum lh_sql which,
                           const struct leasing *leasing, int limit, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(reader, which, err);
  if (statement == NULL) return NULL;
  sqlite3_bind_int64(statement, 1, leasing->mailing->mailing);
  sqlite3_bind_int64(statement, 2, leasing->notified);
  sqlite3_bind_int64(statement, 3, leasing->last_notice);
  sqlite3_bind_int(statement, 4, limit);
  return statement;
}

static int read_sums(struct lh_connection *reader, const struct leasing *leasing,
                     struct lh_error *err) {
  struct lh_mailing *mailing = leasing->mailing;
  sqlite3_stmt *sums = about(reader, LH_SQL_NOTICE_SUMS, leasing, LH_NOTICE_SUMS_MAX, err);
  int row;
  if (sums == NULL) return err->code;
  while ((row = lh_connection_row(reader, sums, err)) > 0) {
    struct lh_notice_sum *sum = &mailing->sums[mailing->sum_count++];
    sum->kind = (enum lh_notice_kind)sqlite3_column_int(sums, 0);
    snprintf(sum->reason, sizeof sum->reason, "%s", lh_column_text(sums, 1));
    sum->count = sqlite3_column_int64(sums, 2);
    sum->first_ms = sqlite3_column_int64(sums, 3);
    sum->last_ms = sqlite3_column_int64(sums, 4);
  }
  return row < 0 ? (int)err->code : LH_OK;
}

static int read_entry(sqlite3_stmt *statement, struct lh_mail_entry *entry, struct lh_error *err) {
  snprintf(entry->reason, sizeof entry->reason, "%s", lh_column_text(statement, 0));
  entry->failed_ms = sqlite3_column_int64(statement, 1);
  memcpy(entry->request_id.bytes, sqlite3_column_blob(statement, 2), LH_ID_BYTES);
  entry->state = (enum lh_state)sqlite3_column_int(statement, 3);
  entry->count = sqlite3_column_int(statement, 4);
  entry->attempts_made = sqlite3_column_int(statement, 5);
  entry->outcome = (enum lh_outcome)sqlite3_column_int(statement, 6);
  entry->status = sqlite3_column_int(statement, 7);
  entry->error = strdup(lh_column_text(statement, 8));
  entry->response_len = (size_t)sqlite3_column_bytes(statement, 9);
  entry->response = malloc(entry->response_len + 1);
  if (entry->error == NULL || entry->response == NULL)
    return lh_error_set(err, LH_E_MEMORY, "out of memory");
  if (entry->response_len > 0)
    memcpy(entry->response, sqlite3_column_blob(statement, 9), entry->response_len);
  entry->response[entry->response_len] = '\0';
  return LH_OK;
}

static int read_entries(struct lh_connection *reader, const struct leasing *leasing,
                        struct lh_error *err) {
  struct lh_mailing *mailing = leasing->mailing;
  sqlite3_stmt *entries = about(reader, LH_SQL_NOTICE_ENTRIES, leasing, LH_MAIL_ENTRIES_MAX, err);
  int row, rc = LH_OK;
  if (entries == NULL) return err->code;
  mailing->entries = calloc(LH_MAIL_ENTRIES_MAX, sizeof *mailing->entries);
  if (mailing->entries == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  while (rc == LH_OK && (row = lh_connection_row(reader, entries, err)) != 0) {
    if (row < 0) return err->code;
    rc = read_entry(entries, &mailing->entries[mailing->entry_count++], err);
  }
  sqlite3_reset(entries);
  return rc;
}

int lh_sqlite_mailing_lease(struct lh_store *store, const struct lh_mailing_wish *wish,
                            struct lh_mailing *mailing, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  memset(mailing, 0, sizeof *mailing);
  struct leasing leasing = {.wish = wish, .mailing = mailing};
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  int rc = lh_committer_write(self->committer, lease_write, &leasing, err);
  if (rc == LH_OK && mailing->mailing == 0) return LH_OK;
  int leased = rc == LH_OK;
  if (rc == LH_OK) rc = read_webhook(reader, mailing, err);
  if (rc == LH_OK) rc = read_sums(reader, &leasing, err);
  if (rc == LH_OK) rc = read_entries(reader, &leasing, err);
  if (rc == LH_OK) return LH_OK;
  const struct lh_mailing_result undone = {.mailing = mailing->mailing,
                                           .message_id = mailing->message_id,
                                           .session = wish->session,
                                           .now_ms = wish->now_ms,
                                           .verdict = LH_MAIL_REFUSED,
                                           .again = mailing->again,
                                           .error = "its content could not be read"};
  if (leased) (void)lh_sqlite_mailing_record(store, &undone, NULL);
  lh_mailing_clear(mailing);
  return rc;
}

/* ---- record ---- */

static int64_t backoff_ms(int failed_before) {
  int64_t wait_ms = LH_MAIL_BACKOFF_MS;
  while (failed_before-- > 0 && wait_ms < LH_MAIL_BACKOFF_MAX_MS) wait_ms *= 2;
  return wait_ms < LH_MAIL_BACKOFF_MAX_MS ? wait_ms : LH_MAIL_BACKOFF_MAX_MS;
}

/* 1 if the mail is still the webhook's, with how often it failed before; 0 if not; -1 failure. */
static int is_current(struct lh_tx *tx, const struct lh_mailing_result *result, int *failed_before,
                      struct lh_error *err) {
  sqlite3_stmt *get = lh_connection_sql(tx->connection, LH_SQL_MAILING_GET, err);
  if (get == NULL) return -1;
  sqlite3_bind_int64(get, 1, result->mailing);
  int row = lh_connection_row(tx->connection, get, err);
  if (row <= 0) return row;
  int ours = sqlite3_column_int64(get, 1) == result->session;
  int same = strcmp(lh_column_text(get, 0), result->message_id) == 0;
  *failed_before = sqlite3_column_int(get, 2);
  sqlite3_reset(get);
  return same && (ours || result->verdict == LH_MAIL_ACCEPTED);
}

static int record_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  static const enum lh_sql changes[] = {
      [LH_MAIL_ACCEPTED] = LH_SQL_MAILING_ACCEPTED,
      [LH_MAIL_REFUSED] = LH_SQL_MAILING_REFUSED,
      [LH_MAIL_UNKNOWN] = LH_SQL_MAILING_UNKNOWN,
  };
  const struct lh_mailing_result *result = context;
  int failed_before = 0;
  int current = is_current(tx, result, &failed_before, err);
  if (current <= 0) return current < 0 ? (int)err->code : LH_OK;
  sqlite3_stmt *change = lh_connection_sql(tx->connection, changes[result->verdict], err);
  if (change == NULL) return err->code;
  sqlite3_bind_int64(change, 1, result->mailing);
  if (result->verdict == LH_MAIL_ACCEPTED) {
    sqlite3_bind_int64(change, 2, result->now_ms);
    sqlite3_bind_int64(change, 3, LH_MAIL_INTERVAL_MS);
    sqlite3_bind_text(change, 4, result->error, -1, SQLITE_STATIC);
  } else {
    sqlite3_bind_int64(change, 2, result->now_ms + backoff_ms(failed_before));
    sqlite3_bind_text(change, 3, result->error, -1, SQLITE_STATIC);
  }
  return lh_connection_done(tx->connection, change, err);
}

int lh_sqlite_mailing_record(struct lh_store *store, const struct lh_mailing_result *result,
                             struct lh_error *err) {
  struct lh_error local;
  struct lh_mailing_result asked = *result;
  if (err == NULL) err = &local;
  if (asked.again && asked.verdict == LH_MAIL_REFUSED) asked.verdict = LH_MAIL_UNKNOWN;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  return lh_committer_write(self->committer, record_write, &asked, err);
}
