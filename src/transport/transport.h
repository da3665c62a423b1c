/*
** Door of the transport room: exchanges of three kinds (a webhook's POST, a
** mail, a handler's call), many at once, no threads, no callbacks into the
** caller. A transport is a struct of functions so that scenarios and the
** simulator can put another one in place; curl.c is the real one.
*/
#ifndef LH_TRANSPORT_TRANSPORT_H
#define LH_TRANSPORT_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

#include "clock/clock.h"
#include "core/address.h"
#include "core/envelope.h"
#include "core/error.h"
#include "core/outcome.h"

/*
** One POST. All pointers are borrowed until its result has been returned (or
** the transfer cancelled). `headers` are complete lines "Name: value"; the
** transport adds none but Host, Content-Length and User-Agent, and a line
** without a value is not sent.
*/
struct lh_post {
  const char *url;
  const char *const *headers;
  size_t header_count;
  const void *body;
  size_t body_len;
  int32_t timeout_ms; /* total */
  int32_t connect_timeout_ms;
  int exempt; /* 1: a person typed this URL; address guard and https-only do not apply */
  void *tag;  /* comes back in the result; of each POST in flight another one */
};

/*
** One mail to an SMTP server that a person has named: the address guard does
** not apply. Everything is copied. smtp:// means STARTTLS, without which
** nothing is sent, smtps:// TLS from the first byte.
*/
struct lh_mail {
  const char *url;      /* smtp://host[:port] or smtps://host[:port] */
  int cleartext;        /* 1: smtp:// without TLS, as a person has configured */
  const char *user;     /* NULL: no AUTH */
  const char *password; /* "" if there is none; never shows in an error */
  const char *from;
  const char *const *to;
  size_t to_count;     /* 1..LH_NOTIFY_MAX */
  const void *message; /* RFC 5322: lines of ASCII, each with CRLF; dots are the transport's care */
  size_t message_len;
  int32_t timeout_ms; /* total */
  int32_t connect_timeout_ms;
  void *tag; /* comes back in the result; of each exchange in flight another one */
};

enum lh_method {
  LH_METHOD_GET,  /* no body */
  LH_METHOD_HEAD, /* no body, and none comes back */
  LH_METHOD_POST,
  LH_METHOD_PUT,
  LH_METHOD_PATCH,
  LH_METHOD_DELETE
};

/* Where a call's answer goes: the caller's, who frees the buffers. */
struct lh_call_answer {
  struct lh_buffer headers; /* of the final answer: name in lower case, NUL, value, NUL, … */
  struct lh_buffer body;    /* as it came: nothing is decoded */
  int truncated; /* 1: the body goes on; what was kept ends at a maximum or for want of memory */
  int64_t *room; /* bytes that all answers together may still take; each takes its own off */
};

/*
** One HTTP request of a handler, with its answer back. All but `answer` is
** copied; that is borrowed and, until the result has been returned (or the
** call cancelled), the transport's. The rules for webhooks hold: address guard
** and https-only, no redirects, no proxies, no cookies, never sent twice.
*/
struct lh_call {
  enum lh_method method;
  const char *url;            /* at most LH_CALL_URL_MAX bytes */
  const char *const *headers; /* lines; not those of framing and connection (core/header.h) */
  size_t header_count;
  const void *body; /* at most LH_CALL_BODY_MAX bytes */
  size_t body_len;
  int32_t timeout_ms; /* total, the answer's body included */
  int32_t connect_timeout_ms;
  size_t answer_bytes_max; /* of the answer's body; the rest is neither kept nor waited for */
  struct lh_call_answer *answer;
  void *tag; /* comes back in the result; of each exchange in flight another one */
};

enum lh_exchange_kind { LH_EXCHANGE_POST, LH_EXCHANGE_MAIL, LH_EXCHANGE_CALL };

/* Filled for one finished exchange. Texts are borrowed until the next poll, cancel or close. */
struct lh_post_result {
  void *tag;
  enum lh_exchange_kind kind;
  enum lh_mail_verdict verdict; /* of a mail, and the next too */
  enum lh_mail_stage stage;
  /*
  ** Of a call answered means: all of the answer came, or as much of its body as was wanted. With
  ** any other outcome `answer` holds what came.
  */
  enum lh_outcome outcome;
  int status;   /* final status (of a mail: SMTP code) if the outcome is answered, else 0; of a call
                 also if its answer broke off in the body */
  int sent;     /* of a POST or call: 0 if no byte of its request has left this machine */
  int uploaded; /* 1 if the whole body was handed to the network before the answer ended */
  int64_t duration_ms;
  int64_t retry_after_ms; /* seconds or date, clamped to 0..2^31; 0 if none or garbage */
  const char *response;   /* first LH_RESPONSE_KEEP_BYTES of the answer's body */
  size_t response_len;
  /*
  ** One line, "" if answered and uploaded, or accepted for all recipients; never with userinfo or
  ** a query.
  */
  const char *error;
};

struct lh_transport;

struct lh_transport_ops {
  /*
  ** Starts a POST; no byte leaves before the next poll. 0, or LH_E_SHORTAGE /
  ** LH_E_MEMORY, or LH_E_INVALID (the URL or a header line cannot be used). A
  ** URL that is refused by the deployment's rules starts, and ends as blocked.
  */
  int (*start)(struct lh_transport *transport, const struct lh_post *post, struct lh_error *err);
  /* The same for a call. LH_E_INVALID, LH_E_TOO_LARGE. */
  int (*call)(struct lh_transport *transport, const struct lh_call *call, struct lh_error *err);
  /* The same for a mail. LH_E_LIMIT if LH_MAILS_IN_FLIGHT_MAX are under way, LH_E_TOO_LARGE. */
  int (*mail)(struct lh_transport *transport, const struct lh_mail *mail, struct lh_error *err);
  /*
  ** Moves all transfers on. Waits up to timeout_ms for the network or for one
  ** of `fds` (at most 16) to become readable, then returns the number of
  ** finished exchanges written to results (at most results_max; the rest comes
  ** with the next call, which then does not wait).
  */
  size_t (*poll)(struct lh_transport *transport, int timeout_ms, const int *fds, size_t fd_count,
                 struct lh_post_result *results, size_t results_max);
  /*
  ** Drops the transfer with this tag. 1 if no byte of its request had left (of
  ** a mail: if the server cannot have got its end), 0 if bytes had (or may
  ** have), or if no transfer has this tag.
  */
  int (*cancel)(struct lh_transport *transport, void *tag);
  size_t (*in_flight)(const struct lh_transport *transport);
  void (*close)(struct lh_transport *transport); /* cancels all */
};

struct lh_transport {
  const struct lh_transport_ops *ops;
};

/* What a deployment allows; copied at open. */
struct lh_transport_options {
  int allow_http;                    /* plain http:// URLs */
  const struct lh_network *networks; /* exceptions to the address guard */
  size_t network_count;
  const char *ca_file;    /* trusted instead of the system's bundle; NULL: the system's */
  size_t connections_max; /* idle connections kept; 0: LH_CONCURRENCY_DEFAULT */
};

/*
** The libcurl transport. The process should ignore SIGPIPE (libcurl sends
** with MSG_NOSIGNAL, but a TLS library may write by itself). Name lookups run
** in libcurl's threads, which may outlive close: the code must stay loaded.
** Not usable after a fork. Codes: LH_E_CONFIG (ca_file cannot be read, or
** this libcurl is not fit), LH_E_MEMORY.
*/
int lh_transport_curl_open(const struct lh_transport_options *options, const struct lh_clock *clock,
                           struct lh_transport **transport, struct lh_error *err);

/* "libcurl/7.88.1 GnuTLS/3.7.9 …"; borrowed. */
const char *lh_transport_version(void);

/* The system's bundle of certificates, trusted where no ca_file is given; NULL if none is found. */
const char *lh_transport_bundle(void);

/*
** Checks and normalises a webhook URL (design §3.9): http or https only, no
** userinfo, no fragment, no backslash, space or control characters, host not
** empty, at most LH_URL_MAX bytes; case of scheme and host folded, default
** port dropped, empty path "/". `out` gets the form used for uniqueness.
** Refuses http unless allow_http, and IP literals that the guard would refuse
** (a courtesy; the rule is applied when connecting). LH_E_INVALID, with a
** message that starts "url: " and names the setting that lifts it.
*/
int lh_url_check(const char *url, const struct lh_transport_options *options, char *out,
                 size_t out_cap, struct lh_error *err);
/* smtp:// or smtps://, a host, perhaps a port, nothing else. LH_E_INVALID: "url: …". */
int lh_url_check_mail(const char *url, struct lh_error *err);

#endif
