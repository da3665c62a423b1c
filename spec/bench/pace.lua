-- Emits events at a steady pace, each with the time just before its emit in its data (LuaJIT):
--   pace.lua store= account= count= every_us=
-- Figures: microseconds that the emit calls took.

local clock = require("clock")
local stand = require("stand")

local options = stand.options(...)
local sender = stand.open(options)
local took = {}
local next_us = clock.now_us()
for index = 1, options.count do
  local start_us = clock.now_us()
  assert(sender:emit({ event_type = "event_points_earned", data_json = stand.data(300, start_us) },
    { account = options.account }))
  took[index] = clock.now_us() - start_us
  next_us = next_us + options.every_us
  clock.sleep_until(next_us)
end
stand.print(stand.spread(took))
