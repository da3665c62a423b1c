/*
** Memory and lists of exchanges. Those of POSTs are made when first needed,
** kept for ever and never number more than were in flight at once. Calls and
** mails have one for themselves, so no setting of one is ever met by another.
*/
#include "transport/exchange.h"

#include <assert.h>
#include <stdlib.h>

static void exchange_free(struct lh_exchange *exchange) {
  if (exchange->easy) curl_easy_cleanup(exchange->easy);
  if (exchange->talk) lh_mail_free(exchange->talk);
  free(exchange->call);
  free(exchange->lines);
  free(exchange);
}

int lh_pool_new(struct lh_curl *owner, struct lh_exchange **out, struct lh_error *err) {
  struct lh_exchange *exchange = calloc(1, sizeof *exchange);
  if (!exchange) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  exchange->owner = owner;
  exchange->easy = curl_easy_init();
  int rc = exchange->easy ? lh_options_prepare(exchange, err)
                          : lh_error_set(err, LH_E_MEMORY, "out of memory");
  if (rc)
    exchange_free(exchange);
  else
    *out = exchange;
  return rc;
}

int lh_pool_take(struct lh_curl *owner, struct lh_exchange **out, struct lh_error *err) {
  struct lh_exchange *exchange = owner->unused;
  if (!exchange) return lh_pool_new(owner, out, err);
  owner->unused = exchange->next;
  *out = exchange;
  return 0;
}

void lh_pool_put(struct lh_curl *owner, struct lh_exchange *exchange) {
  if (exchange->talk || exchange->call) {
    exchange_free(exchange);
    return;
  }
  exchange->next = owner->unused;
  owner->unused = exchange;
}

void lh_pool_show(struct lh_curl *owner, struct lh_exchange *exchange) {
  exchange->next = owner->shown;
  owner->shown = exchange;
}

void lh_pool_recycle(struct lh_curl *owner) {
  while (owner->shown) {
    struct lh_exchange *exchange = owner->shown;
    owner->shown = exchange->next;
    lh_pool_put(owner, exchange);
  }
}

static void list_free(struct lh_exchange *exchange) {
  while (exchange) {
    struct lh_exchange *next = exchange->next;
    exchange_free(exchange);
    exchange = next;
  }
}

void lh_pool_free(struct lh_curl *owner) {
  assert(owner->flying_count == 0);
  list_free(owner->done.head);
  list_free(owner->shown);
  list_free(owner->unused);
}

void lh_queue_put(struct lh_exchange_queue *queue, struct lh_exchange *exchange) {
  exchange->next = NULL;
  *queue->tail = exchange;
  queue->tail = &exchange->next;
  queue->count++;
}

struct lh_exchange *lh_queue_take(struct lh_exchange_queue *queue) {
  struct lh_exchange *exchange = queue->head;
  assert(exchange && queue->count > 0);
  queue->head = exchange->next;
  if (!queue->head) queue->tail = &queue->head;
  queue->count--;
  return exchange;
}
