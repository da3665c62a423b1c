/*
** The rules for one event's data.
**
**   core.event.check(data)  -> true | nil, message, code
**   core.event.member(data) -> member id | nil (also for data that fails the check)
*/
#include "binding/binding.h"

#include "core/event.h"

static int check(lua_State *L) {
  size_t len;
  const char *data = lh_arg_string(L, 1, &len);
  struct lh_error err;
  if (lh_event_data_check(data, len, &err)) return lh_push_error(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

static int member(lua_State *L) {
  char text[LH_MEMBER_MAX];
  size_t len;
  const char *data = lh_arg_string(L, 1, &len);
  size_t text_len = 0;
  if (lh_event_data_check(data, len, NULL) == 0) text_len = lh_event_member(data, len, text);
  if (text_len > 0) {
    lua_pushlstring(L, text, text_len);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

void lh_bind_event(lua_State *L) {
  static const luaL_Reg functions[] = {{"check", check}, {"member", member}, {NULL, NULL}};
  lua_newtable(L);
  lh_set_functions(L, functions);
  lua_setfield(L, -2, "event");
}
