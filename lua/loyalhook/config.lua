-- The configuration of a deployment: flag > environment > loyalhook.lua >
-- default. Which settings exist is in settings.lua; here values are found,
-- checked and merged. loyalhook.lua is a Lua file that returns a table; it is
-- read as text (never bytecode) and run without any globals.

local core = require("loyalhook.core")
local events = require("loyalhook.events")
local nearest = require("loyalhook.nearest")
local plain = require("loyalhook.plain")
local settings = require("loyalhook.settings")
local smtp = require("loyalhook.notices.smtp")

local config = {}

local FILE_DEFAULT = "loyalhook.lua"
local FILE_BYTES_MAX = 1024 * 1024
local LIST_MAX = 1000
local INSTRUCTIONS_MAX = 10000000 -- a tenth of a second; a table takes some thousands

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

local readers = {}

function readers.text(_, value)
  if type(value) == "string" and value ~= "" and not value:find("[%z\n]") then
    return value
  end
  return nil, "a text"
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

-- The checked value of one setting, or nil, message, "config".
local function read_value(setting, value, where)
  local result, wanted, message = readers[setting.kind](setting, value)
  if result == nil then
    if message then
      return refuse("%s (%s)", message, where)
    end
    return refuse("%s: expected %s, got %s (%s)", setting.path, wanted, shown(value), where)
  end
  return result
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

-- What the environment says of the members of a table, over what the file says. Returns the merged
-- table (nil if there is nothing) and whether the environment said anything; or nil, nil, message.
local function overlay(setting, value, environment)
  local merged, said = nil, false
  for _, member in ipairs(setting.members) do
    local part, of_environment = value and value[member.name], false
    local text = member.environment and environment(member.environment)
    local message
    if member.members then
      part, of_environment, message = overlay(member, part, environment)
    elseif text and text ~= "" then
      part, message = read_value(member, text, member.environment)
      of_environment = true
    end
    if message then
      return nil, nil, message
    end
    said = said or of_environment
    if part ~= nil then
      merged = merged or {}
      merged[member.name] = part
    end
  end
  return merged, said
end

-- Opens by name, so that "not there" and "not readable" are told apart.
local function read_file(path, must_exist)
  local file, problem, number = io.open(path, "rb")
  if not file then
    if number == 2 and not must_exist then
      return nil
    end
    return refuse("%s", problem)
  end
  local text, read_problem = file:read(FILE_BYTES_MAX + 1)
  file:close()
  if not text and read_problem then
    return refuse("%s: %s", path, read_problem)
  elseif text and #text > FILE_BYTES_MAX then
    return refuse("%s: larger than %d bytes", path, FILE_BYTES_MAX)
  end
  return text or ""
end

local ENDLESS = {} -- raised into a chunk that goes on for too long

-- Calls a chunk that must not go on for ever. Returns what pcall does.
local function call_bounded(chunk)
  if rawget(_G, "jit") then
    jit.off(chunk, true) -- compiled code calls no hooks
  end
  local hook, mask, count = debug.gethook()
  debug.sethook(function()
    error(ENDLESS, 0)
  end, "", INSTRUCTIONS_MAX)
  local ok, result = pcall(chunk)
  debug.sethook(hook, mask, count)
  return ok, result
end

--- Runs the text of a configuration file and checks its keys. `name` is shown
-- in messages. Returns a table of checked settings, or nil, message, "config".
function config.parse(text, name)
  if text:byte(1) == 27 then
    return refuse("%s: bytecode is refused; a configuration is Lua text", name)
  end
  local chunk, problem = load((text:gsub("^\239\187\191", "")), "@" .. name, "t", {})
  if not chunk then
    return refuse("%s", problem)
  end
  local ok, result = call_bounded(chunk)
  if not ok and result == ENDLESS then
    return refuse("%s: still running after %d instructions, does it ever end?", name,
      INSTRUCTIONS_MAX)
  elseif not ok then
    return refuse("%s (the file runs without globals: only plain values work)",
      tostring(result))
  elseif type(result) ~= "table" then
    return refuse("%s: must return a table, got %s", name, type(result))
  end
  local values = {}
  for key, value in pairs(result) do
    local setting = settings.by_name[key]
    if not setting then
      return refuse("%s: unknown setting %s%s", name, shown(key),
        nearest.hint(tostring(key), settings.names))
    end
    local checked, message, code = read_value(setting, value, name)
    if checked == nil then
      return nil, message, code
    end
    values[key] = checked
  end
  return values
end

-- The tables among the settings, with the environment laid over them.
local function lay_over(values, origins, environment)
  for _, setting in ipairs(settings.list) do
    if setting.members then
      local merged, said, message = overlay(setting, values[setting.name], environment)
      if message then
        return nil, message, "config"
      end
      values[setting.name] = merged
      origins[setting.name] = said and "environment" or origins[setting.name]
    end
  end
  return true
end

-- What single values do not tell: whether the parts of a mail server fit together.
local function check_notices(notices)
  if not notices then
    return true
  end
  local ok, message, code = smtp.recipients(notices.to, "notices.to")
  if ok and notices.smtp then
    ok, message, code = smtp.check(notices.smtp)
  end
  if not ok then
    return nil, message, code
  end
  return true
end

local function load_file(options, environment)
  local named = options.file or environment("LOYALHOOK_CONFIG")
  if named == "" then
    named = nil
  end
  local path = named or FILE_DEFAULT
  local text, message, code = read_file(path, named ~= nil)
  if not text then
    if message then
      return nil, message, code
    end
    return {}, nil
  end
  local values
  values, message, code = config.parse(text, path)
  if not values then
    return nil, message, code
  end
  return values, path
end

-- Value and origin of one setting from the first place that has it.
local function choose(setting, flags, environment, file, path)
  local name = setting.name
  if flags[name] ~= nil then
    return flags[name], "flag", "--" .. name:gsub("_", "-")
  end
  local variable = setting.environment
  local text = variable and environment(variable)
  if text and text ~= "" then
    return text, "environment", variable
  elseif file[name] ~= nil then
    return file[name], "file", path
  end
  return setting.default, "default"
end

--- Reads the configuration. options (all optional): flags = { setting = value
-- as typed }, file = path of loyalhook.lua (else LOYALHOOK_CONFIG, else
-- ./loyalhook.lua if it exists), environment = function(name) (os.getenv).
-- Returns the settings as a table, and a table that says where each came from
-- ("flag", "environment", "file", "default"; `path` is the file that was read);
-- or nil, message, "config".
function config.load(options)
  options = options or {}
  local flags, environment = options.flags or {}, options.environment or os.getenv
  local file, path, code = load_file(options, environment)
  if not file then
    return nil, path, code
  end
  local values, origins = {}, { path = path }
  for _, setting in ipairs(settings.list) do
    local value, origin, where = choose(setting, flags, environment, file, path)
    if value ~= nil and origin ~= "default" then
      local message
      value, message, code = read_value(setting, value, where)
      if value == nil then
        return nil, message, code
      end
    end
    values[setting.name], origins[setting.name] = value, origin
  end
  for key in pairs(flags) do
    if not settings.by_name[key] then
      error("config.load: no setting " .. tostring(key), 2)
    end
  end
  local ok, message
  ok, message, code = lay_over(values, origins, environment)
  if ok then
    ok, message, code = check_notices(values.notices)
  end
  if not ok then
    return nil, message, code
  end
  return values, origins
end

return config
