/* Health, backup, key and checkpoint: what an operator asks of the store itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/sqlite/turn.h"

int lh_sqlite_pending_work(struct lh_store *store, int64_t now_ms, struct lh_pending_work *work,
                           struct lh_error *err) {
  struct lh_error local;
  static const struct {
    enum lh_sql which;
    int bound;
  } counts[] = {{LH_SQL_DISPATCH_COUNT_DUE, 1},
                {LH_SQL_REQUESTS_SENDING, 0},
                {LH_SQL_DISPATCH_COUNT_LATER, 1},
                {LH_SQL_REQUESTS_GIVEN_BACK, 0},
                {LH_SQL_JOBS_OPEN, 0}};
  int64_t jobs = 0;
  int64_t *const results[] = {&work->due, &work->sending, &work->later, &work->given_back, &jobs};
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  int rc = lh_connection_run(reader->db, "BEGIN", err); /* one moment for all counts */
  for (size_t i = 0; i < sizeof counts / sizeof counts[0] && rc == LH_OK; i++) {
    sqlite3_stmt *statement = lh_connection_sql(reader, counts[i].which, err);
    if (statement != NULL && counts[i].bound) sqlite3_bind_int64(statement, 1, now_ms);
    if (statement == NULL || lh_connection_row(reader, statement, err) <= 0) rc = (int)err->code;
    if (rc == LH_OK) *results[i] = sqlite3_column_int64(statement, 0);
    if (statement != NULL) sqlite3_reset(statement);
  }
  work->due += jobs;
  sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
  return rc;
}

/*
** Do the stored secrets decrypt with the key file? LH_E_SECRET_UNREADABLE names
** the first that does not; *readable counts those that do.
*/
static int check_secrets(struct lh_connection *reader, const struct lh_key *key, int64_t *readable,
                         struct lh_error *err) {
  sqlite3_stmt *statement = NULL;
  int row, rc = LH_OK;
  *readable = 0;
  int prepared = sqlite3_prepare_v2(
      reader->db, "SELECT id, secret, name FROM webhooks WHERE deleted_ms IS NULL", -1, &statement,
      NULL);
  if (prepared != SQLITE_OK) return lh_connection_error(reader->db, prepared, err);
  while ((row = lh_connection_row(reader, statement, err)) != 0) {
    unsigned char plain[LH_SECRET_MAX + LH_SEAL_OVERHEAD];
    size_t len, sealed = (size_t)sqlite3_column_bytes(statement, 1);
    if (row < 0) {
      rc = err->code;
      break;
    }
    int good = sealed <= sizeof plain &&
               lh_unseal(key->bytes, sqlite3_column_blob(statement, 0), LH_ID_BYTES,
                         sqlite3_column_blob(statement, 1), sealed, plain, &len, NULL) == LH_OK;
    *readable += good;
    if (!good && rc == LH_OK)
      rc = lh_error_set(err, LH_E_SECRET_UNREADABLE,
                        "the secret of webhook '%s' does not decrypt with this key file",
                        lh_column_text(statement, 2));
    lh_wipe(plain, sizeof plain);
  }
  sqlite3_finalize(statement);
  return rc;
}

int lh_sqlite_key_check(struct lh_store *store, struct lh_error *err) {
  struct lh_error local;
  struct lh_key key;
  int64_t readable;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  int rc = lh_key_load(&key, self->committer->key_path, err);
  if (rc == LH_OK) {
    rc = check_secrets(reader, &key, &readable, err);
    if (rc == LH_E_SECRET_UNREADABLE && readable > 0) rc = LH_OK; /* that one's own trouble */
  }
  lh_wipe(&key, sizeof key);
  return rc;
}

static const char *unsuited_filesystem(const char *path) {
  struct statfs found;
  if (statfs(path, &found) != 0) return "";
  switch ((unsigned long)found.f_type & 0xffffffffUL) {
  case 0x6969:
    return "NFS: locks and syncs of a network file system are not to be trusted";
  case 0xff534d42UL:
  case 0xfe534d42UL:
  case 0x517b:
    return "SMB: locks and syncs of a network file system are not to be trusted";
  case 0x01021997:
    return "9P: locks and syncs of a network file system are not to be trusted";
  case 0x65735546:
    return "FUSE: whether syncs reach the disk depends on its driver";
  default:
    return "";
  }
}

/* Names the first of the store's files that somebody else may read or change. */
static void check_permissions(const char *path, const char *key_path, char *out, size_t cap) {
  static const char *const suffixes[] = {"", "-wal", "-shm", ""};
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    char name[PATH_MAX + 8];
    struct stat found;
    int is_key = i + 1 == sizeof suffixes / sizeof suffixes[0];
    snprintf(name, sizeof name, "%s%s", is_key ? key_path : path, suffixes[i]);
    if (stat(name, &found) != 0 || (found.st_mode & 077) == 0) continue;
    snprintf(out, cap, "%s has mode %03o: others than its owner may open it (chmod 600)", name,
             (unsigned)(found.st_mode & 0777));
    return;
  }
}

static int read_integrity(struct lh_connection *reader, int full, char *out, size_t cap,
                          struct lh_error *err) {
  sqlite3_stmt *check = NULL;
  int rc = sqlite3_prepare_v2(
      reader->db, full ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)", -1, &check, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(check);
  if (rc == SQLITE_ROW) snprintf(out, cap, "%s", lh_column_text(check, 0));
  sqlite3_finalize(check);
  return rc == SQLITE_ROW ? LH_OK : lh_connection_error(reader->db, rc, err);
}

int lh_sqlite_health(struct lh_store *store, int full, struct lh_store_health *health,
                     struct lh_error *err) {
  struct lh_error local, ignored;
  struct lh_key key;
  int64_t readable;
  if (err == NULL) err = &local;
  memset(health, 0, sizeof *health);
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  const char *path = self->committer->path;
  int rc = read_integrity(reader, full, health->integrity, sizeof health->integrity, err);
  if (rc != LH_OK) return rc;
  health->key_present = access(self->committer->key_path, R_OK) == 0;
  health->key_readable = lh_key_load(&key, self->committer->key_path, &ignored) == LH_OK &&
                         check_secrets(reader, &key, &readable, &ignored) == LH_OK;
  lh_wipe(&key, sizeof key);
  const struct lh_clock *clock = self->committer->clock;
  rc = lh_sessions_alive(&self->committer->lock, reader, clock->wall_ms(clock->self),
                         &health->sessions, err);
  health->schema_version = (int)lh_connection_number(reader->db, "PRAGMA user_version");
  snprintf(health->sqlite_version, sizeof health->sqlite_version, "%s", sqlite3_libversion());
  snprintf(health->path, sizeof health->path, "%s", path);
  snprintf(health->filesystem_warning, sizeof health->filesystem_warning, "%s",
           unsuited_filesystem(path));
  check_permissions(path, self->committer->key_path, health->permissions_warning,
                    sizeof health->permissions_warning);
  return rc;
}

static int copy_pages(sqlite3 *from, const char *path, struct lh_error *err) {
  sqlite3 *to = NULL;
  int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  sqlite3_backup *backup = rc == SQLITE_OK ? sqlite3_backup_init(to, "main", from, "main") : NULL;
  int result = LH_OK;
  if (backup != NULL) {
    sqlite3_backup_step(backup, -1); /* one step: one consistent moment, writers go on in the WAL */
    rc = sqlite3_backup_finish(backup);
  }
  if (rc != SQLITE_OK || backup == NULL)
    result = lh_connection_error(to, rc != SQLITE_OK ? rc : sqlite3_errcode(to), err);
  if (sqlite3_close(to) != SQLITE_OK && result == LH_OK)
    result = lh_error_set(err, LH_E_IO, "%s cannot be closed", path);
  return result;
}

int lh_sqlite_backup(struct lh_store *store, const char *path, struct lh_error *err) {
  struct lh_error local;
  char fresh[PATH_MAX];
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  struct lh_connection *reader = self != NULL ? lh_sqlite_reader(self, err) : NULL;
  if (reader == NULL) return err->code;
  if (access(path, F_OK) == 0)
    return lh_error_set(err, LH_E_REFUSED, "%s exists already; a backup never overwrites", path);
  int rc = lh_file_begin(path, fresh, err);
  if (rc != LH_OK) return rc;
  return lh_file_finish(path, fresh, copy_pages(reader->db, fresh, err), err);
}

int lh_sqlite_checkpoint(struct lh_store *store, int64_t min_bytes, struct lh_error *err) {
  struct lh_error local;
  if (err == NULL) err = &local;
  struct lh_sqlite_store *self = lh_sqlite_self(store, err);
  if (self == NULL) return err->code;
  return lh_committer_checkpoint(self->committer, min_bytes, err);
}
