/* Base64: RFC 4648's examples, all lengths there and back, and one text only for each value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base64.h"
#include "core/error.h"

static int decode(const char *text, unsigned char *out, size_t cap, size_t *len) {
  return lh_base64_decode(text, strlen(text), out, cap, len);
}

static void test_examples_of_rfc_4648(void **state) {
  (void)state;
  static const char *const pairs[][2] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    char text[16];
    unsigned char back[16];
    size_t len = 99;
    size_t plain_len = strlen(pairs[i][0]);
    lh_base64_encode((const unsigned char *)pairs[i][0], plain_len, text);
    assert_string_equal(text, pairs[i][1]);
    assert_int_equal(strlen(text), LH_BASE64_LEN(plain_len));
    assert_int_equal(decode(text, back, sizeof back, &len), LH_OK);
    assert_int_equal(len, plain_len);
    assert_memory_equal(back, pairs[i][0], len);
  }
}

static void test_every_length_and_byte_comes_back(void **state) {
  (void)state;
  unsigned char bytes[256], back[256];
  char text[LH_BASE64_LEN(sizeof bytes) + 1];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 167);
  for (size_t len = 0; len <= sizeof bytes; len++) {
    size_t got = 0;
    lh_base64_encode(bytes, len, text);
    assert_int_equal(decode(text, back, len, &got), LH_OK);
    assert_int_equal(got, len);
    assert_memory_equal(back, bytes, len);
    if (len > 0) assert_int_equal(decode(text, back, len - 1, &got), LH_E_INVALID); /* no room */
  }
}

static void test_anything_unusual_is_refused(void **state) {
  (void)state;
  static const char *const wrong[] = {
      "Z",        "Zg",   "Zg=",    "Zm9",        "=",     "==",     "====",     "===",
      "Zg==Zg==", "Zg=v", "Zm9v\n", "Zm9\n",      "Zm 9v", "Zm9vYg", "Zm9v====", "Zh==",
      "Zm9=",     "Zm-_", "Zm9*",   "\xC3\xA9==", "=Zg=",  "Z===",
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    unsigned char out[16];
    size_t len;
    if (decode(wrong[i], out, sizeof out, &len) == LH_OK) print_error("text: %s\n", wrong[i]);
    assert_int_equal(decode(wrong[i], out, sizeof out, &len), LH_E_INVALID);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_examples_of_rfc_4648),
      cmocka_unit_test(test_every_length_and_byte_comes_back),
      cmocka_unit_test(test_anything_unusual_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
