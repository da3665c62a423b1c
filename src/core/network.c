/*
** Reading "10.0.0.0/8" and its like. Stricter than the system's reader: one
** way to write a number, and no bits behind the prefix. Declared in address.h.
*/
#include "core/address.h"

#include <string.h>

#define TEXT_MAX 49 /* eight groups, or six and a dotted tail, and a prefix */

/* A decimal number of at most `max`, no leading zeros; moves *at behind it. -1: there is none. */
static int take_decimal(const char **at, int max) {
  const char *digit = *at;
  int value = 0;
  while (*digit >= '0' && *digit <= '9' && value <= max) value = value * 10 + (*digit++ - '0');
  if (digit == *at || value > max || (**at == '0' && digit - *at > 1)) return -1;
  *at = digit;
  return value;
}

/* The whole of `at` as a.b.c.d. */
static int parse4(const char *at, unsigned char bytes[4]) {
  for (int i = 0; i < 4; i++) {
    int value = take_decimal(&at, 255);
    if (value < 0 || *at != (i < 3 ? '.' : '\0')) return 0;
    bytes[i] = (unsigned char)value;
    at++;
  }
  return 1;
}

static int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  char lower = (char)(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* One to four hex digits into two bytes; moves *at behind them. */
static int take_group(const char **at, unsigned char bytes[2]) {
  unsigned value = 0;
  int digits = 0;
  for (; digits < 5 && hex_value(**at) >= 0; digits++)
    value = value << 4 | (unsigned)hex_value(*(*at)++);
  bytes[0] = (unsigned char)(value >> 8);
  bytes[1] = (unsigned char)value;
  return digits >= 1 && digits <= 4;
}

/* Groups up to the end of the text or a "::". Returns the bytes read, -1 if malformed. */
static int take_groups(const char **at, unsigned char bytes[16]) {
  int len = 0;
  while (**at != '\0' && **at != ':') {
    if (len <= 12 && strcspn(*at, ".") < strcspn(*at, ":")) { /* dotted tail */
      if (!parse4(*at, bytes + len)) return -1;
      *at += strlen(*at);
      return len + 4;
    }
    if (len == 16 || !take_group(at, bytes + len)) return -1;
    len += 2;
    if (**at != ':' || (*at)[1] == ':') break;
    if (*++*at == '\0') /* a single colon at the end */
      return -1;
  }
  return len;
}

static int parse6(const char *at, unsigned char bytes[16]) {
  unsigned char tail[16];
  int head_len = take_groups(&at, bytes);
  if (head_len < 0) return 0;
  if (*at == '\0') return head_len == 16;
  if (at[0] != ':' || at[1] != ':') return 0;
  at += 2;
  int tail_len = take_groups(&at, tail);
  if (tail_len < 0 || *at != '\0' || head_len + tail_len > 14) /* "::" is at least one group */
    return 0;
  memcpy(bytes + 16 - tail_len, tail, (size_t)tail_len);
  return 1;
}

static int parse_address(const char *text, struct lh_address *address) {
  memset(address, 0, sizeof *address);
  address->family = strchr(text, ':') == NULL ? 4 : 6;
  return address->family == 4 ? parse4(text, address->bytes) : parse6(text, address->bytes);
}

/* 1 if no bit after the prefix is set. */
static int is_network(const struct lh_network *network) {
  int bits = network->address.family == 4 ? 32 : 128;
  for (int bit = network->prefix_len; bit < bits; bit++)
    if (network->address.bytes[bit / 8] >> (7 - bit % 8) & 1) return 0;
  return 1;
}

/* Networks of IPv4-mapped addresses are IPv4 networks, as the addresses in them are IPv4. */
static void unmap(struct lh_network *network) {
  static const unsigned char prefix[12] = {[10] = 0xFF, [11] = 0xFF};
  struct lh_address *address = &network->address;
  if (address->family != 6 || network->prefix_len < 96 || memcmp(address->bytes, prefix, 12) != 0)
    return;
  address->family = 4;
  memcpy(address->bytes, address->bytes + 12, 4);
  memset(address->bytes + 4, 0, 12);
  network->prefix_len -= 96;
}

int lh_network_parse(const char *text, size_t len, struct lh_network *network,
                     struct lh_error *err) {
  char copy[TEXT_MAX + 1];
  if (len > TEXT_MAX || memchr(text, '\0', len) != NULL)
    return lh_error_set(err, LH_E_INVALID, "network: longer than an address can be");
  memcpy(copy, text, len);
  copy[len] = '\0';
  char *slash = strchr(copy, '/');
  if (slash != NULL) *slash = '\0';
  struct lh_network parsed;
  if (!parse_address(copy, &parsed.address))
    return lh_error_set(err, LH_E_INVALID, "network: %.*s is not an IPv4 or IPv6 address", (int)len,
                        text);
  int bits = parsed.address.family == 4 ? 32 : 128;
  const char *prefix = slash == NULL ? "" : slash + 1;
  parsed.prefix_len = slash == NULL ? bits : take_decimal(&prefix, bits);
  if (parsed.prefix_len < 0 || *prefix != '\0')
    return lh_error_set(err, LH_E_INVALID, "network: the prefix of %.*s is not 0 to %d", (int)len,
                        text, bits);
  if (!is_network(&parsed)) /* a typing error that would allow more than was meant */
    return lh_error_set(err, LH_E_INVALID, "network: %.*s has bits set after its prefix", (int)len,
                        text);
  unmap(&parsed);
  *network = parsed;
  return LH_OK;
}
