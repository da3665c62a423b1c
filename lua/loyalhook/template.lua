-- Writes what is generated from settings.lua: the commented loyalhook.lua that
-- `init` leaves behind, and the settings table of the documentation.

local settings = require("loyalhook.settings")

local template = {}

local WIDTH = 78

-- Words of a text in lines of at most WIDTH columns, each with a prefix.
local function wrap(text, prefix)
  local lines, line = {}, prefix
  for word in text:gmatch("%S+") do
    if #line + #word + 1 > WIDTH and line ~= prefix then
      lines[#lines + 1] = line
      line = prefix
    end
    line = line .. (line == prefix and "" or " ") .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local function default_text(setting)
  if setting.default == nil then
    return setting.default_text
  elseif type(setting.default) == "string" then
    return '"' .. setting.default .. '"'
  end
  return tostring(setting.default)
end

local DEV = { allow_http = "true", allow_networks = '{ "127.0.0.0/8", "::1/128" }' }

-- LuaJIT looks for modules in the current folder first and would take this file
-- for the module of the same name. Read as a configuration it gets no argument.
local GUARD = [[
if ... == "loyalhook" then
  error("./loyalhook.lua is the configuration, not the module: in package.path, put the"
    .. " module's folder before ./")
end]]

--- The text of a commented loyalhook.lua. options.dev: allow http and loopback;
-- options.store: the location of the store, quoted into the file.
function template.file(options)
  options = options or {}
  local given = {}
  for name, text in pairs(options.dev and DEV or {}) do
    given[name] = text
  end
  if options.store then
    given.store = ("%q"):format(options.store):gsub("\\\n", "\\n")
  end
  local out = {
    "-- Settings of loyalhook. Each can also be set by a command-line option or",
    "-- an environment variable; those win over this file.",
    GUARD,
    "return {",
  }
  for _, setting in ipairs(settings.list) do
    out[#out + 1] = wrap(setting.description, "  -- ")
    out[#out + 1] = "  -- Default: " .. default_text(setting)
      .. (setting.environment and ". Environment: " .. setting.environment or "") .. "."
    local value = given[setting.name]
    local example = setting.example:gsub("\n  ", "\n  -- ")
    out[#out + 1] = (value and "  " or "  -- ") .. setting.name .. " = " .. (value or example)
      .. ","
    out[#out + 1] = ""
  end
  out[#out] = "}"
  return table.concat(out, "\n") .. "\n"
end

--- The settings as a Markdown table, for the documentation.
function template.reference()
  local out = { "| setting | default | environment | meaning |", "|---|---|---|---|" }
  for _, setting in ipairs(settings.leaves) do
    out[#out + 1] = ("| `%s` | %s | %s | %s |"):format(setting.path,
      setting.default == nil and setting.default_text or "`" .. default_text(setting) .. "`",
      setting.environment and "`" .. setting.environment .. "`" or "file only",
      setting.description)
  end
  return table.concat(out, "\n") .. "\n"
end

return template
