/*
** What libcurl's sentence about a failure becomes. It may quote a URL, and URLs
** carry tokens, while the sentence goes to logs and mails.
*/
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "transport/exchange.h"

static struct lh_exchange exchange; /* too large for some stacks */

static int shortage; /* met by the next exchange */

static void judge(const char *detail, CURLcode code, int sends) {
  memset(&exchange, 0, sizeof exchange);
  exchange.easy = curl_easy_init();
  assert_non_null(exchange.easy);
  exchange.sends = sends;
  exchange.socket_errno = shortage;
  snprintf(exchange.detail, sizeof exchange.detail, "%s", detail);
  lh_verdict_reach(&exchange, code);
  curl_easy_cleanup(exchange.easy);
}

static void test_sentences_carry_no_secret_and_no_control(void **state) {
  (void)state;
  static const struct {
    const char *detail;
    const char *expected;
  } cases[] = {
      {"Recv failure: Connection reset by peer", "Recv failure: Connection reset by peer"},
      {"no such https://tom:pw@h.example/a/b?token=x here", "no such https://h.example/a/b here"},
      {"no such https://h.example?token=x@y/z here", "no such https://h.example here"},
      {"no such \"http://h.example/a#token\" here", "no such \"http://h.example/a\" here"},
      {"two http://a@b/?c and http://d@e@f/?g", "two http://b/ and http://f/"},
      {"mail to a@b is no URL, is it?", "mail to a@b is no URL, is it?"},
      {"two\r\nlines\x1b[31m and \xc3\xa9", "two  lines [31m and   "},
      {"://", "://"},
      {"http://", "http://"},
      {"http://tom:pw@", "http://"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    judge(cases[i].detail, CURLE_RECV_ERROR, 1);
    assert_int_equal(exchange.outcome, LH_OUTCOME_CONNECT);
    assert_string_equal(exchange.error, cases[i].expected);
  }
  char longest[CURL_ERROR_SIZE];
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  judge(longest, CURLE_RECV_ERROR, 1);
  assert_string_equal(exchange.error, longest);
  judge(longest, CURLE_OUT_OF_MEMORY, 0);
  assert_int_equal(exchange.outcome, LH_OUTCOME_LOCAL);
}

/* Whatever code a later libcurl may return: nothing is local once the request has begun. */
static void test_no_code_is_local_after_the_first_byte(void **state) {
  (void)state;
  shortage = EMFILE;
  for (int code = 0; code < CURL_LAST; code++) {
    judge("getaddrinfo() thread failed to start", (CURLcode)code, 1);
    assert_true(exchange.outcome != LH_OUTCOME_LOCAL && exchange.outcome != LH_OUTCOME_ANSWERED &&
                exchange.outcome != LH_OUTCOME_BLOCKED);
    assert_true(exchange.error[0] != '\0');
  }
  shortage = 0;
}

static void test_no_code_is_an_answer_without_headers(void **state) {
  (void)state;
  for (int code = 0; code < CURL_LAST; code++) {
    judge("", (CURLcode)code, 0);
    assert_int_not_equal(exchange.outcome, LH_OUTCOME_ANSWERED);
    assert_int_equal(exchange.uploaded, 0);
    assert_true(exchange.error[0] != '\0');
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sentences_carry_no_secret_and_no_control),
      cmocka_unit_test(test_no_code_is_local_after_the_first_byte),
      cmocka_unit_test(test_no_code_is_an_answer_without_headers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
