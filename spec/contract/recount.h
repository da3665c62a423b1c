/*
** A store counts while it works; this counts afterwards, row by row, and
** compares. Every test of the contract suite and every story ends with it.
*/
#ifndef SPEC_CONTRACT_RECOUNT_H
#define SPEC_CONTRACT_RECOUNT_H

#include "store/store.h"

/* NULL, or what does not add up; borrowed until the next call. */
const char *recount(struct lh_store *store);

/*
** Nothing is lost, nothing is twice: for each webhook, what it wanted of these events (all that
** were ever emitted) is what waits and what is in its requests, whatever their state. Not after
** retention.
*/
const char *recount_events(struct lh_store *store, const struct lh_id *events, size_t count);

#endif
