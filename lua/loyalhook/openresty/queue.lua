-- Work that blocks, for the requests of one nginx worker: what arrives while a
-- thread of the pool is at work waits, and goes together in its next task, so that
-- concurrent requests share one commit. A task is made by a timer, not by one of the
-- requests: a client that goes away takes nobody else's answer along. The requests
-- wait on semaphores, which are timers to nginx: on HUP and QUIT it does not leave
-- before they are answered. At most two tasks are under way, and mostly one: more
-- would make more commits of fewer requests, and the pool's own queue, whose overflow
-- would kill the process, stays empty.

local queue = {}

local Queue = {}
Queue.__index = Queue

local MODULE = "loyalhook.openresty.thread"
local ITEMS_MAX = 256
local TASK_BYTES_MAX = 8 * 1024 * 1024
local FLIGHTS_MAX = 2
local SECOND_AFTER_S = 0.05 -- a task that takes so long (large bodies) need not hold up the rest
local WAITING_MAX = 1000
local WAITING_BYTES_MAX = 64 * 1024 * 1024
local WAIT_S = 25 -- senders wait 30
local ROUNDS_MAX = 100 -- tasks of one timer; nginx keeps a little memory for each until its end
local START_S = 5 -- a timer that has not run by then never will

--- A queue. given: method (of thread.lua), settings (plain data, its first argument), log =
-- function(level, message, fields), threads (name of the pool), waiting_max (items; 1000), wait_s
-- (longest wait for a result; 25). Items that have nothing to share: items_max = 1 of a task,
-- flights_max = so many tasks at once (at once, not after a while).
function queue.new(given)
  return setmetatable({ _method = given.method, _settings = given.settings, _log = given.log,
    _threads = given.threads or "loyalhook", _waiting_max = given.waiting_max or WAITING_MAX,
    _wait_s = given.wait_s or WAIT_S, _items_max = given.items_max or ITEMS_MAX,
    _flights_max = given.flights_max or FLIGHTS_MAX,
    _next_after_s = given.flights_max and 0 or SECOND_AFTER_S, _batches = {}, _first = 1,
    _last = 0, _waiting = 0,
    _bytes = 0, _flights = {}, _tasks = 0, _items = 0, _running = 0 }, Queue)
end

-- The batch that goes next, without those who no longer wait, or nil.
local function take(self)
  local batch = self._batches[self._first]
  if not batch then
    return nil
  end
  self._batches[self._first] = nil
  self._first = self._first + 1
  self._waiting, self._bytes = self._waiting - #batch, self._bytes - batch.bytes
  local items, entries = {}, {}
  for _, entry in ipairs(batch) do
    if not entry.gone then
      items[#items + 1], entries[#entries + 1] = entry.item, entry
    end
  end
  batch.entries = entries
  return batch, items
end

-- Why the pool did no work, so that a person knows what to do.
local function hint(self, problem)
  if problem:find("thread pool", 1, true) then
    return ("nginx.conf needs, outside http: thread_pool %s threads=4;"):format(self._threads)
  elseif problem:find("no available Lua vm", 1, true) then
    return "nginx.conf needs, in http: lua_worker_thread_vm_pool_size 16; (or more)"
  end
end

-- Runs one task. Returns a result for each item, or nil and why not.
local function run(self, items)
  local run_worker_thread = rawget(ngx, "run_worker_thread")
  if not run_worker_thread then
    return nil, "this nginx has no ngx.run_worker_thread: it needs lua-nginx-module 0.10.22 and "
      .. "a build with threads"
  end
  local called, done, results, message = pcall(run_worker_thread, self._threads, MODULE,
    self._method, self._settings, items)
  if not called then
    return nil, tostring(done)
  elseif not done then
    local problem = tostring(results)
    return nil, problem, hint(self, problem)
  elseif type(results) ~= "table" then
    return nil, tostring(message or "the thread returned nothing")
  end
  return results
end

local function settle(batch, results, problem)
  for index, entry in ipairs(batch.entries) do
    entry.result, entry.problem = results and results[index], problem
    entry.done = true
  end
  batch.semaphore:post(#batch)
end

-- One task after the other, until nothing waits. Whatever goes wrong, those in it are told.
local function fly(self)
  for _ = 1, ROUNDS_MAX do
    local batch, items = take(self)
    if not batch then
      return
    end
    local ran, results, problem, what_to_do = true, {}, nil, nil
    self._running = self._running + #items
    if #items > 0 then
      ran, results, problem, what_to_do = pcall(run, self, items)
    end
    self._running = self._running - #items
    if not ran then
      results, problem = nil, tostring(results)
    end
    self._tasks, self._items = self._tasks + 1, self._items + #items
    if not results then
      self._log("error", "the thread pool did not do its work",
        { threads = self._threads, problem = problem, hint = what_to_do })
    end
    settle(batch, results, problem)
  end
end

local launch

local function end_of(self, flight)
  for index, other in ipairs(self._flights) do
    if other == flight then
      table.remove(self._flights, index)
      break
    end
  end
  if self._waiting > 0 then
    launch(self)
  end
end

-- Also when premature: nginx is about to leave, and those who wait hold it back.
local function on_timer(_, self, flight)
  if flight.given_up then
    return
  end
  flight.started = true
  fly(self)
  end_of(self, flight)
end

-- A timer that nginx never ran (lua_max_running_timers is used up by others) must not hold up
-- everything that comes after it.
local function give_up_lost(self)
  for index = #self._flights, 1, -1 do
    local flight = self._flights[index]
    if not flight.started and ngx.now() - flight.launched_s > START_S then
      flight.given_up = true
      table.remove(self._flights, index)
      self._log("error", "nginx did not run a timer: raise lua_max_running_timers", {})
    end
  end
end

-- Sees to it that somebody will take what waits, or returns nil and why not.
function launch(self)
  give_up_lost(self)
  local flights = self._flights
  if #flights >= self._flights_max
      or #flights > 0 and ngx.now() - flights[#flights].launched_s < self._next_after_s then
    return true
  end
  local flight = { launched_s = ngx.now() }
  local made, problem = ngx.timer.at(0, on_timer, self, flight)
  if made then
    table.insert(flights, flight)
  elseif #flights == 0 then
    return nil, "no timer: " .. tostring(problem)
  end
  return true
end

-- The item joins the last batch, or begins one. All that wait in a batch share a semaphore.
local function append(self, item, bytes)
  local batch = self._batches[self._last]
  if not batch or #batch >= self._items_max or batch.bytes + bytes > TASK_BYTES_MAX then
    batch = { bytes = 0, semaphore = require("ngx.semaphore").new(0) }
    self._last = self._last + 1
    self._batches[self._last] = batch
  end
  local entry = { item = item }
  batch[#batch + 1] = entry
  batch.bytes = batch.bytes + bytes
  self._waiting, self._bytes = self._waiting + 1, self._bytes + bytes
  return entry, batch.semaphore
end

-- Waits until the entry is done, or for so long. On the way it looks whether its task was lost.
local function await(self, entry, semaphore)
  local look_s = START_S + 1
  semaphore:wait(math.min(self._wait_s, look_s))
  if not entry.done and self._wait_s > look_s then
    launch(self)
    semaphore:wait(self._wait_s - look_s)
  end
end

--- Hands over an item (plain data, about `bytes` large) and waits for its result, which is what
-- the thread returned for it. Or nil, message, "overload" (too much waits) or "timeout" (it may yet
-- be done) or "thread" (nothing was done, or nobody knows).
function Queue:submit(item, bytes)
  if self._waiting >= self._waiting_max
      or self._bytes + bytes > WAITING_BYTES_MAX then
    return nil, "too many requests wait for the store", "overload"
  end
  local entry, semaphore = append(self, item, bytes)
  local launched, problem = launch(self)
  if not launched then
    entry.gone = true
    return nil, problem, "thread"
  end
  await(self, entry, semaphore)
  if not entry.done then
    entry.gone = true
    return nil, ("the store did not answer in %d s"):format(self._wait_s), "timeout"
  elseif entry.result == nil then
    return nil, entry.problem or "the thread returned no result", "thread"
  end
  return entry.result
end

--- How many tasks there were, with how many items (what requests shared a commit), and how many
-- items are in a task now or wait for one.
function Queue:figures()
  return { tasks = self._tasks, items = self._items, running = self._running,
    waiting = self._waiting }
end

return queue
