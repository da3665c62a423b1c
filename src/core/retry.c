/* Waiting times: between attempts of one request, and of a webhook that fails. */
#include "core/retry.h"

#include <assert.h>
#include <stddef.h>

#include "core/limits.h"

#define JITTER_PPM_MAX 1000000
#define JITTER_PART 10 /* full jitter adds a tenth */

/* Later than the end of time is the end of time. */
static int64_t later(int64_t time_ms, int64_t wait_ms) {
  return time_ms > INT64_MAX - wait_ms ? INT64_MAX : time_ms + wait_ms;
}

int64_t lh_retry_due(const struct lh_retry_policy *policy, int32_t attempt_of_budget,
                     int64_t ended_ms, int64_t retry_after_ms, uint32_t jitter_ppm) {
  assert(attempt_of_budget >= 1 && policy->interval_ms >= 0);
  int64_t interval_ms = policy->interval_ms;
  int64_t wait_ms = interval_ms;
  if (policy->schedule_s != NULL && policy->schedule_count > 0) {
    int32_t last = policy->schedule_count - 1;
    int32_t entry = attempt_of_budget - 1 < last ? attempt_of_budget - 1 : last;
    uint32_t jitter = jitter_ppm < JITTER_PPM_MAX ? jitter_ppm : JITTER_PPM_MAX;
    interval_ms = (int64_t)policy->schedule_s[entry] * 1000;
    wait_ms = interval_ms + interval_ms * jitter / (JITTER_PPM_MAX * (int64_t)JITTER_PART);
  }
  int64_t asked_ms = retry_after_ms < 2 * interval_ms ? retry_after_ms : 2 * interval_ms;
  return later(ended_ms, asked_ms > wait_ms ? asked_ms : wait_ms);
}

int lh_retry_exhausted(const struct lh_retry_policy *policy, int32_t attempts_of_budget) {
  return attempts_of_budget > policy->retries_max;
}

int64_t lh_retry_backoff_ms(int32_t in_a_row, int64_t interval_ms) {
  if (in_a_row <= 0) return 0;
  int doublings = in_a_row - 1 < 6 ? in_a_row - 1 : 6;
  int64_t wait_ms = INT64_C(1000) << doublings;
  if (wait_ms > LH_BACKOFF_MAX_MS) wait_ms = LH_BACKOFF_MAX_MS;
  return interval_ms > 0 && wait_ms > interval_ms ? interval_ms : wait_ms;
}
