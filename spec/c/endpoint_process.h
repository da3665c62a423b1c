/*
** Runs spec/blackbox/endpoint.py (or another server of its kind) as a child for C tests, and reads
** its log.
** Paths in the log include the query, so a test that adds one of its own
** ("/ok?case=7") finds its own requests.
*/
#ifndef LH_SPEC_ENDPOINT_PROCESS_H
#define LH_SPEC_ENDPOINT_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

struct endpoint_process {
  pid_t pid;
  int stdin_fd; /* the child ends when this closes, however this process ends */
  int port;
  char folder[64]; /* a temporary one, with the log in it */
  char log[96];
};

/* `arguments`: more of the command line, up to a NULL; may be NULL. A failure fails the test. */
void endpoint_process_start(struct endpoint_process *endpoint, const char *const *arguments);
/* The same with another program than endpoint.py, e.g. "spec/blackbox/mail_server.py". */
void endpoint_process_start_program(struct endpoint_process *endpoint, const char *program,
                                    const char *const *arguments);
/* Stops it and removes the folder. */
void endpoint_process_stop(struct endpoint_process *endpoint);
/* Writes "http://127.0.0.1:PORT" and the path. */
void endpoint_process_url(const struct endpoint_process *endpoint, const char *path, char *out,
                          size_t out_cap);

/* Requests in the log for exactly this path (with query). NULL counts all. */
int endpoint_process_count(const struct endpoint_process *endpoint, const char *path);
/* The last request's log line for this path, "" if there is none. Borrowed until the next call. */
const char *endpoint_process_line(const struct endpoint_process *endpoint, const char *path);
/* The last line of all. */
const char *endpoint_process_last(const struct endpoint_process *endpoint);
/* A number in a log line, e.g. "connection"; -1 if it is not there. */
long endpoint_process_number(const char *line, const char *name);

#endif
