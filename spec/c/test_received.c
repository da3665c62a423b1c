/* A verified body as events: what is read, what is refused and how the refusal names it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/event.h"
#include "core/limits.h"
#include "core/received.h"

static struct lh_received_list list;
static struct lh_error err;

/* The text as a heap block of its own length, so that a sanitizer sees a byte too many. */
static char *body_at_hand;

static int parse_bytes(const char *text, size_t len, enum lh_scheme scheme, const char *id) {
  free(body_at_hand);
  body_at_hand = malloc(len + 1);
  assert_non_null(body_at_hand);
  char *at = body_at_hand + 1; /* not aligned either */
  memcpy(at, text, len);
  struct lh_received_body body = {at, len, scheme, id, id != NULL ? strlen(id) : 0};
  return lh_received_parse(&body, &list, &err);
}

static int parse(const char *text) {
  return parse_bytes(text, strlen(text), LH_SCHEME_ZINRELO, NULL);
}

static int standard(const char *text, const char *id) {
  return parse_bytes(text, strlen(text), LH_SCHEME_STANDARD, id);
}

static int tear_down(void **state) {
  (void)state;
  free(body_at_hand);
  lh_received_free(&list);
  return 0;
}

static void refused(const char *text, const char *message) {
  assert_int_equal(parse(text), LH_E_INVALID);
  assert_string_equal(err.message, message);
  assert_int_equal(list.count, 0);
}

static void text_is(const char *at, size_t len, const char *expected) {
  assert_int_equal(len, strlen(expected));
  assert_memory_equal(at, expected, len);
}

static void event_is(size_t index, const char *id, const char *event_type, const char *data) {
  assert_true(index < list.count);
  const struct lh_received *event = &list.events[index];
  text_is(event->event_id, event->event_id_len, id);
  text_is(event->event_type, event->event_type_len, event_type);
  text_is(event->data, event->data_len, data);
}

static void member_is(size_t index, const char *member) {
  const struct lh_received *event = &list.events[index];
  if (member == NULL)
    assert_null(event->member);
  else
    text_is(event->member, event->member_len, member);
}

static void test_envelope_of_the_vendor(void **state) {
  (void)state;
  static const char text[] =
      "{\"request_id\":\"61f11851bdfb9aac526d0c70\",\"total_count\":\"2\","
      "\"created_date\":\"12/29/2021 16:47:41\",\"events\":["
      "{\"id\":\"61f1dfbd0c709aac1851b526\",\"event_type\":\"event_points_earned\","
      "\"data\":{\"member_info\":{\"member_id\":\"7203332525\"}}},"
      "{\"id\":\"507f1f77bcf86cd799439011\",\"event_type\":\"event_points_redeemed\","
      "\"data\":{\"member_info\":{\"id\":7203332526}}}]}";
  assert_int_equal(parse(text), LH_OK);
  assert_int_equal(list.count, 2);
  assert_string_equal(list.total_count, "");
  event_is(0, "61f1dfbd0c709aac1851b526", "event_points_earned",
           "{\"member_info\":{\"member_id\":\"7203332525\"}}");
  event_is(1, "507f1f77bcf86cd799439011", "event_points_redeemed",
           "{\"member_info\":{\"id\":7203332526}}");
  member_is(0, "7203332525");
  member_is(1, "7203332526");
}

static void test_data_keeps_its_bytes(void **state) {
  (void)state;
  assert_int_equal(parse(" {\"events\" : [ {\"data\" :\n{ \"a\" : 1.50e0,\t\"\\u0061\":\"\\/\" } , "
                         "\"event_type\":\"t\" ,\"id\":\"i\"} ] }\n"),
                   LH_OK);
  event_is(0, "i", "t", "{ \"a\" : 1.50e0,\t\"\\u0061\":\"\\/\" }");
  member_is(0, NULL);
  /* It is no copy. */
  assert_true(list.events[0].data > body_at_hand);
}

static void test_escapes_are_decoded(void **state) {
  (void)state;
  assert_int_equal(parse("{\"\\u0065vents\":[{\"i\\u0064\":\"\\u0061\\/\\\"\\\\\","
                         "\"event_type\":\"caf\\u00e9 \\ud83d\\ude00\","
                         "\"data\":{\"member_info\":{\"member_id\":\"m\\n\"}}}]}"),
                   LH_OK);
  event_is(0, "a/\"\\", "caf\xC3\xA9 \xF0\x9F\x98\x80",
           "{\"member_info\":{\"member_id\":\"m\\n\"}}");
  member_is(0, "m\n");
}

static void test_unknown_keys_are_ignored_and_the_last_of_a_repeated_one_counts(void **state) {
  (void)state;
  assert_int_equal(
      parse("{\"extra\":[{}],\"events\":7,\"events\":[{\"more\":null,\"id\":1,\"id\":\"b\","
            "\"event_type\":\"t\",\"data\":[],\"data\":{\"n\":2}}]}"),
      LH_OK);
  event_is(0, "b", "t", "{\"n\":2}");
}

static void test_no_events_is_a_body_too(void **state) {
  (void)state;
  assert_int_equal(parse("{\"events\":[]}"), LH_OK);
  assert_int_equal(list.count, 0);
  assert_int_equal(standard("{\"events\":[ ],\"type\":\"x\"}", "msg_1"), LH_OK);
  assert_int_equal(list.count, 0);
}

static void test_ids_twice_in_a_body_are_left_to_the_store(void **state) {
  (void)state;
  assert_int_equal(parse("{\"events\":[{\"id\":\"a\",\"event_type\":\"t\",\"data\":{}},"
                         "{\"id\":\"a\",\"event_type\":\"t\",\"data\":{}}]}"),
                   LH_OK);
  assert_int_equal(list.count, 2);
}

static void count_is(const char *total_count, const char *reported) {
  char text[256];
  snprintf(text, sizeof text,
           "{\"total_count\":%s,\"events\":[{\"id\":\"a\",\"event_type\":\"t\",\"data\":{}}]}",
           total_count);
  assert_int_equal(parse(text), LH_OK);
  assert_int_equal(list.count, 1);
  assert_string_equal(list.total_count, reported);
}

static void test_total_count_is_compared_and_never_refused(void **state) {
  (void)state;
  count_is("\"1\"", "");
  count_is("1", "");
  count_is("2", "2");
  count_is("\"2\"", "2");
  count_is("\"\"", "\"\"");
}

static void test_total_count_of_any_kind(void **state) {
  (void)state;
  count_is("null", "null");
  count_is("[1]", "[1]");
  count_is("\"1 \"", "1 ");
  count_is("\"\\u001b[31m\"", "?[31m");
  count_is("\"\xC3\xA9\"", "??");
  count_is("123456789012345678901234567890", "12345678901234567890");
  count_is("\"123456789012345678901234567890\"", "12345678901234567890");
}

static void test_refusals_say_what_and_where(void **state) {
  (void)state;
  refused("", "invalid JSON at byte 1: unexpected end");
  refused("{\"events\":[]", "invalid JSON at byte 13: unexpected end");
  refused("[]", "not a JSON object");
  refused("\"events\"", "not a JSON object");
  refused("{}", "events is missing");
  refused("{\"type\":\"x\"}", "events is missing");
  refused("{\"events\":{}}", "events is not an array");
  refused("{\"events\":null}", "events is not an array");
  refused("{\"events\":[1]}", "events[1]: not a JSON object");
  refused("{\"events\":[{\"event_type\":\"t\",\"data\":{}}]}", "events[1]: id is missing");
#define GOOD "{\"events\":[{\"id\":\"a\",\"event_type\":\"t\",\"data\":{}},"
  refused(GOOD "{\"id\":7,\"event_type\":\"t\",\"data\":{}}]}", "events[2]: id is not a string");
  refused(GOOD "{\"id\":\"\",\"event_type\":\"t\",\"data\":{}}]}",
          "events[2]: id is not 1 to 128 bytes");
  refused(GOOD "{\"id\":\"a\\u0000\",\"event_type\":\"t\",\"data\":{}}]}",
          "events[2]: id has a control character");
  refused(GOOD "{\"id\":\"a\\u0085\",\"event_type\":\"t\",\"data\":{}}]}",
          "events[2]: id has a control character");
  refused(GOOD "{\"id\":\"\x7F\",\"event_type\":\"t\",\"data\":{}}]}",
          "events[2]: id has a control character");
  refused(GOOD "{\"id\":\"a\",\"data\":{}}]}", "events[2]: event_type is missing");
  refused(GOOD "{\"id\":\"a\",\"event_type\":null,\"data\":{}}]}",
          "events[2]: event_type is not a string");
  refused(GOOD "{\"id\":\"a\",\"event_type\":\"a\\nb\",\"data\":{}}]}",
          "events[2]: event_type has a control character");
  refused(GOOD "{\"id\":\"a\",\"event_type\":\"t\"}]}", "events[2]: data is missing");
  refused(GOOD "{\"id\":\"a\",\"event_type\":\"t\",\"data\":[]}]}",
          "events[2]: data is not a JSON object");
  refused(GOOD "{\"id\":\"a\",\"event_type\":\"t\",\"data\":\"{}\"}]}",
          "events[2]: data is not a JSON object");
#undef GOOD
}

static void test_texts_at_their_limits(void **state) {
  (void)state;
  char id[LH_RECEIVED_ID_MAX + 2], text[LH_RECEIVED_ID_MAX + 128];
  memset(id, 'i', sizeof id);
  for (int extra = 0; extra <= 1; extra++) {
    id[LH_RECEIVED_ID_MAX + extra] = '\0';
    snprintf(text, sizeof text, "{\"events\":[{\"id\":\"%s\",\"event_type\":\"t\",\"data\":{}}]}",
             id);
    assert_int_equal(parse(text), extra ? LH_E_INVALID : LH_OK);
    snprintf(text, sizeof text, "{\"events\":[{\"id\":\"a\",\"event_type\":\"%s\",\"data\":{}}]}",
             id);
    assert_int_equal(parse(text), extra ? LH_E_INVALID : LH_OK);
    assert_int_equal(standard("{\"type\":\"t\"}", id), extra ? LH_E_INVALID : LH_OK);
    id[LH_RECEIVED_ID_MAX] = 'i';
  }
}

static void test_number_of_events_has_a_limit(void **state) {
  (void)state;
  static const char event[] = "{\"id\":\"a\",\"event_type\":\"t\",\"data\":{}},";
  const size_t len = sizeof event - 1;
  char *text = malloc(len * (LH_RECEIVED_EVENTS_MAX + 1) + 32);
  assert_non_null(text);
  for (size_t count = LH_RECEIVED_EVENTS_MAX; count <= LH_RECEIVED_EVENTS_MAX + 1; count++) {
    size_t at = 0;
    memcpy(text, "{\"events\":[", 11);
    at = 11;
    for (size_t i = 0; i < count; i++, at += len) memcpy(text + at, event, len);
    memcpy(text + at - 1, "]}", 2);
    int rc = parse_bytes(text, at + 1, LH_SCHEME_ZINRELO, NULL);
    assert_int_equal(rc, count <= LH_RECEIVED_EVENTS_MAX ? LH_OK : LH_E_INVALID);
    assert_int_equal(list.count, count <= LH_RECEIVED_EVENTS_MAX ? count : 0);
  }
  assert_string_equal(err.message, "events: more than 10000");
  free(text);
}

/* {"events":[{"id":"a","event_type":"t","data":{"x":[[…]]}}]}, data `depth` deep. */
static size_t nested(char *out, const char *before, int depth, const char *after) {
  size_t at = strlen(before);
  memcpy(out, before, at);
  memcpy(out + at, "{\"x\":", 5);
  at += 5;
  memset(out + at, '[', (size_t)depth - 1);
  at += (size_t)depth - 1;
  memset(out + at, ']', (size_t)depth - 1);
  at += (size_t)depth - 1;
  out[at++] = '}';
  memcpy(out + at, after, strlen(after));
  return at + strlen(after);
}

static void test_depth_is_that_of_emitted_data(void **state) {
  (void)state;
  char text[512];
  for (int depth = LH_JSON_DEPTH_MAX; depth <= LH_JSON_DEPTH_MAX + 1; depth++) {
    int wanted = depth == LH_JSON_DEPTH_MAX ? LH_OK : LH_E_INVALID;
    size_t len =
        nested(text, "{\"events\":[{\"id\":\"a\",\"event_type\":\"t\",\"data\":", depth, "}]}");
    assert_int_equal(parse_bytes(text, len, LH_SCHEME_ZINRELO, NULL), wanted);
    len = nested(text, "", depth, "");
    memcpy(text + len - 1, ",\"type\":\"t\"}", 12);
    assert_int_equal(parse_bytes(text, len + 11, LH_SCHEME_STANDARD, "msg_1"), wanted);
  }
}

static void test_standard_body_is_one_event(void **state) {
  (void)state;
  static const char text[] = " {\"type\":\"invoice.p\\u0061id\",\"data\":{\"member_info\":{}},"
                             "\"member_info\":{\"id\":\"m\"}} ";
  assert_int_equal(standard(text, "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"), LH_OK);
  assert_int_equal(list.count, 1);
  event_is(0, "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "invoice.paid", text);
  member_is(0, "m");
  assert_string_equal(list.total_count, "");
}

static void test_standard_body_with_our_envelope(void **state) {
  (void)state;
  assert_int_equal(standard("{\"type\":\"x\",\"events\":[{\"id\":\"a\",\"event_type\":\"t\","
                            "\"data\":{}}]}",
                            "msg_1"),
                   LH_OK);
  event_is(0, "a", "t", "{}");
}

static void standard_refused(const char *text, const char *id, const char *message) {
  assert_int_equal(standard(text, id), LH_E_INVALID);
  assert_string_equal(err.message, message);
  assert_int_equal(list.count, 0);
}

static void test_standard_refusals(void **state) {
  (void)state;
  standard_refused("{}", "msg_1", "neither events nor type, which would be one event");
  standard_refused("{\"type\":1}", "msg_1", "type is not a string");
  standard_refused("{\"type\":\"\"}", "msg_1", "type is not 1 to 128 bytes");
  standard_refused("{\"type\":\"t\"}", "", "webhook-id is not 1 to 128 bytes");
  standard_refused("{\"type\":\"t\"}", "a\tb", "webhook-id has a control character");
  standard_refused("{\"type\":\"t\"}", "\xFF", "webhook-id is not valid UTF-8");
  standard_refused("{\"type\":\"t\",\"events\":1}", "msg_1", "events is not an array");
  standard_refused("[]", "msg_1", "not a JSON object");
}

static void test_errors_need_no_place(void **state) {
  (void)state;
  struct lh_received_body body = {"{}", 2, LH_SCHEME_ZINRELO, NULL, 0};
  assert_int_equal(lh_received_parse(&body, &list, NULL), LH_E_INVALID);
}

/* Every truncation and every changed byte: refused or read, never read beyond its end. */
static void test_hostile_bodies(void **state) {
  (void)state;
  static const char text[] =
      "{\"total_count\":\"2\",\"events\":[{\"id\":\"\\u0061\\ud83d\\ude00\",\"event_type\":\"t\","
      "\"data\":{\"member_info\":{\"member_id\":\"\\u00e9\"}}},{\"id\":\"b\","
      "\"event_type\":\"t\",\"data\":{\"member_info\":{\"id\":1.5e3}}}]}";
  static const char bytes[] = "\"\\{}[],:u0 \x80\xFF\x01";
  char changed[sizeof text];
  for (size_t len = 0; len < sizeof text - 1; len++) {
    assert_int_equal(parse_bytes(text, len, LH_SCHEME_ZINRELO, NULL), LH_E_INVALID);
    parse_bytes(text, len, LH_SCHEME_STANDARD, "m");
    for (size_t i = 0; i < sizeof bytes; i++) {
      memcpy(changed, text, sizeof text);
      changed[len] = bytes[i];
      int rc = parse_bytes(changed, sizeof text - 1, LH_SCHEME_ZINRELO, NULL);
      if (rc != LH_OK) assert_int_equal(list.count, 0);
      for (size_t at = 0; at < list.count; at++)
        assert_int_equal(lh_event_data_check(list.events[at].data, list.events[at].data_len, NULL),
                         LH_OK);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_envelope_of_the_vendor),
      cmocka_unit_test(test_data_keeps_its_bytes),
      cmocka_unit_test(test_escapes_are_decoded),
      cmocka_unit_test(test_unknown_keys_are_ignored_and_the_last_of_a_repeated_one_counts),
      cmocka_unit_test(test_no_events_is_a_body_too),
      cmocka_unit_test(test_ids_twice_in_a_body_are_left_to_the_store),
      cmocka_unit_test(test_total_count_is_compared_and_never_refused),
      cmocka_unit_test(test_total_count_of_any_kind),
      cmocka_unit_test(test_refusals_say_what_and_where),
      cmocka_unit_test(test_texts_at_their_limits),
      cmocka_unit_test(test_number_of_events_has_a_limit),
      cmocka_unit_test(test_depth_is_that_of_emitted_data),
      cmocka_unit_test(test_standard_body_is_one_event),
      cmocka_unit_test(test_standard_body_with_our_envelope),
      cmocka_unit_test(test_standard_refusals),
      cmocka_unit_test(test_errors_need_no_place),
      cmocka_unit_test(test_hostile_bodies),
  };
  return cmocka_run_group_tests(tests, NULL, tear_down);
}
