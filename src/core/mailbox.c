/* The form of mail addresses; why it is this narrow stands in the header. */
#include "core/mailbox.h"

#include <string.h>

#define LOCAL_MAX 64 /* RFC 5321 §4.5.3.1.1 */
#define LABEL_MAX 63 /* RFC 1035 §2.3.4 */

static int is_alphanumeric(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z');
}

static int is_atom_character(char byte) {
  return is_alphanumeric(byte) || (byte != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", byte) != NULL);
}

/* Words joined by single dots. */
static int is_dot_atom(const char *text, size_t len) {
  if (len == 0 || len > LOCAL_MAX || text[0] == '.' || text[len - 1] == '.') return 0;
  for (size_t i = 0; i < len; i++) {
    if (text[i] == '.' && text[i - 1] == '.') return 0;
    if (text[i] != '.' && !is_atom_character(text[i])) return 0;
  }
  return 1;
}

static int is_label(const char *text, size_t len) {
  if (len == 0 || len > LABEL_MAX || text[0] == '-' || text[len - 1] == '-') return 0;
  for (size_t i = 0; i < len; i++)
    if (!is_alphanumeric(text[i]) && text[i] != '-') return 0;
  return 1;
}

static int is_host(const char *text, size_t len) {
  const char *end = text + len;
  for (;;) {
    const char *dot = memchr(text, '.', (size_t)(end - text));
    if (!is_label(text, (size_t)((dot != NULL ? dot : end) - text))) return 0;
    if (dot == NULL) return 1;
    text = dot + 1;
  }
}

static int refuse(const char *address, size_t len, const char *why, struct lh_error *err) {
  int shown = len < 80 ? (int)len : 80;
  return lh_error_set(err, LH_E_INVALID, "'%.*s' is not a mail address: %s", shown, address, why);
}

int lh_mailbox_check(const char *address, size_t len, struct lh_error *err) {
  const char *at = memchr(address, '@', len);
  if (len > LH_MAILBOX_MAX) return refuse(address, len, "longer than 254 bytes", err);
  if (at == NULL) return refuse(address, len, "there is no @ in it", err);
  if (!is_dot_atom(address, (size_t)(at - address)))
    return refuse(address, len,
                  "what stands before the @ is not letters, digits and .!#$%&'*+-/=", err);
  if (!is_host(at + 1, len - (size_t)(at + 1 - address)))
    return refuse(address, len, "what stands after the @ is not a host name", err);
  return LH_OK;
}

int lh_mailbox_check_list(const char *joined, struct lh_error *err) {
  for (int count = 1;; count++) {
    const char *comma = strchr(joined, ',');
    size_t len = comma != NULL ? (size_t)(comma - joined) : strlen(joined);
    if (count > LH_NOTIFY_MAX)
      return lh_error_set(err, LH_E_LIMIT, "more than %d mail addresses", LH_NOTIFY_MAX);
    int rc = lh_mailbox_check(joined, len, err);
    if (rc != LH_OK || comma == NULL) return rc;
    joined = comma + 1;
  }
}
