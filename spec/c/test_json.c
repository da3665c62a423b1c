/* What the strict scanner accepts, what it refuses, where, and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/json.h"
#include "core/limits.h"

static void check(const char *text, size_t len, const char *expected) {
  /* an exact copy on the heap, so that a read behind the end is seen by the sanitizer */
  char *copy = malloc(len + (len == 0));
  struct lh_error err = {.message = ""};
  assert_non_null(copy);
  memcpy(copy, text, len);
  int code = lh_json_check(copy, len, LH_JSON_DEPTH_MAX, NULL, &err);
  free(copy);
  if (strcmp(err.message, expected) != 0) print_error("text: %.*s\n", (int)len, text);
  assert_string_equal(err.message, expected);
  assert_int_equal(code, expected[0] == '\0' ? LH_OK : LH_E_INVALID);
}

static void accepts(const char *text) {
  check(text, strlen(text), "");
}

static void refuses(const char *text, const char *expected) {
  check(text, strlen(text), expected);
}

static void test_accepts_what_rfc_8259_allows(void **state) {
  (void)state;
  static const char *const texts[] = {
      "{}",
      "[]",
      "0",
      "-0",
      "-0.0e-0",
      "1E+9",
      "1e5",
      "12.5",
      "true",
      "false",
      "null",
      "\"\"",
      " \t\r\n{ \"a\" : [ 1 , 2 ] }\n",
      "[[],{},[{}]]",
      "{\"\":0}",
      "{\"a\":1,\"a\":2}",
      "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uABcd\"",
      "\"\\ud83d\\ude00\"",
      "\"/\"",
      "\"\x7F\"",
      "\"Zo\xC3\xAB \xF0\x9F\x98\x80 \xE2\x80\xA8 \xEF\xBF\xBF\xF4\x8F\xBF\xBF\"",
      "\"\xEF\xBB\xBF\"",
      "123456789012345678901234567890",
      "1e999999",
      "\"a rather long string, so that it is passed in steps of eight \xC3\xA9 bytes\"",
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) accepts(texts[i]);
}

static const struct {
  const char *text;
  const char *message;
} refusals[] = {
    {"", "invalid JSON at byte 1: unexpected end"},
    {"  ", "invalid JSON at byte 3: unexpected end"},
    {"{", "invalid JSON at byte 2: unexpected end"},
    {"[", "invalid JSON at byte 2: unexpected end"},
    {"[1", "invalid JSON at byte 3: unexpected end"},
    {"{\"a\"", "invalid JSON at byte 5: unexpected end"},
    {"{\"a\":", "invalid JSON at byte 6: unexpected end"},
    {"[1,]", "invalid JSON at byte 4: unexpected character"},
    {"[,1]", "invalid JSON at byte 2: unexpected character"},
    {"{,}", "invalid JSON at byte 2: a member's name was expected"},
    {"{\"a\":1,}", "invalid JSON at byte 8: a member's name was expected"},
    {"{a:1}", "invalid JSON at byte 2: a member's name was expected"},
    {"{'a':1}", "invalid JSON at byte 2: a member's name was expected"},
    {"{1:1}", "invalid JSON at byte 2: a member's name was expected"},
    {"{\"a\" 1}", "invalid JSON at byte 6: a colon was expected"},
    {"{\"a\":1 \"b\":2}", "invalid JSON at byte 8: a comma or } was expected"},
    {"[1 2]", "invalid JSON at byte 4: a comma or ] was expected"},
    {"[1}", "invalid JSON at byte 3: a comma or ] was expected"},
    {"{\"a\":1]", "invalid JSON at byte 7: a comma or } was expected"},
    {"{}{}", "invalid JSON at byte 3: more after the value"},
    {"1 2", "invalid JSON at byte 3: more after the value"},
    {"{}]", "invalid JSON at byte 3: more after the value"},
    {"]", "invalid JSON at byte 1: unexpected character"},
    {"01", "invalid JSON at byte 1: number with a leading zero"},
    {"-01", "invalid JSON at byte 2: number with a leading zero"},
    {"-", "invalid JSON at byte 2: number without digits"},
    {"+1", "invalid JSON at byte 1: unexpected character"},
    {".5", "invalid JSON at byte 1: unexpected character"},
    {"1.", "invalid JSON at byte 3: number without digits after the point"},
    {"1.e5", "invalid JSON at byte 3: number without digits after the point"},
    {"1e", "invalid JSON at byte 3: number without digits in its exponent"},
    {"1e+", "invalid JSON at byte 4: number without digits in its exponent"},
    {"0x10", "invalid JSON at byte 2: more after the value"},
    {"NaN", "invalid JSON at byte 1: unexpected character"},
    {"nan", "invalid JSON at byte 1: unexpected character"},
    {"Infinity", "invalid JSON at byte 1: unexpected character"},
    {"-Infinity", "invalid JSON at byte 2: number without digits"},
    {"tru", "invalid JSON at byte 1: unexpected character"},
    {"True", "invalid JSON at byte 1: unexpected character"},
    {"nulll", "invalid JSON at byte 5: more after the value"},
    {"\"", "invalid JSON at byte 2: string without an end"},
    {"\"abc", "invalid JSON at byte 5: string without an end"},
    {"\"abcdefgh", "invalid JSON at byte 10: string without an end"},
    {"\"\\", "invalid JSON at byte 2: string without an end"},
    {"\"\\\"", "invalid JSON at byte 4: string without an end"},
    {"\"\\x41\"", "invalid JSON at byte 2: unknown escape in a string"},
    {"\"\\u12\"", "invalid JSON at byte 2: \\u without four hex digits"},
    {"\"\\u12G4\"", "invalid JSON at byte 2: \\u without four hex digits"},
    {"\"\\ud800\"", "invalid JSON at byte 2: lone surrogate escape"},
    {"\"\\udc00\"", "invalid JSON at byte 2: lone surrogate escape"},
    {"\"\\ud800\\ud800\"", "invalid JSON at byte 2: lone surrogate escape"},
    {"\"\\ud800x\"", "invalid JSON at byte 2: lone surrogate escape"},
    {"\"\\ud800\\u00\"", "invalid JSON at byte 2: lone surrogate escape"},
    {"\"a\nb\"", "invalid JSON at byte 3: raw control character in a string"},
    {"\"12345678\x01\"", "invalid JSON at byte 10: raw control character in a string"},
    {"\"\xFF\"", "invalid JSON at byte 2: invalid UTF-8"},
    {"\"\xC0\xAF\"", "invalid JSON at byte 2: invalid UTF-8"},
    {"\"\xED\xA0\x80\"", "invalid JSON at byte 2: invalid UTF-8"},
    {"\"\xF4\x90\x80\x80\"", "invalid JSON at byte 2: invalid UTF-8"},
    {"\"\xC3\"", "invalid JSON at byte 2: invalid UTF-8"},
    {"\"\xC3", "invalid JSON at byte 2: invalid UTF-8"},
    {"\xEF\xBB\xBF", "invalid JSON at byte 1: a byte order mark is not JSON"},
    {"\xEF\xBB\xBF{}", "invalid JSON at byte 1: a byte order mark is not JSON"},
    {"{} \xC2\xA0", "invalid JSON at byte 4: more after the value"},
    {"// x\n{}", "invalid JSON at byte 1: unexpected character"},
    {"\f{}", "invalid JSON at byte 1: unexpected character"},
};

static void test_refuses_with_place_and_reason(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
    refuses(refusals[i].text, refusals[i].message);
}

/* Each pair of the first and last units around the surrogates. */
static void test_edges_of_the_surrogates(void **state) {
  (void)state;
  accepts("[\"\\ud7ff\",\"\\ue000\",\"\\uFFFF\",\"\\uabcd\\uefAF\\u0909\"]");
  accepts("[\"\\ud800\\udc00\",\"\\udbff\\udfff\",\"\\udbff\\udc00 and more\"]");
  static const char *const lone[] = {
      "\"\\ud800\"",        "\"\\udbff\"",        "\"\\udc00\"",        "\"\\udfff\"",
      "\"\\ud800\\ud7ff\"", "\"\\ud800\\ue000\"", "\"\\udbff\\udbff\"", "\"\\udc00\\ud800\"",
      "\"\\ud800xudc00\"",  "\"\\ud800\\xdc00\"", "\"\\udfff\\udfff\"", "\"\\ud800\\udcg0\"",
      "\"\\ud800\\udc0",    "\"\\ud800\\",
  };
  for (size_t i = 0; i < sizeof lone / sizeof lone[0]; i++)
    refuses(lone[i], "invalid JSON at byte 2: lone surrogate escape");
}

static void test_space_is_allowed_around_every_token(void **state) {
  (void)state;
  accepts(
      "\t{ \"a\" : 1 , \"b\" : [ ] , \"c\" : { } , \"d\" : [ { } , [ 9 ] , \"\" , null ] }\r\n");
  accepts("{\n\"a\"\n:\n[\n9\n,\n-9\n]\n,\n\"b\"\n:\n\"\"\n}");
  accepts("\"\\n with eight plain bytes and more after an escape \\t and another\"");
}

static void test_refuses_nul_bytes(void **state) {
  (void)state;
  check("\"a\0b\"", 5, "invalid JSON at byte 3: raw control character in a string");
  check("{}\0", 3, "invalid JSON at byte 3: more after the value");
  check("\0{}", 3, "invalid JSON at byte 1: unexpected character");
  check("\"\\\0\"", 4, "invalid JSON at byte 2: unknown escape in a string");
}

/* Every byte value at every place of a long string: only the legal ones pass. */
static void test_every_byte_at_every_place_of_a_string(void **state) {
  (void)state;
  for (size_t place = 1; place <= 24; place++)
    for (int byte = 0; byte < 256; byte++) {
      char text[26];
      memset(text, 'a', sizeof text);
      text[0] = text[25] = '"';
      text[place] = (char)byte;
      int legal = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
      int code = lh_json_check(text, sizeof text, 1, NULL, NULL);
      assert_int_equal(code == LH_OK, legal);
    }
}

/* A text of `depth` nested containers, alternating; free it. */
static char *nested(size_t depth, size_t *len) {
  char *text = malloc(depth * 8 + 1);
  size_t at = 0;
  assert_non_null(text);
  for (size_t i = 0; i < depth; i++) {
    const char *opening = i % 2 ? "[" : "{\"k\":";
    memcpy(text + at, opening, strlen(opening));
    at += strlen(opening);
  }
  text[at++] = '7';
  for (size_t i = depth; i-- > 0;) text[at++] = i % 2 ? ']' : '}';
  *len = at;
  return text;
}

static void test_depth_is_limited(void **state) {
  (void)state;
  static const unsigned limits[] = {1, 2, 63, 64, 65, LH_JSON_NESTING_MAX};
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
    for (unsigned more = 0; more <= 1; more++) {
      size_t len;
      char *text = nested(limits[i] + more, &len);
      struct lh_error err;
      int code = lh_json_check(text, len, limits[i], NULL, &err);
      free(text);
      assert_int_equal(code, more ? LH_E_INVALID : LH_OK);
      if (more) assert_non_null(strstr(err.message, "nested too deep"));
    }
  size_t len;
  char *text = nested(100000, &len);
  assert_int_equal(lh_json_check(text, len, 1000000, NULL, NULL), LH_E_INVALID);
  free(text);
}

static void test_tells_the_type(void **state) {
  (void)state;
  static const struct {
    const char *text;
    enum lh_json_type type;
  } cases[] = {
      {" {}", LH_JSON_OBJECT}, {"\n[1]", LH_JSON_ARRAY}, {"\"\"", LH_JSON_STRING},
      {"-1", LH_JSON_NUMBER},  {"true", LH_JSON_TRUE},   {"false", LH_JSON_FALSE},
      {"null", LH_JSON_NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    enum lh_json_type type = LH_JSON_NULL;
    assert_int_equal(lh_json_check(cases[i].text, strlen(cases[i].text), 9, &type, NULL), LH_OK);
    assert_int_equal(type, cases[i].type);
  }
}

/* No prefix of a valid object is valid; none is read past its end. */
static void test_every_truncation_is_refused(void **state) {
  (void)state;
  static const char text[] = "{\"a\":[1,-2.5e+3,\"x\\u00e9\\ud83d\\ude00\xC3\xA9\",true,null,{}],"
                             "\"long enough for whole words\":{\"b\":false}}";
  for (size_t len = 0; len < sizeof text - 1; len++) {
    char *copy = malloc(len + (len == 0));
    assert_non_null(copy);
    memcpy(copy, text, len);
    assert_int_equal(lh_json_check(copy, len, 9, NULL, NULL), LH_E_INVALID);
    free(copy);
  }
  assert_int_equal(lh_json_check(text, sizeof text - 1, 9, NULL, NULL), LH_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_accepts_what_rfc_8259_allows),
      cmocka_unit_test(test_refuses_with_place_and_reason),
      cmocka_unit_test(test_edges_of_the_surrogates),
      cmocka_unit_test(test_space_is_allowed_around_every_token),
      cmocka_unit_test(test_refuses_nul_bytes),
      cmocka_unit_test(test_every_byte_at_every_place_of_a_string),
      cmocka_unit_test(test_depth_is_limited),
      cmocka_unit_test(test_tells_the_type),
      cmocka_unit_test(test_every_truncation_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
