/* The functions behind the structs of store.h, one block for each table group; contracts there. */
#ifndef LH_STORE_SQLITE_FUNCTIONS_H
#define LH_STORE_SQLITE_FUNCTIONS_H

#include "store/store.h"

int lh_sqlite_emit(struct lh_store *, struct lh_emission *, struct lh_error *);
int lh_sqlite_event_get(struct lh_store *, const struct lh_id *, struct lh_event *,
                        struct lh_error *);
int lh_sqlite_types(struct lh_store *, struct lh_stored_type **, size_t *, struct lh_error *);
int lh_sqlite_session_open(struct lh_store *, int64_t, int64_t *, struct lh_error *);
void lh_sqlite_session_close(struct lh_store *, int64_t, int64_t);
int lh_sqlite_rescue(struct lh_store *, int64_t, int64_t, size_t *, struct lh_error *);
int lh_sqlite_turn(struct lh_store *, struct lh_turn *, struct lh_error *);
void lh_sqlite_target_hold(struct lh_store *, struct lh_target *);
void lh_sqlite_target_release(struct lh_store *, struct lh_target *);
int lh_sqlite_wake_fd(struct lh_store *);
void lh_sqlite_wake_clear(struct lh_store *);
int lh_sqlite_pending_work(struct lh_store *, int64_t, struct lh_pending_work *, struct lh_error *);
int lh_sqlite_request_list(struct lh_store *, const struct lh_request_filter *,
                           struct lh_request_list *, struct lh_error *);
int lh_sqlite_request_get(struct lh_store *, const struct lh_id *, struct lh_request_list *,
                          struct lh_attempt_list *, struct lh_error *);
int lh_sqlite_request_body(struct lh_store *, const struct lh_id *, struct lh_buffer *,
                           struct lh_slice *, struct lh_error *);
int lh_sqlite_explain(struct lh_store *, const struct lh_id *, struct lh_explanation *,
                      struct lh_error *);
int lh_sqlite_webhook_create(struct lh_store *, struct lh_webhook *, const struct lh_webhook_new *,
                             int64_t, struct lh_error *);
int lh_sqlite_webhook_list(struct lh_store *, const struct lh_webhook_query *,
                           struct lh_webhook_list *, struct lh_error *);
int lh_sqlite_webhook_get(struct lh_store *, const char *, const char *, struct lh_webhook_list *,
                          struct lh_error *);
int lh_sqlite_webhook_edit(struct lh_store *, const struct lh_which *,
                           const struct lh_webhook_edit *, struct lh_webhook *, struct lh_error *);
int lh_sqlite_webhook_status(struct lh_store *, const struct lh_which *, enum lh_status,
                             struct lh_webhook *, struct lh_error *);
int lh_sqlite_webhook_resume(struct lh_store *, const struct lh_which *, struct lh_job *,
                             struct lh_webhook *, struct lh_error *);
int lh_sqlite_secret_rotate(struct lh_store *, const struct lh_which *, const struct lh_rotation *,
                            struct lh_webhook *, struct lh_error *);
int lh_sqlite_target(struct lh_store *, const struct lh_which *, struct lh_target **,
                     struct lh_error *);
int lh_sqlite_stats(struct lh_store *, const struct lh_stats_query *, struct lh_stats *,
                    struct lh_error *);
int lh_sqlite_series(struct lh_store *, const struct lh_series_query *, struct lh_series *,
                     struct lh_error *);
int lh_sqlite_totals(struct lh_store *, struct lh_totals *, struct lh_error *);
int lh_sqlite_vitals(struct lh_store *, int64_t, struct lh_vitals *, struct lh_error *);
int lh_sqlite_health(struct lh_store *, int, struct lh_store_health *, struct lh_error *);
int lh_sqlite_backup(struct lh_store *, const char *, struct lh_error *);
int lh_sqlite_key_check(struct lh_store *, struct lh_error *);
int lh_sqlite_clean(struct lh_store *, struct lh_clean *, struct lh_error *);
int lh_sqlite_checkpoint(struct lh_store *, int64_t, struct lh_error *);

int lh_sqlite_mailing_next_due(struct lh_store *, int64_t, int64_t *, struct lh_error *);
int lh_sqlite_mailing_lease(struct lh_store *, const struct lh_mailing_wish *, struct lh_mailing *,
                            struct lh_error *);
int lh_sqlite_mailing_record(struct lh_store *, const struct lh_mailing_result *,
                             struct lh_error *);
int lh_sqlite_notice_list(struct lh_store *, const struct lh_notice_filter *,
                          struct lh_notice_list *, struct lh_error *);
int lh_sqlite_account_set(struct lh_store *, const char *, const char *, const struct lh_actor *,
                          int64_t, struct lh_error *);
int lh_sqlite_account_list(struct lh_store *, const struct lh_account_filter *,
                           struct lh_account_list *, struct lh_error *);

int lh_sqlite_retry(struct lh_store *, const struct lh_retry_chosen *, int64_t, struct lh_error *);
int lh_sqlite_job_count(struct lh_store *, const struct lh_retry_filter *, int64_t *,
                        struct lh_error *);
int lh_sqlite_job_create(struct lh_store *, const struct lh_retry_filter *, const struct lh_actor *,
                         int64_t, struct lh_job *, struct lh_error *);
int lh_sqlite_job_step(struct lh_store *, struct lh_job_step *, struct lh_error *);
int lh_sqlite_job_get(struct lh_store *, const struct lh_id *, struct lh_job *, struct lh_error *);
int lh_sqlite_job_list(struct lh_store *, int, struct lh_job_list *, struct lh_error *);

int lh_sqlite_accept(struct lh_store *, struct lh_receipt *, size_t, int64_t, struct lh_error *);
int lh_sqlite_inbox_list(struct lh_store *, const struct lh_inbox_filter *, struct lh_inbox_list *,
                         struct lh_error *);
int lh_sqlite_inbox_get(struct lh_store *, const char *, const char *, struct lh_inbox_list *,
                        struct lh_error *);

int lh_sqlite_handler_open(struct lh_store *, const struct lh_handler_definition *, int64_t,
                           int64_t *, int *, struct lh_error *);
int lh_sqlite_task_turn(struct lh_store *, struct lh_task_turn *, struct lh_error *);
int lh_sqlite_task_work(struct lh_store *, const int64_t *, size_t, int64_t, struct lh_task_work *,
                        struct lh_error *);
int lh_sqlite_task_retry(struct lh_store *, struct lh_task_retry *, size_t, const struct lh_actor *,
                         int64_t, struct lh_error *);
int lh_sqlite_task_retry_failed(struct lh_store *, struct lh_task_retry_step *, struct lh_error *);
int lh_sqlite_handler_list(struct lh_store *, struct lh_handler_list *, struct lh_error *);
int lh_sqlite_handler_forget(struct lh_store *, const char *, const struct lh_actor *, int64_t,
                             size_t *, struct lh_error *);

int lh_sqlite_token_create(struct lh_store *, struct lh_token *, const unsigned char *,
                           const struct lh_actor *, int64_t, struct lh_error *);
int lh_sqlite_token_list(struct lh_store *, struct lh_token_list *, struct lh_error *);
int lh_sqlite_token_revoke(struct lh_store *, const char *, const struct lh_actor *, int64_t,
                           struct lh_token *, struct lh_error *);
int lh_sqlite_token_check(struct lh_store *, const unsigned char *, int64_t, struct lh_token *,
                          struct lh_error *);
int lh_sqlite_user_add(struct lh_store *, const struct lh_user_new *, const struct lh_actor *,
                       int64_t, struct lh_user *, struct lh_error *);
int lh_sqlite_user_set(struct lh_store *, const struct lh_user_change *, const struct lh_actor *,
                       int64_t, struct lh_user *, struct lh_error *);
int lh_sqlite_user_list(struct lh_store *, struct lh_user_list *, struct lh_error *);
int lh_sqlite_user_check(struct lh_store *, const struct lh_claim *, struct lh_user *,
                         struct lh_error *);
int lh_sqlite_login_add(struct lh_store *, const struct lh_user *, const unsigned char *,
                        const struct lh_actor *, int64_t, struct lh_error *);
int lh_sqlite_login_check(struct lh_store *, const unsigned char *, int64_t, struct lh_login *,
                          struct lh_error *);
int lh_sqlite_login_end(struct lh_store *, const unsigned char *, const struct lh_actor *, int64_t,
                        struct lh_error *);
int lh_sqlite_knock(struct lh_store *, const struct lh_knock *, int64_t, int64_t *,
                    struct lh_error *);
int lh_sqlite_welcome(struct lh_store *, const struct lh_knock *, int64_t, struct lh_error *);
int lh_sqlite_first_run(struct lh_store *, const unsigned char *, int, const struct lh_actor *,
                        int64_t, struct lh_error *);

int lh_sqlite_audit_add(struct lh_store *, const struct lh_audit *, int64_t, struct lh_error *);
int lh_sqlite_audit_list(struct lh_store *, const struct lh_audit_filter *, struct lh_audit_list *,
                         struct lh_error *);

#endif
