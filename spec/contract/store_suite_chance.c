/*
** Contract suite: chance. Events, attempts that end in every way, retries, months and steps of
** retention in any order; at the end each event was delivered or is listed as failed, to and for
** each webhook, and the counts were right all the time. The seed is in the complaint.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/recount.h"
#include "spec/contract/store_suite.h"

#define DAY INT64_C(86400000)
#define EVENTS 400

static struct {
  uint64_t state;
  struct lh_id events[EVENTS];
  int event_count;
  unsigned char delivered[2][EVENTS]; /* by webhook and event */
  struct lh_id webhooks[2];
} chance;

static uint64_t random_below(uint64_t bound) {
  chance.state = chance.state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (chance.state >> 33) % bound;
}

struct shown {
  int events[100]; /* index into chance.events; -1: unknown */
  int count;
  struct lh_lease lease;
  int leased;
};

static int index_of(const struct lh_id *id) {
  for (int i = 0; i < chance.event_count; i++)
    if (memcmp(&chance.events[i], id, sizeof *id) == 0) return i;
  return -1;
}
static int shown_begin(void *self) {
  ((struct shown *)self)->count = 0;
  return 0;
}
static int shown_event(void *self, const struct lh_event *event) {
  struct shown *shown = self;
  shown->events[shown->count++] = index_of(&event->id);
  return 0;
}
static int shown_end(void *self, const struct lh_lease *lease) {
  ((struct shown *)self)->lease = *lease;
  ((struct shown *)self)->leased = 1;
  return 0;
}

/* One lease and its end. */
static void chance_attempt(enum lh_input_kind kind) {
  static struct shown shown;
  const struct lh_lease_visitor visitor = {&shown, shown_begin, shown_event, shown_end};
  struct lh_turn turn = turn_of(suite.session, suite.fake.wall_ms, 1, NULL, 0);
  shown.leased = 0;
  turn.bytes = LH_BODIES_IN_FLIGHT_BYTES;
  turn.visitor = &visitor;
  assert_int_equal(suite.store->requests->turn(suite.store, &turn, NULL), LH_OK);
  if (!shown.leased) return;
  assert_int_equal(shown.count, shown.lease.count);
  int second =
      memcmp(&shown.lease.target->webhook.id, &chance.webhooks[1], sizeof chance.webhooks[1]) == 0;
  for (int i = 0; i < shown.count; i++) {
    assert_true(shown.events[i] >= 0);
    if (kind == LH_INPUT_SUCCESS) chance.delivered[second][shown.events[i]] = 1;
  }
  suite_record(&shown.lease, kind);
}

static struct lh_request_list failed_ones(void) {
  struct lh_request_filter filter = {.state = LH_FAILED, .limit = LH_LIST_LIMIT_MAX};
  struct lh_request_list list;
  assert_int_equal(suite.store->requests->list(suite.store, &filter, &list, NULL), LH_OK);
  return list;
}

static void chance_retry(void) {
  struct lh_request_list list = failed_ones();
  if (list.count > 0) {
    struct lh_retry asked = {.request_id = list.rows[random_below(list.count)].request_id};
    assert_int_equal(suite.store->jobs->retry(
                         suite.store, &(struct lh_retry_chosen){.retries = &asked, .count = 1},
                         suite.fake.wall_ms, NULL),
                     LH_OK);
  }
  lh_request_list_clear(&list);
}

/* One step, and whoever made it is gone. */
static void clean_step(void) {
  struct lh_clean one = {
      .now_ms = suite.fake.wall_ms, .retention_ms = 30 * DAY, .failed_retention_ms = 10000 * DAY};
  assert_int_equal(suite.store->admin->clean(suite.store, &one, NULL), LH_OK);
}

static void chance_step(void) {
  static const enum lh_input_kind ends[] = {LH_INPUT_SUCCESS, LH_INPUT_SUCCESS, LH_INPUT_FAILURE,
                                            LH_INPUT_LOST, LH_INPUT_GIVEN_BACK};
  switch (random_below(8)) {
  case 0:
  case 1:
    for (uint64_t i = 1 + random_below(5); i > 0 && chance.event_count < EVENTS; i--)
      chance.events[chance.event_count++] = emit_one(suite.store, "event_points_earned", "{}");
    break;
  case 2:
    fake_clock_advance(&suite.fake, (int64_t)random_below(15 * DAY));
    break;
  case 3:
    clean_step();
    break;
  case 4:
    chance_retry();
    break;
  default:
    chance_attempt(ends[random_below(5)]);
  }
}

/* What was never delivered is in a failed request, with its id. */
static void mark_failed(void) {
  struct lh_request_list list = failed_ones();
  for (size_t i = 0; i < list.count; i++) {
    int second = memcmp(&list.rows[i].webhook_id, &chance.webhooks[1], sizeof(struct lh_id)) == 0;
    for (int32_t at = 0; at < list.rows[i].count; at++) {
      int event = index_of(&list.rows[i].event_ids[at]);
      assert_true(event >= 0);
      chance.delivered[second][event] = 1;
    }
  }
  lh_request_list_clear(&list);
}

static void enable(const struct lh_id *webhook) {
  struct lh_webhook changed;
  assert_int_equal(suite.store->admin->webhook_status(suite.store,
                                                      &(struct lh_which){.id = webhook},
                                                      LH_STATUS_ENABLED, &changed, NULL),
                   LH_OK);
  lh_webhook_clear(&changed);
}

static void test_whatever_happens_nothing_is_lost(void **state) {
  for (uint64_t seed = 1; seed <= 6; seed++) {
    suite_tear_down(state);
    suite_set_up(state);
    memset(&chance, 0, sizeof chance);
    chance.state = seed;
    chance.webhooks[0] = make_webhook(suite.store, "a", "*", 3);
    chance.webhooks[1] = suite_webhook_without_retries("b");
    for (int i = 0; i < 400; i++) {
      chance_step();
      const char *wrong = i % 20 == 0 ? recount(suite.store) : NULL;
      if (wrong != NULL) print_error("seed %d, step %d: %s\n", (int)seed, i, wrong);
      assert_null(wrong);
    }
    for (int i = 0; i < 3000; i++) { /* to its end */
      enable(&chance.webhooks[0]);
      chance_attempt(LH_INPUT_SUCCESS);
      if (i % 4 == 0) fake_clock_advance(&suite.fake, 600000);
      if (i % 10 == 0) clean_step();
    }
    mark_failed();
    for (int i = 0; i < chance.event_count; i++)
      if (!chance.delivered[0][i] || !chance.delivered[1][i])
        fail_msg("seed %d: event %d is lost", (int)seed, i);
  }
}

int store_suite_run_chance(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_whatever_happens_nothing_is_lost, suite_set_up,
                                      suite_tear_down),
  };
  return cmocka_run_group_tests_name("store contract: chance", tests, NULL, NULL);
}
