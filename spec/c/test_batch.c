/* Where a batch ends, that its estimate is never below the real body, and the list of positions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/batch.h"
#include "core/envelope.h"

static void test_count_is_the_limit(void **state) {
  (void)state;
  struct lh_batch batch;
  lh_batch_init(&batch, 3, 1000000);
  for (int i = 0; i < 3; i++) {
    assert_false(lh_batch_full(&batch));
    assert_true(lh_batch_add(&batch, 19, 100));
  }
  assert_true(lh_batch_full(&batch));
  assert_false(lh_batch_add(&batch, 19, 100));
  assert_int_equal(batch.count, 3);
}

static void test_bytes_are_the_limit(void **state) {
  (void)state;
  struct lh_batch batch;
  int64_t event = LH_ENVELOPE_EVENT_BYTES + 19 + 100;
  lh_batch_init(&batch, 1000, LH_ENVELOPE_BYTES + 2 * event);
  assert_int_equal(batch.bytes, LH_ENVELOPE_BYTES);
  assert_true(lh_batch_add(&batch, 19, 100));
  assert_true(lh_batch_add(&batch, 19, 100)); /* fits to the byte */
  assert_false(lh_batch_add(&batch, 0, 0));
  assert_int_equal(batch.bytes, LH_ENVELOPE_BYTES + 2 * event);
  lh_batch_init(&batch, 1000, LH_ENVELOPE_BYTES + 2 * event - 1);
  assert_true(lh_batch_add(&batch, 19, 100));
  assert_false(lh_batch_add(&batch, 19, 100));
  assert_int_equal(batch.count, 1); /* a refused event leaves no trace */
  assert_int_equal(batch.bytes, LH_ENVELOPE_BYTES + event);
}

static void test_first_event_always_fits(void **state) {
  (void)state;
  struct lh_batch batch;
  lh_batch_init(&batch, 1, 1);
  assert_true(lh_batch_add(&batch, 64, 1024 * 1024));
  assert_true(lh_batch_full(&batch));
  lh_batch_init(&batch, 1000, 1000000);
  assert_true(lh_batch_add(&batch, 64, 1024 * 1024));
  assert_false(lh_batch_add(&batch, 1, 2)); /* and is then alone */
}

static void test_estimate_is_an_upper_bound_of_the_body(void **state) {
  (void)state;
  struct lh_buffer buffer = {0};
  struct lh_batch batch;
  struct lh_event event = {.event_type = "event_points_earned", .data = "{\"a\":1}", .data_len = 7};
  struct lh_id id = {{0}};
  struct lh_slice body;
  lh_batch_init(&batch, 1000, INT64_MAX);
  assert_int_equal(lh_envelope_begin(&buffer), 0);
  for (int32_t count = 1; count <= 1000; count++) {
    assert_true(lh_batch_add(&batch, strlen(event.event_type), event.data_len));
    assert_int_equal(lh_envelope_add(&buffer, &event), 0);
  }
  assert_int_equal(lh_envelope_end(&buffer, &id, 1000, INT64_MAX, &body), 0);
  assert_true((int64_t)body.len <= batch.bytes);
  assert_true(batch.bytes < (int64_t)body.len + 1000 * 10 + 100); /* nor far above */
  lh_buffer_free(&buffer);
}

static void test_positions_there_and_back(void **state) {
  (void)state;
  static const int64_t positions[] = {0,
                                      1,
                                      127,
                                      128,
                                      16383,
                                      16384,
                                      2097151,
                                      INT64_C(1) << 35,
                                      INT64_C(1) << 56,
                                      INT64_MAX - 1,
                                      INT64_MAX};
  const size_t count = sizeof positions / sizeof positions[0];
  unsigned char list[sizeof positions / sizeof positions[0] * 10];
  size_t len = 0;
  for (size_t i = 0; i < count; i++) {
    size_t written = lh_batch_list_put(list + len, i == 0 ? 0 : positions[i - 1], positions[i]);
    assert_in_range(written, 1, 10);
    len += written;
  }
  size_t at = 0;
  int64_t position = 0;
  for (size_t i = 0; i < count; i++) {
    size_t used = lh_batch_list_get(list + at, list + len, position, &position);
    assert_int_not_equal(used, 0);
    assert_int_equal(position, positions[i]);
    at += used;
  }
  assert_int_equal(at, len);
  assert_int_equal(lh_batch_list_get(list + at, list + len, position, &position), 0);
}

static void test_neighbours_cost_one_byte(void **state) {
  (void)state;
  unsigned char out[10];
  assert_int_equal(lh_batch_list_put(out, INT64_MAX - 1, INT64_MAX), 1);
  assert_int_equal(lh_batch_list_put(out, 0, INT64_MAX), 9);
}

static void test_damaged_lists_are_seen(void **state) {
  (void)state;
  static const struct {
    unsigned char bytes[10];
    size_t len;
    int64_t previous;
  } cases[] = {
      {{0x80}, 1, 0}, /* cut */
      {{0xFF, 0xFF}, 2, 0},
      {{0x81, 0x00}, 2, 0}, /* longer than needed */
      {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}, 10, 0}, /* over 63 bits */
      {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, 9, 1},        /* past the last */
      {{0x02}, 1, INT64_MAX - 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int64_t position = -5;
    const unsigned char *at = cases[i].bytes;
    assert_int_equal(lh_batch_list_get(at, at + cases[i].len, cases[i].previous, &position), 0);
    assert_int_equal(position, -5);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_count_is_the_limit),
      cmocka_unit_test(test_bytes_are_the_limit),
      cmocka_unit_test(test_first_event_always_fits),
      cmocka_unit_test(test_estimate_is_an_upper_bound_of_the_body),
      cmocka_unit_test(test_positions_there_and_back),
      cmocka_unit_test(test_neighbours_cost_one_byte),
      cmocka_unit_test(test_damaged_lists_are_seen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
