-- The configuration of a deployment: flag > environment > loyalhook.lua >
-- default. Which settings exist is in settings.lua; here values are found,
-- checked and merged. loyalhook.lua is a Lua file that returns a table; it is
-- read as text (never bytecode) and run without any globals.

local chunk = require("loyalhook.config.chunk")
local nearest = require("loyalhook.nearest")
local readers = require("loyalhook.config.readers")
local settings = require("loyalhook.settings")
local smtp = require("loyalhook.notices.smtp")

local config = {}

local FILE_DEFAULT = "loyalhook.lua"

local function refuse(message, ...)
  return nil, message:format(...), "config"
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
      part, message = readers.read(member, text, member.environment)
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

--- Runs the text of a configuration file and checks its keys. `name` is shown
-- in messages. Returns a table of checked settings, or nil, message, "config".
function config.parse(text, name)
  local compiled, problem = chunk.compile(text, name, {})
  if not compiled then
    return refuse("%s", problem)
  end
  local ok, result, endless = chunk.call(compiled)
  if not ok and endless then
    return refuse("%s: %s", name, result)
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
      return refuse("%s: unknown setting %s%s", name, readers.shown(key),
        nearest.hint(tostring(key), settings.names))
    end
    local checked, message, code = readers.read(setting, value, name)
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
  local text, message, is_absent = chunk.read(path)
  if not text and is_absent and not named then
    return {}, nil
  elseif not text then
    return nil, message, "config"
  end
  local values, code
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
      value, message, code = readers.read(setting, value, where)
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
