/* What emitters and operators do to the store: see model_world.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/model_world.h"

/* ---- emitters */

void emit(void) {
  struct lh_emit emits[6];
  struct lh_emitted results[6];
  char data[6][32];
  int types[6], account = one_in(4);
  size_t count = (size_t)(1 + below(6));
  if (model.event_count + 6 > MODEL_EVENTS) return;
  for (size_t i = 0; i < count; i++) {
    types[i] = (int)below(model.step < MODEL_STEPS / 2 ? MODEL_TYPES - 1 : MODEL_TYPES);
    snprintf(data[i], sizeof data[i], "{\"n\":%d}", model.event_count + (int)i);
    emits[i] = (struct lh_emit){.account = model_accounts[account],
                                .event_type = model_types[types[i]],
                                .category = model_categories[types[i]],
                                .data = data[i],
                                .data_len = strlen(data[i])};
  }
  struct lh_emission emission = {.events = emits, .count = count, .results = results};
  if (!done(model.store->log->emit(model.store, &emission, &why), "emit")) return;
  for (size_t i = 0; i < count; i++)
    model_emitted(&model, &results[i].id, account, types[i], data[i]);
}

/* ---- operators */

static const char *some_types(void) {
  static const char *const choices[] = {"*", "event_points_earned", "category:member",
                                        "event_member_enrol\nevent_points_spent"};
  return choices[below(4)];
}

void create(void) {
  struct lh_webhook draft;
  if (model.webhook_count == MODEL_WEBHOOKS) return;
  struct model_webhook *webhook = &model.webhooks[model.webhook_count];
  lh_webhook_init(&draft);
  int account = one_in(3);
  snprintf(draft.account, sizeof draft.account, "%s", model_accounts[account]);
  snprintf(draft.name, sizeof draft.name, "w%d", model.webhook_count);
  snprintf(draft.url, sizeof draft.url, "http://127.0.0.1/%s", draft.name);
  draft.event_types = strdup(some_types());
  draft.batch_size = (int32_t)(1 + below(4));
  draft.batch_wait_ms = one_in(3) ? 5000 : 0;
  draft.retries_max = (int32_t)below(3);
  draft.pause_after = (int32_t)below(4);
  draft.max_in_flight = (int32_t)(1 + below(3));
  draft.ordered = one_in(3);
  if (done(model.store->admin->webhook_create(
               model.store, &draft, &(struct lh_webhook_new){draft.url, model_secrets[0], NULL},
               fake.wall_ms, &why),
           "create")) {
    *webhook = (struct model_webhook){.id = draft.id,
                                      .account = account,
                                      .batch_size = draft.batch_size,
                                      .retries_max = draft.retries_max,
                                      .pause_after = draft.pause_after,
                                      .max_in_flight = draft.max_in_flight,
                                      .ordered = draft.ordered,
                                      .secret_next = -1,
                                      .enabled_since = model.step};
    snprintf(webhook->event_types, sizeof webhook->event_types, "%s", draft.event_types);
    model.webhook_count++;
  }
  lh_webhook_clear(&draft);
}

static struct model_webhook *some_webhook(void) {
  if (model.webhook_count == 0) return NULL;
  struct model_webhook *webhook = &model.webhooks[below(model.webhook_count)];
  return webhook->gone || webhook->status == LH_STATUS_DELETED ? NULL : webhook;
}

void edit(void) {
  struct model_webhook *webhook = some_webhook();
  struct lh_webhook changed;
  if (webhook == NULL) return;
  struct lh_webhook_edit wanted = {.fields = (unsigned)below(1 << 16) &
                                             (LH_FIELD_EVENT_TYPES | LH_FIELD_BATCH_SIZE |
                                              LH_FIELD_RETRIES_MAX | LH_FIELD_PAUSE_AFTER |
                                              LH_FIELD_MAX_IN_FLIGHT | LH_FIELD_ORDERED)};
  const char *types = some_types();
  wanted.values.event_types = strdup(types);
  wanted.values.batch_size = (int32_t)(1 + below(4));
  wanted.values.retries_max = (int32_t)below(3);
  wanted.values.pause_after = (int32_t)below(4);
  wanted.values.max_in_flight = (int32_t)(1 + below(3));
  wanted.values.ordered = one_in(2);
  if (done(model.store->admin->webhook_edit(model.store, &(struct lh_which){.id = &webhook->id},
                                            &wanted, &changed, &why),
           "edit")) {
    snprintf(webhook->event_types, sizeof webhook->event_types, "%s", changed.event_types);
    webhook->batch_size = changed.batch_size;
    webhook->retries_max = changed.retries_max;
    webhook->pause_after = changed.pause_after;
    webhook->max_in_flight = changed.max_in_flight;
    webhook->ordered = changed.ordered;
    lh_webhook_clear(&changed);
  }
  free(wanted.values.event_types);
}

void set_status(struct model_webhook *webhook, enum lh_status status) {
  struct lh_webhook changed;
  if (!done(model.store->admin->webhook_status(model.store, &(struct lh_which){.id = &webhook->id},
                                               status, &changed, &why),
            "status"))
    return;
  if (status == LH_STATUS_ENABLED && webhook->status != status)
    model_enabled(&model, webhook);
  else if (webhook->status != status)
    model_stopped(&model, webhook, status);
  lh_webhook_clear(&changed);
}

void change_status(void) {
  static const enum lh_status wanted[] = {LH_STATUS_ENABLED, LH_STATUS_ENABLED, LH_STATUS_ENABLED,
                                          LH_STATUS_DISABLED, LH_STATUS_DISABLED};
  struct model_webhook *webhook = some_webhook();
  if (webhook == NULL) return;
  set_status(webhook, one_in(12) ? LH_STATUS_DELETED : wanted[below(5)]);
}

void rotate(void) {
  struct model_webhook *webhook = some_webhook();
  struct lh_webhook changed;
  int secret = (int)below(MODEL_SECRETS);
  int64_t overlap_ms = one_in(3) ? 0 : below(600000);
  if (webhook == NULL) return;
  const struct lh_rotation rotation = {model_secrets[secret], overlap_ms};
  if (!done(model.store->admin->secret_rotate(model.store, &(struct lh_which){.id = &webhook->id},
                                              &rotation, &changed, &why),
            "rotate"))
    return;
  model_rotated(&model, webhook, secret, overlap_ms);
  lh_webhook_clear(&changed);
}

/* ---- retries */

void retry_some(void) {
  struct lh_retry asked[4];
  int64_t numbers[4];
  size_t count = 0;
  for (int tries = 0; tries < 60 && count < 4; tries++) {
    int64_t number = 1 + below(MODEL_REQUESTS / 8);
    if (!model.requests[number].known || model.requests[number].gone) continue;
    asked[count] = (struct lh_retry){.request_id = model.requests[number].id};
    numbers[count++] = number;
  }
  if (count == 0) return;
  model.may_retry = 1;
  if (!done(model.store->jobs->retry(model.store,
                                     &(struct lh_retry_chosen){.retries = asked, .count = count},
                                     fake.wall_ms, &why),
            "retry")) {
    model.may_retry = 0;
    return;
  }
  for (size_t i = 0; i < count; i++) {
    const struct model_request *request = &model.requests[numbers[i]];
    const struct model_webhook *webhook = &model.webhooks[request->webhook];
    int stale = model_waits(request) && request->epoch < webhook->epoch;
    int could = request->state == LH_FAILED || stale;
    int enabled = webhook->status == LH_STATUS_ENABLED;
    enum lh_retry_outcome must = !could    ? LH_RETRY_NOT_FAILED
                                 : enabled ? LH_RETRY_RETRIED
                                           : LH_RETRY_REFUSED;
    for (size_t before = 0; before < i; before++)
      if (numbers[before] == numbers[i] && must == LH_RETRY_RETRIED) must = LH_RETRY_NOT_FAILED;
    MODEL_MUST(&model, asked[i].outcome == must, "retry: %s",
               lh_retry_outcome_name(asked[i].outcome));
  }
}

void make_job(void) {
  struct model_webhook *webhook = one_in(2) ? some_webhook() : NULL;
  struct model_job job = {.webhook = -1, .account = -1, .made = model.step};
  struct lh_retry_filter filter = {.reason = one_in(3) ? LH_REASON_PAUSED : LH_REASON_NONE};
  struct lh_job made;
  if (model.job_count == MODEL_JOBS) return;
  if (webhook != NULL) {
    filter.webhook_id = &webhook->id;
    job.webhook = (int)(webhook - model.webhooks);
  } else if (one_in(2) && model.webhook_count > 0) {
    job.account = model.webhooks[0].account;
    filter.account = model_accounts[job.account];
  }
  job.reason = filter.reason;
  int rc = model.store->jobs->create(model.store, &filter, NULL, fake.wall_ms, &made, &why);
  if (webhook != NULL && webhook->status != LH_STATUS_ENABLED && rc == LH_E_REFUSED) return;
  if (!done(rc, "job")) return;
  MODEL_MUST(&model, webhook == NULL || webhook->status == LH_STATUS_ENABLED,
             "a job was not refused");
  job.id = made.id;
  model.jobs[model.job_count++] = job;
}

void resume(void) {
  struct model_webhook *webhook = some_webhook();
  struct lh_webhook changed;
  struct lh_job made;
  if (webhook == NULL || model.job_count == MODEL_JOBS) return;
  int rc = model.store->admin->webhook_resume(model.store, &(struct lh_which){.id = &webhook->id},
                                              &made, &changed, &why);
  if (webhook->status != LH_STATUS_PAUSED && rc == LH_E_REFUSED) return;
  if (!done(rc, "resume")) return;
  MODEL_MUST(&model, webhook->status == LH_STATUS_PAUSED, "resumed what was not paused");
  model_enabled(&model, webhook);
  model.jobs[model.job_count++] = (struct model_job){.id = made.id,
                                                     .webhook = (int)(webhook - model.webhooks),
                                                     .account = -1,
                                                     .reason = LH_REASON_PAUSED,
                                                     .from_ms = made.failed_from_ms,
                                                     .made = model.step};
  lh_webhook_clear(&changed);
}

void step_job(void) {
  int at = 0, handle = (int)below(MODEL_HANDLES);
  while (at < model.job_count && model.jobs[at].over) at++;
  if (at == model.job_count) return;
  struct model_job *job = &model.jobs[at];
  struct lh_job_step step = {
      .id = &job->id, .session = one_in(3) ? 0 : sessions[handle], .now_ms = fake.wall_ms};
  if (!done(handles[handle]->jobs->step(handles[handle], &step, &why), "job step")) return;
  model.may_retry = 1;
  model.stepped = job;
  if (step.job.settled && job->settled == 0) {
    job->settled = model.step;
    job->settled_ms = fake.wall_ms;
    for (int i = 1; i < MODEL_REQUESTS; i++)
      if (model.requests[i].finished_ms > job->settled_ms)
        job->settled_ms = model.requests[i].finished_ms;
  }
  if (step.job.finished_ms != 0) job->over = model.step;
}

void check_jobs(void) {
  for (int at = 0; at < model.job_count; at++)
    for (int i = 1; i < MODEL_REQUESTS && model.jobs[at].over == model.step; i++)
      MODEL_MUST(&model, !model_job_missed(&model, &model.jobs[at], &model.requests[i]),
                 "a job left request %d out", i);
}
