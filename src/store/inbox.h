/*
** Table group: the inbox (design §3.17): what was accepted from named sources,
** the marks that tell a repetition, and what a person sees of both. Tasks are
** tasks.h's; here they are only shown.
*/
#ifndef LH_STORE_INBOX_H
#define LH_STORE_INBOX_H

#include "core/limits.h"
#include "core/received.h"
#include "core/task.h"

struct lh_store;

/* One verified request with its events. Texts are borrowed. */
struct lh_receipt {
  const char *source; /* NUL-terminated, [A-Za-z0-9._-]{1,64}; checked by the caller */
  const struct lh_received *events;
  size_t count; /* may be 0: nothing is stored of it */
  /* out: */
  size_t added;
  size_t duplicates; /* of the same (source, id), earlier or in the same call */
};

/* What has become of an event. Computed, not stored. */
enum lh_inbox_state {
  LH_INBOX_PENDING, /* a task is unfinished, or a handler that is in use has not come to it */
  LH_INBOX_FAILED,  /* a task failed */
  LH_INBOX_DONE     /* the rest: its tasks are done, or nobody wanted it */
};

/* One event's turn with one handler. */
struct lh_inbox_task {
  char handler[LH_HANDLER_NAME_MAX + 1];
  enum lh_task_state state;
  enum lh_task_reason reason;
  int32_t attempts_made;
  int64_t next_attempt_ms; /* 0: none is to come, or it waits */
  int waits;               /* an earlier task of its member comes first */
  char *error;             /* of its last attempt that was no success, or NULL; owned by the list */
};

struct lh_inbox_row {
  int64_t position;
  int64_t received_ms;
  enum lh_inbox_state state;
  char source[LH_SOURCE_MAX + 1];
  char event_id[LH_RECEIVED_ID_MAX + 1];
  char event_type[LH_RECEIVED_TYPE_MAX + 1];
  char member[LH_MEMBER_MAX + 1]; /* may hold NUL bytes */
  size_t member_len;              /* 0: none */
  struct lh_inbox_task *tasks;    /* owned by the list */
  size_t task_count;
  char *data; /* get only; owned by the list */
  size_t data_len;
};

struct lh_inbox_list {
  struct lh_inbox_row *rows;
  size_t count;
  int64_t next; /* cursor for the following page, 0: no more */
};
void lh_inbox_row_clear(struct lh_inbox_row *row);
void lh_inbox_list_clear(struct lh_inbox_list *list);

struct lh_inbox_filter {
  int state;              /* enum lh_inbox_state, or -1 */
  const char *source;     /* or NULL */
  const char *event_type; /* or NULL */
  const char *handler;    /* that it has a task with, or NULL */
  int64_t since_ms;       /* received at or after; 0: any */
  int64_t after;          /* cursor; 0: from the newest */
  int limit;              /* 1..LH_LIST_LIMIT_MAX */
};

struct lh_store_inbox {
  /*
  ** Records the events of all receipts, in order, in one transaction; what has a mark of the same
  ** (source, id) is counted as a duplicate and left out. Durable when it returns; sleeping workers
  ** are woken. now_ms becomes received_ms. Codes: LH_E_FULL, LH_E_IO, LH_E_BUSY, LH_E_MEMORY,
  ** LH_E_CLOSED, LH_E_LIMIT (LH_SOURCES_MAX sources). On failure nothing is stored.
  */
  int (*accept)(struct lh_store *store, struct lh_receipt *receipts, size_t count, int64_t now_ms,
                struct lh_error *err);
  /*
  ** Newest first. One call does a bounded amount of work whatever the filter is, so a page may hold
  ** fewer than `limit` rows, even none, while `next` says that there may be more.
  */
  int (*list)(struct lh_store *store, const struct lh_inbox_filter *filter,
              struct lh_inbox_list *list, struct lh_error *err);
  /*
  ** Every event with this id, one a source (source NULL: all sources), with its data.
  ** LH_E_NOT_FOUND; the message says if it was received but is no longer kept.
  */
  int (*get)(struct lh_store *store, const char *event_id, const char *source,
             struct lh_inbox_list *list, struct lh_error *err);
};

#endif
