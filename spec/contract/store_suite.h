/*
** What every store must do, whatever it is made of. A store's own test names
** a way to open it and runs this suite; expectations of all stores go here.
*/
#ifndef SPEC_CONTRACT_STORE_SUITE_H
#define SPEC_CONTRACT_STORE_SUITE_H

#include "spec/c/fake_clock.h"
#include "store/store.h"

struct store_maker {
  /* Opens the store, the same one at every call until `wipe`. Fails the test on error. */
  struct lh_store *(*open)(const struct lh_clock *clock);
  void (*wipe)(void);
};

/* Returns the number of failed tests. */
int store_suite_run(const struct store_maker *maker);

/* Helpers that a store's own tests share. */
struct lh_id make_webhook(struct lh_store *store, const char *name, const char *event_types,
                          int32_t batch_size);
struct lh_id emit_one(struct lh_store *store, const char *event_type, const char *data);

/* A worker that notes its leases. */
struct noted_lease {
  struct lh_lease lease;
  struct lh_id first_event;
  int events;
};
struct noted {
  struct noted_lease leases[512];
  size_t count;
};
/* Records results and takes at most `slots` leases into *noted. */
void take_turn(struct lh_store *store, int64_t session, int64_t now_ms,
               struct lh_attempt_result *results, size_t result_count, size_t slots,
               struct noted *noted, struct lh_turn *turn);
struct lh_attempt_result result_of(const struct lh_lease *lease, enum lh_input_kind kind,
                                   int64_t now_ms);

#endif
