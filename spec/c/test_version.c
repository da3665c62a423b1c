/* doctor and `loyalhook version` show these. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/version.h"

/* Three numbers with dots, and nothing else. */
static void assert_version(const char *text) {
  assert_int_equal(strspn(text, "0123456789."), strlen(text));
  const char *first = strchr(text, '.');
  assert_non_null(first);
  assert_true(first > text);
  const char *second = strchr(first + 1, '.');
  assert_non_null(second);
  assert_true(second > first + 1 && second[1] != '\0');
}

static void test_own_version_is_three_numbers(void **state) {
  (void)state;
  assert_version(LH_VERSION);
}

static void test_cipher_library_tells_its_version(void **state) {
  (void)state;
  char text[16];
  memset(text, 'x', sizeof text);
  lh_version_crypto(text);
  assert_non_null(memchr(text, '\0', sizeof text));
  assert_version(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_own_version_is_three_numbers),
      cmocka_unit_test(test_cipher_library_tells_its_version),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
