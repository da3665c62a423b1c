/* UTF-8 against a plain decoder: every code point, every short sequence of interesting bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/utf8.h"

/* Encodes by the definition, also what is not allowed. */
static size_t encode(uint32_t character, unsigned char *out) {
  if (character < 0x80) {
    out[0] = (unsigned char)character;
    return 1;
  }
  if (character < 0x800) {
    out[0] = (unsigned char)(0xC0 | character >> 6);
    out[1] = (unsigned char)(0x80 | (character & 63));
    return 2;
  }
  if (character < 0x10000) {
    out[0] = (unsigned char)(0xE0 | character >> 12);
    out[1] = (unsigned char)(0x80 | (character >> 6 & 63));
    out[2] = (unsigned char)(0x80 | (character & 63));
    return 3;
  }
  out[0] = (unsigned char)(0xF0 | character >> 18);
  out[1] = (unsigned char)(0x80 | (character >> 12 & 63));
  out[2] = (unsigned char)(0x80 | (character >> 6 & 63));
  out[3] = (unsigned char)(0x80 | (character & 63));
  return 4;
}

static void test_every_code_point(void **state) {
  (void)state;
  unsigned char text[4];
  for (uint32_t character = 0; character < 0x200000; character++) {
    size_t len = encode(character, text);
    int valid = character < 0x110000 && (character < 0xD800 || character > 0xDFFF);
    assert_int_equal(lh_utf8_check(text, len), valid ? len : 0);
    assert_int_equal(lh_utf8_character(text, text + len), valid ? len : 0);
  }
}

/* The value of a well-formed sequence, or a number beyond Unicode. */
static uint32_t decode(const unsigned char *at, size_t len) {
  static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
  static const unsigned char masks[] = {0, 0, 0xE0, 0xF0, 0xF8};
  if ((at[0] & masks[len]) != marks[len]) return UINT32_MAX;
  uint32_t character = at[0] & (unsigned char)~masks[len];
  for (size_t i = 1; i < len; i++) {
    if ((at[i] & 0xC0) != 0x80) return UINT32_MAX;
    character = character << 6 | (at[i] & 63);
  }
  return character;
}

/* All sequences of edge bytes: valid exactly if encoding what they decode to gives them back. */
static void test_every_sequence_of_edge_bytes(void **state) {
  (void)state;
  static const unsigned char edges[] = {0x00, 0x22, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0,
                                        0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0,
                                        0xF1, 0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFB, 0xFC, 0xFE, 0xFF};
  const size_t count = sizeof edges;
  for (size_t n = 0; n < count * count * count * count; n++) {
    unsigned char text[4] = {edges[n % count], edges[n / count % count],
                             edges[n / count / count % count], edges[n / count / count / count]};
    size_t expected = text[0] < 0x80;
    for (size_t len = 2; len <= 4 && expected == 0; len++) {
      unsigned char again[4];
      uint32_t character = decode(text, len);
      int allowed = character < 0x110000 && (character < 0xD800 || character > 0xDFFF);
      if (allowed && encode(character, again) == len && memcmp(again, text, len) == 0)
        expected = len;
    }
    if (lh_utf8_character(text, text + 4) != expected)
      fail_msg("%02x %02x %02x %02x", text[0], text[1], text[2], text[3]);
  }
}

static void test_place_of_the_first_bad_byte(void **state) {
  (void)state;
  unsigned char text[40];
  for (size_t at = 0; at < sizeof text; at++) {
    memset(text, 'a', sizeof text);
    assert_int_equal(lh_utf8_check(text, sizeof text), sizeof text);
    text[at] = 0xFF;
    assert_int_equal(lh_utf8_check(text, sizeof text), at);
    text[at] = 0xC3; /* cut off by what follows, or by the end */
    assert_int_equal(lh_utf8_check(text, sizeof text), at);
  }
  assert_int_equal(lh_utf8_check("", 0), 0);
  assert_int_equal(lh_utf8_check("a\0b", 3), 3);
}

static void test_sequences_cut_by_the_end(void **state) {
  (void)state;
  static const char *const characters[] = {"\xC3\xA9", "\xE7\xA7\x98", "\xF0\x9F\x98\x80"};
  for (size_t i = 0; i < 3; i++)
    for (size_t len = 1; len <= i + 2; len++) {
      const unsigned char *at = (const unsigned char *)characters[i];
      assert_int_equal(lh_utf8_check(at, len), len == i + 2 ? len : 0);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_code_point),
      cmocka_unit_test(test_every_sequence_of_edge_bytes),
      cmocka_unit_test(test_place_of_the_first_bad_byte),
      cmocka_unit_test(test_sequences_cut_by_the_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
