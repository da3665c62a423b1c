-- Kinds of values that requests carry: each is { text = reads one from a query, value
-- = checks one of a JSON body }. Both return the value, or nil and what was expected.
-- Pure.

local core = require("loyalhook.core")
local json = require("loyalhook.json")
local nearest = require("loyalhook.nearest")
local plain = require("loyalhook.plain")
local time = require("loyalhook.time")

local kinds = {}

local SHOWN_MAX = 60
local LIMIT_MAX = 200 -- of a page; the library's own is for programs on the same machine
local INTEGER_MAX = 2 ^ 53

-- A text for both; `expected` says in a message what it must be.
local function text_kind(expected, is_one)
  local function check(value)
    if type(value) == "string" and is_one(value) then
      return value
    end
    return nil, expected
  end
  return { text = check, value = check }
end

local function pattern_kind(expected, pattern, most)
  return text_kind(expected, function(value)
    return #value <= most and value:find(pattern) ~= nil and not value:find("[\128-\255]")
  end)
end

kinds.id = text_kind("24 lower-case hex digits", function(value)
  return #value == 24 and not value:find("[^0-9a-f]")
end)
kinds.account = pattern_kind("1 to 64 of the characters A-Z a-z 0-9 . _ -", "^[%w._-]+$", 64)
kinds.source = kinds.account
kinds.event_type = pattern_kind("1 to 64 of the characters a-z 0-9 _ .", "^[%l%d_.]+$", 64)
kinds.handler = pattern_kind("1 to 64 of the characters a-z 0-9 _ . -", "^[%l%d_.-]+$", 64)
kinds.user = pattern_kind("1 to 64 of the characters A-Z a-z 0-9 . _ @ + -", "^[%w._@+-]+$", 64)
kinds.cursor = pattern_kind("a cursor that a list returned", "^[1-9]%d*$", 18)

--- Text of so many bytes at most, without control characters.
function kinds.words(most)
  return text_kind(("text of 1 to %d bytes without control characters"):format(most),
    function(value)
      return #value >= 1 and #value <= most and not value:find("[%z\1-\31\127]")
    end)
end

--- Any text of so many bytes at most; it may be a secret, so no message shows it.
function kinds.any(most)
  return text_kind(("text of 1 to %d bytes"):format(most), function(value)
    return #value >= 1 and #value <= most
  end)
end

--- One of a list of words.
function kinds.choice(words)
  return text_kind("one of " .. table.concat(words, ", "), function(value)
    for _, word in ipairs(words) do
      if value == word then
        return true
      end
    end
    return false
  end)
end

kinds.flag = {
  text = function(value)
    if value == "true" or value == "false" then
      return value == "true"
    end
    return nil, "true or false"
  end,
  value = function(value)
    if type(value) == "boolean" then
      return value
    end
    return nil, "true or false"
  end,
}

--- A whole number in a range.
function kinds.integer(least, most)
  local expected = ("a whole number from %d to %d"):format(least, most)
  local function check(value)
    if type(value) == "number" and value == math.floor(value) and value >= least
      and value <= most and math.abs(value) <= INTEGER_MAX then
      return math.floor(value)
    end
    return nil, expected
  end
  return { value = check, text = function(value)
    return check(value:find("^%d+$") and #value <= 15 and tonumber(value) or nil)
  end }
end

kinds.limit = kinds.integer(1, LIMIT_MAX)

-- A moment that people write, as milliseconds.
local function since(value)
  local ms = type(value) == "string" and time.since(value, core.now_ms())
  if ms then
    return ms
  end
  return nil, "RFC 3339, or a length of time ago such as 30m, 2h, 7d"
end
kinds.since = { text = since, value = since }

local function moment(value)
  local ms = type(value) == "string" and time.parse(value)
  if ms then
    return ms
  end
  return nil, "RFC 3339 like 2024-05-01T10:00:00Z"
end
kinds.time = { text = moment, value = moment }

--- A list of so many values of a kind; also false if an entry is none.
function kinds.list(kind, least, most)
  local expected = least == most and ("a list of %d"):format(least)
    or ("a list of %d to %d"):format(least, most)
  return { value = function(list)
    if type(list) ~= "table" or getmetatable(list) ~= getmetatable(json.array()) then
      return nil, expected
    elseif #list < least or #list > most then
      return nil, ("%s, got %d"):format(expected, #list)
    end
    local checked = {}
    for index, value in ipairs(list) do
      local good, wanted = kind.value(value)
      if good == nil then
        return nil, ("%s; entry %d is not %s"):format(expected, index, wanted)
      end
      checked[index] = good
    end
    return checked
  end }
end

--- A value of a kind, or null, which is given as json.null.
function kinds.or_null(kind)
  return { value = function(value)
    if value == json.null then
      return value
    end
    local good, expected = kind.value(value)
    return good, expected and expected .. ", or null"
  end }
end

--- An object: name → kind; `required` names those that must be there.
function kinds.object(members, required)
  return { members = members, required = required or {}, value = function(value)
    local checked, errors = kinds.check(members, required or {}, value)
    return checked, errors and ("right at %s: %s"):format(errors[1].field, errors[1].detail)
  end }
end

--- Anything that JSON can say.
kinds.anything = { value = function(value)
  return value
end }

--- What is wrong with a member.
function kinds.wrong(name, expected)
  return { field = name, code = "invalid", detail = "expected " .. expected }
end

--- A foreign name, made harmless for a message.
function kinds.shown(name)
  return plain.line(name:sub(1, plain.whole(name, SHOWN_MAX)))
end

--- The keys of a map, sorted.
function kinds.names_of(map)
  local names = {}
  for name in pairs(map) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- What is wrong with a name that is none of `known`'s keys.
function kinds.unknown(what, name, known)
  return { field = kinds.shown(name), code = "invalid",
    detail = ("unknown %s %s%s"):format(what, kinds.shown(name),
      nearest.hint(name, kinds.names_of(known))) }
end

--- An object's members: name → kind, and which must be there. Returns the checked ones, or nil and
-- a list of { field, code, detail }.
function kinds.check(members, required, given)
  if type(given) ~= "table" or getmetatable(given) == getmetatable(json.array()) then
    return nil, { { field = "body", code = "invalid", detail = "expected an object" } }
  end
  local checked, errors = {}, {}
  for _, name in ipairs(kinds.names_of(given)) do
    if not members[name] then
      errors[#errors + 1] = kinds.unknown("member", name, members)
    else
      local value, expected = members[name].value(given[name])
      if value == nil then
        errors[#errors + 1] = kinds.wrong(name, expected)
      end
      checked[name] = value
    end
  end
  for _, name in ipairs(required) do
    if given[name] == nil then
      errors[#errors + 1] = { field = name, code = "invalid", detail = "missing" }
    end
  end
  if #errors > 0 then
    return nil, errors
  end
  return checked
end

return kinds
