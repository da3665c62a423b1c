/* The statements of access_*.c and audit.c; see statements.h. */
#ifndef LH_STORE_SQLITE_ACCESS_SQL_H
#define LH_STORE_SQLITE_ACCESS_SQL_H

/* clang-format off */
#define LH_TOKEN_COLUMNS \
  "t.id, t.name, a.name, t.scope, t.created_ms, t.last_used_ms, t.revoked_ms, t.token" \
  " FROM tokens t LEFT JOIN accounts a ON a.account = t.account "
#define LH_USER_COLUMNS \
  "u.name, u.role, u.created_ms, u.disabled_ms, (SELECT max(l.seen_ms) FROM logins l WHERE" \
  " l.user = u.user), u.user, u.revision, u.password FROM users u "

#define LH_SQL_ACCESS(X) \
  X(TOKEN_ADD,        "INSERT INTO tokens (id, name, hash, account, scope, created_ms)" \
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)") \
  X(TOKEN_NAMED,      "SELECT 1 FROM tokens WHERE name = ?1 AND revoked_ms IS NULL") \
  X(TOKENS_COUNT,     "SELECT count(*) FROM tokens") \
  X(TOKENS_MAKE_ROOM, "DELETE FROM tokens WHERE token = (SELECT token FROM tokens WHERE" \
                      " revoked_ms IS NOT NULL ORDER BY revoked_ms LIMIT 1)") \
  X(TOKENS,           "SELECT " LH_TOKEN_COLUMNS "ORDER BY t.token") \
  X(TOKEN_BY_ID,      "SELECT " LH_TOKEN_COLUMNS "WHERE t.id = ?1") \
  X(TOKEN_BY_NAME,    "SELECT " LH_TOKEN_COLUMNS "WHERE t.name = ?1 ORDER BY t.revoked_ms IS NULL" \
                      " DESC, t.token DESC LIMIT 1") \
  X(TOKEN_BY_HASH,    "SELECT " LH_TOKEN_COLUMNS "WHERE t.hash = ?1") \
  X(TOKEN_REVOKE,     "UPDATE tokens SET revoked_ms = ?2 WHERE token = ?1 AND revoked_ms IS NULL") \
  X(TOKEN_USED,       "UPDATE tokens SET last_used_ms = ?2 WHERE hash = ?1") \
  X(USER_ADD,         "INSERT INTO users (name, password, role, created_ms)" \
                      " VALUES (?1, ?2, ?3, ?4)") \
  X(USER_BY_NAME,     "SELECT " LH_USER_COLUMNS "WHERE u.name = ?1") \
  X(USERS,            "SELECT " LH_USER_COLUMNS "ORDER BY u.name LIMIT ?1") \
  X(USERS_COUNT,      "SELECT count(*), count(*) FILTER (WHERE role = 1 AND disabled_ms IS NULL)" \
                      " FROM users") \
  X(USER_SAVE,        "UPDATE users SET role = ?2, disabled_ms = ?3, password = coalesce(?4," \
                      " password), revision = revision + 1 WHERE user = ?1") \
  X(USER_REHASH,      "UPDATE users SET password = ?2 WHERE user = ?1 AND password = ?3") \
  X(USER_REMOVE,      "DELETE FROM users WHERE user = ?1") \
  X(USERS_REMOVE,     "DELETE FROM users") \
  X(USER_STILL,       "SELECT 1 FROM users WHERE user = ?1 AND revision = ?2 AND disabled_ms" \
                      " IS NULL") \
  X(LOGIN_ADD,        "INSERT INTO logins (hash, user, created_ms, seen_ms, expires_ms)" \
                      " VALUES (?1, ?2, ?3, ?3, ?4)") \
  X(LOGIN_GET,        "SELECT u.name, u.role, l.created_ms, l.seen_ms, l.expires_ms FROM logins l" \
                      " JOIN users u ON u.user = l.user WHERE l.hash = ?1 AND u.disabled_ms IS" \
                      " NULL") \
  X(LOGIN_SEEN,       "UPDATE logins SET seen_ms = ?2, expires_ms = ?3 WHERE hash = ?1") \
  X(LOGIN_END,        "DELETE FROM logins WHERE hash = ?1") \
  X(LOGINS_END,       "DELETE FROM logins WHERE user = ?1") \
  X(LOGINS_END_ALL,   "DELETE FROM logins") \
  X(LOGINS_TRIM,      "DELETE FROM logins WHERE hash IN (SELECT hash FROM logins WHERE user = ?1" \
                      " ORDER BY seen_ms DESC, hash LIMIT -1 OFFSET ?2)") \
  X(FIRST_RUN_ADD,    "INSERT INTO first_runs (hash, created_ms) VALUES (?1, ?2)") \
  X(FIRST_RUN_GET,    "SELECT created_ms FROM first_runs WHERE hash = ?1") \
  X(FIRST_RUNS_TRIM,  "DELETE FROM first_runs WHERE hash IN (SELECT hash FROM first_runs ORDER BY" \
                      " created_ms DESC, hash LIMIT -1 OFFSET ?1)") \
  X(FIRST_RUNS_END,   "DELETE FROM first_runs") \
  X(KNOCK_GET,        "SELECT until_ms FROM knocks WHERE mask = ?1") \
  X(KNOCK_PUT,        "INSERT INTO knocks (mask, until_ms) VALUES (?1, ?2) ON CONFLICT (mask) DO" \
                      " UPDATE SET until_ms = excluded.until_ms") \
  X(KNOCK_FORGET,     "DELETE FROM knocks WHERE mask = ?1") \
  X(KNOCKS_COUNT,     "SELECT count(*) FROM knocks") \
  X(KNOCKS_MAKE_ROOM, "DELETE FROM knocks WHERE mask = (SELECT mask FROM knocks ORDER BY until_ms" \
                      " LIMIT 1)") \
  X(AUDIT_ADD,        "INSERT INTO audit (at_ms, who, what, object, account, detail)" \
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)") \
  X(AUDIT,            "SELECT entry, at_ms, who, what, object, account, detail FROM audit WHERE" \
                      " entry < ?1 AND at_ms >= ?2 AND (?3 IS NULL OR who = ?3) AND (?4 IS NULL" \
                      " OR what = ?4 OR (substr(?4, -1) = '.' AND substr(what, 1, length(?4)) =" \
                      " ?4)) AND (?5 IS NULL OR object = ?5) AND (?6 IS NULL OR account = ?6)" \
                      " ORDER BY entry DESC LIMIT ?7") \
  X(CLEAN_AUDIT,      "DELETE FROM audit WHERE entry IN (SELECT entry FROM (SELECT entry, at_ms" \
                      " FROM audit ORDER BY entry LIMIT ?2) WHERE at_ms <= ?1)") \
  X(CLEAN_TOKENS,     "DELETE FROM tokens WHERE revoked_ms <= ?1") \
  X(CLEAN_LOGINS,     "DELETE FROM logins WHERE hash IN (SELECT hash FROM logins INDEXED BY" \
                      " logins_by_end WHERE expires_ms <= ?1 LIMIT ?2)") \
  X(CLEAN_KNOCKS,     "DELETE FROM knocks WHERE mask IN (SELECT mask FROM knocks INDEXED BY" \
                      " knocks_by_end WHERE until_ms <= ?1 LIMIT ?2)") \
  X(CLEAN_FIRST_RUNS, "DELETE FROM first_runs WHERE created_ms <= ?1")
/* clang-format on */

#endif
