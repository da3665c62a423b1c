/*
** Workers and time. Nothing here sleeps: all workers step until none of them
** has anything to do, then the clock jumps to when one has.
*/
#include "story.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS_MAX 20000 /* at one instant of time; more is a loop without end */
#define EVENTS_MAX 200000
#define TICK_MS 250

static int open_store(struct story *story, struct lh_store **store) {
  struct lh_store_options options = {
      .location = story->location, .create = 1, .clock = &story->clock.door};
  struct lh_error err;
  int code = lh_store_open(&options, store, &err);
  if (code != 0) story_complain(story, "store cannot be opened: %s", err.message);
  return code;
}

void story_open(struct story *story) {
  const char *parent = getenv("TMPDIR");
  if (!parent) parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* hours of syncs */
  *story = (struct story){.show_events = 0};
  fake_clock_init(&story->clock, 1);
  story->network =
      (struct fake_network){.clock = &story->clock, .self = story, .sent = story_wire_sent};
  story->requests = calloc(STORY_REQUESTS_MAX, sizeof *story->requests);
  story->events = calloc(EVENTS_MAX, sizeof *story->events);
  assert(story->requests && story->events);
  snprintf(story->folder, sizeof story->folder, "%s/story-XXXXXX", parent ? parent : "/tmp");
  char *made = mkdtemp(story->folder);
  assert(made);
  (void)made;
  snprintf(story->location, sizeof story->location, "sqlite:%s/store.db", story->folder);
  (void)open_store(story, &story->store);
}

static void folder_remove(const char *folder) {
  DIR *listing = opendir(folder);
  struct dirent *entry;
  char path[600];
  while (listing && (entry = readdir(listing)) != NULL) {
    if (entry->d_name[0] == '.' && strlen(entry->d_name) < 3) continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    (void)unlink(path);
  }
  if (listing) closedir(listing);
  (void)rmdir(folder);
}

static void worker_forget(struct story_worker *worker) {
  if (!worker->engine) return;
  worker->held_count = 0;
  lh_engine_close(worker->engine);
  worker->engine = NULL;
  fake_transport_clear(&worker->transport);
  lh_store_close(worker->store.real);
}

void story_close(struct story *story) {
  for (size_t i = 0; i < story->worker_count; i++) {
    worker_forget(story->workers[i]);
    free(story->workers[i]);
  }
  lh_store_close(story->store);
  for (size_t i = 0; i < story->webhook_count; i++) {
    lh_hmac_key_free(story->webhooks[i].key);
    lh_hmac_key_free(story->webhooks[i].key_next);
  }
  for (size_t i = 0; i < story->request_count; i++) free(story->requests[i].body);
  free(story->requests);
  free(story->events);
  free(story->lines);
  folder_remove(story->folder);
}

void story_emit(struct story *story, const struct lh_emit *emit, int times) {
  for (int i = 0; i < times; i++) {
    struct lh_emitted emitted = {0};
    struct lh_emission emission = {.events = emit, .count = 1, .results = &emitted};
    struct lh_error err;
    assert(story->event_count < EVENTS_MAX);
    int code = story->store->log->emit(story->store, &emission, &err);
    if (code != 0) {
      story_complain(story, "emit: %s", err.message);
      return;
    }
    story->events[story->event_count++] = emitted.id;
  }
}

struct story_worker *story_worker(struct story *story, const char *name) {
  for (size_t i = story->worker_count; i-- > 0;) {
    struct story_worker *worker = story->workers[i];
    if (worker->engine && strcmp(worker->name, name) == 0) return worker;
  }
  story_complain(story, "there is no worker %s", name);
  return NULL;
}

void story_worker_open(struct story *story, const char *name, size_t concurrency, int64_t bytes) {
  struct story_worker *worker = calloc(1, sizeof *worker);
  struct lh_store *real = NULL;
  struct lh_error err;
  assert(worker && story->worker_count < STORY_NAMES_MAX);
  story->workers[story->worker_count++] = worker;
  snprintf(worker->name, sizeof worker->name, "%s", name);
  if (open_store(story, &real) != 0) return;
  story_store_init(&worker->store, real);
  fake_transport_init(&worker->transport, &story->network);
  struct lh_engine_options options = {
      .store = &worker->store.door,
      .transport = &worker->transport.door,
      .clock = &story->clock.door,
      .concurrency = concurrency,
      .bodies_bytes_max = bytes,
      .retention_ms = story->retention_ms,
      .failed_retention_ms = story->failed_retention_ms,
  };
  if (lh_engine_open(&options, &worker->engine, &err) != 0) {
    story_complain(story, "worker %s: %s", name, err.message);
    lh_store_close(real);
    return;
  }
  for (int i = 0; i < story->handler_count; i++)
    story_handler_load(story, worker->engine, &story->handlers[i]);
}

/* The store's handle goes last: closing it frees the lock that says the worker lives. */
void story_worker_kill(struct story *story, struct story_worker *worker) {
  worker->store.gone = 1;
  story_handle_died(story, worker);
  worker_forget(worker);
  story_note(story, "worker %s killed", worker->name);
}

static int tell(struct story *story, const struct lh_engine_report *report) {
  for (size_t i = 0; i < report->event_count; i++) story_log_event(story, &report->events[i]);
  if (report->rescued > 0) story_log_lost(story);
  if (report->rescued > 0) story_handle_lost(story);
  if (report->job_steps > 0) story_note_job(story, &report->job);
  return report->event_count > 0 || report->started > 0 || report->rescued > 0 ||
         report->job_steps > 0;
}

/* 1 if it did something. */
static int worker_step(struct story *story, struct story_worker *worker) {
  struct lh_engine_report report;
  struct lh_error err;
  int code = lh_engine_step(worker->engine, 0, NULL, 0, &report, &err);
  int moved = report.in_flight != worker->in_flight; /* a lease may end before it was started */
  worker->in_flight = report.in_flight;
  worker->next_due_ms = report.next_due_ms;
  if (code == 0) return tell(story, &report) | story_handle(story, worker) | moved;
  if (code != worker->store.write_code)
    story_complain(story, "worker %s: %s", worker->name, err.message);
  return 0;
}

void story_worker_abort(struct story *story, struct story_worker *worker) {
  struct lh_error err;
  if (lh_engine_abort(worker->engine, &err) != 0)
    story_complain(story, "worker %s: %s", worker->name, err.message);
  (void)worker_step(story, worker);
}

void story_worker_close(struct story *story, struct story_worker *worker) {
  story_handle_died(story, worker);
  worker_forget(worker);
  story_log_lost(story);
  story_handle_lost(story);
}

static void settle(struct story *story) {
  int busy = 1;
  for (int i = 0; busy; i++) {
    busy = 0;
    for (size_t w = 0; w < story->worker_count; w++)
      if (story->workers[w]->engine && !story->workers[w]->stopped)
        busy |= worker_step(story, story->workers[w]);
    if (i < STEPS_MAX) continue;
    story_complain(story, "workers never come to rest");
    return;
  }
}

static void sooner(int64_t *at_ms, int64_t other_ms, int64_t now_ms) {
  if (other_ms > now_ms && other_ms < *at_ms) *at_ms = other_ms;
}

/* When the next thing can happen; TICK_MS at most, for the workers' own timers. */
static int64_t next_ms(const struct story *story, int64_t end_ms) {
  int64_t now_ms = story->clock.wall_ms;
  int64_t next = end_ms;
  sooner(&next, now_ms - now_ms % TICK_MS + TICK_MS, now_ms);
  for (size_t i = 0; i < story->worker_count; i++) {
    const struct story_worker *worker = story->workers[i];
    if (!worker->engine || worker->stopped) continue;
    sooner(&next, worker->next_due_ms, now_ms);
    sooner(&next, story_handle_next_ms(worker), now_ms);
    int64_t answer_ms = fake_transport_next_ms(&worker->transport);
    if (answer_ms != INT64_MAX)
      sooner(&next, now_ms + (answer_ms - story->clock.monotonic_ms), now_ms);
  }
  return next;
}

void story_run(struct story *story, int64_t duration_ms) {
  if (story->worker_count == 0) story_worker_open(story, "a", 0, 0);
  int64_t end_ms = story->clock.wall_ms + duration_ms;
  settle(story);
  while (story->clock.wall_ms < end_ms && !story->broken) {
    fake_clock_advance(&story->clock, next_ms(story, end_ms) - story->clock.wall_ms);
    settle(story);
  }
}
