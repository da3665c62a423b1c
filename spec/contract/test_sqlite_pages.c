/*
** The request log of a store with very many requests: every filter finds what
** it should, page by page, and how much of the database is read for one page
** does not depend on how much there is. SQLite counts the steps; no clock does.
**
** LOYALHOOK_SPEC_REQUESTS=1000000 (make test-million) builds a large one; the
** everyday size is enough to tell a bounded walk from a scan.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/sqlite/sqlite.h"

#define WEBHOOKS 5
#define MEMBERS 1000
#define LIMIT 20
#define START_MS INT64_C(1700000000000)

/* Steps of SQLite's machine for one page, whatever the filter: it looks at 10,000 rows at most. */
#define STEPS_MAX 1000000
#define STEPS_TYPICAL 40000 /* where an index leads to what belongs */

struct model {
  int webhook; /* 1.. */
  int state;
  int64_t created_ms;
  int64_t positions[8];
  int count;
};

static struct model *models; /* by request number, from 1 */
static int64_t requests, events;
static char folder[64], location[128];
static struct lh_store *store;
static struct lh_id webhook_ids[WEBHOOKS + 1];

static int account_of_webhook(int webhook) {
  return webhook <= 3 ? 1 : 2;
}
static int account_of_event(int64_t position) {
  return position % 4 == 3 ? 2 : 1;
}
static int64_t member_of_event(int64_t position) {
  return position % 7 == 0 ? 0 : position % 50 == 1 ? 1 : position % MEMBERS + 1;
}
/* Few of a type, and none of it in the newest half. */
static int type_of_event(int64_t position) {
  return position % 300 == 2 && position < 100000 ? 2 : 1;
}
static struct lh_id id_of(char kind, int64_t number) {
  struct lh_id id = {{0}};
  id.bytes[0] = (unsigned char)kind;
  for (int i = 0; i < 8; i++) id.bytes[4 + i] = (unsigned char)(number >> (56 - 8 * i));
  return id;
}

/* The newest half of webhook 3's requests failed; of the others one in fifty; the last are open. */
static int state_of(int webhook, int64_t number) {
  if (number > requests - 40) return (int)(number % 3);
  if (webhook == 3) return number > requests / 2 ? LH_FAILED : LH_DELIVERED;
  if (number % 997 == 0) return LH_RETRYING;
  return number % 50 == 0 ? LH_FAILED : LH_DELIVERED;
}

static void must(sqlite3 *db, const char *sql) {
  char *message = NULL;
  if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) print_error("%s\n", message);
  assert_null(message);
}
static sqlite3_stmt *prepared(sqlite3 *db, const char *sql) {
  sqlite3_stmt *statement = NULL;
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
  return statement;
}
static void stored(sqlite3_stmt *statement) {
  assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
  sqlite3_reset(statement);
}

static void store_webhooks(sqlite3 *db) {
  must(db, "INSERT INTO accounts (account, name) VALUES (1, 'default'), (2, 'shop-2')");
  must(db, "INSERT INTO event_types VALUES (1, 'event_points_earned', 'transaction'),"
           " (2, 'event_rare', 'system')");
  for (int i = 1; i <= WEBHOOKS; i++) {
    sqlite3_stmt *add = prepared(
        db, "INSERT INTO webhooks (webhook, id, account, name, url, url_normal, event_types,"
            " batch_size, batch_bytes_max, batch_wait_ms, retries_max, retry_interval_s,"
            " pause_after, timeout_ms, max_in_flight, ordered, success, scheme, secret,"
            " created_ms, updated_ms) VALUES (?1, ?2, ?3, 'w' || ?1, 'u' || ?1, 'u' || ?1, '*',"
            " 1, 1, 0, 5, 300, 5, 30000, 4, 0, 0, 0, x'00', 1, 1)");
    webhook_ids[i] = id_of('w', i);
    sqlite3_bind_int(add, 1, i);
    sqlite3_bind_blob(add, 2, &webhook_ids[i], LH_ID_BYTES, SQLITE_STATIC);
    sqlite3_bind_int(add, 3, account_of_webhook(i));
    stored(add);
    sqlite3_finalize(add);
  }
  must(db, "INSERT INTO dispatch (webhook, account, status_since_ms, cursor)"
           " SELECT webhook, account, 1, 0 FROM webhooks");
}

static void store_event(sqlite3_stmt *add, int64_t position) {
  struct lh_id id = id_of('e', position);
  char member[24];
  sqlite3_bind_int64(add, 1, position);
  sqlite3_bind_int(add, 2, account_of_event(position));
  sqlite3_bind_int(add, 6, type_of_event(position));
  sqlite3_bind_blob(add, 3, &id, LH_ID_BYTES, SQLITE_STATIC);
  sqlite3_bind_int64(add, 4, START_MS + position * 1000);
  snprintf(member, sizeof member, "m-%d", (int)member_of_event(position));
  if (member_of_event(position) != 0)
    sqlite3_bind_text(add, 5, member, -1, SQLITE_STATIC);
  else
    sqlite3_bind_null(add, 5);
  stored(add);
}

static void store_request(sqlite3_stmt *add, int64_t number, const struct model *model) {
  struct lh_id id = id_of('r', number);
  unsigned char list[80];
  size_t len = 0;
  int waits = model->state == LH_PENDING || model->state == LH_RETRYING;
  int sends = model->state == LH_SENDING;
  for (int i = 1; i < model->count; i++)
    len += lh_batch_list_put(list + len, model->positions[i - 1], model->positions[i]);
  sqlite3_bind_int64(add, 1, number);
  sqlite3_bind_blob(add, 2, &id, LH_ID_BYTES, SQLITE_STATIC);
  sqlite3_bind_int(add, 3, model->webhook);
  sqlite3_bind_int(add, 4, model->state);
  sqlite3_bind_int(add, 5, model->state == LH_FAILED ? LH_REASON_PAUSED : 0);
  for (int i = 6; i <= 9; i++) sqlite3_bind_null(add, i);
  if (waits) sqlite3_bind_int64(add, 6, model->created_ms);
  if (sends) sqlite3_bind_int64(add, 7, 1);
  if (sends) sqlite3_bind_int64(add, 8, 1);
  if (!waits && !sends) sqlite3_bind_int64(add, 9, model->created_ms);
  sqlite3_bind_int(add, 10, model->count);
  sqlite3_bind_int64(add, 11, model->positions[0]);
  sqlite3_bind_int64(add, 12, model->positions[model->count - 1]);
  sqlite3_bind_blob(add, 13, list, (int)len, SQLITE_STATIC);
  sqlite3_bind_int64(add, 14, model->created_ms);
  stored(add);
}

/*
** Events in order; each webhook takes those of its account that it subscribes to and makes a
** request of so many. Webhook 5 takes few, so that its ranges are wide.
*/
static void store_log(sqlite3 *db) {
  struct model open[WEBHOOKS + 1] = {0};
  int64_t number = 0, position = 0;
  sqlite3_stmt *event = prepared(db, "INSERT INTO events VALUES (?1, ?2, ?6, ?3, ?4, ?5, x'7b7d')");
  sqlite3_stmt *request = prepared(
      db, "INSERT INTO requests (request, request_id, webhook, state, reason, epoch,"
          " attempts_made, next_attempt_ms, session, started_ms, finished_ms, total_count,"
          " first_position, last_position, positions, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, 0,"
          " 1, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)");
  while (number < requests) {
    store_event(event, ++position);
    for (int i = 1; i <= WEBHOOKS && number < requests; i++) {
      struct model *model = &open[i];
      if (account_of_webhook(i) != account_of_event(position)) continue;
      if (i == 5 && position % 64 != 3) continue;
      model->positions[model->count++] = position;
      if (model->count < i + 2) continue;
      model->webhook = i;
      model->state = state_of(i, ++number);
      model->created_ms = START_MS + position * 1000;
      models[number] = *model;
      store_request(request, number, model);
      *model = (struct model){0};
    }
  }
  events = position;
  sqlite3_finalize(event);
  sqlite3_finalize(request);
}

static int build(void **state) {
  (void)state;
  const char *size = getenv("LOYALHOOK_SPEC_REQUESTS");
  struct lh_store_options options = {.create = 1, .location = location};
  sqlite3 *db;
  requests = size != NULL ? strtoll(size, NULL, 10) : 90000;
  assert_true(requests >= 90000); /* with fewer a scan would not be noticed */
  models = calloc((size_t)requests + 1, sizeof *models);
  assert_non_null(models);
  snprintf(folder, sizeof folder, "/tmp/lh-pages-XXXXXX");
  assert_non_null(mkdtemp(folder));
  snprintf(location, sizeof location, "sqlite:%s/store.db", folder);
  assert_int_equal(lh_store_open(&options, &store, NULL), LH_OK);
  assert_int_equal(sqlite3_open(location + strlen("sqlite:"), &db), SQLITE_OK);
  must(db, "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = OFF; BEGIN");
  store_webhooks(db);
  store_log(db);
  must(db, "COMMIT");
  sqlite3_close(db);
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
  free(models);
  return 0;
}

/* ---- what is asked ---- */

struct question {
  struct lh_request_filter filter;
  int webhook; /* 0: any */
  int account;
  int64_t event;
  int64_t member;
  int type; /* 0: any */
  char member_text[24];
  struct lh_id event_id;
};

static int answers(const struct question *question, int64_t number) {
  const struct model *model = &models[number];
  const struct lh_request_filter *filter = &question->filter;
  int event = question->event == 0, member = question->member == 0, type = question->type == 0;
  if (filter->state >= 0 && model->state != filter->state) return 0;
  if (question->webhook != 0 && model->webhook != question->webhook) return 0;
  if (question->account != 0 && account_of_webhook(model->webhook) != question->account) return 0;
  if (model->created_ms < filter->since_ms) return 0;
  if (filter->until_ms > 0 && model->created_ms >= filter->until_ms) return 0;
  for (int i = 0; i < model->count; i++) {
    event |= model->positions[i] == question->event;
    member |= member_of_event(model->positions[i]) == question->member;
    type |= type_of_event(model->positions[i]) == question->type;
  }
  return event && member && type;
}

struct steps {
  int64_t machine, scan, sort;
};

/* What all statements of the reading connection did since the last call. */
static struct steps count_steps(void) {
  struct steps sum = {0};
  sqlite3 *db = ((struct lh_sqlite_store *)(void *)store)->reader.db;
  for (sqlite3_stmt *at = sqlite3_next_stmt(db, NULL); at; at = sqlite3_next_stmt(db, at)) {
    sum.machine += sqlite3_stmt_status(at, SQLITE_STMTSTATUS_VM_STEP, 1);
    sum.scan += sqlite3_stmt_status(at, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
    sum.sort += sqlite3_stmt_status(at, SQLITE_STMTSTATUS_SORT, 1);
    sum.sort += sqlite3_stmt_status(at, SQLITE_STMTSTATUS_AUTOINDEX, 1);
  }
  return sum;
}

static int64_t most_steps;

static struct lh_request_list page_of(const struct question *question, int64_t steps_max) {
  struct lh_request_list list;
  struct lh_error err;
  count_steps();
  int rc = store->requests->list(store, &question->filter, &list, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  struct steps steps = count_steps();
  if (steps.machine > most_steps) most_steps = steps.machine;
  if (steps.machine > steps_max || steps.scan > 100 || steps.sort > 0)
    print_error("state %d webhook %d account %d event %d member %d since %d after %d: %d steps,"
                " %d of a scan, %d sorted\n",
                question->filter.state, question->webhook, question->account, (int)question->event,
                (int)question->member, question->filter.since_ms > 0, (int)question->filter.after,
                (int)steps.machine, (int)steps.scan, (int)steps.sort);
  assert_true(steps.machine <= steps_max);
  assert_true(steps.scan <= 100); /* the few that are being sent */
  assert_int_equal(steps.sort, 0);
  return list;
}

/* The first LIMIT that belong, over as many pages as it takes; then nothing was left out. */
static void check(const struct question *question, int64_t steps_max) {
  struct question page = *question;
  int64_t expected = question->filter.after > 0 ? question->filter.after - 1 : requests;
  size_t found = 0, pages = 0;
  do {
    struct lh_request_list list = page_of(&page, steps_max);
    for (size_t i = 0; i < list.count; i++, expected--) {
      while (expected > 0 && !answers(question, expected)) expected--;
      assert_int_equal(list.rows[i].request, expected);
      assert_int_equal(list.rows[i].count, models[expected].count);
    }
    found += list.count;
    page.filter.after = list.next;
    lh_request_list_clear(&list);
    assert_true(++pages <= (size_t)requests / 10000 * 9 + 9);
  } while (page.filter.after != 0 && found < LIMIT);
  if (page.filter.after == 0)
    for (; expected > 0; expected--) assert_false(answers(question, expected));
}

static struct question question_of(int state, int webhook, int account) {
  struct question question = {.filter = {.state = state, .limit = LIMIT}};
  static const char *const names[] = {NULL, "default", "shop-2"};
  question.webhook = webhook;
  question.account = account;
  question.filter.account = names[account];
  if (webhook != 0) question.filter.webhook_id = &webhook_ids[webhook];
  return question;
}

/* Pointers into *question: it must stay where it is. */
static void narrow(struct question *question, int64_t event, int64_t member, int64_t since_ms) {
  question->event = event;
  question->event_id = id_of('e', event);
  question->filter.event_id = event != 0 ? &question->event_id : NULL;
  question->member = member;
  snprintf(question->member_text, sizeof question->member_text, "m-%d", (int)member);
  question->filter.member = member != 0 ? question->member_text : NULL;
  question->filter.since_ms = since_ms;
}

static const struct {
  int webhook, account;
} scopes[] = {{0, 0}, {0, 1}, {0, 2}, {1, 0}, {3, 1}, {5, 2}, {1, 2}};

static void ask_all(int state, int64_t after) {
  /* The last two are account 2's: webhook 5 takes one, and has the other inside a range. */
  const int64_t some_event[] = {0, events / 2, events / 64 * 64 - 61, events / 64 * 64 - 57};
  const int64_t some_member[] = {0, 1, 500, MEMBERS + 7};
  const int64_t some_since[] = {0, START_MS + events * 1000 - 7200000, START_MS + events * 500};
  for (size_t scope = 0; scope < sizeof scopes / sizeof *scopes; scope++)
    for (int i = 0; i < 4 * 4 * 3; i++) {
      struct question question = question_of(state, scopes[scope].webhook, scopes[scope].account);
      narrow(&question, some_event[i % 4], some_member[i / 4 % 4], some_since[i / 16]);
      question.filter.after = after;
      check(&question, STEPS_MAX);
    }
}

static void test_every_filter_finds_what_belongs_in_bounded_steps(void **state) {
  (void)state;
  for (int wanted = -1; wanted <= LH_FAILED; wanted++) {
    ask_all(wanted, 0);
    ask_all(wanted, requests / 3);
  }
  print_message("at most %d steps for one page\n", (int)most_steps);
}

/* One filter alone: an index leads straight to the rows, however many others there are. */
static void test_the_usual_questions_read_little(void **state) {
  (void)state;
  for (int wanted = -1; wanted <= LH_FAILED; wanted++) {
    struct question question = question_of(wanted, 0, 0);
    check(&question, STEPS_TYPICAL);
    question = question_of(wanted, 0, 1);
    if (wanted != LH_DELIVERED) check(&question, STEPS_TYPICAL); /* behind webhook 3's failures */
    question = question_of(wanted, 2, 0);
    check(&question, STEPS_TYPICAL);
    question.filter.after = requests / 2;
    check(&question, STEPS_TYPICAL);
  }
  struct question question = question_of(-1, 0, 0);
  narrow(&question, events / 2, 0, 0);
  check(&question, STEPS_TYPICAL);
  narrow(&question, 0, 500, 0);
  check(&question, STEPS_TYPICAL);
  narrow(&question, 0, 0, START_MS + events * 1000 - 7200000);
  check(&question, STEPS_TYPICAL);
}

/* Nothing of the last two hours failed: this is not found out by reading all that ever failed. */
static void test_since_stops_at_what_is_older(void **state) {
  (void)state;
  struct question question = question_of(-1, 0, 0);
  narrow(&question, 0, 0, START_MS + events * 2000);
  struct lh_request_list list = page_of(&question, 1000);
  assert_int_equal(list.count, 0);
  assert_int_equal(list.next, 0);
  lh_request_list_clear(&list);
  question = question_of(LH_FAILED, 3, 0);
  narrow(&question, 0, 0, START_MS + events * 2000);
  list = page_of(&question, 1000);
  assert_int_equal(list.next, 0);
  lh_request_list_clear(&list);
}

/* What is newer is passed over by halving, not row by row. */
static void test_until_begins_where_it_should(void **state) {
  (void)state;
  for (int wanted = -1; wanted <= LH_FAILED; wanted++) {
    for (size_t scope = 0; scope < sizeof scopes / sizeof *scopes; scope++) {
      struct question question = question_of(wanted, scopes[scope].webhook, scopes[scope].account);
      question.filter.until_ms = START_MS + events * 300;
      check(&question, STEPS_MAX);
      question.filter.after = requests / 4;
      check(&question, STEPS_MAX);
    }
  }
  struct question question = question_of(-1, 0, 0);
  question.filter.until_ms = START_MS + 10 * 3600 * 1000;
  struct lh_request_list list = page_of(&question, 200000); /* an hour's rows at most, for clocks */
  assert_int_equal(list.count, LIMIT);
  lh_request_list_clear(&list);
  question.filter.until_ms = 1;
  list = page_of(&question, STEPS_TYPICAL);
  assert_int_equal(list.count, 0);
  assert_int_equal(list.next, 0);
  lh_request_list_clear(&list);
}

static void test_requests_that_hold_an_event_of_a_type(void **state) {
  (void)state;
  static const char *const types[] = {"event_points_earned", "event_rare", "event_unheard_of"};
  for (int type = 1; type <= 3; type++) {
    for (size_t scope = 0; scope < sizeof scopes / sizeof *scopes; scope++) {
      struct question question = question_of(-1, scopes[scope].webhook, scopes[scope].account);
      question.type = type;
      question.filter.event_type = types[type - 1];
      check(&question, STEPS_MAX);
      narrow(&question, 0, 1, 0);
      question.filter.until_ms = START_MS + events * 300;
      check(&question, STEPS_MAX);
    }
  }
}

/* The hot rows say what there is; what waits is counted up to a limit. */
static void test_figures_do_not_read_the_log(void **state) {
  (void)state;
  struct lh_stats stats;
  struct lh_error err;
  sqlite3 *db;
  const struct lh_stats_query query = {.with_webhooks = 1};
  count_steps();
  int rc = store->admin->stats(store, &query, &stats, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  struct steps steps = count_steps();
  assert_int_equal(stats.events, events);
  assert_int_equal(stats.count, WEBHOOKS);
  assert_true(steps.machine <= 2000);
  lh_stats_clear(&stats);
  assert_int_equal(sqlite3_open(location + strlen("sqlite:"), &db), SQLITE_OK);
  must(db, "UPDATE dispatch SET asleep = 0, due_ms = 1; INSERT INTO spans (webhook,"
           " from_position, mode, reason, event_types) SELECT webhook, 1, 0, 0, '*' FROM dispatch");
  assert_int_equal(store->admin->stats(store, &query, &stats, &err), LH_OK);
  assert_int_equal(stats.rows[0].waiting, 100000); /* all of its account's would be more */
  assert_int_equal(stats.rows[0].waiting_more, 1);
  assert_int_equal(stats.sum.waiting_more, 1);
  assert_int_equal(stats.rows[0].oldest_undelivered_ms, START_MS + 1000);
  lh_stats_clear(&stats);
  must(db, "UPDATE dispatch SET asleep = 1, due_ms = NULL; DELETE FROM spans");
  sqlite3_close(db);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_filter_finds_what_belongs_in_bounded_steps),
      cmocka_unit_test(test_the_usual_questions_read_little),
      cmocka_unit_test(test_since_stops_at_what_is_older),
      cmocka_unit_test(test_until_begins_where_it_should),
      cmocka_unit_test(test_requests_that_hold_an_event_of_a_type),
      cmocka_unit_test(test_figures_do_not_read_the_log),
  };
  return cmocka_run_group_tests(tests, build, demolish);
}
