/* Table group: the log of events, their types, and idempotency (design §2.1, §3.16). */
#ifndef LH_STORE_LOG_H
#define LH_STORE_LOG_H

#include "core/event.h"

struct lh_store;

/* One event to accept. Checked by the caller with core/event.h; texts are borrowed. */
struct lh_emit {
  const char *account;         /* NUL-terminated */
  const char *event_type;      /* NUL-terminated, registered */
  const char *category;        /* of the type; stored with the first event of a type */
  const struct lh_id *id;      /* given by the caller, or NULL: the store makes one */
  const char *idempotency_key; /* or NULL */
  size_t idempotency_key_len;
  const char *member; /* search key, or NULL */
  size_t member_len;
  const char *data;
  size_t data_len;
};

struct lh_emitted {
  struct lh_id id; /* of the event, or of the first one with this key */
  int64_t position;
  int duplicate; /* 1: the key or id was known with the same type and data; nothing was added */
  int code;      /* LH_OK, or why this event was refused (LH_E_CONFLICT) */
};

enum lh_emit_mode {
  LH_EMIT_ALL, /* all or nothing: the first refusal undoes everything */
  LH_EMIT_EACH /* refused events are skipped and say so in their code */
};

/* One call of emit. `events` and `results` have `count` entries. */
struct lh_emission {
  const struct lh_emit *events;
  size_t count; /* 1..LH_EMIT_MANY_MAX */
  enum lh_emit_mode mode;
  struct lh_emitted *results; /* out */
  size_t bad_index;           /* out: on LH_E_CONFLICT, which event it was */
};

/* An event type the store knows, with its category. */
struct lh_stored_type {
  char name[LH_EVENT_TYPE_MAX + 1];
  char category[LH_CATEGORY_MAX + 1];
};

struct lh_store_log {
  /*
  ** Appends the events in order, in one transaction. With LH_EMIT_ALL a
  ** conflict undoes all and is returned as an error.
  ** Codes: LH_E_CONFLICT, LH_E_LIMIT (types), LH_E_FULL, LH_E_IO, LH_E_BUSY,
  ** LH_E_MEMORY, LH_E_RANDOM, LH_E_CLOSED.
  */
  int (*emit)(struct lh_store *store, struct lh_emission *emission, struct lh_error *err);
  /*
  ** One event by id. *event is filled; its texts live until the next call on this handle.
  ** LH_E_NOT_FOUND.
  */
  int (*event_get)(struct lh_store *store, const struct lh_id *id, struct lh_event *event,
                   struct lh_error *err);
  /* All stored types. *types is yours to free(). */
  int (*types)(struct lh_store *store, struct lh_stored_type **types, size_t *count,
               struct lh_error *err);
};

#endif
