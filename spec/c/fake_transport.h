/*
** A network without sockets: endpoints that answer by script, transports (one
** per worker) whose transfers end when the fake clock says so, and a hook that
** sees every POST that would have gone over the wire. A call goes to the same
** endpoints; the hook does not see it.
*/
#ifndef SPEC_FAKE_TRANSPORT_H
#define SPEC_FAKE_TRANSPORT_H

#include "core/limits.h"
#include "fake_clock.h"
#include "transport/transport.h"

#define FAKE_ANSWERS_MAX 64
#define FAKE_ENDPOINTS_MAX 32
#define FAKE_FLIGHTS_MAX 1024 /* of one transport */

enum fake_kind {
  FAKE_ANSWER,   /* outcome, status, uploaded, after after_ms */
  FAKE_NEVER,    /* no answer before the timeout */
  FAKE_SHORTAGE, /* start() itself refuses: descriptors or memory ran out */
  FAKE_UNUSABLE  /* start() refuses the URL */
};

struct fake_answer {
  enum fake_kind kind;
  enum lh_outcome outcome;
  int status;
  int uploaded;
  int64_t after_ms;
  int64_t retry_after_ms;
  int times;           /* how often it is given before the next one */
  const char *headers; /* of a call's answer: "a: b"; NULL: none */
  const char *body;    /* … NULL: empty */
};

struct fake_endpoint {
  char url[LH_URL_MAX + 1];
  struct fake_answer answers[FAKE_ANSWERS_MAX]; /* the last one is given for ever */
  size_t answer_count;
  size_t next;
  int given;        /* times of answers[next] */
  size_t in_flight; /* over all transports */
};

struct fake_network {
  struct fake_clock *clock;
  struct fake_endpoint endpoints[FAKE_ENDPOINTS_MAX];
  size_t endpoint_count;
  void *self;                                           /* of the hook */
  void (*sent)(void *self, const struct lh_post *post); /* may be NULL */
};

/* By URL; a new one answers 200 at once. */
struct fake_endpoint *fake_network_endpoint(struct fake_network *network, const char *url);
/* _begin empties the script, _add appends to it. */
void fake_endpoint_script_begin(struct fake_endpoint *endpoint);
void fake_endpoint_script_add(struct fake_endpoint *endpoint, const struct fake_answer *answer);

struct fake_flight {
  struct lh_post post; /* of a mail: its tag alone */
  int is_mail;
  int is_call;
  struct lh_call call;
  struct fake_endpoint *endpoint;
  struct fake_answer answer;
  int64_t started_ms; /* monotonic */
  int64_t ends_ms;
};

struct fake_transport {
  struct lh_transport door; /* first: give &door to the engine */
  struct fake_network *network;
  struct fake_flight *flights; /* in the order of starting */
  size_t flight_count;
  int64_t bytes_now; /* of bodies in flight */
  int64_t bytes_max; /* the most there ever was */
  size_t flights_max;
  int unsent;                        /* cancel() answers 1 */
  enum lh_mail_verdict mail_verdict; /* of every mail, mail_after_ms after its start */
  int64_t mail_after_ms;
  int mail_code;  /* what mail() answers */
  size_t mails;   /* handed over so far */
  int trickles;   /* a poll gives one result at most */
  int waited_ms;  /* what the last poll was allowed to wait */
  size_t watched; /* descriptors it was given */
};

void fake_transport_init(struct fake_transport *transport, struct fake_network *network);
/* Frees the flights; the engine must be closed. */
void fake_transport_clear(struct fake_transport *transport);
/* When the next transfer ends (monotonic), INT64_MAX if none flies. */
int64_t fake_transport_next_ms(const struct fake_transport *transport);

#endif
