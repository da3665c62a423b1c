/*
** Secrets that this program makes and somebody brings back: API tokens, the
** cookies of signed-in browsers, first-run tokens. Each is a word for its kind
** and 32 random bytes in hex; only its hash is stored. A fast hash is enough
** for what nobody can guess; passwords are password.h's.
*/
#ifndef LH_CORE_TOKEN_H
#define LH_CORE_TOKEN_H

#include <stddef.h>

#include "core/error.h"

enum lh_token_kind {
  LH_TOKEN_API,      /* lhk_… */
  LH_TOKEN_LOGIN,    /* lhl_… */
  LH_TOKEN_FIRST_RUN /* lhf_… */
};

#define LH_TOKEN_RANDOM_BYTES 32
#define LH_TOKEN_LEN 68 /* "lhk_" and 64 hex digits */
#define LH_TOKEN_HASH_BYTES 32

/* Writes a new token with its NUL. */
void lh_token_from_random(enum lh_token_kind kind,
                          const unsigned char random[LH_TOKEN_RANDOM_BYTES],
                          char out[LH_TOKEN_LEN + 1]);
/*
** SHA-256 of the text, if it has the form of this kind. 0; LH_E_DENIED if it
** has not (one of another kind, or cut short); LH_E_MEMORY.
*/
int lh_token_hash(enum lh_token_kind kind, const char *text, size_t len,
                  unsigned char out[LH_TOKEN_HASH_BYTES], struct lh_error *err);
/*
** What a page must bring back beside the login's cookie, which it cannot read:
** made from the login, so that it is stored nowhere. 0 or LH_E_MEMORY.
*/
#define LH_CSRF_LEN 64
int lh_token_csrf(const char login[LH_TOKEN_LEN], char out[LH_CSRF_LEN + 1], struct lh_error *err);
/* SHA-256 of a label, a ':' and a text, for what is looked up but not to be read. */
int lh_token_mask(const char *label, const char *text, size_t len,
                  unsigned char out[LH_TOKEN_HASH_BYTES], struct lh_error *err);

#endif
