-- A worker until nothing is left, or until `most` attempts were recorded:
--   work.lua store= [concurrency=] [attempts=] [skip=] [most=]
-- Figures: attempts, delivered; those timed (after the first `skip`), their seconds
-- and seconds of processor up to the last one recorded; resident memory when half
-- of `attempts` were done and at the end, and the most it ever was.

local loyalhook = require("loyalhook")
local stand = require("stand")

local options = stand.options(...)
local most, skip = options.most or math.huge, options.skip or 0
local half = (options.attempts or 0) / 2
local sender = stand.open(options)
local worker = assert(loyalhook.worker.new{ sender = sender, concurrency = options.concurrency,
  log_level = "error" })
local attempts, delivered, half_kib = 0, 0, nil

local function here()
  return { attempts = attempts, ms = stand.now_ms(), cpu = os.clock() }
end

local start, last = here(), nil

assert(worker:run{ until_idle = true, on_report = function(report)
  if #report.events == 0 then
    return nil
  elseif attempts < skip then
    start = here()
  end
  attempts = attempts + #report.events
  for _, event in ipairs(report.events) do
    delivered = delivered + (event.state == "delivered" and 1 or 0)
  end
  last = here()
  if not half_kib and attempts >= half then
    half_kib = stand.memory_kib("VmRSS")
  end
  return attempts >= most and "stop" or nil
end })

stand.print{ attempts = attempts, delivered = delivered,
  timed = last.attempts - start.attempts, seconds = (last.ms - start.ms) / 1000,
  cpu_seconds = last.cpu - start.cpu, half_kib = half_kib, late_kib = stand.memory_kib("VmRSS"),
  most_kib = stand.memory_kib("VmHWM") }
