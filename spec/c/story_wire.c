/*
** What holds of every POST, whatever the story is about: signed as the
** receiver checks it, the right events in the right order, the same bytes and
** a new nonce at every attempt, never more attempts than the budget allows.
*/
#include "story.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t event_number(const struct story *story, const struct lh_id *id) {
  for (size_t i = 0; i < story->event_count; i++)
    if (memcmp(&story->events[i], id, sizeof *id) == 0) return (int64_t)i + 1;
  return 0;
}

static struct story_webhook *webhook_of(struct story *story, const struct lh_id *id) {
  for (size_t i = 0; i < story->webhook_count; i++)
    if (memcmp(&story->webhooks[i].id, id, sizeof *id) == 0) return &story->webhooks[i];
  return NULL;
}

static void request_fill(struct story *story, struct story_request *request,
                         const struct lh_request_row *row) {
  request->webhook = webhook_of(story, &row->webhook_id);
  assert(request->webhook);
  request->count = row->count;
  request->created_ms = row->created_ms;
  for (int32_t i = 0; i < row->count; i++) {
    int64_t number = event_number(story, &row->event_ids[i]);
    if (number == 0 || (i > 0 && number <= request->last_event))
      story_complain(story, "an event is unknown or out of order");
    if (i == 0) request->first_event = number;
    request->last_event = number;
  }
}

struct story_request *story_request(struct story *story, const struct lh_id *id) {
  for (size_t i = 0; i < story->request_count; i++)
    if (memcmp(&story->requests[i].id, id, sizeof *id) == 0) return &story->requests[i];
  assert(story->request_count < STORY_REQUESTS_MAX);
  struct story_request *request = &story->requests[story->request_count++];
  *request = (struct story_request){.id = *id};
  struct lh_request_list list = {0};
  struct lh_attempt_list attempts = {0};
  struct lh_error err;
  int code = story->store->requests->get(story->store, id, &list, &attempts, &err);
  if (code != 0) story_complain(story, "request is not in the store: %s", err.message);
  assert(code == 0);
  request_fill(story, request, &list.rows[0]);
  lh_request_list_clear(&list);
  lh_attempt_list_clear(&attempts);
  return request;
}

static struct lh_value header(const struct lh_post *post, const char *name) {
  size_t len = strlen(name);
  for (size_t i = 0; i < post->header_count; i++) {
    const char *line = post->headers[i];
    if (strncmp(line, name, len) != 0 || strncmp(line + len, ": ", 2) != 0) continue;
    return (struct lh_value){.at = line + len + 2, .len = strlen(line + len + 2)};
  }
  return (struct lh_value){0};
}

/* By the secret that signs now; during a rotation the standard scheme signs with both. */
static int64_t signed_now(struct story *story, struct story_webhook *webhook,
                          const struct lh_post *post) {
  int standard = webhook->scheme == LH_SCHEME_STANDARD;
  struct lh_verify verify = {
      .scheme = webhook->scheme,
      .nonce = header(post, standard ? "webhook-timestamp" : "nonce"),
      .signature = header(post, standard ? "webhook-signature" : "x-zinrelo-signature"),
      .id = header(post, "webhook-id"),
      .body = post->body,
      .body_len = post->body_len,
      .now_ms = story->clock.wall_ms,
      .tolerance_ms = 1000,
  };
  struct lh_error err;
  story_keys_at(webhook, story->clock.wall_ms);
  if (lh_signature_verify(&verify, &webhook->key, 1, &err) != 0)
    story_complain(story, "signature: %s", err.message);
  if (standard && webhook->key_next &&
      lh_signature_verify(&verify, &webhook->key_next, 1, &err) != 0)
    story_complain(story, "signature of the secret that waits: %s", err.message);
  return verify.nonce.at ? strtoll(verify.nonce.at, NULL, 10) : 0;
}

static struct lh_slice member(struct lh_slice object, const char *name) {
  struct lh_slice value = {0};
  (void)lh_json_member(object, name, &value);
  return value;
}

static int is_text(struct lh_slice value, const char *text) {
  size_t len = strlen(text);
  return value.len == len + 2 && memcmp(value.at + 1, text, len) == 0;
}

/* The body against what the store says the request is. */
static void check_body(struct story *story, const struct story_request *request,
                       const struct lh_post *post) {
  struct lh_slice body = {.at = post->body, .len = post->body_len}, event;
  char id[LH_ID_LEN + 1], count[16];
  if (lh_json_check(body.at, body.len, LH_JSON_DEPTH_MAX + 3, NULL, NULL) != 0) {
    story_complain(story, "body is not JSON");
    return;
  }
  lh_id_format(&request->id, id);
  snprintf(count, sizeof count, "%d", request->count);
  if (!is_text(member(body, "request_id"), id) || !is_text(member(body, "total_count"), count))
    story_complain(story, "request_id or total_count is wrong");
  size_t position = 0;
  int seen = 0;
  while (lh_json_next(member(body, "events"), &position, NULL, &event)) {
    struct lh_id event_id;
    struct lh_slice text = member(event, "id");
    if (text.len != LH_ID_LEN + 2 || lh_id_parse(text.at + 1, LH_ID_LEN, &event_id) != 0) break;
    int64_t number = event_number(story, &event_id);
    if (seen++ == 0 ? number != request->first_event : number <= request->first_event) break;
    if (number > request->last_event) break;
  }
  if (seen != request->count) story_complain(story, "events are not those of the request");
}

static int over_budget(const struct story_request *request) {
  return request->post_count - request->posts_before > request->webhook->retries_max;
}

/* A manual retry begins a new one. */
static void budget_renew(struct story *story, struct story_request *request) {
  struct lh_request_list list = {0};
  struct lh_attempt_list attempts = {0};
  if (story->store->requests->get(story->store, &request->id, &list, &attempts, NULL) == 0)
    request->posts_before = list.rows[0].delivery.budget_start;
  lh_request_list_clear(&list);
  lh_attempt_list_clear(&attempts);
}

static void check_again(struct story *story, struct story_request *request,
                        const struct lh_post *post, int64_t nonce) {
  if (request->body_len != post->body_len || memcmp(request->body, post->body, post->body_len) != 0)
    story_complain(story, "body changed between attempts");
  for (int i = 0; i < request->post_count && i < STORY_POSTS_MAX; i++)
    if (request->webhook->scheme == LH_SCHEME_ZINRELO && request->nonces[i] == nonce)
      story_complain(story, "nonce %" PRId64 " was used before", nonce);
  if (over_budget(request)) budget_renew(story, request);
  if (over_budget(request)) story_complain(story, "more attempts than the budget has");
}

static void check_first(struct story *story, struct story_request *request,
                        const struct lh_post *post) {
  check_body(story, request, post);
  request->body = malloc(post->body_len);
  assert(request->body);
  memcpy(request->body, post->body, post->body_len);
  request->body_len = post->body_len;
  /* One that failed without an attempt has its first one when a person retries it. */
  if (story->retried && request->created_ms < story->clock.wall_ms) return;
  if (request->first_event <= request->webhook->last_first_event)
    story_complain(story, "first attempts are out of order");
  request->webhook->last_first_event = request->first_event;
}

static struct story_request *request_of(struct story *story, const struct lh_post *post) {
  static const char opening[] = "{\"request_id\":\"";
  size_t at = sizeof opening - 1;
  struct lh_id id;
  if (post->body_len < at + LH_ID_LEN || memcmp(post->body, opening, at) != 0) return NULL;
  if (lh_id_parse((const char *)post->body + at, LH_ID_LEN, &id) != 0) return NULL;
  return story_request(story, &id);
}

void story_wire_sent(void *self, const struct lh_post *post) {
  struct story *story = self;
  struct story_request *request = request_of(story, post);
  if (!request) {
    story_complain(story, "body does not begin with its request_id");
    return;
  }
  int64_t nonce = signed_now(story, request->webhook, post);
  if (strcmp(request->webhook->endpoint->url, post->url) != 0)
    story_complain(story, "sent to another webhook's URL");
  if (request->post_count == 0)
    check_first(story, request, post);
  else
    check_again(story, request, post, nonce);
  if (request->post_count < STORY_POSTS_MAX) request->nonces[request->post_count] = nonce;
  request->post_count++;
}
