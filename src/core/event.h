/*
** The rules for one event before it is accepted (design §3.16, wire-format.md)
** and the search key that the log keeps of it.
*/
#ifndef LH_CORE_EVENT_H
#define LH_CORE_EVENT_H

#include <stdint.h>

#include "core/id.h"
#include "core/json.h"

/* One event as a reader sees it. Pointers are borrowed and end with the call that showed them. */
struct lh_event {
  int64_t position;
  struct lh_id id;
  const char *event_type; /* NUL-terminated */
  const char *account;    /* NUL-terminated; may be NULL where only one account is in play */
  int64_t created_ms;
  const char *data; /* the bytes of one JSON object, as they came */
  size_t data_len;
};

/* [A-Za-z0-9._-]{1,64}. 0 or LH_E_INVALID. */
int lh_account_check(const char *account, size_t len, struct lh_error *err);
/* Of a source, the same. */
int lh_source_check(const char *source, size_t len, struct lh_error *err);
/* [a-z0-9_.]{1,64}. 0 or LH_E_INVALID. */
int lh_event_type_check(const char *event_type, size_t len, struct lh_error *err);

/*
** Data of an event: at most LH_EVENT_BYTES_MAX bytes, one JSON object, depth
** LH_JSON_DEPTH_MAX, UTF-8. Codes: LH_E_TOO_LARGE, LH_E_INVALID.
*/
int lh_event_data_check(const char *data, size_t len, struct lh_error *err);

/*
** member_info.member_id, else member_info.id, of checked data: a string's
** text or a number's digits, at most LH_MEMBER_MAX bytes. The first, if a name
** is repeated. Returns its length, 0 if there is none or it is longer.
*/
size_t lh_event_member(const char *data, size_t len, char out[LH_MEMBER_MAX]);

#endif
