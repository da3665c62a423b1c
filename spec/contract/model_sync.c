/* What the store says, compared with the model: see model.h. */
#include "spec/contract/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/recount.h"

int model_webhook_of(const struct model *model, const struct lh_id *id) {
  for (int i = 0; i < model->webhook_count; i++)
    if (memcmp(&model->webhooks[i].id, id, sizeof *id) == 0) return i;
  return -1;
}

int model_event_of(const struct model *model, const struct lh_id *id) {
  for (int i = model->event_count - 1; i >= 0; i--)
    if (memcmp(&model->events[i].id, id, sizeof *id) == 0) return i;
  return -1;
}

/* ---- a request that was not there before */

/* It takes the events that have waited longest, all of one kind, and passes over none. */
static void take_events(struct model *model, struct model_request *request,
                        const struct lh_request_row *row) {
  struct model_webhook *webhook = &model->webhooks[request->webhook];
  int next = 0;
  MODEL_MUST(model, row->count <= webhook->batch_size, "a request of %d events", row->count);
  for (int i = 0; i < row->count; i++, next++) {
    int event = model_event_of(model, &row->event_ids[i]);
    MODEL_MUST(model, event >= 0, "a request has an event that nobody emitted");
    while (next < event && webhook->fate[next] != FATE_DELIVER && webhook->fate[next] != FATE_FAIL)
      next++;
    MODEL_MUST(model, next == event, "event %d was passed over or is twice (at %d)", event, next);
    enum lh_reason why = webhook->fate[event] == FATE_FAIL ? webhook->why[event] : LH_REASON_NONE;
    MODEL_MUST(model, why == row->delivery.reason, "event %d: reason %d, must be %d", event,
               (int)row->delivery.reason, (int)why);
    webhook->fate[event] = FATE_FORMED;
    request->events[i] = event;
  }
  request->count = row->count;
}

static void appeared(struct model *model, const struct lh_request_row *row) {
  struct model_request *request = &model->requests[row->request];
  *request = (struct model_request){.known = 1,
                                    .id = row->request_id,
                                    .webhook = model_webhook_of(model, &row->webhook_id),
                                    .epoch = row->delivery.epoch,
                                    .created_ms = row->created_ms};
  MODEL_MUST(model, request->webhook >= 0, "a request of no webhook");
  struct model_webhook *webhook = &model->webhooks[request->webhook];
  take_events(model, request, row);
  if (row->delivery.state == LH_FAILED) {
    model_failed(model, request, row->delivery.reason);
    return;
  }
  MODEL_MUST(model, row->delivery.state == LH_SENDING && model->leased[row->request],
             "a request begins as %s", lh_state_name(row->delivery.state));
  request->state = LH_SENDING;
  request->attempts = 1;
  request->session = model->leases[model->lease_count - 1].session;
  webhook->formed_new = 1;
}

/* ---- one that was */

static void retried(struct model *model, struct model_request *request) {
  struct model_webhook *webhook = &model->webhooks[request->webhook];
  const struct model_job *job = model->stepped;
  MODEL_MUST(model, webhook->status == LH_STATUS_ENABLED, "retried while not enabled");
  MODEL_MUST(model,
             job == NULL || (model_job_means(model, job, request) &&
                             (job->settled == 0 || request->failed_since <= job->settled ||
                              request->finished_ms <= job->settled_ms)),
             "a job retried what it does not mean");
  request->state = LH_RETRYING;
  request->reason = LH_REASON_NONE;
  request->budget_start = request->attempts;
  request->epoch = webhook->epoch;
  webhook->failing = 0;
}

/* What the store may do on its own: end what was stopped, or whose budget was lowered. */
static void moved_on(struct model *model, struct model_request *request,
                     const struct lh_request_row *row) {
  struct model_webhook *webhook = &model->webhooks[request->webhook];
  const struct lh_delivery *now = &row->delivery;
  int stale = model_waits(request) && request->epoch < webhook->epoch;
  if (stale && now->state == LH_FAILED) {
    MODEL_MUST(model, now->reason == webhook->epoch_reason || now->reason == webhook->reason_before,
               "stopped, and ended with reason %d", (int)now->reason);
    model_failed(model, request, now->reason);
  } else if (stale && model->may_retry && now->epoch == webhook->epoch) {
    model_failed(model, request, webhook->epoch_reason);
    retried(model, request);
  } else if (model_waits(request) && now->state == LH_FAILED) {
    MODEL_MUST(model,
               now->reason == LH_REASON_RETRIES_EXHAUSTED &&
                   request->attempts - request->budget_start > webhook->retries_max,
               "failed without a cause (reason %d)", (int)now->reason);
    model_failed(model, request, now->reason);
  } else if (request->state == LH_FAILED && now->state == LH_RETRYING && model->may_retry) {
    retried(model, request);
  }
}

static void compare(struct model *model, const struct lh_request_row *row) {
  struct model_request *request = &model->requests[row->request];
  const struct lh_delivery *now = &row->delivery;
  MODEL_MUST(model, !request->gone && memcmp(&request->id, &row->request_id, 12) == 0,
             "a number is used twice");
  moved_on(model, request, row);
  MODEL_MUST(model,
             request->state == now->state && request->reason == now->reason &&
                 request->attempts == now->attempts_made &&
                 request->budget_start == now->budget_start,
             "request %d is %s (%d) after %d attempts, budget from %d; must be %s (%d), %d, %d",
             (int)row->request, lh_state_name(now->state), (int)now->reason, now->attempts_made,
             now->budget_start, lh_state_name(request->state), (int)request->reason,
             request->attempts, request->budget_start);
  request->next_ms = now->next_attempt_ms;
  request->finished_ms = now->finished_ms;
  MODEL_MUST(model, row->count == request->count, "request %d changed its events",
             (int)row->request);
  for (int i = 0; i < row->count; i++)
    MODEL_MUST(model, memcmp(&row->event_ids[i], &model->events[request->events[i]].id, 12) == 0,
               "request %d changed its event %d", (int)row->request, i);
}

/* ---- what retention may delete */

static int old_enough(const struct model *model, int64_t at_ms) {
  int64_t oldest_ms = model->clean.now_ms - model->clean.retention_ms;
  return at_ms <= oldest_ms || at_ms > model->clean.now_ms;
}

static void disappeared(struct model *model, struct model_request *request) {
  int64_t failed_ms = model->clean.now_ms - model->clean.failed_retention_ms;
  MODEL_MUST(model, model->may_clean, "a request is gone");
  MODEL_MUST(model, request->state == LH_DELIVERED || request->state == LH_FAILED,
             "an unfinished request is gone");
  MODEL_MUST(model, request->state == LH_DELIVERED || request->finished_ms <= failed_ms,
             "a failed request is gone too early");
  for (int i = 0; i < request->count && request->state == LH_DELIVERED; i++)
    MODEL_MUST(model, old_enough(model, model->events[request->events[i]].created_ms),
               "a delivered request is gone too early");
  request->gone = 1;
}

static void find_gone_events(struct model *model) {
  for (int i = 0; i < model->event_count; i++) {
    struct lh_event found;
    struct model_event *event = &model->events[i];
    int rc = model->store->log->event_get(model->store, &event->id, &found, NULL);
    MODEL_MUST(model, rc == LH_OK || rc == LH_E_NOT_FOUND, "event_get: %d", rc);
    MODEL_MUST(model, !event->gone || rc == LH_E_NOT_FOUND, "event %d is back", i);
    if (rc == LH_OK || event->gone) continue;
    MODEL_MUST(model, model->may_clean && old_enough(model, event->created_ms),
               "event %d is gone too early", i);
    for (int at = 0; at < model->webhook_count; at++)
      MODEL_MUST(model,
                 model->webhooks[at].fate[i] == FATE_NONE ||
                     model->webhooks[at].fate[i] == FATE_FORMED,
                 "event %d is gone, and webhook %d still waits for it", i, at);
    event->gone = 1;
  }
}

/* ---- the whole */

static void read_requests(struct model *model, int pass, unsigned char *seen) {
  struct lh_request_filter filter = {.state = -1, .limit = LH_LIST_LIMIT_MAX};
  struct lh_request_list list;
  struct lh_error err;
  do {
    int rc = model->store->requests->list(model->store, &filter, &list, &err);
    MODEL_MUST(model, rc == LH_OK, "list: %s", err.message);
    filter.after = list.next;
    for (size_t i = list.count; i > 0; i--) { /* oldest first: in order of forming */
      const struct lh_request_row *row = &list.rows[i - 1];
      MODEL_MUST(model, row->request < MODEL_REQUESTS, "the model is too small");
      if (pass == 0 && !model->requests[row->request].known) appeared(model, row);
      if (pass == 1) compare(model, row);
      seen[row->request] = 1;
    }
    lh_request_list_clear(&list);
  } while (filter.after != 0);
}

static void compare_webhooks(struct model *model) {
  struct lh_webhook_list list;
  int rc = model->store->admin->webhook_list(
      model->store, &(struct lh_webhook_query){.with_deleted = 1}, &list, NULL);
  MODEL_MUST(model, rc == LH_OK, "webhook_list: %d", rc);
  unsigned char seen[MODEL_WEBHOOKS] = {0};
  for (size_t i = 0; i < list.count; i++) {
    const struct lh_webhook *row = &list.rows[i];
    int at = model_webhook_of(model, &row->id);
    MODEL_MUST(model, at >= 0, "a webhook that nobody made");
    struct model_webhook *webhook = &model->webhooks[at];
    seen[at] = 1;
    MODEL_MUST(model, row->secret_rotates_ms == 0 || webhook->secret_next >= 0,
               "webhook %d: a secret waits that must not", at);
    if (webhook->secret_next >= 0 && row->secret_rotates_ms == 0) {
      MODEL_MUST(model, model->latest_ms >= webhook->secret_until_ms, "a secret came too early");
      webhook->secret = webhook->secret_next; /* it may, at any time from then on */
      webhook->secret_next = -1;
    }
    MODEL_MUST(model,
               row->status == webhook->status && row->failed_in_a_row == webhook->failed_in_a_row,
               "webhook %d is %s with %d failures in a row; must be %s with %d", at,
               lh_status_name(row->status), row->failed_in_a_row, lh_status_name(webhook->status),
               webhook->failed_in_a_row);
  }
  lh_webhook_list_clear(&list);
  for (int i = 0; i < model->webhook_count; i++) {
    struct model_webhook *webhook = &model->webhooks[i];
    MODEL_MUST(model,
               seen[i] || webhook->gone ||
                   (model->may_clean && webhook->status == LH_STATUS_DELETED),
               "webhook %d is gone", i);
    if (!seen[i]) webhook->gone = 1;
  }
}

/* First attempts in order, and of an ordered webhook one request after the other. */
static void check_order(const struct model *model) {
  for (int i = 1; i < MODEL_REQUESTS; i++) {
    const struct model_request *request = &model->requests[i];
    if (!model_waits(request)) continue;
    const struct model_webhook *webhook = &model->webhooks[request->webhook];
    if (!webhook->formed_new || request->epoch < webhook->epoch) continue;
    MODEL_MUST(model, request->state != LH_PENDING, "formed before what was given back");
    MODEL_MUST(model, !webhook->ordered, "ordered: formed while another one waits");
  }
}

void model_sync(struct model *model) {
  unsigned char seen[MODEL_REQUESTS] = {0};
  if (model->clock->wall_ms > model->latest_ms) model->latest_ms = model->clock->wall_ms;
  read_requests(model, 0, seen);
  read_requests(model, 1, seen);
  for (int i = 1; i < MODEL_REQUESTS; i++)
    if (model->requests[i].known && !model->requests[i].gone && !seen[i])
      disappeared(model, &model->requests[i]);
  if (model->may_clean) find_gone_events(model);
  compare_webhooks(model);
  check_order(model);
  for (int i = 0; i < model->webhook_count; i++) model->webhooks[i].formed_new = 0;
  memset(model->leased, 0, sizeof model->leased);
  model->may_clean = model->may_retry = 0;
  model->stepped = NULL;
}

/* ---- what is dear to ask */

static void compare_waiting(struct model *model, int at) {
  const struct model_webhook *webhook = &model->webhooks[at];
  const struct lh_stats_query query = {.webhook_id = &webhook->id};
  struct lh_stats stats;
  int64_t waiting = 0;
  if (webhook->gone) return;
  for (int i = 0; i < model->event_count; i++)
    waiting += webhook->fate[i] == FATE_DELIVER || webhook->fate[i] == FATE_FAIL;
  int rc = model->store->admin->stats(model->store, &query, &stats, NULL);
  MODEL_MUST(model, rc == LH_OK, "stats: %d", rc);
  MODEL_MUST(model, stats.sum.waiting == waiting, "webhook %d: %d wait, stats say %d", at,
             (int)waiting, (int)stats.sum.waiting);
}

static void compare_explained(struct model *model, int event, const struct lh_explained *row) {
  int at = model_webhook_of(model, &row->webhook.id);
  enum model_fate fate = model->webhooks[at].fate[event];
  int wanted = row->covered && row->subscribed && row->mode != LH_SPAN_SKIP;
  MODEL_MUST(model, wanted == (fate != FATE_NONE), "event %d, webhook %d: explained as %swanted",
             event, at, wanted ? "" : "un");
  MODEL_MUST(model, fate != FATE_FAIL || row->mode == LH_SPAN_FAIL, "explained as to be delivered");
  MODEL_MUST(model, fate != FATE_FAIL || row->reason == model->webhooks[at].why[event],
             "explained with another reason");
  MODEL_MUST(model, fate == FATE_FORMED || row->request.count == 0, "explained with a request");
  if (fate != FATE_FORMED) return;
  for (int i = 1; i < MODEL_REQUESTS; i++) {
    const struct model_request *request = &model->requests[i];
    int holds = 0;
    if (!request->known || request->gone || request->webhook != at) continue;
    for (int of = 0; of < request->count; of++) holds |= request->events[of] == event;
    if (!holds) continue;
    MODEL_MUST(model,
               row->request.count == 1 &&
                   memcmp(&row->request.rows[0].request_id, &request->id, 12) == 0,
               "event %d, webhook %d: explained with another request", event, at);
  }
}

static void compare_explanations(struct model *model) {
  for (int i = 0; i < 4 && model->event_count > 0; i++) {
    int event = (int)model_random(model, (uint64_t)model->event_count);
    struct lh_explanation found;
    if (model->events[event].gone) continue;
    int rc = model->store->requests->explain(model->store, &model->events[event].id, &found, NULL);
    MODEL_MUST(model, rc == LH_OK, "explain: %d", rc);
    for (size_t at = 0; at < found.count; at++) compare_explained(model, event, &found.rows[at]);
    lh_explanation_clear(&found);
  }
}

void model_sync_all(struct model *model) {
  const char *wrong = recount(model->store);
  MODEL_MUST(model, wrong == NULL, "%s", wrong);
  for (int i = 0; i < model->webhook_count; i++) compare_waiting(model, i);
  compare_explanations(model);
}
