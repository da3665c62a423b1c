/*
** Says that this worker lives, and ends what dead workers left behind. The
** store knows how to tell who is dead; this is the timer.
*/
#include "engine/parts.h"

int lh_rescuer_run(struct lh_engine *engine, struct lh_error *err) {
  int64_t now_ms = engine->clock->monotonic_ms(engine->clock->self);
  if (engine->session == 0 || now_ms < engine->rescue_at_ms) return 0;
  engine->rescue_at_ms = now_ms + LH_SAFETY_TIMER_MS;
  size_t rescued = 0;
  int64_t wall_ms = engine->clock->wall_ms(engine->clock->self);
  int code =
      engine->store->requests->rescue(engine->store, engine->session, wall_ms, &rescued, err);
  if (code != 0) return code;
  engine->rescued += rescued;
  if (rescued > 0) {
    engine->woken = 1; /* what was lost is due at once */
    engine->mail_look_at_ms = 0;
    engine->rescue_at_ms = now_ms; /* one call ends a bounded number */
    engine->checkpoint_wanted = 1;
  }
  return 0;
}
