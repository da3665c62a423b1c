/* See the header. */
#include "transport_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"

#define BODY_MAX (8 * 1024 * 1024)
#define STEPS_MAX 2000    /* of 50 ms */
#define ROUNDS_MAX 100000 /* of 1 ms */

struct wire_post wire_to(const char *url, size_t body_len, int32_t timeout_ms) {
  static char body[BODY_MAX];
  assert_true(body_len <= sizeof body);
  if (!body[0]) memset(body, 'x', sizeof body);
  return (struct wire_post){
      .url = url, .body = body, .body_len = body_len, .timeout_ms = timeout_ms};
}

struct lh_transport *wire_open(struct lh_transport_options options, const char *network,
                               const struct lh_clock *clock) {
  struct lh_network allowed;
  struct lh_error err = {0};
  if (network) {
    assert_int_equal(lh_network_parse(network, strlen(network), &allowed, &err), 0);
    options.networks = &allowed;
    options.network_count = 1;
  }
  struct lh_transport *transport = NULL;
  if (lh_transport_curl_open(&options, clock, &transport, &err)) fail_msg("%s", err.message);
  return transport;
}

void wire_start(struct lh_transport *transport, struct wire_post post, struct wire_result *result) {
  static const char *const headers[] = {"Content-Type: application/json", "nonce: 1640796461000",
                                        "X-Custom: a b"};
  struct lh_error err = {0};
  struct lh_post full = {
      .url = post.url,
      .headers = headers,
      .header_count = sizeof headers / sizeof *headers,
      .body = post.body,
      .body_len = post.body_len,
      .timeout_ms = post.timeout_ms,
      .connect_timeout_ms = post.timeout_ms < 5000 ? post.timeout_ms : 5000,
      .exempt = post.exempt,
      .tag = result,
  };
  memset(result, 0, sizeof *result);
  if (transport->ops->start(transport, &full, &err)) fail_msg("%s: %s", post.url, err.message);
}

void wire_call_start(struct lh_transport *transport, struct lh_call call, int32_t timeout_ms,
                     struct wire_call *out) {
  struct lh_error err = {0};
  memset(out, 0, sizeof *out);
  out->room = LH_CALL_ANSWERS_MAX;
  out->answer.room = &out->room;
  call.timeout_ms = timeout_ms;
  call.connect_timeout_ms = timeout_ms < 5000 ? timeout_ms : 5000;
  if (call.answer_bytes_max == 0) call.answer_bytes_max = LH_CALL_ANSWER_DEFAULT;
  call.answer = &out->answer;
  call.tag = &out->result;
  if (transport->ops->call(transport, &call, &err)) fail_msg("%s: %s", call.url, err.message);
}

void wire_call_clear(struct wire_call *call) {
  size_t held = call->answer.headers.len + call->answer.body.len;
  assert_int_equal(call->room, LH_CALL_ANSWERS_MAX - (int64_t)held); /* what it holds is counted */
  lh_buffer_free(&call->answer.headers);
  lh_buffer_free(&call->answer.body);
}

const char *wire_call_header(const struct wire_call *call, const char *name) {
  const char *at = call->answer.headers.at, *end = at + call->answer.headers.len;
  while (at < end) {
    const char *value = at + strlen(at) + 1;
    if (strcmp(at, name) == 0) return value;
    at = value + strlen(value) + 1;
  }
  return NULL;
}

static void keep(const struct lh_post_result *from) {
  struct wire_result *result = from->tag;
  assert_int_equal(result->done, 0); /* a POST ends once */
  size_t len =
      from->response_len < sizeof result->response ? from->response_len : sizeof result->response;
  result->done = 1;
  result->outcome = from->outcome;
  result->status = from->status;
  result->uploaded = from->uploaded;
  result->sent = from->sent;
  result->duration_ms = from->duration_ms;
  result->retry_after_ms = from->retry_after_ms;
  result->response_len = from->response_len;
  if (len > 0) memcpy(result->response, from->response, len);
  snprintf(result->error, sizeof result->error, "%s", from->error);
}

void wire_step(struct lh_transport *transport) {
  struct lh_post_result results[8];
  size_t count = transport->ops->poll(transport, 50, NULL, 0, results, 8);
  for (size_t i = 0; i < count; i++) keep(&results[i]);
}

void wire_finish(struct lh_transport *transport) {
  for (int i = 0; i < STEPS_MAX && transport->ops->in_flight(transport) > 0; i++)
    wire_step(transport);
  assert_int_equal(transport->ops->in_flight(transport), 0);
}

void wire_finish_all(struct lh_transport **transports, size_t count) {
  size_t busy = count;
  for (int i = 0; i < ROUNDS_MAX && busy > 0; i++) {
    busy = 0;
    for (size_t k = 0; k < count; k++) {
      struct lh_post_result results[8];
      size_t found = transports[k]->ops->poll(transports[k], k == 0, NULL, 0, results, 8);
      for (size_t j = 0; j < found; j++) keep(&results[j]);
      busy += transports[k]->ops->in_flight(transports[k]) > 0;
    }
  }
  assert_int_equal(busy, 0);
}

struct wire_result wire_post(struct lh_transport *transport, struct wire_post post) {
  struct wire_result result;
  wire_start(transport, post, &result);
  wire_finish(transport);
  return result;
}
