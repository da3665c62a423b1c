/* Passwords: PBKDF2 against Python's hashlib.pbkdf2_hmac("sha512"), the stored form, the rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/password.h"

static const unsigned char salt[LH_PASSWORD_SALT_BYTES] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                           8, 9, 10, 11, 12, 13, 14, 15};

static void must_derive(const char *password, size_t len, int32_t iterations, const char *wanted) {
  unsigned char out[LH_PASSWORD_HASH_BYTES];
  char hex[2 * LH_PASSWORD_HASH_BYTES + 1];
  assert_int_equal(lh_password_derive(password, len, salt, iterations, out, NULL), LH_OK);
  for (size_t i = 0; i < sizeof out; i++) snprintf(hex + 2 * i, 3, "%02x", out[i]);
  assert_string_equal(hex, wanted);
}

static void test_is_pbkdf2_hmac_sha512(void **state) {
  (void)state;
  char long_one[200];
  memset(long_one, 'x', sizeof long_one); /* longer than a block: HMAC hashes it first */
  must_derive("password", 8, 1,
              "4c8e83abe87e8c6797b46b00bc79680111d926586dfb2cfee239d5f2bf9ec2b29c896d1f89c19a9f860a"
              "07a937b635496c2cc648a67bd77aa57519cac6c91aa4");
  must_derive("password", 8, 2,
              "025510fd864ca97a69d13c3359fe81ecc3e278a85b2937be20a35a936f6a35578d4820160c476cdc1181"
              "c042340f17d0a146a7e3abdfb11f405363d82adc5ab9");
  must_derive("correct horse battery staple", 28, 4096,
              "5e7916f576ae59c8be8d7dadcebc2937b47f156b3affffcd519bcb17697de280ecffc90f0dc043b6ae87"
              "2961847ee45eb12c33fc7d091f3c740f3380709329d0");
  must_derive(long_one, sizeof long_one, 1000,
              "f1dad5c2597ba1928e43ac5ac6d33d850c11c8dbb87597a15d510abac74874f8616536a8885d2e671767"
              "be7d4ba4d72431865431aa6c75caa57a350946d35e5a");
  must_derive("", 0, 3,
              "aae7c449b8c4683edf8f024d223fd97ca2949ebe3d7246ae8a5ba1259cfee25f762d92927c819b8c23a7"
              "5e37b0079d0d09bba7a5ccbfbe57591ebc12717da1a0");
}

static void test_is_pbkdf2_with_as_many_iterations_as_are_used(void **state) {
  (void)state;
  const char *password = "F\xC3\xBC\xC3\x9F"
                         "e&H\xC3\xA4nde \xC2\xB5";
  assert_int_equal(LH_PASSWORD_ITERATIONS, 210000);
  must_derive(password, strlen(password), LH_PASSWORD_ITERATIONS,
              "486e9926d0b47f72d66814141ac983d135599f6b6180f38ef3255d9783511eb457cdffe8ef641935eaf2"
              "564c62758d95f592833da6ccad0c40b47e6dbd15a853");
}

static int is_good(const unsigned char *stored, const char *password) {
  int good = -1;
  assert_int_equal(
      lh_password_check(stored, LH_PASSWORD_STORED_BYTES, password, strlen(password), &good, NULL),
      LH_OK);
  return good;
}

static void test_only_the_password_opens_what_is_stored(void **state) {
  (void)state;
  unsigned char stored[LH_PASSWORD_STORED_BYTES];
  assert_int_equal(lh_password_store("correct horse", 13, salt, 1000, stored, NULL), LH_OK);
  assert_int_equal(lh_password_iterations(stored, sizeof stored), 1000);
  assert_true(is_good(stored, "correct horse"));
  assert_false(is_good(stored, "correct hors"));
  assert_false(is_good(stored, "correct horsf"));
  assert_false(is_good(stored, "Correct horse"));
  assert_false(is_good(stored, ""));
  for (size_t at = 5; at < sizeof stored; at++) { /* salt and hash */
    stored[at] ^= 0x10;
    assert_false(is_good(stored, "correct horse"));
    stored[at] ^= 0x10;
  }
  assert_true(is_good(stored, "correct horse"));
}

static void test_the_same_password_is_stored_differently_with_another_salt(void **state) {
  (void)state;
  static const unsigned char other[LH_PASSWORD_SALT_BYTES] = {1};
  unsigned char one[LH_PASSWORD_STORED_BYTES], two[LH_PASSWORD_STORED_BYTES];
  assert_int_equal(lh_password_store("correct horse", 13, salt, 10, one, NULL), LH_OK);
  assert_int_equal(lh_password_store("correct horse", 13, other, 10, two, NULL), LH_OK);
  assert_memory_not_equal(one + 21, two + 21, LH_PASSWORD_HASH_BYTES);
}

static void test_what_is_no_stored_password_is_damage(void **state) {
  (void)state;
  unsigned char stored[LH_PASSWORD_STORED_BYTES];
  struct lh_error err;
  int good = 1;
  assert_int_equal(lh_password_store("correct horse", 13, salt, 10, stored, NULL), LH_OK);
  for (size_t len = 0; len < sizeof stored; len++) {
    assert_int_equal(lh_password_check(stored, len, "correct horse", 13, &good, &err),
                     LH_E_STORE_DAMAGED);
    assert_false(good);
  }
  stored[0] = 2;
  assert_int_equal(lh_password_check(stored, sizeof stored, "correct horse", 13, &good, &err),
                   LH_E_STORE_DAMAGED);
  stored[0] = 1;
  memset(stored + 1, 0, 4);
  assert_int_equal(lh_password_check(stored, sizeof stored, "correct horse", 13, &good, &err),
                   LH_E_STORE_DAMAGED);
  memset(stored + 1, 0xFF, 4); /* would take hours */
  assert_int_equal(lh_password_check(stored, sizeof stored, "correct horse", 13, &good, &err),
                   LH_E_STORE_DAMAGED);
}

static int rule(const char *user, const char *password, size_t len) {
  struct lh_error err = {.message = ""};
  int code = lh_password_rule(user, password, len, &err);
  assert_int_equal(strncmp(err.message, "password: ", 10) == 0, code != LH_OK);
  if (len >= LH_PASSWORD_MIN && memchr(password, '\0', len) == NULL)
    assert_null(strstr(err.message, password));
  return code;
}

static void test_the_rule_for_new_ones(void **state) {
  (void)state;
  char longest[LH_PASSWORD_MAX + 2];
  memset(longest, 'p', sizeof longest);
  longest[LH_PASSWORD_MAX + 1] = '\0';
  assert_int_equal(rule("anna", longest, LH_PASSWORD_MAX), LH_OK);
  assert_int_equal(rule("anna", longest, LH_PASSWORD_MAX + 1), LH_E_INVALID);
  assert_int_equal(rule("anna", "eleven byte", 11), LH_E_INVALID);
  assert_int_equal(rule("anna", "twelve bytes", 12), LH_OK);
  assert_int_equal(rule("anna", "", 0), LH_E_INVALID);
  assert_int_equal(rule("anna", "two\nlines of it", 15), LH_E_INVALID);
  assert_int_equal(rule("anna", "a\0NUL byte in it", 16), LH_E_INVALID);
  assert_int_equal(rule("anna", "\xFFnot valid UTF-8", 16), LH_E_INVALID);
  assert_int_equal(rule("anna", "\xC3\xA4\xC3\xB6\xC3\xBC and \xF0\x9F\x94\x91", 15), LH_OK);
  assert_int_equal(rule("anna@example.com", "anna@example.com", 16), LH_E_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_is_pbkdf2_hmac_sha512),
      cmocka_unit_test(test_is_pbkdf2_with_as_many_iterations_as_are_used),
      cmocka_unit_test(test_only_the_password_opens_what_is_stored),
      cmocka_unit_test(test_the_same_password_is_stored_differently_with_another_salt),
      cmocka_unit_test(test_what_is_no_stored_password_is_damage),
      cmocka_unit_test(test_the_rule_for_new_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
