/*
** Every allocation of a worker's life fails once, in turn: nothing crashes,
** nothing is lost, no attempt is burnt, and with memory back all is delivered.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine_bench.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

#define REQUESTS 6

static long left = -1; /* allocations until one fails; negative: none does */

#ifndef SANITIZED
/* The allocator of the C library under these names; ours stand before it in this program. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *at, size_t size);

static int fails(void) {
  return left >= 0 && left-- == 0;
}

void *malloc(size_t size) {
  return fails() ? NULL : __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  return fails() ? NULL : __libc_calloc(count, size);
}
void *realloc(void *at, size_t size) {
  return fails() ? NULL : __libc_realloc(at, size);
}
#endif

static size_t given_back(const struct fake_store *store) {
  size_t count = 0;
  for (size_t i = 0; i < store->record_count; i++)
    count += store->records[i].result.kind == LH_INPUT_GIVEN_BACK;
  return count;
}

/* What the store would do with an attempt that was given back. */
static void offer_again(struct fake_store *store, size_t *seen) {
  for (; *seen < store->record_count; (*seen)++) {
    const struct lh_attempt_result *result = &store->records[*seen].result;
    if (result->kind == LH_INPUT_GIVEN_BACK) store->leases[result->request - 1].leased = 0;
  }
}

static void live(struct bench *bench) {
  int fds[1] = {0};
  size_t seen = 0;
  for (int i = 0; i < 40; i++) {
    int code = lh_engine_step(bench->engine, 0, fds, 1, &bench->report, NULL);
    assert_true(code == 0 || code == LH_E_MEMORY);
    offer_again(&bench->store, &seen);
    fake_clock_advance(&bench->clock, 500);
  }
}

static int reopen(struct bench *bench) {
  struct lh_engine_options options = {
      .store = &bench->store.door,
      .transport = &bench->transport.door,
      .clock = &bench->clock.door,
      .concurrency = 3,
  };
  lh_engine_close(bench->engine);
  bench->engine = NULL;
  int code = lh_engine_open(&options, &bench->engine, NULL);
  assert_true(code == 0 || code == LH_E_MEMORY);
  return code == 0 ? 0 : lh_engine_open(&options, &bench->engine, NULL);
}

/* 1 if the allocation was reached, and so failed. */
static int life_with_failure(long which) {
  struct bench *bench = bench_open(LH_SCHEME_ZINRELO, 3, 0);
  bench->store.target.webhook.headers = strdup("X-Shop: seven");
  for (size_t i = 0; i < REQUESTS; i++) fake_store_add(&bench->store, 500 * (i + 1));
  bench_answer(bench, FAKE_ANSWER, LH_OUTCOME_ANSWERED, 200, 600);
  left = which;
  assert_int_equal(reopen(bench), 0);
  live(bench);
  int failed = left < 0;
  left = -1;
  assert_int_equal(bench->store.record_count - given_back(&bench->store), REQUESTS);
  assert_int_equal(bench->sent, REQUESTS);
  assert_int_equal(bench->report.idle, 1);
  bench_close(bench);
  return failed;
}

static void test_engine_survives_every_failing_allocation(void **state) {
  (void)state;
#ifdef SANITIZED
  print_message("the sanitizer brings its own allocator\n");
  assert_int_equal(life_with_failure(-1), 1);
#else
  long which = 0;
  while (life_with_failure(which)) which++;
  assert_in_range(which, 20, 2000); /* there were some, and the loop ended */
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_engine_survives_every_failing_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
