/*
** A verified body as the receiver reads it (design §3.17): its events, each
** with its id, type, member and the exact bytes of its data. The sending
** side's counterpart is envelope.h. Nothing here verifies a signature or
** knows what was received before.
*/
#ifndef LH_CORE_RECEIVED_H
#define LH_CORE_RECEIVED_H

#include "core/json.h"
#include "core/signature.h"

/* One event. Texts are decoded, not NUL-terminated, and without control characters. */
struct lh_received {
  const char *event_id; /* 1..LH_RECEIVED_ID_MAX bytes */
  size_t event_id_len;
  const char *event_type; /* 1..LH_RECEIVED_TYPE_MAX bytes */
  size_t event_type_len;
  const char *member; /* as lh_event_member finds it; NULL: none */
  size_t member_len;
  const char *data; /* one JSON object, the bytes as they came; lies in the body */
  size_t data_len;
};

/* What to read. All borrowed; the body must live as long as the events. */
struct lh_received_body {
  const char *text;
  size_t len;
  enum lh_scheme scheme;
  const char *id; /* webhook-id; LH_SCHEME_STANDARD only */
  size_t id_len;
};

#define LH_RECEIVED_COUNT_LEN 20 /* of total_count, kept for a message */

/* Zero it before first use; each parse begins it anew and keeps its memory. */
struct lh_received_list {
  struct lh_received *events;
  size_t count; /* may be 0: an envelope without events is one */
  size_t cap;
  char *texts; /* what the events' ids, types and members point to */
  size_t texts_len, texts_cap;
  /* What total_count says, cut to fit, where it is not the number of events; else "". */
  char total_count[LH_RECEIVED_COUNT_LEN + 1];
};

/*
** Reads strict JSON whose `events` is an array of { id: string, event_type:
** string, data: object }; other keys are ignored, of a repeated one the last
** counts. With LH_SCHEME_STANDARD a body without `events` is one event: its id
** is the webhook-id, its event_type is `type`, its data is the body.
** Codes: LH_E_INVALID with a sentence that names the event, "events[2]: id is
** missing" (the first is 1); LH_E_MEMORY. Then the list has no events.
*/
int lh_received_parse(const struct lh_received_body *body, struct lh_received_list *list,
                      struct lh_error *err);
void lh_received_free(struct lh_received_list *list);

#endif
