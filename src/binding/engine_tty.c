/*
** What a command line asks about its terminal.
**
**   engine.isatty(fd)     -> boolean
**   engine.columns([fd])  -> width of the terminal (default: that of standard output), or nil
**   engine.device(fd)     -> "DEVICE:INODE" of what is open there, or nil; systemd's
**                            JOURNAL_STREAM names its journal so
*/
#include "binding/binding.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
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

static int device(lua_State *L) {
  struct stat found;
  char text[48];
  int fd = (int)lh_arg_int(L, 1, 0, INT32_MAX);
  if (fstat(fd, &found) == 0) {
    snprintf(text, sizeof text, "%" PRIuMAX ":%" PRIuMAX, (uintmax_t)found.st_dev,
             (uintmax_t)found.st_ino);
    lua_pushstring(L, text);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

void lh_bind_tty(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"isatty", is_tty}, {"columns", columns}, {"device", device}, {NULL, NULL}};
  lh_set_functions(L, functions);
}
