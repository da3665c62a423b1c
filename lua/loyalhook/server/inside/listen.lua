-- `listen` inside nginx: the real receiver at any path, or an answer by script, and
-- a line about each request in nginx's own log of requests, which the command reads
-- (../journal.lua). One nginx worker, so the lines are in the order of the answers.

local core = require("loyalhook.core")
local gate = require("loyalhook.receiver.gate")
local json = require("loyalhook.json")
local openresty = require("loyalhook.openresty")
local plain = require("loyalhook.plain")
local request = require("loyalhook.openresty.request")
local respond = require("loyalhook.server.respond")
local settings = require("loyalhook.server.settings")
local sources = require("loyalhook.receiver.sources")

local listen = {}

local Listen = {}
Listen.__index = Listen

local BODY_BYTES_MAX = 10 * 1024 * 1024
local FOREVER_MS = 3600000 -- longer than any sender waits
local UNAVAILABLE = 503
local THREADS = "loyalhook"

--- For init_by_lua: reads what the command has written below nginx's prefix. Raises where nginx
-- must not start.
function listen.new(prefix)
  local given = settings.read(prefix)
  local function quiet() end -- the command says why a request was refused
  local self = setmetatable({ _source = given.source, _config = given.sources[given.source],
    _steps = given.steps or assert(respond.parse("200")), _numbers = ngx.shared.loyalhook_numbers },
    Listen)
  self._receiver = assert(openresty.receiver({ store = given.store, sources = given.sources,
    log = quiet, threads = THREADS }))
  self._gate = assert(gate.new({ sources = assert(sources.check(given.sources)), log = quiet,
    now_ms = core.now_ms(), body_bytes_max = BODY_BYTES_MAX }))
  return self
end

-- Verifies without recording: status and what was seen, as openresty.accept.
local function verify(self)
  local headers, outcome = request.headers()
  local body, file
  if headers then
    body, file, outcome = request.body()
  end
  local seen = { headers = headers, raw_body = body, body_file = file }
  if not outcome then
    local bytes = body
    if file then
      local spooled = assert(io.open(file, "rb"))
      bytes = spooled:read(BODY_BYTES_MAX + 1)
      spooled:close()
    end
    local entry
    entry, outcome = self._gate:admit(self._source, headers, bytes, core.now_ms())
    outcome = not entry and outcome or nil
  end
  seen.code, seen.message = outcome and outcome.code, outcome and outcome.message
  return outcome and outcome.status or 200, outcome and outcome.body or "", seen
end

local function wait_long()
  ngx.sleep(FOREVER_MS / 1000)
end

-- An nginx that was told to end waits for a request as long as that has a timer, and with a thread
-- of the pool it has none: so a clock runs beside it.
local function in_thread(method, item)
  local run, clock = rawget(ngx, "run_worker_thread"), ngx.thread.spawn(wait_long)
  local done, result = run(THREADS, "loyalhook.server.inside.look", method, item)
  ngx.thread.kill(clock)
  return done and type(result) == "table" and result or {}
end

-- What is known of a request at once, for the log.
local function told_at_once(self, step, status, seen)
  return { source = self._source, code = seen.code,
    reason = seen.message and plain.valid_utf8(seen.message), -- may quote what came
    added = seen.added, duplicates = seen.duplicates,
    script = step.kind ~= "receive" and step.word or nil,
    verdict = status == 200 and "valid" or status == UNAVAILABLE and "failed" or "refused" }
end

-- The id of a Standard Webhooks request; names are as they were sent.
local function id_of(headers)
  for name, value in pairs(headers) do
    if name:lower() == "webhook-id" then
      return value
    end
  end
  return nil
end

-- Adds what takes a while: the events, or why it was refused.
local function tell_more(self, told, status, seen, now_ms)
  local item = { body = seen.raw_body, file = seen.body_file }
  if told.verdict == "valid" then
    item.id = self._config.scheme == "standard" and id_of(seen.headers) or nil
    local inside = in_thread("inside", item)
    told.events, told.total_count = inside.events, inside.total_count
  elseif status == 401 and seen.headers then
    item.headers, item.source, item.now_ms = seen.headers, self._config, now_ms
    local why = in_thread("why", item)
    told.reason = why.reason and plain.valid_utf8(why.reason) or told.reason
    told.hint = why.hint
  end
end

local answer = {}

function answer.receive(_, status, body)
  request.say(status, body)
end

-- Waits until the client hangs up, for so long. Returns its socket if it has not. (Reading ends
-- when it hangs up; a sleep would not, after a thread of the pool has been used.)
local function hold(ms)
  local client = ngx.req.socket(true)
  if not client then
    return nil
  end
  client:settimeout(ms)
  local _, problem = client:receive(1)
  return problem == "timeout" and client or nil
end

local RAW = "HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
  .. "Connection: close\r\n\r\n%s"

function answer.slow(step, status, body)
  ngx.status = status -- for the log
  local client = hold(math.max(step.seconds * 1000, 1))
  if client then
    client:send(RAW:format(status, #body, body))
  else
    ngx.exit(ngx.HTTP_CLOSE)
  end
end

function answer.status(step)
  local body = ('{"script":"%s"}'):format(step.word)
  ngx.status = step.status
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Retry-After"] = step.seconds
  if step.status ~= 204 and step.status ~= 304 then
    ngx.header["Content-Length"] = #body
    ngx.print(body)
  end
end

function answer.timeout()
  hold(FOREVER_MS)
  ngx.exit(ngx.HTTP_CLOSE)
end

function answer.half()
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Content-Length"] = 100
  ngx.print('{"half":')
  ngx.flush(true)
  ngx.exit(ngx.ERROR)
end

function answer.close()
  ngx.exit(ngx.HTTP_CLOSE)
end

function answer.reset()
  ngx.exec("@reset")
end

--- The content handler.
function Listen:handle()
  local number = self._numbers:incr("requests", 1, 0)
  local step, now_ms = respond.step(self._steps, number), core.now_ms()
  local status, body, seen
  if step.kind ~= "receive" then
    pcall(ngx.req.read_body) -- also of what is refused: what comes after it is watched
  end
  if step.kind == "receive" or step.kind == "slow" then
    status, body, seen = openresty.accept(self._receiver, self._source)
  else
    status, body, seen = verify(self)
  end
  local told = told_at_once(self, step, status, seen)
  tell_more(self, told, status, seen, now_ms)
  ngx.var.loyalhook_seen = json.encode(told) or ""
  answer[step.kind](step, status, body)
end

return listen
