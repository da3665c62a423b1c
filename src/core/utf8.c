/* The UTF-8 check: eight bytes of ASCII at a time, everything else character by character. */
#include "core/utf8.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

static int continues(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

size_t lh_utf8_character(const unsigned char *at, const unsigned char *end) {
  assert(at < end);
  size_t left = (size_t)(end - at);
  unsigned char first = at[0];
  if (first < 0x80) return 1;
  if (first < 0xC2) /* a continuation, or an overlong form of ASCII */
    return 0;
  if (first < 0xE0) return left >= 2 && continues(at[1]) ? 2 : 0;
  if (first < 0xF0) {
    if (left < 3 || !continues(at[1]) || !continues(at[2])) return 0;
    int overlong = first == 0xE0 && at[1] < 0xA0;
    int surrogate = first == 0xED && at[1] >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (first > 0xF4 || left < 4 || !continues(at[1]) || !continues(at[2]) || !continues(at[3]))
    return 0;
  int overlong = first == 0xF0 && at[1] < 0x90;
  int beyond = first == 0xF4 && at[1] >= 0x90;
  return overlong || beyond ? 0 : 4;
}

size_t lh_utf8_check(const void *text, size_t len) {
  const unsigned char *start = text;
  const unsigned char *end = start + len;
  const unsigned char *at = start;
  while (at < end) {
    uint64_t word;
    if ((size_t)(end - at) >= sizeof word) {
      memcpy(&word, at, sizeof word);
      if ((word & HIGH_BITS) == 0) {
        at += sizeof word;
        continue;
      }
    }
    size_t step = lh_utf8_character(at, end);
    if (step == 0) break;
    at += step;
  }
  return (size_t)(at - start);
}
