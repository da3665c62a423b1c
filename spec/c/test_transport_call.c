/*
** Calls of handlers against the misbehaving endpoint: the whole answer comes
** back, half of one is told as such, one call is one request on the wire, and
** it is always known whether a byte of it may have left. What refuses a call
** before that is in test_transport_call_start.c, test_transport_guard.c and
** test_transport_tls.c.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/version.h"
#include "endpoint_process.h"
#include "transport_wire.h"

#define MIB (1024 * 1024)
#define ANY ((size_t)-1)

static struct endpoint_process endpoint;
static char big_body[LH_CALL_BODY_MAX];

static struct lh_transport *open_plain(void) {
  return wire_open((struct lh_transport_options){.allow_http = 1}, "127.0.0.0/8",
                   lh_clock_system());
}

struct call_case {
  enum lh_method method;
  const char *path;
  size_t body_len;
  int32_t timeout_ms;
  size_t answer_max; /* 0: the default */
  enum lh_outcome outcome;
  int status;
  size_t len; /* of the answer's body */
  int truncated;
  const char *error; /* part of the sentence */
};

#define WHOLE(method, path, body, status, len)                                                     \
  { LH_METHOD_##method, path, body, 20000, 0, LH_OUTCOME_ANSWERED, status, len, 0, "" }
#define CUT(path, body, max, status)                                                               \
  { LH_METHOD_POST, path, body, 20000, max, LH_OUTCOME_ANSWERED, status, max, 1, "" }
#define HALF(path, timeout, outcome, status, len, error)                                           \
  { LH_METHOD_POST, path, 2000, timeout, 0, LH_OUTCOME_##outcome, status, len, 0, error }
#define NONE(path, outcome, error) HALF(path, 20000, outcome, 0, 0, error)

static const struct call_case cases[] = {
    WHOLE(GET, "/ok?get", 0, 200, 2),
    WHOLE(HEAD, "/ok?head", 0, 200, 0),
    WHOLE(HEAD, "/big/100000?head", 0, 200, 0),
    WHOLE(POST, "/echo?post", 2000, 200, 2000),
    WHOLE(POST, "/echo?empty", 0, 200, 0),
    WHOLE(PUT, "/echo?put", 2000, 200, 2000),
    WHOLE(PATCH, "/echo?patch", 2000, 200, 2000),
    WHOLE(DELETE, "/echo?delete=1", 2000, 200, 2000),
    WHOLE(DELETE, "/ok?delete=2", 0, 200, 2),
    WHOLE(PUT, "/ok?big", LH_CALL_BODY_MAX, 200, 2),
    WHOLE(GET, "/big/1000000", 0, 200, 1000000),
    WHOLE(GET, "/status/204", 0, 204, 0),
    WHOLE(GET, "/status/304", 0, 304, 0),
    WHOLE(GET, "/redirect", 0, 302, 2),
    WHOLE(POST, "/redirect?post", 2000, 302, 2),
    WHOLE(POST, "/417?call", 2 * MIB, 417, 3),
    WHOLE(GET, "/status/404", 0, 404, 3),
    WHOLE(POST, "/status/500", 2000, 500, 3),
    WHOLE(POST, "/status/999", 2000, 999, 3),
    WHOLE(POST, "/early/413?body=8M", 8 * MIB, 413, 5),
    WHOLE(POST, "/early200?body=2M", 2 * MIB, 200, 2),
    WHOLE(GET, "/100then200", 0, 200, 2),
    WHOLE(GET, "/103then200", 0, 200, 2),
    WHOLE(GET, "/chunked", 0, 200, 2),
    WHOLE(GET, "/no-length", 0, 200, 2),
    WHOLE(GET, "/same-content-length", 0, 200, 2),
    WHOLE(GET, "/excess-body", 0, 200, 2),
    WHOLE(GET, "/long-header/60000", 0, 200, 2),
    CUT("/big/5000000", 2000, MIB, 200),
    CUT("/big/101", 2000, 100, 200),
    CUT("/endless-body", 2000, 100000, 200),
    CUT("/echo?cut", MIB, 1000, 200), /* and all of the request goes out */
    CUT("/early200/big?body=8M", 8 * MIB, 1000, 200),
    HALF("/early200/noread?2", 20000, ANSWERED, 200, 2, ""), /* all of so small a body had left */
    {LH_METHOD_POST, "/early200/noread", 8 * MIB, 3000, 0, LH_OUTCOME_TIMEOUT, 200, 2, 0, "body"},
    HALF("/close/midbody", 20000, PROTOCOL, 200, 4, "inside the answer's body"),
    HALF("/close/midchunk", 20000, PROTOCOL, 200, 4, ""),
    HALF("/reset/midbody", 20000, PROTOCOL, 200, ANY, ""),
    HALF("/slow-body", 3000, TIMEOUT, 200, ANY, "timed out inside the answer's body"),
    HALF("/slow", 2000, TIMEOUT, 0, 0, "waiting for the answer"),
    HALF("/hang", 500, TIMEOUT, 0, 0, "waiting for the answer"),
    NONE("/reset", CONNECT, ""),
    NONE("/reset/after", CONNECT, ""),
    NONE("/reset/headers", CONNECT, ""),
    NONE("/close", CONNECT, "before an answer"),
    NONE("/close/headers", CONNECT, ""),
    NONE("/reset/midheaders", PROTOCOL, ""),
    NONE("/close/midheaders", PROTOCOL, "inside the answer's headers"),
    NONE("/endless-headers", PROTOCOL, "headers are over"),
    NONE("/endless-1xx", PROTOCOL, "headers are over"),
    NONE("/long-header/70000", PROTOCOL, "headers are over"),
    NONE("/http09", PROTOCOL, ""),
    NONE("/garbage", PROTOCOL, ""),
    NONE("/http2", PROTOCOL, ""),
    NONE("/status4", PROTOCOL, ""),
    NONE("/nul-header", PROTOCOL, ""),
};
#define CASES (sizeof cases / sizeof *cases)

static const char *const method_names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

static void start(struct lh_transport *transport, const struct call_case *one, const char *path,
                  struct wire_call *out) {
  static const char *const headers[] = {"Content-Type: text/plain", "X-Custom: a b"};
  char url[256];
  endpoint_process_url(&endpoint, path, url, sizeof url);
  const struct lh_call call = {.method = one->method,
                               .url = url,
                               .headers = headers,
                               .header_count = 2,
                               .body = big_body,
                               .body_len = one->body_len,
                               .answer_bytes_max = one->answer_max};
  wire_call_start(transport, call, one->timeout_ms, out);
}

static void check(const struct call_case *one, const char *path, struct wire_call *call) {
  const struct wire_result *result = &call->result;
  int wrong = result->outcome != one->outcome || result->status != one->status || !result->sent ||
              (one->len != ANY && call->answer.body.len != one->len) ||
              call->answer.truncated != one->truncated || !strstr(result->error, one->error) ||
              (one->outcome != LH_OUTCOME_ANSWERED) != (result->error[0] != '\0');
  if (wrong)
    fail_msg("%s: %s %d sent %d body %zu truncated %d \"%s\"", path,
             lh_outcome_name(result->outcome), result->status, result->sent, call->answer.body.len,
             call->answer.truncated, result->error);
  char wanted[64];
  snprintf(wanted, sizeof wanted, "\"method\": \"%s\"", method_names[one->method]);
  const char *line = endpoint_process_line(&endpoint, path);
  if (!strstr(line, wanted)) fail_msg("%s: no %s in %s", path, wanted, line);
  int count = endpoint_process_count(&endpoint, path);
  if (count != 1) fail_msg("%s: %d requests on the wire, not one", path, count);
  wire_call_clear(call);
}

/* All at once over one transport: none may disturb another. */
static void test_every_answer_comes_back_from_one_wire_request(void **state) {
  (void)state;
  struct lh_transport *transport = open_plain();
  static struct wire_call calls[CASES];
  for (size_t i = 0; i < CASES; i++) start(transport, &cases[i], cases[i].path, &calls[i]);
  wire_finish(transport);
  for (size_t i = 0; i < CASES; i++) check(&cases[i], cases[i].path, &calls[i]);
  transport->ops->close(transport);
}

/* Where libcurl would send again by itself: on a connection that has worked once. */
static void test_every_answer_on_a_used_connection(void **state) {
  (void)state;
  static const struct call_case warm = WHOLE(GET, "", 0, 200, 2);
  struct lh_transport *transports[CASES];
  static struct wire_call calls[CASES];
  static char paths[2][CASES][128];
  for (size_t i = 0; i < CASES; i++) {
    struct wire_call first;
    const char *path = cases[i].path;
    transports[i] = open_plain();
    snprintf(paths[0][i], sizeof paths[0][i], "/ok?call-warm=%zu", i);
    snprintf(paths[1][i], sizeof paths[1][i], "%s%cused", path, strchr(path, '?') ? '&' : '?');
    start(transports[i], &warm, paths[0][i], &first);
    wire_finish(transports[i]);
    check(&warm, paths[0][i], &first);
    start(transports[i], &cases[i], paths[1][i], &calls[i]);
  }
  wire_finish_all(transports, CASES);
  for (size_t i = 0; i < CASES; i++) {
    check(&cases[i], paths[1][i], &calls[i]);
    const char *line = endpoint_process_line(&endpoint, paths[1][i]);
    assert_int_equal(endpoint_process_number(line, "request"), 2); /* else it shows nothing */
    transports[i]->ops->close(transports[i]);
  }
}

/* A GET that could be sent again is not: the transport never decides that. */
static void test_a_connection_that_dies_on_reuse_is_not_retried(void **state) {
  (void)state;
  static const struct call_case good = WHOLE(GET, "", 0, 200, 2);
  struct lh_transport *transport = open_plain();
  struct wire_call call;
  start(transport, &good, "/die-after-keepalive?call", &call);
  wire_finish(transport);
  check(&good, "/die-after-keepalive?call", &call);
  start(transport, &good, "/ok?call-f1", &call);
  wire_finish(transport);
  assert_int_equal(call.result.outcome, LH_OUTCOME_CONNECT);
  assert_true(call.result.sent);
  assert_int_equal(endpoint_process_count(&endpoint, "/ok?call-f1"), 1);
  wire_call_clear(&call);
  transport->ops->close(transport);
}

static void test_headers_of_the_final_answer(void **state) {
  (void)state;
  struct lh_transport *transport = open_plain();
  static const struct call_case early = WHOLE(GET, "", 0, 200, 2);
  static const struct call_case later = WHOLE(POST, "", 10, 503, 5);
  struct wire_call call;
  start(transport, &early, "/103then200?headers", &call);
  wire_finish(transport);
  assert_string_equal(wire_call_header(&call, "content-length"), "2");
  assert_null(wire_call_header(&call, "retry-after")); /* that was the 103's */
  check(&early, "/103then200?headers", &call);
  start(transport, &early, "/set-cookie?call", &call);
  wire_finish(transport);
  assert_string_equal(wire_call_header(&call, "set-cookie"), "a=b; Path=/");
  wire_call_clear(&call);
  start(transport, &early, "/folded?call", &call);
  wire_finish(transport);
  assert_string_equal(wire_call_header(&call, "x-a"), "b Content-Length: 9");
  assert_string_equal(wire_call_header(&call, "content-length"), "2");
  wire_call_clear(&call);
  start(transport, &later, "/retry-after/7?call", &call);
  wire_finish(transport);
  assert_int_equal(call.result.retry_after_ms, 7000);
  assert_string_equal(wire_call_header(&call, "retry-after"), "7");
  check(&later, "/retry-after/7?call", &call);
  transport->ops->close(transport);
}

/* Nothing of libcurl's own, no cookie that came before, no 100-continue. */
static void test_only_given_headers_are_sent(void **state) {
  (void)state;
  struct lh_transport *transport = open_plain();
  struct wire_call call;
  static const struct call_case get = WHOLE(GET, "", 0, 200, 2);
  static const struct call_case put = WHOLE(PUT, "", 3 * MIB, 200, 2);
  char url[256];
  start(transport, &get, "/set-cookie?first", &call);
  wire_finish(transport);
  check(&get, "/set-cookie?first", &call);
  start(transport, &put, "/set-cookie?put", &call);
  wire_finish(transport);
  check(&put, "/set-cookie?put", &call);
  const char *line = endpoint_process_line(&endpoint, "/set-cookie?put");
  assert_null(strstr(line, "Cookie\""));
  assert_null(strstr(line, "Expect"));
  endpoint_process_url(&endpoint, "/ok?bare-call", url, sizeof url);
  wire_call_start(transport, (struct lh_call){.method = LH_METHOD_DELETE, .url = url}, 5000, &call);
  wire_finish(transport);
  wire_call_clear(&call);
  line = endpoint_process_line(&endpoint, "/ok?bare-call");
  assert_non_null(strstr(line, "[\"User-Agent\", \"loyalhook/" LH_VERSION "\"]]"));
  assert_null(strstr(line, "Content-"));
  assert_null(strstr(line, "Accept"));
  transport->ops->close(transport);
}

/* What a caller gave is copied, and what all answers may take together ends their bodies. */
static void test_nothing_is_borrowed_and_room_is_kept(void **state) {
  (void)state;
  struct lh_transport *transport = open_plain();
  struct wire_call call;
  char url[256], body[] = "hello", header[] = "X-Custom: before";
  const char *headers[] = {header};
  endpoint_process_url(&endpoint, "/echo?copied", url, sizeof url);
  wire_call_start(transport,
                  (struct lh_call){.method = LH_METHOD_POST,
                                   .url = url,
                                   .headers = headers,
                                   .header_count = 1,
                                   .body = body,
                                   .body_len = 5},
                  5000, &call);
  memset(url, 0, sizeof url);
  memset(body, 0, sizeof body);
  memset(header, 0, sizeof header);
  wire_finish(transport);
  assert_int_equal(call.result.status, 200);
  assert_int_equal(call.answer.body.len, 5);
  assert_memory_equal(call.answer.body.at, "hello", 5);
  assert_non_null(strstr(endpoint_process_line(&endpoint, "/echo?copied"), "before"));
  wire_call_clear(&call);

  endpoint_process_url(&endpoint, "/big/5000?room", url, sizeof url);
  wire_call_start(transport, (struct lh_call){.method = LH_METHOD_GET, .url = url}, 5000, &call);
  call.room = 1000; /* others hold the rest */
  wire_finish(transport);
  assert_int_equal(call.result.outcome, LH_OUTCOME_ANSWERED);
  assert_true(call.answer.truncated);
  assert_int_equal(call.answer.body.len + call.answer.headers.len, 1000);
  assert_int_equal(call.room, 0);
  call.room = LH_CALL_ANSWERS_MAX - 1000;
  wire_call_clear(&call);
  transport->ops->close(transport);
}

static void test_cancel_knows_whether_a_byte_left(void **state) {
  (void)state;
  struct lh_transport *transport = open_plain();
  static const struct call_case hang = WHOLE(POST, "", 10, 0, 0);
  struct wire_call call;
  struct lh_post_result none;
  start(transport, &hang, "/hang?call=unsent", &call);
  assert_int_equal(transport->ops->cancel(transport, &call.result), 1);
  start(transport, &hang, "/slow-body?call=sent", &call);
  for (int i = 0; i < 500 && call.answer.body.len == 0; i++)
    assert_int_equal(transport->ops->poll(transport, 20, NULL, 0, &none, 1), 0);
  assert_int_equal(transport->ops->cancel(transport, &call.result), 0);
  assert_true(call.answer.body.len > 0); /* what came is the caller's all the same */
  wire_call_clear(&call);
  assert_int_equal(transport->ops->in_flight(transport), 0);
  assert_int_equal(endpoint_process_count(&endpoint, "/hang?call=unsent"), 0);
  start(transport, &hang, "/hang?call=closed", &call);
  transport->ops->close(transport);
  wire_call_clear(&call);
}

static rlim_t descriptors; /* that this process, and the endpoint, may open */

static void test_two_thousand_at_once_beside_posts(void **state) {
  (void)state;
  enum { CALLS_MAX = 2000, POSTS = 100 };
  static const struct call_case delayed = WHOLE(PUT, "", 100, 200, 2);
  static struct wire_call calls[CALLS_MAX];
  static struct wire_result posts[POSTS];
  struct lh_transport *transport = open_plain();
  int count = descriptors > CALLS_MAX + 2 * POSTS ? CALLS_MAX : (int)descriptors - 2 * POSTS;
  char url[256];
  struct call_case one = delayed;
  one.timeout_ms = 120000;
  endpoint_process_url(&endpoint, "/ok?beside", url, sizeof url);
  for (int i = 0; i < count; i++) start(transport, &one, "/delay/2000?many", &calls[i]);
  for (int i = 0; i < POSTS; i++) wire_start(transport, wire_to(url, 2000, 120000), &posts[i]);
  assert_int_equal(transport->ops->in_flight(transport), count + POSTS);
  wire_finish(transport);
  for (int i = 0; i < POSTS; i++) assert_int_equal(posts[i].status, 200);
  for (int i = 0; i < count; i++) {
    if (calls[i].result.status != 200)
      fail_msg("call %d: %s %s", i, lh_outcome_name(calls[i].result.outcome),
               calls[i].result.error);
    assert_int_equal(calls[i].answer.body.len, 2);
    wire_call_clear(&calls[i]);
  }
  assert_int_equal(endpoint_process_count(&endpoint, "/delay/2000?many"), count);
  transport->ops->close(transport);
}

static void test_connections_are_kept_and_shared_with_posts(void **state) {
  (void)state;
  static const struct call_case good = WHOLE(GET, "", 0, 200, 2);
  struct lh_transport *transport = open_plain();
  struct wire_call call;
  char url[256], path[64];
  for (int i = 1; i <= 4; i++) {
    snprintf(path, sizeof path, "/ok?kept=%d", i);
    endpoint_process_url(&endpoint, path, url, sizeof url);
    if (i % 2) {
      assert_int_equal(wire_post(transport, wire_to(url, 10, 5000)).status, 200);
    } else {
      start(transport, &good, path, &call);
      wire_finish(transport);
      check(&good, path, &call);
    }
    const char *line = endpoint_process_line(&endpoint, path);
    assert_int_equal(endpoint_process_number(line, "request"), i);
  }
  transport->ops->close(transport);
}

/* Two thousand connections are more than a shell's usual limit of 1,024 descriptors. */
static int group_setup(void **state) {
  struct rlimit limit;
  (void)state;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    descriptors = limit.rlim_cur;
  }
  memset(big_body, 'x', sizeof big_body);
  endpoint_process_start(&endpoint, NULL);
  return 0;
}

static int group_teardown(void **state) {
  (void)state;
  endpoint_process_stop(&endpoint);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_answer_comes_back_from_one_wire_request),
      cmocka_unit_test(test_every_answer_on_a_used_connection),
      cmocka_unit_test(test_a_connection_that_dies_on_reuse_is_not_retried),
      cmocka_unit_test(test_headers_of_the_final_answer),
      cmocka_unit_test(test_only_given_headers_are_sent),
      cmocka_unit_test(test_nothing_is_borrowed_and_room_is_kept),
      cmocka_unit_test(test_cancel_knows_whether_a_byte_left),
      cmocka_unit_test(test_connections_are_kept_and_shared_with_posts),
      cmocka_unit_test(test_two_thousand_at_once_beside_posts),
  };
  return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
