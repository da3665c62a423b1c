/* What the files that change a webhook share: change.c, secrets.c, webhooks.c. */
#ifndef LH_STORE_SQLITE_CHANGE_H
#define LH_STORE_SQLITE_CHANGE_H

#include "store/sqlite/turn.h"

/* ---- change.c: the frame of every change, inside one write ---- */

struct lh_changing {
  const struct lh_which *which;
  const char *what;           /* for the audit log: "webhook.edit" */
  struct lh_webhook *webhook; /* as it was, after lh_change_end as it is */
  struct lh_dispatch *dispatch;
  int64_t now_ms;
};
/* Runs `write` with a context that begins with *changing (which and what set); fills *webhook. */
int lh_change_run(struct lh_store *store, struct lh_changing *changing, struct lh_webhook *webhook,
                  lh_write write, struct lh_error *err);
/* Loads the webhook. LH_E_NOT_FOUND, LH_E_REVISION. */
int lh_change_begin(struct lh_tx *tx, struct lh_changing *changing, struct lh_error *err);
/* LH_E_REFUSED if it is deleted. */
int lh_change_refuse_deleted(const struct lh_changing *changing, struct lh_error *err);
/* The target that a lease would use now. LH_E_SECRET_UNREADABLE, LH_E_KEY_MISSING. */
int lh_change_must_sign(struct lh_tx *tx, const struct lh_changing *changing,
                        struct lh_target_entry **entry, struct lh_error *err);
/* Saves the hot row and notes the change; workers look at the webhook again. */
int lh_change_end(struct lh_tx *tx, struct lh_changing *changing, struct lh_error *err);

/* ---- webhooks.c ---- */

/* Notes what was done with a webhook in the audit log. */
int lh_webhook_note(struct lh_tx *tx, const struct lh_actor *actor, const char *what,
                    const struct lh_webhook *webhook, int64_t now_ms, struct lh_error *err);
/* Binds ?3 to ?19 of WEBHOOK_ADD and WEBHOOK_EDIT. What it binds is borrowed. */
void lh_webhook_bind(sqlite3_stmt *statement, const struct lh_webhook *webhook,
                     const char *url_normal);
/*
** LH_E_CONFLICT if another webhook of the account has this name or URL. dispatch NULL: a new one;
** url_normal NULL: the URL does not change.
*/
int lh_webhook_check_unique(struct lh_tx *tx, const struct lh_webhook *webhook,
                            const struct lh_dispatch *dispatch, const char *url_normal,
                            struct lh_error *err);

/* ---- secrets.c ---- */

/* Seals a secret for a webhook; `sealed` holds LH_SECRET_MAX + LH_SEAL_OVERHEAD. */
int lh_secret_seal(struct lh_tx *tx, const struct lh_id *webhook, struct lh_piece secret,
                   unsigned char *sealed, struct lh_error *err);
/* LH_E_SECRET_INVALID if a secret of the row (LH_WEBHOOK_COLUMNS) does not suit the scheme. */
int lh_secret_suits(struct lh_committer *committer, sqlite3_stmt *row, enum lh_scheme scheme,
                    struct lh_error *err);
/* Before the secrets of a webhook are changed or judged; ends with lh_change_end. */
int lh_secret_catch_up(struct lh_tx *tx, const struct lh_changing *changing, struct lh_error *err);
/* LH_E_SECRET_UNREADABLE with what to do. */
int lh_secret_unreadable(const struct lh_webhook *webhook, struct lh_error *err);

#endif
