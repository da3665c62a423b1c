/*
** Manual retry in a story: chosen requests, and all failed ones as a stored job
** that workers work off, or that this console waits for.
*/
#include "story.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHOSEN_MAX 32

/* Refusals end with a command that names an id, which says nothing in a story. */
static const char *without_command(char *message) {
  char *command = strstr(message, " (loyalhook");
  if (command) *command = '\0';
  return message;
}

/* "r3" → its id; a name that no request has becomes an id that none has. */
static struct lh_id id_of(const struct story *story, const char *name) {
  size_t number = name[0] == 'r' ? strtoul(name + 1, NULL, 10) : 0;
  if (number > 0 && number <= story->request_count) return story->requests[number - 1].id;
  return (struct lh_id){{0xff}};
}

void story_retry(struct story *story, char *const *names, int count) {
  struct lh_retry retries[CHOSEN_MAX];
  struct lh_error err;
  assert(count > 0 && count <= CHOSEN_MAX);
  story->retried = 1;
  for (int i = 0; i < count; i++)
    retries[i] = (struct lh_retry){.request_id = id_of(story, names[i])};
  if (story->store->jobs->retry(
          story->store, &(struct lh_retry_chosen){.retries = retries, .count = (size_t)count},
          story->clock.wall_ms, &err)) {
    story_complain(story, "retry: %s", err.message);
    return;
  }
  for (int i = 0; i < count; i++) {
    const char *why = without_command(retries[i].message);
    story_note(story, "%s %s%s%s", names[i], lh_retry_outcome_name(retries[i].outcome),
               *why ? ": " : "", why);
  }
}

void story_note_job(struct story *story, const struct lh_job *job) {
  if (job->finished_ms == 0) return;
  story_note(story, "job over: %d of %d retried, %d left over", (int)job->retried, (int)job->total,
             (int)job->left_over);
}

static void wait_for(struct story *story, const struct lh_id *id) {
  struct lh_job_step step = {.id = id};
  struct lh_error err;
  do {
    step.now_ms = story->clock.wall_ms;
    if (story->store->jobs->step(story->store, &step, &err) != 0) {
      story_complain(story, "job: %s", err.message);
      return;
    }
  } while (step.job.finished_ms == 0);
  story_note_job(story, &step.job);
}

void story_retry_failed(struct story *story, const struct story_retrying *wanted) {
  struct lh_retry_filter filter = {.reason = wanted->reason, .since_ms = wanted->since_ms};
  struct lh_job job;
  struct lh_error err;
  if (wanted->webhook) {
    const struct story_webhook *webhook = story_webhook(story, wanted->webhook);
    if (!webhook) return;
    filter.webhook_id = &webhook->id;
  }
  filter.account = wanted->account;
  story->retried = 1;
  if (wanted->dry_run) {
    int64_t total = 0;
    if (story->store->jobs->count(story->store, &filter, &total, &err) != 0)
      story_complain(story, "count: %s", err.message);
    story_note(story, "%d failed", (int)total);
    return;
  }
  if (story->store->jobs->create(story->store, &filter, NULL, story->clock.wall_ms, &job, &err) !=
      0)
    story_note(story, "job refused: %s", without_command(err.message));
  else if (wanted->wait)
    wait_for(story, &job.id);
}
