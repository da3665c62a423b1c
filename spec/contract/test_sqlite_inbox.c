/*
** The SQLite store's inbox: what only rows, threads, forks and a full disk can
** show. Tasks are written by SQL here, as a worker leaves them.
*/
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "spec/contract/store_suite.h"

#define THREADS 8
#define IDS 40

static char folder[64];
static char location[128];
static struct fake_clock fake;
static struct lh_store *store;

static const char *path_of(const char *suffix) {
  static char path[256];
  snprintf(path, sizeof path, "%s/store.db%s", folder, suffix);
  return path;
}

static struct lh_store *open_store(void) {
  struct lh_store_options options = {.create = 1, .clock = &fake.door, .location = location};
  struct lh_store *opened;
  assert_int_equal(lh_store_open(&options, &opened, NULL), LH_OK);
  return opened;
}

static int set_up(void **state) {
  (void)state;
  fake_clock_init(&fake, 5);
  suite.fake = fake; /* suite_accept's time */
  snprintf(folder, sizeof folder, "/tmp/lh-inbox-XXXXXX");
  assert_non_null(mkdtemp(folder));
  snprintf(location, sizeof location, "sqlite:%s/store.db", folder);
  store = open_store();
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".key"};
  lh_store_close(store);
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) unlink(path_of(suffixes[i]));
  rmdir(folder);
  return 0;
}

/* Through a connection of its own; nothing else writes at that moment. */
static int64_t sql(const char *text) {
  sqlite3 *db;
  sqlite3_stmt *statement;
  int64_t number = 0;
  assert_int_equal(sqlite3_open(path_of(""), &db), SQLITE_OK);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  for (const char *rest = text; *rest != '\0';) {
    if (sqlite3_prepare_v2(db, rest, -1, &statement, &rest) != SQLITE_OK)
      print_error("%s\n", sqlite3_errmsg(db));
    if (sqlite3_step(statement) == SQLITE_ROW) number = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
  }
  sqlite3_close(db);
  return number;
}

static void make_handler(int64_t handler, const char *name, int64_t cursor, int64_t loaded_ms) {
  char text[512];
  snprintf(text, sizeof text,
           "INSERT INTO handlers (handler, name, event_types, when_unknown, serial, cursor,"
           " loaded_ms, created_ms) VALUES (%lld, '%s', 't', 0, 0, %lld, %lld, 1)",
           (long long)handler, name, (long long)cursor, (long long)loaded_ms);
  sql(text);
}

/* columns: "state, reason, …" with their values. */
static void make_task(int64_t handler, int64_t position, const char *columns, const char *values) {
  char text[512];
  snprintf(text, sizeof text, "INSERT INTO tasks (handler, position, %s) VALUES (%lld, %lld, %s)",
           columns, (long long)handler, (long long)position, values);
  sql(text);
}

static void accept_numbers(int from, int to) {
  for (int i = from; i <= to; i++) {
    char id[16];
    snprintf(id, sizeof id, "%d", i);
    assert_int_equal(suite_accept(store, "zinrelo", id, NULL), LH_OK);
  }
}

static const char *ids_of(int state, const char *handler, int limit) {
  static char ids[512];
  struct lh_inbox_filter filter = {.state = state, .handler = handler, .limit = limit};
  size_t len = 0;
  ids[0] = '\0';
  do {
    struct lh_inbox_list list;
    assert_int_equal(store->inbox->list(store, &filter, &list, NULL), LH_OK);
    for (size_t i = 0; i < list.count; i++)
      len += (size_t)snprintf(ids + len, sizeof ids - len, "%s%s", len > 0 ? " " : "",
                              list.rows[i].event_id);
    filter.after = list.next;
    lh_inbox_list_clear(&list);
  } while (filter.after != 0);
  return ids;
}

static void test_an_events_state_comes_from_its_tasks_and_cursors(void **state) {
  (void)state;
  accept_numbers(1, 8);
  make_handler(1, "email", 6, fake.wall_ms);
  make_handler(2, "crm", 7, fake.wall_ms);
  make_handler(3, "gone", 0, fake.wall_ms - 3600001); /* nobody has loaded it for an hour */
  make_task(1, 1, "state, finished_ms", "3, 5");
  make_task(1, 2, "state, due_ms", "0, 7000");
  make_task(1, 3, "state, reason, finished_ms, error", "4, 2, 5, 'no such member'");
  make_task(2, 3, "state, due_ms, attempts_made, error", "2, 9000, 3, 'timeout'");
  make_task(1, 4, "state, session, started_ms, attempts_made", "1, 1, 1, 1");
  make_task(1, 5, "state, serial_key", "0, 'm'");
  for (int limit = 1; limit <= 3; limit++) {
    assert_string_equal(ids_of(-1, NULL, limit), "8 7 6 5 4 3 2 1");
    assert_string_equal(ids_of(LH_INBOX_PENDING, NULL, limit), "8 7 5 4 2");
    assert_string_equal(ids_of(LH_INBOX_FAILED, NULL, limit), "3");
    assert_string_equal(ids_of(LH_INBOX_DONE, NULL, limit), "6 1");
    assert_string_equal(ids_of(-1, "crm", limit), "3");
    assert_string_equal(ids_of(LH_INBOX_PENDING, "email", limit), "5 4 2");
  }
  struct lh_inbox_list list;
  assert_int_equal(store->inbox->get(store, "3", NULL, &list, NULL), LH_OK);
  assert_int_equal(list.rows[0].task_count, 2);
  const struct lh_inbox_task *failed = &list.rows[0].tasks[0], *later = &list.rows[0].tasks[1];
  assert_string_equal(failed->handler, "email");
  assert_int_equal(failed->state, LH_TASK_FAILED);
  assert_int_equal(failed->reason, LH_TASK_REFUSED);
  assert_int_equal(failed->next_attempt_ms, 0);
  assert_false(failed->waits);
  assert_string_equal(failed->error, "no such member");
  assert_string_equal(later->handler, "crm");
  assert_int_equal(later->next_attempt_ms, 9000);
  assert_int_equal(later->attempts_made, 3);
  lh_inbox_list_clear(&list);
  assert_int_equal(store->inbox->get(store, "5", NULL, &list, NULL), LH_OK);
  assert_true(list.rows[0].tasks[0].waits);
  assert_null(list.rows[0].tasks[0].error);
  lh_inbox_list_clear(&list);
}

static void test_a_handler_that_does_not_want_the_type_keeps_nothing_pending(void **state) {
  (void)state;
  accept_numbers(1, 2);
  make_handler(1, "email", 0, fake.wall_ms);
  assert_string_equal(ids_of(LH_INBOX_PENDING, NULL, 5), "2 1");
  sql("UPDATE handlers SET event_types = 'x' || char(10) || 'y'");
  assert_string_equal(ids_of(LH_INBOX_PENDING, NULL, 5), "");
  sql("UPDATE handlers SET event_types = '*'");
  assert_string_equal(ids_of(LH_INBOX_PENDING, NULL, 5), "2 1");
}

static void test_an_event_that_was_cut_is_remembered(void **state) {
  (void)state;
  struct lh_error err;
  struct lh_inbox_list list;
  size_t added;
  accept_numbers(1, 2);
  sql("DELETE FROM inbox WHERE position = 1; UPDATE marks SET received_ms = 1795000000000");
  assert_int_equal(store->inbox->get(store, "1", NULL, &list, &err), LH_E_NOT_FOUND);
  assert_string_equal(err.message, "this event was received at 2026-11-18T11:06:40Z and is no"
                                   " longer kept; it would still be known as a repetition");
  assert_int_equal(store->inbox->get(store, "9", NULL, &list, &err), LH_E_NOT_FOUND);
  assert_string_equal(err.message, "no event has this id");
  assert_int_equal(suite_accept(store, "zinrelo", "1", &added), LH_OK);
  assert_int_equal(added, 0);
}

/* A page of a large inbox looks at a bounded number of rows; its cursor goes on. */
static void test_a_rare_event_is_found_in_bounded_steps(void **state) {
  (void)state;
  struct lh_inbox_filter filter = {.state = -1, .event_type = "rare", .limit = 10};
  struct lh_inbox_list list;
  int pages = 0;
  size_t found = 0;
  accept_numbers(1, 1);
  sql("UPDATE inbox SET event_type = 'rare'; WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i"
      " + 1 FROM n WHERE i < 25000) INSERT INTO inbox SELECT i, 1, i, 't', 1, NULL, x'7B7D' FROM "
      "n");
  do {
    assert_int_equal(store->inbox->list(store, &filter, &list, NULL), LH_OK);
    found += list.count;
    pages++;
    filter.after = list.next;
    lh_inbox_list_clear(&list);
  } while (filter.after != 0);
  assert_int_equal(found, 1);
  assert_int_equal(pages, 3);
}

static void *accept_some(void *context) {
  struct lh_store_options options = {.location = location, .clock = &fake.door};
  struct lh_store *own;
  size_t *added = context;
  if (lh_store_open(&options, &own, NULL) != LH_OK) return (void *)1;
  for (int i = 0; i < IDS; i++) {
    char id[16];
    size_t one;
    snprintf(id, sizeof id, "%d", i);
    if (suite_accept(own, "zinrelo", id, &one) != LH_OK) return (void *)1;
    *added += one;
  }
  lh_store_close(own);
  return NULL;
}

static void test_threads_with_the_same_events_store_each_once(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  size_t added[THREADS] = {0}, sum = 0;
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, accept_some, &added[i]), 0);
  for (int i = 0; i < THREADS; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    assert_null(failed);
    sum += added[i];
  }
  assert_int_equal(sum, IDS);
  assert_int_equal(sql("SELECT count(*) FROM inbox"), IDS);
  assert_int_equal(sql("SELECT count(*) FROM marks m JOIN inbox i USING (position)"), IDS);
}

static void test_processes_with_the_same_events_store_each_once(void **state) {
  (void)state;
  lh_store_close(store);
  for (int i = 0; i < 3; i++) {
    size_t added = 0;
    if (fork() == 0) _exit(accept_some(&added) == NULL ? 0 : 1);
  }
  for (int i = 0; i < 3; i++) {
    int status;
    wait(&status);
    assert_int_equal(status, 0);
  }
  store = open_store();
  assert_int_equal(sql("SELECT count(*) FROM inbox"), IDS);
}

static void test_a_forked_child_is_refused(void **state) {
  (void)state;
  int status;
  pid_t child = fork();
  if (child == 0) {
    struct lh_inbox_filter filter = {.state = -1, .limit = 1};
    struct lh_inbox_list list;
    int refused = suite_accept(store, "zinrelo", "a", NULL) == LH_E_CLOSED &&
                  store->inbox->list(store, &filter, &list, NULL) == LH_E_CLOSED &&
                  store->inbox->get(store, "a", NULL, &list, NULL) == LH_E_CLOSED;
    _exit(refused ? 0 : 1);
  }
  waitpid(child, &status, 0);
  assert_int_equal(status, 0);
}

static void test_a_full_disk_stores_nothing_and_marks_nothing(void **state) {
  (void)state;
  struct rlimit before, full;
  struct stat wal;
  size_t added;
  char long_id[LH_RECEIVED_ID_MAX + 1];
  memset(long_id, 'i', sizeof long_id);
  accept_numbers(1, 3);
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(stat(path_of("-wal"), &wal), 0);
  full = before;
  full.rlim_cur = (rlim_t)wal.st_size + 100;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
  int rc = suite_accept(store, "zinrelo", "4", NULL);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_true(rc == LH_E_FULL || rc == LH_E_IO);
  assert_int_equal(sql("SELECT count(*) FROM inbox"), 3);
  assert_int_equal(suite_accept(store, "zinrelo", "4", &added), LH_OK);
  assert_int_equal(added, 1); /* it was not taken for a repetition */
  assert_int_equal(sql("SELECT max(position) FROM inbox"), 4);
}

static void test_a_sleeping_worker_is_woken_by_what_is_new(void **state) {
  (void)state;
  char events[512];
  int fd = store->requests->wake_fd(store);
  assert_true(fd >= 0);
  accept_numbers(1, 1);
  assert_true(read(fd, events, sizeof events) > 0);
  accept_numbers(1, 1); /* a repetition wakes nobody */
  assert_true(read(fd, events, sizeof events) < 0);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(test_an_events_state_comes_from_its_tasks_and_cursors),
      T(test_a_handler_that_does_not_want_the_type_keeps_nothing_pending),
      T(test_an_event_that_was_cut_is_remembered),
      T(test_a_rare_event_is_found_in_bounded_steps),
      T(test_threads_with_the_same_events_store_each_once),
      T(test_processes_with_the_same_events_store_each_once),
      T(test_a_forked_child_is_refused),
      T(test_a_full_disk_stores_nothing_and_marks_nothing),
      T(test_a_sleeping_worker_is_woken_by_what_is_new),
  };
#undef T
  return cmocka_run_group_tests_name("sqlite inbox", tests, NULL, NULL);
}
