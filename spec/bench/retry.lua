-- Retries all failed requests, with no worker beside (LuaJIT):
--   retry.lua store=
-- Figures: microseconds that the steps of the job took, one transaction each.

local clock = require("clock")
local stand = require("stand")

local sender = stand.open(stand.options(...))
local job = assert(sender:retry_failed{})
local took = {}
repeat
  local start_us = clock.now_us()
  job = assert(sender:job_step(job.id))
  took[#took + 1] = clock.now_us() - start_us
until job.finished_at
local figures = stand.spread(took)
figures.retried = job.retried
stand.print(figures)
