/*
** A strict JSON scanner (RFC 8259): checks one value and finds slices in it.
** It never builds a tree and never re-encodes; what it accepts is sent as the
** same bytes. Refused: invalid UTF-8, raw control characters in strings, lone
** surrogate escapes, leading zeros, NaN, trailing commas, anything after the
** value, nesting beyond the limit.
*/
#ifndef LH_CORE_JSON_H
#define LH_CORE_JSON_H

#include <stddef.h>

#include "core/error.h"

enum lh_json_type {
  LH_JSON_OBJECT,
  LH_JSON_ARRAY,
  LH_JSON_STRING,
  LH_JSON_NUMBER,
  LH_JSON_TRUE,
  LH_JSON_FALSE,
  LH_JSON_NULL
};

/* A part of a text; borrowed from it. */
struct lh_slice {
  const char *at;
  size_t len;
};

/*
** 0 if `text` is exactly one JSON value (white space around it allowed), with
** at most depth_max nested containers (1..LH_JSON_NESTING_MAX, more counts as
** that); *type (may be NULL) is its kind.
** LH_E_INVALID with the byte offset (from 1) and what is wrong otherwise.
*/
int lh_json_check(const char *text, size_t len, unsigned depth_max, enum lh_json_type *type,
                  struct lh_error *err);

/*
** The functions below take slices of a text that passed lh_json_check; on
** anything else they are undefined.
*/
enum lh_json_type lh_json_type_of(struct lh_slice value);

/*
** Value of the member `name` (at most 64 bytes) of an object; the last one, if
** repeated. Names are compared unescaped. 1 found, 0 not.
*/
int lh_json_member(struct lh_slice object, const char *name, struct lh_slice *value);

/*
** Iterates an array or object: start with *position = 0. 1 and the next value
** (and key, raw with quotes, if an object; key may be NULL), 0 at the end.
*/
int lh_json_next(struct lh_slice container, size_t *position, struct lh_slice *key,
                 struct lh_slice *value);

/*
** Walks over a whole text: start with *position = 0. 1 and the next token: one
** of { } [ ], a string with its quotes, a number or a word; 0 at the end. White
** space, commas and colons are passed over: in an object names and values
** alternate.
*/
int lh_json_token(struct lh_slice text, size_t *position, struct lh_slice *token);

/* 1 if a key, raw with its quotes, means `name` (at most 64 bytes). */
int lh_json_key_is(struct lh_slice key, const char *name);

/*
** Decodes a string value into out (at most cap bytes, no NUL added). Returns
** the full length in bytes, also when more than cap.
*/
size_t lh_json_string(struct lh_slice value, char *out, size_t cap);

#endif
