/* See inbox_rows.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "spec/contract/inbox_rows.h"

static char folder[64];
char inbox_location[128];

const char *inbox_path(const char *suffix) {
  static char path[256];
  snprintf(path, sizeof path, "%s/store.db%s", folder, suffix);
  return path;
}

struct lh_store *inbox_open(void) {
  struct lh_store_options options = {
      .create = 1, .clock = &suite.fake.door, .location = inbox_location};
  struct lh_store *opened;
  assert_int_equal(lh_store_open(&options, &opened, NULL), LH_OK);
  return opened;
}

int inbox_set_up(void **state) {
  (void)state;
  fake_clock_init(&suite.fake, 5);
  snprintf(folder, sizeof folder, "/tmp/lh-inbox-XXXXXX");
  assert_non_null(mkdtemp(folder));
  snprintf(inbox_location, sizeof inbox_location, "sqlite:%s/store.db", folder);
  suite.store = inbox_open();
  return 0;
}

int inbox_tear_down(void **state) {
  (void)state;
  static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".key"};
  lh_store_close(suite.store);
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) unlink(inbox_path(suffixes[i]));
  rmdir(folder);
  return 0;
}

/* Through a connection of its own; nothing else writes at that moment. */
int64_t inbox_sql(const char *text) {
  sqlite3 *db;
  sqlite3_stmt *statement;
  int64_t number = 0;
  assert_int_equal(sqlite3_open(inbox_path(""), &db), SQLITE_OK);
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

void inbox_handler(int64_t handler, const char *name, int64_t cursor, int64_t loaded_ms) {
  char text[512];
  snprintf(text, sizeof text,
           "INSERT INTO handlers (handler, name, event_types, when_unknown, serial, cursor,"
           " loaded_ms, created_ms) VALUES (%lld, '%s', 't', 0, 0, %lld, %lld, 1)",
           (long long)handler, name, (long long)cursor, (long long)loaded_ms);
  inbox_sql(text);
}

void inbox_task(int64_t handler, int64_t position, const char *columns, const char *values) {
  char text[512];
  snprintf(text, sizeof text, "INSERT INTO tasks (handler, position, %s) VALUES (%lld, %lld, %s)",
           columns, (long long)handler, (long long)position, values);
  inbox_sql(text);
}

void inbox_accept_numbers(int from, int to) {
  for (int i = from; i <= to; i++) {
    char id[16];
    snprintf(id, sizeof id, "%d", i);
    assert_int_equal(suite_accept(suite.store, "zinrelo", id, NULL), LH_OK);
  }
}
