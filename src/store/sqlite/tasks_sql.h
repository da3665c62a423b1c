/* The statements of handlers and tasks (task*.c, handlers.c); see statements.h. */
#ifndef LH_STORE_SQLITE_TASKS_SQL_H
#define LH_STORE_SQLITE_TASKS_SQL_H

/* clang-format off */
#define LH_SQL_TASKS(X) \
  X(TASKS_FIRST,      "SELECT min(position) FROM inbox") \
  X(TASKS_INBOX_FROM, "SELECT position, event_type, member FROM inbox WHERE position > ?1" \
                      " ORDER BY position") \
  X(HANDLER_BY_NAME,  "SELECT handler, forgotten_ms IS NULL, loaded_ms FROM handlers" \
                      " WHERE name = ?1") \
  X(HANDLERS_COUNT,   "SELECT count(*) FROM handlers") \
  X(HANDLERS_MAKE_ROOM,"DELETE FROM handlers WHERE handler = (SELECT handler FROM handlers WHERE" \
                      " forgotten_ms IS NOT NULL AND pending + running + retrying + done +" \
                      " failed = 0 ORDER BY forgotten_ms LIMIT 1)") \
  X(HANDLER_ADD,      "INSERT INTO handlers (name, event_types, when_unknown, serial, cursor," \
                      " loaded_ms, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)") \
  X(HANDLER_EDIT,     "UPDATE handlers SET event_types = ?2, when_unknown = ?3, serial = ?4," \
                      " loaded_ms = max(loaded_ms, ?5) WHERE handler = ?1") \
  X(HANDLER_REVIVE,   "UPDATE handlers SET cursor = ?2, created_ms = ?3, forgotten_ms = NULL" \
                      " WHERE handler = ?1") \
  X(HANDLER_GET,      "SELECT when_unknown, serial, cursor, next_start_us, rest_until_ms," \
                      " loaded_ms, forgotten_ms, alone_session, waiting, pending, running," \
                      " retrying, done, failed FROM handlers WHERE handler = ?1") \
  X(HANDLER_SAVE,     "UPDATE handlers SET cursor = ?2, next_start_us = ?3, rest_until_ms = ?4," \
                      " loaded_ms = ?5, forgotten_ms = ?6, alone_session = ?7, waiting = ?8," \
                      " pending = ?9, running = ?10, retrying = ?11, done = ?12, failed = ?13" \
                      " WHERE handler = ?1") \
  X(HANDLER_TYPES,    "SELECT event_types FROM handlers WHERE handler = ?1") \
  X(HANDLER_ROWS,     "SELECT handler, name, event_types, when_unknown, serial, cursor," \
                      " rest_until_ms, loaded_ms, created_ms, pending, running, retrying, done," \
                      " failed FROM handlers WHERE forgotten_ms IS NULL OR pending + running +" \
                      " retrying > 0 ORDER BY name LIMIT ?1") \
  X(HANDLERS_RELEASE, "UPDATE handlers SET alone_session = NULL WHERE alone_session = ?1") \
  X(TASK_GET,         "SELECT handler, position, state, reason, attempts_made, budget_start," \
                      " strikes, alone, due_ms, session, started_ms, first_ms, finished_ms," \
                      " serial_key IS NOT NULL FROM tasks WHERE task = ?1") \
  X(TASK_SAVE,        "UPDATE tasks SET state = ?2, reason = ?3, attempts_made = ?4," \
                      " budget_start = ?5, strikes = ?6, alone = ?7, due_ms = ?8, session = ?9," \
                      " started_ms = ?10, first_ms = ?11, finished_ms = ?12," \
                      " error = coalesce(?13, error) WHERE task = ?1") \
  X(TASK_ADD,         "INSERT INTO tasks (handler, position, state, due_ms, serial_key)" \
                      " VALUES (?1, ?2, 0, ?3, ?4) ON CONFLICT DO NOTHING") \
  X(TASK_EVENT,       "SELECT s.name, i.event_id, i.event_type, i.member, i.data, i.received_ms" \
                      " FROM inbox i JOIN sources s ON s.source = i.source WHERE i.position = ?1") \
  X(TASKS_DUE,        "SELECT task FROM tasks INDEXED BY tasks_due WHERE handler = ?1 AND" \
                      " alone = 0 AND due_ms <= ?2 ORDER BY due_ms, task LIMIT ?3") \
  X(TASKS_NEXT,       "SELECT due_ms FROM tasks INDEXED BY tasks_due WHERE handler = ?1 AND" \
                      " alone = 0 AND due_ms > ?2 ORDER BY due_ms LIMIT ?3") \
  X(TASKS_ALONE,      "SELECT task FROM tasks INDEXED BY tasks_alone WHERE handler = ?1 AND" \
                      " alone = 1 AND due_ms <= ?2 ORDER BY due_ms, task LIMIT ?3") \
  X(TASKS_NEXT_ALONE, "SELECT due_ms FROM tasks INDEXED BY tasks_alone WHERE handler = ?1 AND" \
                      " alone = 1 AND due_ms > ?2 ORDER BY due_ms LIMIT ?3") \
  X(TASKS_RUN_ALONE,  "SELECT task FROM tasks INDEXED BY tasks_run_alone WHERE session = ?1 AND" \
                      " alone = 1 LIMIT 1") \
  X(TASKS_COUNT_DUE,  "SELECT count(*) FROM (SELECT 1 FROM tasks INDEXED BY tasks_due WHERE" \
                      " handler = ?1 AND alone = 0 AND due_ms <= ?2 LIMIT ?3)") \
  X(TASKS_COUNT_ALONE,"SELECT count(*) FROM (SELECT 1 FROM tasks INDEXED BY tasks_alone WHERE" \
                      " handler = ?1 AND alone = 1 AND due_ms <= ?2 LIMIT ?3)") \
  X(TASKS_FAR,        "SELECT task FROM tasks INDEXED BY tasks_due WHERE handler = ?1 AND" \
                      " alone = 0 AND due_ms > ?2 ORDER BY due_ms DESC LIMIT ?3") \
  X(TASKS_FAR_ALONE,  "SELECT task FROM tasks INDEXED BY tasks_alone WHERE handler = ?1 AND" \
                      " alone = 1 AND due_ms > ?2 ORDER BY due_ms DESC LIMIT ?3") \
  X(TASKS_AHEAD,      "SELECT task FROM (SELECT task, state FROM tasks INDEXED BY tasks_due WHERE" \
                      " handler = ?1 AND alone = 0 AND due_ms > ?2 ORDER BY due_ms LIMIT 10000)" \
                      " WHERE state = 0 LIMIT ?3") \
  X(TASK_DUE,         "UPDATE tasks SET due_ms = ?2 WHERE task = ?1") \
  X(TASKS_OF_SESSION, "SELECT task FROM tasks WHERE session = ?1 AND task > ?2 LIMIT ?3") \
  X(SERIAL_HERE,      "SELECT 1 FROM tasks INDEXED BY tasks_serial WHERE handler = ?1 AND" \
                      " serial_key = ?2 AND finished_ms IS NULL LIMIT 1") \
  X(SERIAL_FIRST,     "SELECT task, due_ms IS NULL AND state <> 1, state FROM tasks INDEXED BY" \
                      " tasks_serial WHERE handler = ?1 AND serial_key = (SELECT serial_key FROM" \
                      " tasks WHERE task = ?2) AND finished_ms IS NULL ORDER BY position LIMIT 1") \
  X(TASKS_RUNNING_OF, "SELECT task FROM tasks INDEXED BY tasks_of_session WHERE session IS NOT" \
                      " NULL AND handler = ?1 AND task > ?2 LIMIT ?3") \
  X(TASK_POSITIONS,   "SELECT m.position FROM marks m JOIN sources s ON s.source = m.source" \
                      " WHERE m.event_id = ?1 AND (?2 IS NULL OR s.name = ?2) AND EXISTS" \
                      " (SELECT 1 FROM inbox i WHERE i.position = m.position)") \
  X(TASKS_OF_EVENT,   "SELECT t.task, t.state FROM tasks t JOIN handlers h ON h.handler =" \
                      " t.handler WHERE t.position = ?1 AND (?2 IS NULL OR h.name = ?2)") \
  X(TASKS_FAILED_OF,  "SELECT t.task, t.position, t.finished_ms, i.source, i.received_ms FROM" \
                      " tasks t INDEXED BY tasks_failed JOIN inbox i ON i.position = t.position" \
                      " WHERE t.handler = ?2 AND t.state = 4 AND t.position > ?1" \
                      " ORDER BY t.position") \
  X(TASKS_FAILED,     "SELECT t.task, t.position, t.finished_ms, i.source, i.received_ms FROM" \
                      " tasks t INDEXED BY tasks_failed_at JOIN inbox i ON i.position =" \
                      " t.position WHERE t.state = 4 AND t.position > ?1 ORDER BY t.position")
/* clang-format on */

#endif
