/* The version of SQLite that is loaded. */
#include <sqlite3.h>

#include "store/store.h"

const char *lh_store_version(void) {
  return sqlite3_libversion();
}
