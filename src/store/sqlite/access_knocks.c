/*
** How often somebody has tried in vain. A row says until when the tries so far
** are paid for, at one in a while; so many at once may be owed (a leaky bucket
** in one number). Whose row it is cannot be read: people type passwords as names.
*/
#include <ctype.h>
#include <string.h>

#include "store/sqlite/access.h"

/* One of the two that a knock is counted for. */
struct bucket {
  unsigned char mask[LH_TOKEN_HASH_BYTES];
  int64_t each_ms; /* a try costs so much */
  int64_t owed_ms; /* at most */
  int64_t until_ms;
  int known; /* it has a row */
};

struct knocking {
  struct bucket buckets[2];
  int count;
  int64_t now_ms, wait_ms;
};

static int begin(struct knocking *knocking, const struct lh_knock *knock, struct lh_error *err) {
  char lower[LH_USER_NAME_MAX];
  struct bucket *bucket = knocking->buckets;
  int rc = LH_OK;
  if (knock->address != NULL) {
    rc = lh_token_mask("address", knock->address, strlen(knock->address), bucket->mask, err);
    bucket->each_ms = LH_KNOCK_ADDRESS_MS;
    bucket++->owed_ms = (int64_t)LH_KNOCK_ADDRESS_MAX * LH_KNOCK_ADDRESS_MS;
  }
  if (rc == LH_OK && knock->user != NULL) {
    size_t len = strnlen(knock->user, sizeof lower); /* a longer one is nobody's */
    for (size_t i = 0; i < len; i++) lower[i] = (char)tolower((unsigned char)knock->user[i]);
    rc = lh_token_mask("user", lower, len, bucket->mask, err);
    bucket->each_ms = LH_KNOCK_USER_MS;
    bucket++->owed_ms = (int64_t)LH_KNOCK_USER_MAX * LH_KNOCK_USER_MS;
  }
  knocking->count = (int)(bucket - knocking->buckets);
  return rc;
}

/* What is owed now: nothing if more than that can be, since a clock was ahead then. */
static int load(struct lh_connection *connection, struct bucket *bucket, int64_t now_ms,
                struct lh_error *err) {
  sqlite3_stmt *get = lh_connection_sql(connection, LH_SQL_KNOCK_GET, err);
  if (get == NULL) return err->code;
  sqlite3_bind_blob(get, 1, bucket->mask, sizeof bucket->mask, SQLITE_STATIC);
  int row = lh_connection_row(connection, get, err);
  if (row < 0) return err->code;
  bucket->known = row > 0;
  bucket->until_ms = row > 0 ? sqlite3_column_int64(get, 0) : now_ms;
  if (row > 0) sqlite3_reset(get);
  int possible = bucket->until_ms > now_ms && bucket->until_ms <= now_ms + bucket->owed_ms;
  if (!possible) bucket->until_ms = now_ms;
  return LH_OK;
}

/* Loads all; the longest that one of them has to wait. */
static int look(struct lh_connection *connection, struct knocking *knocking, struct lh_error *err) {
  knocking->wait_ms = 0;
  for (int i = 0; i < knocking->count; i++) {
    struct bucket *bucket = &knocking->buckets[i];
    int rc = load(connection, bucket, knocking->now_ms, err);
    if (rc != LH_OK) return rc;
    int64_t wait_ms = bucket->until_ms + bucket->each_ms - bucket->owed_ms - knocking->now_ms;
    if (wait_ms > knocking->wait_ms) knocking->wait_ms = wait_ms;
  }
  return LH_OK;
}

/* With very many that knock, the row that would end next makes room. */
static int make_room(struct lh_tx *tx, struct lh_error *err) {
  sqlite3_stmt *count = lh_connection_sql(tx->connection, LH_SQL_KNOCKS_COUNT, err);
  sqlite3_stmt *drop = lh_connection_sql(tx->connection, LH_SQL_KNOCKS_MAKE_ROOM, err);
  if (count == NULL || drop == NULL) return err->code;
  if (lh_connection_row(tx->connection, count, err) <= 0) return err->code;
  int64_t present = sqlite3_column_int64(count, 0);
  sqlite3_reset(count);
  return present >= LH_KNOCKS_MAX ? lh_connection_done(tx->connection, drop, err) : LH_OK;
}

static int save(struct lh_tx *tx, const struct bucket *bucket, int64_t now_ms,
                struct lh_error *err) {
  int over = bucket->until_ms <= now_ms;
  int rc = bucket->known || over ? LH_OK : make_room(tx, err);
  enum lh_sql which = over ? LH_SQL_KNOCK_FORGET : LH_SQL_KNOCK_PUT;
  sqlite3_stmt *put = lh_connection_sql(tx->connection, which, err);
  if (rc != LH_OK || put == NULL) return rc != LH_OK ? rc : (int)err->code;
  sqlite3_bind_blob(put, 1, bucket->mask, sizeof bucket->mask, SQLITE_STATIC);
  if (!over) sqlite3_bind_int64(put, 2, bucket->until_ms);
  return lh_connection_done(tx->connection, put, err);
}

static int knock_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct knocking *knocking = context;
  int rc = look(tx->connection, knocking, err);
  for (int i = 0; i < knocking->count && rc == LH_OK && knocking->wait_ms == 0; i++) {
    knocking->buckets[i].until_ms += knocking->buckets[i].each_ms;
    rc = save(tx, &knocking->buckets[i], knocking->now_ms, err);
  }
  return rc;
}

int lh_sqlite_knock(struct lh_store *store, const struct lh_knock *knock, int64_t now_ms,
                    int64_t *wait_ms, struct lh_error *err) {
  struct lh_error local;
  struct knocking knocking = {.now_ms = now_ms};
  if (err == NULL) err = &local;
  *wait_ms = 0;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  int rc = begin(&knocking, knock, err);
  /* Who has to wait costs no write, however often he comes. */
  if (rc == LH_OK) rc = look(reader, &knocking, err);
  if (rc == LH_OK && knocking.wait_ms == 0)
    rc = lh_committer_write(self->committer, knock_write, &knocking, err);
  if (rc == LH_OK) *wait_ms = knocking.wait_ms;
  return rc;
}

static int welcome_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct knocking *knocking = context;
  int rc = look(tx->connection, knocking, err);
  for (int i = 0; i < knocking->count && rc == LH_OK; i++) {
    struct bucket *bucket = &knocking->buckets[i];
    int of_user = bucket->each_ms == LH_KNOCK_USER_MS;
    bucket->until_ms = of_user ? knocking->now_ms : bucket->until_ms - bucket->each_ms;
    rc = save(tx, bucket, knocking->now_ms, err);
  }
  return rc;
}

int lh_sqlite_welcome(struct lh_store *store, const struct lh_knock *knock, int64_t now_ms,
                      struct lh_error *err) {
  struct lh_error local;
  struct knocking knocking = {.now_ms = now_ms};
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  int rc = begin(&knocking, knock, err);
  return rc == LH_OK ? lh_committer_write(self->committer, welcome_write, &knocking, err) : rc;
}
