/*
** What differs between Lua 5.4 and LuaJIT 2.1 (the Lua 5.1 C API), all in this
** one block. The rest of the room is written against the names below and uses
** nothing that only one of the two has.
*/
#ifndef LH_BINDING_COMPAT_H
#define LH_BINDING_COMPAT_H

#include <stddef.h>
#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>

/* The only symbols that leave a module; everything else is built hidden. */
#define LH_EXPORT __attribute__((visibility("default")))

/* Whole numbers up to here are exact in a double, the only number LuaJIT has. */
#define LH_EXACT_MAX INT64_C(9007199254740991)

/*
** lh_compat_number: 1 and the value if the number at `index` is a whole one
** that fits; 0 otherwise. The caller has checked that it is a number.
** lh_compat_new: a zeroed userdata with one slot for a Lua value. lh_compat_keep
** pops a value into the slot of the userdata at `object` (absolute index);
** lh_compat_kept pushes it. lh_compat_raise_shortage raises "not enough memory",
** which, unlike any other error, goes past the handlers of xpcall. It is for hooks.
*/
#if LUA_VERSION_NUM >= 504

typedef lua_Integer lh_compat_index;

static inline int lh_compat_number(lua_State *L, int index, int64_t *value) {
  int whole = 0;
  *value = lua_tointegerx(L, index, &whole);
  return whole;
}

static inline void lh_compat_push(lua_State *L, int64_t value) {
  lua_pushinteger(L, value);
}

static inline size_t lh_compat_len(lua_State *L, int index) {
  return (size_t)lua_rawlen(L, index);
}

static inline void *lh_compat_new(lua_State *L, size_t size) {
  return lua_newuserdatauv(L, size, 1);
}

static inline void lh_compat_keep(lua_State *L, int object) {
  lua_setiuservalue(L, object, 1);
}

static inline void lh_compat_kept(lua_State *L, int object) {
  lua_getiuservalue(L, object, 1);
}

/* No address space is that large. */
static inline void lh_compat_raise_shortage(lua_State *L) {
  lua_newuserdatauv(L, SIZE_MAX / 4, 0);
}

#elif LUA_VERSION_NUM == 501

typedef int lh_compat_index;

static inline int lh_compat_number(lua_State *L, int index, int64_t *value) {
  lua_Number number = lua_tonumber(L, index);
  if (!(number >= (lua_Number)-LH_EXACT_MAX && number <= (lua_Number)LH_EXACT_MAX)) return 0;
  *value = (int64_t)number;
  return (lua_Number)*value == number;
}

/* Beyond 2^53 a double would be another number: then the digits, as a string. */
static inline void lh_compat_push(lua_State *L, int64_t value) {
  if (value >= -LH_EXACT_MAX && value <= LH_EXACT_MAX) {
    lua_pushnumber(L, (lua_Number)value);
  } else {
    char digits[24];
    char *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do *--at = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (value < 0) *--at = '-';
    lua_pushlstring(L, at, (size_t)(digits + sizeof digits - at));
  }
}

static inline size_t lh_compat_len(lua_State *L, int index) {
  return lua_objlen(L, index);
}

/* A userdata's environment is its slot here; a new one shares its maker's, so it gets its own. */
static inline void *lh_compat_new(lua_State *L, size_t size) {
  void *at = lua_newuserdata(L, size);
  lua_createtable(L, 1, 0);
  lua_setfenv(L, -2);
  return at;
}

static inline void lh_compat_keep(lua_State *L, int object) {
  lua_getfenv(L, object);
  lua_insert(L, -2);
  lua_rawseti(L, -2, 1);
  lua_pop(L, 1);
}

static inline void lh_compat_kept(lua_State *L, int object) {
  lua_getfenv(L, object);
  lua_rawgeti(L, -1, 1);
  lua_remove(L, -2);
}

struct lh_compat_shortage {
  lua_State *L;
  lua_Alloc allocate; /* that of the state */
  void *self;
};

#define LH_COMPAT_REFUSED ((size_t)1 << 30)

/* Has no such large block, once. */
static inline void *lh_compat_refuse(void *self, void *block, size_t old_size, size_t size) {
  struct lh_compat_shortage shortage = *(struct lh_compat_shortage *)self;
  if (block || size < LH_COMPAT_REFUSED) {
    return shortage.allocate(shortage.self, block, old_size, size);
  }
  lua_setallocf(shortage.L, shortage.allocate, shortage.self);
  return NULL;
}

static inline int lh_compat_die(lua_State *L) {
  lua_pushnil(L);
  return lua_error(L);
}

/*
** An error that a hook raises ends the hook, but not where load() catches it: from then on no hook
** would be called any more. A coroutine that dies of an error ends it in any case.
*/
static inline void lh_compat_leave_hook(lua_State *L) {
  lua_State *dying = lua_newthread(L);
  lua_pushcfunction(L, lh_compat_die);
  lua_xmove(L, dying, 1);
  lua_resume(dying, 0);
  lua_pop(L, 1);
}

static inline void lh_compat_raise_shortage(lua_State *L) {
  struct lh_compat_shortage shortage = {.L = L};
  lh_compat_leave_hook(L);
  shortage.allocate = lua_getallocf(L, &shortage.self);
  lua_setallocf(L, lh_compat_refuse, &shortage);
  lua_newuserdata(L, LH_COMPAT_REFUSED);
}

#else
#error "loyalhook needs Lua 5.4 or LuaJIT 2.1"
#endif

#endif
