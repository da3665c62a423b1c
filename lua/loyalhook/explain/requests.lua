-- What became of an event that is in a request: delivered, failed, or on its way.

local commands = require("loyalhook.explain.commands")
local words = require("loyalhook.explain.words")

local requests = {}

local function named(request)
  local others = request.total_count - 1
  if others == 0 then
    return "request " .. request.request_id
  end
  return ("request %s (with %s)"):format(request.request_id, words.count(others, "other event"))
end

-- The attempt that was accepted: a late success is not the last one.
local function accepted_attempt(request)
  for index = #request.attempts, 1, -1 do
    local attempt = request.attempts[index]
    if attempt.status and attempt.status >= 200 and attempt.status < 300
      and (attempt.error == nil or attempt.error == "") then
      return attempt
    end
  end
  return request.attempts[#request.attempts]
end

local states = {}

function states.delivered(row, about)
  local request = row.request
  local attempt = accepted_attempt(request)
  local which = attempt and (" by attempt %d"):format(attempt.number) or ""
  return ("delivered%s of %s, at %s, %s after the event was accepted"):format(which,
    named(request), words.when(request.finished_ms, about.now_ms),
    words.length(math.max(0, request.finished_ms - about.created_ms)))
end

local function how_to_retry(row)
  local webhook, request = row.webhook, row.request
  if webhook.status == "deleted" then
    return nil
  end
  return commands.retry(request.request_id, webhook)
end

function states.failed(row, about)
  local request = row.request
  local attempts = request.attempts_made == 0 and "without an attempt"
    or "after " .. words.count(request.attempts_made, "attempt")
  local text = ("not delivered: %s failed at %s, %s: %s"):format(named(request),
    words.when(request.finished_ms, about.now_ms), attempts, words.reason(request.reason))
  if row.webhook.status == "deleted" then
    return text .. "; it cannot be retried, because its webhook is deleted"
  end
  return text, how_to_retry(row)
end

-- Waiting for an attempt: of a stopped webhook there will be none.
local function waits(row, about, text)
  local webhook, request = row.webhook, row.request
  if row.stopped then
    local hint = webhook.status ~= "deleted" and commands.retry_all(webhook) or nil
    return text .. "; a worker will list it as failed in its next turn, because its webhook was"
      .. " stopped since", hint
  end
  local at_ms = request.next_attempt_ms
  if row.failing > 0 and row.next_start_ms > at_ms then
    at_ms = row.next_start_ms
  end
  local due = at_ms <= about.now_ms and "now" or "at " .. words.when(at_ms, about.now_ms)
  text = ("%s; attempt %d is due %s"):format(text, request.attempts_made + 1, due)
  if about.workers == 0 then
    return text .. ", but no worker is running", "loyalhook work"
  end
  return text
end

function states.retrying(row, about)
  local request = row.request
  return waits(row, about, ("not delivered yet: %s was attempted %s without success"):format(
    named(request), request.attempts_made == 1 and "once" or request.attempts_made .. " times"))
end

function states.pending(row, about)
  return waits(row, about, ("not delivered yet: the worker that had %s ran short of something"
    .. " before it sent a byte"):format(named(row.request)))
end

function states.sending(row, about)
  local text = ("being sent now: attempt %d of %s"):format(row.request.attempts_made,
    named(row.request))
  if about.workers == 0 then
    return text .. "; its worker is gone, and the next one takes it over", "loyalhook work"
  end
  return text
end

local VERDICTS = { pending = "waiting" }

--- As explain.webhook, for a row with a request.
function requests.explain(row, about)
  local state = row.request.state
  local explanation, hint = states[state](row, about)
  return { verdict = VERDICTS[state] or state, explanation = explanation, hint = hint }
end

return requests
