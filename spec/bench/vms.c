/*
** A process with many Lua VMs, each in a thread of its own, as an application
** server has them: vms THREADS SCRIPT ARG…. Every VM runs the script with the
** thread's number and the arguments; the script returns a function. When all
** have one, all call it at once, and what passed until the last is back is
** printed: seconds, and seconds of processor.
*/
#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <sys/resource.h>

#include "bench.h"

#define THREADS_MAX 256

struct vm {
  pthread_t thread;
  pthread_barrier_t *ready;
  int number;
  char **arguments; /* SCRIPT ARG…, NULL */
};

static void *run(void *self) {
  const struct vm *vm = self;
  lua_State *L = luaL_newstate();
  bench_need(L != NULL, "vm", "out of memory");
  luaL_openlibs(L);
  bench_need(luaL_loadfile(L, vm->arguments[0]) == 0, "vm", lua_tostring(L, -1));
  int count = 0;
  lua_pushinteger(L, vm->number);
  for (char **argument = vm->arguments + 1; *argument; argument++, count++)
    lua_pushstring(L, *argument);
  bench_need(lua_pcall(L, count + 1, 1, 0) == 0, "vm", lua_tostring(L, -1));
  pthread_barrier_wait(vm->ready);
  bench_need(lua_pcall(L, 0, 0, 0) == 0, "vm", lua_tostring(L, -1));
  pthread_barrier_wait(vm->ready);
  lua_close(L);
  return NULL;
}

static double cpu_seconds(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
  static struct vm vms[THREADS_MAX];
  pthread_barrier_t ready;
  bench_need(argc >= 3, "vms", "usage: vms THREADS SCRIPT ARG…");
  int count = atoi(argv[1]);
  bench_need(count >= 1 && count <= THREADS_MAX, "vms", "1 to 256 threads");
  pthread_barrier_init(&ready, NULL, (unsigned)count + 1);
  for (int i = 0; i < count; i++) {
    vms[i] = (struct vm){.ready = &ready, .number = i + 1, .arguments = argv + 2};
    bench_need(pthread_create(&vms[i].thread, NULL, run, &vms[i]) == 0, "thread", "none left");
  }
  pthread_barrier_wait(&ready);
  int64_t start = bench_now_ns();
  double cpu_start = cpu_seconds();
  pthread_barrier_wait(&ready);
  int64_t took = bench_now_ns() - start;
  double cpu_used = cpu_seconds() - cpu_start;
  for (int i = 0; i < count; i++) pthread_join(vms[i].thread, NULL);
  printf("{\"seconds\": %.6f, \"cpu_seconds\": %.6f}\n", (double)took / 1e9, cpu_used);
  return 0;
}
