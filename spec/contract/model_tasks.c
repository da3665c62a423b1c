/* The model of handlers and tasks, and how the rows are compared with it: see model_tasks.h. */
#include "spec/contract/model_tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

struct tasks_model tasks;

struct tasks_task *tasks_of(int handler, int position) {
  return &tasks.handlers[handler].tasks[position];
}

int tasks_wanted(const struct tasks_handler *handler, int position) {
  if (position <= handler->begin) return 0;
  return strcmp(handler->definition.event_types, "*") == 0 || tasks.events[position].type == 0;
}

static int is_unfinished(const struct tasks_task *task) {
  return task->known && task->now.state < LH_TASK_DONE;
}

static int is_active(const struct tasks_task *task) {
  return is_unfinished(task) &&
         (task->now.state == LH_TASK_RUNNING || task->now.due_ms != LH_TASK_WAITS);
}

/* Where a task stands in the arrays. */
static void place_of(const struct tasks_task *task, int *handler, int *position) {
  for (*handler = 0; *handler < TASK_HANDLERS; ++*handler) {
    ptrdiff_t at = task - tasks.handlers[*handler].tasks;
    *position = (int)at;
    if (at >= 0 && at <= TASK_EVENTS) return;
  }
}

/* The first of its member's that passes, beside `but`; 0: none, or its member's have no order. */
static int first_of_member(int handler, int position, int (*passes)(const struct tasks_task *),
                           int but) {
  int member = tasks.events[position].member;
  if (!tasks.handlers[handler].definition.serial || member < 0) return 0;
  for (int i = 1; i <= tasks.event_count; i++)
    if (i != but && tasks.events[i].member == member && passes(tasks_of(handler, i))) return i;
  return 0;
}

void tasks_apply(struct tasks_task *task, const struct lh_task_input *input, int64_t session) {
  struct lh_task_input seen = *input;
  int handler = 0, position = 0;
  place_of(task, &handler, &position);
  int was_active = is_active(task);
  enum lh_task_state before = task->now.state;
  if (before != LH_TASK_RUNNING || task->session != session) seen.attempt = 0;
  unsigned effects =
      lh_task_step(&task->now, &seen, &tasks.handlers[handler].wish.policy, fake.wall_ms);
  if (effects & LH_TASK_EFFECT_REFUSED) return;
  if (before == LH_TASK_FAILED && is_unfinished(task) &&
      first_of_member(handler, position, is_unfinished, position) != 0)
    task->now.due_ms = LH_TASK_WAITS;
  if (task->now.state != LH_TASK_RUNNING) task->session = 0;
  if (!(effects & LH_TASK_EFFECT_ENDED) || !was_active) return;
  int next = first_of_member(handler, position, is_unfinished, position);
  if (next != 0 && !is_active(tasks_of(handler, next)))
    tasks_of(handler, next)->now.due_ms = fake.wall_ms;
}

void tasks_lose(int64_t session) {
  for (int handler = 0; handler < TASK_HANDLERS; handler++)
    for (int i = 1; i <= tasks.event_count; i++) {
      struct tasks_task *task = tasks_of(handler, i);
      if (task->now.state != LH_TASK_RUNNING || task->session != session) continue;
      const struct lh_task_input lost = {LH_TASK_IN_LOST, task->now.attempts_made, 0, 0};
      tasks_apply(task, &lost, session);
    }
}

/* ---- leases ---- */

int tasks_runs_alone(int64_t session) {
  int count = 0;
  for (int handler = 0; handler < TASK_HANDLERS; handler++)
    for (int i = 1; i <= tasks.event_count; i++)
      count += tasks_of(handler, i)->now.state == LH_TASK_RUNNING &&
               tasks_of(handler, i)->now.alone && tasks_of(handler, i)->session == session;
  return count;
}

static int count_running(int handler, int alone) {
  int count = 0;
  for (int i = 1; i <= tasks.event_count; i++) {
    const struct tasks_task *task = tasks_of(handler, i);
    count += task->now.state == LH_TASK_RUNNING && (!alone || task->now.alone);
  }
  return count;
}

/* No window of time has more starts than a burst and what the rate gives in it. */
static void note_start(struct tasks_handler *handler) {
  const struct lh_handler_wish *wish = &handler->wish;
  if (handler->start_count == TASK_STARTS) {
    memmove(handler->starts, handler->starts + 1, (TASK_STARTS - 1) * sizeof *handler->starts);
    handler->start_count--;
  }
  handler->starts[handler->start_count++] = fake.wall_ms;
  if (wish->interval_us == 0 || tasks.clock_moves_back) return;
  for (int i = 0; i < handler->start_count; i++) {
    int64_t span_us = (fake.wall_ms - handler->starts[i]) * 1000;
    int starts = handler->start_count - i;
    MODEL_MUST(&model, starts <= wish->burst + span_us / wish->interval_us,
               "%d starts of %s within %d ms", starts, handler->definition.name,
               (int)(span_us / 1000));
  }
}

static void lease_of(const struct lh_task_lease *lease, int64_t session) {
  int at = 0, position = (int)lease->position;
  char id[16];
  while (at < TASK_HANDLERS && tasks.handlers[at].wish.handler != lease->handler) at++;
  MODEL_MUST(&model, at < TASK_HANDLERS && position >= 1 && position <= tasks.event_count,
             "a lease of nothing");
  struct tasks_handler *handler = &tasks.handlers[at];
  struct tasks_task *task = tasks_of(at, position);
  snprintf(id, sizeof id, "e%d", position);
  MODEL_MUST(&model, strcmp(lease->event_id, id) == 0 && strcmp(lease->source, "shop") == 0,
             "another event's data");
  MODEL_MUST(&model, task->known, "a lease of a task that is not there");
  MODEL_MUST(&model, task->number == lease->task, "another number");
  MODEL_MUST(&model, task->now.alone == lease->alone, "alone or not");
  if (tasks.clock_moves_back && task->now.due_ms != LH_TASK_WAITS) task->now.due_ms = 0;
  const struct lh_task_input start = {LH_TASK_IN_START, 0, 0, 0};
  unsigned effects = lh_task_step(&task->now, &start, &handler->wish.policy, fake.wall_ms);
  MODEL_MUST(&model, effects & LH_TASK_EFFECT_STARTED, "e%d cannot start with %s", position,
             handler->definition.name);
  task->session = session;
  MODEL_MUST(&model, lease->attempt == task->now.attempts_made, "attempt %d, must be %d",
             lease->attempt, task->now.attempts_made);
  MODEL_MUST(&model, tasks.clock_moves_back || handler->rest_until_ms <= fake.wall_ms,
             "%s does not rest", handler->definition.name);
  MODEL_MUST(&model, first_of_member(at, position, is_active, position) == 0,
             "two of a member's tasks at once");
  MODEL_MUST(&model, count_running(at, 0) <= handler->wish.concurrency, "%d of %s run",
             count_running(at, 0), handler->definition.name);
  MODEL_MUST(&model, count_running(at, 1) <= 1, "two run alone");
  note_start(handler);
}

void tasks_leased(const struct lh_task_turn *turn, size_t running_before) {
  int alone_before = tasks_runs_alone(turn->session);
  MODEL_MUST(&model, turn->lease_count <= turn->slots, "more leases than slots");
  MODEL_MUST(&model, alone_before == 0 || turn->lease_count == 0, "leased beside what runs alone");
  for (size_t i = 0; i < turn->wish_count; i++) {
    size_t own = 0;
    for (size_t at = 0; at < turn->lease_count; at++)
      own += turn->leases[at].handler == turn->wishes[i].handler;
    MODEL_MUST(&model, own <= turn->wishes[i].slots, "more leases of a handler than slots");
  }
  for (size_t i = 0; i < turn->lease_count; i++) {
    const struct lh_task_lease *lease = &turn->leases[i];
    MODEL_MUST(&model, !lease->alone || (turn->lease_count == 1 && running_before == 0),
               "it does not run alone");
    lease_of(lease, turn->session);
  }
}

/* ---- the store's rows ---- */

static sqlite3 *db;

static sqlite3_stmt *asked(const char *sql) {
  sqlite3_stmt *statement = NULL;
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
  return statement;
}

static void begin_look(void) {
  char path[160];
  if (db != NULL) return;
  snprintf(path, sizeof path, "%s/store.db", folder);
  assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL), SQLITE_OK);
}

void tasks_look_away(void) {
  sqlite3_close(db);
  db = NULL;
}

/* A row that the model does not have yet was formed in this step. */
static void formed(int handler, int position, int64_t number) {
  struct tasks_task *task = tasks_of(handler, position);
  MODEL_MUST(&model, tasks_wanted(&tasks.handlers[handler], position), "e%d is not wanted by %s",
             position, tasks.handlers[handler].definition.name);
  for (int i = 1; i < position; i++)
    MODEL_MUST(&model, !tasks_wanted(&tasks.handlers[handler], i) || tasks_of(handler, i)->known,
               "e%d was passed over", i);
  int waits = first_of_member(handler, position, is_unfinished, position) != 0;
  *task = (struct tasks_task){.known = 1, .number = number};
  task->now.due_ms = waits ? LH_TASK_WAITS : fake.wall_ms;
}

static void compare(int handler, int position, sqlite3_stmt *row) {
  struct tasks_task *task = tasks_of(handler, position);
  struct lh_task *now = &task->now;
  int waits = sqlite3_column_type(row, 8) == SQLITE_NULL && now->state != LH_TASK_RUNNING &&
              now->state < LH_TASK_DONE;
  int64_t due_ms = waits ? LH_TASK_WAITS : sqlite3_column_int64(row, 8);
#define SAME(column, field)                                                                        \
  MODEL_MUST(&model, sqlite3_column_int64(row, column) == (int64_t)(field),                        \
             "e%d of %s: " #field " is %lld, must be %lld", position,                              \
             tasks.handlers[handler].definition.name, sqlite3_column_int64(row, column),           \
             (long long)(field))
  SAME(2, now->state);
  SAME(3, now->reason);
  SAME(4, now->attempts_made);
  SAME(5, now->budget_start);
  SAME(6, now->strikes);
  SAME(7, now->alone);
  SAME(9, task->session);
  SAME(10, now->finished_ms);
#undef SAME
  MODEL_MUST(&model, waits == (now->due_ms == LH_TASK_WAITS), "e%d %s", position,
             waits ? "waits" : "does not wait");
  if (tasks.clock_moves_back && now->state < LH_TASK_DONE && !waits) now->due_ms = due_ms;
  MODEL_MUST(&model, now->state == LH_TASK_RUNNING || now->due_ms == due_ms,
             "e%d of %s: due %lld, must be %lld", position, tasks.handlers[handler].definition.name,
             (long long)due_ms, (long long)now->due_ms);
}

static void each_row(void (*row_of)(int handler, int position, sqlite3_stmt *row)) {
  sqlite3_stmt *rows = asked("SELECT handler, position, state, reason, attempts_made, "
                             "budget_start, strikes, alone, due_ms,"
                             " coalesce(session, 0), coalesce(finished_ms, 0), task FROM tasks "
                             "ORDER BY position, handler");
  while (sqlite3_step(rows) == SQLITE_ROW) {
    int handler = 0;
    while (tasks.handlers[handler].wish.handler != sqlite3_column_int64(rows, 0)) handler++;
    row_of(handler, sqlite3_column_int(rows, 1), rows);
  }
  sqlite3_finalize(rows);
}

static void form_if_new(int handler, int position, sqlite3_stmt *row) {
  if (!tasks_of(handler, position)->known) formed(handler, position, sqlite3_column_int64(row, 11));
}

void tasks_formed(void) {
  begin_look();
  each_row(form_if_new);
}

void tasks_sync(void) {
  int rows = 0, known = 0;
  begin_look();
  each_row(compare);
  sqlite3_stmt *count = asked("SELECT count(*) FROM tasks");
  assert_int_equal(sqlite3_step(count), SQLITE_ROW);
  rows = sqlite3_column_int(count, 0);
  sqlite3_finalize(count);
  for (int handler = 0; handler < TASK_HANDLERS; handler++)
    for (int i = 1; i <= tasks.event_count; i++) known += tasks_of(handler, i)->known;
  MODEL_MUST(&model, rows == known, "%d rows, must be %d", rows, known);
}

void tasks_recount(void) {
  begin_look();
  sqlite3_stmt *wrong = asked(
      "SELECT name FROM handlers h WHERE"
      " pending <> (SELECT count(*) FROM tasks t WHERE t.handler = h.handler AND state = 0) OR"
      " running <> (SELECT count(*) FROM tasks t WHERE t.handler = h.handler AND state = 1) OR"
      " retrying <> (SELECT count(*) FROM tasks t WHERE t.handler = h.handler AND state = 2) OR"
      " done <> (SELECT count(*) FROM tasks t WHERE t.handler = h.handler AND state = 3) OR"
      " failed <> (SELECT count(*) FROM tasks t WHERE t.handler = h.handler AND state = 4) OR"
      " waiting <> (SELECT count(*) FROM tasks t WHERE t.handler = h.handler AND state = 0 AND"
      " due_ms IS NULL)");
  int rc = sqlite3_step(wrong);
  MODEL_MUST(&model, rc == SQLITE_DONE, "the counters of %s",
             rc == SQLITE_ROW ? (const char *)sqlite3_column_text(wrong, 0) : "?");
  sqlite3_finalize(wrong);
}

int tasks_session_here(int64_t session) {
  begin_look();
  sqlite3_stmt *find = asked("SELECT 1 FROM sessions WHERE session = ?1");
  sqlite3_bind_int64(find, 1, session);
  int here = sqlite3_step(find) == SQLITE_ROW;
  sqlite3_finalize(find);
  return here;
}
