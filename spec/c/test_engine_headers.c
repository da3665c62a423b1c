/* What an attempt sends above its body, in both schemes, and what of it is recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine_bench.h"

static void test_engine_sends_signs_and_records(void **state) {
  (void)state;
  struct bench *bench = bench_open(LH_SCHEME_ZINRELO, 4, 0);
  bench->store.target.webhook.headers = strdup("X-Shop: seven\nX-Empty: ");
  bench->store.target.revision = 42;
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  assert_int_equal(bench->report.started, 1);
  assert_int_equal(bench->report.in_flight, 1);
  assert_int_equal(bench->report.idle, 0);
  assert_int_equal(bench->header_count, 5);
  assert_string_equal(bench->headers[0], "Content-Type: application/json");
  assert_string_equal(bench_header(bench, "nonce"), "1704067200000");
  assert_string_equal(bench->headers[3], "X-Shop: seven");
  assert_string_equal(bench->headers[4], "X-Empty: ");
  const char *signature = bench_header(bench, "x-zinrelo-signature");
  struct lh_verify verify = {
      .scheme = LH_SCHEME_ZINRELO,
      .nonce = {.at = "1704067200000", .len = 13},
      .signature = {.at = signature, .len = strlen(signature)},
      .body = bench->body,
      .body_len = bench->body_len,
      .now_ms = bench->clock.wall_ms,
  };
  assert_int_equal(lh_signature_verify(&verify, &bench->store.target.keys[0], 1, NULL), 0);
  static const char opening[] =
      "{\"request_id\":\"000000000000000000000001\",\"total_count\":\"1\","
      "\"created_date\":\"01/01/2024 00:00:00\",\"events\":[{\"id\":";
  assert_memory_equal(bench->body, opening, sizeof opening - 1);

  bench_step(bench);
  assert_int_equal(bench->report.event_count, 1);
  assert_int_equal(bench->report.in_flight, 0);
  assert_int_equal(bench->report.idle, 1);
  const struct lh_engine_event *event = bench->report.events;
  assert_int_equal(event->attempt, 1);
  assert_int_equal(event->count, 1);
  assert_int_equal(event->status, 200);
  assert_int_equal(event->state, LH_DELIVERED);
  assert_int_equal(event->webhook_id.bytes[0], 7);
  const struct fake_record *record = &bench->store.records[0];
  assert_int_equal(record->result.kind, LH_INPUT_SUCCESS);
  assert_string_equal(record->nonce, "1704067200000");
  assert_string_equal(record->url, bench->store.target.webhook.url);
  char recorded[LH_ZINRELO_SIGNATURE_LEN + 1];
  lh_signature_text_zinrelo(record->tags, recorded);
  assert_string_equal(recorded, bench_header(bench, "x-zinrelo-signature"));
  assert_int_equal(record->result.tags_len, LH_ZINRELO_TAG);
  assert_int_equal(record->result.revision, 42);
  assert_int_equal(record->result.sent, LH_SENT_YES);
  bench_step(bench);
  assert_int_equal(bench->report.event_count, 0);
  bench_close(bench);
}

static void test_engine_standard_scheme_signs_with_both_secrets(void **state) {
  (void)state;
  struct bench *bench = bench_open(LH_SCHEME_STANDARD, 1, 0);
  assert_int_equal(lh_signature_key_new(LH_SCHEME_STANDARD, fake_store_secret(1),
                                        LH_SECRET_GENERATED_LEN, &bench->store.target.keys[1],
                                        NULL),
                   0);
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  assert_string_equal(bench_header(bench, "webhook-timestamp"), "1704067200");
  assert_string_equal(bench_header(bench, "webhook-id"), "000000000000000000000001");
  const char *signatures = bench_header(bench, "webhook-signature");
  assert_int_equal(strlen(signatures), 2 * LH_STANDARD_SIGNATURE_LEN + 1);
  for (size_t i = 0; i < 2; i++) {
    struct lh_verify verify = {
        .scheme = LH_SCHEME_STANDARD,
        .nonce = {.at = "1704067200", .len = 10},
        .id = {.at = "000000000000000000000001", .len = 24},
        .signature = {.at = signatures + i * (LH_STANDARD_SIGNATURE_LEN + 1),
                      .len = LH_STANDARD_SIGNATURE_LEN},
        .body = bench->body,
        .body_len = bench->body_len,
        .now_ms = bench->clock.wall_ms,
    };
    assert_int_equal(lh_signature_verify(&verify, &bench->store.target.keys[i], 1, NULL), 0);
  }
  bench_step(bench);
  char recorded[2][LH_STANDARD_SIGNATURE_LEN + 1];
  assert_int_equal(bench->store.records[0].result.tags_len, 2 * LH_STANDARD_TAG);
  for (size_t i = 0; i < 2; i++) {
    const unsigned char *tag = bench->store.records[0].tags + i * LH_STANDARD_TAG;
    lh_signature_text_standard(tag, recorded[i]);
    assert_memory_equal(recorded[i], signatures + i * (LH_STANDARD_SIGNATURE_LEN + 1),
                        LH_STANDARD_SIGNATURE_LEN);
  }
  bench_close(bench);
}

/* The clock is before 1970: no nonce can be made of that. */
static void test_engine_records_no_signature_that_was_not_made(void **state) {
  (void)state;
  struct bench *bench = bench_open(LH_SCHEME_ZINRELO, 1, 0);
  bench->clock.wall_ms = -5;
  fake_store_add(&bench->store, 40);
  bench_step(bench);
  bench->clock.monotonic_ms += LH_SHORTAGE_PAUSE_MS;
  bench_step(bench);
  const struct fake_record *record = &bench->store.records[0];
  assert_int_equal(record->result.kind, LH_INPUT_GIVEN_BACK);
  assert_int_equal(record->result.tags_len, 0);
  bench_close(bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_engine_sends_signs_and_records),
      cmocka_unit_test(test_engine_standard_scheme_signs_with_both_secrets),
      cmocka_unit_test(test_engine_records_no_signature_that_was_not_made),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
