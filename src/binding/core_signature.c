/*
** Signing. Verification is in core_verify.c.
**
**   core.hmac("sha512"|"sha256", key, message) -> lower-case hex
**   core.sign{ scheme = "zinrelo", secret =, body =, nonce = } -> 128 hex digits
**   core.sign{ scheme = "standard", secret =, body =, id =, timestamp = } -> "v1,…"
**
** nonce and timestamp are strings of digits or whole numbers. All answer
** nil, message, code for a key or value that the scheme refuses.
*/
#include "binding/binding.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TIMESTAMP_DIGITS_MAX 12 /* seconds; enough for 30,000 years */

static int hmac(lua_State *L) {
  static const char *const names[] = {"sha256", "sha512", NULL};
  static const enum lh_hash hashes[] = {LH_SHA256, LH_SHA512};
  enum lh_hash hash = hashes[luaL_checkoption(L, 1, NULL, names)];
  size_t key_len, message_len;
  const char *key_bytes = lh_arg_string(L, 2, &key_len);
  const char *message = lh_arg_string(L, 3, &message_len);
  struct lh_hmac_key *key;
  struct lh_error err;
  if (lh_hmac_key_new(hash, key_bytes, key_len, &key, &err)) return lh_push_error(L, &err);
  unsigned char tag[LH_HMAC_MAX];
  size_t len = lh_hmac_tag(key, &(struct lh_piece){message, message_len}, 1, tag);
  lh_hmac_key_free(key);
  if (len == 0) return lh_push_failure(L, LH_E_MEMORY, "hmac: out of memory");
  char hex[2 * LH_HMAC_MAX];
  for (size_t i = 0; i < len; i++) {
    hex[2 * i] = "0123456789abcdef"[tag[i] >> 4];
    hex[2 * i + 1] = "0123456789abcdef"[tag[i] & 15];
  }
  lua_pushlstring(L, hex, 2 * len);
  return 1;
}

/* A field of digits, as a string or a number, made into a C string of at most 20 characters. */
static int field_digits(lua_State *L, const char *field, char out[21], struct lh_error *err) {
  int64_t number;
  size_t len;
  int type = lh_field_push(L, 1, field);
  if (type == LUA_TNUMBER) {
    if (lh_compat_number(L, -1, &number) && number >= 0) {
      snprintf(out, 21, "%" PRId64, number);
      return 0;
    }
  } else if (type == LUA_TSTRING) {
    const char *text = lua_tolstring(L, -1, &len);
    if (len > 0 && len <= 20 && strspn(text, "0123456789") == len) {
      memcpy(out, text, len + 1);
      return 0;
    }
  } else {
    lh_arg_type_error(L, 1, field, "string or number", -1);
  }
  return lh_error_set(err, LH_E_NONCE_MALFORMED, "%s: not 1 to 20 digits", field);
}

/* Everything of core.sign's table but the secret and the body. */
struct stamp {
  enum lh_scheme scheme;
  char digits[21];
  const char *id;
  int64_t timestamp_s;
};

static int read_stamp(lua_State *L, struct stamp *stamp, struct lh_error *err) {
  if (lh_field_scheme(L, 1, &stamp->scheme, err)) return err->code;
  if (stamp->scheme == LH_SCHEME_ZINRELO) return field_digits(L, "nonce", stamp->digits, err);
  int found = lh_field_name(L, 1, "id", &stamp->id, err);
  if (found < 0) return err->code;
  if (!found) lh_arg_type_error(L, 1, "id", "string", -1);
  if (field_digits(L, "timestamp", stamp->digits, err)) return err->code;
  if (strlen(stamp->digits) > TIMESTAMP_DIGITS_MAX) {
    return lh_error_set(err, LH_E_NONCE_MALFORMED, "timestamp: not seconds (more than %d digits)",
                        TIMESTAMP_DIGITS_MAX);
  }
  for (const char *at = stamp->digits; *at; at++) {
    stamp->timestamp_s = 10 * stamp->timestamp_s + (*at - '0');
  }
  return 0;
}

static int sign(lua_State *L) {
  struct stamp stamp = {0};
  struct lh_error err;
  size_t secret_len, body_len;
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *secret = lh_field_text(L, 1, "secret", &secret_len);
  const char *body = lh_field_text(L, 1, "body", &body_len);
  if (read_stamp(L, &stamp, &err)) return lh_push_error(L, &err);

  struct lh_hmac_key *key;
  char value[LH_ZINRELO_SIGNATURE_LEN + 1];
  if (lh_signature_key_new(stamp.scheme, secret, secret_len, &key, &err)) {
    return lh_push_error(L, &err);
  }
  const struct lh_piece piece = {body, body_len};
  int code =
      stamp.scheme == LH_SCHEME_ZINRELO
          ? lh_signature_sign_zinrelo(key, body, body_len, stamp.digits, value, &err)
          : lh_signature_sign_standard(key, stamp.id, stamp.timestamp_s, &piece, value, &err);
  lh_hmac_key_free(key);
  if (code) return lh_push_error(L, &err);
  lua_pushstring(L, value);
  return 1;
}

void lh_bind_signature(lua_State *L) {
  static const luaL_Reg functions[] = {{"hmac", hmac}, {"sign", sign}, {NULL, NULL}};
  lh_set_functions(L, functions);
}
