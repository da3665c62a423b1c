-- Writes the bytes that yardsticks use: one event's data, and a whole body.
--   bytes.lua folder= bytes= batch_size=

local core = require("loyalhook.core")
local stand = require("stand")

local options = stand.options(...)

local function write(name, text)
  local file = assert(io.open(options.folder .. "/" .. name, "wb"))
  assert(file:write(text))
  assert(file:close())
  return #text
end

local data = stand.data(options.bytes)
local events = {}
for index = 1, options.batch_size do
  events[index] = { id = core.id(), event_type = "event_points_earned", data = data }
end
local body = assert(core.envelope.build{ request_id = core.id(), created_ms = core.now_ms(),
  events = events })
stand.print{ data_bytes = write("data", data), body_bytes = write("body", body) }
