/*
** Faults for the model: after a while every allocation of SQLite fails, or every byte that is
** written, or a worker cannot take what it is shown.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "spec/contract/model_world.h"

static sqlite3_mem_methods memory;
static int64_t allocations_left = -1; /* -1: no end */

static int may_allocate(void) {
  if (allocations_left > 0) allocations_left--;
  return allocations_left != 0;
}
static void *scarce_malloc(int len) {
  return may_allocate() ? memory.xMalloc(len) : NULL;
}
static void *scarce_realloc(void *at, int len) {
  return may_allocate() ? memory.xRealloc(at, len) : NULL;
}
void make_memory_scarce(void) {
  sqlite3_mem_methods scarce;
  sqlite3_shutdown();
  assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory), SQLITE_OK);
  scarce = memory;
  scarce.xMalloc = scarce_malloc;
  scarce.xRealloc = scarce_realloc;
  assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &scarce), SQLITE_OK);
  assert_int_equal(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), SQLITE_OK);
}

int faulty;
static int visits_left; /* 0: no end */

void let_fail(void) {
  struct stat wal;
  char path[160];
  struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  snprintf(path, sizeof path, "%s/store.db-wal", folder);
  faulty = 1;
  switch (below(3)) {
  case 0:
    allocations_left = 1 + below(one_in(2) ? 60 : 600);
    break;
  case 1:
    limit.rlim_cur = (rlim_t)((stat(path, &wal) == 0 ? wal.st_size : 0) + below(60000));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    break;
  default:
    visits_left = 1 + (int)below(4);
  }
}

void let_be(void) {
  struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  allocations_left = -1;
  visits_left = faulty = 0;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

int visitor_fails(void) {
  return visits_left > 0 && --visits_left == 0;
}

int done(int code, const char *what) {
  int good = code == LH_OK || (faulty && (code == LH_E_FULL || code == LH_E_MEMORY ||
                                          code == LH_E_IO || code == LH_E_SHORTAGE));
  MODEL_MUST(&model, good, "%s: %d %s", what, code, why.message);
  return code == LH_OK;
}
