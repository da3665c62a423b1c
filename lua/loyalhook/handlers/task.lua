-- One attempt at a task (or at a batch of them) as a coroutine: made of leases of one handler, run
-- until it waits, and at its end the results that the store records. When it runs is the runtime's
-- business (runtime.lua). A task is { handler, leases, thread, deadline_ms; exchange it waits for;
-- sent: something of it may have left this machine; unknown: and may have had its effect; stale:
-- its leases are somebody else's by now }.

local context = require("loyalhook.handlers.context")
local event = require("loyalhook.handlers.event")
local outcome = require("loyalhook.handlers.outcome")

local task = {}

local WAITS = {} -- what an awaiting coroutine yields

--- The longest that a coroutine may go on without waiting: nobody else gets on meanwhile.
task.INSTRUCTIONS_MAX = 50000000 -- about a quarter of a second
task.CPU_MS_MAX = 2000 -- for instructions that take long

local CLOSE_INSTRUCTIONS_MAX, CLOSE_CPU_MS_MAX = 1000000, 100 -- a drain may close thousands

local STALE = "this worker was taken for dead and its tasks were given to others"

--- The door that contexts speak through. given: say, now_ms, monotonic_ms, exchanges.
function task.door(given)
  local door = { say = given.say, now_ms = given.now_ms, monotonic_ms = given.monotonic_ms }
  function door.await(self, kind, request)
    if self.stale then
      return nil, STALE, "not_sent"
    end
    local exchange = given.exchanges:begin(self, kind, request)
    self.exchange = exchange
    if not exchange.ended then
      coroutine.yield(WAITS)
    end
    self.exchange = nil
    task.note(self, exchange)
    return (unpack or table.unpack)(exchange.values, 1, exchange.values.n)
  end
  function door.pause(self)
    self.polls = true
    coroutine.yield(WAITS)
    self.polls = false
  end
  return door
end

--- Remembers what an exchange that has ended means for its task.
function task.note(self, exchange)
  self.sent = self.sent or exchange.sent
  self.unknown = self.unknown or exchange.unknown
  if exchange.retry_after_ms then
    self.retry_after_ms = math.max(self.retry_after_ms or 0, exchange.retry_after_ms)
  end
  if exchange.rest_ms then
    self.rest_ms = math.max(self.rest_ms or 0, exchange.rest_ms)
  end
end

local function events_of(leases)
  local events = {}
  for index, lease in ipairs(leases) do
    local made, message = event.of(lease)
    if not made then
      return nil, message
    end
    events[index] = made
  end
  return events
end

local function body_of(self, door)
  local handler, is_batch = self.handler, self.is_batch
  return function()
    local events, message = events_of(self.leases)
    if not events then
      return nil, message, "fail"
    elseif is_batch then
      return handler.handle_batch(events, context.new(self, door, true))
    end
    return handler.handle(events[1], context.new(self, door, false))
  end
end

--- A task that has not begun.
function task.new(handler, leases, door)
  local self = { handler = handler, leases = leases, is_batch = #leases > 1 }
  self.thread = coroutine.create(body_of(self, door))
  return self
end

local function over(reason)
  if reason == "time" then
    return ("used the processor for %d ms without waiting"):format(task.CPU_MS_MAX)
  end
  return ("ran for %d instructions without waiting"):format(task.INSTRUCTIONS_MAX)
end

-- ok, …: what resume returned.
local function resumed(self, guard, ok, ...)
  local reason, count = guard.unwatch(self.thread), #self.leases
  if reason then
    return task.cut(self, over(reason))
  elseif not ok then
    return outcome.returned({ nil, outcome.text((...)) }, count, false, self.unknown)
  elseif coroutine.status(self.thread) == "dead" then
    return outcome.returned({ ... }, count, self.is_batch, self.unknown)
  elseif (...) ~= WAITS then
    return outcome.all("refusal", "the handler yielded; only context.http, context.mail and "
      .. "context.wait wait", count)
  end
  return nil
end

--- Runs it until it waits or ends. guard: watch and unwatch of the engine. Returns nil while it
-- waits, then its results: { kind, error } for each lease.
function task.resume(self, guard)
  self.begun = true
  guard.watch(self.thread, task.INSTRUCTIONS_MAX, task.CPU_MS_MAX)
  return resumed(self, guard, coroutine.resume(self.thread))
end

--- Closes what code that did not return had marked to be closed (Lua 5.4). What that raises is told
-- nowhere: the attempt has its end already.
function task.close(self, guard)
  if not coroutine.close or not self.begun then
    return
  end
  guard.watch(self.thread, CLOSE_INSTRUCTIONS_MAX, CLOSE_CPU_MS_MAX)
  coroutine.close(self.thread)
  guard.unwatch(self.thread)
end

--- The results of one that is not let go on. What it has sent may have had its effect.
function task.cut(self, message)
  return outcome.all(self.sent and "unknown" or "failure", message, #self.leases)
end

--- The results of one that the worker's end stops: what has sent nothing was never begun.
function task.stop(self)
  if self.sent then
    return outcome.all("unknown", "the worker stopped while it ran", #self.leases)
  end
  return outcome.all("given_back", "", #self.leases)
end

return task
