/*
** The form of a mail address.
**
**   core.mailbox_check(address) -> true | nil, message, "invalid"
*/
#include "binding/binding.h"
#include "core/mailbox.h"

static int mailbox_check(lua_State *L) {
  struct lh_error err;
  size_t len;
  const char *address = lh_arg_string(L, 1, &len);
  if (lh_mailbox_check(address, len, &err)) return lh_push_error(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

void lh_bind_mailbox(lua_State *L) {
  lua_pushcfunction(L, mailbox_check);
  lua_setfield(L, -2, "mailbox_check");
}
