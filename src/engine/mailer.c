/*
** Mails beside the attempts: a few slots, apart from leases, so that neither
** takes a place from the other. What a mail says is not known here: the caller
** leases a mailing, writes the mail, hands it over and records its end, which
** a report tells. The engine says when mails about notices are due, waits for
** those in flight when it drains, and ends them when it aborts.
*/
#include "engine/parts.h"

#include <assert.h>
#include <stdio.h>

static struct lh_mail_slot *slot_in(struct lh_engine *engine, enum lh_mail_slot_state state) {
  for (size_t i = 0; i < LH_MAILS_IN_FLIGHT_MAX; i++)
    if (engine->mails[i].state == state) return &engine->mails[i];
  return NULL;
}

size_t lh_mailer_flying(const struct lh_engine *engine) {
  size_t count = 0;
  for (size_t i = 0; i < LH_MAILS_IN_FLIGHT_MAX; i++)
    count += engine->mails[i].state == LH_MAIL_SLOT_FLYING;
  return count;
}

int lh_engine_mail_send(struct lh_engine *engine, const struct lh_mail *mail, int64_t *number,
                        struct lh_error *err) {
  struct lh_mail_slot *slot = slot_in(engine, LH_MAIL_SLOT_FREE);
  struct lh_mail mine = *mail;
  if (engine->aborted) return lh_error_set(err, LH_E_REFUSED, "mail: the worker is stopping");
  if (!slot) return lh_error_set(err, LH_E_LIMIT, "mail: %d are under way", LH_MAILS_IN_FLIGHT_MAX);
  mine.tag = slot;
  int code = engine->transport->ops->mail(engine->transport, &mine, err);
  if (code != 0) return code;
  *slot = (struct lh_mail_slot){.state = LH_MAIL_SLOT_FLYING};
  slot->end.number = *number = ++engine->mail_number;
  return 0;
}

int lh_engine_mail_cancel(struct lh_engine *engine, int64_t number) {
  for (size_t i = 0; i < LH_MAILS_IN_FLIGHT_MAX; i++) {
    struct lh_mail_slot *slot = &engine->mails[i];
    if (slot->end.number != number || slot->state != LH_MAIL_SLOT_FLYING) continue;
    slot->state = LH_MAIL_SLOT_FREE;
    return engine->transport->ops->cancel(engine->transport, slot);
  }
  return -1;
}

void lh_mailer_take_in(struct lh_engine *engine, const struct lh_post_result *answer) {
  struct lh_mail_slot *slot = answer->tag;
  assert(slot >= engine->mails && slot < engine->mails + LH_MAILS_IN_FLIGHT_MAX);
  assert(slot->state == LH_MAIL_SLOT_FLYING);
  snprintf(slot->error, sizeof slot->error, "%s", answer->error);
  slot->state = LH_MAIL_SLOT_ENDED;
  slot->end.verdict = answer->verdict;
  slot->end.stage = answer->stage;
  slot->end.outcome = answer->outcome;
  slot->end.status = answer->status;
  slot->end.duration_ms = answer->duration_ms;
  slot->end.error = slot->error;
}

void lh_mailer_cancel_all(struct lh_engine *engine) {
  struct lh_mail_slot *slot;
  while ((slot = slot_in(engine, LH_MAIL_SLOT_FLYING)) != NULL) {
    int unsent = engine->transport->ops->cancel(engine->transport, slot);
    const struct lh_post_result end = {
        .tag = slot,
        .verdict = unsent ? LH_MAIL_REFUSED : LH_MAIL_UNKNOWN,
        .outcome = unsent ? LH_OUTCOME_LOCAL : LH_OUTCOME_LOST,
        .error = unsent ? "worker stopped before the mail was sent"
                        : "worker stopped before the mail server answered",
    };
    lh_mailer_take_in(engine, &end);
  }
}

void lh_mailer_tell(struct lh_engine *engine, struct lh_engine_report *report) {
  engine->mail_end_count = 0;
  for (size_t i = 0; i < LH_MAILS_IN_FLIGHT_MAX; i++) {
    struct lh_mail_slot *slot = &engine->mails[i];
    if (slot->state != LH_MAIL_SLOT_ENDED) continue;
    engine->mail_ends[engine->mail_end_count++] = slot->end;
    slot->state = LH_MAIL_SLOT_TOLD;
  }
  report->mails = engine->mail_ends;
  report->mail_count = engine->mail_end_count;
  report->mail_due = lh_mailer_due(engine);
}

void lh_mailer_recycle(struct lh_engine *engine) {
  for (size_t i = 0; i < LH_MAILS_IN_FLIGHT_MAX; i++)
    if (engine->mails[i].state == LH_MAIL_SLOT_TOLD) engine->mails[i].state = LH_MAIL_SLOT_FREE;
}

/* ---- mails about notices ---- */

static int may_lease(const struct lh_engine *engine) {
  return engine->sends_notices && !engine->draining && engine->session != 0 &&
         lh_mailer_flying(engine) < LH_MAILS_IN_FLIGHT_MAX;
}

int lh_mailer_due(const struct lh_engine *engine) {
  return may_lease(engine) && engine->mail_due_ms <= engine->clock->wall_ms(engine->clock->self);
}

int64_t lh_mailer_wait_ms(const struct lh_engine *engine) {
  int64_t wait_ms = engine->mail_due_ms - engine->clock->wall_ms(engine->clock->self);
  /* What is due already waits for the caller, not for a clock. */
  return may_lease(engine) && wait_ms > 0 ? wait_ms : INT64_MAX;
}

/* An error here is left to the next turn to find: nothing depends on it. */
void lh_mailer_look(struct lh_engine *engine) {
  int64_t now_ms = engine->clock->monotonic_ms(engine->clock->self);
  if (!may_lease(engine) || now_ms < engine->mail_look_at_ms) return;
  engine->mail_look_at_ms = now_ms + LH_SAFETY_TIMER_MS;
  int code = engine->store->notices->next_due(
      engine->store, engine->clock->wall_ms(engine->clock->self), &engine->mail_due_ms, NULL);
  if (code != 0) engine->mail_due_ms = INT64_MAX;
}

int lh_engine_mailing_lease(struct lh_engine *engine, const char *host, int fallback,
                            struct lh_mailing *mailing, struct lh_error *err) {
  const struct lh_mailing_wish wish = {.session = engine->session,
                                       .now_ms = engine->clock->wall_ms(engine->clock->self),
                                       .host = host,
                                       .fallback = fallback};
  *mailing = (struct lh_mailing){0};
  engine->mail_look_at_ms = 0;
  /* A slot whose end is being told is not free before the next step. */
  if (!may_lease(engine) || !slot_in(engine, LH_MAIL_SLOT_FREE)) return 0;
  return engine->store->notices->lease(engine->store, &wish, mailing, err);
}

int lh_engine_mailing_record(struct lh_engine *engine, const struct lh_mailing_result *result,
                             struct lh_error *err) {
  struct lh_mailing_result mine = *result;
  mine.session = engine->session;
  mine.now_ms = engine->clock->wall_ms(engine->clock->self);
  engine->mail_look_at_ms = 0;
  engine->checkpoint_wanted = 1;
  return engine->store->notices->record(engine->store, &mine, err);
}
