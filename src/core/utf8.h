/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef LH_CORE_UTF8_H
#define LH_CORE_UTF8_H

#include <stddef.h>

/* Offset of the first byte that is not part of valid UTF-8, or `len` if all is valid. */
size_t lh_utf8_check(const void *text, size_t len);

/* Length (1 to 4) of the one character at `at`, or 0 if there is no valid one; at < end. */
size_t lh_utf8_character(const unsigned char *at, const unsigned char *end);

#endif
