/*
** require "loyalhook.engine": the store, the worker and what the command line
** needs of the system. Loading it changes the process in two ways, once:
**
** - SIGPIPE is ignored from then on, if it was at its default (which would end
**   the process when a receiver hangs up in mid-request, or the reader of a
**   pipe goes away); a handler of the application's own stays.
** - The module is never unloaded, not even by lua_close: it owns threads.
*/
#ifndef LH_BINDING_ENGINE_MODULE_H
#define LH_BINDING_ENGINE_MODULE_H

#include "binding/compat.h"

LH_EXPORT int luaopen_loyalhook_engine(lua_State *L);

#endif
