-- Why an event was delivered to a webhook, or not (yet): a verdict, a sentence
-- and, where a person can do something, the command that helps. Takes rows as
-- store:explain returns them; pure, so that the command line and a console say
-- the same. Which span or request an event is in is the store's business.

local events = require("loyalhook.explain.unsent")
local requests = require("loyalhook.explain.requests")

local explain = {}

--- What became of an event at one webhook. row: of store:explain; about: { event_type, created_ms,
-- now_ms, workers = how many are alive }. Returns { verdict, explanation, hint }; hint is a command
-- or nil. Verdicts: "delivered", "failed", "retrying", "sending", "waiting", "not_subscribed",
-- "disabled", "created_later", "expired".
function explain.webhook(row, about)
  if row.request then
    return requests.explain(row, about)
  end
  return events.explain(row, about)
end

--- What holds for the event as a whole, or nil: that nobody wanted it.
function explain.event(rows, about)
  local existed = false
  for _, row in ipairs(rows) do
    local verdict = explain.webhook(row, about).verdict
    if verdict == "not_subscribed" or verdict == "disabled" then
      existed = true
    elseif verdict ~= "created_later" then
      return nil
    end
  end
  return ("no webhook of its account %s when it was emitted"):format(
    existed and "wanted it" or "existed")
end

return explain
