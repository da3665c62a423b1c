/* Catching SIGTERM, SIGINT and SIGHUP with a signalfd; engine_signals.h says what holds. */
#include "binding/engine_signals.h"

#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int numbers[LH_SIGNALS_CAUGHT] = {SIGTERM, SIGINT, SIGHUP};

int lh_engine_signals_open(struct lh_engine_signals *signals, struct lh_error *err) {
  if (signals->open) return 0;
  sigemptyset(&signals->caught);
  for (int i = 0; i < LH_SIGNALS_CAUGHT; i++) {
    sigaction(numbers[i], NULL, &signals->before[i]);
    if (signals->before[i].sa_handler != SIG_IGN) sigaddset(&signals->caught, numbers[i]);
  }
  signals->fd = signalfd(-1, &signals->caught, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signals->fd < 0) {
    return lh_error_set(err, LH_E_SHORTAGE, "signalfd: %s", strerror(errno));
  }
  int code = pthread_sigmask(SIG_BLOCK, &signals->caught, &signals->mask_before);
  if (code) {
    close(signals->fd);
    return lh_error_set(err, LH_E_SHORTAGE, "pthread_sigmask: %s", strerror(code));
  }
  signals->open = 1;
  signals->changed = 0;
  return 0;
}

/*
** From here on another signal ends the process; not SIGHUP, which the kernel
** and the shell both send when a terminal is closed.
*/
static void restore_default(struct lh_engine_signals *signals) {
  for (int i = 0; i < LH_SIGNALS_CAUGHT; i++) {
    struct sigaction next = {.sa_handler = numbers[i] == SIGHUP ? SIG_IGN : SIG_DFL};
    if (sigismember(&signals->caught, numbers[i])) sigaction(numbers[i], &next, NULL);
  }
  signals->changed = 1;
  pthread_sigmask(SIG_UNBLOCK, &signals->caught, NULL);
}

static const char *name_of(uint32_t number) {
  if (number == SIGHUP) return "HUP";
  return number == SIGTERM ? "TERM" : "INT";
}

const char *lh_engine_signals_read(struct lh_engine_signals *signals) {
  struct signalfd_siginfo info;
  if (!signals->open || signals->changed) return NULL;
  if (read(signals->fd, &info, sizeof info) != (ssize_t)sizeof info) return NULL;
  restore_default(signals);
  return name_of(info.ssi_signo);
}

void lh_engine_signals_close(struct lh_engine_signals *signals) {
  if (!signals->open) return;
  signals->open = 0;
  for (int i = 0; i < LH_SIGNALS_CAUGHT && signals->changed; i++) {
    if (sigismember(&signals->caught, numbers[i])) sigaction(numbers[i], &signals->before[i], NULL);
  }
  pthread_sigmask(SIG_SETMASK, &signals->mask_before, NULL);
  close(signals->fd);
}
