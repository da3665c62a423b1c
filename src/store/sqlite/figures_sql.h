/* The statements of figures over time and of a body shown (series.c, totals.c, body.c). */
#ifndef LH_STORE_SQLITE_FIGURES_SQL_H
#define LH_STORE_SQLITE_FIGURES_SQL_H

/* clang-format off */
#define LH_SQL_FIGURES(X) \
  X(SERIES_OF_ALL,    "SELECT from_ms, figures FROM figures INDEXED BY figures_by_time WHERE" \
                      " from_ms >= ?1 ORDER BY from_ms DESC") \
  X(SERIES_OF_ACCOUNT,"SELECT f.from_ms, f.figures FROM figures f INDEXED BY figures_by_time" \
                      " JOIN webhooks w ON w.webhook = f.webhook WHERE f.from_ms >= ?1 AND" \
                      " w.account = ?2 ORDER BY f.from_ms DESC") \
  X(SERIES_OF_WEBHOOK,"SELECT from_ms, figures FROM figures WHERE from_ms >= ?1 AND webhook = ?2" \
                      " ORDER BY from_ms DESC") \
  X(RUNNING_OF_ALL,   "SELECT figures_ms, figures FROM dispatch WHERE figures IS NOT NULL") \
  X(RUNNING_OF_ACCOUNT,"SELECT figures_ms, figures FROM dispatch WHERE account = ?2 AND figures" \
                      " IS NOT NULL") \
  X(RUNNING_OF_WEBHOOK,"SELECT figures_ms, figures FROM dispatch WHERE webhook = ?2 AND figures" \
                      " IS NOT NULL") \
  X(TOTALS,           "SELECT item, count FROM totals") \
  X(TOTAL_ADD,        "INSERT INTO totals (item, count) VALUES (?1, ?2) ON CONFLICT (item) DO" \
                      " UPDATE SET count = count + ?2") \
  X(TOTAL_HEADS,      "SELECT (SELECT coalesce(max(position), 0) FROM events), (SELECT" \
                      " coalesce(max(position), 0) FROM inbox)") \
  X(NOTICES_LAST,     "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name =" \
                      " 'notices'), 0)") \
  X(BODY_EVENT,       "SELECT e.event_id, t.name, e.data FROM events e JOIN event_types t ON" \
                      " t.type = e.type WHERE e.position = ?1")
/* clang-format on */

#endif
