-- Why an event is in no request of a webhook: not wanted, or not batched yet.

local commands = require("loyalhook.explain.commands")
local words = require("loyalhook.explain.words")

local unsent = {}

local function result(verdict, explanation, hint)
  return { verdict = verdict, explanation = explanation, hint = hint }
end

local function created_later(row, about)
  return result("created_later", ("not for this webhook: it was created at %s, and gets only what"
    .. " is emitted after that"):format(words.when(row.webhook.created_ms, about.now_ms)))
end

local function disabled(row)
  local text = "not recorded for this webhook: it was disabled when the event was emitted"
  if row.webhook.status ~= "disabled" then
    return result("disabled", text)
  end
  return result("disabled", text .. "; enabling it lets it take what is emitted from then on",
    commands.webhook("enable", row.webhook))
end

local function not_subscribed(row, about)
  return result("not_subscribed", ("not for this webhook: when the event was emitted it wanted only"
    .. " %s, not %s"):format(table.concat(row.event_types, ", "), about.event_type),
    row.webhook.status ~= "deleted" and commands.webhook("show", row.webhook) or nil)
end

local function expired()
  return result("expired", "its request is not kept any more: a delivered one is deleted after"
    .. " retention_days, a failed one after failed_retention_days")
end

-- What the webhook's stop does with it.
local function collected(row, about)
  local webhook = row.webhook
  if webhook.status ~= "paused" or row.reason ~= "paused" then
    return ("not delivered: it was waiting when the webhook was %s, and a worker will list it as"
      .. " failed (%s) in its next turn"):format(row.reason, row.reason)
  end
  local full = webhook.batch_size == 1 and "" or (" or when %d are there"):format(
    webhook.batch_size)
  return ("not delivered: the webhook is paused (%s), and what comes meanwhile is listed as failed"
    .. " (paused), at %s%s"):format(webhook.status_reason, words.when(
    math.max(row.next_start_ms, about.now_ms), about.now_ms), full)
end

local function held_until(row, moment)
  local webhook = row.webhook
  if webhook.batch_wait_ms > 0 and not webhook.ordered then
    return ("it waits for others to fill its batch (batch_wait_ms %d), until %s at most"):format(
      webhook.batch_wait_ms, moment)
  end
  return "an earlier request of this webhook goes first, at " .. moment
end

-- What holds an enabled webhook back, most likely first.
local function held_by(row, about)
  local webhook = row.webhook
  local most = webhook.ordered and 1 or webhook.max_in_flight
  local turn_comes_later = webhook.ordered and row.due_ms and row.due_ms > row.next_start_ms
  if row.failing > 0 and row.next_start_ms > about.now_ms and not turn_comes_later then
    return ("the webhook's last attempt failed, so it gets one at a time, the next not before %s")
      :format(words.when(row.next_start_ms, about.now_ms))
  elseif row.in_flight >= most then
    return ("%s being sent, as many as the webhook allows (%s)"):format(
      row.in_flight == 1 and "1 request is" or row.in_flight .. " requests are",
      webhook.ordered and "ordered" or "max_in_flight")
  elseif row.due_ms and row.due_ms > about.now_ms then
    return held_until(row, words.when(row.due_ms, about.now_ms))
  end
  return "it is due in a worker's next turn"
end

local function waiting(row, about)
  local text, hint
  if row.mode == "fail" then
    text = collected(row, about)
    hint = row.webhook.status ~= "deleted" and commands.retry_all(row.webhook) or nil
  else
    text = "not delivered yet, and in no request yet: " .. held_by(row, about)
    hint = nil
  end
  if about.workers == 0 then
    text, hint = text .. "; but no worker is running", "loyalhook work"
  end
  return result("waiting", text, hint)
end

--- As explain.webhook, for a row without a request.
function unsent.explain(row, about)
  if not row.covered then
    return created_later(row, about)
  elseif row.mode == "skip" then
    return disabled(row)
  elseif not row.subscribed then
    return not_subscribed(row, about)
  elseif row.passed then
    return expired()
  end
  return waiting(row, about)
end

return unsent
