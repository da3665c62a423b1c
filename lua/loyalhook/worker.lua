-- The delivering side: a worker leases requests from the sender's store, makes
-- the attempts and records them. step() does a bounded amount and returns what
-- happened; run() is the loop with signals, drain and --until-idle around it.
-- Any number of workers, in any number of processes, share one store.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")
local log = require("loyalhook.log")
local mailer = require("loyalhook.notices.mailer")
local options = require("loyalhook.options")

local worker = {}

local Worker = {}
Worker.__index = Worker
Worker.__name = "loyalhook.worker"

local STEP_MS = 1000 -- longest wait of one round; the engine wakes earlier if there is work
local DRAIN_STEP_MS = 100
local IDLE_STEP_MS = 50 -- between two looks whether everything is done
local LOG_EVERY_MS = 10000
local GRACE_MS = 30000

local NEW = { sender = "table", receiver = "table", handlers = "table", notices = "table",
  concurrency = "number", retention_days = "number", failed_retention_days = "number",
  dedupe_days = "number",
  log = "function", log_level = "string", log_format = "string",
  allow_http = "boolean", allow_networks = "table", ca_file = "string" }
local NOTICES = { smtp = "table", to = "table" }
local RUN = { until_idle = "boolean", grace_ms = "number", catch_signals = "boolean",
  on_report = "function" }

-- Own shortage passes by itself: say so, keep what is in flight, go on.
local PASSING = { full = true, busy = true, shortage = true, memory = true }

function Worker:__tostring()
  return "loyalhook.worker (" .. tostring(self._engine) .. ")"
end

function Worker:__close()
  self:close()
end

local function not_yet(given)
  if given.receiver or given.handlers and next(given.handlers) then
    return nil, "receiver and handlers are not available in this version", "invalid"
  end
  return true
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

--- A worker for a sender's store. given: sender (required), concurrency (256),
-- retention_days (30), failed_retention_days (90): how long it keeps events and
-- delivered requests, and failed ones; dedupe_days (180): how long ids of received
-- events are remembered;
-- log = function(level, message, fields), or log_level ("info") and log_format
-- ("text", "json") for the built-in one, which writes to stderr; allow_http,
-- allow_networks, ca_file (default: the sender's); notices = { smtp = { url, from,
-- user, password | password_file, tls }, to = { address, … } } sends mails about
-- notices. Fails without the store's key file. Returns a worker, or nil, message,
-- code.
function worker.new(given)
  given = options.check(given, NEW, "worker.new")
  local sender = given.sender
  if type(sender) ~= "table" or not sender._store then
    error("worker.new: expected sender = an open sender", 2)
  end
  local say = log_of(given)
  local ok, message, code = not_yet(given)
  if ok then
    ok, message, code = sender:key_check()
  end
  if not ok then
    return nil, message, code
  end
  local opened
  local network = sender._network
  opened, message, code = engine.worker_open({
    store = sender._store, concurrency = given.concurrency,
    retention_days = given.retention_days, failed_retention_days = given.failed_retention_days,
    dedupe_days = given.dedupe_days,
    allow_http = first_of(given.allow_http, network.allow_http),
    allow_networks = first_of(given.allow_networks, network.allow_networks),
    ca_file = first_of(given.ca_file, network.ca_file),
    sends_notices = given.notices ~= nil and given.notices.smtp ~= nil,
  })
  if not opened then
    return nil, message, code
  end
  local self = setmetatable({ _engine = opened, _sender = sender, _log = say,
    _brake = log.brake(LOG_EVERY_MS) }, Worker)
  ok, message, code = add_mailer(self, given.notices or {})
  if not ok then
    self:close()
    return nil, message, code
  end
  return self
end

local function log_attempt(self, event)
  local fields = { request_id = event.request_id, webhook = event.webhook_id,
    attempt = event.attempt, events = event.total_count, outcome = event.outcome,
    status = event.status ~= 0 and event.status or nil, ms = event.duration_ms }
  if event.error ~= "" then
    fields.error = event.error
  end
  if event.state == "delivered" then
    self._log("debug", "delivered", fields)
  elseif event.state == "failed" then
    fields.reason = event.reason
    self._log("error", "request failed", fields)
  else
    self._log("warn", "attempt did not succeed", fields)
  end
  if event.paused_webhook then
    self._log("error", "webhook paused after too many failures", { webhook = event.webhook_id })
  end
end

-- Figures of a report that say something only if they are above 0.
local COUNTS = {
  { "rescued", "warn", "attempts of a lost worker were taken over" },
  { "failed_unsent", "error", "requests failed without an attempt: their webhook is paused" },
  { "paused_unreadable", "error",
    "webhooks paused: their secret does not decrypt with this key file" },
}

local function log_counts(self, report)
  for _, entry in ipairs(COUNTS) do
    local count = report[entry[1]]
    if count > 0 then
      self._log(entry[2], entry[3], { count = count })
    end
  end
end

local function log_retention(self, report)
  local received = report.cleaned_received
  if report.cleaned_events + report.cleaned_requests + received > 0 then
    self._log("info", "deleted what is older than it is to be kept", {
      events = report.cleaned_events, requests = report.cleaned_requests,
      received = received > 0 and received or nil })
  end
end

local function log_job(self, job)
  if job and job.finished_ms then
    self._log("info", "retry of failed requests finished", { job = job.id, retried = job.retried,
      left_over = job.left_over })
  end
end

--- One round: waits up to timeout_ms (1000) if there is nothing to do, records,
-- leases and sends, and makes a step of a stored job and of retention. Returns a
-- report { events, started, rescued, failed_unsent, paused_unreadable, job,
-- cleaned_events, cleaned_requests, cleaned_received, mails, mail_due, in_flight,
-- next_due_ms, idle, signal }, or nil, message, code and a signal that came during
-- it; with the codes
-- "full", "busy", "shortage", "memory" nothing is lost and stepping may go on.
function Worker:step(timeout_ms)
  local report, message, code, signal = self._engine:step(timeout_ms or STEP_MS)
  if not report then
    return nil, message, code, signal
  end
  for _, event in ipairs(report.events) do
    self._short = self._short or event.outcome == "local"
    log_attempt(self, event)
  end
  log_counts(self, report)
  log_job(self, report.job)
  log_retention(self, report)
  if self._mailer then
    report.in_flight = report.in_flight + self._mailer:handle(report)
    report.mail_due = self._mailer:may_lease(report)
  end
  return report
end

--- From now on SIGTERM and SIGINT show as report.signal instead of ending the
-- process; after the first one the next ends it. Returns true, or nil, message,
-- code.
function Worker:catch_signals()
  return self._engine:catch_signals()
end

--- Ends what is in flight: unsent attempts are given back, others recorded as
-- lost. Returns true, or nil, message, code.
function Worker:abort()
  return self._engine:abort()
end

--- Stops leasing; steps go on until report.in_flight is 0.
function Worker:drain()
  return self._engine:drain()
end

--- Aborts what is in flight and ends the worker's session. The sender stays
-- open. Closing again does nothing.
function Worker:close()
  self._engine:close()
end

-- A step that survives shortages. Returns the report (false for a shortage) and
-- the signal that came, or nil, message, code for an error that ends the loop.
local function safe_step(self, timeout_ms)
  local report, message, code, signal = self:step(timeout_ms)
  if report then
    self._trouble = nil
    return report, report.signal
  elseif not PASSING[code] then
    return nil, message, code
  end
  local now_ms = core.now_ms()
  self._trouble = self._trouble or { since_ms = now_ms }
  self._trouble.message, self._trouble.code = message, code
  local held = self._brake(code, now_ms)
  if held then
    self._log("error", message, { code = code, repeated = held > 0 and held or nil })
  end
  return false, signal
end

-- Stops leasing, waits for what is in flight for at most grace_ms, then aborts
-- the rest. A signal was given: whatever happens, it ends soon.
local function drain(self, given, grace_ms, signal)
  local deadline_ms = core.now_ms() + grace_ms
  self:drain()
  repeat
    local left_ms = deadline_ms - core.now_ms()
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

-- Whether --until-idle is over: true; nil, message, code if only given-back
-- attempts remain; false to go on.
local function look_if_done(self)
  local work, message, code = self._sender._store:pending_work()
  if not work then
    if PASSING[code] then
      return false
    end
    return nil, message, code
  elseif work.sending > 0 or work.due > work.given_back then
    return false
  elseif work.given_back > 0 and not self._short and core.now_ms() < self._patience_ms then
    return false -- given back by somebody before: they are due within a minute
  elseif work.given_back > 0 then
    return nil, ("%d requests wait because this machine ran short of something"):format(
      work.given_back), "shortage"
  end
  return work.due == 0
end

local function in_trouble_too_long(self, grace_ms)
  local trouble = self._trouble
  if trouble and core.now_ms() - trouble.since_ms > grace_ms then
    return nil, trouble.message, trouble.code
  end
  return false
end

-- How long the next round may wait.
local function next_wait(report, until_idle)
  if not report then
    return STEP_MS
  elseif until_idle and report.in_flight == 0 then
    return IDLE_STEP_MS
  end
  local due_ms = report.next_due_ms and report.next_due_ms - core.now_ms() or STEP_MS
  return math.floor(math.max(0, math.min(STEP_MS, due_ms)))
end

local function quiet(report)
  return report and report.in_flight == 0 and report.started == 0 and #report.events == 0
    and not report.mail_due
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
  if not report then
    done, message, code = in_trouble_too_long(self, grace_ms)
  elseif quiet(report) then
    done, message, code = look_if_done(self)
  end
  return done ~= false, done, message, code
end

--- Works until it is told to stop. given: until_idle = true ends when nothing is
-- due or in flight, and lets nothing wait for its batch to fill; grace_ms (30000)
-- is how long a drain waits; catch_signals (true) makes SIGTERM and SIGINT drain;
-- on_report = function(report) is called after each round and may return "stop".
-- Returns "drained" after a signal (then also "TERM" or "INT") or "stop", true
-- when idle, or nil, message, code (until_idle: "shortage" if only given-back
-- attempts remain, or a passing error that did not pass).
function Worker:run(given)
  given = options.check(given, RUN, "worker:run")
  local grace_ms = given.grace_ms or GRACE_MS
  if given.catch_signals ~= false then
    local ok, message, code = self:catch_signals()
    if not ok then
      return nil, message, code
    end
  end
  self._patience_ms = core.now_ms() + grace_ms
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
    wait_ms = next_wait(report, given.until_idle)
  end
end

return worker
