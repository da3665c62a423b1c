-- The platform's side: configure webhooks, accept events, read the log. A
-- sender is one handle on a store with a catalogue of event types. Accepting
-- is durable when emit returns; delivering is the worker's business
-- (worker.lua). What goes into and comes out of the store is shaped in sender/,
-- where more of its methods are: about webhooks (sender/webhooks.lua), what became
-- of events (sender/records.lua), manual retry (sender/retries.lua), and what
-- administrators hear of (sender/notices.lua).

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")
local events = require("loyalhook.events")
local notices = require("loyalhook.sender.notices")
local options = require("loyalhook.options")
local records = require("loyalhook.sender.records")
local retries = require("loyalhook.sender.retries")
local rows = require("loyalhook.sender.events")
local webhooks = require("loyalhook.sender.webhooks")

local sender = {}

local Sender = {}
Sender.__index = Sender
Sender.__name = "loyalhook.sender"

local OPEN = { store = "string", create = "boolean", create_only = "boolean", as_is = "boolean",
  key_file = "string", types = "table", account = "string", allow_http = "boolean",
  allow_networks = "table", ca_file = "string", webhooks_max = "number",
  wal_bytes_max = "number" }

-- Raises at the line that called the method.
for _, methods in ipairs{ webhooks, records, retries, notices } do
  for name, method in pairs(methods) do
    Sender[name] = method
  end
end

function Sender:__tostring()
  return "loyalhook.sender (" .. tostring(self._store) .. ")"
end

function Sender:__close()
  self:close()
end

--- Opens a sender. options: store = "sqlite:PATH" (default sqlite:loyalhook.db),
-- create = true makes a missing store, create_only refuses an existing one, as_is
-- one of an older version, whose tables are brought up to date otherwise;
-- key_file (default PATH.key), types = custom event types (see events.new),
-- account = account of events and webhooks that name none ("default"),
-- allow_http, allow_networks = { CIDR, … }, ca_file, webhooks_max (10),
-- wal_bytes_max. Returns a sender, or nil, message, code.
function sender.open(given)
  given = options.check(given, OPEN, "sender.open")
  local catalogue, message, code = events.new(given.types)
  if not catalogue then
    return nil, message, code
  end
  local store
  store, message, code = engine.store_open({
    location = given.store or "sqlite:loyalhook.db", key_file = given.key_file,
    create = given.create, create_only = given.create_only, as_is = given.as_is,
    wal_bytes_max = given.wal_bytes_max, webhooks_max = given.webhooks_max,
  })
  if not store then
    return nil, message, code
  end
  return setmetatable({
    _store = store, _catalogue = catalogue, _account = given.account or "default",
    _network = { allow_http = given.allow_http, allow_networks = given.allow_networks,
      ca_file = given.ca_file },
  }, Sender)
end

--- The sender's catalogue of event types (see events/init.lua).
function Sender:events()
  return self._catalogue
end

--- Accepts one event. `event` is a payload (payload.points_earned{…}) or a table
-- { event_type =, data = table | data_json = text }. place: account,
-- idempotency_key (the same key, type and data give the first id again),
-- id (24 lower-case hex). Returns the event's id once it is durable (a repeated
-- one with nil, "duplicate" after it), or nil, message, code with nothing stored.
function Sender:emit(event, place)
  if type(event) ~= "table" then
    error("emit: expected a payload or a table, got " .. type(event), 2)
  end
  place = options.check(place, rows.place, "emit")
  local row, message, code = rows.make(self._catalogue, event, place, self._account)
  if not row then
    return nil, message, code
  end
  local results
  results, message, code = self._store:emit({ row }, "all")
  if not results then
    return nil, message, code
  end
  return results[1].id, nil, results[1].duplicate and "duplicate" or nil
end

--- Accepts one event whose data is JSON text; the bytes are kept as they are.
-- Otherwise like emit.
function Sender:emit_json(event_type, data_json, place)
  place = options.check(place, rows.place, "emit_json")
  options.text(event_type, "emit_json", "an event type")
  options.text(data_json, "emit_json", "JSON text")
  return self:emit({ event_type = event_type, data_json = data_json }, place)
end

local function check_list(list, where)
  if type(list) ~= "table" then
    error(where .. ": expected a list of events, got " .. type(list), 3)
  elseif #list > core.limits.emit_many_max then
    return nil, ("events: at most %d in one call, got %d"):format(core.limits.emit_many_max,
      #list), "limit"
  end
  return true
end

local function at_event(index, message)
  return ("event %d: %s"):format(index, message)
end

--- Accepts many events in one transaction, in order, all or none. Each entry is
-- a payload, { payload, account =, idempotency_key =, id = } or { event_type =,
-- data = | data_json =, account = … }; at most 10,000. Returns an array of ids,
-- or nil, "event 3: message", code, 3 with nothing stored.
function Sender:emit_many(list)
  local ok, message, code = check_list(list, "emit_many")
  if not ok then
    return nil, message, code
  end
  local prepared = {}
  for index = 1, #list do
    prepared[index], message, code = rows.from_item(self._catalogue, list[index], self._account)
    if not prepared[index] then
      return nil, at_event(index, message), code, index
    end
  end
  if #prepared == 0 then
    return {}
  end
  local results, bad
  results, message, code, bad = self._store:emit(prepared, "all")
  if not results then
    return nil, bad and at_event(bad, message) or message, code, bad
  end
  local ids = {}
  for index = 1, #results do
    ids[index] = results[index].id
  end
  return ids
end

--- Accepts what is good of many events in one transaction. Entries as for
-- emit_many. Returns an array of results in the same order, { id =, duplicate = }
-- or { code =, message = } for a refused one; or nil, message, code if nothing
-- could be stored at all.
function Sender:emit_each(list)
  local ok, message, code = check_list(list, "emit_each")
  if not ok then
    return nil, message, code
  end
  local prepared, places, results = {}, {}, {}
  for index = 1, #list do
    local row
    row, message, code = rows.from_item(self._catalogue, list[index], self._account)
    if row then
      prepared[#prepared + 1], places[#places + 1] = row, index
    else
      results[index] = { message = message, code = code }
    end
  end
  if #prepared == 0 then
    return results
  end
  local stored
  stored, message, code = self._store:emit(prepared, "each")
  if not stored then
    return nil, message, code
  end
  for number, index in ipairs(places) do
    results[index] = stored[number]
  end
  return results
end

--- State of the store for people: integrity (a full check if `full`), key file,
-- sizes, versions; or nil, message, code.
function Sender:health(full)
  return self._store:health(full)
end

--- Writes a consistent copy of the store (not its key file) to a new file.
-- Returns true, or nil, message, code.
function Sender:backup(path)
  options.text(path, "backup", "a path")
  return self._store:backup(path)
end

--- True if the key file is there and every secret decrypts, or nil, message, code.
function Sender:key_check()
  return self._store:key_check()
end

--- Closes the store. Closing again does nothing.
function Sender:close()
  self._store:close()
end

return sender
