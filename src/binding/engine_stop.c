/*
** SIGTERM, SIGINT and SIGHUP for a command that runs no worker (which has its own way,
** worker:catch_signals); engine_signals.h says what holds.
**
**   engine.signals() -> signals | nil, message, code
**   signals:read()   -> "TERM", "INT" or "HUP" for the first one that came, once, else nil
**   signals:close()  -> true; restores what was before
*/
#include "binding/binding.h"

#include <unistd.h>

#include "binding/engine_signals.h"

#define SIGNALS "loyalhook.signals"

struct signals {
  struct lh_engine_signals caught;
  int64_t owner; /* the process that catches */
};

static int signals_open(lua_State *L) {
  struct lh_error err;
  struct signals *signals = lh_class_new(L, sizeof *signals, SIGNALS);
  signals->owner = getpid();
  if (lh_engine_signals_open(&signals->caught, &err)) return lh_push_error(L, &err);
  return 1;
}

static int signals_read(lua_State *L) {
  struct signals *signals = luaL_checkudata(L, 1, SIGNALS);
  lua_pushstring(L, lh_engine_signals_read(&signals->caught)); /* NULL: nil */
  return 1;
}

static int signals_close(lua_State *L) {
  struct signals *signals = luaL_checkudata(L, 1, SIGNALS);
  if (signals->owner == getpid()) lh_engine_signals_close(&signals->caught);
  lua_pushboolean(L, 1);
  return 1;
}

static int signals_tostring(lua_State *L) {
  luaL_checkudata(L, 1, SIGNALS);
  lua_pushliteral(L, SIGNALS);
  return 1;
}

void lh_bind_signals(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"read", signals_read}, {"close", signals_close}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"signals", signals_open}, {NULL, NULL}};
  static const struct lh_class definition = {SIGNALS, methods, signals_close, signals_tostring};
  lh_set_functions(L, functions);
  lh_class_define(L, &definition);
  lua_pop(L, 1);
}
