/* The body of a request, byte for byte, and the date in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/envelope.h"
#include "core/json.h"

static const struct lh_id request_id = {
    {0x61, 0xF1, 0x18, 0x51, 0xBD, 0xFB, 0x9A, 0xAC, 0x52, 0x6D, 0x0C, 0x70}};
#define CREATED_MS INT64_C(1640796461999)
#define OPENING(count)                                                                             \
  "{\"request_id\":\"61f11851bdfb9aac526d0c70\",\"total_count\":\"" count                          \
  "\",\"created_date\":\"12/29/2021 16:47:41\",\"events\":["

static struct lh_event event_of(unsigned char number, const char *type, const char *data) {
  return (struct lh_event){
      .id = {{[11] = number}}, .event_type = type, .data = data, .data_len = strlen(data)};
}

static void assert_body(struct lh_slice body, const char *expected) {
  assert_int_equal(body.len, strlen(expected));
  assert_memory_equal(body.at, expected, body.len);
}

static void test_body_has_the_bytes_of_the_wire_format(void **state) {
  (void)state;
  struct lh_buffer buffer = {0};
  struct lh_slice body;
  struct lh_event first = event_of(1, "event_points_earned", "{\"b\":1,  \"a\":\"\\u00e9\"}");
  struct lh_event second = event_of(255, "event_member_enrol", "{}");
  for (int round = 0; round < 2; round++) { /* the buffer is used again: same bytes */
    assert_int_equal(lh_envelope_begin(&buffer), 0);
    assert_int_equal(lh_envelope_add(&buffer, &first), 0);
    assert_int_equal(lh_envelope_add(&buffer, &second), 0);
    assert_int_equal(lh_envelope_end(&buffer, &request_id, 2, CREATED_MS, &body), 0);
    assert_body(body,
                OPENING("2") "{\"id\":\"000000000000000000000001\",\"event_type\":\"event_points_"
                             "earned\",\"data\":{\"b\":1,  \"a\":\"\\u00e9\"}},"
                             "{\"id\":\"0000000000000000000000ff\",\"event_type\":\"event_member_"
                             "enrol\",\"data\":{}}]}");
  }
  lh_buffer_free(&buffer);
  assert_null(buffer.at);
}

static void test_no_events(void **state) {
  (void)state;
  struct lh_buffer buffer = {0};
  struct lh_slice body;
  assert_int_equal(lh_envelope_begin(&buffer), 0);
  assert_int_equal(lh_envelope_end(&buffer, &request_id, 0, CREATED_MS, &body), 0);
  assert_body(body, OPENING("0") "]}");
  lh_buffer_free(&buffer);
}

static void test_longest_opening_fits(void **state) {
  (void)state;
  struct lh_buffer buffer = {0};
  struct lh_slice body;
  assert_int_equal(lh_envelope_begin(&buffer), 0);
  assert_int_equal(lh_envelope_end(&buffer, &request_id, INT32_MAX, INT64_MAX, &body), 0);
  assert_true(body.len <= LH_ENVELOPE_BYTES);
  assert_int_equal(lh_json_check(body.at, body.len, 2, NULL, NULL), 0);
  lh_buffer_free(&buffer);
}

static void test_a_thousand_large_events_stay_json(void **state) {
  (void)state;
  enum { DATA_LEN = 20000, COUNT = 1000 };
  struct lh_buffer buffer = {0};
  struct lh_slice body;
  char *data = malloc(DATA_LEN);
  assert_non_null(data);
  memset(data, 'x', DATA_LEN);
  memcpy(data, "{\"a\":\"", 6);
  memcpy(data + DATA_LEN - 2, "\"}", 2);
  struct lh_event event = {.event_type = "t", .data = data, .data_len = DATA_LEN};
  assert_int_equal(lh_envelope_begin(&buffer), 0);
  for (int i = 0; i < COUNT; i++) assert_int_equal(lh_envelope_add(&buffer, &event), 0);
  assert_int_equal(lh_envelope_end(&buffer, &request_id, COUNT, CREATED_MS, &body), 0);
  assert_int_equal(lh_json_check(body.at, body.len, 9, NULL, NULL), 0);
  assert_true(body.len > (size_t)DATA_LEN * COUNT);
  free(data);
  lh_buffer_free(&buffer);
}

/* Data at its depth limit is three deeper in the envelope, and our own receiver reads it. */
static void test_deepest_data_can_be_read_by_the_receiver(void **state) {
  (void)state;
  char data[LH_JSON_DEPTH_MAX * 6 + 2] = "";
  size_t len = 0;
  struct lh_buffer buffer = {0};
  struct lh_slice body;
  for (int i = 0; i < LH_JSON_DEPTH_MAX - 1; i++)
    len += (size_t)snprintf(data + len, sizeof data - len, "{\"a\":");
  len += (size_t)snprintf(data + len, sizeof data - len, "{}");
  for (int i = 0; i < LH_JSON_DEPTH_MAX - 1; i++) data[len++] = '}';
  assert_int_equal(lh_event_data_check(data, len, NULL), 0);
  struct lh_event event = {.event_type = "t", .data = data, .data_len = len};
  assert_int_equal(lh_envelope_begin(&buffer), 0);
  assert_int_equal(lh_envelope_add(&buffer, &event), 0);
  assert_int_equal(lh_envelope_end(&buffer, &request_id, 1, CREATED_MS, &body), 0);
  assert_int_equal(lh_json_check(body.at, body.len, LH_JSON_NESTING_MAX, NULL, NULL), 0);
  lh_buffer_free(&buffer);
}

static void check_date(int64_t created_ms, const char *expected) {
  char date[LH_CREATED_DATE_LEN + 1];
  lh_created_date(created_ms, date);
  assert_string_equal(date, expected);
}

static void test_dates(void **state) {
  (void)state;
  check_date(0, "01/01/1970 00:00:00");
  check_date(999, "01/01/1970 00:00:00");
  check_date(1000, "01/01/1970 00:00:01");
  check_date(INT64_C(951782399999), "02/28/2000 23:59:59");
  check_date(INT64_C(951782400000), "02/29/2000 00:00:00");
  check_date(INT64_C(1483228799000), "12/31/2016 23:59:59"); /* before a leap second */
  check_date(INT64_C(1483228800000), "01/01/2017 00:00:00");
  check_date(INT64_C(2147483647000), "01/19/2038 03:14:07");
  check_date(INT64_C(2147483648000), "01/19/2038 03:14:08");
  check_date(INT64_C(4107542399000), "02/28/2100 23:59:59");
  check_date(INT64_C(4107542400000), "03/01/2100 00:00:00"); /* no leap year */
  check_date(INT64_C(253402300799999), "12/31/9999 23:59:59");
  check_date(INT64_C(253402300800000), "12/31/9999 23:59:59");
  check_date(INT64_MAX, "12/31/9999 23:59:59");
  check_date(-1, "01/01/1970 00:00:00");
}

static void test_every_day_for_eight_hundred_years_agrees_with_the_system(void **state) {
  (void)state;
  for (int64_t day = 0; day < 366 * 800; day++) {
    time_t seconds = (time_t)(day * 86400 + day % 86400);
    struct tm broken;
    char expected[64], date[LH_CREATED_DATE_LEN + 1];
    assert_non_null(gmtime_r(&seconds, &broken));
    strftime(expected, sizeof expected, "%m/%d/%Y %H:%M:%S", &broken);
    lh_created_date((int64_t)seconds * 1000 + 500, date);
    assert_string_equal(date, expected);
  }
}

static void test_buffer_grows_and_keeps_what_it_has(void **state) {
  (void)state;
  struct lh_buffer buffer = {0};
  assert_int_equal(lh_buffer_add(&buffer, NULL, 0), 0);
  for (int i = 0; i < 10000; i++) assert_int_equal(lh_buffer_add(&buffer, &i, sizeof i), 0);
  for (int i = 0; i < 10000; i++)
    assert_memory_equal(buffer.at + (size_t)i * sizeof i, &i, sizeof i);
  size_t len = buffer.len;
  assert_int_equal(lh_buffer_add(&buffer, "x", SIZE_MAX), LH_E_MEMORY);
  assert_int_equal(buffer.len, len);
  lh_buffer_free(&buffer);
  lh_buffer_free(&buffer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_body_has_the_bytes_of_the_wire_format),
      cmocka_unit_test(test_no_events),
      cmocka_unit_test(test_longest_opening_fits),
      cmocka_unit_test(test_a_thousand_large_events_stay_json),
      cmocka_unit_test(test_deepest_data_can_be_read_by_the_receiver),
      cmocka_unit_test(test_dates),
      cmocka_unit_test(test_every_day_for_eight_hundred_years_agrees_with_the_system),
      cmocka_unit_test(test_buffer_grows_and_keeps_what_it_has),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
