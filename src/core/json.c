/*
** The strict check of one JSON text: one pass, no recursion, no memory. Each
** function takes the place where its part begins and returns the place behind
** it, or NULL once something is wrong. What finds slices in a checked text is
** in json_slice.c.
*/
#include "core/json.h"

#include <assert.h>
#include <string.h>

#include "core/json_word.h"
#include "core/limits.h"
#include "core/utf8.h"

typedef const unsigned char *place;

struct scanner {
  place end;
  place wrong; /* where, once problem is set */
  const char *problem;
  unsigned depth;
  unsigned depth_max;
  unsigned char closers[LH_JSON_NESTING_MAX]; /* of the open containers */
};

static place fail(struct scanner *scanner, place at, const char *problem) {
  scanner->wrong = at;
  scanner->problem = problem;
  return NULL;
}

static inline place skip_space(place at, place end) {
  while (at < end && *at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
  return at;
}

/* The four digits of \uXXXX, or -1. */
static int hex_unit(place at, place end) {
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
static place take_escape(struct scanner *scanner, place at) {
  place end = scanner->end;
  if (end - at < 2) return fail(scanner, at, "string without an end");
  if (at[1] != 'u') {
    if (at[1] == '\0' || strchr("\"\\/bfnrt", at[1]) == NULL)
      return fail(scanner, at, "unknown escape in a string");
    return at + 2;
  }
  int unit = hex_unit(at + 2, end);
  if (unit < 0) return fail(scanner, at, "\\u without four hex digits");
  if (unit < 0xD800 || unit > 0xDFFF) return at + 6;
  if (unit > 0xDBFF || end - at < 12 || at[6] != '\\' || at[7] != 'u')
    return fail(scanner, at, "lone surrogate escape");
  unit = hex_unit(at + 8, end);
  if (unit < 0xDC00 || unit > 0xDFFF) return fail(scanner, at, "lone surrogate escape");
  return at + 12;
}

/* At something in a string that is not plain. */
static place take_special(struct scanner *scanner, place at) {
  if (at == scanner->end) return fail(scanner, at, "string without an end");
  if (*at == '\\') return take_escape(scanner, at);
  if (*at < 0x20) return fail(scanner, at, "raw control character in a string");
  size_t len = lh_utf8_character(at, scanner->end);
  return len == 0 ? fail(scanner, at, "invalid UTF-8") : at + len;
}

/* At the opening quote. */
static inline place take_string(struct scanner *scanner, place at) {
  at = lh_word_skip(at + 1, scanner->end);
  while (at == scanner->end || *at != '"') {
    at = take_special(scanner, at);
    if (at == NULL) return NULL;
    at = lh_word_skip(at, scanner->end);
  }
  return at + 1;
}

static inline place skip_digits(place at, place end) {
  while (at < end && *at >= '0' && *at <= '9') at++;
  return at;
}

/* At a minus or a digit. */
static place take_number(struct scanner *scanner, place at) {
  place end = scanner->end;
  place digits = at + (*at == '-');
  at = skip_digits(digits, end);
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
  return at;
}

static place take_word(struct scanner *scanner, place at, const char *word, size_t len) {
  if ((size_t)(scanner->end - at) < len || memcmp(at, word, len) != 0)
    return fail(scanner, at, "unexpected character");
  return at + len;
}

static place open_container(struct scanner *scanner, place at, unsigned char closer) {
  if (scanner->depth >= scanner->depth_max) return fail(scanner, at, "nested too deep");
  scanner->closers[scanner->depth++] = closer;
  return at + 1;
}

/* A scalar as a whole, or the opening of a container. */
static inline place take_value(struct scanner *scanner, place at) {
  at = skip_space(at, scanner->end);
  if (at == scanner->end) return fail(scanner, at, "unexpected end");
  switch (*at) {
  case '"':
    return take_string(scanner, at);
  case '{':
    return open_container(scanner, at, '}');
  case '[':
    return open_container(scanner, at, ']');
  case 't':
    return take_word(scanner, at, "true", 4);
  case 'f':
    return take_word(scanner, at, "false", 5);
  case 'n':
    return take_word(scanner, at, "null", 4);
  default:
    if (*at == '-' || (*at >= '0' && *at <= '9')) return take_number(scanner, at);
    return fail(scanner, at, "unexpected character");
  }
}

/* A member's name and its colon. */
static inline place take_key(struct scanner *scanner, place at) {
  at = skip_space(at, scanner->end);
  if (at == scanner->end) return fail(scanner, at, "unexpected end");
  if (*at != '"') return fail(scanner, at, "a member's name was expected");
  at = take_string(scanner, at);
  if (at == NULL) return NULL;
  at = skip_space(at, scanner->end);
  if (at == scanner->end) return fail(scanner, at, "unexpected end");
  if (*at != ':') return fail(scanner, at, "a colon was expected");
  return at + 1;
}

/* After a value: closes what ends here; a comma leads to the next value, except outside all. */
static inline place take_separator(struct scanner *scanner, place at) {
  while (scanner->depth > 0) {
    at = skip_space(at, scanner->end);
    if (at == scanner->end) return fail(scanner, at, "unexpected end");
    unsigned char closer = scanner->closers[scanner->depth - 1];
    if (*at == ',') return closer == ']' ? at + 1 : take_key(scanner, at + 1);
    if (*at != closer)
      return fail(scanner, at,
                  closer == ']' ? "a comma or ] was expected" : "a comma or } was expected");
    at++;
    scanner->depth--;
  }
  return at;
}

/* After the opening of a container: its end at once, or its first member's name. */
static place take_opening(struct scanner *scanner, place at) {
  at = skip_space(at, scanner->end);
  unsigned char closer = scanner->closers[scanner->depth - 1];
  if (at < scanner->end && *at == closer) return take_separator(scanner, at);
  return closer == ']' ? at : take_key(scanner, at);
}

static place take_text(struct scanner *scanner, place at) {
  static const unsigned char byte_order_mark[] = {0xEF, 0xBB, 0xBF};
  if (scanner->end - at >= 3 && memcmp(at, byte_order_mark, 3) == 0)
    return fail(scanner, at, "a byte order mark is not JSON");
  do {
    unsigned depth = scanner->depth;
    at = take_value(scanner, at);
    if (at == NULL) return NULL;
    at = scanner->depth > depth ? take_opening(scanner, at) : take_separator(scanner, at);
    if (at == NULL) return NULL;
  } while (scanner->depth > 0);
  at = skip_space(at, scanner->end);
  return at == scanner->end ? at : fail(scanner, at, "more after the value");
}

int lh_json_check(const char *text, size_t len, unsigned depth_max, enum lh_json_type *type,
                  struct lh_error *err) {
  assert(depth_max >= 1);
  place start = (place)text;
  struct scanner scanner; /* its stack is not worth clearing */
  scanner.end = start + len;
  scanner.problem = NULL;
  scanner.depth = 0;
  scanner.depth_max = depth_max < LH_JSON_NESTING_MAX ? depth_max : LH_JSON_NESTING_MAX;
  if (take_text(&scanner, start) == NULL)
    return lh_error_set(err, LH_E_INVALID, "invalid JSON at byte %zu: %s",
                        (size_t)(scanner.wrong - start) + 1, scanner.problem);
  if (type != NULL) *type = lh_json_type_of((struct lh_slice){.at = text, .len = len});
  return LH_OK;
}
