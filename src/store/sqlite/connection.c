/*
** One SQLite connection: how it is opened, its statements, and what SQLite's
** result codes mean to a caller. Knows nothing of the tables.
*/
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/sqlite/sqlite.h"

#define BUSY_TIMEOUT_MS                                                                            \
  5000 /* only a foreign program can make us wait: our writers queue at the lock file */
#define WRITER_CACHE_KIB 16384
#define READER_CACHE_KIB 2048

static const char *const texts[LH_SQL_COUNT] = {
#define X(name, text) text,
    LH_SQL_STATEMENTS(X)
#undef X
};

static enum lh_code code_of(sqlite3 *db, int rc) {
  int system = db != NULL ? sqlite3_system_errno(db) : 0;
  if (system == 0) system = errno; /* SQLite does not say for a COMMIT; step cleared it before */
  switch (rc & 0xff) {
  case SQLITE_FULL:
    return LH_E_FULL;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return LH_E_BUSY;
  case SQLITE_NOMEM:
    return LH_E_MEMORY;
  case SQLITE_NOTADB:
    return LH_E_STORE_FOREIGN;
  case SQLITE_CORRUPT:
    return LH_E_STORE_DAMAGED;
  case SQLITE_IOERR:
  case SQLITE_CANTOPEN:
    if (system == ENOSPC || system == EDQUOT || system == EFBIG) return LH_E_FULL;
    if (system == EMFILE || system == ENFILE) return LH_E_SHORTAGE;
    return LH_E_IO;
  default:
    return LH_E_IO;
  }
}

static const char *name_of(sqlite3 *db) {
  const char *path = db != NULL ? sqlite3_db_filename(db, "main") : NULL;
  return path != NULL && *path != '\0' ? path : "store";
}

int lh_connection_error(sqlite3 *db, int rc, struct lh_error *err) {
  enum lh_code code = code_of(db, rc);
  const char *text = db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
  switch (code) {
  case LH_E_FULL:
    return lh_error_set(err, code, "disk is full; nothing was stored");
  case LH_E_BUSY:
    return lh_error_set(err, code, "store is locked by another program for more than %d s",
                        BUSY_TIMEOUT_MS / 1000);
  case LH_E_MEMORY:
    return lh_error_set(err, code, "out of memory");
  case LH_E_STORE_DAMAGED:
    return lh_error_set(err, code, "%s is damaged: %s", name_of(db), text);
  case LH_E_STORE_FOREIGN:
    return lh_error_set(err, code, "%s is not a loyalhook store: %s", name_of(db), text);
  case LH_E_SHORTAGE:
    return lh_error_set(err, code, "no file descriptor left to open the store");
  default:
    return lh_error_set(err, code, "store: %s", text);
  }
}

int lh_connection_run(sqlite3 *db, const char *sql, struct lh_error *err) {
  int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
  return rc == SQLITE_OK ? LH_OK : lh_connection_error(db, rc, err);
}

int64_t lh_connection_number(sqlite3 *db, const char *sql) {
  sqlite3_stmt *statement = NULL;
  int64_t number = -1;
  if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW)
    number = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return number;
}

static int settle(sqlite3 *db, int writer, struct lh_error *err) {
  int value = 0;
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, &value);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &value);
  /* Closing must not checkpoint: a checkpoint outside the lock can lose commits (design §2.1). */
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &value);
  sqlite3_wal_autocheckpoint(db, 0);
  char text[256];
  snprintf(text, sizeof text,
           "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;"
           "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -%d; PRAGMA query_only = %d",
           writer ? WRITER_CACHE_KIB : READER_CACHE_KIB, !writer);
  return lh_connection_run(db, text, err);
}

int lh_connection_open(struct lh_connection *connection, const char *path, int writer,
                       struct lh_error *err) {
  sqlite3 *db = NULL;
  memset(connection, 0, sizeof *connection);
  int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (rc != SQLITE_OK) {
    rc = lh_connection_error(db, rc, err);
    sqlite3_close(db);
    return rc;
  }
  rc = settle(db, writer, err);
  if (rc != LH_OK) {
    sqlite3_close(db);
    return rc;
  }
  connection->db = db;
  return LH_OK;
}

void lh_connection_close(struct lh_connection *connection) {
  for (size_t i = 0; i < LH_SQL_COUNT; i++) sqlite3_finalize(connection->statements[i]);
  sqlite3_close(connection->db);
  memset(connection, 0, sizeof *connection);
}

sqlite3_stmt *lh_connection_sql(struct lh_connection *connection, enum lh_sql which,
                                struct lh_error *err) {
  sqlite3_stmt *statement = connection->statements[which];
  if (statement != NULL) return statement;
  int rc = sqlite3_prepare_v3(connection->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                              &connection->statements[which], NULL);
  if (rc == SQLITE_OK) return connection->statements[which];
  lh_connection_error(connection->db, rc, err);
  return NULL;
}

void lh_connection_reset_all(struct lh_connection *connection) {
  for (size_t i = 0; i < LH_SQL_COUNT; i++)
    if (connection->statements[i] != NULL) sqlite3_reset(connection->statements[i]);
}

int lh_connection_done(struct lh_connection *connection, sqlite3_stmt *statement,
                       struct lh_error *err) {
  errno = 0;
  int rc = sqlite3_step(statement);
  int result = rc == SQLITE_DONE ? LH_OK : lh_connection_error(connection->db, rc, err);
  sqlite3_reset(statement);
  return result;
}

int lh_connection_row(struct lh_connection *connection, sqlite3_stmt *statement,
                      struct lh_error *err) {
  errno = 0;
  int rc = sqlite3_step(statement);
  if (rc == SQLITE_ROW) return 1;
  if (rc != SQLITE_DONE) lh_connection_error(connection->db, rc, err);
  sqlite3_reset(statement);
  return rc == SQLITE_DONE ? 0 : -1;
}

const char *lh_column_text(sqlite3_stmt *statement, int column) {
  const unsigned char *text = sqlite3_column_text(statement, column);
  return text != NULL ? (const char *)text : "";
}

void lh_column_put(char *out, size_t cap, sqlite3_stmt *statement, int column) {
  strncpy(out, lh_column_text(statement, column), cap - 1);
  out[cap - 1] = '\0';
}

void lh_bind_text(sqlite3_stmt *statement, int parameter, const char *text) {
  if (text != NULL)
    sqlite3_bind_text(statement, parameter, text, -1, SQLITE_STATIC);
  else
    sqlite3_bind_null(statement, parameter);
}
