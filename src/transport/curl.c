/*
** The libcurl transport: walks exchanges through one multi handle. Settings,
** the address guard, answers and verdicts stand in the neighbours named in
** exchange.h. Two of libcurl's habits shape this file: it may send a request
** again by itself (guard.c stops that), and a finished transfer's handle must
** leave the multi handle before its connection can be used by another.
**
** SIGPIPE: libcurl writes with MSG_NOSIGNAL, and CURLOPT_NOSIGNAL keeps it
** from touching the process's signals; the program around it ignores SIGPIPE
** all the same (the worker does), for TLS libraries that write by themselves.
** libcurl's name lookups run in threads of their own, which may outlive
** lh_transport's close: the module must never be unloaded.
*/
#include "transport/exchange.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POLL_FDS_MAX 16
#define POLL_RECOVERY_MS 50 /* pause when poll() itself fails, so that a shortage does not spin */

static int flying_reserve(struct lh_curl *self) {
  if (self->flying_count < self->flying_cap) return 0;
  size_t cap = self->flying_cap ? self->flying_cap * 2 : 16;
  struct lh_exchange **flying = realloc(self->flying, cap * sizeof *flying);
  if (!flying) return LH_E_MEMORY;
  self->flying = flying;
  self->flying_cap = cap;
  return 0;
}

static int64_t now_ms(const struct lh_curl *self) {
  return self->clock->monotonic_ms(self->clock->self);
}

/* Idle connections are what connections_max bounds; libcurl counts the busy ones too. */
static void connections_bound(struct lh_curl *self) {
  size_t max = self->connections_max + self->flying_count;
  (void)curl_multi_setopt(self->multi, CURLMOPT_MAXCONNECTS, (long)max);
}

static void mails_forget(struct lh_curl *self, const struct lh_exchange *exchange) {
  for (size_t i = 0; i < self->mail_count; i++) {
    if (self->mails[i] != exchange) continue;
    self->mails[i] = self->mails[--self->mail_count];
    return;
  }
}

static void land(struct lh_curl *self, struct lh_exchange *exchange) {
  assert(self->flying[exchange->place] == exchange);
  if (exchange->talk) mails_forget(self, exchange);
  (void)curl_multi_remove_handle(self->multi, exchange->easy);
  struct lh_exchange *last = self->flying[--self->flying_count];
  self->flying[exchange->place] = last;
  last->place = exchange->place;
  if (exchange->answered && !exchange->call) self->answered_count--;
}

static void finish(struct lh_curl *self, struct lh_exchange *exchange, CURLcode code) {
  exchange->finished_ms = now_ms(self);
  if (exchange->talk)
    lh_mail_judge(exchange, code);
  else if (exchange->call)
    lh_call_judge(exchange, code);
  else
    lh_verdict_reach(exchange, code);
  land(self, exchange);
  lh_queue_put(&self->done, exchange);
}

/* ---- start */

static void exchange_begin(struct lh_exchange *exchange, const struct lh_post *post, int64_t now) {
  exchange->next = NULL;
  exchange->tag = post->tag;
  exchange->body_len = (int64_t)post->body_len;
  exchange->exempt = post->exempt;
  exchange->started_ms = now;
  exchange->read_until_ms = 0;
  exchange->sends = 0;
  exchange->socket_errno = 0;
  exchange->socket_family = 0;
  exchange->stop = LH_STOP_NONE;
  exchange->answered = 0;
  exchange->answer = (struct lh_answer){0};
  exchange->header_bytes = 0;
  exchange->read_bytes = 0;
  exchange->response_len = 0;
  exchange->outcome = LH_OUTCOME_LOCAL;
  exchange->uploaded = 0;
  exchange->detail[0] = '\0';
  exchange->error[0] = '\0';
}

static int fly(struct lh_curl *self, struct lh_exchange *exchange, struct lh_error *err) {
  if (flying_reserve(self)) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  CURLMcode code = curl_multi_add_handle(self->multi, exchange->easy);
  if (code == CURLM_OUT_OF_MEMORY) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  if (code)
    return lh_error_set(err, LH_E_SHORTAGE, "transfer does not start: %s",
                        curl_multi_strerror(code));
  exchange->place = self->flying_count;
  self->flying[self->flying_count++] = exchange;
  self->fresh_count++;
  connections_bound(self);
  return 0;
}

/* What a POST and a call have in common; the exchange is put back if it does not start. */
static int launch(struct lh_curl *self, struct lh_exchange *exchange, const struct lh_post *post,
                  int https, struct lh_error *err) {
  exchange_begin(exchange, post, now_ms(self));
  if (!https && !self->allow_http && !post->exempt) {
    exchange->stop = LH_STOP_SCHEME;
    exchange->outcome = LH_OUTCOME_BLOCKED;
    memcpy(exchange->error, LH_URL_PLAIN, sizeof LH_URL_PLAIN);
    exchange->finished_ms = exchange->started_ms;
    lh_queue_put(&self->done, exchange);
    return 0;
  }
  int rc = lh_options_apply(exchange, post, err);
  if (!rc) rc = fly(self, exchange, err);
  if (rc) lh_pool_put(self, exchange);
  return rc;
}

static int transport_start(struct lh_transport *transport, const struct lh_post *post,
                           struct lh_error *err) {
  struct lh_curl *self = (struct lh_curl *)transport;
  struct lh_exchange *exchange;
  int https;
  int rc = lh_url_inspect(post->url, LH_URL_MAX, &https, err);
  if (!rc) rc = lh_pool_take(self, &exchange, err);
  return rc ? rc : launch(self, exchange, post, https, err);
}

static int transport_call(struct lh_transport *transport, const struct lh_call *call,
                          struct lh_error *err) {
  struct lh_curl *self = (struct lh_curl *)transport;
  struct lh_exchange *exchange;
  struct lh_post post;
  int https;
  int rc = lh_url_inspect(call->url, LH_CALL_URL_MAX, &https, err);
  if (!rc) rc = lh_call_new(self, call, &exchange, &post, err);
  return rc ? rc : launch(self, exchange, &post, https, err);
}

static int transport_mail(struct lh_transport *transport, const struct lh_mail *mail,
                          struct lh_error *err) {
  struct lh_curl *self = (struct lh_curl *)transport;
  struct lh_exchange *exchange;
  if (self->mail_count == LH_MAILS_IN_FLIGHT_MAX)
    return lh_error_set(err, LH_E_LIMIT, "mail: %d are under way", LH_MAILS_IN_FLIGHT_MAX);
  int rc = lh_mail_new(self, mail, &exchange, err);
  if (rc) return rc;
  rc = fly(self, exchange, err);
  if (rc)
    lh_pool_put(self, exchange);
  else
    self->mails[self->mail_count++] = exchange;
  return rc;
}

/* ---- poll */

static void collect(struct lh_curl *self) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(self->multi, &left))) {
    if (message->msg != CURLMSG_DONE) continue;
    char *private = NULL;
    CURLcode code = message->data.result;
    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
    struct lh_exchange *exchange = (void *)private;
    assert(exchange && exchange->easy == message->easy_handle);
    if (exchange->talk && !code && lh_mail_connected(exchange)) continue; /* it begins to talk */
    finish(self, exchange, code);
  }
}

/* Of an answered POST, the body is only a log: starts the clock for it, and ends what is late. */
static void end_late(struct lh_curl *self, int64_t now) {
  size_t i = 0;
  while (i < self->flying_count) {
    struct lh_exchange *exchange = self->flying[i++];
    if (!exchange->answered || exchange->call) continue;
    if (!exchange->read_until_ms) {
      /* of an error status libcurl sends no more of the body */
      if (exchange->answer.status >= 300 || lh_answer_uploaded(exchange))
        exchange->read_until_ms = now + LH_RESPONSE_READ_MS;
      continue;
    }
    if (now < exchange->read_until_ms) continue;
    exchange->stop = LH_STOP_ANSWER_LATE;
    finish(self, exchange, CURLE_OK);
    i--; /* the last one stands here now */
  }
}

static void move_mails_on(struct lh_curl *self, int64_t now) {
  size_t i = 0;
  while (i < self->mail_count) {
    struct lh_exchange *exchange = self->mails[i];
    if (lh_mail_move_on(exchange, now))
      finish(self, exchange, CURLE_OK); /* the last one stands here now */
    else
      i++;
  }
}

static void move_on(struct lh_curl *self) {
  int running;
  self->fresh_count = 0;
  (void)curl_multi_perform(self->multi, &running); /* its errors show in the transfers */
  collect(self);
  if (self->mail_count > 0) move_mails_on(self, now_ms(self));
  if (self->answered_count > 0) end_late(self, now_ms(self));
}

static int wait_ms(const struct lh_curl *self, int timeout_ms) {
  if (timeout_ms < 0) return 0;
  if (self->answered_count == 0 && self->mail_count == 0) return timeout_ms;
  int64_t now = now_ms(self);
  int64_t wait = timeout_ms;
  for (size_t i = 0; i < self->mail_count; i++)
    if (self->mails[i]->talk->until_ms - now < wait) wait = self->mails[i]->talk->until_ms - now;
  for (size_t i = 0; i < self->flying_count; i++) {
    int64_t until = self->flying[i]->read_until_ms;
    if (until && until - now < wait) wait = until - now;
  }
  return wait > 0 ? (int)wait : 0;
}

static void wait(struct lh_curl *self, int timeout_ms, const int *fds, size_t fd_count) {
  struct curl_waitfd extra[POLL_FDS_MAX + LH_MAILS_IN_FLIGHT_MAX];
  unsigned count = 0;
  assert(fd_count <= POLL_FDS_MAX);
  for (size_t i = 0; i < fd_count; i++)
    extra[count++] = (struct curl_waitfd){.fd = fds[i], .events = CURL_WAIT_POLLIN};
  for (size_t i = 0; i < self->mail_count; i++)
    if (self->mails[i]->talk->socket != CURL_SOCKET_BAD)
      extra[count++] = lh_mail_waits(self->mails[i]);
  CURLMcode code = curl_multi_poll(self->multi, extra, count, timeout_ms, NULL);
  if (code && timeout_ms > 0) {
    /* poll() refuses more descriptors than the process may open, or has no memory */
    struct pollfd only[POLL_FDS_MAX];
    for (size_t i = 0; i < fd_count; i++) only[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    (void)poll(only, fd_count, timeout_ms < POLL_RECOVERY_MS ? timeout_ms : POLL_RECOVERY_MS);
  }
}

static enum lh_exchange_kind kind_of(const struct lh_exchange *exchange) {
  if (exchange->talk) return LH_EXCHANGE_MAIL;
  return exchange->call ? LH_EXCHANGE_CALL : LH_EXCHANGE_POST;
}

static void result_fill(struct lh_post_result *result, const struct lh_exchange *exchange) {
  int answered = exchange->outcome == LH_OUTCOME_ANSWERED || (exchange->call && exchange->answered);
  *result = (struct lh_post_result){
      .tag = exchange->tag,
      .kind = kind_of(exchange),
      .verdict = exchange->verdict,
      .stage = exchange->stage,
      .outcome = exchange->outcome,
      .status = answered ? exchange->answer.status : 0,
      .sent = exchange->sends > 0,
      .uploaded = exchange->uploaded,
      .duration_ms = exchange->finished_ms - exchange->started_ms,
      .retry_after_ms = answered ? exchange->answer.retry_after_ms : 0,
      .response = exchange->response,
      .response_len = answered ? exchange->response_len : 0,
      .error = exchange->error,
  };
}

static size_t transport_poll(struct lh_transport *transport, int timeout_ms, const int *fds,
                             size_t fd_count, struct lh_post_result *results, size_t results_max) {
  struct lh_curl *self = (struct lh_curl *)transport;
  lh_pool_recycle(self);
  /* what was just started has no socket to wait for yet */
  if (self->fresh_count > 0 || self->done.count > 0) move_on(self);
  if (self->done.count == 0) {
    wait(self, wait_ms(self, timeout_ms), fds, fd_count);
    move_on(self);
  }
  size_t count = 0;
  while (count < results_max && self->done.count > 0) {
    struct lh_exchange *exchange = lh_queue_take(&self->done);
    result_fill(&results[count++], exchange);
    lh_pool_show(self, exchange);
  }
  return count;
}

/* ---- cancel, in_flight, close, open */

static int is_unsent(const struct lh_exchange *exchange) {
  if (exchange->talk) return !lh_smtp_may_have_arrived(&exchange->talk->smtp);
  return exchange->sends == 0;
}

static int cancel_done(struct lh_curl *self, void *tag) {
  int unsent = -1;
  size_t count = self->done.count;
  for (size_t i = 0; i < count; i++) {
    struct lh_exchange *exchange = lh_queue_take(&self->done);
    if (unsent < 0 && exchange->tag == tag) {
      unsent = is_unsent(exchange);
      lh_pool_put(self, exchange);
    } else {
      lh_queue_put(&self->done, exchange);
    }
  }
  return unsent < 0 ? 0 : unsent;
}

static int transport_cancel(struct lh_transport *transport, void *tag) {
  struct lh_curl *self = (struct lh_curl *)transport;
  for (size_t i = 0; i < self->flying_count; i++) {
    struct lh_exchange *exchange = self->flying[i];
    if (exchange->tag != tag) continue;
    int unsent = is_unsent(exchange);
    land(self, exchange);
    lh_pool_put(self, exchange);
    return unsent;
  }
  return cancel_done(self, tag);
}

static size_t transport_in_flight(const struct lh_transport *transport) {
  const struct lh_curl *self = (const struct lh_curl *)transport;
  return self->flying_count + self->done.count;
}

void lh_curl_close(struct lh_transport *transport) {
  if (!transport) return;
  struct lh_curl *self = (struct lh_curl *)transport;
  while (self->flying_count > 0) {
    struct lh_exchange *exchange = self->flying[0];
    land(self, exchange);
    lh_pool_put(self, exchange);
  }
  lh_pool_free(self);
  if (self->multi) (void)curl_multi_cleanup(self->multi);
  free(self->flying);
  free(self->networks);
  free(self->ca_file);
  free(self);
}

const struct lh_transport_ops lh_curl_ops = {
    .start = transport_start,
    .call = transport_call,
    .mail = transport_mail,
    .poll = transport_poll,
    .cancel = transport_cancel,
    .in_flight = transport_in_flight,
    .close = lh_curl_close,
};
