/*
** The ranges that are refused and why. An address that stands for another one
** (IPv4-mapped, NAT64) is judged as that other one. Reading networks from text
** is in network.c.
*/
#include "core/address.h"

#include <string.h>

struct range {
  unsigned char bytes[16];
  int prefix_len;
  const char *name;
};

/* reliability-facts §3.1. The first that fits names the refusal. */
static const struct range ranges4[] = {
    {{0}, 8, "this network"},
    {{10}, 8, "private"},
    {{100, 64}, 10, "shared"}, /* carrier-grade NAT */
    {{127}, 8, "loopback"},
    {{169, 254}, 16, "link-local"},
    {{172, 16}, 12, "private"},
    {{192, 0, 0}, 24, "protocol assignments"},
    {{192, 0, 2}, 24, "documentation"},
    {{192, 88, 99}, 24, "6to4 relay"},
    {{192, 168}, 16, "private"},
    {{198, 18}, 15, "benchmarking"},
    {{198, 51, 100}, 24, "documentation"},
    {{203, 0, 113}, 24, "documentation"},
    {{224}, 4, "multicast"},
    {{255, 255, 255, 255}, 32, "broadcast"},
    {{240}, 4, "reserved"},
};

static const struct range ranges6[] = {
    {{[15] = 0}, 128, "unspecified"}, {{[15] = 1}, 128, "loopback"},
    {{0xFC}, 7, "private"},           {{0xFE, 0x80}, 10, "link-local"},
    {{0xFE, 0xC0}, 10, "site-local"}, {{0xFF}, 8, "multicast"},
    {{0x01}, 64, "discard"},          {{0x5F}, 16, "segment routing"},
    {{0x20, 0x01}, 32, "Teredo"},     {{0x20, 0x01, 0x0D, 0xB8}, 32, "documentation"},
    {{0x20, 0x02}, 16, "6to4"},       {{0x3F, 0xFF}, 20, "documentation"},
};

static const struct range global6 = {{0x20}, 3, "global unicast"};
static const struct range mapped6 = {{[10] = 0xFF, [11] = 0xFF}, 96, "IPv4-mapped"};
static const struct range nat64 = {{0x00, 0x64, 0xFF, 0x9B}, 96, "NAT64"};

static int in_prefix(const unsigned char *bytes, const unsigned char *prefix, int prefix_len) {
  size_t whole = (size_t)prefix_len / 8;
  int rest = prefix_len % 8;
  if (memcmp(bytes, prefix, whole) != 0) return 0;
  return rest == 0 || ((bytes[whole] ^ prefix[whole]) >> (8 - rest)) == 0;
}

static int in_range(const struct lh_address *address, const struct range *range) {
  return in_prefix(address->bytes, range->bytes, range->prefix_len);
}

static struct lh_address embedded4(const struct lh_address *address) {
  struct lh_address inner = {.family = 4};
  memcpy(inner.bytes, address->bytes + 12, 4);
  return inner;
}

static int is_allowed(const struct lh_address *address, const struct lh_network *allowed,
                      size_t count) {
  for (size_t i = 0; i < count; i++)
    if (allowed[i].address.family == address->family &&
        in_prefix(address->bytes, allowed[i].address.bytes, allowed[i].prefix_len))
      return 1;
  return 0;
}

static const char *refused_range(const struct lh_address *address, const struct range *ranges,
                                 size_t count) {
  for (size_t i = 0; i < count; i++)
    if (in_range(address, &ranges[i])) return ranges[i].name;
  return NULL;
}

const char *lh_address_refused(const struct lh_address *address, const struct lh_network *allowed,
                               size_t allowed_count) {
  struct lh_address inner;
  if (address->family == 6 && in_range(address, &mapped6)) {
    inner = embedded4(address);
    address = &inner;
  }
  if (is_allowed(address, allowed, allowed_count)) return NULL;
  if (address->family == 6 && in_range(address, &nat64)) {
    inner = embedded4(address);
    return lh_address_refused(&inner, allowed, allowed_count);
  }
  if (address->family == 4)
    return refused_range(address, ranges4, sizeof ranges4 / sizeof ranges4[0]);
  if (address->family != 6) return "unknown";
  const char *name = refused_range(address, ranges6, sizeof ranges6 / sizeof ranges6[0]);
  return name != NULL || in_range(address, &global6) ? name : "reserved";
}
