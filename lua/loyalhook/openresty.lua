-- loyalhook inside nginx with the Lua module, or OpenResty: a receiver for content
-- handlers, and emitting for a platform's. Small bodies are verified on the event
-- loop, which needs loyalhook.core only; everything that blocks goes to a thread of
-- nginx's pool (openresty/queue.lua, openresty/thread.lua), many requests at a time.
-- Objects are made in init_by_lua; they hold no store, so nothing crosses the fork.

local answers = require("loyalhook.receiver.answers")
local core = require("loyalhook.core")
local gate = require("loyalhook.receiver.gate")
local journal = require("loyalhook.receiver.journal")
local note = require("loyalhook.openresty.note")
local options = require("loyalhook.options")
local queue = require("loyalhook.openresty.queue")
local request = require("loyalhook.openresty.request")
local senders = require("loyalhook.openresty.sender")
local sources = require("loyalhook.receiver.sources")

local openresty = {}

local BODY_BYTES_MAX = 10 * 1024 * 1024
local LOOP_BYTES_MAX = 64 * 1024 -- larger bodies are verified in the thread: 0.2 ms of HMAC

local RECEIVER = { store = "string", create = "boolean", key_file = "string",
  wal_bytes_max = "number", sources = "table", body_bytes_max = "number", log = "function",
  threads = "string", waiting_max = "number", wait_s = "number" }
local SEEN = { "code", "message", "events", "added", "duplicates" }

local Receiver = { __name = "loyalhook.openresty.receiver" }
Receiver.__index = Receiver

--- A receiver for `receive`, made in init_by_lua. given: store, create, key_file, wal_bytes_max,
-- sources, body_bytes_max and log as for receiver.open; threads = name of the thread_pool
-- ("loyalhook"), waiting_max = requests of one nginx worker that may wait for the store (1000; more
-- are answered 503), wait_s = how long they do (25). No store is opened here. Returns it, or nil,
-- message, code.
function openresty.receiver(given)
  given = options.check(given, RECEIVER, "openresty.receiver")
  local checked, message, code = sources.check(given.sources or {})
  if not checked then
    return nil, message, code
  end
  local write, bytes_max = given.log or note.write, given.body_bytes_max or BODY_BYTES_MAX
  local door
  door, message, code = gate.new({ sources = checked, log = write, now_ms = core.now_ms(),
    body_bytes_max = bytes_max })
  if not door then
    return nil, message, code
  end
  local settings = { store = given.store or "sqlite:loyalhook.db", create = given.create,
    key_file = given.key_file, wal_bytes_max = given.wal_bytes_max, body_bytes_max = bytes_max }
  return setmetatable({ _gate = door, _note = journal.new(write), _queue = queue.new({
    method = "accept", settings = settings, threads = given.threads, log = note.braked(write),
    waiting_max = given.waiting_max, wait_s = given.wait_s }) }, Receiver)
end

-- What the thread needs to verify by itself, and about how many bytes it will hold; or nil,
-- outcome.
local function unverified(self, source, picked, now_ms, seen)
  local carried, outcome = self._gate:carry(source, picked, now_ms)
  if not carried then
    return nil, outcome
  end
  return { carried = carried, picked = picked, now_ms = now_ms, body = seen.raw_body,
    file = seen.body_file }, seen.raw_body and #seen.raw_body or request.received()
end

-- Reads the body. Returns what goes to the thread, and about how many bytes it will hold; or nil,
-- outcome.
local function item_of(self, source, picked, now_ms, seen)
  local body, file, outcome = request.body()
  if outcome then
    return nil, outcome
  end
  seen.raw_body, seen.body_file = body, file
  if not body or #body > LOOP_BYTES_MAX then
    outcome = body and self._gate:too_large(#body)
    if outcome then
      return nil, outcome
    end
    return unverified(self, source, picked, now_ms, seen)
  end
  local entry
  entry, outcome = self._gate:verify(source, picked, body, now_ms)
  if not entry then
    return nil, outcome
  end
  return entry, #body
end

-- The outcome of the request at hand.
local function outcome_of(self, source, now_ms, seen)
  local headers, outcome = request.headers()
  if not headers then
    return outcome
  end
  seen.headers = headers
  outcome = self._gate:too_large(request.announced())
  if outcome then
    return outcome
  end
  local picked
  picked, outcome = self._gate:screen(source, headers, now_ms)
  if not picked then
    return outcome
  end
  local item, bytes_or_outcome = item_of(self, source, picked, now_ms, seen)
  if not item then
    return bytes_or_outcome
  end
  local message, code
  outcome, message, code = self._queue:submit(item, bytes_or_outcome)
  return outcome or answers.failed(code, message)
end

-- Takes the request at hand; `seen` learns what it was. Returns the outcome.
local function take(self, source, seen)
  local now_ms = core.now_ms()
  local outcome = outcome_of(self, source, now_ms, seen)
  if outcome.level then
    self._note(outcome, source, self._gate:knows(source), now_ms)
  end
  return outcome
end

-- Raises at the line that called the public function `where`.
local function check_arguments(receiver, source, where)
  if getmetatable(receiver) ~= Receiver then
    error(where .. ": expected what openresty.receiver returned", 3)
  elseif type(source) ~= "string" then
    error(where .. ": expected the name of a source, got " .. type(source), 3)
  end
end

--- Takes the request at hand as `receiver:accept` does, without answering: for those who want to
-- see what came. Returns the status and body to answer, and what was seen: { headers, raw_body or
-- body_file (a body that nginx keeps in a file, until the request ends), code, message, events,
-- added, duplicates }.
function openresty.accept(receiver, source)
  check_arguments(receiver, source, "openresty.accept")
  local seen = {}
  local outcome = take(receiver, source, seen)
  for _, name in ipairs(SEEN) do
    seen[name] = outcome[name]
  end
  return outcome.status, outcome.body, seen
end

--- A content handler: takes the request at hand for a source, and answers it once its events are
-- durable. 503 has a Retry-After. Returns the status.
function openresty.receive(receiver, source)
  check_arguments(receiver, source, "openresty.receive")
  local outcome = take(receiver, source, {})
  request.say(outcome.status, outcome.body)
  return outcome.status
end

--- What this nginx worker's requests shared: { tasks (so many times a thread was asked), items (for
-- so many requests), running and waiting (requests, now) }.
function Receiver:figures()
  return self._queue:figures()
end

--- A sender for `emit`, made in init_by_lua. given: store, create, key_file, types, account,
-- wal_bytes_max as for sender.open; threads, waiting_max, wait_s, log as for openresty.receiver. No
-- store is opened here. Returns it, or nil, message, code.
function openresty.sender(given)
  return senders.new(options.check(given, senders.options, "openresty.sender"))
end

local function check_sender(sender, where)
  if not senders.is_sender(sender) then
    error(where .. ": expected what openresty.sender returned", 3)
  end
end

--- Accepts one event, from a request handler or a timer: data is a payload, a table or JSON text;
-- place: account, id, idempotency_key as for sender:emit. Returns the event's id once it is durable
-- (a repeated one with nil, "duplicate" after it), or nil, message, code: as of sender:emit, and
-- "overload", "timeout" (it may yet be stored) or "thread".
function openresty.emit(sender, event_type, data, place)
  check_sender(sender, "openresty.emit")
  place = options.check(place, senders.place, "openresty.emit")
  return sender:emit(event_type, data, place)
end

--- Accepts many events in one transaction, all or none: a list of payloads and of { event_type,
-- data (as for emit), account, id, idempotency_key }. Returns an array of ids, or nil, "event 3:
-- message", code, 3.
function openresty.emit_many(sender, list)
  check_sender(sender, "openresty.emit_many")
  if type(list) ~= "table" then
    error("openresty.emit_many: expected a list of events, got " .. type(list), 2)
  end
  return sender:emit_many(list)
end

return openresty
