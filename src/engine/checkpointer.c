/*
** Moves the write-ahead log into the database when the worker has had nothing
** to do for a moment, so that a busy one rarely has to. Nothing depends on it:
** whoever commits checkpoints a log that became too long, so an error here is
** left to the next turn to find.
*/
#include "engine/parts.h"

static int idle(const struct lh_engine *engine) {
  return engine->transfers.flying_count == 0 && engine->result_count == 0 && !engine->more &&
         !engine->woken && engine->started == 0 && engine->event_count == 0;
}

void lh_checkpointer_run(struct lh_engine *engine) {
  int64_t now_ms = engine->clock->monotonic_ms(engine->clock->self);
  if (!idle(engine) || !engine->checkpoint_wanted) {
    engine->checkpoint_at_ms = now_ms + LH_CHECKPOINT_IDLE_MS;
    return;
  }
  if (now_ms < engine->checkpoint_at_ms) return;
  engine->checkpoint_wanted = 0;
  (void)engine->store->admin->checkpoint(engine->store, LH_CHECKPOINT_IDLE_BYTES, NULL);
}
