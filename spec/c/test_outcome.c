/* Every outcome has a word of its own: the attempt log and the JSON output show it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/outcome.h"

static void test_outcome_names_are_distinct_words(void **state) {
  (void)state;
  for (int i = LH_OUTCOME_ANSWERED; i <= LH_OUTCOME_SECRET; i++) {
    const char *name = lh_outcome_name((enum lh_outcome)i);
    assert_true(strlen(name) > 0);
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
    for (int j = 0; j < i; j++) assert_string_not_equal(name, lh_outcome_name((enum lh_outcome)j));
  }
}

static void test_mail_verdicts_have_their_words(void **state) {
  (void)state;
  assert_string_equal(lh_mail_verdict_name(LH_MAIL_ACCEPTED), "accepted");
  assert_string_equal(lh_mail_verdict_name(LH_MAIL_REFUSED), "refused");
  assert_string_equal(lh_mail_verdict_name(LH_MAIL_UNKNOWN), "unknown");
}

static void test_mail_stages_have_their_words(void **state) {
  (void)state;
  assert_string_equal(lh_mail_stage_name(LH_MAIL_AT_SERVER), "server");
  assert_string_equal(lh_mail_stage_name(LH_MAIL_AT_SENDER), "sender");
  assert_string_equal(lh_mail_stage_name(LH_MAIL_AT_RECIPIENT), "recipient");
  assert_string_equal(lh_mail_stage_name(LH_MAIL_AT_MESSAGE), "message");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mail_verdicts_have_their_words),
      cmocka_unit_test(test_mail_stages_have_their_words),
      cmocka_unit_test(test_outcome_names_are_distinct_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
