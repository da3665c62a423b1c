/* What this is a version of, and what it was built with. */
#ifndef LH_CORE_VERSION_H
#define LH_CORE_VERSION_H

/* Raised with each release; the CHANGELOG has the same number. */
#define LH_VERSION "0.1.0"

/* "2.28.3": the mbedTLS that is loaded, which may be newer than its headers. out holds 16 bytes. */
void lh_version_crypto(char out[16]);

#endif
