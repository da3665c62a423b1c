/*
** Defaults and rules of a webhook's configuration. Whether a name or URL is
** taken, and whether a selected type exists, is for the store to say.
*/
#include "core/webhook.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/event.h"
#include "core/header.h"
#include "core/id.h"
#include "core/utf8.h"

const char *lh_status_name(enum lh_status status) {
  switch (status) {
  case LH_STATUS_ENABLED:
    return "enabled";
  case LH_STATUS_PAUSED:
    return "paused";
  case LH_STATUS_DISABLED:
    return "disabled";
  case LH_STATUS_DELETED:
    return "deleted";
  }
  return "unknown";
}

void lh_webhook_init(struct lh_webhook *webhook) {
  *webhook = (struct lh_webhook){
      .status = LH_STATUS_ENABLED,
      .batch_size = LH_BATCH_SIZE_DEFAULT,
      .batch_bytes_max = LH_BATCH_BYTES_MAX,
      .retries_max = LH_RETRIES_DEFAULT,
      .retry_interval_s = LH_RETRY_INTERVAL_S_DEFAULT,
      .pause_after = LH_PAUSE_AFTER_DEFAULT,
      .timeout_ms = LH_TIMEOUT_MS_DEFAULT,
      .max_in_flight = LH_IN_FLIGHT_DEFAULT,
      .success = LH_SUCCESS_200,
      .scheme = LH_SCHEME_ZINRELO,
  };
}

void lh_webhook_clear(struct lh_webhook *webhook) {
  free(webhook->event_types);
  free(webhook->headers);
  free(webhook->retry_schedule);
  webhook->event_types = NULL;
  webhook->headers = NULL;
  webhook->retry_schedule = NULL;
}

static int check_range(const char *field, int32_t value, int32_t min, int32_t max,
                       struct lh_error *err) {
  if (value >= min && value <= max) return LH_OK;
  return lh_error_set(err, LH_E_INVALID, "%s: %d is not between %d and %d", field, value, min, max);
}

static int check_numbers(const struct lh_webhook *webhook, struct lh_error *err) {
  const struct {
    const char *field;
    int32_t value, min, max;
  } rules[] = {
      {"batch_size", webhook->batch_size, 1, LH_BATCH_SIZE_MAX},
      {"batch_bytes_max", webhook->batch_bytes_max, 1, LH_BATCH_BYTES_MAX},
      {"batch_wait_ms", webhook->batch_wait_ms, 0, LH_BATCH_WAIT_MS_MAX},
      {"retries_max", webhook->retries_max, 0, LH_RETRIES_MAX},
      {"retry_interval_s", webhook->retry_interval_s, 1, LH_RETRY_INTERVAL_S_MAX},
      {"pause_after", webhook->pause_after, 0, LH_PAUSE_AFTER_MAX},
      {"timeout_ms", webhook->timeout_ms, LH_TIMEOUT_MS_MIN, LH_TIMEOUT_MS_MAX},
      {"max_in_flight", webhook->max_in_flight, 1, LH_IN_FLIGHT_MAX},
      {"ordered", webhook->ordered, 0, 1},
      {"success", (int32_t)webhook->success, LH_SUCCESS_200, LH_SUCCESS_2XX},
      {"scheme", (int32_t)webhook->scheme, LH_SCHEME_ZINRELO, LH_SCHEME_STANDARD},
  };
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
    if (check_range(rules[i].field, rules[i].value, rules[i].min, rules[i].max, err) != LH_OK)
      return LH_E_INVALID;
  return LH_OK;
}

/* 1 if the text has a control character: C0, DEL, or C1 in its two bytes. */
static int has_control(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    unsigned char byte = (unsigned char)text[i];
    if (byte < 0x20 || byte == 0x7F) return 1;
    if (byte == 0xC2 && i + 1 < len && (unsigned char)text[i + 1] < 0xA0) return 1;
  }
  return 0;
}

int lh_name_check(const char *name, struct lh_error *err) {
  size_t len = strnlen(name, LH_NAME_MAX + 1);
  if (len < 1 || len > LH_NAME_MAX)
    return lh_error_set(err, LH_E_INVALID, "name: is not 1 to %d bytes long", LH_NAME_MAX);
  if (lh_utf8_check(name, len) != len)
    return lh_error_set(err, LH_E_INVALID, "name: is not valid UTF-8");
  if (has_control(name, len))
    return lh_error_set(err, LH_E_INVALID, "name: contains a control character");
  struct lh_id id; /* commands take either */
  if (lh_id_parse(name, len, &id) == LH_OK)
    return lh_error_set(err, LH_E_INVALID, "name: has the form of an id (%d lower-case hex digits)",
                        LH_ID_LEN);
  return LH_OK;
}

/* Length of the part before the next `separator`, which may be the text's end. */
static size_t part_length(const char *text, char separator) {
  const char *end = strchr(text, separator);
  return end == NULL ? strlen(text) : (size_t)(end - text);
}

static const char category_prefix[] = "category:";
#define CATEGORY_PREFIX_LEN (sizeof category_prefix - 1)

static int is_category_selector(const char *selector, size_t len) {
  return len > CATEGORY_PREFIX_LEN && memcmp(selector, category_prefix, CATEGORY_PREFIX_LEN) == 0;
}

static int check_selector(const char *selector, size_t len, struct lh_error *err) {
  if (len == 1 && selector[0] == '*') return LH_OK;
  if (!is_category_selector(selector, len)) {
    if (lh_event_type_check(selector, len, NULL) == LH_OK) return LH_OK;
    return lh_error_set(err, LH_E_INVALID,
                        "event_types: \"%.*s\" is not an event type, category:NAME or *",
                        len < 80 ? (int)len : 80, selector);
  }
  const char *category = selector + CATEGORY_PREFIX_LEN;
  size_t category_len = len - CATEGORY_PREFIX_LEN;
  if (category_len > LH_CATEGORY_MAX ||
      lh_event_type_check(category, category_len, NULL) != LH_OK ||
      memchr(category, '.', category_len) != NULL)
    return lh_error_set(err, LH_E_INVALID, "event_types: \"%.*s\" is not 1 to %d of a-z 0-9 _",
                        len < 80 ? (int)len : 80, selector, LH_CATEGORY_MAX);
  return LH_OK;
}

static int check_selectors(const char *event_types, struct lh_error *err) {
  if (event_types == NULL || event_types[0] == '\0')
    return lh_error_set(err, LH_E_INVALID, "event_types: none is given");
  int count = 0;
  for (const char *at = event_types;; at++) {
    if (++count > LH_SUBSCRIPTIONS_MAX)
      return lh_error_set(err, LH_E_INVALID, "event_types: more than %d", LH_SUBSCRIPTIONS_MAX);
    size_t len = part_length(at, '\n');
    if (check_selector(at, len, err) != LH_OK) return LH_E_INVALID;
    at += len;
    if (*at == '\0') return LH_OK;
  }
}

static int check_schedule(const char *schedule, struct lh_error *err) {
  if (schedule == NULL) return LH_OK;
  int count = 0;
  for (const char *at = schedule;; at++) {
    if (++count > LH_RETRY_SCHEDULE_MAX)
      return lh_error_set(err, LH_E_INVALID, "retry_schedule: more than %d entries",
                          LH_RETRY_SCHEDULE_MAX);
    size_t len = part_length(at, ',');
    long seconds = 0;
    for (size_t i = 0; i < len && seconds <= LH_RETRY_INTERVAL_S_MAX; i++)
      seconds = at[i] >= '0' && at[i] <= '9' ? seconds * 10 + at[i] - '0' : LONG_MAX;
    if (seconds < 1 || seconds > LH_RETRY_INTERVAL_S_MAX)
      return lh_error_set(err, LH_E_INVALID,
                          "retry_schedule: entry %d is not between 1 and %d seconds", count,
                          LH_RETRY_INTERVAL_S_MAX);
    at += len;
    if (*at == '\0') return LH_OK;
  }
}

int lh_webhook_check(const struct lh_webhook *webhook, struct lh_error *err) {
  size_t account_len = strnlen(webhook->account, sizeof webhook->account);
  int code = lh_account_check(webhook->account, account_len, err);
  if (code == LH_OK) code = lh_name_check(webhook->name, err);
  if (code == LH_OK) code = check_selectors(webhook->event_types, err);
  if (code == LH_OK && webhook->headers != NULL) code = lh_header_check(webhook->headers, err);
  if (code == LH_OK) code = check_schedule(webhook->retry_schedule, err);
  return code == LH_OK ? check_numbers(webhook, err) : code;
}

static const struct {
  enum lh_webhook_field field;
  size_t offset;
} numbers[] = {
    {LH_FIELD_BATCH_SIZE, offsetof(struct lh_webhook, batch_size)},
    {LH_FIELD_BATCH_BYTES_MAX, offsetof(struct lh_webhook, batch_bytes_max)},
    {LH_FIELD_BATCH_WAIT_MS, offsetof(struct lh_webhook, batch_wait_ms)},
    {LH_FIELD_RETRIES_MAX, offsetof(struct lh_webhook, retries_max)},
    {LH_FIELD_RETRY_INTERVAL_S, offsetof(struct lh_webhook, retry_interval_s)},
    {LH_FIELD_PAUSE_AFTER, offsetof(struct lh_webhook, pause_after)},
    {LH_FIELD_TIMEOUT_MS, offsetof(struct lh_webhook, timeout_ms)},
    {LH_FIELD_MAX_IN_FLIGHT, offsetof(struct lh_webhook, max_in_flight)},
};

static int replace(char **text, const char *with, struct lh_error *err) {
  char *copy = NULL;
  if (with != NULL && (copy = strdup(with)) == NULL)
    return lh_error_set(err, LH_E_MEMORY, "out of memory");
  free(*text);
  *text = copy;
  return LH_OK;
}

static int apply_texts(struct lh_webhook *webhook, const struct lh_webhook_edit *edit,
                       struct lh_error *err) {
  const struct lh_webhook *values = &edit->values;
  int code = LH_OK;
  if (edit->fields & LH_FIELD_NAME) memcpy(webhook->name, values->name, sizeof webhook->name);
  if (edit->fields & LH_FIELD_URL) memcpy(webhook->url, values->url, sizeof webhook->url);
  if (edit->fields & LH_FIELD_EVENT_TYPES)
    code = replace(&webhook->event_types, values->event_types, err);
  if (code == LH_OK && (edit->fields & LH_FIELD_HEADERS))
    code = replace(&webhook->headers, values->headers, err);
  if (code == LH_OK && (edit->fields & LH_FIELD_RETRY_SCHEDULE))
    code = replace(&webhook->retry_schedule, values->retry_schedule, err);
  return code;
}

int lh_webhook_apply(struct lh_webhook *webhook, const struct lh_webhook_edit *edit,
                     struct lh_error *err) {
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    if (edit->fields & numbers[i].field)
      *(int32_t *)(void *)((char *)webhook + numbers[i].offset) =
          *(const int32_t *)(const void *)((const char *)&edit->values + numbers[i].offset);
  if (edit->fields & LH_FIELD_ORDERED) webhook->ordered = edit->values.ordered;
  if (edit->fields & LH_FIELD_SUCCESS) webhook->success = edit->values.success;
  if (edit->fields & LH_FIELD_SCHEME) webhook->scheme = edit->values.scheme;
  return apply_texts(webhook, edit, err);
}

int64_t lh_webhook_longest_wait_ms(const struct lh_webhook *webhook) {
  long longest_s = webhook->retry_interval_s;
  for (const char *at = webhook->retry_schedule; at != NULL && *at != '\0';) {
    char *end;
    long entry_s = strtol(at, &end, 10);
    if (entry_s > longest_s) longest_s = entry_s;
    at = *end == ',' ? end + 1 : NULL;
  }
  return 2 * (int64_t)longest_s * 1000;
}

int lh_webhook_subscribes(const char *event_types, const char *event_type, const char *category) {
  size_t type_len = strlen(event_type);
  size_t category_len = category == NULL ? 0 : strlen(category);
  for (const char *at = event_types;; at++) {
    size_t len = part_length(at, '\n');
    if (len == 1 && *at == '*') return 1;
    if (len == type_len && memcmp(at, event_type, len) == 0) return 1;
    if (category_len > 0 && is_category_selector(at, len) &&
        len - CATEGORY_PREFIX_LEN == category_len &&
        memcmp(at + CATEGORY_PREFIX_LEN, category, category_len) == 0)
      return 1;
    at += len;
    if (*at == '\0') return 0;
  }
}
