-- A worker: it delivers a sender's requests, mails notices, and runs handlers. step() does a
-- bounded amount and returns what happened; run() goes on until it is told to stop
-- (worker/loop.lua). Any number of workers, in any number of processes, share one store.

local contract = require("loyalhook.handlers.contract")
local core = require("loyalhook.core")
local engine = require("loyalhook.engine")
local events = require("loyalhook.events")
local journal = require("loyalhook.worker.journal")
local log = require("loyalhook.log")
local loop = require("loyalhook.worker.loop")
local mailer = require("loyalhook.notices.mailer")
local options = require("loyalhook.options")
local runtime = require("loyalhook.handlers.runtime")

local worker = {}

local Worker = {}
Worker.__index = Worker
Worker.__name = "loyalhook.worker"

local STEP_MS = 1000
local LOG_EVERY_MS = 10000

local NEW = { sender = "table", receiver = "table", handlers = "table", types = "table",
  notices = "table", concurrency = "number", retention_days = "number",
  failed_retention_days = "number", dedupe_days = "number", log = "function",
  log_level = "string", log_format = "string", allow_http = "boolean",
  allow_networks = "table", ca_file = "string" }
local NOTICES = { smtp = "table", to = "table" }
local RUN = { until_idle = "boolean", grace_ms = "number", catch_signals = "boolean",
  on_report = "function", round_ms = "number" }

function Worker:__tostring()
  return "loyalhook.worker (" .. tostring(self._engine) .. ")"
end

function Worker:__close()
  self:close()
end

-- Mails are sent where a server is configured; otherwise notices are only listed.
local function add_mailer(self, notices)
  local unknown = options.unknown(notices, NOTICES, "option")
  if unknown then
    return nil, "notices: " .. unknown, "config"
  elseif notices.smtp ~= nil then
    local message, code
    self._mailer, message, code = mailer.new(self._engine, notices, self._log)
    return self._mailer, message, code
  end
  return true
end

local function first_of(value, default)
  if value == nil then
    return default
  end
  return value
end

-- The function that takes log messages; a wrong name raises at worker.new's caller.
local function log_of(given)
  if given.log then
    return given.log
  end
  local made, say = pcall(log.writer, { level = given.log_level, format = given.log_format })
  if not made then
    error((say:gsub("^log%.writer: ", "worker.new: log_")), 3)
  end
  return say
end

-- The sender or receiver that was given under a name; raises at worker.new's caller.
local function opened(given, name)
  local object = given[name]
  if object ~= nil and not object._store then
    error(("worker.new: expected %s = an open %s"):format(name, name), 3)
  end
  return object
end

-- With both, one store is worked on.
local function check_stores(sender, receiver)
  if not sender or not receiver or sender._store == receiver._store then
    return true
  end
  local one, message, code = sender._store:health()
  local other
  if one then
    other, message, code = receiver._store:health()
  end
  if not other then
    return nil, message, code
  elseif one.path ~= other.path then
    return nil, ("sender and receiver must be of one store; they are of %s and %s"):format(
      one.path, other.path), "invalid"
  end
  return true
end

-- Handlers are run interpreted: compiled code could not be cut off (engine.watch), and what is
-- compiled already goes on to be compiled at its exits.
local function stop_compiler(self)
  local jit = rawget(_G, "jit")
  if jit and jit.status() then
    jit.off()
    jit.flush()
    self._restart_compiler = jit.on
  end
end

local function add_handlers(self, given)
  local catalogue, message, code = self._sender and self._sender:events(), nil, nil
  if not catalogue or given.types then
    catalogue, message, code = events.new(given.types)
  end
  local checked, warnings
  if catalogue then
    checked, warnings, code = contract.check_all(given.handlers, catalogue)
    message = warnings
  end
  if not checked then
    return nil, message, code
  end
  for _, warning in ipairs(warnings) do
    self._log("warn", warning)
  end
  self._runtime, message, code = runtime.new({ engine = self._engine, guard = engine,
    handlers = checked, say = self._log, now_ms = core.now_ms, monotonic_ms = core.monotonic_ms })
  if not self._runtime then
    return nil, message, code
  end
  stop_compiler(self)
  return true
end

local function open_engine(given, store, sender)
  local network = sender and sender._network or {}
  return engine.worker_open({
    store = store, concurrency = given.concurrency, deliver = sender ~= nil,
    retention_days = given.retention_days, failed_retention_days = given.failed_retention_days,
    dedupe_days = given.dedupe_days,
    allow_http = first_of(given.allow_http, network.allow_http),
    allow_networks = first_of(given.allow_networks, network.allow_networks),
    ca_file = first_of(given.ca_file, network.ca_file),
    sends_notices = sender ~= nil and given.notices ~= nil and given.notices.smtp ~= nil,
  })
end

--- A worker for the store of a sender, a receiver, or both. given: sender: its requests are
-- delivered and its notices mailed; handlers: a list of them; receiver: needed for handlers without
-- a sender; types: event types of one's own that handlers may name (default: the sender's);
-- concurrency (256): requests in flight; retention_days (30), failed_retention_days (90): how long
-- it keeps events and delivered requests, and failed ones; dedupe_days (180): how long ids of
-- received events are remembered; log = function(level, message, fields), or log_level ("info") and
-- log_format ("text", "json") for the built-in one, which writes to stderr; allow_http,
-- allow_networks, ca_file (default: the sender's); notices = { smtp = { url, from, user, password |
-- password_file, tls }, to = { address, … } } sends mails about notices. A sender needs the store's
-- key file. On LuaJIT a worker with handlers turns the compiler off until it is closed. Returns a
-- worker, or nil, message, code.
function worker.new(given)
  given = options.check(given, NEW, "worker.new")
  local sender, receiver = opened(given, "sender"), opened(given, "receiver")
  if not sender and not receiver then
    error("worker.new: expected sender = an open sender, or receiver = an open receiver", 2)
  end
  local say = log_of(given)
  local ok, message, code = check_stores(sender, receiver)
  if ok and sender then
    ok, message, code = sender:key_check()
  end
  local made
  if ok then
    made, message, code = open_engine(given, (sender or receiver)._store, sender)
  end
  if not made then
    return nil, message, code
  end
  local self = setmetatable({ _engine = made, _sender = sender, _log = say, _told = {},
    _brake = log.brake(LOG_EVERY_MS) }, Worker)
  ok, message, code = add_mailer(self, sender and given.notices or {})
  if ok and given.handlers and next(given.handlers) ~= nil then
    ok, message, code = add_handlers(self, given)
  end
  if not ok then
    self:close()
    return nil, message, code
  end
  return self
end

-- The handlers' part of a round.
local function run_handlers(self, report)
  local told, message, code = self._runtime:step(report)
  if not told then
    return nil, message, code
  elseif message then
    report.shortage = { message = message, code = code }
  end
  for _, entry in ipairs(told) do
    self._told[#self._told + 1] = entry
  end
  journal.tasks(self._log, told)
  report.tasks, self._told = self._told, {}
  report.in_flight = report.in_flight + self._runtime:busy()
  return true
end

--- One round: waits up to timeout_ms (1000) if there is nothing to do, records,
-- leases and sends, goes on with handlers, and makes a step of a stored job and of
-- retention. Returns a report { events, started, rescued, failed_unsent,
-- paused_unreadable, job, cleaned_events, cleaned_requests, cleaned_received, mails,
-- mail_due, calls, tasks (of handlers, recorded: { handler, id, source, event_type,
-- attempt, kind, state, reason, next_attempt_ms, error }), shortage ({ message, code }:
-- tasks could not be recorded for now), in_flight, next_due_ms, woken, idle, signal },
-- or nil, message, code and a signal that came during it; with the codes "full",
-- "busy", "shortage", "memory" nothing is lost and stepping may go on.
function Worker:step(timeout_ms)
  timeout_ms = timeout_ms or STEP_MS
  if self._runtime then
    timeout_ms = math.min(timeout_ms, self._runtime:wait_ms())
  end
  local report, message, code, signal = self._engine:step(timeout_ms)
  if not report then
    return nil, message, code, signal
  end
  for _, event in ipairs(report.events) do
    self._short = self._short or event.outcome == "local"
  end
  journal.round(self._log, report)
  if self._mailer then
    report.in_flight = report.in_flight + self._mailer:handle(report)
    report.mail_due = self._mailer:may_lease(report)
  end
  if self._runtime then
    local ok
    ok, message, code = run_handlers(self, report)
    if not ok then
      return nil, message, code, report.signal
    end
  end
  return report
end

--- From now on SIGTERM, SIGINT and SIGHUP show as report.signal instead of ending the
-- process; after the first one the next ends it. Returns true, or nil, message,
-- code.
function Worker:catch_signals()
  return self._engine:catch_signals()
end

--- Ends what is in flight: unsent attempts are given back, others recorded as
-- lost; tasks that sent nothing are given back, others unknown. Returns true, or
-- nil, message, code.
function Worker:abort()
  local told, message, code = {}, nil, nil
  if self._runtime then
    told, message, code = self._runtime:abort()
    journal.tasks(self._log, told or {})
    self._told = told or {}
  end
  local ok, problem, problem_code = self._engine:abort()
  if not ok then
    return nil, problem, problem_code
  elseif not told then
    return nil, message, code
  end
  return true
end

--- Stops leasing; steps go on until report.in_flight is 0.
function Worker:drain()
  if self._runtime then
    self._runtime:drain()
  end
  return self._engine:drain()
end

--- Aborts what is in flight and ends the worker's session. Sender and receiver stay
-- open. Closing again does nothing.
function Worker:close()
  if self._runtime then
    self._runtime:abort()
    self._runtime = nil
  end
  if self._restart_compiler then
    self._restart_compiler()
    self._restart_compiler = nil
  end
  self._engine:close()
end

--- Works until it is told to stop. given: until_idle = true ends when nothing is
-- due or in flight, and lets nothing wait for its batch to fill; grace_ms (30000)
-- is how long a drain waits; catch_signals (true) makes SIGTERM, SIGINT and SIGHUP drain;
-- on_report = function(report) is called after each round and may return "stop";
-- round_ms (1000): how long one may wait.
-- Returns "drained" after a signal (then also "TERM", "INT" or "HUP") or "stop", true
-- when idle, or nil, message, code (until_idle: "shortage" if only given-back
-- attempts remain, or a passing error that did not pass).
function Worker:run(given)
  return loop.run(self, options.check(given, RUN, "worker:run"))
end

return worker
