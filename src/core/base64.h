/*
** Base64 (RFC 4648 §4), strict: padded, no white space, unused bits zero, so
** that one value has one text.
*/
#ifndef LH_CORE_BASE64_H
#define LH_CORE_BASE64_H

#include <stddef.h>

#define LH_BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Writes LH_BASE64_LEN(len) characters and a NUL. */
void lh_base64_encode(const unsigned char *at, size_t len, char *out);
/* 0 and *out_len, or LH_E_INVALID: not strict base64, or of more than `cap` bytes. */
int lh_base64_decode(const char *text, size_t len, unsigned char *out, size_t cap, size_t *out_len);

#endif
