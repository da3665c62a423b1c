/* The version of the cipher library; our own is a constant of the header. */
#include "core/version.h"

#include <mbedtls/version.h>
#include <string.h>

void lh_version_crypto(char out[16]) {
  memset(out, 0, 16);
#if defined(MBEDTLS_VERSION_C)
  mbedtls_version_get_string(out); /* documented to need at most 9 bytes */
#else
  memcpy(out, MBEDTLS_VERSION_STRING, sizeof MBEDTLS_VERSION_STRING);
#endif
}
