/* The rules for a webhook's custom headers, line by line. */
#include "core/header.h"

#include <string.h>
#include <strings.h>

#include "core/limits.h"

/* Ours, the connection's, or the signature's. */
static const char *const reserved[] = {
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "nonce",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
    "x-zinrelo-signature",
};

static int is_token_character(char byte) {
  if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'))
    return 1;
  return byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

static int is_reserved(const char *name, size_t len) {
  if (len >= 6 && strncasecmp(name, "proxy-", 6) == 0) return 1;
  for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
    if (strlen(reserved[i]) == len && strncasecmp(name, reserved[i], len) == 0) return 1;
  return 0;
}

/* 1 if one of the lines before `name` has the same name. */
static int is_repeated(const char *headers, const char *name, size_t len) {
  for (const char *line = headers; line < name; line = strchr(line, '\n') + 1)
    if (strncasecmp(line, name, len) == 0 && line[len] == ':') return 1;
  return 0;
}

static int check_name(const char *name, size_t len, struct lh_error *err) {
  size_t token_len = 0;
  while (token_len < len && is_token_character(name[token_len])) token_len++;
  if (token_len == 0 || token_len < len)
    return lh_error_set(err, LH_E_INVALID, "headers: \"%.*s\" is not a header name",
                        len < 80 ? (int)len : 80, name);
  if (len > LH_HEADER_NAME_MAX)
    return lh_error_set(err, LH_E_INVALID, "headers: a name is longer than %d bytes",
                        LH_HEADER_NAME_MAX);
  if (is_reserved(name, len))
    return lh_error_set(err, LH_E_INVALID, "headers: %.*s is reserved", (int)len, name);
  return LH_OK;
}

int lh_header_field_check(const char *name, size_t name_len, const char *value, size_t value_len,
                          struct lh_error *err) {
  if (check_name(name, name_len, err) != LH_OK) return LH_E_INVALID;
  size_t visible = 0;
  for (size_t i = 0; i < value_len; i++) {
    unsigned char byte = (unsigned char)value[i];
    if ((byte < 0x20 && byte != '\t') || byte >= 0x7F)
      return lh_error_set(err, LH_E_INVALID,
                          "headers: the value of %.*s is not visible ASCII, spaces and tabs",
                          (int)name_len, name);
    visible += byte > 0x20;
  }
  if (visible == 0) /* would take a header away from the transport instead of adding one */
    return lh_error_set(err, LH_E_INVALID, "headers: the value of %.*s is empty", (int)name_len,
                        name);
  return LH_OK;
}

static int check_line(const char *headers, const char *line, size_t len, struct lh_error *err) {
  const char *colon = memchr(line, ':', len);
  if (colon == NULL)
    return lh_error_set(err, LH_E_INVALID, "headers: \"%.*s\" is not \"Name: value\"",
                        len < 80 ? (int)len : 80, line);
  size_t name_len = (size_t)(colon - line);
  if (is_repeated(headers, line, name_len))
    return lh_error_set(err, LH_E_INVALID, "headers: %.*s is given twice",
                        name_len < 80 ? (int)name_len : 80, line);
  return lh_header_field_check(line, name_len, colon + 1, len - name_len - 1, err);
}

int lh_header_check(const char *headers, struct lh_error *err) {
  if (strlen(headers) > LH_HEADERS_BYTES_MAX)
    return lh_error_set(err, LH_E_INVALID, "headers: more than %d bytes", LH_HEADERS_BYTES_MAX);
  for (const char *line = headers;;) {
    const char *end = strchr(line, '\n');
    size_t len = end == NULL ? strlen(line) : (size_t)(end - line);
    if (check_line(headers, line, len, err) != LH_OK) return LH_E_INVALID;
    if (end == NULL) return LH_OK;
    line = end + 1;
  }
}
