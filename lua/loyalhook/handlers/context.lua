-- What a handler gets beside the event: who it is and which attempt this is, its idempotency key, a
-- log, and http, mail and wait, which let other tasks run until they have an answer. A mistake in a
-- call raises at the handler's line; what the world does is answered.

local event = require("loyalhook.handlers.event")
local options = require("loyalhook.options")
local plain = require("loyalhook.plain")

local context = {}

local HTTP = { method = "string", url = "string", headers = "table", body = "string",
  timeout_ms = "number", answer_bytes_max = "number" }
local MAIL = { server = "table", to = "table", message = "string" }
local LEVELS = { debug = true, info = true, warn = true, error = true }

-- Raises at the handler's line unless the task's own coroutine can wait here.
local function check_place(task, what)
  if coroutine.running() ~= task.thread then
    error(what .. ": works in the handler's own coroutine only, while its task runs: not in a "
      .. "coroutine that the handler made, nor afterwards", 3)
  elseif not coroutine.isyieldable() then
    error(what .. ": cannot wait inside a function that C called, such as a comparator of "
      .. "table.sort or a function of string.gsub", 3)
  end
end

-- "Name: value", sorted, as the engine takes them; or nil, message.
local function lines_of(headers)
  local lines = {}
  for name, value in pairs(headers or {}) do
    if type(name) ~= "string" or type(value) ~= "string" and type(value) ~= "number" then
      return nil, "headers: expected a table name = text"
    elseif name:find(":", 1, true) then -- the line would be read as another header
      return nil, ('headers: "%s" is no name of a header'):format(plain.line(name):sub(1, 60))
    end
    lines[#lines + 1] = name .. ": " .. tostring(value)
  end
  table.sort(lines)
  return lines
end

local function add_http(self, task, await)
  function self.http(request)
    check_place(task, "context.http")
    request = options.check(request, HTTP, "context.http")
    if not request.url then
      error("context.http: url: missing", 2)
    end
    local lines, problem = lines_of(request.headers)
    if not lines then
      error("context.http: " .. problem, 2)
    end
    return await(task, "call", { method = request.method or request.body and "POST" or "GET",
      url = request.url, headers = lines, body = request.body, timeout_ms = request.timeout_ms,
      answer_bytes_max = request.answer_bytes_max })
  end
end

local function add_mail(self, task, await)
  function self.mail(letter)
    check_place(task, "context.mail")
    letter = options.check(letter, MAIL, "context.mail")
    for name in pairs(MAIL) do
      if letter[name] == nil then
        error("context.mail: " .. name .. ": missing", 2)
      end
    end
    return await(task, "mail", letter)
  end
end

local function add_wait(self, task, door)
  function self.wait(ready, timeout_ms)
    check_place(task, "context.wait")
    if type(ready) ~= "function" or type(timeout_ms) ~= "number" then
      error("context.wait: expected a function and milliseconds", 2)
    end
    local until_ms = door.monotonic_ms() + timeout_ms
    while not ready() do
      if door.monotonic_ms() >= until_ms then
        return false
      end
      door.pause(task)
    end
    return true
  end
end

local function add_log(self, task, say)
  function self.log(level, message, fields)
    if not LEVELS[level] then
      error("context.log: expected a level (debug, info, warn, error) and a message", 2)
    end
    local all = { handler = task.handler.name, event = #task.leases == 1 and task.leases[1].id
      or nil }
    for name, value in pairs(type(fields) == "table" and fields or {}) do
      all[tostring(name)] = value
    end
    say(level, type(message) == "string" and message or type(message), all)
  end
end

local function keys_of(task)
  local keys = {}
  for index, lease in ipairs(task.leases) do
    keys[index] = event.idempotency_key(lease, task.handler.name)
  end
  return keys
end

--- The context of a task. door: now_ms and monotonic_ms (clocks), say (the log), await(task, kind,
-- request) and pause(task), which yield. In a batch attempt is the highest of its tasks,
-- first_attempt_ms the earliest, source what all have, and there are idempotency_keys only.
function context.new(task, door, is_batch)
  local first = task.leases[1]
  local self = { handler = task.handler.name, source = first.source, attempt = first.attempt,
    first_attempt_ms = first.first_ms, now_ms = door.now_ms }
  for _, lease in ipairs(task.leases) do
    self.attempt = math.max(self.attempt, lease.attempt)
    self.first_attempt_ms = math.min(self.first_attempt_ms, lease.first_ms)
    self.source = self.source == lease.source and lease.source or nil
  end
  local keys = keys_of(task)
  if is_batch then
    self.idempotency_keys = keys
  else
    self.idempotency_key = keys[1]
  end
  add_http(self, task, door.await)
  add_mail(self, task, door.await)
  add_wait(self, task, door)
  add_log(self, task, door.say)
  return self
end

return context
