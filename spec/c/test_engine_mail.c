/* Mails beside the attempts: when they are due, that they end once, and that a drain waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine_bench.h"

static int setup(void **state) {
  *state = bench_open(LH_SCHEME_ZINRELO, 4, 0);
  return 0;
}

static int teardown(void **state) {
  bench_close(*state);
  return 0;
}

static int send_mail(struct bench *bench, int64_t *number) {
  static const struct lh_mail mail = {.url = "smtp://127.0.0.1", .from = "a@b"};
  struct lh_error err;
  return lh_engine_mail_send(bench->engine, &mail, number, &err);
}

static void test_a_mail_ends_in_one_report(void **state) {
  struct bench *bench = *state;
  int64_t number, other;
  bench->transport.mail_after_ms = 500;
  bench->transport.mail_verdict = LH_MAIL_ACCEPTED;
  assert_int_equal(send_mail(bench, &number), 0);
  assert_int_equal(send_mail(bench, &other), 0);
  assert_int_not_equal(number, other);
  bench_step(bench);
  assert_int_equal(bench->report.mail_count, 0);
  assert_int_equal(bench->report.in_flight, 2);
  assert_false(bench->report.idle);
  fake_clock_advance(&bench->clock, 500);
  bench_step(bench);
  assert_int_equal(bench->report.mail_count, 2);
  assert_int_equal(bench->report.mails[0].number, number);
  assert_int_equal(bench->report.mails[1].number, other);
  assert_int_equal(bench->report.mails[0].verdict, LH_MAIL_ACCEPTED);
  assert_int_equal(bench->report.mails[0].status, 250);
  assert_int_equal(bench->report.mails[0].duration_ms, 500);
  assert_string_equal(bench->report.mails[0].error, "so it was told");
  assert_int_equal(bench->report.in_flight, 0);
  bench_step(bench);
  assert_int_equal(bench->report.mail_count, 0);
  assert_true(bench->report.idle);
}

static void test_mails_take_no_place_from_attempts(void **state) {
  struct bench *bench = *state;
  int64_t number;
  bench->transport.mail_after_ms = 60000;
  bench_answer(bench, FAKE_NEVER, LH_OUTCOME_TIMEOUT, 0, 0);
  for (int i = 0; i < LH_MAILS_IN_FLIGHT_MAX; i++) assert_int_equal(send_mail(bench, &number), 0);
  assert_int_equal(send_mail(bench, &number), LH_E_LIMIT);
  assert_int_equal(bench->transport.mails, LH_MAILS_IN_FLIGHT_MAX);
  for (int i = 0; i < 4; i++) fake_store_add(&bench->store, 40);
  bench_step(bench);
  assert_int_equal(bench->sent, 4); /* its whole concurrency */
  assert_int_equal(bench->report.in_flight, 4 + LH_MAILS_IN_FLIGHT_MAX);
}

static void test_a_mail_that_does_not_start_takes_no_place(void **state) {
  struct bench *bench = *state;
  int64_t number;
  bench->transport.mail_code = LH_E_INVALID;
  for (int i = 0; i < 2 * LH_MAILS_IN_FLIGHT_MAX; i++)
    assert_int_equal(send_mail(bench, &number), LH_E_INVALID);
  bench->transport.mail_code = 0;
  assert_int_equal(send_mail(bench, &number), 0);
}

static void test_the_report_says_when_a_mail_is_due(void **state) {
  struct bench *bench = *state;
  struct lh_mailing mailing;
  bench_step(bench);
  assert_false(bench->report.mail_due);
  bench->store.mail_due_ms = bench->clock.wall_ms + 1500;
  fake_clock_advance(&bench->clock, LH_SAFETY_TIMER_MS);
  bench_step(bench);
  assert_false(bench->report.mail_due);
  bench_step(bench);
  lh_engine_step(bench->engine, 5000, NULL, 0, &bench->report, NULL);
  assert_int_equal(bench->transport.waited_ms, 500); /* for the mail */
  fake_clock_advance(&bench->clock, 500);
  bench_step(bench);
  assert_true(bench->report.mail_due);
  lh_engine_step(bench->engine, 5000, NULL, 0, &bench->report, NULL);
  assert_true(bench->transport.waited_ms > 0); /* nobody leases it: no reason to spin */
  assert_int_equal(lh_engine_mailing_lease(bench->engine, "example.com", 1, &mailing, NULL), 0);
  assert_int_equal(mailing.mailing, 7);
  assert_int_equal(bench->store.mail_wish.session, 1);
  assert_int_equal(bench->store.mail_wish.now_ms, bench->clock.wall_ms);
  bench->store.mail_due_ms = INT64_MAX;
  bench_step(bench); /* it looks again at once */
  assert_false(bench->report.mail_due);
  const struct lh_mailing_result result = {.mailing = 7, .verdict = LH_MAIL_UNKNOWN, .error = "x"};
  assert_int_equal(lh_engine_mailing_record(bench->engine, &result, NULL), 0);
  assert_int_equal(bench->store.mail_result.session, 1);
  assert_int_equal(bench->store.mail_result.verdict, LH_MAIL_UNKNOWN);
  assert_int_equal(bench->store.mail_result.now_ms, bench->clock.wall_ms);
}

static void test_an_idle_worker_looks_once_a_second(void **state) {
  struct bench *bench = *state;
  for (int i = 0; i < 3; i++) bench_step(bench);
  size_t looks = bench->store.mail_looks;
  for (int i = 0; i < 20; i++) {
    fake_clock_advance(&bench->clock, 100);
    bench_step(bench);
  }
  assert_in_range(bench->store.mail_looks - looks, 1, 3);
}

static void test_a_failed_request_makes_it_look_at_once(void **state) {
  struct bench *bench = *state;
  bench->store.after = (struct lh_delivery){.state = LH_FAILED};
  bench->store.effects = LH_EFFECT_FAILED;
  bench_answer(bench, FAKE_ANSWER, LH_OUTCOME_ANSWERED, 500, 0);
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  assert_int_equal(bench->sent, 1);
  bench->store.mail_due_ms = 0;
  bench_step(bench); /* the clock stands still */
  assert_int_equal(bench->report.event_count, 1);
  assert_true(bench->report.mail_due);
}

/* What is leased can be handed over, also in the round that tells how others ended: a mail that was
   leased and then found no slot counted as refused, and came a minute late. */
static void test_a_lease_has_a_slot(void **state) {
  struct bench *bench = *state;
  struct lh_mailing mailing;
  int64_t number;
  int leased = 0;
  bench->transport.mail_after_ms = 500;
  assert_int_equal(send_mail(bench, &number), 0);
  bench->store.mail_due_ms = 0;
  fake_clock_advance(&bench->clock, LH_SAFETY_TIMER_MS);
  bench_step(bench);
  assert_int_equal(bench->report.mail_count, 1);
  assert_true(bench->report.mail_due);
  for (int i = 0; i < LH_MAILS_IN_FLIGHT_MAX; i++) {
    assert_int_equal(lh_engine_mailing_lease(bench->engine, "example.com", 1, &mailing, NULL), 0);
    if (mailing.mailing == 0) break;
    assert_int_equal(send_mail(bench, &number), 0);
    leased++;
  }
  assert_int_equal(leased, LH_MAILS_IN_FLIGHT_MAX - 1);
  bench_step(bench); /* that slot is free again */
  assert_int_equal(lh_engine_mailing_lease(bench->engine, "example.com", 1, &mailing, NULL), 0);
  assert_int_not_equal(mailing.mailing, 0);
  assert_int_equal(send_mail(bench, &number), 0);
}

static void test_a_drain_waits_for_mails_and_leases_none(void **state) {
  struct bench *bench = *state;
  struct lh_mailing mailing;
  int64_t number;
  bench->store.mail_due_ms = 0;
  bench->transport.mail_after_ms = 500;
  assert_int_equal(send_mail(bench, &number), 0);
  lh_engine_drain(bench->engine);
  bench_step(bench);
  assert_false(bench->report.mail_due);
  assert_int_equal(bench->report.in_flight, 1);
  assert_int_equal(lh_engine_mailing_lease(bench->engine, "example.com", 1, &mailing, NULL), 0);
  assert_int_equal(mailing.mailing, 0);
  fake_clock_advance(&bench->clock, 500);
  bench_step(bench);
  assert_int_equal(bench->report.in_flight, 0);
  assert_int_equal(bench->report.mail_count, 1);
}

/* A handler that comes to its end in a drain may have a mail to send. */
static void test_mails_begin_until_the_abort(void **state) {
  struct bench *bench = *state;
  int64_t number;
  lh_engine_drain(bench->engine);
  assert_int_equal(send_mail(bench, &number), 0);
  assert_int_equal(lh_engine_abort(bench->engine, NULL), 0);
  assert_int_equal(send_mail(bench, &number), LH_E_REFUSED);
}

static void test_a_cancelled_mail_is_in_no_report(void **state) {
  struct bench *bench = *state;
  int64_t number;
  for (int unsent = 0; unsent < 2; unsent++) {
    bench->transport.unsent = unsent;
    for (int i = 0; i < 2 * LH_MAILS_IN_FLIGHT_MAX; i++) {
      assert_int_equal(send_mail(bench, &number), 0);
      assert_int_equal(lh_engine_mail_cancel(bench->engine, number), unsent);
      assert_int_equal(lh_engine_mail_cancel(bench->engine, number), -1);
    }
  }
  bench_step(bench);
  assert_int_equal(bench->report.mail_count, 0);
  assert_int_equal(bench->report.in_flight, 0);
}

static void test_an_abort_says_what_may_have_arrived(void **state) {
  struct bench *bench = *state;
  for (int unsent = 0; unsent < 2; unsent++) {
    int64_t number;
    struct bench *one = unsent ? bench_open(LH_SCHEME_ZINRELO, 4, 0) : bench;
    one->transport.mail_after_ms = 60000;
    one->transport.unsent = unsent;
    assert_int_equal(send_mail(one, &number), 0);
    bench_step(one);
    assert_int_equal(lh_engine_abort(one->engine, NULL), 0);
    bench_step(one);
    assert_int_equal(one->report.mail_count, 1);
    assert_int_equal(one->report.mails[0].verdict, unsent ? LH_MAIL_REFUSED : LH_MAIL_UNKNOWN);
    assert_int_equal(one->report.in_flight, 0);
    if (unsent) bench_close(one);
  }
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(test_a_mail_ends_in_one_report),
      T(test_mails_take_no_place_from_attempts),
      T(test_a_mail_that_does_not_start_takes_no_place),
      T(test_the_report_says_when_a_mail_is_due),
      T(test_an_idle_worker_looks_once_a_second),
      T(test_a_failed_request_makes_it_look_at_once),
      T(test_a_lease_has_a_slot),
      T(test_a_drain_waits_for_mails_and_leases_none),
      T(test_mails_begin_until_the_abort),
      T(test_a_cancelled_mail_is_in_no_report),
      T(test_an_abort_says_what_may_have_arrived),
  };
#undef T
  return cmocka_run_group_tests(tests, NULL, NULL);
}
