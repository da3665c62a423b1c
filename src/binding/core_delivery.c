/*
** The state machine as a pure function of tables, for tests, tools and the
** curious; the engine steps it in C.
**
**   core.delivery.step(delivery, input, policy, now_ms) -> delivery', effects
**     or nil, message, code for a combination that cannot be
**
**   delivery  state, reason, attempts_made, budget_start, next_attempt_ms, finished_ms, epoch
**   input     kind, retry_after_ms, jitter_ppm, given_back_in_a_row
**   policy    status, epoch, epoch_reason, retry = { retries_max, interval_ms, schedule_s = {…} }
**   effects   { send = true, log_attempt = true, … }
**
** Names and meanings are those of core/delivery.h. What is left out is 0, the
** first name of its kind (pending, enabled), or no reason; `kind` is required.
*/
#include "binding/binding.h"

#include <string.h>

#include "core/delivery.h"
#include "core/limits.h"

#define NUMBER_MAX 1000000 /* of attempts; steps add small numbers to it */

static const char *const kind_names[] = {
    [LH_INPUT_LEASE] = "lease",
    [LH_INPUT_SUCCESS] = "success",
    [LH_INPUT_FAILURE] = "failure",
    [LH_INPUT_LOST] = "lost",
    [LH_INPUT_GIVEN_BACK] = "given_back",
    [LH_INPUT_LATE_SUCCESS] = "late_success",
    [LH_INPUT_LATE_FAILURE] = "late_failure",
    [LH_INPUT_STOP] = "stop",
    [LH_INPUT_RETRY] = "retry",
};
#define KIND_COUNT ((int)(sizeof kind_names / sizeof kind_names[0]))

static const struct {
  unsigned effect;
  const char *name;
} effect_names[] = {
    {LH_EFFECT_SEND, "send"},
    {LH_EFFECT_LOG_ATTEMPT, "log_attempt"},
    {LH_EFFECT_REMOVE_ATTEMPT, "remove_attempt"},
    {LH_EFFECT_DELIVERED, "delivered"},
    {LH_EFFECT_FAILED, "failed"},
    {LH_EFFECT_COUNT_FAILURE, "count_failure"},
    {LH_EFFECT_FAILING_START, "failing_start"},
    {LH_EFFECT_FAILING_END, "failing_end"},
    {LH_EFFECT_REFUSED, "refused"},
};

static const char *state_name(int value) {
  return lh_state_name((enum lh_state)value);
}

static const char *reason_name(int value) {
  return lh_reason_name((enum lh_reason)value);
}

static const char *status_name(int value) {
  return lh_status_name((enum lh_status)value);
}

static const char *kind_name(int value) {
  return kind_names[value];
}

/* The number of a name; nil is 0. */
static int named(lua_State *L, int arg, const char *field, const char *(*name)(int), int count) {
  size_t len;
  const char *text = lh_field_string(L, arg, field, &len);
  if (!text) return 0;
  for (int i = 0; i < count; i++) {
    if (strcmp(text, name(i)) == 0) return i;
  }
  return luaL_argerror(L, arg, lua_pushfstring(L, "%s: no such name", field));
}

/* A number in [0, max] of the table at `index`; nil is 0. Out of range raises. */
static int64_t number(lua_State *L, int index, int arg, const char *field, int64_t max) {
  int64_t value = 0;
  int type = lh_field_push(L, index, field);
  if (type == LUA_TNIL) return 0;
  if (type != LUA_TNUMBER) lh_arg_type_error(L, arg, field, "number", -1);
  if (!lh_compat_number(L, -1, &value) || value < 0 || value > max) {
    luaL_argerror(L, arg, lua_pushfstring(L, "%s: out of range", field));
  }
  return value;
}

static void read_delivery(lua_State *L, int arg, struct lh_delivery *delivery) {
  delivery->state = (enum lh_state)named(L, arg, "state", state_name, LH_FAILED + 1);
  delivery->reason = (enum lh_reason)named(L, arg, "reason", reason_name, LH_REASON_DELETED + 1);
  delivery->attempts_made = (int32_t)number(L, arg, arg, "attempts_made", NUMBER_MAX);
  delivery->budget_start = (int32_t)number(L, arg, arg, "budget_start", NUMBER_MAX);
  delivery->next_attempt_ms = number(L, arg, arg, "next_attempt_ms", LH_EXACT_MAX);
  delivery->finished_ms = number(L, arg, arg, "finished_ms", LH_EXACT_MAX);
  delivery->epoch = number(L, arg, arg, "epoch", LH_EXACT_MAX);
}

static void read_input(lua_State *L, int arg, struct lh_input *input) {
  if (lh_field_push(L, arg, "kind") == LUA_TNIL) luaL_argerror(L, arg, "kind: missing");
  input->kind = (enum lh_input_kind)named(L, arg, "kind", kind_name, KIND_COUNT);
  input->retry_after_ms = number(L, arg, arg, "retry_after_ms", INT32_MAX);
  input->jitter_ppm = (uint32_t)number(L, arg, arg, "jitter_ppm", 1000000);
  input->given_back_in_a_row = (int32_t)number(L, arg, arg, "given_back_in_a_row", NUMBER_MAX);
}

/* Reads the list on top of the stack. */
static int32_t read_schedule(lua_State *L, int arg, int32_t schedule_s[LH_RETRY_SCHEDULE_MAX]) {
  int list = lua_gettop(L);
  size_t count = lh_compat_len(L, list);
  if (count > LH_RETRY_SCHEDULE_MAX) luaL_argerror(L, arg, "retry.schedule_s: too long");
  for (size_t i = 0; i < count; i++) {
    int64_t value = 0;
    lua_rawgeti(L, list, (lh_compat_index)i + 1);
    if (lua_type(L, -1) != LUA_TNUMBER || !lh_compat_number(L, -1, &value) || value < 0 ||
        value > LH_RETRY_INTERVAL_S_MAX) {
      luaL_argerror(L, arg, "retry.schedule_s: list of seconds expected");
    }
    schedule_s[i] = (int32_t)value;
    lua_pop(L, 1);
  }
  return (int32_t)count;
}

static void read_policy(lua_State *L, int arg, struct lh_delivery_policy *policy,
                        int32_t schedule_s[LH_RETRY_SCHEDULE_MAX]) {
  policy->status = (enum lh_status)named(L, arg, "status", status_name, LH_STATUS_DELETED + 1);
  policy->epoch = number(L, arg, arg, "epoch", LH_EXACT_MAX);
  policy->epoch_reason =
      (enum lh_reason)named(L, arg, "epoch_reason", reason_name, LH_REASON_DELETED + 1);
  if (!lh_field_table(L, arg, "retry")) return;
  int retry = lua_gettop(L);
  policy->retry.retries_max = (int32_t)number(L, retry, arg, "retries_max", LH_RETRIES_MAX);
  policy->retry.interval_ms =
      number(L, retry, arg, "interval_ms", (int64_t)1000 * LH_RETRY_INTERVAL_S_MAX);
  int type = lh_field_push(L, retry, "schedule_s");
  if (type == LUA_TNIL) return;
  if (type != LUA_TTABLE) lh_arg_type_error(L, arg, "retry.schedule_s", "table", -1);
  policy->retry.schedule_count = read_schedule(L, arg, schedule_s);
  if (policy->retry.schedule_count > 0) policy->retry.schedule_s = schedule_s;
}

static void push_delivery(lua_State *L, const struct lh_delivery *delivery) {
  lua_createtable(L, 0, 7);
  lh_set_string(L, "state", lh_state_name(delivery->state));
  lh_set_string(L, "reason", lh_reason_name(delivery->reason));
  lh_set_int64(L, "attempts_made", delivery->attempts_made);
  lh_set_int64(L, "budget_start", delivery->budget_start);
  lh_set_int64(L, "next_attempt_ms", delivery->next_attempt_ms);
  lh_set_int64(L, "finished_ms", delivery->finished_ms);
  lh_set_int64(L, "epoch", delivery->epoch);
}

static int step(lua_State *L) {
  struct lh_delivery delivery = {0};
  struct lh_input input = {0};
  struct lh_delivery_policy policy = {0};
  int32_t schedule_s[LH_RETRY_SCHEDULE_MAX];
  struct lh_error err;
  for (int arg = 1; arg <= 3; arg++) luaL_checktype(L, arg, LUA_TTABLE);
  int64_t now_ms = lh_arg_int(L, 4, 0, LH_EXACT_MAX);
  lua_settop(L, 4);
  luaL_checkstack(L, 40, "delivery");
  read_delivery(L, 1, &delivery);
  read_input(L, 2, &input);
  read_policy(L, 3, &policy, schedule_s);
  if (lh_delivery_check(&delivery, &input, &policy, &err)) return lh_push_error(L, &err);
  unsigned effects = lh_delivery_step(&delivery, &input, &policy, now_ms);
  push_delivery(L, &delivery);
  lua_newtable(L);
  for (size_t i = 0; i < sizeof effect_names / sizeof effect_names[0]; i++) {
    if (effects & effect_names[i].effect) lh_set_boolean(L, effect_names[i].name, 1);
  }
  return 2;
}

void lh_bind_delivery(lua_State *L) {
  static const luaL_Reg functions[] = {{"step", step}, {NULL, NULL}};
  lua_newtable(L);
  lh_set_functions(L, functions);
  lua_setfield(L, -2, "delivery");
}
