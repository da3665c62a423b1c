/*
** The header lines of one attempt, as they are sent and, from what its row in
** the log keeps, as they are shown: one function makes both. What the
** connection adds (Host, User-Agent, Content-Length) is not among them.
*/
#ifndef LH_CORE_HEAD_H
#define LH_CORE_HEAD_H

#include "core/envelope.h"
#include "core/signature.h"

/* Texts and tags are borrowed during the call. */
struct lh_head {
  const struct lh_id *request_id;
  enum lh_scheme scheme;
  const char *nonce;         /* digits; standard: seconds, the timestamp */
  const unsigned char *tags; /* the signature's; standard: one or two, behind each other */
  size_t tags_len;
  const char *custom; /* the webhook's own, "Name: value" joined by '\n'; "" or NULL: none */
};

/* 1 if tags of this length can be an attempt's. */
int lh_head_tags_fit(enum lh_scheme scheme, size_t tags_len);
/*
** Adds the lines "Name: value", each with a NUL, in the order in which they are sent, to *lines,
** and their number to *count. 0 or LH_E_MEMORY.
*/
int lh_head_write(const struct lh_head *head, struct lh_buffer *lines, size_t *count);

#endif
