/*
** What a command line asks about its terminal.
**
**   engine.isatty(fd)     -> boolean
**   engine.columns([fd])  -> width of the terminal (default: that of standard output), or nil
*/
#include "binding/binding.h"

#include <sys/ioctl.h>
#include <unistd.h>

static int is_tty(lua_State *L) {
  int fd = (int)lh_arg_int(L, 1, 0, INT32_MAX);
  lua_pushboolean(L, isatty(fd));
  return 1;
}

static int columns(lua_State *L) {
  struct winsize size;
  int fd = (int)lh_arg_int_or(L, 1, STDOUT_FILENO, 0, INT32_MAX);
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    lua_pushinteger(L, size.ws_col);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

void lh_bind_tty(lua_State *L) {
  static const luaL_Reg functions[] = {{"isatty", is_tty}, {"columns", columns}, {NULL, NULL}};
  lh_set_functions(L, functions);
}
