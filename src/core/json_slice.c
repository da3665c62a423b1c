/*
** Finding slices in a JSON text that json.c has checked. Nothing is checked
** again here, so that walking costs little; only the ends of the slices are
** never passed.
*/
#include "core/json.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/json_word.h"

#define NAME_MAX_BYTES 64 /* of a name that is asked for */

static const char *skip_space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
  return at;
}

/* From an opening quote to behind the closing one. */
static const char *skip_string(const char *from, const char *end) {
  const unsigned char *at = (const unsigned char *)from + 1;
  const unsigned char *stop = (const unsigned char *)end;
  while ((at = lh_word_skip(at, stop)) < stop && *at != '"')
    at += *at == '\\' && stop - at > 1 ? 2 : 1;
  return at < stop ? (const char *)at + 1 : end;
}

/* From an opening bracket to behind the one that closes it. */
static const char *skip_container(const char *at, const char *end) {
  unsigned depth = 0;
  while (at < end) {
    char byte = *at;
    if (byte == '"') {
      at = skip_string(at, end);
      continue;
    }
    at++;
    if ((byte | 0x20) == '{') /* [ and { differ in one bit, ] and } too */
      depth++;
    else if ((byte | 0x20) == '}' && --depth == 0)
      return at;
  }
  return end;
}

static const char *skip_scalar(const char *at, const char *end) {
  while (at<end && * at> ' ' && *at != ',' && *at != ']' && *at != '}') at++;
  return at;
}

static const char *skip_value(const char *at, const char *end) {
  if (at == end) return end;
  if (*at == '"') return skip_string(at, end);
  return *at == '{' || *at == '[' ? skip_container(at, end) : skip_scalar(at, end);
}

enum lh_json_type lh_json_type_of(struct lh_slice value) {
  const char *at = skip_space(value.at, value.at + value.len);
  assert(at < value.at + value.len);
  switch (*at) {
  case '{':
    return LH_JSON_OBJECT;
  case '[':
    return LH_JSON_ARRAY;
  case '"':
    return LH_JSON_STRING;
  case 't':
    return LH_JSON_TRUE;
  case 'f':
    return LH_JSON_FALSE;
  case 'n':
    return LH_JSON_NULL;
  default:
    return LH_JSON_NUMBER;
  }
}

int lh_json_next(struct lh_slice container, size_t *position, struct lh_slice *key,
                 struct lh_slice *value) {
  const char *end = container.at + container.len;
  const char *at = skip_space(container.at + *position, end);
  if (at < end && *at == ',')
    at++;
  else if (*position == 0)
    at++; /* the opening bracket */
  at = skip_space(at, end);
  if (at >= end || *at == ']' || *at == '}') return 0;
  /* In an object the first thing after a bracket or comma is a name followed by a colon. */
  const char *name_end = skip_value(at, end);
  const char *colon = skip_space(name_end, end);
  int named = *at == '"' && colon < end && *colon == ':';
  if (key != NULL)
    *key = named ? (struct lh_slice){at, (size_t)(name_end - at)} : (struct lh_slice){NULL, 0};
  if (named) {
    at = skip_space(colon + 1, end);
    name_end = skip_value(at, end);
  }
  value->at = at;
  value->len = (size_t)(name_end - at);
  *position = (size_t)(name_end - container.at);
  return 1;
}

int lh_json_token(struct lh_slice text, size_t *position, struct lh_slice *token) {
  const char *end = text.at + text.len;
  const char *at = skip_space(text.at + *position, end);
  if (at < end && (*at == ',' || *at == ':')) at = skip_space(at + 1, end);
  int bracket = at < end && ((*at | 0x20) == '{' || (*at | 0x20) == '}');
  const char *behind = bracket ? at + 1 : skip_value(at, end);
  token->at = at;
  token->len = (size_t)(behind - at);
  *position = (size_t)(behind - text.at);
  return at < end;
}

static unsigned hex_unit(const char *at) {
  unsigned unit = 0;
  for (int i = 0; i < 4; i++) {
    unsigned char digit = (unsigned char)at[i];
    unit = unit * 16 + (digit <= '9' ? digit - 48U : (digit | 32U) - 87U);
  }
  return unit;
}

/* The UTF-8 of one character; returns its length. */
static size_t put_character(uint32_t character, char out[4]) {
  if (character < 0x80) {
    out[0] = (char)character;
    return 1;
  }
  size_t len = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
  static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (size_t i = len - 1; i > 0; i--) {
    out[i] = (char)(0x80 | (character & 0x3F));
    character >>= 6;
  }
  out[0] = (char)(leads[len] | character);
  return len;
}

/* The character that the escape at `at` stands for; *len is the escape's length. */
static uint32_t escaped_character(const char *at, size_t *len) {
  static const char names[] = "bfnrt";
  static const char values[] = "\b\f\n\r\t";
  *len = 2;
  if (at[1] != 'u') {
    const char *name = strchr(names, at[1]);
    return name == NULL ? (unsigned char)at[1] : (unsigned char)values[name - names];
  }
  uint32_t unit = hex_unit(at + 2);
  *len = 6;
  if (unit < 0xD800 || unit > 0xDBFF) return unit;
  *len = 12;
  return 0x10000 + ((unit - 0xD800) << 10) + (hex_unit(at + 8) - 0xDC00);
}

size_t lh_json_string(struct lh_slice value, char *out, size_t cap) {
  const char *at = skip_space(value.at, value.at + value.len);
  const char *end = skip_string(at, value.at + value.len) - 1;
  assert(at < end && *at == '"' && *end == '"');
  at++;
  size_t len = 0;
  while (at < end) {
    const char *slash = memchr(at, '\\', (size_t)(end - at));
    size_t plain = (size_t)((slash == NULL ? end : slash) - at);
    if (len < cap) memcpy(out + len, at, plain < cap - len ? plain : cap - len);
    len += plain;
    at += plain;
    if (slash == NULL) break;
    size_t escape_len;
    char character[4];
    size_t character_len = put_character(escaped_character(at, &escape_len), character);
    if (len < cap)
      memcpy(out + len, character, character_len < cap - len ? character_len : cap - len);
    len += character_len;
    at += escape_len;
  }
  return len;
}

int lh_json_key_is(struct lh_slice key, const char *name) {
  size_t name_len = strlen(name);
  const char *text = key.at + 1;
  size_t len = key.len - 2;
  if (memchr(text, '\\', len) == NULL) return len == name_len && memcmp(text, name, len) == 0;
  char decoded[NAME_MAX_BYTES];
  assert(name_len <= sizeof decoded);
  return lh_json_string(key, decoded, sizeof decoded) == name_len &&
         memcmp(decoded, name, name_len) == 0;
}

int lh_json_member(struct lh_slice object, const char *name, struct lh_slice *value) {
  size_t position = 0;
  int found = 0;
  struct lh_slice key;
  struct lh_slice candidate;
  while (lh_json_next(object, &position, &key, &candidate)) {
    if (key.at == NULL || !lh_json_key_is(key, name)) continue;
    *value = candidate;
    found = 1; /* the last one counts, as in every common parser */
  }
  return found;
}
