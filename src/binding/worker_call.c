/*
** Calls of a worker: HTTP requests of its handlers.
**
**   worker:call{ method = "GET"|"HEAD"|"POST"|"PUT"|"PATCH"|"DELETE", url =,
**     headers = { "Name: value", … }, body =, timeout_ms = 30000, answer_bytes_max = 1048576 }
**     -> number | nil, message, code; a later report has it in calls: { number, outcome, status (0:
**     none came), sent (true: a byte of the request may have left), duration_ms, retry_after_ms,
**     headers = { { name in lower case, value }, … }, body, truncated, error }
**   worker:cancel_call(number) -> "unsent" | "sent" | nil: no such call; no report will have it
**
** outcome "answered": all of the answer came, or as much of its body as was asked for. With any
** other, what came is there too: a call whose answer broke off in the body has its status.
*/
#include "binding/worker.h"

#include <string.h>

/* ---- starting */

static int read_method(lua_State *L, struct lh_call *call, struct lh_error *err) {
  static const char *const names[] = {
      [LH_METHOD_GET] = "GET", [LH_METHOD_HEAD] = "HEAD",   [LH_METHOD_POST] = "POST",
      [LH_METHOD_PUT] = "PUT", [LH_METHOD_PATCH] = "PATCH", [LH_METHOD_DELETE] = "DELETE"};
  const char *name = NULL;
  int found = lh_field_name(L, 2, "method", &name, err);
  if (found == 0) return lh_arg_type_error(L, 2, "method", "string", -1);
  for (size_t i = 0; found > 0 && i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i], name) == 0) {
      call->method = (enum lh_method)i;
      return 0;
    }
  return lh_error_set(err, LH_E_INVALID, "method: not GET, HEAD, POST, PUT, PATCH or DELETE");
}

static int read_sizes(lua_State *L, struct lh_call *call, struct lh_error *err) {
  static const int64_t timeout_bounds[2] = {LH_TIMEOUT_MS_MIN, LH_TIMEOUT_MS_MAX};
  static const int64_t answer_bounds[2] = {0, LH_CALL_ANSWER_MAX};
  int64_t timeout_ms = LH_TIMEOUT_MS_DEFAULT, answer_bytes_max = LH_CALL_ANSWER_DEFAULT;
  if (lh_field_int(L, 2, "timeout_ms", timeout_bounds, &timeout_ms, err) < 0 ||
      lh_field_int(L, 2, "answer_bytes_max", answer_bounds, &answer_bytes_max, err) < 0)
    return err->code;
  call->timeout_ms = (int32_t)timeout_ms;
  call->connect_timeout_ms =
      timeout_ms < LH_CONNECT_TIMEOUT_MS ? (int32_t)timeout_ms : LH_CONNECT_TIMEOUT_MS;
  call->answer_bytes_max = (size_t)answer_bytes_max;
  return 0;
}

static int read_call(lua_State *L, struct lh_call *call, struct lh_error *err) {
  int found = lh_field_name(L, 2, "url", &call->url, err);
  if (found == 0) return lh_arg_type_error(L, 2, "url", "string", -1);
  if (found < 0 || read_method(L, call, err) || read_sizes(L, call, err)) return err->code;
  call->body = lh_field_string(L, 2, "body", &call->body_len);
  struct lh_names lines;
  if (lh_field_names(L, 2, "headers", LH_CALL_LINES_MAX, &lines, err) < 0) return err->code;
  call->headers = lines.at;
  call->header_count = lines.count;
  return 0;
}

static int call_send(lua_State *L) {
  struct lh_call call = {0};
  struct lh_error err;
  int64_t number = 0;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  if (read_call(L, &call, &err)) return lh_push_error(L, &err);
  struct lh_engine *engine = lh_worker_engine(L);
  if (!engine) return 3;
  if (lh_engine_call_send(engine, &call, &number, &err)) return lh_push_error(L, &err);
  lh_push_int64(L, number);
  return 1;
}

int lh_worker_push_cancelled(lua_State *L, int unsent) {
  static const char *const words[] = {"sent", "unsent"};
  lua_pushstring(L, unsent < 0 ? NULL : words[unsent != 0]);
  return 1;
}

static int call_cancel(lua_State *L) {
  int64_t number = lh_arg_int(L, 2, 1, LH_EXACT_MAX);
  struct lh_engine *engine = lh_worker_engine(L);
  return engine ? lh_worker_push_cancelled(L, lh_engine_call_cancel(engine, number)) : 3;
}

/* ---- telling the ends */

static void push_headers(lua_State *L, const struct lh_buffer *headers) {
  const char *at = headers->at, *end = headers->at + headers->len;
  lua_newtable(L);
  for (lh_compat_index i = 1; at < end; i++) {
    lua_createtable(L, 2, 0);
    for (int part = 1; part <= 2; part++) {
      size_t len = strlen(at);
      lua_pushlstring(L, at, len);
      lua_rawseti(L, -2, part);
      at += len + 1;
    }
    lua_rawseti(L, -2, i);
  }
}

static void push_end(lua_State *L, const struct lh_engine_call_end *end) {
  lua_createtable(L, 0, 10);
  lh_set_int64(L, "number", end->number);
  lh_set_string(L, "outcome", lh_outcome_name(end->outcome));
  lh_set_int64(L, "status", end->status);
  lh_set_boolean(L, "sent", end->sent);
  lh_set_int64(L, "duration_ms", end->duration_ms);
  lh_set_int64(L, "retry_after_ms", end->retry_after_ms);
  lh_set_boolean(L, "truncated", end->answer.truncated);
  lh_set_string(L, "error", end->error);
  push_headers(L, &end->answer.headers);
  lua_setfield(L, -2, "headers");
  lua_pushlstring(L, end->answer.body.at ? end->answer.body.at : "", end->answer.body.len);
  lua_setfield(L, -2, "body");
}

struct ends {
  struct lh_engine_call_end *list;
};

static void release_ends(void *memory) {
  struct ends *ends = memory;
  lh_engine_calls_free(ends->list);
  ends->list = NULL;
}

void lh_worker_set_calls(lua_State *L, struct lh_engine *const *engine, size_t count) {
  lua_createtable(L, (int)count, 0);
  if (count > 0) {
    struct ends *ends = lh_box_new(L, sizeof *ends, release_ends);
    if (*engine) ends->list = lh_engine_calls_take(*engine); /* making the box may have closed it */
    lh_compat_index i = 1;
    for (const struct lh_engine_call_end *end = ends->list; end; end = end->next) {
      push_end(L, end);
      lua_rawseti(L, -3, i++);
    }
    lh_box_release(ends);
    lua_pop(L, 1);
  }
  lua_setfield(L, -2, "calls");
}

void lh_bind_worker_call(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"call", call_send}, {"cancel_call", call_cancel}, {NULL, NULL}};
  lh_set_functions(L, methods);
}
