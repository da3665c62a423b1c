-- Runs handlers inside a worker: a turn of the store records what tasks came to and hands out new
-- ones; each is a coroutine that runs until it waits for an exchange. Nothing here blocks: one step
-- runs for a short while, so that thousands of tasks and the deliveries beside them all get on.
-- What one attempt does is in task.lua, what a worker makes of a step in worker.lua.

local exchanges = require("loyalhook.handlers.exchanges")
local tasks = require("loyalhook.handlers.task")

local Runtime = {}
Runtime.__index = Runtime

local runtime = {}

local TASKS_MAX = 4096 -- of one worker at once: as many as the engine has room for calls
local BYTES_MAX = 64 * 1024 * 1024 -- of their events; a turn hands out at most 8 MiB more
local LEASES_MAX = 512 -- of one turn
local SLICE_MS = 20 -- of one step; then the engine's turn comes
local TURN_EVERY_MS = 1000 -- in case that a wake-up was lost
local AGAIN_MS = 1000 -- after a turn that the store could not make
local POLL_MS = 100
local STILL_MS = 10000 -- after 20 s without a sign of life its tasks are given to others

-- Own shortage passes by itself; results are kept and offered again.
local PASSING = { full = true, busy = true, shortage = true, memory = true }

-- The policy of retries, the same for all handlers.
local FIRST_MS, FACTOR, MAX_MS = 10000, 3, 21600000

-- Makes known to the store those handlers that are not yet. True, or nil, message, code.
local function open_handlers(self)
  for _, handler in ipairs(self._handlers) do
    local checked = handler.checked
    if not handler.number then
      local number, message, code = self._engine:open_handler({ name = handler.name,
        event_types = checked.event_types, serial = checked.serial ~= nil,
        fails_when_unknown = checked.when_unknown == "fail",
        from_start = checked.from == "start" })
      if not number then
        return nil, ("handler %s: %s"):format(handler.name, message), code
      end
      handler.number, self._by_number[number] = number, handler
    end
  end
  return true
end

--- given: engine (the worker's), guard (watch and unwatch of the engine module), handlers (as
-- contract.check_all returns them), say (the log), now_ms and monotonic_ms (clocks). Opens the
-- handlers in the store; while that is short of something, the steps try again. Returns a runtime,
-- or nil, message, code.
function runtime.new(given)
  local list = {}
  for index, checked in ipairs(given.handlers) do
    list[index] = { name = checked.name, running = 0, checked = checked, handle = checked.handle,
      handle_batch = checked.handle_batch }
  end
  local under_way = exchanges.new(given.engine)
  local self = setmetatable({ _engine = given.engine, _guard = given.guard,
    _monotonic_ms = given.monotonic_ms, _handlers = list, _by_number = {}, _exchanges = under_way,
    _door = tasks.door({ say = given.say, now_ms = given.now_ms,
      monotonic_ms = given.monotonic_ms, exchanges = under_way }),
    _tasks = {}, _running = 0, _bytes = 0, _ready = {}, _first = 1, _last = 0, _results = {},
    _polls = 0, _next_deadline_ms = math.huge, _last_turn_ms = -math.huge, _hold_ms = -math.huge,
    _last_poll_ms = -math.huge }, Runtime)
  local ok, message, code = open_handlers(self)
  if not ok and not PASSING[code] then
    return nil, message, code
  end
  return self
end

local function make_ready(self, task)
  if not task.ready then
    task.ready = true
    self._last = self._last + 1
    self._ready[self._last] = task
  end
end

-- A task is over, in this worker; its results wait for a turn.
local function finish(self, task, results)
  tasks.close(task, self._guard)
  self._tasks[task] = nil
  self._running = self._running - #task.leases
  task.handler.running = task.handler.running - #task.leases
  for index, lease in ipairs(task.leases) do
    local result = results[index]
    self._bytes = self._bytes - #lease.data
    self._results[#self._results + 1] = { task = lease.task, attempt = lease.attempt,
      kind = result.kind, error = result.error, retry_after_ms = task.retry_after_ms,
      rest_ms = index == 1 and task.rest_ms or nil, lease = lease, handler = task.handler }
  end
end

-- Runs what is ready, until `until_ms`; one at least.
local function run_ready(self, until_ms)
  while self._first <= self._last do
    local task = self._ready[self._first]
    self._ready[self._first] = nil
    self._first = self._first + 1
    if self._tasks[task] then
      task.ready = false
      local polled = task.polls
      local results = tasks.resume(task, self._guard)
      self._progress = self._progress or not (polled and task.polls)
      self._polls = self._polls + (task.polls and 1 or 0)
      if results then
        finish(self, task, results)
      end
      if self._monotonic_ms() >= until_ms then
        return
      end
    end
  end
end

-- Attempts that last for too long. Those that are ready have their turn first.
local function expire(self, now_ms)
  if now_ms < self._next_deadline_ms then
    return
  end
  local next_ms, late = math.huge, {}
  for task in pairs(self._tasks) do
    if task.deadline_ms > now_ms or task.ready then
      next_ms = math.min(next_ms, math.max(task.deadline_ms, now_ms + 1))
    else
      late[#late + 1] = task
    end
  end
  self._next_deadline_ms = next_ms
  for _, task in ipairs(late) do
    if task.exchange and self._exchanges:cancel(task.exchange) then
      task.sent = true
    end
    finish(self, task, tasks.cut(task, ("timed out after %g s"):format(
      task.handler.checked.timeout_s)))
  end
end

-- Those in context.wait look again when others have got on, and now and then.
local function wake_pollers(self, now_ms)
  if not self._progress and now_ms - self._last_poll_ms < POLL_MS then
    return
  end
  self._progress, self._last_poll_ms, self._polls = false, now_ms, 0
  for task in pairs(self._tasks) do
    if task.polls then
      self._polls = self._polls + 1
      make_ready(self, task)
    end
  end
end

local function start(self, handler, leases)
  local task = tasks.new(handler, leases, self._door)
  task.deadline_ms = self._monotonic_ms() + handler.checked.timeout_s * 1000
  self._tasks[task] = true
  self._next_deadline_ms = math.min(self._next_deadline_ms, task.deadline_ms)
  self._running = self._running + #leases
  handler.running = handler.running + #leases
  for _, lease in ipairs(leases) do
    self._bytes = self._bytes + #lease.data
  end
  make_ready(self, task)
end

-- One coroutine for each lease, or for as many as the handler takes at once.
local function start_all(self, leases)
  local batches = {}
  for _, lease in ipairs(leases) do
    local handler = self._by_number[lease.handler]
    local most = handler.checked.batch_max
    if lease.alone or not most then
      start(self, handler, { lease })
    else
      local batch = batches[handler] or {}
      batch[#batch + 1] = lease
      batches[handler] = batch
      if #batch == most then
        start(self, handler, batch)
        batches[handler] = nil
      end
    end
  end
  for _, handler in ipairs(self._handlers) do
    if batches[handler] then
      start(self, handler, batches[handler])
    end
  end
end

-- How many tasks this worker can take on now. (That nothing runs beside what runs alone is the
-- store's business.)
local function free_slots(self)
  if self._draining or self._bytes >= BYTES_MAX then
    return 0
  end
  return math.max(0, math.min(LEASES_MAX, TASKS_MAX - self._running))
end

local function wishes_of(self, free)
  local wishes = {}
  for index, handler in ipairs(self._handlers) do
    local checked = handler.checked
    wishes[index] = { number = handler.number, concurrency = checked.concurrency,
      interval_us = checked.interval_us, burst = checked.burst, tries = checked.tries,
      first_ms = FIRST_MS, factor = FACTOR, max_ms = MAX_MS,
      fails_when_unknown = checked.when_unknown == "fail",
      slots = math.max(0, math.min(free, checked.concurrency - handler.running)) }
  end
  return wishes
end

-- What became of the tasks whose results were recorded.
local function told_of(results, recorded)
  local told = {}
  for index, result in ipairs(results) do
    local after = recorded[index] or {}
    told[index] = { handler = result.handler.name, id = result.lease.id,
      source = result.lease.source, event_type = result.lease.event_type,
      attempt = result.attempt, kind = result.kind, state = after.state, reason = after.reason,
      next_attempt_ms = after.next_attempt_ms,
      error = result.error ~= "" and result.error or nil }
  end
  return told
end

-- Its leases were given to others: what it has not begun to send must not be sent any more.
local function become_stale(self)
  for task in pairs(self._tasks) do
    task.stale = true
    if task.exchange and exchanges.refuse(task.exchange, "this worker was taken for dead") then
      make_ready(self, task)
    end
  end
end

-- Records the results and takes on new tasks. Returns what became of the recorded ones; nil,
-- message, code if the store could not do it: then nothing has changed.
local function turn(self)
  local results, free = self._results, free_slots(self)
  local done, message, code = open_handlers(self)
  if done then
    done, message, code = self._engine:task_turn({ handlers = wishes_of(self, free),
      results = results, slots = free, running = self._running })
  end
  local now_ms = self._monotonic_ms()
  self._last_turn_ms, self._last_turn_at_ms = now_ms, self._door.now_ms()
  if not done then
    self._hold_ms = now_ms + AGAIN_MS
    return nil, message, code
  end
  self._results, self._hold_ms = {}, -math.huge
  self._next_due_ms = done.next_due_ms
  if done.session_dead then
    become_stale(self)
  end
  start_all(self, done.leases)
  self._more = done.more and free_slots(self) > 0
  return told_of(results, done.results)
end

local function is_turn_due(self, report, now_ms)
  if now_ms < self._hold_ms then
    return false
  end
  local due_ms = self._next_due_ms
  return report.woken or self._results[1] ~= nil or self._more
    or due_ms ~= nil and self._door.now_ms() >= due_ms
    or now_ms - self._last_turn_ms >= TURN_EVERY_MS
end

-- Whether it, or the whole machine, stood still for so long that others may have taken its tasks:
-- then it asks before any of them goes on.
local function stood_still(self, now_ms)
  return self._running > 0 and math.max(now_ms - self._last_turn_ms,
    self._door.now_ms() - self._last_turn_at_ms) > STILL_MS
end

local function joined(list, more)
  for _, entry in ipairs(more) do
    list[#list + 1] = entry
  end
  return list
end

local function go_on(self, report, now_ms)
  for _, exchange in ipairs(self._exchanges:take(report)) do
    make_ready(self, exchange.task)
  end
  expire(self, now_ms)
  wake_pollers(self, now_ms)
  run_ready(self, now_ms + SLICE_MS)
end

--- Goes on after a step of the engine. Returns a list of what was recorded, { handler, id, source,
-- event_type, attempt, kind, state, reason, next_attempt_ms, error }, and a message and code if the
-- store is short of something (what was not recorded is kept); or nil, message, code.
function Runtime:step(report)
  local now_ms = self._monotonic_ms()
  local told, message, code = {}, nil, nil
  if stood_still(self, now_ms) then
    told, message, code = turn(self)
  end
  if told then
    go_on(self, report, now_ms)
    if not is_turn_due(self, report, self._monotonic_ms()) then
      return told
    end
    local before = told
    told, message, code = turn(self)
    if told then
      run_ready(self, now_ms + SLICE_MS)
      return joined(before, told)
    end
  end
  if PASSING[code] then
    return {}, message, code
  end
  return nil, message, code
end

--- How long the engine may wait before the next step.
function Runtime:wait_ms()
  local now_ms = self._monotonic_ms()
  local is_held = now_ms < self._hold_ms
  if self._first <= self._last or not is_held and (self._results[1] or self._more)
    or self._progress and self._polls > 0 then
    return 0
  end
  local until_ms = math.min(self._next_deadline_ms, self._last_turn_ms + TURN_EVERY_MS)
  if is_held then
    until_ms = math.min(self._next_deadline_ms, self._hold_ms)
  elseif self._next_due_ms then
    until_ms = math.min(until_ms, now_ms + self._next_due_ms - self._door.now_ms())
  end
  if self._polls > 0 then
    until_ms = math.min(until_ms, self._last_poll_ms + POLL_MS)
  end
  return math.max(0, math.ceil(until_ms - now_ms))
end

--- How many tasks run, or have ended without being recorded.
function Runtime:busy()
  return self._running + #self._results
end

--- Takes on nothing new, and gives back what it has not begun.
function Runtime:drain()
  self._draining = true
  for index = self._first, self._last do
    local task = self._ready[index]
    if self._tasks[task] and not task.begun then
      finish(self, task, tasks.stop(task))
    end
  end
end

--- Stops what runs and records it: what had sent nothing is given back, the rest is unknown.
-- Returns as step does.
function Runtime:abort()
  self._draining = true
  local running = {}
  for task in pairs(self._tasks) do
    running[#running + 1] = task
  end
  for _, task in ipairs(running) do
    if task.exchange and self._exchanges:cancel(task.exchange) then
      task.sent = true
    end
    finish(self, task, tasks.stop(task))
  end
  if not self._results[1] then
    return {}
  end
  return turn(self)
end

--- What its handlers have left to do in the store: { due, running, later }, or nil, message, code.
function Runtime:pending()
  local ok, message, code = open_handlers(self)
  if not ok then
    return nil, message, code
  end
  local numbers = {}
  for index, handler in ipairs(self._handlers) do
    numbers[index] = handler.number
  end
  return self._engine:pending_tasks(numbers)
end

return runtime
