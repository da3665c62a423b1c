/*
** Where one request ends and the next begins.
**
**   core.batch.split({ { type_len, data_len }, … } or { data_len, … } [, batch_size [, bytes_max]])
**     -> { count of the first batch, of the second, … }
**
** Lengths are in bytes; a bare data_len is an event with a type of no length.
*/
#include "binding/binding.h"

#include "core/batch.h"
#include "core/limits.h"

static size_t length_at(lua_State *L, int index) {
  int64_t value = 0;
  if (lua_type(L, index) != LUA_TNUMBER || !lh_compat_number(L, index, &value) || value < 0 ||
      value > LH_EVENT_BYTES_MAX) {
    luaL_argerror(L, 1, "lengths in bytes expected, each at most 1 MiB");
  }
  return (size_t)value;
}

/* Pops the entry on top. */
static void read_entry(lua_State *L, size_t *type_len, size_t *data_len) {
  *type_len = 0;
  if (lua_type(L, -1) == LUA_TTABLE) {
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    *type_len = length_at(L, -2);
    *data_len = length_at(L, -1);
    lua_pop(L, 2);
  } else {
    *data_len = length_at(L, -1);
  }
  lua_pop(L, 1);
}

static int split(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  int64_t size_max = lh_arg_int_or(L, 2, LH_BATCH_SIZE_DEFAULT, 1, LH_BATCH_SIZE_MAX);
  int64_t bytes_max = lh_arg_int_or(L, 3, LH_BATCH_BYTES_MAX, 1, LH_BATCH_BYTES_MAX);
  size_t count = lh_compat_len(L, 1), batches = 0;
  struct lh_batch batch;
  lh_batch_init(&batch, (int32_t)size_max, bytes_max);
  lua_newtable(L);
  for (size_t i = 0; i < count; i++) {
    size_t type_len, data_len;
    lua_rawgeti(L, 1, (lh_compat_index)i + 1);
    read_entry(L, &type_len, &data_len);
    if (lh_batch_add(&batch, type_len, data_len)) continue;
    lua_pushinteger(L, batch.count);
    lua_rawseti(L, -2, (lh_compat_index)++batches);
    lh_batch_init(&batch, (int32_t)size_max, bytes_max);
    lh_batch_add(&batch, type_len, data_len);
  }
  if (batch.count > 0) {
    lua_pushinteger(L, batch.count);
    lua_rawseti(L, -2, (lh_compat_index)++batches);
  }
  return 1;
}

void lh_bind_batch(lua_State *L) {
  static const luaL_Reg functions[] = {{"split", split}, {NULL, NULL}};
  lua_newtable(L);
  lh_set_functions(L, functions);
  lua_setfield(L, -2, "batch");
}
