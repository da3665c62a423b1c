/*
** Passing over the inside of a JSON string eight bytes at a time. Only for
** json.c and json_slice.c.
*/
#ifndef LH_CORE_JSON_WORD_H
#define LH_CORE_JSON_WORD_H

#include <stdint.h>
#include <string.h>

#define LH_WORD_ONES UINT64_C(0x0101010101010101)
#define LH_WORD_HIGHS UINT64_C(0x8080808080808080)

/*
** Marks (in its high bit) the first byte of `word` that is below 0x20, a
** quote, a backslash or not ASCII; bytes before it are not marked, bytes
** after it may be. A byte is below n if subtracting n borrows.
*/
static inline uint64_t lh_word_special(uint64_t word) {
  uint64_t quote = word ^ (LH_WORD_ONES * '"');
  uint64_t slash = word ^ (LH_WORD_ONES * '\\');
  uint64_t below = word - LH_WORD_ONES * 0x20;
  return (below | (quote - LH_WORD_ONES) | (slash - LH_WORD_ONES) | word) & LH_WORD_HIGHS;
}

static inline int lh_byte_special(unsigned char byte) {
  return byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';
}

/* The first special byte from `at` on, or end. */
static inline const unsigned char *lh_word_skip(const unsigned char *at, const unsigned char *end) {
  while (end - at >= 8) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t special = lh_word_special(word);
    if (special != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
      return at + __builtin_ctzll(special) / 8;
#else
      break; /* the first byte is the highest here, where borrows reach it: look at each */
#endif
    }
    at += sizeof word;
  }
  while (at < end && !lh_byte_special(*at)) at++;
  return at;
}

#endif
