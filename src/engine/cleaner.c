/*
** Retention between the turns: now and then a run, one bounded step at a time,
** and after each the store is others' for as long as that took. What a step
** deletes is the store's business; several workers may run it, and none has to.
*/
#include "engine/parts.h"

static int wanted(const struct lh_engine *engine) {
  return engine->retention_ms > 0 && !engine->draining;
}

int64_t lh_cleaner_wait_ms(const struct lh_engine *engine, int64_t monotonic_ms) {
  return wanted(engine) ? engine->clean_at_ms - monotonic_ms : INT64_MAX;
}

/*
** The time that ages go by: the clock's, but never more than a day beyond what has passed since
** this engine was opened. So a clock that leaps ahead while a worker runs makes nothing go.
*/
static int64_t believed_ms(const struct lh_engine *engine) {
  const struct lh_clock *clock = engine->clock;
  int64_t wall_ms = clock->wall_ms(clock->self);
  int64_t passed_ms = clock->monotonic_ms(clock->self) - engine->opened_monotonic_ms;
  int64_t most_ms = engine->opened_wall_ms + passed_ms + LH_CLEAN_LEAP_MS;
  return wall_ms < most_ms ? wall_ms : most_ms;
}

static void begin_run(struct lh_engine *engine) {
  engine->clean = (struct lh_clean){
      .now_ms = believed_ms(engine),
      .retention_ms = engine->retention_ms,
      .failed_retention_ms = engine->failed_retention_ms,
      .dedupe_ms = engine->dedupe_ms,
  };
}

int lh_cleaner_run(struct lh_engine *engine, struct lh_error *err) {
  const struct lh_clock *clock = engine->clock;
  int64_t began_ms = clock->monotonic_ms(clock->self);
  struct lh_error why;
  if (!wanted(engine) || began_ms < engine->clean_at_ms) return 0;
  if (!engine->clean.more) begin_run(engine);
  int code = engine->store->admin->clean(engine->store, &engine->clean, &why);
  int64_t now_ms = clock->monotonic_ms(clock->self);
  if (code == LH_E_FULL || code == LH_E_BUSY || code == LH_E_MEMORY || code == LH_E_SHORTAGE) {
    engine->clean_at_ms = now_ms + LH_CLEAN_FIRST_MS; /* nobody waits for it */
    return 0;
  }
  if (code != 0) return lh_error_set(err, why.code, "%s", why.message);
  if (engine->clean.more) {
    engine->clean_at_ms = now_ms + (now_ms - began_ms) + LH_CLEAN_PAUSE_MS;
    engine->checkpoint_wanted = 1;
    return 0;
  }
  engine->clean_at_ms = now_ms + LH_CLEAN_EVERY_MS;
  engine->cleaned_events += engine->clean.events;
  engine->cleaned_requests += engine->clean.requests;
  engine->cleaned_received += engine->clean.received;
  return 0;
}
