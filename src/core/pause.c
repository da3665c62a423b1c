/* The verdict that pauses a webhook. What follows from it is the store's work. */
#include "core/pause.h"

int lh_pause_due(int32_t failed_in_a_row, int32_t pause_after) {
  return pause_after > 0 && failed_in_a_row >= pause_after;
}
