/*
** What clean.c (a run of retention, phase by phase), sweep.c (one webhook's requests) and
** clean_inbox.c share.
*/
#ifndef LH_STORE_SQLITE_CLEAN_H
#define LH_STORE_SQLITE_CLEAN_H

#include "store/sqlite/turn.h"

#define LH_CLEAN_ROWS 500 /* deleted in one step, or webhooks looked at */

/* What one step may still do; bounds its transaction. */
struct lh_cleaning {
  struct lh_tx *tx;
  struct lh_clean *clean;
  int rows;       /* rows that may still be looked at or deleted */
  int64_t bytes;  /* of data that may still be moved or deleted */
  int64_t newest; /* number of the newest request: it stays, so that no number is used twice */
};

/* What clean->phase stands for; in this order. */
enum lh_clean_phase {
  LH_CLEAN_CUT = 0, /* as a run begins */
  LH_CLEAN_SWEEP,
  LH_CLEAN_EVENTS,
  LH_CLEAN_FAILED,
  LH_CLEAN_KEPT,
  LH_CLEAN_REST,
  LH_CLEAN_WEBHOOKS,
  LH_CLEAN_INBOX_CUT, /* these three are clean_inbox.c's */
  LH_CLEAN_INBOX,
  LH_CLEAN_MARKS,
  LH_CLEAN_DONE
};

/*
** Reads on from clean->at while rows are old enough: clean->cut becomes the position of the last
** one. *over 1: a row that is not was found, or the end. `low` gives the first position, `ages`
** positions with times behind one. clean->at 0: begin.
*/
int lh_clean_find_cut(struct lh_cleaning *cleaning, enum lh_sql low, enum lh_sql ages, int *over,
                      struct lh_error *err);
/* The number that a statement gives; *value stays if that is NULL. */
int lh_clean_number(struct lh_cleaning *cleaning, enum lh_sql which, int64_t *value,
                    struct lh_error *err);
/* One step of a phase of the inbox. */
int lh_clean_inbox(struct lh_cleaning *cleaning, struct lh_error *err);

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
