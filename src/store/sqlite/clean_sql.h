/* The statements of retention (clean.c, sweep.c); see statements.h. */
#ifndef LH_STORE_SQLITE_CLEAN_SQL_H
#define LH_STORE_SQLITE_CLEAN_SQL_H

/* clang-format off */
#define LH_SQL_CLEAN(X) \
  X(CLEAN_AGES,       "SELECT position, created_ms FROM events WHERE position > ?1" \
                      " ORDER BY position LIMIT ?2") \
  X(CLEAN_LOW,        "SELECT coalesce(min(position), 0) FROM events") \
  X(CLEAN_FLOOR,      "SELECT min(swept) FROM dispatch") \
  X(CLEAN_SIZES,      "SELECT position, length(data) FROM events WHERE position <= ?1" \
                      " ORDER BY position LIMIT ?2") \
  X(CLEAN_EVENTS,     "DELETE FROM events WHERE position <= ?1") \
  X(CLEAN_KEYS,       "DELETE FROM idempotency WHERE position <= ?1") \
  X(SWEEP_NEXT,       "SELECT webhook, cursor, due_ms IS NULL AND (asleep = 1 OR status >= 2)," \
                      " swept FROM dispatch WHERE webhook > ?1 AND swept < ?2" \
                      " ORDER BY webhook LIMIT 1") \
  X(SWEEP_REQUESTS,   "SELECT request, state, first_position, last_position, body IS NOT NULL" \
                      " FROM requests WHERE webhook = ?1 AND first_position > ?2" \
                      " ORDER BY first_position LIMIT ?3") \
  X(KEPT_ADD,         "INSERT INTO kept (request, events) VALUES (?1, ?2)") \
  X(KEPT_GET,         "SELECT events FROM kept WHERE request = ?1") \
  X(KEPT_LENGTH,      "SELECT length(events) FROM kept WHERE request = ?1") \
  X(KEPT_DELETE,      "DELETE FROM kept WHERE request = ?1") \
  X(SWEEP_KEEP,       "UPDATE requests SET body = x'01' WHERE request = ?1") \
  X(SWEEP_DONE,       "UPDATE dispatch SET swept = ?2 WHERE webhook = ?1") \
  X(SWEEP_SPANS,      "DELETE FROM spans WHERE webhook = ?1 AND from_position < (SELECT" \
                      " max(from_position) FROM spans WHERE webhook = ?1 AND from_position" \
                      " <= ?2)") \
  X(REQUEST_NEWEST,   "SELECT coalesce(max(request), 0) FROM requests") \
  X(REQUEST_DELETE,   "DELETE FROM requests WHERE request = ?1") \
  X(ATTEMPTS_DELETE,  "DELETE FROM attempts WHERE request = ?1") \
  X(CLEAN_FAILED,     "SELECT request, webhook, state FROM requests INDEXED BY" \
                      " requests_failed_at WHERE state = 4 AND finished_ms <= ?1 AND request < ?2" \
                      " ORDER BY finished_ms LIMIT ?3") \
  X(CLEAN_KEPT,       "SELECT request, webhook, state FROM requests INDEXED BY requests_kept" \
                      " WHERE state = 3 AND body IS NOT NULL AND finished_ms <= ?1 AND" \
                      " request < ?2 ORDER BY finished_ms LIMIT ?3") \
  X(CLEAN_FIGURES,    "DELETE FROM figures WHERE (webhook, from_ms) IN (SELECT webhook, from_ms" \
                      " FROM figures INDEXED BY figures_by_time WHERE from_ms < ?1 LIMIT ?2)") \
  X(CLEAN_HEADERS,    "DELETE FROM past_headers WHERE (webhook, until_revision) IN (SELECT" \
                      " webhook, until_revision FROM past_headers p WHERE NOT EXISTS (SELECT 1" \
                      " FROM requests r WHERE r.webhook = p.webhook AND r.first_position <=" \
                      " p.last_position) LIMIT ?1)") \
  X(CLEAN_JOBS,       "DELETE FROM jobs WHERE finished_ms <= ?1") \
  X(CLEAN_NOTICES,    "DELETE FROM notices WHERE notice IN (SELECT n.notice FROM (SELECT" \
                      " notice, webhook, created_ms FROM notices ORDER BY notice LIMIT ?2) n" \
                      " LEFT JOIN mailings m ON m.webhook = n.webhook WHERE n.created_ms <= ?1" \
                      " AND (m.last_notice IS NULL OR n.notice <= m.notified OR n.notice >" \
                      " m.last_notice))") \
  X(CLEAN_GONE,       "SELECT w.webhook FROM webhooks w JOIN dispatch d ON d.webhook =" \
                      " w.webhook WHERE w.deleted_ms <= ?1 AND d.due_ms IS NULL AND NOT EXISTS" \
                      " (SELECT 1 FROM requests r WHERE r.webhook = w.webhook) AND NOT EXISTS" \
                      " (SELECT 1 FROM notices n WHERE n.webhook = w.webhook) AND NOT EXISTS" \
                      " (SELECT 1 FROM jobs WHERE finished_ms IS NULL) LIMIT 1") \
  X(GONE_JOBS,        "DELETE FROM jobs WHERE webhook = ?1") \
  X(GONE_SPANS,       "DELETE FROM spans WHERE webhook = ?1") \
  X(GONE_FIGURES,     "DELETE FROM figures WHERE webhook = ?1") \
  X(GONE_MAILINGS,    "DELETE FROM mailings WHERE webhook = ?1") \
  X(GONE_DISPATCH,    "DELETE FROM dispatch WHERE webhook = ?1") \
  X(GONE_WEBHOOK,     "DELETE FROM webhooks WHERE webhook = ?1")
/* clang-format on */

#endif
