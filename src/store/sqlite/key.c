/*
** The key file: 64 hex digits and a newline, mode 0600, beside the database
** or where key_file says. It is made and synced before the store, so that no
** store exists whose key could be missing from the start.
*/
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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
  if (fd < 0 && (errno == EMFILE || errno == ENFILE))
    return lh_error_set(err, LH_E_SHORTAGE, "no file descriptor left to read the key file");
  if (fd < 0)
    return lh_error_set(err, LH_E_KEY_MISSING, "key file %s: %s; without it secrets are unreadable",
                        path, strerror(errno));
  ssize_t got = read(fd, text, sizeof text);
  close(fd);
  if (got < 0)
    return lh_error_set(err, LH_E_IO, "key file %s cannot be read: %s", path, strerror(errno));
  int bad = decode(text, (size_t)got, key) != 0;
  lh_wipe(text, sizeof text);
  if (!bad) return LH_OK;
  return lh_error_set(err, LH_E_SECRET_UNREADABLE, "key file %s is not 64 hex digits", path);
}

static int write_key(const char *fresh, const struct lh_clock *clock, struct lh_error *err) {
  unsigned char bytes[LH_SEAL_KEY_BYTES];
  char text[HEX_LEN + 2];
  int rc = clock->random(clock->self, bytes, sizeof bytes, err);
  if (rc != LH_OK) return rc;
  for (size_t i = 0; i < sizeof bytes; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
  text[HEX_LEN] = '\n';
  int fd = open(fresh, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, HEX_LEN + 1) != HEX_LEN + 1) {
    enum lh_code code = errno == ENOSPC ? LH_E_FULL : LH_E_IO;
    rc = lh_error_set(err, code, "key file cannot be written: %s", strerror(errno));
  }
  if (fd >= 0) close(fd);
  lh_wipe(bytes, sizeof bytes);
  lh_wipe(text, sizeof text);
  return rc;
}

int lh_key_create(const char *path, const struct lh_clock *clock, struct lh_error *err) {
  char fresh[PATH_MAX];
  if (access(path, F_OK) == 0) {
    struct lh_key key;
    int rc = lh_key_load(&key, path, err);
    lh_wipe(&key, sizeof key);
    return rc;
  }
  int rc = lh_file_begin(path, fresh, err);
  if (rc != LH_OK) return rc;
  return lh_file_finish(path, fresh, write_key(fresh, clock, err), err);
}
