/*
** What a person does to a webhook in a story: its fields as words, creating,
** editing, its status, its secret. The story keeps what it needs to check what
** is sent.
*/
#include "story.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *story_value(const char *word, const char *key) {
  size_t len = strlen(key);
  return strncmp(word, key, len) == 0 && word[len] == '=' ? word + len + 1 : NULL;
}

static unsigned number_field(struct lh_webhook *webhook, const char *word) {
  const struct {
    const char *name;
    int32_t *field;
    unsigned bit;
  } fields[] = {
      {"batch_size", &webhook->batch_size, LH_FIELD_BATCH_SIZE},
      {"batch_bytes_max", &webhook->batch_bytes_max, LH_FIELD_BATCH_BYTES_MAX},
      {"batch_wait_ms", &webhook->batch_wait_ms, LH_FIELD_BATCH_WAIT_MS},
      {"retries_max", &webhook->retries_max, LH_FIELD_RETRIES_MAX},
      {"retry_interval_s", &webhook->retry_interval_s, LH_FIELD_RETRY_INTERVAL_S},
      {"pause_after", &webhook->pause_after, LH_FIELD_PAUSE_AFTER},
      {"timeout_ms", &webhook->timeout_ms, LH_FIELD_TIMEOUT_MS},
      {"max_in_flight", &webhook->max_in_flight, LH_FIELD_MAX_IN_FLIGHT},
      {"ordered", &webhook->ordered, LH_FIELD_ORDERED},
  };
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    const char *value = story_value(word, fields[i].name);
    if (!value) continue;
    *fields[i].field = (int32_t)strtol(value, NULL, 10);
    return fields[i].bit;
  }
  return 0;
}

static char *copy(const char *text) {
  char *made = strdup(text);
  assert(made);
  return made;
}

static void set_list(char **text, const char *value, char separator) {
  free(*text);
  *text = copy(value);
  for (char *at = *text; *at; at++)
    if (*at == ',') *at = separator;
}

unsigned story_field(struct lh_webhook *webhook, const char *word) {
  const char *value;
  unsigned number = number_field(webhook, word);
  if (number) return number;
  if ((value = story_value(word, "account")) != NULL) {
    snprintf(webhook->account, sizeof webhook->account, "%s", value);
    return STORY_FIELD_ACCOUNT;
  }
  if ((value = story_value(word, "scheme")) != NULL)
    return lh_scheme_parse(value, &webhook->scheme) == 0 ? LH_FIELD_SCHEME : 0;
  if ((value = story_value(word, "success")) != NULL) {
    webhook->success = strcmp(value, "2xx") == 0 ? LH_SUCCESS_2XX : LH_SUCCESS_200;
    return LH_FIELD_SUCCESS;
  }
  if ((value = story_value(word, "retry_schedule")) != NULL) {
    set_list(&webhook->retry_schedule, value, ',');
    return LH_FIELD_RETRY_SCHEDULE;
  }
  if ((value = story_value(word, "headers")) != NULL) {
    set_list(&webhook->headers, value, '\n');
    return LH_FIELD_HEADERS;
  }
  if ((value = story_value(word, "host")) != NULL) {
    story_url(value, webhook->url);
    return LH_FIELD_URL;
  }
  if ((value = story_value(word, "event_types")) == NULL) return 0;
  set_list(&webhook->event_types, value, '\n');
  return LH_FIELD_EVENT_TYPES;
}

void story_url(const char *host, char url[LH_URL_MAX + 1]) {
  snprintf(url, LH_URL_MAX + 1, "https://%s.example/hook", host);
}

struct story_webhook *story_webhook(struct story *story, const char *name) {
  for (size_t i = 0; i < story->webhook_count; i++)
    if (strcmp(story->webhooks[i].name, name) == 0) return &story->webhooks[i];
  story_complain(story, "there is no webhook %s", name);
  return NULL;
}

static void secret_make(struct story *story, char secret[LH_SECRET_GENERATED_LEN + 1]) {
  unsigned char random[32];
  (void)story->clock.door.random(&story->clock, random, sizeof random, NULL);
  lh_secret_from_random(random, secret);
}

static struct lh_hmac_key *key_make(enum lh_scheme scheme, const char *secret) {
  struct lh_hmac_key *key;
  struct lh_error err;
  int code = lh_signature_key_new(scheme, secret, LH_SECRET_GENERATED_LEN, &key, &err);
  assert(code == 0);
  (void)code;
  return key;
}

void story_webhook_add(struct story *story, struct lh_webhook *webhook) {
  struct lh_error err;
  assert(story->webhook_count < STORY_NAMES_MAX);
  struct story_webhook *kept = &story->webhooks[story->webhook_count++];
  secret_make(story, kept->secret);
  story_url(webhook->name, webhook->url);
  int code = lh_webhook_check(webhook, &err);
  if (code == 0)
    code = story->store->admin->webhook_create(
        story->store, webhook,
        &(struct lh_webhook_new){webhook->url,
                                 (struct lh_piece){kept->secret, LH_SECRET_GENERATED_LEN}, NULL},
        story->clock.wall_ms, &err);
  if (code != 0) {
    story_complain(story, "webhook %s: %s", webhook->name, err.message);
    return;
  }
  kept->id = webhook->id;
  kept->retries_max = webhook->retries_max;
  kept->success = webhook->success;
  kept->scheme = webhook->scheme;
  snprintf(kept->name, sizeof kept->name, "%.31s", webhook->name);
  kept->endpoint = fake_network_endpoint(&story->network, webhook->url);
  kept->key = key_make(webhook->scheme, kept->secret);
}

/* Says what was refused; a story can be about that. */
static int refused(struct story *story, const char *name, int code, const struct lh_error *err) {
  if (code != 0) story_note(story, "%s refused: %s", name, err->message);
  return code != 0;
}

static void keys_renew(struct story_webhook *kept) {
  lh_hmac_key_free(kept->key);
  kept->key = key_make(kept->scheme, kept->secret);
  if (!kept->key_next) return;
  lh_hmac_key_free(kept->key_next);
  kept->key_next = key_make(kept->scheme, kept->secret_next);
}

void story_edit(struct story *story, const char *name, struct lh_webhook_edit *edit) {
  struct story_webhook *kept = story_webhook(story, name);
  struct lh_webhook webhook;
  struct lh_error err;
  if (!kept) return;
  edit->url_normal = edit->values.url;
  int code = story->store->admin->webhook_edit(story->store, &(struct lh_which){.id = &kept->id},
                                               edit, &webhook, &err);
  if (refused(story, name, code, &err)) return;
  if (webhook.retries_max > kept->retries_max) kept->retries_max = webhook.retries_max;
  kept->success = webhook.success;
  kept->scheme = webhook.scheme;
  kept->endpoint = fake_network_endpoint(&story->network, webhook.url);
  keys_renew(kept);
  lh_webhook_clear(&webhook);
}

void story_status(struct story *story, const char *name, enum lh_status status) {
  const struct story_webhook *kept = story_webhook(story, name);
  struct lh_webhook webhook;
  struct lh_error err;
  if (!kept) return;
  int code = story->store->admin->webhook_status(story->store, &(struct lh_which){.id = &kept->id},
                                                 status, &webhook, &err);
  if (refused(story, name, code, &err)) return;
  lh_webhook_clear(&webhook);
}

/* What waited takes over when its time has come. */
void story_keys_at(struct story_webhook *kept, int64_t now_ms) {
  if (!kept->key_next || now_ms < kept->rotates_ms) return;
  lh_hmac_key_free(kept->key);
  kept->key = kept->key_next;
  kept->key_next = NULL;
  memcpy(kept->secret, kept->secret_next, sizeof kept->secret);
}

void story_rotate(struct story *story, const char *name, int64_t overlap_ms) {
  struct story_webhook *kept = story_webhook(story, name);
  struct lh_webhook webhook;
  struct lh_error err;
  if (!kept) return;
  story_keys_at(kept, story->clock.wall_ms);
  secret_make(story, kept->secret_next);
  const struct lh_rotation rotation = {{kept->secret_next, LH_SECRET_GENERATED_LEN}, overlap_ms};
  int code = story->store->admin->secret_rotate(story->store, &(struct lh_which){.id = &kept->id},
                                                &rotation, &webhook, &err);
  if (refused(story, name, code, &err)) return;
  lh_webhook_clear(&webhook);
  lh_hmac_key_free(kept->key_next);
  kept->key_next = key_make(kept->scheme, kept->secret_next);
  kept->rotates_ms = story->clock.wall_ms + overlap_ms;
  story_keys_at(kept, story->clock.wall_ms);
}
