-- The engine of a worker, as the handlers' runtime sees it, for specs: tasks are given out of
-- lists, calls and mails end when the spec says so, and time stands until the spec moves it.

local fake = {}

local Engine = {}
Engine.__index = Engine

--- An engine without tasks. Fields that a spec may set: calls_max (room for calls), turn_error ({
-- message, code } instead of the next turns), next_due_ms, more, session_dead (told once).
function fake.engine()
  return setmetatable({ opened = {}, waiting = {}, calls = {}, mails = {}, cancelled = {},
    turns = {}, recorded = {}, calls_max = 1000, _number = 0, _task = 0 }, Engine)
end

--- A clock that stands: { now_ms, monotonic_ms } with advance(ms).
function fake.clock()
  local clock = { ms = 5000 }
  function clock.now_ms()
    return 1640796461000 + clock.ms
  end
  function clock.monotonic_ms()
    return clock.ms
  end
  function clock.advance(ms)
    clock.ms = clock.ms + ms
  end
  return clock
end

--- A guard that lets everything pass.
fake.guard = { watch = function() end, unwatch = function() end }

function Engine:open_handler(definition)
  if self.turn_error then
    return nil, self.turn_error[1], self.turn_error[2]
  end
  for number, known in ipairs(self.opened) do
    if known.name == definition.name then
      return number, false
    end
  end
  self.opened[#self.opened + 1] = definition
  return #self.opened, true
end

--- Adds a task that waits for the handler of that number. Returns its lease, whose fields a spec
-- may change before it is given out.
function Engine:add(handler, changes)
  self._task = self._task + 1
  local lease = { task = self._task, handler = handler or 1, attempt = 1, first_ms = 1640796460000,
    alone = false, position = self._task, source = "zinrelo", id = "e" .. self._task,
    event_type = "event_points_earned", received_ms = 1640796461000, data = '{"points":5}' }
  for name, value in pairs(changes or {}) do
    lease[name] = value
  end
  self.waiting[#self.waiting + 1] = lease
  return lease
end

local AFTER = { success = "done", failure = "retrying", refusal = "failed", unknown = "retrying",
  given_back = "pending" }

function Engine:task_turn(turn)
  self.turns[#self.turns + 1] = turn
  if self.turn_error then
    return nil, self.turn_error[1], self.turn_error[2]
  end
  local results = {}
  for index, result in ipairs(turn.results) do
    self.recorded[#self.recorded + 1] = result
    results[index] = { task = result.task, state = AFTER[result.kind] }
  end
  local left, slots, leases, rest = turn.slots, {}, {}, {}
  for _, wish in ipairs(turn.handlers) do
    slots[wish.number] = wish.slots
  end
  for _, lease in ipairs(self.waiting) do
    if left > 0 and slots[lease.handler] > 0 then
      left, slots[lease.handler] = left - 1, slots[lease.handler] - 1
      leases[#leases + 1] = lease
    else
      rest[#rest + 1] = lease
    end
  end
  self.waiting = rest
  local dead = self.session_dead
  self.session_dead = nil
  return { leases = leases, results = results, more = self.more or false,
    next_due_ms = self.next_due_ms, session_dead = dead or false }
end

function Engine:pending_tasks()
  return { due = #self.waiting, running = 0, later = 0 }
end

local function begin(self, list, request)
  self._number = self._number + 1
  list[#list + 1] = { number = self._number, request = request }
  return self._number
end

function Engine:call(request)
  if self.refuses then
    return nil, self.refuses[1], self.refuses[2]
  elseif #self.calls >= self.calls_max then
    return nil, "call: no room", "limit"
  end
  return begin(self, self.calls, request)
end

function Engine:send_mail(letter)
  return begin(self, self.mails, letter)
end

local function cancel(self, list, number)
  for index, entry in ipairs(list) do
    if entry.number == number then
      table.remove(list, index)
      self.cancelled[#self.cancelled + 1] = entry
      return entry.unsent and "unsent" or "sent"
    end
  end
  return nil
end

function Engine:cancel_call(number)
  return cancel(self, self.calls, number)
end

function Engine:cancel_mail(number)
  return cancel(self, self.mails, number)
end

--- A report in which nothing has ended.
function fake.report(changes)
  local report = { calls = {}, mails = {}, events = {}, woken = false }
  for name, value in pairs(changes or {}) do
    report[name] = value
  end
  return report
end

--- A report that the call of that index has ended so (default: answered 200).
function Engine:end_call(index, changes)
  local entry = table.remove(self.calls, index or 1)
  local ended = { number = entry.number, outcome = "answered", status = 200, sent = true,
    duration_ms = 3, retry_after_ms = 0, headers = {}, body = "", truncated = false }
  for name, value in pairs(changes or {}) do
    ended[name] = value
  end
  return fake.report({ calls = { ended } })
end

--- A report that the mail of that index has ended so (default: accepted).
function Engine:end_mail(index, changes)
  local entry = table.remove(self.mails, index or 1)
  local ended = { number = entry.number, verdict = "accepted", stage = "message", status = 250,
    duration_ms = 3 }
  for name, value in pairs(changes or {}) do
    ended[name] = value
  end
  return fake.report({ mails = { ended } })
end

return fake
