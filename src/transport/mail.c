/*
** Mails over the same multi handle as webhooks. libcurl connects, encrypts and
** authenticates (CURLOPT_CONNECT_ONLY); then the dialogue of smtp.c is spoken
** through curl_easy_send and curl_easy_recv, which never wait. Each mail has an
** easy handle and a connection of its own that end with it, so nothing that was
** said in the clear is ever followed by TLS on the same connection, or the
** other way round, except by STARTTLS itself.
*/
#include "transport/exchange.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TALK_BYTES 4096
#define TALK_ROUNDS_MAX 64 /* of one poll; a server that floods must not hold up the others */

#define SET(option, value)                                                                         \
  do {                                                                                             \
    if (!code) code = curl_easy_setopt(easy, option, value);                                       \
  } while (0)

/* The last line of every answer that libcurl reads while it connects. */
static size_t greeting_line(char *line, size_t size, size_t count, void *self) {
  struct lh_exchange *exchange = self;
  struct lh_mail_talk *talk = exchange->talk;
  size_t len = size * count;
  size_t kept = len < sizeof talk->greeting - 1 ? len : sizeof talk->greeting - 1;
  exchange->header_bytes += len;
  if (exchange->header_bytes > LH_RESPONSE_HEADER_BYTES) return 0;
  while (kept > 0 && (line[kept - 1] == '\n' || line[kept - 1] == '\r')) kept--;
  memcpy(talk->greeting, line, kept);
  talk->greeting[kept] = '\0';
  return len;
}

static CURLcode set_restrictions(CURL *easy) {
  CURLcode code = CURLE_OK;
  SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  SET(CURLOPT_CONNECT_ONLY, 1L);
  SET(CURLOPT_FRESH_CONNECT, 1L);
  SET(CURLOPT_PROXY, "");
  SET(CURLOPT_NOPROXY, "*");
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_QUICK_EXIT, 1L);
  SET(CURLOPT_NOPROGRESS, 1L);
  return code;
}

static CURLcode set_mail(CURL *easy, const struct lh_mail *mail) {
  CURLcode code = CURLE_OK;
  SET(CURLOPT_URL, mail->url);
  SET(CURLOPT_USE_SSL, (long)(mail->cleartext ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  SET(CURLOPT_TIMEOUT_MS, (long)mail->timeout_ms);
  SET(CURLOPT_CONNECTTIMEOUT_MS, (long)mail->connect_timeout_ms);
  if (mail->user) {
    SET(CURLOPT_USERNAME, mail->user);
    SET(CURLOPT_PASSWORD, mail->password ? mail->password : "");
  }
  return code;
}

static CURLcode set_callbacks(CURL *easy, struct lh_exchange *exchange) {
  CURLcode code = CURLE_OK;
  SET(CURLOPT_PRIVATE, (void *)exchange);
  SET(CURLOPT_ERRORBUFFER, exchange->detail);
  SET(CURLOPT_OPENSOCKETFUNCTION, lh_guard_socket);
  SET(CURLOPT_OPENSOCKETDATA, (void *)exchange);
  SET(CURLOPT_HEADERFUNCTION, greeting_line);
  SET(CURLOPT_HEADERDATA, (void *)exchange);
  return code;
}

static int set_up(struct lh_exchange *exchange, const struct lh_mail *mail, struct lh_error *err) {
  exchange->easy = curl_easy_init();
  if (!exchange->easy) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  CURLcode code = set_restrictions(exchange->easy);
  if (!code) code = lh_options_tls(exchange->easy, exchange->owner->ca_file);
  if (!code) code = set_callbacks(exchange->easy, exchange);
  if (!code) code = set_mail(exchange->easy, mail);
  if (code == CURLE_OUT_OF_MEMORY) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  if (code) return lh_error_set(err, LH_E_INVALID, "mail: %s", curl_easy_strerror(code));
  return 0;
}

int lh_mail_new(struct lh_curl *owner, const struct lh_mail *mail, struct lh_exchange **out,
                struct lh_error *err) {
  assert(mail->timeout_ms > 0 && mail->connect_timeout_ms > 0);
  int rc = lh_url_check_mail(mail->url, err);
  if (rc) return rc;
  struct lh_exchange *exchange = calloc(1, sizeof *exchange);
  struct lh_mail_talk *talk = calloc(1, sizeof *talk);
  if (!exchange || !talk) {
    free(exchange);
    free(talk);
    return lh_error_set(err, LH_E_MEMORY, "out of memory");
  }
  int64_t now_ms = owner->clock->monotonic_ms(owner->clock->self);
  talk->socket = CURL_SOCKET_BAD;
  talk->secret = mail->user != NULL;
  talk->until_ms = now_ms + mail->timeout_ms;
  exchange->owner = owner;
  exchange->talk = talk;
  exchange->tag = mail->tag;
  exchange->exempt = 1;
  exchange->started_ms = now_ms;
  rc = lh_smtp_open(&talk->smtp, mail, err);
  if (!rc) rc = set_up(exchange, mail, err);
  if (rc)
    lh_pool_put(owner, exchange);
  else
    *out = exchange;
  return rc;
}

void lh_mail_free(struct lh_mail_talk *talk) {
  lh_smtp_close(&talk->smtp);
  free(talk);
}

/* ---- talking */

/* 1 something moved, 0 nothing can now, -1 the connection is gone. */
static int send_some(struct lh_exchange *exchange) {
  struct lh_smtp *smtp = &exchange->talk->smtp;
  size_t left = smtp->out_len - smtp->sent, sent = 0;
  if (left == 0) return 0;
  CURLcode code = curl_easy_send(exchange->easy, smtp->out + smtp->sent, left, &sent);
  if (code == CURLE_AGAIN) return 0;
  if (code) return -1;
  lh_smtp_sent(smtp, sent);
  return 1;
}

static int receive_some(struct lh_exchange *exchange) {
  char bytes[TALK_BYTES];
  size_t len = 0;
  CURLcode code = curl_easy_recv(exchange->easy, bytes, sizeof bytes, &len);
  if (code == CURLE_AGAIN) return 0;
  if (code || len == 0) return -1;
  lh_smtp_take(&exchange->talk->smtp, bytes, len);
  return 1;
}

int lh_mail_move_on(struct lh_exchange *exchange, int64_t now_ms) {
  struct lh_mail_talk *talk = exchange->talk;
  if (talk->socket == CURL_SOCKET_BAD) return 0; /* libcurl is still connecting */
  int moved = 1;
  for (int i = 0; i < TALK_ROUNDS_MAX && moved > 0 && talk->smtp.phase != LH_SMTP_OVER; i++) {
    int received = receive_some(exchange); /* first: an answer that is here counts */
    int sent = received < 0 || talk->smtp.phase == LH_SMTP_OVER ? 0 : send_some(exchange);
    if (received < 0 || sent < 0) lh_smtp_broken(&talk->smtp, "the server closed the connection");
    moved = received + sent;
  }
  if (now_ms >= talk->until_ms)
    lh_smtp_broken(&talk->smtp, "timed out waiting for the server's answer");
  if (talk->smtp.phase != LH_SMTP_OVER) return 0;
  (void)send_some(exchange); /* QUIT; nobody waits for what it is answered */
  return 1;
}

int lh_mail_connected(struct lh_exchange *exchange) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  CURLcode code = curl_easy_getinfo(exchange->easy, CURLINFO_ACTIVESOCKET, &socket);
  if (code || socket == CURL_SOCKET_BAD) return 0;
  exchange->talk->socket = socket;
  return 1;
}

struct curl_waitfd lh_mail_waits(const struct lh_exchange *exchange) {
  const struct lh_smtp *smtp = &exchange->talk->smtp;
  short events = CURL_WAIT_POLLIN;
  if (smtp->sent < smtp->out_len) events |= CURL_WAIT_POLLOUT;
  return (struct curl_waitfd){.fd = exchange->talk->socket, .events = events};
}

/* ---- the verdict on one that did not get as far as talking */

/* "535 5.7.8 text": its code, 0 if it is no answer. */
static int greeting_code(const struct lh_mail_talk *talk) {
  const char *line = talk->greeting;
  if (strspn(line, "0123456789") < 3) return 0;
  return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

/*
** After a password may have been sent, only the numbers of an answer are shown: servers have been
** seen to quote the command that they refuse.
*/
static void explain_answer(struct lh_exchange *exchange, const char *words) {
  char answer[sizeof exchange->talk->greeting];
  const char *line = exchange->talk->greeting;
  size_t len = exchange->talk->secret ? strspn(line, "0123456789. ") : strlen(line);
  while (len > 0 && line[len - 1] == ' ') len--;
  lh_verdict_text(answer, sizeof answer, line);
  snprintf(exchange->error, sizeof exchange->error, "%s (%.*s)", words, (int)len, answer);
}

static void explain_connecting(struct lh_exchange *exchange, CURLcode code) {
  const char *words = exchange->detail[0] ? exchange->detail : curl_easy_strerror(code);
  if (code == CURLE_USE_SSL_FAILED)
    words = "the server offers no STARTTLS, and without it nothing is sent";
  if (code == CURLE_OPERATION_TIMEDOUT) words = "timed out while connecting";
  if (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING)
    words = "the server closed the connection before it took the mail";
  lh_verdict_text(exchange->error, sizeof exchange->error, words);
}

static void judge_connecting(struct lh_exchange *exchange, CURLcode code) {
  int answer = greeting_code(exchange->talk);
  exchange->verdict = LH_MAIL_REFUSED;
  exchange->stage = LH_MAIL_AT_SERVER;
  exchange->outcome = lh_verdict_outcome(exchange, code);
  if (code == CURLE_LOGIN_DENIED || code == CURLE_WEIRD_SERVER_REPLY ||
      code == CURLE_REMOTE_ACCESS_DENIED) {
    exchange->outcome = answer ? LH_OUTCOME_ANSWERED : LH_OUTCOME_PROTOCOL;
    exchange->answer.status = answer;
    explain_answer(exchange, code == CURLE_LOGIN_DENIED ? "the server refuses user and password"
                                                        : "the server refuses to talk");
  } else if (exchange->outcome == LH_OUTCOME_LOCAL) {
    lh_verdict_explain_local(exchange, code);
  } else {
    explain_connecting(exchange, code);
  }
}

void lh_mail_judge(struct lh_exchange *exchange, CURLcode code) {
  const struct lh_smtp *smtp = &exchange->talk->smtp;
  if (smtp->phase != LH_SMTP_OVER) {
    judge_connecting(exchange, code);
    return;
  }
  exchange->verdict = smtp->verdict;
  exchange->stage = smtp->stage;
  exchange->answer.status = smtp->status;
  exchange->outcome = smtp->status ? LH_OUTCOME_ANSWERED : LH_OUTCOME_CONNECT;
  if (!smtp->status && strncmp(smtp->error, "timed out", 9) == 0)
    exchange->outcome = LH_OUTCOME_TIMEOUT;
  lh_verdict_text(exchange->error, sizeof exchange->error, smtp->error);
}
