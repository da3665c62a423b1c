/*
** Signing and verifying in the two schemes of wire-format.md. How secrets and
** signatures are written as text is in secret.c.
*/
#include "core/signature.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base64.h"
#include "core/limits.h"

#define ZINRELO_DIGITS_MAX 20  /* of a nonce to sign with */
#define STANDARD_DIGITS_MAX 12 /* of a webhook-timestamp */
#define STANDARD_ENTRIES_MAX LH_SECRETS_MAX
static const char standard_prefix[] = "v1,";
#define STANDARD_PREFIX_LEN (sizeof standard_prefix - 1)

const char *lh_scheme_name(enum lh_scheme scheme) {
  assert(scheme == LH_SCHEME_ZINRELO || scheme == LH_SCHEME_STANDARD);
  return scheme == LH_SCHEME_ZINRELO ? "zinrelo" : "standard";
}

int lh_scheme_parse(const char *name, enum lh_scheme *scheme) {
  if (strcmp(name, "zinrelo") == 0)
    *scheme = LH_SCHEME_ZINRELO;
  else if (strcmp(name, "standard") == 0)
    *scheme = LH_SCHEME_STANDARD;
  else
    return LH_E_INVALID;
  return LH_OK;
}

static int all_digits(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (text[i] < '0' || text[i] > '9') return 0;
  return len > 0;
}

static size_t tag_zinrelo(const struct lh_hmac_key *key, const void *body, size_t body_len,
                          const char *nonce, size_t nonce_len, unsigned char tag[LH_HMAC_MAX]) {
  const struct lh_piece pieces[] = {{body, body_len}, {":", 1}, {nonce, nonce_len}};
  return lh_hmac_tag(key, pieces, 3, tag);
}

static size_t tag_standard(const struct lh_hmac_key *key, struct lh_value id,
                           struct lh_value timestamp, const struct lh_piece *body,
                           unsigned char tag[LH_HMAC_MAX]) {
  const struct lh_piece pieces[] = {
      {id.at, id.len}, {".", 1}, {timestamp.at, timestamp.len}, {".", 1}, *body};
  return lh_hmac_tag(key, pieces, 5, tag);
}

int lh_signature_tag_zinrelo(const struct lh_hmac_key *key, const void *body, size_t body_len,
                             const char *nonce, unsigned char tag[LH_ZINRELO_TAG],
                             struct lh_error *err) {
  assert(lh_hmac_key_hash(key) == LH_SHA512);
  size_t nonce_len = strnlen(nonce, ZINRELO_DIGITS_MAX + 1);
  if (nonce_len > ZINRELO_DIGITS_MAX || !all_digits(nonce, nonce_len))
    return lh_error_set(err, LH_E_NONCE_MALFORMED, "nonce: is not 1 to %d digits",
                        ZINRELO_DIGITS_MAX);
  unsigned char full[LH_HMAC_MAX];
  if (tag_zinrelo(key, body, body_len, nonce, nonce_len, full) != LH_ZINRELO_TAG)
    return lh_error_set(err, LH_E_MEMORY, "signature: the hash gives no answer");
  memcpy(tag, full, LH_ZINRELO_TAG);
  return LH_OK;
}

void lh_signature_text_zinrelo(const unsigned char tag[LH_ZINRELO_TAG],
                               char out[LH_ZINRELO_SIGNATURE_LEN + 1]) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < LH_ZINRELO_TAG; i++) {
    out[2 * i] = digits[tag[i] >> 4];
    out[2 * i + 1] = digits[tag[i] & 15];
  }
  out[LH_ZINRELO_SIGNATURE_LEN] = '\0';
}

int lh_signature_sign_zinrelo(const struct lh_hmac_key *key, const void *body, size_t body_len,
                              const char *nonce, char out[LH_ZINRELO_SIGNATURE_LEN + 1],
                              struct lh_error *err) {
  unsigned char tag[LH_ZINRELO_TAG] = {0};
  int code = lh_signature_tag_zinrelo(key, body, body_len, nonce, tag, err);
  if (code == LH_OK) lh_signature_text_zinrelo(tag, out);
  return code;
}

int lh_signature_tag_standard(const struct lh_hmac_key *key, const char *id, int64_t timestamp_s,
                              const struct lh_piece *body, unsigned char tag[LH_STANDARD_TAG],
                              struct lh_error *err) {
  assert(lh_hmac_key_hash(key) == LH_SHA256);
  if (id[0] == '\0' || strchr(id, '.') != NULL)
    return lh_error_set(err, LH_E_INVALID, "webhook-id: is empty or contains a dot");
  if (timestamp_s < 0 || timestamp_s > INT64_C(999999999999))
    return lh_error_set(err, LH_E_NONCE_MALFORMED, "webhook-timestamp: is not 1 to %d digits",
                        STANDARD_DIGITS_MAX);
  char timestamp[STANDARD_DIGITS_MAX + 1];
  int timestamp_len = snprintf(timestamp, sizeof timestamp, "%" PRId64, timestamp_s);
  unsigned char full[LH_HMAC_MAX];
  if (tag_standard(key, (struct lh_value){id, strlen(id)},
                   (struct lh_value){timestamp, (size_t)timestamp_len}, body,
                   full) != LH_STANDARD_TAG)
    return lh_error_set(err, LH_E_MEMORY, "signature: the hash gives no answer");
  memcpy(tag, full, LH_STANDARD_TAG);
  return LH_OK;
}

void lh_signature_text_standard(const unsigned char tag[LH_STANDARD_TAG],
                                char out[LH_STANDARD_SIGNATURE_LEN + 1]) {
  memcpy(out, standard_prefix, STANDARD_PREFIX_LEN);
  lh_base64_encode(tag, LH_STANDARD_TAG, out + STANDARD_PREFIX_LEN);
}

int lh_signature_sign_standard(const struct lh_hmac_key *key, const char *id, int64_t timestamp_s,
                               const struct lh_piece *body, char out[LH_STANDARD_SIGNATURE_LEN + 1],
                               struct lh_error *err) {
  unsigned char tag[LH_STANDARD_TAG] = {0};
  int code = lh_signature_tag_standard(key, id, timestamp_s, body, tag, err);
  if (code == LH_OK) lh_signature_text_standard(tag, out);
  return code;
}

/* Value of a lower-case hex digit, or -1. */
static int digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static int parse_hex_tag(struct lh_value text, unsigned char tag[LH_ZINRELO_TAG]) {
  if (text.len != LH_ZINRELO_SIGNATURE_LEN) return 0;
  for (size_t i = 0; i < LH_ZINRELO_TAG; i++) {
    int high = digit_value(text.at[2 * i]);
    int low = digit_value(text.at[2 * i + 1]);
    if (high < 0 || low < 0) return 0;
    tag[i] = (unsigned char)(high << 4 | low);
  }
  return 1;
}

/* 1: a key fits, 0: none, -1: the hash gives no answer. Tries all, so that time tells nothing. */
static int match_zinrelo(const struct lh_verify *verify, const unsigned char given[LH_ZINRELO_TAG],
                         struct lh_hmac_key *const *keys, size_t count) {
  int matches = 0;
  for (size_t i = 0; i < count; i++) {
    unsigned char tag[LH_HMAC_MAX];
    assert(lh_hmac_key_hash(keys[i]) == LH_SHA512);
    if (tag_zinrelo(keys[i], verify->body, verify->body_len, verify->nonce.at, verify->nonce.len,
                    tag) != LH_ZINRELO_TAG)
      return -1;
    matches |= lh_hmac_equal(tag, given, LH_ZINRELO_TAG);
  }
  return matches;
}

/*
** Reads "v1,<base64> v1,<base64> …". Entries of other versions, and broken
** ones beside good ones, are passed over. Returns how many tags were read.
*/
static size_t parse_standard(struct lh_value text, unsigned char tags[][LH_STANDARD_TAG]) {
  size_t count = 0;
  const char *end = text.at + text.len;
  for (const char *at = text.at; at < end && count < STANDARD_ENTRIES_MAX;) {
    const char *space = memchr(at, ' ', (size_t)(end - at));
    size_t len = (size_t)((space == NULL ? end : space) - at);
    size_t tag_len = 0;
    if (len == LH_STANDARD_SIGNATURE_LEN && memcmp(at, standard_prefix, STANDARD_PREFIX_LEN) == 0 &&
        lh_base64_decode(at + STANDARD_PREFIX_LEN, len - STANDARD_PREFIX_LEN, tags[count],
                         LH_STANDARD_TAG, &tag_len) == LH_OK &&
        tag_len == LH_STANDARD_TAG)
      count++;
    at += len + 1;
  }
  return count;
}

static int match_standard(const struct lh_verify *verify, unsigned char given[][LH_STANDARD_TAG],
                          size_t given_count, struct lh_hmac_key *const *keys, size_t count) {
  const struct lh_piece body = {verify->body, verify->body_len};
  int matches = 0;
  for (size_t i = 0; i < count; i++) {
    unsigned char tag[LH_HMAC_MAX];
    assert(lh_hmac_key_hash(keys[i]) == LH_SHA256);
    if (tag_standard(keys[i], verify->id, verify->nonce, &body, tag) != LH_STANDARD_TAG) return -1;
    for (size_t k = 0; k < given_count; k++)
      matches |= lh_hmac_equal(tag, given[k], LH_STANDARD_TAG);
  }
  return matches;
}

static int check_match(int matches, struct lh_error *err) {
  if (matches > 0) return LH_OK;
  if (matches < 0) return lh_error_set(err, LH_E_MEMORY, "signature: the hash gives no answer");
  return lh_error_set(err, LH_E_SIGNATURE_MISMATCH,
                      "signature: no secret gives this signature for this body and nonce");
}

static int check_age(const struct lh_verify *verify, int64_t sent_ms, struct lh_error *err) {
  if (verify->tolerance_ms < 0) return LH_OK;
  int64_t now_ms = verify->now_ms < 0 ? 0 : verify->now_ms;
  int64_t age_ms = now_ms - sent_ms;
  if (age_ms > verify->tolerance_ms)
    return lh_error_set(err, LH_E_TOO_OLD,
                        "nonce: is %" PRId64 " s old, more than the tolerance of %" PRId64 " s",
                        age_ms / 1000, verify->tolerance_ms / 1000);
  if (-age_ms > verify->tolerance_ms)
    return lh_error_set(err, LH_E_TOO_NEW,
                        "nonce: is %" PRId64 " s in the future, more than the tolerance of %" PRId64
                        " s",
                        -age_ms / 1000, verify->tolerance_ms / 1000);
  return LH_OK;
}

static int64_t digits_value(struct lh_value digits) {
  int64_t value = 0;
  for (size_t i = 0; i < digits.len; i++) value = value * 10 + (digits.at[i] - '0');
  return value;
}

static int verify_zinrelo(const struct lh_verify *verify, struct lh_hmac_key *const *keys,
                          size_t count, struct lh_error *err) {
  if (verify->nonce.at == NULL)
    return lh_error_set(err, LH_E_HEADER_MISSING, "nonce: the header is missing");
  if (verify->signature.at == NULL)
    return lh_error_set(err, LH_E_HEADER_MISSING, "x-zinrelo-signature: the header is missing");
  /* Anything but digits would let a body be cut at one of its own colons and still verify. */
  if (verify->nonce.len != LH_NONCE_LEN || !all_digits(verify->nonce.at, LH_NONCE_LEN))
    return lh_error_set(err, LH_E_NONCE_MALFORMED, "nonce: is not exactly %d digits", LH_NONCE_LEN);
  unsigned char given[LH_ZINRELO_TAG];
  if (!parse_hex_tag(verify->signature, given))
    return lh_error_set(err, LH_E_SIGNATURE_MALFORMED,
                        "x-zinrelo-signature: is not %d lower-case hex digits",
                        LH_ZINRELO_SIGNATURE_LEN);
  int code = check_match(match_zinrelo(verify, given, keys, count), err);
  return code == LH_OK ? check_age(verify, digits_value(verify->nonce), err) : code;
}

static int verify_standard(const struct lh_verify *verify, struct lh_hmac_key *const *keys,
                           size_t count, struct lh_error *err) {
  if (verify->id.at == NULL || verify->id.len == 0)
    return lh_error_set(err, LH_E_HEADER_MISSING, "webhook-id: the header is missing or empty");
  if (verify->nonce.at == NULL)
    return lh_error_set(err, LH_E_HEADER_MISSING, "webhook-timestamp: the header is missing");
  if (verify->signature.at == NULL)
    return lh_error_set(err, LH_E_HEADER_MISSING, "webhook-signature: the header is missing");
  if (verify->nonce.len > STANDARD_DIGITS_MAX || !all_digits(verify->nonce.at, verify->nonce.len))
    return lh_error_set(err, LH_E_NONCE_MALFORMED, "webhook-timestamp: is not 1 to %d digits",
                        STANDARD_DIGITS_MAX);
  /* A dot in the id would let id, timestamp and body be cut at other places. */
  if (memchr(verify->id.at, '.', verify->id.len) != NULL)
    return lh_error_set(err, LH_E_SIGNATURE_MALFORMED, "webhook-id: contains a dot");
  unsigned char given[STANDARD_ENTRIES_MAX][LH_STANDARD_TAG];
  size_t given_count = parse_standard(verify->signature, given);
  if (given_count == 0)
    return lh_error_set(err, LH_E_SIGNATURE_MALFORMED,
                        "webhook-signature: has no v1,<base64> of %d bytes", LH_STANDARD_TAG);
  int code = check_match(match_standard(verify, given, given_count, keys, count), err);
  return code == LH_OK ? check_age(verify, digits_value(verify->nonce) * 1000, err) : code;
}

int lh_signature_verify(const struct lh_verify *verify, struct lh_hmac_key *const *keys,
                        size_t count, struct lh_error *err) {
  assert(count <= LH_SECRETS_MAX);
  if (count == 0) return lh_error_set(err, LH_E_SECRET_INVALID, "secret: none is given");
  return verify->scheme == LH_SCHEME_ZINRELO ? verify_zinrelo(verify, keys, count, err)
                                             : verify_standard(verify, keys, count, err);
}
