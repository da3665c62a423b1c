/*
** The tables, as numbered migrations, and the making of a new store. A
** migration that has been released is never changed; the next one is added.
** Enumerations are stored as the numbers of core/delivery.h and webhook.h.
*/
#include <stdio.h>

#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite.h"

/* clang-format off */
/*
** 1: the log, webhooks, requests, attempts, sessions. In parts, because C promises only 4095
** characters.
*/
static const char *const first_log[] = {
  "CREATE TABLE accounts ("
  " account INTEGER PRIMARY KEY,"
  " name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64)"
  ") STRICT;"

  "CREATE TABLE event_types ("
  " type INTEGER PRIMARY KEY,"
  " name TEXT NOT NULL UNIQUE,"
  " category TEXT NOT NULL"
  ") STRICT;"

  /* data stands last: all else is read without touching it. The newest row is never deleted, so
     positions are never used twice. */
  "CREATE TABLE events ("
  " position INTEGER PRIMARY KEY,"
  " account INTEGER NOT NULL,"
  " type INTEGER NOT NULL,"
  " event_id BLOB NOT NULL CHECK (length(event_id) = 12),"
  " created_ms INTEGER NOT NULL,"
  " member TEXT,"
  " data BLOB NOT NULL CHECK (length(data) BETWEEN 2 AND 1048576)"
  ") STRICT;"
  "CREATE UNIQUE INDEX events_by_id ON events (event_id);"
  "CREATE INDEX events_by_type ON events (account, type);"
  "CREATE INDEX events_by_member ON events (member) WHERE member IS NOT NULL;"

  "CREATE TABLE idempotency ("
  " account INTEGER NOT NULL,"
  " key TEXT NOT NULL,"
  " position INTEGER NOT NULL,"
  " PRIMARY KEY (account, key)"
  ") STRICT, WITHOUT ROWID;"
  "CREATE INDEX idempotency_by_position ON idempotency (position);"

  , NULL
};

static const char *const first_webhooks[] = {
  /* What a person configures. */
  "CREATE TABLE webhooks ("
  " webhook INTEGER PRIMARY KEY AUTOINCREMENT,"
  " id BLOB NOT NULL UNIQUE CHECK (length(id) = 12),"
  " account INTEGER NOT NULL REFERENCES accounts,"
  " name TEXT NOT NULL,"
  " url TEXT NOT NULL,"
  " url_normal TEXT NOT NULL,"
  " event_types TEXT NOT NULL CHECK (length(event_types) > 0),"
  " headers TEXT,"
  " retry_schedule TEXT,"
  " batch_size INTEGER NOT NULL CHECK (batch_size BETWEEN 1 AND 1000),"
  " batch_bytes_max INTEGER NOT NULL CHECK (batch_bytes_max > 0),"
  " batch_wait_ms INTEGER NOT NULL CHECK (batch_wait_ms >= 0),"
  " retries_max INTEGER NOT NULL CHECK (retries_max BETWEEN 0 AND 100),"
  " retry_interval_s INTEGER NOT NULL CHECK (retry_interval_s BETWEEN 1 AND 86400),"
  " pause_after INTEGER NOT NULL CHECK (pause_after BETWEEN 0 AND 1000),"
  " timeout_ms INTEGER NOT NULL CHECK (timeout_ms BETWEEN 100 AND 300000),"
  " max_in_flight INTEGER NOT NULL CHECK (max_in_flight BETWEEN 1 AND 1024),"
  " ordered INTEGER NOT NULL CHECK (ordered IN (0, 1)),"
  " success INTEGER NOT NULL CHECK (success IN (0, 1)),"
  " scheme INTEGER NOT NULL CHECK (scheme IN (0, 1)),"
  " secret BLOB NOT NULL,"         /* sealed, bound to id; the one that signs */
  " secret_next BLOB,"             /* sealed; takes over at secret_until_ms */
  " secret_until_ms INTEGER,"
  " created_ms INTEGER NOT NULL,"
  " updated_ms INTEGER NOT NULL,"
  " deleted_ms INTEGER,"
  " CHECK ((secret_next IS NULL) = (secret_until_ms IS NULL))"
  ") STRICT;"
  "CREATE UNIQUE INDEX webhooks_by_name ON webhooks (account, name) WHERE deleted_ms IS NULL;"
  "CREATE UNIQUE INDEX webhooks_by_url ON webhooks (account, url_normal) WHERE deleted_ms IS NULL;"

  /* What changes while it works: one small row per webhook, written once per turn. */
  "CREATE TABLE dispatch ("
  " webhook INTEGER PRIMARY KEY REFERENCES webhooks,"
  " account INTEGER NOT NULL,"
  " status INTEGER NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 3),"
  " status_reason TEXT NOT NULL DEFAULT '',"
  " status_since_ms INTEGER NOT NULL,"
  " epoch INTEGER NOT NULL DEFAULT 0,"
  " epoch_reason INTEGER NOT NULL DEFAULT 0 CHECK (epoch_reason IN (0, 3, 4, 5)),"
  " revision INTEGER NOT NULL DEFAULT 1,"
  " cursor INTEGER NOT NULL CHECK (cursor >= 0),"
  " in_flight INTEGER NOT NULL DEFAULT 0 CHECK (in_flight >= 0),"
  " failing INTEGER NOT NULL DEFAULT 0 CHECK (failing >= 0),"
  " next_start_ms INTEGER NOT NULL DEFAULT 0,"
  " failed_in_a_row INTEGER NOT NULL DEFAULT 0 CHECK (failed_in_a_row >= 0),"
  " due_ms INTEGER,"
  " asleep INTEGER NOT NULL DEFAULT 1 CHECK (asleep IN (0, 1))"
  ") STRICT;"
  "CREATE INDEX dispatch_due ON dispatch (due_ms) WHERE due_ms IS NOT NULL;"
  "CREATE INDEX dispatch_asleep ON dispatch (account) WHERE asleep = 1;"

  "CREATE TABLE spans ("
  " webhook INTEGER NOT NULL REFERENCES webhooks,"
  " from_position INTEGER NOT NULL,"
  " mode INTEGER NOT NULL CHECK (mode IN (0, 1, 2)),"
  " reason INTEGER NOT NULL CHECK (reason IN (0, 3, 4, 5)),"
  " event_types TEXT NOT NULL,"
  " PRIMARY KEY (webhook, from_position),"
  " CHECK ((mode = 1) = (reason <> 0))"
  ") STRICT, WITHOUT ROWID;"

  , NULL
};

static const char *const first_requests[] = {
  "CREATE TABLE sessions ("
  " session INTEGER PRIMARY KEY AUTOINCREMENT,"
  " started_ms INTEGER NOT NULL,"
  " heartbeat_ms INTEGER NOT NULL,"
  " pid INTEGER NOT NULL,"
  " lock_inode INTEGER NOT NULL"
  ") STRICT;"

  "CREATE TABLE requests ("
  " request INTEGER PRIMARY KEY,"
  " request_id BLOB NOT NULL CHECK (length(request_id) = 12),"
  " webhook INTEGER NOT NULL,"
  " state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),"
  " reason INTEGER NOT NULL CHECK (reason BETWEEN 0 AND 5),"
  " epoch INTEGER NOT NULL,"
  " attempts_made INTEGER NOT NULL CHECK (attempts_made >= 0),"
  " budget_start INTEGER NOT NULL DEFAULT 0 CHECK (budget_start BETWEEN 0 AND attempts_made),"
  " next_attempt_ms INTEGER,"
  " finished_ms INTEGER,"
  " session INTEGER,"
  " started_ms INTEGER,"
  " given_back INTEGER NOT NULL DEFAULT 0,"
  " total_count INTEGER NOT NULL CHECK (total_count BETWEEN 1 AND 1000),"
  " first_position INTEGER NOT NULL,"
  " last_position INTEGER NOT NULL CHECK (last_position >= first_position),"
  " positions BLOB NOT NULL,"      /* after first_position, as core/batch.h has it */
  " created_ms INTEGER NOT NULL,"
  " body BLOB,"                    /* only when its events are to be cut from the log */
  " CHECK ((state IN (0, 2)) = (next_attempt_ms IS NOT NULL)),"
  " CHECK ((state = 1) = (session IS NOT NULL)),"
  " CHECK ((state = 1) = (started_ms IS NOT NULL)),"
  " CHECK ((state IN (3, 4)) = (finished_ms IS NOT NULL)),"
  " CHECK ((state = 4) = (reason <> 0)),"
  " CHECK (state <> 1 OR attempts_made > 0)"
  ") STRICT;"
  "CREATE UNIQUE INDEX requests_by_id ON requests (request_id);"
  "CREATE INDEX requests_by_range ON requests (webhook, first_position);"
  "CREATE INDEX requests_due ON requests (webhook, next_attempt_ms)"
  " WHERE next_attempt_ms IS NOT NULL;"
  "CREATE INDEX requests_of_session ON requests (session) WHERE session IS NOT NULL;"
  "CREATE INDEX requests_failed ON requests (webhook) WHERE state = 4;"
  "CREATE INDEX requests_pending ON requests (webhook) WHERE state = 0;"
  "CREATE INDEX requests_given_back ON requests (given_back) WHERE given_back > 0;"

  "CREATE TABLE attempts ("
  " request INTEGER NOT NULL,"
  " number INTEGER NOT NULL CHECK (number > 0),"
  " started_ms INTEGER NOT NULL,"
  " duration_ms INTEGER,"
  " outcome INTEGER NOT NULL CHECK (outcome BETWEEN 0 AND 9),"
  " status INTEGER NOT NULL,"
  " error TEXT,"
  " url TEXT,"
  " nonce TEXT,"
  " response BLOB,"
  " PRIMARY KEY (request, number)"
  ") STRICT, WITHOUT ROWID;"
  , NULL
};

/* 2: what operators do: status changes, retries of many, notices, retention, figures. */
static const char *const second_requests[] = {
  /* Due times set before the last edit of the retry policy may be as late as this. */
  "ALTER TABLE webhooks ADD COLUMN waits_until_ms INTEGER NOT NULL DEFAULT 0;"
  "ALTER TABLE accounts ADD COLUMN notify TEXT;" /* mail addresses joined by ',' */

  /* Lists of one account's, deleted webhooks included; members are an account's own. */
  "CREATE INDEX webhooks_of_account ON webhooks (account);"
  "CREATE INDEX webhooks_deleted ON webhooks (deleted_ms) WHERE deleted_ms IS NOT NULL;"
  "DROP INDEX events_by_member;"
  "CREATE INDEX events_by_member ON events (member, account) WHERE member IS NOT NULL;"

  /* ordered: the one request that is leased or waits for its own retry. */
  "ALTER TABLE dispatch ADD COLUMN ordered_request INTEGER;"
  /* How many rows it has in requests, by state (those being sent: in_flight), and in attempts. */
  "ALTER TABLE dispatch ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;"
  "ALTER TABLE dispatch ADD COLUMN retrying INTEGER NOT NULL DEFAULT 0;"
  "ALTER TABLE dispatch ADD COLUMN delivered INTEGER NOT NULL DEFAULT 0;"
  "ALTER TABLE dispatch ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;"
  "ALTER TABLE dispatch ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;"
  "UPDATE dispatch SET (pending, retrying, delivered, failed, attempts) = (SELECT"
  " count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 2),"
  " count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 4),"
  " coalesce(sum((SELECT count(*) FROM attempts a WHERE a.request = r.request)), 0)"
  " FROM requests r WHERE r.webhook = dispatch.webhook);"
  /* Retention: requests up to this position are gone or hold their events themselves. */
  "ALTER TABLE dispatch ADD COLUMN swept INTEGER NOT NULL DEFAULT 0;"
  /* Figures of the span of time that runs, in core/figures.h's form; saved with the row. */
  "ALTER TABLE dispatch ADD COLUMN figures_ms INTEGER NOT NULL DEFAULT 0;"
  "ALTER TABLE dispatch ADD COLUMN figures BLOB;"
  "CREATE TABLE figures ("
  " webhook INTEGER NOT NULL,"
  " from_ms INTEGER NOT NULL,"
  " figures BLOB NOT NULL,"
  " PRIMARY KEY (webhook, from_ms)"
  ") STRICT, WITHOUT ROWID;"
  "CREATE INDEX figures_by_time ON figures (from_ms);"

  "ALTER TABLE requests ADD COLUMN emitted_ms INTEGER;" /* its first event; NULL: see created_ms */

  /* By epoch: what an earlier pause, disable or delete stopped is one seek away. */
  "DROP INDEX requests_due;"
  "CREATE INDEX requests_due ON requests (webhook, epoch, next_attempt_ms)"
  " WHERE next_attempt_ms IS NOT NULL;"
  /* In order of forming: the oldest first, for ordered webhooks and for lists. */
  "CREATE INDEX requests_waiting ON requests (webhook) WHERE next_attempt_ms IS NOT NULL;"
  "CREATE INDEX requests_failed_all ON requests (state) WHERE state = 4;"
  /* In order of forming, with all that a retry of many asks: neither counting nor passing over
     reads a request's row. */
  "DROP INDEX requests_failed;"
  "CREATE INDEX requests_failed ON requests (webhook, request, created_ms, finished_ms, reason,"
  " state) WHERE state = 4;"
  "CREATE INDEX requests_failed_at ON requests (finished_ms) WHERE state = 4;"
  /* Their events, in core/kept.h's form, once the log is cut: body is then 1 byte that says so. Not
     in the row itself, which every attempt writes anew. */
  "CREATE TABLE kept ("
  " request INTEGER PRIMARY KEY,"
  " events BLOB NOT NULL"
  ") STRICT;"
  /* Delivered after their events had been cut from the log. */
  "CREATE INDEX requests_kept ON requests (finished_ms) WHERE state = 3 AND body IS NOT NULL;"
  , NULL
};

static const char *const second_jobs[] = {
  /* A mass change on its way, worked off in steps (design §2.1). */
  "CREATE TABLE jobs ("
  " job INTEGER PRIMARY KEY AUTOINCREMENT,"
  " id BLOB NOT NULL UNIQUE CHECK (length(id) = 12),"
  " kind INTEGER NOT NULL CHECK (kind = 0),"         /* retry of failed requests */
  " account INTEGER,"                                /* NULL: all */
  " webhook INTEGER,"                                /* NULL: all of the account */
  " reason INTEGER NOT NULL CHECK (reason BETWEEN 0 AND 5)," /* only failed for this; 0: any */
  " since_ms INTEGER NOT NULL,"                      /* only made at or after; 0: any */
  " failed_from_ms INTEGER NOT NULL,"                /* only failed at or after; 0: any */
  " created_ms INTEGER NOT NULL,"
  " settled_ms INTEGER,"                             /* only what had failed by then is meant */
  " at_webhook INTEGER NOT NULL DEFAULT 0,"          /* how far it is */
  " at_request INTEGER NOT NULL DEFAULT 0,"
  " total INTEGER NOT NULL DEFAULT 0,"               /* when it settled */
  " retried INTEGER NOT NULL DEFAULT 0,"
  " left_over INTEGER NOT NULL DEFAULT 0,"           /* their webhook was not enabled */
  " session INTEGER NOT NULL DEFAULT 0,"             /* who made the last step, 0: no worker */
  " stepped_ms INTEGER NOT NULL DEFAULT 0,"
  " finished_ms INTEGER,"
  " CHECK (finished_ms IS NULL OR settled_ms IS NOT NULL)"
  ") STRICT;"
  "CREATE INDEX jobs_open ON jobs (job) WHERE finished_ms IS NULL;"

  /* What an administrator must hear of. */
  "CREATE TABLE notices ("
  " notice INTEGER PRIMARY KEY AUTOINCREMENT,"
  " account INTEGER NOT NULL,"
  " webhook INTEGER NOT NULL,"
  " kind INTEGER NOT NULL CHECK (kind IN (0, 1)),"   /* request failed, webhook paused */
  " request INTEGER,"
  " reason TEXT NOT NULL,"
  " created_ms INTEGER NOT NULL,"
  " CHECK ((kind = 0) = (request IS NOT NULL))"
  ") STRICT;"
  "CREATE INDEX notices_by_webhook ON notices (webhook);"

  /* A cursor into the notices for each webhook that has some, and the mail that moves it. */
  "CREATE TABLE mailings ("
  " webhook INTEGER PRIMARY KEY,"
  " account INTEGER NOT NULL,"
  " notified INTEGER NOT NULL DEFAULT 0,"            /* last notice in a mail that was accepted */
  " due_ms INTEGER,"                                 /* NULL: no notice waits */
  " last_notice INTEGER,"                            /* of the mail that is under way */
  " message_id TEXT,"
  " session INTEGER,"                                /* whose transfer it is */
  " attempts INTEGER NOT NULL DEFAULT 0,"            /* failed in a row */
  " sent_ms INTEGER,"
  " error TEXT,"
  " CHECK ((last_notice IS NULL) = (message_id IS NULL)),"
  " CHECK (session IS NULL OR last_notice IS NOT NULL)"
  ") STRICT;"
  "CREATE INDEX mailings_due ON mailings (due_ms) WHERE due_ms IS NOT NULL;"
  "CREATE INDEX mailings_of_session ON mailings (session) WHERE session IS NOT NULL;"
  , NULL
};

/* 3: the receiving side: sources, the inbox with its marks, handlers and their tasks. */
static const char *const third_inbox[] = {
  "CREATE TABLE sources ("
  " source INTEGER PRIMARY KEY,"
  " name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64)"
  ") STRICT;"

  /* As events: data stands last, and the newest row is never deleted. */
  "CREATE TABLE inbox ("
  " position INTEGER PRIMARY KEY,"
  " source INTEGER NOT NULL,"
  " event_id TEXT NOT NULL CHECK (length(event_id) BETWEEN 1 AND 128),"
  " event_type TEXT NOT NULL CHECK (length(event_type) BETWEEN 1 AND 128),"
  " received_ms INTEGER NOT NULL,"
  " member TEXT,"
  " data BLOB NOT NULL"
  ") STRICT;"

  /* What was accepted before, with a retention of its own: the event itself may be gone. */
  "CREATE TABLE marks ("
  " event_id TEXT NOT NULL,"
  " source INTEGER NOT NULL,"
  " position INTEGER NOT NULL,"
  " received_ms INTEGER NOT NULL,"
  " PRIMARY KEY (event_id, source)"
  ") STRICT, WITHOUT ROWID;"
  "CREATE INDEX marks_by_time ON marks (received_ms);"
  , NULL
};

static const char *const third_tasks[] = {
  /* A cursor into the inbox for each handler that a worker ever loaded. */
  "CREATE TABLE handlers ("
  " handler INTEGER PRIMARY KEY AUTOINCREMENT,"
  " name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),"
  " event_types TEXT NOT NULL CHECK (length(event_types) > 0)," /* joined by '\n'; '*': all */
  " when_unknown INTEGER NOT NULL CHECK (when_unknown IN (0, 1)),"
  " serial INTEGER NOT NULL CHECK (serial IN (0, 1)),"
  " cursor INTEGER NOT NULL CHECK (cursor >= 0),"
  " next_start_us INTEGER NOT NULL DEFAULT 0,"        /* rate: when the next start is owed */
  " rest_until_ms INTEGER NOT NULL DEFAULT 0,"        /* the remote side asked to be left alone */
  " loaded_ms INTEGER NOT NULL,"                      /* by a worker, for the last time */
  " created_ms INTEGER NOT NULL,"
  " forgotten_ms INTEGER,"                            /* it begins anew when it is loaded again */
  " alone_session INTEGER,"                           /* which worker runs what runs alone */
  " waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0)," /* of pending: without due_ms */
  " pending INTEGER NOT NULL DEFAULT 0,"              /* how many tasks it has in each state */
  " running INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0),"
  " retrying INTEGER NOT NULL DEFAULT 0,"
  " done INTEGER NOT NULL DEFAULT 0,"
  " failed INTEGER NOT NULL DEFAULT 0"
  ") STRICT;"

  /* One event's turn with one handler. */
  "CREATE TABLE tasks ("
  " task INTEGER PRIMARY KEY AUTOINCREMENT,"
  " handler INTEGER NOT NULL,"
  " position INTEGER NOT NULL,"                       /* of its event in the inbox */
  " state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),"
  " reason INTEGER NOT NULL DEFAULT 0 CHECK (reason BETWEEN 0 AND 5),"
  " attempts_made INTEGER NOT NULL DEFAULT 0 CHECK (attempts_made >= 0),"
  " budget_start INTEGER NOT NULL DEFAULT 0 CHECK (budget_start BETWEEN 0 AND attempts_made),"
  " strikes INTEGER NOT NULL DEFAULT 0 CHECK (strikes BETWEEN 0 AND 3),"
  " alone INTEGER NOT NULL DEFAULT 0 CHECK (alone IN (0, 1)),"
  " due_ms INTEGER,"                                  /* NULL while it waits: an earlier task of
                                                         its member comes first */
  " session INTEGER,"
  " started_ms INTEGER,"
  " first_ms INTEGER,"                                /* of its first attempt */
  " finished_ms INTEGER,"
  " serial_key TEXT,"                                 /* the member whose tasks run in order */
  " error TEXT,"                                      /* of its last attempt that was no success */
  " CHECK ((state = 1) = (session IS NOT NULL)),"
  " CHECK ((state = 1) = (started_ms IS NOT NULL)),"
  " CHECK ((state IN (3, 4)) = (finished_ms IS NOT NULL)),"
  " CHECK ((state = 4) = (reason <> 0)),"
  " CHECK (due_ms IS NULL OR state IN (0, 2)),"
  " CHECK (due_ms IS NOT NULL OR state NOT IN (0, 2) OR serial_key IS NOT NULL)"
  ") STRICT;"
  "CREATE UNIQUE INDEX tasks_by_event ON tasks (position, handler);"
  "CREATE INDEX tasks_due ON tasks (handler, due_ms) WHERE alone = 0 AND due_ms IS NOT NULL;"
  "CREATE INDEX tasks_alone ON tasks (handler, due_ms) WHERE alone = 1 AND due_ms IS NOT NULL;"
  "CREATE INDEX tasks_of_session ON tasks (session) WHERE session IS NOT NULL;"
  "CREATE INDEX tasks_run_alone ON tasks (session) WHERE alone = 1 AND session IS NOT NULL;"
  "CREATE INDEX tasks_serial ON tasks (handler, serial_key, position)"
  " WHERE serial_key IS NOT NULL AND finished_ms IS NULL;"
  "CREATE INDEX tasks_unfinished ON tasks (position) WHERE finished_ms IS NULL;"
  "CREATE INDEX tasks_failed ON tasks (handler, position) WHERE state = 4;"
  "CREATE INDEX tasks_failed_at ON tasks (position) WHERE state = 4;"
  , NULL
};

static const char *const third_dispatch[] = {
  "ALTER TABLE dispatch ADD COLUMN last_delivered_ms INTEGER NOT NULL DEFAULT 0;"
  "UPDATE dispatch SET last_delivered_ms = coalesce((SELECT max(finished_ms) FROM requests r"
  " WHERE r.webhook = dispatch.webhook AND r.state = 3), 0);"
  , NULL
};

static const char *const *const migrations[LH_SCHEMA_VERSION][8] = {
  {first_log, first_webhooks, first_requests, NULL},
  {second_requests, second_jobs, NULL},
  {third_inbox, third_tasks, third_dispatch, lh_schema_attempts, lh_schema_access, lh_schema_audit,
   lh_schema_totals, NULL},
};
/* clang-format on */

static int migrate_to(sqlite3 *db, const char *const *const *parts, struct lh_error *err) {
  for (; *parts != NULL; parts++) {
    for (const char *const *text = *parts; *text != NULL; text++) {
      int rc = lh_connection_run(db, *text, err);
      if (rc != LH_OK) return rc;
    }
  }
  return LH_OK;
}

int lh_schema_migrate(sqlite3 *db, struct lh_error *err) {
  int64_t version = lh_connection_number(db, "PRAGMA user_version");
  for (; version < LH_SCHEMA_VERSION; version++) {
    char number[64];
    snprintf(number, sizeof number, "PRAGMA user_version = %d", (int)version + 1);
    int rc = lh_connection_run(db, "BEGIN IMMEDIATE", err);
    if (rc == LH_OK) rc = migrate_to(db, migrations[version], err);
    if (rc == LH_OK) rc = lh_connection_run(db, number, err);
    if (rc == LH_OK) rc = lh_connection_run(db, "COMMIT", err);
    if (rc != LH_OK) {
      sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
      return rc;
    }
  }
  return LH_OK;
}

int lh_schema_check(sqlite3 *db, const char *path, struct lh_error *err) {
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2(db, "PRAGMA application_id", -1, &statement, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(statement);
  int64_t application = rc == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_finalize(statement);
  if (rc == SQLITE_NOTADB)
    return lh_error_set(err, LH_E_STORE_FOREIGN, "%s is not a loyalhook store (not a database)",
                        path);
  if (rc != SQLITE_ROW) return lh_connection_error(db, rc, err);
  if (application != LH_APPLICATION_ID)
    return lh_error_set(err, LH_E_STORE_FOREIGN,
                        "%s is not a loyalhook store (a database of another program)", path);
  int64_t version = lh_connection_number(db, "PRAGMA user_version");
  if (version > LH_SCHEMA_VERSION)
    return lh_error_set(err, LH_E_STORE_NEWER,
                        "%s has schema version %d, this loyalhook knows up to %d: use a newer one",
                        path, (int)version, LH_SCHEMA_VERSION);
  if (version < 0) return lh_error_set(err, LH_E_STORE_DAMAGED, "%s cannot be read", path);
  return LH_OK;
}

static int build_new(const char *path, struct lh_error *err) {
  sqlite3 *db = NULL;
  int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (rc != SQLITE_OK) {
    rc = lh_connection_error(db, rc, err);
    sqlite3_close(db);
    return rc;
  }
  char start[256];
  snprintf(start, sizeof start,
           "PRAGMA page_size = 8192; PRAGMA application_id = %d; PRAGMA synchronous = EXTRA;",
           LH_APPLICATION_ID);
  rc = lh_connection_run(db, start, err);
  if (rc == LH_OK) rc = lh_schema_migrate(db, err);
  /* Kept in the file's header; from here on every connection uses the WAL. */
  if (rc == LH_OK) rc = lh_connection_run(db, "PRAGMA journal_mode = WAL", err);
  if (sqlite3_close(db) != SQLITE_OK && rc == LH_OK)
    rc = lh_error_set(err, LH_E_IO, "%s cannot be closed", path);
  return rc;
}

int lh_schema_create(const char *path, struct lh_error *err) {
  char fresh[PATH_MAX];
  int rc = lh_file_begin(path, fresh, err);
  if (rc != LH_OK) return rc;
  return lh_file_finish(path, fresh, build_new(fresh, err), err);
}
