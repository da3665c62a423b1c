/*
** Workers that run handlers in a story: each round they say what ended by then
** and take what the store gives them. A handler does what its script says.
*/
#include "story.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *result_name(const struct story_result *result) {
  if (result->act == STORY_DIES) return "died";
  switch (result->kind) {
  case LH_TASK_IN_SUCCESS:
    return "done";
  case LH_TASK_IN_REFUSAL:
    return "fail";
  case LH_TASK_IN_UNKNOWN:
    return "unknown";
  case LH_TASK_IN_GIVEN_BACK:
    return "given back";
  default:
    return "retry";
  }
}

/* What became of the task; "" where the answer says it. */
static void state_text(const struct lh_task *after, char *out, size_t cap) {
  char at[STORY_TIME_MAX];
  out[0] = '\0';
  story_time(after->due_ms, at);
  if (after->state == LH_TASK_FAILED)
    snprintf(out, cap, "failed %s", lh_task_reason_name(after->reason));
  else if (after->state == LH_TASK_RUNNING)
    snprintf(out, cap, "runs again");
  else if (after->state != LH_TASK_DONE && after->due_ms == LH_TASK_WAITS)
    snprintf(out, cap, "waits for another");
  else if (after->state != LH_TASK_DONE)
    snprintf(out, cap, "%s at %s", after->state == LH_TASK_PENDING ? "due" : "retry", at);
}

static void note_end(struct story *story, const struct story_held *held, const char *answer,
                     const struct lh_task *after) {
  char state[64];
  state_text(after, state, sizeof state);
  if (after->state == LH_TASK_DONE && strcmp(answer, "done") != 0)
    snprintf(state, sizeof state, "done by another attempt");
  story_note_at(story, held->started_ms, "%s e%d attempt %d%s -> %-7s %s", held->handler->name,
                held->event, held->attempt, held->alone ? " alone" : "", answer, state);
}

/* ---- what a handler does ---- */

static struct story_script *script_of(struct story_handler *handler, int event) {
  struct story_script *found = NULL;
  for (int i = 0; i < handler->script_count; i++) {
    struct story_script *script = &handler->scripts[i];
    if (script->event == event || (script->event == 0 && found == NULL)) found = script;
  }
  return found;
}

static struct story_result next_result(struct story_handler *handler, int event) {
  struct story_script *script = script_of(handler, event);
  if (script == NULL) return (struct story_result){.kind = LH_TASK_IN_SUCCESS};
  struct story_result *result = &script->results[script->at];
  if (++script->given >= result->times && script->at + 1 < script->count) {
    script->at++;
    script->given = 0;
  }
  return *result;
}

static void take_on(struct story *story, struct story_worker *worker,
                    const struct lh_task_lease *lease) {
  struct story_held *held = &worker->held[worker->held_count++];
  *held = (struct story_held){.event = (int)strtol(lease->event_id + 1, NULL, 10),
                              .task = lease->task,
                              .attempt = lease->attempt,
                              .alone = lease->alone,
                              .started_ms = story->clock.wall_ms};
  for (int i = 0; i < story->handler_count; i++)
    if (story->handlers[i].wish.handler == lease->handler) held->handler = &story->handlers[i];
  assert(held->handler);
  held->result = next_result(held->handler, held->event);
  held->ends_ms = held->result.act == STORY_HANGS
                      ? INT64_MAX
                      : story->clock.monotonic_ms + held->result.after_ms;
}

/* ---- a round ---- */

/* Those that ended go to the front; how many there are. */
static size_t sort_ended(struct story_worker *worker, int64_t now_ms) {
  size_t ended = 0;
  for (size_t i = 0; i < worker->held_count; i++) {
    if (worker->held[i].ends_ms > now_ms) continue;
    struct story_held held = worker->held[i];
    memmove(&worker->held[ended + 1], &worker->held[ended], (i - ended) * sizeof *worker->held);
    worker->held[ended++] = held;
  }
  return ended;
}

static int someone_dies(const struct story_worker *worker, size_t ended) {
  for (size_t i = 0; i < ended; i++)
    if (worker->held[i].result.act == STORY_DIES) return 1;
  return 0;
}

static size_t fill_wishes(struct story *story, struct lh_handler_wish *wishes) {
  size_t count = 0;
  for (int i = 0; i < story->handler_count; i++) {
    if (story->handlers[i].unloaded) continue;
    wishes[count] = story->handlers[i].wish;
    wishes[count++].slots = STORY_HELD_MAX;
  }
  return count;
}

static int take_turn(struct story *story, struct story_worker *worker, size_t ended,
                     struct lh_task_turn *turn) {
  static struct lh_handler_wish wishes[STORY_HANDLERS_MAX];
  static struct lh_task_result results[STORY_HELD_MAX];
  struct lh_error err;
  for (size_t i = 0; i < ended; i++) {
    const struct story_held *held = &worker->held[i];
    results[i] = (struct lh_task_result){.task = held->task,
                                         .attempt = held->attempt,
                                         .kind = held->result.kind,
                                         .retry_after_ms = held->result.retry_after_ms,
                                         .rest_ms = held->result.rest_ms,
                                         .error = ""};
  }
  *turn = (struct lh_task_turn){
      .wishes = wishes,
      .wish_count = fill_wishes(story, wishes),
      .results = results,
      .result_count = ended,
      .slots = worker->draining ? 0 : STORY_HELD_MAX - worker->held_count + ended,
      .running = worker->held_count - ended,
  };
  int code = lh_engine_task_turn(worker->engine, turn, &err);
  if (code != 0 && code != worker->store.write_code)
    story_complain(story, "worker %s: %s", worker->name, err.message);
  return code;
}

int story_handle(struct story *story, struct story_worker *worker) {
  struct lh_task_turn turn;
  if (story->handler_count == 0) return 0;
  size_t ended = sort_ended(worker, story->clock.monotonic_ms);
  if (someone_dies(worker, ended)) {
    story_worker_kill(story, worker);
    return 1;
  }
  if (take_turn(story, worker, ended, &turn) != 0) return 0;
  for (size_t i = 0; i < ended; i++)
    note_end(story, &worker->held[i], result_name(&worker->held[i].result), &turn.results[i].after);
  worker->held_count -= ended;
  memmove(worker->held, worker->held + ended, worker->held_count * sizeof *worker->held);
  for (size_t i = 0; i < turn.lease_count; i++) take_on(story, worker, &turn.leases[i]);
  int moved = ended > 0 || turn.lease_count > 0 || turn.more;
  worker->tasks_due_ms = turn.next_due_ms;
  lh_task_turn_clear(&turn);
  return moved;
}

int64_t story_handle_next_ms(const struct story_worker *worker) {
  const struct fake_clock *clock = worker->transport.network->clock;
  int64_t next_ms = worker->tasks_due_ms > 0 ? worker->tasks_due_ms : INT64_MAX;
  for (size_t i = 0; i < worker->held_count; i++) {
    if (worker->held[i].ends_ms == INT64_MAX) continue;
    int64_t at_ms = clock->wall_ms + (worker->held[i].ends_ms - clock->monotonic_ms);
    if (at_ms < next_ms) next_ms = at_ms;
  }
  return next_ms;
}

/* ---- deaths ---- */

void story_handle_died(struct story *story, struct story_worker *worker) {
  for (size_t i = 0; i < worker->held_count; i++) {
    assert(story->lost_count < STORY_HELD_MAX);
    story->lost[story->lost_count++] = worker->held[i];
  }
  worker->held_count = 0;
}

static int find(struct story *story, const struct story_held *held, struct lh_task *now) {
  struct lh_inbox_list list;
  char id[16];
  int found = 0;
  snprintf(id, sizeof id, "e%d", held->event);
  if (story->store->inbox->get(story->store, id, NULL, &list, NULL) != 0) return 0;
  for (size_t i = 0; i < list.rows[0].task_count; i++) {
    const struct lh_inbox_task *task = &list.rows[0].tasks[i];
    if (strcmp(task->handler, held->handler->name) != 0) continue;
    *now = (struct lh_task){.state = (enum lh_task_state)task->state,
                            .reason = (enum lh_task_reason)task->reason,
                            .due_ms = task->waits ? LH_TASK_WAITS : task->next_attempt_ms};
    found = 1;
  }
  lh_inbox_list_clear(&list);
  return found;
}

/* A task that runs again before this is told says so; one whose worker nobody missed stays. */
void story_handle_lost(struct story *story) {
  for (size_t i = 0; i < story->lost_count; i++) {
    const struct story_held *held = &story->lost[i];
    struct lh_task now;
    if (find(story, held, &now))
      note_end(story, held, "lost", &now);
    else
      story_complain(story, "e%d has no task with %s", held->event, held->handler->name);
  }
  story->lost_count = 0;
}
