/*
** Files made whole or not at all: written under another name in the same
** folder, synced, then given their name, and the folder synced too.
*/
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"

static int file_error(const char *path, struct lh_error *err) {
  enum lh_code code = LH_E_IO;
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) code = LH_E_FULL;
  if (errno == EMFILE || errno == ENFILE) code = LH_E_SHORTAGE;
  if (errno == EEXIST) code = LH_E_REFUSED;
  return lh_error_set(err, code, "%s: %s", path, strerror(errno));
}

int lh_file_begin(const char *path, char fresh[PATH_MAX], struct lh_error *err) {
  if ((size_t)snprintf(fresh, PATH_MAX, "%s.new-%ld", path, (long)getpid()) >= PATH_MAX)
    return lh_error_set(err, LH_E_INVALID, "%s: path is too long", path);
  unlink(fresh); /* of a process with our number that died here */
  int fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return file_error(path, err);
  close(fd);
  return LH_OK;
}

static int sync_path(const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC);
  if (fd < 0) return -1;
  int rc = fsync(fd);
  close(fd);
  return rc;
}

static int sync_folder_of(const char *path) {
  char folder[PATH_MAX];
  snprintf(folder, sizeof folder, "%s", path);
  char *slash = strrchr(folder, '/');
  if (slash == NULL) return sync_path(".", O_RDONLY | O_DIRECTORY);
  slash[slash == folder] = '\0';
  return sync_path(folder, O_RDONLY | O_DIRECTORY);
}

int lh_file_finish(const char *path, const char *fresh, int code, struct lh_error *err) {
  int rc = code;
  if (rc == LH_OK && sync_path(fresh, O_RDWR) != 0) rc = file_error(path, err);
  /* link() and not rename(): it refuses a file that appeared meanwhile. */
  if (rc == LH_OK && link(fresh, path) != 0) rc = file_error(path, err);
  unlink(fresh);
  if (rc == LH_OK && sync_folder_of(path) != 0) rc = file_error(path, err);
  return rc;
}
