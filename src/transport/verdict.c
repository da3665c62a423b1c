/*
** From how libcurl says a transfer ended to what happened to the attempt. A
** final status beats everything that came after it. Own shortages are told
** apart from the endpoint's failures, because only the latter may cost an
** attempt; a shortage counts only while no byte of the request has left.
*/
#include "transport/exchange.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a name lookup needs at once: two for libcurl's thread, a file, sockets to name servers. */
#define LOOKUP_DESCRIPTORS 8

/* getaddrinfo does not say that descriptors ran out; whether they are short now can be tried. */
static int descriptors_short(void) {
  int fds[LOOKUP_DESCRIPTORS];
  int count = 0;
  int number = 0;
  while (count < LOOKUP_DESCRIPTORS) {
    int fd = eventfd(0, EFD_CLOEXEC);
    if (fd < 0) {
      number = errno;
      break;
    }
    fds[count++] = fd;
  }
  for (int i = 0; i < count; i++) close(fds[i]);
  return number && lh_guard_shortage(number);
}

static void *nothing(void *unused) {
  return unused;
}

static int threads_short(void) {
  pthread_t thread;
  int number = pthread_create(&thread, NULL, nothing, NULL);
  if (number == 0) (void)pthread_join(thread, NULL);
  return number && lh_guard_shortage(number);
}

/* Names are looked up in threads. libcurl 7.88 fails without one, later ones wait in vain. */
static int lookup_short(const struct lh_exchange *exchange) {
  return strstr(exchange->detail, "thread failed") != NULL || descriptors_short() ||
         threads_short();
}

static int os_errno(const struct lh_exchange *exchange) {
  long number = 0;
  (void)curl_easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &number);
  return (int)number;
}

/* connect() has no local port left; for IPv6 that errno also means "no such family here". */
static int connect_short(const struct lh_exchange *exchange) {
  int number = os_errno(exchange);
  return number == ENOBUFS || number == ENOMEM || number == EAGAIN ||
         (number == EADDRNOTAVAIL && exchange->socket_family == AF_INET);
}

/* Before the first byte: was it this machine's own want? */
static int is_local(const struct lh_exchange *exchange, CURLcode code) {
  switch (code) {
  case CURLE_OUT_OF_MEMORY:
  case CURLE_FAILED_INIT:
  case CURLE_SSL_CACERT_BADFILE: /* gone, or not readable for lack of descriptors */
    return 1;
  case CURLE_COULDNT_CONNECT:
    return exchange->socket_errno || connect_short(exchange);
  case CURLE_COULDNT_RESOLVE_HOST:
    return exchange->socket_errno || lookup_short(exchange);
  case CURLE_OPERATION_TIMEDOUT: /* without even a socket: while looking the name up */
    return exchange->socket_family == 0 && lookup_short(exchange);
  default:
    return 0;
  }
}

static int is_tls(CURLcode code) {
  switch (code) {
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_SSL_CLIENTCERT:
  case CURLE_SSL_CRL_BADFILE:
  case CURLE_SSL_ENGINE_INITFAILED:
  case CURLE_USE_SSL_FAILED:
    return 1;
  default:
    return 0;
  }
}

static enum lh_outcome outcome_unsent(const struct lh_exchange *exchange, CURLcode code) {
  if (is_local(exchange, code)) return LH_OUTCOME_LOCAL;
  if (code == CURLE_OPERATION_TIMEDOUT) return LH_OUTCOME_TIMEOUT;
  if (code == CURLE_COULDNT_RESOLVE_HOST) return LH_OUTCOME_DNS;
  if (exchange->stop == LH_STOP_SCHEME) return LH_OUTCOME_BLOCKED;
  /* with sockets opened for other addresses of the name, those are what failed */
  if (exchange->stop == LH_STOP_ADDRESS &&
      (code == CURLE_ABORTED_BY_CALLBACK || exchange->socket_family == 0))
    return LH_OUTCOME_BLOCKED;
  return LH_OUTCOME_CONNECT;
}

/* Also for what went wrong on the way to a second send: the first may have arrived. */
static enum lh_outcome outcome_sent(const struct lh_exchange *exchange, CURLcode code) {
  if (code == CURLE_OPERATION_TIMEDOUT) return LH_OUTCOME_TIMEOUT;
  if (exchange->header_bytes > 0) return LH_OUTCOME_PROTOCOL;
  /* nothing came that could be called an answer, though perhaps something that is not HTTP */
  if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY)
    return LH_OUTCOME_PROTOCOL;
  return LH_OUTCOME_CONNECT;
}

enum lh_outcome lh_verdict_outcome(const struct lh_exchange *exchange, CURLcode code) {
  if (is_tls(code)) return LH_OUTCOME_TLS;
  return exchange->sends ? outcome_sent(exchange, code) : outcome_unsent(exchange, code);
}

/* Appends printable ASCII; anything else becomes a blank. */
static size_t text_append(char *out, size_t out_cap, size_t at, const char *from, size_t len) {
  for (size_t i = 0; i < len && at + 1 < out_cap; i++)
    out[at++] = from[i] >= ' ' && from[i] < 0x7f ? from[i] : ' ';
  out[at] = '\0';
  return at;
}

/* Copies `from` as one line, without userinfo and query of a URL in it: they hold secrets. */
void lh_verdict_text(char *out, size_t out_cap, const char *from) {
  size_t at = text_append(out, out_cap, 0, "", 0);
  for (;;) {
    const char *mark = strstr(from, "://");
    if (!mark) break;
    const char *host = mark + 3;
    const char *authority_end = host + strcspn(host, "/?# \"'");
    const char *path_end = host + strcspn(host, "?# \"'");
    at = text_append(out, out_cap, at, from, (size_t)(host - from));
    const char *userinfo_end = memrchr(host, '@', (size_t)(authority_end - host));
    if (userinfo_end) host = userinfo_end + 1;
    at = text_append(out, out_cap, at, host, (size_t)(path_end - host));
    from = path_end + strcspn(path_end, " \"'");
  }
  text_append(out, out_cap, at, from, strlen(from));
}

/* Of a call: there are headers, but the body is no whole one. */
static const char *sentence_half(const struct lh_exchange *exchange, CURLcode code) {
  if (code == CURLE_OK) return "answered before the whole body was sent";
  if (code == CURLE_PARTIAL_FILE) return "connection closed inside the answer's body";
  if (code == CURLE_OPERATION_TIMEDOUT) return "timed out inside the answer's body";
  return exchange->detail[0] ? exchange->detail : curl_easy_strerror(code);
}

static const char *sentence(const struct lh_exchange *exchange, CURLcode code) {
  switch (exchange->stop) {
  case LH_STOP_RESEND:
    return "connection closed before an answer came; the request is not sent twice";
  case LH_STOP_STATUS_LINE:
    return "answer does not begin with an HTTP/1.1 status line";
  case LH_STOP_HEADER_FLOOD:
    return "answer's headers are over 65536 bytes";
  case LH_STOP_MEMORY:
    return "no memory for the answer";
  default:
    break;
  }
  if (exchange->answered) return sentence_half(exchange, code);
  if (code == CURLE_OK || code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING)
    return exchange->header_bytes ? "connection closed inside the answer's headers"
                                  : "connection closed before an answer came";
  if (code == CURLE_OPERATION_TIMEDOUT && exchange->sends)
    return "timed out waiting for the answer";
  if (code == CURLE_OPERATION_TIMEDOUT) return "timed out while connecting";
  if (code == CURLE_OUT_OF_MEMORY) return "out of memory";
  if (exchange->detail[0]) return exchange->detail;
  return curl_easy_strerror(code);
}

void lh_verdict_explain_local(struct lh_exchange *exchange, CURLcode code) {
  char text[LH_EXCHANGE_ERROR_MAX - 32];
  int number = exchange->socket_errno;
  if (number == EMFILE || number == ENFILE)
    lh_verdict_text(text, sizeof text, "no descriptor is free for a socket");
  else if (number)
    lh_verdict_text(text, sizeof text, "no memory for a socket");
  else
    lh_verdict_text(text, sizeof text, sentence(exchange, code));
  snprintf(exchange->error, sizeof exchange->error, "shortage on this machine: %s", text);
}

void lh_verdict_explain(struct lh_exchange *exchange, CURLcode code) {
  if (exchange->outcome == LH_OUTCOME_BLOCKED) return; /* the guard wrote its own sentence */
  if (exchange->outcome == LH_OUTCOME_LOCAL)
    lh_verdict_explain_local(exchange, code);
  else
    lh_verdict_text(exchange->error, sizeof exchange->error, sentence(exchange, code));
}

void lh_verdict_reach(struct lh_exchange *exchange, CURLcode code) {
  exchange->uploaded = exchange->sends > 0 && lh_answer_uploaded(exchange);
  if (exchange->answered) {
    exchange->outcome = LH_OUTCOME_ANSWERED;
    const char *text = exchange->uploaded ? "" : "answered before the whole body was sent";
    snprintf(exchange->error, sizeof exchange->error, "%s", text);
    return;
  }
  exchange->outcome = lh_verdict_outcome(exchange, code);
  lh_verdict_explain(exchange, code);
}
