-- Checks an event's data table against payload/fields.lua and says where a
-- value is wrong. It changes nothing: numbers stay numbers, strings strings.
-- What comes back besides the verdict is the set of tables that are lists, so
-- that an empty one is written as [] and not as {}.

local fields = require("loyalhook.payload.fields")
local json = require("loyalhook.json")
local time = require("loyalhook.time")

-- lua-cjson is asked for its null only where there is one to compare.
local function is_absent(value)
  return value == nil or type(value) == "userdata" and value == json.null
end

local function shown(value)
  local kind = type(value)
  if kind == "string" then
    return '"' .. value:sub(1, 40):gsub("[%c\128-\255]", "?") .. '"'
  elseif kind == "number" or kind == "boolean" then
    return tostring(value)
  end
  return kind
end

local function is_number(value)
  return type(value) == "number"
    or type(value) == "string" and (value:find("^%-?%d+$") or value:find("^%-?%d+%.%d+$")) ~= nil
end

local function is_date(value)
  local month, day, year = tostring(value):match("^(%d%d)/(%d%d)/(%d%d%d%d)$")
  return type(value) == "string" and month ~= nil
    and time.is_date(tonumber(year), tonumber(month), tonumber(day))
end

local function is_datetime(value)
  local date, hour, minute, second =
    tostring(value):match("^(%d%d/%d%d/%d%d%d%d) (%d%d):(%d%d):(%d%d)$")
  return date ~= nil and is_date(date) and tonumber(hour) < 24 and tonumber(minute) < 60
    and tonumber(second) < 61
end

-- kind → what it is for people, and the test.
local SIMPLE = {
  text = { "a string", function(value)
    return type(value) == "string"
  end },
  id = { "a string or a number", function(value)
    return type(value) == "string" or type(value) == "number"
  end },
  number = { "a number or a string of digits", is_number },
  date = { "a date as MM/DD/YYYY", is_date },
  datetime = { "a time as MM/DD/YYYY HH:MM:SS", is_datetime },
  any_date = { "a date as MM/DD/YYYY, with or without HH:MM:SS", function(value)
    return is_date(value) or is_datetime(value)
  end },
}

local function expected(path, what, value)
  return nil, ("%s: expected %s, got %s"):format(path, what, shown(value)), "invalid"
end

local check_value -- any description; below

local function check_one_of(description, value, path)
  for _, allowed in ipairs(description.values) do
    if value == allowed then
      return true
    end
  end
  return expected(path, "one of " .. table.concat(description.values, ", "), value)
end

local function check_list(description, value, path, state)
  if type(value) ~= "table" then
    return expected(path, "a list", value)
  end
  if next(value) == nil then
    state.arrays[value] = true
    return true
  elseif value[1] == nil then
    return expected(path, "a list", "a table with named entries")
  end
  for index, item in ipairs(value) do
    local ok, message, code =
      check_value(description.item, item, path .. "[" .. index .. "]", state)
    if not ok then
      return nil, message, code
    end
  end
  return true
end

local function check_one_required(description, value, path)
  if not description.one_required then
    return true
  end
  for _, name in ipairs(description.one_required) do
    if value[name] ~= "" and not is_absent(value[name]) then
      return true
    end
  end
  return nil, ("%s: one of %s is required"):format(path,
    table.concat(description.one_required, ", ")), "invalid"
end

local function check_object(description, value, path, state)
  if type(value) ~= "table" or value[1] ~= nil then
    return expected(path, "an object", type(value) == "table" and "a list" or value)
  end
  for _, name in ipairs(description.names) do
    local given = value[name]
    if given ~= nil then
      local ok, message, code =
        check_value(description.members[name], given, path .. "." .. name, state)
      if not ok then
        return nil, message, code
      end
    end
  end
  return check_one_required(description, value, path)
end

local KINDS = { object = check_object, list = check_list, one_of = check_one_of }

check_value = function(description, value, path, state)
  if is_absent(value) then
    return true
  end
  local simple = SIMPLE[description]
  if simple then
    if simple[2](value) then
      return true
    end
    return expected(path, simple[1], value)
  end
  return KINDS[description.kind](description, value, path, state)
end

--- Checks the data table of an event type's catalogue entry. Returns true and
-- the set of tables that are lists, or nil, message, "invalid".
return function(entry, data)
  local state = { arrays = {} }
  for _, name in ipairs(entry.data) do
    if fields.required[name] and is_absent(data[name]) then
      return nil, ("%s: missing; %s carries it"):format(name, entry.name), "invalid"
    end
  end
  for _, name in ipairs(fields.names) do
    if data[name] ~= nil then
      local ok, message, code = check_value(fields.objects[name], data[name], name, state)
      if not ok then
        return nil, message, code
      end
    end
  end
  return true, state.arrays
end
