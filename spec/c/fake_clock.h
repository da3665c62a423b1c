/* A clock that stands until the test moves it, and random bytes that repeat with their seed. */
#ifndef SPEC_FAKE_CLOCK_H
#define SPEC_FAKE_CLOCK_H

#include "clock/clock.h"

#define FAKE_START_MS INT64_C(1704067200000) /* 2024-01-01 00:00:00 UTC */

struct fake_clock {
  struct lh_clock door; /* give &door to the code under test */
  int64_t wall_ms;
  int64_t monotonic_ms;
  uint64_t seed;
  int random_code; /* LH_OK, or what random() answers */
};

/* In place: `door` points back into it, so it must not be copied or moved. */
void fake_clock_init(struct fake_clock *clock, uint64_t seed);
void fake_clock_advance(struct fake_clock *clock, int64_t by_ms);

#endif
