/*
** The two signature schemes of wire-format.md: what headers a body gets, and
** whether headers fit a body. Pure: time is an argument, headers are values.
*/
#ifndef LH_CORE_SIGNATURE_H
#define LH_CORE_SIGNATURE_H

#include <stdint.h>

#include "core/hmac.h"

enum lh_scheme {
  LH_SCHEME_ZINRELO, /* x-zinrelo-signature: hex HMAC-SHA512(secret, body:nonce); nonce: ms */
  LH_SCHEME_STANDARD /* v1,base64 of HMAC-SHA256(decoded secret, id.timestamp.body) */
};

const char *lh_scheme_name(enum lh_scheme scheme);             /* "zinrelo", "standard" */
int lh_scheme_parse(const char *name, enum lh_scheme *scheme); /* 0, or LH_E_INVALID */

/*
** Prepares a secret for a scheme. zinrelo: the bytes as they are. standard:
** "whsec_" + base64, decoded; other forms are LH_E_SECRET_INVALID.
*/
int lh_signature_key_new(enum lh_scheme scheme, const char *secret, size_t secret_len,
                         struct lh_hmac_key **key, struct lh_error *err);

/*
** Rule for new secrets (create, rotate): LH_SECRET_MIN..LH_SECRET_MAX bytes of
** UTF-8, in the scheme's form; standard: LH_SECRET_MIN bytes also when decoded.
*/
int lh_secret_check(enum lh_scheme scheme, const char *secret, size_t len, struct lh_error *err);

#define LH_SECRET_GENERATED_LEN 50 /* "whsec_" + base64 of 32 bytes */
/* Writes a new secret from 32 random bytes; out gets LH_SECRET_GENERATED_LEN + NUL. */
void lh_secret_from_random(const unsigned char random[32], char out[LH_SECRET_GENERATED_LEN + 1]);

#define LH_ZINRELO_TAG 64                  /* bytes of a signature */
#define LH_STANDARD_TAG 32                 /* of one key's; during a rotation there are two */
#define LH_TAGS_MAX 64                     /* of an attempt: one, or two of the shorter ones */
#define LH_ZINRELO_SIGNATURE_LEN 128       /* hex digits */
#define LH_STANDARD_SIGNATURE_LEN (3 + 44) /* "v1," + base64 of 32 bytes */

/* zinrelo: nonce is any run of 1 to 20 digits (the caller's choice). LH_E_NONCE_MALFORMED. */
int lh_signature_tag_zinrelo(const struct lh_hmac_key *key, const void *body, size_t body_len,
                             const char *nonce, unsigned char tag[LH_ZINRELO_TAG],
                             struct lh_error *err);
/* standard: id must not contain '.', timestamp is seconds. */
int lh_signature_tag_standard(const struct lh_hmac_key *key, const char *id, int64_t timestamp_s,
                              const struct lh_piece *body, unsigned char tag[LH_STANDARD_TAG],
                              struct lh_error *err);
/* How a tag is written: lower-case hex; "v1,<base64>". Both with a NUL. */
void lh_signature_text_zinrelo(const unsigned char tag[LH_ZINRELO_TAG],
                               char out[LH_ZINRELO_SIGNATURE_LEN + 1]);
void lh_signature_text_standard(const unsigned char tag[LH_STANDARD_TAG],
                                char out[LH_STANDARD_SIGNATURE_LEN + 1]);
/* Both steps at once, with the codes of the first. */
int lh_signature_sign_zinrelo(const struct lh_hmac_key *key, const void *body, size_t body_len,
                              const char *nonce, char out[LH_ZINRELO_SIGNATURE_LEN + 1],
                              struct lh_error *err);
int lh_signature_sign_standard(const struct lh_hmac_key *key, const char *id, int64_t timestamp_s,
                               const struct lh_piece *body, char out[LH_STANDARD_SIGNATURE_LEN + 1],
                               struct lh_error *err);

/* A header's value as it came, optional white space stripped by the caller; at == NULL: absent. */
struct lh_value {
  const char *at;
  size_t len;
};

struct lh_verify {
  enum lh_scheme scheme;
  struct lh_value nonce;     /* zinrelo: nonce; standard: webhook-timestamp */
  struct lh_value signature; /* x-zinrelo-signature; webhook-signature */
  struct lh_value id;        /* standard only: webhook-id */
  const void *body;
  size_t body_len;
  int64_t now_ms;
  int64_t tolerance_ms; /* both directions; negative: age is not checked */
};

/*
** 0 if one of `count` keys (all of the scheme's hash, 1..LH_SECRETS_MAX) fits.
** Order of checks: headers present and well formed, MAC (every key is tried,
** in constant time), age. An upper-case hex signature is refused.
** Codes: LH_E_HEADER_MISSING, LH_E_NONCE_MALFORMED, LH_E_SIGNATURE_MALFORMED,
** LH_E_SIGNATURE_MISMATCH, LH_E_TOO_OLD, LH_E_TOO_NEW, LH_E_SECRET_INVALID (count is 0).
*/
int lh_signature_verify(const struct lh_verify *verify, struct lh_hmac_key *const *keys,
                        size_t count, struct lh_error *err);

#endif
