/*
** What the log keeps of what attempts sent, as a part of migration 3 (schema.c): with what each was
** signed, and what webhooks sent beside it before an edit.
*/
#include <stddef.h>

#include "store/sqlite/schema.h"

/* clang-format off */
const char *const lh_schema_attempts[] = {
  "ALTER TABLE attempts ADD COLUMN sent INTEGER CHECK (sent BETWEEN 0 AND 2);"
  "ALTER TABLE attempts ADD COLUMN revision INTEGER;"      /* of the webhook; NULL: not known */
  "ALTER TABLE attempts ADD COLUMN tags BLOB CHECK (length(tags) = 32 OR length(tags) = 64);"
  /* Those of earlier revisions than until_revision; those of now stand in webhooks. Kept for the
     attempts of requests whose first position is not above last_position. */
  "CREATE TABLE past_headers ("
  " webhook INTEGER NOT NULL,"
  " until_revision INTEGER NOT NULL,"
  " last_position INTEGER NOT NULL,"
  " scheme INTEGER NOT NULL CHECK (scheme IN (0, 1)),"
  " headers TEXT,"
  " PRIMARY KEY (webhook, until_revision)"
  ") STRICT, WITHOUT ROWID;"
  , NULL
};
/* clang-format on */
