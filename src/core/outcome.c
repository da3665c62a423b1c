/* Names of outcomes and verdicts, as logs, reports and the command line show them. */
#include "core/outcome.h"

#include <assert.h>
#include <stddef.h>

static const char *const names[] = {
    [LH_OUTCOME_ANSWERED] = "answered", [LH_OUTCOME_TIMEOUT] = "timeout",
    [LH_OUTCOME_CONNECT] = "connect",   [LH_OUTCOME_DNS] = "dns",
    [LH_OUTCOME_TLS] = "tls",           [LH_OUTCOME_BLOCKED] = "blocked",
    [LH_OUTCOME_PROTOCOL] = "protocol", [LH_OUTCOME_LOCAL] = "local",
    [LH_OUTCOME_LOST] = "lost",         [LH_OUTCOME_SECRET] = "secret",
};

const char *lh_outcome_name(enum lh_outcome outcome) {
  assert((size_t)outcome < sizeof names / sizeof *names);
  return names[outcome];
}

const char *lh_mail_verdict_name(enum lh_mail_verdict verdict) {
  static const char *const words[] = {
      [LH_MAIL_ACCEPTED] = "accepted",
      [LH_MAIL_REFUSED] = "refused",
      [LH_MAIL_UNKNOWN] = "unknown",
  };
  assert((size_t)verdict < sizeof words / sizeof *words);
  return words[verdict];
}

const char *lh_mail_stage_name(enum lh_mail_stage stage) {
  static const char *const words[] = {
      [LH_MAIL_AT_SERVER] = "server",
      [LH_MAIL_AT_SENDER] = "sender",
      [LH_MAIL_AT_RECIPIENT] = "recipient",
      [LH_MAIL_AT_MESSAGE] = "message",
  };
  assert((size_t)stage < sizeof words / sizeof *words);
  return words[stage];
}
