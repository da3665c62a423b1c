/*
** Mails of a worker, and one mail without a worker.
**
**   worker:lease_mail{ host =, fallback = } -> mailing | false: none is due
**   worker:send_mail{ url =, cleartext =, user =, password =, from =, to = { … }, message =,
**     timeout_ms = } -> number; a later report has it in mails: { number, verdict, stage, outcome,
**     status, duration_ms, error }
**   worker:cancel_mail(number) -> "unsent" | "sent" (it may have arrived) | nil: no such mail
**     is under way; a later report has nothing of it
**   worker:record_mail{ mailing =, message_id =, verdict =, again =, error = } -> true
**   engine.mail{ as send_mail, ca_file = } -> as in mails, without number
**
** Mailing: mailing (its number), message_id, again, notify (left out: the configured
** addresses), webhook, sums { kind reason count first_ms last_ms }, entries { request_id
** state reason failed_ms total_count attempts_made outcome status error response }. All
** of them can answer nil, message, code.
*/
#include "binding/worker.h"

#include <string.h>

#include "binding/engine_guard.h"
#include "binding/store.h"
#include "core/limits.h"

/* ---- sending */

static int read_mail(lua_State *L, int arg, struct lh_mail *mail, struct lh_error *err) {
  static const int64_t timeout_bounds[2] = {LH_TIMEOUT_MS_MIN, LH_TIMEOUT_MS_MAX};
  int64_t timeout_ms = LH_MAIL_TIMEOUT_MS;
  if (lh_field_name(L, arg, "url", &mail->url, err) < 0 ||
      lh_field_name(L, arg, "user", &mail->user, err) < 0 ||
      lh_field_name(L, arg, "password", &mail->password, err) < 0 ||
      lh_field_name(L, arg, "from", &mail->from, err) < 0 ||
      lh_field_int(L, arg, "timeout_ms", timeout_bounds, &timeout_ms, err) < 0)
    return err->code;
  if (!mail->url) lh_arg_type_error(L, arg, "url", "string", -1);
  if (!mail->from) lh_arg_type_error(L, arg, "from", "string", -1);
  mail->cleartext = lh_field_boolean(L, arg, "cleartext");
  mail->message = lh_field_text(L, arg, "message", &mail->message_len);
  mail->timeout_ms = (int32_t)timeout_ms;
  mail->connect_timeout_ms =
      timeout_ms < LH_CONNECT_TIMEOUT_MS ? (int32_t)timeout_ms : LH_CONNECT_TIMEOUT_MS;
  struct lh_names to;
  int found = lh_field_names(L, arg, "to", LH_NOTIFY_MAX, &to, err);
  if (found <= 0) return found ? (int)err->code : lh_error_set(err, LH_E_INVALID, "to: missing");
  mail->to = to.at;
  mail->to_count = to.count;
  return 0;
}

static int send_mail(lua_State *L) {
  struct lh_mail mail = {0};
  struct lh_error err;
  int64_t number;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  if (read_mail(L, 2, &mail, &err)) return lh_push_error(L, &err);
  struct lh_engine *engine = lh_worker_engine(L);
  if (!engine) return 3;
  if (lh_engine_mail_send(engine, &mail, &number, &err)) return lh_push_error(L, &err);
  lh_push_int64(L, number);
  return 1;
}

static int cancel_mail(lua_State *L) {
  int64_t number = lh_arg_int(L, 2, 1, LH_EXACT_MAX);
  struct lh_engine *engine = lh_worker_engine(L);
  return engine ? lh_worker_push_cancelled(L, lh_engine_mail_cancel(engine, number)) : 3;
}

static void push_end(lua_State *L, const struct lh_engine_mail_end *end, const char *error) {
  lua_createtable(L, 0, 7);
  if (end->number > 0) lh_set_int64(L, "number", end->number);
  lh_set_string(L, "verdict", lh_mail_verdict_name(end->verdict));
  lh_set_string(L, "stage", lh_mail_stage_name(end->stage));
  lh_set_string(L, "outcome", lh_outcome_name(end->outcome));
  if (end->status > 0) lh_set_int64(L, "status", end->status);
  lh_set_int64(L, "duration_ms", end->duration_ms);
  lh_set_string(L, "error", error);
}

void lh_worker_copy_mails(const struct lh_engine_report *report, struct lh_worker_mail_ends *ends) {
  ends->count = report->mail_count;
  for (size_t i = 0; i < report->mail_count; i++) {
    ends->ends[i] = report->mails[i];
    strncpy(ends->errors[i], report->mails[i].error, LH_MAIL_ERROR_MAX - 1);
    ends->errors[i][LH_MAIL_ERROR_MAX - 1] = '\0';
  }
}

void lh_worker_set_mails(lua_State *L, const struct lh_worker_mail_ends *ends) {
  lua_createtable(L, (int)ends->count, 0);
  for (size_t i = 0; i < ends->count; i++) {
    push_end(L, &ends->ends[i], ends->errors[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lua_setfield(L, -2, "mails");
}

/* ---- one mail without a worker, for a person who waits for it */

struct exchange {
  struct lh_transport *transport;
};

static void release_exchange(void *memory) {
  struct exchange *exchange = memory;
  if (exchange->transport) exchange->transport->ops->close(exchange->transport);
  exchange->transport = NULL;
}

static int mail_once(lua_State *L) {
  struct lh_mail mail = {0};
  struct lh_transport_options options = {.connections_max = 1};
  struct lh_worker_mail_ends ends = {.count = 1};
  struct lh_post_result result = {0};
  struct lh_error err;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (read_mail(L, 1, &mail, &err)) return lh_push_error(L, &err);
  if (lh_field_name(L, 1, "ca_file", &options.ca_file, &err) < 0) return lh_push_error(L, &err);
  struct exchange *exchange = lh_box_new(L, sizeof *exchange, release_exchange);
  if (lh_transport_curl_open(&options, lh_clock_system(), &exchange->transport, &err)) {
    exchange->transport = NULL;
    return lh_push_error(L, &err);
  }
  struct lh_transport *transport = exchange->transport;
  if (transport->ops->mail(transport, &mail, &err)) return lh_push_error(L, &err);
  while (transport->ops->poll(transport, LH_SAFETY_TIMER_MS, NULL, 0, &result, 1) == 0) continue;
  const struct lh_engine_mail_end end = {.verdict = result.verdict,
                                         .stage = result.stage,
                                         .outcome = result.outcome,
                                         .status = result.status,
                                         .duration_ms = result.duration_ms,
                                         .error = result.error};
  const struct lh_engine_report report = {.mails = &end, .mail_count = 1};
  lh_worker_copy_mails(&report, &ends);
  lh_box_release(exchange);
  push_end(L, &ends.ends[0], ends.errors[0]);
  return 1;
}

/* ---- mails about notices */

static void release_mailing(void *memory) {
  lh_mailing_clear(memory);
}

static void set_sums(lua_State *L, const struct lh_mailing *mailing) {
  lua_createtable(L, (int)mailing->sum_count, 0);
  for (size_t i = 0; i < mailing->sum_count; i++) {
    const struct lh_notice_sum *sum = &mailing->sums[i];
    lua_createtable(L, 0, 5);
    lh_set_string(L, "kind", sum->kind == LH_NOTICE_PAUSED ? "paused" : "failed");
    lh_set_string(L, "reason", sum->reason);
    lh_set_int64(L, "count", sum->count);
    lh_set_int64(L, "first_ms", sum->first_ms);
    lh_set_int64(L, "last_ms", sum->last_ms);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lua_setfield(L, -2, "sums");
}

static void push_entry(lua_State *L, const struct lh_mail_entry *entry) {
  lua_createtable(L, 0, 10);
  lh_set_id(L, "request_id", &entry->request_id);
  lh_set_string(L, "state", lh_state_name(entry->state));
  lh_set_string(L, "reason", entry->reason);
  lh_set_int64(L, "failed_ms", entry->failed_ms);
  lh_set_int64(L, "total_count", entry->count);
  lh_set_int64(L, "attempts_made", entry->attempts_made);
  lh_set_string(L, "outcome", lh_outcome_name(entry->outcome));
  if (entry->status > 0) lh_set_int64(L, "status", entry->status);
  lh_set_string(L, "error", entry->error);
  if (entry->response_len == 0) return;
  lua_pushlstring(L, entry->response, entry->response_len);
  lua_setfield(L, -2, "response");
}

static void push_mailing(lua_State *L, const struct lh_mailing *mailing) {
  lua_createtable(L, 0, 8);
  lh_set_int64(L, "mailing", mailing->mailing);
  lh_set_string(L, "message_id", mailing->message_id);
  lh_set_boolean(L, "again", mailing->again);
  if (mailing->notify) lh_store_set_addresses(L, "notify", mailing->notify);
  lh_store_push_webhook(L, &mailing->webhook);
  lua_setfield(L, -2, "webhook");
  set_sums(L, mailing);
  lua_createtable(L, (int)mailing->entry_count, 0);
  for (size_t i = 0; i < mailing->entry_count; i++) {
    push_entry(L, &mailing->entries[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lua_setfield(L, -2, "entries");
}

static int lease_mail(lua_State *L) {
  struct lh_error err;
  const char *host;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  if (lh_field_name(L, 2, "host", &host, &err) < 0) return lh_push_error(L, &err);
  if (!host) lh_arg_type_error(L, 2, "host", "string", -1);
  int fallback = lh_field_boolean(L, 2, "fallback");
  struct lh_mailing *mailing = lh_box_new(L, sizeof *mailing, release_mailing);
  struct lh_engine *engine = lh_worker_engine(L);
  if (!engine) return 3;
  if (lh_engine_mailing_lease(engine, host, fallback, mailing, &err)) return lh_push_error(L, &err);
  if (mailing->mailing == 0) {
    lua_pushboolean(L, 0);
    return 1;
  }
  push_mailing(L, mailing);
  lh_box_release(mailing);
  return 1;
}

static int read_verdict(lua_State *L, enum lh_mail_verdict *verdict, struct lh_error *err) {
  const char *name;
  if (lh_field_name(L, 2, "verdict", &name, err) < 0) return err->code;
  if (!name) return lh_arg_type_error(L, 2, "verdict", "string", -1); /* raises */
  for (int i = LH_MAIL_ACCEPTED; i <= LH_MAIL_UNKNOWN; i++) {
    *verdict = (enum lh_mail_verdict)i;
    if (strcmp(name, lh_mail_verdict_name(*verdict)) == 0) return 0;
  }
  return lh_error_set(err, LH_E_INVALID, "verdict: not one of accepted, refused, unknown");
}

static int record_mail(lua_State *L) {
  static const int64_t bounds[2] = {1, LH_EXACT_MAX};
  struct lh_mailing_result result = {0};
  struct lh_error err;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  if (lh_field_int(L, 2, "mailing", bounds, &result.mailing, &err) < 0 ||
      lh_field_name(L, 2, "message_id", &result.message_id, &err) < 0 ||
      lh_field_name(L, 2, "error", &result.error, &err) < 0 ||
      read_verdict(L, &result.verdict, &err))
    return lh_push_error(L, &err);
  if (!result.message_id) lh_arg_type_error(L, 2, "message_id", "string", -1);
  if (!result.error) result.error = "";
  result.again = lh_field_boolean(L, 2, "again");
  struct lh_engine *engine = lh_worker_engine(L);
  if (!engine) return 3;
  if (lh_engine_mailing_record(engine, &result, &err)) return lh_push_error(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

void lh_bind_worker_mail(lua_State *L) {
  static const luaL_Reg methods[] = {{"send_mail", send_mail},
                                     {"cancel_mail", cancel_mail},
                                     {"lease_mail", lease_mail},
                                     {"record_mail", record_mail},
                                     {NULL, NULL}};
  lh_set_functions(L, methods);
}

void lh_bind_mail(lua_State *L) {
  lua_pushcfunction(L, mail_once);
  lua_setfield(L, -2, "mail");
}
