/* Kept events: what goes in comes out, and damage is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/kept.h"

#define COUNT 3

static const struct lh_event events[COUNT] = {
    {.id = {{1}}, .event_type = "a", .created_ms = 0, .data = "{}", .data_len = 2},
    {.id = {{2, 0, 255}},
     .event_type = "event_points_earned",
     .created_ms = INT64_C(1700000000123),
     .data = "{\"b\":1,  \"\\u0000\":\"\xc3\xa9\"}",
     .data_len = 23},
    {.id = {{0}}, .event_type = "event_member_enrol", .created_ms = 1, .data = "{}", .data_len = 2},
};

static struct lh_slice written(struct lh_kept *kept) {
  struct lh_slice bytes;
  memset(kept, 0, sizeof *kept);
  for (int i = 0; i < COUNT; i++) assert_int_equal(lh_kept_add(kept, &events[i]), LH_OK);
  assert_int_equal(lh_kept_end(kept, &bytes), LH_OK);
  return bytes;
}

static void test_what_goes_in_comes_out(void **state) {
  (void)state;
  struct lh_kept kept;
  struct lh_kept_reader reader;
  struct lh_event event;
  struct lh_id ids[COUNT];
  struct lh_slice bytes = written(&kept);
  assert_int_equal(lh_kept_open(&reader, bytes.at, bytes.len, COUNT), LH_OK);
  for (int i = 0; i < COUNT; i++) {
    assert_int_equal(lh_kept_next(&reader, &event), 1);
    assert_memory_equal(&event.id, &events[i].id, sizeof event.id);
    assert_string_equal(event.event_type, events[i].event_type);
    assert_true(event.created_ms == events[i].created_ms);
    assert_int_equal(event.data_len, events[i].data_len);
    assert_memory_equal(event.data, events[i].data, event.data_len);
  }
  assert_int_equal(lh_kept_next(&reader, &event), 0);
  size_t len = lh_kept_ids_len(COUNT); /* the ids need no more than these bytes */
  unsigned char *beginning = malloc(len);
  memcpy(beginning, bytes.at, len);
  assert_int_equal(lh_kept_ids(beginning, len, ids, COUNT), LH_OK);
  for (int i = 0; i < COUNT; i++) assert_memory_equal(&ids[i], &events[i].id, sizeof ids[i]);
  free(beginning);
  lh_kept_free(&kept);
}

/* Every cut and every changed byte: an error or other events, never a read beyond. */
static void test_damage_reads_nothing_beyond(void **state) {
  (void)state;
  struct lh_kept kept;
  struct lh_kept_reader reader;
  struct lh_event event;
  struct lh_id ids[COUNT];
  struct lh_slice bytes = written(&kept);
  for (size_t len = 0; len < bytes.len; len++) {
    unsigned char *cut = malloc(len + 1); /* as long as it is, for the sanitizer to watch */
    memcpy(cut, bytes.at, len);
    int row = lh_kept_open(&reader, cut, len, COUNT) == LH_OK ? 1 : -1;
    while (row > 0) row = lh_kept_next(&reader, &event);
    assert_int_equal(row, -1);
    if (len < lh_kept_ids_len(COUNT))
      assert_int_equal(lh_kept_ids(cut, len, ids, COUNT), LH_E_INVALID);
    free(cut);
  }
  for (size_t at = 0; at < bytes.len; at++) {
    unsigned char *changed = malloc(bytes.len);
    memcpy(changed, bytes.at, bytes.len);
    changed[at] = 0xff;
    int row = lh_kept_open(&reader, changed, bytes.len, COUNT) == LH_OK ? 1 : -1;
    while (row > 0) row = lh_kept_next(&reader, &event);
    free(changed);
  }
  assert_int_equal(lh_kept_open(&reader, bytes.at, bytes.len, COUNT - 1), LH_OK);
  int row = 1;
  while (row > 0) row = lh_kept_next(&reader, &event); /* not that many: something is left */
  assert_int_equal(row, -1);
  lh_kept_free(&kept);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_goes_in_comes_out),
      cmocka_unit_test(test_damage_reads_nothing_beyond),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
