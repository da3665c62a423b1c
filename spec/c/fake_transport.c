/* The network of tests: see fake_transport.h. */
#include "fake_transport.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct fake_endpoint *fake_network_endpoint(struct fake_network *network, const char *url) {
  for (size_t i = 0; i < network->endpoint_count; i++)
    if (strcmp(network->endpoints[i].url, url) == 0) return &network->endpoints[i];
  assert(network->endpoint_count < FAKE_ENDPOINTS_MAX);
  struct fake_endpoint *endpoint = &network->endpoints[network->endpoint_count++];
  *endpoint = (struct fake_endpoint){.answer_count = 0};
  assert(strlen(url) < sizeof endpoint->url);
  memcpy(endpoint->url, url, strlen(url) + 1);
  return endpoint;
}

void fake_endpoint_script_begin(struct fake_endpoint *endpoint) {
  endpoint->answer_count = 0;
  endpoint->next = 0;
  endpoint->given = 0;
}

void fake_endpoint_script_add(struct fake_endpoint *endpoint, const struct fake_answer *answer) {
  assert(endpoint->answer_count < FAKE_ANSWERS_MAX);
  endpoint->answers[endpoint->answer_count++] = *answer;
}

static struct fake_answer answer_next(struct fake_endpoint *endpoint) {
  if (endpoint->answer_count == 0)
    return (struct fake_answer){.outcome = LH_OUTCOME_ANSWERED, .status = 200, .uploaded = 1};
  struct fake_answer answer = endpoint->answers[endpoint->next];
  endpoint->given++;
  if (endpoint->given >= answer.times && endpoint->next + 1 < endpoint->answer_count) {
    endpoint->next++;
    endpoint->given = 0;
  }
  return answer;
}

static int64_t now_of(const struct fake_transport *transport) {
  return transport->network->clock->monotonic_ms;
}

static void flight_add(struct fake_transport *transport, const struct lh_post *post,
                       struct fake_endpoint *endpoint, struct fake_answer answer) {
  assert(transport->flight_count < FAKE_FLIGHTS_MAX);
  int64_t lasts_ms = answer.after_ms;
  if (answer.kind == FAKE_NEVER || lasts_ms >= post->timeout_ms) {
    lasts_ms = post->timeout_ms;
    answer.outcome = LH_OUTCOME_TIMEOUT;
    answer.status = 0;
  }
  int64_t now_ms = now_of(transport);
  transport->flights[transport->flight_count++] = (struct fake_flight){
      .post = *post,
      .endpoint = endpoint,
      .answer = answer,
      .started_ms = now_ms,
      .ends_ms = now_ms + lasts_ms,
  };
  endpoint->in_flight++;
  transport->bytes_now += (int64_t)post->body_len;
  if (transport->bytes_now > transport->bytes_max) transport->bytes_max = transport->bytes_now;
  if (transport->flight_count > transport->flights_max)
    transport->flights_max = transport->flight_count;
}

static int start(struct lh_transport *door, const struct lh_post *post, struct lh_error *err) {
  struct fake_transport *transport = (struct fake_transport *)door;
  struct fake_endpoint *endpoint = fake_network_endpoint(transport->network, post->url);
  struct fake_answer answer = answer_next(endpoint);
  if (answer.kind == FAKE_SHORTAGE)
    return lh_error_set(err, LH_E_SHORTAGE, "no descriptor is left");
  if (answer.kind == FAKE_UNUSABLE) return lh_error_set(err, LH_E_INVALID, "url: cannot be used");
  if (transport->network->sent && answer.outcome != LH_OUTCOME_LOCAL)
    transport->network->sent(transport->network->self, post);
  flight_add(transport, post, endpoint, answer);
  return 0;
}

static int mail(struct lh_transport *door, const struct lh_mail *mail, struct lh_error *err) {
  struct fake_transport *transport = (struct fake_transport *)door;
  if (transport->mail_code != 0)
    return lh_error_set(err, (enum lh_code)transport->mail_code, "no mail");
  assert(transport->flight_count < FAKE_FLIGHTS_MAX);
  int64_t now_ms = now_of(transport);
  transport->flights[transport->flight_count++] =
      (struct fake_flight){.post = {.tag = mail->tag},
                           .is_mail = 1,
                           .started_ms = now_ms,
                           .ends_ms = now_ms + transport->mail_after_ms};
  transport->mails++;
  return 0;
}

static int call(struct lh_transport *door, const struct lh_call *call, struct lh_error *err) {
  struct fake_transport *transport = (struct fake_transport *)door;
  struct fake_endpoint *endpoint = fake_network_endpoint(transport->network, call->url);
  struct fake_answer answer = answer_next(endpoint);
  const struct lh_post post = {
      .url = endpoint->url, .timeout_ms = call->timeout_ms, .tag = call->tag};
  if (answer.kind == FAKE_SHORTAGE)
    return lh_error_set(err, LH_E_SHORTAGE, "no descriptor is left");
  if (answer.kind == FAKE_UNUSABLE) return lh_error_set(err, LH_E_INVALID, "url: cannot be used");
  flight_add(transport, &post, endpoint, answer);
  struct fake_flight *flight = &transport->flights[transport->flight_count - 1];
  flight->is_call = 1;
  flight->call = *call;
  return 0;
}

static void flight_remove(struct fake_transport *transport, size_t place) {
  struct fake_flight *flight = &transport->flights[place];
  if (!flight->is_mail) flight->endpoint->in_flight--;
  transport->bytes_now -= (int64_t)flight->post.body_len;
  transport->flight_count--;
  memmove(flight, flight + 1, (transport->flight_count - place) * sizeof *flight);
}

static struct lh_post_result mail_result_of(const struct fake_transport *transport,
                                            const struct fake_flight *flight) {
  return (struct lh_post_result){.tag = flight->post.tag,
                                 .kind = LH_EXCHANGE_MAIL,
                                 .verdict = transport->mail_verdict,
                                 .status = 250,
                                 .duration_ms = flight->ends_ms - flight->started_ms,
                                 .error = "so it was told"};
}

static void buffer_put(struct lh_call_answer *answer, struct lh_buffer *buffer, const char *text,
                       size_t len) {
  int code = lh_buffer_add(buffer, text, len);
  assert(code == 0);
  (void)code;
  *answer->room -= (int64_t)len;
}

static void call_answer(struct lh_call_answer *out, const struct fake_answer *answer) {
  const char *value = answer->headers ? strstr(answer->headers, ": ") : NULL;
  if (value) {
    buffer_put(out, &out->headers, answer->headers, (size_t)(value - answer->headers));
    buffer_put(out, &out->headers, "", 1);
    buffer_put(out, &out->headers, value + 2, strlen(value + 2) + 1);
  }
  if (answer->body) buffer_put(out, &out->body, answer->body, strlen(answer->body));
}

static struct lh_post_result call_result_of(const struct fake_flight *flight) {
  const struct fake_answer *answer = &flight->answer;
  struct lh_post_result result = {
      .tag = flight->post.tag,
      .kind = LH_EXCHANGE_CALL,
      .outcome = answer->outcome,
      .status = answer->status,
      .sent = answer->outcome != LH_OUTCOME_LOCAL && answer->outcome != LH_OUTCOME_BLOCKED,
      .duration_ms = flight->ends_ms - flight->started_ms,
      .retry_after_ms = answer->retry_after_ms,
      .response = "",
      .error = answer->outcome == LH_OUTCOME_ANSWERED ? "" : lh_outcome_name(answer->outcome),
  };
  call_answer(flight->call.answer, answer);
  return result;
}

static struct lh_post_result result_of(const struct fake_transport *transport,
                                       const struct fake_flight *flight) {
  if (flight->is_mail) return mail_result_of(transport, flight);
  if (flight->is_call) return call_result_of(flight);
  const struct fake_answer *answer = &flight->answer;
  int answered = answer->outcome == LH_OUTCOME_ANSWERED;
  return (struct lh_post_result){
      .tag = flight->post.tag,
      .outcome = answer->outcome,
      .status = answered ? answer->status : 0,
      .sent = answered,
      .uploaded = answered && answer->uploaded,
      .duration_ms = flight->ends_ms - flight->started_ms,
      .retry_after_ms = answered ? answer->retry_after_ms : 0,
      .response = "",
      .error = answered ? "" : lh_outcome_name(answer->outcome),
  };
}

/* Never waits: the test moves the clock between steps. */
static size_t poll_now(struct lh_transport *door, int timeout_ms, const int *fds, size_t fd_count,
                       struct lh_post_result *results, size_t results_max) {
  struct fake_transport *transport = (struct fake_transport *)door;
  size_t count = 0, most = transport->trickles ? 1 : results_max;
  for (size_t i = 0; i < transport->flight_count && count < most;) {
    if (transport->flights[i].ends_ms > now_of(transport)) {
      i++;
      continue;
    }
    results[count++] = result_of(transport, &transport->flights[i]);
    flight_remove(transport, i);
  }
  transport->waited_ms = timeout_ms;
  transport->watched = fd_count;
  (void)fds;
  return count;
}

static int cancel(struct lh_transport *door, void *tag) {
  struct fake_transport *transport = (struct fake_transport *)door;
  for (size_t i = 0; i < transport->flight_count; i++) {
    if (transport->flights[i].post.tag != tag) continue;
    flight_remove(transport, i);
    return transport->unsent;
  }
  assert(transport->flight_count == SIZE_MAX); /* it does not fly */
  return 0;
}

static size_t in_flight(const struct lh_transport *door) {
  return ((const struct fake_transport *)door)->flight_count;
}

static void close_transport(struct lh_transport *door) {
  fake_transport_clear((struct fake_transport *)door);
}

static const struct lh_transport_ops ops = {
    .start = start,
    .call = call,
    .mail = mail,
    .poll = poll_now,
    .cancel = cancel,
    .in_flight = in_flight,
    .close = close_transport,
};

void fake_transport_init(struct fake_transport *transport, struct fake_network *network) {
  *transport = (struct fake_transport){.door = {.ops = &ops}, .network = network};
  transport->flights = calloc(FAKE_FLIGHTS_MAX, sizeof *transport->flights);
  assert(transport->flights);
}

void fake_transport_clear(struct fake_transport *transport) {
  free(transport->flights);
  transport->flights = NULL;
  transport->flight_count = 0;
}

int64_t fake_transport_next_ms(const struct fake_transport *transport) {
  int64_t next_ms = INT64_MAX;
  for (size_t i = 0; i < transport->flight_count; i++)
    if (transport->flights[i].ends_ms < next_ms) next_ms = transport->flights[i].ends_ms;
  return next_ms;
}
