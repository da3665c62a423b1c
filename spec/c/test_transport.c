/*
** The libcurl transport against the misbehaving endpoint: what each way of
** answering (or not) is reported as, and above all that one attempt is one
** request on the wire, with and without a connection that is used again.
** Neighbours: test_transport_calls.c (the door's functions),
** test_transport_guard.c (addresses, shortages), test_transport_tls.c.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/limits.h"
#include "endpoint_process.h"
#include "transport_wire.h"

#define NOW_MS INT64_C(1700000000000) /* Tue, 14 Nov 2023 22:13:20 GMT */
#define MIB (1024 * 1024)

static struct endpoint_process endpoint;
static int wire_checks;

static int64_t fixed_wall_ms(void *self) {
  (void)self;
  return NOW_MS;
}

static struct lh_clock test_clock(void) {
  struct lh_clock clock = *lh_clock_system();
  clock.wall_ms = fixed_wall_ms;
  return clock;
}

struct wire_case {
  const char *path;
  size_t body_len;
  int32_t timeout_ms;
  enum lh_outcome outcome;
  int status;
  int uploaded;        /* -1: depends on timing */
  size_t response_len; /* (size_t)-1: any */
  const char *error;   /* part of the sentence */
};

#define ANY ((size_t)-1)
#define ANSWER(path, status, len)                                                                  \
  { path, 2000, 10000, LH_OUTCOME_ANSWERED, status, 1, len, "" }
#define FAIL(path, outcome, error)                                                                 \
  { path, 2000, 10000, outcome, 0, -1, 0, error }

static const struct wire_case cases[] = {
    ANSWER("/ok", 200, 2),
    ANSWER("/status/201", 201, 3),
    ANSWER("/status/204", 204, 0),
    ANSWER("/status/304", 304, 0),
    ANSWER("/redirect", 302, 2),
    ANSWER("/status/401", 401, 3),
    ANSWER("/status/404", 404, 3),
    ANSWER("/status/410", 410, 3),
    ANSWER("/417", 417, 3),
    ANSWER("/status/500", 500, 3),
    ANSWER("/status/999", 999, 3),
    ANSWER("/100then200", 200, 2),
    ANSWER("/103then200", 200, 2),
    ANSWER("/101", 101, ANY),
    ANSWER("/chunked", 200, 2),
    ANSWER("/no-length", 200, 2),
    ANSWER("/set-cookie", 200, 2),
    ANSWER("/big/60000", 200, LH_RESPONSE_KEEP_BYTES),
    ANSWER("/big/5000000", 200, LH_RESPONSE_KEEP_BYTES),
    ANSWER("/gzip-bomb", 200, LH_RESPONSE_KEEP_BYTES),
    ANSWER("/echo", 200, 2000),
    ANSWER("/endless-body", 200, LH_RESPONSE_KEEP_BYTES),
    ANSWER("/slow-body", 200, ANY),
    ANSWER("/reset/midbody", 200, ANY),
    ANSWER("/close/midbody", 200, 4),
    ANSWER("/close/midchunk", 200, ANY),
    ANSWER("/same-content-length", 200, 2),
    ANSWER("/length-and-chunked", 200, 2),
    ANSWER("/folded", 200, 2),
    ANSWER("/excess-body", 200, 2),
    ANSWER("/long-header/60000", 200, 2),
    {"/417?body=2M", 2 * MIB, 10000, LH_OUTCOME_ANSWERED, 417, 1, 3, ""},
    {"/ok?body=0", 0, 10000, LH_OUTCOME_ANSWERED, 200, 1, 2, ""},
    {"/ok?body=64K", 65536, 10000, LH_OUTCOME_ANSWERED, 200, 1, 2, ""},
    {"/ok?body=8M", 8 * MIB, 10000, LH_OUTCOME_ANSWERED, 200, 1, 2, ""},
    {"/echo?body=1M", MIB, 10000, LH_OUTCOME_ANSWERED, 200, 1, LH_RESPONSE_KEEP_BYTES, ""},
    {"/early200?body=2M", 2 * MIB, 10000, LH_OUTCOME_ANSWERED, 200, 1, 2, ""},
    {"/early200/big?body=8M", 8 * MIB, 10000, LH_OUTCOME_ANSWERED, 200, 1, ANY, ""},
    {"/early200/noread?body=8M", 8 * MIB, 700, LH_OUTCOME_ANSWERED, 200, 0, 2, "whole body"},
    {"/early/413?body=8M", 8 * MIB, 10000, LH_OUTCOME_ANSWERED, 413, 0, 5, "whole body"},
    /* As late as the time limit can come before the 2 s that a body may take. */
    {"/slow-body?timeout=1900", 2000, 1900, LH_OUTCOME_ANSWERED, 200, 1, ANY, ""},
    {"/slow", 2000, 700, LH_OUTCOME_TIMEOUT, 0, 1, 0, "waiting for the answer"},
    {"/hang", 2000, 300, LH_OUTCOME_TIMEOUT, 0, 1, 0, "waiting for the answer"},
    {"/hang/headers", 8 * MIB, 300, LH_OUTCOME_TIMEOUT, 0, 0, 0, "waiting for the answer"},
    FAIL("/reset", LH_OUTCOME_CONNECT, ""),
    FAIL("/reset/after", LH_OUTCOME_CONNECT, ""),
    FAIL("/reset/headers", LH_OUTCOME_CONNECT, ""),
    FAIL("/reset/body", LH_OUTCOME_CONNECT, ""),
    {"/reset/body?body=8M", 8 * MIB, 10000, LH_OUTCOME_CONNECT, 0, 0, 0, ""},
    FAIL("/close", LH_OUTCOME_CONNECT, "before an answer"),
    FAIL("/close/headers", LH_OUTCOME_CONNECT, ""),
    FAIL("/reset/midheaders", LH_OUTCOME_PROTOCOL, ""),
    FAIL("/close/midheaders", LH_OUTCOME_PROTOCOL, "inside the answer's headers"),
    FAIL("/close/first-header", LH_OUTCOME_PROTOCOL, "inside the answer's headers"),
    FAIL("/endless-headers", LH_OUTCOME_PROTOCOL, "headers are over"),
    FAIL("/endless-1xx", LH_OUTCOME_PROTOCOL, "headers are over"),
    FAIL("/long-header/70000", LH_OUTCOME_PROTOCOL, "headers are over"),
    FAIL("/http09", LH_OUTCOME_PROTOCOL, ""),
    FAIL("/garbage", LH_OUTCOME_PROTOCOL, ""),
    FAIL("/http2", LH_OUTCOME_PROTOCOL, ""),
    FAIL("/http12", LH_OUTCOME_PROTOCOL, ""),
    FAIL("/status4", LH_OUTCOME_PROTOCOL, ""),
    FAIL("/status-short", LH_OUTCOME_PROTOCOL, ""),
    FAIL("/status099", LH_OUTCOME_PROTOCOL, ""),
    FAIL("/nul-header", LH_OUTCOME_PROTOCOL, ""),
};
#define CASES (sizeof cases / sizeof *cases)

static void check_result(const struct wire_case *expected, const struct wire_result *result) {
  int wrong = result->outcome != expected->outcome || result->status != expected->status ||
              (expected->uploaded >= 0 && result->uploaded != expected->uploaded) ||
              (expected->response_len != ANY && result->response_len != expected->response_len) ||
              !strstr(result->error, expected->error) ||
              (expected->outcome != LH_OUTCOME_ANSWERED && !result->error[0]);
  if (wrong)
    fail_msg("%s: %s %d uploaded %d response %zu \"%s\"", expected->path,
             lh_outcome_name(result->outcome), result->status, result->uploaded,
             result->response_len, result->error);
}

static void check_wire(const char *path, int expected) {
  int count = endpoint_process_count(&endpoint, path);
  wire_checks++;
  if (count != expected) fail_msg("%s: %d requests on the wire, not %d", path, count, expected);
}

static struct lh_transport *open_plain(const struct lh_clock *clock) {
  return wire_open((struct lh_transport_options){.allow_http = 1}, "127.0.0.0/8", clock);
}

/* All at once over one transport: none may disturb another. */
static void test_every_behaviour_is_one_wire_request(void **state) {
  (void)state;
  struct lh_clock clock = test_clock();
  struct lh_transport *transport = open_plain(&clock);
  static char urls[CASES][256];
  struct wire_result results[CASES];
  for (size_t i = 0; i < CASES; i++) {
    endpoint_process_url(&endpoint, cases[i].path, urls[i], sizeof urls[i]);
    wire_start(transport, wire_to(urls[i], cases[i].body_len, cases[i].timeout_ms), &results[i]);
  }
  wire_finish(transport);
  for (size_t i = 0; i < CASES; i++) {
    check_result(&cases[i], &results[i]);
    check_wire(cases[i].path, 1);
  }
  transport->ops->close(transport);
  print_message("%zu behaviours, one wire request each\n", CASES);
}

/* Each behaviour as second request of a connection that worked: here libcurl would send again. */
static void test_every_behaviour_on_a_used_connection_is_one_wire_request(void **state) {
  (void)state;
  struct lh_clock clock = test_clock();
  static char urls[2][CASES][256];
  static char paths[2][CASES][256];
  struct lh_transport *transports[CASES];
  static struct wire_result results[CASES];
  int reused = 0;
  for (size_t i = 0; i < CASES; i++) {
    const char *path = cases[i].path;
    transports[i] = open_plain(&clock);
    snprintf(paths[0][i], sizeof paths[0][i], "/ok?warm=%zu", i);
    snprintf(paths[1][i], sizeof paths[1][i], "%s%cused", path, strchr(path, '?') ? '&' : '?');
    for (int k = 0; k < 2; k++)
      endpoint_process_url(&endpoint, paths[k][i], urls[k][i], sizeof urls[k][i]);
    struct wire_result warm = wire_post(transports[i], wire_to(urls[0][i], 10, 10000));
    assert_int_equal(warm.status, 200);
    wire_start(transports[i], wire_to(urls[1][i], cases[i].body_len, cases[i].timeout_ms),
               &results[i]);
  }
  wire_finish_all(transports, CASES);
  for (size_t i = 0; i < CASES; i++) {
    check_result(&cases[i], &results[i]);
    check_wire(paths[1][i], 1);
    reused +=
        endpoint_process_number(endpoint_process_line(&endpoint, paths[1][i]), "request") == 2;
    transports[i]->ops->close(transports[i]);
  }
  assert_int_equal(reused, CASES); /* otherwise this test shows nothing */
  print_message("%zu behaviours on a used connection, one wire request each\n", CASES);
}

/* reliability-facts F1: libcurl 7.88 alone sends this POST twice and reports 200. */
static void test_connection_that_dies_on_reuse_is_not_retried(void **state) {
  (void)state;
  struct lh_clock clock = test_clock();
  struct lh_transport *transport = open_plain(&clock);
  char url[256];
  endpoint_process_url(&endpoint, "/die-after-keepalive?f1", url, sizeof url);
  struct wire_result first = wire_post(transport, wire_to(url, 2000, 10000));
  assert_int_equal(first.status, 200);
  endpoint_process_url(&endpoint, "/ok?f1", url, sizeof url);
  struct wire_result second = wire_post(transport, wire_to(url, 2000, 10000));
  assert_int_equal(second.outcome, LH_OUTCOME_CONNECT);
  assert_non_null(strstr(second.error, "not sent twice"));
  check_wire("/die-after-keepalive?f1", 1);
  check_wire("/ok?f1", 1);
  assert_int_equal(endpoint_process_number(endpoint_process_line(&endpoint, "/ok?f1"), "request"),
                   2);
  struct wire_result third = wire_post(transport, wire_to(url, 2000, 10000));
  assert_int_equal(third.status, 200); /* the transport is none the worse */
  check_wire("/ok?f1", 2);
  transport->ops->close(transport);
}

/* What may be read differently by someone else must not be followed by another request (N13). */
static void test_connection_is_kept_only_after_a_clear_answer(void **state) {
  (void)state;
  static const struct {
    const char *path;
    int kept;
  } framings[] = {
      {"/ok?frame=1", 1},
      {"/status/204?frame=2", 1},
      {"/chunked?frame=3", 1},
      {"/status/500?frame=4", 1},
      {"/dup-content-length?frame=5", 0},
      {"/same-content-length?frame=6", 0},
      {"/length-and-chunked?frame=7", 0},
      {"/folded?frame=8", -1}, /* 7.88 shows folded headers as they came, later versions unfold */
      {"/excess-body?frame=9", 0},
      {"/close/midbody?frame=10", 0},
      {"/big/5000000?frame=11", 0},
      {"/no-length?frame=12", 0},
  };
  struct lh_clock clock = test_clock();
  for (size_t i = 0; i < sizeof framings / sizeof *framings; i++) {
    struct lh_transport *transport = open_plain(&clock);
    char url[256];
    char after[64];
    endpoint_process_url(&endpoint, framings[i].path, url, sizeof url);
    wire_post(transport, wire_to(url, 2000, 10000));
    check_wire(framings[i].path, 1); /* whether it is an answer at all is a matter of version */
    snprintf(after, sizeof after, "/ok?after=%zu", i);
    endpoint_process_url(&endpoint, after, url, sizeof url);
    assert_int_equal(wire_post(transport, wire_to(url, 2000, 10000)).status, 200);
    long number = endpoint_process_number(endpoint_process_line(&endpoint, after), "request");
    if (framings[i].kept >= 0 && number != 1 + framings[i].kept)
      fail_msg("%s: the next request was number %ld of its connection", framings[i].path, number);
    transport->ops->close(transport);
  }
}

static void test_only_expected_headers_are_sent(void **state) {
  (void)state;
  static const char *const names[] = {"Host",  "User-Agent", "Content-Type",
                                      "nonce", "X-Custom",   "Content-Length"};
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("https_proxy", "http://127.0.0.1:1", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  setenv("HOME", endpoint.folder, 1);
  char netrc[128];
  snprintf(netrc, sizeof netrc, "%s/.netrc", endpoint.folder);
  FILE *file = fopen(netrc, "w");
  assert_non_null(file);
  fputs("default login tom password secret\n", file);
  fclose(file);
  struct lh_clock clock = test_clock();
  struct lh_transport *transport = open_plain(&clock);
  char url[256];
  endpoint_process_url(&endpoint, "/set-cookie?headers", url, sizeof url);
  for (int i = 0; i < 4; i++) /* from the second time on a cookie could come along */
    assert_int_equal(wire_post(transport, wire_to(url, 3 * MIB, 10000)).status, 200);
  const char *line = endpoint_process_line(&endpoint, "/set-cookie?headers");
  const char *headers = strstr(line, "\"headers\": [");
  const char *end = strstr(headers, "]]");
  int count = 0;
  for (const char *at = headers; at && at < end; at = strstr(at + 1, "[\"")) count++;
  assert_int_equal(count - 1, sizeof names / sizeof *names);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "[\"%s\", ", names[i]);
    assert_non_null(strstr(headers, wanted));
  }
  unlink(netrc);
  unsetenv("http_proxy");
  unsetenv("https_proxy");
  unsetenv("ALL_PROXY");
  transport->ops->close(transport);
}

static void test_retry_after_is_seconds_or_a_date(void **state) {
  (void)state;
  static const struct {
    const char *value; /* "_" is a blank */
    int64_t ms;
  } values[] = {
      {"5", 5000},
      {"0", 0},
      {"120_", 120000},
      {"-1", 0},
      {"+5", 0},
      {"1.5", 0},
      {"1e9", 0},
      {"5_6", 0},
      {"soon", 0},
      {"Soon", 0},
      {"99999999999", INT64_C(0x80000000)},
      {"99999999999999999999999999999999999999", INT64_C(0x80000000)},
      {"Tue,_14_Nov_2023_22:14:20_GMT", 60000},
      {"Tuesday,_14-Nov-23_22:14:20_GMT", 60000},
      {"Tue,_14_Nov_2023_22:12:20_GMT", 0},
      {"Fri,_14_Nov_2098_22:12:20_GMT", INT64_C(0x80000000)},
      {"Tue,_99_Nov_2023_22:14:20_GMT", 0},
  };
  struct lh_clock clock = test_clock();
  struct lh_transport *transport = open_plain(&clock);
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    char path[128];
    char url[256];
    snprintf(path, sizeof path, "/retry-after/%s", values[i].value);
    endpoint_process_url(&endpoint, path, url, sizeof url);
    struct wire_result result = wire_post(transport, wire_to(url, 10, 10000));
    assert_int_equal(result.status, 503);
    if (result.retry_after_ms != values[i].ms)
      fail_msg("\"%s\" is %lld ms", values[i].value, (long long)result.retry_after_ms);
  }
  char url[256]; /* one that came with a 1xx does not count */
  endpoint_process_url(&endpoint, "/103then200?retry-after", url, sizeof url);
  assert_int_equal(wire_post(transport, wire_to(url, 10, 10000)).retry_after_ms, 0);
  transport->ops->close(transport);
}

static int group_setup(void **state) {
  (void)state;
  endpoint_process_start(&endpoint, NULL);
  return 0;
}

static int group_teardown(void **state) {
  (void)state;
  endpoint_process_stop(&endpoint);
  print_message("%d wire counts checked\n", wire_checks);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_behaviour_is_one_wire_request),
      cmocka_unit_test(test_every_behaviour_on_a_used_connection_is_one_wire_request),
      cmocka_unit_test(test_connection_that_dies_on_reuse_is_not_retried),
      cmocka_unit_test(test_connection_is_kept_only_after_a_clear_answer),
      cmocka_unit_test(test_only_expected_headers_are_sent),
      cmocka_unit_test(test_retry_after_is_seconds_or_a_date),
  };
  return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
