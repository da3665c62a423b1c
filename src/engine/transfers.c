/*
** Memory of attempts: nothing is allocated per attempt once the worker is
** warm, and what it keeps is bounded. A body's memory is lent for the time of
** the exchange only, so that results waiting for a full disk hold no bodies.
*/
#include "engine/parts.h"

#include <assert.h>
#include <stdlib.h>

int lh_transfers_init(struct lh_transfers *transfers, size_t cap) {
  *transfers = (struct lh_transfers){.cap = cap};
  transfers->shown = calloc(cap, sizeof(struct lh_transfer *));
  transfers->flying = calloc(cap, sizeof(struct lh_transfer *));
  transfers->kept = calloc(cap, sizeof *transfers->kept);
  if (!transfers->shown || !transfers->flying || !transfers->kept) {
    lh_transfers_clear(transfers);
    return LH_E_MEMORY;
  }
  return 0;
}

void lh_transfer_clear(struct lh_transfer *transfer) {
  lh_buffer_free(&transfer->buffer);
  lh_buffer_free(&transfer->lines);
  lh_buffer_free(&transfer->texts);
  free(transfer->headers);
}

static void list_free(struct lh_transfer *transfer) {
  while (transfer) {
    struct lh_transfer *next = transfer->next;
    lh_transfer_clear(transfer);
    free(transfer);
    transfer = next;
  }
}

void lh_transfers_clear(struct lh_transfers *transfers) {
  assert(transfers->flying_count == 0);
  assert(transfers->shown_count == 0);
  list_free(transfers->unused);
  list_free(transfers->told);
  for (size_t i = 0; i < transfers->kept_count; i++) lh_buffer_free(&transfers->kept[i]);
  free(transfers->shown);
  free(transfers->flying);
  free(transfers->kept);
  *transfers = (struct lh_transfers){0};
}

static void body_take(struct lh_transfers *transfers, struct lh_transfer *transfer) {
  assert(!transfer->buffer.at);
  if (transfers->kept_count == 0) return;
  struct lh_buffer *buffer = &transfers->kept[--transfers->kept_count];
  transfers->kept_bytes -= buffer->cap;
  transfer->buffer = *buffer;
  *buffer = (struct lh_buffer){0};
}

void lh_transfers_drop_body(struct lh_transfers *transfers, struct lh_transfer *transfer) {
  struct lh_buffer *buffer = &transfer->buffer;
  transfer->body = (struct lh_slice){0};
  if (!buffer->at) return;
  if (transfers->kept_count < transfers->cap &&
      transfers->kept_bytes + buffer->cap <= (size_t)LH_BUFFERS_KEPT_BYTES) {
    buffer->len = 0;
    transfers->kept_bytes += buffer->cap;
    transfers->kept[transfers->kept_count++] = *buffer;
    *buffer = (struct lh_buffer){0};
  } else {
    lh_buffer_free(buffer);
  }
  assert(!buffer->at);
}

/* Slot shown[shown_count] may hold one that was begun and not ended: it is begun again. */
struct lh_transfer *lh_transfers_next(struct lh_transfers *transfers) {
  assert(transfers->shown_count < transfers->cap);
  struct lh_transfer **slot = &transfers->shown[transfers->shown_count];
  if (*slot) return *slot;
  struct lh_transfer *transfer = transfers->unused;
  if (transfer)
    transfers->unused = transfer->next;
  else
    transfer = calloc(1, sizeof *transfer);
  if (!transfer) return NULL;
  transfer->next = NULL;
  body_take(transfers, transfer);
  *slot = transfer;
  return transfer;
}

static void put_unused(struct lh_transfers *transfers, struct lh_transfer *transfer) {
  lh_transfers_drop_body(transfers, transfer);
  transfer->next = transfers->unused;
  transfers->unused = transfer;
}

void lh_transfers_forget_shown(struct lh_transfers *transfers, size_t keep) {
  assert(keep <= transfers->shown_count);
  for (size_t i = keep; i < transfers->cap && transfers->shown[i]; i++) {
    put_unused(transfers, transfers->shown[i]);
    transfers->shown[i] = NULL;
  }
  transfers->shown_count = keep;
}

void lh_transfers_fly(struct lh_transfers *transfers, struct lh_transfer *transfer) {
  assert(transfers->flying_count < transfers->cap);
  transfer->place = transfers->flying_count;
  transfers->flying[transfers->flying_count++] = transfer;
  transfers->flying_bytes += (int64_t)transfer->body.len;
}

void lh_transfers_land(struct lh_transfers *transfers, struct lh_transfer *transfer) {
  assert(transfers->flying_count > 0);
  assert(transfers->flying[transfer->place] == transfer);
  struct lh_transfer *last = transfers->flying[--transfers->flying_count];
  transfers->flying[transfer->place] = last;
  last->place = transfer->place;
  transfers->flying[transfers->flying_count] = NULL;
  transfers->flying_bytes -= (int64_t)transfer->body.len;
  assert(transfers->flying_bytes >= 0);
  lh_transfers_drop_body(transfers, transfer);
}

void lh_transfers_tell(struct lh_transfers *transfers, struct lh_transfer *transfer) {
  transfer->next = transfers->told;
  transfers->told = transfer;
}

void lh_transfers_recycle(struct lh_transfers *transfers) {
  while (transfers->told) {
    struct lh_transfer *transfer = transfers->told;
    transfers->told = transfer->next;
    put_unused(transfers, transfer);
  }
}

int lh_transfer_start(struct lh_transport *transport, struct lh_transfer *transfer,
                      struct lh_error *err) {
  const struct lh_webhook *webhook = &transfer->lease.target->webhook;
  const struct lh_post post = {
      .url = webhook->url,
      .headers = transfer->headers,
      .header_count = transfer->header_count,
      .body = transfer->body.at,
      .body_len = transfer->body.len,
      .timeout_ms = webhook->timeout_ms,
      .connect_timeout_ms = LH_CONNECT_TIMEOUT_MS,
      .tag = transfer,
  };
  return transport->ops->start(transport, &post, err);
}
