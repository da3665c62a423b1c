/* The statements of manual retry and its jobs (retry.c, jobs.c, job_step.c); see statements.h. */
#ifndef LH_STORE_SQLITE_JOBS_SQL_H
#define LH_STORE_SQLITE_JOBS_SQL_H

/* clang-format off */
#define LH_JOB_COLUMNS \
  "SELECT j.job, j.id, a.name, w.id, j.reason, j.since_ms, j.failed_from_ms, j.created_ms," \
  " j.settled_ms, j.total, j.retried, j.left_over, j.finished_ms, j.account, j.webhook," \
  " j.at_webhook, j.at_request, j.session, j.stepped_ms, j.until_ms FROM jobs j" \
  " LEFT JOIN accounts a ON a.account = j.account" \
  " LEFT JOIN webhooks w ON w.webhook = j.webhook "

#define LH_SQL_JOBS(X) \
  X(REQUEST_NUMBER,   "SELECT request FROM requests WHERE request_id = ?1") \
  X(FAILED_LAST,      "SELECT coalesce(max(finished_ms), 0) FROM requests INDEXED BY" \
                      " requests_failed_at WHERE state = 4") \
  X(FAILED_WEBHOOK,   "SELECT webhook FROM requests INDEXED BY requests_failed WHERE state = 4" \
                      " AND webhook > ?1 ORDER BY webhook LIMIT 1") \
  X(FAILED_OF,        "SELECT request, created_ms, finished_ms, reason FROM requests INDEXED BY" \
                      " requests_failed WHERE state = 4 AND webhook = ?1 AND request > ?2" \
                      " ORDER BY request") \
  X(JOB_OPEN,         "SELECT job FROM jobs WHERE finished_ms IS NULL LIMIT 1") \
  X(JOBS_OPEN,        "SELECT count(*) FROM jobs WHERE finished_ms IS NULL") \
  X(JOB_BY_ID,        LH_JOB_COLUMNS "WHERE j.id = ?1") \
  X(JOB_FIRST_OPEN,   LH_JOB_COLUMNS "WHERE j.finished_ms IS NULL ORDER BY j.job LIMIT 1") \
  X(JOBS,             LH_JOB_COLUMNS "ORDER BY j.job DESC LIMIT ?1") \
  X(JOB_ADD,          "INSERT INTO jobs (id, kind, account, webhook, reason, since_ms," \
                      " failed_from_ms, created_ms, until_ms) VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6," \
                      " ?7, ?8)") \
  X(JOB_SAVE,         "UPDATE jobs SET settled_ms = ?2, at_webhook = ?3, at_request = ?4," \
                      " total = ?5, retried = ?6, left_over = ?7, finished_ms = ?8," \
                      " session = ?9, stepped_ms = ?10 WHERE job = ?1") \
  X(JOBS_TRIM,        "DELETE FROM jobs WHERE job <= ?1 AND finished_ms IS NOT NULL") \
  X(JOB_TO_SETTLE,    "SELECT webhook FROM dispatch WHERE webhook > ?1 AND status = 0" \
                      " AND epoch > 0 AND (?2 = 0 OR webhook = ?2) AND (?3 = 0 OR account = ?3)" \
                      " ORDER BY webhook LIMIT ?4")
/* clang-format on */

#endif
