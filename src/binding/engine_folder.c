/*
** Temporary folders of a command: what nginx is given as its prefix.
**
**   engine.folder_new()          -> path of a new folder below TMPDIR (or /tmp) that only its owner
**                                   may enter, or nil, message, code
**   engine.folders_clean(now_ms) -> how many were removed of those that killed processes have left
**   engine.folder_remove(path)   -> true, or nil, message, code; with all that is in it. Only a
**                                   folder of folder_new's name is touched, no link is followed
**   engine.is_root()             -> whether this process is root
**
** Each folder is locked (flock) by the VM that made it, until it is removed or the process ends,
** however that comes. The locks stand in the VM's registry by path; children do not inherit them.
*/
#include "binding/binding.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_PREFIX "loyalhook-run."
#define FOLDER_UNIQUE "XXXXXX"
#define FOLDER_LOCKS "loyalhook.folder locks"
#define FOLDER_LOCK "loyalhook.folder lock"
#define LEFT_S 600         /* a younger one may be about to be locked */
#define CLEANED_MAX 100    /* by one run; the next one takes the rest */
#define FOLDER_OPEN_MAX 16 /* levels that are held open while it is walked through */
#define PATH_BYTES_MAX 4096

static const char *temporary(void) {
  const char *below = getenv("TMPDIR");
  return below && below[0] == '/' ? below : "/tmp";
}

static int unlock(lua_State *L) {
  int *lock = luaL_checkudata(L, 1, FOLDER_LOCK);
  if (*lock >= 0) close(*lock);
  *lock = -1;
  return 0;
}

/* Pushes the table of locks. */
static void push_locks(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, FOLDER_LOCKS);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, FOLDER_LOCKS);
}

/* Pushes a lock that holds nothing yet, into the table below it too. */
static int *push_lock(lua_State *L, const char *path) {
  int *lock = lua_newuserdata(L, sizeof *lock);
  *lock = -1;
  if (luaL_newmetatable(L, FOLDER_LOCK)) {
    lua_pushcfunction(L, unlock);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, path);
  return lock;
}

/* Where no lock is to be had, nobody else gets one either, and the folder is left. */
static void lock_folder(lua_State *L, const char *path) {
  push_locks(L);
  int *lock = push_lock(L, path);
  *lock = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (*lock >= 0) (void)flock(*lock, LOCK_EX | LOCK_NB);
  lua_pop(L, 2);
}

static void unlock_folder(lua_State *L, const char *path) {
  push_locks(L);
  lua_getfield(L, -1, path);
  int *lock = lua_touserdata(L, -1);
  if (lock) {
    if (*lock >= 0) close(*lock);
    *lock = -1;
    lua_pushnil(L);
    lua_setfield(L, -3, path);
  }
  lua_pop(L, 2);
}

static int folder_new(lua_State *L) {
  char path[PATH_BYTES_MAX];
  const char *below = temporary();
  int len = snprintf(path, sizeof path, "%s/" FOLDER_PREFIX FOLDER_UNIQUE, below);
  if (len < 0 || (size_t)len >= sizeof path) {
    return lh_push_failure(L, LH_E_INVALID, "TMPDIR: the path is too long");
  }
  if (!mkdtemp(path)) { /* makes it 0700 */
    struct lh_error err;
    lh_error_set(&err, errno == ENOSPC ? LH_E_FULL : LH_E_IO, "%s: no folder can be made: %s",
                 below, strerror(errno));
    return lh_push_error(L, &err);
  }
  lock_folder(L, path);
  lua_pushstring(L, path);
  return 1;
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *at) {
  (void)found;
  (void)kind;
  (void)at;
  return remove(path) == 0 || errno == ENOENT ? 0 : errno;
}

static int remove_all(const char *path) {
  int failed = nftw(path, remove_one, FOLDER_OPEN_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  if (failed < 0) failed = errno;
  return failed == ENOENT ? 0 : failed;
}

/* Opens and locks what a killed process has left: a folder, not a link to one, of this user, that
** nobody has locked. -1: it is none. */
static int take_left(int below, const char *name, int64_t now_ms) {
  struct stat found;
  size_t prefix_len = strlen(FOLDER_PREFIX);
  if (strncmp(name, FOLDER_PREFIX, prefix_len) != 0 ||
      strlen(name) != prefix_len + strlen(FOLDER_UNIQUE)) {
    return -1;
  }
  int folder = openat(below, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return -1;
  if (fstat(folder, &found) == 0 && found.st_uid == geteuid() &&
      found.st_mtime < now_ms / 1000 - LEFT_S && flock(folder, LOCK_EX | LOCK_NB) == 0) {
    return folder;
  }
  close(folder);
  return -1;
}

static int folders_clean(lua_State *L) {
  char path[PATH_BYTES_MAX];
  const char *below = temporary();
  int64_t now_ms = lh_arg_int(L, 1, 0, LH_EXACT_MAX);
  DIR *list = opendir(below);
  int cleaned = 0;
  struct dirent *entry;
  while (list && cleaned < CLEANED_MAX && (entry = readdir(list))) {
    int len = snprintf(path, sizeof path, "%s/%s", below, entry->d_name);
    int folder =
        len > 0 && (size_t)len < sizeof path ? take_left(dirfd(list), entry->d_name, now_ms) : -1;
    if (folder < 0) continue;
    cleaned += remove_all(path) == 0;
    close(folder);
  }
  if (list) closedir(list);
  lua_pushinteger(L, cleaned);
  return 1;
}

static int folder_remove(lua_State *L) {
  const char *path = lh_arg_string(L, 1, NULL);
  const char *name = strrchr(path, '/');
  size_t prefix_len = strlen(FOLDER_PREFIX);
  if (!name || strncmp(name + 1, FOLDER_PREFIX, prefix_len) != 0) {
    return luaL_argerror(L, 1, "not a temporary folder of folder_new");
  }
  int failed = remove_all(path);
  unlock_folder(L, path);
  if (failed) {
    struct lh_error err;
    lh_error_set(&err, LH_E_IO, "%s: %s", path, strerror(failed));
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
                                       {"folders_clean", folders_clean},
                                       {"is_root", is_root},
                                       {NULL, NULL}};
  lh_set_functions(L, functions);
}
