/*
** Table group: notices, what an administrator must hear of, and the mails that
** tell of them (design §3.10). The store makes a notice itself, in the
** transaction in which a request fails (for another reason than disabled or
** deleted) or a webhook pauses; its row never changes. A webhook's mailing is a
** cursor into its notices and, while one is under way, the mail that moves it.
*/
#ifndef LH_STORE_NOTICES_H
#define LH_STORE_NOTICES_H

#include "core/delivery.h"
#include "core/outcome.h"

struct lh_store;
struct lh_actor; /* audit.h */

/* Numbers are stored; do not renumber. */
enum lh_notice_kind {
  LH_NOTICE_FAILED = 0, /* a request became failed; its reason is the request's */
  LH_NOTICE_PAUSED = 1  /* a webhook was paused; its reason is the status_reason */
};

/* Accounts. */

struct lh_account_row {
  char name[LH_ACCOUNT_MAX + 1];
  char *notify;     /* addresses joined by ',', or NULL: the configured ones; owned by the list */
  int64_t webhooks; /* not deleted */
};
struct lh_account_list {
  struct lh_account_row *rows;
  size_t count;
  int more; /* 1: go on after the last one's name */
};
void lh_account_list_clear(struct lh_account_list *list);

struct lh_account_filter {
  const char *name;  /* or NULL: all */
  const char *after; /* only names that come later; or NULL */
  int limit;         /* 1..LH_LIST_LIMIT_MAX */
};

/* The list of notices. */

struct lh_notice_row {
  int64_t notice;
  enum lh_notice_kind kind;
  char account[LH_ACCOUNT_MAX + 1];
  char webhook_name[LH_NAME_MAX + 1];
  struct lh_id webhook_id;
  struct lh_id request_id; /* failed; all zero if retention has cut the request */
  char reason[LH_NOTICE_REASON_MAX];
  int64_t created_ms;
  int mailed; /* 1: it was in a mail that the server accepted */
};
struct lh_notice_list {
  struct lh_notice_row *rows;
  size_t count;
  int64_t next; /* cursor for the following page, 0: no more */
};
void lh_notice_list_clear(struct lh_notice_list *list);

struct lh_notice_filter {
  const char *account;            /* or NULL */
  const struct lh_id *webhook_id; /* or NULL */
  int64_t since_ms;               /* made at or after; 0: any */
  int64_t after;                  /* cursor; 0: from the newest */
  int limit;                      /* 1..LH_LIST_LIMIT_MAX */
};

/* Mails. */

/* How many notices of one kind and reason a mail tells of. */
struct lh_notice_sum {
  enum lh_notice_kind kind;
  char reason[LH_NOTICE_REASON_MAX];
  int64_t count;
  int64_t first_ms;
  int64_t last_ms;
};

/* One request that a mail names, as it is now. Texts are owned by the mailing. */
struct lh_mail_entry {
  struct lh_id request_id;
  enum lh_state state; /* a retry may have brought it on since */
  char reason[LH_NOTICE_REASON_MAX];
  int64_t failed_ms;
  int32_t count; /* events */
  int32_t attempts_made;
  enum lh_outcome outcome; /* of its last attempt, if there was one */
  int status;
  char *error;
  char *response;
  size_t response_len;
};

/* A mail that is to be sent. */
struct lh_mailing {
  int64_t mailing;                    /* its number, for `record`; 0: no mail is due */
  char message_id[LH_MESSAGE_ID_MAX]; /* without its angle brackets */
  int again;                          /* 1: it may have arrived already, with this message_id */
  char *notify; /* the account's addresses joined by ',', or NULL: the configured ones */
  struct lh_webhook webhook; /* as it is now */
  struct lh_notice_sum sums[LH_NOTICE_SUMS_MAX];
  size_t sum_count;
  struct lh_mail_entry *entries; /* the first LH_MAIL_ENTRIES_MAX, oldest first */
  size_t entry_count;
};
void lh_mailing_clear(struct lh_mailing *mailing);

struct lh_mailing_wish {
  int64_t session;
  int64_t now_ms;
  const char *host; /* of new message ids */
  int fallback;     /* 1: accounts without addresses have configured ones */
};

/* What became of a mail. Texts are borrowed. */
struct lh_mailing_result {
  int64_t mailing;
  const char *message_id;
  int64_t session;
  int64_t now_ms;
  enum lh_mail_verdict verdict;
  int again;         /* as it was leased */
  const char *error; /* "" if none */
};

struct lh_store_notices {
  /* When the next mail is due, INT64_MAX if none is. Cheap: asked every second. */
  int (*next_due)(struct lh_store *store, int64_t now_ms, int64_t *due_ms, struct lh_error *err);
  /*
  ** The mail that has been due for longest, for this session alone until it is
  ** recorded or the session ends. It covers every notice of its webhook up to
  ** now, or, if it is sent again because it may have arrived, those that it
  ** covered before. Mails to nobody are put off by LH_MAIL_INTERVAL_MS. A
  ** session that was declared dead gets none. *mailing is yours to clear.
  */
  int (*lease)(struct lh_store *store, const struct lh_mailing_wish *wish,
               struct lh_mailing *mailing, struct lh_error *err);
  /*
  ** accepted: its notices are told of, the next mail may go LH_MAIL_INTERVAL_MS
  ** later. refused: the next one, with what came meanwhile, 1, 2, 4 … 60 minutes
  ** later. unknown, or refused when it may have arrived before: the same one
  ** again, after the same wait. A mail that another session has taken over
  ** counts only if it was accepted.
  */
  int (*record)(struct lh_store *store, const struct lh_mailing_result *result,
                struct lh_error *err);
  /* Newest first. */
  int (*list)(struct lh_store *store, const struct lh_notice_filter *filter,
              struct lh_notice_list *list, struct lh_error *err);
  /*
  ** Where an account's mails go: addresses joined by ',', or NULL for the
  ** configured ones. Makes the account if it is not there. What waits for an
  ** address is due now. Codes: LH_E_INVALID, LH_E_LIMIT ….
  */
  int (*account_set)(struct lh_store *store, const char *name, const char *notify,
                     const struct lh_actor *actor, int64_t now_ms, struct lh_error *err);
  /* By name. */
  int (*account_list)(struct lh_store *store, const struct lh_account_filter *filter,
                      struct lh_account_list *list, struct lh_error *err);
};

#endif
