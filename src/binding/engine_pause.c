/*
** Waiting, for a command that leaves the store to others between two steps.
**
**   engine.pause(ms) -> nothing; a signal ends it early
*/
#include "binding/binding.h"

#include <poll.h>

#define PAUSE_MS_MAX 60000

static int pause_ms(lua_State *L) {
  int ms = (int)lh_arg_int(L, 1, 0, PAUSE_MS_MAX);
  (void)poll(NULL, 0, ms);
  return 0;
}

void lh_bind_pause(lua_State *L) {
  static const luaL_Reg functions[] = {{"pause", pause_ms}, {NULL, NULL}};
  lh_set_functions(L, functions);
}
