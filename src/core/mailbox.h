/*
** Mail addresses as the system takes them: one dot-atom, "@", one host name,
** ASCII only (RFC 5321, without its quoted and bracketed forms). An address
** that passes can stand in a header and in an SMTP command as it is.
*/
#ifndef LH_CORE_MAILBOX_H
#define LH_CORE_MAILBOX_H

#include <stddef.h>

#include "core/error.h"
#include "core/limits.h"

/* 0, or LH_E_INVALID and a message that shows the address and says what is wrong with it. */
int lh_mailbox_check(const char *address, size_t len, struct lh_error *err);
/* 1 to LH_NOTIFY_MAX addresses joined by ','. 0, LH_E_INVALID or LH_E_LIMIT. */
int lh_mailbox_check_list(const char *joined, struct lh_error *err);

#endif
