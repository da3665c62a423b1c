/*
** Every limit of the system with its reason. A loop, buffer or list that has
** no line here has no business growing.
*/
#ifndef LH_CORE_LIMITS_H
#define LH_CORE_LIMITS_H

#define LH_ID_LEN 24                          /* hex characters of an event or request id */
#define LH_ID_BYTES 12                        /* the same, binary */
#define LH_ACCOUNT_MAX 64                     /* design §1: [A-Za-z0-9._-]{1,64} */
#define LH_EVENT_TYPE_MAX 64                  /* [a-z0-9_.]{1,64}; longest of the catalogue is 39 */
#define LH_CATEGORY_MAX 32                    /* [a-z0-9_]{1,32} */
#define LH_EVENT_TYPES_MAX 1000               /* registered types; bounds the subscription bitmap */
#define LH_SUBSCRIPTIONS_MAX 200              /* entries in one webhook's event_types */
#define LH_MEMBER_MAX 128                     /* bytes of a member id kept for searching */
#define LH_IDEMPOTENCY_KEY_MAX 255            /* as Stripe's header allows */
#define LH_EVENT_BYTES_MAX 1048576            /* 1 MiB, design §3.16 */
#define LH_EMIT_MANY_MAX 10000                /* events of one emit call; bounds one transaction */
#define LH_JSON_DEPTH_MAX 64                  /* design §3.16 */
#define LH_JSON_NESTING_MAX 128               /* the scanner's own; data at its limit is 67 deep */
#define LH_NAME_MAX 100                       /* characters' bytes of a webhook's name */
#define LH_URL_MAX 2048                       /* reliability-facts §3.1 */
#define LH_SECRET_MIN 16                      /* design §3.15: at create and rotate */
#define LH_SECRET_MAX 256                     /* generous: SHA-512's block is 128 bytes */
#define LH_SECRET_OVERLAP_MS_DEFAULT 86400000 /* design §3.15: 24 h */
#define LH_SECRET_OVERLAP_MS_MAX 2592000000   /* 30 days: longer is no rotation */
#define LH_HEADERS_BYTES_MAX 8192             /* custom headers of one webhook together */
#define LH_HEADER_NAME_MAX 128                /* of a custom header; keeps messages readable */
#define LH_WEBHOOKS_MAX 10                    /* per account, from the seed; configurable */
#define LH_BATCH_SIZE_MAX 1000                /* design §3.9 */
#define LH_BATCH_SIZE_DEFAULT 100
#define LH_BATCH_BYTES_MAX 1000000 /* bytes of one body (at least one event goes in) */
#define LH_BATCH_WAIT_MS_MAX 60000
#define LH_RETRIES_MAX 100
#define LH_RETRIES_DEFAULT 5
#define LH_RETRY_INTERVAL_S_MAX 86400
#define LH_RETRY_INTERVAL_S_DEFAULT 300
#define LH_RETRY_SCHEDULE_MAX 100 /* entries, one per retry */
#define LH_PAUSE_AFTER_MAX 1000
#define LH_PAUSE_AFTER_DEFAULT 5
#define LH_IN_FLIGHT_MAX 1024
#define LH_IN_FLIGHT_DEFAULT 4
#define LH_TIMEOUT_MS_MIN 100
#define LH_TIMEOUT_MS_MAX 300000
#define LH_TIMEOUT_MS_DEFAULT 30000
#define LH_CONNECT_TIMEOUT_MS 10000
#define LH_RESPONSE_KEEP_BYTES 4096    /* of an answer's body, kept in the log */
#define LH_RESPONSE_READ_BYTES 65536   /* read at most, to keep the connection usable */
#define LH_RESPONSE_READ_MS 2000       /* at most this long after a 200's headers */
#define LH_RESPONSE_HEADER_BYTES 65536 /* header flood */
#define LH_BODIES_IN_FLIGHT_BYTES (32L * 1024 * 1024) /* per worker, design §3.11 */
#define LH_CONCURRENCY_DEFAULT 256                    /* transfers of one worker */
#define LH_CONCURRENCY_MAX 4096
#define LH_BACKOFF_MAX_MS 60000 /* failing webhook and given-back attempts */
#define LH_HEARTBEAT_MS 5000
#define LH_SESSION_DEAD_MS 20000
#define LH_LEASE_START_MS 5000 /* lease not begun by then is given back */
#define LH_SAFETY_TIMER_MS 1000
#define LH_DRAIN_GRACE_MS 30000
#define LH_SHORTAGE_PAUSE_MS 1000                /* no new leases after an own shortage */
#define LH_TURN_AGAIN_MS 250                     /* between turns while the store is full or busy */
#define LH_DUE_AGAIN_MS 50                       /* something is due that nobody could be given */
#define LH_BUFFERS_KEPT_BYTES (8L * 1024 * 1024) /* bodies' memory a worker keeps for reuse */
#define LH_NONCE_MEMORY 4096                     /* requests whose last nonce a worker remembers */
#define LH_NONCE_AHEAD_MS 1000                   /* a nonce may be so far ahead of the clock */
#define LH_CHECKPOINT_IDLE_MS 1000               /* quiet before an idle worker checkpoints */
#define LH_CHECKPOINT_IDLE_BYTES (256L * 1024)   /* shorter logs are left for later */
#define LH_WAL_BYTES_MAX (16 * 1024 * 1024)
#define LH_NONCE_LEN 13 /* digits; holds until 2286-11-20 */
#define LH_TOLERANCE_S_DEFAULT 300
#define LH_SECRETS_MAX 16              /* secrets tried by one verify */
#define LH_NETWORKS_MAX 64             /* allowed ranges; each address is compared with all */
#define LH_MAILBOX_MAX 254             /* RFC 5321 §4.5.3.1.3: a path is 256 with its brackets */
#define LH_NOTIFY_MAX 20               /* recipients of one mail */
#define LH_NOTICE_REASON_MAX 32        /* longest word is retries_exhausted */
#define LH_NOTICE_SUMS_MAX 16          /* kinds and reasons in one mail; there are seven */
#define LH_MAIL_ENTRIES_MAX 50         /* requests named in one mail, design §3.10 */
#define LH_MAIL_INTERVAL_MS 300000     /* between two mails about one webhook, design §3.10 */
#define LH_MAIL_BACKOFF_MS 60000       /* after a refused mail; doubles … */
#define LH_MAIL_BACKOFF_MAX_MS 3600000 /* … up to this */
#define LH_MAIL_BYTES_MAX 1048576      /* of a message; ours are far below */
#define LH_MAIL_LINE_MAX 998           /* RFC 5322 §2.1.1 */
#define LH_MAIL_TIMEOUT_MS 60000       /* one mail with all that belongs to it */
#define LH_MAIL_ERROR_MAX 400          /* bytes of a mail's error, kept for the report */
#define LH_MAILS_IN_FLIGHT_MAX 16      /* of one worker: mail must not crowd out webhooks */
#define LH_MESSAGE_ID_MAX 300          /* 24 hex digits, @ and a host name */
#define LH_RETRY_MANY_MAX 1000         /* requests retried in one transaction; also a job's step */
#define LH_RETRY_LOOKS_MAX 10000       /* rows a job's step may pass over; bounds the lock */
#define LH_JOB_HELD_MS 1000            /* whoever made a step goes on alone; then it is anybody's */
#define LH_JOBS_OPEN_MAX 100           /* retries of many at once: a script that repeats itself */
#define LH_JOBS_KEPT 1000              /* finished ones that can be asked for */
#define LH_RETENTION_DAYS_DEFAULT 30   /* design §2.1: how long what was delivered is kept */
#define LH_FAILED_RETENTION_DAYS_DEFAULT 90
#define LH_RETENTION_DAYS_MAX 36500 /* a century: for ever */
#define LH_CLEAN_FIRST_MS 60000     /* a worker that was just started has other things to do */
#define LH_CLEAN_EVERY_MS 3600000   /* between two runs of retention */
#define LH_CLEAN_LEAP_MS                                                                           \
  86400000                       /* a clock may leap so far in a running worker; more is an error */
#define LH_CLEAN_PAUSE_MS 20     /* between two steps, beside the time that one took */
#define LH_HANDLER_NAME_MAX 64   /* [a-z0-9_.-]{1,64} */
#define LH_HANDLERS_MAX 1000     /* rows; forgotten ones make room. Also those of one worker */
#define LH_TASK_TRIES_DEFAULT 10 /* design §3.18: 10 tries, 10 s × 3, at most 6 h */
#define LH_TASK_TRIES_MAX 100    /* as a webhook's retries */
#define LH_TASK_FIRST_MS 10000
#define LH_TASK_FACTOR 3
#define LH_TASK_MAX_MS 21600000
#define LH_TASK_WAIT_MS_MAX 86400000 /* of any policy; a later due time: a clock set back */
#define LH_TASK_STRIKES_MAX 3        /* workers that may die while a task runs alone */
#define LH_TASK_CONCURRENCY_MAX 1024 /* of one handler, over all workers */
#define LH_TASK_SLOTS_MAX 10000      /* leases of one turn */
#define LH_TASK_BYTES_PER_TURN (8L * 1024 * 1024) /* data of the events leased in one turn */
#define LH_TASKS_FORM_MAX 1000       /* rows of the inbox looked at for a handler a turn */
#define LH_TASKS_READY_EXTRA 100     /* tasks formed ahead: twice its concurrency, and so many */
#define LH_TASK_ERROR_MAX 1000       /* bytes kept of an attempt's error */
#define LH_RECEIVED_EVENTS_MAX 10000 /* events of one received body; as LH_EMIT_MANY_MAX */
#define LH_RECEIVED_ID_MAX 128   /* bytes of a foreign event's id: UUIDs and prefixed ones fit */
#define LH_RECEIVED_TYPE_MAX 128 /* bytes of a foreign event's type: reverse domain names fit */
#define LH_RECEIVED_DEPTH_MAX (LH_JSON_DEPTH_MAX + 3) /* data of that depth in an envelope */
#define LH_ACCEPT_MANY_MAX 256      /* requests of one accept call; a web server groups far fewer */
#define LH_SOURCE_MAX 64            /* as an account's name */
#define LH_SOURCES_MAX 1000         /* named by a person; bounds what a worker keeps at hand */
#define LH_DEDUPE_DAYS_DEFAULT 180  /* design §3.17 */
#define LH_CALLS_MAX 4096           /* of one worker under way; as many as transfers */
#define LH_CALL_URL_MAX 8192        /* queries stand in it; servers take no longer first lines */
#define LH_CALL_LINES_MAX 128       /* its header lines; more would be a mistake */
#define LH_CALL_HEADERS_MAX 32768   /* bytes of a call's lines: twice what servers take */
#define LH_CALL_BODY_MAX 16777216   /* bytes of one call's body */
#define LH_CALL_BODIES_MAX 67108864 /* bytes of the bodies of a worker's calls under way */
#define LH_CALL_ANSWER_MAX 16777216 /* bytes of an answer's body that a handler may ask for */
#define LH_CALL_ANSWER_DEFAULT 1048576
#define LH_CALL_ERROR_MAX 320         /* a sentence of the transport's */
#define LH_CALL_ANSWERS_MAX 268435456 /* bytes of a worker's answers together; then they are cut */
#define LH_TOKENS_MAX 1000            /* rows; revoked ones make room */
#define LH_TOKEN_USED_MS 600000       /* grain of last_used: a token in use writes so seldom */
#define LH_USERS_MAX 1000             /* people who sign in to one console */
#define LH_USER_NAME_MAX 64           /* [A-Za-z0-9._@+-]{1,64}: mail addresses fit */
#define LH_PASSWORD_MIN 12            /* bytes; NIST SP 800-63B wants 8 and more */
#define LH_PASSWORD_MAX 1024          /* a pass phrase fits; bounds what is hashed */
#define LH_PASSWORD_ITERATIONS 210000 /* OWASP's for PBKDF2-HMAC-SHA512 */
#define LH_PASSWORD_ITERATIONS_MAX 10000000 /* of a stored hash: a damaged one costs seconds */
#define LH_LOGIN_IDLE_MS 43200000           /* 12 h without a request */
#define LH_LOGIN_WHOLE_MS 604800000         /* 7 days in all */
#define LH_LOGIN_SEEN_MS 300000             /* grain of an idle time */
#define LH_LOGINS_MAX 50                    /* of one user; the oldest ends */
#define LH_FIRST_RUN_MS 86400000            /* a first-run token that nobody used */
#define LH_FIRST_RUNS_MAX 8       /* servers of one store that were started and printed one */
#define LH_KNOCK_ADDRESS_MS 20000 /* after LH_KNOCK_ADDRESS_MAX at once: one wrong try in 20 s */
#define LH_KNOCK_ADDRESS_MAX 30   /* people behind one address */
#define LH_KNOCK_USER_MS 60000    /* the same for one user's name */
#define LH_KNOCK_USER_MAX 10
#define LH_KNOCKS_MAX 10000       /* rows; those that matter least make room */
#define LH_AUDIT_WHO_MAX 128      /* "user:" and a name, "token:" and an id */
#define LH_AUDIT_WHAT_MAX 64      /* "webhook.rotate_secret" */
#define LH_AUDIT_OBJECT_MAX 256   /* an id or a name */
#define LH_AUDIT_DETAIL_MAX 32768 /* JSON; all that a webhook can be given is 20 KB */
#define LH_LIST_LIMIT_DEFAULT 50
#define LH_LIST_LIMIT_MAX 1000

#endif
