/*
** Names of the error codes, and how a message gets into an error: always one
** line of valid UTF-8, whatever was formatted into it. The codes themselves
** and what they mean stand in error.h.
*/
#include "core/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/utf8.h"

static const char *const names[] = {
#define X(code, name) name,
    LH_ERROR_CODES(X)
#undef X
};

/* Length of `text` without a last sequence that was cut in the middle. */
static size_t whole_length(const char *text, size_t len) {
  size_t lead = len;
  while (lead > 0 && len - lead < 3 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80) lead--;
  if (lead == 0 || ((unsigned char)text[lead - 1] & 0xC0) != 0xC0)
    return len; /* ends in ASCII, or is no UTF-8 anyway */
  unsigned char first = (unsigned char)text[lead - 1];
  size_t wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  return len - (lead - 1) < wanted ? lead - 1 : len;
}

/* Control characters would break the line or drive a terminal; other bytes would not be UTF-8. */
static void clean(char *text, size_t len) {
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F) text[i] = ' ';
  for (size_t at = lh_utf8_check(text, len); at < len; at += lh_utf8_check(text + at, len - at))
    text[at] = '?';
}

int lh_error_set(struct lh_error *err, enum lh_code code, const char *format, ...) {
  assert(code >= LH_OK && code < LH_CODE_COUNT);
  if (err == NULL) return code;
  char message[LH_ERROR_MESSAGE_MAX]; /* not in place: an argument may be err->message itself */
  va_list arguments;
  va_start(arguments, format);
  int wanted = vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  size_t len = wanted < 0 ? 0 : strnlen(message, sizeof message - 1);
  if ((size_t)wanted >= sizeof message) len = whole_length(message, len);
  clean(message, len);
  err->code = code;
  memcpy(err->message, message, len);
  err->message[len] = '\0';
  return code;
}

const char *lh_error_name(enum lh_code code) {
  assert(code >= LH_OK && code < LH_CODE_COUNT);
  return names[code];
}
