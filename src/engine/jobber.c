/*
** Works off stored jobs (a retry of many) between the turns: one bounded step
** at a time, and then the store is others' for as long as that step took, so
** that emitters and other workers do not queue behind a long job. Each turn
** says whether there is one; somebody else may be at it already.
*/
#include "engine/parts.h"

int lh_jobber_due(const struct lh_engine *engine, int64_t monotonic_ms) {
  return engine->job_open && !engine->draining && monotonic_ms >= engine->job_at_ms;
}

int lh_jobber_run(struct lh_engine *engine, struct lh_error *err) {
  const struct lh_clock *clock = engine->clock;
  int64_t began_ms = clock->monotonic_ms(clock->self);
  struct lh_error why;
  if (!lh_jobber_due(engine, began_ms)) return 0;
  struct lh_job_step step = {.session = engine->session, .now_ms = clock->wall_ms(clock->self)};
  int code = engine->store->jobs->step(engine->store, &step, &why);
  int64_t now_ms = clock->monotonic_ms(clock->self);
  engine->job_at_ms = now_ms + (code == 0 ? now_ms - began_ms : LH_TURN_AGAIN_MS);
  engine->job_open = code != LH_E_NOT_FOUND; /* somebody else ended it */
  if (code == LH_E_NOT_FOUND) return 0;
  if (code != 0) return lh_error_set(err, why.code, "%s", why.message);
  if (step.job.finished_ms != 0) engine->job_open = 0;
  if (!step.made) {
    engine->job_at_ms = now_ms + LH_JOB_HELD_MS;
    return 0;
  }
  engine->job = step.job;
  engine->job_steps++;
  engine->failed_unsent += step.failed_unsent;
  engine->checkpoint_wanted = 1;
  engine->woken = 1; /* what it made due; and the turn looks for another job */
  return 0;
}
