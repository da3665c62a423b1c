/*
** The one place where a task's state is decided; task.h shows the picture. One
** function per input, each of them total over the states.
*/
#include "core/task.h"

#include <assert.h>
#include <stddef.h>

#include "core/limits.h"

#define JITTER_PPM_MAX 1000000
#define JITTER_PART 10 /* full jitter is a tenth, either way */

const char *lh_task_state_name(enum lh_task_state state) {
  static const char *const names[] = {"pending", "running", "retrying", "done", "failed"};
  assert(state >= LH_TASK_PENDING && state <= LH_TASK_FAILED);
  return names[state];
}

const char *lh_task_reason_name(enum lh_task_reason reason) {
  static const char *const names[] = {"",       "retries_exhausted", "refused", "unknown",
                                      "poison", "forgotten"};
  assert(reason >= LH_TASK_REASON_NONE && reason <= LH_TASK_FORGOTTEN);
  return names[reason];
}

/* What is impossible about a task, or NULL. Holds before and after every step. */
static const char *state_problem(const struct lh_task *task) {
  if (task->state < LH_TASK_PENDING || task->state > LH_TASK_FAILED) return "state: unknown";
  if (task->reason < LH_TASK_REASON_NONE || task->reason > LH_TASK_FORGOTTEN)
    return "reason: unknown";
  if ((task->state == LH_TASK_FAILED) != (task->reason != LH_TASK_REASON_NONE))
    return "reason: goes with failed, and only with it";
  if (task->budget_start < 0 || task->attempts_made < task->budget_start)
    return "budget_start: is not between 0 and attempts_made";
  if (task->state == LH_TASK_RUNNING && task->attempts_made == task->budget_start)
    return "attempts_made: running without an attempt of the budget";
  if (task->state == LH_TASK_PENDING && task->attempts_made > 0)
    return "attempts_made: pending, but attempts were made";
  if (task->strikes < 0 || task->strikes > LH_TASK_STRIKES_MAX) return "strikes: not 0 to 3";
  if (task->strikes == LH_TASK_STRIKES_MAX && task->state < LH_TASK_DONE)
    return "strikes: three, but not over";
  if (task->alone != 0 && task->alone != 1) return "alone: not 0 or 1";
  return NULL;
}

static const char *policy_problem(const struct lh_task_policy *policy) {
  if (policy->tries < 1) return "tries: less than 1";
  if (policy->factor < 1) return "factor: less than 1";
  if (policy->first_ms < 0 || policy->max_ms < policy->first_ms)
    return "first_ms: is not between 0 and max_ms";
  if (policy->max_ms > LH_TASK_WAIT_MS_MAX) return "max_ms: more than a day";
  return NULL;
}

int lh_task_check(const struct lh_task *task, const struct lh_task_input *input,
                  const struct lh_task_policy *policy, struct lh_error *err) {
  const char *problem = state_problem(task);
  if (problem == NULL) problem = policy_problem(policy);
  if (problem == NULL && (input->kind < LH_TASK_IN_START || input->kind > LH_TASK_IN_FORGET))
    problem = "kind: unknown";
  if (problem == NULL && (input->attempt < 0 || input->retry_after_ms < 0))
    problem = "input: a negative number";
  return problem == NULL ? LH_OK : lh_error_set(err, LH_E_INVALID, "%s", problem);
}

int64_t lh_task_wait_ms(const struct lh_task_policy *policy, int32_t failures,
                        int64_t retry_after_ms, uint32_t jitter_ppm) {
  assert(failures >= 1 && policy_problem(policy) == NULL);
  int64_t wait_ms = policy->first_ms;
  for (int32_t i = 1; i < failures && wait_ms < policy->max_ms; i++)
    wait_ms = wait_ms > policy->max_ms / policy->factor ? policy->max_ms : wait_ms * policy->factor;
  int64_t jitter = jitter_ppm < JITTER_PPM_MAX ? jitter_ppm : JITTER_PPM_MAX;
  int64_t spread_ms = wait_ms / JITTER_PART;
  wait_ms += 2 * spread_ms * jitter / JITTER_PPM_MAX - spread_ms;
  if (wait_ms > policy->max_ms) wait_ms = 2 * policy->max_ms - wait_ms; /* spread below it */
  int64_t asked_ms = retry_after_ms < policy->max_ms ? retry_after_ms : policy->max_ms;
  return asked_ms > wait_ms ? asked_ms : wait_ms;
}

static int32_t tries_made(const struct lh_task *task) {
  return task->attempts_made - task->budget_start;
}

static int waits(const struct lh_task *task) {
  return task->state == LH_TASK_PENDING || task->state == LH_TASK_RETRYING;
}

/* Does it speak of the attempt that runs? */
static int is_present(const struct lh_task *task, const struct lh_task_input *input) {
  return task->state == LH_TASK_RUNNING && input->attempt == task->attempts_made;
}

static unsigned finish(struct lh_task *task, enum lh_task_state state, enum lh_task_reason reason,
                       int64_t now_ms) {
  int unfinished = waits(task) || task->state == LH_TASK_RUNNING;
  task->state = state;
  task->reason = reason;
  task->due_ms = 0;
  task->finished_ms = now_ms;
  return unfinished ? LH_TASK_EFFECT_ENDED : LH_TASK_EFFECT_NONE;
}

static unsigned wait_until(struct lh_task *task, enum lh_task_state state, int64_t due_ms) {
  task->state = state;
  task->reason = LH_TASK_REASON_NONE;
  task->due_ms = due_ms;
  task->finished_ms = 0;
  return LH_TASK_EFFECT_NONE;
}

static unsigned start(struct lh_task *task, const struct lh_task_policy *policy, int64_t now_ms) {
  if (!waits(task) || task->due_ms > now_ms) return LH_TASK_EFFECT_REFUSED;
  if (tries_made(task) >= policy->tries) /* their number was lowered meanwhile */
    return finish(task, LH_TASK_FAILED, LH_TASK_RETRIES_EXHAUSTED, now_ms);
  task->state = LH_TASK_RUNNING;
  task->attempts_made++;
  task->due_ms = 0;
  return LH_TASK_EFFECT_STARTED;
}

static unsigned success(struct lh_task *task, int64_t now_ms) {
  if (task->state == LH_TASK_DONE) return LH_TASK_EFFECT_REFUSED; /* by another attempt */
  task->alone = 0;
  return finish(task, LH_TASK_DONE, LH_TASK_REASON_NONE, now_ms);
}

static unsigned failure(struct lh_task *task, const struct lh_task_input *input,
                        const struct lh_task_policy *policy, int64_t now_ms) {
  if (!is_present(task, input)) return LH_TASK_EFFECT_REFUSED;
  task->alone = 0; /* its worker lived */
  if (tries_made(task) >= policy->tries)
    return finish(task, LH_TASK_FAILED, LH_TASK_RETRIES_EXHAUSTED, now_ms);
  int64_t wait_ms =
      lh_task_wait_ms(policy, tries_made(task), input->retry_after_ms, input->jitter_ppm);
  return wait_until(task, LH_TASK_RETRYING, now_ms + wait_ms);
}

static unsigned end_for_good(struct lh_task *task, const struct lh_task_input *input,
                             enum lh_task_reason reason, int64_t now_ms) {
  if (!is_present(task, input)) return LH_TASK_EFFECT_REFUSED;
  task->alone = 0;
  return finish(task, LH_TASK_FAILED, reason, now_ms);
}

/*
** It may have killed its worker: until an attempt has ended otherwise, it runs alone, also after a
** person's retry. The attempt keeps its number, but is no try.
*/
static unsigned lost(struct lh_task *task, const struct lh_task_input *input,
                     const struct lh_task_policy *policy, int64_t now_ms) {
  if (!is_present(task, input)) return LH_TASK_EFFECT_REFUSED;
  task->strikes += task->alone;
  task->alone = 1;
  if (task->strikes >= LH_TASK_STRIKES_MAX)
    return finish(task, LH_TASK_FAILED, LH_TASK_POISON, now_ms);
  if (policy->fails_when_unknown) return finish(task, LH_TASK_FAILED, LH_TASK_UNKNOWN, now_ms);
  task->budget_start++;
  return wait_until(task, LH_TASK_RETRYING, now_ms);
}

static unsigned given_back(struct lh_task *task, const struct lh_task_input *input,
                           const struct lh_task_policy *policy, int64_t now_ms) {
  if (!is_present(task, input)) return LH_TASK_EFFECT_REFUSED;
  task->attempts_made--;
  enum lh_task_state state = task->attempts_made == 0 ? LH_TASK_PENDING : LH_TASK_RETRYING;
  int64_t asked_ms = input->retry_after_ms;
  return wait_until(task, state, now_ms + (asked_ms < policy->max_ms ? asked_ms : policy->max_ms));
}

static unsigned retry(struct lh_task *task, int64_t now_ms) {
  if (task->state != LH_TASK_FAILED) return LH_TASK_EFFECT_REFUSED;
  task->budget_start = task->attempts_made;
  task->strikes = 0;
  return wait_until(task, LH_TASK_RETRYING, now_ms);
}

static unsigned forget(struct lh_task *task, int64_t now_ms) {
  if (!waits(task) && task->state != LH_TASK_RUNNING) return LH_TASK_EFFECT_REFUSED;
  return finish(task, LH_TASK_FAILED, LH_TASK_FORGOTTEN, now_ms);
}

static unsigned step(struct lh_task *task, const struct lh_task_input *input,
                     const struct lh_task_policy *policy, int64_t now_ms) {
  switch (input->kind) {
  case LH_TASK_IN_START:
    return start(task, policy, now_ms);
  case LH_TASK_IN_SUCCESS:
    return success(task, now_ms);
  case LH_TASK_IN_FAILURE:
    return failure(task, input, policy, now_ms);
  case LH_TASK_IN_REFUSAL:
    return end_for_good(task, input, LH_TASK_REFUSED, now_ms);
  case LH_TASK_IN_UNKNOWN:
    return policy->fails_when_unknown ? end_for_good(task, input, LH_TASK_UNKNOWN, now_ms)
                                      : failure(task, input, policy, now_ms);
  case LH_TASK_IN_LOST:
    return lost(task, input, policy, now_ms);
  case LH_TASK_IN_GIVEN_BACK:
    return given_back(task, input, policy, now_ms);
  case LH_TASK_IN_RETRY:
    return retry(task, now_ms);
  case LH_TASK_IN_FORGET:
    return forget(task, now_ms);
  }
  return LH_TASK_EFFECT_REFUSED;
}

unsigned lh_task_step(struct lh_task *task, const struct lh_task_input *input,
                      const struct lh_task_policy *policy, int64_t now_ms) {
  assert(lh_task_check(task, input, policy, NULL) == LH_OK);
  unsigned effects = step(task, input, policy, now_ms);
  assert(state_problem(task) == NULL);
  return effects;
}
