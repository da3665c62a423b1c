/* What jobs.c (rows of stored jobs) and job_step.c (working one off) share. */
#ifndef LH_STORE_SQLITE_JOB_H
#define LH_STORE_SQLITE_JOB_H

#include "store/sqlite/turn.h"

/* A row of jobs: what the door shows, and how far it is. */
struct lh_job_row {
  struct lh_job shown;
  int64_t job;
  int64_t account;    /* 0: all */
  int64_t webhook;    /* 0: all */
  int64_t settled_ms; /* 0: not yet */
  int64_t at_webhook; /* last one settled; later of the last request visited */
  int64_t at_request;
  int64_t session; /* who made the last step, 0: no worker */
  int64_t stepped_ms;
};

/* id NULL: the oldest open one. LH_E_NOT_FOUND. */
int lh_job_load(struct lh_connection *connection, const struct lh_id *id, struct lh_job_row *row,
                struct lh_error *err);
/* Stores a job; contract in jobs.h, create. */
int lh_job_add(struct lh_tx *tx, const struct lh_retry_filter *filter, const struct lh_actor *actor,
               int64_t now_ms, struct lh_job *job, struct lh_error *err);
/* How far it is. */
int lh_job_save(struct lh_tx *tx, const struct lh_job_row *row, struct lh_error *err);
/* Failed requests that a filter means and that had failed by until_ms; by an index alone. */
int lh_job_total(struct lh_connection *reader, const struct lh_retry_filter *filter,
                 int64_t until_ms, int64_t *total, struct lh_error *err);
/* The filter of a job; borrows from it. */
struct lh_retry_filter lh_job_filter(const struct lh_job *job);

#endif
