/*
** The tables of access.h and audit.h, a part of migration 3 (schema.c). Nothing
** in them lets a reader of the file in: tokens and logins are hashes, passwords
** slow ones, and who knocked is masked (people type passwords as names).
*/
#include <stddef.h>

#include "store/sqlite/schema.h"

/* clang-format off */
const char *const lh_schema_access[] = {
  "CREATE TABLE tokens ("
  " token INTEGER PRIMARY KEY AUTOINCREMENT,"
  " id BLOB NOT NULL UNIQUE CHECK (length(id) = 12),"
  " name TEXT NOT NULL CHECK (length(name) > 0),"
  " hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),"
  " account INTEGER REFERENCES accounts,"             /* NULL: all */
  " scope INTEGER NOT NULL CHECK (scope IN (0, 1)),"
  " created_ms INTEGER NOT NULL,"
  " last_used_ms INTEGER,"
  " revoked_ms INTEGER"
  ") STRICT;"
  "CREATE UNIQUE INDEX tokens_by_name ON tokens (name) WHERE revoked_ms IS NULL;"

  "CREATE TABLE users ("
  " user INTEGER PRIMARY KEY AUTOINCREMENT,"
  " name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) > 0),"
  " password BLOB NOT NULL CHECK (length(password) > 32),"
  " role INTEGER NOT NULL CHECK (role IN (0, 1)),"
  " revision INTEGER NOT NULL DEFAULT 1,"
  " created_ms INTEGER NOT NULL,"
  " disabled_ms INTEGER"
  ") STRICT;"

  "CREATE TABLE logins ("
  " hash BLOB PRIMARY KEY CHECK (length(hash) = 32),"
  " user INTEGER NOT NULL REFERENCES users,"
  " created_ms INTEGER NOT NULL,"
  " seen_ms INTEGER NOT NULL,"
  " expires_ms INTEGER NOT NULL"
  ") STRICT, WITHOUT ROWID;"
  "CREATE INDEX logins_of_user ON logins (user, seen_ms);"
  "CREATE INDEX logins_by_end ON logins (expires_ms);"

  "CREATE TABLE first_runs ("
  " hash BLOB PRIMARY KEY CHECK (length(hash) = 32),"
  " created_ms INTEGER NOT NULL"
  ") STRICT, WITHOUT ROWID;"

  /* When what was tried so far is paid for, at one try in a while: all that is to be known. */
  "CREATE TABLE knocks ("
  " mask BLOB PRIMARY KEY CHECK (length(mask) = 32),"
  " until_ms INTEGER NOT NULL"
  ") STRICT, WITHOUT ROWID;"
  "CREATE INDEX knocks_by_end ON knocks (until_ms);"
  , NULL
};

const char *const lh_schema_audit[] = {
  "CREATE TABLE audit ("
  " entry INTEGER PRIMARY KEY AUTOINCREMENT,"
  " at_ms INTEGER NOT NULL,"
  " who TEXT NOT NULL CHECK (length(who) > 0),"
  " what TEXT NOT NULL CHECK (length(what) > 0),"
  " object TEXT,"
  " account TEXT,"
  " detail TEXT"
  ") STRICT;"
  "CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN"
  " SELECT RAISE(ABORT, 'an entry of the audit log is never changed'); END;"
  , NULL
};
/* clang-format on */
