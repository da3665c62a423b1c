-- In the bench's nginx: how long each event took from its emit to here. Times
-- are kept in the one nginx worker's memory until they are asked for.

local ffi = require("ffi")

ffi.cdef[[
  typedef struct { long seconds, nanoseconds; } bench_time;
  int clock_gettime(int which, bench_time *now);
]]

local arrivals = {}

local now = ffi.new("bench_time")
local times = {}

--- Answers a webhook's request; the time is that of its headers, before its body is read.
function arrivals.take()
  ffi.C.clock_gettime(0, now)
  local here_us = tonumber(now.seconds) * 1e6 + tonumber(now.nanoseconds) / 1000
  ngx.req.read_body()
  for sent_us in ngx.req.get_body_data():gmatch('"sent_us":(%d+)') do
    times[#times + 1] = ("%.0f"):format(here_us - tonumber(sent_us))
  end
end

--- Says the times since it was last asked, in microseconds, as a JSON array.
function arrivals.tell()
  ngx.say("[", table.concat(times, ","), "]")
  times = {}
end

return arrivals
