-- What a handler must be. It is checked when it is loaded, so that a mistake shows then and not at
-- the first event. The result is a copy with every default filled in, as the runtime and the store
-- take it; later changes of the handler's table change nothing.

local chunk = require("loyalhook.config.chunk")
local nearest = require("loyalhook.nearest")
local options = require("loyalhook.options")
local plain = require("loyalhook.plain")

local contract = {}

local NAME_MAX, TYPES_MAX, TYPE_MAX = 64, 1000, 128
local WHOLE = "a whole number from %d to %d"

-- Kinds as options.check has them: how a field may be given.
contract.known = { name = "string", event_types = "table", handle = "function",
  when_unknown = "string", serial = "string", concurrency = "number", rate = "table",
  tries = "number", timeout_s = "number", from = "string", batch_max = "number",
  handle_batch = "function" }

local DEFAULTS = { when_unknown = "retry", concurrency = 16, tries = 10, timeout_s = 300,
  from = "head" }
local WORDS = { when_unknown = { "retry", "fail" }, serial = { "member" },
  from = { "head", "start" } }
local BOUNDS = { concurrency = { 1, 1024 }, tries = { 1, 100 }, batch_max = { 2, 1000 } }
local RATE = { count = true, per_s = true }
local TIMEOUT_S_MAX, RATE_MAX, RATE_S_MAX = 86400, 1000000, 86400

local function refuse(where, message, ...)
  return nil, where .. ": " .. message:format(...), "config"
end

local function shown(value)
  if type(value) == "string" then
    return '"' .. plain.line(value):sub(1, 60) .. '"'
  elseif value == nil then
    return "nothing"
  end
  return type(value) == "number" and tostring(value) or "a " .. type(value)
end

local function is_whole(value, bounds)
  return type(value) == "number" and value == math.floor(value) and value >= bounds[1]
    and value <= bounds[2]
end

local function article(kind)
  return (kind:find("^[aeiou]") and "an " or "a ") .. kind
end

-- Own fields and those that `known` names, which a metatable may give. Keys that are no names only
-- make it an unknown field.
local function fields_of(given, known)
  local copy = {}
  for name, value in next, given do
    local is_name = type(name) == "string" or type(name) == "number"
    copy[is_name and tostring(name) or "(a " .. type(name) .. ")"] = value
  end
  for name in pairs(known) do
    copy[name] = given[name]
  end
  return copy
end

local function list_of(given)
  local list = {}
  for index = 1, TYPES_MAX + 1 do
    list[index] = given[index]
    if list[index] == nil then
      break
    end
  end
  return list
end

-- All of a handler in plain tables. What its metatables do happens here and only once.
local function copy_of(handler)
  local copy = fields_of(handler, contract.known)
  if type(copy.event_types) == "table" then
    copy.event_types = list_of(copy.event_types)
  end
  if type(copy.rate) == "table" then
    copy.rate = fields_of(copy.rate, RATE)
  end
  return copy
end

local function check_kinds(handler, where)
  local unknown = options.unknown(handler, contract.known, "field")
  if unknown then
    return refuse(where, "%s", unknown)
  end
  for _, name in ipairs({ "name", "event_types", "handle" }) do
    if handler[name] == nil then
      return refuse(where, "%s: missing; a handler is { name =, event_types = { … }, "
        .. "handle = function(event, context) … end }", name)
    end
  end
  for name, kind in pairs(contract.known) do
    if handler[name] ~= nil and type(handler[name]) ~= kind then
      return refuse(where, "%s: expected %s, got %s", name, article(kind), shown(handler[name]))
    end
  end
  return true
end

local function check_words(handler, where)
  for name, words in pairs(WORDS) do
    local value, known = handler[name], false
    for _, word in ipairs(words) do
      known = known or value == word
    end
    if value ~= nil and not known then
      return refuse(where, '%s: expected "%s", got %s%s', name, table.concat(words, '" or "'),
        shown(value), nearest.hint(value, words))
    end
  end
  return true
end

local function check_numbers(handler, where)
  for name, bounds in pairs(BOUNDS) do
    if handler[name] ~= nil and not is_whole(handler[name], bounds) then
      return refuse(where, "%s: expected " .. WHOLE .. ", got %s", name, bounds[1], bounds[2],
        shown(handler[name]))
    end
  end
  local timeout_s = handler.timeout_s
  if timeout_s and not (timeout_s > 0 and timeout_s <= TIMEOUT_S_MAX) then
    return refuse(where, "timeout_s: expected seconds, more than 0 and at most %d, got %s",
      TIMEOUT_S_MAX, shown(timeout_s))
  elseif (handler.batch_max == nil) ~= (handler.handle_batch == nil) then
    return refuse(where, "batch_max and handle_batch: the one needs the other")
  end
  return true
end

-- The rate as the store has it: at most `count` starts in any `per_s` seconds, of which a tenth may
-- come at once.
local function rate_of(rate, where)
  if rate == nil then
    return {}
  end
  local unknown = options.unknown(rate, RATE, "field")
  if unknown then
    return refuse(where, "rate: %s", unknown)
  elseif not is_whole(rate.count, { 1, RATE_MAX }) then
    return refuse(where, "rate.count: expected " .. WHOLE .. ", got %s", 1, RATE_MAX,
      shown(rate.count))
  elseif type(rate.per_s) ~= "number" or not (rate.per_s > 0 and rate.per_s <= RATE_S_MAX) then
    return refuse(where, "rate.per_s: expected seconds, more than 0 and at most %d, got %s",
      RATE_S_MAX, shown(rate.per_s))
  end
  local burst = math.max(1, math.floor(rate.count / 10))
  return { interval_us = math.ceil(rate.per_s * 1000000 / (rate.count - burst + 1)),
    burst = burst }
end

local function check_type(selector, catalogue, where)
  if type(selector) ~= "string" then
    return refuse(where, "event_types: expected texts, got %s", shown(selector))
  elseif selector == "*" then
    return true
  end
  local category = selector:match("^category:(.*)$")
  if category or catalogue:get(selector) then
    local ok, message = catalogue:check_selector(selector)
    if not ok then
      return refuse(where, "event_types: %s", message)
    end
    return true
  elseif #selector > TYPE_MAX or selector == "" or selector:find("%c") then
    return refuse(where, "event_types: %s is no name of an event type", shown(selector))
  end
  local _, message = catalogue:check_selector(selector)
  return true, message
end

-- The types as the store takes them, and warnings. What nobody registered here may come all the
-- same: a receiver takes any type.
local function types_of(given, catalogue, where)
  local names, seen, warnings = {}, {}, {}
  local function add(name)
    if not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  if #given == 0 or #given > TYPES_MAX then
    return refuse(where, "event_types: expected 1 to %d event types", TYPES_MAX)
  end
  for _, selector in ipairs(given) do
    local ok, warning, code = check_type(selector, catalogue, where)
    if not ok then
      return nil, warning, code
    elseif warning then
      warnings[#warnings + 1] = ("%s: event_types: %s (it is waited for all the same; own types "
        .. "are listed in the setting types)"):format(where, warning)
    end
    for _, name in ipairs(selector:find("^category:") and catalogue:expand({ selector })
      or { selector }) do
      add(name)
    end
  end
  return seen["*"] and { "*" } or names, warnings
end

-- What the options of handlers that mean the same are for all of them.
local function filled_in(handler, parts)
  local copy = { name = handler.name, event_types = parts.event_types, serial = handler.serial,
    handle = handler.handle, handle_batch = handler.handle_batch, batch_max = handler.batch_max,
    interval_us = parts.rate.interval_us, burst = parts.rate.burst }
  for name, value in pairs(DEFAULTS) do
    copy[name] = handler[name] == nil and value or handler[name]
  end
  return copy
end

--- Checks one handler. where: what messages begin with, as its file; catalogue: the event types
-- that are known. Returns a copy { name, event_types (names, or "*"), handle, when_unknown, serial,
-- concurrency, interval_us, burst, tries, timeout_s, from, batch_max, handle_batch } and a list of
-- warnings; or nil, message, "config".
function contract.check(handler, where, catalogue)
  if type(handler) ~= "table" then
    return refuse(where, "expected a handler, got %s", shown(handler))
  end
  local read, copy = chunk.call(copy_of, handler)
  if not read then
    return refuse(where, "its fields cannot be read: %s", chunk.text(copy))
  end
  handler = copy
  local ok, message, code = check_kinds(handler, where)
  if not ok then
    return nil, message, code
  elseif not handler.name:find("^[a-z0-9_.-]+$") or #handler.name > NAME_MAX then
    return refuse(where, "name: expected 1 to %d of a-z 0-9 _ . - and got %s", NAME_MAX,
      shown(handler.name))
  end
  if not where:find("(" .. handler.name .. ")", 1, true) then
    where = ("%s (%s)"):format(where, handler.name)
  end
  ok, message, code = check_words(handler, where)
  if ok then
    ok, message, code = check_numbers(handler, where)
  end
  local parts = {}
  if ok then
    parts.rate, message, code = rate_of(handler.rate, where)
    ok = parts.rate
  end
  local warnings
  if ok then
    parts.event_types, warnings, code = types_of(handler.event_types, catalogue, where)
    ok, message = parts.event_types, warnings
  end
  if not ok then
    return nil, message, code
  end
  return filled_in(handler, parts), warnings
end

--- Checks a list of handlers that shall work in one worker. Returns checked copies and warnings, or
-- nil, message, "config".
function contract.check_all(list, catalogue)
  local checked, warnings, first = {}, {}, {}
  for index, handler in ipairs(list) do
    local where = ("handlers[%d]"):format(index)
    local copy, found, code = contract.check(handler, where, catalogue)
    if not copy then
      return nil, found, code
    elseif first[copy.name] then
      return refuse(where, 'a handler is named "%s" already (%s); names are unique in a worker',
        copy.name, first[copy.name])
    end
    first[copy.name], checked[index] = where, copy
    for _, warning in ipairs(found) do
      warnings[#warnings + 1] = warning
    end
  end
  return checked, warnings
end

return contract
