/*
** Door of the store room. A store is opened by its location and offers one
** struct of functions per table group; the engine and the bindings know only
** these. SQLite is the default implementation (sqlite/); another one fills in
** the same structs.
**
** Threads and processes: a handle may be used by one thread at a time;
** handles of the same location in one process share one connection for
** writing and group their commits. A handle that crossed a fork answers
** LH_E_CLOSED. Every writing call returns only after its transaction is
** durable, or with an error and nothing stored.
*/
#ifndef LH_STORE_STORE_H
#define LH_STORE_STORE_H

#include "clock/clock.h"
#include "store/access.h"
#include "store/admin.h"
#include "store/audit.h"
#include "store/figures.h"
#include "store/inbox.h"
#include "store/jobs.h"
#include "store/log.h"
#include "store/notices.h"
#include "store/requests.h"
#include "store/tasks.h"

struct lh_store {
  const struct lh_store_log *log;
  const struct lh_store_requests *requests;
  const struct lh_store_admin *admin;
  const struct lh_store_notices *notices;
  const struct lh_store_jobs *jobs;
  const struct lh_store_inbox *inbox;
  const struct lh_store_access *access;
  const struct lh_store_audit *audit;
  const struct lh_store_figures *figures;
  const struct lh_store_tasks *tasks;
};

struct lh_store_options {
  const char *location;  /* "sqlite:PATH" or a bare PATH */
  const char *key_file;  /* NULL: PATH.key */
  int create;            /* make store and key file if there is nothing yet */
  int create_only;       /* init: LH_E_STORE_EXISTS if there is one */
  int as_is;             /* LH_E_REFUSED for tables that would have to be brought up to date */
  int64_t wal_bytes_max; /* 0: LH_WAL_BYTES_MAX */
  int32_t webhooks_max;  /* per account; 0: LH_WEBHOOKS_MAX */
  const struct lh_clock *clock; /* NULL: the system's */
};

/*
** Codes: LH_E_STORE_MISSING, _FOREIGN, _NEWER, _DAMAGED, _EXISTS, LH_E_BUSY,
** LH_E_IO, LH_E_FULL, LH_E_MEMORY, LH_E_INVALID (location).
*/
int lh_store_open(const struct lh_store_options *options, struct lh_store **store,
                  struct lh_error *err);
/* Accepts NULL. */
void lh_store_close(struct lh_store *store);

/* "3.40.1": the database library that is loaded; borrowed. */
const char *lh_store_version(void);

#endif
