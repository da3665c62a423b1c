/* The system's clock: plausible, never backwards, and random bytes that are not constant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "clock/clock.h"

static void test_wall_time_is_unix_time(void **state) {
  (void)state;
  const struct lh_clock *clock = lh_clock_system();
  int64_t before_ms = (int64_t)time(NULL) * 1000;
  int64_t now_ms = clock->wall_ms(clock->self);
  assert_true(now_ms >= before_ms - 1000 && now_ms < before_ms + 60000);
}

static void test_monotonic_time_does_not_go_back(void **state) {
  (void)state;
  const struct lh_clock *clock = lh_clock_system();
  int64_t last_ms = clock->monotonic_ms(clock->self);
  for (int i = 0; i < 100000; i++) {
    int64_t now_ms = clock->monotonic_ms(clock->self);
    assert_true(now_ms >= last_ms);
    last_ms = now_ms;
  }
}

static void test_thread_time_moves_while_the_thread_works(void **state) {
  (void)state;
  const struct lh_clock *clock = lh_clock_system();
  int64_t start_ms = lh_clock_thread_ms();
  int64_t until_ms = clock->monotonic_ms(clock->self) + 60000;
  while (lh_clock_thread_ms() - start_ms < 20) {
    assert_true(clock->monotonic_ms(clock->self) < until_ms);
  }
}

static void test_random_fills_all_it_was_asked_for(void **state) {
  (void)state;
  const struct lh_clock *clock = lh_clock_system();
  unsigned char first[1000], second[1000]; /* more than one call gives at once on some systems */
  unsigned char zero[16] = {0};
  memset(first, 0, sizeof first);
  memset(second, 0, sizeof second);
  assert_int_equal(clock->random(clock->self, first, sizeof first - 1, NULL), LH_OK);
  assert_int_equal(clock->random(clock->self, second, sizeof second - 1, NULL), LH_OK);
  assert_memory_not_equal(first, second, 32);
  for (size_t i = 0; i + sizeof zero < sizeof first; i += sizeof zero)
    assert_memory_not_equal(first + i, zero, sizeof zero);
  assert_int_equal(first[sizeof first - 1], 0); /* and not one byte more */
  assert_int_equal(clock->random(clock->self, first, 0, NULL), LH_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_wall_time_is_unix_time),
      cmocka_unit_test(test_monotonic_time_does_not_go_back),
      cmocka_unit_test(test_thread_time_moves_while_the_thread_works),
      cmocka_unit_test(test_random_fills_all_it_was_asked_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
