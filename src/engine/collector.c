/*
** From the transport's answers to results for the store: what counts as a
** success (design §3.1), what is our own shortage, and keeping the texts until
** they are recorded, however many turns that takes.
*/
#include "engine/parts.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define POLL_RESULTS 64
#define LOOKS_MAX 4 /* for answers that came while others were taken in */

/* Without memory for the texts the result counts all the same: they are only a log. */
static void texts_keep(struct lh_transfer *transfer, struct lh_attempt_result *result,
                       const char *error, const char *response, size_t response_len) {
  struct lh_buffer *texts = &transfer->texts;
  size_t error_len = strlen(error);
  texts->len = 0;
  result->error = "";
  result->response = "";
  if (lh_buffer_add(texts, error, error_len) != 0) return;
  if (lh_buffer_add(texts, "", 1) != 0) return;
  if (response_len > 0 && lh_buffer_add(texts, response, response_len) == 0) {
    result->response = texts->at + error_len + 1;
    result->response_len = response_len;
  }
  result->error = texts->at;
}

static struct lh_attempt_result *result_add(struct lh_engine *engine, struct lh_transfer *transfer,
                                            enum lh_input_kind kind, enum lh_outcome outcome) {
  assert(engine->result_count < engine->concurrency);
  size_t place = engine->result_count++;
  engine->result_of[place] = transfer;
  struct lh_attempt_result *result = &engine->results[place];
  *result = (struct lh_attempt_result){
      .request = transfer->lease.request,
      .attempt = transfer->lease.attempt,
      .kind = kind,
      .outcome = outcome,
      .started_ms = transfer->started_ms,
      .ended_ms = engine->clock->wall_ms(engine->clock->self),
      .url = transfer->lease.target->webhook.url,
      .nonce = transfer->nonce,
      .tags = transfer->tags,
      .tags_len = transfer->tags_len,
      .revision = transfer->lease.target->revision,
  };
  return result;
}

/* Jitter only spreads load: without random bytes there is none. */
uint32_t lh_collector_jitter_ppm(const struct lh_clock *clock) {
  uint32_t random = 0;
  if (clock->random(clock->self, &random, sizeof random, NULL) != 0) return 0;
  return random % 1000001;
}

void lh_collector_end(struct lh_engine *engine, struct lh_transfer *transfer,
                      enum lh_input_kind kind, enum lh_outcome outcome, const char *error) {
  struct lh_attempt_result *result = result_add(engine, transfer, kind, outcome);
  result->duration_ms = kind == LH_INPUT_LOST ? -1 : 0;
  result->sent = kind == LH_INPUT_LOST ? LH_SENT_YES : LH_SENT_NO;
  if (kind == LH_INPUT_FAILURE) result->jitter_ppm = lh_collector_jitter_ppm(engine->clock);
  texts_keep(transfer, result, error, NULL, 0);
}

static int status_is_success(enum lh_success success, int status) {
  if (success == LH_SUCCESS_2XX) return status >= 200 && status <= 299;
  return status == 200;
}

enum lh_input_kind lh_collector_judge(const struct lh_post_result *answer,
                                      enum lh_success success) {
  if (answer->outcome == LH_OUTCOME_LOCAL) return LH_INPUT_GIVEN_BACK;
  if (answer->outcome != LH_OUTCOME_ANSWERED) return LH_INPUT_FAILURE;
  if (!answer->uploaded) return LH_INPUT_FAILURE; /* answered before it had read our body */
  return status_is_success(success, answer->status) ? LH_INPUT_SUCCESS : LH_INPUT_FAILURE;
}

static void take_in_attempt(struct lh_engine *engine, const struct lh_post_result *answer) {
  assert(answer->outcome != LH_OUTCOME_LOST && answer->outcome != LH_OUTCOME_SECRET);
  struct lh_transfer *transfer = answer->tag;
  lh_transfers_land(&engine->transfers, transfer);
  enum lh_success success = transfer->lease.target->webhook.success;
  enum lh_input_kind kind = lh_collector_judge(answer, success);
  struct lh_attempt_result *result = result_add(engine, transfer, kind, answer->outcome);
  result->status = answer->status;
  result->sent = answer->sent ? LH_SENT_YES : LH_SENT_NO;
  result->duration_ms = answer->duration_ms;
  const char *error = answer->error;
  if (kind == LH_INPUT_FAILURE) {
    result->retry_after_ms = answer->retry_after_ms;
    result->jitter_ppm = lh_collector_jitter_ppm(engine->clock);
    if (answer->outcome == LH_OUTCOME_ANSWERED && status_is_success(success, answer->status))
      error = "answered before the whole body was sent";
  }
  texts_keep(transfer, result, error, answer->response, answer->response_len);
  if (kind == LH_INPUT_GIVEN_BACK)
    engine->lease_at_ms = engine->clock->monotonic_ms(engine->clock->self) + LH_SHORTAGE_PAUSE_MS;
}

static void take_in(struct lh_engine *engine, const struct lh_post_result *answer) {
  switch (answer->kind) {
  case LH_EXCHANGE_MAIL:
    lh_mailer_take_in(engine, answer);
    break;
  case LH_EXCHANGE_CALL:
    lh_caller_take_in(engine, answer);
    break;
  case LH_EXCHANGE_POST:
    take_in_attempt(engine, answer);
    break;
  }
}

static int fds_join(struct lh_engine *engine, int wake_fd, const int *fds, size_t fd_count,
                    struct lh_error *err) {
  if (fd_count + 1 > engine->fd_cap) {
    int *grown = realloc(engine->fds, (fd_count + 1) * sizeof *grown);
    if (!grown) return lh_error_set(err, LH_E_MEMORY, "out of memory");
    engine->fds = grown;
    engine->fd_cap = fd_count + 1;
  }
  if (fd_count > 0) memcpy(engine->fds, fds, fd_count * sizeof *fds);
  engine->fds[fd_count] = wake_fd;
  return 0;
}

/* Cleared before the turn looks, so that no later wake-up is taken for an old one. */
static void wake_read(struct lh_engine *engine, int wake_fd) {
  struct pollfd watched = {.fd = wake_fd, .events = POLLIN};
  if (wake_fd < 0 || poll(&watched, 1, 0) <= 0) return;
  engine->store->requests->wake_clear(engine->store);
  engine->woken = 1;
  engine->woken_told = 1;
}

int lh_collector_gather(struct lh_engine *engine, int wait_ms, const int *fds, size_t fd_count,
                        struct lh_error *err) {
  struct lh_transport *transport = engine->transport;
  struct lh_post_result answers[POLL_RESULTS];
  int wake_fd = engine->store->requests->wake_fd(engine->store);
  int code = fds_join(engine, wake_fd, fds, fd_count, err);
  if (code != 0) return code;
  size_t watched = fd_count + (wake_fd >= 0 ? 1 : 0);
  /* Answers are recorded in one commit, so it pays to look again before it. */
  for (int looks = 0; looks < LOOKS_MAX;) {
    size_t count =
        transport->ops->poll(transport, wait_ms, engine->fds, watched, answers, POLL_RESULTS);
    for (size_t i = 0; i < count; i++) take_in(engine, &answers[i]);
    if (count == 0) break;
    if (count < POLL_RESULTS) looks++; /* full ones end: each result is one less in flight */
    wait_ms = 0;
  }
  wake_read(engine, wake_fd);
  return 0;
}
