-- A worker's rounds until it is told to stop, or until nothing is left to do: signals, shortages
-- that pass, and the drain at the end. One round is worker.lua's step.

local core = require("loyalhook.core")

local loop = {}

local STEP_MS = 1000 -- longest wait of one round; the engine wakes earlier if there is work
local DRAIN_STEP_MS = 100
local IDLE_STEP_MS = 50 -- between two looks whether everything is done
local GRACE_MS = 30000

-- Own shortage passes by itself: say so, keep what is in flight, go on.
local PASSING = { full = true, busy = true, shortage = true, memory = true }

local function note_trouble(self, message, code)
  local now_ms = core.now_ms()
  self._trouble = self._trouble or { since_ms = core.monotonic_ms() }
  self._trouble.message, self._trouble.code = message, code
  local held = self._brake(code, now_ms)
  if held then
    self._log("error", message, { code = code, repeated = held > 0 and held or nil })
  end
end

-- A step that survives shortages. Returns the report (false for a shortage) and
-- the signal that came, or nil, message, code for an error that ends the loop.
local function safe_step(self, timeout_ms)
  local report, message, code, signal = self:step(timeout_ms)
  if report and report.shortage then
    note_trouble(self, report.shortage.message, report.shortage.code)
    return report, report.signal
  elseif report then
    self._trouble = nil
    return report, report.signal
  elseif not PASSING[code] then
    return nil, message, code
  end
  note_trouble(self, message, code)
  return false, signal
end

-- Stops leasing, waits for what is in flight for at most grace_ms, then aborts
-- the rest. A signal was given: whatever happens, it ends soon.
local function drain(self, given, grace_ms, signal)
  local deadline_ms = core.monotonic_ms() + grace_ms
  self:drain()
  repeat
    local left_ms = deadline_ms - core.monotonic_ms()
    local report, message, code = safe_step(self, math.max(0, math.min(DRAIN_STEP_MS, left_ms)))
    if report == nil then
      return nil, message, code
    elseif report and given.on_report then
      given.on_report(report)
    end
  until report and report.in_flight == 0 or left_ms <= 0
  local ok, message, code = self:abort()
  if not ok then
    return nil, message, code
  end
  local last = safe_step(self, 0) -- tells what the abort recorded
  if last and given.on_report then
    given.on_report(last)
  end
  return "drained", signal
end

-- Whether the requests are done with: true; nil, message, code if only given-back
-- attempts remain; false to go on.
local function are_requests_done(self)
  local work, message, code = self._sender._store:pending_work()
  if not work and PASSING[code] then
    return false
  elseif not work then
    return nil, message, code
  elseif work.sending > 0 or work.due > work.given_back then
    return false
  elseif work.given_back > 0 and not self._short and core.monotonic_ms() < self._patience_ms then
    return false -- given back by somebody before: they are due within a minute
  elseif work.given_back > 0 then
    return nil, ("%d requests wait because this machine ran short of something"):format(
      work.given_back), "shortage"
  end
  return work.due == 0
end

local function are_tasks_done(self)
  local work, message, code = self._runtime:pending()
  if not work and PASSING[code] then
    return false
  elseif not work then
    return nil, message, code
  end
  return work.due + work.running == 0
end

-- Whether --until-idle is over: true; nil, message, code if it cannot be; false to go on.
local function look_if_done(self)
  local done, message, code = true, nil, nil
  if self._sender then
    done, message, code = are_requests_done(self)
  end
  if done and self._runtime then
    done, message, code = are_tasks_done(self)
  end
  return done, message, code
end

local function in_trouble_too_long(self, grace_ms)
  local trouble = self._trouble
  if trouble and core.monotonic_ms() - trouble.since_ms > grace_ms then
    return nil, trouble.message, trouble.code
  end
  return false
end

-- How long the next round may wait.
local function next_wait(report, given)
  local most_ms = given.round_ms or STEP_MS
  if not report then
    return most_ms
  elseif given.until_idle and report.in_flight == 0 then
    return math.min(most_ms, IDLE_STEP_MS)
  end
  local due_ms = report.next_due_ms and report.next_due_ms - core.now_ms() or most_ms
  return math.floor(math.max(0, math.min(most_ms, due_ms)))
end

local function is_quiet(report)
  return report and report.in_flight == 0 and report.started == 0 and #report.events == 0
    and not report.mail_due and not (report.tasks and report.tasks[1])
end

-- What a round means for the loop: nothing (go on), or the results of run.
local function verdict(self, report, signal, given, grace_ms)
  local stop = report and given.on_report and given.on_report(report) == "stop"
  if signal then
    self._log("info", "draining", { signal = "SIG" .. signal })
    return true, drain(self, given, grace_ms, signal)
  elseif stop then
    return true, drain(self, given, grace_ms)
  elseif not given.until_idle then
    return false
  end
  local done, message, code = false, nil, nil
  if self._trouble then
    done, message, code = in_trouble_too_long(self, grace_ms)
  elseif is_quiet(report) then
    done, message, code = look_if_done(self)
  end
  return done ~= false, done, message, code
end

--- Works until it is told to stop. self: a worker; given: as Worker:run has it.
function loop.run(self, given)
  local grace_ms = given.grace_ms or GRACE_MS
  if given.catch_signals ~= false then
    local ok, message, code = self:catch_signals()
    if not ok then
      return nil, message, code
    end
  end
  self._patience_ms = core.monotonic_ms() + grace_ms
  if given.until_idle then
    self._engine:form_all()
  end
  local wait_ms = 0
  while true do
    local report, signal, code = safe_step(self, wait_ms)
    if report == nil then
      return nil, signal, code
    end
    local over, result, message
    over, result, message, code = verdict(self, report, signal, given, grace_ms)
    if over then
      return result, message, code
    end
    wait_ms = next_wait(report, given)
  end
end

return loop
