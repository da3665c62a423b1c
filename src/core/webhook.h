/*
** A webhook's configuration and the rules its values obey (design §3.9). The
** URL's own form is checked by the transport, which knows how it will be used.
*/
#ifndef LH_CORE_WEBHOOK_H
#define LH_CORE_WEBHOOK_H

#include <stdint.h>

#include "core/id.h"
#include "core/signature.h"

enum lh_status {
  LH_STATUS_ENABLED,  /* from create or enable; leaves by pause, disable, delete */
  LH_STATUS_PAUSED,   /* by failures or an unreadable secret; leaves by enable, disable, delete */
  LH_STATUS_DISABLED, /* from disable; leaves by enable, delete */
  LH_STATUS_DELETED   /* from delete; final */
};
const char *lh_status_name(enum lh_status status);

enum lh_success {
  LH_SUCCESS_200, /* exactly 200 */
  LH_SUCCESS_2XX  /* 200 to 299 */
};

struct lh_webhook {
  struct lh_id id;
  char account[LH_ACCOUNT_MAX + 1];
  char name[LH_NAME_MAX + 1];
  char url[LH_URL_MAX + 1]; /* as given */
  char *event_types;        /* selectors joined by '\n': a type, "category:x" or "*"; owned */
  char *headers;            /* custom headers, "Name: value" joined by '\n', or NULL; owned */
  char *retry_schedule;     /* seconds joined by ',', or NULL; owned */
  enum lh_status status;
  char status_reason[64]; /* why paused/disabled; "" while enabled */
  int64_t status_since_ms;
  int32_t batch_size;
  int32_t batch_bytes_max;
  int32_t batch_wait_ms;
  int32_t retries_max;
  int32_t retry_interval_s;
  int32_t pause_after;
  int32_t failed_in_a_row;
  int32_t timeout_ms;
  int32_t max_in_flight;
  int ordered;
  enum lh_success success;
  enum lh_scheme scheme;
  int64_t waits_until_ms;    /* due times of an earlier retry policy are no later; 0: none */
  int64_t secret_rotates_ms; /* when a waiting secret takes over; 0: none waits */
  int64_t revision;          /* rises with every change of what is configured, and of the status */
  int64_t created_ms;
  int64_t updated_ms;
};

/* What an edit sets, a bit for each field. Account, secret and status have ways of their own. */
enum lh_webhook_field {
  LH_FIELD_NAME = 1 << 0,
  LH_FIELD_URL = 1 << 1,
  LH_FIELD_EVENT_TYPES = 1 << 2,
  LH_FIELD_HEADERS = 1 << 3,
  LH_FIELD_RETRY_SCHEDULE = 1 << 4,
  LH_FIELD_BATCH_SIZE = 1 << 5,
  LH_FIELD_BATCH_BYTES_MAX = 1 << 6,
  LH_FIELD_BATCH_WAIT_MS = 1 << 7,
  LH_FIELD_RETRIES_MAX = 1 << 8,
  LH_FIELD_RETRY_INTERVAL_S = 1 << 9,
  LH_FIELD_PAUSE_AFTER = 1 << 10,
  LH_FIELD_TIMEOUT_MS = 1 << 11,
  LH_FIELD_MAX_IN_FLIGHT = 1 << 12,
  LH_FIELD_ORDERED = 1 << 13,
  LH_FIELD_SUCCESS = 1 << 14,
  LH_FIELD_SCHEME = 1 << 15
};
struct lh_webhook_edit {
  unsigned fields;          /* set of enum lh_webhook_field */
  struct lh_webhook values; /* of these fields; the others are not looked at */
  const char *url_normal;   /* the form of values.url that is unique; with LH_FIELD_URL */
};

/*
** A name that a person gives: 1 to LH_NAME_MAX bytes of UTF-8 without control characters, no form
** of an id, since commands take either. LH_E_INVALID: "name: …".
*/
int lh_name_check(const char *name, struct lh_error *err);

/* Defaults of design §3 for everything that has one; the rest empty. */
void lh_webhook_init(struct lh_webhook *webhook);
/* Frees the owned texts, not the struct. */
void lh_webhook_clear(struct lh_webhook *webhook);
/*
** Ranges, name (1..LH_NAME_MAX bytes of UTF-8 without control characters, no form of an id),
** account, selectors (form only; whether a type exists is the catalogue's
** business), headers. LH_E_INVALID names the field first: "batch_size: …".
*/
int lh_webhook_check(const struct lh_webhook *webhook, struct lh_error *err);
/*
** Copies the fields of an edit into a webhook; whether the result obeys the
** rules is for lh_webhook_check to say. 0, or LH_E_MEMORY (some may be set).
*/
int lh_webhook_apply(struct lh_webhook *webhook, const struct lh_webhook_edit *edit,
                     struct lh_error *err);
/*
** No wait for a retry is longer than this under the present policy; Retry-After, which may double
** an interval, and jitter are in it.
*/
int64_t lh_webhook_longest_wait_ms(const struct lh_webhook *webhook);
/* 1 if one of the selectors names this type, its category, or all. */
int lh_webhook_subscribes(const char *event_types, const char *event_type, const char *category);

#endif
