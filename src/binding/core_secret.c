/*
** Secrets.
**
**   core.secret.generate()            -> "whsec_…" | nil, message, code
**   core.secret.check(scheme, secret) -> true | nil, message, code: the rule for new secrets
*/
#include "binding/binding.h"

#include "clock/clock.h"
#include "core/seal.h"

static int generate(lua_State *L) {
  const struct lh_clock *clock = lh_clock_system();
  unsigned char random[32];
  char secret[LH_SECRET_GENERATED_LEN + 1];
  struct lh_error err;
  if (clock->random(clock->self, random, sizeof random, &err)) return lh_push_error(L, &err);
  lh_secret_from_random(random, secret);
  lh_wipe(random, sizeof random);
  lua_pushlstring(L, secret, LH_SECRET_GENERATED_LEN);
  lh_wipe(secret, sizeof secret);
  return 1;
}

static int check(lua_State *L) {
  size_t len;
  enum lh_scheme scheme;
  struct lh_error err;
  luaL_checktype(L, 1, LUA_TSTRING);
  const char *secret = lh_arg_string(L, 2, &len);
  if (lh_scheme_parse(lua_tostring(L, 1), &scheme)) {
    return lh_push_failure(L, LH_E_INVALID, "scheme: neither zinrelo nor standard");
  }
  if (lh_secret_check(scheme, secret, len, &err)) return lh_push_error(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

void lh_bind_secret(lua_State *L) {
  static const luaL_Reg functions[] = {{"generate", generate}, {"check", check}, {NULL, NULL}};
  lua_newtable(L);
  lh_set_functions(L, functions);
  lua_setfield(L, -2, "secret");
}
