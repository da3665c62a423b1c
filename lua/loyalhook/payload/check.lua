-- Checks an event's data table against payload/fields.lua and says where a
-- value is wrong. It changes nothing: numbers stay numbers, strings strings.
-- What comes back besides the verdict is the set of tables that are lists, so
-- that an empty one is written as [] and not as {}.

local fields = require("loyalhook.payload.fields")
local json = require("loyalhook.json")
local time = require("loyalhook.time")

-- loyalhook.core is asked for its null only where there is one to compare.
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
  if type(value) ~= "string" then
    return false
  end
  local month, day, year = value:match("^(%d%d)/(%d%d)/(%d%d%d%d)$")
  return month ~= nil and time.is_date(tonumber(year), tonumber(month), tonumber(day))
end

local function is_datetime(value)
  if type(value) ~= "string" then
    return false
  end
  local date, hour, minute, second = value:match("^(..........) (%d%d):(%d%d):(%d%d)$")
  return date ~= nil and is_date(date) and hour < "24" and minute < "60" and second < "61"
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

-- A refusal travels upwards as nil, the place below, and the sentence; the place
-- grows on the way, so that nothing is built for values that are right.
local function expected(what, value)
  return nil, "", ("expected %s, got %s"):format(what, shown(value))
end

local check_value -- any description; below

local function check_one_of(description, value)
  for _, allowed in ipairs(description.values) do
    if value == allowed then
      return true
    end
  end
  return expected("one of " .. table.concat(description.values, ", "), value)
end

local function check_list(description, value, arrays)
  if type(value) ~= "table" then
    return expected("a list", value)
  elseif next(value) == nil then
    arrays[value] = true
    return true
  elseif value[1] == nil then
    return nil, "", "expected a list, got a table with named entries"
  end
  for index, item in ipairs(value) do
    local ok, place, problem = check_value(description.item, item, arrays)
    if not ok then
      return nil, "[" .. index .. "]" .. place, problem
    end
  end
  return true
end

local function check_one_required(description, value)
  if not description.one_required then
    return true
  end
  for _, name in ipairs(description.one_required) do
    if value[name] ~= "" and not is_absent(value[name]) then
      return true
    end
  end
  return nil, "", ("one of %s is required"):format(table.concat(description.one_required, ", "))
end

local function check_object(description, value, arrays)
  if type(value) ~= "table" then
    return expected("an object", value)
  elseif value[1] ~= nil then
    return nil, "", "expected an object, got a list"
  end
  local members = description.members
  for _, name in ipairs(description.names) do
    local given = value[name]
    if given ~= nil then
      local ok, place, problem = check_value(members[name], given, arrays)
      if not ok then
        return nil, "." .. name .. place, problem
      end
    end
  end
  return check_one_required(description, value)
end

local KINDS = { object = check_object, list = check_list, one_of = check_one_of }

check_value = function(description, value, arrays)
  if is_absent(value) then
    return true
  end
  local simple = SIMPLE[description]
  if not simple then
    return KINDS[description.kind](description, value, arrays)
  elseif simple[2](value) then
    return true
  end
  return expected(simple[1], value)
end

--- Checks the data table of an event type's catalogue entry. Returns true and
-- the set of tables that are lists, or nil, message, "invalid".
return function(entry, data)
  local arrays = {}
  for _, name in ipairs(entry.data) do
    if fields.required[name] and is_absent(data[name]) then
      return nil, ("%s: missing; %s carries it"):format(name, entry.name), "invalid"
    end
  end
  for _, name in ipairs(fields.names) do
    if data[name] ~= nil then
      local ok, place, problem = check_value(fields.objects[name], data[name], arrays)
      if not ok then
        return nil, name .. place .. ": " .. problem, "invalid"
      end
    end
  end
  return true, arrays
end
