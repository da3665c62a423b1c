/*
** Handlers' tasks for whoever runs them: the store's doors with this worker's
** session, clock and randomness. Nothing here runs a handler; that is Lua's.
*/
#include "engine/parts.h"

int lh_engine_open_handler(struct lh_engine *engine, const struct lh_handler_definition *definition,
                           int64_t *handler, int *created, struct lh_error *err) {
  int64_t now_ms = engine->clock->wall_ms(engine->clock->self);
  return engine->store->tasks->handler_open(engine->store, definition, now_ms, handler, created,
                                            err);
}

/* Who runs a dead session's tasks must hear of it once, also if a delivery has heard first. */
static void note_session(struct lh_engine *engine, struct lh_task_turn *turn) {
  if (turn->session_dead) {
    engine->session = engine->tasks_session = 0;
    return;
  }
  turn->session_dead = engine->tasks_session != 0 && engine->tasks_session != turn->session;
  engine->tasks_session = turn->session;
}

int lh_engine_task_turn(struct lh_engine *engine, struct lh_task_turn *turn, struct lh_error *err) {
  turn->leases = NULL;
  turn->lease_count = 0;
  int code = lh_dispatcher_session_renew(engine, err);
  if (code != 0) return code;
  turn->session = engine->session;
  turn->now_ms = engine->clock->wall_ms(engine->clock->self);
  for (size_t i = 0; i < turn->result_count; i++)
    turn->results[i].jitter_ppm = lh_collector_jitter_ppm(engine->clock);
  code = engine->store->tasks->turn(engine->store, turn, err);
  if (code != 0) return code;
  note_session(engine, turn);
  if (engine->handles_only) engine->woken = 0; /* nothing else of it looks for work */
  if (turn->result_count > 0 || turn->lease_count > 0) engine->checkpoint_wanted = 1;
  return 0;
}

int lh_engine_task_work(struct lh_engine *engine, const int64_t *handlers, size_t count,
                        struct lh_task_work *work, struct lh_error *err) {
  int64_t now_ms = engine->clock->wall_ms(engine->clock->self);
  return engine->store->tasks->pending_work(engine->store, handlers, count, now_ms, work, err);
}
