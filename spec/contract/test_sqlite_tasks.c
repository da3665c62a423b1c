/*
** Handlers with very many tasks: what a turn, a retry, a forgetting or a count
** reads does not depend on how much waits. SQLite counts the steps; no clock
** does.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "spec/c/fake_clock.h"
#include "store/sqlite/sqlite.h"

#define HANDLERS 4
#define EVENTS 100000
#define LEASED 10
#define STEPS_A_LEASE 1000 /* of SQLite's machine: form, lease and record one task */
#define STEPS_A_TURN 4000  /* … and whatever else a turn of four handlers does */

static char folder[64], location[128];
static struct fake_clock fake;
static struct lh_store *store;
static int64_t session;
static struct lh_handler_wish wishes[HANDLERS];

static void must(sqlite3 *db, const char *sql) {
  char *message = NULL;
  if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) print_error("%s\n", message);
  assert_null(message);
}

static void open_handler(int which) {
  static const char *const names[HANDLERS] = {"busy", "stuck", "late", "small"};
  const struct lh_handler_definition definition = {
      .name = names[which], .event_types = "*", .serial = which == 1, .from_start = which == 0};
  int created;
  wishes[which] = (struct lh_handler_wish){
      .concurrency = 16, .slots = 100, .policy = {10, 3, 10000, 21600000, 0}};
  assert_int_equal(store->tasks->handler_open(store, &definition, fake.wall_ms,
                                              &wishes[which].handler, &created, NULL),
                   LH_OK);
}

/*
** Of handler 1 all events wait to be formed; of handler 2 one member has a very long line; of
** handler 3 all are retrying later, half of them failed; handler 4 has nothing.
*/
static void fill(sqlite3 *db) {
  char sql[512];
  must(db, "INSERT INTO sources VALUES (1, 'shop')");
  snprintf(sql, sizeof sql,
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
           " INSERT INTO inbox SELECT i, 1, 'e' || i, 't', 1, 'm', x'7b7d' FROM n",
           EVENTS);
  must(db, sql);
  must(db, "INSERT INTO marks SELECT event_id, 1, position, 1 FROM inbox");
  must(db, "INSERT INTO tasks (handler, position, state, due_ms, serial_key)"
           " SELECT 2, position, 0, iif(position = 1, 1, NULL), 'm' FROM inbox");
  must(db, "INSERT INTO tasks (handler, position, state, attempts_made, first_ms, due_ms)"
           " SELECT 3, position, 2, 1, 1, 1704070800000 + position FROM inbox"
           " WHERE position % 2 = 0");
  must(db, "INSERT INTO tasks (handler, position, state, reason, attempts_made, finished_ms)"
           " SELECT 3, position, 4, 2, 1, 1 FROM inbox WHERE position % 2 = 1");
  must(db, "UPDATE handlers SET cursor = (SELECT max(position) FROM inbox) WHERE handler > 1");
  must(db, "UPDATE handlers SET pending = 100000, waiting = 99999 WHERE handler = 2");
  must(db, "UPDATE handlers SET retrying = 50000, failed = 50000 WHERE handler = 3");
}

static int build(void **state) {
  (void)state;
  struct lh_store_options options = {.create = 1, .location = location, .clock = &fake.door};
  sqlite3 *db;
  fake_clock_init(&fake, 5);
  snprintf(folder, sizeof folder, "/tmp/lh-tasks-XXXXXX");
  assert_non_null(mkdtemp(folder));
  snprintf(location, sizeof location, "sqlite:%s/store.db", folder);
  assert_int_equal(lh_store_open(&options, &store, NULL), LH_OK);
  for (int i = 0; i < HANDLERS; i++) open_handler(i);
  assert_int_equal(sqlite3_open(location + strlen("sqlite:"), &db), SQLITE_OK);
  must(db, "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = OFF; BEGIN");
  fill(db);
  must(db, "COMMIT");
  sqlite3_close(db);
  assert_int_equal(store->requests->session_open(store, fake.wall_ms, &session, NULL), LH_OK);
  return 0;
}

static int demolish(void **state) {
  (void)state;
  static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".key"};
  char path[160];
  lh_store_close(store);
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
    snprintf(path, sizeof path, "%s%s", location + strlen("sqlite:"), suffixes[i]);
    unlink(path);
  }
  rmdir(folder);
  return 0;
}

struct steps {
  int64_t machine, scan, sort;
};

static void add_steps(sqlite3 *db, struct steps *sum) {
  for (sqlite3_stmt *at = sqlite3_next_stmt(db, NULL); at; at = sqlite3_next_stmt(db, at)) {
    sum->machine += sqlite3_stmt_status(at, SQLITE_STMTSTATUS_VM_STEP, 1);
    sum->scan += sqlite3_stmt_status(at, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
    sum->sort += sqlite3_stmt_status(at, SQLITE_STMTSTATUS_SORT, 1);
    sum->sort += sqlite3_stmt_status(at, SQLITE_STMTSTATUS_AUTOINDEX, 1);
  }
}

/* What all statements did since the last call, the writing and the reading ones. */
static struct steps count_steps(void) {
  struct lh_sqlite_store *self = (struct lh_sqlite_store *)(void *)store;
  struct steps sum = {0};
  if (self->committer->open) add_steps(self->committer->connection.db, &sum);
  add_steps(self->reader.db, &sum);
  return sum;
}

static void check_steps(const char *what, int64_t most) {
  struct steps steps = count_steps();
  if (steps.machine > most || steps.scan > 10 || steps.sort > 0)
    print_error("%s: %d steps, %d of a scan, %d sorted\n", what, (int)steps.machine,
                (int)steps.scan, (int)steps.sort);
  assert_true(steps.machine <= most);
  assert_true(steps.scan <= 10); /* sessions: there is one */
  assert_int_equal(steps.sort, 0);
}

static struct lh_task_turn turn;

static size_t take_turn(size_t slots, struct lh_task_result *results, size_t count) {
  lh_task_turn_clear(&turn);
  turn = (struct lh_task_turn){.session = session,
                               .now_ms = fake.wall_ms,
                               .wishes = wishes,
                               .wish_count = HANDLERS,
                               .results = results,
                               .result_count = count,
                               .slots = slots};
  assert_int_equal(store->tasks->turn(store, &turn, NULL), LH_OK);
  return turn.lease_count;
}

static void end_all(enum lh_task_input_kind kind) {
  struct lh_task_result results[100];
  size_t count = turn.lease_count;
  for (size_t i = 0; i < count; i++)
    results[i] = (struct lh_task_result){
        .task = turn.leases[i].task, .attempt = turn.leases[i].attempt, .kind = kind, .error = ""};
  take_turn(LEASED, results, count);
}

static void test_a_turn_costs_what_it_leases(void **state) {
  (void)state;
  assert_int_equal(take_turn(LEASED, NULL, 0), LEASED); /* forms ahead, and looks at the clock */
  count_steps();
  for (int i = 0; i < 20; i++) {
    end_all(i % 2 ? LH_TASK_IN_SUCCESS : LH_TASK_IN_FAILURE);
    assert_int_equal(turn.lease_count, LEASED);
    check_steps("a turn", STEPS_A_TURN + LEASED * STEPS_A_LEASE);
  }
  take_turn(0, NULL, 0);
  count_steps();
  take_turn(LEASED, NULL, 0);
  check_steps("a turn without results", STEPS_A_TURN + LEASED * STEPS_A_LEASE);
}

static void test_an_idle_turn_reads_next_to_nothing(void **state) {
  (void)state;
  take_turn(0, NULL, 0);
  count_steps();
  take_turn(0, NULL, 0);
  check_steps("an idle turn", 2000);
}

static void test_what_is_left_is_counted_at_most_so_far(void **state) {
  (void)state;
  struct lh_task_work work;
  const int64_t numbers[] = {1, 2, 3, 4};
  count_steps();
  assert_int_equal(store->tasks->pending_work(store, numbers, 4, fake.wall_ms, &work, NULL), LH_OK);
  check_steps("pending_work", 50000);
  struct lh_handler_list list;
  assert_int_equal(store->tasks->handler_list(store, &list, NULL), LH_OK);
  struct steps steps = count_steps(); /* a sort of four rows by name is an index's */
  assert_true(steps.machine < 1000);
  lh_handler_list_clear(&list);
}

static void test_a_step_of_a_retry_is_bounded(void **state) {
  (void)state;
  struct lh_task_retry_step step = {.now_ms = fake.wall_ms, .source = "shop"};
  step.since_ms = 2; /* none is meant, and it finds that out in steps */
  count_steps();
  assert_int_equal(store->tasks->retry_failed(store, &step, NULL), LH_OK);
  assert_int_equal(step.count, 0);
  assert_true(step.after > 0);
  check_steps("a step past what is not meant", 300000);
  step = (struct lh_task_retry_step){.now_ms = fake.wall_ms, .handler = "late"};
  assert_int_equal(store->tasks->retry_failed(store, &step, NULL), LH_OK);
  assert_int_equal(step.count, LH_RETRY_MANY_MAX);
  check_steps("a step that retries", 1000 * 500);
  struct lh_task_retry one = {.event_id = "e99999"};
  assert_int_equal(store->tasks->retry(store, &one, 1, NULL, fake.wall_ms, NULL), LH_OK);
  assert_int_equal(one.outcome, LH_TASK_RETRY_RETRIED);
  check_steps("a retry of one", 2000);
}

static void test_a_long_line_is_forgotten_in_steps(void **state) {
  (void)state;
  size_t failed;
  fake_clock_advance(&fake, LH_SESSION_DEAD_MS);
  count_steps();
  assert_int_equal(store->tasks->forget(store, "stuck", NULL, fake.wall_ms, &failed, NULL), LH_OK);
  assert_true(failed > 90000);
  struct steps steps = count_steps();
  assert_true(steps.machine / (int64_t)failed < 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_turn_costs_what_it_leases),
      cmocka_unit_test(test_an_idle_turn_reads_next_to_nothing),
      cmocka_unit_test(test_what_is_left_is_counted_at_most_so_far),
      cmocka_unit_test(test_a_step_of_a_retry_is_bounded),
      cmocka_unit_test(test_a_long_line_is_forgotten_in_steps),
  };
  int failed = cmocka_run_group_tests_name("sqlite: many tasks", tests, build, demolish);
  lh_task_turn_clear(&turn);
  return failed;
}
