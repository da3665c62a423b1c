-- What commands share while one of them runs: settings (flag > environment > loyalhook.lua >
-- default), the catalogue, the opened sender. Everything is made when first asked for, because most
-- commands need only a part and SQLite is loaded by the sender alone.

local Context = {}
Context.__index = Context

local context = {}

-- Who the audit log says it was.
Context.by = { who = "command line" }

--- args: the parsed options; output: where words go; as_is: a store of an older version is not
--- brought up to date but refused, because this only looks.
function context.new(args, output, as_is)
  return setmetatable({ args = args, output = output, json = output.json, as_is = as_is }, Context)
end

-- Ends the command with an error of the world.
local function fail(message, code)
  error({ stop = "failure", message = message, code = code }, 0)
end

--- Returns its arguments, or ends the command if they are nil, message, code.
function context.must(value, message, code)
  if value == nil then
    fail(message, code)
  end
  return value
end

-- Settings that options of the same name override.
local FLAGS = { "store", "key_file", "concurrency", "drain_grace_s", "log_level",
  "log_format" }

-- Settings that are options of the sender too.
local SENDER_SETTINGS = { "store", "key_file", "types", "account", "allow_http", "allow_networks",
  "ca_file", "webhooks_max", "wal_bytes_max" }

--- Options of this command line that override a setting.
function Context:flags()
  local flags = {}
  for _, name in ipairs(FLAGS) do
    flags[name] = self.args[name]
  end
  return flags
end

--- The settings; a broken configuration ends the command.
function Context:settings()
  if not self._settings then
    local config = require "loyalhook.config"
    local settings, origins, code = config.load{ flags = self:flags(), file = self.args.config }
    self._settings = context.must(settings, origins, code)
    self._path = origins.path
  end
  return self._settings
end

--- The handlers of the configuration; one that does not load ends the command.
function Context:handlers()
  local settings = self:settings()
  if not settings.handlers then
    return {}
  end
  local catalogue = context.must(require("loyalhook.events").new(settings.types))
  return context.must(require("loyalhook.handlers.loader").load(settings.handlers, self._path,
    catalogue))
end

--- The event types: the catalogue and what loyalhook.lua registers. For commands that must work
--- without a configuration: one that does not load is only remarked on.
function Context:catalogue()
  local events = require "loyalhook.events"
  local config = require "loyalhook.config"
  local settings, message, code = config.load{ file = self.args.config }
  if not settings then
    if self.args.config then
      fail(message, code)
    end
    self.output:note("without the types of the configuration: " .. message)
    return events.default()
  end
  return context.must(events.new(settings.types))
end

--- The opened sender of the configured store.
function Context:sender()
  if not self._sender then
    local settings, given = self:settings(), {}
    for _, name in ipairs(SENDER_SETTINGS) do
      given[name] = settings[name]
    end
    given.account = self.args.account or given.account
    given.as_is = self.as_is
    self._sender = context.must(require("loyalhook.sender").open(given))
  end
  return self._sender
end

--- The opened receiver of the configured store, for looking: it accepts nothing, so no source's
--- secret is read.
function Context:receiver()
  if not self._receiver then
    local settings = self:settings()
    self._receiver = context.must(require("loyalhook.receiver").open{ store = settings.store,
      key_file = settings.key_file, sources = {}, as_is = self.as_is })
  end
  return self._receiver
end

--- Who may use the API and the console of the configured store.
function Context:access()
  return require("loyalhook.access").new{ store = self:sender()._store }
end

--- Closes what was opened.
function Context:close()
  for _, name in ipairs{ "_sender", "_receiver" } do
    if self[name] then
      self[name]:close()
      self[name] = nil
    end
  end
end

return context
