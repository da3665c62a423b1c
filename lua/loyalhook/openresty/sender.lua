-- Emitting from a platform's request handlers: the event becomes JSON on the event
-- loop, the rest (is its type known, is it stored, durably) is done by a sender in a
-- thread of nginx's pool, for many requests in one transaction.

local events = require("loyalhook.events")
local json = require("loyalhook.json")
local note = require("loyalhook.openresty.note")
local payload = require("loyalhook.payload")
local queue = require("loyalhook.openresty.queue")

local sender = {}

local Sender = { __name = "loyalhook.openresty.sender" }
Sender.__index = Sender

--- The options of openresty.sender.
sender.options = { store = "string", create = "boolean", key_file = "string", types = "table",
  account = "string", wal_bytes_max = "number", log = "function", threads = "string",
  waiting_max = "number", wait_s = "number" }
--- What a place may have.
sender.place = { account = "string", id = "string", idempotency_key = "string" }
local ROW_BYTES = 200 -- of an event beside its data, about

local made = 0

--- See openresty.sender.
function sender.new(given)
  local catalogue, message, code = events.new(given.types)
  if not catalogue then
    return nil, message, code
  end
  made = made + 1
  local settings = { number = made, sender = { store = given.store, create = given.create,
    key_file = given.key_file, types = given.types, account = given.account,
    wal_bytes_max = given.wal_bytes_max } }
  return setmetatable({ _queue = queue.new({ method = "emit", settings = settings,
    threads = given.threads, waiting_max = given.waiting_max, wait_s = given.wait_s,
    log = note.braked(given.log or note.write) }) }, Sender)
end

--- True if this is what `new` returned.
function sender.is_sender(value)
  return getmetatable(value) == Sender
end

-- The JSON text of data: a payload of that type, a table, or the text itself; or nil, message,
-- code.
local function text_of(event_type, data)
  if type(data) == "string" then
    return data
  elseif type(data) ~= "table" then
    return nil, "data: expected a payload, a table or JSON text, got " .. type(data), "invalid"
  elseif not payload.is_payload(data) then
    return json.encode(data, { name = "data" })
  elseif data.error then
    return nil, data.error, data.code
  elseif data.event_type ~= event_type then
    return nil, ("data: is a payload of %s, not of %s"):format(data.event_type, event_type),
      "invalid"
  end
  return data.data_json
end

-- An event as plain data for the thread, or nil, message, code.
local function row_of(event_type, data, place)
  if type(event_type) ~= "string" then
    return nil, "event_type: expected a string, got " .. type(event_type), "invalid"
  end
  local text, message, code = text_of(event_type, data)
  if not text then
    return nil, message, code
  end
  return { event_type = event_type, data_json = text, account = place.account, id = place.id,
    idempotency_key = place.idempotency_key }
end

--- See openresty.emit.
function Sender:emit(event_type, data, place)
  local row, message, code = row_of(event_type, data, place)
  if not row then
    return nil, message, code
  end
  local result
  result, message, code = self._queue:submit({ row = row }, #row.data_json + ROW_BYTES)
  if not result then
    return nil, message, code
  elseif not result.id then
    return nil, result.message, result.code
  end
  return result.id, nil, result.duplicate and "duplicate" or nil
end

-- The rows of a list of { event_type, data, account = … }, and how large they are; or nil, message,
-- code, index.
local function rows_of(list)
  local rows, bytes = {}, 0
  for index = 1, #list do
    local item = list[index]
    if type(item) ~= "table" then
      return nil, ("event %d: expected a table, got %s"):format(index, type(item)), "invalid", index
    end
    local event_type, data = item.event_type, item.data
    if payload.is_payload(item) then
      event_type, data, item = item.event_type, item, {}
    end
    local row, message, code = row_of(event_type, data or item.data_json, item)
    if not row then
      return nil, ("event %d: %s"):format(index, message), code, index
    end
    rows[index], bytes = row, bytes + #row.data_json + ROW_BYTES
  end
  return rows, bytes
end

--- See openresty.emit_many.
function Sender:emit_many(list)
  local rows, bytes, code, index = rows_of(list)
  if not rows then
    return nil, bytes, code, index
  elseif #rows == 0 then
    return {}
  end
  local result, message
  result, message, code = self._queue:submit({ rows = rows }, bytes)
  if not result then
    return nil, message, code
  elseif not result.ids then
    return nil, result.message, result.code, result.index
  end
  return result.ids
end

return sender
