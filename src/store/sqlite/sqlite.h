/*
** What the files of the SQLite store share. Nobody outside this folder sees
** it. Read in this order: schema.c (tables), connection.c (one connection and
** its statements), committer.c (group commit and the writer lock), then one
** file per concern: names, log, webhooks, sessions, query, care; and turn.h for
** what happens inside a worker's turn.
*/
#ifndef LH_STORE_SQLITE_SQLITE_H
#define LH_STORE_SQLITE_SQLITE_H

#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/types.h>

#include "core/batch.h"
#include "core/envelope.h"
#include "core/seal.h"
#include "store/sqlite/functions.h"
#include "store/sqlite/statements.h"
#include "store/store.h"

/* ---- connection.c: one SQLite connection with its prepared statements ---- */

struct lh_connection {
  sqlite3 *db;
  sqlite3_stmt *statements[LH_SQL_COUNT];
};

/*
** Opens an existing database file. writer 0: query only. Codes: LH_E_STORE_*, LH_E_BUSY, LH_E_IO,
** LH_E_SHORTAGE.
*/
int lh_connection_open(struct lh_connection *connection, const char *path, int writer,
                       struct lh_error *err);
void lh_connection_close(struct lh_connection *connection);
/*
** The statement, prepared on first use, reset and with no bindings. NULL and *err on failure.
** Borrowed.
*/
sqlite3_stmt *lh_connection_sql(struct lh_connection *connection, enum lh_sql which,
                                struct lh_error *err);
/* After an error: no statement of it stays open. */
void lh_connection_reset_all(struct lh_connection *connection);
/* Turns the connection's last failure (or rc) into a code and a sentence. */
int lh_connection_error(sqlite3 *db, int rc, struct lh_error *err);
/* Runs text without results. */
int lh_connection_run(sqlite3 *db, const char *sql, struct lh_error *err);
/* Steps a statement that gives no row, and resets it. */
int lh_connection_done(struct lh_connection *connection, sqlite3_stmt *statement,
                       struct lh_error *err);
/* Steps once: 1 a row (statement stays open), 0 no row (reset), -1 failure (reset, *err set). */
int lh_connection_row(struct lh_connection *connection, sqlite3_stmt *statement,
                      struct lh_error *err);
/* Text of a column, "" if NULL. Borrowed. */
const char *lh_column_text(sqlite3_stmt *statement, int column);
/* The same into an array of `cap` bytes, cut if it is longer. */
void lh_column_put(char *out, size_t cap, sqlite3_stmt *statement, int column);
/* Binds a text that outlives the statement's run, or NULL. */
void lh_bind_text(sqlite3_stmt *statement, int parameter, const char *text);
/* First column of the first row of text as an integer; -1 on failure. For pragmas. */
int64_t lh_connection_number(sqlite3 *db, const char *sql);

/* ---- schema.c ---- */

#define LH_APPLICATION_ID 0x6c686b31 /* "lhk1" */
#define LH_SCHEMA_VERSION 3
/* Refuses what is not ours, and brings an older schema up to date (inside the writer lock). */
int lh_schema_check(sqlite3 *db, const char *path, struct lh_error *err);
int lh_schema_migrate(sqlite3 *db, struct lh_error *err);
/* Makes a new store at path, whole or not at all. The writer lock is held. */
int lh_schema_create(const char *path, struct lh_error *err);

/* ---- lock.c: the lock file beside the database ---- */

struct lh_lock {
  char path[PATH_MAX];
  int fd;
};
int lh_lock_open(struct lh_lock *lock, const char *database, struct lh_error *err);
void lh_lock_close(struct lh_lock *lock);
/* Waits for the writer lock. LH_E_IO. */
int lh_lock_take(struct lh_lock *lock, struct lh_error *err);
void lh_lock_drop(struct lh_lock *lock);
/* Tells sleeping workers of all processes that something is due. */
void lh_lock_wake(struct lh_lock *lock);
/*
** A descriptor that becomes readable at every wake; -1 if the system has none left. Yours to
** close.
*/
int lh_lock_watch(const struct lh_lock *lock);
void lh_lock_watch_clear(int fd);
/*
** Marks a session as alive until the descriptor is closed or the process ends; -1 and *err on
** failure.
*/
int lh_lock_session(const struct lh_lock *lock, int64_t session, struct lh_error *err);
/* 1 alive, 0 dead, -1 cannot be told (another lock file was in use then). */
int lh_lock_session_alive(const struct lh_lock *lock, int64_t session, int64_t inode);
int64_t lh_lock_inode(const struct lh_lock *lock);

/* ---- file.c: files made whole or not at all ---- */

/* Makes an empty file (0600) beside path to write into; its name goes to `fresh`. */
int lh_file_begin(const char *path, char fresh[PATH_MAX], struct lh_error *err);
/*
** With code LH_OK: syncs it and gives it the name `path` (LH_E_REFUSED if that exists). Removes
** `fresh` in any case. Returns code or the failure.
*/
int lh_file_finish(const char *path, const char *fresh, int code, struct lh_error *err);

/* ---- key.c: the key file ---- */

struct lh_key {
  unsigned char bytes[LH_SEAL_KEY_BYTES];
  int loaded;
};
/* Reads it. LH_E_KEY_MISSING, LH_E_SECRET_UNREADABLE (not 64 hex digits). */
int lh_key_load(struct lh_key *key, const char *path, struct lh_error *err);
/* Makes it if there is none, synced with its folder; an existing good one is kept. */
int lh_key_create(const char *path, const struct lh_clock *clock, struct lh_error *err);

struct lh_target_entry; /* turn.h */

/* ---- committer.c: one writing connection per database and process ---- */

struct lh_type_entry {
  int64_t id;
  struct lh_stored_type type;
};

struct lh_dispatch;     /* dispatch.c */
struct lh_member;       /* committer.c */
struct lh_sqlite_store; /* open.c */

struct lh_committer {
  struct lh_committer *next;
  struct lh_sqlite_store *handles; /* open ones of this process */
  char path[PATH_MAX];
  char key_path[PATH_MAX];
  int64_t wal_bytes_max;
  int32_t webhooks_max;
  int users;
  pid_t pid;
  const struct lh_clock *clock;

  pthread_mutex_t mutex; /* guards the queue; the leader owns the rest */
  pthread_cond_t changed;
  struct lh_member *first, *last;
  int leading;

  struct lh_connection connection;
  int open;
  ino_t inode; /* of the database when it was opened */
  dev_t device;
  struct lh_lock lock;
  int wal_frames, wal_frames_tried;
  struct lh_id_source ids;
  struct lh_key key;
  struct lh_type_entry *types;
  size_t type_count, type_cap;
  struct lh_target_entry **targets; /* open hash by webhook number */
  size_t target_count, target_cap;
  struct lh_dispatch *dispatches;
  size_t dispatch_count, dispatch_cap;
  unsigned char *list; /* scratch: a request's event list */
  size_t list_len, list_cap;
};

/* What a write sees while it runs. */
struct lh_tx {
  struct lh_committer *committer;
  struct lh_connection *connection;
  int wake;                         /* set: tell sleeping workers after the commit */
  struct lh_checkpoint *checkpoint; /* set: checkpoint after the commit, and report here */
};

struct lh_checkpoint {
  int64_t min_bytes;
  int code;
  struct lh_error error;
};

typedef int (*lh_write)(struct lh_tx *tx, void *context, struct lh_error *err);

/* The committer of a database in this process, made on first use. */
int lh_committer_get(const struct lh_store_options *options, const char *path,
                     struct lh_committer **committer, struct lh_error *err);
void lh_committer_put(struct lh_committer *committer);
/* A handle is known to its committer while it is open, for a fork to find its lock. */
void lh_committer_join(struct lh_committer *committer, struct lh_sqlite_store *handle);
void lh_committer_leave(struct lh_committer *committer, struct lh_sqlite_store *handle);
/* LH_E_CLOSED if a parent process had this database open when it forked us. */
int lh_committer_inherited(const char *path, struct lh_error *err);
/*
** Runs `write` in a transaction shared with whoever else writes at the moment
** and returns after it is durable. Its failure undoes it alone; a failed
** commit fails all members and closes the connection (the next write opens a
** new one).
*/
int lh_committer_write(struct lh_committer *committer, lh_write write, void *context,
                       struct lh_error *err);
/* Moves the WAL into the database if it is larger than min_bytes. */
int lh_committer_checkpoint(struct lh_committer *committer, int64_t min_bytes,
                            struct lh_error *err);

/* ---- names.c: small rows that everything refers to ---- */

/* Next id; LH_E_RANDOM. Only inside a write. */
int lh_tx_id(struct lh_tx *tx, int64_t now_ms, struct lh_id *id, struct lh_error *err);
/* Number of a type, stored with its category if new. */
int lh_tx_type(struct lh_tx *tx, const char *name, const char *category, int64_t *type,
               struct lh_error *err);
const struct lh_stored_type *lh_tx_type_name(struct lh_tx *tx, int64_t type, struct lh_error *err);
/* Numbers of an account and a type without storing anything; 0 for one that is not there. */
int lh_tx_known(struct lh_tx *tx, const char *account_name, const char *type_name, int64_t *account,
                int64_t *type, struct lh_error *err);
/* Number of an account, stored if new. */
int lh_tx_account(struct lh_tx *tx, const char *name, int64_t *account, struct lh_error *err);
/* Last position of the log. */
int lh_tx_head(struct lh_tx *tx, int64_t *head, struct lh_error *err);
/* Makes sure all types that others stored are known; *highest is the last number. */
int lh_tx_types_refresh(struct lh_tx *tx, int64_t *highest, struct lh_error *err);
/* Forgets everything cached from rows, after a rollback. */
void lh_tx_forget(struct lh_committer *committer);

/*
** audit.c: notes what an actor did; *what has what, object and account of it, and the detail if the
** actor gives none. actor NULL: nothing is noted. LH_E_INVALID.
*/
int lh_audit_note(struct lh_tx *tx, const struct lh_actor *actor, const struct lh_audit *what,
                  int64_t now_ms, struct lh_error *err);

/* The same of a retry of chosen ones, unless none was retried: its detail is their numbers. */
struct lh_audit_counts {
  size_t asked, retried;
};
int lh_audit_note_retry(struct lh_tx *tx, const struct lh_actor *actor, const struct lh_audit *what,
                        struct lh_audit_counts counts, int64_t now_ms, struct lh_error *err);

/* inbox.c: last position of the inbox. */
int lh_tx_inbox_head(struct lh_tx *tx, int64_t *head, struct lh_error *err);

/* ---- open.c: the handle ---- */

struct lh_sqlite_store {
  struct lh_store base;
  struct lh_sqlite_store *next; /* of the committer's handles */
  struct lh_committer *committer;
  pid_t pid;
  struct lh_connection reader;
  int reader_open;
  int watch_fd;
  int64_t session; /* of this handle, 0: none */
  int session_fd;
  int64_t heartbeat_ms;
  int formed_all;         /* the last turn asked for form_all */
  int64_t last_turn_ms;   /* wall time of the last turn that committed; 0: none yet */
  int64_t last_tasks_ms;  /* the same of turns of tasks.h */
  size_t task_turns;      /* so many of them: another handler comes first each time */
  int64_t judge_at_ms;    /* heartbeats of others say nothing before */
  struct lh_buffer shown; /* the texts that the last event_get lent out */
};

int lh_sqlite_open(const struct lh_store_options *options, const char *path,
                   struct lh_store **store, struct lh_error *err);
void lh_sqlite_close(struct lh_store *store);
/* The handle, or NULL and LH_E_CLOSED if it crossed a fork. */
struct lh_sqlite_store *lh_sqlite_self(struct lh_store *store, struct lh_error *err);
/* Its reading connection, opened on first use; NULL and *err on failure. */
struct lh_connection *lh_sqlite_reader(struct lh_sqlite_store *self, struct lh_error *err);

/* query.c: reads the columns of LH_REQUEST_COLUMNS, with the ids of its events. */
int lh_request_row_read(struct lh_connection *reader, sqlite3_stmt *statement,
                        struct lh_request_row *row, struct lh_error *err);

/* query.c: the same as a list of one. */
int lh_request_list_one(struct lh_connection *reader, sqlite3_stmt *statement,
                        struct lh_request_list *list, struct lh_error *err);
/* query.c: is the event at `position` in the row's exact list? */
int lh_request_row_holds(sqlite3_stmt *statement, int64_t position);
/* query.c: all attempts of a request. */
int lh_request_attempts(struct lh_connection *reader, int64_t request,
                        struct lh_attempt_list *attempts, struct lh_error *err);

/* stats.c: what figures say to people. */
struct lh_recent lh_recent_of(const struct lh_figures *figures);

/* totals.c: adds the figures of a span that is over; and those of a webhook that is to go. */
int lh_totals_add(struct lh_connection *connection, const struct lh_figures *figures,
                  struct lh_error *err);
int lh_totals_close(struct lh_connection *connection, int64_t webhook, struct lh_error *err);

/* webhooks.c: reads the columns of LH_SQL_WEBHOOK_* into a webhook. */
int lh_webhook_from_row(sqlite3_stmt *statement, struct lh_webhook *webhook, struct lh_error *err);

#endif
