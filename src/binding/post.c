/*
** One POST to a URL that a person typed: the address guard and https-only do
** not apply. Blocks until it has ended.
**
**   engine.post{ url =, body =, headers = { "Name: value", … }, timeout_ms = 30000, ca_file = }
**     -> { outcome, status, duration_ms, error, response, uploaded } | nil, message, code
**
** Any answer and any failure of the exchange is a result; nil only if it could
** not be begun.
*/
#include "binding/engine_guard.h"

#include <string.h>

#include "core/limits.h"

#define POST_HEADERS_MAX 64 /* lines; a person or a sample event needs a handful */

/* Held in a box from the moment the transport is open: results are borrowed from it. */
struct exchange {
  struct lh_transport *transport;
};

static void release_exchange(void *memory) {
  struct exchange *exchange = memory;
  if (exchange->transport) exchange->transport->ops->close(exchange->transport);
  exchange->transport = NULL;
}

static int line_is_good(const char *line) {
  const char *colon = strchr(line, ':');
  return colon && colon > line && !strpbrk(line, "\r\n");
}

/* The array of lines stays on the stack. */
static int read_lines(lua_State *L, struct lh_post *post, struct lh_error *err) {
  struct lh_names lines;
  if (lh_field_names(L, 1, "headers", POST_HEADERS_MAX, &lines, err) < 0) return err->code;
  for (size_t i = 0; i < lines.count; i++) {
    if (!line_is_good(lines.at[i])) {
      return lh_error_set(err, LH_E_INVALID, "headers[%zu]: not one line \"Name: value\"", i + 1);
    }
  }
  post->headers = lines.at;
  post->header_count = lines.count;
  return 0;
}

static int read_post(lua_State *L, struct lh_post *post, struct lh_transport_options *options,
                     struct lh_error *err) {
  static const int64_t timeout_bounds[2] = {LH_TIMEOUT_MS_MIN, LH_TIMEOUT_MS_MAX};
  int64_t timeout_ms = LH_TIMEOUT_MS_DEFAULT;
  int found = lh_field_name(L, 1, "url", &post->url, err);
  if (found == 0) lh_arg_type_error(L, 1, "url", "string", -1);
  if (found < 0) return err->code;
  post->body = lh_field_text(L, 1, "body", &post->body_len);
  if (lh_field_int(L, 1, "timeout_ms", timeout_bounds, &timeout_ms, err) < 0) return err->code;
  post->timeout_ms = (int32_t)timeout_ms;
  post->connect_timeout_ms =
      timeout_ms < LH_CONNECT_TIMEOUT_MS ? (int32_t)timeout_ms : LH_CONNECT_TIMEOUT_MS;
  post->exempt = 1;
  options->allow_http = 1;
  if (lh_field_name(L, 1, "ca_file", &options->ca_file, err) < 0) return err->code;
  return read_lines(L, post, err);
}

/* The error and the answer are borrowed from the transport, which only this call knows. */
static void push_result(lua_State *L, const struct lh_post_result *result) {
  lua_createtable(L, 0, 6);
  lh_set_string(L, "outcome", lh_outcome_name(result->outcome));
  if (result->status > 0) lh_set_int64(L, "status", result->status);
  lh_set_int64(L, "duration_ms", result->duration_ms);
  lh_set_string(L, "error", result->error);
  lh_set_boolean(L, "uploaded", result->uploaded);
  lua_pushlstring(L, result->response ? result->response : "", result->response_len);
  lua_setfield(L, -2, "response");
}

static int post_once(lua_State *L) {
  struct lh_post post = {0};
  struct lh_transport_options options = {.connections_max = 1};
  struct lh_post_result result = {0};
  struct lh_error err;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (read_post(L, &post, &options, &err)) return lh_push_error(L, &err);
  struct exchange *exchange = lh_box_new(L, sizeof *exchange, release_exchange);
  if (lh_transport_curl_open(&options, lh_clock_system(), &exchange->transport, &err)) {
    exchange->transport = NULL;
    return lh_push_error(L, &err);
  }
  struct lh_transport *transport = exchange->transport;
  int code = transport->ops->start(transport, &post, &err);
  size_t finished = 0;
  while (!code && !finished && transport->ops->in_flight(transport) > 0) {
    finished = transport->ops->poll(transport, LH_SAFETY_TIMER_MS, NULL, 0, &result, 1);
  }
  if (!code && !finished) code = lh_error_set(&err, LH_E_IO, "the transport lost the request");
  if (code) {
    lh_push_error(L, &err);
  } else {
    push_result(L, &result);
  }
  lh_box_release(exchange);
  return code ? 3 : 1;
}

void lh_bind_post(lua_State *L) {
  lua_pushcfunction(L, post_once);
  lua_setfield(L, -2, "post");
}
