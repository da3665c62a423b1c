/* Finding slices in checked text: members, elements, strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/json.h"

static struct lh_slice checked(const char *text) {
  struct lh_error err = {.message = ""};
  lh_json_check(text, strlen(text), 64, NULL, &err);
  assert_string_equal(err.message, "");
  return (struct lh_slice){text, strlen(text)};
}

static void assert_slice(struct lh_slice slice, const char *expected) {
  assert_int_equal(slice.len, strlen(expected));
  assert_memory_equal(slice.at, expected, slice.len);
}

static void member_is(const char *object, const char *name, const char *expected) {
  struct lh_slice value = {NULL, 0};
  int found = lh_json_member(checked(object), name, &value);
  assert_int_equal(found, expected != NULL);
  if (found) assert_slice(value, expected);
}

static void test_members(void **state) {
  (void)state;
  member_is("{\"a\":1}", "a", "1");
  member_is("{\"a\":1}", "b", NULL);
  member_is("{}", "a", NULL);
  member_is(" {\n\"a\" : [1, {\"b\":\"]}\"}] ,\t\"b\" : true }\n", "a", "[1, {\"b\":\"]}\"}]");
  member_is(" {\n\"a\" : [1, {\"b\":\"]}\"}] ,\t\"b\" : true }\n", "b", "true");
  member_is("{\"x\":{\"a\":1}}", "a", NULL); /* not of inner objects */
  member_is("{\"x\":\"a\",\"a\":\"x\"}", "a", "\"x\"");
  member_is("{\"ab\":1,\"a\":2,\"abc\":3}", "a", "2");
  member_is("{\"\":7}", "", "7");
  member_is("{\"a\":-1.5e3 }", "a", "-1.5e3");
  member_is("{\"a\":\"\\\\\",\"b\":2}", "b", "2"); /* a backslash before the quote that ends */
  member_is("{\"a\":\"\\\"\",\"b\":2}", "b", "2");
  member_is("{\"a\":\"\\\\\\\"\",\"b\":2}", "b", "2");
}

static void test_the_last_of_repeated_members_counts(void **state) {
  (void)state;
  member_is("{\"a\":1,\"b\":0,\"a\":2}", "a", "2");
}

static void test_names_are_compared_unescaped(void **state) {
  (void)state;
  member_is("{\"\\u0061\":1}", "a", "1");
  member_is("{\"member_\\u0069nfo\":{}}", "member_info", "{}");
  member_is("{\"a\\/b\":1}", "a/b", "1");
  member_is("{\"\\u00e9\":1}", "\xC3\xA9", "1");
  member_is("{\"\\ud83d\\ude00\":1}", "\xF0\x9F\x98\x80", "1");
  member_is("{\"a\\u0000\":1}", "a", NULL); /* a NUL is a character like any other */
  member_is("{\"a\\u0062\":1}", "a", NULL);
}

static void tokens_are(const char *text, const char *expected) {
  struct lh_slice token, whole = checked(text);
  char found[256] = "";
  size_t position = 0, len = 0;
  while (lh_json_token(whole, &position, &token))
    len += (size_t)snprintf(found + len, sizeof found - len, "%s%.*s", len > 0 ? " " : "",
                            (int)token.len, token.at);
  assert_string_equal(found, expected);
  assert_int_equal(lh_json_token(whole, &position, &token), 0); /* stays at the end */
}

static void test_tokens_of_a_text(void **state) {
  (void)state;
  tokens_are("{}", "{ }");
  tokens_are(" [ ] ", "[ ]");
  tokens_are("-1.5e3", "-1.5e3");
  tokens_are(" \"a\" ", "\"a\"");
  tokens_are("{\"a\" : [1 ,\n{\"b,\":null,\"c\":\":\"} ],\"d\":[[],{}],\"e\":true}",
             "{ \"a\" [ 1 { \"b,\" null \"c\" \":\" } ] \"d\" [ [ ] { } ] \"e\" true }");
  tokens_are("[\"\\\"\",\"\\\\\"]", "[ \"\\\"\" \"\\\\\" ]");
}

static void test_iterating_an_array(void **state) {
  (void)state;
  struct lh_slice array = checked(" [ 1 ,\"two\", [3,[4]] , {\"five\":5} ,null,\"a:b\" ] ");
  static const char *const expected[] = {"1",    "\"two\"", "[3,[4]]", "{\"five\":5}",
                                         "null", "\"a:b\""};
  size_t position = 0, count = 0;
  struct lh_slice key, value;
  while (lh_json_next(array, &position, &key, &value)) {
    assert_null(key.at);
    assert_true(count < 6);
    assert_slice(value, expected[count++]);
  }
  assert_int_equal(count, 6);
  assert_int_equal(lh_json_next(array, &position, NULL, &value), 0); /* stays at the end */
}

static void test_iterating_an_object(void **state) {
  (void)state;
  struct lh_slice object = checked("{\"a\":1, \"b\" : \"x\" ,\"c\\n\":{}}");
  static const char *const keys[] = {"\"a\"", "\"b\"", "\"c\\n\""};
  static const char *const values[] = {"1", "\"x\"", "{}"};
  size_t position = 0, count = 0;
  struct lh_slice key, value;
  while (lh_json_next(object, &position, &key, &value)) {
    assert_true(count < 3);
    assert_slice(key, keys[count]);
    assert_slice(value, values[count++]);
  }
  assert_int_equal(count, 3);
}

static void test_empty_containers(void **state) {
  (void)state;
  static const char *const empty[] = {"[]", "{}", " [ ] ", "\n{\t}"};
  for (size_t i = 0; i < 4; i++) {
    size_t position = 0;
    struct lh_slice value;
    assert_int_equal(lh_json_next(checked(empty[i]), &position, NULL, &value), 0);
  }
}

static void string_is(const char *text, const char *expected, size_t len) {
  char out[64];
  memset(out, '#', sizeof out);
  assert_int_equal(lh_json_string(checked(text), out, sizeof out), len);
  assert_memory_equal(out, expected, len);
  assert_int_equal(out[len], '#');
  for (size_t cap = 0; cap < len; cap++) { /* less room: the beginning, and the full length */
    memset(out, '#', sizeof out);
    assert_int_equal(lh_json_string(checked(text), out, cap), len);
    assert_memory_equal(out, expected, cap);
    for (size_t i = cap; i < sizeof out; i++) assert_int_equal(out[i], '#');
  }
}

static void test_strings_are_decoded(void **state) {
  (void)state;
  string_is("\"\"", "", 0);
  string_is("\"plain\"", "plain", 5);
  string_is(" \"a whole text\"\n", "a whole text", 12);
  string_is("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8);
  string_is("\"a\\u0041\\u00e9\\u79D8z\"", "aA\xC3\xA9\xE7\xA7\x98z", 8);
  string_is("\"\\ud83d\\ude00\\uDBFF\\uDFFF\"", "\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF", 8);
  string_is("\"\\uD7FF\\uE000\\uFFFF\"", "\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF", 9);
  string_is("\"\\nabcdefghijklmnop\\tqrstuv\"", "\nabcdefghijklmnop\tqrstuv", 24);
  string_is("\"\\ud800\\udc00\"", "\xF0\x90\x80\x80", 4);
  string_is("\"a\\u0000b\"", "a\0b", 3);
  string_is("\"\\u007f\\u0080\\u07ff\\u0800\"", "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80", 8);
  string_is("\"\xF0\x9F\x98\x80\"", "\xF0\x9F\x98\x80", 4);
}

static void test_types(void **state) {
  (void)state;
  assert_int_equal(lh_json_type_of(checked("{}")), LH_JSON_OBJECT);
  assert_int_equal(lh_json_type_of(checked(" []")), LH_JSON_ARRAY);
  assert_int_equal(lh_json_type_of(checked("\"\"")), LH_JSON_STRING);
  assert_int_equal(lh_json_type_of(checked("0")), LH_JSON_NUMBER);
  assert_int_equal(lh_json_type_of(checked("-1")), LH_JSON_NUMBER);
  assert_int_equal(lh_json_type_of(checked("true")), LH_JSON_TRUE);
  assert_int_equal(lh_json_type_of(checked("false")), LH_JSON_FALSE);
  assert_int_equal(lh_json_type_of(checked("null")), LH_JSON_NULL);
}

/* A slice ends where its text ends: nothing behind it is read. */
static void test_nothing_behind_the_text_is_read(void **state) {
  (void)state;
  static const char text[] = "{\"a\":[1,\"b\\\\\",{\"c\":\"d\\\"\"}],\"e\":12345}";
  char *copy = malloc(sizeof text - 1);
  assert_non_null(copy);
  memcpy(copy, text, sizeof text - 1);
  struct lh_slice object = {copy, sizeof text - 1};
  struct lh_slice value;
  assert_true(lh_json_member(object, "e", &value));
  assert_slice(value, "12345");
  assert_false(lh_json_member(object, "zzz", &value));
  free(copy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_members),
      cmocka_unit_test(test_the_last_of_repeated_members_counts),
      cmocka_unit_test(test_names_are_compared_unescaped),
      cmocka_unit_test(test_tokens_of_a_text),
      cmocka_unit_test(test_iterating_an_array),
      cmocka_unit_test(test_iterating_an_object),
      cmocka_unit_test(test_empty_containers),
      cmocka_unit_test(test_strings_are_decoded),
      cmocka_unit_test(test_types),
      cmocka_unit_test(test_nothing_behind_the_text_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
