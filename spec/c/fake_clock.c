/* Time and randomness for tests: see fake_clock.h. */
#include "fake_clock.h"

static int64_t wall(void *self) {
  const struct fake_clock *clock = self;
  return clock->wall_ms;
}

static int64_t monotonic(void *self) {
  const struct fake_clock *clock = self;
  return clock->monotonic_ms;
}

/* SplitMix64: any seed will do, zero too. Several threads may ask. */
static uint64_t next(struct fake_clock *clock) {
  uint64_t z = __atomic_add_fetch(&clock->seed, UINT64_C(0x9e3779b97f4a7c15), __ATOMIC_RELAXED);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static int random_bytes(void *self, void *out, size_t len, struct lh_error *err) {
  struct fake_clock *clock = self;
  if (clock->random_code != 0)
    return lh_error_set(err, (enum lh_code)clock->random_code, "no random bytes");
  unsigned char *bytes = out;
  for (size_t i = 0; i < len; i++) bytes[i] = (unsigned char)next(clock);
  return 0;
}

void fake_clock_init(struct fake_clock *clock, uint64_t seed) {
  *clock = (struct fake_clock){
      .door = {.wall_ms = wall, .monotonic_ms = monotonic, .random = random_bytes},
      .wall_ms = FAKE_START_MS,
      .monotonic_ms = 1000,
      .seed = seed,
  };
  clock->door.self = clock;
}

void fake_clock_advance(struct fake_clock *clock, int64_t by_ms) {
  clock->wall_ms += by_ms;
  clock->monotonic_ms += by_ms;
}
