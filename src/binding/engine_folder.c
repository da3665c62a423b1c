/*
** Temporary folders of a command: what nginx is given as its prefix.
**
**   engine.folder_new()          -> path of a new folder below TMPDIR (or /tmp) that only its owner
**                                   may enter, or nil, message, code
**   engine.folder_remove(path)   -> true, or nil, message, code; with all that is in it. Only a
**                                   folder of folder_new's name is touched, no link is followed
**   engine.is_root()             -> whether this process is root
*/
#include "binding/binding.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER_PREFIX "loyalhook-run."
#define FOLDER_OPEN_MAX 16 /* levels that are held open while it is walked through */
#define PATH_BYTES_MAX 4096

static int folder_new(lua_State *L) {
  char path[PATH_BYTES_MAX];
  const char *below = getenv("TMPDIR");
  if (!below || below[0] != '/') below = "/tmp";
  int len = snprintf(path, sizeof path, "%s/" FOLDER_PREFIX "XXXXXX", below);
  if (len < 0 || (size_t)len >= sizeof path) {
    return lh_push_failure(L, LH_E_INVALID, "TMPDIR: the path is too long");
  }
  if (!mkdtemp(path)) { /* makes it 0700 */
    struct lh_error err;
    lh_error_set(&err, errno == ENOSPC ? LH_E_FULL : LH_E_IO, "%s: no folder can be made: %s",
                 below, strerror(errno));
    return lh_push_error(L, &err);
  }
  lua_pushstring(L, path);
  return 1;
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *at) {
  (void)found;
  (void)kind;
  (void)at;
  return remove(path) == 0 || errno == ENOENT ? 0 : errno;
}

static int folder_remove(lua_State *L) {
  const char *path = lh_arg_string(L, 1, NULL);
  const char *name = strrchr(path, '/');
  size_t prefix_len = strlen(FOLDER_PREFIX);
  if (!name || strncmp(name + 1, FOLDER_PREFIX, prefix_len) != 0) {
    return luaL_argerror(L, 1, "not a temporary folder of folder_new");
  }
  int failed = nftw(path, remove_one, FOLDER_OPEN_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  if (failed && !(failed < 0 && errno == ENOENT)) {
    struct lh_error err;
    lh_error_set(&err, LH_E_IO, "%s: %s", path, strerror(failed < 0 ? errno : failed));
    return lh_push_error(L, &err);
  }
  lua_pushboolean(L, 1);
  return 1;
}

static int is_root(lua_State *L) {
  lua_pushboolean(L, geteuid() == 0);
  return 1;
}

void lh_bind_folder(lua_State *L) {
  static const luaL_Reg functions[] = {{"folder_new", folder_new},
                                       {"folder_remove", folder_remove},
                                       {"is_root", is_root},
                                       {NULL, NULL}};
  lh_set_functions(L, functions);
}
