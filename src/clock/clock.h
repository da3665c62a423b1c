/*
** Door of the clock room: the only place that reads time or randomness.
** Everybody else gets a struct lh_clock and can be given another one.
*/
#ifndef LH_CLOCK_CLOCK_H
#define LH_CLOCK_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct lh_clock {
  void *self;
  int64_t (*wall_ms)(void *self);      /* Unix time */
  int64_t (*monotonic_ms)(void *self); /* for durations and timers */
  /* Random bytes from the system. 0 or LH_E_RANDOM. */
  int (*random)(void *self, void *out, size_t len, struct lh_error *err);
};

/* The system's clock; borrowed, valid for ever, safe from any thread. */
const struct lh_clock *lh_clock_system(void);
/* Processor time that the calling thread has used so far. */
int64_t lh_clock_thread_ms(void);

#endif
