/* Words and rules of access.h. */
#include "core/access.h"

#include <assert.h>
#include <string.h>

#include "core/limits.h"

static const char *const scopes[] = {[LH_SCOPE_READ] = "read", [LH_SCOPE_WRITE] = "write"};
static const char *const roles[] = {[LH_ROLE_VIEWER] = "viewer", [LH_ROLE_ADMIN] = "admin"};

const char *lh_scope_name(enum lh_scope scope) {
  assert(scope == LH_SCOPE_READ || scope == LH_SCOPE_WRITE);
  return scopes[scope];
}

const char *lh_role_name(enum lh_role role) {
  assert(role == LH_ROLE_VIEWER || role == LH_ROLE_ADMIN);
  return roles[role];
}

/* The number of a word of two, or -1. */
static int find(const char *const words[2], const char *word) {
  for (int i = 0; i < 2; i++)
    if (strcmp(words[i], word) == 0) return i;
  return -1;
}

int lh_scope_parse(const char *name, enum lh_scope *scope) {
  int found = find(scopes, name);
  *scope = found < 0 ? LH_SCOPE_READ : (enum lh_scope)found;
  return found < 0 ? LH_E_INVALID : LH_OK;
}

int lh_role_parse(const char *name, enum lh_role *role) {
  int found = find(roles, name);
  *role = found < 0 ? LH_ROLE_VIEWER : (enum lh_role)found;
  return found < 0 ? LH_E_INVALID : LH_OK;
}

int lh_user_name_check(const char *name, size_t len, struct lh_error *err) {
  static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@+-";
  size_t fine = 0;
  while (fine < len && name[fine] != '\0' && strchr(good, name[fine]) != NULL) fine++;
  int is_dots = (len == 1 || len == 2) && memcmp(name, "..", len) == 0;
  if (len >= 1 && len <= LH_USER_NAME_MAX && fine == len && !is_dots) return LH_OK;
  return lh_error_set(err, LH_E_INVALID,
                      "user: a name is 1 to %d of A-Z a-z 0-9 . _ @ + -, not . or ..",
                      LH_USER_NAME_MAX);
}
