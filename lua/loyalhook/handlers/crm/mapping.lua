-- Which field of a contact gets what of an event: data that a merchant edits, target → source.
--
--   firstname = "member_info.first_name"                              the value at a path
--   loyalty_points = { from = "member_info.available_points", as = "number" }
--   loyalty_tags = { from = "member_info.member_tags", as = "list", separator = ";" }
--   loyalty_mails = { from = "member_info.email_subscription_status", equals = "subscribed" }
--   lead_source = { constant = "loyalty programme" }
--   loyalty_tier = false                                              not this one of the defaults
--
-- A value that is absent is left out, so that nothing is emptied by chance; clear = true empties
-- the field instead. A value that cannot be converted is left out too, and the log names the field.

local json = require("loyalhook.json")
local options = require("loyalhook.options")
local template = require("loyalhook.handlers.template")
local time = require("loyalhook.time")

local mapping = {}

local FIELDS_MAX = 500
local NUMBER_BYTES_MAX = 100 -- the pattern for numbers must not be tried on long texts
local KINDS = { from = "string", as = "string", separator = "string",
  equals = "string or number or boolean", constant = "string or number or boolean",
  clear = "boolean" }

-- A date as "YYYY-MM-DD", and the rest, of "MM/DD/YYYY…" (as members have it) or of RFC 3339.
local function date_parts(text)
  local month, day, year, rest = text:match("^(%d%d?)/(%d%d?)/(%d%d%d%d)(.*)$")
  if not month then
    year, month, day, rest = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$")
  end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if year and time.is_date(year, month, day) then
    return ("%04d-%02d-%02d"):format(year, month, day), rest
  end
end

-- Conversions: a value of the event as text, or nil if it is none. Numbers keep their digits.
local CONVERT = {}

function CONVERT.text(value)
  return template.text(value)
end

function CONVERT.number(value)
  local text = type(value) ~= "boolean" and template.text(value) or ""
  if #text > NUMBER_BYTES_MAX then
    return nil
  end
  local sign, whole, rest = text:match("^%s*([+-]?)0*(%d+)(%.?%d*)%s*$")
  if not whole then
    return nil
  end
  return (sign == "-" and "-" or "") .. whole .. (rest == "." and "" or rest)
end

function CONVERT.date(value)
  return (date_parts(type(value) == "string" and value or ""))
end

function CONVERT.datetime(value)
  local date, rest = date_parts(type(value) == "string" and value or "")
  if not date then
    return nil
  end
  local clock = rest:match("^ (%d%d:%d%d:%d%d)$")
  local ms = time.parse(date .. (clock and "T" .. clock .. "Z" or rest))
  return ms and time.format(ms)
end

function CONVERT.list(value, entry)
  if type(value) ~= "table" then
    return template.text(value)
  end
  local parts = {}
  for index, item in ipairs(value) do
    local text = template.text(item)
    if not text then
      return nil
    end
    parts[index] = text:gsub(entry.separator:gsub("%p", "%%%0"), " ")
  end
  return #parts > 0 and table.concat(parts, entry.separator) or nil
end

local TRUTHS = { ["true"] = "true", yes = "true", ["1"] = "true", ["false"] = "false",
  no = "false", ["0"] = "false" }

function CONVERT.boolean(value, entry)
  local text = template.text(value)
  if entry.equals ~= nil then
    return text and tostring(text == template.text(entry.equals)) or nil
  end
  return text and TRUTHS[text:lower()]
end

local function wrong_kind(entry)
  for key, kinds in pairs(KINDS) do
    local kind = type(entry[key])
    if kind ~= "nil" and not kinds:find(kind, 1, true) then
      return ("%s: expected a %s, got a %s"):format(key, kinds, kind)
    end
  end
end

local function check_entry(entry)
  if type(entry) == "string" then
    entry = { from = entry }
  elseif type(entry) ~= "table" then
    return nil, "expected a path, a table or false"
  end
  local as = entry.as or entry.equals ~= nil and "boolean" or "text"
  local problem = options.unknown(entry, KINDS, "key") or wrong_kind(entry)
  if not problem and (entry.from == nil) == (entry.constant == nil) then
    problem = "expected either from or constant"
  elseif not problem and not CONVERT[as] then
    problem = "as: expected text, number, date, datetime, list or boolean"
  elseif entry.separator == "" then
    problem = "separator: empty"
  end
  if problem then
    return nil, problem
  end
  return { from = entry.from, as = as, separator = entry.separator or ";", equals = entry.equals,
    constant = entry.constant, clear = entry.clear }
end

local function merged(given, defaults)
  local all = {}
  for _, part in ipairs({ defaults, given or {} }) do
    for target, source in pairs(part) do
      all[target] = source
    end
  end
  return all
end

--- Checks a mapping put over the defaults (both target → source). Returns what mapping.values
-- takes, or nil, message, "config".
function mapping.check(given, defaults, where)
  local list = {}
  for target, source in pairs(merged(given, defaults)) do
    if type(target) ~= "string" or not target:find("^[%w_]+$") then
      return nil, ("%s: %s is no name of a field"):format(where, tostring(target)), "config"
    elseif source ~= false then
      local entry, problem = check_entry(source)
      if not entry then
        return nil, ("%s.%s: %s"):format(where, target, problem), "config"
      end
      entry.target = target
      list[#list + 1] = entry
    end
  end
  if #list > FIELDS_MAX then
    return nil, ("%s: more than %d fields"):format(where, FIELDS_MAX), "config"
  end
  table.sort(list, function(a, b) return a.target < b.target end)
  return list
end

-- As text, or as what JSON has for it: numbers with the digits they came with.
local function shaped(text, as, native)
  if not native then
    return text
  elseif as == "boolean" then
    return text == "true"
  end
  return as == "number" and json.raw(text) or text
end

local function is_absent(value)
  return value == nil or value == "" or type(value) == "table" and next(value) == nil
end

--- The fields of one event: target → value. data: as view.of gives it. native = true: JSON's own
-- numbers, booleans, and null for an emptied field; else all texts, an emptied field being "".
-- unusable(target): called for a value that cannot be converted.
function mapping.values(list, data, native, unusable)
  local values = {}
  for _, entry in ipairs(list) do
    local value = entry.constant
    if value == nil then
      value = template.value(data, entry.from)
    end
    local text = not is_absent(value) and CONVERT[entry.as](value, entry) or nil
    if text then
      values[entry.target] = shaped(text, entry.as, native)
    elseif not is_absent(value) then
      unusable(entry.target)
    elseif entry.clear then
      values[entry.target] = native and json.null or ""
    end
  end
  return values
end

--- What the deletion of a member leaves in the contact: false for "ignore" (the default), else
-- field → text. Or nil, message, "config".
function mapping.check_delete(given, where)
  if given == nil or given == "ignore" then
    return false
  end
  local message = where .. ': expected "ignore" or a table field = "text"'
  if type(given) ~= "table" or next(given) == nil then
    return nil, message, "config"
  end
  for field, value in pairs(given) do
    if type(field) ~= "string" or type(value) ~= "string" then
      return nil, message, "config"
    end
  end
  return given
end

--- The words for what both CRMs do with an event that does not name its contact.
function mapping.check_without_id(given, where)
  if given ~= nil and given ~= "fail" and given ~= "skip" then
    return nil, where .. ': expected "fail" or "skip"', "config"
  end
  return true
end

return mapping
