/* The model's rules: see model.h. */
#include "spec/contract/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The last one is not stored before its first event: "category:member" and "*" grow. */
const char *const model_types[MODEL_TYPES] = {"event_points_earned", "event_member_enrol",
                                              "event_points_spent", "event_member_left"};
const char *const model_categories[MODEL_TYPES] = {"transaction", "member", "transaction",
                                                   "member"};
const char *const model_accounts[2] = {"default", "other"};
const struct lh_piece model_secrets[MODEL_SECRETS] = {{"0123456789abcdef", 16},
                                                      {"1123456789abcdef", 16},
                                                      {"2123456789abcdef", 16},
                                                      {"3123456789abcdef", 16},
                                                      {"4123456789abcdef", 16}};

uint64_t model_random(struct model *model, uint64_t below) {
  model->state = model->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (model->state >> 33) % below;
}

void model_wrong(const struct model *model, const char *words, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, words);
  vsnprintf(text, sizeof text, words, arguments);
  va_end(arguments);
  fail_msg("LOYALHOOK_SPEC_SEED=%llu, step %d: %s", (unsigned long long)model->seed, model->step,
           text);
}

void model_emitted(struct model *model, const struct lh_id *id, int account, int type,
                   const char *data) {
  int at = model->event_count++;
  struct model_event *event = &model->events[at];
  *event = (struct model_event){
      .id = *id, .account = account, .type = type, .created_ms = model->clock->wall_ms};
  snprintf(event->data, sizeof event->data, "%s", data);
  for (int i = 0; i < model->webhook_count; i++) {
    struct model_webhook *webhook = &model->webhooks[i];
    int wanted =
        webhook->account == account && webhook->status <= LH_STATUS_PAUSED &&
        lh_webhook_subscribes(webhook->event_types, model_types[type], model_categories[type]);
    if (!wanted) continue;
    webhook->fate[at] = webhook->status == LH_STATUS_ENABLED ? FATE_DELIVER : FATE_FAIL;
    webhook->why[at] = webhook->status == LH_STATUS_ENABLED ? LH_REASON_NONE : LH_REASON_PAUSED;
  }
}

void model_stopped(struct model *model, struct model_webhook *webhook, enum lh_status status) {
  static const enum lh_reason reasons[] = {[LH_STATUS_PAUSED] = LH_REASON_PAUSED,
                                           [LH_STATUS_DISABLED] = LH_REASON_DISABLED,
                                           [LH_STATUS_DELETED] = LH_REASON_DELETED};
  webhook->status = status;
  webhook->epoch++;
  webhook->reason_before = webhook->epoch_reason;
  webhook->epoch_reason = reasons[status];
  webhook->failing = 0;
  webhook->enabled_since = 1 << 30;
  if (status == LH_STATUS_PAUSED) webhook->notices++;
  for (int i = 0; i < model->event_count; i++) {
    if (webhook->fate[i] != FATE_DELIVER) continue;
    webhook->fate[i] = FATE_FAIL;
    webhook->why[i] = reasons[status];
  }
}

void model_enabled(struct model *model, struct model_webhook *webhook) {
  webhook->status = LH_STATUS_ENABLED;
  webhook->failed_in_a_row = 0;
  webhook->failing = 0;
  webhook->enabled_since = model->step;
}

int model_secret(const struct model *model, struct model_webhook *webhook) {
  if (webhook->secret_next >= 0 && model->clock->wall_ms >= webhook->secret_until_ms) {
    webhook->secret = webhook->secret_next;
    webhook->secret_next = -1;
  }
  return webhook->secret;
}

void model_rotated(struct model *model, struct model_webhook *webhook, int secret,
                   int64_t overlap_ms) {
  (void)model_secret(model, webhook);
  webhook->secret_next = -1;
  if (overlap_ms == 0) {
    webhook->secret = secret;
  } else {
    webhook->secret_next = secret;
    webhook->secret_until_ms = model->clock->wall_ms + overlap_ms;
  }
}

int model_waits(const struct model_request *request) {
  return request->known && !request->gone &&
         (request->state == LH_PENDING || request->state == LH_RETRYING);
}

int model_in_flight(const struct model *model, int webhook) {
  int count = 0;
  for (int i = 0; i < MODEL_REQUESTS; i++)
    count += model->requests[i].known && model->requests[i].webhook == webhook &&
             model->requests[i].state == LH_SENDING;
  return count;
}

void model_failed(struct model *model, struct model_request *request, enum lh_reason reason) {
  struct model_webhook *webhook = &model->webhooks[request->webhook];
  request->state = LH_FAILED;
  request->reason = reason;
  request->session = 0;
  request->failed_since = model->step;
  if (reason != LH_REASON_DISABLED && reason != LH_REASON_DELETED) webhook->notices++;
  if (reason != LH_REASON_RETRIES_EXHAUSTED) return;
  webhook->failed_in_a_row++;
  if (webhook->status == LH_STATUS_ENABLED && webhook->pause_after > 0 &&
      webhook->failed_in_a_row >= webhook->pause_after)
    model_stopped(model, webhook, LH_STATUS_PAUSED);
}

static void delivered(struct model_webhook *webhook, struct model_request *request) {
  if (request->state != LH_DELIVERED) webhook->failed_in_a_row = 0;
  request->state = LH_DELIVERED;
  request->reason = LH_REASON_NONE;
  request->session = 0;
  webhook->failing = 0;
}

void model_ended(struct model *model, const struct model_lease *lease, enum lh_input_kind kind,
                 int64_t session) {
  struct model_request *request = &model->requests[lease->request];
  if (request->gone) return;
  struct model_webhook *webhook = &model->webhooks[request->webhook];
  int ours = request->state == LH_SENDING && request->session == session &&
             request->attempts == lease->attempt;
  if (kind == LH_INPUT_SUCCESS) delivered(webhook, request);
  if (kind == LH_INPUT_SUCCESS || !ours) return; /* a late failure is only logged */
  request->session = 0;
  if (kind == LH_INPUT_FAILURE) webhook->failing = 1;
  if (kind == LH_INPUT_GIVEN_BACK) request->attempts--;
  int stopped = webhook->status != LH_STATUS_ENABLED || request->epoch < webhook->epoch;
  int used = request->attempts - request->budget_start > webhook->retries_max;
  if (stopped)
    model_failed(model, request, webhook->epoch_reason);
  else if (kind == LH_INPUT_GIVEN_BACK)
    request->state = request->attempts == 0 ? LH_PENDING : LH_RETRYING;
  else if (used)
    model_failed(model, request,
                 kind == LH_INPUT_LOST ? LH_REASON_WORKER_LOST : LH_REASON_RETRIES_EXHAUSTED);
  else
    request->state = LH_RETRYING;
}

int model_job_means(const struct model *model, const struct model_job *job,
                    const struct model_request *request) {
  const struct model_webhook *webhook = &model->webhooks[request->webhook];
  return (job->webhook < 0 || job->webhook == request->webhook) &&
         (job->account < 0 || job->account == webhook->account) &&
         (job->reason == LH_REASON_NONE || job->reason == request->reason) &&
         request->finished_ms >= job->from_ms;
}

int model_job_missed(const struct model *model, const struct model_job *job,
                     const struct model_request *request) {
  return request->known && !request->gone && request->state == LH_FAILED &&
         request->failed_since < job->made &&
         model->webhooks[request->webhook].enabled_since <= job->made &&
         model_job_means(model, job, request);
}
