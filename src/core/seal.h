/*
** AES-256-GCM for secrets at rest (design §3.15): a sealed blob is
** version(1) ‖ nonce(12) ‖ ciphertext ‖ tag(16), bound to its row by `bound_to`.
*/
#ifndef LH_CORE_SEAL_H
#define LH_CORE_SEAL_H

#include <stddef.h>

#include "core/error.h"

#define LH_SEAL_KEY_BYTES 32
#define LH_SEAL_NONCE_BYTES 12
#define LH_SEAL_OVERHEAD (1 + LH_SEAL_NONCE_BYTES + 16)

/*
** out must hold len + LH_SEAL_OVERHEAD bytes. nonce: random, never used twice
** with a key. 0 or LH_E_MEMORY.
*/
int lh_seal(const unsigned char key[LH_SEAL_KEY_BYTES],
            const unsigned char nonce[LH_SEAL_NONCE_BYTES], const void *bound_to, size_t bound_len,
            const void *plain, size_t len, unsigned char *out, struct lh_error *err);
/* out must hold len - LH_SEAL_OVERHEAD bytes; *out_len is set. 0 or LH_E_SECRET_UNREADABLE. */
int lh_unseal(const unsigned char key[LH_SEAL_KEY_BYTES], const void *bound_to, size_t bound_len,
              const unsigned char *sealed, size_t len, unsigned char *out, size_t *out_len,
              struct lh_error *err);
/* Overwrites memory that held a secret; not optimised away. */
void lh_wipe(void *at, size_t len);

#endif
