/*
** The one table of error codes and the value that carries an error upward.
** A code exists only if a caller would do something different with it; the
** sentence for people is in the message. The Lua name of a code is the word
** that `nil, message, code`, the command line and the API show.
*/
#ifndef LH_CORE_ERROR_H
#define LH_CORE_ERROR_H

#define LH_ERROR_MESSAGE_MAX 512

/* clang-format off */
#define LH_ERROR_CODES(X) \
  X(LH_OK,                    "ok")                 /* no error */ \
  X(LH_E_INVALID,             "invalid")            /* a value breaks a rule */ \
  X(LH_E_UNKNOWN_TYPE,        "unknown_type")       /* event type is not registered */ \
  X(LH_E_TOO_LARGE,           "too_large")          /* over a documented size */ \
  X(LH_E_CONFLICT,            "conflict")           /* same key or name, other content */ \
  X(LH_E_LIMIT,               "limit")              /* a count is at its maximum */ \
  X(LH_E_NOT_FOUND,           "not_found")          /* no such webhook, request, event */ \
  X(LH_E_REFUSED,             "refused")            /* the state forbids it */ \
  X(LH_E_REVISION,            "revision")           /* it was changed since it was read */ \
  X(LH_E_DENIED,              "denied")             /* wrong password, unknown or ended token */ \
  X(LH_E_TOO_MANY,            "too_many")           /* wrong tries: wait a while */ \
  X(LH_E_STORE_MISSING,       "store_missing")      /* no store at this path; init creates one */ \
  X(LH_E_STORE_EXISTS,        "store_exists")       /* init would have to overwrite */ \
  X(LH_E_STORE_FOREIGN,       "store_foreign")      /* a file, but not a loyalhook store */ \
  X(LH_E_STORE_NEWER,         "store_newer")        /* written by a later version */ \
  X(LH_E_STORE_DAMAGED,       "store_damaged")      /* fails its checks, or a stray -wal */ \
  X(LH_E_KEY_MISSING,         "key_missing")        /* key file of the secrets is not there */ \
  X(LH_E_SECRET_UNREADABLE,   "secret_unreadable")  /* a stored secret does not decrypt */ \
  X(LH_E_FULL,                "full")               /* disk full; nothing was stored */ \
  X(LH_E_BUSY,                "busy")               /* store locked by another program */ \
  X(LH_E_IO,                  "io")                 /* reading or writing failed */ \
  X(LH_E_MEMORY,              "memory")             /* out of memory */ \
  X(LH_E_SHORTAGE,            "shortage")           /* own descriptors or threads ran out */ \
  X(LH_E_RANDOM,              "random")             /* the system gives no random bytes */ \
  X(LH_E_CLOSED,              "closed")             /* object was closed, or crossed a fork */ \
  X(LH_E_CONFIG,              "config")             /* configuration file or setting is wrong */ \
  X(LH_E_HEADER_MISSING,      "header_missing")     /* verify: a signature header is absent */ \
  X(LH_E_HEADER_REPEATED,     "header_repeated")    /* verify: a signature header came twice */ \
  X(LH_E_NONCE_MALFORMED,     "nonce_malformed")    /* verify: not 13 digits (standard: 1-12) */ \
  X(LH_E_SIGNATURE_MALFORMED, "signature_malformed")/* verify: not hex or base64 */ \
  X(LH_E_TOO_OLD,             "too_old")            /* verify: nonce before the tolerance */ \
  X(LH_E_TOO_NEW,             "too_new")            /* verify: nonce after the tolerance */ \
  X(LH_E_SIGNATURE_MISMATCH,  "signature_mismatch") /* verify: no secret gives this signature */ \
  X(LH_E_SECRET_INVALID,      "secret_invalid")     /* empty, short, or not of the scheme's form */
/* clang-format on */

enum lh_code {
#define X(code, name) code,
  LH_ERROR_CODES(X)
#undef X
      LH_CODE_COUNT
};

/* One failure. `message` is one impersonal line, UTF-8, never a secret. */
struct lh_error {
  enum lh_code code;
  char message[LH_ERROR_MESSAGE_MAX];
};

/*
** Fills *err (may be NULL) and returns `code`, so that an error path is one
** line: return lh_error_set(err, LH_E_INVALID, "batch_size: %d is not 1-1000", n);
** A message that does not fit is cut at a UTF-8 boundary.
*/
int lh_error_set(struct lh_error *err, enum lh_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The Lua name of a code; borrowed, never NULL. */
const char *lh_error_name(enum lh_code code);

#endif
