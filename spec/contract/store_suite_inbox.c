/* The contract suite's part about the inbox: what is taken, what is a repetition, what is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/store_suite.h"

static const char data[] = "{ \"n\" : 1.0 }";

struct lh_received suite_received(const char *id, const char *event_type) {
  struct lh_received event;
  memset(&event, 0, sizeof event);
  event.event_id = id;
  event.event_id_len = strlen(id);
  event.event_type = event_type;
  event.event_type_len = strlen(event_type);
  event.data = data;
  event.data_len = sizeof data - 1;
  return event;
}

int suite_accept(struct lh_store *store, const char *source, const char *id, size_t *added) {
  struct lh_received event = suite_received(id, "t");
  struct lh_receipt receipt = {.source = source, .events = &event, .count = 1};
  struct lh_error err;
  int rc = store->inbox->accept(store, &receipt, 1, suite.fake.wall_ms, &err);
  if (added != NULL) *added = receipt.added;
  return rc;
}

static void accepted(const char *source, const char *id, size_t wanted) {
  size_t added;
  assert_int_equal(suite_accept(suite.store, source, id, &added), LH_OK);
  assert_int_equal(added, wanted);
}

/* The ids that a filter finds, in order, over all pages of `limit`: "b a". */
static const char *ids_of(const struct lh_inbox_filter *wanted, int limit) {
  static char ids[4096];
  struct lh_inbox_filter filter = *wanted;
  size_t len = 0;
  ids[0] = '\0';
  filter.limit = limit;
  do {
    struct lh_inbox_list list;
    assert_int_equal(suite.store->inbox->list(suite.store, &filter, &list, NULL), LH_OK);
    assert_true(list.count <= (size_t)limit);
    for (size_t i = 0; i < list.count; i++)
      len += (size_t)snprintf(ids + len, sizeof ids - len, "%s%s", len > 0 ? " " : "",
                              list.rows[i].event_id);
    filter.after = list.next;
    lh_inbox_list_clear(&list);
  } while (filter.after != 0);
  return ids;
}

static const char *all_ids(void) {
  static const struct lh_inbox_filter all = {.state = -1};
  return ids_of(&all, 2);
}

static void test_an_event_is_kept_as_it_came(void **state) {
  (void)state;
  struct lh_received event = suite_received("id \xC3\xA9", "type \xC3\xA9");
  struct lh_receipt receipt = {.source = "zinrelo", .events = &event, .count = 1};
  struct lh_inbox_list list;
  event.member = "m\0x";
  event.member_len = 3;
  assert_int_equal(suite.store->inbox->accept(suite.store, &receipt, 1, suite.fake.wall_ms, NULL),
                   LH_OK);
  assert_int_equal(receipt.added, 1);
  assert_int_equal(receipt.duplicates, 0);
  assert_int_equal(suite.store->inbox->get(suite.store, "id \xC3\xA9", NULL, &list, NULL), LH_OK);
  assert_int_equal(list.count, 1);
  const struct lh_inbox_row *row = &list.rows[0];
  assert_string_equal(row->source, "zinrelo");
  assert_string_equal(row->event_id, "id \xC3\xA9");
  assert_string_equal(row->event_type, "type \xC3\xA9");
  assert_int_equal(row->member_len, 3);
  assert_memory_equal(row->member, "m\0x", 3);
  assert_int_equal(row->received_ms, suite.fake.wall_ms);
  assert_int_equal(row->state, LH_INBOX_DONE);
  assert_int_equal(row->data_len, sizeof data - 1);
  assert_memory_equal(row->data, data, row->data_len);
  assert_int_equal(row->task_count, 0);
  lh_inbox_list_clear(&list);
}

static void test_a_repetition_is_told_by_source_and_id(void **state) {
  (void)state;
  accepted("zinrelo", "a", 1);
  accepted("zinrelo", "a", 0);
  accepted("other", "a", 1);
  accepted("zinrelo", "A", 1); /* ids are bytes */
  assert_string_equal(all_ids(), "A a a");
}

static void test_twice_in_one_request_and_in_one_call(void **state) {
  (void)state;
  struct lh_received events[3] = {suite_received("a", "t"), suite_received("b", "t"),
                                  suite_received("a", "other")};
  struct lh_receipt receipts[3] = {{.source = "zinrelo", .events = events, .count = 3},
                                   {.source = "zinrelo", .events = events + 1, .count = 1},
                                   {.source = "other", .events = events, .count = 2}};
  struct lh_inbox_list list;
  assert_int_equal(suite.store->inbox->accept(suite.store, receipts, 3, suite.fake.wall_ms, NULL),
                   LH_OK);
  assert_int_equal(receipts[0].added, 2);
  assert_int_equal(receipts[0].duplicates, 1);
  assert_int_equal(receipts[1].added, 0);
  assert_int_equal(receipts[1].duplicates, 1);
  assert_int_equal(receipts[2].added, 2);
  assert_string_equal(all_ids(), "b a b a");
  assert_int_equal(suite.store->inbox->get(suite.store, "a", "zinrelo", &list, NULL), LH_OK);
  assert_int_equal(list.count, 1);
  assert_string_equal(list.rows[0].event_type, "t"); /* the first one counts */
  lh_inbox_list_clear(&list);
  assert_int_equal(suite.store->inbox->get(suite.store, "a", NULL, &list, NULL), LH_OK);
  assert_int_equal(list.count, 2);
  lh_inbox_list_clear(&list);
}

static void test_nothing_to_store(void **state) {
  (void)state;
  struct lh_receipt receipt = {.source = "zinrelo"};
  assert_int_equal(suite.store->inbox->accept(suite.store, NULL, 0, suite.fake.wall_ms, NULL),
                   LH_OK);
  assert_int_equal(suite.store->inbox->accept(suite.store, &receipt, 1, suite.fake.wall_ms, NULL),
                   LH_OK);
  assert_int_equal(receipt.added + receipt.duplicates, 0);
  assert_string_equal(all_ids(), "");
}

static void test_repetitions_are_known_after_reopening_and_by_other_handles(void **state) {
  (void)state;
  size_t added;
  struct lh_store *second = maker->open(&suite.fake.door);
  accepted("zinrelo", "a", 1);
  assert_int_equal(suite_accept(second, "zinrelo", "a", &added), LH_OK);
  assert_int_equal(added, 0);
  assert_int_equal(suite_accept(second, "zinrelo", "b", &added), LH_OK);
  lh_store_close(second);
  lh_store_close(suite.store);
  suite.store = maker->open(&suite.fake.door);
  accepted("zinrelo", "a", 0);
  accepted("zinrelo", "b", 0);
  accepted("zinrelo", "c", 1);
  assert_string_equal(all_ids(), "c b a");
}

static void test_sources_have_a_limit_that_undoes_the_call(void **state) {
  (void)state;
  char name[16];
  struct lh_error err;
  for (int i = 0; i < LH_SOURCES_MAX; i++) {
    snprintf(name, sizeof name, "s%d", i);
    accepted(name, "a", 1);
  }
  struct lh_received event = suite_received("b", "t");
  struct lh_receipt receipts[2] = {{.source = "s0", .events = &event, .count = 1},
                                   {.source = "one-more", .events = &event, .count = 1}};
  assert_int_equal(suite.store->inbox->accept(suite.store, receipts, 2, suite.fake.wall_ms, &err),
                   LH_E_LIMIT);
  struct lh_inbox_list list;
  assert_int_equal(suite.store->inbox->get(suite.store, "b", NULL, &list, NULL), LH_E_NOT_FOUND);
  accepted("s999", "b", 1);
}

static void test_lists_by_type_source_and_time(void **state) {
  (void)state;
  static const char *const types[] = {"even", "odd"};
  int64_t start_ms = suite.fake.wall_ms;
  for (int i = 0; i < 9; i++) {
    char id[16];
    snprintf(id, sizeof id, "%d", i);
    struct lh_received event = suite_received(id, types[i % 2]);
    struct lh_receipt receipt = {.source = i < 5 ? "one" : "two", .events = &event, .count = 1};
    assert_int_equal(suite.store->inbox->accept(suite.store, &receipt, 1, suite.fake.wall_ms, NULL),
                     LH_OK);
    fake_clock_advance(&suite.fake, 1000);
  }
  for (int limit = 1; limit <= 4; limit++) {
    struct lh_inbox_filter filter = {.state = -1, .event_type = "even"};
    assert_string_equal(ids_of(&filter, limit), "8 6 4 2 0");
    filter.source = "one";
    assert_string_equal(ids_of(&filter, limit), "4 2 0");
    filter.event_type = NULL;
    filter.since_ms = start_ms + 2000;
    assert_string_equal(ids_of(&filter, limit), "4 3 2");
    filter.source = "three";
    assert_string_equal(ids_of(&filter, limit), "");
    filter = (struct lh_inbox_filter){.state = LH_INBOX_DONE};
    assert_string_equal(ids_of(&filter, limit), "8 7 6 5 4 3 2 1 0");
    filter.state = LH_INBOX_PENDING;
    assert_string_equal(ids_of(&filter, limit), "");
    filter.state = LH_INBOX_FAILED;
    assert_string_equal(ids_of(&filter, limit), "");
  }
}

/* A full page knows whether there is a next one. */
static void test_the_last_page_has_no_cursor(void **state) {
  (void)state;
  struct lh_inbox_filter filter = {.state = -1, .limit = 2};
  struct lh_inbox_list list;
  for (int more = 0; more <= 1; more++) {
    accepted("zinrelo", more ? "c" : "a", 1);
    if (!more) accepted("zinrelo", "b", 1);
    assert_int_equal(suite.store->inbox->list(suite.store, &filter, &list, NULL), LH_OK);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.next != 0, more);
    lh_inbox_list_clear(&list);
  }
}

int store_suite_run_inbox(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, suite_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_an_event_is_kept_as_it_came),
      T(test_a_repetition_is_told_by_source_and_id),
      T(test_twice_in_one_request_and_in_one_call),
      T(test_nothing_to_store),
      T(test_repetitions_are_known_after_reopening_and_by_other_handles),
      T(test_sources_have_a_limit_that_undoes_the_call),
      T(test_lists_by_type_source_and_time),
      T(test_the_last_page_has_no_cursor),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: inbox", tests, NULL, NULL);
}
