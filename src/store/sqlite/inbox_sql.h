/* The statements of the inbox (inbox.c, inbox_read.c); see statements.h. */
#ifndef LH_STORE_SQLITE_INBOX_SQL_H
#define LH_STORE_SQLITE_INBOX_SQL_H

/* clang-format off */
#define LH_INBOX_COLUMNS \
  "i.position, s.name, i.event_id, i.event_type, i.received_ms, i.member"
#define LH_INBOX_FROM \
  " FROM inbox i JOIN sources s ON s.source = i.source "

#define LH_SQL_INBOX(X) \
  X(INBOX_HEAD,       "SELECT max(position) FROM inbox") \
  X(SOURCE_FIND,      "SELECT source FROM sources WHERE name = ?1") \
  X(SOURCE_ADD,       "INSERT INTO sources (name) SELECT ?1 WHERE (SELECT count(*) FROM sources)" \
                      " < ?2") \
  X(MARK_ADD,         "INSERT INTO marks (event_id, source, position, received_ms) VALUES (?1," \
                      " ?2, ?3, ?4) ON CONFLICT DO NOTHING") \
  X(INBOX_ADD,        "INSERT INTO inbox (position, source, event_id, event_type, received_ms," \
                      " member, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)") \
  X(INBOX_BELOW,      "SELECT " LH_INBOX_COLUMNS LH_INBOX_FROM "WHERE i.position < ?1 ORDER BY" \
                      " i.position DESC LIMIT 1") \
  X(INBOX_AT,         "SELECT " LH_INBOX_COLUMNS ", i.data" LH_INBOX_FROM \
                      "WHERE i.position = ?1") \
  X(INBOX_UNFINISHED, "SELECT max(position) FROM tasks INDEXED BY tasks_unfinished WHERE" \
                      " finished_ms IS NULL AND position < ?1") \
  X(INBOX_FAILED,     "SELECT max(position) FROM tasks INDEXED BY tasks_failed_at WHERE state =" \
                      " 4 AND position < ?1") \
  X(INBOX_TASKS,      "SELECT h.name, t.state, t.reason, t.attempts_made, t.due_ms, t.error," \
                      " t.due_ms IS NULL AND t.state IN (0, 2), t.finished_ms IS NULL," \
                      " t.state = 4 FROM tasks t JOIN handlers h ON h.handler = t.handler" \
                      " WHERE t.position = ?1 ORDER BY t.handler") \
  X(INBOX_HANDLERS,   "SELECT event_types, cursor FROM handlers WHERE loaded_ms >= ?1" \
                      " AND forgotten_ms IS NULL ORDER BY handler LIMIT ?2") \
  X(CLEAN_INBOX_LOW,  "SELECT coalesce(min(position), 0) FROM inbox") \
  X(CLEAN_INBOX_AGES, "SELECT position, received_ms FROM inbox WHERE position > ?1" \
                      " ORDER BY position LIMIT ?2") \
  X(CLEAN_UNFINISHED, "SELECT min(position) FROM tasks INDEXED BY tasks_unfinished WHERE" \
                      " finished_ms IS NULL") \
  X(CLEAN_CURSOR,     "SELECT min(cursor) FROM handlers WHERE loaded_ms > ?1 AND" \
                      " forgotten_ms IS NULL") \
  X(CLEAN_INBOX_ROWS, "SELECT position, length(data), EXISTS (SELECT 1 FROM tasks t INDEXED BY" \
                      " tasks_failed_at WHERE t.state = 4 AND t.position = inbox.position AND" \
                      " t.finished_ms > ?3) FROM inbox WHERE position > ?1 AND position <= ?2" \
                      " ORDER BY position LIMIT ?4") \
  X(CLEAN_TASKS_OF,   "SELECT handler, state FROM tasks WHERE position = ?1") \
  X(CLEAN_COUNT,      "UPDATE handlers SET done = done - (?2 = 3), failed = failed - (?2 = 4)" \
                      " WHERE handler = ?1") \
  X(CLEAN_TASKS,      "DELETE FROM tasks WHERE position = ?1") \
  X(CLEAN_INBOX_ROW,  "DELETE FROM inbox WHERE position = ?1") \
  X(CLEAN_MARKS,      "DELETE FROM marks WHERE (event_id, source) IN (SELECT event_id, source" \
                      " FROM (SELECT event_id, source, position FROM marks INDEXED BY" \
                      " marks_by_time WHERE received_ms <= ?1 ORDER BY received_ms LIMIT ?2)" \
                      " WHERE position < ?3)") \
  X(STATS_INBOX,      "SELECT coalesce((SELECT max(position) FROM inbox) + 1 - (SELECT" \
                      " min(position) FROM inbox), 0), sum(pending), sum(running)," \
                      " sum(retrying), sum(done), sum(failed), (SELECT received_ms FROM inbox" \
                      " WHERE position = (SELECT min(position) FROM tasks INDEXED BY" \
                      " tasks_unfinished WHERE finished_ms IS NULL)) FROM handlers") \
  X(INBOX_MARKS,      "SELECT m.position, s.name, m.received_ms FROM marks m JOIN sources s ON" \
                      " s.source = m.source WHERE m.event_id = ?1 ORDER BY m.position")
/* clang-format on */

#endif
