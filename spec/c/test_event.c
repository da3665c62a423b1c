/* The rules for one event and the member it is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/event.h"

static int account(const char *text) {
  return lh_account_check(text, strlen(text), NULL);
}

static int event_type(const char *text) {
  return lh_event_type_check(text, strlen(text), NULL);
}

static void test_accounts(void **state) {
  (void)state;
  char longest[LH_ACCOUNT_MAX + 2];
  memset(longest, 'a', sizeof longest);
  longest[LH_ACCOUNT_MAX + 1] = '\0';
  assert_int_equal(account(longest), LH_E_INVALID);
  longest[LH_ACCOUNT_MAX] = '\0';
  assert_int_equal(account(longest), LH_OK);
  assert_int_equal(account("default"), LH_OK);
  assert_int_equal(account("Shop-7.eu_1"), LH_OK);
  assert_int_equal(account("a"), LH_OK);
  assert_int_equal(account("azAZ09"), LH_OK);
  static const char *const wrong[] = {"",    " ", "a b", "a/b", "\xC3\xA9", "a\n",
                                      "a:b", "*", "`",   "{",   "@",        "["};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    assert_int_equal(account(wrong[i]), LH_E_INVALID);
  assert_int_equal(lh_account_check("a\0b", 3, NULL), LH_E_INVALID);
}

static void test_sources_are_named_as_accounts(void **state) {
  (void)state;
  struct lh_error err;
  char longest[LH_SOURCE_MAX + 2];
  memset(longest, 's', sizeof longest);
  assert_int_equal(lh_source_check(longest, LH_SOURCE_MAX, NULL), LH_OK);
  assert_int_equal(lh_source_check(longest, LH_SOURCE_MAX + 1, NULL), LH_E_INVALID);
  assert_int_equal(lh_source_check("Shop-7.eu_1", 11, NULL), LH_OK);
  assert_int_equal(lh_source_check("a b", 3, &err), LH_E_INVALID);
  assert_string_equal(err.message, "source: \"a b\" is not 1 to 64 of A-Z a-z 0-9 . _ -");
}

static void test_event_types(void **state) {
  (void)state;
  char longest[LH_EVENT_TYPE_MAX + 2];
  memset(longest, 'a', sizeof longest);
  longest[LH_EVENT_TYPE_MAX + 1] = '\0';
  assert_int_equal(event_type(longest), LH_E_INVALID);
  longest[LH_EVENT_TYPE_MAX] = '\0';
  assert_int_equal(event_type(longest), LH_OK);
  assert_int_equal(event_type("event_points_earned"), LH_OK);
  assert_int_equal(event_type("order.paid2"), LH_OK);
  assert_int_equal(event_type("az09"), LH_OK);
  static const char *const wrong[] = {"",   "A",  "event-x", "event x",
                                      "\"", "\\", "a\x7F",   "category:x"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    assert_int_equal(event_type(wrong[i]), LH_E_INVALID);
}

static void test_messages_name_the_field(void **state) {
  (void)state;
  struct lh_error err;
  lh_account_check("a b", 3, &err);
  assert_string_equal(err.message, "account: \"a b\" is not 1 to 64 of A-Z a-z 0-9 . _ -");
  lh_event_type_check("Event", 5, &err);
  assert_string_equal(err.message, "event_type: \"Event\" is not 1 to 64 of a-z 0-9 _ .");
  lh_event_data_check("{", 1, &err);
  assert_string_equal(err.message, "data: invalid JSON at byte 2: unexpected end");
  lh_event_data_check("[]", 2, &err);
  assert_string_equal(err.message, "data: not a JSON object");
}

static void test_data_must_be_one_object(void **state) {
  (void)state;
  static const char *const good[] = {"{}", " {\"a\":[1,2,{}]}\n"};
  static const char *const wrong[] = {"", "[]", "\"x\"", "1", "null", "true", "{}{}", "{} x"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    assert_int_equal(lh_event_data_check(good[i], strlen(good[i]), NULL), LH_OK);
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    assert_int_equal(lh_event_data_check(wrong[i], strlen(wrong[i]), NULL), LH_E_INVALID);
}

static void test_data_of_a_mebibyte_is_the_limit(void **state) {
  (void)state;
  size_t len = LH_EVENT_BYTES_MAX + 1;
  char *data = malloc(len);
  assert_non_null(data);
  memset(data, 'x', len);
  memcpy(data, "{\"a\":\"", 6);
  memcpy(data + len - 3, "\"}}", 3);
  assert_int_equal(lh_event_data_check(data, len - 1, NULL), LH_OK);
  assert_int_equal(lh_event_data_check(data, len, NULL), LH_E_TOO_LARGE);
  free(data);
}

static void member_is(const char *data, const char *expected) {
  char out[LH_MEMBER_MAX];
  memset(out, '#', sizeof out);
  assert_int_equal(lh_event_data_check(data, strlen(data), NULL), LH_OK);
  size_t len = lh_event_member(data, strlen(data), out);
  assert_int_equal(len, strlen(expected));
  assert_memory_equal(out, expected, len);
}

static void test_member_of_an_event(void **state) {
  (void)state;
  member_is("{\"member_info\":{\"member_id\":\"m1\",\"id\":\"x\"}}", "m1");
  member_is("{\"member_info\":{\"id\":\"x\",\"member_id\":\"m1\"}}", "m1");
  member_is("{\"member_info\":{\"id\":\"x\"}}", "x");
  member_is("{\"member_info\":{\"id\":12345678901234567890}}", "12345678901234567890");
  member_is("{\"member_info\":{\"member_id\":\"\\u00e9\\n\"}}", "\xC3\xA9\n");
  member_is("{\"a\":{\"member_info\":{\"id\":\"x\"}}}", "");
  member_is("{\"member_info\":{\"member_id\":null,\"id\":\"x\"}}", "x");
  member_is("{\"member_info\":{\"member_id\":\"\",\"id\":\"x\"}}", "x");
  member_is("{\"member_info\":{\"member_id\":{\"id\":1},\"id\":[1]}}", "");
  member_is("{\"member_info\":{\"member_id\":true}}", "");
  member_is("{\"member_info\":\"m1\"}", "");
  member_is("{\"member_info\":{}}", "");
  member_is("{}", "");
  member_is("{\"member_info\":{\"id\":1},\"member_info\":{\"id\":2}}", "1");
  member_is("{\"member_info\":{\"member_id\":1,\"member_id\":2}}", "1");
  member_is("{\"member_info\":{\"id\":1,\"id\":2}}", "1");
  member_is("{\"member_info\":{\"id\":1,\"member_\\u0069d\":2}}", "2");
}

static void test_member_longer_than_the_column_is_left_out(void **state) {
  (void)state;
  char data[LH_MEMBER_MAX + 64], id[LH_MEMBER_MAX + 2], out[LH_MEMBER_MAX];
  memset(id, '7', sizeof id);
  for (size_t extra = 0; extra <= 1; extra++) {
    id[LH_MEMBER_MAX + extra] = '\0';
    snprintf(data, sizeof data, "{\"member_info\":{\"member_id\":\"%s\",\"id\":\"x\"}}", id);
    assert_int_equal(lh_event_member(data, strlen(data), out), extra ? 0 : LH_MEMBER_MAX);
    memset(out, '#', sizeof out);
    snprintf(data, sizeof data, "{\"member_info\":{\"id\":%s}}", id);
    assert_int_equal(lh_event_member(data, strlen(data), out), extra ? 0 : LH_MEMBER_MAX);
    if (extra == 0) assert_memory_equal(out, id, LH_MEMBER_MAX);
    id[LH_MEMBER_MAX] = '7';
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_accounts),
      cmocka_unit_test(test_sources_are_named_as_accounts),
      cmocka_unit_test(test_event_types),
      cmocka_unit_test(test_messages_name_the_field),
      cmocka_unit_test(test_data_must_be_one_object),
      cmocka_unit_test(test_data_of_a_mebibyte_is_the_limit),
      cmocka_unit_test(test_member_of_an_event),
      cmocka_unit_test(test_member_longer_than_the_column_is_left_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
