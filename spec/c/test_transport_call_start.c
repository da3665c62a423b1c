/*
** Calls that do not begin, or break off for want of memory: what a call must
** not be, and each of libcurl's allocations failing in turn.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "curl_memory.h"
#include "endpoint_process.h"
#include "transport_wire.h"

static struct endpoint_process endpoint;
static char big_body[LH_CALL_BODY_MAX + 1];

static struct lh_transport *open_plain(void) {
  return wire_open((struct lh_transport_options){.allow_http = 1}, "127.0.0.0/8",
                   lh_clock_system());
}

static void test_what_is_no_call_is_refused_at_start(void **state) {
  (void)state;
  static char long_url[LH_CALL_URL_MAX + 2], long_line[LH_CALL_HEADERS_MAX + 2];
  static const char *const framing[] = {"Transfer-Encoding: chunked"}, *const cut[] = {"A: b\r\n"};
  static const char *const lengthy[] = {long_line};
  memset(long_url, 'a', sizeof long_url - 1);
  memcpy(long_url, "http://127.0.0.1/", 17);
  memset(long_line, 'a', sizeof long_line - 1);
  memcpy(long_line, "X: ", 3);
  const struct {
    struct lh_call call;
    int code;
  } bad[] = {
      {{.method = LH_METHOD_GET, .url = "ftp://h/"}, LH_E_INVALID},
      {{.method = LH_METHOD_GET, .url = "http://u:p@h/"}, LH_E_INVALID},
      {{.method = LH_METHOD_GET, .url = "http://h/#f"}, LH_E_INVALID},
      {{.method = LH_METHOD_GET, .url = "http://h/a b"}, LH_E_INVALID},
      {{.method = LH_METHOD_GET, .url = long_url}, LH_E_INVALID},
      {{.method = LH_METHOD_GET, .url = "http://h/", .body = "x", .body_len = 1}, LH_E_INVALID},
      {{.method = LH_METHOD_HEAD, .url = "http://h/", .body = "x", .body_len = 1}, LH_E_INVALID},
      {{.method = LH_METHOD_GET, .url = "http://h/", .headers = framing, .header_count = 1},
       LH_E_INVALID},
      {{.method = LH_METHOD_GET, .url = "http://h/", .headers = cut, .header_count = 1},
       LH_E_INVALID},
      {{.method = LH_METHOD_GET, .url = "http://h/", .headers = lengthy, .header_count = 1},
       LH_E_INVALID},
      {{.method = LH_METHOD_PUT,
        .url = "http://h/",
        .body = big_body,
        .body_len = LH_CALL_BODY_MAX + 1},
       LH_E_TOO_LARGE},
  };
  struct lh_transport *transport = open_plain();
  struct wire_call call = {.room = LH_CALL_ANSWERS_MAX};
  call.answer.room = &call.room;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct lh_call one = bad[i].call;
    one.timeout_ms = one.connect_timeout_ms = 1000;
    one.answer = &call.answer;
    if (transport->ops->call(transport, &one, NULL) != bad[i].code) fail_msg("%zu is taken", i);
  }
  assert_int_equal(transport->ops->in_flight(transport), 0);
  transport->ops->close(transport);
}

enum { OOM_UNSENT, OOM_SENT, OOM_WHOLE, OOM_UNTOUCHED, OOM_KINDS };

/* Whatever is missing: what may have left is said to have, and half an answer is none. */
static int one_allocation_fails(long number) {
  struct lh_transport *transport = open_plain();
  struct wire_call call = {.room = LH_CALL_ANSWERS_MAX};
  char url[128], path[64]; /* of its own, without a query: libcurl 7.88 can lose one here */
  call.answer.room = &call.room;
  snprintf(path, sizeof path, "/big/%ld", 100000 + number);
  endpoint_process_url(&endpoint, path, url, sizeof url);
  const struct lh_call full = {.method = LH_METHOD_PATCH,
                               .url = url,
                               .body = big_body,
                               .body_len = 100000,
                               .timeout_ms = 5000,
                               .connect_timeout_ms = 5000,
                               .answer_bytes_max = LH_CALL_ANSWER_DEFAULT,
                               .answer = &call.answer,
                               .tag = &call.result};
  curl_memory_fail_after(number);
  int rc = transport->ops->call(transport, &full, NULL);
  if (!rc) wire_finish(transport);
  int untouched = !curl_memory_failed();
  curl_memory_fail_after(-1);
  int wire = endpoint_process_count(&endpoint, path);
  int whole = !rc && call.result.outcome == LH_OUTCOME_ANSWERED;
  assert_true(wire <= 1);
  assert_true(wire == 0 || call.result.sent);
  assert_true(!whole || call.answer.body.len == 100000 + (size_t)number);
  wire_call_clear(&call);
  transport->ops->close(transport);
  if (whole) return untouched ? OOM_UNTOUCHED : OOM_WHOLE;
  return call.result.sent ? OOM_SENT : OOM_UNSENT;
}

static void test_each_allocation_of_libcurl_failing(void **state) {
  (void)state;
  int counts[OOM_KINDS] = {0};
  curl_memory_try_each(one_allocation_fails, OOM_UNTOUCHED, counts);
  print_message("one allocation fails: %d times unsent, %d broken off, %d answered all the same\n",
                counts[OOM_UNSENT], counts[OOM_SENT], counts[OOM_WHOLE]);
  assert_true(counts[OOM_UNSENT] > 10);
}

static int group_setup(void **state) {
  (void)state;
  curl_memory_begin();
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
      cmocka_unit_test(test_what_is_no_call_is_refused_at_start),
      cmocka_unit_test(test_each_allocation_of_libcurl_failing),
  };
  return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
