-- Which names a template may use: what is published of an event's data (payload/fields.lua), the
-- merchant's own `program`, what the handler adds, and further fields that a merchant says he has.
-- A name that is none of these is a misspelt one, which would be an empty place in a mail.

local events = require("loyalhook.events")
local found = require("loyalhook.handlers.email.found")
local nearest = require("loyalhook.nearest")
local payload = require("loyalhook.payload.fields")

local known = {}

local EVENT = { "id", "event_type", "source", "received_at" }
local PROGRAM = { "name", "url", "address", "support" } -- allowed even where they are not set

local function has(list, name)
  for _, entry in ipairs(list) do
    if entry == name then
      return true
    end
  end
  return false
end

local function keys_of(path)
  local keys = {}
  for key in path:gmatch("[^.]+") do
    keys[#keys + 1] = key
  end
  return keys
end

local function misspelt(prefix, key, names)
  local full = {}
  for index, name in ipairs(names) do
    full[index] = prefix .. name
  end
  return ("no field %s%s is known%s"):format(prefix, key, nearest.hint(prefix .. key, full))
end

-- Walks a description of payload/fields.lua. nil if the rest of the path fits, else what is wrong.
local function walk(description, keys, index, prefix)
  local key = keys[index]
  if key == nil then
    return nil
  elseif type(description) == "string" or description.kind == "one_of" then
    return ("%s has no parts"):format(prefix:sub(1, -2))
  elseif description.kind == "list" then
    if not key:find("^%d+$") then
      return ("%s is a list: its entries are %s1 and so on"):format(prefix:sub(1, -2), prefix)
    end
    return walk(description.item, keys, index + 1, prefix .. key .. ".")
  elseif #description.names == 0 then
    return nil -- any name
  end
  local inner = description.members[key]
  if not inner then
    return misspelt(prefix, key, description.names)
  end
  return walk(inner, keys, index + 1, prefix .. key .. ".")
end

-- By the first name of a path: what is wrong with the rest, or nil.
local roots = {}

function roots.event(keys)
  if not has(EVENT, keys[2]) or keys[3] then
    return misspelt("event.", table.concat(keys, ".", 2), EVENT)
  end
end

function roots.found(keys)
  if not has(found.names, keys[2]) or keys[3] then
    return misspelt("found.", table.concat(keys, ".", 2), found.names)
  end
end

function roots.unsubscribe_url(keys)
  if keys[2] then
    return "unsubscribe_url has no parts"
  end
end

function roots.program(keys, setting)
  if keys[2] and not keys[3] and (has(PROGRAM, keys[2]) or setting.program[keys[2]] ~= nil) then
    return nil
  end
  local names = { "name", "url", "address", "support" }
  for name in pairs(setting.program) do
    if not has(PROGRAM, name) then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return misspelt("program.", table.concat(keys, ".", 2), names)
end

local ROOTS = { "event", "found", "program", "unsubscribe_url" }
for _, name in ipairs(payload.names) do
  ROOTS[#ROOTS + 1] = name
  roots[name] = function(keys)
    return walk(payload.objects[name], keys, 2, name .. ".")
  end
end

-- Whether the merchant says that there is such a field, or an object around it.
local function is_extra(path, fields)
  for _, field in ipairs(fields) do
    if path == field or path:sub(1, #field + 1) == field .. "." then
      return true
    end
  end
  return false
end

--- Why a template of this event type may not use a path, or nil. setting: program = { … } and
-- fields = { further paths } as a merchant gives them.
function known.refuse(path, event_type, setting)
  local keys = keys_of(path)
  local root = roots[keys[1]]
  if is_extra(path, setting.fields) then
    return nil
  elseif root then
    return root(keys, setting)
  elseif not events.get(event_type) then
    return nil -- a type of the merchant's own: nothing is known of its data
  end
  return misspelt("", keys[1], ROOTS)
end

return known
