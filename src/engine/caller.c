/*
** Calls of handlers beside attempts and mails: what flies, what has ended and
** waits to be taken. What a call is for, and what its answer means, is not known
** here. Who takes the ends owns them, so that no later step can pull an answer
** away from under the one who reads it.
*/
#include "engine/parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void lh_caller_init(struct lh_engine *engine) {
  engine->calls = (struct lh_calls){.room = LH_CALL_ANSWERS_MAX};
  engine->calls.ended_tail = &engine->calls.ended;
}

static void end_free(struct lh_engine_call_end *end) {
  lh_buffer_free(&end->answer.headers);
  lh_buffer_free(&end->answer.body);
  free(end);
}

void lh_engine_calls_free(struct lh_engine_call_end *list) {
  while (list) {
    struct lh_engine_call_end *next = list->next;
    end_free(list);
    list = next;
  }
}

/* Its bytes are counted no more. */
static void room_give_back(struct lh_calls *calls, struct lh_call_answer *answer) {
  calls->room += (int64_t)(answer->headers.len + answer->body.len);
  answer->room = NULL;
}

/* ---- sending */

static int check(const struct lh_engine *engine, const struct lh_call *call, struct lh_error *err) {
  const struct lh_calls *calls = &engine->calls;
  if (engine->aborted) return lh_error_set(err, LH_E_REFUSED, "call: the worker is stopping");
  if (calls->flying_count + calls->ended_count >= LH_CALLS_MAX)
    return lh_error_set(err, LH_E_LIMIT, "call: %d are under way", LH_CALLS_MAX);
  if (calls->bodies + call->body_len > LH_CALL_BODIES_MAX)
    return lh_error_set(err, LH_E_LIMIT, "call: bodies of %zu bytes are under way", calls->bodies);
  return 0;
}

static int flying_reserve(struct lh_calls *calls) {
  if (calls->flying_count < calls->flying_cap) return 0;
  size_t cap = calls->flying_cap ? calls->flying_cap * 2 : 16;
  struct lh_call_slot **flying = realloc(calls->flying, cap * sizeof(struct lh_call_slot *));
  if (!flying) return LH_E_MEMORY;
  calls->flying = flying;
  calls->flying_cap = cap;
  return 0;
}

int lh_engine_call_send(struct lh_engine *engine, const struct lh_call *call, int64_t *number,
                        struct lh_error *err) {
  struct lh_calls *calls = &engine->calls;
  int code = check(engine, call, err);
  if (code) return code;
  struct lh_call_slot *slot = calloc(1, sizeof *slot);
  if (!slot || flying_reserve(calls)) {
    free(slot);
    return lh_error_set(err, LH_E_MEMORY, "out of memory");
  }
  struct lh_call mine = *call;
  slot->end.answer.room = &calls->room;
  mine.answer = &slot->end.answer;
  mine.tag = slot;
  code = engine->transport->ops->call(engine->transport, &mine, err);
  if (code) {
    free(slot);
    return code;
  }
  slot->body_len = call->body_len;
  slot->place = calls->flying_count;
  slot->end.number = *number = ++calls->number;
  calls->flying[calls->flying_count++] = slot;
  calls->bodies += slot->body_len;
  return 0;
}

/* ---- ending */

static void land(struct lh_calls *calls, struct lh_call_slot *slot) {
  assert(calls->flying[slot->place] == slot);
  struct lh_call_slot *last = calls->flying[--calls->flying_count];
  calls->flying[slot->place] = last;
  last->place = slot->place;
  calls->bodies -= slot->body_len;
}

void lh_caller_take_in(struct lh_engine *engine, const struct lh_post_result *answer) {
  struct lh_calls *calls = &engine->calls;
  struct lh_call_slot *slot = answer->tag;
  struct lh_engine_call_end *end = &slot->end;
  land(calls, slot);
  end->outcome = answer->outcome;
  end->status = answer->status;
  end->sent = answer->sent;
  end->duration_ms = answer->duration_ms;
  end->retry_after_ms = answer->retry_after_ms;
  snprintf(end->error, sizeof end->error, "%s", answer->error);
  *calls->ended_tail = end;
  calls->ended_tail = &end->next;
  calls->ended_count++;
}

void lh_caller_cancel_all(struct lh_engine *engine) {
  struct lh_calls *calls = &engine->calls;
  while (calls->flying_count > 0) {
    struct lh_call_slot *slot = calls->flying[calls->flying_count - 1];
    int unsent = engine->transport->ops->cancel(engine->transport, slot);
    const struct lh_post_result end = {
        .tag = slot,
        .outcome = unsent ? LH_OUTCOME_LOCAL : LH_OUTCOME_LOST,
        .sent = !unsent,
        .error = unsent ? "worker stopped before anything was sent"
                        : "worker stopped before the answer came",
    };
    lh_caller_take_in(engine, &end);
  }
}

static int cancel_flying(struct lh_engine *engine, struct lh_call_slot *slot) {
  int unsent = engine->transport->ops->cancel(engine->transport, slot);
  land(&engine->calls, slot);
  room_give_back(&engine->calls, &slot->end.answer);
  end_free(&slot->end);
  return unsent;
}

/* One that a failed step left behind. */
static int cancel_ended(struct lh_calls *calls, int64_t number) {
  for (struct lh_engine_call_end **at = &calls->ended; *at; at = &(*at)->next) {
    struct lh_engine_call_end *end = *at;
    if (end->number != number) continue;
    int unsent = !end->sent;
    *at = end->next;
    if (!*at) calls->ended_tail = at;
    calls->ended_count--;
    room_give_back(calls, &end->answer);
    end_free(end);
    return unsent;
  }
  return -1;
}

int lh_engine_call_cancel(struct lh_engine *engine, int64_t number) {
  struct lh_calls *calls = &engine->calls;
  for (size_t i = 0; i < calls->flying_count; i++)
    if (calls->flying[i]->end.number == number) return cancel_flying(engine, calls->flying[i]);
  return cancel_ended(calls, number);
}

struct lh_engine_call_end *lh_engine_calls_take(struct lh_engine *engine) {
  struct lh_calls *calls = &engine->calls;
  struct lh_engine_call_end *list = calls->ended;
  for (struct lh_engine_call_end *end = list; end; end = end->next)
    room_give_back(calls, &end->answer);
  calls->ended = NULL;
  calls->ended_tail = &calls->ended;
  calls->ended_count = 0;
  return list;
}

void lh_caller_clear(struct lh_engine *engine) {
  assert(engine->calls.flying_count == 0);
  lh_engine_calls_free(lh_engine_calls_take(engine));
  free(engine->calls.flying);
}
