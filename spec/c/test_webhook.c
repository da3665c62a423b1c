/* A webhook's defaults, the rules of its fields, and what it subscribes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/webhook.h"

static struct lh_webhook good(void) {
  static char selectors[] = "event_points_earned";
  struct lh_webhook webhook;
  lh_webhook_init(&webhook);
  snprintf(webhook.account, sizeof webhook.account, "default");
  snprintf(webhook.name, sizeof webhook.name, "crm");
  webhook.event_types = selectors; /* borrowed: these tests never clear */
  return webhook;
}

static void refuses(const struct lh_webhook *webhook, const char *message) {
  struct lh_error err = {.message = ""};
  int code = lh_webhook_check(webhook, &err);
  assert_string_equal(err.message, message);
  assert_int_equal(code, LH_E_INVALID);
}

static void accepts(const struct lh_webhook *webhook) {
  struct lh_error err = {.message = ""};
  int code = lh_webhook_check(webhook, &err);
  assert_string_equal(err.message, "");
  assert_int_equal(code, LH_OK);
}

static void test_defaults(void **state) {
  (void)state;
  struct lh_webhook webhook = good();
  assert_int_equal(webhook.status, LH_STATUS_ENABLED);
  assert_int_equal(webhook.batch_size, 100);
  assert_int_equal(webhook.batch_bytes_max, 1000000);
  assert_int_equal(webhook.batch_wait_ms, 0);
  assert_int_equal(webhook.retries_max, 5);
  assert_int_equal(webhook.retry_interval_s, 300);
  assert_int_equal(webhook.pause_after, 5);
  assert_int_equal(webhook.timeout_ms, 30000);
  assert_int_equal(webhook.max_in_flight, 4);
  assert_int_equal(webhook.ordered, 0);
  assert_int_equal(webhook.success, LH_SUCCESS_200);
  assert_int_equal(webhook.scheme, LH_SCHEME_ZINRELO);
  assert_null(webhook.headers);
  assert_null(webhook.retry_schedule);
  accepts(&webhook);
}

static void test_numbers_have_their_ranges(void **state) {
  (void)state;
  struct lh_webhook webhook = good();
  const struct {
    const char *field;
    int32_t *at;
    int32_t min, max;
  } fields[] = {
      {"batch_size", &webhook.batch_size, 1, 1000},
      {"batch_bytes_max", &webhook.batch_bytes_max, 1, 1000000},
      {"batch_wait_ms", &webhook.batch_wait_ms, 0, 60000},
      {"retries_max", &webhook.retries_max, 0, 100},
      {"retry_interval_s", &webhook.retry_interval_s, 1, 86400},
      {"pause_after", &webhook.pause_after, 0, 1000},
      {"timeout_ms", &webhook.timeout_ms, 100, 300000},
      {"max_in_flight", &webhook.max_in_flight, 1, 1024},
      {"ordered", &webhook.ordered, 0, 1},
  };
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    int32_t before = *fields[i].at;
    const int32_t outside[] = {fields[i].min - 1, fields[i].max + 1, INT32_MIN, INT32_MAX};
    for (size_t k = 0; k < 4; k++) {
      char message[128];
      snprintf(message, sizeof message, "%s: %d is not between %d and %d", fields[i].field,
               outside[k], fields[i].min, fields[i].max);
      *fields[i].at = outside[k];
      refuses(&webhook, message);
    }
    *fields[i].at = fields[i].min;
    accepts(&webhook);
    *fields[i].at = fields[i].max;
    accepts(&webhook);
    *fields[i].at = before;
  }
  webhook.batch_size = 0;
  refuses(&webhook, "batch_size: 0 is not between 1 and 1000");
}

static void test_names(void **state) {
  (void)state;
  struct lh_webhook webhook = good();
  webhook.name[0] = '\0';
  refuses(&webhook, "name: is not 1 to 100 bytes long");
  memset(webhook.name, 'n', sizeof webhook.name); /* not even terminated */
  refuses(&webhook, "name: is not 1 to 100 bytes long");
  webhook.name[LH_NAME_MAX] = '\0';
  accepts(&webhook);
  snprintf(webhook.name, sizeof webhook.name, "Zo\xC3\xAB's shop \xE2\x80\x94 <b>\"x\"</b>");
  accepts(&webhook);
  static const char *const controls[] = {"a\nb", "a\x1B[2J", "\x7F", "a\xC2\x9B", "\xC2\x80"};
  for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++) {
    snprintf(webhook.name, sizeof webhook.name, "%s", controls[i]);
    refuses(&webhook, "name: contains a control character");
  }
  snprintf(webhook.name, sizeof webhook.name, "\xC2\xA0");
  accepts(&webhook);
  snprintf(webhook.name, sizeof webhook.name, "a\xFF");
  refuses(&webhook, "name: is not valid UTF-8");
}

/* Commands take an id or a name: a name in the form of an id could mean somebody else's webhook. */
static void test_a_name_cannot_be_taken_for_an_id(void **state) {
  (void)state;
  struct lh_webhook webhook = good();
  snprintf(webhook.name, sizeof webhook.name, "61f11851bdfb9aac526d0c70");
  refuses(&webhook, "name: has the form of an id (24 lower-case hex digits)");
  snprintf(webhook.name, sizeof webhook.name, "61F11851bdfb9aac526d0c70");
  accepts(&webhook);
  snprintf(webhook.name, sizeof webhook.name, "61f11851bdfb9aac526d0c7");
  accepts(&webhook);
}

static void test_accounts(void **state) {
  (void)state;
  struct lh_webhook webhook = good();
  snprintf(webhook.account, sizeof webhook.account, "a b");
  refuses(&webhook, "account: \"a b\" is not 1 to 64 of A-Z a-z 0-9 . _ -");
  memset(webhook.account, 'a', sizeof webhook.account);
  assert_int_equal(lh_webhook_check(&webhook, NULL), LH_E_INVALID);
}

static void with_selectors(char *selectors, const char *message) {
  struct lh_webhook webhook = good();
  webhook.event_types = selectors;
  if (message == NULL)
    accepts(&webhook);
  else
    refuses(&webhook, message);
}

static char *repeated(const char *part, char separator, size_t count) {
  size_t len = strlen(part);
  char *text = malloc(count * (len + 1));
  assert_non_null(text);
  for (size_t i = 0; i < count; i++) {
    memcpy(text + i * (len + 1), part, len);
    text[i * (len + 1) + len] = i + 1 < count ? separator : '\0';
  }
  return text;
}

static void test_selectors(void **state) {
  (void)state;
  char one[] = "event_points_earned", all[] = "*", category[] = "category:member";
  char mixed[] = "a\ncategory:b_2\nc.d\n*";
  with_selectors(one, NULL);
  with_selectors(all, NULL);
  with_selectors(category, NULL);
  with_selectors(mixed, NULL);
  char longest[] = "category:a23456789b123456789c123456789d12";
  with_selectors(longest, NULL);
  char longer[] = "category:a23456789b123456789c123456789d123";
  with_selectors(longer, "event_types: \"category:a23456789b123456789c123456789d123\" is not 1 to "
                         "32 of a-z 0-9 _");
  char empty[] = "", line[] = "a\n", two[] = "a\n\nb", upper[] = "Event", stars[] = "**";
  char prefix[] = "category:", dotted[] = "category:a.b", colon[] = "kind:a";
  with_selectors(NULL, "event_types: none is given");
  with_selectors(empty, "event_types: none is given");
  with_selectors(line, "event_types: \"\" is not an event type, category:NAME or *");
  with_selectors(two, "event_types: \"\" is not an event type, category:NAME or *");
  with_selectors(upper, "event_types: \"Event\" is not an event type, category:NAME or *");
  with_selectors(stars, "event_types: \"**\" is not an event type, category:NAME or *");
  with_selectors(prefix, "event_types: \"category:\" is not an event type, category:NAME or *");
  with_selectors(colon, "event_types: \"kind:a\" is not an event type, category:NAME or *");
  with_selectors(dotted, "event_types: \"category:a.b\" is not 1 to 32 of a-z 0-9 _");
  char *many = repeated("ab", '\n', LH_SUBSCRIPTIONS_MAX);
  with_selectors(many, NULL);
  free(many);
  many = repeated("ab", '\n', LH_SUBSCRIPTIONS_MAX + 1);
  with_selectors(many, "event_types: more than 200");
  free(many);
}

static void with_schedule(const char *schedule, const char *message) {
  struct lh_webhook webhook = good();
  char *copy = strdup(schedule);
  webhook.retry_schedule = copy;
  if (message == NULL)
    accepts(&webhook);
  else
    refuses(&webhook, message);
  free(copy);
}

static void test_retry_schedules(void **state) {
  (void)state;
  with_schedule("1", NULL);
  with_schedule("90,86400", NULL);
  with_schedule("5,300,1800,86400", NULL);
  with_schedule("", "retry_schedule: entry 1 is not between 1 and 86400 seconds");
  with_schedule("5,", "retry_schedule: entry 2 is not between 1 and 86400 seconds");
  with_schedule("5,0", "retry_schedule: entry 2 is not between 1 and 86400 seconds");
  with_schedule("5,-1", "retry_schedule: entry 2 is not between 1 and 86400 seconds");
  with_schedule("5, 6", "retry_schedule: entry 2 is not between 1 and 86400 seconds");
  with_schedule("86401", "retry_schedule: entry 1 is not between 1 and 86400 seconds");
  with_schedule("1.5", "retry_schedule: entry 1 is not between 1 and 86400 seconds");
  with_schedule("99999999999999999999999999",
                "retry_schedule: entry 1 is not between 1 and 86400 seconds");
  char *many = repeated("7", ',', LH_RETRY_SCHEDULE_MAX);
  with_schedule(many, NULL);
  free(many);
  many = repeated("7", ',', LH_RETRY_SCHEDULE_MAX + 1);
  with_schedule(many, "retry_schedule: more than 100 entries");
  free(many);
}

static void test_headers_are_checked_too(void **state) {
  (void)state;
  struct lh_webhook webhook = good();
  char fine[] = "X-A: 1", reserved[] = "Nonce: 1";
  webhook.headers = fine;
  accepts(&webhook);
  webhook.headers = reserved;
  refuses(&webhook, "headers: Nonce is reserved");
}

static void test_subscriptions(void **state) {
  (void)state;
  static const struct {
    const char *selectors, *type, *category;
    int subscribes;
  } cases[] = {
      {"event_a", "event_a", "x", 1},
      {"event_a", "event_ab", "x", 0},
      {"event_ab", "event_a", "x", 0},
      {"event_b\nevent_a", "event_a", "x", 1},
      {"event_b\nevent_c", "event_a", "x", 0},
      {"*", "event_a", "x", 1},
      {"event_b\n*", "event_a", NULL, 1},
      {"category:x", "event_a", "x", 1},
      {"category:x", "event_a", "xy", 0},
      {"category:xy", "event_a", "x", 0},
      {"category:x", "event_a", NULL, 0},
      {"category:x", "event_a", "", 0},
      {"event_b\ncategory:y\ncategory:x", "event_a", "x", 1},
      {"x", "event_a", "x", 0},
      {"category:x", "category:x", "y", 1}, /* never a real type: refused at emit */
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(lh_webhook_subscribes(cases[i].selectors, cases[i].type, cases[i].category),
                     cases[i].subscribes);
}

static void test_clear_frees_and_can_be_repeated(void **state) {
  (void)state;
  struct lh_webhook webhook;
  lh_webhook_init(&webhook);
  webhook.event_types = strdup("*");
  webhook.headers = strdup("X-A: 1");
  webhook.retry_schedule = strdup("1");
  lh_webhook_clear(&webhook);
  assert_null(webhook.event_types);
  lh_webhook_clear(&webhook);
}

static void test_status_names(void **state) {
  (void)state;
  assert_string_equal(lh_status_name(LH_STATUS_ENABLED), "enabled");
  assert_string_equal(lh_status_name(LH_STATUS_PAUSED), "paused");
  assert_string_equal(lh_status_name(LH_STATUS_DISABLED), "disabled");
  assert_string_equal(lh_status_name(LH_STATUS_DELETED), "deleted");
}

static void test_the_longest_wait_is_twice_the_longest_interval(void **state) {
  (void)state;
  static char schedule[] = "5,600,60";
  struct lh_webhook webhook = good();
  webhook.retry_interval_s = 300;
  assert_int_equal(lh_webhook_longest_wait_ms(&webhook), 600000);
  webhook.retry_schedule = schedule;
  assert_int_equal(lh_webhook_longest_wait_ms(&webhook), 1200000);
}

static void test_an_edit_copies_its_fields_only(void **state) {
  (void)state;
  struct lh_webhook webhook = good();
  webhook.event_types = strdup("*");
  webhook.headers = strdup("A: 1");
  struct lh_webhook_edit edit = {.fields = LH_FIELD_HEADERS | LH_FIELD_RETRY_SCHEDULE |
                                           LH_FIELD_ORDERED | LH_FIELD_BATCH_SIZE};
  edit.values.retry_schedule = strdup("1,2");
  edit.values.ordered = 1;
  edit.values.batch_size = 3;
  edit.values.timeout_ms = 1; /* not one of its fields */
  assert_int_equal(lh_webhook_apply(&webhook, &edit, NULL), LH_OK);
  assert_null(webhook.headers);
  assert_string_equal(webhook.retry_schedule, "1,2");
  assert_ptr_not_equal(webhook.retry_schedule, edit.values.retry_schedule);
  assert_string_equal(webhook.event_types, "*");
  assert_int_equal(webhook.ordered, 1);
  assert_int_equal(webhook.batch_size, 3);
  assert_int_equal(webhook.timeout_ms, 30000);
  lh_webhook_clear(&webhook);
  lh_webhook_clear(&edit.values);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_edit_copies_its_fields_only),
      cmocka_unit_test(test_the_longest_wait_is_twice_the_longest_interval),
      cmocka_unit_test(test_defaults),
      cmocka_unit_test(test_numbers_have_their_ranges),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_a_name_cannot_be_taken_for_an_id),
      cmocka_unit_test(test_accounts),
      cmocka_unit_test(test_selectors),
      cmocka_unit_test(test_retry_schedules),
      cmocka_unit_test(test_headers_are_checked_too),
      cmocka_unit_test(test_subscriptions),
      cmocka_unit_test(test_clear_frees_and_can_be_repeated),
      cmocka_unit_test(test_status_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
