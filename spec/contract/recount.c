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
      add_attempts(store, &list.rows[i].request_id, sums);
    }
    filter.after = list.next;
    lh_request_list_clear(&list);
  } while (filter.after != 0);
  return 0;
}

static const char *compare(const struct sums *sums, const struct lh_stats *stats) {
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
  if (store->admin->stats(store, webhook, &stats, NULL) != LH_OK) return "no figures";
  return compare(&sums, &stats);
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
