/* The dialogue of one mail; see the header. Answers end lines, and nothing else ends anything. */
#include "transport/smtp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the mail as it goes over the wire */

static int is_address(const char *address, struct lh_error *err) {
  return lh_mailbox_check(address, strlen(address), err);
}

static int addresses_copy(struct lh_smtp *smtp, const struct lh_mail *mail, struct lh_error *err) {
  if (mail->to_count < 1 || mail->to_count > LH_NOTIFY_MAX)
    return lh_error_set(err, LH_E_LIMIT, "mail: %zu recipients are not 1-%d", mail->to_count,
                        LH_NOTIFY_MAX);
  smtp->addresses = calloc(mail->to_count + 1, sizeof *smtp->addresses);
  if (!smtp->addresses) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  smtp->recipients = mail->to_count;
  for (size_t i = 0; i <= mail->to_count; i++) {
    const char *address = i == 0 ? mail->from : mail->to[i - 1];
    int rc = is_address(address, err);
    if (rc) return rc;
    memcpy(smtp->addresses[i], address, strlen(address) + 1);
  }
  return 0;
}

/* Length of the line at `at` with its CRLF; 0 if it is not one that may be sent. */
static size_t line_length(const char *at, const char *end) {
  for (const char *byte = at; byte < end; byte++) {
    if (byte - at > LH_MAIL_LINE_MAX) return 0;
    if (*byte == '\r') return byte + 1 < end && byte[1] == '\n' ? (size_t)(byte - at) + 2 : 0;
    if (*byte == '\n' || *byte == '\0' || (unsigned char)*byte > 0x7f) return 0;
  }
  return 0;
}

/* A dot at the begin of a line is doubled, a line with a dot ends it (RFC 5321 §4.5.2). */
static int body_write(struct lh_smtp *smtp, const struct lh_mail *mail, struct lh_error *err) {
  const char *at = mail->message, *end = at + mail->message_len;
  int rc = 0;
  if (mail->message_len > LH_MAIL_BYTES_MAX)
    return lh_error_set(err, LH_E_TOO_LARGE, "mail: over %d bytes", LH_MAIL_BYTES_MAX);
  for (int number = 1; at < end && !rc; number++) {
    size_t len = line_length(at, end);
    if (len == 0)
      return lh_error_set(err, LH_E_INVALID,
                          "mail: line %d is not at most %d ASCII characters and CRLF", number,
                          LH_MAIL_LINE_MAX);
    if (*at == '.') rc = lh_buffer_add(&smtp->body, ".", 1);
    if (!rc) rc = lh_buffer_add(&smtp->body, at, len);
    at += len;
  }
  if (!rc) rc = lh_buffer_add(&smtp->body, ".\r\n", 3);
  return rc ? lh_error_set(err, LH_E_MEMORY, "out of memory") : 0;
}

/* ---- what is said */

static void say(struct lh_smtp *smtp, const char *out, size_t len) {
  smtp->out = out;
  smtp->out_len = len;
  smtp->sent = 0;
}

static void command(struct lh_smtp *smtp, const char *verb, const char *address) {
  int len = snprintf(smtp->command, sizeof smtp->command, "%s<%s>\r\n", verb, address);
  assert(len > 0 && (size_t)len < sizeof smtp->command);
  say(smtp, smtp->command, (size_t)len);
}

int lh_smtp_open(struct lh_smtp *smtp, const struct lh_mail *mail, struct lh_error *err) {
  memset(smtp, 0, sizeof *smtp);
  int rc = addresses_copy(smtp, mail, err);
  if (!rc) rc = body_write(smtp, mail, err);
  if (!rc) command(smtp, "MAIL FROM:", smtp->addresses[0]);
  return rc;
}

void lh_smtp_close(struct lh_smtp *smtp) {
  free(smtp->addresses);
  lh_buffer_free(&smtp->body);
  memset(smtp, 0, sizeof *smtp);
}

void lh_smtp_sent(struct lh_smtp *smtp, size_t len) {
  assert(len <= smtp->out_len - smtp->sent);
  smtp->sent += len;
}

static int all_sent(const struct lh_smtp *smtp) {
  return smtp->sent == smtp->out_len;
}

/* ---- how it ends */

static enum lh_mail_stage stage_of(enum lh_smtp_phase phase) {
  switch (phase) {
  case LH_SMTP_MAIL:
    return LH_MAIL_AT_SENDER;
  case LH_SMTP_RCPT:
    return LH_MAIL_AT_RECIPIENT;
  default:
    return LH_MAIL_AT_MESSAGE;
  }
}

static void over(struct lh_smtp *smtp, enum lh_mail_verdict verdict, int status) {
  smtp->stage = stage_of(smtp->phase);
  smtp->phase = LH_SMTP_OVER;
  smtp->verdict = verdict;
  smtp->status = status;
  say(smtp, "QUIT\r\n", 6);
}

int lh_smtp_may_have_arrived(const struct lh_smtp *smtp) {
  if (smtp->phase == LH_SMTP_OVER) return smtp->verdict != LH_MAIL_REFUSED;
  return smtp->phase == LH_SMTP_END && all_sent(smtp);
}

void lh_smtp_broken(struct lh_smtp *smtp, const char *why) {
  if (smtp->phase == LH_SMTP_OVER) return;
  enum lh_mail_verdict verdict = lh_smtp_may_have_arrived(smtp) ? LH_MAIL_UNKNOWN : LH_MAIL_REFUSED;
  snprintf(smtp->error, sizeof smtp->error, "%s", why);
  over(smtp, verdict, 0);
}

static void refuse(struct lh_smtp *smtp, int code) {
  snprintf(smtp->error, sizeof smtp->error, "%d %s", code, smtp->reply);
  over(smtp, LH_MAIL_REFUSED, code);
}

/* The first refusal is kept with its address, for whoever has to mend it. */
static void refuse_recipient(struct lh_smtp *smtp, int code) {
  if (smtp->asked - smtp->taken > 1) return;
  snprintf(smtp->error, sizeof smtp->error, "%s: %d %s", smtp->addresses[smtp->asked], code,
           smtp->reply);
  smtp->status = code;
}

static void accept(struct lh_smtp *smtp, int code) {
  size_t refused = smtp->recipients - smtp->taken;
  char first[LH_SMTP_ERROR_MAX];
  memcpy(first, smtp->error, sizeof first);
  if (refused > 0)
    snprintf(smtp->error, sizeof smtp->error, "%zu of %zu recipients refused, %.*s", refused,
             smtp->recipients, LH_SMTP_ERROR_MAX - 100, first);
  over(smtp, LH_MAIL_ACCEPTED, code);
}

/* ---- what is answered */

static void ask_next_recipient(struct lh_smtp *smtp) {
  if (smtp->asked < smtp->recipients) {
    smtp->phase = LH_SMTP_RCPT;
    smtp->asked++;
    command(smtp, "RCPT TO:", smtp->addresses[smtp->asked]);
  } else if (smtp->taken == 0) {
    over(smtp, LH_MAIL_REFUSED, smtp->status);
  } else {
    smtp->phase = LH_SMTP_DATA;
    say(smtp, "DATA\r\n", 6);
  }
}

static void answered(struct lh_smtp *smtp, int code) {
  int good = code >= 200 && code <= 299;
  if (!all_sent(smtp) && code < 400) {
    lh_smtp_broken(smtp, "the server answers before it was asked");
    return;
  }
  switch (smtp->phase) {
  case LH_SMTP_MAIL:
    if (good)
      ask_next_recipient(smtp);
    else
      refuse(smtp, code);
    break;
  case LH_SMTP_RCPT:
    if (good)
      smtp->taken++;
    else
      refuse_recipient(smtp, code);
    ask_next_recipient(smtp);
    break;
  case LH_SMTP_DATA:
    smtp->phase = LH_SMTP_END;
    if (code == 354)
      say(smtp, smtp->body.at, smtp->body.len);
    else
      refuse(smtp, code);
    break;
  case LH_SMTP_END:
    if (good)
      accept(smtp, code);
    else
      refuse(smtp, code);
    break;
  case LH_SMTP_OVER:
    break; /* to QUIT */
  }
}

static void reply_add(struct lh_smtp *smtp, const char *text, size_t len) {
  if (smtp->reply_len > 0 && smtp->reply_len + 1 < sizeof smtp->reply)
    smtp->reply[smtp->reply_len++] = ' ';
  for (size_t i = 0; i < len && smtp->reply_len + 1 < sizeof smtp->reply; i++)
    smtp->reply[smtp->reply_len++] = text[i] >= ' ' && text[i] < 0x7f ? text[i] : ' ';
  smtp->reply[smtp->reply_len] = '\0';
}

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* "250-text" has more lines behind it, "250 text" and "250" are the last. */
static void line_end(struct lh_smtp *smtp) {
  const char *line = smtp->line;
  size_t len = smtp->line_len;
  smtp->line_len = 0;
  if (len > 0 && line[len - 1] == '\r') len--;
  if (len < 3 || line[0] < '2' || line[0] > '5' || !is_digit(line[1]) || !is_digit(line[2]) ||
      (len > 3 && line[3] != ' ' && line[3] != '-')) {
    lh_smtp_broken(smtp, "the server's answer is not SMTP");
    return;
  }
  if (len > 4) reply_add(smtp, line + 4, len - 4);
  if (len > 3 && line[3] == '-') return;
  answered(smtp, (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
  smtp->answer_bytes = 0;
  smtp->reply_len = 0;
  smtp->reply[0] = '\0';
}

void lh_smtp_take(struct lh_smtp *smtp, const char *bytes, size_t len) {
  for (size_t i = 0; i < len && smtp->phase != LH_SMTP_OVER; i++) {
    if (++smtp->answer_bytes > LH_SMTP_ANSWER_MAX)
      lh_smtp_broken(smtp, "the server's answer does not end");
    else if (bytes[i] == '\n')
      line_end(smtp);
    else if (smtp->line_len < sizeof smtp->line)
      smtp->line[smtp->line_len++] = bytes[i];
  }
}
