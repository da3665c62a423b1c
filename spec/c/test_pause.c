/* The verdict that pauses a webhook. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/pause.h"

static void test_threshold(void **state) {
  (void)state;
  for (int32_t failed = 0; failed < 5; failed++) assert_false(lh_pause_due(failed, 5));
  assert_true(lh_pause_due(5, 5));
  assert_true(lh_pause_due(6, 5)); /* the threshold was lowered meanwhile */
  assert_true(lh_pause_due(1, 1));
}

static void test_zero_never_pauses(void **state) {
  (void)state;
  assert_false(lh_pause_due(0, 0));
  assert_false(lh_pause_due(INT32_MAX, 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_threshold),
      cmocka_unit_test(test_zero_never_pauses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
