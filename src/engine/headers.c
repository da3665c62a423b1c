/*
** Nonce and signature of one attempt, and the header lines that core/head.h
** makes of them. Called after the lease has committed, just before the
** transport gets it, so that the nonce is the time of sending.
*/
#include "engine/parts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/head.h"

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

static int zinrelo_sign(struct lh_transfer *transfer, struct lh_error *err) {
  transfer->tags_len = LH_ZINRELO_TAG;
  return lh_signature_tag_zinrelo(transfer->lease.target->keys[0], transfer->body.at,
                                  transfer->body.len, transfer->nonce, transfer->tags, err);
}

/* During a rotation both secrets sign; receivers accept either. */
static int standard_sign(struct lh_transfer *transfer, int64_t nonce_ms, struct lh_error *err) {
  struct lh_hmac_key *const *keys = transfer->lease.target->keys;
  const struct lh_piece body = {transfer->body.at, transfer->body.len};
  char id[LH_ID_LEN + 1];
  lh_id_format(&transfer->lease.request_id, id);
  for (size_t i = 0; i < 2 && keys[i]; i++) {
    int code = lh_signature_tag_standard(keys[i], id, nonce_ms / 1000, &body,
                                         transfer->tags + transfer->tags_len, err);
    if (code != 0) return code;
    transfer->tags_len += LH_STANDARD_TAG;
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
  const struct lh_webhook *webhook = &transfer->lease.target->webhook;
  assert(transfer->lease.target->keys[0]); /* an unreadable secret pauses instead of leasing */
  int standard = webhook->scheme == LH_SCHEME_STANDARD;
  snprintf(transfer->nonce, sizeof transfer->nonce, "%" PRId64,
           standard ? nonce_ms / 1000 : nonce_ms);
  transfer->lines.len = 0;
  transfer->header_count = 0;
  transfer->tags_len = 0;
  int code = standard ? standard_sign(transfer, nonce_ms, err) : zinrelo_sign(transfer, err);
  if (code != 0) return code;
  const struct lh_head head = {.request_id = &transfer->lease.request_id,
                               .scheme = webhook->scheme,
                               .nonce = transfer->nonce,
                               .tags = transfer->tags,
                               .tags_len = transfer->tags_len,
                               .custom = webhook->headers};
  code = lh_head_write(&head, &transfer->lines, &transfer->header_count);
  if (code == 0) code = lines_point(transfer);
  return code == LH_E_MEMORY ? lh_error_set(err, LH_E_MEMORY, "out of memory") : code;
}
