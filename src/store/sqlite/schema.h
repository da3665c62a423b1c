/* The parts of migrations that stand in files of their own: texts, ended by NULL. */
#ifndef LH_STORE_SQLITE_SCHEMA_H
#define LH_STORE_SQLITE_SCHEMA_H

extern const char *const lh_schema_access[]; /* of migration 3 */
extern const char *const lh_schema_attempts[];
extern const char *const lh_schema_audit[];
extern const char *const lh_schema_totals[];

#endif
