/* The header lines of an attempt: from their parts, in the order in which they are sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/head.h"

/* The lines joined by '\n'. */
static const char *written(const struct lh_head *head, size_t count) {
  static char text[1024];
  struct lh_buffer lines = {0};
  size_t found = 0;
  assert_int_equal(lh_head_write(head, &lines, &found), 0);
  assert_int_equal(found, count);
  assert_true(lines.len > 0 && lines.len <= sizeof text);
  memcpy(text, lines.at, lines.len);
  for (size_t i = 0; i + 1 < lines.len; i++)
    if (text[i] == '\0') text[i] = '\n';
  lh_buffer_free(&lines);
  return text;
}

static void test_zinrelo_with_the_webhooks_own(void **state) {
  (void)state;
  unsigned char tags[LH_ZINRELO_TAG] = {0x01, 0xab};
  struct lh_id id = {{0}};
  struct lh_head head = {.request_id = &id,
                         .scheme = LH_SCHEME_ZINRELO,
                         .nonce = "1640796461000",
                         .tags = tags,
                         .tags_len = sizeof tags,
                         .custom = "X-Shop: seven\nX-Two: a: b"};
  char expected[512];
  snprintf(expected, sizeof expected,
           "Content-Type: application/json\nnonce: 1640796461000\nx-zinrelo-signature: 01ab%0124d\n"
           "X-Shop: seven\nX-Two: a: b",
           0);
  assert_string_equal(written(&head, 5), expected);
  head.custom = "";
  assert_null(strstr(written(&head, 3), "X-"));
  head.custom = NULL;
  assert_null(strstr(written(&head, 3), "X-"));
}

static void test_standard_with_one_signature_and_with_two(void **state) {
  (void)state;
  unsigned char tags[LH_TAGS_MAX];
  struct lh_id id = {{0x61, 0xf1}};
  memset(tags, 0, LH_STANDARD_TAG);
  memset(tags + LH_STANDARD_TAG, 255, LH_STANDARD_TAG);
  struct lh_head head = {.request_id = &id,
                         .scheme = LH_SCHEME_STANDARD,
                         .nonce = "1640796461",
                         .tags = tags,
                         .tags_len = LH_STANDARD_TAG};
  assert_string_equal(written(&head, 4),
                      "Content-Type: application/json\nwebhook-id: 61f100000000000000000000\n"
                      "webhook-timestamp: 1640796461\nwebhook-signature: "
                      "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  head.tags_len = LH_TAGS_MAX;
  assert_non_null(strstr(written(&head, 4),
                         "webhook-signature: v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= "
                         "v1,//////////////////////////////////////////8="));
}

static void test_lines_are_added_to_what_is_there(void **state) {
  (void)state;
  unsigned char tags[LH_STANDARD_TAG] = {0};
  struct lh_id id = {{0}};
  const struct lh_head head = {.request_id = &id,
                               .scheme = LH_SCHEME_STANDARD,
                               .nonce = "1",
                               .tags = tags,
                               .tags_len = sizeof tags};
  struct lh_buffer lines = {0};
  size_t count = 1;
  assert_int_equal(lh_buffer_add(&lines, "A: b", 5), 0);
  assert_int_equal(lh_head_write(&head, &lines, &count), 0);
  assert_int_equal(count, 5);
  assert_string_equal(lines.at, "A: b");
  assert_string_equal(lines.at + 5, "Content-Type: application/json");
  lh_buffer_free(&lines);
}

static void test_which_lengths_can_be_a_signatures(void **state) {
  (void)state;
  assert_true(lh_head_tags_fit(LH_SCHEME_ZINRELO, 64));
  assert_true(lh_head_tags_fit(LH_SCHEME_STANDARD, 32));
  assert_true(lh_head_tags_fit(LH_SCHEME_STANDARD, 64));
  assert_false(lh_head_tags_fit(LH_SCHEME_ZINRELO, 32));
  assert_false(lh_head_tags_fit(LH_SCHEME_STANDARD, 0));
  assert_false(lh_head_tags_fit(LH_SCHEME_STANDARD, 96));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_zinrelo_with_the_webhooks_own),
      cmocka_unit_test(test_standard_with_one_signature_and_with_two),
      cmocka_unit_test(test_lines_are_added_to_what_is_there),
      cmocka_unit_test(test_which_lengths_can_be_a_signatures),
  };
  return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}
