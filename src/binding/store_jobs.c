/*
** Manual retry, and the stored jobs behind a retry of many.
**
**   store:retry({ request_id, … } [, { account =, by = }])
**     -> { { request_id =, outcome =, message = }, … }
**   store:retry_count{ account =, webhook =, reason =, since_ms =, until_ms =,
**     failed_from_ms = }               -> integer
**   store:job_create{ the same, by = } -> job
**   store:job_step(id)                 -> job, whether the step was made
**   store:job(id)                      -> job
**   store:jobs([limit])                -> { job, … }, newest first
**
** Job: id account webhook_id reason since_ms until_ms failed_from_ms created_ms total
** retried left_over finished_ms. Left out are what does not count: account and
** webhook_id for all, reason for any, times that are 0, total before the job
** knows it, finished_ms while it is open, message unless refused. by: who is noted in
** the audit log (store_access.c).
*/
#include "binding/store.h"

#include <string.h>

#include "core/limits.h"

/* What stands behind a filter's pointer. */
struct filter {
  struct lh_retry_filter door;
  struct lh_id webhook_id;
};

static int read_reason(lua_State *L, int arg, enum lh_reason *reason, struct lh_error *err) {
  const char *name;
  int named = lh_field_name(L, arg, "reason", &name, err);
  if (named <= 0) return named ? (int)err->code : 0;
  for (int i = LH_REASON_RETRIES_EXHAUSTED; i <= LH_REASON_DELETED; i++) {
    if (strcmp(name, lh_reason_name((enum lh_reason)i)) == 0) *reason = (enum lh_reason)i;
  }
  if (*reason != LH_REASON_NONE) return 0;
  return lh_error_set(err, LH_E_INVALID, "reason: no request fails for '%s'", name);
}

static int read_filter(lua_State *L, int arg, struct filter *filter, struct lh_error *err) {
  static const int64_t bounds[2] = {0, LH_EXACT_MAX};
  struct lh_retry_filter *door = &filter->door;
  if (read_reason(L, arg, &door->reason, err) ||
      lh_field_int(L, arg, "since_ms", bounds, &door->since_ms, err) < 0 ||
      lh_field_int(L, arg, "until_ms", bounds, &door->until_ms, err) < 0 ||
      lh_field_int(L, arg, "failed_from_ms", bounds, &door->failed_from_ms, err) < 0 ||
      lh_field_name(L, arg, "account", &door->account, err) < 0) {
    return err->code;
  }
  int webhook = lh_field_id(L, arg, "webhook", &filter->webhook_id, err);
  if (webhook < 0) return err->code;
  door->webhook_id = webhook ? &filter->webhook_id : NULL;
  return 0;
}

static void set_time(lua_State *L, const char *name, int64_t ms) {
  if (ms > 0) lh_set_int64(L, name, ms);
}

void lh_store_job_push(lua_State *L, const struct lh_job *job) {
  lua_createtable(L, 0, 11);
  lh_set_id(L, "id", &job->id);
  lh_set_string(L, "account", job->account);
  if (job->one_webhook) lh_set_id(L, "webhook_id", &job->webhook_id);
  lh_set_string(L, "reason", lh_reason_name(job->reason));
  set_time(L, "since_ms", job->since_ms);
  set_time(L, "until_ms", job->until_ms);
  set_time(L, "failed_from_ms", job->failed_from_ms);
  set_time(L, "created_ms", job->created_ms);
  if (job->settled) lh_set_int64(L, "total", job->total);
  lh_set_int64(L, "retried", job->retried);
  lh_set_int64(L, "left_over", job->left_over);
  set_time(L, "finished_ms", job->finished_ms);
}

static void push_retry(lua_State *L, const struct lh_retry *retry) {
  lua_createtable(L, 0, 3);
  lh_set_id(L, "request_id", &retry->request_id);
  lh_set_string(L, "outcome", lh_retry_outcome_name(retry->outcome));
  lh_set_string(L, "message", retry->message);
}

/* Ids of the array at `arg` into retries; 0, or LH_E_INVALID. Raises for what is no string. */
static int read_ids(lua_State *L, int arg, struct lh_retry *retries, size_t count,
                    struct lh_error *err) {
  for (size_t i = 0; i < count; i++) {
    size_t len;
    lua_rawgeti(L, arg, (lh_compat_index)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING) {
      luaL_error(L, "retry: entry %d is a %s, expected a string", (int)i + 1, luaL_typename(L, -1));
    }
    const char *text = lua_tolstring(L, -1, &len);
    if (lh_id_parse(text, len, &retries[i].request_id)) {
      return lh_error_set(err, LH_E_INVALID, "request_id: entry %d is not 24 lower-case hex digits",
                          (int)i + 1);
    }
    lua_pop(L, 1);
  }
  return 0;
}

static int retry(lua_State *L) {
  struct lh_error err;
  struct lh_actor actor = {0};
  struct lh_retry_chosen chosen = {0};
  lh_store_object_at(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lh_arg_options(L, 3);
  if (lh_field_name(L, 3, "account", &chosen.account, &err) < 0 ||
      lh_store_field_actor(L, 3, &actor, &chosen.actor, &err)) {
    return lh_push_error(L, &err);
  }
  size_t count = lh_compat_len(L, 2);
  if (count > LH_RETRY_MANY_MAX) count = LH_RETRY_MANY_MAX + 1; /* the store refuses it */
  struct lh_retry *retries = lh_box_scratch(L, count, sizeof *retries);
  if (count <= LH_RETRY_MANY_MAX && read_ids(L, 2, retries, count, &err)) {
    return lh_push_error(L, &err);
  }
  chosen.retries = retries;
  chosen.count = count;
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  const struct lh_clock *clock = lh_clock_system();
  if (store->jobs->retry(store, &chosen, clock->wall_ms(clock->self), &err)) {
    return lh_push_error(L, &err);
  }
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    push_retry(L, &retries[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  return 1;
}

static int retry_count(lua_State *L) {
  struct filter filter = {0};
  struct lh_error err;
  int64_t total = 0;
  lh_store_object_at(L, 1);
  lh_arg_options(L, 2);
  if (read_filter(L, 2, &filter, &err)) return lh_push_error(L, &err);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->jobs->count(store, &filter.door, &total, &err)) return lh_push_error(L, &err);
  lh_push_int64(L, total);
  return 1;
}

static int job_create(lua_State *L) {
  struct filter filter = {0};
  struct lh_error err;
  struct lh_job job;
  struct lh_actor actor = {0};
  const struct lh_actor *by;
  lh_store_object_at(L, 1);
  lh_arg_options(L, 2);
  if (read_filter(L, 2, &filter, &err) || lh_store_field_actor(L, 2, &actor, &by, &err)) {
    return lh_push_error(L, &err);
  }
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  const struct lh_clock *clock = lh_clock_system();
  if (store->jobs->create(store, &filter.door, by, clock->wall_ms(clock->self), &job, &err)) {
    return lh_push_error(L, &err);
  }
  lh_store_job_push(L, &job);
  return 1;
}

/* The id that is argument 2 and the open store; NULL after pushing an error (3 values). */
static struct lh_store *job_arguments(lua_State *L, struct lh_id *id) {
  size_t len;
  lh_store_object_at(L, 1);
  const char *text = lh_arg_string(L, 2, &len);
  if (lh_id_parse(text, len, id)) {
    lh_push_failure(L, LH_E_INVALID, "job: not 24 lower-case hex digits");
    return NULL;
  }
  return lh_store_open_at(L, 1);
}

static int job_step(lua_State *L) {
  struct lh_id id;
  struct lh_error err;
  const struct lh_clock *clock = lh_clock_system();
  struct lh_store *store = job_arguments(L, &id);
  if (!store) return 3;
  struct lh_job_step step = {.id = &id, .now_ms = clock->wall_ms(clock->self)};
  if (store->jobs->step(store, &step, &err)) return lh_push_error(L, &err);
  lh_store_job_push(L, &step.job);
  lua_pushboolean(L, step.made);
  return 2;
}

static int job(lua_State *L) {
  struct lh_id id;
  struct lh_error err;
  struct lh_job found;
  struct lh_store *store = job_arguments(L, &id);
  if (!store) return 3;
  if (store->jobs->get(store, &id, &found, &err)) return lh_push_error(L, &err);
  lh_store_job_push(L, &found);
  return 1;
}

static void release_list(void *memory) {
  lh_job_list_clear(memory);
}

static int jobs(lua_State *L) {
  struct lh_error err;
  lh_store_object_at(L, 1);
  int limit = (int)lh_arg_int_or(L, 2, LH_LIST_LIMIT_DEFAULT, INT32_MIN, INT32_MAX);
  struct lh_job_list *list = lh_box_new(L, sizeof *list, release_list);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->jobs->list(store, limit, list, &err)) return lh_push_error(L, &err);
  lua_createtable(L, (int)list->count, 0);
  for (size_t i = 0; i < list->count; i++) {
    lh_store_job_push(L, &list->rows[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lh_box_release(list);
  return 1;
}

void lh_bind_store_jobs(lua_State *L) {
  static const luaL_Reg methods[] = {{"retry", retry},
                                     {"retry_count", retry_count},
                                     {"job_create", job_create},
                                     {"job_step", job_step},
                                     {"job", job},
                                     {"jobs", jobs},
                                     {NULL, NULL}};
  lh_set_functions(L, methods);
}
