-- The merchant's side: verify a request, record its events durably, answer. What a
-- request must be to come through is in receiver/gate.lua, which needs no store;
-- what is answered in receiver/answers.lua. The work on the events is that of
-- handlers, in a worker. In nginx use openresty.lua: what is called here blocks.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")
local gate = require("loyalhook.receiver.gate")
local journal = require("loyalhook.receiver.journal")
local log = require("loyalhook.log")
local options = require("loyalhook.options")
local recorder = require("loyalhook.receiver.recorder")
local records = require("loyalhook.receiver.records")
local sources = require("loyalhook.receiver.sources")

local receiver = {}

local Receiver = {}
Receiver.__index = Receiver
Receiver.__name = "loyalhook.receiver"

local BODY_BYTES_MAX = 10 * 1024 * 1024

local OPEN = { store = "string", create = "boolean", as_is = "boolean", key_file = "string",
  wal_bytes_max = "number", sources = "table", body_bytes_max = "number", log = "function",
  now_ms = "function" }

for name, method in pairs(records) do
  Receiver[name] = method
end

function Receiver:__tostring()
  return "loyalhook.receiver (" .. tostring(self._store) .. ")"
end

function Receiver:__close()
  self:close()
end

--- Opens a receiver. options: store = "sqlite:PATH" (default sqlite:loyalhook.db), create = true
-- makes a missing store, as_is refuses one of an older version instead of bringing it up to date;
-- sources = { NAME = { secrets = { … } and/or secret_files = { PATH, … },
-- scheme = "zinrelo" or "standard", tolerance_s = 300 } }; body_bytes_max (10 MiB); key_file,
-- wal_bytes_max as for a sender; log = function(level, message, fields) (default: stderr), now_ms =
-- a clock. A file is read now, and while it cannot be read its source is answered 503. Returns a
-- receiver, or nil, message, code.
function receiver.open(given)
  given = options.check(given, OPEN, "receiver.open")
  local checked, message, code = sources.check(given.sources or {})
  if not checked then
    return nil, message, code
  end
  local say, now_ms = given.log or log.writer(), given.now_ms or core.now_ms
  local door, store
  door, message, code = gate.new({ sources = checked, log = say, now_ms = now_ms(),
    body_bytes_max = given.body_bytes_max or BODY_BYTES_MAX })
  if not door then
    return nil, message, code
  end
  store, message, code = engine.store_open({
    location = given.store or "sqlite:loyalhook.db", key_file = given.key_file,
    as_is = given.as_is,
    create = given.create, wal_bytes_max = given.wal_bytes_max })
  if not store then
    return nil, message, code
  end
  return setmetatable({ _store = store, _gate = door, _note = journal.new(say),
    _now_ms = now_ms }, Receiver)
end

--- Takes a request. `source` is the name it claims, headers a table name → text in any case (a
-- repeated one is a table of texts, or two names that differ in case), raw_body the bytes as they
-- came. Returns the status to answer and the body, a short JSON text: 200 once the events are in
-- the inbox; 400 not an envelope; 401 not signed as it must be, or an unknown source; 413, 415; 503
-- when it could not be recorded or a secret not be read: the sender tries again.
function Receiver:accept(source, headers, raw_body)
  if type(source) ~= "string" then
    error("accept: expected the name of a source, got " .. type(source), 2)
  elseif type(headers) ~= "table" then
    error("accept: expected a table of headers, got " .. type(headers), 2)
  elseif type(raw_body) ~= "string" then
    error("accept: expected the raw body, got " .. type(raw_body), 2)
  end
  local now_ms = self._now_ms()
  local entry, outcome = self._gate:admit(source, headers, raw_body, now_ms)
  if entry then
    outcome = recorder.record(self._store, { entry }, now_ms)[1]
  end
  self._note(outcome, source, self._gate:knows(source), now_ms)
  return outcome.status, outcome.body
end

--- Closes the store. Closing again does nothing.
function Receiver:close()
  self._store:close()
end

return receiver
