/*
** Who may use the API and the console: the words for it, and the rules that
** names obey. What a password is stored as is password.h's, what a token is
** token.h's.
*/
#ifndef LH_CORE_ACCESS_H
#define LH_CORE_ACCESS_H

#include <stddef.h>

#include "core/error.h"

/* Numbers are stored; do not renumber. */
enum lh_scope {
  LH_SCOPE_READ = 0, /* an API token that looks */
  LH_SCOPE_WRITE = 1 /* … and changes webhooks and emits; never tokens and users */
};
const char *lh_scope_name(enum lh_scope scope);             /* "read", "write" */
int lh_scope_parse(const char *name, enum lh_scope *scope); /* 0, or LH_E_INVALID */

/* Numbers are stored; do not renumber. */
enum lh_role {
  LH_ROLE_VIEWER = 0, /* a person who looks */
  LH_ROLE_ADMIN = 1   /* who does everything */
};
const char *lh_role_name(enum lh_role role);             /* "viewer", "admin" */
int lh_role_parse(const char *name, enum lh_role *role); /* 0, or LH_E_INVALID */

/*
** A user's name: LH_USER_NAME_MAX of A-Z a-z 0-9 . _ @ + -; a mail address fits. Not "." or "..",
** which browsers take out of an address. LH_E_INVALID.
*/
int lh_user_name_check(const char *name, size_t len, struct lh_error *err);

#endif
