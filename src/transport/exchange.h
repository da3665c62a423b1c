/*
** Inside of the transport room: one exchange (a POST and the easy handle it
** keeps for life, or a call or mail with one of its own) and the transport that owns
** them. An exchange walks unused → flying (in the multi handle) → done (waits
** to be handed out) → shown (its texts are borrowed by the caller) → unused;
** a POST's is not freed before close. Who does what: open.c opens, curl.c
** walks, pool.c keeps, options.c sets up, guard.c refuses addresses, answer.c
** reads the answer, verdict.c judges; call.c has what is other with calls, mail.c
** and smtp.c do all that for mails.
*/
#ifndef LH_TRANSPORT_EXCHANGE_H
#define LH_TRANSPORT_EXCHANGE_H

#include <curl/curl.h>

#include "core/limits.h"
#include "transport/smtp.h"
#include "transport/transport.h"

#define LH_EXCHANGE_ERROR_MAX 320 /* an outcome's sentence; CURL_ERROR_SIZE and some words */
#define LH_EXCHANGE_HEADERS_MAX                                                                    \
  1024 /* lines of one POST; LH_HEADERS_BYTES_MAX allows no more that make sense */

#define LH_URL_PLAIN "http is refused, use https; allow it with allow_http (LOYALHOOK_ALLOW_HTTP=1)"

/* Why the transport itself ended an exchange; callbacks can only say "stop". */
enum lh_stop {
  LH_STOP_NONE = 0,
  LH_STOP_ADDRESS,     /* guard: the address is refused, `error` says how to lift it */
  LH_STOP_SCHEME,      /* guard: plain http, likewise */
  LH_STOP_RESEND,      /* libcurl wanted to send the request again */
  LH_STOP_STATUS_LINE, /* not HTTP/1.0 or 1.1 with a three-digit status */
  LH_STOP_HEADER_FLOOD,
  LH_STOP_ANSWER_READ, /* enough of the answer's body was read */
  LH_STOP_MEMORY,      /* none for a call's headers */
  LH_STOP_ANSWER_LATE  /* … or enough time was spent on it */
};

/* Parsed headers of an answer; begun anew by every status line (1xx come before the final one). */
struct lh_answer {
  int status;
  int lengths;   /* Content-Length lines */
  int encodings; /* Transfer-Encoding lines */
  int odd;       /* its framing is doubtful: the connection must not be used again */
  int64_t retry_after_ms;
};

struct lh_curl;

/* What a mail has beyond an exchange. */
struct lh_mail_talk {
  struct lh_smtp smtp;
  curl_socket_t socket;             /* CURL_SOCKET_BAD while libcurl connects */
  int64_t until_ms;                 /* monotonic: time is up */
  int secret;                       /* 1: a password is sent while connecting */
  char greeting[LH_SMTP_REPLY_MAX]; /* last line of an answer while connecting */
};

/* What a call has beyond an exchange. */
struct lh_call_part {
  enum lh_method method;
  struct lh_call_answer *answer; /* the caller's */
  size_t answer_bytes_max;
  const char **headers; /* into `memory`, as is the body */
  size_t header_count;
  const char *body;
  char memory[];
};

struct lh_exchange {
  struct lh_exchange *next; /* in the list of its state; flying ones stand in lh_curl.flying */
  struct lh_curl *owner;
  CURL *easy;
  size_t place; /* index in lh_curl.flying */

  struct curl_slist *lines; /* line_cap nodes, linked per POST */
  size_t line_cap;
  void *tag;
  int64_t body_len;
  int exempt;

  int64_t started_ms; /* monotonic */
  int64_t finished_ms;
  int64_t read_until_ms; /* of the answer's body; 0 while the clock for it does not run */
  int sends;             /* times libcurl began to send the request; more than 1 never gets out */
  int socket_errno;      /* first own shortage met by socket(), 0 if none */
  int socket_family;     /* AF_* of the last socket opened */
  enum lh_stop stop;

  int answered; /* final headers are complete */
  struct lh_answer answer;
  size_t header_bytes; /* of all answers, 1xx too */
  int64_t read_bytes;  /* of the answer's body */
  size_t response_len;

  enum lh_outcome outcome; /* once done */
  int uploaded;
  struct lh_mail_talk *talk; /* NULL: no mail */
  struct lh_call_part *call; /* NULL: no call; with neither it is a POST */
  enum lh_mail_verdict verdict;
  enum lh_mail_stage stage;
  char detail[CURL_ERROR_SIZE];
  char error[LH_EXCHANGE_ERROR_MAX];
  char response[LH_RESPONSE_KEEP_BYTES];
};

/* First in, first out. */
struct lh_exchange_queue {
  struct lh_exchange *head;
  struct lh_exchange **tail;
  size_t count;
};

struct lh_curl {
  struct lh_transport base;
  CURLM *multi;
  const struct lh_clock *clock;
  int allow_http;
  struct lh_network *networks;
  size_t network_count;
  char *ca_file; /* NULL: as libcurl was built */
  size_t connections_max;

  struct lh_exchange **flying;
  size_t flying_count;
  size_t flying_cap;
  size_t answered_count; /* flying POSTs whose final headers are complete */
  size_t fresh_count;    /* flying ones libcurl has not looked at yet */
  struct lh_exchange *mails[LH_MAILS_IN_FLIGHT_MAX]; /* flying ones that are mails */
  size_t mail_count;
  struct lh_exchange_queue done;
  struct lh_exchange *shown;
  struct lh_exchange *unused;
};

/* curl.c: the transport itself; close also ends one that open could not finish. */
extern const struct lh_transport_ops lh_curl_ops;
void lh_curl_close(struct lh_transport *transport);

/*
** pool.c: an unused exchange, made if there is none (LH_E_MEMORY, LH_E_CONFIG), or a new one in any
** case; and the lists. A call or mail that is put back is freed.
*/
int lh_pool_new(struct lh_curl *owner, struct lh_exchange **out, struct lh_error *err);
int lh_pool_take(struct lh_curl *owner, struct lh_exchange **out, struct lh_error *err);
void lh_pool_put(struct lh_curl *owner, struct lh_exchange *exchange);
void lh_pool_show(struct lh_curl *owner, struct lh_exchange *exchange);
void lh_pool_recycle(struct lh_curl *owner); /* shown → unused */
void lh_pool_free(struct lh_curl *owner);    /* none may be flying */
void lh_queue_put(struct lh_exchange_queue *queue, struct lh_exchange *exchange);
struct lh_exchange *lh_queue_take(struct lh_exchange_queue *queue); /* must not be empty */

/* options.c: settings of an easy handle. 0, LH_E_MEMORY or LH_E_CONFIG (this libcurl lacks one). */
int lh_options_prepare(struct lh_exchange *exchange, struct lh_error *err);
/* What differs from one to another, all of it. Codes: LH_E_INVALID, LH_E_MEMORY. */
int lh_options_apply(struct lh_exchange *exchange, const struct lh_post *post,
                     struct lh_error *err);

CURLcode lh_options_tls(CURL *easy, const char *ca_file); /* certificates and versions */

/*
** call.c: an exchange for a call, checked and copied; *post is what it has in common with a POST,
** borrowed from it. Codes as of transport.h's call.
*/
int lh_call_new(struct lh_curl *owner, const struct lh_call *call, struct lh_exchange **out,
                struct lh_post *post, struct lh_error *err);
CURLcode lh_call_options(const struct lh_exchange *exchange); /* the method */
/* The parts of a final answer, and its beginning anew after a 1xx. 0: no memory. */
void lh_call_answer_begin(struct lh_exchange *exchange);
int lh_call_header(struct lh_exchange *exchange, const char *line, size_t len);
/* As a libcurl callback: all of `len`, or 0 to end the transfer. */
size_t lh_call_body(struct lh_exchange *exchange, const char *bytes, size_t len);
/* As lh_verdict_reach. */
void lh_call_judge(struct lh_exchange *exchange, CURLcode code);

/* mail.c: a mail, ready to fly. Codes as of transport.h's mail. */
int lh_mail_new(struct lh_curl *owner, const struct lh_mail *mail, struct lh_exchange **out,
                struct lh_error *err);
void lh_mail_free(struct lh_mail_talk *talk);
/* libcurl has done its part. 0 if the connection is not there any more. */
int lh_mail_connected(struct lh_exchange *exchange);
/* Says and hears what can be said and heard without waiting. 1 when it is over. */
int lh_mail_move_on(struct lh_exchange *exchange, int64_t now_ms);
/* What a mail that is talking waits for. */
struct curl_waitfd lh_mail_waits(const struct lh_exchange *exchange);
/* Fills verdict, outcome and error of one that is over, or whose connecting failed with `code`. */
void lh_mail_judge(struct lh_exchange *exchange, CURLcode code);

/* guard.c: libcurl's callbacks; one is asked before connecting, the other before every send. */
curl_socket_t lh_guard_socket(void *exchange, curlsocktype purpose, struct curl_sockaddr *address);
int lh_guard_request(void *exchange, char *peer, char *local, int peer_port, int local_port);
/* Writes "address A is R; allow it with …". `ip` is the address as text. */
void lh_guard_explain(char *out, size_t out_cap, const char *ip, const char *refused);
/* Parses an address without brackets or zone; mapped IPv4 becomes IPv4. 1 if it is one. */
int lh_guard_parse(const char *ip, struct lh_address *address);
/* 1 if `number` (an errno) is a shortage of this machine and says nothing about the peer. */
int lh_guard_shortage(int number);

/* answer.c: libcurl's callbacks for the answer. */
size_t lh_answer_header(char *line, size_t size, size_t count, void *exchange);
size_t lh_answer_body(char *bytes, size_t size, size_t count, void *exchange);
/* 1 if the whole body has been handed to the network. */
int lh_answer_uploaded(const struct lh_exchange *exchange);

/* verdict.c: fills outcome, uploaded and error of an exchange that ended with `code`. */
void lh_verdict_reach(struct lh_exchange *exchange, CURLcode code);
/* The parts of it that others share: an outcome, a sentence about an own shortage, … */
enum lh_outcome lh_verdict_outcome(const struct lh_exchange *exchange, CURLcode code);
void lh_verdict_explain_local(struct lh_exchange *exchange, CURLcode code);
/* … or any other, to an outcome that is not ANSWERED, … */
void lh_verdict_explain(struct lh_exchange *exchange, CURLcode code);
/* … and any sentence as one printable line, without userinfo and query of a URL in it. */
void lh_verdict_text(char *out, size_t out_cap, const char *from);

/* url.c: what the text alone tells, cheap enough for every POST. 0 or LH_E_INVALID. */
int lh_url_inspect(const char *url, size_t len_max, int *https, struct lh_error *err);

#endif
