/*
** A new webhook's fields, from a table to the struct. Only the form is looked
** at here: types, lengths that must fit, and what could not be told apart once
** lists are joined into one text. The rules are lh_webhook_check's.
*/
#include "binding/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/header.h"
#include "core/limits.h"

#define SELECTOR_MAX 100  /* bytes; longer ones cannot be valid */
#define SCHEDULE_DIGITS 8 /* of one entry with its comma; more cannot be valid */

static const struct {
  const char *name;
  size_t offset;
  unsigned bit; /* enum lh_webhook_field */
} numbers[] = {
    {"batch_size", offsetof(struct lh_webhook, batch_size), LH_FIELD_BATCH_SIZE},
    {"batch_bytes_max", offsetof(struct lh_webhook, batch_bytes_max), LH_FIELD_BATCH_BYTES_MAX},
    {"batch_wait_ms", offsetof(struct lh_webhook, batch_wait_ms), LH_FIELD_BATCH_WAIT_MS},
    {"retries_max", offsetof(struct lh_webhook, retries_max), LH_FIELD_RETRIES_MAX},
    {"retry_interval_s", offsetof(struct lh_webhook, retry_interval_s), LH_FIELD_RETRY_INTERVAL_S},
    {"pause_after", offsetof(struct lh_webhook, pause_after), LH_FIELD_PAUSE_AFTER},
    {"timeout_ms", offsetof(struct lh_webhook, timeout_ms), LH_FIELD_TIMEOUT_MS},
    {"max_in_flight", offsetof(struct lh_webhook, max_in_flight), LH_FIELD_MAX_IN_FLIGHT},
};

/* Without a bit: only a new webhook has it. */
static const struct {
  const char *name;
  unsigned bit;
} others[] = {{"account", 0},
              {"secret", 0},
              {"name", LH_FIELD_NAME},
              {"url", LH_FIELD_URL},
              {"scheme", LH_FIELD_SCHEME},
              {"ordered", LH_FIELD_ORDERED},
              {"event_types", LH_FIELD_EVENT_TYPES},
              {"headers", LH_FIELD_HEADERS},
              {"retry_schedule", LH_FIELD_RETRY_SCHEDULE},
              {"success", LH_FIELD_SUCCESS}};

static int known(const char *name) {
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (strcmp(name, numbers[i].name) == 0) return 1;
  }
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    if (strcmp(name, others[i].name) == 0) return 1;
  }
  return 0;
}

/* A misspelt option must not be taken for a default. */
static int check_names(lua_State *L, int arg, struct lh_error *err) {
  lua_pushnil(L);
  while (lua_next(L, arg)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING && known(lua_tostring(L, -1))) continue;
    const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    int plain = *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
    return lh_error_set(err, LH_E_INVALID, "%.64s: not a field of a webhook",
                        plain ? name : "a field");
  }
  return 0;
}

static int read_text(lua_State *L, int arg, const char *field, char *out, size_t max,
                     struct lh_error *err) {
  const char *text;
  int found = lh_field_name(L, arg, field, &text, err);
  if (found <= 0) return found ? (int)err->code : 0;
  size_t len = strlen(text);
  if (len > max) return lh_error_set(err, LH_E_INVALID, "%s: longer than %zu bytes", field, max);
  memcpy(out, text, len + 1);
  return 0;
}

static int read_numbers(lua_State *L, int arg, struct lh_webhook *webhook, struct lh_error *err) {
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    const char *name = numbers[i].name;
    int64_t value = 0;
    int type = lh_field_push(L, arg, name);
    if (type != LUA_TNIL && type != LUA_TNUMBER) lh_arg_type_error(L, arg, name, "number", -1);
    int whole = type == LUA_TNIL || lh_compat_number(L, -1, &value);
    lua_pop(L, 1);
    if (type == LUA_TNIL) continue;
    if (!whole || value < INT32_MIN || value > INT32_MAX) {
      return lh_error_set(err, LH_E_INVALID, "%s: not a whole number in its range", name);
    }
    *(int32_t *)((char *)webhook + numbers[i].offset) = (int32_t)value;
  }
  return 0;
}

/* A string of the list at `list`, borrowed from it. */
static const char *selector_at(lua_State *L, int arg, int list, size_t index, size_t *len) {
  lua_rawgeti(L, list, (lh_compat_index)index + 1);
  if (lua_type(L, -1) != LUA_TSTRING) {
    lh_arg_type_error(L, arg, "event_types", "list of strings", -1);
  }
  const char *text = lua_tolstring(L, -1, len);
  lua_pop(L, 1);
  return text;
}

static int read_selectors(lua_State *L, int arg, struct lh_webhook *webhook, struct lh_error *err) {
  if (!lh_field_table(L, arg, "event_types")) return 0;
  int list = lua_gettop(L);
  size_t count = lh_compat_len(L, list), len, total = 0;
  if (count == 0) return 0;
  if (count > LH_SUBSCRIPTIONS_MAX) {
    return lh_error_set(err, LH_E_INVALID, "event_types: more than %d", LH_SUBSCRIPTIONS_MAX);
  }
  for (size_t i = 0; i < count; i++) {
    const char *text = selector_at(L, arg, list, i, &len);
    if (len < 1 || len > SELECTOR_MAX || memchr(text, '\n', len) || memchr(text, '\0', len)) {
      return lh_error_set(err, LH_E_INVALID,
                          "event_types[%zu]: not an event type, category:NAME or *", i + 1);
    }
    total += len + 1;
  }
  char *at = webhook->event_types = malloc(total);
  if (!at) return lh_error_set(err, LH_E_MEMORY, "event_types: out of memory");
  for (size_t i = 0; i < count; i++) {
    const char *text = selector_at(L, arg, list, i, &len);
    memcpy(at, text, len);
    at += len;
    *at++ = i + 1 < count ? '\n' : '\0';
  }
  return 0;
}

static int read_schedule(lua_State *L, int arg, struct lh_webhook *webhook, struct lh_error *err) {
  if (!lh_field_table(L, arg, "retry_schedule")) return 0;
  int list = lua_gettop(L);
  size_t count = lh_compat_len(L, list), at = 0;
  if (count == 0) return 0;
  if (count > LH_RETRY_SCHEDULE_MAX) {
    return lh_error_set(err, LH_E_INVALID, "retry_schedule: more than %d entries",
                        LH_RETRY_SCHEDULE_MAX);
  }
  size_t cap = count * SCHEDULE_DIGITS + 1;
  webhook->retry_schedule = malloc(cap);
  if (!webhook->retry_schedule)
    return lh_error_set(err, LH_E_MEMORY, "retry_schedule: out of memory");
  for (size_t i = 0; i < count; i++) {
    int64_t value = -1;
    lua_rawgeti(L, list, (lh_compat_index)i + 1);
    if (lua_type(L, -1) != LUA_TNUMBER) {
      lh_arg_type_error(L, arg, "retry_schedule", "list of numbers", -1);
    }
    if (!lh_compat_number(L, -1, &value) || value < 0 || value > LH_RETRY_INTERVAL_S_MAX) {
      return lh_error_set(err, LH_E_INVALID, "retry_schedule: entry %zu is not 1 to %d seconds",
                          i + 1, LH_RETRY_INTERVAL_S_MAX);
    }
    lua_pop(L, 1);
    at += (size_t)snprintf(webhook->retry_schedule + at, cap - at, i ? ",%d" : "%d", (int)value);
  }
  return 0;
}

/* One custom header, borrowed from the table. */
struct header {
  const char *name, *value;
  size_t name_len, value_len;
};

static int compare_headers(const void *a, const void *b) {
  const struct header *left = a, *right = b;
  int order = strcasecmp(left->name, right->name);
  return order ? order : strcmp(left->name, right->name);
}

static size_t count_pairs(lua_State *L, int table) {
  size_t count = 0;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    count++;
  }
  return count;
}

struct header_list {
  struct header *at;
  size_t count;
  size_t bytes; /* of all lines with one byte after each */
};

/* Reads at most as many pairs as list->at has room for: list->count when called. */
static int read_pairs(lua_State *L, int arg, int table, struct header_list *list,
                      struct lh_error *err) {
  size_t max = list->count;
  list->count = list->bytes = 0;
  lua_pushnil(L);
  while (list->count < max && lua_next(L, table)) {
    struct header *header = &list->at[list->count++];
    if (lua_type(L, -2) != LUA_TSTRING) lh_arg_type_error(L, arg, "headers", "string as name", -2);
    if (lua_type(L, -1) != LUA_TSTRING) lh_arg_type_error(L, arg, "headers", "string as value", -1);
    header->name = lua_tolstring(L, -2, &header->name_len);
    header->value = lua_tolstring(L, -1, &header->value_len);
    if (lh_header_field_check(header->name, header->name_len, header->value, header->value_len,
                              err)) {
      return err->code;
    }
    list->bytes += header->name_len + header->value_len + 3;
    lua_pop(L, 1);
  }
  if (list->bytes <= LH_HEADERS_BYTES_MAX) return 0;
  return lh_error_set(err, LH_E_INVALID, "headers: more than %d bytes", LH_HEADERS_BYTES_MAX);
}

static int read_headers(lua_State *L, int arg, struct lh_webhook *webhook, struct lh_error *err) {
  struct header_list list;
  if (!lh_field_table(L, arg, "headers")) return 0;
  int table = lua_gettop(L);
  list.count = count_pairs(L, table);
  if (list.count > LH_HEADERS_BYTES_MAX / 4) {
    return lh_error_set(err, LH_E_INVALID, "headers: more than %d bytes", LH_HEADERS_BYTES_MAX);
  }
  list.at = lh_box_scratch(L, list.count, sizeof *list.at);
  if (read_pairs(L, arg, table, &list, err)) return err->code;
  if (list.bytes == 0) return 0;
  qsort(list.at, list.count, sizeof *list.at, compare_headers);
  char *at = webhook->headers = malloc(list.bytes);
  if (!at) return lh_error_set(err, LH_E_MEMORY, "headers: out of memory");
  for (size_t i = 0; i < list.count; i++) {
    memcpy(at, list.at[i].name, list.at[i].name_len);
    at += list.at[i].name_len;
    *at++ = ':';
    *at++ = ' ';
    memcpy(at, list.at[i].value, list.at[i].value_len);
    at += list.at[i].value_len;
    *at++ = i + 1 < list.count ? '\n' : '\0';
  }
  return 0;
}

/* "200" (also as a number) or "2xx". */
static int read_success(lua_State *L, int arg, struct lh_webhook *webhook, struct lh_error *err) {
  int type = lh_field_push(L, arg, "success");
  if (type == LUA_TNIL) return 0;
  if (type == LUA_TNUMBER && lua_tonumber(L, -1) == 200) return 0;
  if (type != LUA_TNUMBER && type != LUA_TSTRING) {
    lh_arg_type_error(L, arg, "success", "string", -1);
  }
  if (type == LUA_TSTRING && strcmp(lua_tostring(L, -1), "200") == 0) return 0;
  if (type == LUA_TSTRING && strcmp(lua_tostring(L, -1), "2xx") == 0) {
    webhook->success = LH_SUCCESS_2XX;
    return 0;
  }
  return lh_error_set(err, LH_E_INVALID, "success: neither 200 nor 2xx");
}

int lh_store_fields_read(lua_State *L, int arg, struct lh_webhook *webhook, struct lh_error *err) {
  snprintf(webhook->account, sizeof webhook->account, "default");
  if (check_names(L, arg, err) ||
      read_text(L, arg, "account", webhook->account, LH_ACCOUNT_MAX, err) ||
      read_text(L, arg, "name", webhook->name, LH_NAME_MAX, err) ||
      read_text(L, arg, "url", webhook->url, LH_URL_MAX, err) ||
      read_numbers(L, arg, webhook, err) || read_selectors(L, arg, webhook, err) ||
      read_schedule(L, arg, webhook, err) || read_headers(L, arg, webhook, err) ||
      read_success(L, arg, webhook, err) || lh_field_scheme(L, arg, &webhook->scheme, err)) {
    return err->code;
  }
  webhook->ordered = lh_field_boolean(L, arg, "ordered");
  return 0;
}

static int is_given(lua_State *L, int arg, const char *name) {
  int type = lh_field_push(L, arg, name);
  lua_pop(L, 1);
  return type != LUA_TNIL;
}

int lh_store_fields_edit(lua_State *L, int arg, struct lh_webhook_edit *edit,
                         struct lh_error *err) {
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (is_given(L, arg, numbers[i].name)) edit->fields |= numbers[i].bit;
  }
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    if (!is_given(L, arg, others[i].name)) continue;
    if (!others[i].bit) {
      return lh_error_set(err, LH_E_INVALID, "%s: cannot be edited", others[i].name);
    }
    edit->fields |= others[i].bit;
  }
  if (lh_store_fields_read(L, arg, &edit->values, err)) return err->code;
  if (edit->fields) return 0;
  return lh_error_set(err, LH_E_INVALID, "edit: no field is given");
}
