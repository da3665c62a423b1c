/*
** Secrets of webhooks: sealed on the way in, made into signing keys inside the
** store, shown to nobody. During a rotation there are two: the present one
** signs until its time has come, then the one that waits takes over (design §3.15).
*/
#include <string.h>

#include "store/sqlite/change.h"

static int key_ready(struct lh_committer *committer, struct lh_error *err) {
  return committer->key.loaded ? LH_OK : lh_key_load(&committer->key, committer->key_path, err);
}

int lh_secret_seal(struct lh_tx *tx, const struct lh_id *webhook, struct lh_piece secret,
                   unsigned char *sealed, struct lh_error *err) {
  struct lh_committer *committer = tx->committer;
  unsigned char nonce[LH_SEAL_NONCE_BYTES];
  int rc = key_ready(committer, err);
  if (rc == LH_OK) rc = committer->clock->random(committer->clock->self, nonce, sizeof nonce, err);
  if (rc != LH_OK) return rc;
  return lh_seal(committer->key.bytes, nonce, webhook->bytes, LH_ID_BYTES, secret.at, secret.len,
                 sealed, err);
}

/* One sealed column in the clear. *len 0: there is none. LH_E_SECRET_UNREADABLE. */
static int unseal(const struct lh_committer *committer, sqlite3_stmt *row, int column,
                  unsigned char plain[LH_SECRET_MAX + LH_SEAL_OVERHEAD], size_t *len,
                  struct lh_error *err) {
  size_t sealed_len = (size_t)sqlite3_column_bytes(row, column);
  *len = 0;
  if (sqlite3_column_type(row, column) == SQLITE_NULL) return LH_OK;
  if (sealed_len < LH_SEAL_OVERHEAD || sealed_len - LH_SEAL_OVERHEAD > LH_SECRET_MAX)
    return lh_error_set(err, LH_E_SECRET_UNREADABLE, "secret: does not have a secret's length");
  return lh_unseal(committer->key.bytes, sqlite3_column_blob(row, 0), LH_ID_BYTES,
                   sqlite3_column_blob(row, column), sealed_len, plain, len, err);
}

/*
** A secret that does not decrypt leaves its key NULL: the lease gate then
** pauses the webhook. What we lack ourselves (key file, descriptors, memory)
** is an error of the turn and changes no webhook.
*/
static int load_key(const struct lh_committer *committer, sqlite3_stmt *row, int column,
                    enum lh_scheme scheme, struct lh_hmac_key **key, struct lh_error *err) {
  unsigned char plain[LH_SECRET_MAX + LH_SEAL_OVERHEAD];
  size_t len;
  int rc = unseal(committer, row, column, plain, &len, err);
  if (rc == LH_OK && len > 0) rc = lh_signature_key_new(scheme, (char *)plain, len, key, err);
  lh_wipe(plain, sizeof plain);
  return rc == LH_E_SECRET_UNREADABLE || rc == LH_E_SECRET_INVALID ? LH_OK : rc;
}

int lh_secret_load(struct lh_committer *committer, sqlite3_stmt *row, struct lh_target_entry *entry,
                   struct lh_error *err) {
  enum lh_scheme scheme = entry->target.webhook.scheme;
  int rc = key_ready(committer, err);
  if (rc == LH_OK)
    rc = load_key(committer, row, LH_COLUMN_SECRET, scheme, &entry->target.keys[0], err);
  if (rc == LH_OK)
    rc = load_key(committer, row, LH_COLUMN_SECRET_NEXT, scheme, &entry->target.keys[1], err);
  return rc;
}

int lh_secret_suits(struct lh_committer *committer, sqlite3_stmt *row, enum lh_scheme scheme,
                    struct lh_error *err) {
  static const int columns[] = {LH_COLUMN_SECRET, LH_COLUMN_SECRET_NEXT};
  unsigned char plain[LH_SECRET_MAX + LH_SEAL_OVERHEAD];
  int rc = key_ready(committer, err);
  for (int i = 0; i < 2 && rc == LH_OK; i++) {
    size_t len;
    struct lh_error why;
    rc = unseal(committer, row, columns[i], plain, &len, err);
    if (rc != LH_OK || len == 0) continue;
    if (lh_secret_check(scheme, (char *)plain, len, &why) != LH_OK)
      rc = lh_error_set(err, LH_E_SECRET_INVALID,
                        "scheme: the webhook's secret does not suit %s (whsec_ and base64):"
                        " rotate it to one that does first",
                        lh_scheme_name(scheme));
  }
  lh_wipe(plain, sizeof plain);
  return rc;
}

int lh_secret_unreadable(const struct lh_webhook *webhook, struct lh_error *err) {
  return lh_error_set(err, LH_E_SECRET_UNREADABLE,
                      "the secret of webhook '%s' does not decrypt with this key file: put the"
                      " right key file in place, or rotate the secret at once (--now)",
                      webhook->name);
}

int lh_secret_promote(struct lh_tx *tx, struct lh_dispatch *dispatch, struct lh_error *err) {
  sqlite3_stmt *promote = lh_connection_sql(tx->connection, LH_SQL_WEBHOOK_PROMOTE, err);
  if (promote == NULL) return err->code;
  sqlite3_bind_int64(promote, 1, dispatch->webhook);
  dispatch->revision++;
  dispatch->dirty = 1;
  return lh_connection_done(tx->connection, promote, err);
}

/* No lease came since its time: the secret that signs is the one that waits. */
int lh_secret_catch_up(struct lh_tx *tx, const struct lh_changing *changing, struct lh_error *err) {
  int64_t rotates_ms = changing->webhook->secret_rotates_ms;
  if (rotates_ms == 0 || changing->now_ms < rotates_ms) return LH_OK;
  return lh_secret_promote(tx, changing->dispatch, err);
}

struct rotating {
  struct lh_changing changing; /* first */
  struct lh_piece secret;
  int64_t overlap_ms;
};

static int rotate_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct rotating *rotating = context;
  struct lh_changing *changing = &rotating->changing;
  struct lh_target_entry *entry;
  unsigned char sealed[LH_SECRET_MAX + LH_SEAL_OVERHEAD];
  int rc = lh_change_begin(tx, changing, err);
  if (rc == LH_OK) rc = lh_change_refuse_deleted(changing, err);
  if (rc == LH_OK)
    rc = lh_secret_check(changing->webhook->scheme, rotating->secret.at, rotating->secret.len, err);
  if (rc == LH_OK) rc = lh_secret_catch_up(tx, changing, err);
  if (rc == LH_OK && rotating->overlap_ms > 0) rc = lh_change_must_sign(tx, changing, &entry, err);
  if (rc == LH_OK) rc = lh_secret_seal(tx, changing->which->id, rotating->secret, sealed, err);
  sqlite3_stmt *set = lh_connection_sql(tx->connection, LH_SQL_WEBHOOK_SECRETS, err);
  if (rc != LH_OK || set == NULL) return rc != LH_OK ? rc : (int)err->code;
  int waits = rotating->overlap_ms > 0;
  sqlite3_bind_int64(set, 1, changing->dispatch->webhook);
  sqlite3_bind_blob64(set, waits ? 3 : 2, sealed, rotating->secret.len + LH_SEAL_OVERHEAD,
                      SQLITE_STATIC);
  sqlite3_bind_null(set, waits ? 2 : 3);
  if (waits)
    sqlite3_bind_int64(set, 4, changing->now_ms + rotating->overlap_ms);
  else
    sqlite3_bind_null(set, 4);
  sqlite3_bind_int64(set, 5, changing->now_ms);
  rc = lh_connection_done(tx->connection, set, err);
  return rc == LH_OK ? lh_change_end(tx, changing, err) : rc;
}

int lh_sqlite_secret_rotate(struct lh_store *store, const struct lh_which *which,
                            const struct lh_rotation *rotation, struct lh_webhook *webhook,
                            struct lh_error *err) {
  struct rotating rotating = {.changing = {.which = which, .what = "webhook.rotate_secret"},
                              .secret = rotation->secret,
                              .overlap_ms = rotation->overlap_ms};
  return lh_change_run(store, &rotating.changing, webhook, rotate_write, err);
}
