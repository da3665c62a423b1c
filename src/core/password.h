/*
** Passwords as they are stored: PBKDF2-HMAC-SHA512 (RFC 8018) with a salt each
** and the number of iterations beside the hash, so that it can be raised.
** PBKDF2 is a loop over core/hmac.h, whose keys are prepared once: a little
** faster than mbedTLS's own, and without its names, which differ by version.
*/
#ifndef LH_CORE_PASSWORD_H
#define LH_CORE_PASSWORD_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

#define LH_PASSWORD_SALT_BYTES 16
#define LH_PASSWORD_HASH_BYTES 64
/* version(1) ‖ iterations(4, big endian) ‖ salt ‖ hash */
#define LH_PASSWORD_STORED_BYTES (5 + LH_PASSWORD_SALT_BYTES + LH_PASSWORD_HASH_BYTES)

/*
** Rule for new passwords: LH_PASSWORD_MIN..LH_PASSWORD_MAX bytes of UTF-8
** without control characters, and not the user's name. LH_E_INVALID.
*/
int lh_password_rule(const char *user, const char *password, size_t len, struct lh_error *err);
/* PBKDF2-HMAC-SHA512 with an output of one block. iterations >= 1. 0 or LH_E_MEMORY. */
int lh_password_derive(const char *password, size_t len,
                       const unsigned char salt[LH_PASSWORD_SALT_BYTES], int32_t iterations,
                       unsigned char out[LH_PASSWORD_HASH_BYTES], struct lh_error *err);
/* What is stored. 0 or LH_E_MEMORY. */
int lh_password_store(const char *password, size_t len,
                      const unsigned char salt[LH_PASSWORD_SALT_BYTES], int32_t iterations,
                      unsigned char out[LH_PASSWORD_STORED_BYTES], struct lh_error *err);
/*
** *good 1 if it is the password, in time that does not depend on how much of it is right. 0,
** LH_E_STORE_DAMAGED (not what lh_password_store makes), LH_E_MEMORY.
*/
int lh_password_check(const unsigned char *stored, size_t stored_len, const char *password,
                      size_t len, int *good, struct lh_error *err);
/* The iterations of a stored one; 0 if it is none. */
int32_t lh_password_iterations(const unsigned char *stored, size_t stored_len);

#endif
