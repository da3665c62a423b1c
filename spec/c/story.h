/*
** Delivery stories as text (style.md §8): the real engine on the real store,
** with a network and a clock that the story moves. One story is one world.
**
** scenario.c      files, comparing, rewriting
** story_parse.c   one line of a story → one call below
** story_change.c  what a person does to webhooks
** story_world.c   workers, virtual time, events
** story_wire.c    what every POST must fulfil, whatever the story is about
** story_log.c     the lines a story is compared by
** story_store.c   a worker's view of the store, which can be broken or cut off
** story_tasks.c   handlers: what they are and what people do with their tasks
** story_handle.c  how workers run them
**
** Directives (NAME is free, DURATION is 250ms, 5s, 10m, 1h or several):
**   webhook NAME [key=value …]     fields of struct lh_webhook; event_types=a,b
**   answers NAME: ANSWER, …        the last one is given for ever
**     ANSWER  STATUS | timeout | connect | dns | tls | blocked | protocol | local | shortage |
**             unusable | early STATUS   [after DURATION] [retry-after DURATION] [xN]
**   emit TYPE [xN] [account=A] [category=C] [bytes=N]
**   run DURATION
**   clock +DURATION | -DURATION     the wall clock is set; durations go on
**   worker NAME [concurrency=N] [bytes=N]    `a` is there from the start
**   retain DAYS DAYS     workers opened from here on clean; what failed is kept for the second
**   kill NAME            as SIGKILL would          stop NAME, continue NAME
**   drain NAME, abort NAME, close NAME
**   store NAME ok|full|busy|io                     what writing answers to that worker
**   edit NAME key=value …          as webhook; host=H moves it to https://H.example/hook
**   enable NAME, disable NAME, delete NAME
**   retry rN …           chosen requests, numbered as in the lines
**   retry failed [NAME] [account=A] [since=DURATION] [reason=paused] [dry-run] [wait]
**                        a job: workers work it off, or, with `wait`, the console
**   rotate NAME now|DURATION       so long the old secret signs
**   show requests | webhooks       their state now
**   show log                       how much of it there is
**   show events                    from here on lines name the events (e1-e7)
**
** The receiving side; an event of the inbox is eN, in order of receiving:
**   receive TYPE [member=M] [xN]
**   handler NAME [types=a,b] [serial] [unknown=fail] [from=start] [concurrency=N] [tries=N]
**           [rate=N/DURATION]      so many at once, and in that time in the long run
**                        the store knows it from here on, and all workers have it loaded
**   does NAME [eN]: RESULT, …      with all events, or with this one; the last is for ever
**     RESULT  done | retry | fail | unknown | dies | hangs
**             [after DURATION] [retry-after DURATION] [rest DURATION] [xN]
**   unload NAME          no worker has it any more      forget NAME
**   retry eN [NAME], retry tasks [NAME] [dry-run]
**   show tasks | handlers
*/
#ifndef SPEC_STORY_H
#define SPEC_STORY_H

#include "core/envelope.h"
#include "engine/engine.h"
#include "fake_transport.h"

#define STORY_NAMES_MAX 16
#define STORY_REQUESTS_MAX 4096
#define STORY_LINE_MAX 512
#define STORY_POSTS_MAX 128 /* of one request */
#define STORY_TIME_MAX 40
#define STORY_HANDLERS_MAX 8
#define STORY_RESULTS_MAX 16
#define STORY_HELD_MAX 64 /* tasks that a worker runs */

/* A worker's door to the store: as the real one until it is broken. */
struct story_store {
  struct lh_store door; /* first */
  struct lh_store *real;
  int gone;       /* killed: nothing it says arrives */
  int write_code; /* what writing answers, LH_OK: what the real one says */
};
void story_store_init(struct story_store *store, struct lh_store *real);

struct story_webhook {
  char name[32];
  struct lh_id id;
  int32_t retries_max;
  enum lh_scheme scheme;
  enum lh_success success;
  struct lh_hmac_key *key;
  struct lh_hmac_key *key_next; /* takes over at rotates_ms; NULL: none waits */
  int64_t rotates_ms;
  char secret[LH_SECRET_GENERATED_LEN + 1], secret_next[LH_SECRET_GENERATED_LEN + 1];
  struct fake_endpoint *endpoint;
  int64_t last_first_event; /* of first attempts: they start in order */
};

enum story_act { STORY_SAYS, STORY_DIES, STORY_HANGS };
struct story_result {
  enum story_act act;
  enum lh_task_input_kind kind; /* says */
  int64_t after_ms, retry_after_ms, rest_ms;
  int times;
};

/* What a handler does, in order. */
struct story_script {
  int event; /* 0: with all others */
  struct story_result results[STORY_RESULTS_MAX];
  int count, at, given; /* given: how often the present one was */
};

struct story_handler {
  char name[32];
  char event_types[256];
  struct lh_handler_definition definition;
  struct lh_handler_wish wish;
  struct story_script scripts[STORY_HANDLERS_MAX];
  int script_count;
  int unloaded;
};

/* A task that runs. */
struct story_held {
  struct story_handler *handler;
  int event;
  int64_t task;
  int32_t attempt;
  int alone;
  int64_t started_ms, ends_ms; /* INT64_MAX: never */
  struct story_result result;
};

struct story_worker {
  char name[32];
  struct story_store store;
  struct fake_transport transport;
  struct lh_engine *engine; /* NULL: not there */
  int stopped;
  int draining;
  int64_t next_due_ms;
  int64_t tasks_due_ms;
  struct story_held held[STORY_HELD_MAX];
  size_t held_count;
  size_t in_flight;
};

struct story_request {
  struct lh_id id;
  struct story_webhook *webhook;
  int count;
  int64_t first_event, last_event; /* numbers from 1 */
  int64_t created_ms;
  char *body;
  size_t body_len;
  int post_count;
  int posts_before; /* the present budget */
  int64_t nonces[STORY_POSTS_MAX];
  unsigned char lost[STORY_POSTS_MAX]; /* by attempt number */
};

struct story_line {
  int64_t at_ms;
  size_t order;
  char text[STORY_LINE_MAX];
};

struct story {
  struct fake_clock clock;
  struct fake_network network;
  char folder[256];
  char location[300];
  struct lh_store *store; /* of the emitter and the console */
  struct story_webhook webhooks[STORY_NAMES_MAX];
  size_t webhook_count;
  struct story_worker *workers[STORY_NAMES_MAX];
  size_t worker_count;
  struct story_request *requests;
  size_t request_count;
  struct lh_id *events; /* by number - 1 */
  size_t event_count;
  int show_events;
  int64_t retention_ms, failed_retention_ms; /* of workers opened next; 0: they do not clean */
  int retried;                               /* somebody retried by hand */
  int received;                              /* events of the inbox */
  struct story_handler handlers[STORY_HANDLERS_MAX];
  int handler_count;
  struct story_held lost[STORY_HELD_MAX]; /* of workers that died, until somebody says so */
  size_t lost_count;
  struct story_line *lines;
  size_t line_count, line_cap;
  int broken; /* something happened that no story may contain */
};

/* story_world.c; all complain by story_complain. */
void story_open(struct story *story);
void story_close(struct story *story);
void story_emit(struct story *story, const struct lh_emit *emit, int times);
void story_run(struct story *story, int64_t duration_ms);
struct story_worker *story_worker(struct story *story, const char *name);
void story_worker_open(struct story *story, const char *name, size_t concurrency, int64_t bytes);
void story_worker_kill(struct story *story, struct story_worker *worker);
void story_worker_abort(struct story *story, struct story_worker *worker);
void story_worker_close(struct story *story, struct story_worker *worker);

/* story_change.c */
#define STORY_FIELD_ACCOUNT (1u << 31) /* beside enum lh_webhook_field; only when creating */
struct story_webhook *story_webhook(struct story *story, const char *name);
void story_webhook_add(struct story *story, struct lh_webhook *webhook);
/* "key=value" → value, or NULL if it is another key. */
const char *story_value(const char *word, const char *key);
/* Sets the field that a word "key=value" names; its bit, 0: there is none. */
unsigned story_field(struct lh_webhook *webhook, const char *word);
void story_url(const char *host, char url[LH_URL_MAX + 1]);
void story_edit(struct story *story, const char *name, struct lh_webhook_edit *edit);
void story_status(struct story *story, const char *name, enum lh_status status);
void story_rotate(struct story *story, const char *name, int64_t overlap_ms);
void story_keys_at(struct story_webhook *webhook, int64_t now_ms);

/* story_parse.c: one line without its newline. */
void story_do(struct story *story, const char *line);
/* "1m30s" → 90000; -1: not a duration. */
int64_t story_duration_ms(const char *text);

/* story_tasks.c: 1 if the line was one about handlers. */
int story_tasks_do(struct story *story, const char *line, char *const *words, int count);
void story_handler_load(struct story *story, struct lh_engine *engine,
                        struct story_handler *handler);

/* story_handle.c */
/* A turn of the worker with its handlers; 1 if it did something. */
int story_handle(struct story *story, struct story_worker *worker);
/* When the next of its tasks ends or is due; INT64_MAX: none. */
int64_t story_handle_next_ms(const struct story_worker *worker);
/* The worker is gone: what it ran is lost when somebody finds out. */
void story_handle_died(struct story *story, struct story_worker *worker);
void story_handle_lost(struct story *story);

/* story_retry.c */
struct story_retrying {
  const char *webhook; /* NULL: all */
  const char *account;
  int64_t since_ms;
  enum lh_reason reason;
  int dry_run;
  int wait;
};
void story_retry(struct story *story, char *const *names, int count);
void story_retry_failed(struct story *story, const struct story_retrying *wanted);
/* A line if the job is over. */
void story_note_job(struct story *story, const struct lh_job *job);

/* story_wire.c */
void story_wire_sent(void *story, const struct lh_post *post);
struct story_request *story_request(struct story *story, const struct lh_id *id);

/* story_log.c */
void story_log_event(struct story *story, const struct lh_engine_event *event);
void story_log_lost(struct story *story);
void story_show_requests(struct story *story);
void story_show_webhooks(struct story *story);
void story_show_log(struct story *story);
/* "01:30", minutes and seconds since the story began. */
void story_time(int64_t wall_ms, char out[STORY_TIME_MAX]);
/* A line at another time. */
void story_note_at(struct story *story, int64_t at_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line of its own at this time. */
void story_note(struct story *story, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, and the story fails. */
void story_complain(struct story *story, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* All lines in order of time as one text; yours to free. */
char *story_text(struct story *story);

#endif
