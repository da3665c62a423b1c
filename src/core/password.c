/* Passwords: their rule and their hash. Salts come from the caller; nothing is kept. */
#include "core/password.h"

#include <assert.h>
#include <string.h>

#include "core/hmac.h"
#include "core/limits.h"
#include "core/seal.h"
#include "core/utf8.h"

#define VERSION 1
#define SALT_AT 5
#define HASH_AT (SALT_AT + LH_PASSWORD_SALT_BYTES)

int lh_password_rule(const char *user, const char *password, size_t len, struct lh_error *err) {
  if (len < LH_PASSWORD_MIN || len > LH_PASSWORD_MAX)
    return lh_error_set(err, LH_E_INVALID, "password: is not %d to %d bytes long", LH_PASSWORD_MIN,
                        LH_PASSWORD_MAX);
  if (lh_utf8_check(password, len) != len)
    return lh_error_set(err, LH_E_INVALID, "password: is not valid UTF-8");
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)password[i] < 0x20 || password[i] == 0x7F)
      return lh_error_set(err, LH_E_INVALID,
                          "password: contains a control character (more than one line?)");
  if (len == strlen(user) && memcmp(user, password, len) == 0)
    return lh_error_set(err, LH_E_INVALID, "password: is the user's name");
  return LH_OK;
}

int lh_password_derive(const char *password, size_t len,
                       const unsigned char salt[LH_PASSWORD_SALT_BYTES], int32_t iterations,
                       unsigned char out[LH_PASSWORD_HASH_BYTES], struct lh_error *err) {
  static const unsigned char block_number[4] = {0, 0, 0, 1};
  const struct lh_piece first[2] = {{salt, LH_PASSWORD_SALT_BYTES}, {block_number, 4}};
  unsigned char last[LH_HMAC_MAX];
  const struct lh_piece again = {last, LH_PASSWORD_HASH_BYTES};
  struct lh_hmac_key *key;
  assert(iterations >= 1);
  memset(out, 0, LH_PASSWORD_HASH_BYTES);
  /* HMAC fills its key with zeros: an empty one and a NUL byte are the same. */
  int rc = lh_hmac_key_new(LH_SHA512, len > 0 ? password : "\0", len > 0 ? len : 1, &key, err);
  if (rc != LH_OK) return rc;
  size_t good = lh_hmac_tag(key, first, 2, last);
  for (int32_t i = 1; good && i <= iterations; i++) {
    for (size_t at = 0; at < LH_PASSWORD_HASH_BYTES; at++) out[at] ^= last[at];
    if (i < iterations) good = lh_hmac_tag(key, &again, 1, last);
  }
  lh_hmac_key_free(key);
  lh_wipe(last, sizeof last);
  return good ? LH_OK : lh_error_set(err, LH_E_MEMORY, "password: the hash gives no answer");
}

int lh_password_store(const char *password, size_t len,
                      const unsigned char salt[LH_PASSWORD_SALT_BYTES], int32_t iterations,
                      unsigned char out[LH_PASSWORD_STORED_BYTES], struct lh_error *err) {
  assert(iterations >= 1 && iterations <= LH_PASSWORD_ITERATIONS_MAX);
  out[0] = VERSION;
  for (int i = 0; i < 4; i++) out[1 + i] = (unsigned char)((uint32_t)iterations >> (24 - 8 * i));
  memcpy(out + SALT_AT, salt, LH_PASSWORD_SALT_BYTES);
  return lh_password_derive(password, len, salt, iterations, out + HASH_AT, err);
}

int32_t lh_password_iterations(const unsigned char *stored, size_t stored_len) {
  uint32_t iterations = 0;
  if (stored_len != LH_PASSWORD_STORED_BYTES || stored[0] != VERSION) return 0;
  for (int i = 1; i <= 4; i++) iterations = iterations << 8 | stored[i];
  return iterations <= LH_PASSWORD_ITERATIONS_MAX ? (int32_t)iterations : 0;
}

int lh_password_check(const unsigned char *stored, size_t stored_len, const char *password,
                      size_t len, int *good, struct lh_error *err) {
  unsigned char found[LH_PASSWORD_HASH_BYTES];
  int32_t iterations = lh_password_iterations(stored, stored_len);
  *good = 0;
  if (iterations == 0)
    return lh_error_set(err, LH_E_STORE_DAMAGED, "password: what is stored is not a hash of one");
  int rc = lh_password_derive(password, len, stored + SALT_AT, iterations, found, err);
  *good = rc == LH_OK && lh_hmac_equal(found, stored + HASH_AT, sizeof found);
  lh_wipe(found, sizeof found);
  return rc;
}
