/* See curl_memory.h. */
#include "curl_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

static atomic_long allocations_left = -1; /* before one fails; -1: none fails */
static atomic_long allocated;

static int allocation_fails(void) {
  long left = atomic_load(&allocations_left);
  if (left < 0) return 0;
  atomic_store(&allocations_left, left - 1); /* after the one that fails, the others work again */
  return left == 0;
}

static void *count_in(void *memory) {
  if (memory) atomic_fetch_add(&allocated, 1);
  return memory;
}

static void *own_malloc(size_t size) {
  return allocation_fails() ? NULL : count_in(malloc(size));
}

static void *own_calloc(size_t count, size_t size) {
  return allocation_fails() ? NULL : count_in(calloc(count, size));
}

static char *own_strdup(const char *text) {
  return allocation_fails() ? NULL : count_in(strdup(text));
}

static void *own_realloc(void *memory, size_t size) {
  if (allocation_fails()) return NULL;
  return memory ? realloc(memory, size) : count_in(malloc(size));
}

static void own_free(void *memory) {
  if (memory) atomic_fetch_sub(&allocated, 1);
  free(memory);
}

void curl_memory_begin(void) {
  CURLcode code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, own_malloc, own_free, own_realloc,
                                       own_strdup, own_calloc);
  assert_int_equal(code, CURLE_OK);
}

void curl_memory_fail_after(long count) {
  atomic_store(&allocations_left, count);
}

int curl_memory_failed(void) {
  return atomic_load(&allocations_left) < 0;
}

long curl_memory_held(void) {
  return atomic_load(&allocated);
}

void curl_memory_try_each(int (*one)(long number), int untouched, int counts[]) {
  long before = curl_memory_held();
  for (long number = 0; counts[untouched] < 3 && number < 1000; number++) counts[one(number)]++;
  assert_int_equal(counts[untouched], 3); /* all were tried */
  assert_int_equal(curl_memory_held(), before);
}
