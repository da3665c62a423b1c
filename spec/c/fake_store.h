/*
** A worker's side of a store in memory, for what a real one does too rarely:
** to fail, to declare a session dead, to answer late. It leases what the test
** put in, in order, and remembers what was recorded; it decides nothing else.
*/
#ifndef SPEC_FAKE_STORE_H
#define SPEC_FAKE_STORE_H

#include "fake_clock.h"
#include "store/store.h"

#define FAKE_REQUESTS_MAX 512
#define FAKE_RECORDS_MAX 2048
#define FAKE_DATA_MAX (1024 * 1024)

struct fake_lease {
  struct lh_lease lease;
  size_t data_len; /* of its one event */
  int leased;
};

struct fake_record {
  struct lh_attempt_result result; /* its texts are these: */
  char error[128];
  char url[128];
  char nonce[32];
  unsigned char tags[LH_TAGS_MAX];
  char response[64];
  int64_t session;
};

struct fake_store {
  struct lh_store door; /* first */
  struct lh_target target;
  struct fake_lease leases[FAKE_REQUESTS_MAX];
  size_t lease_count;
  struct fake_record records[FAKE_RECORDS_MAX];
  size_t record_count;
  char data[FAKE_DATA_MAX]; /* of the event being shown */
  struct lh_delivery after; /* what every recorded result is told */
  unsigned effects;         /* … and what followed from it */

  int turn_code; /* what turn answers after having shown everything */
  int rescue_code;
  int session_code;
  int session_dead; /* the next turn says so, once */
  size_t rescued;   /* the next rescue says so, once */
  int64_t next_due_ms;
  size_t job_steps_left;    /* of its one job, which every turn tells of */
  int job_held;             /* a step says that somebody else is at it */
  int job_code;             /* what a step of it answers */
  int64_t job_step_ms;      /* the clock moves by it with each step … */
  struct fake_clock *clock; /* … if there is one */
  int wake_fds[2];          /* a pipe, -1: none */

  size_t clean_steps_left; /* of a run of retention */
  int clean_code;          /* what a step of it answers */
  int64_t clean_step_ms;   /* the clock moves by it with each step, if there is one */
  size_t clean_steps;
  struct lh_clean clean; /* as it was asked */

  int64_t mail_due_ms;                  /* when a mail about notices is due */
  size_t mail_looks;                    /* how often that was asked */
  struct lh_mailing_wish mail_wish;     /* the last one; it is given mailing 7 */
  struct lh_mailing_result mail_result; /* the last one recorded */

  size_t task_turns;        /* turns of tasks.h */
  int64_t task_session;     /* whose the last one was */
  int64_t task_now_ms;      /* and when */
  uint32_t task_jitter_ppm; /* of its first result */
  int task_code, task_dead; /* what one answers, and whether it says that the session is dead */

  int64_t sessions; /* opened so far; the number of the last one */
  int64_t session_closed;
  size_t turns;
  size_t rescues;
  size_t checkpoints;
  size_t wake_clears;
  struct lh_turn last; /* as it was asked */
};

/* In place: `door` is handed out. scheme decides the target's key. */
void fake_store_init(struct fake_store *store, enum lh_scheme scheme);
/* Asserts that every target was given back. */
void fake_store_clear(struct fake_store *store);
/* One more request of one event whose data has data_len bytes (at least 20). */
void fake_store_add(struct fake_store *store, size_t data_len);
/* Its secret, for verifying: LH_SECRET_GENERATED_LEN characters. */
const char *fake_store_secret(int which);

#endif
