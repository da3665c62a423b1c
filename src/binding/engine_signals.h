/*
** SIGTERM, SIGINT and SIGHUP as something to read. While caught they are
** blocked in the calling thread and wait in a descriptor; the first one read
** unblocks them and restores the system's own disposition, so that a second one
** ends the process at once; a second SIGHUP is ignored. A signal that the
** process ignores (nohup, a shell's background job) stays ignored. Other
** threads must have them blocked: those of this project have; catch before
** starting threads of your own.
*/
#ifndef LH_BINDING_ENGINE_SIGNALS_H
#define LH_BINDING_ENGINE_SIGNALS_H

#include <signal.h>

#include "core/error.h"

#define LH_SIGNALS_CAUGHT 3

struct lh_engine_signals {
  int open;
  int fd;
  sigset_t caught;
  sigset_t mask_before;
  int changed; /* dispositions were set to the default */
  struct sigaction before[LH_SIGNALS_CAUGHT];
};

/* Zeroed before. Does nothing if open. LH_E_SHORTAGE. */
int lh_engine_signals_open(struct lh_engine_signals *signals, struct lh_error *err);
/* "TERM", "INT" or "HUP" for the first signal that came, once; NULL if none waits. */
const char *lh_engine_signals_read(struct lh_engine_signals *signals);
/* Restores what was before; one that came unread is delivered then. On the thread that opened. */
void lh_engine_signals_close(struct lh_engine_signals *signals);

#endif
