/*
** A handler's call: any method, and the whole answer back. It flies like a
** POST (curl.c, guard.c, options.c); here is its copy of what is sent, where
** its answer goes, and what counts as one: to a webhook a status is enough,
** but a handler acts on the body, so half of one is no answer.
*/
#include "transport/exchange.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/header.h"

/* ---- starting */

static int check(const struct lh_call *call, size_t *bytes, struct lh_error *err) {
  int bodyless = call->method == LH_METHOD_GET || call->method == LH_METHOD_HEAD;
  if (bodyless && call->body_len > 0)
    return lh_error_set(err, LH_E_INVALID, "body: GET and HEAD have none");
  if (call->body_len > LH_CALL_BODY_MAX)
    return lh_error_set(err, LH_E_TOO_LARGE, "body: %zu bytes, at most %d", call->body_len,
                        LH_CALL_BODY_MAX);
  *bytes = 0;
  for (size_t i = 0; i < call->header_count; i++) {
    int code = lh_header_line_check(call->headers[i], i + 1, err);
    if (code) return code;
    *bytes += strlen(call->headers[i]) + 1;
  }
  if (*bytes > LH_CALL_HEADERS_MAX)
    return lh_error_set(err, LH_E_INVALID, "headers: %zu bytes, at most %d", *bytes,
                        LH_CALL_HEADERS_MAX);
  *bytes += call->body_len;
  return 0;
}

/* Pointers first, then the lines, then the body, in one piece of memory. */
static struct lh_call_part *copy(const struct lh_call *call, size_t bytes) {
  size_t list_bytes = call->header_count * sizeof(char *);
  struct lh_call_part *part = malloc(sizeof *part + list_bytes + bytes);
  if (!part) return NULL;
  *part = (struct lh_call_part){.method = call->method,
                                .answer = call->answer,
                                .answer_bytes_max = call->answer_bytes_max,
                                .headers = (const char **)(void *)part->memory,
                                .header_count = call->header_count};
  char *at = part->memory + list_bytes;
  for (size_t i = 0; i < call->header_count; i++) {
    size_t len = strlen(call->headers[i]) + 1;
    memcpy(at, call->headers[i], len);
    part->headers[i] = at;
    at += len;
  }
  if (call->body_len > 0) memcpy(at, call->body, call->body_len);
  part->body = at;
  return part;
}

int lh_call_new(struct lh_curl *owner, const struct lh_call *call, struct lh_exchange **out,
                struct lh_post *post, struct lh_error *err) {
  size_t bytes = 0;
  assert(call->answer && call->answer->room);
  assert(call->body || call->body_len == 0);
  int rc = check(call, &bytes, err);
  if (!rc) rc = lh_pool_new(owner, out, err);
  if (rc) return rc;
  struct lh_call_part *part = copy(call, bytes);
  if (!part) {
    lh_pool_put(owner, *out); /* a POST may use it */
    return lh_error_set(err, LH_E_MEMORY, "out of memory");
  }
  (*out)->call = part;
  *post = (struct lh_post){.url = call->url,
                           .headers = part->headers,
                           .header_count = part->header_count,
                           .body = part->body,
                           .body_len = call->body_len,
                           .timeout_ms = call->timeout_ms,
                           .connect_timeout_ms = call->connect_timeout_ms,
                           .tag = call->tag};
  return 0;
}

CURLcode lh_call_options(const struct lh_exchange *exchange) {
  CURL *easy = exchange->easy;
  switch (exchange->call->method) {
  case LH_METHOD_GET:
    return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  case LH_METHOD_HEAD:
    return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  case LH_METHOD_PUT:
    return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PUT");
  case LH_METHOD_PATCH:
    return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PATCH");
  case LH_METHOD_DELETE:
    if (exchange->body_len == 0 && curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) != CURLE_OK)
      return CURLE_OUT_OF_MEMORY;
    return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
  default: /* a POST is what the handle was made for */
    return CURLE_OK;
  }
}

/* ---- the answer */

void lh_call_answer_begin(struct lh_exchange *exchange) {
  struct lh_call_answer *answer = exchange->call->answer;
  *answer->room += (int64_t)answer->headers.len;
  answer->headers.len = 0;
}

static int header_add(struct lh_call_answer *answer, const char *text, size_t len) {
  if (lh_buffer_add(&answer->headers, text, len) != 0) return 0;
  *answer->room -= (int64_t)len;
  return 1;
}

static size_t blanks_at(const char *text, size_t len) {
  size_t count = 0;
  while (count < len && (text[count] == ' ' || text[count] == '\t')) count++;
  return count;
}

/* A folded line goes on where the one before it ended, after a blank. */
static int folded_add(struct lh_call_answer *answer, const char *value, size_t len) {
  if (answer->headers.len == 0) return 1; /* folds nothing */
  answer->headers.at[answer->headers.len - 1] = ' ';
  return header_add(answer, value, len) && header_add(answer, "", 1);
}

/* libcurl lets no NUL through; what is no header at all is passed over. */
int lh_call_header(struct lh_exchange *exchange, const char *line, size_t len) {
  struct lh_call_answer *answer = exchange->call->answer;
  if (memchr(line, '\0', len)) return 1;
  while (len > 0 && strchr("\r\n \t", line[len - 1])) len--;
  size_t blanks = blanks_at(line, len);
  if (blanks > 0) return folded_add(answer, line + blanks, len - blanks);
  const char *colon = memchr(line, ':', len);
  if (!colon || colon == line) return 1;
  size_t name_len = (size_t)(colon - line), value_at = name_len + 1, name_at = answer->headers.len;
  value_at += blanks_at(line + value_at, len - value_at);
  if (!header_add(answer, line, name_len)) return 0;
  for (char *at = answer->headers.at + name_at; at < answer->headers.at + answer->headers.len; at++)
    if (*at >= 'A' && *at <= 'Z') *at = (char)(*at - 'A' + 'a');
  return header_add(answer, "", 1) && header_add(answer, line + value_at, len - value_at) &&
         header_add(answer, "", 1);
}

size_t lh_call_body(struct lh_exchange *exchange, const char *bytes, size_t len) {
  const struct lh_call_part *part = exchange->call;
  struct lh_call_answer *answer = part->answer;
  size_t room = part->answer_bytes_max - answer->body.len, kept = len < room ? len : room;
  int64_t left = *answer->room > 0 ? *answer->room : 0;
  if (kept > (size_t)left) kept = (size_t)left;
  if (answer->truncated || lh_buffer_add(&answer->body, bytes, kept) != 0) kept = 0;
  *answer->room -= (int64_t)kept;
  if (kept == len) return len;
  answer->truncated = 1;
  /* an echo comes while the request still goes out, and to end it now would cut that off */
  if (exchange->answer.status < 300 && !lh_answer_uploaded(exchange)) return len;
  exchange->stop = LH_STOP_ANSWER_READ;
  return 0;
}

/* ---- the verdict */

static int is_whole(const struct lh_exchange *exchange, CURLcode code) {
  if (!exchange->answered) return 0;
  if (code != CURLE_OK && exchange->stop != LH_STOP_ANSWER_READ) return 0;
  /* that it has done what it never heard in full is not to be believed */
  return exchange->uploaded || exchange->answer.status >= 300;
}

void lh_call_judge(struct lh_exchange *exchange, CURLcode code) {
  exchange->uploaded = exchange->sends > 0 && lh_answer_uploaded(exchange);
  if (is_whole(exchange, code)) {
    exchange->outcome = LH_OUTCOME_ANSWERED;
    return;
  }
  exchange->outcome = lh_verdict_outcome(exchange, code);
  lh_verdict_explain(exchange, code);
}
