-- /settings: how the deployment is configured, as far as its users need to know.

local core = require("loyalhook.core")
local json = require("loyalhook.json")
local render = require("loyalhook.api.render")
local settings = require("loyalhook.settings")

local SHOWN = { "account", "webhooks_max", "retention_days", "failed_retention_days", "dedupe_days",
  "allow_http" }
local LIMITS = { "emit_many_max", "event_bytes_max", "retry_many_max", "secret_overlap_s_max" }

local function value_of(given, name)
  local value = given[name]
  if value == nil then
    value = settings.by_name[name].default
  end
  return value
end

local function names_of(map)
  local names = json.array()
  for name in pairs(map or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function get(call)
  local given = call.api.settings
  local shown, limits = {}, {}
  for _, name in ipairs(SHOWN) do
    shown[name] = value_of(given, name)
  end
  for _, name in ipairs(LIMITS) do
    limits[name] = core.limits[name]
  end
  local notices = given.notices or {}
  shown.version, shown.limits = core._VERSION, limits
  shown.allow_networks = json.array(given.allow_networks or {})
  shown.sources = names_of(given.sources)
  shown.notices = { mail = notices.smtp ~= nil,
    from = render.maybe(notices.smtp and notices.smtp.from), to = json.array(notices.to or {}) }
  return call:ok(shown)
end

return {
  { "GET", "/settings", need = "read", all_accounts = true, run = get },
}
