/*
** What goes above the body: nonce, signature and header lines of one attempt
** (wire-format.md). Called after the lease has committed, just before the
** transport gets it, so that the nonce is the time of sending.
*/
#include "engine/parts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_HEADERS 4

/*
** Now, unless the clock stands or stepped back a little since this request's
** last nonce. After a long step back now is different anyway, and staying
** ahead of the clock would put the nonce outside the receiver's tolerance.
*/
int64_t lh_headers_nonce(struct lh_engine *engine, int64_t request, int64_t now_ms) {
  struct lh_nonce_memory *memory = &engine->nonces[(uint64_t)request % LH_NONCE_MEMORY];
  int64_t nonce_ms = now_ms;
  if (memory->request == request && nonce_ms <= memory->nonce_ms &&
      memory->nonce_ms - nonce_ms < LH_NONCE_AHEAD_MS)
    nonce_ms = memory->nonce_ms + 1;
  *memory = (struct lh_nonce_memory){.request = request, .nonce_ms = nonce_ms};
  return nonce_ms;
}

static int line_add(struct lh_transfer *transfer, const char *name, const char *value) {
  struct lh_buffer *lines = &transfer->lines;
  int code = lh_buffer_add(lines, name, strlen(name));
  if (code == 0) code = lh_buffer_add(lines, ": ", 2);
  if (code == 0) code = lh_buffer_add(lines, value, strlen(value) + 1);
  transfer->header_count++;
  return code;
}

static int zinrelo_add(struct lh_transfer *transfer, struct lh_error *err) {
  char signature[LH_ZINRELO_SIGNATURE_LEN + 1];
  int code = lh_signature_sign_zinrelo(transfer->lease.target->keys[0], transfer->body.at,
                                       transfer->body.len, transfer->nonce, signature, err);
  if (code == 0) code = line_add(transfer, "nonce", transfer->nonce);
  if (code == 0) code = line_add(transfer, "x-zinrelo-signature", signature);
  return code;
}

/* During a rotation both secrets sign; receivers accept either. */
static int standard_add(struct lh_transfer *transfer, int64_t nonce_ms, struct lh_error *err) {
  struct lh_hmac_key *const *keys = transfer->lease.target->keys;
  char id[LH_ID_LEN + 1];
  lh_id_format(&transfer->lease.request_id, id);
  char signatures[LH_SIGNATURE_VALUE_MAX];
  size_t len = 0;
  for (size_t i = 0; i < 2 && keys[i]; i++) {
    if (i > 0) signatures[len++] = ' ';
    const struct lh_piece body = {transfer->body.at, transfer->body.len};
    int code =
        lh_signature_sign_standard(keys[i], id, nonce_ms / 1000, &body, signatures + len, err);
    if (code != 0) return code;
    len += LH_STANDARD_SIGNATURE_LEN;
  }
  int code = line_add(transfer, "webhook-id", id);
  if (code == 0) code = line_add(transfer, "webhook-timestamp", transfer->nonce);
  if (code == 0) code = line_add(transfer, "webhook-signature", signatures);
  return code;
}

static int custom_add(struct lh_transfer *transfer, const char *headers) {
  while (headers && *headers) {
    const char *end = strchr(headers, '\n');
    size_t len = end ? (size_t)(end - headers) : strlen(headers);
    int code = lh_buffer_add(&transfer->lines, headers, len);
    if (code == 0) code = lh_buffer_add(&transfer->lines, "", 1);
    if (code != 0) return code;
    transfer->header_count++;
    headers = end ? end + 1 : NULL;
  }
  return 0;
}

/* Only now, because `lines` may have moved while it grew. */
static int lines_point(struct lh_transfer *transfer) {
  if (transfer->header_count > transfer->header_cap) {
    size_t cap = transfer->header_count + OWN_HEADERS;
    const char **headers = realloc(transfer->headers, cap * sizeof *headers);
    if (!headers) return LH_E_MEMORY;
    transfer->headers = headers;
    transfer->header_cap = cap;
  }
  const char *line = transfer->lines.at;
  for (size_t i = 0; i < transfer->header_count; i++) {
    transfer->headers[i] = line;
    line += strlen(line) + 1;
  }
  assert(line == transfer->lines.at + transfer->lines.len);
  return 0;
}

int lh_headers_build(struct lh_transfer *transfer, int64_t nonce_ms, struct lh_error *err) {
  const struct lh_target *target = transfer->lease.target;
  assert(target->keys[0]); /* an unreadable secret pauses its webhook instead of leasing */
  int standard = target->webhook.scheme == LH_SCHEME_STANDARD;
  snprintf(transfer->nonce, sizeof transfer->nonce, "%" PRId64,
           standard ? nonce_ms / 1000 : nonce_ms);
  transfer->lines.len = 0;
  transfer->header_count = 0;
  int code = line_add(transfer, "Content-Type", "application/json");
  if (code == 0)
    code = standard ? standard_add(transfer, nonce_ms, err) : zinrelo_add(transfer, err);
  if (code == 0) code = custom_add(transfer, target->webhook.headers);
  if (code == 0) code = lines_point(transfer);
  if (code == LH_E_MEMORY) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  return code;
}
