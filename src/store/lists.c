/* Freeing what the store lends out as lists; the same for every implementation. */
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

void lh_webhook_list_clear(struct lh_webhook_list *list) {
  for (size_t i = 0; i < list->count; i++) lh_webhook_clear(&list->rows[i]);
  free(list->rows);
  memset(list, 0, sizeof *list);
}

void lh_series_clear(struct lh_series *series) {
  free(series->rows);
  memset(series, 0, sizeof *series);
}

void lh_stats_clear(struct lh_stats *stats) {
  free(stats->rows);
  memset(stats, 0, sizeof *stats);
}

void lh_request_list_clear(struct lh_request_list *list) {
  for (size_t i = 0; i < list->count; i++) free(list->rows[i].event_ids);
  free(list->rows);
  memset(list, 0, sizeof *list);
}

void lh_explanation_clear(struct lh_explanation *explanation) {
  for (size_t i = 0; i < explanation->count; i++) {
    struct lh_explained *row = &explanation->rows[i];
    lh_webhook_clear(&row->webhook);
    free(row->event_types);
    lh_request_list_clear(&row->request);
    lh_attempt_list_clear(&row->attempts);
  }
  free(explanation->rows);
  memset(explanation, 0, sizeof *explanation);
}

void lh_job_list_clear(struct lh_job_list *list) {
  free(list->rows);
  memset(list, 0, sizeof *list);
}

void lh_task_turn_clear(struct lh_task_turn *turn) {
  for (size_t i = 0; i < turn->lease_count; i++) free(turn->leases[i].texts);
  free(turn->leases);
  turn->leases = NULL;
  turn->lease_count = 0;
}

void lh_handler_list_clear(struct lh_handler_list *list) {
  for (size_t i = 0; i < list->count; i++) free(list->rows[i].event_types);
  free(list->rows);
  memset(list, 0, sizeof *list);
}

void lh_attempt_list_clear(struct lh_attempt_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    free(list->rows[i].error);
    free(list->rows[i].url);
    free(list->rows[i].nonce);
    free(list->rows[i].custom);
    free(list->rows[i].response);
  }
  free(list->rows);
  memset(list, 0, sizeof *list);
}

void lh_inbox_row_clear(struct lh_inbox_row *row) {
  for (size_t i = 0; i < row->task_count; i++) free(row->tasks[i].error);
  free(row->tasks);
  free(row->data);
  memset(row, 0, sizeof *row);
}

void lh_inbox_list_clear(struct lh_inbox_list *list) {
  for (size_t i = 0; i < list->count; i++) lh_inbox_row_clear(&list->rows[i]);
  free(list->rows);
  memset(list, 0, sizeof *list);
}

void lh_token_list_clear(struct lh_token_list *list) {
  free(list->rows);
  memset(list, 0, sizeof *list);
}

void lh_user_list_clear(struct lh_user_list *list) {
  free(list->rows);
  memset(list, 0, sizeof *list);
}

void lh_audit_list_clear(struct lh_audit_list *list) {
  for (size_t i = 0; i < list->count; i++) free(list->rows[i].detail);
  free(list->rows);
  memset(list, 0, sizeof *list);
}

void lh_notice_list_clear(struct lh_notice_list *list) {
  free(list->rows);
  memset(list, 0, sizeof *list);
}

void lh_account_list_clear(struct lh_account_list *list) {
  for (size_t i = 0; i < list->count; i++) free(list->rows[i].notify);
  free(list->rows);
  memset(list, 0, sizeof *list);
}

void lh_mailing_clear(struct lh_mailing *mailing) {
  for (size_t i = 0; i < mailing->entry_count; i++) {
    free(mailing->entries[i].error);
    free(mailing->entries[i].response);
  }
  free(mailing->entries);
  free(mailing->notify);
  lh_webhook_clear(&mailing->webhook);
  memset(mailing, 0, sizeof *mailing);
}
