/*
** Door of the binding room, the only one that sees lua.h: what its files share.
** Two modules are built from it. core_*.c make loyalhook.core (pure: what a web
** server's worker needs), engine_*.c, store*.c, worker.c and post.c make
** loyalhook.engine; arg.c, binding.c and box.c are in both. Each other file
** shows one Lua-visible object and offers one function lh_bind_<object>.
**
** Order in every function (style.md §5): check all arguments, which may raise;
** then acquire; then raise no more until all is released. What must live while
** results are pushed (pushing can raise: out of memory) is held in a box or in
** an object, so that the collector frees it. Texts of arguments are borrowed
** from strings that stay on the stack or in a table that no Lua code can reach
** a chance to change. C never calls Lua; but pushing can run finalizers, and a
** finalizer can use any object, so nothing borrowed from an object is used
** after a push.
*/
#ifndef LH_BINDING_BINDING_H
#define LH_BINDING_BINDING_H

#include "binding/compat.h"
#include "core/error.h"
#include "core/id.h"
#include "core/signature.h"

/* ---- binding.c: errors, numbers, classes */

/* The one place that makes `nil, message, code`. Returns 3. */
int lh_push_error(lua_State *L, const struct lh_error *err);
/* The same with a fixed message. */
int lh_push_failure(lua_State *L, enum lh_code code, const char *message);
/* An integer on Lua 5.4; on LuaJIT a number, or beyond 2^53 a string of digits. */
void lh_push_int64(lua_State *L, int64_t value);
/* 24 hex digits. */
void lh_push_id(lua_State *L, const struct lh_id *id);
/* value -> table[name], for the table on top of the stack. */
void lh_set_int64(lua_State *L, const char *name, int64_t value);
void lh_set_boolean(lua_State *L, const char *name, int value);
/* Nothing is set for NULL or "". */
void lh_set_string(lua_State *L, const char *name, const char *value);
void lh_set_id(lua_State *L, const char *name, const struct lh_id *id);

/* Adds functions to the table on top of the stack. */
void lh_set_functions(lua_State *L, const luaL_Reg *functions);

/*
** Defines the class of an object once per Lua state: methods are what scripts
** call; `close` is __gc and __close and must do nothing the second time.
*/
struct lh_class {
  const char *name; /* "loyalhook.store"; also __name */
  const luaL_Reg *methods;
  lua_CFunction close;
  lua_CFunction tostring;
};
/* Leaves the table of methods on top, for other files to add to. */
void lh_class_define(lua_State *L, const struct lh_class *definition);
/* A zeroed object of a defined class, pushed. Nothing may be acquired before it. */
void *lh_class_new(lua_State *L, size_t size, const char *name);
/* The object at `index` if it is one of that class, else NULL. */
void *lh_class_test(lua_State *L, int index, const char *name);

/* ---- box.c: C memory that the collector frees if an error jumps over its owner */

/* Zeroed memory of `size` bytes in a userdata, pushed; release(memory) is called once at most. */
void *lh_box_new(lua_State *L, size_t size, void (*release)(void *memory));
/* Releases now. */
void lh_box_release(void *memory);
/* Scratch memory without contents to release, pushed. Never NULL, also for 0 bytes. */
void *lh_box_scratch(lua_State *L, size_t count, size_t size);
/* The memory of the box at `index`, or NULL if that is not a box. */
void *lh_box_at(lua_State *L, int index);

/* ---- arg.c: arguments and fields of argument tables; wrong types raise at the caller */

/* A string, never a number made into one. */
const char *lh_arg_string(lua_State *L, int arg, size_t *len);
/* A whole number in [min, max]. */
int64_t lh_arg_int(lua_State *L, int arg, int64_t min, int64_t max);
int64_t lh_arg_int_or(lua_State *L, int arg, int64_t missing, int64_t min, int64_t max);
/* A table, or nothing (then an empty one takes its place). */
void lh_arg_options(lua_State *L, int arg);
/* Raises "bad argument #arg (field: wanted expected, got <type of the value at index>)". */
int lh_arg_type_error(lua_State *L, int arg, const char *field, const char *wanted, int index);

/*
** Fields of the table that is argument `arg` are read without metamethods.
** Each reader leaves the value on the stack, which keeps it alive.
** NULL or 0: the field is nil.
*/
/* Pushes the field and returns its type. */
int lh_field_push(lua_State *L, int arg, const char *field);
const char *lh_field_string(lua_State *L, int arg, const char *field, size_t *len);
/* Raises if it is nil. */
const char *lh_field_text(lua_State *L, int arg, const char *field, size_t *len);
/* A string that becomes a C string: 1 found, 0 nil, -1 and LH_E_INVALID: it contains a NUL byte. */
int lh_field_name(lua_State *L, int arg, const char *field, const char **text,
                  struct lh_error *err);
/*
** A whole number in [min, max]. 1 found, 0 nil, -1 and LH_E_INVALID for other
** numbers, since they may come from a person.
*/
int lh_field_int(lua_State *L, int arg, const char *field, const int64_t bounds[2], int64_t *value,
                 struct lh_error *err);
/* A list of such strings, at most `max` (else LH_E_LIMIT), kept on the stack. Results as above. */
struct lh_names {
  const char **at;
  size_t count;
};
int lh_field_names(lua_State *L, int arg, const char *field, size_t max, struct lh_names *names,
                   struct lh_error *err);
int lh_field_boolean(lua_State *L, int arg, const char *field);
/* Pushes a table, or nil (then 0); anything else raises. */
int lh_field_table(lua_State *L, int arg, const char *field);
/* "zinrelo" (also for nil) or "standard". 0, or LH_E_INVALID. */
int lh_field_scheme(lua_State *L, int arg, enum lh_scheme *scheme, struct lh_error *err);
/* 24 hex digits. 1, 0 for nil, -1 and LH_E_INVALID. */
int lh_field_id(lua_State *L, int arg, const char *field, struct lh_id *id, struct lh_error *err);

/* ---- what each file adds to the table on top of the stack */

void lh_bind_signature(lua_State *L);
void lh_bind_verify(lua_State *L);
void lh_bind_json(lua_State *L);
void lh_bind_event(lua_State *L);
void lh_bind_batch(lua_State *L);
void lh_bind_envelope(lua_State *L);
void lh_bind_delivery(lua_State *L);
void lh_bind_secret(lua_State *L);
void lh_bind_address(lua_State *L);
void lh_bind_mailbox(lua_State *L);

void lh_bind_store(lua_State *L);
void lh_bind_store_emit(lua_State *L);
void lh_bind_store_log(lua_State *L);
void lh_bind_store_webhooks(lua_State *L);
void lh_bind_store_change(lua_State *L);
void lh_bind_store_requests(lua_State *L);
void lh_bind_store_explain(lua_State *L);
void lh_bind_store_jobs(lua_State *L);
void lh_bind_store_stats(lua_State *L);
void lh_bind_store_figures(lua_State *L);
void lh_bind_store_care(lua_State *L);
void lh_bind_store_notices(lua_State *L);
void lh_bind_store_inbox(lua_State *L);
void lh_bind_store_access(lua_State *L);
void lh_bind_store_users(lua_State *L);
void lh_bind_store_audit(lua_State *L);
void lh_bind_store_tasks(lua_State *L);
void lh_bind_worker(lua_State *L);
void lh_bind_worker_mail(lua_State *L);
void lh_bind_worker_call(lua_State *L);
void lh_bind_worker_tasks(lua_State *L);
void lh_bind_mail(lua_State *L);
void lh_bind_post(lua_State *L);
void lh_bind_url(lua_State *L);
void lh_bind_tty(lua_State *L);
void lh_bind_pause(lua_State *L);
void lh_bind_folder(lua_State *L);
void lh_bind_process(lua_State *L);
void lh_bind_watch(lua_State *L);
void lh_bind_signals(lua_State *L);

#endif
