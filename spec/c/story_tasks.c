/* Handlers in a story: receiving, what they are, and what people do with their tasks. */
#include "story.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct story_handler *handler_of(struct story *story, const char *name) {
  for (int i = 0; i < story->handler_count; i++)
    if (strcmp(story->handlers[i].name, name) == 0) return &story->handlers[i];
  story_complain(story, "there is no handler %s", name);
  return NULL;
}

/* ---- receiving ---- */

static void receive_one(struct story *story, const char *type, const char *member) {
  char id[16];
  struct lh_error err;
  snprintf(id, sizeof id, "e%d", ++story->received);
  const struct lh_received event = {.event_id = id,
                                    .event_id_len = strlen(id),
                                    .event_type = type,
                                    .event_type_len = strlen(type),
                                    .member = member,
                                    .member_len = member ? strlen(member) : 0,
                                    .data = "{}",
                                    .data_len = 2};
  struct lh_receipt receipt = {.source = "zinrelo", .events = &event, .count = 1};
  if (story->store->inbox->accept(story->store, &receipt, 1, story->clock.wall_ms, &err) != 0)
    story_complain(story, "receive: %s", err.message);
}

static void do_receive(struct story *story, char *const *words, int count) {
  const char *member = NULL, *value;
  long times = 1;
  for (int i = 2; i < count; i++) {
    if ((value = story_value(words[i], "member")) != NULL)
      member = value;
    else if (words[i][0] == 'x')
      times = strtol(words[i] + 1, NULL, 10);
    else
      story_complain(story, "receive: what is %s?", words[i]);
  }
  while (times-- > 0) receive_one(story, words[1], member);
}

/* ---- handlers ---- */

void story_handler_load(struct story *story, struct lh_engine *engine,
                        struct story_handler *handler) {
  struct lh_error err;
  int created;
  if (handler->unloaded) return;
  if (lh_engine_open_handler(engine, &handler->definition, &handler->wish.handler, &created, &err))
    story_complain(story, "handler %s: %s", handler->name, err.message);
}

/* The store knows it from here on, whether a worker is there or not. */
static void make_known(struct story *story, struct story_handler *handler) {
  struct lh_error err;
  int created;
  if (story->store->tasks->handler_open(story->store, &handler->definition, story->clock.wall_ms,
                                        &handler->wish.handler, &created, &err) != 0)
    story_complain(story, "handler %s: %s", handler->name, err.message);
}

/* "5/10s": five in ten seconds. */
static int read_rate(const char *text, struct lh_handler_wish *wish) {
  char *slash;
  wish->burst = strtol(text, &slash, 10);
  int64_t span_ms = *slash == '/' ? story_duration_ms(slash + 1) : -1;
  if (span_ms <= 0 || wish->burst < 1) return 0;
  wish->interval_us = span_ms * 1000 / wish->burst;
  return 1;
}

static int handler_field(struct story_handler *handler, const char *word) {
  struct lh_handler_definition *definition = &handler->definition;
  const char *value;
  if (strcmp(word, "serial") == 0)
    definition->serial = 1;
  else if (strcmp(word, "unknown=fail") == 0)
    definition->fails_when_unknown = handler->wish.policy.fails_when_unknown = 1;
  else if (strcmp(word, "from=start") == 0)
    definition->from_start = 1;
  else if ((value = story_value(word, "concurrency")) != NULL)
    handler->wish.concurrency = (int32_t)strtol(value, NULL, 10);
  else if ((value = story_value(word, "tries")) != NULL)
    handler->wish.policy.tries = (int32_t)strtol(value, NULL, 10);
  else if ((value = story_value(word, "rate")) != NULL)
    return read_rate(value, &handler->wish);
  else if ((value = story_value(word, "types")) != NULL)
    snprintf(handler->event_types, sizeof handler->event_types, "%s", value);
  else
    return 0;
  return 1;
}

/* Also again, after unload. */
static void do_handler(struct story *story, char *const *words, int count) {
  int at = 0;
  while (at < story->handler_count && strcmp(story->handlers[at].name, words[1]) != 0) at++;
  assert(at < STORY_HANDLERS_MAX);
  struct story_handler *handler = &story->handlers[at];
  if (at == story->handler_count) story->handler_count++;
  *handler = (struct story_handler){.wish = {.concurrency = 16,
                                             .burst = 1,
                                             .policy = {LH_TASK_TRIES_DEFAULT, LH_TASK_FACTOR,
                                                        LH_TASK_FIRST_MS, LH_TASK_MAX_MS, 0}}};
  snprintf(handler->name, sizeof handler->name, "%s", words[1]);
  snprintf(handler->event_types, sizeof handler->event_types, "*");
  for (int i = 2; i < count; i++)
    if (!handler_field(handler, words[i])) story_complain(story, "handler: what is %s?", words[i]);
  for (char *comma = handler->event_types; (comma = strchr(comma, ',')) != NULL;) *comma = '\n';
  handler->definition.name = handler->name;
  handler->definition.event_types = handler->event_types;
  make_known(story, handler);
}

static int read_result(char *text, struct story_result *result) {
  static const struct {
    const char *word;
    enum story_act act;
    enum lh_task_input_kind kind;
  } words[] = {
      {"done", STORY_SAYS, LH_TASK_IN_SUCCESS}, {"retry", STORY_SAYS, LH_TASK_IN_FAILURE},
      {"fail", STORY_SAYS, LH_TASK_IN_REFUSAL}, {"unknown", STORY_SAYS, LH_TASK_IN_UNKNOWN},
      {"dies", STORY_DIES, LH_TASK_IN_SUCCESS}, {"hangs", STORY_HANGS, LH_TASK_IN_SUCCESS}};
  char *rest = NULL, *word = strtok_r(text, " ", &rest);
  size_t which = 0, known = sizeof words / sizeof *words;
  while (word && which < known && strcmp(word, words[which].word) != 0) which++;
  if (!word || which == known) return 0;
  *result = (struct story_result){.act = words[which].act, .kind = words[which].kind, .times = 1};
  while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
    if (word[0] == 'x') {
      result->times = (int)strtol(word + 1, NULL, 10);
      continue;
    }
    const char *value = strtok_r(NULL, " ", &rest);
    int64_t ms = value ? story_duration_ms(value) : -1;
    if (strcmp(word, "after") == 0)
      result->after_ms = ms;
    else if (strcmp(word, "retry-after") == 0)
      result->retry_after_ms = ms;
    else if (strcmp(word, "rest") == 0)
      result->rest_ms = ms;
    else
      return 0;
    if (ms < 0) return 0;
  }
  return result->times > 0;
}

/* does NAME [eN]: RESULT, RESULT */
static void do_does(struct story *story, const char *line) {
  char text[STORY_LINE_MAX], *rest = NULL;
  snprintf(text, sizeof text, "%s", line + strlen("does"));
  char *colon = strchr(text, ':');
  if (!colon) {
    story_complain(story, "does NAME: …");
    return;
  }
  *colon = '\0';
  char *name = strtok_r(text, " ", &rest), *event = strtok_r(NULL, " ", &rest);
  struct story_handler *handler = handler_of(story, name ? name : "");
  if (!handler) return;
  int number = event ? (int)strtol(event + 1, NULL, 10) : 0, at = 0;
  while (at < handler->script_count && handler->scripts[at].event != number) at++;
  assert(at < STORY_HANDLERS_MAX);
  if (at == handler->script_count) handler->script_count++;
  struct story_script *script = &handler->scripts[at];
  *script = (struct story_script){.event = number};
  for (char *next = strtok_r(colon + 1, ",", &rest); next; next = strtok_r(NULL, ",", &rest)) {
    assert(script->count < STORY_RESULTS_MAX);
    if (!read_result(next, &script->results[script->count++]))
      story_complain(story, "does: what is %s?", next);
  }
}

/* ---- people ---- */

static void do_forget(struct story *story, const char *name) {
  size_t failed = 0;
  struct lh_error err;
  if (story->store->tasks->forget(story->store, name, NULL, story->clock.wall_ms, &failed, &err) ==
      0)
    story_note(story, "%s forgotten, %d failed", name, (int)failed);
  else
    story_note(story, "%s not forgotten: %s", name, err.message);
}

static void do_retry(struct story *story, char *const *words, int count) {
  struct lh_task_retry asked = {.event_id = words[1], .handler = count > 2 ? words[2] : NULL};
  struct lh_error err;
  if (story->store->tasks->retry(story->store, &asked, 1, NULL, story->clock.wall_ms, &err) != 0)
    story_complain(story, "retry: %s", err.message);
  story_note(story, "%s %s", words[1], lh_task_retry_outcome_name(asked.outcome));
}

static void do_retry_tasks(struct story *story, char *const *words, int count) {
  struct lh_task_retry_step step = {.now_ms = story->clock.wall_ms};
  struct lh_error err;
  size_t sum = 0;
  for (int i = 2; i < count; i++) {
    if (strcmp(words[i], "dry-run") == 0)
      step.dry_run = 1;
    else
      step.handler = words[i];
  }
  do {
    if (story->store->tasks->retry_failed(story->store, &step, &err) != 0) {
      story_complain(story, "retry tasks: %s", err.message);
      return;
    }
    sum += step.count;
  } while (step.after != 0);
  story_note(story, "%d %s", (int)sum, step.dry_run ? "failed" : "retried");
}

/* ---- what is shown ---- */

static void show_event(struct story *story, const struct lh_inbox_row *row) {
  for (size_t i = 0; i < row->task_count; i++) {
    const struct lh_inbox_task *task = &row->tasks[i];
    const char *reason = lh_task_reason_name((enum lh_task_reason)task->reason);
    story_note(story, "%s %s %s%s%s%s, attempts %d", task->handler, row->event_id,
               lh_task_state_name((enum lh_task_state)task->state), *reason ? " " : "", reason,
               task->waits ? ", waits" : "", task->attempts_made);
  }
}

static void show_tasks(struct story *story) {
  struct lh_inbox_filter filter = {.state = -1, .limit = LH_LIST_LIMIT_MAX};
  struct lh_inbox_list list;
  struct lh_error err;
  if (story->store->inbox->list(story->store, &filter, &list, &err) != 0) {
    story_complain(story, "inbox cannot be listed: %s", err.message);
    return;
  }
  for (size_t i = list.count; i-- > 0;) show_event(story, &list.rows[i]);
  lh_inbox_list_clear(&list);
}

static void show_handlers(struct story *story) {
  struct lh_handler_list list;
  struct lh_error err;
  if (story->store->tasks->handler_list(story->store, &list, &err) != 0) {
    story_complain(story, "handlers cannot be listed: %s", err.message);
    return;
  }
  for (size_t i = 0; i < list.count; i++) {
    const int64_t *tasks = list.rows[i].tasks;
    story_note(story,
               "%s: %" PRId64 " behind, %" PRId64 " pending, %" PRId64 " running, %" PRId64
               " retrying, %" PRId64 " done, %" PRId64 " failed",
               list.rows[i].name, list.rows[i].behind, tasks[LH_TASK_PENDING],
               tasks[LH_TASK_RUNNING], tasks[LH_TASK_RETRYING], tasks[LH_TASK_DONE],
               tasks[LH_TASK_FAILED]);
  }
  lh_handler_list_clear(&list);
}

/* Words that webhooks have too. 0: it is about them. */
static int do_shared(struct story *story, char *const *words, int count) {
  const char *what = words[0], *name = words[1];
  if (strcmp(what, "retry") == 0 && strcmp(name, "tasks") == 0)
    do_retry_tasks(story, words, count);
  else if (strcmp(what, "retry") == 0 && name[0] == 'e')
    do_retry(story, words, count);
  else if (strcmp(what, "show") == 0 && strcmp(name, "tasks") == 0)
    show_tasks(story);
  else if (strcmp(what, "show") == 0 && strcmp(name, "handlers") == 0)
    show_handlers(story);
  else
    return 0;
  return 1;
}

int story_tasks_do(struct story *story, const char *line, char *const *words, int count) {
  const char *what = words[0];
  struct story_handler *handler;
  if (strcmp(what, "receive") == 0)
    do_receive(story, words, count);
  else if (strcmp(what, "handler") == 0)
    do_handler(story, words, count);
  else if (strcmp(what, "does") == 0)
    do_does(story, line);
  else if (strcmp(what, "forget") == 0)
    do_forget(story, words[1]);
  else if (strcmp(what, "unload") != 0)
    return do_shared(story, words, count);
  else if ((handler = handler_of(story, words[1])) != NULL)
    handler->unloaded = 1;
  return 1;
}
