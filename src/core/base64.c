/* Base64. Small enough to own: mbedTLS's decoder passes over line breaks and stray bits. */
#include "core/base64.h"

#include <stdint.h>

#include "core/error.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void lh_base64_encode(const unsigned char *at, size_t len, char *out) {
  for (; len > 0; at += 3, out += 4) {
    size_t taken = len < 3 ? len : 3;
    uint32_t group = (uint32_t)at[0] << 16;
    if (taken > 1) group |= (uint32_t)at[1] << 8;
    if (taken > 2) group |= at[2];
    for (size_t i = 0; i < 4; i++) out[i] = i <= taken ? alphabet[group >> (18 - 6 * i) & 63] : '=';
    len -= taken;
  }
  *out = '\0';
}

/* Value of a character, or -1. No table: secrets must not show in the cache. */
static int character_value(char character) {
  if (character >= 'A' && character <= 'Z') return character - 'A';
  if (character >= 'a' && character <= 'z') return character - 'a' + 26;
  if (character >= '0' && character <= '9') return character - '0' + 52;
  return character == '+' ? 62 : character == '/' ? 63 : -1;
}

int lh_base64_decode(const char *text, size_t len, unsigned char *out, size_t cap,
                     size_t *out_len) {
  if (len % 4 != 0) return LH_E_INVALID;
  size_t padding = len == 0 || text[len - 1] != '=' ? 0 : text[len - 2] != '=' ? 1 : 2;
  size_t total = len / 4 * 3 - padding;
  if (total > cap) return LH_E_INVALID;
  size_t written = 0;
  for (size_t at = 0; at < len; at += 4) {
    size_t missing = at + 4 == len ? padding : 0;
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
      int value = i < 4 - missing ? character_value(text[at + i]) : 0;
      if (value < 0) return LH_E_INVALID;
      group = group << 6 | (uint32_t)value;
    }
    if ((group & ((1U << (8 * missing)) - 1)) != 0)
      return LH_E_INVALID; /* bits that no byte takes */
    for (size_t i = 0; i < 3 - missing; i++)
      out[written++] = (unsigned char)(group >> (16 - 8 * i));
  }
  *out_len = total;
  return LH_OK;
}
