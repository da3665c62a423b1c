/* The statements of notices.c and mailings.c, a part of the table in statements.h. */
#ifndef LH_STORE_SQLITE_NOTICES_SQL_H
#define LH_STORE_SQLITE_NOTICES_SQL_H

/* clang-format off */
#define LH_NOTICE_COLUMNS \
  "n.notice, n.kind, a.name, w.name, w.id, r.request_id, n.reason, n.created_ms, m.notified >=" \
  " n.notice FROM notices n JOIN accounts a ON a.account = n.account JOIN webhooks w ON w.webhook" \
  " = n.webhook LEFT JOIN mailings m ON m.webhook = n.webhook LEFT JOIN requests r ON r.request" \
  " = n.request "

#define LH_SQL_NOTICES(X) \
  X(NOTICE_ADD,       "INSERT INTO notices (account, webhook, kind, request, reason, created_ms)" \
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)") \
  X(NOTICE_LAST,      "SELECT max(notice) FROM notices WHERE webhook = ?1") \
  X(NOTICE_SUMS,      "SELECT kind, reason, count(*), min(created_ms), max(created_ms) FROM" \
                      " notices WHERE webhook = ?1 AND notice > ?2 AND notice <= ?3" \
                      " GROUP BY kind, reason ORDER BY kind, reason LIMIT ?4") \
  X(NOTICE_ENTRIES,   "SELECT n.reason, n.created_ms, r.request_id, r.state, r.total_count," \
                      " r.attempts_made, t.outcome, t.status, t.error, t.response FROM notices n" \
                      " JOIN requests r ON r.request = n.request LEFT JOIN attempts t" \
                      " ON t.request = n.request AND t.number = (SELECT max(number) FROM" \
                      " attempts WHERE request = n.request) WHERE n.webhook = ?1 AND" \
                      " n.notice > ?2 AND n.notice <= ?3 AND n.kind = 0 ORDER BY n.notice" \
                      " LIMIT ?4") \
  X(NOTICES,          "SELECT " LH_NOTICE_COLUMNS "WHERE n.notice < ?1 AND n.created_ms >= ?2" \
                      " AND (?3 IS NULL OR a.name = ?3) ORDER BY n.notice DESC LIMIT ?4") \
  X(NOTICES_OF,       "SELECT " LH_NOTICE_COLUMNS "WHERE n.notice < ?1 AND n.created_ms >= ?2" \
                      " AND (?3 IS NULL OR a.name = ?3) AND n.webhook = (SELECT webhook FROM" \
                      " webhooks WHERE id = ?5) ORDER BY n.notice DESC LIMIT ?4") \
  X(MAILING_NOTE,     "INSERT INTO mailings (webhook, account, due_ms) VALUES (?1, ?2, ?3)" \
                      " ON CONFLICT (webhook) DO UPDATE SET due_ms = CASE WHEN session IS NULL" \
                      " THEN coalesce(due_ms, min(max(?3, coalesce(sent_ms + ?4, 0)), ?3 + ?4))" \
                      " END") \
  X(MAILING_NEXT,     "SELECT min(due_ms), max(due_ms) FROM mailings WHERE due_ms IS NOT NULL") \
  X(MAILINGS_PULL_IN, "UPDATE mailings SET due_ms = ?1 WHERE due_ms > ?2") \
  X(MAILING_DUE,      "SELECT m.webhook, m.notified, m.last_notice, m.message_id, a.notify FROM" \
                      " mailings m JOIN accounts a ON a.account = m.account WHERE m.due_ms" \
                      " <= ?1 ORDER BY m.due_ms LIMIT 1") \
  X(MAILING_PUT_OFF,  "UPDATE mailings SET due_ms = ?2 WHERE webhook = ?1") \
  X(MAILING_LEASE,    "UPDATE mailings SET due_ms = NULL, last_notice = ?2, message_id = ?3," \
                      " session = ?4 WHERE webhook = ?1") \
  X(MAILING_GET,      "SELECT message_id, session, attempts, last_notice FROM mailings WHERE" \
                      " webhook = ?1") \
  X(MAILING_ACCEPTED, "UPDATE mailings SET notified = last_notice, due_ms = CASE WHEN EXISTS" \
                      " (SELECT 1 FROM notices n WHERE n.webhook = ?1 AND n.notice > last_notice)" \
                      " THEN ?2 + ?3 END, last_notice = NULL, message_id = NULL, session = NULL," \
                      " attempts = 0, sent_ms = ?2, error = ?4 WHERE webhook = ?1") \
  X(MAILING_REFUSED,  "UPDATE mailings SET due_ms = ?2, last_notice = NULL, message_id = NULL," \
                      " session = NULL, attempts = attempts + 1, error = ?3 WHERE webhook = ?1") \
  X(MAILING_UNKNOWN,  "UPDATE mailings SET due_ms = ?2, session = NULL, attempts = attempts + 1," \
                      " error = ?3 WHERE webhook = ?1") \
  X(MAILINGS_RELEASE, "UPDATE mailings SET session = NULL, due_ms = ?2 WHERE session = ?1") \
  X(ACCOUNT_NOTIFY,   "UPDATE accounts SET notify = ?2 WHERE account = ?1" \
                      " AND notify IS NOT ?2") \
  X(MAILINGS_HURRY,   "UPDATE mailings SET due_ms = min(due_ms, max(?2, coalesce(sent_ms + ?3," \
                      " 0))) WHERE account = ?1 AND due_ms IS NOT NULL") \
  X(ACCOUNTS,         "SELECT a.name, a.notify, (SELECT count(*) FROM webhooks w WHERE w.account" \
                      " = a.account AND w.deleted_ms IS NULL) FROM accounts a WHERE (?1 IS NULL" \
                      " OR a.name = ?1) AND a.name > ?2 ORDER BY a.name LIMIT ?3")
/* clang-format on */

#endif
