/*
** Table group: who may use the API and the console: tokens, users, their
** logins, the first-run token, and how often somebody has tried in vain. Of
** secrets it gets or gives hashes (core/token.h); passwords it hashes itself.
** What they changed is audit.h's.
**
** Times are arguments, for tests and because a login's end is compared with
** them. A change takes who makes it, for the audit log (audit.h).
*/
#ifndef LH_STORE_ACCESS_H
#define LH_STORE_ACCESS_H

#include <stdint.h>

#include "core/access.h"
#include "core/hmac.h"
#include "core/id.h"
#include "core/token.h"

struct lh_store;
struct lh_actor; /* audit.h */

/* ---- tokens of programs */

struct lh_token {
  struct lh_id id;
  char name[LH_NAME_MAX + 1];       /* one live token has a name */
  char account[LH_ACCOUNT_MAX + 1]; /* "": all accounts */
  enum lh_scope scope;
  int64_t created_ms;
  int64_t last_used_ms; /* to LH_TOKEN_USED_MS; 0: never */
  int64_t revoked_ms;   /* 0: not */
};
struct lh_token_list {
  struct lh_token *rows;
  size_t count;
};
void lh_token_list_clear(struct lh_token_list *list);

/* ---- users and their logins */

struct lh_user {
  char name[LH_USER_NAME_MAX + 1]; /* as it was given; found in any case */
  enum lh_role role;
  int64_t created_ms;
  int64_t disabled_ms; /* 0: not */
  int64_t seen_ms;     /* of the login that was used last; 0: none is open */
  int64_t user;        /* its number, and what rises with each change: the store's business */
  int64_t revision;
};
struct lh_user_list {
  struct lh_user *rows;
  size_t count;
};
void lh_user_list_clear(struct lh_user_list *list);

struct lh_user_new {
  const char *name;
  enum lh_role role;
  struct lh_piece password;
  int32_t iterations;             /* 0: LH_PASSWORD_ITERATIONS */
  const unsigned char *first_run; /* hash of a first-run token, or NULL: an administrator adds it */
};

/* What a change of a user sets. */
enum lh_user_field {
  LH_USER_ROLE = 1 << 0,
  LH_USER_DISABLED = 1 << 1,
  LH_USER_PASSWORD = 1 << 2,
  LH_USER_REMOVED = 1 << 3 /* alone */
};
struct lh_user_change {
  const char *name;
  unsigned fields; /* set of enum lh_user_field */
  enum lh_role role;
  int disabled;
  struct lh_piece password;
  int32_t iterations; /* 0: LH_PASSWORD_ITERATIONS */
};

/* Somebody who says who it is. */
struct lh_claim {
  const char *name;
  struct lh_piece password;
  int32_t iterations; /* 0: LH_PASSWORD_ITERATIONS */
};

/* A browser that is signed in. */
struct lh_login {
  char user[LH_USER_NAME_MAX + 1];
  enum lh_role role;
  int64_t created_ms;
  int64_t seen_ms;    /* to LH_LOGIN_SEEN_MS */
  int64_t expires_ms; /* if it is not used again */
};

/* Whose wrong tries are counted: an address, a user's name in any case. Either may be NULL. */
struct lh_knock {
  const char *address;
  const char *user;
};

struct lh_store_access {
  /*
  ** Stores *token (name, account, scope) with the hash of its text and fills in the rest. Makes the
  ** account if it is not there. LH_E_INVALID, LH_E_CONFLICT (name), LH_E_LIMIT.
  */
  int (*token_create)(struct lh_store *store, struct lh_token *token,
                      const unsigned char hash[LH_TOKEN_HASH_BYTES], const struct lh_actor *actor,
                      int64_t now_ms, struct lh_error *err);
  /* All, oldest first; at most LH_TOKENS_MAX. */
  int (*token_list)(struct lh_store *store, struct lh_token_list *list, struct lh_error *err);
  /* By id or name. Holds for every check that begins after it. LH_E_NOT_FOUND. Again: no change. */
  int (*token_revoke)(struct lh_store *store, const char *id_or_name, const struct lh_actor *actor,
                      int64_t now_ms, struct lh_token *token, struct lh_error *err);
  /* LH_E_DENIED: unknown or revoked. Writes at most once in LH_TOKEN_USED_MS. */
  int (*token_check)(struct lh_store *store, const unsigned char hash[LH_TOKEN_HASH_BYTES],
                     int64_t now_ms, struct lh_token *token, struct lh_error *err);

  /*
  ** While there is no enabled admin the new user must be one; the first user ends all first-run
  ** tokens. With first_run: only the first user, LH_E_REFUSED if there is one already, LH_E_DENIED
  ** if the token is unknown or over. LH_E_INVALID (name, password), LH_E_CONFLICT, LH_E_LIMIT.
  ** Hashes the password first: takes a quarter of a second, without a lock.
  */
  int (*user_add)(struct lh_store *store, const struct lh_user_new *user,
                  const struct lh_actor *actor, int64_t now_ms, struct lh_user *made,
                  struct lh_error *err);
  /*
  ** Each of these changes ends the user's logins. LH_E_NOT_FOUND; LH_E_REFUSED if no enabled admin
  ** would be left, of several changes at once too; LH_E_INVALID (password). *after is as it is now.
  */
  int (*user_set)(struct lh_store *store, const struct lh_user_change *change,
                  const struct lh_actor *actor, int64_t now_ms, struct lh_user *after,
                  struct lh_error *err);
  /* By name; at most LH_USERS_MAX. */
  int (*user_list)(struct lh_store *store, struct lh_user_list *list, struct lh_error *err);
  /*
  ** LH_E_DENIED, with the same words and after the same time whether the name, the password or both
  ** are wrong, or the user is disabled. A hash of fewer iterations is
  ** replaced. `knock` goes before.
  */
  int (*user_check)(struct lh_store *store, const struct lh_claim *claim, struct lh_user *user,
                    struct lh_error *err);

  /* Signs a user of user_check in; LH_E_DENIED if it was changed since. The oldest may end. */
  int (*login_add)(struct lh_store *store, const struct lh_user *user,
                   const unsigned char hash[LH_TOKEN_HASH_BYTES], const struct lh_actor *actor,
                   int64_t now_ms, struct lh_error *err);
  /* LH_E_DENIED: unknown, ended or over. Writes at most once in LH_LOGIN_SEEN_MS. */
  int (*login_check)(struct lh_store *store, const unsigned char hash[LH_TOKEN_HASH_BYTES],
                     int64_t now_ms, struct lh_login *login, struct lh_error *err);
  /* Ended, or ended before. */
  int (*login_end)(struct lh_store *store, const unsigned char hash[LH_TOKEN_HASH_BYTES],
                   const struct lh_actor *actor, int64_t now_ms, struct lh_error *err);

  /*
  ** Counts a try in advance, so that many at once are counted too. *wait_ms > 0: too many, and
  ** nothing was counted (nor written); when the next one may come.
  */
  int (*knock)(struct lh_store *store, const struct lh_knock *knock, int64_t now_ms,
               int64_t *wait_ms, struct lh_error *err);
  /* It was right: it does not count, and the user's count begins anew. */
  int (*welcome)(struct lh_store *store, const struct lh_knock *knock, int64_t now_ms,
                 struct lh_error *err);

  /*
  ** Stores the hash of a first-run token, for LH_FIRST_RUN_MS. LH_E_REFUSED if there are users;
  ** remove_users: they go, with their logins.
  */
  int (*first_run)(struct lh_store *store, const unsigned char hash[LH_TOKEN_HASH_BYTES],
                   int remove_users, const struct lh_actor *actor, int64_t now_ms,
                   struct lh_error *err);
};

#endif
