/* Retention of the inbox: what goes with time, and what somebody still needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/inbox_rows.h"

#define DAY INT64_C(86400000)
#define KEEP (30 * DAY)
#define KEEP_FAILED (90 * DAY)
#define DEDUPE (180 * DAY)

static struct lh_clean run;

/* A whole run. Returns how many steps it took. */
static int clean_with(int64_t dedupe_ms) {
  int steps = 0;
  run = (struct lh_clean){.now_ms = suite.fake.wall_ms,
                          .retention_ms = KEEP,
                          .failed_retention_ms = KEEP_FAILED,
                          .dedupe_ms = dedupe_ms,
                          .more = 1};
  while (run.more) {
    int64_t before = run.received;
    assert_int_equal(suite.store->admin->clean(suite.store, &run, NULL), LH_OK);
    assert_true(run.received - before <= 600); /* of one transaction */
    assert_true(++steps < 1000);
  }
  return steps;
}

static int clean(void) {
  return clean_with(DEDUPE);
}

static void later(int64_t ms) {
  fake_clock_advance(&suite.fake, ms);
}

/* The positions that are left, "2 5". */
static const char *left(void) {
  static char text[256];
  struct lh_inbox_filter filter = {.state = -1, .limit = LH_LIST_LIMIT_MAX};
  struct lh_inbox_list list;
  size_t len = 0;
  text[0] = '\0';
  assert_int_equal(suite.store->inbox->list(suite.store, &filter, &list, NULL), LH_OK);
  for (size_t i = list.count; i > 0; i--)
    len += (size_t)snprintf(text + len, sizeof text - len, "%s%d", len > 0 ? " " : "",
                            (int)list.rows[i - 1].position);
  lh_inbox_list_clear(&list);
  return text;
}

static int64_t marks(void) {
  return inbox_sql("SELECT count(*) FROM marks");
}

static void done_task(int64_t handler, int64_t position) {
  inbox_task(handler, position, "state, finished_ms", "3, 1");
  inbox_sql("UPDATE handlers SET done = done + 1");
}

static void test_old_events_go_and_the_newest_stays(void **state) {
  (void)state;
  inbox_accept_numbers(1, 3);
  later(KEEP - 1);
  inbox_accept_numbers(4, 4);
  clean();
  assert_string_equal(left(), "1 2 3 4");
  later(1);
  clean();
  assert_string_equal(left(), "4");
  assert_int_equal(run.received, 3);
  later(KEEP);
  clean();
  assert_string_equal(left(), "4"); /* its number must not be used twice */
  inbox_accept_numbers(5, 5);
  clean();
  assert_string_equal(left(), "5");
  assert_int_equal(inbox_sql("SELECT max(position) FROM inbox"), 5);
}

static void test_marks_outlive_their_events(void **state) {
  (void)state;
  size_t added;
  inbox_accept_numbers(1, 3);
  later(KEEP + DAY);
  inbox_accept_numbers(4, 4);
  clean();
  assert_string_equal(left(), "4");
  assert_int_equal(marks(), 4);
  assert_int_equal(suite_accept(suite.store, "zinrelo", "2", &added), LH_OK);
  assert_int_equal(added, 0);
  later(DEDUPE - KEEP - DAY - 1);
  clean();
  assert_int_equal(marks(), 4);
  later(1);
  clean();
  assert_int_equal(marks(), 1);
  assert_int_equal(suite_accept(suite.store, "zinrelo", "2", &added), LH_OK);
  assert_int_equal(added, 1); /* nobody remembers it */
}

static void test_marks_live_as_long_as_their_events_at_least(void **state) {
  (void)state;
  inbox_accept_numbers(1, 3);
  later(10 * DAY);
  clean_with(DAY);
  assert_int_equal(marks(), 3);
  inbox_handler(1, "email", 3, suite.fake.wall_ms);
  inbox_task(1, 2, "state, due_ms", "2, 7");
  later(1000 * DAY);
  clean_with(DAY);
  assert_string_equal(left(), "2 3");
  assert_int_equal(marks(), 2);
}

static void test_an_unfinished_task_holds_what_is_behind_it(void **state) {
  (void)state;
  inbox_accept_numbers(1, 6);
  inbox_handler(1, "email", 6, suite.fake.wall_ms);
  for (int position = 1; position <= 6; position++)
    if (position != 4) done_task(1, position);
  inbox_task(1, 4, "state, serial_key", "0, 'm'");
  later(400 * DAY);
  clean();
  assert_string_equal(left(), "4 5 6");
  assert_int_equal(inbox_sql("SELECT count(*) FROM tasks"), 3);
  assert_int_equal(inbox_sql("SELECT done FROM handlers"), 2);
  inbox_sql("UPDATE tasks SET state = 3, finished_ms = 1 WHERE position = 4;"
            "UPDATE handlers SET done = done + 1");
  clean();
  assert_string_equal(left(), "6");
  assert_int_equal(inbox_sql("SELECT count(*) FROM tasks"), 1);
  assert_int_equal(inbox_sql("SELECT done FROM handlers"), 1);
}

static void test_a_failed_task_keeps_its_event_for_its_own_time(void **state) {
  (void)state;
  char values[64];
  inbox_accept_numbers(1, 5);
  inbox_handler(1, "email", 5, suite.fake.wall_ms);
  later(20 * DAY);
  snprintf(values, sizeof values, "4, 1, %lld", (long long)suite.fake.wall_ms);
  inbox_task(1, 2, "state, reason, finished_ms", values);
  inbox_sql("UPDATE handlers SET failed = 1");
  done_task(1, 3);
  later(KEEP_FAILED - 1);
  clean();
  assert_string_equal(left(), "2 5"); /* it holds no other */
  assert_int_equal(inbox_sql("SELECT failed FROM handlers"), 1);
  assert_int_equal(inbox_sql("SELECT done FROM handlers"), 0);
  later(1);
  clean();
  assert_string_equal(left(), "5");
  assert_int_equal(inbox_sql("SELECT failed FROM handlers"), 0);
  assert_int_equal(inbox_sql("SELECT count(*) FROM tasks"), 0);
}

static void test_a_failed_task_that_is_retried_holds_again(void **state) {
  (void)state;
  inbox_accept_numbers(1, 4);
  inbox_handler(1, "email", 4, suite.fake.wall_ms);
  inbox_task(1, 2, "state, reason, finished_ms", "4, 1, 9000000000000"); /* in the future */
  later(1000 * DAY);
  clean();
  assert_string_equal(left(), "2 4");
  inbox_sql("UPDATE tasks SET state = 2, reason = 0, finished_ms = NULL, due_ms = 1");
  clean();
  assert_string_equal(left(), "2 4");
}

static void test_a_handler_in_use_holds_what_it_has_not_come_to(void **state) {
  (void)state;
  inbox_accept_numbers(1, 5);
  inbox_handler(1, "email", 2, suite.fake.wall_ms);
  inbox_handler(2, "crm", 4, suite.fake.wall_ms);
  later(KEEP - 1);
  inbox_sql("UPDATE inbox SET received_ms = 1");
  clean();
  assert_string_equal(left(), "3 4 5");
  later(1); /* nobody has loaded them for so long: what they have not formed, they do not hold */
  clean();
  assert_string_equal(left(), "5");
}

static void test_a_removed_handlers_unfinished_tasks_hold_on(void **state) {
  (void)state;
  inbox_accept_numbers(1, 4);
  inbox_handler(1, "gone", 2, suite.fake.wall_ms);
  inbox_task(1, 2, "state, due_ms", "2, 5");
  later(1000 * DAY);
  clean();
  assert_string_equal(left(), "2 3 4");
}

static void test_times_in_the_future_hold_nothing_back(void **state) {
  (void)state;
  int64_t right_ms = suite.fake.wall_ms;
  inbox_accept_numbers(1, 1);
  suite.fake.wall_ms += 900 * DAY; /* the clock is wrong for a while */
  inbox_accept_numbers(2, 2);
  suite.fake.wall_ms = right_ms;
  inbox_accept_numbers(3, 3);
  later(KEEP);
  inbox_accept_numbers(4, 4);
  clean();
  assert_string_equal(left(), "4");
}

static void test_a_large_inbox_goes_in_short_steps(void **state) {
  (void)state;
  inbox_accept_numbers(1, 1);
  inbox_handler(1, "email", 3001, suite.fake.wall_ms);
  inbox_sql("WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 3001)"
            " INSERT INTO inbox SELECT i, 1, i, 't', 1, NULL, x'7B7D' FROM n;"
            "INSERT INTO tasks (handler, position, state, finished_ms) SELECT 1, position, 3, 1"
            " FROM inbox; UPDATE handlers SET done = 3001;"
            "INSERT INTO marks SELECT event_id, source, position, 1 FROM inbox WHERE position > 1");
  later(DEDUPE);
  assert_true(clean() > 12);
  assert_string_equal(left(), "3001");
  assert_int_equal(inbox_sql("SELECT count(*) FROM tasks"), 1);
  assert_int_equal(inbox_sql("SELECT done FROM handlers"), 1);
  assert_int_equal(marks(), 1);
  assert_int_equal(clean(), 1);
}

/* Large data is bounded by bytes, not only by rows. */
static void test_large_events_go_in_short_steps_too(void **state) {
  (void)state;
  inbox_accept_numbers(1, 1);
  inbox_sql("WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 20)"
            " INSERT INTO inbox SELECT i, 1, i, 't', 1, NULL, zeroblob(2000000) FROM n");
  later(KEEP);
  assert_true(clean() >= 6);
  assert_string_equal(left(), "20");
}

static void test_an_empty_inbox(void **state) {
  (void)state;
  assert_int_equal(clean(), 1);
  inbox_handler(1, "email", 0, suite.fake.wall_ms);
  assert_int_equal(clean(), 1);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, inbox_set_up, inbox_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_old_events_go_and_the_newest_stays),
      T(test_marks_outlive_their_events),
      T(test_marks_live_as_long_as_their_events_at_least),
      T(test_an_unfinished_task_holds_what_is_behind_it),
      T(test_a_failed_task_keeps_its_event_for_its_own_time),
      T(test_a_failed_task_that_is_retried_holds_again),
      T(test_a_handler_in_use_holds_what_it_has_not_come_to),
      T(test_a_removed_handlers_unfinished_tasks_hold_on),
      T(test_times_in_the_future_hold_nothing_back),
      T(test_a_large_inbox_goes_in_short_steps),
      T(test_large_events_go_in_short_steps_too),
      T(test_an_empty_inbox),
  };
#undef T
  return cmocka_run_group_tests_name("sqlite inbox: retention", tests, NULL, NULL);
}
