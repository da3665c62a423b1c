/*
** What must end an attempt before anything leaves: addresses and schemes the
** deployment does not allow, names that do not resolve, and shortages of this
** machine, which must never be charged to the endpoint. Name lookups, threads
** and (curl_memory.c) libcurl's memory are replaced, so that they can fail.
*/
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "curl_memory.h"
#include "endpoint_process.h"
#include "transport_wire.h"

#define EXPORT __attribute__((visibility("default")))

static struct endpoint_process endpoint;
static pthread_mutex_t hang =
    PTHREAD_MUTEX_INITIALIZER; /* held while "hang.test" does not resolve */
static atomic_int lookups;
static atomic_int refuse_threads;

/* In place of libc's: names ending in .test mean what their first label says. */
EXPORT int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out) {
  typedef int lookup_function(const char *, const char *, const struct addrinfo *,
                              struct addrinfo **);
  union {
    void *symbol;
    lookup_function *function;
  } real = {.symbol = dlsym(RTLD_NEXT, "getaddrinfo")};
  atomic_fetch_add(&lookups, 1);
  if (strstr(name, "noname.test")) return EAI_NONAME;
  if (strcmp(name, "again.test") == 0) return EAI_AGAIN;
  if (strcmp(name, "loopback.test") == 0) return real.function("127.0.0.1", service, hints, out);
  if (strcmp(name, "metadata.test") == 0)
    return real.function("169.254.169.254", service, hints, out);
  if (strcmp(name, "hang.test") == 0) {
    pthread_mutex_lock(&hang);
    pthread_mutex_unlock(&hang);
    return EAI_NONAME;
  }
  return real.function(name, service, hints, out);
}

/* In place of libc's: refuses like a process at its limit of threads. */
EXPORT int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                          void *(*start)(void *), void *restrict argument) {
  typedef int create_function(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  union {
    void *symbol;
    create_function *function;
  } real = {.symbol = dlsym(RTLD_NEXT, "pthread_create")};
  if (atomic_load(&refuse_threads)) return EAGAIN;
  return real.function(thread, attributes, start, argument);
}

static struct lh_transport *open_allowing(const char *network) {
  return wire_open((struct lh_transport_options){.allow_http = 1}, network, lh_clock_system());
}

static void check(const char *url, const struct wire_result *result, enum lh_outcome outcome,
                  const char *text) {
  if (result->outcome != outcome || !strstr(result->error, text))
    fail_msg("%s: %s %d \"%s\"", url, lh_outcome_name(result->outcome), result->status,
             result->error);
}

static int listen_here(int backlog, int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
  assert_int_equal(listen(fd, backlog), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
  *port = ntohs(address.sin_port);
  return fd;
}

static void test_refused_addresses_are_not_even_connected_to(void **state) {
  (void)state;
  static const struct {
    const char *host;
    const char *text;
  } hosts[] = {
      {"127.0.0.1", "address 127.0.0.1 is loopback; allow it with allow_networks "
                    "(LOYALHOOK_ALLOW_NETWORKS=127.0.0.0/8)"},
      {"127.1", "127.0.0.0/8"},
      {"0x7f000001", "127.0.0.0/8"},
      {"2130706433", "127.0.0.0/8"},
      {"0177.0.0.1", "127.0.0.0/8"},
      {"017700000001", "127.0.0.0/8"},
      {"0", "address 0.0.0.0 is"},
      {"localhost", "loopback"},
      {"LOCALHOST", "loopback"},
      {"loopback.test", "127.0.0.0/8"},
      {"metadata.test", "address 169.254.169.254 is link-local"},
      {"[::1]", "LOYALHOOK_ALLOW_NETWORKS=::1/128"},
      {"[::ffff:127.0.0.1]", "127.0.0.0/8"},
      {"[::127.0.0.1]", "address ::127.0.0.1 is"},
      {"[64:ff9b::7f00:1]", "loopback"},
      {"192.168.0.1", "private"},
      {"10.0.0.1", "LOYALHOOK_ALLOW_NETWORKS=10.0.0.1/32"},
      {"169.254.169.254", "link-local"},
      {"224.0.0.1", "multicast"},
  };
  int port;
  int listener = listen_here(16, &port);
  struct lh_transport *transport = open_allowing(NULL);
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    char url[128];
    snprintf(url, sizeof url, "http://%s:%d/", hosts[i].host, port);
    struct wire_result result = wire_post(transport, wire_to(url, 10, 5000));
    check(url, &result, LH_OUTCOME_BLOCKED, hosts[i].text);
    assert_int_equal(result.uploaded, 0);
  }
  assert_true(accept(listener, NULL, NULL) < 0 && errno == EAGAIN);
  close(listener);
  transport->ops->close(transport);
}

static void test_plain_http_needs_a_setting(void **state) {
  (void)state;
  struct lh_transport *transport =
      wire_open((struct lh_transport_options){0}, "127.0.0.0/8", lh_clock_system());
  char url[128];
  endpoint_process_url(&endpoint, "/ok?plain", url, sizeof url);
  struct wire_result result = wire_post(transport, wire_to(url, 10, 5000));
  check(url, &result, LH_OUTCOME_BLOCKED, "allow_http (LOYALHOOK_ALLOW_HTTP=1)");
  assert_int_equal(endpoint_process_count(&endpoint, "/ok?plain"), 0);

  struct wire_result pending; /* and one that was never looked at can be taken back */
  wire_start(transport, wire_to(url, 10, 5000), &pending);
  assert_int_equal(transport->ops->cancel(transport, &pending), 1);
  assert_int_equal(transport->ops->in_flight(transport), 0);
  transport->ops->close(transport);
}

static void test_one_allowed_address_of_a_name_is_enough(void **state) {
  (void)state;
  struct lh_transport *transport = open_allowing("127.0.0.0/8");
  char url[128];
  snprintf(url, sizeof url, "http://localhost:%d/ok?name",
           endpoint.port); /* also ::1, not allowed */
  struct wire_result result = wire_post(transport, wire_to(url, 10, 5000));
  check(url, &result, LH_OUTCOME_ANSWERED, "");
  transport->ops->close(transport);
}

/* reliability-facts F4: no socket is opened on reuse; only the check before the request sees it. */
static void test_a_connection_of_an_exempt_post_is_no_way_around(void **state) {
  (void)state;
  struct lh_transport *transport =
      wire_open((struct lh_transport_options){.allow_http = 1}, NULL, lh_clock_system());
  char url[128];
  endpoint_process_url(&endpoint, "/ok?exempt", url, sizeof url);
  struct wire_post exempt = wire_to(url, 10, 5000);
  exempt.exempt = 1;
  struct wire_result result = wire_post(transport, exempt);
  check(url, &result, LH_OUTCOME_ANSWERED, "");
  result = wire_post(transport, wire_to(url, 10, 5000));
  check(url, &result, LH_OUTCOME_BLOCKED, "loopback");
  assert_int_equal(endpoint_process_count(&endpoint, "/ok?exempt"), 1);
  result = wire_post(transport, exempt);
  check(url, &result, LH_OUTCOME_ANSWERED, "");
  transport->ops->close(transport);
}

static void test_failures_to_connect_are_told_apart(void **state) {
  (void)state;
  struct lh_transport *transport = open_allowing("127.0.0.0/8");
  char url[128];
  int port;
  close(listen_here(0, &port));
  snprintf(url, sizeof url, "http://127.0.0.1:%d/a?token=hidden", port);
  struct wire_result result = wire_post(transport, wire_to(url, 10, 5000));
  check(url, &result, LH_OUTCOME_CONNECT, "");
  assert_true(result.error[0] && !strstr(result.error, "hidden"));

  int listener =
      listen_here(0, &port); /* one fills its queue, the next gets no answer to its SYN */
  int fillers[4];
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)port)};
  for (int i = 0; i < 4; i++) {
    fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)connect(fillers[i], (struct sockaddr *)&address, sizeof address);
  }
  snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
  result = wire_post(transport, wire_to(url, 10, 300));
  check(url, &result, LH_OUTCOME_TIMEOUT, "while connecting");
  for (int i = 0; i < 4; i++) close(fillers[i]);
  close(listener);

  snprintf(url, sizeof url, "http://localhost:%d/",
           port); /* ::1 is refused by us, 127.0.0.1 by it */
  result = wire_post(transport, wire_to(url, 10, 5000));
  check(url, &result, LH_OUTCOME_CONNECT, "");

  static const char *const names[] = {"http://thread.noname.test/", "http://again.test/"};
  for (size_t i = 0; i < 2; i++) {
    result = wire_post(transport, wire_to(names[i], 10, 5000));
    check(names[i], &result, LH_OUTCOME_DNS, "");
  }
  transport->ops->close(transport);
}

/* A handler is told whether it is safe to call again: nothing of these has left. */
static void test_calls_that_are_refused_have_not_left(void **state) {
  (void)state;
  static const struct {
    const char *host;
    enum lh_outcome outcome;
  } hosts[] = {{"127.0.0.1", LH_OUTCOME_BLOCKED},
               {"metadata.test", LH_OUTCOME_BLOCKED},
               {"call.noname.test", LH_OUTCOME_DNS},
               {"127.0.0.2", LH_OUTCOME_CONNECT}};
  struct lh_transport *transport = open_allowing("127.0.0.2/32");
  struct wire_call call;
  char url[128];
  int port;
  close(listen_here(0, &port));
  endpoint_process_url(&endpoint, "/ok?opened", url, sizeof url);
  struct wire_post exempt = wire_to(url, 10, 5000); /* leaves a connection that could be used */
  exempt.exempt = 1;
  assert_int_equal(wire_post(transport, exempt).status, 200);
  for (int i = -1; i < 4; i++) {
    if (i >= 0) snprintf(url, sizeof url, "http://%s:%d/", hosts[i].host, port);
    wire_call_start(transport, (struct lh_call){.url = url}, 5000, &call);
    wire_finish(transport);
    check(url, &call.result, i < 0 ? LH_OUTCOME_BLOCKED : hosts[i].outcome, "");
    assert_false(call.result.sent);
    assert_int_equal(call.result.status, 0);
    wire_call_clear(&call);
  }
  transport->ops->close(transport);
}

/* A name server that does not answer costs its own transfer its time, and nobody else anything. */
static void test_a_hanging_lookup_holds_up_nothing(void **state) {
  (void)state;
  struct lh_transport *transport = open_allowing("127.0.0.0/8");
  const struct lh_clock *clock = lh_clock_system();
  struct wire_result slow[3];
  char url[128];
  pthread_mutex_lock(&hang);
  int before = atomic_load(&lookups);
  int64_t begin = clock->monotonic_ms(clock->self);
  wire_start(transport, wire_to("http://hang.test/", 10, 300), &slow[0]);
  wire_start(transport, wire_to("http://hang.test/", 10, 60000), &slow[1]);
  wire_start(transport, wire_to("http://hang.test/", 10, 60000), &slow[2]);
  endpoint_process_url(&endpoint, "/ok?hang", url, sizeof url);
  struct wire_result fast;
  wire_start(transport, wire_to(url, 10, 5000), &fast);
  while (!slow[0].done || !fast.done) wire_step(transport);
  assert_true(atomic_load(&lookups) - before >= 3); /* or twice as many, one for each family */
  check("hang.test", &slow[0], LH_OUTCOME_TIMEOUT, "while connecting");
  check(url, &fast, LH_OUTCOME_ANSWERED, "");
  assert_int_equal(transport->ops->cancel(transport, &slow[1]), 1);
  transport->ops->close(transport); /* with a lookup still running */
  assert_true(clock->monotonic_ms(clock->self) - begin < 10000);
  pthread_mutex_unlock(&hang);
}

#define FILLED_MAX 256

struct shortage {
  struct rlimit before;
  int filled[FILLED_MAX];
  int count;
};

/* From now on only `spare` descriptors more can be opened. */
static void shortage_begin(struct shortage *shortage, int spare) {
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &shortage->before), 0);
  struct rlimit low = {.rlim_cur = FILLED_MAX - 1, .rlim_max = shortage->before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  shortage->count = 0;
  for (;;) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0) break;
    shortage->filled[shortage->count++] = fd;
  }
  assert_int_equal(errno, EMFILE);
  assert_true(shortage->count >= spare);
  while (spare-- > 0) close(shortage->filled[--shortage->count]);
}

static void shortage_end(struct shortage *shortage) {
  while (shortage->count > 0) close(shortage->filled[--shortage->count]);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &shortage->before), 0);
}

static void test_shortage_of_descriptors_is_local(void **state) {
  (void)state;
  char url[128];
  struct shortage probe;
  shortage_begin(&probe, 0);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd >= 0) close(fd);
  shortage_end(&probe);
  if (fd >= 0) {
    print_message("skipped: here (valgrind?) socket() does not heed the limit of descriptors\n");
    skip();
  }
  endpoint_process_url(&endpoint, "/ok?fds", url, sizeof url);
  for (int spare = 0; spare <= 4; spare++) {
    struct lh_transport *transport = open_allowing("127.0.0.0/8");
    struct shortage shortage;
    struct wire_result address;
    struct wire_result name;
    shortage_begin(&shortage, spare);
    wire_start(transport, wire_to("http://nosuch.invalid/", 10, 5000), &name);
    wire_finish(transport);
    wire_start(transport, wire_to(url, 10, 5000), &address);
    wire_finish(transport);
    shortage_end(&shortage);
    check("nosuch.invalid", &name, LH_OUTCOME_LOCAL, "shortage on this machine");
    if (spare == 0)
      check(url, &address, LH_OUTCOME_LOCAL, "shortage on this machine: no descriptor");
    else
      check(url, &address, LH_OUTCOME_ANSWERED, "");
    address = wire_post(transport, wire_to(url, 10, 5000));
    check(url, &address, LH_OUTCOME_ANSWERED, "");
    transport->ops->close(transport);
  }
  assert_int_equal(endpoint_process_count(&endpoint, "/ok?fds"), 4 + 5);
}

/* poll() refuses to watch more descriptors than may be open. */
static void test_transfers_end_though_the_limit_fell_below_their_number(void **state) {
  (void)state;
  enum { FEW = 9 }; /* of more, libcurl 7.88 leaks its list when poll() fails */
  struct lh_transport *transport = open_allowing("127.0.0.0/8");
  struct wire_result results[FEW];
  char url[128];
  endpoint_process_url(&endpoint, "/delay/300?limit", url, sizeof url);
  for (int i = 0; i < FEW; i++) wire_start(transport, wire_to(url, 10, 10000), &results[i]);
  for (int i = 0; i < 200 && endpoint_process_count(&endpoint, "/delay/300?limit") < FEW; i++)
    wire_step(transport);
  struct rlimit old;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
  struct rlimit low = {.rlim_cur = 8, .rlim_max = old.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  wire_finish(transport);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
  for (int i = 0; i < FEW; i++) check(url, &results[i], LH_OUTCOME_ANSWERED, "");
  transport->ops->close(transport);
}

static void test_shortage_of_threads_is_local(void **state) {
  (void)state;
  struct lh_transport *transport = open_allowing("127.0.0.0/8");
  atomic_store(&refuse_threads, 1);
  struct wire_result result = wire_post(transport, wire_to("http://noname.test/", 10, 500));
  atomic_store(&refuse_threads, 0);
  check("noname.test", &result, LH_OUTCOME_LOCAL, "shortage on this machine");
  result = wire_post(transport, wire_to("http://noname.test/", 10, 5000));
  check("noname.test", &result, LH_OUTCOME_DNS, "");
  transport->ops->close(transport);
}

enum { OOM_LOCAL, OOM_FAILED, OOM_ANSWERED, OOM_UNTOUCHED, OOM_KINDS };

static int one_allocation_fails(long number) {
  struct lh_transport *transport = open_allowing("127.0.0.0/8");
  char url[128];
  endpoint_process_url(&endpoint, "/ok", url, sizeof url);
  struct wire_result result = {0};
  struct wire_post body = wire_to(url, 10, 5000);
  struct lh_post post = {.url = url,
                         .body = body.body,
                         .body_len = body.body_len,
                         .timeout_ms = 5000,
                         .connect_timeout_ms = 5000,
                         .tag = &result};
  int before = endpoint_process_count(&endpoint, NULL);
  curl_memory_fail_after(number);
  int rc = transport->ops->start(transport, &post, NULL);
  if (!rc) wire_finish(transport);
  int untouched = !curl_memory_failed();
  curl_memory_fail_after(-1);
  int wire = endpoint_process_count(&endpoint, NULL) - before;

  int kind = OOM_FAILED;
  if (rc || result.outcome == LH_OUTCOME_LOCAL) {
    assert_true(!rc || rc == LH_E_MEMORY || rc == LH_E_SHORTAGE);
    assert_int_equal(wire, 0);
    kind = OOM_LOCAL;
  } else if (result.outcome == LH_OUTCOME_ANSWERED) {
    assert_int_equal(wire, 1);
    kind = untouched ? OOM_UNTOUCHED : OOM_ANSWERED;
  }
  assert_true(wire <= 1);
  struct wire_result again = wire_post(transport, body);
  check(url, &again, LH_OUTCOME_ANSWERED, "");
  transport->ops->close(transport);
  return kind;
}

/* (A query in the URL would be lost at one of them: libcurl 7.88 does not look there.) */
static void test_each_allocation_of_libcurl_failing(void **state) {
  (void)state;
  int counts[OOM_KINDS] = {0};
  curl_memory_try_each(one_allocation_fails, OOM_UNTOUCHED, counts);
  print_message("one allocation fails: %d times local, %d failed, %d answered all the same\n",
                counts[OOM_LOCAL], counts[OOM_FAILED], counts[OOM_ANSWERED]);
  assert_true(counts[OOM_LOCAL] > 10);
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
      cmocka_unit_test(test_refused_addresses_are_not_even_connected_to),
      cmocka_unit_test(test_plain_http_needs_a_setting),
      cmocka_unit_test(test_one_allowed_address_of_a_name_is_enough),
      cmocka_unit_test(test_a_connection_of_an_exempt_post_is_no_way_around),
      cmocka_unit_test(test_failures_to_connect_are_told_apart),
      cmocka_unit_test(test_calls_that_are_refused_have_not_left),
      cmocka_unit_test(test_a_hanging_lookup_holds_up_nothing),
      cmocka_unit_test(test_shortage_of_descriptors_is_local),
      cmocka_unit_test(test_transfers_end_though_the_limit_fell_below_their_number),
      cmocka_unit_test(test_shortage_of_threads_is_local),
      cmocka_unit_test(test_each_allocation_of_libcurl_failing),
  };
  return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
