/* Retention of what access.h and audit.h keep; a part of a run of clean.c. */
#include "store/sqlite/access.h"

int lh_access_clean(struct lh_cleaning *cleaning, struct lh_error *err) {
  const struct lh_clean *clean = cleaning->clean;
  int64_t now_ms = clean->now_ms, until_ms = now_ms - clean->failed_retention_ms;
  const struct {
    enum lh_sql which;
    int64_t until_ms;
  } parts[] = {{LH_SQL_CLEAN_AUDIT, until_ms},
               {LH_SQL_CLEAN_TOKENS, until_ms},
               {LH_SQL_CLEAN_LOGINS, now_ms},
               {LH_SQL_CLEAN_KNOCKS, now_ms},
               {LH_SQL_CLEAN_FIRST_RUNS, now_ms - LH_FIRST_RUN_MS}};
  int rc = LH_OK;
  for (size_t i = 0; i < sizeof parts / sizeof *parts && rc == LH_OK; i++)
    rc = lh_clean_run(cleaning, parts[i].which, parts[i].until_ms, LH_CLEAN_ROWS, err);
  return rc;
}
