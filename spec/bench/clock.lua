-- Finer than a millisecond, for LuaJIT scripts and in nginx: loyalhook itself needs no such clock.

local ffi = require("ffi")

ffi.cdef[[
  typedef struct { long seconds, nanoseconds; } bench_time;
  int clock_gettime(int which, bench_time *now);
  int usleep(unsigned microseconds);
]]

local clock = {}

local now = ffi.new("bench_time")

--- Microseconds of Unix time.
function clock.now_us()
  ffi.C.clock_gettime(0, now)
  return tonumber(now.seconds) * 1e6 + tonumber(now.nanoseconds) / 1000
end

--- Sleeps until then; not at all if that is over.
function clock.sleep_until(then_us)
  ffi.C.usleep(math.max(0, then_us - clock.now_us()))
end

return clock
