/* Table group: webhooks and their secrets, figures, and care of the store itself. */
#ifndef LH_STORE_ADMIN_H
#define LH_STORE_ADMIN_H

#include "core/webhook.h"
#include "store/stats.h"

struct lh_store;
struct lh_target; /* requests.h */
struct lh_job;    /* jobs.h */
struct lh_actor;  /* audit.h */

struct lh_webhook_list {
  struct lh_webhook *rows;
  size_t count;
};
void lh_webhook_list_clear(struct lh_webhook_list *list);

/* Which webhooks are listed. */
struct lh_webhook_query {
  const char *account; /* or NULL: of all */
  int with_deleted;    /* deleted ones too */
  const struct lh_id
      *after; /* only those behind it; it may be deleted by now. NULL: from the first */
  int limit;  /* at most so many; 0: all */
};

/* Findings of a check of the store, for doctor. */
struct lh_store_health {
  char integrity[256]; /* "ok" or the first complaint */
  int key_present;
  int key_readable; /* every stored secret decrypts */
  int64_t sessions; /* live workers */
  int schema_version;
  char sqlite_version[32];
  char path[4096];
  char filesystem_warning[128];   /* "" or why the file system is unsuited */
  char permissions_warning[4224]; /* "" or which file others than its owner may open */
};

/* A run of retention: zero it, fill in what is wanted, and let `clean` work it off. */
struct lh_clean {
  int64_t now_ms;
  int64_t retention_ms;        /* events and delivered requests that are older go */
  int64_t failed_retention_ms; /* failed requests and tasks, notices, jobs that ended longer ago */
  int64_t dedupe_ms;           /* marks of received events that are older go; never before them */
  int more;                    /* 1: call again */
  int64_t events;              /* deleted in this run so far */
  int64_t requests;
  int64_t received; /* events of the inbox */
  /* How far it is; the store's business. */
  int phase, limited;
  int64_t at, low, cut, floor;
};

/* What a new webhook has beside its row. Borrowed. */
struct lh_webhook_new {
  const char *url_normal; /* what is unique */
  struct lh_piece secret;
  const struct lh_actor *actor;
};

/* Which webhook is changed, and by whom. Borrowed. */
struct lh_which {
  const struct lh_id *id;
  int64_t if_revision; /* only if it is at this revision; 0: whatever */
  const struct lh_actor *actor;
};

/* A new secret. */
struct lh_rotation {
  struct lh_piece secret;
  int64_t overlap_ms; /* so long the present one goes on signing; 0: no more */
};

struct lh_store_admin {
  /*
  ** Stores a checked webhook (its id is made here; it starts enabled, at the
  ** log's head). Codes: LH_E_LIMIT, LH_E_CONFLICT (name or URL), LH_E_KEY_MISSING,
  ** LH_E_FULL, LH_E_IO ….
  */
  int (*webhook_create)(struct lh_store *store, struct lh_webhook *webhook,
                        const struct lh_webhook_new *given, int64_t now_ms, struct lh_error *err);
  /* Oldest first. LH_E_INVALID: `after` is none of these accounts' webhooks. */
  int (*webhook_list)(struct lh_store *store, const struct lh_webhook_query *query,
                      struct lh_webhook_list *list, struct lh_error *err);
  /*
  ** By id (24 hex) or name, within account (NULL: over all, where a name must be unique). A list
  ** of one; deleted ones are found by their id only.
  ** LH_E_NOT_FOUND, LH_E_CONFLICT (name not unique).
  */
  int (*webhook_get)(struct lh_store *store, const char *account, const char *id_or_name,
                     struct lh_webhook_list *list, struct lh_error *err);
  /*
  ** Changes below read, change and store in one transaction, hold for every
  ** lease that commits after it, and fill *webhook with the result (clear it).
  ** LH_E_NOT_FOUND; LH_E_REFUSED if the webhook is deleted; LH_E_REVISION if if_revision is not
  ** 0 and the webhook at another one: somebody, or a pause, has changed it since it was read.
  */
  /*
  ** New event_types hold for events emitted from now on. LH_E_INVALID, LH_E_CONFLICT (name or URL),
  ** LH_E_SECRET_INVALID (the secret does not suit the new scheme), LH_E_KEY_MISSING.
  */
  int (*webhook_edit)(struct lh_store *store, const struct lh_which *which,
                      const struct lh_webhook_edit *edit, struct lh_webhook *webhook,
                      struct lh_error *err);
  /*
  ** LH_STATUS_ENABLED, _DISABLED or _DELETED; nothing happens if it is that already. Enabling is
  ** LH_E_SECRET_UNREADABLE or LH_E_KEY_MISSING while the secret does not decrypt.
  */
  int (*webhook_status)(struct lh_store *store, const struct lh_which *which, enum lh_status status,
                        struct lh_webhook *webhook, struct lh_error *err);
  /*
  ** Enables, and stores the job that retries what failed because of the pause that ends here
  ** (reason paused, since it began), all or nothing. LH_E_REFUSED if the webhook is not paused;
  ** else codes as of webhook_status and of jobs->create.
  */
  int (*webhook_resume)(struct lh_store *store, const struct lh_which *which, struct lh_job *job,
                        struct lh_webhook *webhook, struct lh_error *err);
  /*
  ** A secret that waited already is replaced. LH_E_SECRET_INVALID, LH_E_KEY_MISSING, with an
  ** overlap LH_E_SECRET_UNREADABLE.
  */
  int (*secret_rotate)(struct lh_store *store, const struct lh_which *which,
                       const struct lh_rotation *rotation, struct lh_webhook *webhook,
                       struct lh_error *err);
  /*
  ** What a worker would be given for this webhook now, for an attempt outside log and budget. Give
  ** it back with requests->target_release. The attempt is noted, before anything is sent.
  ** LH_E_SECRET_UNREADABLE, LH_E_KEY_MISSING.
  */
  int (*target)(struct lh_store *store, const struct lh_which *which, struct lh_target **target,
                struct lh_error *err);
  /* Figures. LH_E_NOT_FOUND (webhook). *stats is yours to clear. */
  int (*stats)(struct lh_store *store, const struct lh_stats_query *query, struct lh_stats *stats,
               struct lh_error *err);
  int (*health)(struct lh_store *store, int full, struct lh_store_health *health,
                struct lh_error *err);
  /* Writes a consistent copy to a new file (LH_E_REFUSED if it exists), key file not included. */
  int (*backup)(struct lh_store *store, const char *path, struct lh_error *err);
  /*
  ** 0 if the key file is there and at least one stored secret (if there are any) decrypts with it;
  ** LH_E_KEY_MISSING, LH_E_SECRET_UNREADABLE. Called before work: with a wrong key file every
  ** webhook would be paused.
  */
  int (*key_check)(struct lh_store *store, struct lh_error *err);
  /*
  ** One bounded step of retention, in one transaction. Nothing that waits, is not finished, or can
  ** be retried loses an event. Any number of workers may do it; a run may end anywhere.
  */
  int (*clean)(struct lh_store *store, struct lh_clean *clean, struct lh_error *err);
  /* Moves the WAL into the database if it holds more than min_bytes; bounded by the lock. */
  int (*checkpoint)(struct lh_store *store, int64_t min_bytes, struct lh_error *err);
};

#endif
