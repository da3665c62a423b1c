/* What a deployment allows its transports, read from a table of options. */
#ifndef LH_BINDING_ENGINE_GUARD_H
#define LH_BINDING_ENGINE_GUARD_H

#include "binding/binding.h"
#include "transport/transport.h"

/*
** Fields allow_http, allow_networks = { "10.0.0.0/8", … } and ca_file of the
** table that is argument `arg`. What *options points to stays on the stack.
** 0, LH_E_INVALID or LH_E_LIMIT; wrong types raise.
*/
int lh_engine_guard_read(lua_State *L, int arg, struct lh_transport_options *options,
                         struct lh_error *err);

#endif
