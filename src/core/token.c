/* Tokens: their form and their hashes. Random bytes come from the caller; nothing is kept. */
#include "core/token.h"

#include <assert.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>
#include <string.h>

#include "core/seal.h"

/* mbedTLS 2 has the versions that can fail under other names. */
#if MBEDTLS_VERSION_NUMBER < 0x03000000
#define mbedtls_sha256_starts mbedtls_sha256_starts_ret
#define mbedtls_sha256_update mbedtls_sha256_update_ret
#define mbedtls_sha256_finish mbedtls_sha256_finish_ret
#endif

#define PREFIX_LEN 4

static const char *const prefixes[] = {
    [LH_TOKEN_API] = "lhk_", [LH_TOKEN_LOGIN] = "lhl_", [LH_TOKEN_FIRST_RUN] = "lhf_"};
static const char digits[] = "0123456789abcdef";

static void write_hex(const unsigned char *bytes, size_t count, char *out) {
  for (size_t i = 0; i < count; i++) {
    *out++ = digits[bytes[i] >> 4];
    *out++ = digits[bytes[i] & 15];
  }
  *out = '\0';
}

void lh_token_from_random(enum lh_token_kind kind,
                          const unsigned char random[LH_TOKEN_RANDOM_BYTES],
                          char out[LH_TOKEN_LEN + 1]) {
  memcpy(out, prefixes[kind], PREFIX_LEN);
  write_hex(random, LH_TOKEN_RANDOM_BYTES, out + PREFIX_LEN);
}

/* SHA-256 of "<label>:<text>", or of the text alone if label is NULL. */
static int hash(const char *label, const char *text, size_t len,
                unsigned char out[LH_TOKEN_HASH_BYTES], struct lh_error *err) {
  mbedtls_sha256_context sha;
  mbedtls_sha256_init(&sha);
  int failed = mbedtls_sha256_starts(&sha, 0);
  if (!failed && label != NULL) {
    failed = mbedtls_sha256_update(&sha, (const unsigned char *)label, strlen(label));
    if (!failed) failed = mbedtls_sha256_update(&sha, (const unsigned char *)":", 1);
  }
  if (!failed) failed = mbedtls_sha256_update(&sha, (const unsigned char *)text, len);
  if (!failed) failed = mbedtls_sha256_finish(&sha, out);
  mbedtls_sha256_free(&sha); /* also wipes */
  if (failed) return lh_error_set(err, LH_E_MEMORY, "token: the hash gives no answer (%d)", failed);
  return LH_OK;
}

int lh_token_hash(enum lh_token_kind kind, const char *text, size_t len,
                  unsigned char out[LH_TOKEN_HASH_BYTES], struct lh_error *err) {
  int good = len == LH_TOKEN_LEN && memcmp(text, prefixes[kind], PREFIX_LEN) == 0;
  for (size_t i = PREFIX_LEN; good && i < LH_TOKEN_LEN; i++)
    good = text[i] != '\0' && strchr(digits, text[i]) != NULL;
  memset(out, 0, LH_TOKEN_HASH_BYTES);
  if (!good)
    return lh_error_set(err, LH_E_DENIED, "token: is not %s and 64 hex digits", prefixes[kind]);
  return hash(NULL, text, len, out, err);
}

int lh_token_csrf(const char login[LH_TOKEN_LEN], char out[LH_CSRF_LEN + 1], struct lh_error *err) {
  unsigned char bytes[LH_TOKEN_HASH_BYTES] = {0};
  int rc = hash("loyalhook csrf", login, LH_TOKEN_LEN, bytes, err);
  write_hex(bytes, sizeof bytes, out);
  lh_wipe(bytes, sizeof bytes);
  return rc;
}

int lh_token_mask(const char *label, const char *text, size_t len,
                  unsigned char out[LH_TOKEN_HASH_BYTES], struct lh_error *err) {
  memset(out, 0, LH_TOKEN_HASH_BYTES);
  return hash(label, text, len, out, err);
}
