/*
** The body of a request from its events.
**
**   core.envelope.build{ request_id =, created_ms =,
**                        events = { { id =, event_type =, data = }, … } }
**     -> body | nil, message, code
**
** data is the text of one JSON object and goes in byte for byte.
*/
#include "binding/binding.h"

#include "core/envelope.h"
#include "core/limits.h"

#define CREATED_MS_MAX INT64_C(253402300799999) /* the end of year 9999 */

static void release_buffer(void *memory) {
  lh_buffer_free(memory);
}

/* Message of *err gets the event's number in front. */
static int event_error(size_t index, struct lh_error *err) {
  struct lh_error inner = *err;
  return lh_error_set(err, inner.code, "events[%zu]: %s", index + 1, inner.message);
}

/* A string of the event on top of the stack, which keeps it alive. */
static const char *event_text(lua_State *L, int event, const char *field, size_t *len) {
  if (lh_field_push(L, event, field) != LUA_TSTRING) {
    lh_arg_type_error(L, 1, lua_pushfstring(L, "events: %s", field), "string", -2);
  }
  return lua_tolstring(L, -1, len);
}

/* Adds the event on top of the stack. */
static int add_event(lua_State *L, struct lh_buffer *buffer, size_t index, struct lh_error *err) {
  struct lh_event event = {0};
  size_t id_len, type_len;
  if (lua_type(L, -1) != LUA_TTABLE) lh_arg_type_error(L, 1, "events", "list of tables", -1);
  int table = lua_gettop(L);
  const char *id = event_text(L, table, "id", &id_len);
  event.event_type = event_text(L, table, "event_type", &type_len);
  event.data = event_text(L, table, "data", &event.data_len);
  if (lh_id_parse(id, id_len, &event.id)) {
    return lh_error_set(err, LH_E_INVALID, "events[%zu]: id: not 24 lower-case hex digits",
                        index + 1);
  }
  if (lh_event_type_check(event.event_type, type_len, err) ||
      lh_event_data_check(event.data, event.data_len, err)) {
    return event_error(index, err);
  }
  if (!lh_envelope_add(buffer, &event)) return 0;
  return lh_error_set(err, LH_E_MEMORY, "envelope: out of memory");
}

static int build(lua_State *L) {
  static const int64_t created_bounds[2] = {0, CREATED_MS_MAX};
  struct lh_id request_id;
  struct lh_slice body;
  struct lh_error err;
  int64_t created_ms;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  int found = lh_field_id(L, 1, "request_id", &request_id, &err);
  if (found == 0) lh_arg_type_error(L, 1, "request_id", "string", -1);
  if (found < 0) return lh_push_error(L, &err);
  found = lh_field_int(L, 1, "created_ms", created_bounds, &created_ms, &err);
  if (found == 0) lh_arg_type_error(L, 1, "created_ms", "number", -1);
  if (found < 0) return lh_push_error(L, &err);
  if (!lh_field_table(L, 1, "events")) lh_arg_type_error(L, 1, "events", "table", -1);
  int events = lua_gettop(L);
  size_t count = lh_compat_len(L, events);
  if (count > LH_BATCH_SIZE_MAX) return lh_push_failure(L, LH_E_LIMIT, "events: more than 1000");

  struct lh_buffer *buffer = lh_box_new(L, sizeof *buffer, release_buffer);
  int top = lua_gettop(L), code = lh_envelope_begin(buffer);
  if (code) lh_error_set(&err, LH_E_MEMORY, "envelope: out of memory");
  for (size_t i = 0; i < count && !code; i++) {
    lua_rawgeti(L, events, (lh_compat_index)i + 1);
    code = add_event(L, buffer, i, &err);
    lua_settop(L, top);
  }
  if (!code && lh_envelope_end(buffer, &request_id, (int32_t)count, created_ms, &body)) {
    code = lh_error_set(&err, LH_E_MEMORY, "envelope: out of memory");
  }
  if (code) {
    lh_push_error(L, &err);
  } else {
    lua_pushlstring(L, body.at, body.len);
  }
  lh_box_release(buffer);
  return code ? 3 : 1;
}

void lh_bind_envelope(lua_State *L) {
  static const luaL_Reg functions[] = {{"build", build}, {NULL, NULL}};
  lua_newtable(L);
  lh_set_functions(L, functions);
  lua_setfield(L, -2, "envelope");
}
