/*
** One attempt that a person asks for, to see whether a webhook works: made like
** any other, but nothing of it is stored and it counts nowhere.
*/
#include "engine/parts.h"

static int build(struct lh_transfer *transfer, const struct lh_clock *clock,
                 const struct lh_event *event, struct lh_error *err) {
  int64_t now_ms = clock->wall_ms(clock->self);
  int code = lh_envelope_begin(&transfer->buffer);
  if (code == 0) code = lh_envelope_add(&transfer->buffer, event);
  if (code == 0)
    code =
        lh_envelope_end(&transfer->buffer, &transfer->lease.request_id, 1, now_ms, &transfer->body);
  if (code != 0) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  return lh_headers_build(transfer, now_ms, err);
}

static int wait(struct lh_transport *transport, struct lh_post_result *answer,
                struct lh_error *err) {
  while (transport->ops->in_flight(transport) > 0)
    if (transport->ops->poll(transport, LH_SAFETY_TIMER_MS, NULL, 0, answer, 1) > 0) return 0;
  return lh_error_set(err, LH_E_IO, "the transport lost the request");
}

int lh_engine_probe(struct lh_transport *transport, const struct lh_clock *clock,
                    struct lh_target *target, const struct lh_event *event, struct lh_probe *probe,
                    struct lh_error *err) {
  struct lh_transfer transfer = {
      .lease = {.request_id = probe->request_id, .attempt = 1, .count = 1, .target = target}};
  int code = build(&transfer, clock, event, err);
  if (code == 0) code = lh_transfer_start(transport, &transfer, err);
  if (code == 0) code = wait(transport, &probe->answer, err);
  if (code == 0)
    probe->delivered =
        lh_collector_judge(&probe->answer, target->webhook.success) == LH_INPUT_SUCCESS;
  lh_transfer_clear(&transfer);
  return code;
}
