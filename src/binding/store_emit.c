/*
** store:emit. One pass over the array into buffers that the store object
** keeps: texts are borrowed from the strings in the caller's tables (read raw,
** and nothing that could run Lua code happens before the store has returned),
** only member ids are copied. Reading the log is in store_log.c.
**
**   store:emit({ { event_type =, category =, data = [, account =, id =, idempotency_key =] }, … },
**              "all" | "each")
**     -> { { id =, duplicate = true|nil } or { code =, message = }, … }
**      | nil, message, code, index of the bad event
**
** A single event's table may stand for an array of one.
*/
#include "binding/store.h"

#include <stdlib.h>
#include <string.h>

#include "core/envelope.h"
#include "core/limits.h"
#include "core/utf8.h"

/* What became of the array's event with the same index. */
struct verdict {
  struct lh_id id;    /* given by the caller */
  int code;           /* LH_OK: handed to the store */
  size_t message_end; /* of a refusal's message in `messages`; it begins where the last one ended */
};

struct buffers {
  size_t capacity; /* events that all arrays below hold */
  struct lh_emit *events;
  struct lh_emitted *results;
  struct verdict *verdicts;
  char *members;
  struct lh_buffer messages;
};

/* One call of emit. */
struct batch {
  struct buffers *buffers;
  size_t count;    /* of the array */
  size_t accepted; /* handed to the store */
  char *member;    /* where the next member id goes */
  int keys;        /* stack index of the first field name */
};

enum key { KEY_ACCOUNT, KEY_TYPE, KEY_CATEGORY, KEY_ID, KEY_IDEMPOTENCY, KEY_DATA, KEY_COUNT };

static const char *const key_names[KEY_COUNT] = {"account", "event_type",      "category",
                                                 "id",      "idempotency_key", "data"};

static void release_buffers(void *memory) {
  struct buffers *buffers = memory;
  free(buffers->events);
  free(buffers->results);
  free(buffers->verdicts);
  free(buffers->members);
  lh_buffer_free(&buffers->messages);
  memset(buffers, 0, sizeof *buffers);
}

static int reserve(struct buffers *buffers, size_t count, struct lh_error *err) {
  size_t capacity = 64;
  if (count <= buffers->capacity) return 0;
  while (capacity < count) capacity *= 2;
  release_buffers(buffers);
  buffers->events = malloc(capacity * sizeof *buffers->events);
  buffers->results = malloc(capacity * sizeof *buffers->results);
  buffers->verdicts = malloc(capacity * sizeof *buffers->verdicts);
  buffers->members = malloc(capacity * LH_MEMBER_MAX);
  if (!buffers->events || !buffers->results || !buffers->verdicts || !buffers->members) {
    release_buffers(buffers);
    return lh_error_set(err, LH_E_MEMORY, "emit: out of memory for %zu events", count);
  }
  buffers->capacity = capacity;
  return 0;
}

/*
** Takes the buffers out of the store object and pushes their box. A finalizer
** that emits on the same store while this call pushes its results finds none
** and makes its own.
*/
static struct buffers *take_buffers(lua_State *L) {
  lh_compat_kept(L, 1);
  struct buffers *buffers = lh_box_at(L, -1);
  if (!buffers) {
    lua_pop(L, 1);
    return lh_box_new(L, sizeof *buffers, release_buffers);
  }
  lua_pushnil(L);
  lh_compat_keep(L, 1);
  return buffers;
}

/* A field of the event on top of the stack, borrowed from its table. */
static const char *text_of(lua_State *L, const struct batch *batch, size_t index, enum key key,
                           size_t *len) {
  lua_pushvalue(L, batch->keys + (int)key);
  lua_rawget(L, -2);
  *len = 0;
  if (lua_type(L, -1) == LUA_TNIL) {
    if (key != KEY_TYPE && key != KEY_CATEGORY && key != KEY_DATA) {
      lua_pop(L, 1);
      return NULL;
    }
  }
  if (lua_type(L, -1) != LUA_TSTRING) {
    const char *got = luaL_typename(L, -1);
    const char *name = key_names[key];
    luaL_argerror(
        L, 2,
        lua_pushfstring(L, "events[%d].%s: string expected, got %s", (int)index + 1, name, got));
  }
  const char *text = lua_tolstring(L, -1, len);
  lua_pop(L, 1);
  return text;
}

static int category_check(const char *category, size_t len, struct lh_error *err) {
  size_t good = 0;
  while (good < len && category[good] &&
         strchr("abcdefghijklmnopqrstuvwxyz0123456789_", category[good])) {
    good++;
  }
  if (len >= 1 && len <= LH_CATEGORY_MAX && good == len) return 0;
  return lh_error_set(err, LH_E_INVALID, "category: not 1 to %d of a-z 0-9 _", LH_CATEGORY_MAX);
}

static int key_check(const char *key, size_t len, struct lh_error *err) {
  if (key && (len < 1 || len > LH_IDEMPOTENCY_KEY_MAX)) {
    return lh_error_set(err, LH_E_INVALID, "idempotency_key: not 1 to %d bytes",
                        LH_IDEMPOTENCY_KEY_MAX);
  }
  if (key && lh_utf8_check(key, len) != len) {
    return lh_error_set(err, LH_E_INVALID, "idempotency_key: not valid UTF-8");
  }
  return 0;
}

/* Reads and checks the event on top of the stack. Wrong types raise, wrong values are returned. */
static int read_event(lua_State *L, struct batch *batch, size_t index, struct lh_error *err) {
  struct lh_emit *event = &batch->buffers->events[batch->accepted];
  struct verdict *verdict = &batch->buffers->verdicts[index];
  size_t account_len, type_len, category_len, id_len;
  event->account = text_of(L, batch, index, KEY_ACCOUNT, &account_len);
  event->event_type = text_of(L, batch, index, KEY_TYPE, &type_len);
  event->category = text_of(L, batch, index, KEY_CATEGORY, &category_len);
  const char *id = text_of(L, batch, index, KEY_ID, &id_len);
  event->idempotency_key = text_of(L, batch, index, KEY_IDEMPOTENCY, &event->idempotency_key_len);
  event->data = text_of(L, batch, index, KEY_DATA, &event->data_len);

  if (event->account) {
    if (lh_account_check(event->account, account_len, err)) return err->code;
  } else {
    event->account = "default";
  }
  if (lh_event_type_check(event->event_type, type_len, err) ||
      category_check(event->category, category_len, err) ||
      key_check(event->idempotency_key, event->idempotency_key_len, err)) {
    return err->code;
  }
  if (id && lh_id_parse(id, id_len, &verdict->id)) {
    return lh_error_set(err, LH_E_INVALID, "id: not %d lower-case hex digits", LH_ID_LEN);
  }
  event->id = id ? &verdict->id : NULL;
  if (lh_event_data_check(event->data, event->data_len, err)) return err->code;
  event->member = batch->member;
  event->member_len = lh_event_member(event->data, event->data_len, batch->member);
  if (event->member_len == 0) event->member = NULL;
  batch->member += event->member_len;
  return 0;
}

/* Reads the whole array. With LH_EMIT_ALL the first bad event ends it: *bad is its index. */
static int read_events(lua_State *L, struct batch *batch, enum lh_emit_mode mode, size_t *bad,
                       struct lh_error *err) {
  struct buffers *buffers = batch->buffers;
  struct lh_error refusal;
  for (size_t i = 0; i < batch->count; i++) {
    struct verdict *verdict = &buffers->verdicts[i];
    lua_rawgeti(L, 2, (lh_compat_index)i + 1);
    if (lua_type(L, -1) != LUA_TTABLE) {
      luaL_argerror(L, 2,
                    lua_pushfstring(L, "events[%d]: table expected, got %s", (int)i + 1,
                                    luaL_typename(L, -1)));
    }
    verdict->code = read_event(L, batch, i, &refusal);
    lua_pop(L, 1);
    if (verdict->code == LH_OK) {
      batch->accepted++;
    } else if (mode == LH_EMIT_ALL) {
      *bad = i;
      *err = refusal;
      return err->code;
    } else if (lh_buffer_add(&buffers->messages, refusal.message, strlen(refusal.message))) {
      return lh_error_set(err, LH_E_MEMORY, "emit: out of memory");
    }
    verdict->message_end = buffers->messages.len;
  }
  return 0;
}

static void push_refusal(lua_State *L, int code, const char *message, size_t len) {
  lua_createtable(L, 0, 2);
  lh_set_string(L, "code", lh_error_name((enum lh_code)code));
  lua_pushlstring(L, message, len);
  lua_setfield(L, -2, "message");
}

static void push_result(lua_State *L, const struct lh_emitted *result, int keys) {
  if (result->code != LH_OK) {
    static const char known[] = "id or idempotency_key: used before with other content";
    push_refusal(L, result->code, known, sizeof known - 1);
    return;
  }
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, keys + KEY_ID);
  lh_push_id(L, &result->id);
  lua_rawset(L, -3);
  if (result->duplicate) lh_set_boolean(L, "duplicate", 1);
}

static void push_results(lua_State *L, const struct batch *batch) {
  const struct buffers *buffers = batch->buffers;
  size_t next = 0, message_at = 0;
  lua_createtable(L, (int)batch->count, 0);
  for (size_t i = 0; i < batch->count; i++) {
    const struct verdict *verdict = &buffers->verdicts[i];
    if (verdict->code == LH_OK) {
      push_result(L, &buffers->results[next++], batch->keys);
    } else {
      push_refusal(L, verdict->code, buffers->messages.at + message_at,
                   verdict->message_end - message_at);
    }
    message_at = verdict->message_end;
    lua_rawseti(L, -2, (lh_compat_index)i + 1);
  }
}

/* An event alone in place of the array becomes the array { event }. */
static size_t count_events(lua_State *L, int keys) {
  size_t count = lh_compat_len(L, 2);
  if (count > 0) return count;
  lua_pushvalue(L, keys + KEY_DATA);
  lua_rawget(L, 2);
  int single = !lua_isnil(L, -1);
  lua_pop(L, 1);
  if (!single) return 0;
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, 1);
  lua_replace(L, 2);
  return 1;
}

static int push_bad(lua_State *L, const struct lh_error *err, size_t bad) {
  lh_push_error(L, err);
  if (bad == SIZE_MAX) return 3;
  lh_push_int64(L, (int64_t)bad + 1);
  return 4;
}

static int emit(lua_State *L) {
  static const char *const mode_names[] = {"all", "each", NULL};
  static const enum lh_emit_mode modes[] = {LH_EMIT_ALL, LH_EMIT_EACH};
  struct lh_error err;
  size_t bad = SIZE_MAX;
  lh_store_object_at(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  enum lh_emit_mode mode = modes[luaL_checkoption(L, 3, "all", mode_names)];
  lua_settop(L, 3);
  for (int key = 0; key < KEY_COUNT; key++) lua_pushstring(L, key_names[key]);
  struct batch batch = {.keys = 4};
  batch.count = count_events(L, batch.keys);
  if (batch.count > LH_EMIT_MANY_MAX) {
    return lh_push_failure(L, LH_E_LIMIT, "events: more than 10000 in one call");
  }
  batch.buffers = take_buffers(L);
  int box = lua_gettop(L);
  struct lh_store *store =
      lh_store_open_at(L, 1); /* after what can run finalizers: they may close it */
  if (!store) return 3;
  batch.buffers->messages.len = 0;
  if (reserve(batch.buffers, batch.count, &err)) return lh_push_error(L, &err);
  batch.member = batch.buffers->members;
  if (read_events(L, &batch, mode, &bad, &err)) return push_bad(L, &err, bad);
  struct lh_emission emission = {.events = batch.buffers->events,
                                 .count = batch.accepted,
                                 .mode = mode,
                                 .results = batch.buffers->results};
  if (batch.accepted > 0 && store->log->emit(store, &emission, &err)) {
    int at_event = mode == LH_EMIT_ALL && err.code == LH_E_CONFLICT;
    return push_bad(L, &err, at_event ? emission.bad_index : SIZE_MAX);
  }
  push_results(L, &batch);
  lua_pushvalue(L, box);
  lh_compat_keep(L, 1);
  return 1;
}

void lh_bind_store_emit(lua_State *L) {
  static const luaL_Reg methods[] = {{"emit", emit}, {NULL, NULL}};
  lh_set_functions(L, methods);
}
