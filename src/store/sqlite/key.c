/*
** The key file: 64 hex digits and a newline, mode 0600, beside the database
** or where key_file says. It is made and synced before the store, so that no
** store exists whose key could be missing from the start.
*/
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"

#define HEX_LEN (2 * LH_SEAL_KEY_BYTES)

static int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

static int decode(const char *text, size_t len, struct lh_key *key) {
  if (len != HEX_LEN && !(len == HEX_LEN + 1 && text[HEX_LEN] == '\n')) return -1;
  for (size_t i = 0; i < LH_SEAL_KEY_BYTES; i++) {
    int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return -1;
    key->bytes[i] = (unsigned char)(high << 4 | low);
  }
  key->loaded = 1;
  return 0;
}

int lh_key_load(struct lh_key *key, const char *path, struct lh_error *err) {
  char text[HEX_LEN + 2];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return lh_error_set(err, LH_E_KEY_MISSING, "key file %s: %s; without it secrets are unreadable",
                        path, strerror(errno));
  ssize_t got = read(fd, text, sizeof text);
  close(fd);
  int bad = got < 0 || decode(text, (size_t)got, key) != 0;
  lh_wipe(text, sizeof text);
  if (!bad) return LH_OK;
  return lh_error_set(err, LH_E_SECRET_UNREADABLE, "key file %s is not 64 hex digits", path);
}

static int write_key(int fd, const struct lh_clock *clock, struct lh_error *err) {
  unsigned char bytes[LH_SEAL_KEY_BYTES];
  char text[HEX_LEN + 2];
  int rc = clock->random(clock->self, bytes, sizeof bytes, err);
  if (rc != LH_OK) return rc;
  for (size_t i = 0; i < sizeof bytes; i++)
    snprintf(text + 2 * i, 3, "%02x", bytes[i]);
  text[HEX_LEN] = '\n';
  if (write(fd, text, HEX_LEN + 1) != HEX_LEN + 1 || fsync(fd) != 0) {
    enum lh_code code = errno == ENOSPC ? LH_E_FULL : LH_E_IO;
    rc = lh_error_set(err, code, "key file cannot be written: %s", strerror(errno));
  }
  lh_wipe(bytes, sizeof bytes);
  lh_wipe(text, sizeof text);
  return rc;
}

/* The name must be durable too, before anything is sealed with the key. */
static int sync_folder(const char *path) {
  char folder[PATH_MAX];
  snprintf(folder, sizeof folder, "%s", path);
  char *slash = strrchr(folder, '/');
  if (slash == NULL)
    snprintf(folder, sizeof folder, ".");
  else
    slash[slash == folder] = '\0';
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int rc = fd >= 0 ? fsync(fd) : -1;
  if (fd >= 0) close(fd);
  return rc;
}

int lh_key_create(const char *path, const struct lh_clock *clock, struct lh_error *err) {
  struct lh_key key;
  char fresh[PATH_MAX];
  if (access(path, F_OK) == 0) {
    int rc = lh_key_load(&key, path, err);
    lh_wipe(&key, sizeof key);
    return rc;
  }
  if ((size_t)snprintf(fresh, sizeof fresh, "%s.new-%ld", path, (long)getpid()) >= sizeof fresh)
    return lh_error_set(err, LH_E_INVALID, "key_file: path is too long");
  unlink(fresh);
  int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return lh_error_set(err, errno == ENOSPC ? LH_E_FULL : LH_E_IO, "key file %s: %s", path,
                        strerror(errno));
  int rc = write_key(fd, clock, err);
  close(fd);
  if (rc == LH_OK && (rename(fresh, path) != 0 || sync_folder(path) != 0))
    rc = lh_error_set(err, LH_E_IO, "key file %s: %s", path, strerror(errno));
  if (rc != LH_OK) unlink(fresh);
  return rc;
}
