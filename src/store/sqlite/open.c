/*
** Opening and closing a handle. What is not ours is refused with its reason
** and left as it is; a missing store is never silently replaced by an empty
** one. See docs/operations.md for the files beside the database.
*/
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"

#define QUICK_CHECK_BYTES_MAX                                                                      \
  (4 * 1024 * 1024) /* a few milliseconds; larger ones are checked by doctor */

static const struct lh_store_log log_functions = {lh_sqlite_emit, lh_sqlite_event_get,
                                                  lh_sqlite_types};
static const struct lh_store_requests request_functions = {
    lh_sqlite_session_open,  lh_sqlite_session_close, lh_sqlite_rescue,
    lh_sqlite_turn,          lh_sqlite_wake_fd,       lh_sqlite_wake_clear,
    lh_sqlite_pending_work,  lh_sqlite_request_list,  lh_sqlite_request_get,
    lh_sqlite_request_body,  lh_sqlite_explain,       lh_sqlite_target_hold,
    lh_sqlite_target_release};
static const struct lh_store_admin admin_functions = {
    lh_sqlite_webhook_create, lh_sqlite_webhook_list,   lh_sqlite_webhook_get,
    lh_sqlite_webhook_edit,   lh_sqlite_webhook_status, lh_sqlite_webhook_resume,
    lh_sqlite_secret_rotate,  lh_sqlite_target,         lh_sqlite_stats,
    lh_sqlite_health,         lh_sqlite_backup,         lh_sqlite_key_check,
    lh_sqlite_clean,          lh_sqlite_checkpoint};
static const struct lh_store_notices notice_functions = {
    lh_sqlite_mailing_next_due, lh_sqlite_mailing_lease, lh_sqlite_mailing_record,
    lh_sqlite_notice_list,      lh_sqlite_account_set,   lh_sqlite_account_list};
static const struct lh_store_jobs job_functions = {lh_sqlite_retry,      lh_sqlite_job_count,
                                                   lh_sqlite_job_create, lh_sqlite_job_step,
                                                   lh_sqlite_job_get,    lh_sqlite_job_list};
static const struct lh_store_inbox inbox_functions = {lh_sqlite_accept, lh_sqlite_inbox_list,
                                                      lh_sqlite_inbox_get};
static const struct lh_store_access access_functions = {
    lh_sqlite_token_create, lh_sqlite_token_list,  lh_sqlite_token_revoke, lh_sqlite_token_check,
    lh_sqlite_user_add,     lh_sqlite_user_set,    lh_sqlite_user_list,    lh_sqlite_user_check,
    lh_sqlite_login_add,    lh_sqlite_login_check, lh_sqlite_login_end,    lh_sqlite_knock,
    lh_sqlite_welcome,      lh_sqlite_first_run};
static const struct lh_store_audit audit_functions = {lh_sqlite_audit_add, lh_sqlite_audit_list};
static const struct lh_store_figures figure_functions = {lh_sqlite_series, lh_sqlite_totals,
                                                         lh_sqlite_vitals};
static const struct lh_store_tasks task_functions = {
    lh_sqlite_handler_open,  lh_sqlite_task_turn,         lh_sqlite_task_work,
    lh_sqlite_task_retry,    lh_sqlite_task_retry_failed, lh_sqlite_handler_list,
    lh_sqlite_handler_forget};

struct lh_sqlite_store *lh_sqlite_self(struct lh_store *store, struct lh_error *err) {
  struct lh_sqlite_store *self = (struct lh_sqlite_store *)(void *)store;
  if (self->pid != getpid()) {
    lh_error_set(err, LH_E_CLOSED, "store was opened before a fork: open it in each process");
    return NULL;
  }
  return self;
}

struct lh_connection *lh_sqlite_reader(struct lh_sqlite_store *self, struct lh_error *err) {
  if (self->reader_open) return &self->reader;
  if (lh_connection_open(&self->reader, self->committer->path, 0, err) != LH_OK) return NULL;
  self->reader_open = 1;
  return &self->reader;
}

/* One spelling per file, so that all handles of a process meet: folder resolved, name kept. */
static int resolve(const char *path, char out[PATH_MAX], struct lh_error *err) {
  char folder[PATH_MAX], real[PATH_MAX];
  if (realpath(path, out) != NULL) return LH_OK;
  if (strlen(path) >= PATH_MAX - 32)
    return lh_error_set(err, LH_E_INVALID, "store: path is too long");
  snprintf(folder, sizeof folder, "%s", path);
  char *slash = strrchr(folder, '/');
  const char *name = slash != NULL ? path + (slash - folder) + 1 : path;
  if (slash != NULL)
    slash[slash == folder] = '\0';
  else
    snprintf(folder, sizeof folder, ".");
  if (realpath(folder, real) == NULL)
    return lh_error_set(err, LH_E_STORE_MISSING, "no store at %s: folder %s: %s", path, folder,
                        strerror(errno));
  if (*name == '\0')
    return lh_error_set(err, LH_E_STORE_MISSING, "no store at %s: it is a folder", path);
  if ((size_t)snprintf(out, PATH_MAX, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name) >=
      PATH_MAX)
    return lh_error_set(err, LH_E_INVALID, "store: path is too long");
  return LH_OK;
}

static int has_wal(const char *path, int64_t *bytes) {
  char wal[PATH_MAX + 8];
  struct stat found;
  snprintf(wal, sizeof wal, "%s-wal", path);
  if (stat(wal, &found) != 0) return 0;
  *bytes = found.st_size;
  return 1;
}

/* Looks at what stands at path. LH_OK: a file that may be a store; LH_E_STORE_MISSING: nothing. */
static int look(const char *path, struct lh_error *err) {
  struct stat found;
  int64_t bytes = 0;
  if (stat(path, &found) != 0) {
    if (errno != ENOENT) return lh_error_set(err, LH_E_IO, "%s: %s", path, strerror(errno));
    if (has_wal(path, &bytes))
      return lh_error_set(err, LH_E_STORE_DAMAGED,
                          "%s is missing but its -wal is there: restore both from a backup", path);
    return lh_error_set(err, LH_E_STORE_MISSING, "no store at %s: 'loyalhook init' makes one",
                        path);
  }
  if (!S_ISREG(found.st_mode))
    return lh_error_set(err, LH_E_STORE_FOREIGN, "%s is not a file", path);
  if (found.st_size == 0)
    return lh_error_set(err, LH_E_STORE_DAMAGED, "%s is empty: restore it from a backup", path);
  if (access(path, R_OK | W_OK) != 0)
    return lh_error_set(err, LH_E_IO, "%s: %s", path, strerror(errno));
  return LH_OK;
}

/*
** Is it whole? With nothing in the WAL the file must hold all its pages; a small one is checked
** page by page.
*/
static int check_whole(struct lh_connection *reader, const char *path, struct lh_error *err) {
  struct stat found;
  int64_t wal_bytes = 0;
  int64_t bytes = lh_connection_number(reader->db, "PRAGMA page_count") *
                  lh_connection_number(reader->db, "PRAGMA page_size");
  if (stat(path, &found) != 0) return lh_error_set(err, LH_E_IO, "%s: %s", path, strerror(errno));
  if (bytes <= 0 || ((!has_wal(path, &wal_bytes) || wal_bytes == 0) && found.st_size < bytes))
    return lh_error_set(err, LH_E_STORE_DAMAGED, "%s is cut short: restore it from a backup", path);
  if (bytes > QUICK_CHECK_BYTES_MAX) return LH_OK;
  sqlite3_stmt *check = NULL;
  int rc = sqlite3_prepare_v2(reader->db, "PRAGMA quick_check(1)", -1, &check, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(check);
  int good = rc == SQLITE_ROW && strcmp(lh_column_text(check, 0), "ok") == 0;
  sqlite3_finalize(check);
  if (good) return LH_OK;
  return lh_error_set(err, LH_E_STORE_DAMAGED, "%s is damaged: restore it from a backup", path);
}

static int create(const struct lh_store_options *options, const char *path, struct lh_error *err) {
  struct lh_lock lock;
  char key_path[PATH_MAX + 8];
  snprintf(key_path, sizeof key_path, "%s.key", path);
  int rc = lh_lock_open(&lock, path, err);
  if (rc != LH_OK) return rc;
  rc = lh_lock_take(&lock, err);
  if (rc == LH_OK && access(path, F_OK) != 0) {
    rc = lh_key_create(options->key_file != NULL ? options->key_file : key_path, options->clock,
                       err);
    if (rc == LH_OK) rc = lh_schema_create(path, err);
  } else if (rc == LH_OK && options->create_only) {
    rc = lh_error_set(err, LH_E_STORE_EXISTS, "%s exists already", path);
  }
  lh_lock_close(&lock);
  return rc;
}

/* Older tables are brought up to date, unless whoever opens only wants to look. */
static int bring_up_to_date(struct lh_sqlite_store *self, const struct lh_store_options *options,
                            const char *path, struct lh_error *err) {
  int64_t version = lh_connection_number(self->reader.db, "PRAGMA user_version");
  if (version >= LH_SCHEMA_VERSION) return LH_OK;
  if (options->as_is)
    return lh_error_set(err, LH_E_REFUSED,
                        "%s has the tables of an older version (%d, now %d); any command that"
                        " works with the store brings them up to date",
                        path, (int)version, LH_SCHEMA_VERSION);
  return lh_committer_checkpoint(self->committer, INT64_MAX, err); /* any write migrates first */
}

static int attach(struct lh_sqlite_store *self, const struct lh_store_options *options,
                  const char *path, struct lh_error *err) {
  int rc = lh_connection_open(&self->reader, path, 0, err);
  if (rc != LH_OK) return rc;
  self->reader_open = 1;
  rc = lh_schema_check(self->reader.db, path, err);
  if (rc == LH_OK) rc = check_whole(&self->reader, path, err);
  if (rc == LH_OK) rc = lh_committer_get(options, path, &self->committer, err);
  if (rc == LH_OK) lh_committer_join(self->committer, self);
  return rc == LH_OK ? bring_up_to_date(self, options, path, err) : rc;
}

int lh_sqlite_open(const struct lh_store_options *options, const char *given,
                   struct lh_store **store, struct lh_error *err) {
  struct lh_error local;
  char path[PATH_MAX];
  if (err == NULL) err = &local;
  int rc = resolve(given, path, err);
  if (rc != LH_OK) return rc; /* without its folder there is no path to create anything at */
  rc = lh_committer_inherited(path, err);
  if (rc != LH_OK) return rc;
  rc = look(path, err);
  if (rc == LH_OK && options->create_only)
    rc = lh_error_set(err, LH_E_STORE_EXISTS, "%s exists already", path);
  else if (rc == LH_E_STORE_MISSING && (options->create || options->create_only))
    rc = create(options, path, err);
  if (rc != LH_OK) return rc;
  struct lh_sqlite_store *self = calloc(1, sizeof *self);
  if (self == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  self->base.log = &log_functions;
  self->base.requests = &request_functions;
  self->base.admin = &admin_functions;
  self->base.notices = &notice_functions;
  self->base.jobs = &job_functions;
  self->base.inbox = &inbox_functions;
  self->base.access = &access_functions;
  self->base.audit = &audit_functions;
  self->base.figures = &figure_functions;
  self->base.tasks = &task_functions;
  self->pid = getpid();
  self->watch_fd = -1;
  self->session_fd = -1;
  rc = attach(self, options, path, err);
  if (rc != LH_OK) {
    lh_sqlite_close(&self->base);
    return rc;
  }
  *store = &self->base;
  return LH_OK;
}

void lh_sqlite_close(struct lh_store *store) {
  struct lh_sqlite_store *self = (struct lh_sqlite_store *)(void *)store;
  if (self->pid == getpid()) { /* a child must not touch SQLite's handles or our locks */
    if (self->reader_open) lh_connection_close(&self->reader);
    if (self->watch_fd >= 0) close(self->watch_fd);
    if (self->session_fd >= 0) close(self->session_fd);
    if (self->committer != NULL) lh_committer_leave(self->committer, self);
    lh_committer_put(self->committer);
  }
  lh_buffer_free(&self->shown);
  free(self);
}

int lh_sqlite_wake_fd(struct lh_store *store) {
  struct lh_sqlite_store *self = lh_sqlite_self(store, NULL);
  if (self == NULL) return -1;
  if (self->watch_fd < 0) self->watch_fd = lh_lock_watch(&self->committer->lock);
  return self->watch_fd;
}

void lh_sqlite_wake_clear(struct lh_store *store) {
  struct lh_sqlite_store *self = lh_sqlite_self(store, NULL);
  if (self != NULL && self->watch_fd >= 0) lh_lock_watch_clear(self->watch_fd);
}
