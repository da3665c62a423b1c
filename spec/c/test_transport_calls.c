/*
** The functions of a transport's door: start, poll, cancel, close, each in the
** cases its comment in transport.h speaks of.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/version.h"
#include "endpoint_process.h"
#include "transport_wire.h"

static struct endpoint_process endpoint;

static struct lh_transport *open_plain(const struct lh_clock *clock) {
  return wire_open((struct lh_transport_options){.allow_http = 1}, "127.0.0.0/8", clock);
}

static void check_count(const char *path, int expected) {
  assert_int_equal(endpoint_process_count(&endpoint, path), expected);
}

static void test_cancel_knows_whether_a_byte_left(void **state) {
  (void)state;
  const struct lh_clock *clock = lh_clock_system();
  struct lh_transport *transport = open_plain(clock);
  char url[256];
  struct wire_result result;
  endpoint_process_url(&endpoint, "/hang?cancel=unsent", url, sizeof url);
  wire_start(transport, wire_to(url, 10, 10000), &result);
  assert_int_equal(transport->ops->cancel(transport, &url), 0); /* a tag nobody has */
  assert_int_equal(transport->ops->in_flight(transport), 1);
  assert_int_equal(transport->ops->cancel(transport, &result), 1);
  assert_int_equal(transport->ops->in_flight(transport), 0);

  endpoint_process_url(&endpoint, "/hang?cancel=sent", url, sizeof url);
  wire_start(transport, wire_to(url, 10, 10000), &result);
  struct lh_post_result none;
  for (int i = 0; i < 100 && endpoint_process_count(&endpoint, "/hang?cancel=sent") == 0; i++)
    assert_int_equal(transport->ops->poll(transport, 20, NULL, 0, &none, 1), 0);
  assert_int_equal(transport->ops->cancel(transport, &result), 0);
  assert_int_equal(transport->ops->poll(transport, 0, NULL, 0, &none, 1), 0);
  check_count("/hang?cancel=unsent", 0);
  check_count("/hang?cancel=sent", 1);
  transport->ops->close(transport);
}

static void test_results_beyond_the_maximum_come_with_the_next_poll(void **state) {
  (void)state;
  const struct lh_clock *clock = lh_clock_system();
  struct lh_transport *transport = open_plain(clock);
  char url[256];
  struct lh_post_result results[3];
  int tags[10];
  endpoint_process_url(&endpoint, "/ok?many", url, sizeof url);
  for (int i = 0; i < 10; i++) {
    struct lh_post post = {
        .url = url, .timeout_ms = 10000, .connect_timeout_ms = 10000, .tag = &tags[i]};
    assert_int_equal(transport->ops->start(transport, &post, NULL), 0);
  }
  /* with no room for results they gather inside */
  for (int i = 0, late = 0; i < 1000 && late < 20; i++) {
    assert_int_equal(transport->ops->poll(transport, 10, NULL, 0, NULL, 0), 0);
    if (endpoint_process_count(&endpoint, "/ok?many") == 10) {
      usleep(2000);
      late++;
    }
  }
  assert_int_equal(transport->ops->in_flight(transport), 10);
  static const size_t expected[] = {3, 3, 3, 1};
  size_t total = 0;
  for (size_t i = 0; i < 4; i++) {
    int64_t before = clock->monotonic_ms(clock->self);
    assert_int_equal(transport->ops->poll(transport, 20000, NULL, 0, results, 3), expected[i]);
    assert_true(clock->monotonic_ms(clock->self) - before < 10000);
    for (size_t k = 0; k < expected[i]; k++) total += results[k].status == 200;
  }
  assert_int_equal(total, 10);
  assert_int_equal(transport->ops->in_flight(transport), 0);
  transport->ops->close(transport);
}

static void test_wait_ends_when_a_descriptor_is_readable(void **state) {
  (void)state;
  const struct lh_clock *clock = lh_clock_system();
  struct lh_transport *transport = open_plain(clock);
  struct lh_post_result none;
  int fds[2] = {eventfd(0, 0), eventfd(1, 0)};
  int64_t before = clock->monotonic_ms(clock->self);
  assert_int_equal(transport->ops->poll(transport, 20000, fds, 2, &none, 1), 0);
  assert_true(clock->monotonic_ms(clock->self) - before < 10000);
  before = clock->monotonic_ms(clock->self);
  assert_int_equal(transport->ops->poll(transport, 50, fds, 1, &none, 1), 0);
  assert_true(clock->monotonic_ms(clock->self) - before >= 49); /* and only then */
  close(fds[0]);
  close(fds[1]);
  transport->ops->close(transport);
}

/* The time for reading an answer's body ends a wait, too. */
static void test_wait_ends_when_an_answer_is_late(void **state) {
  (void)state;
  const struct lh_clock *clock = lh_clock_system();
  struct lh_transport *transport = open_plain(clock);
  char url[256];
  int tag;
  struct lh_post_result result;
  size_t count = 0;
  endpoint_process_url(&endpoint, "/slow-body?late", url, sizeof url);
  struct lh_post post = {.url = url, .timeout_ms = 30000, .connect_timeout_ms = 10000, .tag = &tag};
  assert_int_equal(transport->ops->start(transport, &post, NULL), 0);
  for (int i = 0; i < 20 && count == 0; i++)
    count = transport->ops->poll(transport, 20000, NULL, 0, &result, 1);
  assert_int_equal(count, 1);
  assert_int_equal(result.status, 200);
  assert_in_range(result.duration_ms, LH_RESPONSE_READ_MS, LH_RESPONSE_READ_MS + 900);
  transport->ops->close(transport);
}

/* Endpoints close idle connections; a request into one that is being closed would be lost. */
static void test_connection_idle_for_long_is_not_used_again(void **state) {
  (void)state;
  const struct lh_clock *clock = lh_clock_system();
  struct lh_transport *transport = open_plain(clock);
  struct lh_post_result none;
  char url[256];
  endpoint_process_url(&endpoint, "/ok?idle", url, sizeof url);
  assert_int_equal(wire_post(transport, wire_to(url, 10, 5000)).status, 200);
  transport->ops->poll(transport, 2050, NULL, 0, &none, 1);
  assert_int_equal(wire_post(transport, wire_to(url, 10, 5000)).status, 200);
  const char *line = endpoint_process_line(&endpoint, "/ok?idle");
  assert_int_equal(endpoint_process_number(line, "request"), 1);
  transport->ops->close(transport);
}

static void test_post_without_headers_gets_none_of_libcurls(void **state) {
  (void)state;
  struct lh_transport *transport = open_plain(lh_clock_system());
  char url[256];
  int tag;
  struct lh_post_result result;
  endpoint_process_url(&endpoint, "/ok?bare", url, sizeof url);
  struct lh_post post = {.url = url,
                         .body = "{}",
                         .body_len = 2,
                         .timeout_ms = 5000,
                         .connect_timeout_ms = 5000,
                         .tag = &tag};
  assert_int_equal(transport->ops->start(transport, &post, NULL), 0);
  for (int i = 0; i < 100 && transport->ops->poll(transport, 50, NULL, 0, &result, 1) == 0; i++) {
  }
  const char *line = endpoint_process_line(&endpoint, "/ok?bare");
  assert_non_null(strstr(line, "[\"User-Agent\", \"loyalhook/" LH_VERSION "\"]"));
  assert_non_null(strstr(line, "[\"Content-Length\", \"2\"]]"));
  assert_null(strstr(line, "Content-Type"));
  assert_null(strstr(line, "Accept"));
  transport->ops->close(transport);
}

/* The endpoint numbers its connections: which number does a new one get? */
static long next_connection(const char *path) {
  struct lh_transport *transport = open_plain(lh_clock_system());
  struct wire_result result;
  char url[256];
  endpoint_process_url(&endpoint, path, url, sizeof url);
  wire_start(transport, wire_to(url, 2, 30000), &result);
  wire_finish(transport);
  transport->ops->close(transport);
  return endpoint_process_number(endpoint_process_line(&endpoint, path), "connection");
}

static void test_two_thousand_posts_over_kept_connections(void **state) {
  (void)state;
  enum { POSTS = 2000, AT_ONCE = 64 };
  const struct lh_clock *clock = lh_clock_system();
  struct lh_transport *transport = open_plain(clock);
  static struct wire_result results[POSTS];
  char url[256];
  endpoint_process_url(&endpoint, "/ok?load", url, sizeof url);
  long before = next_connection("/ok?before-load");
  for (int i = 0; i < POSTS; i++) {
    while (transport->ops->in_flight(transport) >= AT_ONCE) wire_step(transport);
    wire_start(transport, wire_to(url, 2000, 30000), &results[i]);
  }
  wire_finish(transport);
  for (int i = 0; i < POSTS; i++) assert_int_equal(results[i].status, 200);
  check_count("/ok?load", POSTS);
  assert_in_range(next_connection("/ok?after-load") - before, 2, POSTS / 4);
  transport->ops->close(transport);
}

static void test_unusable_posts_are_refused_at_start(void **state) {
  (void)state;
  const struct lh_clock *clock = lh_clock_system();
  struct lh_transport *transport = open_plain(clock);
  static const char *const urls[] = {"",
                                     "ftp://127.0.0.1/",
                                     "127.0.0.1/",
                                     "http:///x",
                                     "http://a b/",
                                     "http://a\\b/",
                                     "http://tom@127.0.0.1/",
                                     "http://h/\n"};
  static const char *const lines[] = {"A: b\r\nC: d", "A: b\nC: d", "no colon", "A: \x7f"};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    struct lh_post post = {.url = urls[i], .timeout_ms = 1000, .connect_timeout_ms = 1000};
    assert_int_equal(transport->ops->start(transport, &post, NULL), LH_E_INVALID);
  }
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    struct lh_post post = {.url = "http://127.0.0.1:1/",
                           .headers = &lines[i],
                           .header_count = 1,
                           .timeout_ms = 1000,
                           .connect_timeout_ms = 1000};
    assert_int_equal(transport->ops->start(transport, &post, NULL), LH_E_INVALID);
  }
  assert_int_equal(transport->ops->in_flight(transport), 0);
  transport->ops->close(transport);
}

static void test_close_in_the_middle(void **state) {
  (void)state;
  const struct lh_clock *clock = lh_clock_system();
  struct lh_transport *transport = open_plain(clock);
  char url[256];
  struct wire_result results[20];
  struct lh_post_result none;
  endpoint_process_url(&endpoint, "/hang?close", url, sizeof url);
  for (int i = 0; i < 20; i++) {
    wire_start(transport, wire_to(url, 100000, 10000), &results[i]);
    if (i % 2) transport->ops->poll(transport, 0, NULL, 0, &none, 1);
  }
  const struct lh_transport_ops *ops = transport->ops;
  ops->close(transport);
  ops->close(NULL);
}

static int group_setup(void **state) {
  (void)state;
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
      cmocka_unit_test(test_cancel_knows_whether_a_byte_left),
      cmocka_unit_test(test_results_beyond_the_maximum_come_with_the_next_poll),
      cmocka_unit_test(test_wait_ends_when_a_descriptor_is_readable),
      cmocka_unit_test(test_wait_ends_when_an_answer_is_late),
      cmocka_unit_test(test_connection_idle_for_long_is_not_used_again),
      cmocka_unit_test(test_post_without_headers_gets_none_of_libcurls),
      cmocka_unit_test(test_two_thousand_posts_over_kept_connections),
      cmocka_unit_test(test_unusable_posts_are_refused_at_start),
      cmocka_unit_test(test_close_in_the_middle),
  };
  return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
