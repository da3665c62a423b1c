/* The system's time and randomness. Nobody outside this room calls these functions. */
#include "clock/clock.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_ms(clockid_t which) {
  struct timespec now;
  int failed = clock_gettime(which, &now);
  assert(!failed); /* these clocks exist on every Linux */
  (void)failed;
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t wall_ms(void *self) {
  (void)self;
  return read_ms(CLOCK_REALTIME);
}

static int64_t monotonic_ms(void *self) {
  (void)self;
  return read_ms(CLOCK_MONOTONIC);
}

int64_t lh_clock_thread_ms(void) {
  return read_ms(CLOCK_THREAD_CPUTIME_ID);
}

static int fill_random(void *self, void *out, size_t len, struct lh_error *err) {
  (void)self;
  unsigned char *at = out;
  while (len > 0) {
    ssize_t got = getrandom(at, len, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return lh_error_set(err, LH_E_RANDOM, "the system gives no random bytes: %s",
                          strerror(errno));
    at += got;
    len -= (size_t)got;
  }
  return LH_OK;
}

const struct lh_clock *lh_clock_system(void) {
  static const struct lh_clock clock = {NULL, wall_ms, monotonic_ms, fill_random};
  return &clock;
}
