/* Calls of handlers beside the attempts: each ends once, whose memory it is, and limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine_bench.h"

#define URL "https://crm.example/contacts"

static int setup(void **state) {
  *state = bench_open(LH_SCHEME_ZINRELO, 4, 0);
  return 0;
}

static int teardown(void **state) {
  bench_close(*state);
  return 0;
}

static void answer(struct bench *bench, const struct fake_answer *answer) {
  struct fake_endpoint *endpoint = fake_network_endpoint(&bench->network, URL);
  fake_endpoint_script_begin(endpoint);
  fake_endpoint_script_add(endpoint, answer);
}

static void answer_after(struct bench *bench, int64_t after_ms) {
  answer(bench, &(struct fake_answer){.status = 200, .uploaded = 1, .after_ms = after_ms});
}

static int send_body(struct bench *bench, size_t body_len, int64_t *number) {
  static char body[LH_CALL_BODY_MAX];
  const struct lh_call call = {.method = LH_METHOD_POST,
                               .url = URL,
                               .body = body,
                               .body_len = body_len,
                               .timeout_ms = 30000,
                               .connect_timeout_ms = 10000,
                               .answer_bytes_max = 1000};
  return lh_engine_call_send(bench->engine, &call, number, NULL);
}

static int64_t send_call(struct bench *bench) {
  int64_t number = 0;
  assert_int_equal(send_body(bench, 10, &number), 0);
  return number;
}

static void test_a_call_ends_in_one_report_with_its_answer(void **state) {
  struct bench *bench = *state;
  answer(bench, &(struct fake_answer){.status = 429,
                                      .uploaded = 1,
                                      .after_ms = 500,
                                      .retry_after_ms = 7000,
                                      .headers = "x-a: b",
                                      .body = "{}"});
  int64_t first = send_call(bench), second = send_call(bench);
  assert_int_not_equal(first, second);
  bench_step(bench);
  assert_int_equal(bench->report.call_count, 0);
  assert_null(lh_engine_calls_take(bench->engine));
  assert_int_equal(bench->report.in_flight, 2);
  assert_false(bench->report.idle);
  fake_clock_advance(&bench->clock, 500);
  bench_step(bench);
  assert_int_equal(bench->report.call_count, 2);
  assert_int_equal(bench->report.in_flight, 0);
  struct lh_engine_call_end *list = lh_engine_calls_take(bench->engine), *end = list;
  assert_int_equal(end->number, first);
  assert_int_equal(end->next->number, second);
  assert_null(end->next->next);
  bench_step(bench); /* a step takes nothing away from it */
  assert_int_equal(bench->report.call_count, 0);
  assert_true(bench->report.idle);
  assert_int_equal(end->outcome, LH_OUTCOME_ANSWERED);
  assert_int_equal(end->status, 429);
  assert_true(end->sent);
  assert_int_equal(end->duration_ms, 500);
  assert_int_equal(end->retry_after_ms, 7000);
  assert_string_equal(end->error, "");
  assert_int_equal(end->answer.headers.len, 6);
  assert_memory_equal(end->answer.headers.at, "x-a\0b", 6);
  assert_int_equal(end->answer.body.len, 2);
  assert_memory_equal(end->answer.body.at, "{}", 2);
  lh_engine_calls_free(list);
}

static void test_what_was_taken_outlives_the_engine(void **state) {
  struct bench *bench = *state;
  answer(bench, &(struct fake_answer){.status = 200, .uploaded = 1, .body = "kept"});
  send_call(bench);
  bench_step(bench);
  struct lh_engine_call_end *list = lh_engine_calls_take(bench->engine);
  send_call(bench); /* ended, not taken */
  bench_step(bench);
  lh_engine_close(bench->engine);
  bench->engine = NULL;
  assert_memory_equal(list->answer.body.at, "kept", 4);
  lh_engine_calls_free(list);
}

static void test_calls_take_no_place_from_attempts(void **state) {
  struct bench *bench = *state;
  answer_after(bench, 20000);
  for (int i = 0; i < 100; i++) send_call(bench);
  bench_answer(bench, FAKE_NEVER, LH_OUTCOME_TIMEOUT, 0, 0);
  for (int i = 0; i < 4; i++) fake_store_add(&bench->store, 40);
  bench_step(bench);
  assert_int_equal(bench->sent, 4); /* its whole concurrency */
  assert_int_equal(bench->report.in_flight, 104);
}

/* Numbers and bytes are bounded, and free again when a call has ended. */
static void test_limits(void **state) {
  struct bench *bench = *state;
  int64_t number = 0;
  answer_after(bench, 500);
  for (int i = 0; i < 4; i++) assert_int_equal(send_body(bench, LH_CALL_BODY_MAX, &number), 0);
  assert_int_equal(send_body(bench, 1, &number), LH_E_LIMIT);
  assert_int_equal(send_body(bench, 0, &number), 0);
  fake_clock_advance(&bench->clock, 500);
  bench_step(bench);
  assert_int_equal(bench->report.call_count, 5);
  assert_int_equal(send_body(bench, LH_CALL_BODY_MAX, &number), 0);
  lh_engine_calls_free(lh_engine_calls_take(bench->engine));
  answer_after(bench, 0); /* the fake one has no room for all of them at once */
  for (int i = 0; i < LH_CALLS_MAX - 1; i++) {
    assert_int_equal(send_body(bench, 0, &number), 0);
    if (i % 512 == 0) bench_step(bench);
  }
  assert_int_equal(send_body(bench, 0, &number), LH_E_LIMIT);
  bench_step(bench);
  lh_engine_calls_free(lh_engine_calls_take(bench->engine));
  assert_int_equal(send_body(bench, 0, &number), 0);
}

static void test_a_call_that_does_not_start_leaves_nothing(void **state) {
  struct bench *bench = *state;
  int64_t number = 0;
  answer(bench, &(struct fake_answer){.kind = FAKE_UNUSABLE, .times = 1});
  assert_int_equal(send_body(bench, 10, &number), LH_E_INVALID);
  answer(bench, &(struct fake_answer){.kind = FAKE_SHORTAGE, .times = 1});
  assert_int_equal(send_body(bench, 10, &number), LH_E_SHORTAGE);
  bench_step(bench);
  assert_int_equal(bench->report.in_flight, 0);
  assert_int_equal(bench->report.call_count, 0);
}

static void test_a_cancelled_call_is_in_no_report(void **state) {
  struct bench *bench = *state;
  for (int unsent = 0; unsent < 2; unsent++) {
    answer_after(bench, 500);
    bench->transport.unsent = unsent;
    int64_t first = send_call(bench), second = send_call(bench), third = send_call(bench);
    assert_int_equal(lh_engine_call_cancel(bench->engine, first), unsent);
    assert_int_equal(lh_engine_call_cancel(bench->engine, first), -1);
    bench_step(bench);
    assert_int_equal(bench->report.in_flight, 2);
    fake_clock_advance(&bench->clock, 500);
    bench_step(bench); /* ended, but whoever cancels before taking need not know */
    assert_int_equal(lh_engine_call_cancel(bench->engine, third), 0);
    struct lh_engine_call_end *list = lh_engine_calls_take(bench->engine);
    assert_int_equal(list->number, second);
    assert_null(list->next);
    lh_engine_calls_free(list);
    assert_int_equal(lh_engine_call_cancel(bench->engine, second), -1);
  }
}

/* Handlers come to their end in a drain, and for that they may have to call. */
static void test_a_drain_lets_calls_begin_and_waits_for_them(void **state) {
  struct bench *bench = *state;
  int64_t number = 0;
  answer_after(bench, 500);
  lh_engine_drain(bench->engine);
  send_call(bench);
  bench_step(bench);
  assert_int_equal(bench->report.in_flight, 1);
  assert_int_equal(lh_engine_abort(bench->engine, NULL), 0);
  assert_int_equal(send_body(bench, 0, &number), LH_E_REFUSED);
}

static void test_an_abort_says_what_may_have_arrived(void **state) {
  struct bench *bench = *state;
  for (int unsent = 0; unsent < 2; unsent++) {
    struct bench *one = unsent ? bench_open(LH_SCHEME_ZINRELO, 4, 0) : bench;
    answer_after(one, 60000);
    one->transport.unsent = unsent;
    int64_t number = send_call(one);
    bench_step(one);
    assert_int_equal(lh_engine_abort(one->engine, NULL), 0);
    bench_step(one);
    assert_int_equal(one->report.call_count, 1);
    assert_int_equal(one->report.in_flight, 0);
    struct lh_engine_call_end *list = lh_engine_calls_take(one->engine);
    assert_int_equal(list->number, number);
    assert_int_equal(list->sent, !unsent);
    assert_int_equal(list->outcome, unsent ? LH_OUTCOME_LOCAL : LH_OUTCOME_LOST);
    assert_non_null(strstr(list->error, "worker stopped before"));
    lh_engine_calls_free(list);
    if (unsent) bench_close(one);
  }
}

static void test_the_report_says_when_something_was_committed(void **state) {
  struct bench *bench = *state;
  assert_int_equal(pipe(bench->store.wake_fds), 0);
  bench_step(bench);
  assert_false(bench->report.woken);
  assert_int_equal(write(bench->store.wake_fds[1], "w", 1), 1);
  bench_step(bench);
  assert_true(bench->report.woken);
  bench_step(bench);
  assert_false(bench->report.woken);
  close(bench->store.wake_fds[0]);
  close(bench->store.wake_fds[1]);
  bench->store.wake_fds[0] = -1;
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(test_a_call_ends_in_one_report_with_its_answer),
      T(test_what_was_taken_outlives_the_engine),
      T(test_calls_take_no_place_from_attempts),
      T(test_limits),
      T(test_a_call_that_does_not_start_leaves_nothing),
      T(test_a_cancelled_call_is_in_no_report),
      T(test_a_drain_lets_calls_begin_and_waits_for_them),
      T(test_an_abort_says_what_may_have_arrived),
      T(test_the_report_says_when_something_was_committed),
  };
#undef T
  return cmocka_run_group_tests(tests, NULL, NULL);
}
