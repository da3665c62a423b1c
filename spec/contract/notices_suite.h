/* What the two parts of the contract suite about notices and mails share. */
#ifndef SPEC_CONTRACT_NOTICES_SUITE_H
#define SPEC_CONTRACT_NOTICES_SUITE_H

#include "spec/contract/store_suite.h"

extern struct lh_mailing mailing; /* the last one leased */

int notices_tear_down(void **state);
/* A webhook of this account whose requests fail at their first attempt. */
struct lh_id make_failing(const char *account, const char *name, int32_t pause_after);
/* Emits an event for an account and fails its attempt; the clock is moved past any back-off. */
struct lh_lease fail_one(const char *account);
struct lh_notice_list list_of(const struct lh_notice_filter *filter);
size_t count_notices(int mailed);
/* 1 if a mail was due; it stands in `mailing`. */
int lease_by(int64_t session, int fallback);
int lease_mail(void); /* by the suite's session, with a fallback */
void record_mail(enum lh_mail_verdict verdict);
/* When the next mail is due. */
int64_t due_ms(void);
/* Notices of this kind that `mailing` tells of. */
int64_t told(enum lh_notice_kind kind);
int store_suite_run_mailings(void);

#endif
