/*
** Table group: the audit log, who changed what. Entries are added, mostly by the
** doors that change something, and, when their time is over (failed_retention_ms),
** cut at the old end; none is changed.
*/
#ifndef LH_STORE_AUDIT_H
#define LH_STORE_AUDIT_H

#include <stdint.h>

#include "core/limits.h"
#include "core/error.h"

struct lh_store;

/*
** Who changes something. Every door that changes what people configure or retries takes one: what
** was done is noted in the transaction that does it, and what fails or changes nothing notes
** nothing. NULL: not noted. Texts are borrowed.
*/
struct lh_actor {
  const char *who;    /* "user:anna", "token:<id>", "command line", "lua" */
  const char *detail; /* JSON, never with a secret; or NULL: what the door counted, if it counts */
};

/* Texts are borrowed. */
struct lh_audit {
  const char *who;     /* "user:anna", "token:<id>", "command line" */
  const char *what;    /* "webhook.edit" */
  const char *object;  /* an id or a name, or NULL */
  const char *account; /* whose it is, or NULL */
  const char *detail;  /* JSON, never with a secret; or NULL */
};

struct lh_audit_row {
  int64_t entry;
  int64_t at_ms;
  char who[LH_AUDIT_WHO_MAX + 1];
  char what[LH_AUDIT_WHAT_MAX + 1];
  char object[LH_AUDIT_OBJECT_MAX + 1]; /* "" if none */
  char account[LH_ACCOUNT_MAX + 1];     /* "" if none */
  char *detail;                         /* or NULL; owned by the list */
};
struct lh_audit_list {
  struct lh_audit_row *rows;
  size_t count;
  int64_t next; /* cursor for the following page, 0: no more */
};
void lh_audit_list_clear(struct lh_audit_list *list);

struct lh_audit_filter {
  const char *who;  /* each of these, or NULL */
  const char *what; /* also "webhook." for all that begins so */
  const char *object;
  const char *account;
  int64_t since_ms; /* at or after; 0: any */
  int64_t after;    /* cursor; 0: from the newest */
  int limit;        /* 1..LH_LIST_LIMIT_MAX */
};

struct lh_store_audit {
  /* LH_E_INVALID (a text too long or not UTF-8, detail no JSON object). */
  int (*add)(struct lh_store *store, const struct lh_audit *audit, int64_t now_ms,
             struct lh_error *err);
  /* Newest first. */
  int (*list)(struct lh_store *store, const struct lh_audit_filter *filter,
              struct lh_audit_list *list, struct lh_error *err);
};

#endif
