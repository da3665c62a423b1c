/*
** Mails to a real SMTP server (mail_server.py), which misbehaves on order: every way
** in which one can end has its verdict, none of them holds up anything else,
** and nothing that was meant to be secret is told or sent in the clear.
*/
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "certificates.h"
#include "core/base64.h"
#include "core/limits.h"
#include "endpoint_process.h"
#include "transport_wire.h"

#define STEPS_MAX 2000 /* of 50 ms */
#define PASSWORD "correct horse battery"

static const char message[] = "Subject: dots\r\n\r\n.\r\n.hidden\r\nRCPT TO:<x@y>\r\n";

static struct endpoint_process mailbox;
static struct lh_transport *transport;
static char url[128];

/* What became of a mail. */
struct ended {
  int done;
  enum lh_mail_verdict verdict;
  enum lh_mail_stage stage;
  enum lh_outcome outcome;
  int status;
  char error[400];
};

static void start_mailbox(const char *const *arguments) {
  endpoint_process_start_program(&mailbox, "spec/blackbox/mail_server.py", arguments);
}

/* A server with a certificate; `option` is --starttls or --smtps. */
static void start_secure(const char *option, const char *name, const char *more,
                         const char *value) {
  char certificate[128], key[128];
  certificates_file(certificate, sizeof certificate, name, ".pem");
  certificates_file(key, sizeof key, name, ".key");
  const char *arguments[] = {option, certificate, key, more, value, NULL};
  start_mailbox(arguments);
  snprintf(url, sizeof url, "%s://127.0.0.1:%d", strcmp(option, "--smtps") == 0 ? "smtps" : "smtp",
           mailbox.port);
}

static void start_plain(const char *option, const char *value) {
  const char *arguments[] = {option, value, NULL};
  start_mailbox(arguments);
  snprintf(url, sizeof url, "smtp://127.0.0.1:%d", mailbox.port);
}

/* No network is allowed: a person has named the server, so that the guard does not apply. */
static void open_transport(void) {
  char ca_file[128];
  certificates_file(ca_file, sizeof ca_file, "ca", ".pem");
  transport = wire_open((struct lh_transport_options){.ca_file = ca_file}, NULL, lh_clock_system());
}

static int tear_down(void **state) {
  (void)state;
  transport->ops->close(transport);
  endpoint_process_stop(&mailbox);
  return 0;
}

static struct lh_mail mail_from(const char *from) {
  static const char *const to[] = {"ops@example.com"};
  return (struct lh_mail){.url = url,
                          .from = from,
                          .to = to,
                          .to_count = 1,
                          .message = message,
                          .message_len = sizeof message - 1,
                          .timeout_ms = 20000,
                          .connect_timeout_ms = 5000};
}

static void start(struct lh_mail mail, struct ended *ended) {
  struct lh_error err = {0};
  memset(ended, 0, sizeof *ended);
  mail.tag = ended;
  if (transport->ops->mail(transport, &mail, &err)) fail_msg("%s", err.message);
}

/* One poll; `mark` counts ends, so that their order can be told. */
static void step(int *mark) {
  struct lh_post_result results[8];
  size_t count = transport->ops->poll(transport, 50, NULL, 0, results, 8);
  for (size_t i = 0; i < count; i++) {
    (*mark)++;
    if (results[i].kind == LH_EXCHANGE_POST) {
      *(int *)results[i].tag = *mark;
      continue;
    }
    struct ended *ended = results[i].tag;
    ended->done = *mark;
    ended->verdict = results[i].verdict;
    ended->stage = results[i].stage;
    ended->outcome = results[i].outcome;
    ended->status = results[i].status;
    snprintf(ended->error, sizeof ended->error, "%s", results[i].error);
  }
}

static void finish(void) {
  int mark = 0;
  for (int i = 0; i < STEPS_MAX && transport->ops->in_flight(transport) > 0; i++) step(&mark);
  assert_int_equal(transport->ops->in_flight(transport), 0);
}

static struct ended send_mail(struct lh_mail mail) {
  struct ended ended;
  start(mail, &ended);
  finish();
  return ended;
}

static void check(const struct ended *ended, enum lh_mail_verdict verdict, int status,
                  const char *words) {
  if (ended->verdict != verdict || ended->status != status || !strstr(ended->error, words))
    fail_msg("%s %s %d \"%s\"", lh_mail_verdict_name(ended->verdict),
             lh_outcome_name(ended->outcome), ended->status, ended->error);
}

/* Mails that came to their end. */
static int arrived(void) {
  return endpoint_process_count(&mailbox, NULL);
}

static void check_last(const char *wanted) {
  const char *line = endpoint_process_last(&mailbox);
  if (!strstr(line, wanted)) fail_msg("%s is not in %s", wanted, line);
}

static void test_a_mail_arrives_as_it_is(void **state) {
  (void)state;
  char wanted[256] = "\"data\": \"";
  size_t len = strlen(wanted);
  start_plain(NULL, NULL);
  open_transport();
  struct lh_mail mail = mail_from("me@example.com");
  mail.cleartext = 1;
  struct ended ended = send_mail(mail);
  check(&ended, LH_MAIL_ACCEPTED, 250, "");
  assert_string_equal(ended.error, "");
  assert_int_equal(arrived(), 1);
  lh_base64_encode((const unsigned char *)message, sizeof message - 1, wanted + len);
  check_last(wanted);
  check_last("\"from\": \"me@example.com\", \"to\": [\"ops@example.com\"], \"tls\": false");
}

static void test_starttls_and_smtps_with_a_password(void **state) {
  (void)state;
  static const char *const options[] = {"--starttls", "--smtps"};
  for (int i = 0; i < 2; i++) {
    start_secure(options[i], "good", "--auth", "tom:" PASSWORD);
    open_transport();
    struct lh_mail mail = mail_from("me@example.com");
    struct ended ended = send_mail(mail);
    check(&ended, LH_MAIL_REFUSED, 530, "530 ");
    mail.user = "tom";
    mail.password = "wrong horse battery";
    ended = send_mail(mail);
    check(&ended, LH_MAIL_REFUSED, 535, "the server refuses user and password (535 5.7.8)");
    assert_int_equal(ended.stage, LH_MAIL_AT_SERVER);
    assert_null(strstr(ended.error, "horse"));
    mail.password = PASSWORD;
    ended = send_mail(mail);
    check(&ended, LH_MAIL_ACCEPTED, 250, "");
    assert_int_equal(arrived(), 1);
    check_last("\"tls\": true");
    check_last("\"user\": \"tom\"");
    if (i == 0) tear_down(state);
  }
}

static void test_without_tls_nothing_is_sent(void **state) {
  (void)state;
  start_secure("--starttls", "good", "--no-starttls", NULL); /* stripped on the way */
  open_transport();
  struct lh_mail mail = mail_from("me@example.com");
  mail.user = "tom";
  mail.password = PASSWORD;
  struct ended ended = send_mail(mail);
  check(&ended, LH_MAIL_REFUSED, 0, "STARTTLS, and without it nothing is sent");
  assert_int_equal(ended.outcome, LH_OUTCOME_TLS);
  assert_int_equal(arrived(), 0);
}

static void test_only_certificates_that_verify_are_talked_to(void **state) {
  (void)state;
  static const char *const options[] = {"--starttls", "--smtps"};
  static const char *const names[] = {"self", "wrong", "expired"};
  for (int i = 0; i < 6; i++) {
    start_secure(options[i / 3], names[i % 3], NULL, NULL);
    open_transport();
    struct ended ended = send_mail(mail_from("me@example.com"));
    check(&ended, LH_MAIL_REFUSED, 0, "");
    assert_int_equal(ended.outcome, LH_OUTCOME_TLS);
    assert_true(ended.error[0] != '\0');
    assert_int_equal(arrived(), 0);
    if (i < 5) tear_down(state);
  }
}

static void test_every_end_has_its_verdict(void **state) {
  (void)state;
  static const struct {
    const char *from;
    enum lh_mail_verdict verdict;
    int status;
    const char *words;
    int came; /* to its end */
  } cases[] = {
      {"accept@x", LH_MAIL_ACCEPTED, 250, "", 1},
      {"mail/451@x", LH_MAIL_REFUSED, 451, "451 5.1.8 sender is refused on order", 0},
      {"mail/550@x", LH_MAIL_REFUSED, 550, "550 ", 0},
      {"data/421@x", LH_MAIL_REFUSED, 421, "421 4.3.2 not now", 0},
      {"451@x", LH_MAIL_REFUSED, 451, "451 4.7.1 answered on order, see https://example.com/why",
       1},
      {"554@x", LH_MAIL_REFUSED, 554, "554 ", 1},
      {"drop-early@x", LH_MAIL_REFUSED, 0, "closed the connection", 0},
      {"drop@x", LH_MAIL_UNKNOWN, 0, "closed the connection", 1},
      {"hang-quit@x", LH_MAIL_ACCEPTED, 250, "", 1},
      {"slow/300@x", LH_MAIL_ACCEPTED, 250, "", 1},
      {"hang@x", LH_MAIL_UNKNOWN, 0, "timed out waiting", 1},
  };
  static const char *const options[] = {"--starttls", "--smtps"};
  int count = 0;
  for (int i = 0; i < 2; i++) {
    start_secure(options[i], "good", NULL, NULL);
    open_transport();
    for (size_t k = 0, came = 0; k < sizeof cases / sizeof *cases; k++) {
      struct lh_mail mail = mail_from(cases[k].from);
      if (strcmp(cases[k].from, "hang@x") == 0) mail.timeout_ms = 1500;
      struct ended ended = send_mail(mail);
      check(&ended, cases[k].verdict, cases[k].status, cases[k].words);
      assert_null(strstr(ended.error, "token"));
      came += (size_t)cases[k].came;
      assert_int_equal(arrived(), came);
      count++;
    }
    if (i == 0) tear_down(state);
  }
  print_message("%d ends checked\n", count);
}

static void test_a_recipient_that_is_refused_is_named(void **state) {
  (void)state;
  static const char *const to[] = {"refuse-550@x", "ops@example.com"};
  start_plain(NULL, NULL);
  open_transport();
  struct lh_mail mail = mail_from("me@example.com");
  mail.cleartext = 1;
  mail.to = to;
  mail.to_count = 2;
  struct ended ended = send_mail(mail);
  check(&ended, LH_MAIL_ACCEPTED, 250,
        "1 of 2 recipients refused, refuse-550@x: 550 5.1.1 no such");
  mail.to_count = 1;
  ended = send_mail(mail);
  check(&ended, LH_MAIL_REFUSED, 550, "refuse-550@x: 550 5.1.1 no such user here");
  assert_int_equal(ended.stage, LH_MAIL_AT_RECIPIENT);
  assert_int_equal(arrived(), 1);
}

static void test_greetings_that_are_none(void **state) {
  (void)state;
  static const char *const greetings[] = {"554 5.3.2 go away", "421 busy", "HTTP/1.1 200 OK",
                                          "hang"};
  static const int statuses[] = {554, 421, 0, 0};
  for (int i = 0; i < 4; i++) {
    start_plain("--greeting", greetings[i]);
    open_transport();
    struct lh_mail mail = mail_from("me@example.com");
    mail.timeout_ms = i == 3 ? 1000 : 10000;
    mail.cleartext = 1;
    struct ended ended = send_mail(mail);
    check(&ended, LH_MAIL_REFUSED, statuses[i], i == 0 ? "(554 5.3.2 go away)" : "");
    if (i == 3) check(&ended, LH_MAIL_REFUSED, 0, "timed out");
    assert_true(ended.error[0] != '\0');
    if (i < 3) tear_down(state);
  }
}

static void test_nobody_listens(void **state) {
  (void)state;
  start_plain(NULL, NULL);
  open_transport();
  struct lh_mail mail = mail_from("me@example.com");
  mail.cleartext = 1;
  mail.url = "smtp://127.0.0.1:1";
  struct ended ended = send_mail(mail);
  check(&ended, LH_MAIL_REFUSED, 0, "");
  assert_int_equal(ended.outcome, LH_OUTCOME_CONNECT);
  mail.url = "smtp://does-not-exist.invalid";
  ended = send_mail(mail);
  check(&ended, LH_MAIL_REFUSED, 0, "");
  assert_int_equal(ended.outcome, LH_OUTCOME_DNS);
}

/* libcurl's own SMTP waits for these inside curl_multi_perform; every webhook would wait too. */
static void test_a_hanging_mail_server_holds_up_no_webhook(void **state) {
  (void)state;
  struct endpoint_process endpoint;
  struct ended ended[2];
  int posted = 0, mark = 0;
  char post_url[128];
  start_secure("--starttls", "good", NULL, NULL);
  endpoint_process_start(&endpoint, NULL);
  char ca_file[128];
  certificates_file(ca_file, sizeof ca_file, "ca", ".pem");
  transport = wire_open((struct lh_transport_options){.ca_file = ca_file, .allow_http = 1},
                        "127.0.0.0/8", lh_clock_system());
  struct lh_mail mail = mail_from("hang@x");
  mail.timeout_ms = 15000;
  start(mail, &ended[0]);
  start(mail_from("hang-quit@x"), &ended[1]);
  for (int i = 0; i < STEPS_MAX && (arrived() < 2 || !ended[1].done); i++) step(&mark);
  assert_int_equal(ended[1].verdict, LH_MAIL_ACCEPTED);
  assert_int_equal(ended[0].done, 0); /* its end is sent, its answer never comes */
  endpoint_process_url(&endpoint, "/ok", post_url, sizeof post_url);
  const struct lh_post post = {.url = post_url,
                               .body = "{}",
                               .body_len = 2,
                               .timeout_ms = 10000,
                               .connect_timeout_ms = 5000,
                               .tag = &posted};
  assert_int_equal(transport->ops->start(transport, &post, NULL), 0);
  for (int i = 0; i < STEPS_MAX && !posted; i++) step(&mark);
  assert_int_equal(ended[0].done, 0);
  assert_int_equal(posted, 2);
  endpoint_process_stop(&endpoint);
}

static void test_a_cancelled_mail_says_if_it_may_have_arrived(void **state) {
  (void)state;
  struct ended ended;
  int mark = 0;
  start_secure("--starttls", "good", NULL, NULL);
  open_transport();
  start(mail_from("hang@x"), &ended);
  assert_int_equal(transport->ops->cancel(transport, &ended), 1);
  start(mail_from("hang@x"), &ended);
  for (int i = 0; i < STEPS_MAX && arrived() < 1; i++) step(&mark);
  assert_int_equal(transport->ops->cancel(transport, &ended), 0);
  assert_int_equal(transport->ops->in_flight(transport), 0);
}

static size_t descriptors(void) {
  size_t count = 0;
  DIR *folder = opendir("/proc/self/fd");
  assert_non_null(folder);
  while (readdir(folder)) count++;
  closedir(folder);
  return count;
}

static void test_few_at_once_and_nothing_is_left_behind(void **state) {
  (void)state;
  struct ended ended[LH_MAILS_IN_FLIGHT_MAX];
  struct lh_error err;
  start_secure("--smtps", "good", NULL, NULL);
  open_transport();
  struct ended first = send_mail(mail_from("accept@x"));
  check(&first, LH_MAIL_ACCEPTED, 250, "");
  size_t before = descriptors();
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < LH_MAILS_IN_FLIGHT_MAX; i++)
      start(mail_from(i % 2 ? "accept@x" : "drop@x"), &ended[i]);
    struct lh_mail more = mail_from("accept@x");
    assert_int_equal(transport->ops->mail(transport, &more, &err), LH_E_LIMIT);
    finish();
    for (int i = 0; i < LH_MAILS_IN_FLIGHT_MAX; i++)
      check(&ended[i], i % 2 ? LH_MAIL_ACCEPTED : LH_MAIL_UNKNOWN, i % 2 ? 250 : 0, "");
  }
  assert_int_equal(descriptors(), before);
}

static void test_servers_are_named_by_a_host_and_a_port_alone(void **state) {
  (void)state;
  struct lh_error err;
  static const char *const good[] = {"smtp://mail.example.com", "smtps://mail.example.com:465",
                                     "SMTP://127.0.0.1:2525", "smtp://[::1]:25"};
  static const char *const bad[] = {"mail.example.com", "http://h",      "smtp://",
                                    "smtp://h/path",    "smtp://u:p@h",  "smtp://h:0",
                                    "smtp://h:99999",   "smtp://h\r\nx", "smtp://h?x",
                                    "smtp://h x",       "smtp:///",      "smtp://h#x"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    if (lh_url_check_mail(good[i], &err)) fail_msg("%s: %s", good[i], err.message);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    if (lh_url_check_mail(bad[i], &err) != LH_E_INVALID) fail_msg("%s is taken", bad[i]);
}

static int group_setup(void **state) {
  (void)state;
  return certificates_begin_usual();
}

static int group_teardown(void **state) {
  (void)state;
  return certificates_end();
}

int main(void) {
#define T(test) cmocka_unit_test_teardown(test, tear_down)
  const struct CMUnitTest tests[] = {
      T(test_a_mail_arrives_as_it_is),
      T(test_starttls_and_smtps_with_a_password),
      T(test_without_tls_nothing_is_sent),
      T(test_only_certificates_that_verify_are_talked_to),
      T(test_every_end_has_its_verdict),
      T(test_a_recipient_that_is_refused_is_named),
      T(test_greetings_that_are_none),
      T(test_nobody_listens),
      T(test_a_hanging_mail_server_holds_up_no_webhook),
      T(test_a_cancelled_mail_says_if_it_may_have_arrived),
      T(test_few_at_once_and_nothing_is_left_behind),
      cmocka_unit_test(test_servers_are_named_by_a_host_and_a_port_alone),
  };
#undef T
  return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
