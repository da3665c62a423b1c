/*
** Cutting off Lua code that goes on for too long without waiting.
**
**   engine.watch(thread, instructions, cpu_ms) -> nothing
**   engine.unwatch(thread) -> "instructions" or "time" if it was cut off, else nil
**
** Between the two the thread may be resumed once. When it, and every coroutine that
** it runs, have run that many VM instructions together, or have used that much of the
** processor, a count hook yields the thread from C: its resume returns true and no
** values. A raised error would not do, since the code's own pcall would swallow it.
** Where nothing can yield (inside a sort's comparator, a gsub's function, an error
** handler) the hook raises instead, and from then on it is called for every
** instruction, until one can; so its resume can also return false. What it raises is
** of the kind that lack of memory raises: any other would go through the handler of
** an xpcall, from which no hook is called.
**
** Compiled code calls no hooks: on LuaJIT the caller has turned the compiler off and
** flushed what was compiled, for at its exits that goes on to be compiled, the thread's
** loops too. What no hook sees, nothing here ends: one C function that does not return
** (string.find with a pathological pattern), and finalizers, in which Lua calls no
** hooks.
**
** One thread of a Lua state is watched at a time. On Lua 5.4 hooks belong to a
** coroutine, and new ones inherit that of their maker; on LuaJIT the state has one,
** so that the one before is kept meanwhile and put back.
*/
#include "binding/binding.h"
#include "clock/clock.h"

#define WATCH "loyalhook.watch" /* names the watch in the registry */
/* Instructions between two looks: few, for those of a coroutine that ends before are not seen. */
#define STEP 100
#define DEPTH_MAX 250 /* coroutines that run one another: Lua's own limit is lower */
#define INSTRUCTIONS_MAX INT64_C(1000000000000)
#define CPU_MS_MAX 3600000

struct watch {
  lua_State *thread;  /* NULL: none; the caller keeps it alive */
  lua_State *caller;  /* who resumes it */
  int64_t left;       /* instructions */
  int64_t look_ms;    /* on the monotonic clock: before this the limit of time cannot be reached */
  int64_t cpu_end_ms; /* of this thread's processor time */
  const char *over;   /* not NULL: it is to be cut off, and why */
  lua_Hook hook;      /* what was there before */
  int mask, count;
};

/* Makes nothing: a hook must not run out of memory. */
static struct watch *watch_of(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, WATCH);
  struct watch *watch = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return watch;
}

static int64_t monotonic_ms(void) {
  const struct lh_clock *clock = lh_clock_system();
  return clock->monotonic_ms(clock->self);
}

/* Asking for the processor's time costs a system call, so that is done seldom. */
static const char *reason_to_end(struct watch *watch) {
  if (watch->left <= 0) return "instructions";
  int64_t now_ms = monotonic_ms();
  if (now_ms < watch->look_ms) return NULL;
  int64_t left_ms = watch->cpu_end_ms - lh_clock_thread_ms();
  watch->look_ms = now_ms + left_ms;
  return left_ms > 0 ? NULL : "time";
}

static void on_count(lua_State *L, lua_Debug *activation);

/* The coroutine that `from` has resumed and waits for, or NULL. */
static lua_State *resumed_by(lua_State *from) {
  lua_Debug activation;
  int top = lua_gettop(from);
  if (!lua_getstack(from, 0, &activation)) return NULL;
  lua_getinfo(from, "f", &activation);
  int is_c = lua_iscfunction(from, -1);
  /* What wrap returns has it as upvalue, resume as argument. */
  if (is_c && !lua_getupvalue(from, -1, 1)) lua_getlocal(from, &activation, 1);
  lua_State *resumed = is_c ? lua_tothread(from, -1) : NULL;
  lua_settop(from, top);
  return resumed;
}

/*
** All that is under way shall end: a coroutine in between that went on, and made new ones, would
** multiply what is left to run with each level.
*/
static void end_all(lua_State *L, lua_State *thread) {
  for (int depth = 0; thread && thread != L && depth < DEPTH_MAX; depth++) {
    lua_sethook(thread, on_count, LUA_MASKCOUNT, 1);
    thread = resumed_by(thread);
  }
  lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
}

static void on_count(lua_State *L, lua_Debug *activation) {
  struct watch *watch = watch_of(L);
  (void)activation;
  /* On LuaJIT the caller is seen too; on Lua 5.4 coroutines that were made in a watched thread. */
  if (!watch->thread || L == watch->caller) return;
  watch->left -= lua_gethookcount(L);
  if (!watch->over) watch->over = reason_to_end(watch);
  if (!watch->over) return;
  end_all(L, watch->thread);
  if (lua_isyieldable(L)) {
    lua_yield(L, 0); /* returns on Lua 5.4 only */
  } else {
    lh_compat_raise_shortage(L);
  }
}

static int watch_thread(lua_State *L) {
  lua_State *thread = lua_tothread(L, 1);
  luaL_argcheck(L, thread != NULL, 1, "thread expected");
  int64_t instructions = lh_arg_int(L, 2, 1, INSTRUCTIONS_MAX);
  int64_t cpu_ms = lh_arg_int(L, 3, 1, CPU_MS_MAX);
  struct watch *watch = watch_of(L);
  luaL_argcheck(L, !watch->thread, 1, "another thread is watched");
  *watch = (struct watch){.thread = thread,
                          .caller = L,
                          .left = instructions,
                          .look_ms = monotonic_ms() + cpu_ms,
                          .cpu_end_ms = lh_clock_thread_ms() + cpu_ms,
                          .hook = lua_gethook(thread),
                          .mask = lua_gethookmask(thread),
                          .count = lua_gethookcount(thread)};
  lua_sethook(thread, on_count, LUA_MASKCOUNT, instructions < STEP ? (int)instructions : STEP);
  return 0;
}

static int unwatch_thread(lua_State *L) {
  lua_State *thread = lua_tothread(L, 1);
  struct watch *watch = watch_of(L);
  luaL_argcheck(L, thread != NULL && thread == watch->thread, 1, "the watched thread expected");
  lua_sethook(thread, watch->hook, watch->mask, watch->count);
  watch->thread = NULL;
  lua_pushstring(L, watch->over); /* NULL: nil */
  return 1;
}

void lh_bind_watch(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"watch", watch_thread}, {"unwatch", unwatch_thread}, {NULL, NULL}};
  struct watch *watch = lua_newuserdata(L, sizeof *watch);
  *watch = (struct watch){.thread = NULL};
  lua_setfield(L, LUA_REGISTRYINDEX, WATCH);
  lh_set_functions(L, functions);
}
