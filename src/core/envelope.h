/*
** The body of a request (wire-format.md), written event by event into a
** buffer that the caller keeps and reuses. An event's data goes in as its
** own bytes. Same events, id and date: same bytes, at every attempt.
*/
#ifndef LH_CORE_ENVELOPE_H
#define LH_CORE_ENVELOPE_H

#include "core/event.h"

/* A growing buffer. Zero it before first use; `begin` keeps its memory. */
struct lh_buffer {
  char *at;
  size_t len;
  size_t cap;
};
void lh_buffer_free(struct lh_buffer *buffer);
/* Adds bytes. 0 or LH_E_MEMORY (the buffer is then unchanged). */
int lh_buffer_add(struct lh_buffer *buffer, const void *at, size_t len);

#define LH_CREATED_DATE_LEN 19 /* MM/DD/YYYY HH:MM:SS */
/* UTC; a leap second cannot occur in Unix time. Years 1970 to 9999. */
void lh_created_date(int64_t created_ms, char out[LH_CREATED_DATE_LEN + 1]);

/*
** The count stands before the events but is known after them: `begin` leaves
** LH_ENVELOPE_BYTES of room, `end` writes the opening right before the first
** event. begin and add return 0 or LH_E_MEMORY.
*/
int lh_envelope_begin(struct lh_buffer *buffer);
int lh_envelope_add(struct lh_buffer *buffer, const struct lh_event *event);
/* Completes it; *body points into the buffer (valid until its next change). 0 or LH_E_MEMORY. */
int lh_envelope_end(struct lh_buffer *buffer, const struct lh_id *request_id, int32_t count,
                    int64_t created_ms, struct lh_slice *body);
/*
** Room kept for the opening; and what one event adds beside its type and data
** (with its comma). Both are upper bounds. Used by the batcher.
*/
#define LH_ENVELOPE_BYTES 128
#define LH_ENVELOPE_EVENT_BYTES 64

#endif
