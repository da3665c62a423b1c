/* Sealed secrets: they open with their key, for their row, unchanged, and not otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/seal.h"

static const unsigned char key[LH_SEAL_KEY_BYTES] = {1, 2, 3, 250};
static const unsigned char nonce[LH_SEAL_NONCE_BYTES] = {9, 8, 7};
#define ROW "61f11851bdfb9aac526d0c70"
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SEALED_LEN (sizeof SECRET - 1 + LH_SEAL_OVERHEAD)

static void seal(unsigned char out[SEALED_LEN]) {
  assert_int_equal(lh_seal(key, nonce, ROW, strlen(ROW), SECRET, strlen(SECRET), out, NULL), LH_OK);
}

static int open_with(const unsigned char *with, const char *row, const unsigned char *sealed,
                     size_t len) {
  unsigned char out[SEALED_LEN];
  struct lh_error err = {.message = ""};
  size_t out_len = 0;
  memset(out, '#', sizeof out);
  int code = lh_unseal(with, row, strlen(row), sealed, len, out, &out_len, &err);
  assert_null(strstr(err.message, SECRET));
  if (code == LH_OK) {
    assert_int_equal(out_len, strlen(SECRET));
    assert_memory_equal(out, SECRET, out_len);
  } else {
    assert_int_equal(code, LH_E_SECRET_UNREADABLE);
    assert_memory_not_equal(out, SECRET, 6); /* nothing half-decrypted is left */
  }
  return code;
}

static void test_opens_what_it_sealed(void **state) {
  (void)state;
  unsigned char sealed[SEALED_LEN];
  seal(sealed);
  assert_int_equal(sealed[0], 1);
  assert_memory_equal(sealed + 1, nonce, sizeof nonce);
  assert_int_equal(open_with(key, ROW, sealed, sizeof sealed), LH_OK);
}

/* AES-256-GCM test case 13 of the GCM specification: the empty text under the zero key. */
static void test_is_aes_256_gcm(void **state) {
  (void)state;
  static const unsigned char zero[LH_SEAL_KEY_BYTES];
  static const unsigned char tag[16] = {0x53, 0x0F, 0x8A, 0xFB, 0xC7, 0x45, 0x36, 0xB9,
                                        0xA9, 0x63, 0xB4, 0xF1, 0xC4, 0xCB, 0x73, 0x8B};
  unsigned char sealed[LH_SEAL_OVERHEAD];
  assert_int_equal(lh_seal(zero, zero, "", 0, "", 0, sealed, NULL), LH_OK);
  assert_memory_equal(sealed + LH_SEAL_OVERHEAD - 16, tag, 16);
}

static void test_every_changed_bit_is_seen(void **state) {
  (void)state;
  unsigned char sealed[SEALED_LEN];
  seal(sealed);
  for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
    sealed[bit / 8] ^= (unsigned char)(1U << bit % 8);
    assert_int_not_equal(open_with(key, ROW, sealed, sizeof sealed), LH_OK);
    sealed[bit / 8] ^= (unsigned char)(1U << bit % 8);
  }
  assert_int_equal(open_with(key, ROW, sealed, sizeof sealed), LH_OK);
}

static void test_other_key_other_row_other_length(void **state) {
  (void)state;
  unsigned char sealed[SEALED_LEN], other[LH_SEAL_KEY_BYTES];
  seal(sealed);
  memcpy(other, key, sizeof other);
  other[31] ^= 1;
  assert_int_not_equal(open_with(other, ROW, sealed, sizeof sealed), LH_OK);
  assert_int_not_equal(open_with(key, "61f11851bdfb9aac526d0c71", sealed, sizeof sealed), LH_OK);
  assert_int_not_equal(open_with(key, "", sealed, sizeof sealed), LH_OK);
  for (size_t len = 0; len < sizeof sealed; len++)
    assert_int_not_equal(open_with(key, ROW, sealed, len), LH_OK);
}

static void test_wipe(void **state) {
  (void)state;
  char secret[8] = "secret!";
  lh_wipe(secret, 6);
  assert_memory_equal(secret, "\0\0\0\0\0\0!", 8);
  lh_wipe(NULL, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_opens_what_it_sealed),
      cmocka_unit_test(test_is_aes_256_gcm),
      cmocka_unit_test(test_every_changed_bit_is_seen),
      cmocka_unit_test(test_other_key_other_row_other_length),
      cmocka_unit_test(test_wipe),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
