/* What the contract suite's parts about access share. */
#ifndef SPEC_CONTRACT_ACCESS_SUITE_H
#define SPEC_CONTRACT_ACCESS_SUITE_H

#include "spec/contract/store_suite.h"

#define ACCESS_PASSWORD "correct horse battery"
#define ACCESS_ITERATIONS 10 /* so that tests are fast */

static const struct lh_actor access_actor = {"user:anna", NULL};

/* The hash of token number `number` of a kind. Borrowed until the next call. */
const unsigned char *access_hash(enum lh_token_kind kind, int number);
struct lh_piece access_piece(const char *text);
/* Adds a user with ACCESS_PASSWORD. */
int access_add(struct lh_store *store, const char *name, enum lh_role role, struct lh_error *err);
/* user_check of ACCESS_PASSWORD. */
int access_claim(const char *name, const char *password, struct lh_user *user);
/* One run of retention with 30 and 90 days. */
void access_clean(void);
/* How many audit entries of `what` there are. */
size_t access_audited(const char *what);

int store_suite_run_tokens(void); /* these are run by store_suite_run_access */
int store_suite_run_users(void);

#endif
