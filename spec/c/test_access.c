/* Words and names of those who may use the API and the console. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/access.h"
#include "core/limits.h"

static void test_words(void **state) {
  (void)state;
  enum lh_scope scope;
  enum lh_role role;
  for (int i = 0; i < 2; i++) {
    assert_int_equal(lh_scope_parse(lh_scope_name((enum lh_scope)i), &scope), LH_OK);
    assert_int_equal(scope, i);
    assert_int_equal(lh_role_parse(lh_role_name((enum lh_role)i), &role), LH_OK);
    assert_int_equal(role, i);
  }
  assert_int_equal(lh_scope_parse("admin", &scope), LH_E_INVALID);
  assert_int_equal(scope, LH_SCOPE_READ); /* a slip gives the least */
  assert_int_equal(lh_role_parse("Admin", &role), LH_E_INVALID);
  assert_int_equal(role, LH_ROLE_VIEWER);
}

static int name(const char *text, size_t len) {
  return lh_user_name_check(text, len, NULL);
}

static void test_names_of_users(void **state) {
  (void)state;
  char longest[LH_USER_NAME_MAX + 1];
  memset(longest, 'n', sizeof longest);
  assert_int_equal(name(longest, LH_USER_NAME_MAX), LH_OK);
  assert_int_equal(name(longest, LH_USER_NAME_MAX + 1), LH_E_INVALID);
  assert_int_equal(name("a", 1), LH_OK);
  assert_int_equal(name("Anna.B-c_d+x@example.com", 24), LH_OK);
  assert_int_equal(name("", 0), LH_E_INVALID);
  assert_int_equal(name("...", 3), LH_OK);
  assert_int_equal(name(".", 1), LH_E_INVALID); /* no browser asks for /users/.. */
  assert_int_equal(name("..", 2), LH_E_INVALID);
  assert_int_equal(name("anna b", 6), LH_E_INVALID);
  assert_int_equal(name("anna\n", 5), LH_E_INVALID);
  assert_int_equal(name("an\0na", 5), LH_E_INVALID);
  assert_int_equal(name("\xC3\xA4nna", 5), LH_E_INVALID);
  assert_int_equal(name("a/b", 3), LH_E_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_words),
                                     cmocka_unit_test(test_names_of_users)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
