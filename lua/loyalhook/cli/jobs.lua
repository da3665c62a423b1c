-- A stored job that a command has begun: worked off in steps with progress on a terminal, and
-- printed. Workers work it off too, so the command may be interrupted.

local columns = require "loyalhook.cli.table"
local context_of = require "loyalhook.cli.context"
local progress = require "loyalhook.cli.progress"
local shapes = require "loyalhook.cli.shapes"

local jobs = {}

local PAUSE_MS_MAX = 1000
local LOOK_MS = 50

-- Between two steps the store is others' for as long as a step takes; while a worker is at it, this
-- only looks.
local function to_its_end(sender, job, bar)
  local now_ms, engine = require("loyalhook.core").now_ms, require "loyalhook.engine"
  while not job.finished_at do
    local began_ms = now_ms()
    local after, made, code = sender:job_step(job.id)
    job = context_of.must(after, made, code)
    bar:reached(job.retried + job.left_over, job.total, job.retried)
    if not job.finished_at then
      local took_ms = math.max(0, math.min(now_ms() - began_ms, PAUSE_MS_MAX))
      engine.pause(made and took_ms or LOOK_MS)
    end
  end
  return job
end

--- Steps a job to its end and returns it as it is then. If that is broken off, it says who goes on.
function jobs.work_off(job, context)
  local bar = progress.new(nil, require("loyalhook.core").now_ms, nil, "requests")
  local done, result = pcall(to_its_end, context:sender(), job, bar)
  bar:wipe()
  if not done then
    context.output:note(("job %s is stored: a worker goes on with it"):format(job.id))
    error(result, 0)
  end
  return result
end

--- Prints a job that has ended.
function jobs.print(job, context)
  if context.json then
    context.output:document(shapes.job(job))
    return
  end
  context.output:lines(columns.pairs{ { "job", job.id }, { "total", job.total },
    { "retried", job.retried }, { "left over", job.left_over } })
  if job.left_over > 0 then
    context.output:note("left over: their webhook is not enabled")
  end
end

return jobs
