/*
** What the files about the store object share; the other store_*.c add its
** methods.
*/
#ifndef LH_BINDING_STORE_H
#define LH_BINDING_STORE_H

#include "binding/binding.h"
#include "store/store.h"

/* The object. One slot of it keeps the emit buffers (store_emit.c). */
struct lh_store_object {
  struct lh_store *store; /* NULL: closed */
  int workers;            /* open workers that use it */
  int orphaned; /* collected or left its scope while workers were open: the last one closes it */
};

/* The object at `index`, open or not; raises for anything else. */
struct lh_store_object *lh_store_object_at(lua_State *L, int index);
/* The same, or NULL for anything else. */
struct lh_store_object *lh_store_object_test(lua_State *L, int index);
/* The store of the object at `index`; NULL after pushing nil, message, "closed" (3 values). */
struct lh_store *lh_store_open_at(lua_State *L, int index);
/* A worker begins and ends to use it. */
void lh_store_object_hold(struct lh_store_object *object);
void lh_store_object_release(struct lh_store_object *object);

/*
** store_fields.c: reads a new webhook's fields from the table that is argument
** `arg`. *webhook is initialised, and in a box: wrong types raise. 0, or
** LH_E_INVALID with the field in front.
*/
int lh_store_fields_read(lua_State *L, int arg, struct lh_webhook *webhook, struct lh_error *err);
/* The same for an edit: which fields the table has, and their values. */
int lh_store_fields_edit(lua_State *L, int arg, struct lh_webhook_edit *edit, struct lh_error *err);

/* store_stats.c: what was done, set as fields of the table on top. */
void lh_store_set_recent(lua_State *L, const struct lh_recent *recent);

/* store_webhooks.c: pushes a webhook as a table. */
void lh_store_push_webhook(lua_State *L, const struct lh_webhook *webhook);
/* store_webhooks.c: "a<separator>b" as an array, set as `field` of the table on top. */
void lh_store_set_list(lua_State *L, const char *field, const char *text, char separator);
/* store_notices.c: mail addresses joined by ',' as an array, set as `field` of the table on top. */
void lh_store_set_addresses(lua_State *L, const char *field, const char *joined);
/* store_requests.c: field `after` of argument `arg`, 0 if it is nil. 0 or LH_E_INVALID. */
int lh_store_read_cursor(lua_State *L, int arg, int64_t *after, struct lh_error *err);
/* store_requests.c: pushes a request as a table; attempts NULL: without. */
void lh_store_push_request(lua_State *L, const struct lh_request_row *row,
                           const struct lh_attempt_list *attempts);
/* store_webhooks.c: pushes name and value of a line "Name: value". 0, and nothing, of another. */
int lh_store_push_header(lua_State *L, const char *line, size_t len);
/* store_webhooks.c: a new random secret. 0 or LH_E_RANDOM. */
int lh_store_make_secret(char secret[LH_SECRET_GENERATED_LEN + 1], struct lh_error *err);

/* store_access.c: `by` at argument `arg`: *read is NULL for nil, else actor. 0 or LH_E_INVALID. */
int lh_store_read_actor(lua_State *L, int arg, struct lh_actor *actor, const struct lh_actor **read,
                        struct lh_error *err);
/* store_access.c: the same of field `by` of the table that is argument `arg`. */
int lh_store_field_actor(lua_State *L, int arg, struct lh_actor *actor,
                         const struct lh_actor **read, struct lh_error *err);
/* store_access.c: a new token with its hash; wipe it. 0, LH_E_RANDOM, LH_E_MEMORY. */
struct lh_store_secret {
  char text[LH_TOKEN_LEN + 1];
  unsigned char hash[LH_TOKEN_HASH_BYTES];
};
int lh_store_token_make(enum lh_token_kind kind, struct lh_store_secret *secret,
                        struct lh_error *err);

/* store_jobs.c: a job as a table, pushed. */
void lh_store_job_push(lua_State *L, const struct lh_job *job);

#endif
