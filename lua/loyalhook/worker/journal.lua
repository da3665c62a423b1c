-- What a worker's log says of a round: attempts, tasks of handlers, retention, jobs.

local journal = {}

local function log_attempt(say, event)
  local fields = { request_id = event.request_id, webhook = event.webhook_id,
    attempt = event.attempt, events = event.total_count, outcome = event.outcome,
    status = event.status ~= 0 and event.status or nil, ms = event.duration_ms }
  if event.error ~= "" then
    fields.error = event.error
  end
  if event.state == "delivered" then
    say("debug", "delivered", fields)
  elseif event.state == "failed" then
    fields.reason = event.reason
    say("error", "request failed", fields)
  else
    say("warn", "attempt did not succeed", fields)
  end
  if event.paused_webhook then
    say("error", "webhook paused after too many failures", { webhook = event.webhook_id })
  end
end

local TASKS = {
  done = { "debug", "task done" },
  failed = { "error", "task failed" },
  retrying = { "warn", "task did not succeed" },
  pending = { "info", "task given back" },
}

-- A task whose event is gone, or that somebody else runs by now, has nothing to say.
local function log_task(say, told)
  local words = TASKS[told.kind == "given_back" and told.state == "retrying" and "pending"
    or told.state]
  if words then
    say(words[1], words[2], { handler = told.handler, event = told.id, source = told.source,
      event_type = told.event_type, attempt = told.attempt, reason = told.reason,
      error = told.error })
  end
end

-- Figures of a report that say something only if they are above 0.
local COUNTS = {
  { "rescued", "warn", "attempts of a lost worker were taken over" },
  { "failed_unsent", "error", "requests failed without an attempt: their webhook was stopped" },
  { "paused_unreadable", "error",
    "webhooks paused: their secret does not decrypt with this key file" },
}

local function log_counts(say, report)
  for _, entry in ipairs(COUNTS) do
    local count = report[entry[1]]
    if count > 0 then
      say(entry[2], entry[3], { count = count })
    end
  end
end

local function log_retention(say, report)
  local received = report.cleaned_received
  if report.cleaned_events + report.cleaned_requests + received > 0 then
    say("info", "deleted what is older than it is to be kept", {
      events = report.cleaned_events, requests = report.cleaned_requests,
      received = received > 0 and received or nil })
  end
end

local function log_job(say, job)
  if job and job.finished_ms then
    say("info", "retry of failed requests finished", { job = job.id, retried = job.retried,
      left_over = job.left_over })
  end
end

--- Logs what an engine's report tells.
function journal.round(say, report)
  for _, event in ipairs(report.events) do
    log_attempt(say, event)
  end
  log_counts(say, report)
  log_job(say, report.job)
  log_retention(say, report)
end

--- Logs what became of tasks.
function journal.tasks(say, list)
  for _, told in ipairs(list) do
    log_task(say, told)
  end
end

return journal
