/* The engine on a store that fails when told to; on the real one it is in spec/scenarios. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine_bench.h"

static int setup(void **state) {
  *state = bench_open(LH_SCHEME_ZINRELO, 4, 0);
  return 0;
}

static int teardown(void **state) {
  bench_close(*state);
  return 0;
}

static int step_code(struct bench *bench) {
  return lh_engine_step(bench->engine, 0, NULL, 0, &bench->report, NULL);
}

/* ---------------------------------------------------------------- answers */

static void test_engine_judges_answers(void **state) {
  struct bench *bench = *state;
  static const struct {
    enum lh_outcome outcome;
    int status;
    int uploaded;
    enum lh_success success;
    enum lh_input_kind kind;
  } cases[] = {
      {LH_OUTCOME_ANSWERED, 200, 1, LH_SUCCESS_200, LH_INPUT_SUCCESS},
      {LH_OUTCOME_ANSWERED, 200, 0, LH_SUCCESS_200, LH_INPUT_FAILURE},
      {LH_OUTCOME_ANSWERED, 201, 1, LH_SUCCESS_200, LH_INPUT_FAILURE},
      {LH_OUTCOME_ANSWERED, 204, 1, LH_SUCCESS_200, LH_INPUT_FAILURE},
      {LH_OUTCOME_ANSWERED, 302, 1, LH_SUCCESS_200, LH_INPUT_FAILURE},
      {LH_OUTCOME_ANSWERED, 500, 1, LH_SUCCESS_200, LH_INPUT_FAILURE},
      {LH_OUTCOME_ANSWERED, 204, 1, LH_SUCCESS_2XX, LH_INPUT_SUCCESS},
      {LH_OUTCOME_ANSWERED, 299, 1, LH_SUCCESS_2XX, LH_INPUT_SUCCESS},
      {LH_OUTCOME_ANSWERED, 300, 1, LH_SUCCESS_2XX, LH_INPUT_FAILURE},
      {LH_OUTCOME_ANSWERED, 199, 1, LH_SUCCESS_2XX, LH_INPUT_FAILURE},
      {LH_OUTCOME_ANSWERED, 204, 0, LH_SUCCESS_2XX, LH_INPUT_FAILURE},
      {LH_OUTCOME_TIMEOUT, 200, 1, LH_SUCCESS_200, LH_INPUT_FAILURE},
      {LH_OUTCOME_CONNECT, 0, 0, LH_SUCCESS_200, LH_INPUT_FAILURE},
      {LH_OUTCOME_BLOCKED, 0, 0, LH_SUCCESS_200, LH_INPUT_FAILURE},
      {LH_OUTCOME_LOCAL, 0, 0, LH_SUCCESS_200, LH_INPUT_GIVEN_BACK},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bench->store.target.webhook.success = cases[i].success;
    bench_answer(bench, FAKE_ANSWER, cases[i].outcome, cases[i].status, 0);
    bench->endpoint->answers[0].uploaded = cases[i].uploaded;
    fake_store_add(&bench->store, 40);
    fake_clock_advance(&bench->clock, 2000); /* past the pause that a shortage makes */
    bench_step(bench);
    bench_step(bench);
    assert_int_equal(bench->store.record_count, i + 1);
    const struct fake_record *record = &bench->store.records[i];
    assert_int_equal(record->result.kind, cases[i].kind);
    assert_int_equal(record->result.outcome, cases[i].outcome);
    int sent = cases[i].outcome == LH_OUTCOME_ANSWERED;
    assert_int_equal(record->result.sent, sent ? LH_SENT_YES : LH_SENT_NO);
    int early = record->result.status == 200 && cases[i].uploaded == 0;
    if (early) assert_string_equal(record->error, "answered before the whole body was sent");
    assert_true(record->result.jitter_ppm <= 1000000);
  }
}

/* ---------------------------------------------------------------- nonces */

static void again(struct bench *bench) {
  bench->store.leases[0].leased = 0;
  bench->store.leases[0].lease.attempt++;
  fake_clock_advance(&bench->clock, 0);
  bench->store.next_due_ms = 0;
  bench_step(bench);
  bench_step(bench);
}

static void test_engine_nonce_rises_while_the_clock_stands_or_steps_back(void **state) {
  struct bench *bench = *state;
  bench->store.next_due_ms = 0;
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  bench_step(bench);
  bench->clock.monotonic_ms += 1000;
  again(bench);
  bench->clock.monotonic_ms += 1000;
  bench->clock.wall_ms -= 100;
  again(bench);
  bench->clock.monotonic_ms += 1000;
  bench->clock.wall_ms -= 3600000;
  again(bench);
  assert_int_equal(bench->store.record_count, 4);
  assert_string_equal(bench->store.records[0].nonce, "1704067200000");
  assert_string_equal(bench->store.records[1].nonce, "1704067200001");
  assert_string_equal(bench->store.records[2].nonce, "1704067200002");
  assert_string_equal(bench->store.records[3].nonce,
                      "1704063599900"); /* an hour back is another time */
}

/* ---------------------------------------------------------------- a store that fails */

static void test_engine_keeps_results_while_the_store_is_full(void **state) {
  struct bench *bench = *state;
  bench_answer(bench, FAKE_ANSWER, LH_OUTCOME_ANSWERED, 500, 0);
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  bench->store.turn_code = LH_E_FULL;
  assert_int_equal(step_code(bench), LH_E_FULL);
  assert_int_equal(bench->report.in_flight, 1);
  fake_store_add(&bench->store, 40);
  size_t turns = bench->store.turns;
  assert_int_equal(step_code(bench), 0); /* it does not ask again at once */
  assert_int_equal(bench->store.turns, turns);
  assert_int_equal(bench->report.in_flight, 1);
  assert_int_equal(bench->report.idle, 0);
  fake_clock_advance(&bench->clock, LH_TURN_AGAIN_MS);
  assert_int_equal(step_code(bench), LH_E_FULL);
  assert_int_equal(bench->sent, 1); /* nothing leaves before its lease is stored */
  bench->store.turn_code = 0;
  fake_clock_advance(&bench->clock, LH_TURN_AGAIN_MS);
  bench_step(bench);
  assert_int_equal(bench->store.record_count, 1);
  assert_int_equal(bench->store.records[0].result.status, 500);
  assert_string_equal(bench->store.records[0].nonce, "1704067200000");
  assert_int_equal(bench->report.event_count, 1);
  assert_int_equal(bench->sent, 2);
}

static void test_engine_sends_nothing_that_was_not_committed(void **state) {
  struct bench *bench = *state;
  static const int codes[] = {LH_E_FULL, LH_E_BUSY, LH_E_SHORTAGE, LH_E_MEMORY, LH_E_IO};
  for (size_t i = 0; i < 3; i++) fake_store_add(&bench->store, 40);
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    bench->store.turn_code = codes[i];
    assert_int_equal(step_code(bench), codes[i]);
    assert_int_equal(bench->report.in_flight, 0);
    assert_int_equal(bench->store.target.holders, 0);
    fake_clock_advance(&bench->clock, LH_SHORTAGE_PAUSE_MS);
  }
  assert_int_equal(bench->sent, 0);
  bench->store.turn_code = 0;
  bench_step(bench);
  assert_int_equal(bench->sent, 3);
  assert_int_equal(bench->store.target.holders, 3);
}

static void test_engine_records_alone_after_memory_ran_out(void **state) {
  struct bench *bench = *state;
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  fake_store_add(&bench->store, 40);
  bench->store.turn_code = LH_E_MEMORY;
  assert_int_equal(step_code(bench), LH_E_MEMORY);
  bench->store.turn_code = 0;
  fake_clock_advance(&bench->clock, LH_TURN_AGAIN_MS);
  bench_step(bench);
  assert_int_equal(bench->store.last.slots, 0);
  assert_int_equal(bench->store.record_count, 1);
  fake_clock_advance(&bench->clock, LH_SHORTAGE_PAUSE_MS);
  bench_step(bench);
  assert_int_equal(bench->sent, 2);
}

static void test_engine_tells_later_what_a_failing_step_left(void **state) {
  struct bench *bench = *state;
  fake_store_add(&bench->store, 40);
  bench->store.rescued = 3;
  bench->store.turn_code = LH_E_BUSY;
  assert_int_equal(step_code(bench), LH_E_BUSY);
  bench->store.turn_code = 0;
  fake_clock_advance(&bench->clock, LH_TURN_AGAIN_MS);
  bench_step(bench);
  assert_int_equal(bench->report.rescued, 3);
  assert_int_equal(bench->report.started, 1);
  bench_step(bench);
  assert_int_equal(bench->report.rescued, 0);
  bench->store.rescue_code = LH_E_IO;
  fake_clock_advance(&bench->clock, LH_SAFETY_TIMER_MS);
  assert_int_equal(step_code(bench), LH_E_IO);
}

static void test_engine_opens_a_new_session_when_its_own_is_dead(void **state) {
  struct bench *bench = *state;
  bench_answer(bench, FAKE_ANSWER, LH_OUTCOME_ANSWERED, 200, 30000 - 1);
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  fake_store_add(&bench->store, 40);
  bench->store.session_dead = 1;
  fake_clock_advance(&bench->clock, LH_SAFETY_TIMER_MS);
  bench_step(bench);
  assert_int_equal(bench->sent, 1);
  bench_step(bench);
  assert_int_equal(bench->store.sessions, 2);
  assert_int_equal(bench->sent, 2); /* the first one still runs */
  fake_clock_advance(&bench->clock, 40000);
  bench_settle(bench, 3);
  assert_int_equal(bench->store.record_count, 2);
  assert_int_equal(bench->store.records[0].session, 2);
}

/* ---------------------------------------------------------------- own shortages */

static void test_engine_gives_back_what_cannot_be_started(void **state) {
  struct bench *bench = *state;
  bench_answer(bench, FAKE_SHORTAGE, LH_OUTCOME_ANSWERED, 0, 0);
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  assert_int_equal(bench->report.started, 0);
  assert_int_equal(bench->report.in_flight, 1);
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  assert_int_equal(bench->store.records[0].result.kind, LH_INPUT_GIVEN_BACK);
  assert_string_equal(bench->store.records[0].error, "no descriptor is left");
  assert_int_equal(bench->store.last.slots, 0); /* no new lease for a while */
  bench_answer(bench, FAKE_ANSWER, LH_OUTCOME_ANSWERED, 200, 0);
  fake_clock_advance(&bench->clock, LH_SHORTAGE_PAUSE_MS);
  bench_step(bench);
  assert_int_equal(bench->sent, 1);
}

static void test_engine_leases_nothing_after_a_shortage_of_the_transport(void **state) {
  struct bench *bench = *state;
  bench_answer(bench, FAKE_ANSWER, LH_OUTCOME_LOCAL, 0, 0);
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  assert_int_equal(bench->store.records[0].result.kind, LH_INPUT_GIVEN_BACK);
  assert_int_equal(bench->store.last.slots, 0);
  fake_clock_advance(&bench->clock, LH_SHORTAGE_PAUSE_MS - 1);
  bench_step(bench);
  assert_int_equal(bench->report.started, 0);
  fake_clock_advance(&bench->clock, 1);
  bench_step(bench);
  assert_int_equal(bench->report.started, 1);
}

static void test_engine_fails_what_has_an_unusable_url(void **state) {
  struct bench *bench = *state;
  bench_answer(bench, FAKE_UNUSABLE, LH_OUTCOME_ANSWERED, 0, 0);
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  bench_step(bench);
  assert_int_equal(bench->store.records[0].result.kind, LH_INPUT_FAILURE);
  assert_int_equal(bench->store.records[0].result.outcome, LH_OUTCOME_BLOCKED);
  assert_string_equal(bench->store.records[0].error, "url: cannot be used");
  assert_int_equal(bench->store.records[0].result.sent, LH_SENT_NO);
  assert_int_equal(bench->store.records[0].result.tags_len, LH_ZINRELO_TAG);
}

static void test_engine_gives_back_leases_not_started_in_time(void **state) {
  struct bench *bench = *state;
  for (size_t i = 0; i < 3; i++) fake_store_add(&bench->store, 40);
  bench->sending_takes_ms = LH_LEASE_START_MS / 2 + 1;
  bench_step(bench);
  assert_int_equal(bench->sent, 2);
  assert_int_equal(bench->report.started, 2);
  bench_step(bench);
  assert_int_equal(bench->store.record_count, 3);
  assert_int_equal(bench->store.records[0].result.request, 3);
  assert_int_equal(bench->store.records[0].result.kind, LH_INPUT_GIVEN_BACK);
  assert_int_equal(bench->store.records[0].result.tags_len, 0);
}

/* ---------------------------------------------------------------- limits */

static void test_engine_keeps_to_its_concurrency(void **state) {
  struct bench *bench = *state;
  bench_answer(bench, FAKE_ANSWER, LH_OUTCOME_ANSWERED, 200, 1500);
  for (size_t i = 0; i < 11; i++) fake_store_add(&bench->store, 40);
  bench->store.next_due_ms = 0;
  bench_step(bench);
  size_t turns = bench->store.turns;
  bench_step(bench);
  assert_int_equal(bench->store.turns, turns); /* no slot, no turn */
  bench->store.next_due_ms = INT64_MAX;
  bench_settle(bench, 20);
  assert_int_equal(bench->store.record_count, 11);
  assert_int_equal(bench->transport.flights_max, 4);
}

static void test_engine_keeps_to_its_bytes_and_still_sends_the_largest(void **state) {
  (void)state;
  const int64_t limit = 3 * 1024 * 1024;
  struct bench *bench = bench_open(LH_SCHEME_ZINRELO, 64, limit);
  bench_answer(bench, FAKE_ANSWER, LH_OUTCOME_ANSWERED, 200, 500);
  for (size_t i = 0; i < 20; i++) fake_store_add(&bench->store, i % 2 ? 700000 : 1024 * 1024);
  bench_settle(bench, 40);
  assert_int_equal(bench->store.record_count, 20);
  assert_true(bench->transport.bytes_max <= limit);
  assert_true(bench->transport.flights_max >= 2);
  bench_close(bench);

  bench = bench_open(LH_SCHEME_ZINRELO, 64, 1000); /* less than any body: one at a time */
  bench_answer(bench, FAKE_ANSWER, LH_OUTCOME_ANSWERED, 200, 500);
  for (size_t i = 0; i < 3; i++) fake_store_add(&bench->store, 5000);
  bench_settle(bench, 10);
  assert_int_equal(bench->store.record_count, 3);
  assert_int_equal(bench->transport.flights_max, 1);
  bench_close(bench);
}

/* ---------------------------------------------------------------- the end */

static void test_engine_drain_finishes_and_leases_nothing(void **state) {
  struct bench *bench = *state;
  bench_answer(bench, FAKE_ANSWER, LH_OUTCOME_ANSWERED, 200, 5000);
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  fake_store_add(&bench->store, 40);
  lh_engine_drain(bench->engine);
  bench_settle(bench, 20);
  assert_int_equal(bench->report.in_flight, 0);
  assert_int_equal(bench->report.idle, 1);
  assert_int_equal(bench->store.record_count, 1);
  assert_int_equal(bench->sent, 1);
}

static void abort_with(struct bench *bench, int unsent, enum lh_input_kind kind) {
  bench_answer(bench, FAKE_NEVER, LH_OUTCOME_ANSWERED, 0, 0);
  fake_store_add(&bench->store, 40);
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  bench->transport.unsent = unsent;
  assert_int_equal(lh_engine_abort(bench->engine, NULL), 0);
  assert_int_equal(bench->transport.flight_count, 0);
  assert_int_equal(bench->store.record_count, 2);
  assert_int_equal(bench->store.records[0].result.kind, kind);
  assert_int_equal(bench->store.records[0].result.sent, unsent ? LH_SENT_NO : LH_SENT_YES);
  bench_step(bench); /* tells what the abort recorded */
  assert_int_equal(bench->report.event_count, 2);
  assert_int_equal(bench->report.in_flight, 0);
  assert_int_equal(bench->sent, 2);
}

static void test_engine_abort_calls_sent_ones_lost(void **state) {
  abort_with(*state, 0, LH_INPUT_LOST);
}

static void test_engine_abort_gives_unsent_ones_back(void **state) {
  abort_with(*state, 1, LH_INPUT_GIVEN_BACK);
}

static void test_engine_close_lets_go_of_what_cannot_be_recorded(void **state) {
  struct bench *bench = *state;
  bench_answer(bench, FAKE_NEVER, LH_OUTCOME_ANSWERED, 0, 0);
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  bench->store.turn_code = LH_E_IO;
  lh_engine_close(bench->engine);
  bench->engine = NULL;
  assert_int_equal(bench->store.target.holders, 0);
  assert_int_equal(bench->store.session_closed, 1);
  assert_int_equal(bench->transport.flight_count, 0);
}

static void test_engine_open_passes_on_why_it_cannot(void **state) {
  struct bench *bench = *state;
  struct lh_engine *engine = NULL;
  struct lh_engine_options options = {
      .store = &bench->store.door,
      .transport = &bench->transport.door,
      .clock = &bench->clock.door,
      .concurrency = LH_CONCURRENCY_MAX + 1,
  };
  struct lh_error err;
  assert_int_equal(lh_engine_open(&options, &engine, &err), LH_E_INVALID);
  options.concurrency = LH_CONCURRENCY_MAX;
  bench->store.session_code = LH_E_IO;
  assert_int_equal(lh_engine_open(&options, &engine, &err), LH_E_IO);
  assert_null(engine);
}

/* A worker that is started again by a service manager gives up no more than a running one. */
static void test_engine_opens_on_a_full_disk_and_waits_for_room(void **state) {
  struct bench *bench = *state;
  lh_engine_close(bench->engine);
  struct lh_engine_options options = {.store = &bench->store.door,
                                      .transport = &bench->transport.door,
                                      .clock = &bench->clock.door};
  bench->store.session_code = LH_E_FULL;
  assert_int_equal(lh_engine_open(&options, &bench->engine, NULL), 0);
  bench_answer(bench, FAKE_ANSWER, LH_OUTCOME_ANSWERED, 200, 0);
  fake_store_add(&bench->store, 40);
  assert_int_equal(step_code(bench), LH_E_FULL);
  assert_int_equal(bench->sent, 0);
  bench->store.session_code = 0;
  fake_clock_advance(&bench->clock, LH_TURN_AGAIN_MS);
  bench_step(bench);
  assert_int_equal(bench->sent, 1);
}

int main(void) {
#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
  const struct CMUnitTest tests[] = {
      test(test_engine_judges_answers),
      test(test_engine_nonce_rises_while_the_clock_stands_or_steps_back),
      test(test_engine_keeps_results_while_the_store_is_full),
      test(test_engine_sends_nothing_that_was_not_committed),
      test(test_engine_records_alone_after_memory_ran_out),
      test(test_engine_tells_later_what_a_failing_step_left),
      test(test_engine_opens_a_new_session_when_its_own_is_dead),
      test(test_engine_gives_back_what_cannot_be_started),
      test(test_engine_leases_nothing_after_a_shortage_of_the_transport),
      test(test_engine_fails_what_has_an_unusable_url),
      test(test_engine_gives_back_leases_not_started_in_time),
      test(test_engine_keeps_to_its_concurrency),
      test(test_engine_keeps_to_its_bytes_and_still_sends_the_largest),
      test(test_engine_drain_finishes_and_leases_nothing),
      test(test_engine_abort_calls_sent_ones_lost),
      test(test_engine_abort_gives_unsent_ones_back),
      test(test_engine_close_lets_go_of_what_cannot_be_recorded),
      test(test_engine_open_passes_on_why_it_cannot),
      test(test_engine_opens_on_a_full_disk_and_waits_for_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
