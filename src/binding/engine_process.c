/*
** A child process that must not outlive this one: nginx below `listen` and
** `serve`.
**
**   engine.process{ argv = { "/path/of/program", … }, stdout =, stderr = }
**       -> process | nil, message, code. stdout and stderr: files that are added
**       to (default: ours); stdin is empty
**   process:pid()                  -> its id
**   process:poll()                 -> nil while it runs; "exit", code or "signal", number
**   process:signal(name[, "group"]) -> true. TERM QUIT INT HUP USR1 KILL, to it or to all of its
**                                  group; one that is gone already is no error
**   process:close()                -> true. Kills what is left of the group
**
** The child leads a group of its own, so a terminal's Ctrl-C is ours alone to
** pass on, and what a killed master leaves behind can still be reached. It gets
** SIGTERM when the thread that started it ends, so that nothing stays behind a
** kill -9. It is reaped only by close: until then its id is its own.
*/
#include "binding/binding.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESS "loyalhook.process"
#define WORDS_MAX 64            /* of a command line */
#define NOT_STARTED 127         /* exit code of a child whose program did not start */
#define FIRST_FREE_FD 3         /* after stdin, stdout and stderr */
#define CLOSED_ONE_BY_ONE 65536 /* descriptors, where close_range is not there */

struct process {
  pid_t pid;     /* 0: closed */
  int64_t owner; /* the process that started it */
  int ended;     /* seen; `status` is what waitid said */
  siginfo_t status;
};

struct start {
  const char *words[WORDS_MAX + 1];
  const char *stdout_path;
  const char *stderr_path;
};

static void close_process(struct process *process) {
  if (process->pid == 0) return;
  if (process->owner == getpid()) {
    (void)kill(-process->pid, SIGKILL);
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR) continue;
  }
  process->pid = 0;
}

/* ---- the child, between fork and exec: only what is safe after a fork of threads */

static int redirect(int fd, const char *path, int flags) {
  if (!path) return 0;
  int file = open(path, flags, 0600);
  if (file < 0 || dup2(file, fd) < 0) return -1;
  return 0;
}

static void close_from(int first, int except) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, (unsigned)first, (unsigned)except - 1, 0) == 0 &&
      syscall(SYS_close_range, (unsigned)except + 1, ~0U, 0) == 0) {
    return;
  }
#endif
  for (int fd = first; fd < CLOSED_ONE_BY_ONE; fd++) {
    if (fd != except) close(fd);
  }
}

static void become(const struct start *start, pid_t parent, int report) {
  struct sigaction standard = {.sa_handler = SIG_DFL};
  sigset_t none;
  for (int number = 1; number < NSIG; number++) (void)sigaction(number, &standard, NULL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  report = fcntl(report, F_DUPFD_CLOEXEC, FIRST_FREE_FD); /* ours may have had no stdin */
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(NOT_STARTED); /* it died before that was set */
  if (redirect(STDIN_FILENO, "/dev/null", O_RDONLY) == 0 &&
      redirect(STDOUT_FILENO, start->stdout_path, O_WRONLY | O_CREAT | O_APPEND) == 0 &&
      redirect(STDERR_FILENO, start->stderr_path, O_WRONLY | O_CREAT | O_APPEND) == 0) {
    close_from(FIRST_FREE_FD, report);
    execv(start->words[0], (char *const *)(uintptr_t)start->words);
  }
  int reason = errno;
  if (write(report, &reason, sizeof reason) < 0) _exit(NOT_STARTED);
  _exit(NOT_STARTED);
}

/* ---- the parent */

/* errno of a child that did not become its program; 0 when the pipe closed by exec. */
static int reason_of(int report) {
  int reason = 0;
  ssize_t got = 0;
  do {
    got = read(report, &reason, sizeof reason);
  } while (got < 0 && errno == EINTR);
  return got == (ssize_t)sizeof reason ? reason : 0;
}

/* Where somebody has it ignored, children vanish unseen. */
static void see_children(void) {
  struct sigaction action;
  if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
    action = (struct sigaction){.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &action, NULL);
  }
}

static int start_process(const struct start *start, struct process *process, struct lh_error *err) {
  int ends[2] = {-1, -1};
  see_children();
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return lh_error_set(err, LH_E_SHORTAGE, "%s: no pipe: %s", start->words[0], strerror(errno));
  }
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) become(start, parent, ends[1]);
  int failed = child < 0 ? errno : 0;
  close(ends[1]);
  if (!failed) failed = reason_of(ends[0]);
  close(ends[0]);
  if (child < 0) {
    return lh_error_set(err, LH_E_SHORTAGE, "%s: no process: %s", start->words[0],
                        strerror(failed));
  }
  if (failed) {
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    return lh_error_set(err, failed == ENOENT ? LH_E_NOT_FOUND : LH_E_IO,
                        "%s: it does not start: %s", start->words[0], strerror(failed));
  }
  process->pid = child;
  process->owner = parent;
  return 0;
}

/* The words stay alive in the table argv, which no code runs to change meanwhile. */
static void read_words(lua_State *L, struct start *start) {
  if (!lh_field_table(L, 1, "argv")) luaL_argerror(L, 1, "argv: a list of words expected");
  int list = lua_gettop(L);
  size_t count = lh_compat_len(L, list);
  luaL_argcheck(L, count >= 1 && count <= WORDS_MAX, 1, "argv: 1 to 64 words expected");
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, list, (int)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING) luaL_argerror(L, 1, "argv: a list of texts expected");
    start->words[i] = lua_tostring(L, -1);
    lua_pop(L, 1);
  }
}

static int process_start(lua_State *L) {
  struct start start = {.stdout_path = NULL};
  struct lh_error err;
  luaL_checktype(L, 1, LUA_TTABLE);
  read_words(L, &start);
  if (lh_field_name(L, 1, "stdout", &start.stdout_path, &err) < 0 ||
      lh_field_name(L, 1, "stderr", &start.stderr_path, &err) < 0) {
    return lh_push_error(L, &err);
  }
  struct process *process = lh_class_new(L, sizeof *process, PROCESS);
  if (start_process(&start, process, &err)) return lh_push_error(L, &err);
  return 1;
}

static struct process *process_at(lua_State *L) {
  struct process *process = luaL_checkudata(L, 1, PROCESS);
  if (process->pid != 0 && process->owner == getpid()) return process;
  lh_push_failure(L, LH_E_CLOSED, "process is closed, or belongs to another process");
  return NULL;
}

static int process_pid(lua_State *L) {
  struct process *process = process_at(L);
  if (!process) return 3;
  lua_pushinteger(L, process->pid);
  return 1;
}

static int process_poll(lua_State *L) {
  struct process *process = process_at(L);
  if (!process) return 3;
  siginfo_t found = {.si_pid = 0};
  if (!process->ended &&
      waitid(P_PID, (id_t)process->pid, &found, WEXITED | WNOHANG | WNOWAIT) == 0) {
    process->ended = found.si_pid != 0;
    process->status = found;
  }
  if (!process->ended) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushstring(L, process->status.si_code == CLD_EXITED ? "exit" : "signal");
  lua_pushinteger(L, process->status.si_status);
  return 2;
}

static int signal_number(lua_State *L, int arg) {
  static const char *const names[] = {"TERM", "QUIT", "INT", "HUP", "USR1", "KILL", NULL};
  static const int numbers[] = {SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGKILL};
  return numbers[luaL_checkoption(L, arg, NULL, names)];
}

static int process_signal(lua_State *L) {
  static const char *const whom[] = {"leader", "group", NULL};
  struct process *process = process_at(L);
  if (!process) return 3;
  int number = signal_number(L, 2);
  int group = luaL_checkoption(L, 3, "leader", whom) == 1;
  if (kill(group ? -process->pid : process->pid, number) != 0 && errno != ESRCH) {
    struct lh_error err;
    lh_error_set(&err, LH_E_IO, "process %d: no signal: %s", (int)process->pid, strerror(errno));
    return lh_push_error(L, &err);
  }
  lua_pushboolean(L, 1);
  return 1;
}

static int process_close(lua_State *L) {
  close_process(luaL_checkudata(L, 1, PROCESS));
  lua_pushboolean(L, 1);
  return 1;
}

static int process_tostring(lua_State *L) {
  const struct process *process = luaL_checkudata(L, 1, PROCESS);
  lua_pushfstring(L, "loyalhook.process (%d)", (int)process->pid);
  return 1;
}

void lh_bind_process(lua_State *L) {
  static const luaL_Reg methods[] = {{"pid", process_pid},
                                     {"poll", process_poll},
                                     {"signal", process_signal},
                                     {"close", process_close},
                                     {NULL, NULL}};
  static const struct lh_class definition = {
      .name = PROCESS, .methods = methods, .close = process_close, .tostring = process_tostring};
  static const luaL_Reg functions[] = {{"process", process_start}, {NULL, NULL}};
  lh_class_define(L, &definition);
  lua_pop(L, 1);
  lh_set_functions(L, functions);
}
