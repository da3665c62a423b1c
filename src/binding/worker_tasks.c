/*
** Handlers and their tasks, for the runtime that runs them.
**
**   worker:open_handler{ name =, event_types = { name, … } or { "*" }, serial =,
**     fails_when_unknown =, from_start = } -> number, whether it is new
**   worker:task_turn{
**     handlers = { { number =, concurrency =, interval_us =, burst =, tries =, first_ms =,
**       factor =, max_ms =, fails_when_unknown =, slots = }, … },
**     results = { { task =, attempt =, kind = "success"|"failure"|"refusal"|"unknown"|
**       "given_back", retry_after_ms =, rest_ms =, error = }, … },
**     slots =, running = }
**     -> { leases = { { task, handler (number), attempt, first_ms, alone, position, source, id,
**       event_type, received_ms, member, data }, … }, results = { { task, state, reason,
**       next_attempt_ms, waits }, … }, next_due_ms (left out: nothing waits), more, session_dead }
**     | nil, message, code: nothing was recorded, offer it again
**   worker:pending_tasks{ number, … } -> { due, running, later }
**
** Of a result whose event retention has deleted only `task` is told.
*/
#include "binding/worker.h"

#include <string.h>

#include "core/limits.h"

#define ANY_NUMBER                                                                                 \
  { 0, LH_EXACT_MAX }

/* ---- a handler is loaded */

/* "a\nb" of the list, or "*" if that is in it; pushed. 0, or LH_E_INVALID. */
static int read_types(lua_State *L, struct lh_handler_definition *definition,
                      struct lh_error *err) {
  struct lh_names names;
  int found = lh_field_names(L, 2, "event_types", LH_EVENT_TYPES_MAX, &names, err);
  if (found == 0) return lh_arg_type_error(L, 2, "event_types", "table", -1);
  if (found < 0) return err->code;
  luaL_Buffer joined;
  int all = 0;
  for (size_t i = 0; i < names.count; i++) {
    all = all || strcmp(names.at[i], "*") == 0;
    if (names.at[i][0] == '\0' || strchr(names.at[i], '\n'))
      return lh_error_set(err, LH_E_INVALID, "event_types[%zu]: not the name of a type", i + 1);
  }
  luaL_buffinit(L, &joined);
  for (size_t i = 0; !all && i < names.count; i++) {
    if (i > 0) luaL_addchar(&joined, '\n');
    luaL_addstring(&joined, names.at[i]);
  }
  if (all) luaL_addchar(&joined, '*');
  luaL_pushresult(&joined);
  definition->event_types = lua_tostring(L, -1);
  return 0;
}

static int open_handler(lua_State *L) {
  struct lh_handler_definition definition = {0};
  struct lh_error err;
  int64_t number = 0;
  int created = 0;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  int named = lh_field_name(L, 2, "name", &definition.name, &err);
  if (named == 0) return lh_arg_type_error(L, 2, "name", "string", -1);
  if (named < 0 || read_types(L, &definition, &err)) return lh_push_error(L, &err);
  definition.serial = lh_field_boolean(L, 2, "serial");
  definition.fails_when_unknown = lh_field_boolean(L, 2, "fails_when_unknown");
  definition.from_start = lh_field_boolean(L, 2, "from_start");
  struct lh_engine *engine = lh_worker_engine(L);
  if (!engine) return 3;
  if (lh_engine_open_handler(engine, &definition, &number, &created, &err))
    return lh_push_error(L, &err);
  lh_push_int64(L, number);
  lua_pushboolean(L, created);
  return 2;
}

/* ---- a turn */

/* Whole numbers that a table has, each with what it is without one. */
struct number {
  const char *field;
  int64_t *value;
};

static int read_numbers(lua_State *L, int at, const struct number *numbers, struct lh_error *err) {
  static const int64_t bounds[2] = ANY_NUMBER;
  for (; numbers->field; numbers++) {
    if (lh_field_int(L, at, numbers->field, bounds, numbers->value, err) < 0) return err->code;
    lua_pop(L, 1);
  }
  return 0;
}

static int32_t small(int64_t value) {
  return value > INT32_MAX ? INT32_MAX : (int32_t)value;
}

static int read_wish(lua_State *L, int at, struct lh_handler_wish *wish, struct lh_error *err) {
  int64_t slots = 0, concurrency = 1, tries = LH_TASK_TRIES_DEFAULT, factor = LH_TASK_FACTOR;
  *wish = (struct lh_handler_wish){
      .burst = 1, .policy = {.first_ms = LH_TASK_FIRST_MS, .max_ms = LH_TASK_MAX_MS}};
  const struct number numbers[] = {{"number", &wish->handler},
                                   {"concurrency", &concurrency},
                                   {"interval_us", &wish->interval_us},
                                   {"burst", &wish->burst},
                                   {"tries", &tries},
                                   {"first_ms", &wish->policy.first_ms},
                                   {"factor", &factor},
                                   {"max_ms", &wish->policy.max_ms},
                                   {"slots", &slots},
                                   {NULL, NULL}};
  if (read_numbers(L, at, numbers, err)) return err->code;
  wish->concurrency = small(concurrency);
  wish->policy.tries = small(tries);
  wish->policy.factor = small(factor);
  wish->slots = (size_t)slots;
  wish->policy.fails_when_unknown = lh_field_boolean(L, at, "fails_when_unknown");
  return 0;
}

static int read_kind(lua_State *L, int at, struct lh_task_result *result, struct lh_error *err) {
  static const struct {
    const char *name;
    enum lh_task_input_kind kind;
  } kinds[] = {{"success", LH_TASK_IN_SUCCESS},
               {"failure", LH_TASK_IN_FAILURE},
               {"refusal", LH_TASK_IN_REFUSAL},
               {"unknown", LH_TASK_IN_UNKNOWN},
               {"given_back", LH_TASK_IN_GIVEN_BACK}};
  const char *name = NULL;
  if (lh_field_name(L, at, "kind", &name, err) <= 0) name = "";
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kinds[i].name, name) == 0) {
      result->kind = kinds[i].kind;
      lua_pop(L, 1);
      return 0;
    }
  return lh_error_set(err, LH_E_INVALID,
                      "kind: not success, failure, refusal, unknown or given_back");
}

/* Its error is kept in the table at `texts`. */
static int read_result(lua_State *L, int at, int texts, struct lh_task_result *result,
                       struct lh_error *err) {
  int64_t attempt = 0;
  *result = (struct lh_task_result){.error = ""};
  const struct number numbers[] = {{"task", &result->task},
                                   {"attempt", &attempt},
                                   {"retry_after_ms", &result->retry_after_ms},
                                   {"rest_ms", &result->rest_ms},
                                   {NULL, NULL}};
  if (read_numbers(L, at, numbers, err) || read_kind(L, at, result, err)) return err->code;
  result->attempt = small(attempt);
  size_t len;
  const char *error = lh_field_string(L, at, "error", &len); /* shown up to a NUL byte */
  if (error) {
    result->error = error;
    lua_rawseti(L, texts, (lh_compat_index)lh_compat_len(L, texts) + 1);
  }
  return 0;
}

/* The table in a list at `list`, pushed; anything else raises. */
static void push_entry(lua_State *L, int list, size_t index, const char *field) {
  lua_rawgeti(L, list, (lh_compat_index)index + 1);
  if (lua_type(L, -1) != LUA_TTABLE) lh_arg_type_error(L, 2, field, "list of tables", -1);
}

/* List field of argument 2, left on the stack; its length, at most `most` (else LH_E_LIMIT). */
static int read_list(lua_State *L, const char *field, size_t most, size_t *count,
                     struct lh_error *err) {
  *count = lh_field_table(L, 2, field) ? lh_compat_len(L, -1) : 0;
  if (*count <= most) return 0;
  return lh_error_set(err, LH_E_LIMIT, "%s: more than %zu", field, most);
}

static int read_wishes(lua_State *L, struct lh_task_turn *turn, struct lh_error *err) {
  size_t count;
  if (read_list(L, "handlers", LH_HANDLERS_MAX, &count, err)) return err->code;
  int list = lua_gettop(L);
  struct lh_handler_wish *wishes = lh_box_scratch(L, count, sizeof *wishes);
  int base = lua_gettop(L);
  for (size_t i = 0; i < count; i++) {
    push_entry(L, list, i, "handlers");
    if (read_wish(L, base + 1, &wishes[i], err)) return err->code;
    lua_settop(L, base);
  }
  turn->wishes = wishes;
  turn->wish_count = count;
  return 0;
}

static int read_results(lua_State *L, struct lh_task_turn *turn, struct lh_error *err) {
  size_t count;
  if (read_list(L, "results", LH_TASK_SLOTS_MAX, &count, err)) return err->code;
  int list = lua_gettop(L);
  struct lh_task_result *results = lh_box_scratch(L, count, sizeof *results);
  lua_newtable(L);
  int texts = lua_gettop(L);
  for (size_t i = 0; i < count; i++) {
    push_entry(L, list, i, "results");
    if (read_result(L, texts + 1, texts, &results[i], err)) return err->code;
    lua_settop(L, texts);
  }
  turn->results = results;
  turn->result_count = count;
  return 0;
}

static int read_turn(lua_State *L, struct lh_task_turn *turn, struct lh_error *err) {
  int64_t slots = 0, running = 0;
  const struct number numbers[] = {{"slots", &slots}, {"running", &running}, {NULL, NULL}};
  if (read_numbers(L, 2, numbers, err) || read_wishes(L, turn, err) || read_results(L, turn, err))
    return err->code;
  turn->slots = slots < LH_TASK_SLOTS_MAX ? (size_t)slots : LH_TASK_SLOTS_MAX;
  turn->running = (size_t)running;
  return 0;
}

static void push_lease(lua_State *L, const struct lh_task_lease *lease) {
  lua_createtable(L, 0, 12);
  lh_set_int64(L, "task", lease->task);
  lh_set_int64(L, "handler", lease->handler);
  lh_set_int64(L, "attempt", lease->attempt);
  lh_set_int64(L, "first_ms", lease->first_ms);
  lh_set_boolean(L, "alone", lease->alone);
  lh_set_int64(L, "position", lease->position);
  lh_set_int64(L, "received_ms", lease->received_ms);
  lh_set_string(L, "source", lease->source);
  lh_set_string(L, "id", lease->event_id);
  lh_set_string(L, "event_type", lease->event_type);
  if (lease->member) {
    lua_pushlstring(L, lease->member, lease->member_len);
    lua_setfield(L, -2, "member");
  }
  lua_pushlstring(L, lease->data, lease->data_len);
  lua_setfield(L, -2, "data");
}

static void push_result(lua_State *L, const struct lh_task_result *result) {
  const struct lh_task *after = &result->after;
  lua_createtable(L, 0, 4);
  lh_set_int64(L, "task", result->task);
  if (result->gone) return;
  lh_set_string(L, "state", lh_task_state_name(after->state));
  lh_set_string(L, "reason", lh_task_reason_name(after->reason));
  if (after->state != LH_TASK_PENDING && after->state != LH_TASK_RETRYING) return;
  lh_set_boolean(L, "waits", after->due_ms == LH_TASK_WAITS);
  if (after->due_ms != LH_TASK_WAITS) lh_set_int64(L, "next_attempt_ms", after->due_ms);
}

static void push_turn(lua_State *L, const struct lh_task_turn *turn) {
  lua_createtable(L, 0, 5);
  lua_createtable(L, (int)turn->lease_count, 0);
  for (size_t i = 0; i < turn->lease_count; i++) {
    push_lease(L, &turn->leases[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lua_setfield(L, -2, "leases");
  lua_createtable(L, (int)turn->result_count, 0);
  for (size_t i = 0; i < turn->result_count; i++) {
    push_result(L, &turn->results[i]);
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
  lua_setfield(L, -2, "results");
  if (turn->next_due_ms != INT64_MAX) lh_set_int64(L, "next_due_ms", turn->next_due_ms);
  lh_set_boolean(L, "more", turn->more);
  lh_set_boolean(L, "session_dead", turn->session_dead);
}

static void release_turn(void *memory) {
  lh_task_turn_clear(memory);
}

static int task_turn(lua_State *L) {
  struct lh_error err;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  struct lh_task_turn *turn = lh_box_new(L, sizeof *turn, release_turn);
  if (read_turn(L, turn, &err)) return lh_push_error(L, &err);
  struct lh_engine *engine = lh_worker_engine(L);
  if (!engine) return 3;
  if (lh_engine_task_turn(engine, turn, &err)) return lh_push_error(L, &err);
  push_turn(L, turn);
  lh_box_release(turn);
  return 1;
}

static int pending_tasks(lua_State *L) {
  struct lh_error err;
  struct lh_task_work work = {0};
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  size_t count = lh_compat_len(L, 2);
  if (count > LH_HANDLERS_MAX) return lh_push_failure(L, LH_E_LIMIT, "more than 1000 handlers");
  int64_t *numbers = lh_box_scratch(L, count, sizeof *numbers);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (lh_compat_index)i + 1);
    if (lua_type(L, -1) != LUA_TNUMBER || !lh_compat_number(L, -1, &numbers[i]))
      lh_arg_type_error(L, 2, "handlers", "list of whole numbers", -1);
    lua_pop(L, 1);
  }
  struct lh_engine *engine = lh_worker_engine(L);
  if (!engine) return 3;
  if (lh_engine_task_work(engine, numbers, count, &work, &err)) return lh_push_error(L, &err);
  lua_createtable(L, 0, 3);
  lh_set_int64(L, "due", work.due);
  lh_set_int64(L, "running", work.running);
  lh_set_int64(L, "later", work.later);
  return 1;
}

void lh_bind_worker_tasks(lua_State *L) {
  static const luaL_Reg methods[] = {{"open_handler", open_handler},
                                     {"task_turn", task_turn},
                                     {"pending_tasks", pending_tasks},
                                     {NULL, NULL}};
  lh_set_functions(L, methods);
}
