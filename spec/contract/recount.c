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

const char *recount(struct lh_store *store) {
  struct lh_webhook_list list;
  const char *wrong = NULL;
  if (store->admin->webhook_list(store, NULL, 1, &list, NULL) != LH_OK)
    return "webhooks cannot be listed";
  for (size_t i = 0; i < list.count && wrong == NULL; i++)
    wrong = of_webhook(store, &list.rows[i].id);
  lh_webhook_list_clear(&list);
  return wrong != NULL ? wrong : of_webhook(store, NULL);
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
  if (store->admin->webhook_list(store, NULL, 1, &list, NULL) != LH_OK)
    return "webhooks cannot be listed";
  for (size_t i = 0; i < list.count && wrong == NULL; i++)
    wrong = events_of(store, &list.rows[i].id, events, count);
  lh_webhook_list_clear(&list);
  return wrong;
}
