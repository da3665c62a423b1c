/* What a secret may be: any for verifying, a strong one for a new webhook. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/signature.h"

static int check(enum lh_scheme scheme, const char *secret) {
  struct lh_error err = {.message = ""};
  int code = lh_secret_check(scheme, secret, strlen(secret), &err);
  assert_int_equal(strncmp(err.message, "secret: ", 8) == 0, code != LH_OK);
  return code;
}

static int prepare(enum lh_scheme scheme, const char *secret) {
  struct lh_hmac_key *key = NULL;
  int code = lh_signature_key_new(scheme, secret, strlen(secret), &key, NULL);
  assert_int_equal(key != NULL, code == LH_OK);
  if (key != NULL)
    assert_int_equal(lh_hmac_key_hash(key), scheme == LH_SCHEME_ZINRELO ? LH_SHA512 : LH_SHA256);
  lh_hmac_key_free(key);
  return code;
}

static void test_new_secrets_of_the_first_scheme(void **state) {
  (void)state;
  char longest[LH_SECRET_MAX + 2];
  memset(longest, 's', sizeof longest);
  longest[LH_SECRET_MAX + 1] = '\0';
  assert_int_equal(check(LH_SCHEME_ZINRELO, longest), LH_E_SECRET_INVALID);
  longest[LH_SECRET_MAX] = '\0';
  assert_int_equal(check(LH_SCHEME_ZINRELO, longest), LH_OK);
  assert_int_equal(check(LH_SCHEME_ZINRELO, "0123456789abcdef"), LH_OK);
  assert_int_equal(check(LH_SCHEME_ZINRELO, "0123456789abcde"), LH_E_SECRET_INVALID);
  assert_int_equal(check(LH_SCHEME_ZINRELO, ""), LH_E_SECRET_INVALID);
  assert_int_equal(check(LH_SCHEME_ZINRELO, "cl\xC3\xA9-\xE7\xA7\x98\xE5\xAF\x86-0123456"), LH_OK);
  assert_int_equal(check(LH_SCHEME_ZINRELO, "0123456789abcde\xFF"), LH_E_SECRET_INVALID);
}

static void test_new_secrets_of_the_standard_scheme(void **state) {
  (void)state;
  assert_int_equal(check(LH_SCHEME_STANDARD, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), LH_OK);
  assert_int_equal(check(LH_SCHEME_STANDARD, "whsec_AAAAAAAAAAAAAAAAAAAAAA=="),
                   LH_OK); /* 16 bytes */
  static const char *const wrong[] = {
      "whsec_AAAAAAAAAAAAAAAAAAAA",       /* 15 bytes */
      "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", /* no prefix */
      "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", /* a character short */
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS-",
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
      "whsec_",
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    assert_int_equal(check(LH_SCHEME_STANDARD, wrong[i]), LH_E_SECRET_INVALID);
}

static void test_signing_takes_any_secret_but_an_empty_one(void **state) {
  (void)state;
  assert_int_equal(prepare(LH_SCHEME_ZINRELO, "k"), LH_OK);
  assert_int_equal(prepare(LH_SCHEME_ZINRELO, "\xFF"), LH_OK);
  assert_int_equal(prepare(LH_SCHEME_ZINRELO, ""), LH_E_SECRET_INVALID);
  assert_int_equal(prepare(LH_SCHEME_STANDARD, "whsec_aw=="), LH_OK);
  assert_int_equal(prepare(LH_SCHEME_STANDARD, "whsec_"), LH_E_SECRET_INVALID);
  assert_int_equal(prepare(LH_SCHEME_STANDARD, ""), LH_E_SECRET_INVALID);
  assert_int_equal(prepare(LH_SCHEME_STANDARD, "aw=="), LH_E_SECRET_INVALID);
  assert_int_equal(prepare(LH_SCHEME_STANDARD, "whsec_aw="), LH_E_SECRET_INVALID);
  assert_int_equal(prepare(LH_SCHEME_STANDARD, "whsec_ax=="), LH_E_SECRET_INVALID);
}

static void test_generated_secret_suits_both_schemes(void **state) {
  (void)state;
  unsigned char random[32];
  char secret[LH_SECRET_GENERATED_LEN + 1];
  for (size_t i = 0; i < sizeof random; i++) random[i] = (unsigned char)(255 - i);
  lh_secret_from_random(random, secret);
  assert_string_equal(secret, "whsec_//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=");
  assert_int_equal(strlen(secret), LH_SECRET_GENERATED_LEN);
  assert_int_equal(check(LH_SCHEME_ZINRELO, secret), LH_OK);
  assert_int_equal(check(LH_SCHEME_STANDARD, secret), LH_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_new_secrets_of_the_first_scheme),
      cmocka_unit_test(test_new_secrets_of_the_standard_scheme),
      cmocka_unit_test(test_signing_takes_any_secret_but_an_empty_one),
      cmocka_unit_test(test_generated_secret_suits_both_schemes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
