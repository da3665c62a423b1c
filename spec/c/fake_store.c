/* The store of the engine's own tests: see fake_store.h. */
#include "fake_store.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const secrets[] = {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                                      "whsec_//7+/f38+/v6+fn49/f29fX08/Py8fHw7+/u7e3s6+s="};

const char *fake_store_secret(int which) {
  return secrets[which];
}

static struct fake_store *self_of(struct lh_store *door) {
  return (struct fake_store *)door;
}

static int session_open(struct lh_store *door, int64_t now_ms, int64_t *session,
                        struct lh_error *err) {
  struct fake_store *self = self_of(door);
  (void)now_ms;
  if (self->session_code != 0)
    return lh_error_set(err, (enum lh_code)self->session_code, "no session");
  *session = ++self->sessions;
  return 0;
}

static void session_close(struct lh_store *door, int64_t session, int64_t now_ms) {
  (void)now_ms;
  self_of(door)->session_closed = session;
}

static int rescue(struct lh_store *door, int64_t session, int64_t now_ms, size_t *rescued,
                  struct lh_error *err) {
  struct fake_store *self = self_of(door);
  assert(session == self->sessions);
  (void)now_ms;
  self->rescues++;
  if (self->rescue_code != 0)
    return lh_error_set(err, (enum lh_code)self->rescue_code, "no rescue");
  *rescued = self->rescued;
  self->rescued = 0;
  return 0;
}

static void record(struct fake_store *self, struct lh_turn *turn, size_t place) {
  struct lh_attempt_result *result = &turn->results[place];
  assert(self->record_count < FAKE_RECORDS_MAX);
  struct fake_record *kept = &self->records[self->record_count++];
  *kept = (struct fake_record){.result = *result, .session = turn->session};
  snprintf(kept->error, sizeof kept->error, "%s", result->error);
  snprintf(kept->url, sizeof kept->url, "%s", result->url);
  snprintf(kept->nonce, sizeof kept->nonce, "%s", result->nonce);
  if (result->tags_len > 0) memcpy(kept->tags, result->tags, result->tags_len);
  snprintf(kept->response, sizeof kept->response, "%.*s", (int)result->response_len,
           result->response);
  result->after = self->after;
  result->effects = self->effects;
}

/* No memory is asked for here: tests make it run out. */
static int show(struct fake_store *self, const struct fake_lease *waiting,
                const struct lh_lease_visitor *visitor) {
  memset(self->data, 'x', waiting->data_len);
  memcpy(self->data, "{\"a\":\"", 6);
  memcpy(self->data + waiting->data_len - 2, "\"}", 2);
  struct lh_event event = {
      .id = waiting->lease.request_id,
      .event_type = "event_points_earned",
      .data = self->data,
      .data_len = waiting->data_len,
  };
  int code = visitor->begin(visitor->self);
  if (code == 0) code = visitor->event(visitor->self, &event);
  return code == 0 ? visitor->end(visitor->self, &waiting->lease) : code;
}

static int lease(struct fake_store *self, struct lh_turn *turn) {
  int64_t bytes = turn->bytes;
  for (size_t i = 0; i < self->lease_count; i++) {
    struct fake_lease *waiting = &self->leases[i];
    if (waiting->leased || turn->leased == turn->slots || bytes <= 0) continue;
    int code = show(self, waiting, turn->visitor);
    if (code != 0) return code;
    waiting->leased = 1;
    bytes -= (int64_t)waiting->data_len;
    turn->leased++;
  }
  return 0;
}

/* The turn failed: what it leased is free again. */
static int undo(struct fake_store *self, size_t records, size_t leased, int code,
                struct lh_error *err) {
  self->record_count = records;
  for (size_t i = self->lease_count; i-- > 0 && leased > 0;)
    if (self->leases[i].leased) {
      self->leases[i].leased = 0;
      leased--;
    }
  return lh_error_set(err, (enum lh_code)code, "turn failed");
}

static int turn(struct lh_store *door, struct lh_turn *asked, struct lh_error *err) {
  struct fake_store *self = self_of(door);
  size_t records = self->record_count;
  self->turns++;
  self->last = *asked;
  asked->leased = 0;
  asked->more = 0;
  asked->next_due_ms = self->next_due_ms;
  asked->session_dead = self->session_dead;
  asked->job_open = self->job_steps_left > 0;
  for (size_t i = 0; i < asked->result_count; i++) record(self, asked, i);
  int code = self->session_dead ? 0 : lease(self, asked);
  if (code == 0) code = self->turn_code;
  if (code != 0) return undo(self, records, asked->leased, code, err);
  self->session_dead = 0;
  return 0;
}

static int wake_fd(struct lh_store *door) {
  return self_of(door)->wake_fds[0];
}

static void wake_clear(struct lh_store *door) {
  struct fake_store *self = self_of(door);
  char byte;
  ssize_t got = read(self->wake_fds[0], &byte, 1);
  assert(got == 1);
  (void)got;
  self->wake_clears++;
}

static void target_hold(struct lh_store *door, struct lh_target *target) {
  (void)door;
  target->holders++;
}

static void target_release(struct lh_store *door, struct lh_target *target) {
  (void)door;
  assert(target->holders > 0);
  target->holders--;
}

static int checkpoint(struct lh_store *door, int64_t min_bytes, struct lh_error *err) {
  (void)min_bytes;
  (void)err;
  self_of(door)->checkpoints++;
  return 0;
}

static int clean(struct lh_store *door, struct lh_clean *run, struct lh_error *err) {
  struct fake_store *self = self_of(door);
  self->clean_steps++;
  self->clean = *run;
  if (self->clock) fake_clock_advance(self->clock, self->clean_step_ms);
  if (self->clean_code != 0) return lh_error_set(err, (enum lh_code)self->clean_code, "no step");
  if (self->clean_steps_left > 0) self->clean_steps_left--;
  run->more = self->clean_steps_left > 0;
  run->events += 10;
  run->requests += 1;
  return 0;
}

static int job_step(struct lh_store *door, struct lh_job_step *step, struct lh_error *err) {
  struct fake_store *self = self_of(door);
  assert(!step->id);
  if (self->clock) fake_clock_advance(self->clock, self->job_step_ms);
  if (self->job_code != 0) return lh_error_set(err, (enum lh_code)self->job_code, "no step");
  step->made = !self->job_held;
  if (self->job_held) return 0;
  step->failed_unsent = 3;
  if (--self->job_steps_left == 0) step->job.finished_ms = step->now_ms;
  return 0;
}

static int mail_next_due(struct lh_store *door, int64_t now_ms, int64_t *due_ms,
                         struct lh_error *err) {
  (void)now_ms;
  (void)err;
  self_of(door)->mail_looks++;
  *due_ms = self_of(door)->mail_due_ms;
  return 0;
}

static int mail_lease(struct lh_store *door, const struct lh_mailing_wish *wish,
                      struct lh_mailing *mailing, struct lh_error *err) {
  (void)err;
  self_of(door)->mail_wish = *wish;
  mailing->mailing = 7;
  return 0;
}

static int mail_record(struct lh_store *door, const struct lh_mailing_result *result,
                       struct lh_error *err) {
  (void)err;
  self_of(door)->mail_result = *result;
  return 0;
}

static int task_turn(struct lh_store *door, struct lh_task_turn *asked, struct lh_error *err) {
  struct fake_store *self = self_of(door);
  self->task_turns++;
  self->task_session = asked->session;
  self->task_now_ms = asked->now_ms;
  if (asked->result_count > 0) self->task_jitter_ppm = asked->results[0].jitter_ppm;
  asked->session_dead = self->task_dead;
  if (self->task_code == 0) return 0;
  return lh_error_set(err, (enum lh_code)self->task_code, "no turn");
}

static const struct lh_store_notices notices = {
    .next_due = mail_next_due, .lease = mail_lease, .record = mail_record};
static const struct lh_store_requests requests = {
    .session_open = session_open,
    .session_close = session_close,
    .rescue = rescue,
    .turn = turn,
    .wake_fd = wake_fd,
    .wake_clear = wake_clear,
    .target_hold = target_hold,
    .target_release = target_release,
};
static const struct lh_store_admin admin = {.clean = clean, .checkpoint = checkpoint};
static const struct lh_store_jobs jobs = {.step = job_step};
static const struct lh_store_tasks tasks = {.turn = task_turn};

void fake_store_init(struct fake_store *store, enum lh_scheme scheme) {
  memset(store, 0, sizeof *store);
  store->door = (struct lh_store){
      .requests = &requests, .admin = &admin, .jobs = &jobs, .notices = &notices, .tasks = &tasks};
  store->mail_due_ms = INT64_MAX;
  store->next_due_ms = INT64_MAX;
  store->wake_fds[0] = store->wake_fds[1] = -1;
  store->after = (struct lh_delivery){.state = LH_DELIVERED, .attempts_made = 1};
  struct lh_webhook *webhook = &store->target.webhook;
  lh_webhook_init(webhook);
  webhook->id.bytes[0] = 7;
  webhook->scheme = scheme;
  snprintf(webhook->url, sizeof webhook->url, "https://w1.example/hook");
  int code = lh_signature_key_new(scheme, secrets[0], LH_SECRET_GENERATED_LEN,
                                  &store->target.keys[0], NULL);
  assert(code == 0);
  (void)code;
}

void fake_store_clear(struct fake_store *store) {
  assert(store->target.holders == 0);
  lh_webhook_clear(&store->target.webhook);
  lh_hmac_key_free(store->target.keys[0]);
  lh_hmac_key_free(store->target.keys[1]);
}

void fake_store_add(struct fake_store *store, size_t data_len) {
  assert(store->lease_count < FAKE_REQUESTS_MAX && data_len >= 20 && data_len <= FAKE_DATA_MAX);
  size_t number = store->lease_count + 1;
  struct fake_lease *added = &store->leases[store->lease_count++];
  *added = (struct fake_lease){
      .data_len = data_len,
      .lease = {.request = (int64_t)number,
                .attempt = 1,
                .count = 1,
                .created_ms = INT64_C(1704067200000),
                .target = &store->target},
  };
  added->lease.request_id.bytes[10] = (unsigned char)(number >> 8);
  added->lease.request_id.bytes[11] = (unsigned char)number;
}
