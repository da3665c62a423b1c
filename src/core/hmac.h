/*
** HMAC-SHA512 and HMAC-SHA256 (RFC 2104, FIPS 198-1) over mbedTLS 2.28 and
** 3.6, with the key's inner and outer states prepared once per secret.
** Stateless towards threads: a prepared key is read-only while signing.
*/
#ifndef LH_CORE_HMAC_H
#define LH_CORE_HMAC_H

#include <stddef.h>

#include "core/error.h"

enum lh_hash { LH_SHA256, LH_SHA512 };

#define LH_HMAC_MAX 64 /* bytes of the longest tag (SHA-512) */

/* A secret made ready to sign with. Opaque; made by _new, wiped by _free. */
struct lh_hmac_key;

/* One piece of a message that is signed without being joined first. */
struct lh_piece {
  const void *at;
  size_t len;
};

/* Codes: LH_E_SECRET_INVALID (empty), LH_E_MEMORY. *key is yours to free. */
int lh_hmac_key_new(enum lh_hash hash, const void *secret, size_t secret_len,
                    struct lh_hmac_key **key, struct lh_error *err);
/* Wipes the states. Accepts NULL. */
void lh_hmac_key_free(struct lh_hmac_key *key);
enum lh_hash lh_hmac_key_hash(const struct lh_hmac_key *key);
/*
** Tag of the concatenation of `count` pieces into out (32 or 64 bytes).
** Returns its length; 0 if mbedTLS refuses.
*/
size_t lh_hmac_tag(const struct lh_hmac_key *key, const struct lh_piece *pieces, size_t count,
                   unsigned char out[LH_HMAC_MAX]);
/* 1 if equal, in time that depends on len only. */
int lh_hmac_equal(const void *a, const void *b, size_t len);

#endif
