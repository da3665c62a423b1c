/*
** The strict check of one JSON text: one pass, no recursion, no memory. Plain
** string bytes, which are most of any text, are passed eight at a time. What
** finds slices in a checked text is in json_slice.c.
*/
#include "core/json.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/limits.h"
#include "core/utf8.h"

struct scanner {
  const unsigned char *at; /* next byte; where it went wrong once problem is set */
  const unsigned char *end;
  const char *problem;
  unsigned depth;
  unsigned depth_max;
  unsigned char closers[LH_JSON_NESTING_MAX]; /* of the open containers */
};

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* High bits set in (at least) the bytes of `word` that are equal to `byte`, if all are ASCII. */
static uint64_t bytes_equal(uint64_t word, unsigned char byte) {
  uint64_t different = word ^ (ONES * byte);
  return ~(different + ~HIGHS) & HIGHS;
}

/* Not 0 if a byte of `word` is a quote, a backslash, a control character or not ASCII. */
static uint64_t bytes_special(uint64_t word) {
  uint64_t ascii = word & ~HIGHS;
  uint64_t control = ~(ascii + ONES * (0x80 - 0x20)) & HIGHS;
  return control | bytes_equal(ascii, '"') | bytes_equal(ascii, '\\') | (word & HIGHS);
}

/* Index of the first byte in memory whose high bit is set in `marks`, which is not 0. */
static unsigned first_marked(uint64_t marks) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  return (unsigned)__builtin_ctzll(marks) / 8;
#else
  return (unsigned)__builtin_clzll(marks) / 8;
#endif
}

static int is_plain(unsigned char byte) {
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static const unsigned char *skip_plain(const unsigned char *at, const unsigned char *end) {
  uint64_t word;
  while ((size_t)(end - at) >= sizeof word) {
    memcpy(&word, at, sizeof word);
    uint64_t special = bytes_special(word);
    if (special != 0) return at + first_marked(special);
    at += sizeof word;
  }
  while (at < end && is_plain(*at)) at++;
  return at;
}

static int fail(struct scanner *scanner, const unsigned char *at, const char *problem) {
  scanner->at = at;
  scanner->problem = problem;
  return 0;
}

static void skip_space(struct scanner *scanner) {
  const unsigned char *at = scanner->at;
  while (at < scanner->end && *at <= ' ' &&
         (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
    at++;
  scanner->at = at;
}

/* The four digits of \uXXXX, or -1. */
static int hex_unit(const unsigned char *at, const unsigned char *end) {
  if (end - at < 4) return -1;
  int unit = 0;
  for (int i = 0; i < 4; i++) {
    unsigned char digit = at[i];
    if (digit >= '0' && digit <= '9')
      unit = unit * 16 + digit - '0';
    else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
      unit = unit * 16 + (digit | 0x20) - 'a' + 10;
    else
      return -1;
  }
  return unit;
}

/* At a backslash. */
static int take_escape(struct scanner *scanner) {
  const unsigned char *at = scanner->at;
  const unsigned char *end = scanner->end;
  if (end - at < 2) return fail(scanner, at, "string without an end");
  if (at[1] != 'u') {
    if (at[1] == '\0' || strchr("\"\\/bfnrt", at[1]) == NULL)
      return fail(scanner, at, "unknown escape in a string");
    scanner->at = at + 2;
    return 1;
  }
  int unit = hex_unit(at + 2, end);
  if (unit < 0) return fail(scanner, at, "\\u without four hex digits");
  scanner->at = at + 6;
  if (unit < 0xD800 || unit > 0xDFFF) return 1;
  if (unit > 0xDBFF || end - at < 12 || at[6] != '\\' || at[7] != 'u')
    return fail(scanner, at, "lone surrogate escape");
  unit = hex_unit(at + 8, end);
  if (unit < 0xDC00 || unit > 0xDFFF) return fail(scanner, at, "lone surrogate escape");
  scanner->at = at + 12;
  return 1;
}

/* At the opening quote. */
static int take_string(struct scanner *scanner) {
  const unsigned char *end = scanner->end;
  scanner->at++;
  for (;;) {
    const unsigned char *at = skip_plain(scanner->at, end);
    scanner->at = at;
    if (at == end) return fail(scanner, end, "string without an end");
    if (*at == '"') {
      scanner->at = at + 1;
      return 1;
    }
    if (*at == '\\') {
      if (!take_escape(scanner)) return 0;
      continue;
    }
    if (*at < 0x20) return fail(scanner, at, "raw control character in a string");
    size_t step = lh_utf8_character(at, end);
    if (step == 0) return fail(scanner, at, "invalid UTF-8");
    scanner->at = at + step;
  }
}

static const unsigned char *skip_digits(const unsigned char *at, const unsigned char *end) {
  while (at < end && *at >= '0' && *at <= '9') at++;
  return at;
}

/* At a minus or a digit. */
static int take_number(struct scanner *scanner) {
  const unsigned char *end = scanner->end;
  const unsigned char *digits = scanner->at + (*scanner->at == '-');
  const unsigned char *at = skip_digits(digits, end);
  if (at == digits) return fail(scanner, at, "number without digits");
  if (*digits == '0' && at - digits > 1) return fail(scanner, digits, "number with a leading zero");
  if (at < end && *at == '.') {
    digits = at + 1;
    at = skip_digits(digits, end);
    if (at == digits) return fail(scanner, at, "number without digits after the point");
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    digits = at + 1;
    if (digits < end && (*digits == '+' || *digits == '-')) digits++;
    at = skip_digits(digits, end);
    if (at == digits) return fail(scanner, at, "number without digits in its exponent");
  }
  scanner->at = at;
  return 1;
}

static int take_word(struct scanner *scanner, const char *word) {
  size_t len = strlen(word);
  if ((size_t)(scanner->end - scanner->at) < len || memcmp(scanner->at, word, len) != 0)
    return fail(scanner, scanner->at, "unexpected character");
  scanner->at += len;
  return 1;
}

static int open_container(struct scanner *scanner, unsigned char closer) {
  if (scanner->depth >= scanner->depth_max) return fail(scanner, scanner->at, "nested too deep");
  scanner->closers[scanner->depth++] = closer;
  scanner->at++;
  return 1;
}

/* A scalar as a whole, or the opening of a container. */
static int take_value(struct scanner *scanner) {
  skip_space(scanner);
  if (scanner->at == scanner->end) return fail(scanner, scanner->at, "unexpected end");
  switch (*scanner->at) {
  case '"':
    return take_string(scanner);
  case '{':
    return open_container(scanner, '}');
  case '[':
    return open_container(scanner, ']');
  case 't':
    return take_word(scanner, "true");
  case 'f':
    return take_word(scanner, "false");
  case 'n':
    return take_word(scanner, "null");
  case '-':
  case '0':
  case '1':
  case '2':
  case '3':
  case '4':
  case '5':
  case '6':
  case '7':
  case '8':
  case '9':
    return take_number(scanner);
  default:
    return fail(scanner, scanner->at, "unexpected character");
  }
}

/* A member's name and its colon. */
static int take_key(struct scanner *scanner) {
  skip_space(scanner);
  if (scanner->at == scanner->end) return fail(scanner, scanner->at, "unexpected end");
  if (*scanner->at != '"') return fail(scanner, scanner->at, "a member's name was expected");
  if (!take_string(scanner)) return 0;
  skip_space(scanner);
  if (scanner->at == scanner->end) return fail(scanner, scanner->at, "unexpected end");
  if (*scanner->at != ':') return fail(scanner, scanner->at, "a colon was expected");
  scanner->at++;
  return 1;
}

/* After a value: closes what ends here; a comma leads to the next value, except outside all. */
static int take_separator(struct scanner *scanner) {
  while (scanner->depth > 0) {
    skip_space(scanner);
    if (scanner->at == scanner->end) return fail(scanner, scanner->at, "unexpected end");
    unsigned char closer = scanner->closers[scanner->depth - 1];
    if (*scanner->at == ',') {
      scanner->at++;
      return closer == ']' || take_key(scanner);
    }
    if (*scanner->at != closer)
      return fail(scanner, scanner->at,
                  closer == ']' ? "a comma or ] was expected" : "a comma or } was expected");
    scanner->at++;
    scanner->depth--;
  }
  return 1;
}

/* After the opening of a container: its end at once, or its first member's name. */
static int take_opening(struct scanner *scanner) {
  skip_space(scanner);
  unsigned char closer = scanner->closers[scanner->depth - 1];
  if (scanner->at < scanner->end && *scanner->at == closer) return take_separator(scanner);
  return closer == ']' || take_key(scanner);
}

static int take_text(struct scanner *scanner) {
  static const unsigned char byte_order_mark[] = {0xEF, 0xBB, 0xBF};
  if (scanner->end - scanner->at >= 3 && memcmp(scanner->at, byte_order_mark, 3) == 0)
    return fail(scanner, scanner->at, "a byte order mark is not JSON");
  int open = 0; /* a container was opened and nothing in it read yet */
  do {
    unsigned depth = scanner->depth;
    if (!take_value(scanner)) return 0;
    open = scanner->depth > depth;
    if (open ? !take_opening(scanner) : !take_separator(scanner)) return 0;
  } while (scanner->depth > 0);
  skip_space(scanner);
  return scanner->at == scanner->end || fail(scanner, scanner->at, "more after the value");
}

int lh_json_check(const char *text, size_t len, unsigned depth_max, enum lh_json_type *type,
                  struct lh_error *err) {
  assert(depth_max >= 1);
  struct scanner scanner; /* the stack is not worth clearing */
  const unsigned char *start = (const unsigned char *)text;
  scanner.at = start;
  scanner.end = start + len;
  scanner.problem = NULL;
  scanner.depth = 0;
  scanner.depth_max = depth_max < LH_JSON_NESTING_MAX ? depth_max : LH_JSON_NESTING_MAX;
  if (!take_text(&scanner)) {
    assert(scanner.problem != NULL);
    return lh_error_set(err, LH_E_INVALID, "invalid JSON at byte %zu: %s",
                        (size_t)(scanner.at - start) + 1, scanner.problem);
  }
  if (type != NULL) *type = lh_json_type_of((struct lh_slice){.at = text, .len = len});
  return LH_OK;
}
