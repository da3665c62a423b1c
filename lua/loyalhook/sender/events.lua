-- From what a program hands to emit to the rows that the store takes: payloads
-- or tables become { account, event_type, category, id, idempotency_key, data }.
-- Form and size of the values are checked by the core; here it is decided
-- whether the type exists and that every part is of the right kind.

local json = require("loyalhook.json")
local options = require("loyalhook.options")
local payload = require("loyalhook.payload")

local rows = {}

local PLACE = { account = "string", id = "string", idempotency_key = "string" }
local ITEM = { account = true, id = true, idempotency_key = true, payload = true,
  event_type = true, data = true, data_json = true, [1] = true }

--- Options that emit takes beside the event.
rows.place = PLACE

local function wrong_kind(name, expected, value)
  return nil, ("%s: expected %s, got %s"):format(name, expected, type(value)), "invalid"
end

-- The JSON text of an event's data, from text or a table.
local function data_text(source)
  if source.data_json ~= nil then
    if type(source.data_json) ~= "string" then
      return wrong_kind("data_json", "JSON text", source.data_json)
    end
    return source.data_json
  elseif type(source.data) ~= "table" then
    return wrong_kind("data", "a table", source.data)
  end
  return json.encode(source.data, { name = "data" })
end

--- The row of one event. `source` is a payload, or a table with event_type and
-- data or data_json; `place` has account, id, idempotency_key; `account` is the
-- default. Returns the row, or nil, message, code.
function rows.make(catalogue, source, place, account)
  if source.error then
    return nil, source.error, source.code
  elseif type(source.event_type) ~= "string" then
    return wrong_kind("event_type", "a string", source.event_type)
  end
  local category = catalogue:category(source.event_type)
  if not category then
    return catalogue:unknown(source.event_type)
  end
  for name in pairs(PLACE) do
    if place[name] ~= nil and type(place[name]) ~= "string" then
      return wrong_kind(name, "a string", place[name])
    end
  end
  local data, message, code = data_text(source)
  if not data then
    return nil, message, code
  end
  return { account = place.account or account, event_type = source.event_type,
    category = category, id = place.id, idempotency_key = place.idempotency_key, data = data }
end

--- The row of one entry of emit_many: a payload itself, a table with the payload
-- as [1] or `payload`, or a table with event_type and data or data_json; the
-- latter two with account, id, idempotency_key beside it.
function rows.from_item(catalogue, item, account)
  if type(item) ~= "table" then
    return wrong_kind("event", "a payload or a table", item)
  elseif payload.is_payload(item) then
    return rows.make(catalogue, item, {}, account)
  end
  local unknown = options.unknown(item, ITEM, "field")
  if unknown then
    return nil, unknown, "invalid"
  end
  local source = item[1] or item.payload or item
  if type(source) ~= "table" then
    return wrong_kind("payload", "a payload or a table", source)
  end
  return rows.make(catalogue, source, item, account)
end

return rows
