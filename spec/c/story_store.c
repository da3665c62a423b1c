/* A worker's view of the store: see story.h. Whoever is killed can write nothing more. */
#include "story.h"

#include <stddef.h>

static struct story_store *self_of(struct lh_store *door) {
  return (struct story_store *)door;
}

static int refused(const struct story_store *self, struct lh_error *err) {
  if (self->gone) return lh_error_set(err, LH_E_CLOSED, "worker was killed");
  if (self->write_code == LH_OK) return LH_OK;
  return lh_error_set(err, (enum lh_code)self->write_code, "broken by the story");
}

static int session_open(struct lh_store *door, int64_t now_ms, int64_t *session,
                        struct lh_error *err) {
  struct story_store *self = self_of(door);
  int code = refused(self, err);
  if (code != 0) return code;
  return self->real->requests->session_open(self->real, now_ms, session, err);
}

static void session_close(struct lh_store *door, int64_t session, int64_t now_ms) {
  struct story_store *self = self_of(door);
  if (refused(self, NULL) == 0) self->real->requests->session_close(self->real, session, now_ms);
}

static int rescue(struct lh_store *door, int64_t session, int64_t now_ms, size_t *rescued,
                  struct lh_error *err) {
  struct story_store *self = self_of(door);
  int code = refused(self, err);
  if (code != 0) return code;
  return self->real->requests->rescue(self->real, session, now_ms, rescued, err);
}

static int turn(struct lh_store *door, struct lh_turn *asked, struct lh_error *err) {
  struct story_store *self = self_of(door);
  int code = refused(self, err);
  return code != 0 ? code : self->real->requests->turn(self->real, asked, err);
}

static int wake_fd(struct lh_store *door) {
  struct story_store *self = self_of(door);
  return self->real->requests->wake_fd(self->real);
}

static void wake_clear(struct lh_store *door) {
  struct story_store *self = self_of(door);
  self->real->requests->wake_clear(self->real);
}

static void target_hold(struct lh_store *door, struct lh_target *target) {
  struct story_store *self = self_of(door);
  self->real->requests->target_hold(self->real, target);
}

static void target_release(struct lh_store *door, struct lh_target *target) {
  struct story_store *self = self_of(door);
  self->real->requests->target_release(self->real, target);
}

static int checkpoint(struct lh_store *door, int64_t min_bytes, struct lh_error *err) {
  struct story_store *self = self_of(door);
  int code = refused(self, err);
  return code != 0 ? code : self->real->admin->checkpoint(self->real, min_bytes, err);
}

static int clean(struct lh_store *door, struct lh_clean *run, struct lh_error *err) {
  struct story_store *self = self_of(door);
  int code = refused(self, err);
  return code != 0 ? code : self->real->admin->clean(self->real, run, err);
}

static int job_step(struct lh_store *door, struct lh_job_step *step, struct lh_error *err) {
  struct story_store *self = self_of(door);
  int code = refused(self, err);
  return code != 0 ? code : self->real->jobs->step(self->real, step, err);
}

static int handler_open(struct lh_store *door, const struct lh_handler_definition *definition,
                        int64_t now_ms, int64_t *handler, int *created, struct lh_error *err) {
  struct story_store *self = self_of(door);
  int code = refused(self, err);
  if (code != 0) return code;
  return self->real->tasks->handler_open(self->real, definition, now_ms, handler, created, err);
}

/* Without jitter: a story's times are round. */
static int task_turn(struct lh_store *door, struct lh_task_turn *asked, struct lh_error *err) {
  struct story_store *self = self_of(door);
  int code = refused(self, err);
  if (code != 0) return code;
  for (size_t i = 0; i < asked->result_count; i++) asked->results[i].jitter_ppm = 500000;
  return self->real->tasks->turn(self->real, asked, err);
}

static const struct lh_store_requests requests = {
    .session_open = session_open,
    .session_close = session_close,
    .rescue = rescue,
    .turn = turn,
    .wake_fd = wake_fd,
    .wake_clear = wake_clear,
    .target_hold = target_hold,
    .target_release = target_release,
};

static const struct lh_store_admin admin = {.clean = clean, .checkpoint = checkpoint};
static const struct lh_store_jobs jobs = {.step = job_step};
static const struct lh_store_tasks tasks = {.handler_open = handler_open, .turn = task_turn};

void story_store_init(struct story_store *store, struct lh_store *real) {
  *store = (struct story_store){
      .door = {.log = real->log,
               .requests = &requests,
               .admin = &admin,
               .jobs = &jobs,
               .tasks = &tasks},
      .real = real,
  };
}
