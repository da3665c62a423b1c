/*
** What a webhook did in a short span of time: counts, and how long attempts and
** deliveries took, in buckets whose width grows with the length (four to a
** doubling, so a percentile is at most a quarter too high). Kept as a few dozen bytes;
** figures of several spans or webhooks are added up.
*/
#ifndef LH_CORE_FIGURES_H
#define LH_CORE_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#define LH_FIGURES_MS INT64_C(300000) /* one span: 12 an hour keep rates close to now */
#define LH_LENGTHS 120                /* buckets; the last one begins at 20 days */

/* How many lengths of time fell into each bucket. */
struct lh_lengths {
  uint32_t counts[LH_LENGTHS];
};

struct lh_figures {
  int64_t delivered;        /* requests */
  int64_t delivered_events; /* in them */
  int64_t failed;           /* requests */
  int64_t attempts;
  int64_t failed_attempts;    /* of them: without success, or lost */
  struct lh_lengths attempt;  /* of attempts whose end was seen */
  struct lh_lengths delivery; /* from the oldest event's emit to its request's delivery */
};

/* Which bucket a length belongs to; negative ones to the first. */
int lh_lengths_bucket(int64_t length_ms);
/* Longest length that belongs to a bucket. */
int64_t lh_lengths_end(int bucket);
void lh_lengths_add(struct lh_lengths *lengths, int64_t length_ms);
/*
** The length that `percent` (1..100) of all do not exceed, rounded up to its bucket's end; -1 if
** there is none.
*/
int64_t lh_lengths_percentile(const struct lh_lengths *lengths, int percent);

/* Adds `from` to *into. */
void lh_figures_merge(struct lh_figures *into, const struct lh_figures *from);
/* Begin of the span that a moment lies in. */
int64_t lh_figures_span(int64_t now_ms);

#define LH_FIGURES_BYTES_MAX 1600
/* Writes them; returns the bytes used, at most LH_FIGURES_BYTES_MAX. 0: all is zero. */
size_t lh_figures_encode(const struct lh_figures *figures, unsigned char *out);
/*
** Reads what was written. 0, or LH_E_INVALID (then *figures is zero): they are only figures, so a
** caller may go on without.
*/
int lh_figures_decode(const unsigned char *at, size_t len, struct lh_figures *figures);

#endif
