/*
** Table group: figures over time, for charts and monitors: what was done in
** equal spans (kept for a week), totals that never fall, and whether the store
** can do its work now. What there is at this moment is stats.h's.
*/
#ifndef LH_STORE_FIGURES_H
#define LH_STORE_FIGURES_H

#include "core/figures.h"
#include "store/stats.h"

struct lh_store;

#define LH_SERIES_POINTS_MAX 2016 /* a week of spans */

struct lh_series_query {
  const struct lh_id *webhook_id; /* one webhook, or NULL */
  const char *account;            /* one account's, or NULL */
  int64_t from_ms;                /* the first point begins here; a multiple of LH_FIGURES_MS */
  int64_t to_ms;                  /* no point begins later */
  int64_t step_ms;                /* a multiple of LH_FIGURES_MS */
};

struct lh_series_point {
  int64_t from_ms;
  struct lh_recent done;
};
struct lh_series {
  struct lh_series_point *rows; /* each step, oldest first; zeros where nothing was done */
  size_t count;
  int64_t complete_from_ms; /* what lies before is not all: there was too much to add up; else 0 */
};
void lh_series_clear(struct lh_series *series);

/* Counted since the store was made; each only rises. */
struct lh_totals {
  int64_t emitted;  /* events */
  int64_t received; /* events of the inbox */
  int64_t delivered;
  int64_t delivered_events;
  int64_t failed;
  int64_t attempts;
  int64_t failed_attempts;
  int64_t attempt[LH_LENGTHS]; /* how many attempts took how long: core/figures.h's buckets */
  int64_t delivery[LH_LENGTHS];
};

struct lh_vitals {
  int64_t workers;      /* that live */
  int key_present;      /* its file can be read */
  int writable;         /* this process may write the files, and there is room for a while */
  int64_t notices_last; /* number of the newest notice: how many there ever were */
};

struct lh_store_figures {
  /* LH_E_NOT_FOUND (webhook), LH_E_INVALID (more than LH_SERIES_POINTS_MAX). Yours to clear. */
  int (*series)(struct lh_store *store, const struct lh_series_query *query,
                struct lh_series *series, struct lh_error *err);
  int (*totals)(struct lh_store *store, struct lh_totals *totals, struct lh_error *err);
  /* Reads a few rows; for a question that is asked every few seconds. */
  int (*vitals)(struct lh_store *store, int64_t now_ms, struct lh_vitals *vitals,
                struct lh_error *err);
};

#endif
