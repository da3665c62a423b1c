/* When the next attempt is: pure functions of policy and times (design §3.2, §3.4, §3a.10). */
#ifndef LH_CORE_RETRY_H
#define LH_CORE_RETRY_H

#include <stdint.h>

struct lh_retry_policy {
  int32_t retries_max;       /* automatic retries after the first attempt */
  int64_t interval_ms;       /* from the end of the failed attempt */
  const int32_t *schedule_s; /* per retry instead of the interval; the last repeats; NULL: none */
  int32_t schedule_count;
};

/*
** Due time after attempt number `attempt_of_budget` (1 = the first) of the
** present budget ended at `ended_ms`. retry_after_ms (0: none) only lengthens,
** to at most twice the interval. jitter is 0..1,000,000 ppm of up to +10 %,
** used with a schedule only.
*/
int64_t lh_retry_due(const struct lh_retry_policy *policy, int32_t attempt_of_budget,
                     int64_t ended_ms, int64_t retry_after_ms, uint32_t jitter_ppm);
/* 1 if `attempts_of_budget` used up the budget (1 + retries_max). */
int lh_retry_exhausted(const struct lh_retry_policy *policy, int32_t attempts_of_budget);
/*
** 1, 2, 4 … s for the first, second, third … in a row, at most 60 s and at
** most interval_ms (0: no such bound).
*/
int64_t lh_retry_backoff_ms(int32_t in_a_row, int64_t interval_ms);

#endif
