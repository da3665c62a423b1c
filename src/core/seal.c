/* Sealing secrets for storage. Keys and random bytes come from the caller; nothing is kept. */
#include "core/seal.h"

#include <mbedtls/gcm.h>
#include <mbedtls/platform_util.h>
#include <string.h>

#define VERSION 1
#define TAG_BYTES 16

void lh_wipe(void *at, size_t len) {
  if (len > 0) mbedtls_platform_zeroize(at, len);
}

/*
** mbedTLS fills its AES tables and asks for the processor's abilities at first
** use, unguarded. Loading is the one moment when no second thread can be here.
*/
__attribute__((constructor)) static void prepare_aes(void) {
  static const unsigned char key[LH_SEAL_KEY_BYTES];
  mbedtls_gcm_context gcm;
  mbedtls_gcm_init(&gcm);
  (void)mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 8 * LH_SEAL_KEY_BYTES);
  mbedtls_gcm_free(&gcm);
}

int lh_seal(const unsigned char key[LH_SEAL_KEY_BYTES],
            const unsigned char nonce[LH_SEAL_NONCE_BYTES], const void *bound_to, size_t bound_len,
            const void *plain, size_t len, unsigned char *out, struct lh_error *err) {
  unsigned char *text = out + 1 + LH_SEAL_NONCE_BYTES;
  mbedtls_gcm_context gcm;
  mbedtls_gcm_init(&gcm);
  int failed = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 8 * LH_SEAL_KEY_BYTES);
  if (!failed)
    failed = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, len, nonce, LH_SEAL_NONCE_BYTES,
                                       bound_to, bound_len, plain, text, TAG_BYTES, text + len);
  mbedtls_gcm_free(&gcm);
  if (failed) return lh_error_set(err, LH_E_MEMORY, "secret: AES-GCM gives no answer (%d)", failed);
  out[0] = VERSION;
  memcpy(out + 1, nonce, LH_SEAL_NONCE_BYTES);
  return LH_OK;
}

int lh_unseal(const unsigned char key[LH_SEAL_KEY_BYTES], const void *bound_to, size_t bound_len,
              const unsigned char *sealed, size_t len, unsigned char *out, size_t *out_len,
              struct lh_error *err) {
  if (len < LH_SEAL_OVERHEAD)
    return lh_error_set(err, LH_E_SECRET_UNREADABLE, "secret: the stored form is too short");
  if (sealed[0] != VERSION)
    return lh_error_set(err, LH_E_SECRET_UNREADABLE, "secret: stored form %d is not known",
                        sealed[0]);
  size_t plain_len = len - LH_SEAL_OVERHEAD;
  const unsigned char *nonce = sealed + 1;
  const unsigned char *text = nonce + LH_SEAL_NONCE_BYTES;
  mbedtls_gcm_context gcm;
  mbedtls_gcm_init(&gcm);
  int failed = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 8 * LH_SEAL_KEY_BYTES);
  if (!failed)
    failed = mbedtls_gcm_auth_decrypt(&gcm, plain_len, nonce, LH_SEAL_NONCE_BYTES, bound_to,
                                      bound_len, text + plain_len, TAG_BYTES, text, out);
  mbedtls_gcm_free(&gcm);
  if (failed) {
    lh_wipe(out, plain_len);
    return lh_error_set(err, LH_E_SECRET_UNREADABLE,
                        "secret: does not decrypt with this key file (other key, or damaged)");
  }
  *out_len = plain_len;
  return LH_OK;
}
