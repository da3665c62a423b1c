-- The one JSON document that a command prints with --json. Its keys come in the order written here
-- and absent values are null, so that people can read it and scripts find every pinned field.
-- (Event data passes through here only as the bytes it came with: document.raw.)

local json = require "loyalhook.json"
local plain = require "loyalhook.plain"

local document = {}

local LIST, OBJECT, RAW = getmetatable(json.array()), {}, {}

--- Shown as null.
document.null = setmetatable({}, { __tostring = function() return "null" end })

--- An array, also if it is empty. Its values may be anything that encode takes.
document.list = json.array

--- An object with its keys in the order given: "key", value, "key", value …; nil is null.
function document.object(...)
  local members = {}
  for index = 1, select("#", ...), 2 do
    local key, value = select(index, ...)
    if value == nil then
      value = document.null
    end
    members[#members + 1] = { key, value }
  end
  return setmetatable(members, OBJECT)
end

--- An object of the named fields of a row, in that order; absent ones are null.
function document.pick(row, names)
  local members = {}
  for index, name in ipairs(names) do
    local value = row[name]
    if value == nil then
      value = document.null
    end
    members[index] = { name, value }
  end
  return setmetatable(members, OBJECT)
end

--- Strict JSON that is shown as it stands (nil: null), but safe for a terminal.
function document.raw(text)
  return text and setmetatable({ text = text }, RAW) or document.null
end

local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then
    return "null"
  elseif value % 1 == 0 and value >= -2 ^ 63 and value < 2 ^ 63 then
    return ("%d"):format(value)
  end
  return ("%.14g"):format(value)
end

local encode

local function members_of(value)
  if getmetatable(value) == OBJECT then
    return value
  end
  local members = {}
  for key, item in pairs(value) do
    members[#members + 1] = { tostring(key), item }
  end
  table.sort(members, function(left, right) return left[1] < right[1] end)
  return members
end

local function container(value)
  local parts = {}
  local mark = getmetatable(value)
  if mark == RAW then
    return plain.json_text(value.text)
  elseif mark == LIST or (mark ~= OBJECT and #value > 0) then
    for index, item in ipairs(value) do
      parts[index] = encode(item)
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for index, member in ipairs(members_of(value)) do
    parts[index] = plain.json(member[1]) .. ":" .. encode(member[2])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- The text of a value: string, number, boolean, list, object, or a plain table (an array if it has
--- a first element, else an object with its keys sorted). Anything else, as cjson's null, is null.
function encode(value)
  local kind = type(value)
  if value == document.null then
    return "null"
  elseif kind == "string" then
    return plain.json(value)
  elseif kind == "number" then
    return number(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind == "table" then
    return container(value)
  end
  return "null"
end

document.encode = encode

return document
