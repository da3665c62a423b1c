/*
** What the files of the SQLite store share. Nobody outside this folder sees
** it. Read in this order: schema.c (tables), connection.c (one connection and
** its statements), committer.c (group commit and the writer lock), then one
** file per concern: log, webhooks, targets, turn, form, record, sessions,
** query, care.
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
#include "store/sqlite/statements.h"
#include "store/store.h"

/* ---- connection.c: one SQLite connection with its prepared statements ---- */

struct lh_connection {
  sqlite3 *db;
  sqlite3_stmt *statements[LH_SQL_COUNT];
};

/* Opens an existing database file. writer 0: query only. Codes: LH_E_STORE_*, LH_E_BUSY, LH_E_IO, LH_E_SHORTAGE. */
int lh_connection_open(struct lh_connection *connection, const char *path, int writer,
                       struct lh_error *err);
void lh_connection_close(struct lh_connection *connection);
/* The statement, prepared on first use, reset and with no bindings. NULL and *err on failure. Borrowed. */
sqlite3_stmt *lh_connection_sql(struct lh_connection *connection, enum lh_sql which,
                                struct lh_error *err);
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
/* First column of the first row of text as an integer; -1 on failure. For pragmas. */
int64_t lh_connection_number(sqlite3 *db, const char *sql);

/* ---- schema.c ---- */

#define LH_APPLICATION_ID 0x6c686b31 /* "lhk1" */
#define LH_SCHEMA_VERSION 1
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
/* A descriptor that becomes readable at every wake; -1 if the system has none left. Yours to close. */
int lh_lock_watch(const struct lh_lock *lock);
void lh_lock_watch_clear(int fd);
/* Marks a session as alive until the descriptor is closed or the process ends; -1 and *err on failure. */
int lh_lock_session(const struct lh_lock *lock, int64_t session, struct lh_error *err);
/* 1 alive, 0 dead, -1 cannot be told (another lock file was in use then). */
int lh_lock_session_alive(const struct lh_lock *lock, int64_t session, int64_t inode);
int64_t lh_lock_inode(const struct lh_lock *lock);

/* ---- key.c: the key file ---- */

struct lh_key {
  unsigned char bytes[LH_SEAL_KEY_BYTES];
  int loaded;
};
/* Reads it. LH_E_KEY_MISSING, LH_E_SECRET_UNREADABLE (not 64 hex digits). */
int lh_key_load(struct lh_key *key, const char *path, struct lh_error *err);
/* Makes it if there is none, synced with its folder; an existing good one is kept. */
int lh_key_create(const char *path, const struct lh_clock *clock, struct lh_error *err);

/* ---- targets.c: webhook settings as dispatch needs them, kept per revision ---- */

enum lh_span_mode { LH_SPAN_DELIVER = 0, LH_SPAN_FAIL = 1, LH_SPAN_SKIP = 2 };

struct lh_span {
  int64_t from;             /* first position it covers */
  enum lh_span_mode mode;
  enum lh_reason reason;    /* fail */
  char *event_types;
  int64_t *types;           /* type ids it takes, ascending */
  size_t type_count;
};

struct lh_target_entry {
  struct lh_target target;  /* first, so that a pointer to one is a pointer to the other */
  int64_t webhook;
  int64_t account;
  int64_t types_seen;       /* highest type id when the spans were expanded */
  int32_t schedule[LH_RETRY_SCHEDULE_MAX];
  int32_t schedule_count;
  struct lh_span *spans;
  size_t span_count;
};

/* ---- committer.c: one writing connection per database and process ---- */

struct lh_type_entry {
  int64_t id;
  struct lh_stored_type type;
};

struct lh_dispatch; /* dispatch.c */
struct lh_member;   /* committer.c */

struct lh_committer {
  struct lh_committer *next;
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
  int wake; /* set: tell sleeping workers after the commit */
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
/* Number of an account, stored if new. */
int lh_tx_account(struct lh_tx *tx, const char *name, int64_t *account, struct lh_error *err);
/* Last position of the log. */
int lh_tx_head(struct lh_tx *tx, int64_t *head, struct lh_error *err);
/* Makes sure all types that others stored are known; *highest is the last number. */
int lh_tx_types_refresh(struct lh_tx *tx, int64_t *highest, struct lh_error *err);
/* Forgets everything cached from rows, after a rollback. */
void lh_tx_forget(struct lh_committer *committer);

/* Target of a webhook as of `revision`; borrowed until the next forget or get. Only inside a write. */
int lh_target_get(struct lh_tx *tx, int64_t webhook, int64_t revision,
                  struct lh_target_entry **entry, struct lh_error *err);
void lh_target_hold(struct lh_target *target);
void lh_target_release(struct lh_target *target);
void lh_target_forget(struct lh_committer *committer);

/* ---- dispatch.c: the hot row of a webhook, loaded once and saved once per turn ---- */

struct lh_dispatch {
  int64_t webhook;
  int64_t account;
  enum lh_status status;
  int64_t epoch;
  enum lh_reason epoch_reason;
  int64_t revision;
  int64_t cursor;          /* last position that was formed or passed over */
  int32_t in_flight;
  int32_t failing;         /* failed attempts in a row; 0: not failing */
  int64_t next_start_ms;   /* failing: no start before; stopped: no partial fail request before */
  int32_t failed_in_a_row; /* requests */
  int64_t due_ms;          /* INT64_MAX: nothing to do until something changes */
  int asleep;              /* waits for new events of its account */
  int dirty;
  int served;              /* looked at in this turn */
};

/* Context of one turn, beside the public struct. */
struct lh_turning {
  struct lh_tx *tx;
  struct lh_turn *turn;
  int64_t now_ms;
  size_t slots;
  int64_t bytes;
  int64_t head; /* of the log; the log cannot grow during the turn */
  int64_t types_highest;
  int room_ran_out;
};

/* Borrowed until the next call of it. */
struct lh_dispatch *lh_dispatch_get(struct lh_tx *tx, int64_t webhook, struct lh_error *err);
int lh_dispatch_save_all(struct lh_tx *tx, struct lh_error *err);
void lh_dispatch_begin(struct lh_tx *tx);
/* Pauses: status, epoch, fail span at the cursor. */
int lh_dispatch_pause(struct lh_tx *tx, struct lh_dispatch *dispatch, const char *why,
                      int64_t now_ms, struct lh_error *err);

/* ---- requests.c: one row of requests, loaded, stepped and saved ---- */

struct lh_request_hot {
  int64_t request;
  struct lh_id request_id;
  int64_t webhook;
  struct lh_delivery delivery;
  int32_t count;
  int64_t session;    /* while sending, else 0 */
  int64_t started_ms; /* of the attempt in flight */
  int32_t given_back; /* in a row */
  int64_t created_ms;
};
/* LH_E_NOT_FOUND if there is none. */
int lh_request_load(struct lh_tx *tx, int64_t request, struct lh_request_hot *row,
                    struct lh_error *err);
int lh_request_save(struct lh_tx *tx, const struct lh_request_hot *row, struct lh_error *err);
/* What lh_delivery_step needs to know of the webhook. */
void lh_request_policy(const struct lh_dispatch *dispatch, const struct lh_target_entry *entry,
                       struct lh_delivery_policy *policy);

/* record.c: one result into its request, its webhook and the attempt log. `session` is who reports. */
int lh_record(struct lh_tx *tx, struct lh_attempt_result *result, int64_t session, int64_t now_ms,
              struct lh_error *err);

/* What a step's effects mean for the webhook: failing, failed_in_a_row, pause. */
int lh_record_effects(struct lh_tx *tx, struct lh_dispatch *dispatch,
                      const struct lh_target_entry *entry, unsigned effects, int64_t now_ms,
                      struct lh_error *err);

/* lease.c: gives one webhook as many leases as it may have; sets its due time. */
int lh_lease_serve(struct lh_turning *turning, struct lh_dispatch *dispatch, size_t slots_max,
                   struct lh_error *err);

/* form.c: the next request of a webhook from the log. *formed 0: nothing (more) to form now. */
int lh_form_next(struct lh_turning *turning, struct lh_dispatch *dispatch,
                 struct lh_target_entry *entry, int *formed, struct lh_error *err);
/* Shows the events of a formed request to the visitor. */
int lh_form_replay(struct lh_turning *turning, int64_t request, int64_t *bytes,
                   struct lh_error *err);

/* ---- open.c: the handle ---- */

struct lh_sqlite_store {
  struct lh_store base;
  struct lh_committer *committer;
  pid_t pid;
  struct lh_connection reader;
  int reader_open;
  int watch_fd;
  int64_t session; /* of this handle, 0: none */
  int session_fd;
  int64_t heartbeat_ms;
  sqlite3_stmt *shown; /* statement whose texts the last event_get lent out */
};

int lh_sqlite_open(const struct lh_store_options *options, const char *path,
                   struct lh_store **store, struct lh_error *err);
void lh_sqlite_close(struct lh_store *store);
/* The handle, or NULL and LH_E_CLOSED if it crossed a fork. */
struct lh_sqlite_store *lh_sqlite_self(struct lh_store *store, struct lh_error *err);
/* Its reading connection, opened on first use; NULL and *err on failure. */
struct lh_connection *lh_sqlite_reader(struct lh_sqlite_store *self, struct lh_error *err);

/* The functions behind the structs of store.h; contracts there. */
int lh_sqlite_emit(struct lh_store *, const struct lh_emit *, size_t, enum lh_emit_mode,
                   struct lh_emitted *, size_t *, struct lh_error *);
int lh_sqlite_event_get(struct lh_store *, const struct lh_id *, struct lh_event *,
                        struct lh_error *);
int lh_sqlite_types(struct lh_store *, struct lh_stored_type **, size_t *, struct lh_error *);
int lh_sqlite_session_open(struct lh_store *, int64_t, int64_t *, struct lh_error *);
void lh_sqlite_session_close(struct lh_store *, int64_t, int64_t);
int lh_sqlite_rescue(struct lh_store *, int64_t, int64_t, size_t *, struct lh_error *);
int lh_sqlite_turn(struct lh_store *, struct lh_turn *, struct lh_error *);
void lh_sqlite_target_hold(struct lh_store *, struct lh_target *);
void lh_sqlite_target_release(struct lh_store *, struct lh_target *);
int lh_sqlite_wake_fd(struct lh_store *);
void lh_sqlite_wake_clear(struct lh_store *);
int lh_sqlite_pending_work(struct lh_store *, int64_t, struct lh_pending_work *,
                           struct lh_error *);
int lh_sqlite_request_list(struct lh_store *, const struct lh_request_filter *,
                           struct lh_request_list *, struct lh_error *);
int lh_sqlite_request_get(struct lh_store *, const struct lh_id *, struct lh_request_list *,
                          struct lh_attempt_list *, struct lh_error *);
int lh_sqlite_webhook_create(struct lh_store *, struct lh_webhook *, const char *, const char *,
                             size_t, int64_t, struct lh_error *);
int lh_sqlite_webhook_list(struct lh_store *, const char *, int, struct lh_webhook_list *,
                           struct lh_error *);
int lh_sqlite_webhook_get(struct lh_store *, const char *, const char *, struct lh_webhook_list *,
                          struct lh_error *);
int lh_sqlite_stats(struct lh_store *, const struct lh_id *, struct lh_stats *,
                    struct lh_error *);
int lh_sqlite_health(struct lh_store *, int, struct lh_store_health *, struct lh_error *);
int lh_sqlite_backup(struct lh_store *, const char *, struct lh_error *);
int lh_sqlite_key_check(struct lh_store *, struct lh_error *);
int lh_sqlite_checkpoint(struct lh_store *, int64_t, struct lh_error *);

/* webhooks.c: reads the columns of LH_SQL_WEBHOOK_* into a webhook. */
int lh_webhook_from_row(sqlite3_stmt *statement, struct lh_webhook *webhook, struct lh_error *err);
/* Text of a column, "" if NULL. Borrowed. */
const char *lh_column_text(sqlite3_stmt *statement, int column);

#endif
