/*
** The address guard's judgement, for diagnosis; the rule itself is applied by
** the transport when it connects.
**
**   core.address_refused(ip [, { "10.0.0.0/8", … }]) -> nil, or why: "loopback", "private", …
**
** What is not an address is refused too, with "not an address".
*/
#include "binding/binding.h"

#include <string.h>

#include "core/address.h"
#include "core/limits.h"

static struct lh_network *read_networks(lua_State *L, int arg, size_t *count) {
  *count =
      lua_isnoneornil(L, arg) ? 0 : (luaL_checktype(L, arg, LUA_TTABLE), lh_compat_len(L, arg));
  if (*count > LH_NETWORKS_MAX) luaL_argerror(L, arg, "too many networks");
  struct lh_network *networks = lh_box_scratch(L, *count, sizeof *networks);
  for (size_t i = 0; i < *count; i++) {
    struct lh_error err;
    size_t len;
    lua_rawgeti(L, arg, (lh_compat_index)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING) luaL_argerror(L, arg, "list of strings expected");
    const char *text = lua_tolstring(L, -1, &len);
    if (lh_network_parse(text, len, &networks[i], &err)) {
      luaL_argerror(L, arg, lua_pushfstring(L, "%s", err.message));
    }
    lua_pop(L, 1);
  }
  return networks;
}

static int address_refused(lua_State *L) {
  size_t len, count;
  const char *text = lh_arg_string(L, 1, &len);
  const struct lh_network *networks = read_networks(L, 2, &count);
  struct lh_network single;
  const char *why = "not an address";
  if (!memchr(text, '/', len) && lh_network_parse(text, len, &single, NULL) == 0) {
    why = lh_address_refused(&single.address, networks, count);
  }
  lua_pushstring(L, why); /* nil for NULL */
  return 1;
}

void lh_bind_address(lua_State *L) {
  lua_pushcfunction(L, address_refused);
  lua_setfield(L, -2, "address_refused");
}
