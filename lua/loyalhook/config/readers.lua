-- How single settings are read: one reader for each kind that settings.lua names. A
-- reader gets the setting, its value (a text where it comes from the environment or
-- a flag) and where that stands; it returns what the program uses, or nil and what
-- was expected, or nil, nil and a whole message. config.lua finds the values.

local core = require("loyalhook.core")
local events = require("loyalhook.events")
local nearest = require("loyalhook.nearest")
local plain = require("loyalhook.plain")
local sources = require("loyalhook.receiver.sources")

local LIST_MAX = 1000

local TRUE = { ["1"] = true, ["true"] = true, yes = true, on = true }
local FALSE = { ["0"] = true, ["false"] = true, no = true, off = true }

local function refuse(message, ...)
  return nil, message:format(...), "config"
end

local function shown(value)
  if type(value) ~= "string" then
    return type(value) == "table" and "a table" or tostring(value)
  end
  return '"' .. plain.without_tokens(value):sub(1, 60):gsub("%c", "?") .. '"'
end

local module, readers = {}, {}

function readers.text(_, value)
  if type(value) == "string" and value ~= "" and not value:find("[%z\n]") then
    return value
  end
  return nil, "a text"
end

-- Where browsers reach a server: a name or address as their Host header has it, perhaps a port, and
-- a path of whatever stands in front.
function readers.url(_, value)
  local address = type(value) == "string" and value:match("^https?://(.+)$") or ""
  local rest = address:match("^[%w.-]+(.*)$") or address:match("^%[[%x:.]+%](.*)$")
  local path = rest and (rest:match("^:%d+(.*)$") or rest)
  if path == "" or path and path:find("^/[^?#%s%c]*$") then
    return value
  end
  return nil, "https:// or http:// and a name, perhaps with a port"
end

-- A flag given as text comes from the environment.
function readers.flag(_, value)
  if type(value) == "boolean" then
    return value
  elseif type(value) == "string" and TRUE[value:lower()] then
    return true
  elseif type(value) == "string" and FALSE[value:lower()] then
    return false
  end
  return nil, "true or false"
end

function readers.integer(setting, value)
  local number = value
  if type(value) == "string" then
    number = value:find("^%d+$") and #value < 16 and tonumber(value) or nil
  end
  if type(number) == "number" and number == math.floor(number) and number >= setting.min
    and number <= setting.max then
    return math.floor(number)
  end
  return nil, ("a whole number from %d to %d"):format(setting.min, setting.max)
end

function readers.choice(setting, value)
  for _, allowed in ipairs(setting.values) do
    if value == allowed then
      return value
    end
  end
  return nil, "one of " .. table.concat(setting.values, ", ")
end

-- A list is a table, or in the environment and in a flag a text with commas.
function readers.list(_, value)
  local list = {}
  if type(value) == "string" then
    for part in value:gmatch("[^,]+") do
      list[#list + 1] = part:match("^%s*(.-)%s*$")
    end
  elseif type(value) == "table" then
    for index, part in ipairs(value) do
      list[index] = part
    end
  else
    return nil, "a list of texts"
  end
  for key in pairs(type(value) == "table" and value or {}) do
    if type(key) ~= "number" or list[key] == nil then
      return nil, "a list of texts"
    end
  end
  for _, part in ipairs(list) do
    if type(part) ~= "string" or part == "" then
      return nil, "a list of texts"
    end
  end
  if #list > LIST_MAX then
    return nil, ("at most %d texts"):format(LIST_MAX)
  end
  return list
end

-- The core knows what a network is; it raises for anything else.
function readers.networks(setting, value)
  local list, wanted = readers.list(setting, value)
  for _, part in ipairs(list or {}) do
    local ok, problem = pcall(core.address_refused, "127.0.0.1", { part })
    if not ok then
      return nil, nil, setting.name .. ": " .. (problem:match("%((.*)%)$") or problem)
    end
  end
  return list, wanted
end

function readers.types(_, value)
  if type(value) ~= "table" then
    return nil, "a list of { name =, category =, description = }"
  end
  local catalogue, message = events.new(value)
  if not catalogue then
    return nil, nil, message
  end
  return value
end

-- Read as they are; whoever opens a receiver checks again. No message shows a secret.
function readers.sources(_, value)
  local checked, message = sources.check(value)
  if not checked then
    return nil, nil, message
  end
  return value
end

local HANDLERS_MAX, PLAIN_DEPTH_MAX = 1000, 16

-- nil if a value is made of texts, numbers, flags and tables of them; else what it is not.
local function not_plain(value, depth)
  local kind = type(value)
  if kind == "string" or kind == "number" or kind == "boolean" then
    return nil
  elseif kind ~= "table" then
    return "a " .. kind
  elseif depth > PLAIN_DEPTH_MAX then
    return "too deep a table"
  end
  for key, part in pairs(value) do
    local problem = not_plain(key, depth + 1) or not_plain(part, depth + 1)
    if problem then
      return problem
    end
  end
  return nil
end

-- nil, or what is wrong with the form of a handler's entry: its options are its own business.
local function not_entry(entry)
  if type(entry) ~= "table" or (type(entry.use) == "string") == (type(entry.file) == "string") then
    return "expected { use = NAME, … } or { file = PATH, … }, got " .. shown(entry)
  end
  local problem = not_plain(entry, 1)
  return problem and ("expected plain values as options, got %s; what needs code is a file of its"
    .. " own"):format(problem)
end

function readers.handlers(_, value)
  local wanted = "a list of { use = NAME, … } or { file = PATH, … }"
  if type(value) ~= "table" or #value > HANDLERS_MAX then
    return nil, wanted
  end
  for index in pairs(value) do
    if type(index) ~= "number" or index < 1 or index > #value then
      return nil, wanted
    end
  end
  for index = 1, #value do
    local problem = not_entry(value[index])
    if problem then
      return nil, nil, ("handlers[%d]: %s"):format(index, problem)
    end
  end
  return value
end

local function member_of(setting, name)
  local names = {}
  for index, member in ipairs(setting.members) do
    if member.name == name then
      return member
    end
    names[index] = member.name
  end
  return nil, ("%s: unknown setting %s%s"):format(setting.path, shown(name),
    nearest.hint(tostring(name), names))
end

-- A table of settings: only in the file.
function readers.table(setting, value, where)
  if type(value) ~= "table" then
    return nil, "a table"
  end
  local read = {}
  for name, part in pairs(value) do
    local member, message = member_of(setting, name)
    if not member then
      return nil, nil, message
    end
    local result, wanted
    result, wanted, message = readers[member.kind](member, part, where)
    if result == nil then
      return nil, nil, message or ("%s: expected %s, got %s"):format(member.path, wanted,
        member.name:find("password", 1, true) and "something else" or shown(part))
    end
    read[name] = result
  end
  return read
end

--- The checked value of one setting, or nil, message, "config".
function module.read(setting, value, where)
  local result, wanted, message = readers[setting.kind](setting, value)
  if result == nil then
    if message then
      return refuse("%s (%s)", message, where)
    end
    return refuse("%s: expected %s, got %s (%s)", setting.path, wanted, shown(value), where)
  end
  return result
end

--- A value as a message may show it.
module.shown = shown

return module
