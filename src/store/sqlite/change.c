/*
** Changes that a person makes to a webhook: its settings and its status. Each
** is one transaction that reads the webhook as it is, changes it and says what
** it is then; workers see it with their next lease, because its revision rises.
*/
#include "store/sqlite/change.h"
#include "store/sqlite/job.h"

#include <stdlib.h>
#include <string.h>

static int load_webhook(struct lh_tx *tx, struct lh_changing *changing, int64_t *webhook,
                        struct lh_error *err) {
  sqlite3_stmt *find = lh_connection_sql(tx->connection, LH_SQL_WEBHOOK_BY_ID, err);
  if (find == NULL) return err->code;
  sqlite3_bind_blob(find, 1, changing->which->id->bytes, LH_ID_BYTES, SQLITE_STATIC);
  int row = lh_connection_row(tx->connection, find, err);
  if (row < 0) return err->code;
  if (row == 0) return lh_error_set(err, LH_E_NOT_FOUND, "no webhook has this id");
  lh_webhook_clear(changing->webhook);
  int rc = lh_webhook_from_row(find, changing->webhook, err);
  *webhook = sqlite3_column_int64(find, LH_COLUMN_WEBHOOK);
  sqlite3_reset(find);
  return rc;
}

int lh_change_begin(struct lh_tx *tx, struct lh_changing *changing, struct lh_error *err) {
  int64_t webhook = 0;
  lh_dispatch_begin(tx);
  int rc = load_webhook(tx, changing, &webhook, err);
  if (rc != LH_OK) return rc;
  int64_t if_revision = changing->which->if_revision;
  if (if_revision != 0 && if_revision != changing->webhook->revision)
    return lh_error_set(err, LH_E_REVISION,
                        "webhook '%s' was changed since it was read: read it again",
                        changing->webhook->name);
  changing->dispatch = lh_dispatch_get(tx, webhook, err);
  return changing->dispatch != NULL ? LH_OK : (int)err->code;
}

int lh_change_refuse_deleted(const struct lh_changing *changing, struct lh_error *err) {
  if (changing->webhook->status != LH_STATUS_DELETED) return LH_OK;
  return lh_error_set(err, LH_E_REFUSED, "webhook '%s' is deleted; create a new one",
                      changing->webhook->name);
}

int lh_change_must_sign(struct lh_tx *tx, const struct lh_changing *changing,
                        struct lh_target_entry **entry, struct lh_error *err) {
  int rc = lh_target_current(tx, changing->dispatch, changing->now_ms, entry, err);
  if (rc != LH_OK || (*entry)->target.keys[0] != NULL) return rc;
  return lh_secret_unreadable(changing->webhook, err);
}

static int note(struct lh_tx *tx, const struct lh_changing *changing, struct lh_error *err) {
  return lh_webhook_note(tx, changing->which->actor, changing->what, changing->webhook,
                         changing->now_ms, err);
}

int lh_change_end(struct lh_tx *tx, struct lh_changing *changing, struct lh_error *err) {
  int64_t webhook = 0;
  struct lh_dispatch *dispatch = changing->dispatch;
  dispatch->revision++;
  dispatch->due_ms = changing->now_ms;
  dispatch->asleep = 0;
  dispatch->dirty = 1;
  tx->wake = 1;
  int rc = lh_dispatch_save_all(tx, err);
  if (rc == LH_OK) rc = load_webhook(tx, changing, &webhook, err);
  return rc == LH_OK ? note(tx, changing, err) : rc;
}

int lh_change_run(struct lh_store *store, struct lh_changing *changing, struct lh_webhook *webhook,
                  lh_write write, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  lh_webhook_init(webhook);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  const struct lh_clock *clock = self->committer->clock;
  changing->webhook = webhook;
  changing->now_ms = clock->wall_ms(clock->self);
  int rc = lh_committer_write(self->committer, write, changing, err);
  if (rc != LH_OK) lh_webhook_clear(webhook);
  return rc;
}

/* ---- settings */

struct editing {
  struct lh_changing changing; /* first */
  const struct lh_webhook_edit *edit;
};

static int check_scheme(struct lh_tx *tx, const struct editing *editing, struct lh_error *err) {
  const struct lh_webhook_edit *edit = editing->edit;
  if (!(edit->fields & LH_FIELD_SCHEME)) return LH_OK;
  sqlite3_stmt *find = lh_connection_sql(tx->connection, LH_SQL_WEBHOOK_BY_ID, err);
  if (find == NULL) return err->code;
  sqlite3_bind_blob(find, 1, editing->changing.which->id->bytes, LH_ID_BYTES, SQLITE_STATIC);
  int row = lh_connection_row(tx->connection, find, err);
  if (row <= 0) return err->code;
  int rc = LH_OK;
  if (sqlite3_column_int(find, LH_COLUMN_SCHEME) != (int)edit->values.scheme)
    rc = lh_secret_suits(tx->committer, find, edit->values.scheme, err);
  sqlite3_reset(find);
  return rc;
}

static int save_settings(struct lh_tx *tx, const struct editing *editing, struct lh_error *err) {
  const struct lh_changing *changing = &editing->changing;
  const char *url_normal = editing->edit->fields & LH_FIELD_URL ? editing->edit->url_normal : NULL;
  sqlite3_stmt *save = lh_connection_sql(tx->connection, LH_SQL_WEBHOOK_EDIT, err);
  if (save == NULL) return err->code;
  sqlite3_bind_int64(save, 1, changing->dispatch->webhook);
  lh_webhook_bind(save, changing->webhook, url_normal);
  sqlite3_bind_int64(save, 20, changing->now_ms);
  sqlite3_bind_int64(save, 21, changing->webhook->waits_until_ms);
  return lh_connection_done(tx->connection, save, err);
}

static int texts_differ(const char *left, const char *right) {
  return strcmp(left != NULL ? left : "", right != NULL ? right : "") != 0;
}

/*
** Before an edit that changes what is sent beside the signature: attempts of revisions before the
** one that lh_change_end makes are shown with what holds now.
*/
static int keep_headers(struct lh_tx *tx, const struct editing *editing, struct lh_error *err) {
  const struct lh_webhook *webhook = editing->changing.webhook;
  const struct lh_dispatch *dispatch = editing->changing.dispatch;
  const struct lh_webhook_edit *edit = editing->edit;
  int differ =
      ((edit->fields & LH_FIELD_SCHEME) && edit->values.scheme != webhook->scheme) ||
      ((edit->fields & LH_FIELD_HEADERS) && texts_differ(edit->values.headers, webhook->headers));
  if (!differ) return LH_OK;
  sqlite3_stmt *put = lh_connection_sql(tx->connection, LH_SQL_HEADERS_PAST, err);
  if (put == NULL) return err->code;
  sqlite3_bind_int64(put, 1, dispatch->webhook);
  sqlite3_bind_int64(put, 2, dispatch->revision + 1);
  sqlite3_bind_int64(put, 3, dispatch->cursor);
  sqlite3_bind_int(put, 4, (int)webhook->scheme);
  lh_bind_text(put, 5, webhook->headers);
  return lh_connection_done(tx->connection, put, err);
}

/* Due times already set stay (design §2.1), also when the interval becomes shorter. */
static void remember_waits(struct lh_changing *changing, const struct lh_webhook_edit *edit) {
  struct lh_webhook *webhook = changing->webhook;
  int64_t until_ms = changing->now_ms + lh_webhook_longest_wait_ms(webhook);
  if ((edit->fields & (LH_FIELD_RETRY_INTERVAL_S | LH_FIELD_RETRY_SCHEDULE)) &&
      until_ms > webhook->waits_until_ms)
    webhook->waits_until_ms = until_ms;
}

static int edit_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct editing *editing = context;
  struct lh_changing *changing = &editing->changing;
  struct lh_webhook *webhook = changing->webhook;
  int rc = lh_change_begin(tx, changing, err);
  if (rc == LH_OK) rc = lh_change_refuse_deleted(changing, err);
  if (rc == LH_OK) rc = lh_secret_catch_up(tx, changing, err);
  if (rc != LH_OK) return rc;
  const char *types = editing->edit->values.event_types;
  int types_differ = (editing->edit->fields & LH_FIELD_EVENT_TYPES) && types != NULL &&
                     strcmp(webhook->event_types, types) != 0;
  rc = check_scheme(tx, editing, err);
  if (rc == LH_OK) rc = keep_headers(tx, editing, err);
  remember_waits(changing, editing->edit);
  if (rc == LH_OK) rc = lh_webhook_apply(webhook, editing->edit, err);
  if (rc == LH_OK) rc = lh_webhook_check(webhook, err);
  if (rc == LH_OK)
    rc = lh_webhook_check_unique(tx, webhook, changing->dispatch, editing->edit->url_normal, err);
  if (rc == LH_OK) rc = save_settings(tx, editing, err);
  if (rc == LH_OK && types_differ)
    rc = lh_status_span_at_head(tx, changing->dispatch, webhook->event_types, err);
  return rc == LH_OK ? lh_change_end(tx, changing, err) : rc;
}

int lh_sqlite_webhook_edit(struct lh_store *store, const struct lh_which *which,
                           const struct lh_webhook_edit *edit, struct lh_webhook *webhook,
                           struct lh_error *err) {
  struct editing editing = {.changing = {.which = which, .what = "webhook.edit"}, .edit = edit};
  return lh_change_run(store, &editing.changing, webhook, edit_write, err);
}

/* ---- status */

struct turning_to {
  struct lh_changing changing; /* first */
  enum lh_status status;
};

/* A webhook that cannot sign would be paused by its first lease: say it now. */
static int enable(struct lh_tx *tx, struct lh_changing *changing, struct lh_error *err) {
  struct lh_target_entry *entry;
  int rc = lh_change_must_sign(tx, changing, &entry, err);
  if (rc != LH_OK) return rc;
  return lh_status_enable(tx, changing->dispatch, changing->webhook->event_types, changing->now_ms,
                          err);
}

static int touch(struct lh_tx *tx, const struct lh_changing *changing, enum lh_status status,
                 struct lh_error *err) {
  enum lh_sql which = status == LH_STATUS_DELETED ? LH_SQL_WEBHOOK_DELETE : LH_SQL_WEBHOOK_TOUCH;
  sqlite3_stmt *touched = lh_connection_sql(tx->connection, which, err);
  if (touched == NULL) return err->code;
  sqlite3_bind_int64(touched, 1, changing->dispatch->webhook);
  sqlite3_bind_int64(touched, 2, changing->now_ms);
  return lh_connection_done(tx->connection, touched, err);
}

static int status_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct turning_to *wanted = context;
  struct lh_changing *changing = &wanted->changing;
  int rc = lh_change_begin(tx, changing, err);
  if (rc != LH_OK || changing->webhook->status == wanted->status) return rc;
  rc = lh_change_refuse_deleted(changing, err);
  if (rc == LH_OK && wanted->status == LH_STATUS_ENABLED)
    rc = enable(tx, changing, err);
  else if (rc == LH_OK)
    rc = lh_status_stop(tx, changing->dispatch, wanted->status, changing->webhook->event_types,
                        changing->now_ms, err);
  if (rc == LH_OK) rc = touch(tx, changing, wanted->status, err);
  return rc == LH_OK ? lh_change_end(tx, changing, err) : rc;
}

struct resuming {
  struct lh_changing changing; /* first */
  struct lh_job *job;
};

static int resume_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct resuming *resuming = context;
  struct lh_changing *changing = &resuming->changing;
  int rc = lh_change_begin(tx, changing, err);
  if (rc != LH_OK) return rc;
  if (changing->webhook->status != LH_STATUS_PAUSED)
    return lh_error_set(err, LH_E_REFUSED,
                        "webhook '%s' is %s, not paused: no pause of it can be made up for",
                        changing->webhook->name, lh_status_name(changing->webhook->status));
  const struct lh_retry_filter filter = {.webhook_id = changing->which->id,
                                         .reason = LH_REASON_PAUSED,
                                         .failed_from_ms = changing->webhook->status_since_ms};
  rc = enable(tx, changing, err);
  if (rc == LH_OK) rc = touch(tx, changing, LH_STATUS_ENABLED, err);
  if (rc == LH_OK) rc = lh_change_end(tx, changing, err);
  return rc == LH_OK ? lh_job_add(tx, &filter, NULL, changing->now_ms, resuming->job, err) : rc;
}

int lh_sqlite_webhook_resume(struct lh_store *store, const struct lh_which *which,
                             struct lh_job *job, struct lh_webhook *webhook, struct lh_error *err) {
  struct resuming resuming = {.changing = {.which = which, .what = "webhook.enable"}, .job = job};
  return lh_change_run(store, &resuming.changing, webhook, resume_write, err);
}

int lh_sqlite_webhook_status(struct lh_store *store, const struct lh_which *which,
                             enum lh_status status, struct lh_webhook *webhook,
                             struct lh_error *err) {
  const char *what = status == LH_STATUS_DELETED    ? "webhook.delete"
                     : status == LH_STATUS_DISABLED ? "webhook.disable"
                                                    : "webhook.enable";
  struct turning_to wanted = {.changing = {.which = which, .what = what}, .status = status};
  return lh_change_run(store, &wanted.changing, webhook, status_write, err);
}

/* ---- a target outside the log */

struct lending {
  struct lh_changing changing; /* first */
  struct lh_target *target;
};

static int target_write(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct lending *lending = context;
  struct lh_changing *changing = &lending->changing;
  struct lh_target_entry *entry;
  int rc = lh_change_begin(tx, changing, err);
  if (rc == LH_OK) rc = lh_change_refuse_deleted(changing, err);
  if (rc == LH_OK) rc = lh_change_must_sign(tx, changing, &entry, err);
  if (rc == LH_OK) rc = lh_dispatch_save_all(tx, err);
  if (rc == LH_OK) rc = note(tx, changing, err);
  if (rc != LH_OK) return rc;
  lending->target = &entry->target;
  __atomic_add_fetch(&lending->target->holders, 1, __ATOMIC_RELAXED);
  return LH_OK;
}

int lh_sqlite_target(struct lh_store *store, const struct lh_which *which,
                     struct lh_target **target, struct lh_error *err) {
  struct lh_webhook webhook;
  struct lending lending = {.changing = {.which = which, .what = "webhook.test"}};
  int rc = lh_change_run(store, &lending.changing, &webhook, target_write, err);
  if (rc != LH_OK) {
    if (lending.target != NULL) lh_target_release(lending.target); /* its commit failed */
    return rc;
  }
  lh_webhook_clear(&webhook);
  *target = lending.target;
  return LH_OK;
}
