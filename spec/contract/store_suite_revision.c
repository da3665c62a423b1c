/*
** Contract suite: a webhook's revision, by which whoever changes it sees that
** somebody else, or a pause, has changed it in the meantime.
*/
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/contract/store_suite.h"

#define THREADS 8

static const struct lh_piece secret_new = {"fedcba9876543210", 16};

static int64_t revision_of(const char *name) {
  struct lh_webhook_list list;
  assert_int_equal(suite.store->admin->webhook_get(suite.store, NULL, name, &list, NULL), LH_OK);
  int64_t revision = list.rows[0].revision;
  lh_webhook_list_clear(&list);
  return revision;
}

/* The changes that there are; each clears its result. */
enum change { EDIT, ROTATE, DISABLE, ENABLE, RESUME, DELETE };

static int change(struct lh_store *store, enum change what, const struct lh_id *id,
                  int64_t if_revision) {
  static const enum lh_status statuses[] = {
      [DISABLE] = LH_STATUS_DISABLED, [ENABLE] = LH_STATUS_ENABLED, [DELETE] = LH_STATUS_DELETED};
  struct lh_webhook after;
  struct lh_job job;
  const struct lh_rotation rotation = {secret_new, 60000};
  const struct lh_which which = {.id = id, .if_revision = if_revision};
  struct lh_webhook_edit edit = {.fields = LH_FIELD_TIMEOUT_MS};
  edit.values.timeout_ms = 1234;
  int rc;
  if (what == EDIT)
    rc = store->admin->webhook_edit(store, &which, &edit, &after, NULL);
  else if (what == ROTATE)
    rc = store->admin->secret_rotate(store, &which, &rotation, &after, NULL);
  else if (what == RESUME)
    rc = store->admin->webhook_resume(store, &which, &job, &after, NULL);
  else
    rc = store->admin->webhook_status(store, &which, statuses[what], &after, NULL);
  if (rc == LH_OK) assert_true(if_revision == 0 || after.revision >= if_revision);
  lh_webhook_clear(&after);
  return rc;
}

/* Its first failed request pauses it. */
static void pause_it(const struct lh_id *id) {
  struct lh_webhook after;
  struct lh_webhook_edit edit = {.fields = LH_FIELD_PAUSE_AFTER | LH_FIELD_RETRIES_MAX};
  edit.values.pause_after = 1;
  assert_int_equal(suite.store->admin->webhook_edit(suite.store, &(struct lh_which){.id = id},
                                                    &edit, &after, NULL),
                   LH_OK);
  lh_webhook_clear(&after);
  emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(1);
  assert_int_equal(suite.noted.count, 1);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_FAILURE);
}

static void test_every_change_raises_the_revision(void **state) {
  (void)state;
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  int64_t before = revision_of("w");
  assert_int_equal(before, 1);
  for (int what = EDIT; what <= ENABLE; what++) {
    assert_int_equal(change(suite.store, (enum change)what, &id, before), LH_OK);
    int64_t after = revision_of("w");
    assert_true(after > before);
    before = after;
  }
  pause_it(&id);
  struct lh_webhook_list list;
  assert_int_equal(suite.store->admin->webhook_get(suite.store, NULL, "w", &list, NULL), LH_OK);
  assert_int_equal(list.rows[0].status, LH_STATUS_PAUSED);
  assert_true(list.rows[0].revision > before + 1); /* the edit, and the pause */
  before = list.rows[0].revision;
  lh_webhook_list_clear(&list);
  assert_int_equal(change(suite.store, RESUME, &id, before), LH_OK);
  assert_true(revision_of("w") > before);
}

static void test_what_changes_nothing_leaves_the_revision(void **state) {
  (void)state;
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  assert_int_equal(change(suite.store, ENABLE, &id, 0), LH_OK); /* it is */
  emit_one(suite.store, "event_points_earned", "{}");
  suite_lease(1);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_FAILURE);
  fake_clock_advance(&suite.fake, 300000);
  suite_lease(1);
  suite_record(&suite.noted.leases[0].lease, LH_INPUT_SUCCESS);
  assert_int_equal(revision_of("w"), 1);
}

static void test_a_change_of_what_was_changed_since_is_refused(void **state) {
  (void)state;
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  pause_it(&id); /* whoever read it before does not know that it is paused */
  int64_t now = revision_of("w");
  for (int what = EDIT; what <= DELETE; what++) {
    assert_int_equal(change(suite.store, (enum change)what, &id, 1), LH_E_REVISION);
    assert_int_equal(change(suite.store, (enum change)what, &id, now + 1), LH_E_REVISION);
  }
  assert_int_equal(revision_of("w"), now);
  assert_int_equal(change(suite.store, DISABLE, &id, now), LH_OK);
  assert_int_equal(change(suite.store, DISABLE, &id, now), LH_E_REVISION); /* though it is */
  assert_int_equal(change(suite.store, DELETE, &id, revision_of("w")), LH_OK);
}

struct editor {
  pthread_t thread;
  struct lh_store *store;
  struct lh_id id;
  enum change what;
  int code;
};

static void *edit_it(void *self) {
  struct editor *editor = self;
  editor->code = change(editor->store, editor->what, &editor->id, 1);
  return NULL;
}

static void test_of_many_that_change_it_at_once_one_does(void **state) {
  (void)state;
  struct editor editors[THREADS];
  int done = 0, refused = 0;
  struct lh_id id = make_webhook(suite.store, "w", "*", 1);
  for (int i = 0; i < THREADS; i++)
    editors[i] = (struct editor){.store = maker->open(&suite.fake.door),
                                 .id = id,
                                 .what = i % 3 == 0   ? EDIT
                                         : i % 3 == 1 ? ROTATE
                                                      : DISABLE};
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&editors[i].thread, NULL, edit_it, &editors[i]), 0);
  for (int i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_join(editors[i].thread, NULL), 0);
    lh_store_close(editors[i].store);
    done += editors[i].code == LH_OK;
    refused += editors[i].code == LH_E_REVISION;
  }
  assert_int_equal(done, 1);
  assert_int_equal(refused, THREADS - 1);
}

int store_suite_run_revision(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, suite_set_up, suite_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_every_change_raises_the_revision),
      T(test_what_changes_nothing_leaves_the_revision),
      T(test_a_change_of_what_was_changed_since_is_refused),
      T(test_of_many_that_change_it_at_once_one_does),
  };
#undef T
  return cmocka_run_group_tests_name("store contract: revision", tests, NULL, NULL);
}
