/* The endpoint as a child process; see the header. */
#include "endpoint_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGUMENTS_MAX 24
#define LINE_MAX_BYTES (256 * 1024)

static void child(const struct endpoint_process *endpoint, const char *program,
                  const char *const *arguments, const int in[2], const int out[2]) {
  const char *argv[ARGUMENTS_MAX] = {"python3", program,       "--port",      "0",
                                     "--log",   endpoint->log, "--until-eof", NULL};
  size_t count = 7;
  for (; arguments && *arguments && count + 1 < ARGUMENTS_MAX; arguments++)
    argv[count++] = *arguments;
  argv[count] = NULL;
  dup2(in[0], STDIN_FILENO);
  dup2(out[1], STDOUT_FILENO);
  for (int fd = 3; fd < 256; fd++) close(fd);
  unsetenv("LD_PRELOAD");
  execvp(argv[0], (char *const *)(uintptr_t)argv);
  _exit(127);
}

void endpoint_process_start(struct endpoint_process *endpoint, const char *const *arguments) {
  endpoint_process_start_program(endpoint, "spec/blackbox/endpoint.py", arguments);
}

void endpoint_process_start_program(struct endpoint_process *endpoint, const char *program,
                                    const char *const *arguments) {
  int in[2];
  int out[2];
  strcpy(endpoint->folder, "/tmp/lh-endpoint-XXXXXX");
  assert_non_null(mkdtemp(endpoint->folder));
  snprintf(endpoint->log, sizeof endpoint->log, "%s/log", endpoint->folder);
  assert_int_equal(pipe(in), 0);
  assert_int_equal(pipe(out), 0);
  endpoint->pid = fork();
  assert_true(endpoint->pid >= 0);
  if (endpoint->pid == 0) child(endpoint, program, arguments, in, out);
  close(in[0]);
  close(out[1]);
  endpoint->stdin_fd = in[1];
  char line[128] = "";
  size_t len = 0;
  while (len + 1 < sizeof line && !strchr(line, '\n')) {
    ssize_t got = read(out[0], line + len, sizeof line - 1 - len);
    if (got <= 0) break;
    len += (size_t)got;
    line[len] = '\0';
  }
  close(out[0]);
  endpoint->port = (int)endpoint_process_number(line, "port");
  assert_true(endpoint->port > 0); /* endpoint.py runs from the top of the checkout */
}

void endpoint_process_stop(struct endpoint_process *endpoint) {
  int status = 0;
  close(endpoint->stdin_fd);
  waitpid(endpoint->pid, &status, 0);
  unlink(endpoint->log);
  rmdir(endpoint->folder);
  assert_int_equal(status, 0);
}

void endpoint_process_url(const struct endpoint_process *endpoint, const char *path, char *out,
                          size_t out_cap) {
  int len = snprintf(out, out_cap, "http://127.0.0.1:%d%s", endpoint->port, path);
  assert_true(len > 0 && (size_t)len < out_cap);
}

static int is_for(const char *line, const char *path) {
  char wanted[4096];
  snprintf(wanted, sizeof wanted, "\"path\": \"%s\",", path);
  return strstr(line, wanted) != NULL;
}

/* Reads the log; returns how many lines are for `path` and keeps the last one. */
static int scan(const struct endpoint_process *endpoint, const char *path, char *last) {
  static char line[LINE_MAX_BYTES];
  int count = 0;
  FILE *file = fopen(endpoint->log, "r");
  if (!file) return 0;
  while (fgets(line, sizeof line, file)) {
    if (path && !is_for(line, path)) continue;
    count++;
    if (last) memcpy(last, line, strlen(line) + 1);
  }
  fclose(file);
  return count;
}

int endpoint_process_count(const struct endpoint_process *endpoint, const char *path) {
  return scan(endpoint, path, NULL);
}

const char *endpoint_process_line(const struct endpoint_process *endpoint, const char *path) {
  static char last[LINE_MAX_BYTES];
  last[0] = '\0';
  scan(endpoint, path, last);
  return last;
}

const char *endpoint_process_last(const struct endpoint_process *endpoint) {
  return endpoint_process_line(endpoint, NULL);
}

long endpoint_process_number(const char *line, const char *name) {
  char wanted[64];
  snprintf(wanted, sizeof wanted, "\"%s\": ", name);
  const char *at = strstr(line, wanted);
  return at ? strtol(at + strlen(wanted), NULL, 10) : -1;
}
