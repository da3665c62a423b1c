/* What clean.c (a run of retention, phase by phase) and sweep.c (one webhook's requests) share. */
#ifndef LH_STORE_SQLITE_CLEAN_H
#define LH_STORE_SQLITE_CLEAN_H

#include "store/sqlite/turn.h"

/* What one step may still do; bounds its transaction. */
struct lh_cleaning {
  struct lh_tx *tx;
  struct lh_clean *clean;
  int rows;       /* rows that may still be looked at or deleted */
  int64_t bytes;  /* of data that may still be moved or deleted */
  int64_t newest; /* number of the newest request: it stays, so that no number is used twice */
};

/*
** Deals with the requests of the next webhook that has not been swept up to the cut: delivered ones
** are deleted, failed ones keep their events themselves. *more 0: there is no such webhook. What
** the bounds left of one is found again.
*/
int lh_sweep_next(struct lh_cleaning *cleaning, int *more, struct lh_error *err);
/* Deletes a request with its attempts, and counts both. */
int lh_clean_request(struct lh_cleaning *cleaning, int64_t request, int64_t webhook,
                     enum lh_state state, struct lh_error *err);
/* Runs a statement with up to two numbers bound; *changed rows. */
int lh_clean_run(struct lh_cleaning *cleaning, enum lh_sql which, int64_t first, int64_t second,
                 struct lh_error *err);

#endif
