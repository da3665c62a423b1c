/*
** Certificates, versions and broken handshakes, with certificates made by the
** openssl program for this run; and the wire count again, since over TLS
** other code of libcurl decides what is sent a second time.
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

#include "certificates.h"
#include "endpoint_process.h"
#include "transport_wire.h"

#define MIB (1024 * 1024)

static char ca_file[128];

static void endpoint_start(struct endpoint_process *endpoint, const char *name, const char *option,
                           const char *value) {
  char certificate[128];
  char key[128];
  certificates_file(certificate, sizeof certificate, name, ".pem");
  certificates_file(key, sizeof key, name, ".key");
  const char *arguments[] = {"--tls", certificate, key, option, value, NULL};
  endpoint_process_start(endpoint, arguments);
}

static void url_make(const struct endpoint_process *endpoint, const char *path, char *out,
                     size_t out_cap) {
  snprintf(out, out_cap, "https://127.0.0.1:%d%s", endpoint->port, path);
}

static struct lh_transport *open_trusting(const char *file) {
  return wire_open((struct lh_transport_options){.ca_file = file}, "127.0.0.0/8",
                   lh_clock_system());
}

static void check(const char *name, const struct wire_result *result, enum lh_outcome outcome,
                  int status) {
  if (result->outcome != outcome || result->status != status)
    fail_msg("%s: %s %d \"%s\"", name, lh_outcome_name(result->outcome), result->status,
             result->error);
}

/* A call fares as the POST did, and without a handshake nothing of it has left. */
static void call_too(struct lh_transport *transport, const char *url, int answered) {
  struct wire_call call;
  wire_call_start(transport, (struct lh_call){.method = LH_METHOD_GET, .url = url}, 2000, &call);
  wire_finish(transport);
  assert_int_equal(call.result.outcome == LH_OUTCOME_ANSWERED, answered);
  assert_int_equal(call.result.sent, answered);
  assert_int_equal(call.answer.body.len, answered ? 2 : 0);
  wire_call_clear(&call);
}

/* One POST (and a call) to a new endpoint with this certificate. */
static struct wire_result post_to(const char *name, const char *trusted, const char *option,
                                  const char *value) {
  struct endpoint_process endpoint;
  char url[128];
  endpoint_start(&endpoint, name, option, value);
  struct lh_transport *transport = open_trusting(trusted);
  url_make(&endpoint, "/ok", url, sizeof url);
  struct wire_result result = wire_post(transport, wire_to(url, 2000, 2000));
  int answered = result.outcome == LH_OUTCOME_ANSWERED;
  assert_int_equal(endpoint_process_count(&endpoint, NULL), answered);
  call_too(transport, url, answered);
  transport->ops->close(transport);
  endpoint_process_stop(&endpoint);
  return result;
}

static void test_only_certificates_that_verify_are_talked_to(void **state) {
  (void)state;
  char other[128];
  certificates_file(other, sizeof other, "other", ".pem");
  struct wire_result result = post_to("good", ca_file, NULL, NULL);
  check("good", &result, LH_OUTCOME_ANSWERED, 200);
  static const char *const bad[] = {"self", "wrong", "expired", "good"};
  for (size_t i = 0; i < 4; i++) { /* the last one: with the system's authorities only */
    result = post_to(bad[i], i < 3 ? ca_file : NULL, NULL, NULL);
    check(bad[i], &result, LH_OUTCOME_TLS, 0);
    assert_true(result.error[0] != '\0');
  }
  result = post_to("good", other, NULL, NULL); /* ca_file is all that is trusted */
  check("other authority", &result, LH_OUTCOME_TLS, 0);
}

static void test_old_versions_and_broken_handshakes(void **state) {
  (void)state;
  struct wire_result result = post_to("good", ca_file, "--tls-max", "TLSv1_1");
  check("TLS 1.1", &result, LH_OUTCOME_TLS, 0);
  result = post_to("good", ca_file, "--tls-max", "TLSv1_2");
  check("TLS 1.2", &result, LH_OUTCOME_ANSWERED, 200);
  result = post_to("good", ca_file, "--accept", "hang");
  check("hang", &result, LH_OUTCOME_TIMEOUT, 0);
  assert_non_null(strstr(result.error, "while connecting"));
  static const char *const breaks[] = {"close", "reset"};
  for (size_t i = 0; i < 2; i++) {
    result = post_to("good", ca_file, "--accept", breaks[i]);
    assert_true(result.outcome == LH_OUTCOME_TLS || result.outcome == LH_OUTCOME_CONNECT);
  }
  struct endpoint_process plain; /* answers a handshake with HTTP */
  char url[128];
  endpoint_process_start(&plain, NULL);
  struct lh_transport *transport = open_trusting(ca_file);
  url_make(&plain, "/ok", url, sizeof url);
  result = wire_post(transport, wire_to(url, 2000, 2000));
  assert_true(result.outcome == LH_OUTCOME_TLS || result.outcome == LH_OUTCOME_TIMEOUT);
  transport->ops->close(transport);
  endpoint_process_stop(&plain);
}

static void test_every_end_over_tls_is_one_wire_request(void **state) {
  (void)state;
  static const struct {
    const char *path;
    size_t body_len;
    enum lh_outcome outcome;
    int status;
  } cases[] = {
      {"/ok", 2000, LH_OUTCOME_ANSWERED, 200},
      {"/ok?8M", 8 * MIB, LH_OUTCOME_ANSWERED, 200},
      {"/417", 2 * MIB, LH_OUTCOME_ANSWERED, 417},
      {"/no-length", 2000, LH_OUTCOME_ANSWERED, 200},
      {"/early200?2M", 2 * MIB, LH_OUTCOME_ANSWERED, 200},
      {"/early/413?8M", 8 * MIB, LH_OUTCOME_ANSWERED, 413},
      {"/reset/midbody", 2000, LH_OUTCOME_ANSWERED, 200},
      {"/close/midbody", 2000, LH_OUTCOME_ANSWERED, 200},
      {"/endless-body", 2000, LH_OUTCOME_ANSWERED, 200},
      {"/reset", 2000, LH_OUTCOME_CONNECT, 0},
      {"/close", 2000, LH_OUTCOME_CONNECT, 0},
      {"/reset/headers", 2000, LH_OUTCOME_CONNECT, 0},
      {"/reset/body?8M", 8 * MIB, LH_OUTCOME_CONNECT, 0},
      {"/close/headers", 2000, LH_OUTCOME_CONNECT, 0},
      {"/close/midheaders", 2000, LH_OUTCOME_PROTOCOL, 0},
      {"/endless-headers", 2000, LH_OUTCOME_PROTOCOL, 0},
      {"/hang", 2000, LH_OUTCOME_TIMEOUT, 0},
  };
  struct endpoint_process endpoint;
  endpoint_start(&endpoint, "good", NULL, NULL);
  int counts = 0;
  for (int used = 0; used < 2; used++) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
      char path[128];
      char url[192];
      struct lh_transport *transport = open_trusting(ca_file);
      url_make(&endpoint, "/ok?warm", url, sizeof url);
      if (used) assert_int_equal(wire_post(transport, wire_to(url, 10, 5000)).status, 200);
      snprintf(path, sizeof path, "%s%cused=%d", cases[i].path,
               strchr(cases[i].path, '?') ? '&' : '?', used);
      url_make(&endpoint, path, url, sizeof url);
      int32_t timeout_ms = cases[i].outcome == LH_OUTCOME_TIMEOUT ? 400 : 20000;
      struct wire_result result = wire_post(transport, wire_to(url, cases[i].body_len, timeout_ms));
      check(path, &result, cases[i].outcome, cases[i].status);
      if (endpoint_process_count(&endpoint, path) != 1) fail_msg("%s: not one request", path);
      long number = endpoint_process_number(endpoint_process_line(&endpoint, path), "request");
      assert_int_equal(number, 1 + used);
      counts++;
      transport->ops->close(transport);
    }
  }
  endpoint_process_stop(&endpoint);
  print_message("%d wire counts checked over TLS\n", counts);
}

static void test_tls_connection_that_dies_on_reuse_is_not_retried(void **state) {
  (void)state;
  struct endpoint_process endpoint;
  char url[128];
  endpoint_start(&endpoint, "good", NULL, NULL);
  struct lh_transport *transport = open_trusting(ca_file);
  url_make(&endpoint, "/die-after-keepalive", url, sizeof url);
  struct wire_result result = wire_post(transport, wire_to(url, 2000, 5000));
  check("first", &result, LH_OUTCOME_ANSWERED, 200);
  url_make(&endpoint, "/ok", url, sizeof url);
  result = wire_post(transport, wire_to(url, 2000, 5000));
  check("second", &result, LH_OUTCOME_CONNECT, 0);
  assert_int_equal(endpoint_process_count(&endpoint, "/ok"), 1);
  result = wire_post(transport, wire_to(url, 2000, 5000));
  check("third", &result, LH_OUTCOME_ANSWERED, 200);
  transport->ops->close(transport);
  endpoint_process_stop(&endpoint);
}

static void test_a_missing_authority_file_is_no_fault_of_the_endpoint(void **state) {
  (void)state;
  struct lh_transport *transport = NULL;
  struct lh_error err = {0};
  char gone[128];
  certificates_file(gone, sizeof gone, "gone", ".pem");
  struct lh_transport_options options = {.ca_file = gone};
  assert_int_equal(lh_transport_curl_open(&options, lh_clock_system(), &transport, &err),
                   LH_E_CONFIG);
  assert_non_null(strstr(err.message, "gone.pem"));

  struct endpoint_process endpoint;
  char url[128];
  endpoint_start(&endpoint, "good", NULL, NULL);
  certificates_run("cp ca.pem gone.pem");
  transport = open_trusting(gone);
  certificates_run("rm gone.pem");
  url_make(&endpoint, "/ok", url, sizeof url);
  struct wire_result result = wire_post(transport, wire_to(url, 2000, 5000));
  check("gone", &result, LH_OUTCOME_LOCAL, 0);
  certificates_run("cp ca.pem gone.pem");
  result = wire_post(transport, wire_to(url, 2000, 5000));
  check("back", &result, LH_OUTCOME_ANSWERED, 200);
  transport->ops->close(transport);
  endpoint_process_stop(&endpoint);
}

/* The environment must not be able to make us write session keys (set in group_setup). */
static void test_no_keys_were_written(void **state) {
  (void)state;
  char keys[128];
  certificates_file(keys, sizeof keys, "keys", ".log");
  assert_int_equal(access(keys, F_OK), -1);
}

static int group_setup(void **state) {
  (void)state;
  char keys[128];
  if (certificates_begin_usual()) return -1;
  certificates_authority("other");
  certificates_file(keys, sizeof keys, "keys", ".log");
  setenv("SSLKEYLOGFILE", keys, 1);
  certificates_file(ca_file, sizeof ca_file, "ca", ".pem");
  return 0;
}

static int group_teardown(void **state) {
  (void)state;
  return certificates_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_only_certificates_that_verify_are_talked_to),
      cmocka_unit_test(test_old_versions_and_broken_handshakes),
      cmocka_unit_test(test_every_end_over_tls_is_one_wire_request),
      cmocka_unit_test(test_tls_connection_that_dies_on_reuse_is_not_retried),
      cmocka_unit_test(test_a_missing_authority_file_is_no_fault_of_the_endpoint),
      cmocka_unit_test(test_no_keys_were_written),
  };
  return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
