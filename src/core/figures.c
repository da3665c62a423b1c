/* See figures.h. Written as LEB128 numbers: a version, the counts, and the buckets in use. */
#include "core/figures.h"

#include <string.h>

#include "core/error.h"

#define VERSION 1
#define EXACT 4 /* lengths below have a bucket each; then four to a doubling */

int lh_lengths_bucket(int64_t length_ms) {
  if (length_ms < EXACT) return length_ms < 0 ? 0 : (int)length_ms;
  int doublings = 63 - __builtin_clzll((unsigned long long)length_ms); /* 2 or more */
  int bucket = EXACT * (doublings - 1) + (int)((length_ms >> (doublings - 2)) & 3);
  return bucket < LH_LENGTHS ? bucket : LH_LENGTHS - 1;
}

int64_t lh_lengths_end(int bucket) {
  if (bucket < EXACT) return bucket;
  int doublings = bucket / EXACT + 1;
  int64_t begin = (INT64_C(4) + bucket % EXACT) << (doublings - 2);
  return begin + (INT64_C(1) << (doublings - 2)) - 1;
}

void lh_lengths_add(struct lh_lengths *lengths, int64_t length_ms) {
  uint32_t *count = &lengths->counts[lh_lengths_bucket(length_ms)];
  if (*count < UINT32_MAX) ++*count;
}

int64_t lh_lengths_percentile(const struct lh_lengths *lengths, int percent) {
  uint64_t all = 0, seen = 0;
  for (int i = 0; i < LH_LENGTHS; i++) all += lengths->counts[i];
  uint64_t wanted = (all * (uint64_t)percent + 99) / 100;
  for (int i = 0; i < LH_LENGTHS && all > 0; i++) {
    seen += lengths->counts[i];
    if (seen >= wanted && seen > 0) return lh_lengths_end(i);
  }
  return -1;
}

static void merge_lengths(struct lh_lengths *into, const struct lh_lengths *from) {
  for (int i = 0; i < LH_LENGTHS; i++) {
    uint32_t room = UINT32_MAX - into->counts[i];
    into->counts[i] += from->counts[i] < room ? from->counts[i] : room;
  }
}

void lh_figures_merge(struct lh_figures *into, const struct lh_figures *from) {
  into->delivered += from->delivered;
  into->delivered_events += from->delivered_events;
  into->failed += from->failed;
  into->attempts += from->attempts;
  into->failed_attempts += from->failed_attempts;
  merge_lengths(&into->attempt, &from->attempt);
  merge_lengths(&into->delivery, &from->delivery);
}

int64_t lh_figures_span(int64_t now_ms) {
  return now_ms - now_ms % LH_FIGURES_MS;
}

static size_t put(unsigned char *out, uint64_t number) {
  size_t len = 0;
  for (; number >= 0x80; number >>= 7) out[len++] = (unsigned char)(number | 0x80);
  out[len++] = (unsigned char)number;
  return len;
}

/* Returns the bytes read, 0: damage. */
static size_t get(const unsigned char *at, const unsigned char *end, uint64_t *number) {
  *number = 0;
  for (size_t len = 0; at + len < end && len < 9; len++) {
    *number |= (uint64_t)(at[len] & 0x7f) << (7 * len);
    if (at[len] < 0x80) return len + 1;
  }
  return 0;
}

/* Each bucket that holds any: how far behind the one before (from 1), and its count; then 0. */
static size_t put_lengths(unsigned char *out, const struct lh_lengths *lengths) {
  size_t len = 0;
  int last = -1;
  for (int i = 0; i < LH_LENGTHS; i++) {
    if (lengths->counts[i] == 0) continue;
    len += put(out + len, (uint64_t)(i - last));
    len += put(out + len, lengths->counts[i]);
    last = i;
  }
  out[len++] = 0;
  return len;
}

static size_t get_lengths(const unsigned char *at, const unsigned char *end,
                          struct lh_lengths *lengths) {
  const unsigned char *from = at;
  uint64_t bucket = 0, gap, count;
  for (;;) {
    size_t used = get(at, end, &gap);
    at += used;
    if (used == 0) return 0;
    if (gap == 0) return (size_t)(at - from);
    used = get(at, end, &count);
    at += used;
    bucket += gap;
    if (used == 0 || gap > LH_LENGTHS || bucket > LH_LENGTHS || count > UINT32_MAX) return 0;
    lengths->counts[bucket - 1] = (uint32_t)count;
  }
}

static int is_zero(const struct lh_figures *figures) {
  return figures->delivered == 0 && figures->failed == 0 && figures->attempts == 0;
}

size_t lh_figures_encode(const struct lh_figures *figures, unsigned char *out) {
  const int64_t counts[] = {figures->delivered, figures->delivered_events, figures->failed,
                            figures->attempts, figures->failed_attempts};
  size_t len = 0;
  if (is_zero(figures)) return 0;
  out[len++] = VERSION;
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    len += put(out + len, (uint64_t)counts[i]);
  len += put_lengths(out + len, &figures->attempt);
  return len + put_lengths(out + len, &figures->delivery);
}

int lh_figures_decode(const unsigned char *at, size_t len, struct lh_figures *figures) {
  const unsigned char *end = at + len;
  int64_t *const counts[] = {&figures->delivered, &figures->delivered_events, &figures->failed,
                             &figures->attempts, &figures->failed_attempts};
  memset(figures, 0, sizeof *figures);
  if (len == 0) return LH_OK;
  size_t used = *at++ == VERSION;
  for (size_t i = 0; i < sizeof counts / sizeof *counts && used > 0; i++) {
    uint64_t number;
    used = get(at, end, &number);
    *counts[i] = (int64_t)number;
    at += used;
  }
  if (used > 0) at += used = get_lengths(at, end, &figures->attempt);
  if (used > 0) at += used = get_lengths(at, end, &figures->delivery);
  if (used > 0 && at == end) return LH_OK;
  memset(figures, 0, sizeof *figures);
  return LH_E_INVALID;
}
