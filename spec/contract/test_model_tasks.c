/*
** The SQLite store's handlers and tasks against a model (model_tasks.h): random steps of receivers,
** workers that end tasks, die, fall silent or leave, people who retry and forget, and clocks, on
** two handles; some steps are cut off by a full disk or too little memory. After each step every
** row is what the model says; at the end nothing waits, and whatever failed can be done.
**
** LOYALHOOK_SPEC_SEED=n begins there, LOYALHOOK_SPEC_SEEDS=n tries so many (make test-model).
*/
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "spec/contract/model_tasks.h"

#define MINUTE INT64_C(60000)
#define STEPS 240
#define WORKERS 2
#define HELD 64

struct model model;
struct fake_clock fake;
struct lh_store *handles[MODEL_HANDLES];
int64_t sessions[MODEL_HANDLES];
struct lh_error why;
char folder[64];
static char location[128];

/* What a worker runs. Leases of a session that was declared dead stay: their results are late. */
struct held {
  int handler, position;
  int64_t task, session;
  int32_t attempt;
};
static struct worker {
  struct held held[HELD];
  int count;
} workers[WORKERS];

int64_t below(int64_t bound) {
  return (int64_t)model_random(&model, (uint64_t)bound);
}
int one_in(int64_t of) {
  return below(of) == 0;
}

/* ---- the world ---- */

static void open_handle(int at) {
  struct lh_store_options options = {.location = location, .create = 1, .clock = &fake.door};
  assert_int_equal(lh_store_open(&options, &handles[at], &why), LH_OK);
  assert_int_equal(
      handles[at]->requests->session_open(handles[at], fake.wall_ms, &sessions[at], &why), LH_OK);
}

static void receive(int most) {
  static const char *const types[] = {"event_points_earned", "event_member_enrol"};
  static const char *const members[] = {"a", "b", "c"};
  struct lh_received events[8];
  char ids[8][16];
  int count = 1 + (int)below(most);
  struct lh_receipt receipt = {.source = "shop", .events = events};
  for (int i = 0; i < count && tasks.event_count + i < TASK_EVENTS; i++) {
    struct tasks_event *event = &tasks.events[tasks.event_count + i + 1];
    *event =
        (struct tasks_event){.member = (int)below(TASK_MEMBERS + 1) - 1, .type = (int)below(2)};
    snprintf(ids[i], sizeof ids[i], "e%d", tasks.event_count + i + 1);
    events[i] = (struct lh_received){.event_id = ids[i],
                                     .event_id_len = strlen(ids[i]),
                                     .event_type = types[event->type],
                                     .event_type_len = strlen(types[event->type]),
                                     .member = event->member < 0 ? NULL : members[event->member],
                                     .member_len = event->member < 0 ? 0 : 1,
                                     .data = "{}",
                                     .data_len = 2};
    receipt.count++;
  }
  if (receipt.count == 0) return;
  if (!done(handles[0]->inbox->accept(handles[0], &receipt, 1, fake.wall_ms, &why), "accept"))
    return;
  tasks.event_count += (int)receipt.count;
}

static void load_handlers(void) {
  static const struct lh_handler_definition definitions[TASK_HANDLERS] = {
      {.name = "log", .event_types = "*", .from_start = 1},
      {.name = "crm", .event_types = "*", .serial = 1},
      {.name = "wallet",
       .event_types = "event_points_earned",
       .fails_when_unknown = 1,
       .serial = 1}};
  for (int i = 0; i < TASK_HANDLERS; i++) {
    struct tasks_handler *handler = &tasks.handlers[i];
    int created;
    handler->definition = definitions[i];
    handler->begin = definitions[i].from_start ? 0 : tasks.event_count;
    handler->loaded_ms = fake.wall_ms;
    handler->wish = (struct lh_handler_wish){
        .concurrency = 1 + (int32_t)below(5),
        .burst = 1 + below(3),
        .policy = {.tries = 1 + (int32_t)below(4),
                   .factor = 2,
                   .first_ms = 5000,
                   .max_ms = 20000,
                   .fails_when_unknown = definitions[i].fails_when_unknown}};
    if (one_in(3)) handler->wish.interval_us = 300000;
    assert_int_equal(handles[0]->tasks->handler_open(handles[0], &definitions[i], fake.wall_ms,
                                                     &handler->wish.handler, &created, &why),
                     LH_OK);
  }
}

/* ---- a worker's turn ---- */

static struct lh_task_result some_result(const struct held *held, int kind) {
  static const enum lh_task_input_kind kinds[] = {
      LH_TASK_IN_SUCCESS, LH_TASK_IN_SUCCESS, LH_TASK_IN_SUCCESS, LH_TASK_IN_FAILURE,
      LH_TASK_IN_FAILURE, LH_TASK_IN_REFUSAL, LH_TASK_IN_UNKNOWN, LH_TASK_IN_GIVEN_BACK};
  struct lh_task_result result = {.task = held->task, .attempt = held->attempt, .error = "no"};
  result.kind = kind >= 0 ? (enum lh_task_input_kind)kind : kinds[below(8)];
  result.jitter_ppm = (uint32_t)below(1000001);
  if (kind < 0 && one_in(4)) result.retry_after_ms = below(30000);
  if (kind < 0 && one_in(8)) result.rest_ms = below(30000);
  return result;
}

static void recorded(const struct held *held, const struct lh_task_result *result,
                     int64_t session) {
  struct tasks_task *task = tasks_of(held->handler, held->position);
  struct tasks_handler *handler = &tasks.handlers[held->handler];
  const struct lh_task_input input = {result->kind, result->attempt, result->retry_after_ms,
                                      result->jitter_ppm};
  int64_t longest_ms = handler->wish.policy.max_ms;
  int64_t rest_ms = result->rest_ms < longest_ms ? result->rest_ms : longest_ms;
  if (rest_ms > 0 && fake.wall_ms + rest_ms > handler->rest_until_ms)
    handler->rest_until_ms = fake.wall_ms + rest_ms;
  tasks_apply(task, &input, session);
  MODEL_MUST(&model, !result->gone && result->after.state == task->now.state,
             "e%d is said to be %s, must be %s", held->position,
             lh_task_state_name(result->after.state), lh_task_state_name(task->now.state));
}

static void hold(struct worker *worker, const struct lh_task_lease *lease, int64_t session) {
  int handler = 0;
  while (tasks.handlers[handler].wish.handler != lease->handler) handler++;
  worker->held[worker->count++] =
      (struct held){handler, (int)lease->position, lease->task, session, lease->attempt};
}

static void renew_session(int at) {
  assert_int_equal(
      handles[at]->requests->session_open(handles[at], fake.wall_ms, &sessions[at], &why), LH_OK);
}

/* What a live worker's turn says of its handlers. */
static void looked_at(void) {
  for (int i = 0; i < TASK_HANDLERS; i++) {
    struct tasks_handler *handler = &tasks.handlers[i];
    int64_t ago_ms = fake.wall_ms - handler->loaded_ms;
    if (ago_ms < 0 || ago_ms >= LH_HEARTBEAT_MS) handler->loaded_ms = fake.wall_ms;
    if (handler->forgotten) handler->begin = tasks.event_count;
    handler->forgotten = 0;
  }
}

/* The last `ends` of a shuffled list end; kind -1: anyhow. */
static void make_turn(int at, int ends, size_t slots, int kind) {
  struct worker *worker = &workers[at];
  struct lh_handler_wish wishes[TASK_HANDLERS];
  struct lh_task_result results[HELD];
  if (ends > worker->count) ends = worker->count;
  for (int i = 0; i < ends; i++) { /* which ones */
    int left = worker->count - i, other = (int)below(left);
    struct held held = worker->held[left - 1];
    worker->held[left - 1] = worker->held[other];
    worker->held[other] = held;
  }
  int first = worker->count - ends;
  for (int i = 0; i < ends; i++) results[i] = some_result(&worker->held[first + i], kind);
  for (int i = 0; i < TASK_HANDLERS; i++) {
    wishes[i] = tasks.handlers[i].wish;
    wishes[i].slots = kind >= 0 ? 8 : (size_t)below(5);
  }
  if (slots > (size_t)(HELD - first)) slots = (size_t)(HELD - first);
  struct lh_task_turn asked = {.session = sessions[at],
                               .now_ms = fake.wall_ms,
                               .wishes = wishes,
                               .wish_count = TASK_HANDLERS,
                               .results = results,
                               .result_count = (size_t)ends,
                               .slots = slots,
                               .running = (size_t)first};
  if (!done(handles[at]->tasks->turn(handles[at], &asked, &why), "turn")) return;
  let_be();
  MODEL_MUST(&model, asked.session_dead == !tasks_session_here(sessions[at]),
             "session dead or not");
  if (!asked.session_dead) looked_at();
  for (int i = 0; i < ends; i++) recorded(&worker->held[first + i], &results[i], sessions[at]);
  worker->count = first;
  tasks_formed();
  tasks_leased(&asked, (size_t)first);
  for (size_t i = 0; i < asked.lease_count; i++) hold(worker, &asked.leases[i], sessions[at]);
  lh_task_turn_clear(&asked);
  if (asked.session_dead) renew_session(at);
}

/* ---- deaths ---- */

/* Sessions that a rescue has ended. */
static void note_dead(int64_t session) {
  if (!tasks_session_here(session)) tasks_lose(session);
}

static void rescue(int at) {
  size_t rescued;
  int64_t other = sessions[1 - at], own = sessions[at];
  (void)done(handles[at]->requests->rescue(handles[at], own, fake.wall_ms, &rescued, &why),
             "rescue");
  let_be();
  note_dead(other);
}

/* The process is gone; somebody sees it at once. */
static void die(int at) {
  int64_t ended = sessions[at];
  size_t rescued;
  lh_store_close(handles[at]);
  workers[at].count = 0;
  sessions[at] = 0;
  int other = 1 - at;
  assert_int_equal(handles[other]->requests->rescue(handles[other], sessions[other], fake.wall_ms,
                                                    &rescued, &why),
                   LH_OK);
  note_dead(ended);
  open_handle(at);
}

/* It hangs for so long that others think it dead; then it goes on. */
static void fall_silent(int at) {
  for (int i = 0; i < 6; i++) {
    fake_clock_advance(&fake, LH_HEARTBEAT_MS);
    rescue(1 - at);
  }
}

static void leave(int at) {
  int64_t ended = sessions[at];
  handles[at]->requests->session_close(handles[at], ended, fake.wall_ms);
  tasks_lose(ended);
  workers[at].count = 0;
  renew_session(at);
}

/* ---- people ---- */

static const struct lh_task_input retried = {LH_TASK_IN_RETRY, 0, 0, 0};

static void retry_one(void) {
  if (tasks.event_count == 0) return;
  int position = 1 + (int)below(tasks.event_count), handler = (int)below(TASK_HANDLERS);
  int any = one_in(2), known = 0, failed = 0;
  char id[16];
  snprintf(id, sizeof id, "e%d", position);
  struct lh_task_retry asked = {.event_id = id,
                                .handler = any ? NULL : tasks.handlers[handler].definition.name};
  if (!done(handles[0]->tasks->retry(handles[0], &asked, 1, NULL, fake.wall_ms, &why), "retry"))
    return;
  for (int i = 0; i < TASK_HANDLERS; i++) {
    struct tasks_task *task = tasks_of(i, position);
    if (!task->known || (!any && i != handler)) continue;
    known = 1;
    failed |= task->now.state == LH_TASK_FAILED;
    tasks_apply(task, &retried, 0);
  }
  enum lh_task_retry_outcome must = failed         ? LH_TASK_RETRY_RETRIED
                                    : known || any ? LH_TASK_RETRY_NOT_FAILED
                                                   : LH_TASK_RETRY_UNKNOWN;
  MODEL_MUST(&model, asked.outcome == must, "retry of e%d: %s, must be %s", position,
             lh_task_retry_outcome_name(asked.outcome), lh_task_retry_outcome_name(must));
}

static void retry_all(int handler) {
  struct lh_task_retry_step step = {
      .handler = handler < 0 ? NULL : tasks.handlers[handler].definition.name,
      .now_ms = fake.wall_ms};
  size_t count = 0;
  if (!done(handles[1]->tasks->retry_failed(handles[1], &step, &why), "retry_failed")) return;
  MODEL_MUST(&model, step.after == 0, "a few are retried in one step");
  for (int position = 1; position <= tasks.event_count; position++)
    for (int i = 0; i < TASK_HANDLERS; i++) {
      struct tasks_task *task = tasks_of(i, position);
      if (!task->known || task->now.state != LH_TASK_FAILED || (handler >= 0 && i != handler))
        continue;
      tasks_apply(task, &retried, 0);
      count++;
    }
  MODEL_MUST(&model, step.count == count, "%d retried, must be %d", (int)step.count, (int)count);
}

static void forget(void) {
  static const struct lh_task_input forgotten = {LH_TASK_IN_FORGET, 0, 0, 0};
  int at = (int)below(TASK_HANDLERS), unfinished = 0;
  struct tasks_handler *handler = &tasks.handlers[at];
  size_t failed;
  if (one_in(2)) fake_clock_advance(&fake, LH_SESSION_DEAD_MS);
  int rc = handles[0]->tasks->forget(handles[0], handler->definition.name, NULL, fake.wall_ms,
                                     &failed, &why);
  let_be();
  for (int i = 1; i <= tasks.event_count; i++)
    unfinished += handler->tasks[i].known && handler->tasks[i].now.state < LH_TASK_DONE;
  int64_t ago_ms = fake.wall_ms - handler->loaded_ms;
  if (handler->forgotten && unfinished == 0) {
    MODEL_MUST(&model, rc == LH_E_NOT_FOUND, "forgotten twice: %d", rc);
    return;
  }
  if (ago_ms > -LH_SESSION_DEAD_MS && ago_ms < LH_SESSION_DEAD_MS) {
    MODEL_MUST(&model, rc == LH_E_REFUSED, "forgotten while it is loaded: %d", rc);
    return;
  }
  MODEL_MUST(&model, rc == LH_OK && (int)failed == unfinished, "forget: %d %s, %d failed", rc,
             why.message, (int)failed);
  handler->forgotten = 1;
  for (int i = 1; i <= tasks.event_count; i++)
    if (handler->tasks[i].known) tasks_apply(&handler->tasks[i], &forgotten, 0);
}

/* ---- a life ---- */

static void pass_time(void) {
  static const int64_t spans[] = {100, 1000, 5000, 20000, MINUTE};
  int64_t by_ms = below(spans[below(5)]);
  if (tasks.clock_moves_back && one_in(6)) by_ms = -below(100 * 24 * 60 * MINUTE);
  fake_clock_advance(&fake, by_ms);
  if (by_ms < 0) fake.monotonic_ms -= by_ms;
}

static void act(void) {
  int64_t choice = below(100);
  if (one_in(10) && choice < 75) let_fail();
  if (choice < 12)
    receive(6);
  else if (choice < 62)
    make_turn((int)below(WORKERS), (int)below(5), (size_t)below(7), -1);
  else if (choice < 70)
    retry_one();
  else if (choice < 72)
    retry_all(one_in(2) ? -1 : (int)below(TASK_HANDLERS));
  else if (choice < 75)
    rescue((int)below(WORKERS));
  else if (choice < 88)
    pass_time();
  else if (choice < 92)
    die((int)below(WORKERS));
  else if (choice < 94)
    fall_silent((int)below(WORKERS));
  else if (choice < 97)
    leave((int)below(WORKERS));
  else
    forget();
  let_be();
}

static int unfinished(void) {
  int count = workers[0].count + workers[1].count;
  for (int handler = 0; handler < TASK_HANDLERS; handler++)
    for (int i = 1; i <= tasks.event_count; i++) {
      const struct tasks_task *task = tasks_of(handler, i);
      count +=
          task->known ? task->now.state < LH_TASK_DONE : tasks_wanted(&tasks.handlers[handler], i);
    }
  return count;
}

static void settle_down(void) {
  for (int i = 0; i < 4000 && unfinished() > 0; i++) {
    model.step++;
    make_turn(i % WORKERS, HELD, 8, LH_TASK_IN_SUCCESS);
    fake_clock_advance(&fake, tasks.clock_moves_back ? MINUTE : 500);
    if (i % 16 == 0) tasks_sync();
  }
  MODEL_MUST(&model, unfinished() == 0, "%d things never end", unfinished());
  tasks_sync();
  tasks_recount();
}

static void close_all(void) {
  static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".key"};
  char path[160];
  tasks_look_away();
  for (int i = 0; i < WORKERS; i++) lh_store_close(handles[i]);
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
    snprintf(path, sizeof path, "%s/store.db%s", folder, suffixes[i]);
    unlink(path);
  }
  rmdir(folder);
}

static void live(uint64_t seed) {
  memset(&model, 0, sizeof model);
  memset(&tasks, 0, sizeof tasks);
  memset(workers, 0, sizeof workers);
  model.seed = model.state = seed;
  tasks.clock_moves_back = seed % 4 == 0;
  fake_clock_init(&fake, seed);
  snprintf(folder, sizeof folder, "%s/lh-model-XXXXXX",
           access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  assert_non_null(mkdtemp(folder));
  snprintf(location, sizeof location, "sqlite:%s/store.db", folder);
  for (int i = 0; i < WORKERS; i++) open_handle(i);
  receive(3);
  load_handlers();
  for (model.step = 1; model.step < STEPS; model.step++) {
    act();
    tasks_sync();
    if (model.step % 16 == 0) tasks_recount();
  }
  settle_down();
  retry_all(-1); /* whatever failed can be done */
  settle_down();
  for (int handler = 0; handler < TASK_HANDLERS; handler++)
    for (int i = 1; i <= tasks.event_count; i++)
      MODEL_MUST(&model,
                 !tasks_of(handler, i)->known || tasks_of(handler, i)->now.state == LH_TASK_DONE,
                 "e%d was not done in the end", i);
  close_all();
}

static void test_tasks_are_what_the_model_says(void **state) {
  (void)state;
  const char *one = getenv("LOYALHOOK_SPEC_SEED"), *many = getenv("LOYALHOOK_SPEC_SEEDS");
  uint64_t first = one != NULL ? strtoull(one, NULL, 10) : 1;
  uint64_t count = one != NULL && many == NULL ? 1 : many != NULL ? strtoull(many, NULL, 10) : 16;
  for (uint64_t seed = first; seed < first + count; seed++) live(seed);
}

int main(void) {
  const struct CMUnitTest tests_of[] = {cmocka_unit_test(test_tasks_are_what_the_model_says)};
  signal(SIGXFSZ, SIG_IGN);
  make_memory_scarce();
  return cmocka_run_group_tests_name("tasks against their model", tests_of, NULL, NULL);
}
