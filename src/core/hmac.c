/*
** HMAC on mbedTLS's plain SHA-2. The generic MD layer would allocate contexts
** for every message; here a message costs two copies of prepared states.
*/
#include "core/hmac.h"

#include <assert.h>
#include <mbedtls/constant_time.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>
#include <mbedtls/version.h>
#include <stdlib.h>
#include <string.h>

#include "core/seal.h"

/* mbedTLS 2 has the versions that can fail under other names. */
#if MBEDTLS_VERSION_NUMBER < 0x03000000
#define mbedtls_sha256_starts mbedtls_sha256_starts_ret
#define mbedtls_sha256_update mbedtls_sha256_update_ret
#define mbedtls_sha256_finish mbedtls_sha256_finish_ret
#define mbedtls_sha512_starts mbedtls_sha512_starts_ret
#define mbedtls_sha512_update mbedtls_sha512_update_ret
#define mbedtls_sha512_finish mbedtls_sha512_finish_ret
#endif

#define SHA256_BLOCK 64
#define SHA256_TAG 32
#define SHA512_BLOCK 128
#define SHA512_TAG 64
#define BLOCK_MAX SHA512_BLOCK
#define INNER_PAD 0x36
#define OUTER_PAD 0x5C

/* A hash under way, of either kind. */
struct hash_state {
  enum lh_hash hash;
  union {
    mbedtls_sha256_context sha256;
    mbedtls_sha512_context sha512;
  } as;
};

struct lh_hmac_key {
  struct hash_state inner; /* has taken the key's inner block */
  struct hash_state outer; /* has taken the outer one */
};

static size_t block_size(enum lh_hash hash) {
  return hash == LH_SHA512 ? SHA512_BLOCK : SHA256_BLOCK;
}

static size_t tag_size(enum lh_hash hash) {
  return hash == LH_SHA512 ? SHA512_TAG : SHA256_TAG;
}

/* Each returns 0, or an mbedTLS error (a hardware accelerator may have one). */
static int hash_start(struct hash_state *state, enum lh_hash hash) {
  state->hash = hash;
  if (hash == LH_SHA512) {
    mbedtls_sha512_init(&state->as.sha512);
    return mbedtls_sha512_starts(&state->as.sha512, 0);
  }
  mbedtls_sha256_init(&state->as.sha256);
  return mbedtls_sha256_starts(&state->as.sha256, 0);
}

static void hash_clone(struct hash_state *state, const struct hash_state *from) {
  state->hash = from->hash;
  if (from->hash == LH_SHA512) {
    mbedtls_sha512_init(&state->as.sha512);
    mbedtls_sha512_clone(&state->as.sha512, &from->as.sha512);
  } else {
    mbedtls_sha256_init(&state->as.sha256);
    mbedtls_sha256_clone(&state->as.sha256, &from->as.sha256);
  }
}

static int hash_add(struct hash_state *state, const void *at, size_t len) {
  if (len == 0) return 0;
  return state->hash == LH_SHA512 ? mbedtls_sha512_update(&state->as.sha512, at, len)
                                  : mbedtls_sha256_update(&state->as.sha256, at, len);
}

static int hash_finish(struct hash_state *state, unsigned char out[LH_HMAC_MAX]) {
  return state->hash == LH_SHA512 ? mbedtls_sha512_finish(&state->as.sha512, out)
                                  : mbedtls_sha256_finish(&state->as.sha256, out);
}

/* Also wipes. */
static void hash_free(struct hash_state *state) {
  if (state->hash == LH_SHA512)
    mbedtls_sha512_free(&state->as.sha512);
  else
    mbedtls_sha256_free(&state->as.sha256);
}

/* The secret as one block: hashed if it is longer, filled up with zeros. */
static int make_block(enum lh_hash hash, const void *secret, size_t len,
                      unsigned char block[BLOCK_MAX]) {
  memset(block, 0, BLOCK_MAX);
  if (len <= block_size(hash)) {
    memcpy(block, secret, len);
    return 0;
  }
  struct hash_state state;
  int failed = hash_start(&state, hash);
  if (!failed) failed = hash_add(&state, secret, len);
  if (!failed) failed = hash_finish(&state, block);
  hash_free(&state);
  return failed;
}

static int start_padded(struct hash_state *state, enum lh_hash hash,
                        const unsigned char block[BLOCK_MAX], unsigned char pad) {
  unsigned char padded[BLOCK_MAX];
  for (size_t i = 0; i < BLOCK_MAX; i++) padded[i] = block[i] ^ pad;
  int failed = hash_start(state, hash);
  if (!failed) failed = hash_add(state, padded, block_size(hash));
  lh_wipe(padded, sizeof padded);
  return failed;
}

int lh_hmac_key_new(enum lh_hash hash, const void *secret, size_t secret_len,
                    struct lh_hmac_key **key, struct lh_error *err) {
  assert(hash == LH_SHA256 || hash == LH_SHA512);
  *key = NULL;
  if (secret_len == 0) return lh_error_set(err, LH_E_SECRET_INVALID, "secret: is empty");
  struct lh_hmac_key *made = calloc(1, sizeof *made);
  if (made == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  made->inner.hash = made->outer.hash = hash; /* so that freeing is right at any point */
  unsigned char block[BLOCK_MAX];
  int failed = make_block(hash, secret, secret_len, block);
  if (!failed) failed = start_padded(&made->inner, hash, block, INNER_PAD);
  if (!failed) failed = start_padded(&made->outer, hash, block, OUTER_PAD);
  lh_wipe(block, sizeof block);
  if (failed) {
    lh_hmac_key_free(made);
    return lh_error_set(err, LH_E_MEMORY, "secret: the hash gives no answer (%d)", failed);
  }
  *key = made;
  return LH_OK;
}

void lh_hmac_key_free(struct lh_hmac_key *key) {
  if (key == NULL) return;
  hash_free(&key->inner);
  hash_free(&key->outer);
  lh_wipe(key, sizeof *key);
  free(key);
}

enum lh_hash lh_hmac_key_hash(const struct lh_hmac_key *key) {
  return key->inner.hash;
}

size_t lh_hmac_tag(const struct lh_hmac_key *key, const struct lh_piece *pieces, size_t count,
                   unsigned char out[LH_HMAC_MAX]) {
  size_t len = tag_size(key->inner.hash);
  struct hash_state state;
  hash_clone(&state, &key->inner);
  int failed = 0;
  for (size_t i = 0; i < count && !failed; i++)
    failed = hash_add(&state, pieces[i].at, pieces[i].len);
  if (!failed) failed = hash_finish(&state, out);
  hash_free(&state);
  if (failed) return 0;
  hash_clone(&state, &key->outer);
  failed = hash_add(&state, out, len);
  if (!failed) failed = hash_finish(&state, out);
  hash_free(&state);
  return failed ? 0 : len;
}

int lh_hmac_equal(const void *a, const void *b, size_t len) {
  return mbedtls_ct_memcmp(a, b, len) == 0;
}
