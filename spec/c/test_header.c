/* Custom headers: what could break a request or imitate ours is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/header.h"
#include "core/limits.h"

static void accepts(const char *headers) {
  struct lh_error err = {.message = ""};
  int code = lh_header_check(headers, &err);
  assert_string_equal(err.message, "");
  assert_int_equal(code, LH_OK);
}

static void refuses(const char *headers, const char *message) {
  struct lh_error err = {.message = ""};
  assert_int_equal(lh_header_check(headers, &err), LH_E_INVALID);
  assert_string_equal(err.message, message);
}

static void test_ordinary_headers(void **state) {
  (void)state;
  accepts("X-Api-Key: abc");
  accepts("Authorization: Bearer a.b-c\nX-Trace: 1");
  accepts("X-Tabs:\ta\tb c");
  accepts("X-None:value");
  accepts("X-Colon: a:b");
  accepts("09azAZ: a");
  accepts("x!#$%&'*+-.^_`|~9: v");
}

static void test_reserved_names_in_any_case(void **state) {
  (void)state;
  static const char *const names[] = {
      "Host",
      "content-length",
      "CONTENT-TYPE",
      "Content-Encoding",
      "Transfer-Encoding",
      "Connection",
      "TE",
      "Trailer",
      "Upgrade",
      "Expect",
      "User-Agent",
      "Keep-Alive",
      "Nonce",
      "X-Zinrelo-Signature",
      "Webhook-Id",
      "webhook-timestamp",
      "Webhook-Signature",
      "Proxy-Authorization",
      "proxy-anything",
      "proxy-",
  };
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char line[64], message[64];
    snprintf(line, sizeof line, "%s: v", names[i]);
    snprintf(message, sizeof message, "headers: %s is reserved", names[i]);
    refuses(line, message);
  }
  accepts("Hosts: v\nX-Host: v\nNonces: v\nProxy: v\nTEX: v");
}

static void test_lines_that_are_no_header(void **state) {
  (void)state;
  refuses("", "headers: \"\" is not \"Name: value\"");
  refuses("X-A", "headers: \"X-A\" is not \"Name: value\"");
  refuses("X-A;", "headers: \"X-A;\" is not \"Name: value\"");
  refuses(": v", "headers: \"\" is not a header name");
  refuses("X A: v", "headers: \"X A\" is not a header name");
  refuses("X-A : v", "headers: \"X-A \" is not a header name");
  refuses("X-A: v\n", "headers: \"\" is not \"Name: value\"");
  refuses("X-A: v\n\nX-B: v", "headers: \"\" is not \"Name: value\"");
  refuses("X-\xC3\xA9: v", "headers: \"X-\xC3\xA9\" is not a header name");
  refuses("X-A: v\n folded: v", "headers: \" folded\" is not a header name");
}

static void test_values(void **state) {
  (void)state;
  refuses("X-A:", "headers: the value of X-A is empty");
  refuses("X-A: \t ", "headers: the value of X-A is empty");
  for (int byte = 1; byte < 256; byte++) {
    char line[] = "X-A: a?b";
    line[6] = (char)byte;
    int fine = byte == '\t' || (byte >= 0x20 && byte < 0x7F);
    if (fine)
      accepts(line);
    else if (byte != '\n') /* that begins a second line, which is none */
      refuses(line, "headers: the value of X-A is not visible ASCII, spaces and tabs");
  }
}

/* Joined with others, a line break would look like one more header. */
static void test_field_sees_line_breaks(void **state) {
  (void)state;
  struct lh_error err;
  assert_int_equal(lh_header_field_check("X-A", 3, "v", 1, &err), LH_OK);
  assert_int_equal(lh_header_field_check("X-A", 3, "v\nX-B: w", 8, &err), LH_E_INVALID);
  assert_int_equal(lh_header_field_check("X-A", 3, "v\r\n", 3, &err), LH_E_INVALID);
  assert_int_equal(lh_header_field_check("X-A", 3, "v\0", 2, &err), LH_E_INVALID);
  assert_int_equal(lh_header_field_check("X-A", 3, "", 0, &err), LH_E_INVALID);
  assert_int_equal(lh_header_field_check("X\0A", 3, "v", 1, &err), LH_E_INVALID);
  assert_int_equal(lh_header_field_check("X-A:", 4, "v", 1, &err), LH_E_INVALID);
  assert_int_equal(lh_header_field_check("", 0, "v", 1, &err), LH_E_INVALID);
  assert_int_equal(lh_header_field_check("host", 4, "v", 1, &err), LH_E_INVALID);
}

static void test_names_given_twice(void **state) {
  (void)state;
  refuses("X-A: 1\nx-a: 2", "headers: x-a is given twice");
  refuses("X-A: 1\nX-B: 2\nX-A: 3", "headers: X-A is given twice");
  accepts("X-A: 1\nX-AB: 2\nX: 3");
}

static void test_total_size(void **state) {
  (void)state;
  char *headers = malloc(LH_HEADERS_BYTES_MAX + 2);
  assert_non_null(headers);
  memset(headers, 'v', LH_HEADERS_BYTES_MAX + 1);
  memcpy(headers, "X-A: ", 5);
  headers[LH_HEADERS_BYTES_MAX + 1] = '\0';
  refuses(headers, "headers: more than 8192 bytes");
  headers[LH_HEADERS_BYTES_MAX] = '\0';
  accepts(headers);
  memset(headers, 'n', 200);
  headers[LH_HEADER_NAME_MAX] = ':';
  accepts(headers);
  headers[LH_HEADER_NAME_MAX] = 'n';
  headers[LH_HEADER_NAME_MAX + 1] = ':';
  refuses(headers, "headers: a name is longer than 128 bytes");
  free(headers);
}

/* A handler may set what a webhook must not, but the framing is the transport's all the same. */
static void test_lines_of_a_call(void **state) {
  (void)state;
  static const char *const good[] = {"Authorization: Bearer a.b.c", "Content-Type: text/plain",
                                     "User-Agent:mine", "Idempotency-Key: 1:2", "Accept: */*"};
  static const char *const bad[] = {"Host: b",
                                    "content-LENGTH: 1",
                                    "Transfer-Encoding: chunked",
                                    "Connection: close",
                                    "Expect: 100-continue",
                                    "TE: trailers",
                                    "Trailer: a",
                                    "Upgrade: h2c",
                                    "Keep-Alive: 1",
                                    "Proxy-Authorization: s3cret",
                                    "Authorization: a\r\ns3cret: b",
                                    "Authorization: s3cret\x7f",
                                    "Authorization: ",
                                    "Bearer s3cret",
                                    "s3cret x: y",
                                    ": s3cret",
                                    ""};
  struct lh_error err;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    if (lh_header_line_check(good[i], 1, &err)) fail_msg("%s: %s", good[i], err.message);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (lh_header_line_check(bad[i], i + 1, &err) != LH_E_INVALID) fail_msg("%s is taken", bad[i]);
    assert_null(strstr(err.message, "s3cret")); /* values are not quoted */
  }
  assert_int_equal(lh_header_line_check("Bearer x", 7, &err), LH_E_INVALID);
  assert_string_equal(err.message, "headers[7]: not \"Name: value\"");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ordinary_headers),
      cmocka_unit_test(test_reserved_names_in_any_case),
      cmocka_unit_test(test_lines_that_are_no_header),
      cmocka_unit_test(test_values),
      cmocka_unit_test(test_field_sees_line_breaks),
      cmocka_unit_test(test_names_given_twice),
      cmocka_unit_test(test_total_size),
      cmocka_unit_test(test_lines_of_a_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
