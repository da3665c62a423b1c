/*
** Every statement that runs more than once, in one table: its name and its
** text. connection.c prepares each at most once per connection.
*/
#ifndef LH_STORE_SQLITE_STATEMENTS_H
#define LH_STORE_SQLITE_STATEMENTS_H

#include "store/sqlite/access_sql.h"
#include "store/sqlite/clean_sql.h"
#include "store/sqlite/figures_sql.h"
#include "store/sqlite/inbox_sql.h"
#include "store/sqlite/jobs_sql.h"
#include "store/sqlite/notices_sql.h"
#include "store/sqlite/tasks_sql.h"

/* clang-format off */
#define LH_WEBHOOK_COLUMNS \
  "w.id, a.name, w.name, w.url, w.event_types, w.headers, w.retry_schedule, d.status," \
  " d.status_reason, d.status_since_ms, w.batch_size, w.batch_bytes_max, w.batch_wait_ms," \
  " w.retries_max, w.retry_interval_s, w.pause_after, d.failed_in_a_row, w.timeout_ms," \
  " w.max_in_flight, w.ordered, w.success, w.scheme, w.created_ms, w.updated_ms, w.webhook," \
  " w.secret, w.secret_next, w.account, d.revision, w.secret_until_ms," \
  " w.waits_until_ms"
/* Those of them that are asked for by number. */
enum {
  LH_COLUMN_SCHEME = 21,
  LH_COLUMN_WEBHOOK = 24,
  LH_COLUMN_SECRET = 25,
  LH_COLUMN_SECRET_NEXT = 26,
  LH_COLUMN_ACCOUNT = 27,
  LH_COLUMN_REVISION = 28,
  LH_COLUMN_AFTER = 31 /* the first behind them */
};
#define LH_WEBHOOK_FROM \
  " FROM webhooks w JOIN dispatch d ON d.webhook = w.webhook JOIN accounts a ON a.account =" \
                      " w.account "
#define LH_REQUEST_COLUMNS \
  "r.request, r.request_id, w.id, r.state, r.reason, r.epoch, r.attempts_made, r.budget_start," \
  " r.next_attempt_ms, r.finished_ms, r.total_count, r.created_ms, r.positions," \
  " r.first_position, r.last_position, r.webhook, w.account, r.body IS NOT NULL"
#define LH_REQUEST_FROM \
  " FROM requests r JOIN webhooks w ON w.webhook = r.webhook "

#define LH_STATS_COLUMNS \
  "d.webhook, w.id, a.name, w.name, w.account, d.status, d.pending, d.in_flight, d.retrying," \
  " d.delivered, d.failed, d.attempts, d.cursor, d.due_ms, d.asleep, d.figures_ms, d.figures," \
  " d.last_delivered_ms" LH_WEBHOOK_FROM

#define LH_SQL_STATEMENTS(X) \
  X(BEGIN,            "BEGIN IMMEDIATE") \
  X(COMMIT,           "COMMIT") \
  X(ROLLBACK,         "ROLLBACK") \
  X(SAVEPOINT,        "SAVEPOINT member") \
  X(RELEASE,          "RELEASE member") \
  X(ROLLBACK_TO,      "ROLLBACK TO member") \
  X(HEAD,             "SELECT max(position) FROM events") \
  X(ACCOUNT_FIND,     "SELECT account FROM accounts WHERE name = ?1") \
  X(ACCOUNT_ADD,      "INSERT INTO accounts (name) VALUES (?1)") \
  X(TYPE_ADD,         "INSERT INTO event_types (name, category) VALUES (?1, ?2)") \
  X(TYPES_HIGHEST,    "SELECT max(type) FROM event_types") \
  X(TYPES_AFTER,      "SELECT type, name, category FROM event_types WHERE type > ?1 ORDER BY" \
                      " type") \
  X(TYPE_FIND,        "SELECT type FROM event_types WHERE name = ?1") \
  X(KEY_FIND,         "SELECT position FROM idempotency WHERE account = ?1 AND key = ?2") \
  X(KEY_ADD,          "INSERT INTO idempotency (account, key, position) VALUES (?1, ?2, ?3)") \
  X(EVENT_ADD,        "INSERT INTO events (position, account, type, event_id, created_ms," \
                      " member, data)" \
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)") \
  X(EVENT_BY_ID,      "SELECT position, account, type, event_id, data FROM events WHERE" \
                      " event_id = ?1") \
  X(EVENT_BY_POSITION,"SELECT position, account, type, event_id, data, created_ms FROM events" \
                      " WHERE position = ?1") \
  X(EVENT_SHOW,       "SELECT e.position, t.name, a.name, e.created_ms, e.data FROM events e" \
                      " JOIN event_types t ON t.type = e.type JOIN accounts a ON a.account =" \
                      " e.account" \
                      " WHERE e.event_id = ?1") \
  X(EXPLAIN_EVENT,    "SELECT e.position, e.account, e.created_ms, t.name, t.category FROM" \
                      " events e JOIN event_types t ON t.type = e.type WHERE e.event_id = ?1") \
  X(EXPLAIN_WEBHOOKS, "SELECT " LH_WEBHOOK_COLUMNS ", d.cursor, d.in_flight, d.failing," \
                      " d.next_start_ms, d.due_ms, d.epoch, w.deleted_ms" LH_WEBHOOK_FROM \
                      "WHERE w.account = ?1 ORDER BY w.webhook LIMIT ?2") \
  X(EXPLAIN_SPAN,     "SELECT s.mode, s.reason, s.event_types, (SELECT created_ms FROM events e" \
                      " WHERE e.position >= s.from_position ORDER BY e.position LIMIT 1)" \
                      " FROM spans s WHERE s.webhook = ?1 AND s.from_position <= ?2" \
                      " ORDER BY s.from_position DESC LIMIT 1") \
  X(SESSIONS_COUNT,   "SELECT count(*) FROM sessions") \
  X(EVENTS_FROM,      "SELECT position, account, type, event_id, data, created_ms FROM events" \
                      " WHERE position > ?1 ORDER BY position") \
  X(EVENT_NEXT_OF_TYPE,"SELECT position FROM events INDEXED BY events_by_type" \
                      " WHERE account = ?1 AND type = ?2 AND position > ?3 ORDER BY position" \
                      " LIMIT 1") \
  X(WAKE_ACCOUNT,     "UPDATE dispatch SET asleep = 0, due_ms = ?2 WHERE account = ?1 AND" \
                      " asleep = 1") \
  X(DISPATCH_GET,     "SELECT account, status, epoch, epoch_reason, revision, cursor," \
                      " in_flight, failing," \
                      " next_start_ms, failed_in_a_row, due_ms, asleep, ordered_request," \
                      " pending, retrying, delivered, failed, attempts, figures_ms, figures," \
                      " last_delivered_ms FROM dispatch WHERE webhook = ?1") \
  /* Not the epoch: its CHECK is dear (an IN of four makes a table), and it seldom changes. */ \
  X(DISPATCH_SAVE,    "UPDATE dispatch SET status = ?2, revision = ?3, cursor = ?4," \
                      " in_flight = ?5, failing = ?6, next_start_ms = ?7, failed_in_a_row = ?8," \
                      " due_ms = ?9, asleep = ?10, ordered_request = ?11, pending = ?12," \
                      " retrying = ?13, delivered = ?14, failed = ?15, attempts = ?16," \
                      " figures_ms = ?17, figures = ?18, last_delivered_ms = ?19" \
                      " WHERE webhook = ?1") \
  X(FIGURES_GET,      "SELECT figures FROM figures WHERE webhook = ?1 AND from_ms = ?2") \
  X(FIGURES_PUT,      "INSERT OR REPLACE INTO figures (webhook, from_ms, figures)" \
                      " VALUES (?1, ?2, ?3)") \
  X(DISPATCH_STATUS,  "UPDATE dispatch SET status_reason = ?2, status_since_ms = ?3, epoch = ?4," \
                      " epoch_reason = ?5 WHERE webhook = ?1") \
  X(DISPATCH_DUE,     "SELECT webhook FROM dispatch WHERE due_ms <= ?1 ORDER BY due_ms LIMIT ?2") \
  X(DISPATCH_LOOK_AGAIN,"UPDATE dispatch SET due_ms = ?1 WHERE due_ms > ?1") \
  X(DISPATCH_NEXT,    "SELECT min(due_ms) FROM dispatch WHERE due_ms IS NOT NULL") \
  X(DISPATCH_COUNT_DUE,"SELECT count(*) FROM dispatch WHERE due_ms <= ?1") \
  X(DISPATCH_COUNT_LATER,"SELECT count(*) FROM dispatch WHERE due_ms > ?1") \
  X(STATS_OF_ID,      "SELECT " LH_STATS_COLUMNS "WHERE w.id = ?1") \
  X(STATS_OF_ACCOUNT, "SELECT " LH_STATS_COLUMNS "WHERE w.account = (SELECT account FROM" \
                      " accounts WHERE name = ?1) ORDER BY w.webhook") \
  X(STATS_OF_ALL,     "SELECT " LH_STATS_COLUMNS "ORDER BY w.webhook") \
  X(STATS_STORE,      "SELECT (SELECT coalesce(max(position), 0) FROM events) - coalesce((SELECT" \
                      " min(position) - 1 FROM events), 0), (SELECT count(*) FROM webhooks" \
                      " WHERE deleted_ms IS NULL), (SELECT count(*) FROM accounts)") \
  X(STATS_SPANS,      "SELECT s.from_position, s.event_types, (SELECT n.from_position - 1 FROM" \
                      " spans n WHERE n.webhook = s.webhook AND n.from_position >" \
                      " s.from_position ORDER BY n.from_position LIMIT 1) FROM spans s WHERE" \
                      " s.webhook = ?1 AND s.mode <> 2 AND s.from_position >= coalesce((SELECT" \
                      " max(c.from_position) FROM spans c WHERE c.webhook = ?1 AND" \
                      " c.from_position <= ?2), 0) ORDER BY s.from_position") \
  X(STATS_WAITING,    "SELECT count(*) FROM (SELECT 1 FROM events INDEXED BY events_by_type" \
                      " WHERE account = ?1 AND type = ?2 AND position BETWEEN ?3 AND ?4" \
                      " LIMIT ?5)") \
  X(STATS_EMITTED,    "SELECT created_ms FROM events WHERE position = ?1") \
  X(STATS_OLDEST_WAITING,"SELECT coalesce(emitted_ms, created_ms) FROM requests INDEXED BY" \
                      " requests_waiting WHERE webhook = ?1 AND next_attempt_ms IS NOT NULL" \
                      " ORDER BY request LIMIT 1") \
  X(STATS_OLDEST_SENDING,"SELECT min(coalesce(emitted_ms, created_ms)) FROM requests WHERE" \
                      " session IS NOT NULL AND webhook = ?1") \
  X(STATS_FIGURES,    "SELECT figures FROM figures WHERE webhook = ?1 AND from_ms >= ?2") \
  X(SPANS,            "SELECT from_position, mode, reason, event_types FROM spans WHERE" \
                      " webhook = ?1 AND from_position >= coalesce((SELECT s.from_position" \
                      " FROM spans s JOIN dispatch d ON d.webhook = s.webhook WHERE s.webhook" \
                      " = ?1 AND s.from_position <= d.cursor + 1 ORDER BY s.from_position DESC" \
                      " LIMIT 1), 0) ORDER BY from_position") \
  X(SPAN_PUT,         "INSERT INTO spans (webhook, from_position, mode, reason, event_types)" \
                      " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (webhook, from_position) DO" \
                      " UPDATE" \
                      " SET mode = excluded.mode, reason = excluded.reason, event_types =" \
                      " excluded.event_types") \
  X(SPANS_LATER_MODE, "UPDATE spans SET mode = ?3, reason = ?4 WHERE webhook = ?1 AND" \
                      " from_position > ?2 AND mode = 0") \
  X(SPAN_AT,          "SELECT event_types, mode FROM spans WHERE webhook = ?1 AND" \
                      " from_position <= ?2" \
                      " ORDER BY from_position DESC LIMIT 1") \
  X(WEBHOOK_BY_NUMBER,"SELECT " LH_WEBHOOK_COLUMNS LH_WEBHOOK_FROM "WHERE w.webhook = ?1") \
  X(WEBHOOK_BY_ID,    "SELECT " LH_WEBHOOK_COLUMNS LH_WEBHOOK_FROM "WHERE w.id = ?1") \
  X(WEBHOOK_BY_NAME,  "SELECT " LH_WEBHOOK_COLUMNS LH_WEBHOOK_FROM \
                      "WHERE w.name = ?1 AND w.deleted_ms IS NULL AND (?2 IS NULL OR a.name = ?2)" \
                      " ORDER BY w.webhook LIMIT 2") \
  X(WEBHOOKS,         "SELECT " LH_WEBHOOK_COLUMNS LH_WEBHOOK_FROM \
                      "WHERE (?1 IS NULL OR a.name = ?1) AND (?2 OR w.deleted_ms IS NULL)" \
                      " AND w.webhook > ?3 ORDER BY w.webhook LIMIT ?4") \
  X(WEBHOOK_NUMBER,   "SELECT w.webhook FROM webhooks w JOIN accounts a ON a.account = w.account" \
                      " WHERE w.id = ?1 AND (?2 IS NULL OR a.name = ?2)") \
  X(WEBHOOK_COUNT,    "SELECT count(*) FROM webhooks WHERE account = ?1 AND deleted_ms IS NULL") \
  X(WEBHOOK_SAME,     "SELECT name = ?2, id FROM webhooks WHERE account = ?1 AND deleted_ms" \
                      " IS NULL" \
                      " AND webhook <> ?4 AND (name = ?2 OR url_normal = ?3) LIMIT 1") \
  X(WEBHOOK_ADD,      "INSERT INTO webhooks (id, account, name, url, url_normal, event_types," \
                      " headers," \
                      " retry_schedule, batch_size, batch_bytes_max, batch_wait_ms, retries_max," \
                      " retry_interval_s, pause_after, timeout_ms, max_in_flight, ordered," \
                      " success, scheme," \
                      " secret, created_ms, updated_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7," \
                      " ?8, ?9, ?10," \
                      " ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?21)") \
  X(WEBHOOK_EDIT,     "UPDATE webhooks SET name = ?3, url = ?4, url_normal = coalesce(?5," \
                      " url_normal), event_types = ?6, headers = ?7, retry_schedule = ?8," \
                      " batch_size = ?9, batch_bytes_max = ?10, batch_wait_ms = ?11," \
                      " retries_max = ?12, retry_interval_s = ?13, pause_after = ?14," \
                      " timeout_ms = ?15, max_in_flight = ?16, ordered = ?17, success = ?18," \
                      " scheme = ?19, updated_ms = ?20, waits_until_ms = ?21 WHERE webhook = ?1") \
  X(WEBHOOK_DELETE,   "UPDATE webhooks SET deleted_ms = ?2, updated_ms = ?2 WHERE webhook = ?1") \
  X(WEBHOOK_TOUCH,    "UPDATE webhooks SET updated_ms = ?2 WHERE webhook = ?1") \
  X(WEBHOOK_SECRETS,  "UPDATE webhooks SET secret = coalesce(?2, secret), secret_next = ?3," \
                      " secret_until_ms = ?4, updated_ms = ?5 WHERE webhook = ?1") \
  X(WEBHOOK_PROMOTE,  "UPDATE webhooks SET secret = secret_next, secret_next = NULL," \
                      " secret_until_ms = NULL WHERE webhook = ?1 AND secret_next IS NOT NULL") \
  X(DISPATCH_ADD,     "INSERT INTO dispatch (webhook, account, status_since_ms, cursor," \
                      " swept) VALUES (?1, ?2, ?3, ?4, ?4)") \
  X(REQUEST_GET,      "SELECT request_id, webhook, state, reason, epoch, attempts_made," \
                      " budget_start," \
                      " next_attempt_ms, finished_ms, total_count, session, started_ms," \
                      " given_back, created_ms, coalesce(emitted_ms, created_ms)" \
                      " FROM requests WHERE request = ?1") \
  X(REQUEST_SAVE,     "UPDATE requests SET state = ?2, reason = ?3, epoch = ?4, attempts_made" \
                      " = ?5," \
                      " budget_start = ?6, next_attempt_ms = ?7, finished_ms = ?8, session = ?9," \
                      " started_ms = ?10, given_back = ?11 WHERE request = ?1") \
  X(REQUEST_ADD,      "INSERT INTO requests (request_id, webhook, state, reason, epoch," \
                      " attempts_made," \
                      " next_attempt_ms, finished_ms, session, started_ms, total_count," \
                      " first_position," \
                      " last_position, positions, created_ms, emitted_ms) VALUES (?1, ?2, ?3," \
                      " ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)") \
  X(REQUEST_RETRYING, "SELECT request, next_attempt_ms FROM requests WHERE webhook = ?1" \
                      " AND epoch = ?2 AND next_attempt_ms IS NOT NULL AND state = 2" \
                      " ORDER BY next_attempt_ms, request LIMIT 1") \
  X(REQUEST_STALE,    "SELECT request FROM requests WHERE webhook = ?1 AND epoch < ?2" \
                      " AND next_attempt_ms IS NOT NULL ORDER BY epoch, next_attempt_ms," \
                      " request LIMIT 1") \
  X(REQUEST_OLDEST,   "SELECT request, next_attempt_ms FROM requests INDEXED BY" \
                      " requests_waiting WHERE webhook = ?1 AND next_attempt_ms IS NOT NULL" \
                      " ORDER BY request LIMIT 1") \
  X(REQUEST_PENDING,  "SELECT request, next_attempt_ms FROM requests WHERE webhook = ?1" \
                      " AND state = 0 ORDER BY request LIMIT 1") \
  X(REQUESTS_PULL_IN, "UPDATE requests SET next_attempt_ms =" \
                      " CASE state WHEN 0 THEN ?4 ELSE ?3 END" \
                      " WHERE webhook = ?1 AND next_attempt_ms > ?2") \
  X(REQUEST_EVENTS,   "SELECT first_position, positions, total_count, body FROM requests WHERE" \
                      " request = ?1") \
  X(REQUEST_OF_SESSION,"SELECT request FROM requests WHERE session = ?1 LIMIT ?2") \
  X(REQUESTS_SENDING, "SELECT count(*) FROM requests WHERE session IS NOT NULL") \
  X(REQUESTS_GIVEN_BACK,"SELECT count(*) FROM requests WHERE given_back > 0 AND" \
                      " next_attempt_ms IS NOT NULL") \
  X(REQUEST_BY_ID,    "SELECT " LH_REQUEST_COLUMNS LH_REQUEST_FROM "WHERE r.request_id = ?1") \
  X(REQUEST_SHOW,     "SELECT " LH_REQUEST_COLUMNS LH_REQUEST_FROM "WHERE r.request = ?1") \
  /* Pages of the log: the next one below ?2, by number or by first position (pages.c). */ \
  X(PAGE_ANY,         "SELECT request FROM requests WHERE request < ?2 ORDER BY request DESC" \
                      " LIMIT 1") \
  X(PAGE_CREATED,     "SELECT request, created_ms FROM requests WHERE request < ?2 ORDER BY" \
                      " request DESC LIMIT 1") \
  X(PAGE_FAILED_ANY,  "SELECT request FROM requests INDEXED BY requests_failed_all WHERE" \
                      " state = 4 AND request < ?2 ORDER BY request DESC LIMIT 1") \
  X(PAGE_FAILED,      "SELECT request FROM requests INDEXED BY requests_failed WHERE webhook" \
                      " = ?1 AND state = 4 AND request < ?2 ORDER BY request DESC LIMIT 1") \
  X(PAGE_PENDING,     "SELECT request FROM requests INDEXED BY requests_pending WHERE webhook" \
                      " = ?1 AND state = 0 AND request < ?2 ORDER BY request DESC LIMIT 1") \
  X(PAGE_WAITING,     "SELECT request FROM requests INDEXED BY requests_waiting WHERE webhook" \
                      " = ?1 AND next_attempt_ms IS NOT NULL AND request < ?2" \
                      " ORDER BY request DESC LIMIT 1") \
  X(PAGE_RANGE,       "SELECT request, first_position FROM requests WHERE webhook = ?1 AND" \
                      " first_position < ?2 ORDER BY first_position DESC LIMIT 1") \
  X(PAGE_SENDING,     "SELECT request, webhook FROM requests WHERE session IS NOT NULL") \
  X(WAITING_WEBHOOK,  "SELECT webhook FROM requests INDEXED BY requests_waiting WHERE" \
                      " webhook > ?1 AND next_attempt_ms IS NOT NULL ORDER BY webhook LIMIT 1") \
  X(WEBHOOKS_OF,      "SELECT webhook FROM webhooks WHERE account = ?1") \
  X(MEMBER_ACCOUNT,   "SELECT account FROM events WHERE member = ?1 AND account > ?2" \
                      " ORDER BY account LIMIT 1") \
  X(MEMBER_BELOW,     "SELECT position FROM events WHERE member = ?1 AND account = ?2 AND" \
                      " position < ?3 ORDER BY position DESC LIMIT 1") \
  X(MEMBER_FROM,      "SELECT position FROM events WHERE member = ?1 AND account = ?2 AND" \
                      " position >= ?3 ORDER BY position LIMIT 1") \
  X(ATTEMPT_PUT,      "INSERT INTO attempts (request, number, started_ms, duration_ms," \
                      " outcome, status, error, url, nonce, response, sent, revision, tags)" \
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)" \
                      " ON CONFLICT (request, number) DO UPDATE SET started_ms =" \
                      " excluded.started_ms, duration_ms = excluded.duration_ms, outcome =" \
                      " excluded.outcome, status = excluded.status, error = excluded.error," \
                      " url = excluded.url, nonce = excluded.nonce, response =" \
                      " excluded.response, sent = excluded.sent, revision = excluded.revision," \
                      " tags = excluded.tags") \
  X(ATTEMPT_HERE,     "SELECT 1 FROM attempts WHERE request = ?1 AND number = ?2") \
  X(ATTEMPTS,         "SELECT t.number, t.started_ms, t.duration_ms, t.outcome, t.status," \
                      " t.error, t.url, t.nonce, t.response, t.sent, t.tags," \
                      " CASE WHEN p.webhook IS NULL THEN w.scheme ELSE p.scheme END," \
                      " CASE WHEN p.webhook IS NULL THEN w.headers ELSE p.headers END" \
                      " FROM attempts t JOIN requests r ON r.request = t.request" \
                      " JOIN webhooks w ON w.webhook = r.webhook" \
                      " LEFT JOIN past_headers p ON p.webhook = w.webhook AND p.until_revision =" \
                      " (SELECT min(until_revision) FROM past_headers WHERE webhook = w.webhook" \
                      " AND until_revision > t.revision)" \
                      " WHERE t.request = ?1 ORDER BY t.number") \
  X(HEADERS_PAST,     "INSERT INTO past_headers (webhook, until_revision, last_position, scheme," \
                      " headers) SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM requests" \
                      " WHERE webhook = ?1)") \
  X(SESSION_ADD,      "INSERT INTO sessions (started_ms, heartbeat_ms, pid, lock_inode)" \
                      " VALUES (?1, ?1, ?2, ?3)") \
  X(SESSION_BEAT,     "UPDATE sessions SET heartbeat_ms = ?2 WHERE session = ?1") \
  X(SESSION_HERE,     "SELECT 1 FROM sessions WHERE session = ?1") \
  X(SESSION_END,      "DELETE FROM sessions WHERE session = ?1") \
  X(SESSIONS,         "SELECT session, heartbeat_ms, lock_inode FROM sessions WHERE session" \
                      " <> ?1 ORDER BY session LIMIT 1000") \
  X(EVENT_ID_AT,      "SELECT event_id FROM events WHERE position = ?1") \
  LH_SQL_NOTICES(X) \
  LH_SQL_JOBS(X) \
  LH_SQL_INBOX(X) \
  LH_SQL_ACCESS(X) \
  LH_SQL_CLEAN(X) \
  LH_SQL_FIGURES(X) \
  LH_SQL_TASKS(X)

enum lh_sql {
#define X(name, text) LH_SQL_##name,
  LH_SQL_STATEMENTS(X)
#undef X
  LH_SQL_COUNT
};
/* clang-format on */

#endif
