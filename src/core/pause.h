/* When failures pause a webhook: a verdict, nothing is done here (design §3.5). */
#ifndef LH_CORE_PAUSE_H
#define LH_CORE_PAUSE_H

#include <stdint.h>

/* 1 if `failed_in_a_row` failed requests reach the threshold; pause_after 0 never pauses. */
int lh_pause_due(int32_t failed_in_a_row, int32_t pause_after);

#endif
