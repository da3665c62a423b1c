/* Error values: names of the codes, and messages that stay one line of UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/utf8.h"

static void test_every_code_has_its_own_lower_case_name(void **state) {
  (void)state;
  assert_string_equal(lh_error_name(LH_OK), "ok");
  assert_string_equal(lh_error_name(LH_E_SIGNATURE_MISMATCH), "signature_mismatch");
  for (int a = LH_OK; a < LH_CODE_COUNT; a++) {
    const char *name = lh_error_name((enum lh_code)a);
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
    for (int b = LH_OK; b < a; b++) assert_string_not_equal(name, lh_error_name((enum lh_code)b));
  }
}

static void test_set_fills_and_returns_the_code(void **state) {
  (void)state;
  struct lh_error err;
  assert_int_equal(lh_error_set(&err, LH_E_LIMIT, "webhooks: %d are enough", 10), LH_E_LIMIT);
  assert_int_equal(err.code, LH_E_LIMIT);
  assert_string_equal(err.message, "webhooks: 10 are enough");
  assert_int_equal(lh_error_set(NULL, LH_E_FULL, "%s", "disk"), LH_E_FULL);
}

static void test_a_message_can_be_put_into_itself(void **state) {
  (void)state;
  struct lh_error err;
  lh_error_set(&err, LH_E_IO, "disk gone");
  lh_error_set(&err, err.code, "webhook w1: %s", err.message);
  assert_string_equal(err.message, "webhook w1: disk gone");
}

/* Characters of 1 to 4 bytes, shifted so that the cut falls on every byte of them. */
static void test_long_messages_are_cut_between_characters(void **state) {
  (void)state;
  static const char *const characters[] = {"a", "\xC3\xA9", "\xE7\xA7\x98", "\xF0\x9F\x98\x80"};
  for (size_t c = 0; c < 4; c++)
    for (size_t shift = 0; shift < 5; shift++) {
      size_t width = strlen(characters[c]);
      char text[LH_ERROR_MESSAGE_MAX * 2] = "";
      struct lh_error err;
      memset(text, '.', shift);
      size_t len = shift;
      while (len + width < sizeof text) {
        memcpy(text + len, characters[c], width);
        len += width;
      }
      text[len] = '\0';
      lh_error_set(&err, LH_E_INVALID, "%s", text);
      size_t kept = strlen(err.message);
      assert_int_equal(lh_utf8_check(err.message, kept), kept);
      assert_memory_equal(err.message, text, kept);
      assert_true(kept > LH_ERROR_MESSAGE_MAX - 1 - width);
    }
}

static void test_what_just_fits_is_kept_whole(void **state) {
  (void)state;
  char text[LH_ERROR_MESSAGE_MAX + 1];
  struct lh_error err;
  memset(text, 'x', sizeof text);
  text[LH_ERROR_MESSAGE_MAX - 1] = '\0';
  lh_error_set(&err, LH_E_INVALID, "%s", text);
  assert_string_equal(err.message, text);
  memcpy(text + LH_ERROR_MESSAGE_MAX - 3, "\xC3\xA9", 2);
  lh_error_set(&err, LH_E_INVALID, "%s", text);
  assert_string_equal(err.message, text);
  lh_error_set(&err, LH_E_INVALID, "%s", "");
  assert_string_equal(err.message, "");
}

static void test_hostile_text_cannot_break_the_line_or_the_encoding(void **state) {
  (void)state;
  struct lh_error err;
  lh_error_set(&err, LH_E_INVALID, "name: \"%s\"", "a\nb\x1B[2J\x7F\xFFz\xC3");
  assert_string_equal(err.message, "name: \"a b [2J ?z?\"");
  for (int byte = 1; byte < 256; byte++) {
    char text[3] = {(char)byte, (char)byte, 0};
    lh_error_set(&err, LH_E_INVALID, "%s", text);
    assert_int_equal(strlen(err.message), 2);
    assert_int_equal(lh_utf8_check(err.message, 2), 2);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_code_has_its_own_lower_case_name),
      cmocka_unit_test(test_set_fills_and_returns_the_code),
      cmocka_unit_test(test_a_message_can_be_put_into_itself),
      cmocka_unit_test(test_long_messages_are_cut_between_characters),
      cmocka_unit_test(test_what_just_fits_is_kept_whole),
      cmocka_unit_test(test_hostile_text_cannot_break_the_line_or_the_encoding),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
