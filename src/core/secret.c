/* How a secret is written, and what a new one must be like. Declared in signature.h. */
#include <assert.h>
#include <string.h>

#include "core/base64.h"
#include "core/limits.h"
#include "core/seal.h"
#include "core/signature.h"
#include "core/utf8.h"

static const char prefix[] = "whsec_";
#define PREFIX_LEN (sizeof prefix - 1)

/* The bytes of a standard secret into decoded. 0 or LH_E_SECRET_INVALID. */
static int decode_standard(const char *secret, size_t len, unsigned char decoded[LH_SECRET_MAX],
                           size_t *decoded_len, struct lh_error *err) {
  if (len <= PREFIX_LEN || memcmp(secret, prefix, PREFIX_LEN) != 0)
    return lh_error_set(err, LH_E_SECRET_INVALID,
                        "secret: the standard scheme wants whsec_ and base64");
  if (lh_base64_decode(secret + PREFIX_LEN, len - PREFIX_LEN, decoded, LH_SECRET_MAX,
                       decoded_len) != LH_OK)
    return lh_error_set(err, LH_E_SECRET_INVALID,
                        "secret: what follows whsec_ is not base64 of at most %d bytes",
                        LH_SECRET_MAX);
  return LH_OK;
}

int lh_signature_key_new(enum lh_scheme scheme, const char *secret, size_t secret_len,
                         struct lh_hmac_key **key, struct lh_error *err) {
  assert(scheme == LH_SCHEME_ZINRELO || scheme == LH_SCHEME_STANDARD);
  *key = NULL;
  if (secret_len == 0) return lh_error_set(err, LH_E_SECRET_INVALID, "secret: is empty");
  if (scheme == LH_SCHEME_ZINRELO) return lh_hmac_key_new(LH_SHA512, secret, secret_len, key, err);
  unsigned char decoded[LH_SECRET_MAX];
  size_t len = 0;
  int code = decode_standard(secret, secret_len, decoded, &len, err);
  if (code == LH_OK) code = lh_hmac_key_new(LH_SHA256, decoded, len, key, err);
  lh_wipe(decoded, sizeof decoded);
  return code;
}

int lh_secret_check(enum lh_scheme scheme, const char *secret, size_t len, struct lh_error *err) {
  if (len < LH_SECRET_MIN || len > LH_SECRET_MAX)
    return lh_error_set(err, LH_E_SECRET_INVALID, "secret: is not %d to %d bytes long",
                        LH_SECRET_MIN, LH_SECRET_MAX);
  if (lh_utf8_check(secret, len) != len)
    return lh_error_set(err, LH_E_SECRET_INVALID, "secret: is not valid UTF-8");
  if (scheme == LH_SCHEME_ZINRELO) return LH_OK;
  unsigned char decoded[LH_SECRET_MAX];
  size_t decoded_len = 0;
  int code = decode_standard(secret, len, decoded, &decoded_len, err);
  lh_wipe(decoded, sizeof decoded);
  if (code == LH_OK && decoded_len < LH_SECRET_MIN)
    return lh_error_set(err, LH_E_SECRET_INVALID, "secret: decodes to fewer than %d bytes",
                        LH_SECRET_MIN);
  return code;
}

void lh_secret_from_random(const unsigned char random[32], char out[LH_SECRET_GENERATED_LEN + 1]) {
  memcpy(out, prefix, PREFIX_LEN);
  lh_base64_encode(random, 32, out + PREFIX_LEN);
}
