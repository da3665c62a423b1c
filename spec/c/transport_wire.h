/* Driving a transport in tests: start POSTs or calls, step until they are done, copy results. */
#ifndef LH_SPEC_TRANSPORT_WIRE_H
#define LH_SPEC_TRANSPORT_WIRE_H

#include "transport/transport.h"

struct wire_post {
  const char *url;
  const char *body;
  size_t body_len;
  int32_t timeout_ms;
  int exempt;
};

/* A body of `body_len` times "x", at most 8 MiB. */
struct wire_post wire_to(const char *url, size_t body_len, int32_t timeout_ms);

struct wire_result {
  int done;
  enum lh_outcome outcome;
  int status;
  int uploaded;
  int sent;
  int64_t duration_ms;
  int64_t retry_after_ms;
  size_t response_len;
  char response[64];
  char error[400];
};

/* One call, its result and its answer. */
struct wire_call {
  struct wire_result result;
  struct lh_call_answer answer;
  int64_t room;
};

/* Opens with these options plus one allowed network (NULL: none). Fails the test if it cannot. */
struct lh_transport *wire_open(struct lh_transport_options options, const char *network,
                               const struct lh_clock *clock);
/* The result's address is the tag; it is filled by a later step. */
void wire_start(struct lh_transport *transport, struct wire_post post, struct wire_result *result);
/*
** The same for a call; its timeouts, `answer` and `tag` are set here, answer_bytes_max too if it is
** 0. It must be cleared once it is done or cancelled.
*/
void wire_call_start(struct lh_transport *transport, struct lh_call call, int32_t timeout_ms,
                     struct wire_call *out);
void wire_call_clear(struct wire_call *call);
/* The value of a header of its answer, NULL if there is none. */
const char *wire_call_header(const struct wire_call *call, const char *name);
/* One poll of at most 50 ms. */
void wire_step(struct lh_transport *transport);
/* Steps until nothing is in flight. */
void wire_finish(struct lh_transport *transport);
void wire_finish_all(struct lh_transport **transports, size_t count);
struct wire_result wire_post(struct lh_transport *transport, struct wire_post post);

#endif
