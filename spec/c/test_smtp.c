/*
** The dialogue of one mail without a network: what is said after each answer,
** what is made of answers that are out of order or no SMTP, and that nothing in
** a message or an address can end a command or the mail itself.
*/
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "transport/smtp.h"

static struct lh_smtp smtp;

static const char *const two[] = {"a@example.com", "b@example.com"};

static struct lh_mail mail_of(const char *message) {
  return (struct lh_mail){.from = "me@example.com",
                          .to = two,
                          .to_count = 2,
                          .message = message,
                          .message_len = strlen(message)};
}

static int opens(const struct lh_mail *mail) {
  int rc = lh_smtp_open(&smtp, mail, NULL);
  lh_smtp_close(&smtp);
  return rc;
}

static void begin(const char *message, size_t recipients) {
  struct lh_mail mail = mail_of(message);
  mail.to_count = recipients;
  assert_int_equal(lh_smtp_open(&smtp, &mail, NULL), 0);
}

static void answer(const char *text) {
  lh_smtp_take(&smtp, text, strlen(text));
}

/* What is to be said now, all of which the network takes. */
static const char *said(void) {
  static char text[4096];
  size_t len = smtp.out_len - smtp.sent;
  assert_true(len < sizeof text);
  memcpy(text, smtp.out + smtp.sent, len);
  text[len] = '\0';
  lh_smtp_sent(&smtp, len);
  return text;
}

static void check_over(enum lh_mail_verdict verdict, int status, const char *error) {
  assert_int_equal(smtp.phase, LH_SMTP_OVER);
  assert_int_equal(smtp.verdict, verdict);
  assert_int_equal(smtp.status, status);
  assert_string_equal(smtp.error, error);
  assert_string_equal(said(), "QUIT\r\n");
  lh_smtp_close(&smtp);
}

/* Up to the answer to the end of the mail. */
static void send_it(const char *message) {
  begin(message, 1);
  said();
  answer("250 ok\r\n");
  said();
  answer("250 ok\r\n");
  said();
  answer("354 go on\r\n");
}

static void test_a_mail_goes_its_way(void **state) {
  (void)state;
  begin("Subject: x\r\n\r\nhello\r\n", 2);
  assert_string_equal(said(), "MAIL FROM:<me@example.com>\r\n");
  answer("250 2.1.0 Ok\r\n");
  assert_string_equal(said(), "RCPT TO:<a@example.com>\r\n");
  answer("250-2.1.5");
  assert_int_equal(smtp.phase, LH_SMTP_RCPT);
  answer(" more\r\n250 Ok\r\n");
  assert_string_equal(said(), "RCPT TO:<b@example.com>\r\n");
  answer("251 will forward\n"); /* a bare newline ends a line too */
  assert_string_equal(said(), "DATA\r\n");
  answer("354 End data with <CR><LF>.<CR><LF>\r\n");
  assert_false(lh_smtp_may_have_arrived(&smtp));
  assert_string_equal(said(), "Subject: x\r\n\r\nhello\r\n.\r\n");
  assert_true(lh_smtp_may_have_arrived(&smtp));
  answer("250 2.0.0 Ok: queued\r\n");
  check_over(LH_MAIL_ACCEPTED, 250, "");
}

static void test_answers_come_in_any_pieces(void **state) {
  (void)state;
  static const char conversation[] = "250 a\r\n|250 b\r\n|354 c\r\n|250-d\r\n250 e\r\n|";
  begin("x\r\n", 1);
  said();
  for (const char *at = conversation; *at; at++)
    if (*at == '|')
      said();
    else
      lh_smtp_take(&smtp, at, 1);
  assert_int_equal(smtp.verdict, LH_MAIL_ACCEPTED);
  lh_smtp_close(&smtp);
}

static void test_dots_at_the_begin_of_lines_are_doubled(void **state) {
  (void)state;
  send_it(".\r\n..x\r\nRCPT TO:<x@y>\r\n.\r\n");
  assert_string_equal(said(), "..\r\n...x\r\nRCPT TO:<x@y>\r\n..\r\n.\r\n");
  lh_smtp_close(&smtp);
}

static void test_a_message_that_is_not_clean_lines_is_not_begun(void **state) {
  (void)state;
  char longest[1003];
  static const char *const bad[] = {
      "no end",        "bare\nnewline\r\n",   "bare\rreturn\r\n", "x\r\n\n.\nRCPT TO:<x@y>\r\n",
      "x\r\r\n",       "umlaut \xc3\xa4\r\n", "\xff\r\n",         "x\r\n.\r",
      "x\r\n.\n.\r\n",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct lh_mail mail = mail_of(bad[i]);
    if (opens(&mail) != LH_E_INVALID) fail_msg("taken: %zu", i);
  }
  struct lh_mail nul = mail_of("");
  nul.message = "a\0b\r\n";
  nul.message_len = 5;
  assert_int_equal(opens(&nul), LH_E_INVALID);
  memset(longest, 'x', sizeof longest);
  strcpy(longest + 998, "\r\n");
  struct lh_mail good = mail_of(longest);
  assert_int_equal(opens(&good), 0);
  memset(longest, 'x', sizeof longest);
  strcpy(longest + 999, "\r\n");
  struct lh_mail over = mail_of(longest);
  assert_int_equal(opens(&over), LH_E_INVALID);
  over.message_len = LH_MAIL_BYTES_MAX + 1;
  assert_int_equal(opens(&over), LH_E_TOO_LARGE);
}

static void test_addresses_cannot_end_a_command(void **state) {
  (void)state;
  static const char *const bad[] = {"a@b>\r\nRCPT TO:<c@d", "a@b\n", "", "a b@c", "<a@b>"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct lh_mail mail = mail_of("x\r\n");
    mail.from = bad[i];
    assert_int_equal(opens(&mail), LH_E_INVALID);
    mail.from = "me@example.com";
    mail.to = &bad[i];
    mail.to_count = 1;
    assert_int_equal(opens(&mail), LH_E_INVALID);
  }
  struct lh_mail nobody = mail_of("x\r\n");
  nobody.to_count = 0;
  assert_int_equal(opens(&nobody), LH_E_LIMIT);
  nobody.to_count = LH_NOTIFY_MAX + 1;
  assert_int_equal(opens(&nobody), LH_E_LIMIT);
}

static void test_a_refusal_is_told_with_its_words(void **state) {
  (void)state;
  begin("x\r\n", 1);
  said();
  answer("550-5.7.1 Not\x1b[31m here\r\n550 5.7.1 ever\r\n");
  check_over(LH_MAIL_REFUSED, 550, "550 5.7.1 Not [31m here 5.7.1 ever");
  begin("x\r\n", 1);
  said();
  answer("250 ok\r\n");
  said();
  answer("250 ok\r\n");
  said();
  answer("451 not now\r\n");
  check_over(LH_MAIL_REFUSED, 451, "451 not now");
  send_it("x\r\n");
  said();
  answer("554\r\n");
  check_over(LH_MAIL_REFUSED, 554, "554 ");
}

static void test_one_bad_recipient_does_not_keep_the_others_from_their_mail(void **state) {
  (void)state;
  begin("x\r\n", 2);
  said();
  answer("250 ok\r\n");
  said();
  answer("550 no such user\r\n");
  assert_string_equal(said(), "RCPT TO:<b@example.com>\r\n");
  answer("250 ok\r\n");
  assert_string_equal(said(), "DATA\r\n");
  answer("354 ok\r\n");
  said();
  answer("250 ok\r\n");
  check_over(LH_MAIL_ACCEPTED, 250, "1 of 2 recipients refused, a@example.com: 550 no such user");
  begin("x\r\n", 2);
  said();
  answer("250 ok\r\n");
  said();
  answer("550 no such user\r\n");
  said();
  answer("450 busy\r\n");
  check_over(LH_MAIL_REFUSED, 550, "a@example.com: 550 no such user");
}

static void test_a_refusal_tells_whose_matter_it_is(void **state) {
  (void)state;
  static const enum lh_mail_stage stages[] = {LH_MAIL_AT_SENDER, LH_MAIL_AT_RECIPIENT,
                                              LH_MAIL_AT_MESSAGE, LH_MAIL_AT_MESSAGE};
  static const char *const good[] = {"250 ok\r\n", "250 ok\r\n", "354 ok\r\n"};
  for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
    begin("x\r\n", 1);
    said();
    for (size_t k = 0; k < i; k++) {
      answer(good[k]);
      said();
    }
    answer("550 no\r\n");
    assert_int_equal(smtp.stage, stages[i]);
    assert_int_equal(smtp.status, 550);
    lh_smtp_close(&smtp);
  }
}

static void test_only_a_whole_mail_may_have_arrived(void **state) {
  (void)state;
  send_it("hello\r\n");
  lh_smtp_sent(&smtp, smtp.out_len - 1); /* all but the last byte of the end */
  lh_smtp_broken(&smtp, "gone");
  check_over(LH_MAIL_REFUSED, 0, "gone");
  send_it("hello\r\n");
  said();
  lh_smtp_broken(&smtp, "gone");
  check_over(LH_MAIL_UNKNOWN, 0, "gone");
}

static void test_a_server_that_speaks_out_of_turn_has_accepted_nothing(void **state) {
  (void)state;
  begin("x\r\n", 1);
  said();
  answer("250 ok\r\n250 ok\r\n354 ok\r\n250 ok\r\n");
  check_over(LH_MAIL_REFUSED, 0, "the server answers before it was asked");
  send_it("hello\r\n");
  answer("250 got it\r\n"); /* not a byte of it was sent */
  check_over(LH_MAIL_REFUSED, 0, "the server answers before it was asked");
  send_it("hello\r\n");
  answer("552 too large\r\n"); /* that it may say early */
  check_over(LH_MAIL_REFUSED, 552, "552 too large");
}

static void test_what_is_not_smtp_ends_the_talk(void **state) {
  (void)state;
  static const char *const bad[] = {"HTTP/1.1 200 OK\r\n", "\r\n",       "25\r\n",
                                    "150 x\r\n",           "2500 x\r\n", "650 x\r\n"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    begin("x\r\n", 1);
    said();
    answer(bad[i]);
    check_over(LH_MAIL_REFUSED, 0, "the server's answer is not SMTP");
  }
  begin("x\r\n", 1);
  said();
  for (int i = 0; i < 4000 && smtp.phase != LH_SMTP_OVER; i++) answer("250-on and on\r\n");
  check_over(LH_MAIL_REFUSED, 0, "the server's answer does not end");
  begin("x\r\n", 1);
  said();
  for (int i = 0; i < 10000 && smtp.phase != LH_SMTP_OVER; i++) answer("2");
  check_over(LH_MAIL_REFUSED, 0, "the server's answer does not end");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_mail_goes_its_way),
      cmocka_unit_test(test_a_refusal_tells_whose_matter_it_is),
      cmocka_unit_test(test_answers_come_in_any_pieces),
      cmocka_unit_test(test_dots_at_the_begin_of_lines_are_doubled),
      cmocka_unit_test(test_a_message_that_is_not_clean_lines_is_not_begun),
      cmocka_unit_test(test_addresses_cannot_end_a_command),
      cmocka_unit_test(test_a_refusal_is_told_with_its_words),
      cmocka_unit_test(test_one_bad_recipient_does_not_keep_the_others_from_their_mail),
      cmocka_unit_test(test_only_a_whole_mail_may_have_arrived),
      cmocka_unit_test(test_a_server_that_speaks_out_of_turn_has_accepted_nothing),
      cmocka_unit_test(test_what_is_not_smtp_ends_the_talk),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
