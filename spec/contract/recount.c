/* See recount.h. */
#include "spec/contract/recount.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static char complaint[256];

static const char *complain(const char *what, int64_t counted, int64_t claimed) {
  snprintf(complaint, sizeof complaint, "%s: %" PRId64 " rows, stats say %" PRId64, what, counted,
           claimed);
  return complaint;
}

struct sums {
  int64_t requests[LH_FAILED + 1];
  int64_t events; /* in them */
  int64_t attempts;
};

static void add_attempts(struct lh_store *store, const struct lh_id *request, struct sums *sums) {
  struct lh_request_list list;
  struct lh_attempt_list attempts;
  if (store->requests->get(store, request, &list, &attempts, NULL) != LH_OK) return;
  sums->attempts += (int64_t)attempts.count;
  lh_request_list_clear(&list);
  lh_attempt_list_clear(&attempts);
}

static int add_all(struct lh_store *store, const struct lh_id *webhook, struct sums *sums) {
  struct lh_request_filter filter = {
      .state = -1, .webhook_id = webhook, .limit = LH_LIST_LIMIT_MAX};
  do {
    struct lh_request_list list;
    if (store->requests->list(store, &filter, &list, NULL) != LH_OK) return -1;
    for (size_t i = 0; i < list.count; i++) {
      sums->requests[list.rows[i].delivery.state]++;
      sums->events += list.rows[i].count;
      add_attempts(store, &list.rows[i].request_id, sums);
    }
    filter.after = list.next;
    lh_request_list_clear(&list);
  } while (filter.after != 0);
  return 0;
}

static const char *compare(const struct sums *sums, const struct lh_webhook_stats *stats) {
  for (int state = LH_PENDING; state <= LH_FAILED; state++)
    if (sums->requests[state] != stats->requests[state])
      return complain(lh_state_name((enum lh_state)state), sums->requests[state],
                      stats->requests[state]);
  if (sums->attempts != stats->attempts)
    return complain("attempts", sums->attempts, stats->attempts);
  return NULL;
}

static const char *of_webhook(struct lh_store *store, const struct lh_id *webhook) {
  struct sums sums = {0};
  struct lh_stats stats;
  if (add_all(store, webhook, &sums) != 0) return "requests cannot be listed";
  const struct lh_stats_query query = {.webhook_id = webhook};
  if (store->admin->stats(store, &query, &stats, NULL) != LH_OK) return "no figures";
  return compare(&sums, &stats.sum);
}

/* ---- handlers: their counters and their tasks */

static int64_t tasks_of(const struct lh_inbox_list *list, const char *handler, int state) {
  int64_t count = 0;
  for (size_t i = 0; i < list->count; i++)
    for (size_t at = 0; at < list->rows[i].task_count; at++) {
      const struct lh_inbox_task *task = &list->rows[i].tasks[at];
      count += (int)task->state == state && strcmp(task->handler, handler) == 0;
    }
  return count;
}

static const char *of_handler(struct lh_store *store, const struct lh_handler_row *handler) {
  struct lh_inbox_filter filter = {.state = -1, .limit = LH_LIST_LIMIT_MAX};
  int64_t counted[LH_TASK_FAILED + 1] = {0};
  do {
    struct lh_inbox_list list;
    if (store->inbox->list(store, &filter, &list, NULL) != LH_OK) return "inbox cannot be listed";
    for (int state = LH_TASK_PENDING; state <= LH_TASK_FAILED; state++)
      counted[state] += tasks_of(&list, handler->name, state);
    filter.after = list.next;
    lh_inbox_list_clear(&list);
  } while (filter.after != 0);
  for (int state = LH_TASK_PENDING; state <= LH_TASK_FAILED; state++)
    if (counted[state] != handler->tasks[state])
      return complain(lh_task_state_name((enum lh_task_state)state), counted[state],
                      handler->tasks[state]);
  return NULL;
}

static const char *recount_handlers(struct lh_store *store) {
  struct lh_handler_list list;
  const char *wrong = NULL;
  if (store->tasks->handler_list(store, &list, NULL) != LH_OK) return "handlers cannot be listed";
  for (size_t i = 0; i < list.count && wrong == NULL; i++) wrong = of_handler(store, &list.rows[i]);
  lh_handler_list_clear(&list);
  return wrong;
}

const char *recount(struct lh_store *store) {
  struct lh_webhook_list list;
  const char *wrong = NULL;
  if (store->admin->webhook_list(store, &(struct lh_webhook_query){.with_deleted = 1}, &list,
                                 NULL) != LH_OK)
    return "webhooks cannot be listed";
  for (size_t i = 0; i < list.count && wrong == NULL; i++)
    wrong = of_webhook(store, &list.rows[i].id);
  lh_webhook_list_clear(&list);
  if (wrong == NULL) wrong = of_webhook(store, NULL);
  return wrong != NULL ? wrong : recount_handlers(store);
}

/* How many of the events the webhook wanted when they were emitted; -1: one is unknown. */
static int64_t wanted_by(struct lh_store *store, const struct lh_id *webhook,
                         const struct lh_id *events, size_t count) {
  int64_t wanted = 0;
  for (size_t i = 0; i < count; i++) {
    struct lh_explanation found;
    if (store->requests->explain(store, &events[i], &found, NULL) != LH_OK) return -1;
    for (size_t at = 0; at < found.count; at++) {
      const struct lh_explained *row = &found.rows[at];
      int same = memcmp(&row->webhook.id, webhook, sizeof *webhook) == 0;
      if (same && row->covered && row->subscribed && row->mode != LH_SPAN_SKIP) wanted++;
    }
    lh_explanation_clear(&found);
  }
  return wanted;
}

static const char *events_of(struct lh_store *store, const struct lh_id *webhook,
                             const struct lh_id *events, size_t count) {
  struct sums sums = {0};
  struct lh_stats stats;
  const struct lh_stats_query query = {.webhook_id = webhook};
  if (add_all(store, webhook, &sums) != 0) return "requests cannot be listed";
  if (store->admin->stats(store, &query, &stats, NULL) != LH_OK) return "no figures";
  int64_t wanted = wanted_by(store, webhook, events, count);
  if (sums.events + stats.sum.waiting == wanted) return NULL;
  snprintf(complaint, sizeof complaint,
           "events: %" PRId64 " wanted, %" PRId64 " in requests, %" PRId64 " waiting", wanted,
           sums.events, stats.sum.waiting);
  return complaint;
}

const char *recount_events(struct lh_store *store, const struct lh_id *events, size_t count) {
  struct lh_webhook_list list;
  const char *wrong = NULL;
  if (store->admin->webhook_list(store, &(struct lh_webhook_query){.with_deleted = 1}, &list,
                                 NULL) != LH_OK)
    return "webhooks cannot be listed";
  for (size_t i = 0; i < list.count && wrong == NULL; i++)
    wrong = events_of(store, &list.rows[i].id, events, count);
  lh_webhook_list_clear(&list);
  return wrong;
}
