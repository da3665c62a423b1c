/*
** The lock file beside the database. It does three things that belong
** together because they must outlive no process:
**   - flock() on the whole file is the writer lock. Every transaction that
**     writes and every checkpoint runs under it, which makes SQLite's
**     WAL-reset bug impossible and queues writers without polling;
**   - a byte range lock at offset `session` says that a worker lives;
**   - a byte written to it wakes the workers that watch it.
*/
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"

static int open_file(const char *path, struct lh_error *err) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0) return fd;
  enum lh_code code = LH_E_IO;
  if (errno == ENOSPC || errno == EDQUOT) code = LH_E_FULL;
  if (errno == EMFILE || errno == ENFILE) code = LH_E_SHORTAGE;
  lh_error_set(err, code, "%s cannot be opened: %s", path, strerror(errno));
  return -1;
}

int lh_lock_open(struct lh_lock *lock, const char *database, struct lh_error *err) {
  lock->fd = -1;
  if ((size_t)snprintf(lock->path, sizeof lock->path, "%s.lock", database) >= sizeof lock->path)
    return lh_error_set(err, LH_E_INVALID, "store: path is too long");
  lock->fd = open_file(lock->path, err);
  if (lock->fd >= 0) return LH_OK;
  return err != NULL ? (int)err->code : LH_E_IO;
}

void lh_lock_close(struct lh_lock *lock) {
  if (lock->fd >= 0) close(lock->fd);
  lock->fd = -1;
}

/* The path still names the file we hold? Someone may have removed or replaced it. */
static int still_ours(const struct lh_lock *lock) {
  struct stat mine, named;
  return fstat(lock->fd, &mine) == 0 && stat(lock->path, &named) == 0 &&
         mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

int lh_lock_take(struct lh_lock *lock, struct lh_error *err) {
  for (;;) {
    int rc;
    do rc = flock(lock->fd, LOCK_EX);
    while (rc != 0 && errno == EINTR);
    if (rc != 0)
      return lh_error_set(err, LH_E_IO, "%s cannot be locked: %s", lock->path, strerror(errno));
    if (still_ours(lock)) return LH_OK;
    int fd = open_file(lock->path, err);
    if (fd < 0) {
      lh_lock_drop(lock);
      return err != NULL ? (int)err->code : LH_E_IO;
    }
    close(lock->fd);
    lock->fd = fd;
  }
}

void lh_lock_drop(struct lh_lock *lock) {
  flock(lock->fd, LOCK_UN);
}

void lh_lock_wake(struct lh_lock *lock) {
  /* Best effort: sleepers look for themselves every second. */
  ssize_t ignored = pwrite(lock->fd, "w", 1, 0);
  (void)ignored;
}

int lh_lock_watch(const struct lh_lock *lock) {
  int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd >= 0 && inotify_add_watch(fd, lock->path, IN_MODIFY) < 0) {
    close(fd);
    fd = -1;
  }
  return fd;
}

void lh_lock_watch_clear(int fd) {
  char events[4096];
  while (read(fd, events, sizeof events) == (ssize_t)sizeof events) continue;
}

static struct flock range_of(int64_t session) {
  struct flock range;
  memset(&range, 0, sizeof range);
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = session;
  range.l_len = 1;
  return range;
}

int lh_lock_session(const struct lh_lock *lock, int64_t session, struct lh_error *err) {
  struct flock range = range_of(session);
  int fd = open_file(lock->path, err);
  if (fd < 0) return -1;
  if (fcntl(fd, F_OFD_SETLK, &range) == 0) return fd;
  lh_error_set(err, LH_E_IO, "%s: a session cannot be locked: %s", lock->path, strerror(errno));
  close(fd);
  return -1;
}

int64_t lh_lock_inode(const struct lh_lock *lock) {
  struct stat mine;
  return fstat(lock->fd, &mine) == 0 ? (int64_t)mine.st_ino : 0;
}

int lh_lock_session_alive(const struct lh_lock *lock, int64_t session, int64_t inode) {
  struct flock range = range_of(session);
  if (inode != lh_lock_inode(lock) || fcntl(lock->fd, F_OFD_GETLK, &range) != 0) return -1;
  return range.l_type != F_UNLCK;
}
