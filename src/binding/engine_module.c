/*
** The table of loyalhook.engine; engine_module.h says what loading it does to
** the process. core_module.c is its light sibling.
**
**   engine.versions() -> { libcurl =, sqlite =, mbedtls = }
**   engine.certificates() -> path of the system's bundle, or nil
*/
#include "binding/engine_module.h"

#include <dlfcn.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>

#include "binding/binding.h"
#include "core/version.h"
#include "store/store.h"
#include "transport/transport.h"

static int versions(lua_State *L) {
  char crypto[16];
  lh_version_crypto(crypto);
  lua_createtable(L, 0, 3);
  lh_set_string(L, "libcurl", lh_transport_version());
  lh_set_string(L, "sqlite", lh_store_version());
  lh_set_string(L, "mbedtls", crypto);
  return 1;
}

static int certificates(lua_State *L) {
  lua_pushstring(L, lh_transport_bundle()); /* NULL: nil */
  return 1;
}

/* Linked into the program itself there is nothing to unload (and dlopen would not find it). */
static int is_program(const Dl_info *module) {
  Dl_info program;
  unsigned long headers = getauxval(AT_PHDR); /* an address of the program's */
  const void *inside;
  memcpy(&inside, &headers, sizeof inside);
  return dladdr(inside, &program) && program.dli_fbase == module->dli_fbase;
}

/* Any address inside this module finds it. */
static void pin_module(lua_State *L) {
  static const char inside = 0;
  Dl_info module;
  if (!dladdr(&inside, &module) || !module.dli_fname) {
    luaL_error(L, "loyalhook.engine: the module cannot be found in memory");
  }
  if (!is_program(&module) && !dlopen(module.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE)) {
    luaL_error(L, "loyalhook.engine: the module cannot be kept loaded");
  }
}

static void ignore_sigpipe(void) {
  struct sigaction action;
  if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
    action = (struct sigaction){.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &action, NULL);
  }
}

int luaopen_loyalhook_engine(lua_State *L) {
  pin_module(L);
  ignore_sigpipe();
  lua_newtable(L);
  lh_set_string(L, "_VERSION", LH_VERSION);
  lua_pushcfunction(L, versions);
  lua_setfield(L, -2, "versions");
  lua_pushcfunction(L, certificates);
  lua_setfield(L, -2, "certificates");
  lh_bind_store(L);
  lh_bind_worker(L);
  lh_bind_post(L);
  lh_bind_mail(L);
  lh_bind_url(L);
  lh_bind_tty(L);
  lh_bind_pause(L);
  lh_bind_folder(L);
  lh_bind_process(L);
  lh_bind_watch(L);
  lh_bind_signals(L);
  return 1;
}
