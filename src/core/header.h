/*
** Which custom headers a webhook may have (reliability-facts §3.3): nothing
** that could end a header line, change the framing or imitate a signature; and
** which ones a handler's call may have: all but those of framing and connection.
*/
#ifndef LH_CORE_HEADER_H
#define LH_CORE_HEADER_H

#include <stddef.h>

#include "core/error.h"

/*
** One header, before it is joined with others: the only place where a line
** break in a value can still be seen. 0, or LH_E_INVALID ("headers: …"): a
** name that is no token or reserved; a value that is empty or not visible
** ASCII, spaces and tabs.
*/
int lh_header_field_check(const char *name, size_t name_len, const char *value, size_t value_len,
                          struct lh_error *err);
/*
** Lines "Name: value" joined by '\n', without one at the end. 0, or
** LH_E_INVALID as above; also for a name given twice and for more than
** LH_HEADERS_BYTES_MAX bytes.
*/
int lh_header_check(const char *headers, struct lh_error *err);
/*
** A line "Name: value" of a call, `number` its place for people. 0, or LH_E_INVALID as of
** lh_header_field_check; the value, which may be a secret, is in no message.
*/
int lh_header_line_check(const char *line, size_t number, struct lh_error *err);

#endif
