/*
** Every setting of an easy handle. What never changes is set once when the
** handle is made; what belongs to one POST is set at every POST, all of it,
** so nothing of an earlier one can shine through (a reset in between would
** set the same values again for a tenth of the throughput). A call's handle is
** its own.
*/
#include "transport/exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/version.h"

#if LIBCURL_VERSION_NUM < 0x075700
#error "libcurl 7.87.0 or later is needed (CURLOPT_QUICK_EXIT)"
#endif

/* Endpoints close idle connections after as little as 2 s, and a request sent into that is lost,
** because it is never sent twice. */
#define CONNECTION_IDLE_S_MAX 1
#define CONNECTION_LIFE_S_MAX 300 /* so that a change of DNS reaches even a busy webhook */

/* Lines that take away what libcurl would add. An empty Expect also rules out 100-continue. */
static const char *const removals[] = {"Expect:", "Accept:", "Content-Type:"};
#define REMOVALS (sizeof removals / sizeof *removals)

#define SET(option, value)                                                                         \
  do {                                                                                             \
    if (!code) code = curl_easy_setopt(easy, option, value);                                       \
  } while (0)

static CURLcode set_restrictions(CURL *easy) {
  CURLcode code = CURLE_OK;
  SET(CURLOPT_PROTOCOLS_STR, "http,https"); /* whether http is allowed is decided per POST */
  SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_MAXREDIRS, 0L);
  SET(CURLOPT_PROXY, ""); /* "" also means: none from the environment */
  SET(CURLOPT_NOPROXY, "*");
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_HTTP09_ALLOWED, 0L);
  SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
  SET(CURLOPT_PATH_AS_IS, 0L); /* the same dot segments as lh_url_check takes away */
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_QUICK_EXIT, 1L); /* otherwise a hanging name server would hold up every transfer */
  SET(CURLOPT_MAXAGE_CONN, (long)CONNECTION_IDLE_S_MAX);
  SET(CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFE_S_MAX);
  return code;
}

CURLcode lh_options_tls(CURL *easy, const char *ca_file) {
  CURLcode code = CURLE_OK;
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2); /* or later */
  if (ca_file) {
    SET(CURLOPT_CAINFO, ca_file);
    SET(CURLOPT_CAPATH, NULL); /* otherwise the folder libcurl was built with counts too */
  }
  return code;
}

/* Bodies are given as memory; without one libcurl would read standard input. */
static size_t no_reading(char *out, size_t size, size_t count, void *unused) {
  (void)out;
  (void)size;
  (void)count;
  (void)unused;
  return CURL_READFUNC_ABORT;
}

static CURLcode set_callbacks(CURL *easy, struct lh_exchange *exchange) {
  CURLcode code = CURLE_OK;
  SET(CURLOPT_PRIVATE, (void *)exchange);
  SET(CURLOPT_ERRORBUFFER, exchange->detail);
  SET(CURLOPT_OPENSOCKETFUNCTION, lh_guard_socket);
  SET(CURLOPT_OPENSOCKETDATA, (void *)exchange);
  SET(CURLOPT_PREREQFUNCTION, lh_guard_request);
  SET(CURLOPT_PREREQDATA, (void *)exchange);
  SET(CURLOPT_HEADERFUNCTION, lh_answer_header);
  SET(CURLOPT_HEADERDATA, (void *)exchange);
  SET(CURLOPT_WRITEFUNCTION, lh_answer_body);
  SET(CURLOPT_WRITEDATA, (void *)exchange);
  SET(CURLOPT_READFUNCTION, no_reading);
  SET(CURLOPT_NOPROGRESS, 1L);
  return code;
}

int lh_options_prepare(struct lh_exchange *exchange, struct lh_error *err) {
  CURL *easy = exchange->easy;
  CURLcode code = set_restrictions(easy);
  if (!code) code = lh_options_tls(easy, exchange->owner->ca_file);
  if (!code) code = set_callbacks(easy, exchange);
  SET(CURLOPT_USERAGENT, "loyalhook/" LH_VERSION);
  if (code == CURLE_OUT_OF_MEMORY) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  if (code)
    return lh_error_set(err, LH_E_CONFIG, "%s lacks a needed option: %s", lh_transport_version(),
                        curl_easy_strerror(code));
  return 0;
}

/* Nothing in it would end the line early. Whether the name is a good one is core/header.h's. */
static int line_is_whole(const char *line) {
  for (const unsigned char *at = (const unsigned char *)line; *at; at++)
    if ((*at < ' ' && *at != '\t') || *at == 0x7f) return 0;
  return strchr(line, ':') != NULL;
}

static int lines_grow(struct lh_exchange *exchange, size_t count) {
  if (count <= exchange->line_cap) return 0;
  struct curl_slist *lines = realloc(exchange->lines, count * sizeof *lines);
  if (!lines) return LH_E_MEMORY;
  exchange->lines = lines;
  exchange->line_cap = count;
  return 0;
}

/* libcurl only reads the lines; its list type predates const. */
static char *unconst(const char *text) {
  return (char *)(uintptr_t)text;
}

static int lines_link(struct lh_exchange *exchange, const struct lh_post *post,
                      struct lh_error *err) {
  if (post->header_count > LH_EXCHANGE_HEADERS_MAX)
    return lh_error_set(err, LH_E_INVALID, "headers: more than %d", LH_EXCHANGE_HEADERS_MAX);
  size_t count = REMOVALS + post->header_count;
  if (lines_grow(exchange, count)) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  for (size_t i = 0; i < count; i++) {
    const char *line = i < REMOVALS ? removals[i] : post->headers[i - REMOVALS];
    if (!line_is_whole(line))
      return lh_error_set(err, LH_E_INVALID, "headers: line %zu is not \"Name: value\"",
                          i - REMOVALS + 1);
    exchange->lines[i].data = unconst(line);
    exchange->lines[i].next = i + 1 < count ? &exchange->lines[i + 1] : NULL;
  }
  return 0;
}

int lh_options_apply(struct lh_exchange *exchange, const struct lh_post *post,
                     struct lh_error *err) {
  assert(post->body || post->body_len == 0);
  assert(post->timeout_ms > 0 && post->connect_timeout_ms > 0); /* to libcurl 0 means no limit */
  int rc = lines_link(exchange, post, err);
  if (rc) return rc;
  CURL *easy = exchange->easy;
  CURLcode code = CURLE_OK;
  SET(CURLOPT_URL, post->url);
  SET(CURLOPT_HTTPHEADER, exchange->lines);
  SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body_len);
  SET(CURLOPT_POSTFIELDS, post->body_len ? post->body : "");
  SET(CURLOPT_TIMEOUT_MS, (long)post->timeout_ms);
  SET(CURLOPT_CONNECTTIMEOUT_MS, (long)post->connect_timeout_ms);
  SET(CURLOPT_FORBID_REUSE, 0L);
  if (!code && exchange->call) code = lh_call_options(exchange);
  if (code == CURLE_OUT_OF_MEMORY) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  if (code) return lh_error_set(err, LH_E_INVALID, "request: %s", curl_easy_strerror(code));
  return 0;
}
