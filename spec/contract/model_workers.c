/* What workers do to the store, and what their leases must be like: see model_world.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/model_world.h"

struct shown {
  int events[100];
  int count;
  int leases;
  struct lh_lease lease[8];
  int of[8][100];
  int counts[8];
  int tags[8]; /* which secret signs */
};

static int which_secret(const struct lh_target *target) {
  const struct lh_piece text = {"text", 4};
  unsigned char found[LH_HMAC_MAX], wanted[LH_HMAC_MAX];
  size_t len = lh_hmac_tag(target->keys[0], &text, 1, found);
  for (int i = 0; i < MODEL_SECRETS; i++) {
    struct lh_hmac_key *key;
    assert_int_equal(lh_signature_key_new(LH_SCHEME_ZINRELO, model_secrets[i].at,
                                          model_secrets[i].len, &key, NULL),
                     LH_OK);
    lh_hmac_tag(key, &text, 1, wanted);
    lh_hmac_key_free(key);
    if (memcmp(found, wanted, len) == 0) return i;
  }
  return -1;
}

static int shown_begin(void *self) {
  ((struct shown *)self)->count = 0;
  return visitor_fails() ? LH_E_MEMORY : 0;
}
static int shown_event(void *self, const struct lh_event *event) {
  struct shown *shown = self;
  int at = model_event_of(&model, &event->id);
  if (at < 0 || strcmp(event->event_type, model_types[model.events[at].type]) != 0 ||
      event->data_len != strlen(model.events[at].data) ||
      memcmp(event->data, model.events[at].data, event->data_len) != 0 ||
      event->created_ms != model.events[at].created_ms)
    return LH_E_INVALID;
  shown->events[shown->count++] = at;
  return 0;
}
static int shown_end(void *self, const struct lh_lease *lease) {
  struct shown *shown = self;
  int at = shown->leases++;
  shown->lease[at] = *lease;
  shown->counts[at] = shown->count;
  shown->tags[at] = which_secret(lease->target);
  memcpy(shown->of[at], shown->events, sizeof shown->events);
  return 0;
}

/* What a lease must be like, before it counts. */
static void leased(const struct shown *shown, int at, int64_t session) {
  const struct lh_lease *lease = &shown->lease[at];
  struct model_request *request = &model.requests[lease->request];
  int of = model_webhook_of(&model, &lease->target->webhook.id);
  MODEL_MUST(&model, of >= 0, "a lease of no webhook");
  struct model_webhook *webhook = &model.webhooks[of];
  int flying = model_in_flight(&model, of);
  for (int i = 0; i < at; i++)
    flying +=
        !model.requests[shown->lease[i].request].known && shown->lease[i].target == lease->target;
  MODEL_MUST(&model, webhook->status == LH_STATUS_ENABLED, "leased while %s",
             lh_status_name(webhook->status));
  MODEL_MUST(&model, flying < (webhook->ordered ? 1 : webhook->max_in_flight),
             "leased beside %d of webhook %d", flying, of);
  MODEL_MUST(&model, !webhook->failing || flying == 0, "a failing webhook has two in flight");
  MODEL_MUST(&model, shown->tags[at] == model_secret(&model, webhook), "signed by secret %d",
             shown->tags[at]);
  MODEL_MUST(&model, shown->counts[at] == lease->count, "shown other events than leased");
  model.leases[model.lease_count++] = (struct model_lease){lease->request, lease->attempt, session};
  if (!request->known) {
    MODEL_MUST(&model, lease->attempt == 1, "first attempt is number %d", lease->attempt);
    model.leased[lease->request] = 1;
    return;
  }
  MODEL_MUST(&model, model_waits(request) && request->epoch == webhook->epoch,
             "leased what does not wait");
  MODEL_MUST(&model, request->next_ms <= fake.wall_ms, "leased too early");
  MODEL_MUST(&model, request->created_ms == lease->created_ms, "another time in the body");
  MODEL_MUST(&model, request->count == lease->count, "another count in the body");
  for (int i = 0; i < request->count; i++)
    MODEL_MUST(&model, request->events[i] == shown->of[at][i], "other events in the body");
  request->state = LH_SENDING;
  request->attempts++;
  request->session = session;
}

static enum lh_input_kind some_end(void) {
  static const enum lh_input_kind ends[] = {LH_INPUT_SUCCESS,   LH_INPUT_SUCCESS, LH_INPUT_FAILURE,
                                            LH_INPUT_FAILURE,   LH_INPUT_FAILURE, LH_INPUT_LOST,
                                            LH_INPUT_GIVEN_BACK};
  return ends[below(7)];
}

/* Takes a lease of this session's, or of one that is no more: its result is late. -1: none. */
static int end_one(int64_t session, struct model_lease *ended) {
  for (int tries = 0; tries < 8 && model.lease_count > 0; tries++) {
    int at = (int)below(model.lease_count), alive = 0;
    for (int i = 0; i < MODEL_HANDLES; i++) alive |= sessions[i] == model.leases[at].session;
    if (alive && model.leases[at].session != session) continue;
    *ended = model.leases[at];
    model.leases[at] = model.leases[--model.lease_count];
    return 0;
  }
  return -1;
}

void turn(int ends, size_t slots, int kind, int form_all) {
  static struct shown shown;
  struct lh_attempt_result results[4];
  struct model_lease ended[4];
  int handle = (int)below(MODEL_HANDLES), count = 0;
  const struct lh_lease_visitor visitor = {&shown, shown_begin, shown_event, shown_end};
  int before = model.lease_count;
  struct model_lease kept[MODEL_LEASES];
  memcpy(kept, model.leases, sizeof kept);
  for (; count < ends && end_one(sessions[handle], &ended[count]) == 0; count++)
    results[count] =
        (struct lh_attempt_result){.request = ended[count].request,
                                   .attempt = ended[count].attempt,
                                   .kind = kind >= 0 ? (enum lh_input_kind)kind : some_end(),
                                   .started_ms = fake.wall_ms,
                                   .ended_ms = fake.wall_ms,
                                   .retry_after_ms = one_in(5) ? below(20 * 60000) : 0,
                                   .error = "",
                                   .url = "",
                                   .nonce = "",
                                   .response = ""};
  if (slots > (size_t)(MODEL_LEASES - model.lease_count)) slots = 0;
  struct lh_turn asked = {.session = sessions[handle],
                          .now_ms = fake.wall_ms,
                          .results = results,
                          .result_count = (size_t)count,
                          .slots = slots,
                          .bytes = LH_BODIES_IN_FLIGHT_BYTES,
                          .form_all = form_all,
                          .visitor = &visitor};
  memset(&shown, 0, sizeof shown);
  if (!done(handles[handle]->requests->turn(handles[handle], &asked, &why), "turn")) {
    memcpy(model.leases, kept, sizeof kept);
    model.lease_count = before;
    return;
  }
  MODEL_MUST(&model, !asked.session_dead, "the session is dead");
  for (int i = 0; i < count; i++) model_ended(&model, &ended[i], results[i].kind, sessions[handle]);
  for (int i = 0; i < shown.leases; i++) leased(&shown, i, sessions[handle]);
}

/* ---- mails */

#define MAILS 8

struct mail {
  struct lh_mailing_result result; /* message_id: `id` */
  char id[LH_MESSAGE_ID_MAX];
  int webhook;
  int64_t covers;
  int handle;
};
static struct mail mails[MAILS];
static int mail_count;

void forget_mails(void) {
  mail_count = 0;
}

/* Those of a session that ended are sent again as they were. */
static void lose_mails(int handle) {
  for (int i = 0; i < mail_count;) {
    struct model_webhook *webhook = &model.webhooks[mails[i].webhook];
    if (mails[i].handle != handle) {
      i++;
      continue;
    }
    webhook->covered = mails[i].covers;
    snprintf(webhook->message_id, sizeof webhook->message_id, "%s", mails[i].id);
    mails[i] = mails[--mail_count];
  }
}

void lease_mail(void) {
  struct lh_mailing mailing;
  int handle = (int)below(MODEL_HANDLES);
  const struct lh_mailing_wish wish = {
      .session = sessions[handle], .now_ms = fake.wall_ms, .host = "h.example", .fallback = 1};
  if (mail_count == MAILS) return;
  let_be(); /* one that can neither be read nor be given back waits for its session's end */
  int rc = handles[handle]->notices->lease(handles[handle], &wish, &mailing, &why);
  if (!done(rc, "mail lease") || mailing.mailing == 0) return;
  int at = model_webhook_of(&model, &mailing.webhook.id);
  MODEL_MUST(&model, at >= 0, "a mail of no webhook");
  struct model_webhook *webhook = &model.webhooks[at];
  struct mail *mail = &mails[mail_count++];
  *mail = (struct mail){.webhook = at, .handle = handle};
  for (size_t i = 0; i < mailing.sum_count; i++) mail->covers += mailing.sums[i].count;
  snprintf(mail->id, sizeof mail->id, "%s", mailing.message_id);
  mail->result = (struct lh_mailing_result){
      .mailing = mailing.mailing, .session = sessions[handle], .again = mailing.again, .error = ""};
  for (int i = 0; i < mail_count - 1; i++)
    MODEL_MUST(&model, mails[i].webhook != at, "two mails of one webhook at once");
  MODEL_MUST(&model, mailing.again == (webhook->covered > 0), "a mail is %ssent again",
             mailing.again ? "" : "not ");
  MODEL_MUST(&model, !mailing.again || strcmp(webhook->message_id, mail->id) == 0,
             "sent again under another name");
  int64_t must = mailing.again ? webhook->covered : webhook->notices - webhook->told;
  MODEL_MUST(&model, mail->covers == must || model.cleaned_notices,
             "a mail tells of %d notices, must be %d", (int)mail->covers, (int)must);
  lh_mailing_clear(&mailing);
}

void record_mail(int verdict) {
  if (mail_count == 0) return;
  int at = (int)below(mail_count);
  struct mail *mail = &mails[at];
  struct model_webhook *webhook = &model.webhooks[mail->webhook];
  mail->result.verdict =
      verdict >= 0 ? (enum lh_mail_verdict)verdict : (enum lh_mail_verdict)below(3);
  mail->result.message_id = mail->id;
  mail->result.now_ms = fake.wall_ms;
  if (!done(handles[mail->handle]->notices->record(handles[mail->handle], &mail->result, &why),
            "mail record"))
    return;
  webhook->covered = 0;
  if (mail->result.verdict == LH_MAIL_ACCEPTED) {
    webhook->told += mail->covers;
  } else if (mail->result.verdict == LH_MAIL_UNKNOWN || mail->result.again) {
    webhook->covered = mail->covers;
    snprintf(webhook->message_id, sizeof webhook->message_id, "%s", mail->id);
  }
  mails[at] = mails[--mail_count];
}

/* ---- death */

void crash(int handle) {
  int64_t ended = sessions[handle];
  handles[handle]->requests->session_close(handles[handle], ended, fake.wall_ms);
  for (int i = 1; i < MODEL_REQUESTS; i++) {
    struct model_request *request = &model.requests[i];
    if (!request->known || request->state != LH_SENDING || request->session != ended) continue;
    const struct model_lease lost = {i, request->attempts, ended};
    model_ended(&model, &lost, LH_INPUT_LOST, ended);
  }
  lose_mails(handle);
  int rc = handles[handle]->requests->session_open(handles[handle], fake.wall_ms, &sessions[handle],
                                                   &why);
  MODEL_MUST(&model, rc == LH_OK, "session: %s", why.message);
}
