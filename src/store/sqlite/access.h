/* What the files of access.h share: access_*.c. Inside one write. */
#ifndef LH_STORE_SQLITE_ACCESS_H
#define LH_STORE_SQLITE_ACCESS_H

#include "store/sqlite/clean.h"

/* ---- access_users.c */

/* How many users there are, and how many of them are enabled admins. */
struct lh_users {
  int64_t all;
  int64_t admins;
};
int lh_users_count(struct lh_connection *connection, struct lh_users *users, struct lh_error *err);

/* ---- access_logins.c */

/* LH_E_DENIED unless this first-run token is stored and not over. */
int lh_first_run_check(struct lh_connection *connection, const unsigned char *hash, int64_t now_ms,
                       struct lh_error *err);

/* ---- access_clean.c */

/* Deletes some of what is over, of all the tables; how many rows shows in total_changes. */
int lh_access_clean(struct lh_cleaning *cleaning, struct lh_error *err);

#endif
