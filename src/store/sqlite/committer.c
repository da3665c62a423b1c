/*
** Group commit. All handles of one database in one process share a committer:
** whoever comes first leads, runs everybody's writes in one transaction and
** syncs once for all; the others wait. There is no thread of our own.
**
** The table below is the only static mutable state of the project: it lets
** Lua VMs that know nothing of each other find the same committer. A child
** process starts with an empty one; handles refuse to cross a fork.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"

#define GROUP_MAX 256 /* members of one transaction; bounds how long the first one waits */
#define PAGE_BYTES 8192

struct lh_member {
  lh_write write;
  void *context;
  int code;
  struct lh_error error;
  int done;
  struct lh_member *next;
};

static struct {
  pthread_mutex_t mutex;
  struct lh_committer *first;
  struct lh_committer *inherited; /* of the parent, in a child; only their paths are read */
} table = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL};
static pthread_once_t once = PTHREAD_ONCE_INIT;

/*
** SQLite keeps locks per process that a child does not have, and a table of
** files that says it has: what was open at the fork cannot be opened in the
** child. (Tried: once the parent is gone another process truncates the shared
** memory under the child's feet.)
*/
static void forget_in_child(void) {
  pthread_mutex_init(&table.mutex, NULL);
  struct lh_committer **end = &table.first; /* a child of a child inherits from both */
  for (; *end != NULL; end = &(*end)->next) {
    /* Copies of descriptors would keep the parent's locks alive after its death. */
    lh_lock_close(&(*end)->lock);
    for (struct lh_sqlite_store *at = (*end)->handles; at != NULL; at = at->next)
      if (at->session_fd >= 0) close(at->session_fd);
  }
  *end = table.inherited;
  table.inherited = table.first;
  table.first = NULL;
}
static void watch_forks(void) {
  pthread_atfork(NULL, NULL, forget_in_child);
}

static int on_commit(void *self, sqlite3 *db, const char *name, int frames) {
  struct lh_committer *committer = self;
  (void)db;
  (void)name;
  committer->wal_frames = frames;
  return SQLITE_OK;
}

static void close_connection(struct lh_committer *committer) {
  if (committer->open) lh_connection_close(&committer->connection);
  committer->open = 0;
  lh_tx_forget(committer);
}

/* A file that was moved away or replaced must not take what nobody would find again. */
static int check_file(struct lh_committer *committer, struct lh_error *err) {
  struct stat found;
  if (stat(committer->path, &found) != 0)
    return lh_error_set(err, LH_E_STORE_MISSING, "%s is gone", committer->path);
  if (committer->inode == found.st_ino && committer->device == found.st_dev) return LH_OK;
  return lh_error_set(err, LH_E_STORE_MISSING,
                      "%s was replaced by another file: end all processes that have it open",
                      committer->path);
}

/* Statements that end or undo a transaction are there before anything can go wrong. */
static int prepare_control(struct lh_committer *committer, struct lh_error *err) {
  for (int which = LH_SQL_BEGIN; which <= LH_SQL_ROLLBACK_TO; which++)
    if (lh_connection_sql(&committer->connection, (enum lh_sql)which, err) == NULL)
      return err->code;
  return LH_OK;
}

static int open_connection(struct lh_committer *committer, struct lh_error *err) {
  int rc = check_file(committer, err);
  if (rc != LH_OK || committer->open) return rc;
  rc = lh_connection_open(&committer->connection, committer->path, 1, err);
  if (rc != LH_OK) return rc;
  committer->open = 1;
  rc = prepare_control(committer, err);
  if (rc == LH_OK) rc = lh_schema_check(committer->connection.db, committer->path, err);
  if (rc == LH_OK) rc = lh_schema_migrate(committer->connection.db, err);
  if (rc != LH_OK) {
    close_connection(committer);
    return rc;
  }
  sqlite3_wal_hook(committer->connection.db, on_commit, committer);
  return LH_OK;
}

static struct lh_committer *committer_new(const struct lh_store_options *options,
                                          const char *path) {
  struct stat found;
  struct lh_committer *committer = calloc(1, sizeof *committer);
  if (committer == NULL) return NULL;
  pthread_mutex_init(&committer->mutex, NULL);
  pthread_cond_init(&committer->changed, NULL);
  committer->pid = getpid();
  committer->clock = options->clock;
  committer->wal_bytes_max = options->wal_bytes_max > 0 ? options->wal_bytes_max : LH_WAL_BYTES_MAX;
  committer->webhooks_max = options->webhooks_max > 0 ? options->webhooks_max : LH_WEBHOOKS_MAX;
  committer->lock.fd = -1;
  if (stat(path, &found) == 0) {
    committer->inode = found.st_ino;
    committer->device = found.st_dev;
  }
  snprintf(committer->path, sizeof committer->path, "%s", path);
  if (options->key_file != NULL)
    snprintf(committer->key_path, sizeof committer->key_path, "%s", options->key_file);
  else
    snprintf(committer->key_path, sizeof committer->key_path, "%.*s.key", PATH_MAX - 8, path);
  return committer;
}

static void committer_free(struct lh_committer *committer) {
  close_connection(committer);
  lh_lock_close(&committer->lock);
  lh_wipe(&committer->key, sizeof committer->key);
  free(committer->types);
  free(committer->targets);
  free(committer->dispatches);
  free(committer->list);
  pthread_cond_destroy(&committer->changed);
  pthread_mutex_destroy(&committer->mutex);
  free(committer);
}

int lh_committer_inherited(const char *path, struct lh_error *err) {
  pthread_once(&once, watch_forks);
  for (const struct lh_committer *at = table.inherited; at != NULL; at = at->next)
    if (strcmp(at->path, path) == 0)
      return lh_error_set(err, LH_E_CLOSED,
                          "this process was forked from one that had the store open:"
                          " open it only after the fork");
  return LH_OK;
}

int lh_committer_get(const struct lh_store_options *options, const char *path,
                     struct lh_committer **out, struct lh_error *err) {
  int rc = LH_OK;
  pthread_once(&once, watch_forks);
  pthread_mutex_lock(&table.mutex);
  struct lh_committer *committer = table.first;
  while (committer != NULL && strcmp(committer->path, path) != 0) committer = committer->next;
  if (committer == NULL) {
    committer = committer_new(options, path);
    rc = committer != NULL ? lh_lock_open(&committer->lock, path, err)
                           : lh_error_set(err, LH_E_MEMORY, "out of memory");
    if (rc == LH_OK) {
      committer->next = table.first;
      table.first = committer;
    } else if (committer != NULL) {
      committer_free(committer);
      committer = NULL;
    }
  }
  if (committer != NULL) committer->users++;
  pthread_mutex_unlock(&table.mutex);
  *out = committer;
  return rc;
}

void lh_committer_join(struct lh_committer *committer, struct lh_sqlite_store *handle) {
  pthread_mutex_lock(&table.mutex);
  handle->next = committer->handles;
  committer->handles = handle;
  pthread_mutex_unlock(&table.mutex);
}

void lh_committer_leave(struct lh_committer *committer, struct lh_sqlite_store *handle) {
  pthread_mutex_lock(&table.mutex);
  struct lh_sqlite_store **link = &committer->handles;
  while (*link != NULL && *link != handle) link = &(*link)->next;
  if (*link != NULL) *link = handle->next;
  pthread_mutex_unlock(&table.mutex);
}

void lh_committer_put(struct lh_committer *committer) {
  if (committer == NULL || committer->pid != getpid()) return;
  pthread_mutex_lock(&table.mutex);
  if (--committer->users == 0) {
    struct lh_committer **link = &table.first;
    while (*link != committer) link = &(*link)->next;
    *link = committer->next;
    committer_free(committer);
  }
  pthread_mutex_unlock(&table.mutex);
}

static int run_sql(struct lh_committer *committer, enum lh_sql which, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(&committer->connection, which, err);
  if (statement == NULL) return err->code;
  return lh_connection_done(&committer->connection, statement, err);
}

/* Nothing survives of the transaction: everybody who succeeded so far fails with its error. */
static void fail_all(struct lh_member *first, const struct lh_error *error) {
  for (struct lh_member *member = first; member != NULL; member = member->next) {
    if (member->code != LH_OK) continue;
    member->code = error->code;
    member->error = *error;
  }
}

/* Takes back what one member wrote. Where that fails nothing of the transaction may stand. */
static int undo_member(struct lh_committer *committer, int alone, struct lh_error *err) {
  int rc = LH_OK;
  lh_connection_reset_all(&committer->connection);
  if (!alone && !sqlite3_get_autocommit(committer->connection.db)) {
    rc = run_sql(committer, LH_SQL_ROLLBACK_TO, err);
    if (rc == LH_OK) rc = run_sql(committer, LH_SQL_RELEASE, err);
  }
  lh_tx_forget(committer);
  return rc;
}

/* Runs all members. 0, or the error that ended the transaction. */
static int run_members(struct lh_tx *tx, struct lh_member *first, struct lh_error *err) {
  struct lh_committer *committer = tx->committer;
  int alone = first->next == NULL, kept = 0;
  int rc = run_sql(committer, LH_SQL_BEGIN, err);
  for (struct lh_member *member = first; member != NULL && rc == LH_OK; member = member->next) {
    if (!alone) rc = run_sql(committer, LH_SQL_SAVEPOINT, err);
    if (rc != LH_OK) break;
    member->code = member->write(tx, member->context, &member->error);
    if (member->code == LH_OK) {
      kept = 1;
      if (!alone) rc = run_sql(committer, LH_SQL_RELEASE, err);
      continue;
    }
    rc = undo_member(committer, alone, err);
    if (rc != LH_OK) break;
    if (alone || sqlite3_get_autocommit(committer->connection.db)) {
      *err = member->error;
      rc = member->code;
    }
  }
  if (rc == LH_OK && kept) return run_sql(committer, LH_SQL_COMMIT, err);
  return rc;
}

static int checkpoint(struct lh_committer *committer, struct lh_error *err) {
  int frames = 0, moved = 0;
  int rc = sqlite3_wal_checkpoint_v2(committer->connection.db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                     &frames, &moved);
  if (rc != SQLITE_OK && rc != SQLITE_BUSY)
    return lh_connection_error(committer->connection.db, rc, err);
  /* A reader can hold frames back; the next try waits until as much again has been written. */
  committer->wal_frames = committer->wal_frames_tried = frames == moved ? 0 : frames;
  return LH_OK;
}

static void after_commit(struct lh_tx *tx) {
  struct lh_committer *committer = tx->committer;
  struct lh_error later; /* an unwanted WAL size is not an error of a commit that stands */
  if (committer->wal_frames < committer->wal_frames_tried) committer->wal_frames_tried = 0;
  int64_t bytes = (int64_t)(committer->wal_frames - committer->wal_frames_tried) * PAGE_BYTES;
  if (tx->checkpoint != NULL)
    tx->checkpoint->code = checkpoint(committer, &tx->checkpoint->error);
  else if (bytes > committer->wal_bytes_max)
    (void)checkpoint(committer, &later);
  if (tx->wake) lh_lock_wake(&committer->lock);
}

/* After these SQLite or the kernel may have dropped pages of ours: never go on with the handle. */
static int poisons(int code) {
  return code == LH_E_IO || code == LH_E_FULL || code == LH_E_STORE_DAMAGED;
}

static void run_group(struct lh_committer *committer, struct lh_member *first) {
  struct lh_tx tx = {committer, &committer->connection, 0, NULL};
  struct lh_error error, ignored;
  memset(&error, 0, sizeof error);
  int rc = lh_lock_take(&committer->lock, &error);
  if (rc != LH_OK) {
    fail_all(first, &error);
    return;
  }
  rc = open_connection(committer, &error);
  if (rc == LH_OK) rc = run_members(&tx, first, &error);
  if (rc != LH_OK) fail_all(first, &error);
  int undone = rc != LH_OK; /* also by SQLite itself, when a COMMIT has no memory */
  if (committer->open && !sqlite3_get_autocommit(committer->connection.db)) {
    run_sql(committer, LH_SQL_ROLLBACK, &ignored);
    undone = 1;
  } else if (rc == LH_OK) {
    after_commit(&tx);
  }
  if (undone) lh_tx_forget(committer);
  /* A full disk may have room in the WAL itself, once its pages are moved. */
  if (rc == LH_E_FULL && committer->open) (void)checkpoint(committer, &ignored);
  if (poisons(rc) || (committer->open && !sqlite3_get_autocommit(committer->connection.db)))
    close_connection(committer);
  lh_lock_drop(&committer->lock);
}

/* Takes up to GROUP_MAX members off the queue. */
static struct lh_member *take_group(struct lh_committer *committer) {
  struct lh_member *first = committer->first, *last = first;
  for (int count = 1; count < GROUP_MAX && last->next != NULL; count++) last = last->next;
  committer->first = last->next;
  if (committer->first == NULL) committer->last = NULL;
  last->next = NULL;
  return first;
}

static void lead(struct lh_committer *committer) {
  struct lh_member *group = take_group(committer);
  committer->leading = 1;
  pthread_mutex_unlock(&committer->mutex);
  run_group(committer, group);
  pthread_mutex_lock(&committer->mutex);
  while (group != NULL) {
    struct lh_member *next = group->next; /* its owner may return as soon as done is seen */
    group->done = 1;
    group = next;
  }
  committer->leading = 0;
  pthread_cond_broadcast(&committer->changed);
}

int lh_committer_write(struct lh_committer *committer, lh_write write, void *context,
                       struct lh_error *err) {
  struct lh_member member;
  memset(&member, 0, sizeof member);
  member.write = write;
  member.context = context;
  pthread_mutex_lock(&committer->mutex);
  if (committer->last != NULL)
    committer->last->next = &member;
  else
    committer->first = &member;
  committer->last = &member;
  while (!member.done) {
    if (committer->leading)
      pthread_cond_wait(&committer->changed, &committer->mutex);
    else
      lead(committer);
  }
  pthread_mutex_unlock(&committer->mutex);
  if (member.code != LH_OK && err != NULL) *err = member.error;
  return member.code;
}

static int ask_checkpoint(struct lh_tx *tx, void *context, struct lh_error *err) {
  struct lh_checkpoint *wanted = context;
  struct stat wal;
  char path[PATH_MAX + 8];
  (void)err;
  snprintf(path, sizeof path, "%s-wal", tx->committer->path);
  if (stat(path, &wal) == 0 && wal.st_size > wanted->min_bytes) tx->checkpoint = wanted;
  return LH_OK;
}

int lh_committer_checkpoint(struct lh_committer *committer, int64_t min_bytes,
                            struct lh_error *err) {
  struct lh_checkpoint wanted;
  memset(&wanted, 0, sizeof wanted);
  wanted.min_bytes = min_bytes;
  int rc = lh_committer_write(committer, ask_checkpoint, &wanted, err);
  if (rc == LH_OK && wanted.code != LH_OK && err != NULL) *err = wanted.error;
  return rc != LH_OK ? rc : wanted.code;
}
