/* How one exchange ended, in the words that the attempt log and the list of notices show. */
#ifndef LH_CORE_OUTCOME_H
#define LH_CORE_OUTCOME_H

/* How an exchange ended. Numbers are stored with attempts; do not renumber. */
enum lh_outcome {
  LH_OUTCOME_ANSWERED = 0, /* a final status line and headers came; look at status and uploaded */
  LH_OUTCOME_TIMEOUT = 1,  /* connect or total time ran out */
  LH_OUTCOME_CONNECT = 2,  /* refused, unreachable, reset before an answer */
  LH_OUTCOME_DNS = 3,      /* name does not resolve */
  LH_OUTCOME_TLS = 4,      /* handshake or certificate */
  LH_OUTCOME_BLOCKED = 5,  /* the address guard refused; error names the setting that lifts it */
  LH_OUTCOME_PROTOCOL = 6, /* answer is not HTTP/1.x we accept, or broke off in its headers */
  LH_OUTCOME_LOCAL = 7,    /* own shortage before the first byte left: give back */
  LH_OUTCOME_LOST = 8,     /* recorded by rescue or drain; never returned by a transport */
  LH_OUTCOME_SECRET = 9    /* a secret cannot be used; never returned by a transport */
};
/* "answered", "timeout", … */
const char *lh_outcome_name(enum lh_outcome outcome);

/* What has become of a mail. */
enum lh_mail_verdict {
  LH_MAIL_ACCEPTED, /* the server took it over for at least one of its recipients */
  LH_MAIL_REFUSED,  /* the server has not got it: it said so, or it never got the end of it */
  LH_MAIL_UNKNOWN   /* it may have got it: the connection broke before the answer to its end */
};
/* "accepted", "refused", "unknown" */
const char *lh_mail_verdict_name(enum lh_mail_verdict verdict);

/* What the server was saying yes or no to when a mail ended: whose matter a refusal is. */
enum lh_mail_stage {
  LH_MAIL_AT_SERVER,    /* being reached, encrypting, greeting, user and password */
  LH_MAIL_AT_SENDER,    /* MAIL FROM */
  LH_MAIL_AT_RECIPIENT, /* RCPT TO: all of them were refused */
  LH_MAIL_AT_MESSAGE    /* DATA and what follows */
};
/* "server", "sender", "recipient", "message" */
const char *lh_mail_stage_name(enum lh_mail_stage stage);

#endif
