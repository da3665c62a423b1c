/* Tokens: their form, their hashes (against Python's hashlib.sha256), and that kinds stay apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/token.h"

static const char *hex_of(const unsigned char hash[LH_TOKEN_HASH_BYTES]) {
  static char hex[2 * LH_TOKEN_HASH_BYTES + 1];
  for (size_t i = 0; i < LH_TOKEN_HASH_BYTES; i++) snprintf(hex + 2 * i, 3, "%02x", hash[i]);
  return hex;
}

static void test_a_token_and_its_hash(void **state) {
  (void)state;
  static const unsigned char random[LH_TOKEN_RANDOM_BYTES] = {[31] = 0xFF};
  unsigned char hash[LH_TOKEN_HASH_BYTES];
  char text[LH_TOKEN_LEN + 1];
  lh_token_from_random(LH_TOKEN_API, random, text);
  assert_string_equal(text, "lhk_00000000000000000000000000000000000000000000000000000000000000ff");
  assert_int_equal(lh_token_hash(LH_TOKEN_API, text, LH_TOKEN_LEN, hash, NULL), LH_OK);
  assert_string_equal(hex_of(hash),
                      "30c99a2f38687ec0f6d8cdbc5a1af3acffcb621d8dce82705db363216d50a0c0");
}

static void test_one_kind_is_not_taken_for_another(void **state) {
  (void)state;
  static const enum lh_token_kind kinds[] = {LH_TOKEN_API, LH_TOKEN_LOGIN, LH_TOKEN_FIRST_RUN};
  static const unsigned char random[LH_TOKEN_RANDOM_BYTES] = {7};
  unsigned char hash[LH_TOKEN_HASH_BYTES];
  char text[LH_TOKEN_LEN + 1];
  for (int made = 0; made < 3; made++) {
    lh_token_from_random(kinds[made], random, text);
    for (int asked = 0; asked < 3; asked++)
      assert_int_equal(lh_token_hash(kinds[asked], text, LH_TOKEN_LEN, hash, NULL),
                       made == asked ? LH_OK : LH_E_DENIED);
  }
}

static void test_other_forms_are_denied_without_being_repeated(void **state) {
  (void)state;
  static const unsigned char random[LH_TOKEN_RANDOM_BYTES] = {7};
  unsigned char hash[LH_TOKEN_HASH_BYTES];
  struct lh_error err;
  char text[LH_TOKEN_LEN + 2] = "";
  lh_token_from_random(LH_TOKEN_API, random, text);
  for (size_t len = 0; len < LH_TOKEN_LEN; len++)
    assert_int_equal(lh_token_hash(LH_TOKEN_API, text, len, hash, &err), LH_E_DENIED);
  assert_int_equal(lh_token_hash(LH_TOKEN_API, text, LH_TOKEN_LEN + 1, hash, &err), LH_E_DENIED);
  for (size_t at = 0; at < LH_TOKEN_LEN; at++) {
    static const char wrong[] = {'\0', 'g', 'A', '\n', ' '};
    for (size_t i = 0; i < sizeof wrong; i++) {
      char kept = text[at];
      text[at] = wrong[i];
      assert_int_equal(lh_token_hash(LH_TOKEN_API, text, LH_TOKEN_LEN, hash, &err), LH_E_DENIED);
      assert_null(strstr(err.message, "000"));
      text[at] = kept;
    }
  }
}

static void test_what_a_page_brings_back_follows_from_its_login(void **state) {
  (void)state;
  unsigned char random[LH_TOKEN_RANDOM_BYTES];
  char login[LH_TOKEN_LEN + 1], csrf[LH_CSRF_LEN + 1], other[LH_CSRF_LEN + 1];
  for (size_t i = 0; i < sizeof random; i++) random[i] = (unsigned char)i;
  lh_token_from_random(LH_TOKEN_LOGIN, random, login);
  assert_int_equal(lh_token_csrf(login, csrf, NULL), LH_OK);
  assert_string_equal(csrf, "818b3bbd92f88f7ead2359faef73a737886c5a8e837c5ca5749271efe86a83fd");
  random[0] = 1;
  lh_token_from_random(LH_TOKEN_LOGIN, random, login);
  assert_int_equal(lh_token_csrf(login, other, NULL), LH_OK);
  assert_string_not_equal(csrf, other);
}

static void test_a_mask(void **state) {
  (void)state;
  unsigned char hash[LH_TOKEN_HASH_BYTES];
  assert_int_equal(lh_token_mask("user", "anna", 4, hash, NULL), LH_OK);
  assert_string_equal(hex_of(hash),
                      "c2ed3ef103247046250e6079e4395868a9b64caa5cbbaf23dd02ccae60ff9bcd");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_token_and_its_hash),
      cmocka_unit_test(test_one_kind_is_not_taken_for_another),
      cmocka_unit_test(test_other_forms_are_denied_without_being_repeated),
      cmocka_unit_test(test_what_a_page_brings_back_follows_from_its_login),
      cmocka_unit_test(test_a_mask),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
