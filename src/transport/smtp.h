/*
** One mail as a dialogue: what is said to a server once libcurl has connected,
** encrypted and authenticated, as a state machine over bytes that knows of no
** socket. (libcurl's own would wait inside curl_multi_perform for the answer to
** the end of the mail and for the farewell, and hold up every webhook.)
** mail.c connects it to libcurl.
*/
#ifndef LH_TRANSPORT_SMTP_H
#define LH_TRANSPORT_SMTP_H

#include "core/envelope.h"
#include "core/mailbox.h"
#include "transport/transport.h"

#define LH_SMTP_LINE_MAX 512    /* kept of one line of an answer; RFC 5321 §4.5.3.1.5 */
#define LH_SMTP_REPLY_MAX 200   /* kept of an answer's text */
#define LH_SMTP_ERROR_MAX 600   /* an address, an answer and some words */
#define LH_SMTP_ANSWER_MAX 8192 /* bytes of one answer; more is not SMTP */

enum lh_smtp_phase {
  LH_SMTP_MAIL, /* MAIL FROM is sent or being sent */
  LH_SMTP_RCPT, /* one RCPT TO after the other */
  LH_SMTP_DATA,
  LH_SMTP_END, /* the mail with the dot at its end; the answer decides */
  LH_SMTP_OVER /* verdict, status and error count; what is left to send is QUIT */
};

struct lh_smtp {
  enum lh_smtp_phase phase;
  char (*addresses)[LH_MAILBOX_MAX + 1]; /* the sender's, then the recipients' */
  size_t recipients;
  size_t asked;          /* recipients that the server was asked about */
  size_t taken;          /* … and takes */
  struct lh_buffer body; /* as it goes over the wire */
  char command[LH_MAILBOX_MAX + 32];
  const char *out; /* what is to be sent now */
  size_t out_len;
  size_t sent;

  char line[LH_SMTP_LINE_MAX]; /* of the answer that is being read */
  size_t line_len;
  size_t answer_bytes;
  char reply[LH_SMTP_REPLY_MAX]; /* texts of its lines so far */
  size_t reply_len;

  enum lh_mail_verdict verdict;
  enum lh_mail_stage stage;      /* at which it was over */
  int status;                    /* of the answer that decided; 0: none did */
  char error[LH_SMTP_ERROR_MAX]; /* printable ASCII */
};

/*
** Checks and copies a mail. LH_E_INVALID (an address; a message that is not
** lines of at most 998 ASCII characters, each ended by CRLF), LH_E_LIMIT,
** LH_E_TOO_LARGE, LH_E_MEMORY.
*/
int lh_smtp_open(struct lh_smtp *smtp, const struct lh_mail *mail, struct lh_error *err);
/* Frees what it holds; also after a failed open. */
void lh_smtp_close(struct lh_smtp *smtp);
/* So many bytes of `out` have been handed to the network. */
void lh_smtp_sent(struct lh_smtp *smtp, size_t len);
/* Bytes from the server. */
void lh_smtp_take(struct lh_smtp *smtp, const char *bytes, size_t len);
/* The connection is gone, or time is up: `why` in words. */
void lh_smtp_broken(struct lh_smtp *smtp, const char *why);
/* 1 if the server may have got the whole mail. */
int lh_smtp_may_have_arrived(const struct lh_smtp *smtp);

#endif
