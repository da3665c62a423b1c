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
static const struct lh_piece secret16 = {"0123456789abcdef", 16};
int emit_event(struct lh_store *store, const struct lh_emit *emit, struct lh_emitted *emitted,
               struct lh_error *err);
struct lh_id emit_one(struct lh_store *store, const char *event_type, const char *data);

/* A worker that notes its leases. */
struct noted_lease {
  struct lh_lease lease;
  struct lh_id first_event;
  int events;
  int64_t revision; /* of its target */
};
struct noted {
  struct noted_lease leases[512];
  size_t count;
};
/*
** A turn of `session` at now_ms: records results, takes at most `slots` leases into *noted. The
** rest as in *turn on entry.
*/
void take_turn(struct lh_store *store, struct lh_turn *turn, struct noted *noted);
/* The turn that take_turn starts from. */
struct lh_turn turn_of(int64_t session, int64_t now_ms, size_t slots,
                       struct lh_attempt_result *results, size_t result_count);
struct lh_attempt_result result_of(const struct lh_lease *lease, enum lh_input_kind kind,
                                   int64_t now_ms);

/* What each test of the suite starts with: an empty store, a clock of its own, one session. */
struct suite {
  struct fake_clock fake;
  struct lh_store *store;
  int64_t session;
  struct noted noted;
  struct lh_turn turn;
};
extern struct suite suite;
int suite_set_up(void **state);
int suite_tear_down(void **state);
struct lh_emit suite_emit_of(const char *event_type, const char *data);
void suite_lease(size_t slots); /* into suite.noted */
struct lh_attempt_result suite_record(const struct lh_lease *of, enum lh_input_kind kind);
size_t suite_count_requests(int state);
extern const struct store_maker *maker;
int store_suite_run_log(void); /* these are run by store_suite_run */
int store_suite_run_changes(void);
int store_suite_run_sessions(void);
int store_suite_run_notices(void);
int store_suite_run_explain(void);
int store_suite_run_retry(void);
int store_suite_run_figures(void);
int store_suite_run_clean(void);
int store_suite_run_chance(void);
int store_suite_run_inbox(void);
int store_suite_run_access(void);
int store_suite_run_revision(void);
int store_suite_run_headers(void);
int store_suite_run_audit(void);
int store_suite_run_series(void);
/* An event as core/received.h has it, with some data; and one accepted alone. */
struct lh_received suite_received(const char *id, const char *event_type);
int suite_accept(struct lh_store *store, const char *source, const char *id, size_t *added);
/* A webhook whose first failure is final, and that never pauses. */
struct lh_id suite_webhook_without_retries(const char *name);

#endif
