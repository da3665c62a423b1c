-- Emits events at a steady pace, each with the time just before its emit in its data (LuaJIT, for
-- clocks finer than a millisecond):
--   pace.lua store= account= count= every_us=
-- Figures: microseconds that the emit calls took.

local ffi = require("ffi")
local stand = require("stand")

ffi.cdef[[
  typedef struct { long seconds, nanoseconds; } bench_time;
  int clock_gettime(int which, bench_time *now);
  int usleep(unsigned microseconds);
]]

local options = stand.options(...)
local now = ffi.new("bench_time")

local function now_us()
  ffi.C.clock_gettime(0, now)
  return tonumber(now.seconds) * 1e6 + tonumber(now.nanoseconds) / 1000
end

local sender = stand.open(options)
local took = {}
local next_us = now_us()
for index = 1, options.count do
  local start_us = now_us()
  assert(sender:emit({ event_type = "event_points_earned", data_json = stand.data(300, start_us) },
    { account = options.account }))
  took[index] = now_us() - start_us
  next_us = next_us + options.every_us
  ffi.C.usleep(math.max(0, next_us - now_us()))
end
table.sort(took)
stand.print{ count = #took, emit_p50_us = took[math.ceil(#took / 2)],
  emit_p99_us = took[math.ceil(#took * 0.99)], emit_max_us = took[#took] }
