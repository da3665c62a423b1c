/*
** Boxes: C memory inside a userdata. A Lua error (out of memory while pushing
** a result) jumps over C's clean-up; what stands in a box is then released by
** the collector. Used for whatever is held while Lua's API is being called.
*/
#include "binding/binding.h"

#include <string.h>

#define BOX_CLASS "loyalhook.box"

/* The header keeps the alignment of what follows it. */
struct box {
  void (*release)(void *memory);
  uint64_t reserved;
};

static struct box *box_of(void *memory) {
  return (struct box *)memory - 1;
}

void lh_box_release(void *memory) {
  struct box *box = box_of(memory);
  void (*release)(void *) = box->release;
  box->release = NULL;
  if (release) release(memory);
}

static int box_collect(lua_State *L) {
  lh_box_release((struct box *)luaL_checkudata(L, 1, BOX_CLASS) + 1);
  return 0;
}

void *lh_box_new(lua_State *L, size_t size, void (*release)(void *memory)) {
  struct box *box = lua_newuserdata(L, sizeof *box + size);
  memset(box, 0, sizeof *box + size);
  if (luaL_newmetatable(L, BOX_CLASS)) { /* first box of this state */
    lua_pushcfunction(L, box_collect);
    lua_setfield(L, -2, "__gc");
    lh_set_string(L, "__name", BOX_CLASS);
    lh_set_boolean(L, "__metatable", 0);
  }
  /* Lua 5.4 notices __gc only when the metatable is set: it must be complete by now. */
  lua_setmetatable(L, -2);
  box->release = release;
  return box + 1;
}

void *lh_box_scratch(lua_State *L, size_t count, size_t size) {
  return lua_newuserdata(L, count * size + 1);
}

void *lh_box_at(lua_State *L, int index) {
  struct box *box = lh_class_test(L, index, BOX_CLASS);
  return box ? box + 1 : NULL;
}
