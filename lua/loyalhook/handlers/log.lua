-- Writes a line to the worker's log for each event: which, of what type, from where. Nothing of the
-- member unless the settings name fields: logs are kept longer and read by more people than a CRM.

local options = require("loyalhook.options")
local policy = require("loyalhook.handlers.policy")
local template = require("loyalhook.handlers.template")
local view = require("loyalhook.handlers.view")

local log = {}

local WHERE = "log"
local LEVELS = { debug = true, info = true, warn = true, error = true }
local KNOWN = policy.known({ level = "string", fields = "table" })

-- Name of the field in the line → path.
local function check_fields(given)
  local fields = {}
  for name, path in pairs(given or {}) do
    if type(path) ~= "string" then
      return nil, WHERE .. ".fields: expected paths, or name = path", "config"
    end
    local shown = type(name) == "string" and name or path:match("[^.]*$")
    if not shown:find("^[%w_]+$") then
      return nil, ("%s.fields: %s is no name of a field"):format(WHERE, shown), "config"
    end
    fields[shown] = path
  end
  return fields
end

local function handle(self, event, context)
  local data = view.of(event)
  local line = { event = event.id, event_type = event.event_type, source = event.source }
  for name, path in pairs(self.fields) do
    local value = template.value(data, path)
    line[name] = template.text(value) or value ~= nil and "(a list or an object)" or nil
  end
  context.log(self.level, "event received", line)
  return true
end

--- A handler. given: level ("info"); fields (paths, or name → path; none); and the options of every
-- handler (event_types is { "*" }). Returns it, or nil, message, "config".
function log.new(given)
  given = options.check(given, KNOWN, "log.new")
  local fields, message, code = check_fields(given.fields)
  local self = { level = given.level or "info", fields = fields }
  if not fields then
    return nil, message, code
  elseif not LEVELS[self.level] then
    return nil, WHERE .. ".level: expected debug, info, warn or error", "config"
  end
  return policy.apply({ name = WHERE, event_types = { "*" },
    handle = function(event, context)
      return handle(self, event, context)
    end }, given)
end

return log
