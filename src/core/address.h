/*
** Which addresses may be contacted (design §3.13, reliability-facts §3.1):
** decided on binary addresses, never on the URL's text; unknown is refused.
*/
#ifndef LH_CORE_ADDRESS_H
#define LH_CORE_ADDRESS_H

#include <stddef.h>

#include "core/error.h"

/* An IPv4 or IPv6 address in network order. IPv4-mapped IPv6 is judged as IPv4. */
struct lh_address {
  int family; /* 4 or 6 */
  unsigned char bytes[16];
};

/* An allowed range. */
struct lh_network {
  struct lh_address address;
  int prefix_len;
};

/*
** Parses "10.0.0.0/8", "::1/128" or a bare address, without leading zeros or
** scope. Bits set after the prefix are refused. 0 or LH_E_INVALID.
*/
int lh_network_parse(const char *text, size_t len, struct lh_network *network,
                     struct lh_error *err);
/*
** NULL if the address is public or inside one of the allowed networks; else
** the refused range in words ("loopback", "private", "link-local", …). An
** address in NAT64's 64:ff9b::/96 is judged as the IPv4 address inside it.
*/
const char *lh_address_refused(const struct lh_address *address, const struct lh_network *allowed,
                               size_t allowed_count);

#endif
