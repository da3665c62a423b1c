/*
** Changes of webhooks: settings, status, secret; and the attempt that tries one.
**
**   store:webhook_edit(id, fields [, { allow_http =, allow_networks = {…}, if_revision =, by = }])
**     -> webhook
**   store:webhook_status(id, "enabled" | "disabled" | "deleted" [, { if_revision =, by = }])
**     -> webhook
**   store:webhook_resume(id [, { if_revision =, by = }])
**     -> webhook, job (store_jobs.c): enabled, its pause made up for
**   store:secret_rotate(id, { secret =, overlap_ms =, if_revision =, by = })
**     -> webhook with the new secret
**   store:webhook_test(id, { request_id =, id =, event_type =, data = }
**     [, { allow_http =, …, by = }])
**     -> { delivered, outcome, status, duration_ms, error, response, url }
**
** Each fails as nil, message, code; "revision" if the webhook is not at if_revision any more.
** by: who is noted in the audit log (store_access.c). webhook_test blocks until the attempt has
** ended.
*/
#include "binding/engine_guard.h"
#include "binding/store.h"

#include <string.h>

#include "core/limits.h"
#include "core/seal.h"
#include "engine/engine.h"

/* What a change leaves behind, and what it began with. */
struct change {
  struct lh_webhook_edit edit;
  struct lh_webhook result;
  char url_normal[LH_URL_MAX + 1];
  char secret[LH_SECRET_GENERATED_LEN + 1];
};

static void release_change(void *memory) {
  struct change *change = memory;
  lh_webhook_clear(&change->edit.values);
  lh_webhook_clear(&change->result);
  lh_wipe(change->secret, sizeof change->secret);
}

/* What stands behind the pointers of the door's. */
struct which {
  struct lh_which door;
  struct lh_id id;
  struct lh_actor actor;
};

/* The id that is argument 2; if_revision and by of the table that is argument `arg`. */
static int read_which(lua_State *L, int arg, struct which *which, struct lh_error *err) {
  static const int64_t bounds[2] = {0, LH_EXACT_MAX};
  size_t len;
  const char *text = lh_arg_string(L, 2, &len);
  if (lh_id_parse(text, len, &which->id)) {
    return lh_error_set(err, LH_E_INVALID, "webhook: not 24 lower-case hex digits");
  }
  which->door.id = &which->id;
  if (lh_field_int(L, arg, "if_revision", bounds, &which->door.if_revision, err) < 0) {
    return err->code;
  }
  return lh_store_field_actor(L, arg, &which->actor, &which->door.actor, err);
}

static int edit(lua_State *L) {
  struct lh_transport_options options = {0};
  struct lh_error err;
  struct which which = {0};
  lh_store_object_at(L, 1);
  luaL_checktype(L, 3, LUA_TTABLE);
  lh_arg_options(L, 4);
  struct change *change = lh_box_new(L, sizeof *change, release_change);
  lh_webhook_init(&change->edit.values);
  if (read_which(L, 4, &which, &err) || lh_store_fields_edit(L, 3, &change->edit, &err) ||
      lh_engine_guard_read(L, 4, &options, &err)) {
    return lh_push_error(L, &err);
  }
  change->edit.url_normal = change->url_normal;
  if ((change->edit.fields & LH_FIELD_URL) &&
      lh_url_check(change->edit.values.url, &options, change->url_normal, sizeof change->url_normal,
                   &err)) {
    return lh_push_error(L, &err);
  }
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->admin->webhook_edit(store, &which.door, &change->edit, &change->result, &err)) {
    return lh_push_error(L, &err);
  }
  lh_store_push_webhook(L, &change->result);
  lh_box_release(change);
  return 1;
}

static int set_status(lua_State *L) {
  static const char *const names[] = {"enabled", "disabled", "deleted", NULL};
  static const enum lh_status statuses[] = {LH_STATUS_ENABLED, LH_STATUS_DISABLED,
                                            LH_STATUS_DELETED};
  struct lh_error err;
  struct which which = {0};
  lh_store_object_at(L, 1);
  enum lh_status status = statuses[luaL_checkoption(L, 3, NULL, names)];
  lh_arg_options(L, 4);
  struct change *change = lh_box_new(L, sizeof *change, release_change);
  if (read_which(L, 4, &which, &err)) return lh_push_error(L, &err);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->admin->webhook_status(store, &which.door, status, &change->result, &err)) {
    return lh_push_error(L, &err);
  }
  lh_store_push_webhook(L, &change->result);
  lh_box_release(change);
  return 1;
}

static int resume(lua_State *L) {
  struct lh_error err;
  struct which which = {0};
  struct lh_job job;
  lh_store_object_at(L, 1);
  lh_arg_options(L, 3);
  struct change *change = lh_box_new(L, sizeof *change, release_change);
  if (read_which(L, 3, &which, &err)) return lh_push_error(L, &err);
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  if (store->admin->webhook_resume(store, &which.door, &job, &change->result, &err)) {
    return lh_push_error(L, &err);
  }
  lh_store_push_webhook(L, &change->result);
  lh_box_release(change);
  lh_store_job_push(L, &job);
  return 2;
}

static int rotate(lua_State *L) {
  static const int64_t overlap_bounds[2] = {0, LH_SECRET_OVERLAP_MS_MAX};
  struct lh_error err;
  struct which which = {0};
  struct lh_rotation rotation = {.overlap_ms = LH_SECRET_OVERLAP_MS_DEFAULT};
  struct lh_piece secret;
  lh_store_object_at(L, 1);
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  struct change *change = lh_box_new(L, sizeof *change, release_change);
  if (read_which(L, 3, &which, &err) ||
      lh_field_int(L, 3, "overlap_ms", overlap_bounds, &rotation.overlap_ms, &err) < 0) {
    return lh_push_error(L, &err);
  }
  secret.at = lh_field_string(L, 3, "secret", &secret.len);
  if (!secret.at) {
    if (lh_store_make_secret(change->secret, &err)) return lh_push_error(L, &err);
    secret = (struct lh_piece){change->secret, LH_SECRET_GENERATED_LEN};
  }
  struct lh_store *store = lh_store_open_at(L, 1);
  if (!store) return 3;
  rotation.secret = secret;
  if (store->admin->secret_rotate(store, &which.door, &rotation, &change->result, &err)) {
    return lh_push_error(L, &err);
  }
  lh_store_push_webhook(L, &change->result);
  lua_pushlstring(L, secret.at, secret.len);
  lua_setfield(L, -2, "secret");
  lh_box_release(change);
  return 1;
}

/* Held in a box from the moment something is open: results are borrowed from it. */
struct trial {
  struct lh_store *store;
  struct lh_transport *transport;
  struct lh_target *target;
};

static void release_trial(void *memory) {
  struct trial *trial = memory;
  if (trial->transport) trial->transport->ops->close(trial->transport);
  if (trial->target) trial->store->requests->target_release(trial->store, trial->target);
  *trial = (struct trial){NULL, NULL, NULL};
}

static int read_event(lua_State *L, struct lh_event *event, struct lh_id *request_id,
                      struct lh_error *err) {
  if (lh_field_id(L, 3, "request_id", request_id, err) <= 0 ||
      lh_field_id(L, 3, "id", &event->id, err) <= 0) {
    return lh_error_set(err, LH_E_INVALID, "request_id and id: 24 lower-case hex digits each");
  }
  size_t type_len;
  event->event_type = lh_field_text(L, 3, "event_type", &type_len);
  event->data = lh_field_text(L, 3, "data", &event->data_len);
  if (lh_event_type_check(event->event_type, type_len, err)) return err->code;
  return lh_event_data_check(event->data, event->data_len, err);
}

static void push_trial(lua_State *L, const struct lh_probe *probe) {
  const struct lh_post_result *answer = &probe->answer;
  lua_createtable(L, 0, 8);
  lh_set_boolean(L, "delivered", probe->delivered);
  lh_set_string(L, "outcome", lh_outcome_name(answer->outcome));
  if (answer->status > 0) lh_set_int64(L, "status", answer->status);
  lh_set_int64(L, "duration_ms", answer->duration_ms);
  lh_set_string(L, "error", answer->error);
  if (answer->response_len > 0) {
    lua_pushlstring(L, answer->response, answer->response_len);
    lua_setfield(L, -2, "response");
  }
}

static int webhook_test(lua_State *L) {
  struct lh_transport_options options = {.connections_max = 1};
  struct lh_error err;
  struct which which = {0};
  struct lh_event event = {0};
  struct lh_probe probe = {0};
  lh_store_object_at(L, 1);
  luaL_checktype(L, 3, LUA_TTABLE);
  lh_arg_options(L, 4);
  struct trial *trial = lh_box_new(L, sizeof *trial, release_trial);
  if (read_which(L, 4, &which, &err) || read_event(L, &event, &probe.request_id, &err) ||
      lh_engine_guard_read(L, 4, &options, &err)) {
    return lh_push_error(L, &err);
  }
  trial->store = lh_store_open_at(L, 1);
  if (!trial->store) return 3;
  const struct lh_clock *clock = lh_clock_system();
  if (lh_transport_curl_open(&options, clock, &trial->transport, &err) ||
      trial->store->admin->target(trial->store, &which.door, &trial->target, &err) ||
      lh_engine_probe(trial->transport, clock, trial->target, &event, &probe, &err)) {
    lh_push_error(L, &err);
    lh_box_release(trial);
    return 3;
  }
  push_trial(L, &probe);
  lh_box_release(trial);
  return 1;
}

void lh_bind_store_change(lua_State *L) {
  static const luaL_Reg methods[] = {{"webhook_edit", edit},         {"webhook_status", set_status},
                                     {"webhook_resume", resume},     {"secret_rotate", rotate},
                                     {"webhook_test", webhook_test}, {NULL, NULL}};
  lh_set_functions(L, methods);
}
