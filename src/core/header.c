/* The rules for custom headers of webhooks and calls, line by line. */
#include "core/header.h"

#include <string.h>
#include <strings.h>

#include "core/limits.h"

/* The connection's and the body's: nobody's but the transport's. */
static const char *const framing[] = {
    "connection", "content-length",    "expect",  "host", "keep-alive", "te",
    "trailer",    "transfer-encoding", "upgrade",
};

/* Beside those, of a webhook: ours, or the signature's. */
static const char *const reserved[] = {
    "content-encoding",  "content-type",        "nonce",
    "user-agent",        "webhook-id",          "webhook-signature",
    "webhook-timestamp", "x-zinrelo-signature",
};

static int is_token_character(char byte) {
  if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'))
    return 1;
  return byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

static int is_among(const char *const *names, size_t count, const char *name, size_t len) {
  for (size_t i = 0; i < count; i++)
    if (strlen(names[i]) == len && strncasecmp(name, names[i], len) == 0) return 1;
  return 0;
}

static int is_framing(const char *name, size_t len) {
  if (len >= 6 && strncasecmp(name, "proxy-", 6) == 0) return 1;
  return is_among(framing, sizeof framing / sizeof *framing, name, len);
}

static int is_reserved(const char *name, size_t len) {
  return is_framing(name, len) || is_among(reserved, sizeof reserved / sizeof *reserved, name, len);
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
  return LH_OK;
}

static int refuse_reserved(const char *name, size_t len, struct lh_error *err) {
  return lh_error_set(err, LH_E_INVALID, "headers: %.*s is reserved", (int)len, name);
}

static int check_value(const char *name, size_t name_len, const char *value, size_t value_len,
                       struct lh_error *err) {
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

int lh_header_field_check(const char *name, size_t name_len, const char *value, size_t value_len,
                          struct lh_error *err) {
  if (check_name(name, name_len, err) != LH_OK) return LH_E_INVALID;
  if (is_reserved(name, name_len)) return refuse_reserved(name, name_len, err);
  return check_value(name, name_len, value, value_len, err);
}

int lh_header_line_check(const char *line, size_t number, struct lh_error *err) {
  size_t name_len = strcspn(line, ":");
  size_t token_len = 0;
  while (token_len < name_len && is_token_character(line[token_len])) token_len++;
  if (token_len == 0 || line[token_len] != ':')
    return lh_error_set(err, LH_E_INVALID, "headers[%zu]: not \"Name: value\"", number);
  if (check_name(line, name_len, err) != LH_OK) return LH_E_INVALID;
  if (is_framing(line, name_len)) return refuse_reserved(line, name_len, err);
  return check_value(line, name_len, line + name_len + 1, strlen(line + name_len + 1), err);
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
