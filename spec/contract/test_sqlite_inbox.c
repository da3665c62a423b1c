/*
** The SQLite suite.store's inbox: what only rows, threads, forks and a full disk can
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

#include "spec/contract/inbox_rows.h"

#define THREADS 8
#define IDS 40

static const char *ids_of(int state, const char *handler, int limit) {
  static char ids[512];
  struct lh_inbox_filter filter = {.state = state, .handler = handler, .limit = limit};
  size_t len = 0;
  ids[0] = '\0';
  do {
    struct lh_inbox_list list;
    assert_int_equal(suite.store->inbox->list(suite.store, &filter, &list, NULL), LH_OK);
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
  inbox_accept_numbers(1, 8);
  inbox_handler(1, "email", 6, suite.fake.wall_ms);
  inbox_handler(2, "crm", 7, suite.fake.wall_ms);
  inbox_handler(3, "gone", 0, suite.fake.wall_ms - 3600001); /* nobody has loaded it for an hour */
  inbox_task(1, 1, "state, finished_ms", "3, 5");
  inbox_task(1, 2, "state, due_ms", "0, 7000");
  inbox_task(1, 3, "state, reason, finished_ms, error", "4, 2, 5, 'no such member'");
  inbox_task(2, 3, "state, due_ms, attempts_made, error", "2, 9000, 3, 'timeout'");
  inbox_task(1, 4, "state, session, started_ms, attempts_made", "1, 1, 1, 1");
  inbox_task(1, 5, "state, serial_key", "0, 'm'");
  for (int limit = 1; limit <= 3; limit++) {
    assert_string_equal(ids_of(-1, NULL, limit), "8 7 6 5 4 3 2 1");
    assert_string_equal(ids_of(LH_INBOX_PENDING, NULL, limit), "8 7 5 4 2");
    assert_string_equal(ids_of(LH_INBOX_FAILED, NULL, limit), "3");
    assert_string_equal(ids_of(LH_INBOX_DONE, NULL, limit), "6 1");
    assert_string_equal(ids_of(-1, "crm", limit), "3");
    assert_string_equal(ids_of(LH_INBOX_PENDING, "email", limit), "5 4 2");
  }
  struct lh_inbox_list list;
  assert_int_equal(suite.store->inbox->get(suite.store, "3", NULL, &list, NULL), LH_OK);
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
  assert_int_equal(suite.store->inbox->get(suite.store, "5", NULL, &list, NULL), LH_OK);
  assert_true(list.rows[0].tasks[0].waits);
  assert_null(list.rows[0].tasks[0].error);
  lh_inbox_list_clear(&list);
}

/* As between the two looks of a list, when retention runs beside it. */
static void test_a_task_whose_event_was_just_cut_ends_no_list(void **state) {
  (void)state;
  inbox_accept_numbers(1, 4);
  inbox_handler(1, "email", 4, 1);
  for (int position = 1; position <= 3; position++)
    inbox_task(1, position, "state, reason, finished_ms", "4, 1, 5");
  inbox_sql("DELETE FROM inbox WHERE position IN (1, 3)");
  assert_string_equal(ids_of(LH_INBOX_FAILED, NULL, 5), "2");
  inbox_sql("UPDATE tasks SET state = 2, reason = 0, finished_ms = NULL, due_ms = 5");
  assert_string_equal(ids_of(LH_INBOX_PENDING, NULL, 5), "2");
}

static void test_figures_of_tasks_and_the_oldest_that_waits(void **state) {
  (void)state;
  struct lh_stats stats;
  int64_t start_ms = suite.fake.wall_ms;
  for (int i = 1; i <= 3; i++) {
    inbox_accept_numbers(i, i);
    fake_clock_advance(&suite.fake, 1000);
  }
  inbox_handler(1, "email", 3, suite.fake.wall_ms);
  inbox_handler(2, "crm", 3, suite.fake.wall_ms);
  inbox_task(1, 1, "state, finished_ms", "3, 5");
  inbox_task(1, 2, "state, due_ms", "2, 5");
  inbox_task(2, 3, "state, due_ms", "0, 5");
  inbox_sql("UPDATE handlers SET done = 1, retrying = 1 WHERE handler = 1;"
            "UPDATE handlers SET pending = 1 WHERE handler = 2");
  const struct lh_stats_query everything = {0};
  assert_int_equal(suite.store->admin->stats(suite.store, &everything, &stats, NULL), LH_OK);
  assert_int_equal(stats.inbox.events, 3);
  assert_int_equal(stats.inbox.tasks[LH_TASK_PENDING], 1);
  assert_int_equal(stats.inbox.tasks[LH_TASK_RETRYING], 1);
  assert_int_equal(stats.inbox.tasks[LH_TASK_DONE], 1);
  assert_int_equal(stats.inbox.tasks[LH_TASK_FAILED], 0);
  assert_true(stats.inbox.oldest_unfinished_ms == start_ms + 1000);
  lh_stats_clear(&stats);
}

static void test_a_handler_that_does_not_want_the_type_keeps_nothing_pending(void **state) {
  (void)state;
  inbox_accept_numbers(1, 2);
  inbox_handler(1, "email", 0, suite.fake.wall_ms);
  assert_string_equal(ids_of(LH_INBOX_PENDING, NULL, 5), "2 1");
  inbox_sql("UPDATE handlers SET event_types = 'x' || char(10) || 'y'");
  assert_string_equal(ids_of(LH_INBOX_PENDING, NULL, 5), "");
  inbox_sql("UPDATE handlers SET event_types = '*'");
  assert_string_equal(ids_of(LH_INBOX_PENDING, NULL, 5), "2 1");
}

static void test_an_event_that_was_cut_is_remembered(void **state) {
  (void)state;
  struct lh_error err;
  struct lh_inbox_list list;
  size_t added;
  inbox_accept_numbers(1, 2);
  inbox_sql("DELETE FROM inbox WHERE position = 1; UPDATE marks SET received_ms = 1795000000000");
  assert_int_equal(suite.store->inbox->get(suite.store, "1", NULL, &list, &err), LH_E_NOT_FOUND);
  assert_string_equal(err.message, "this event was received at 2026-11-18T11:06:40Z and is no"
                                   " longer kept; it would still be known as a repetition");
  assert_int_equal(suite.store->inbox->get(suite.store, "9", NULL, &list, &err), LH_E_NOT_FOUND);
  assert_string_equal(err.message, "no event has this id");
  assert_int_equal(suite_accept(suite.store, "zinrelo", "1", &added), LH_OK);
  assert_int_equal(added, 0);
}

/* A page of a large inbox looks at a bounded number of rows; its cursor goes on. */
static void test_a_rare_event_is_found_in_bounded_steps(void **state) {
  (void)state;
  struct lh_inbox_filter filter = {.state = -1, .event_type = "rare", .limit = 10};
  struct lh_inbox_list list;
  int pages = 0;
  size_t found = 0;
  inbox_accept_numbers(1, 1);
  inbox_sql(
      "UPDATE inbox SET event_type = 'rare'; WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i"
      " + 1 FROM n WHERE i < 25000) INSERT INTO inbox SELECT i, 1, i, 't', 1, NULL, x'7B7D' FROM "
      "n");
  do {
    assert_int_equal(suite.store->inbox->list(suite.store, &filter, &list, NULL), LH_OK);
    found += list.count;
    pages++;
    filter.after = list.next;
    lh_inbox_list_clear(&list);
  } while (filter.after != 0);
  assert_int_equal(found, 1);
  assert_int_equal(pages, 3);
}

static void *accept_some(void *context) {
  struct lh_store_options options = {.location = inbox_location, .clock = &suite.fake.door};
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
  assert_int_equal(inbox_sql("SELECT count(*) FROM inbox"), IDS);
  assert_int_equal(inbox_sql("SELECT count(*) FROM marks m JOIN inbox i USING (position)"), IDS);
}

static void test_processes_with_the_same_events_store_each_once(void **state) {
  (void)state;
  lh_store_close(suite.store);
  for (int i = 0; i < 3; i++) {
    size_t added = 0;
    if (fork() == 0) _exit(accept_some(&added) == NULL ? 0 : 1);
  }
  for (int i = 0; i < 3; i++) {
    int status;
    wait(&status);
    assert_int_equal(status, 0);
  }
  suite.store = inbox_open();
  assert_int_equal(inbox_sql("SELECT count(*) FROM inbox"), IDS);
}

static void test_a_forked_child_is_refused(void **state) {
  (void)state;
  int status;
  pid_t child = fork();
  if (child == 0) {
    struct lh_inbox_filter filter = {.state = -1, .limit = 1};
    struct lh_inbox_list list;
    int refused = suite_accept(suite.store, "zinrelo", "a", NULL) == LH_E_CLOSED &&
                  suite.store->inbox->list(suite.store, &filter, &list, NULL) == LH_E_CLOSED &&
                  suite.store->inbox->get(suite.store, "a", NULL, &list, NULL) == LH_E_CLOSED;
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
  inbox_accept_numbers(1, 3);
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(stat(inbox_path("-wal"), &wal), 0);
  full = before;
  full.rlim_cur = (rlim_t)wal.st_size + 100;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
  int rc = suite_accept(suite.store, "zinrelo", "4", NULL);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_true(rc == LH_E_FULL || rc == LH_E_IO);
  assert_int_equal(inbox_sql("SELECT count(*) FROM inbox"), 3);
  assert_int_equal(suite_accept(suite.store, "zinrelo", "4", &added), LH_OK);
  assert_int_equal(added, 1); /* it was not taken for a repetition */
  assert_int_equal(inbox_sql("SELECT max(position) FROM inbox"), 4);
}

static void test_a_sleeping_worker_is_woken_by_what_is_new(void **state) {
  (void)state;
  char events[512];
  int fd = suite.store->requests->wake_fd(suite.store);
  assert_true(fd >= 0);
  inbox_accept_numbers(1, 1);
  assert_true(read(fd, events, sizeof events) > 0);
  inbox_accept_numbers(1, 1); /* a repetition wakes nobody */
  assert_true(read(fd, events, sizeof events) < 0);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, inbox_set_up, inbox_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_an_events_state_comes_from_its_tasks_and_cursors),
      T(test_a_task_whose_event_was_just_cut_ends_no_list),
      T(test_figures_of_tasks_and_the_oldest_that_waits),
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
