/*
** The lines a story is compared by: one for each attempt that ended, at the
** time it began, with what became of the request. Lines are sorted by time, so
** that a slow attempt stands where it began.
*/
#include "story.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 96

void story_time(int64_t wall_ms, char out[STORY_TIME_MAX]) {
  int64_t ms = wall_ms - FAKE_START_MS;
  const char *sign = ms < 0 ? "-" : "";
  if (ms < 0) ms = -ms;
  int len =
      snprintf(out, STORY_TIME_MAX, "%s%02" PRId64 ":%02" PRId64, sign, ms / 60000, ms / 1000 % 60);
  if (ms % 1000 != 0) snprintf(out + len, STORY_TIME_MAX - (size_t)len, ".%03" PRId64, ms % 1000);
}

static void line_add(struct story *story, int64_t at_ms, const char *text) {
  if (story->line_count == story->line_cap) {
    story->line_cap = story->line_cap ? 2 * story->line_cap : 64;
    story->lines = realloc(story->lines, story->line_cap * sizeof *story->lines);
    assert(story->lines);
  }
  struct story_line *line = &story->lines[story->line_count];
  line->at_ms = at_ms;
  line->order = story->line_count++;
  char at[STORY_TIME_MAX];
  story_time(at_ms, at);
  snprintf(line->text, sizeof line->text, "%s %s", at, text);
  size_t len = strlen(line->text);
  while (len > 0 && line->text[len - 1] == ' ') line->text[--len] = '\0';
}

void story_note(struct story *story, const char *format, ...) {
  char text[STORY_LINE_MAX - STORY_TIME_MAX];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  line_add(story, story->clock.wall_ms, text);
}

void story_note_at(struct story *story, int64_t at_ms, const char *format, ...) {
  char text[STORY_LINE_MAX - STORY_TIME_MAX];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  line_add(story, at_ms, text);
}

void story_complain(struct story *story, const char *format, ...) {
  char text[STORY_LINE_MAX - STORY_TIME_MAX] = "BROKEN: ";
  size_t len = strlen(text);
  va_list list;
  va_start(list, format);
  vsnprintf(text + len, sizeof text - len, format, list);
  va_end(list);
  line_add(story, story->clock.wall_ms, text);
  story->broken = 1;
}

/* "r1", with several webhooks "w1 r1", with several events "r1 x7", if asked "r1 e1-e7". */
static void request_name(const struct story *story, const struct story_request *request,
                         char out[NAME_MAX_BYTES]) {
  const char *webhook = story->webhook_count > 1 ? request->webhook->name : "";
  int len = snprintf(out, NAME_MAX_BYTES, "%s%sr%d", webhook, *webhook ? " " : "",
                     (int)(request - story->requests) + 1);
  size_t left = NAME_MAX_BYTES - (size_t)len;
  if (story->show_events && request->count > 1)
    snprintf(out + len, left, " e%" PRId64 "-e%" PRId64, request->first_event, request->last_event);
  else if (story->show_events)
    snprintf(out + len, left, " e%" PRId64, request->first_event);
  else if (request->count > 1)
    snprintf(out + len, left, " x%d", request->count);
}

static void answer_text(const struct lh_engine_event *event, char *out, size_t cap) {
  if (event->outcome == LH_OUTCOME_LOCAL)
    snprintf(out, cap, "given back");
  else if (event->outcome != LH_OUTCOME_ANSWERED)
    snprintf(out, cap, "%s", lh_outcome_name(event->outcome));
  else if (event->state != LH_DELIVERED && event->error[0] != '\0')
    snprintf(out, cap, "early %d", event->status);
  else
    snprintf(out, cap, "%d", event->status);
}

static void state_text(enum lh_state state, enum lh_reason reason, int64_t next_ms, char *out,
                       size_t cap) {
  char at[STORY_TIME_MAX];
  story_time(next_ms, at);
  switch (state) {
  case LH_PENDING:
    snprintf(out, cap, "due at %s", at);
    break;
  case LH_RETRYING:
    snprintf(out, cap, "retry at %s", at);
    break;
  case LH_FAILED:
    snprintf(out, cap, "failed %s", lh_reason_name(reason));
    break;
  case LH_SENDING:
    snprintf(out, cap, "only logged");
    break;
  case LH_DELIVERED:
    snprintf(out, cap, "delivered");
    break;
  }
}

/* When an attempt began, as the store logged it; a given-back one has no row any more. */
static int64_t started_ms(struct story *story, const struct lh_id *id, int32_t attempt) {
  struct lh_request_list list = {0};
  struct lh_attempt_list attempts = {0};
  struct lh_error err;
  int64_t at_ms = story->clock.wall_ms;
  if (story->store->requests->get(story->store, id, &list, &attempts, &err) != 0)
    story_complain(story, "request cannot be read: %s", err.message);
  for (size_t i = 0; i < attempts.count; i++)
    if (attempts.rows[i].number == attempt) at_ms = attempts.rows[i].started_ms;
  lh_request_list_clear(&list);
  lh_attempt_list_clear(&attempts);
  return at_ms;
}

static int succeeded(const struct lh_engine_event *event, const struct story_webhook *webhook) {
  if (event->outcome != LH_OUTCOME_ANSWERED || event->error[0] != '\0') return 0;
  return webhook->success == LH_SUCCESS_2XX ? event->status / 100 == 2 : event->status == 200;
}

void story_log_event(struct story *story, const struct lh_engine_event *event) {
  struct story_request *request = story_request(story, &event->request_id);
  char name[NAME_MAX_BYTES], answer[32], state[64], text[STORY_LINE_MAX - STORY_TIME_MAX];
  request_name(story, request, name);
  answer_text(event, answer, sizeof answer);
  state_text(event->state, event->reason, event->next_attempt_ms, state, sizeof state);
  assert(event->attempt > 0 && event->attempt < STORY_POSTS_MAX);
  int late = request->lost[event->attempt];
  if (event->state == LH_DELIVERED && !succeeded(event, request->webhook)) /* by another attempt */
    snprintf(state, sizeof state, "only logged");
  if (event->outcome == LH_OUTCOME_LOST) request->lost[event->attempt] = 1;
  snprintf(text, sizeof text, "%s attempt %d -> %-9s %s%s%s", name, event->attempt, answer,
           late ? "late, " : "", state, event->paused_webhook ? ", webhook paused" : "");
  int64_t at_ms = late || event->outcome == LH_OUTCOME_LOCAL
                      ? story->clock.wall_ms
                      : started_ms(story, &event->request_id, event->attempt);
  line_add(story, at_ms, text);
}

static void lost_of(struct story *story, struct story_request *request,
                    const struct lh_request_row *row, const struct lh_attempt_list *attempts) {
  for (size_t i = 0; i < attempts->count; i++) {
    const struct lh_attempt_row *attempt = &attempts->rows[i];
    if (attempt->outcome != LH_OUTCOME_LOST || request->lost[attempt->number]) continue;
    request->lost[attempt->number] = 1;
    char name[NAME_MAX_BYTES], state[64], text[STORY_LINE_MAX - STORY_TIME_MAX];
    request_name(story, request, name);
    state_text(row->delivery.state, row->delivery.reason, row->delivery.next_attempt_ms, state,
               sizeof state);
    snprintf(text, sizeof text, "%s attempt %d -> %-9s %s", name, attempt->number, "lost",
             row->delivery.state == LH_SENDING ? "sent again" : state);
    line_add(story, attempt->started_ms, text);
  }
}

/* Rescued attempts come as a count only; their rows say which they were. */
void story_log_lost(struct story *story) {
  for (size_t i = 0; i < story->request_count; i++) {
    struct lh_request_list list = {0};
    struct lh_attempt_list attempts = {0};
    struct lh_error err;
    struct story_request *request = &story->requests[i];
    int code = story->store->requests->get(story->store, &request->id, &list, &attempts, &err);
    if (code != 0)
      story_complain(story, "request cannot be read: %s", err.message);
    else
      lost_of(story, request, &list.rows[0], &attempts);
    lh_request_list_clear(&list);
    lh_attempt_list_clear(&attempts);
  }
}

void story_show_requests(struct story *story) {
  struct lh_request_filter filter = {.state = -1, .limit = LH_LIST_LIMIT_MAX};
  struct lh_request_list list = {0};
  struct lh_error err;
  if (story->store->requests->list(story->store, &filter, &list, &err) != 0) {
    story_complain(story, "requests cannot be listed: %s", err.message);
    return;
  }
  for (size_t i = list.count; i-- > 0;) {
    const struct lh_request_row *row = &list.rows[i];
    char name[NAME_MAX_BYTES], state[64];
    request_name(story, story_request(story, &row->request_id), name);
    state_text(row->delivery.state, row->delivery.reason, row->delivery.next_attempt_ms, state,
               sizeof state);
    story_note(story, "%s %s, attempts %d", name,
               row->delivery.state == LH_SENDING ? "sending" : state, row->delivery.attempts_made);
  }
  lh_request_list_clear(&list);
}

void story_show_webhooks(struct story *story) {
  struct lh_webhook_list list = {0};
  struct lh_error err;
  if (story->store->admin->webhook_list(story->store, &(struct lh_webhook_query){.with_deleted = 1},
                                        &list, &err) != 0) {
    story_complain(story, "webhooks cannot be listed: %s", err.message);
    return;
  }
  for (size_t i = 0; i < list.count; i++)
    story_note(story, "%s %s, failed in a row %d", list.rows[i].name,
               lh_status_name(list.rows[i].status), list.rows[i].failed_in_a_row);
  lh_webhook_list_clear(&list);
}

void story_show_log(struct story *story) {
  const struct lh_stats_query everything = {0};
  struct lh_stats stats;
  struct lh_error err;
  if (story->store->admin->stats(story->store, &everything, &stats, &err) != 0) {
    story_complain(story, "no figures: %s", err.message);
    return;
  }
  story_note(story, "log: %" PRId64 " events, %" PRId64 " delivered, %" PRId64 " failed",
             stats.events, stats.sum.requests[LH_DELIVERED], stats.sum.requests[LH_FAILED]);
  lh_stats_clear(&stats);
}

static int by_time(const void *a, const void *b) {
  const struct story_line *x = a, *y = b;
  if (x->at_ms != y->at_ms) return x->at_ms < y->at_ms ? -1 : 1;
  return x->order < y->order ? -1 : 1;
}

char *story_text(struct story *story) {
  char *text = malloc(story->line_count * (STORY_LINE_MAX + 1) + 1);
  assert(text);
  size_t len = 0;
  if (story->line_count > 0) qsort(story->lines, story->line_count, sizeof *story->lines, by_time);
  for (size_t i = 0; i < story->line_count; i++) {
    size_t line_len = strlen(story->lines[i].text);
    memcpy(text + len, story->lines[i].text, line_len);
    len += line_len;
    text[len++] = '\n';
  }
  text[len] = '\0';
  return text;
}
