/*
** The SQLite store against a model of what must become of everything (model.h): random steps of
** emitters, workers, operators, mails, retention and clocks, on two handles, some of them cut off
** by a full disk, too little memory or a worker's own failure. After each step the store's requests
** and webhooks are what the model says; at the end nothing waits, whatever failed can be delivered,
** and every notice was in one mail.
**
** LOYALHOOK_SPEC_SEED=n begins there, LOYALHOOK_SPEC_SEEDS=n tries so many (make test-model).
*/
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "spec/contract/model_world.h"

#define MINUTE INT64_C(60000)
#define HOUR INT64_C(3600000)
#define DAY INT64_C(86400000)

struct model model;
struct fake_clock fake;
struct lh_store *handles[MODEL_HANDLES];
int64_t sessions[MODEL_HANDLES];
struct lh_error why;
char folder[64];
static char location[128];

int64_t below(int64_t bound) {
  return (int64_t)model_random(&model, (uint64_t)bound);
}
int one_in(int64_t of) {
  return below(of) == 0;
}

/* ---- time */

static void clean(void) {
  if (!model.clean.more) {
    int64_t failed_ms = one_in(3) && model.seed % 2 == 0 ? 12 * HOUR : 1000 * DAY;
    model.clean = (struct lh_clean){
        .now_ms = fake.wall_ms, .retention_ms = 4 * HOUR, .failed_retention_ms = failed_ms};
    if (failed_ms < 1000 * DAY) model.cleaned_notices = 1;
  }
  if (!done(model.store->admin->clean(model.store, &model.clean, &why), "clean")) return;
  model.may_clean = 1;
}

static void pass_time(void) {
  static const int64_t spans[] = {1000, 5000, MINUTE, 10 * MINUTE, HOUR, 10 * HOUR};
  int64_t by_ms = below(spans[below(6)]);
  if (one_in(25)) by_ms = 2 * DAY;
  if (one_in(25)) by_ms = -below(3 * HOUR);
  fake_clock_advance(&fake, by_ms);
  if (by_ms < 0) fake.monotonic_ms -= by_ms;
}

static void act(void) {
  int64_t choice = below(100);
  if (one_in(10)) let_fail();
  if (choice < 16)
    emit();
  else if (choice < 50)
    turn((int)below(4), (size_t)below(5), -1, one_in(20));
  else if (choice < 62)
    pass_time();
  else if (choice < 65)
    create();
  else if (choice < 70)
    edit();
  else if (choice < 77)
    change_status();
  else if (choice < 80)
    rotate();
  else if (choice < 82)
    retry_some();
  else if (choice < 84)
    make_job();
  else if (choice < 86)
    resume();
  else if (choice < 91)
    step_job();
  else if (choice < 93)
    lease_mail();
  else if (choice < 94)
    record_mail(-1);
  else if (choice < 99)
    clean();
  else if (!faulty)
    crash((int)below(MODEL_HANDLES));
  let_be();
}

/* ---- a life */

static void open_all(void) {
  struct lh_store_options options = {
      .location = location, .create = 1, .webhooks_max = MODEL_WEBHOOKS, .clock = &fake.door};
  for (int i = 0; i < MODEL_HANDLES; i++) {
    assert_int_equal(lh_store_open(&options, &handles[i], &why), LH_OK);
    assert_int_equal(
        handles[i]->requests->session_open(handles[i], fake.wall_ms, &sessions[i], &why), LH_OK);
  }
  model.store = handles[0];
}

static void close_all(void) {
  static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".key"};
  char path[160];
  for (int i = 0; i < MODEL_HANDLES; i++) {
    handles[i]->requests->session_close(handles[i], sessions[i], fake.wall_ms);
    lh_store_close(handles[i]);
  }
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
    snprintf(path, sizeof path, "%s/store.db%s", folder, suffixes[i]);
    unlink(path);
  }
  rmdir(folder);
}

static int unfinished(void) {
  int count = 0;
  for (int i = 1; i < MODEL_REQUESTS; i++)
    count += model_waits(&model.requests[i]) ||
             (model.requests[i].known && model.requests[i].state == LH_SENDING);
  for (int i = 0; i < model.webhook_count; i++)
    for (int event = 0; event < model.event_count; event++)
      count += model.webhooks[i].fate[event] == FATE_DELIVER ||
               model.webhooks[i].fate[event] == FATE_FAIL;
  for (int i = 0; i < model.job_count; i++) count += !model.jobs[i].over;
  return count;
}

static void settle_down(void) {
  for (int i = 0; i < 600 && unfinished() > 0; i++) {
    model.step++;
    if (i % 3 == 2)
      step_job();
    else
      turn(4, 4, LH_INPUT_SUCCESS, 1);
    model_sync(&model);
    check_jobs();
    if (i % 3 == 0) fake_clock_advance(&fake, 2 * MINUTE);
  }
  MODEL_MUST(&model, unfinished() == 0, "%d things never end", unfinished());
}

static void tell_all(void) {
  for (int i = 0; i < 300; i++) {
    lease_mail();
    record_mail(LH_MAIL_ACCEPTED);
    fake_clock_advance(&fake, 5 * MINUTE);
  }
  for (int i = 0; i < model.webhook_count && !model.cleaned_notices; i++)
    MODEL_MUST(&model, model.webhooks[i].told == model.webhooks[i].notices,
               "webhook %d: %d notices, mails told of %d", i, (int)model.webhooks[i].notices,
               (int)model.webhooks[i].told);
}

/* Whatever failed can still be delivered, unless a person deleted its webhook. */
static void retry_everything(void) {
  struct model_job job = {.webhook = -1, .account = -1, .made = model.step};
  const struct lh_retry_filter filter = {0};
  struct lh_job made;
  for (int i = 0; i < model.webhook_count; i++)
    if (!model.webhooks[i].gone && model.webhooks[i].status != LH_STATUS_DELETED)
      set_status(&model.webhooks[i], LH_STATUS_ENABLED);
  model_sync(&model);
  model.step++;
  assert_int_equal(model.store->jobs->create(model.store, &filter, NULL, fake.wall_ms, &made, &why),
                   LH_OK);
  job.id = made.id;
  model.job_count = 0;
  model.jobs[model.job_count++] = job;
  settle_down();
  for (int i = 1; i < MODEL_REQUESTS; i++) {
    const struct model_request *request = &model.requests[i];
    if (!request->known || request->gone || request->state == LH_DELIVERED) continue;
    MODEL_MUST(&model, model.webhooks[request->webhook].status == LH_STATUS_DELETED,
               "request %d was not delivered in the end", i);
  }
}

static void live(uint64_t seed) {
  memset(&model, 0, sizeof model);
  forget_mails();
  model.seed = model.state = seed;
  model.clock = &fake;
  fake_clock_init(&fake, seed);
  snprintf(folder, sizeof folder, "%s/lh-model-XXXXXX",
           access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  assert_non_null(mkdtemp(folder));
  snprintf(location, sizeof location, "sqlite:%s/store.db", folder);
  open_all();
  for (int i = 0; i < 2; i++) create();
  for (model.step = 1; model.step < MODEL_STEPS; model.step++) {
    act();
    model_sync(&model);
    check_jobs();
    if (model.step % 16 == 0) model_sync_all(&model);
  }
  settle_down();
  model_sync_all(&model);
  tell_all();
  retry_everything();
  model_sync_all(&model);
  close_all();
}

static void test_the_store_does_what_the_model_says(void **state) {
  (void)state;
  const char *one = getenv("LOYALHOOK_SPEC_SEED"), *many = getenv("LOYALHOOK_SPEC_SEEDS");
  uint64_t first = one != NULL ? strtoull(one, NULL, 10) : 1;
  uint64_t count = one != NULL && many == NULL ? 1 : many != NULL ? strtoull(many, NULL, 10) : 12;
  for (uint64_t seed = first; seed < first + count; seed++) live(seed);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_store_does_what_the_model_says)};
  signal(SIGXFSZ, SIG_IGN);
  make_memory_scarce();
  return cmocka_run_group_tests_name("store against its model", tests, NULL, NULL);
}
