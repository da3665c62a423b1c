/* What goes above the body (wire-format.md), line by line. */
#include "core/head.h"

#include <assert.h>
#include <string.h>

int lh_head_tags_fit(enum lh_scheme scheme, size_t tags_len) {
  if (scheme == LH_SCHEME_ZINRELO) return tags_len == LH_ZINRELO_TAG;
  return tags_len == LH_STANDARD_TAG || tags_len == LH_TAGS_MAX;
}

static int add(struct lh_buffer *lines, size_t *count, const char *name, const char *value) {
  int code = lh_buffer_add(lines, name, strlen(name));
  if (code == 0) code = lh_buffer_add(lines, ": ", 2);
  if (code == 0) code = lh_buffer_add(lines, value, strlen(value) + 1);
  (*count)++;
  return code;
}

static int add_zinrelo(const struct lh_head *head, struct lh_buffer *lines, size_t *count) {
  char signature[LH_ZINRELO_SIGNATURE_LEN + 1];
  lh_signature_text_zinrelo(head->tags, signature);
  int code = add(lines, count, "nonce", head->nonce);
  return code == 0 ? add(lines, count, "x-zinrelo-signature", signature) : code;
}

static int add_standard(const struct lh_head *head, struct lh_buffer *lines, size_t *count) {
  char id[LH_ID_LEN + 1];
  char signatures[LH_TAGS_MAX / LH_STANDARD_TAG * (LH_STANDARD_SIGNATURE_LEN + 1)];
  size_t len = 0;
  lh_id_format(head->request_id, id);
  for (size_t at = 0; at < head->tags_len; at += LH_STANDARD_TAG) {
    if (at > 0) signatures[len++] = ' ';
    lh_signature_text_standard(head->tags + at, signatures + len);
    len += LH_STANDARD_SIGNATURE_LEN;
  }
  int code = add(lines, count, "webhook-id", id);
  if (code == 0) code = add(lines, count, "webhook-timestamp", head->nonce);
  return code == 0 ? add(lines, count, "webhook-signature", signatures) : code;
}

static int add_custom(const char *custom, struct lh_buffer *lines, size_t *count) {
  while (custom && *custom) {
    const char *end = strchr(custom, '\n');
    size_t len = end ? (size_t)(end - custom) : strlen(custom);
    int code = lh_buffer_add(lines, custom, len);
    if (code == 0) code = lh_buffer_add(lines, "", 1);
    if (code != 0) return code;
    (*count)++;
    custom = end ? end + 1 : NULL;
  }
  return 0;
}

int lh_head_write(const struct lh_head *head, struct lh_buffer *lines, size_t *count) {
  assert(lh_head_tags_fit(head->scheme, head->tags_len));
  int code = add(lines, count, "Content-Type", "application/json");
  if (code == 0)
    code = head->scheme == LH_SCHEME_STANDARD ? add_standard(head, lines, count)
                                              : add_zinrelo(head, lines, count);
  return code == 0 ? add_custom(head->custom, lines, count) : code;
}
