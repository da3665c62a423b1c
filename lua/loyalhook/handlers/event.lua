-- A received event as handlers see it, made of what the store hands out for a task.

local json = require("loyalhook.json")
local time = require("loyalhook.time")

local event = {}

--- { id, source, event_type, received_ms, received_at, data (decoded), data_json (the exact
-- bytes), member_id }; or nil, message. The data is decoded now, so that the table is a plain one:
-- it can be copied, and a handler may change it.
function event.of(lease)
  local data, message = json.decode(lease.data)
  if data == nil then
    return nil, "data: " .. message
  end
  return { id = lease.id, source = lease.source, event_type = lease.event_type,
    received_ms = lease.received_ms, received_at = time.format(lease.received_ms), data = data,
    data_json = lease.data, member_id = lease.member }
end

local function escape(byte)
  return ("%%%02X"):format(byte:byte())
end

--- What tells a task from every other, for remote sides that take such a key: the event's id, its
-- source and the handler's name, with dots between. In the first two a dot is escaped too, so that
-- no two tasks have the same.
function event.idempotency_key(lease, handler_name)
  return lease.id:gsub("[^%w_-]", escape) .. "." .. lease.source:gsub("[^%w_-]", escape) .. "."
    .. handler_name:gsub("[^%w_.-]", escape)
end

return event
