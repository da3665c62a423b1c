/*
** Webhook settings as dispatch needs them: the row, its prepared signing key,
** its spans with their types resolved to numbers. Kept per revision in a
** direct-mapped cache; an edit raises the revision and so replaces the entry.
** Workers hold entries while transfers use them, so entries are counted.
*/
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/turn.h"

#define CACHE_SLOTS 4096 /* about 3 KB each when used; more webhooks share slots and reload */

static void spans_free(struct lh_target_entry *entry) {
  for (size_t i = 0; i < entry->span_count; i++) {
    free(entry->spans[i].event_types);
    free(entry->spans[i].types);
  }
  free(entry->spans);
}

void lh_target_release(struct lh_target *target) {
  if (target == NULL || __atomic_sub_fetch(&target->holders, 1, __ATOMIC_ACQ_REL) > 0) return;
  struct lh_target_entry *entry = (struct lh_target_entry *)(void *)target;
  lh_webhook_clear(&entry->target.webhook);
  lh_hmac_key_free(entry->target.keys[0]);
  lh_hmac_key_free(entry->target.keys[1]);
  spans_free(entry);
  free(entry);
}

void lh_sqlite_target_hold(struct lh_store *store, struct lh_target *target) {
  (void)store;
  __atomic_add_fetch(&target->holders, 1, __ATOMIC_RELAXED);
}

void lh_sqlite_target_release(struct lh_store *store, struct lh_target *target) {
  (void)store;
  lh_target_release(target);
}

void lh_target_forget(struct lh_committer *committer) {
  for (size_t i = 0; i < committer->target_cap; i++) {
    if (committer->targets[i] != NULL) lh_target_release(&committer->targets[i]->target);
    committer->targets[i] = NULL;
  }
}

static void parse_schedule(struct lh_target_entry *entry) {
  const char *at = entry->target.webhook.retry_schedule;
  while (at != NULL && *at != '\0' && entry->schedule_count < LH_RETRY_SCHEDULE_MAX) {
    char *end;
    entry->schedule[entry->schedule_count++] = (int32_t)strtol(at, &end, 10);
    at = *end == ',' ? end + 1 : end;
  }
}

static int load_row(struct lh_tx *tx, struct lh_target_entry *entry, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_WEBHOOK_BY_NUMBER, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, entry->webhook);
  int row = lh_connection_row(tx->connection, statement, err);
  if (row < 0) return err->code;
  if (row == 0)
    return lh_error_set(err, LH_E_STORE_DAMAGED, "store is damaged: webhook %lld is missing",
                        (long long)entry->webhook);
  int rc = lh_webhook_from_row(statement, &entry->target.webhook, err);
  if (rc == LH_OK) {
    entry->account = sqlite3_column_int64(statement, LH_COLUMN_ACCOUNT);
    rc = lh_secret_load(tx->committer, statement, entry, err);
    parse_schedule(entry);
  }
  sqlite3_reset(statement);
  return rc;
}

static int load_spans(struct lh_tx *tx, struct lh_target_entry *entry, struct lh_error *err) {
  sqlite3_stmt *statement = lh_connection_sql(tx->connection, LH_SQL_SPANS, err);
  if (statement == NULL) return err->code;
  sqlite3_bind_int64(statement, 1, entry->webhook);
  int row, rc = LH_OK;
  while (rc == LH_OK && (row = lh_connection_row(tx->connection, statement, err)) != 0) {
    if (row < 0) return err->code;
    struct lh_span *spans = realloc(entry->spans, (entry->span_count + 1) * sizeof *spans);
    char *event_types = strdup(lh_column_text(statement, 3));
    if (spans != NULL) entry->spans = spans;
    if (spans == NULL || event_types == NULL) {
      free(event_types);
      rc = lh_error_set(err, LH_E_MEMORY, "out of memory");
      break;
    }
    struct lh_span *span = &spans[entry->span_count++];
    memset(span, 0, sizeof *span);
    span->from = sqlite3_column_int64(statement, 0);
    span->mode = (enum lh_span_mode)sqlite3_column_int(statement, 1);
    span->reason = (enum lh_reason)sqlite3_column_int(statement, 2);
    span->event_types = event_types;
  }
  sqlite3_reset(statement);
  return rc;
}

/* "category:x" and "*" include types stored later, so this is done again when there are more. */
static int expand_types(struct lh_tx *tx, struct lh_target_entry *entry, struct lh_error *err) {
  const struct lh_committer *committer = tx->committer;
  for (size_t i = 0; i < entry->span_count; i++) {
    struct lh_span *span = &entry->spans[i];
    int64_t *types = realloc(span->types, (committer->type_count + 1) * sizeof *types);
    if (types == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
    span->types = types;
    span->type_count = 0;
    for (size_t t = 0; t < committer->type_count; t++) {
      const struct lh_type_entry *type = &committer->types[t];
      if (lh_webhook_subscribes(span->event_types, type->type.name, type->type.category))
        types[span->type_count++] = type->id;
    }
  }
  entry->types_seen =
      committer->type_count > 0 ? committer->types[committer->type_count - 1].id : 0;
  return LH_OK;
}

static int load(struct lh_tx *tx, int64_t webhook, int64_t revision, struct lh_target_entry **entry,
                struct lh_error *err) {
  struct lh_target_entry *fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  fresh->webhook = webhook;
  fresh->target.revision = revision;
  fresh->target.holders = 1;
  lh_webhook_init(&fresh->target.webhook);
  int rc = load_row(tx, fresh, err);
  if (rc == LH_OK) rc = load_spans(tx, fresh, err);
  if (rc == LH_OK) rc = expand_types(tx, fresh, err);
  if (rc != LH_OK) {
    lh_target_release(&fresh->target);
    return rc;
  }
  *entry = fresh;
  return LH_OK;
}

int lh_target_get(struct lh_tx *tx, int64_t webhook, int64_t revision,
                  struct lh_target_entry **entry, struct lh_error *err) {
  struct lh_committer *committer = tx->committer;
  if (committer->targets == NULL) {
    committer->targets = calloc(CACHE_SLOTS, sizeof(struct lh_target_entry *));
    if (committer->targets == NULL) return lh_error_set(err, LH_E_MEMORY, "out of memory");
    committer->target_cap = CACHE_SLOTS;
  }
  struct lh_target_entry **slot = &committer->targets[(size_t)webhook % CACHE_SLOTS];
  struct lh_target_entry *found = *slot;
  int64_t highest = committer->type_count > 0 ? committer->types[committer->type_count - 1].id : 0;
  if (found != NULL && found->webhook == webhook && found->target.revision == revision) {
    *entry = found;
    return found->types_seen == highest ? LH_OK : expand_types(tx, found, err);
  }
  struct lh_target_entry *fresh = NULL;
  int rc = load(tx, webhook, revision, &fresh, err);
  if (rc != LH_OK) return rc;
  if (found != NULL) lh_target_release(&found->target);
  *slot = fresh;
  *entry = fresh;
  return LH_OK;
}

int lh_target_current(struct lh_tx *tx, struct lh_dispatch *dispatch, int64_t now_ms,
                      struct lh_target_entry **entry, struct lh_error *err) {
  int rc = lh_target_get(tx, dispatch->webhook, dispatch->revision, entry, err);
  if (rc != LH_OK) return rc;
  assert(*entry != NULL);
  int64_t rotates_ms = (*entry)->target.webhook.secret_rotates_ms;
  if (rotates_ms == 0 || now_ms < rotates_ms) return LH_OK;
  rc = lh_secret_promote(tx, dispatch, err);
  return rc == LH_OK ? lh_target_get(tx, dispatch->webhook, dispatch->revision, entry, err) : rc;
}
