/* The SQLite store: the contract suite, and what only files, threads and forks can show. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
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

static char folder[64];
static char location[128];
static struct fake_clock fake;

static void make_folder(void) {
  snprintf(folder, sizeof folder, "/tmp/lh-contract-XXXXXX");
  assert_non_null(mkdtemp(folder));
  snprintf(location, sizeof location, "sqlite:%s/store.db", folder);
}

static const char *path_of(const char *suffix) {
  static char path[256];
  snprintf(path, sizeof path, "%s/store.db%s", folder, suffix);
  return path;
}

static void wipe(void) {
  static const char *const suffixes[] = {"",           "-wal",     "-shm",      ".lock",
                                         ".key",       ".copy",    ".copy-wal", ".copy-shm",
                                         ".copy.lock", ".copy.key"};
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) unlink(path_of(suffixes[i]));
  rmdir(folder);
  folder[0] = '\0';
}

static struct lh_store *open_store(const struct lh_clock *clock) {
  struct lh_store_options options = {.create = 1, .clock = clock};
  struct lh_store *store;
  struct lh_error err;
  if (folder[0] == '\0') make_folder();
  options.location = location;
  int rc = lh_store_open(&options, &store, &err);
  if (rc != LH_OK) print_error("%s\n", err.message);
  assert_int_equal(rc, LH_OK);
  return store;
}

static int refusal(const char *at, int create, struct lh_error *err) {
  struct lh_store_options options = {.location = at, .create = create};
  struct lh_store *store;
  int rc = lh_store_open(&options, &store, err);
  if (rc == LH_OK) lh_store_close(store);
  return rc;
}

static int set_up(void **state) {
  (void)state;
  fake_clock_init(&fake, 3);
  make_folder();
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  wipe();
  return 0;
}

static void write_file(const char *suffix, const void *bytes, size_t len) {
  int fd = open(path_of(suffix), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, bytes, len), (ssize_t)len);
  close(fd);
}

static void test_a_missing_store_is_not_made_unless_asked_for(void **state) {
  (void)state;
  struct lh_error err;
  assert_int_equal(refusal(location, 0, &err), LH_E_STORE_MISSING);
  assert_int_equal(access(path_of(""), F_OK), -1);
  assert_int_equal(access(path_of(".lock"), F_OK), -1);
  assert_int_equal(refusal("sqlite:/nowhere/x.db", 1, &err), LH_E_STORE_MISSING);
  assert_string_equal(err.message, "no store at /nowhere/x.db: folder /nowhere: "
                                   "No such file or directory");
  assert_int_equal(refusal(location, 1, &err), LH_OK);
  assert_int_equal(access(path_of(".key"), F_OK), 0);
  struct lh_store_options again = {.location = location, .create_only = 1};
  struct lh_store *store;
  assert_int_equal(lh_store_open(&again, &store, &err), LH_E_STORE_EXISTS);
}

static void test_files_are_for_their_owner_only(void **state) {
  (void)state;
  static const char *const suffixes[] = {"", "-wal", ".lock", ".key"};
  struct lh_store *store = open_store(NULL);
  emit_one(store, "event_points_earned", "{}");
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    struct stat found;
    assert_int_equal(stat(path_of(suffixes[i]), &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
  }
  lh_store_close(store);
}

static void test_a_stray_wal_without_its_database_is_refused(void **state) {
  (void)state;
  struct lh_error err;
  write_file("-wal", "x", 1);
  assert_int_equal(refusal(location, 1, &err), LH_E_STORE_DAMAGED);
  assert_int_equal(access(path_of(""), F_OK), -1);
}

static void test_empty_garbage_and_foreign_files_are_refused_and_left_alone(void **state) {
  (void)state;
  struct lh_error err;
  struct stat found;
  write_file("", "", 0);
  assert_int_equal(refusal(location, 1, &err), LH_E_STORE_DAMAGED);
  char garbage[5000];
  memset(garbage, 'g', sizeof garbage);
  write_file("", garbage, sizeof garbage);
  assert_int_equal(refusal(location, 1, &err), LH_E_STORE_FOREIGN);
  assert_int_equal(stat(path_of(""), &found), 0);
  assert_int_equal(found.st_size, sizeof garbage);
  unlink(path_of(""));
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path_of(""), &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
  assert_int_equal(refusal(location, 1, &err), LH_E_STORE_FOREIGN);
  assert_int_equal(access(path_of(".lock"), F_OK), -1);
}

static void test_a_newer_schema_is_refused(void **state) {
  (void)state;
  struct lh_error err;
  sqlite3 *db;
  lh_store_close(open_store(NULL));
  assert_int_equal(sqlite3_open(path_of(""), &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
  assert_int_equal(refusal(location, 0, &err), LH_E_STORE_NEWER);
}

static void test_a_truncated_or_overwritten_store_is_refused(void **state) {
  (void)state;
  struct lh_error err;
  struct stat found;
  struct lh_store *store = open_store(NULL);
  for (int i = 0; i < 50; i++) emit_one(store, "event_points_earned", "{\"some\":\"data\"}");
  assert_int_equal(store->admin->checkpoint(store, 0, NULL), LH_OK);
  lh_store_close(store);
  unlink(path_of("-wal"));
  unlink(path_of("-shm"));
  assert_int_equal(stat(path_of(""), &found), 0);
  int fd = open(path_of(""), O_WRONLY);
  char noise[8192];
  memset(noise, 0x5a, sizeof noise);
  assert_int_equal(pwrite(fd, noise, sizeof noise, 3 * 8192), sizeof noise);
  assert_int_equal(refusal(location, 0, &err), LH_E_STORE_DAMAGED);
  assert_int_equal(ftruncate(fd, found.st_size / 2 / 8192 * 8192), 0);
  close(fd);
  assert_int_equal(refusal(location, 0, &err), LH_E_STORE_DAMAGED);
}

static void test_a_missing_key_file_has_its_own_code(void **state) {
  (void)state;
  struct lh_store *store = open_store(NULL);
  assert_int_equal(store->admin->key_check(store, NULL), LH_OK);
  unlink(path_of(".key"));
  assert_int_equal(store->admin->key_check(store, NULL), LH_E_KEY_MISSING);
  emit_one(store, "event_points_earned", "{}"); /* emit needs no key */
  struct lh_webhook webhook;
  lh_webhook_init(&webhook);
  snprintf(webhook.account, sizeof webhook.account, "default");
  snprintf(webhook.name, sizeof webhook.name, "w");
  webhook.event_types = strdup("*");
  assert_int_equal(store->admin->webhook_create(
                       store, &webhook, &(struct lh_webhook_new){"u", secret16, NULL}, 1, NULL),
                   LH_E_KEY_MISSING);
  lh_webhook_clear(&webhook);
  lh_store_close(store);
}

static void test_another_key_pauses_the_webhook_instead_of_signing(void **state) {
  (void)state;
  static const char other[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
  struct noted noted;
  struct lh_turn turn;
  int64_t session;
  struct lh_store *store = open_store(NULL);
  make_webhook(store, "w", "*", 1);
  emit_one(store, "event_points_earned", "{}");
  lh_store_close(store);
  write_file(".key", other, sizeof other - 1);
  store = open_store(NULL);
  assert_int_equal(store->requests->session_open(store, FAKE_START_MS, &session, NULL), LH_OK);
  turn = turn_of(session, INT64_C(4102444800000), 10, NULL, 0);
  take_turn(store, &turn, &noted);
  assert_int_equal(noted.count, 0);
  struct lh_webhook_list list;
  assert_int_equal(store->admin->webhook_get(store, NULL, "w", &list, NULL), LH_OK);
  assert_int_equal(list.rows[0].status, LH_STATUS_PAUSED);
  assert_string_equal(list.rows[0].status_reason, "secret_unreadable");
  struct lh_id id = list.rows[0].id;
  lh_webhook_list_clear(&list);
  /* Enabling would only pause it again; a new secret mends it. */
  struct lh_webhook webhook;
  struct lh_error err;
  assert_int_equal(store->admin->webhook_status(store, &(struct lh_which){.id = &id},
                                                LH_STATUS_ENABLED, &webhook, &err),
                   LH_E_SECRET_UNREADABLE);
  assert_non_null(strstr(err.message, "rotate"));
  assert_int_equal(store->admin->secret_rotate(store, &(struct lh_which){.id = &id},
                                               &(struct lh_rotation){secret16, 0}, &webhook, &err),
                   LH_OK);
  lh_webhook_clear(&webhook);
  assert_int_equal(store->admin->webhook_status(store, &(struct lh_which){.id = &id},
                                                LH_STATUS_ENABLED, &webhook, &err),
                   LH_OK);
  lh_webhook_clear(&webhook);
  lh_store_close(store);
}

static void test_a_backup_opens_as_a_store_and_never_overwrites(void **state) {
  (void)state;
  char copy[256];
  struct lh_error err;
  const struct lh_stats_query everything = {0};
  struct lh_stats stats;
  struct lh_store *store = open_store(NULL);
  for (int i = 0; i < 10; i++) emit_one(store, "event_points_earned", "{}");
  snprintf(copy, sizeof copy, "%s", path_of(".copy"));
  assert_int_equal(store->admin->backup(store, copy, &err), LH_OK);
  assert_int_equal(store->admin->backup(store, copy, &err), LH_E_REFUSED);
  emit_one(store, "event_points_earned", "{}");
  lh_store_close(store);
  struct lh_store_options options = {.location = copy};
  assert_int_equal(lh_store_open(&options, &store, &err), LH_OK);
  assert_int_equal(store->admin->stats(store, &everything, &stats, NULL), LH_OK);
  assert_int_equal(stats.events, 10);
  lh_store_close(store);
}

static void test_nothing_crosses_a_fork(void **state) {
  (void)state;
  struct lh_store *store = open_store(NULL);
  emit_one(store, "event_points_earned", "{}");
  pid_t child = fork();
  if (child == 0) {
    const struct lh_stats_query everything = {0};
    struct lh_stats stats;
    struct lh_error err;
    int refused = store->admin->stats(store, &everything, &stats, &err) == LH_E_CLOSED;
    lh_store_close(store);
    /* SQLite would believe that it holds the parent's locks; a child's child too. */
    refused = refused && refusal(location, 0, &err) == LH_E_CLOSED;
    int status = 1;
    pid_t grandchild = fork();
    if (grandchild == 0) _exit(refusal(location, 0, &err) == LH_E_CLOSED ? 0 : 1);
    waitpid(grandchild, &status, 0);
    _exit(refused && status == 0 ? 0 : 1);
  }
  int status;
  waitpid(child, &status, 0);
  assert_int_equal(status, 0);
  emit_one(store, "event_points_earned", "{}");
  lh_store_close(store);
  child = fork();
  if (child == 0) { /* nothing was open at this fork */
    struct lh_error err;
    _exit(refusal(location, 0, &err) == LH_OK ? 0 : 1);
  }
  waitpid(child, &status, 0);
  assert_int_equal(status, 0);
}

/* A worker with one lease that forks a child and dies; the child lives until `until` is closed. */
static void die_with_a_living_child(int until) {
  struct noted noted;
  int64_t session;
  struct lh_store *store = open_store(&fake.door);
  if (store->requests->session_open(store, fake.wall_ms, &session, NULL) != LH_OK) _exit(1);
  struct lh_turn turn = turn_of(session, fake.wall_ms, 1, NULL, 0);
  take_turn(store, &turn, &noted);
  int lives[2]; /* it has let go of what it inherited when it says so */
  char byte = 0;
  if (pipe(lives) != 0) _exit(1);
  pid_t child = fork();
  if (child == 0) _exit(write(lives[1], &byte, 1) == 1 && read(until, &byte, 1) == 0 ? 0 : 1);
  _exit(noted.count == 1 && child > 0 && read(lives[0], &byte, 1) == 1 ? 0 : 1);
}

static void test_a_living_child_does_not_keep_a_dead_worker_alive(void **state) {
  (void)state;
  int ends[2], status;
  int64_t session;
  size_t rescued;
  struct lh_store *store = open_store(&fake.door);
  make_webhook(store, "w", "*", 1);
  emit_one(store, "event_points_earned", "{}");
  lh_store_close(store);
  assert_int_equal(pipe(ends), 0);
  pid_t worker = fork();
  if (worker == 0) {
    close(ends[1]);
    die_with_a_living_child(ends[0]);
  }
  waitpid(worker, &status, 0);
  assert_int_equal(status, 0);
  store = open_store(&fake.door);
  assert_int_equal(store->requests->session_open(store, fake.wall_ms, &session, NULL), LH_OK);
  assert_int_equal(store->requests->rescue(store, session, fake.wall_ms, &rescued, NULL), LH_OK);
  assert_int_equal(rescued, 1); /* at once, not by its heartbeat */
  close(ends[0]);
  close(ends[1]);
  lh_store_close(store);
}

static void test_a_replaced_database_takes_nothing_more(void **state) {
  (void)state;
  char copy[256];
  struct lh_error err;
  struct lh_emitted emitted;
  struct lh_emit emit = {.account = "default",
                         .event_type = "event_points_earned",
                         .category = "transaction",
                         .data = "{}",
                         .data_len = 2};
  struct lh_store *store = open_store(NULL);
  emit_one(store, "event_points_earned", "{}");
  snprintf(copy, sizeof copy, "%s", path_of(".copy"));
  assert_int_equal(store->admin->backup(store, copy, &err), LH_OK);
  assert_int_equal(rename(copy, path_of("")), 0);
  assert_int_equal(emit_event(store, &emit, &emitted, &err), LH_E_STORE_MISSING);
  lh_store_close(store);
}

static void test_a_shortage_of_descriptors_pauses_nobody(void **state) {
  (void)state;
  struct noted noted;
  int64_t session;
  struct rlimit before, none;
  struct lh_store *store = open_store(NULL);
  make_webhook(store, "w", "*", 1);
  lh_store_close(store);
  store = open_store(NULL); /* has not read the key yet */
  emit_one(store, "event_points_earned", "{}");
  assert_int_equal(store->requests->session_open(store, FAKE_START_MS, &session, NULL), LH_OK);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  none = before;
  none.rlim_cur = 0;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  struct lh_turn turn = turn_of(session, INT64_C(4102444800000), 10, NULL, 0);
  turn.bytes = 1000;
  int rc = store->requests->turn(store, &turn, NULL);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  assert_int_equal(rc, LH_E_SHORTAGE);
  turn = turn_of(session, INT64_C(4102444800000), 10, NULL, 0);
  take_turn(store, &turn, &noted);
  assert_int_equal(noted.count, 1);
  lh_store_close(store);
}

static void *emit_many(void *context) {
  (void)context;
  struct lh_store_options options = {.location = location};
  struct lh_store *store;
  if (lh_store_open(&options, &store, NULL) != LH_OK) return (void *)1;
  for (int i = 0; i < 50; i++) {
    struct lh_emit emit = {.account = "default",
                           .event_type = "event_points_earned",
                           .category = "transaction",
                           .data = "{}",
                           .data_len = 2};
    struct lh_emitted emitted;
    if (emit_event(store, &emit, &emitted, NULL) != LH_OK) return (void *)1;
  }
  lh_store_close(store);
  return NULL;
}

static void test_threads_with_own_handles_share_commits_and_lose_nothing(void **state) {
  (void)state;
  pthread_t threads[16];
  const struct lh_stats_query everything = {0};
  struct lh_stats stats;
  struct lh_store *store = open_store(NULL);
  for (int i = 0; i < 16; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, emit_many, NULL), 0);
  for (int i = 0; i < 16; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    assert_null(failed);
  }
  assert_int_equal(store->admin->stats(store, &everything, &stats, NULL), LH_OK);
  assert_int_equal(stats.events, 16 * 50);
  lh_store_close(store);
}

static void test_the_wal_is_moved_when_it_is_large(void **state) {
  (void)state;
  struct stat found;
  struct lh_store_options options = {.location = location, .create = 1, .wal_bytes_max = 65536};
  struct lh_store *store;
  assert_int_equal(lh_store_open(&options, &store, NULL), LH_OK);
  for (int i = 0; i < 300; i++) emit_one(store, "event_points_earned", "{\"x\":\"yyyyyyyyyyyyy\"}");
  assert_int_equal(stat(path_of("-wal"), &found), 0);
  assert_true(found.st_size < 4 * 65536);
  struct lh_store_health health;
  assert_int_equal(store->admin->health(store, 1, &health, NULL), LH_OK);
  assert_string_equal(health.integrity, "ok");
  lh_store_close(store);
}

static void test_a_sleeping_worker_is_woken_by_an_emit(void **state) {
  (void)state;
  struct lh_store *store = open_store(NULL);
  make_webhook(store, "w", "*", 1);
  int fd = store->requests->wake_fd(store);
  assert_true(fd >= 0);
  char events[512];
  assert_true(read(fd, events, sizeof events) < 0);
  emit_one(store, "event_points_earned", "{}");
  assert_true(read(fd, events, sizeof events) > 0);
  lh_store_close(store);
}

static void test_a_removed_lock_file_is_made_again(void **state) {
  (void)state;
  struct lh_store *store = open_store(NULL);
  emit_one(store, "event_points_earned", "{}");
  unlink(path_of(".lock"));
  emit_one(store, "event_points_earned", "{}");
  assert_int_equal(access(path_of(".lock"), F_OK), 0);
  lh_store_close(store);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(test_a_missing_store_is_not_made_unless_asked_for),
      T(test_files_are_for_their_owner_only),
      T(test_a_stray_wal_without_its_database_is_refused),
      T(test_empty_garbage_and_foreign_files_are_refused_and_left_alone),
      T(test_a_newer_schema_is_refused),
      T(test_a_truncated_or_overwritten_store_is_refused),
      T(test_a_missing_key_file_has_its_own_code),
      T(test_another_key_pauses_the_webhook_instead_of_signing),
      T(test_a_backup_opens_as_a_store_and_never_overwrites),
      T(test_nothing_crosses_a_fork),
      T(test_a_living_child_does_not_keep_a_dead_worker_alive),
      T(test_a_replaced_database_takes_nothing_more),
      T(test_a_shortage_of_descriptors_pauses_nobody),
      T(test_threads_with_own_handles_share_commits_and_lose_nothing),
      T(test_the_wal_is_moved_when_it_is_large),
      T(test_a_sleeping_worker_is_woken_by_an_emit),
      T(test_a_removed_lock_file_is_made_again),
  };
#undef T
  const struct store_maker sqlite = {open_store, wipe};
  int failed = store_suite_run(&sqlite);
  return failed + cmocka_run_group_tests_name("sqlite store", tests, NULL, NULL);
}
