/*
** Options of the address guard, and the check of a URL under them.
**
**   engine.url_check(url [, { allow_http =, allow_networks = {…} }]) -> normal form
**     | nil, message, "invalid"
*/
#include "binding/engine_guard.h"

#include <string.h>

#include "core/limits.h"

/* Reads the list on top of the stack. */
static int read_networks(lua_State *L, int arg, struct lh_transport_options *options,
                         struct lh_error *err) {
  int list = lua_gettop(L);
  size_t count = lh_compat_len(L, list);
  if (count > LH_NETWORKS_MAX) {
    return lh_error_set(err, LH_E_LIMIT, "allow_networks: more than %d", LH_NETWORKS_MAX);
  }
  struct lh_network *networks = lh_box_scratch(L, count, sizeof *networks);
  for (size_t i = 0; i < count; i++) {
    struct lh_error inner;
    size_t len;
    lua_rawgeti(L, list, (lh_compat_index)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING) {
      lh_arg_type_error(L, arg, "allow_networks", "list of strings", -1);
    }
    const char *text = lua_tolstring(L, -1, &len);
    if (lh_network_parse(text, len, &networks[i], &inner)) {
      return lh_error_set(err, inner.code, "allow_networks[%zu]: %s", i + 1, inner.message);
    }
    lua_pop(L, 1);
  }
  options->networks = networks;
  options->network_count = count;
  return 0;
}

int lh_engine_guard_read(lua_State *L, int arg, struct lh_transport_options *options,
                         struct lh_error *err) {
  options->allow_http = lh_field_boolean(L, arg, "allow_http");
  if (lh_field_name(L, arg, "ca_file", &options->ca_file, err) < 0) return err->code;
  return lh_field_table(L, arg, "allow_networks") ? read_networks(L, arg, options, err) : 0;
}

static int url_check(lua_State *L) {
  struct lh_transport_options options = {0};
  struct lh_error err;
  char normal[LH_URL_MAX + 1];
  size_t len;
  const char *url = lh_arg_string(L, 1, &len);
  lh_arg_options(L, 2);
  if (lh_engine_guard_read(L, 2, &options, &err)) return lh_push_error(L, &err);
  if (memchr(url, '\0', len)) {
    return lh_push_failure(L, LH_E_INVALID, "url: contains a NUL byte");
  }
  if (lh_url_check(url, &options, normal, sizeof normal, &err)) return lh_push_error(L, &err);
  lua_pushstring(L, normal);
  return 1;
}

void lh_bind_url(lua_State *L) {
  lua_pushcfunction(L, url_check);
  lua_setfield(L, -2, "url_check");
}
