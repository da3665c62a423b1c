-- Checks the table that describes a webhook, or an edit of one, before the store sees it:
-- names, kinds, and that every subscription names something. Ranges and the
-- URL are the core's business. Such tables come from people and from the API,
-- so whatever is wrong is a returned message, never a raised error.

local fields = require("loyalhook.fields")
local options = require("loyalhook.options")
local plain = require("loyalhook.plain")

local kinds = {}

function kinds.text(value)
  return type(value) == "string", "a string"
end

function kinds.flag(value)
  return type(value) == "boolean", "true or false"
end

function kinds.integer(value)
  return type(value) == "number" and value == math.floor(value) and math.abs(value) <= 2 ^ 53,
    "a whole number"
end

local function all_of(value, kind)
  if type(value) ~= "table" then
    return false
  end
  local count = 0
  for _ in pairs(value) do
    count = count + 1
  end
  for index = 1, count do
    if not kind(value[index]) then
      return false
    end
  end
  return true
end

function kinds.texts(value)
  return all_of(value, kinds.text), "a list of strings"
end

function kinds.integers(value)
  return all_of(value, kinds.integer), "a list of whole numbers"
end

function kinds.map(value)
  if type(value) ~= "table" then
    return false, "a table of strings by name"
  end
  for name, text in pairs(value) do
    if type(name) ~= "string" or type(text) ~= "string" then
      return false, "a table of strings by name"
    end
  end
  return true
end

-- Whether an emitter, perhaps one with types that this program does not have, has stored an event
-- that the selector means. nil, message, code if that cannot be found out.
local function is_stored(selector, stored_types)
  local types, message, code = stored_types()
  if not types then
    return nil, message, code
  end
  local category = selector:match("^category:(.*)$")
  for _, entry in ipairs(types) do
    if category and entry.category == category or entry.name == selector then
      return true
    end
  end
  return false
end

local function check_subscriptions(selectors, catalogue, stored_types)
  if #selectors == 0 then
    return nil, "event_types: at least one is needed (a type, category:NAME or *)", "invalid"
  end
  for _, selector in ipairs(selectors) do
    local ok, message, code = catalogue:check_selector(selector)
    if code == "unknown_type" then
      local known, problem, problem_code = is_stored(selector, stored_types)
      if known == nil then
        return nil, problem, problem_code
      end
      ok = known
    end
    if not ok then
      return nil, "event_types: " .. message, code
    end
  end
  return true
end

local REQUIRED = { "name", "url", "event_types" }
local NEW_ONLY = { account = "an account keeps its webhooks; create one in the other account",
  secret = "a secret is changed by rotating it" }

-- A number is shown, so that a whole number is not missed in vain.
local function shown(value)
  return type(value) == "number" and ("%.14g"):format(value) or type(value)
end

local function check_kinds(given)
  local unknown = options.unknown(given, fields.webhook_settings, "field")
  if unknown then
    return nil, unknown, "invalid"
  end
  for name, kind in pairs(fields.webhook_settings) do
    if given[name] ~= nil then
      local ok, expected = kinds[kind](given[name])
      if not ok then
        return nil, ("%s: expected %s, got %s"):format(name, expected, shown(given[name])),
          "invalid"
      end
    end
  end
  return true
end

local checks = {}

--- Checks the table of a new webhook; returns true, or nil, "field: what is wrong", code.
-- stored_types: a function that returns the { name, category } of every type in the store, asked
-- if the catalogue lacks one.
function checks.new(given, catalogue, stored_types)
  local ok, message, code = check_kinds(given)
  if not ok then
    return nil, message, code
  end
  for _, name in ipairs(REQUIRED) do
    if given[name] == nil then
      return nil, name .. ": missing", "invalid"
    end
  end
  return check_subscriptions(given.event_types, catalogue, stored_types)
end

--- The same for the fields of an edit.
function checks.edit(given, catalogue, stored_types)
  for name, instead in pairs(NEW_ONLY) do
    if given[name] ~= nil then
      return nil, name .. ": " .. instead, "invalid"
    end
  end
  local ok, message, code = check_kinds(given)
  if not ok or given.event_types == nil then
    return ok, message, code
  end
  return check_subscriptions(given.event_types, catalogue, stored_types)
end

--- What of a webhook's settings may stand in the audit log: the secret and the values of headers
-- do not, nor what of the URL may be a token.
function checks.noted(given)
  local noted = {}
  for name, value in pairs(given) do
    noted[name] = value
  end
  noted.secret, noted.headers = nil, given.headers and "set"
  noted.url = given.url and plain.without_tokens(given.url)
  return noted
end

return checks
