/*
** The yardstick of emitting: bare SQLite that inserts the same rows into the
** same schema with the same pragmas, PER_CALL rows a transaction:
**   inserter STORE COUNT PER_CALL DATA_FILE
** The store is made by loyalhook; its write-ahead log is emptied by the same
** rule, so that this one does not win by leaving work behind.
*/
#include <sqlite3.h>
#include <string.h>

#include "bench.h"
#include "core/id.h"
#include "core/limits.h"
#include "store/store.h"

#define PAGE_BYTES 8192

static void good(sqlite3 *db, int rc, const char *what) {
  bench_need(rc == SQLITE_OK || rc == SQLITE_DONE, what, sqlite3_errmsg(db));
}

static void make_store(const char *path) {
  struct lh_store *store = NULL;
  struct lh_error err;
  const struct lh_store_options options = {.location = path, .create = 1};
  bench_need(lh_store_open(&options, &store, &err) == LH_OK, path, err.message);
  lh_store_close(store);
}

static int count_frames(void *frames, sqlite3 *db, const char *name, int count) {
  (void)db;
  (void)name;
  *(int *)frames = count;
  return SQLITE_OK;
}

static sqlite3 *open_bare(const char *path, int *frames) {
  sqlite3 *db = NULL;
  good(db, sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), path);
  good(db,
       sqlite3_exec(db,
                    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                    "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
                    "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 0;"
                    "INSERT INTO accounts (name) VALUES ('default');"
                    "INSERT INTO event_types (name, category) VALUES ('t', 'c')",
                    NULL, NULL, NULL),
       "pragmas");
  sqlite3_wal_hook(db, count_frames, frames);
  return db;
}

struct row {
  sqlite3_stmt *insert;
  struct lh_id_source ids;
  const char *data;
  size_t data_len;
  int64_t created_ms;
};

static void insert(sqlite3 *db, struct row *row, int64_t position) {
  struct lh_id id = lh_id_next(&row->ids, row->created_ms);
  sqlite3_bind_int64(row->insert, 1, position);
  sqlite3_bind_int64(row->insert, 2, 1);
  sqlite3_bind_int64(row->insert, 3, 1);
  sqlite3_bind_blob(row->insert, 4, id.bytes, LH_ID_BYTES, SQLITE_STATIC);
  sqlite3_bind_int64(row->insert, 5, row->created_ms);
  sqlite3_bind_text(row->insert, 6, "m-1001", -1, SQLITE_STATIC);
  sqlite3_bind_blob64(row->insert, 7, row->data, row->data_len, SQLITE_STATIC);
  good(db, sqlite3_step(row->insert), "insert");
  sqlite3_reset(row->insert);
}

static int64_t run(sqlite3 *db, struct row *row, int64_t count, int64_t per_call,
                   const int *frames) {
  int64_t start = bench_now_ns();
  for (int64_t done = 0; done < count; done += per_call) {
    good(db, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), "begin");
    for (int64_t i = 0; i < per_call; i++) insert(db, row, done + i + 1);
    good(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), "commit");
    if ((int64_t)*frames * PAGE_BYTES > LH_WAL_BYTES_MAX)
      good(db, sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL),
           "checkpoint");
  }
  return bench_now_ns() - start;
}

int main(int argc, char **argv) {
  static const unsigned char seed[8] = "bench 1";
  struct row row = {.created_ms = 1732551234567};
  int frames = 0;
  bench_need(argc == 5, "inserter", "usage: inserter STORE COUNT PER_CALL DATA_FILE");
  make_store(argv[1]);
  sqlite3 *db = open_bare(argv[1], &frames);
  char *data = bench_file(argv[4], &row.data_len);
  row.data = data;
  lh_id_seed(&row.ids, 1, seed);
  good(db,
       sqlite3_prepare_v2(db,
                          "INSERT INTO events (position, account, type, event_id, created_ms,"
                          " member, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                          -1, &row.insert, NULL),
       "prepare");
  int64_t count = atol(argv[2]);
  int64_t took = run(db, &row, count, atol(argv[3]), &frames);
  printf("{\"events\": %lld, \"seconds\": %.6f}\n", (long long)count, (double)took / 1e9);
  sqlite3_finalize(row.insert);
  sqlite3_close(db);
  free(data);
  return 0;
}
