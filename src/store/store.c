/* Opening a store by its location. */
#include <string.h>

#include "store/sqlite/sqlite.h"
#include "store/store.h"

int lh_store_open(const struct lh_store_options *options, struct lh_store **store,
                  struct lh_error *err) {
  static const char scheme[] = "sqlite:";
  const char *path = options->location;
  struct lh_store_options filled = *options;
  *store = NULL;
  if (filled.clock == NULL) filled.clock = lh_clock_system();
  if (path != NULL && strncmp(path, scheme, sizeof scheme - 1) == 0) path += sizeof scheme - 1;
  if (path == NULL || *path == '\0')
    return lh_error_set(err, LH_E_CONFIG, "store: a path is needed, like sqlite:loyalhook.db");
  /* "word:" is another kind of store; a file of such a name is written ./word:… */
  if (path == options->location && path[strcspn(path, ":/")] == ':')
    return lh_error_set(err, LH_E_CONFIG, "store: '%.*s:' is not sqlite:PATH",
                        (int)strcspn(path, ":"), path); /* behind it could be a password */
  return lh_sqlite_open(&filled, path, store, err);
}

void lh_store_close(struct lh_store *store) {
  if (store != NULL) lh_sqlite_close(store);
}
