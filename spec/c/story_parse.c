/* One line of a story → one call. The words are listed in story.h. */
#include "story.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 32
#define LINE_BYTES 1024
#define DATA_BYTES_MAX (1024 * 1024)

struct words {
  char text[LINE_BYTES];
  char *word[WORDS_MAX];
  int count;
};

static void split(struct words *words, const char *line) {
  snprintf(words->text, sizeof words->text, "%s", line);
  words->count = 0;
  char *at = words->text;
  for (;;) {
    at += strspn(at, " \t");
    if (*at == '\0' || words->count == WORDS_MAX) return;
    words->word[words->count++] = at;
    at += strcspn(at, " \t");
    if (*at != '\0') *at++ = '\0';
  }
}

int64_t story_duration_ms(const char *text) {
  static const struct {
    const char *unit;
    int64_t ms;
  } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
  int64_t sum = 0;
  if (*text == '\0') return -1;
  while (*text) {
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || value < 0) return -1;
    size_t len = strspn(end, "mshMSH"), i = 0;
    while (i < 4 && (strlen(units[i].unit) != len || strncmp(end, units[i].unit, len) != 0)) i++;
    if (i == 4) return -1;
    sum += value * units[i].ms;
    text = end + len;
  }
  return sum;
}

static void do_webhook(struct story *story, const struct words *words) {
  struct lh_webhook webhook;
  lh_webhook_init(&webhook);
  free(webhook.event_types);
  webhook.event_types = strdup("*");
  assert(webhook.event_types);
  snprintf(webhook.account, sizeof webhook.account, "default");
  snprintf(webhook.name, sizeof webhook.name, "%s", words->word[1]);
  for (int i = 2; i < words->count; i++)
    if (!story_field(&webhook, words->word[i]))
      story_complain(story, "webhook: what is %s?", words->word[i]);
  story_webhook_add(story, &webhook);
  lh_webhook_clear(&webhook);
}

static int outcome_word(const char *word, struct fake_answer *answer) {
  static const enum lh_outcome outcomes[] = {LH_OUTCOME_CONNECT,  LH_OUTCOME_DNS,
                                             LH_OUTCOME_TLS,      LH_OUTCOME_BLOCKED,
                                             LH_OUTCOME_PROTOCOL, LH_OUTCOME_LOCAL};
  for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
    if (strcmp(word, lh_outcome_name(outcomes[i])) != 0) continue;
    answer->outcome = outcomes[i];
    return 1;
  }
  return 0;
}

static int kind_word(const char *word, struct fake_answer *answer) {
  char *end;
  long status = strtol(word, &end, 10);
  if (*end == '\0' && status >= 100 && status <= 999)
    answer->status = (int)status;
  else if (strcmp(word, "timeout") == 0)
    answer->kind = FAKE_NEVER;
  else if (strcmp(word, "shortage") == 0)
    answer->kind = FAKE_SHORTAGE;
  else if (strcmp(word, "unusable") == 0)
    answer->kind = FAKE_UNUSABLE;
  else
    return outcome_word(word, answer);
  return 1;
}

/* "early 200 after 5s x3" and the like. 0: not understood. */
static int parse_answer(const char *text, struct fake_answer *answer) {
  struct words words;
  split(&words, text);
  *answer = (struct fake_answer){.outcome = LH_OUTCOME_ANSWERED, .uploaded = 1, .times = 1};
  int i = 0, known = words.count > 0;
  if (known && strcmp(words.word[0], "early") == 0) {
    answer->uploaded = 0;
    i++;
  }
  known = known && i < words.count && kind_word(words.word[i++], answer);
  for (; known && i < words.count; i++) {
    const char *word = words.word[i], *next = i + 1 < words.count ? words.word[i + 1] : "";
    if (word[0] == 'x') {
      answer->times = (int)strtol(word + 1, NULL, 10);
      known = answer->times > 0;
    } else if (strcmp(word, "after") == 0) {
      known = (answer->after_ms = story_duration_ms(next)) >= 0;
      i++;
    } else if (strcmp(word, "retry-after") == 0) {
      known = (answer->retry_after_ms = story_duration_ms(next)) >= 0;
      i++;
    } else {
      known = 0;
    }
  }
  return known;
}

/* answers NAME: 500, timeout, 200 */
static void do_answers(struct story *story, const char *line) {
  char text[LINE_BYTES];
  snprintf(text, sizeof text, "%s", line + strlen("answers"));
  char *colon = strchr(text, ':'), *name = text + strspn(text, " ");
  if (!colon) {
    story_complain(story, "answers NAME: …");
    return;
  }
  *colon = '\0';
  struct story_webhook *webhook = story_webhook(story, name);
  if (!webhook) return;
  fake_endpoint_script_begin(webhook->endpoint);
  for (char *at = colon + 1; at;) {
    char *comma = strchr(at, ',');
    struct fake_answer answer;
    if (comma) *comma = '\0';
    if (!parse_answer(at, &answer)) story_complain(story, "answers: what is%s?", at);
    fake_endpoint_script_add(webhook->endpoint, &answer);
    at = comma ? comma + 1 : NULL;
  }
}

static void do_emit(struct story *story, const struct words *words) {
  struct lh_emit emit = {
      .account = "default", .event_type = words->word[1], .category = "transaction"};
  size_t bytes = 0;
  int times = 1;
  for (int i = 2; i < words->count; i++) {
    const char *word = words->word[i], *value;
    if (word[0] == 'x' && strspn(word + 1, "0123456789") == strlen(word + 1))
      times = (int)strtol(word + 1, NULL, 10);
    else if ((value = story_value(word, "account")) != NULL)
      emit.account = value;
    else if ((value = story_value(word, "category")) != NULL)
      emit.category = value;
    else if ((value = story_value(word, "bytes")) != NULL)
      bytes = strtoul(value, NULL, 10);
    else
      story_complain(story, "emit: what is %s?", word);
  }
  static const char opening[] = "{\"member_info\":{\"id\":\"m1\"},\"note\":\"", ending[] = "\"}";
  size_t frame = sizeof opening - 1 + sizeof ending - 1;
  if (bytes < frame) bytes = frame;
  assert(bytes <= DATA_BYTES_MAX);
  char *data = malloc(bytes);
  assert(data);
  memset(data, 'x', bytes);
  memcpy(data, opening, sizeof opening - 1);
  memcpy(data + bytes - (sizeof ending - 1), ending, sizeof ending - 1);
  emit.data = data;
  emit.data_len = bytes;
  emit.member = "m1";
  emit.member_len = 2;
  story_emit(story, &emit, times);
  free(data);
}

static void do_worker(struct story *story, const struct words *words) {
  size_t concurrency = 0;
  int64_t bytes = 0;
  for (int i = 2; i < words->count; i++) {
    const char *value;
    if ((value = story_value(words->word[i], "concurrency")) != NULL)
      concurrency = strtoul(value, NULL, 10);
    else if ((value = story_value(words->word[i], "bytes")) != NULL)
      bytes = strtoll(value, NULL, 10);
    else
      story_complain(story, "worker: what is %s?", words->word[i]);
  }
  story_worker_open(story, words->word[1], concurrency, bytes);
}

static void do_store(struct story *story, const struct words *words) {
  static const struct {
    const char *word;
    int code;
  } codes[] = {{"ok", LH_OK}, {"full", LH_E_FULL}, {"busy", LH_E_BUSY}, {"io", LH_E_IO}};
  struct story_worker *worker = story_worker(story, words->word[1]);
  const char *word = words->count > 2 ? words->word[2] : "";
  for (size_t i = 0; worker && i < sizeof codes / sizeof *codes; i++) {
    if (strcmp(word, codes[i].word) != 0) continue;
    worker->store.write_code = codes[i].code;
    return;
  }
  story_complain(story, "store NAME ok|full|busy|io");
}

static void do_show(struct story *story, const char *what) {
  if (strcmp(what, "requests") == 0)
    story_show_requests(story);
  else if (strcmp(what, "webhooks") == 0)
    story_show_webhooks(story);
  else if (strcmp(what, "log") == 0)
    story_show_log(story);
  else if (strcmp(what, "events") == 0)
    story->show_events = 1;
  else
    story_complain(story, "show: what is %s?", what);
}

static void do_retain(struct story *story, const struct words *words) {
  const int64_t day_ms = 86400000;
  story->retention_ms = strtoll(words->word[1], NULL, 10) * day_ms;
  story->failed_retention_ms = words->count > 2 ? strtoll(words->word[2], NULL, 10) * day_ms : 0;
  if (story->retention_ms <= 0 || story->failed_retention_ms <= 0)
    story_complain(story, "retain DAYS DAYS");
}

static void do_run(struct story *story, const char *text) {
  int64_t ms = story_duration_ms(text);
  if (ms >= 0)
    story_run(story, ms);
  else
    story_complain(story, "run: %s is no duration", text);
}

static void do_clock(struct story *story, const char *text) {
  int64_t ms = story_duration_ms(text + 1);
  if (ms < 0 || (text[0] != '+' && text[0] != '-'))
    story_complain(story, "clock +DURATION or -DURATION");
  else
    story->clock.wall_ms += text[0] == '-' ? -ms : ms;
}

static void do_edit(struct story *story, const struct words *words) {
  struct lh_webhook_edit edit = {.fields = 0};
  lh_webhook_init(&edit.values);
  for (int i = 2; i < words->count; i++) {
    unsigned field = story_field(&edit.values, words->word[i]);
    if (!field) story_complain(story, "edit: what is %s?", words->word[i]);
    edit.fields |= field;
  }
  story_edit(story, words->word[1], &edit);
  lh_webhook_clear(&edit.values);
}

static void do_rotate(struct story *story, const char *name, const char *overlap) {
  int64_t overlap_ms = strcmp(overlap, "now") == 0 ? 0 : story_duration_ms(overlap);
  if (overlap_ms < 0)
    story_complain(story, "rotate NAME now|DURATION");
  else
    story_rotate(story, name, overlap_ms);
}

static void do_retry(struct story *story, struct words *words) {
  struct story_retrying wanted = {.webhook = NULL};
  if (strcmp(words->word[1], "failed") != 0) {
    story_retry(story, words->word + 1, words->count - 1);
    return;
  }
  for (int i = 2; i < words->count; i++) {
    const char *word = words->word[i], *value;
    if ((value = story_value(word, "account")) != NULL)
      wanted.account = value;
    else if ((value = story_value(word, "since")) != NULL)
      wanted.since_ms = story->clock.wall_ms - story_duration_ms(value);
    else if (strcmp(word, "reason=paused") == 0)
      wanted.reason = LH_REASON_PAUSED;
    else if (strcmp(word, "dry-run") == 0)
      wanted.dry_run = 1;
    else if (strcmp(word, "wait") == 0)
      wanted.wait = 1;
    else
      wanted.webhook = word;
  }
  story_retry_failed(story, &wanted);
}

/* Directives that change a webhook. 0: it is none of them. */
static int do_to_webhook(struct story *story, const struct words *words) {
  const char *what = words->word[0], *name = words->word[1];
  if (strcmp(what, "edit") == 0)
    do_edit(story, words);
  else if (strcmp(what, "enable") == 0)
    story_status(story, name, LH_STATUS_ENABLED);
  else if (strcmp(what, "disable") == 0)
    story_status(story, name, LH_STATUS_DISABLED);
  else if (strcmp(what, "delete") == 0)
    story_status(story, name, LH_STATUS_DELETED);
  else if (strcmp(what, "rotate") == 0)
    do_rotate(story, name, words->count > 2 ? words->word[2] : "");
  else
    return 0;
  return 1;
}

/* Directives that name a worker. 0: it is none of them. */
static int do_to_worker(struct story *story, const char *what, const char *name) {
  static const char *const verbs[] = {"kill", "stop", "continue", "drain", "abort", "close"};
  size_t which = 0, count = sizeof verbs / sizeof *verbs;
  while (which < count && strcmp(verbs[which], what) != 0) which++;
  if (which == count) return 0;
  struct story_worker *worker = story_worker(story, name);
  if (!worker) return 1;
  switch (what[0]) {
  case 'k':
    story_worker_kill(story, worker);
    break;
  case 's':
    worker->stopped = 1;
    break;
  case 'd':
    worker->draining = 1;
    lh_engine_drain(worker->engine);
    break;
  case 'a':
    story_worker_abort(story, worker);
    break;
  default:
    if (what[1] == 'l')
      story_worker_close(story, worker);
    else
      worker->stopped = 0;
  }
  return 1;
}

void story_do(struct story *story, const char *line) {
  struct words words;
  split(&words, line);
  if (words.count == 0) return;
  const char *what = words.word[0], *name = words.count > 1 ? words.word[1] : "";
  if (words.count < 2)
    story_complain(story, "%s needs something", what);
  else if (story_tasks_do(story, line, words.word, words.count))
    return;
  else if (strcmp(what, "webhook") == 0)
    do_webhook(story, &words);
  else if (strcmp(what, "answers") == 0)
    do_answers(story, line);
  else if (strcmp(what, "emit") == 0)
    do_emit(story, &words);
  else if (strcmp(what, "run") == 0)
    do_run(story, name);
  else if (strcmp(what, "clock") == 0)
    do_clock(story, name);
  else if (strcmp(what, "worker") == 0)
    do_worker(story, &words);
  else if (strcmp(what, "store") == 0)
    do_store(story, &words);
  else if (strcmp(what, "retry") == 0)
    do_retry(story, &words);
  else if (strcmp(what, "show") == 0)
    do_show(story, name);
  else if (strcmp(what, "retain") == 0)
    do_retain(story, &words);
  else if (!do_to_webhook(story, &words) && !do_to_worker(story, what, name))
    story_complain(story, "what is %s?", what);
}
