/* Figures: buckets, percentiles, and that what is written reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/figures.h"

#define DAY_MS INT64_C(86400000)

static void test_a_length_is_in_a_bucket_at_most_a_quarter_wide(void **state) {
  (void)state;
  int last = 0;
  for (int64_t ms = 0; ms < 20 * DAY_MS; ms += 1 + ms / 64) {
    struct lh_lengths lengths = {{0}};
    int bucket = lh_lengths_bucket(ms);
    assert_true(bucket >= last && bucket < LH_LENGTHS);
    last = bucket;
    lh_lengths_add(&lengths, ms);
    int64_t shown = lh_lengths_percentile(&lengths, 50);
    assert_true(shown >= ms && shown <= ms + ms / 4);
  }
  assert_int_equal(lh_lengths_bucket(-5), 0);
  assert_int_equal(lh_lengths_bucket(INT64_MAX), LH_LENGTHS - 1);
}

static void test_percentiles(void **state) {
  (void)state;
  struct lh_lengths lengths = {{0}};
  assert_int_equal(lh_lengths_percentile(&lengths, 50), -1);
  for (int i = 0; i < 90; i++) lh_lengths_add(&lengths, 2);
  for (int i = 0; i < 9; i++) lh_lengths_add(&lengths, 100);
  lh_lengths_add(&lengths, 5000);
  assert_int_equal(lh_lengths_percentile(&lengths, 1), 2);
  assert_int_equal(lh_lengths_percentile(&lengths, 90), 2);
  assert_int_equal(lh_lengths_percentile(&lengths, 91), 111);
  assert_int_equal(lh_lengths_percentile(&lengths, 99), 111);
  assert_int_equal(lh_lengths_percentile(&lengths, 100), 5119);
}

static struct lh_figures some(int seed) {
  struct lh_figures figures = {.delivered = 3 * seed,
                               .delivered_events = 1000 * seed,
                               .failed = seed,
                               .attempts = 300 * seed,
                               .failed_attempts = 7};
  for (int i = 0; i < 40; i++) lh_lengths_add(&figures.attempt, (int64_t)i * i * seed);
  lh_lengths_add(&figures.delivery, 30 * DAY_MS);
  return figures;
}

static void test_what_is_written_reads_back(void **state) {
  (void)state;
  unsigned char bytes[LH_FIGURES_BYTES_MAX];
  struct lh_figures figures = some(5), back;
  size_t len = lh_figures_encode(&figures, bytes);
  assert_in_range(len, 20, 150);
  assert_int_equal(lh_figures_decode(bytes, len, &back), LH_OK);
  assert_memory_equal(&back, &figures, sizeof back);
  memset(&figures, 0, sizeof figures);
  assert_int_equal(lh_figures_encode(&figures, bytes), 0);
  assert_int_equal(lh_figures_decode(bytes, 0, &back), LH_OK);
  assert_memory_equal(&back, &figures, sizeof back);
}

static void test_the_largest_fit(void **state) {
  (void)state;
  static unsigned char bytes[LH_FIGURES_BYTES_MAX + 1];
  struct lh_figures figures, back;
  figures =
      (struct lh_figures){INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, {{0}}, {{0}}};
  for (int i = 0; i < LH_LENGTHS; i++)
    figures.attempt.counts[i] = figures.delivery.counts[i] = UINT32_MAX;
  size_t len = lh_figures_encode(&figures, bytes);
  assert_true(len <= LH_FIGURES_BYTES_MAX);
  assert_int_equal(lh_figures_decode(bytes, len, &back), LH_OK);
  assert_memory_equal(&back, &figures, sizeof back);
  lh_lengths_add(&figures.attempt, 1);
  assert_int_equal(figures.attempt.counts[1], UINT32_MAX);
}

static void test_damage_is_noticed_and_harmless(void **state) {
  (void)state;
  unsigned char bytes[LH_FIGURES_BYTES_MAX], bad[LH_FIGURES_BYTES_MAX];
  struct lh_figures figures = some(3), back, zero = {0};
  size_t len = lh_figures_encode(&figures, bytes);
  for (size_t cut = 1; cut < len; cut++) {
    assert_int_equal(lh_figures_decode(bytes, cut, &back), LH_E_INVALID);
    assert_memory_equal(&back, &zero, sizeof back);
  }
  for (size_t at = 0; at < len; at++) {
    memcpy(bad, bytes, len);
    bad[at] = 0xff;
    (void)lh_figures_decode(bad, len, &back); /* reads and writes nothing beyond: sanitizers */
  }
  bad[0] = 2; /* a version that is not ours */
  assert_int_equal(lh_figures_decode(bad, 1, &back), LH_E_INVALID);
}

static void test_figures_add_up(void **state) {
  (void)state;
  struct lh_figures sum = some(1), more = some(2);
  lh_figures_merge(&sum, &more);
  assert_int_equal(sum.delivered, 9);
  assert_int_equal(sum.delivered_events, 3000);
  assert_int_equal(sum.failed, 3);
  assert_int_equal(sum.attempts, 900);
  assert_int_equal(sum.failed_attempts, 14);
  assert_int_equal(sum.attempt.counts[0], 2);
  sum.attempt.counts[0] = UINT32_MAX - 1;
  more.attempt.counts[0] = 5;
  lh_figures_merge(&sum, &more);
  assert_int_equal(sum.attempt.counts[0], UINT32_MAX);
}

static void test_spans_follow_each_other(void **state) {
  (void)state;
  assert_int_equal(lh_figures_span(0), 0);
  assert_int_equal(lh_figures_span(LH_FIGURES_MS - 1), 0);
  assert_int_equal(lh_figures_span(LH_FIGURES_MS), LH_FIGURES_MS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_length_is_in_a_bucket_at_most_a_quarter_wide),
      cmocka_unit_test(test_percentiles),
      cmocka_unit_test(test_what_is_written_reads_back),
      cmocka_unit_test(test_the_largest_fit),
      cmocka_unit_test(test_damage_is_noticed_and_harmless),
      cmocka_unit_test(test_figures_add_up),
      cmocka_unit_test(test_spans_follow_each_other),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
