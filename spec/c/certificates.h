/* Certificates for tests of TLS, made by the openssl program in a temporary folder of this run. */
#ifndef LH_SPEC_CERTIFICATES_H
#define LH_SPEC_CERTIFICATES_H

#include <stddef.h>

/* Makes the folder. 0 or -1. */
int certificates_begin(void);
/*
** The same with what most tests of TLS need: "ca", an authority; "good", "wrong" (for another host)
** and "expired", signed by it; "self", which signed itself.
*/
int certificates_begin_usual(void);
/* Removes it with what is in it. 0 or -1. */
int certificates_end(void);
/* Path of a file in the folder: certificates_file(out, cap, "ca", ".pem"). */
void certificates_file(char *out, size_t out_cap, const char *name, const char *extension);
/* Runs a shell script with the folder as working directory; a failure fails the test. */
void certificates_run(const char *script);
/* NAME.pem and NAME.key, an authority that is also a certificate for 127.0.0.1. */
void certificates_authority(const char *name);
/* NAME.pem and NAME.key, for `names` (a subjectAltName), signed by the issuer. */
void certificates_make(const char *name, const char *issuer, const char *names, int days);

#endif
