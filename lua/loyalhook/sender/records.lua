-- The sender's methods that tell what became of events: the log of requests, one
-- request, one event, why it was delivered or not, figures.

local core = require("loyalhook.core")
local explain = require("loyalhook.explain")
local fields = require("loyalhook.fields")
local nearest = require("loyalhook.nearest")
local options = require("loyalhook.options")
local resolve = require("loyalhook.sender.filter").resolve
local views = require("loyalhook.sender.views")

local methods = {}

local REQUESTS = { state = "string", webhook = "string", event = "string", member = "string",
  since = "string or number", limit = "number", after = "string", account = "string" }

-- Raises at the line that called the method.
local function check_text(value, method, expected)
  if type(value) ~= "string" then
    error(("%s: expected %s, got %s"):format(method, expected, type(value)), 3)
  end
end

-- nil stays nil; a name becomes the webhook's id.
local function webhook_id(self, id_or_name, account)
  if id_or_name == nil then
    return nil
  end
  local row, message, code = self._store:webhook(account, id_or_name)
  return row and row.id, message, code
end

local function check_state(state)
  for _, known in ipairs(fields.states) do
    if state == known then
      return true
    end
  end
  return nil, ("state: unknown state %s%s"):format(tostring(state):sub(1, 40),
    nearest.hint(tostring(state), fields.states)), "invalid"
end

-- The filter as the store takes it, or nil, message, code.
local function store_filter(self, filter)
  local wanted = { state = filter.state, account = filter.account, event = filter.event,
    member = filter.member, limit = filter.limit or core.limits.list_limit_default,
    after = filter.after }
  if filter.state ~= nil then
    local ok, message, code = check_state(filter.state)
    if not ok then
      return nil, message, code
    end
  end
  return resolve(self._store, filter, wanted)
end

--- The log of requests, newest first. filter: state, account, webhook (id or
-- name), event (id), member (id), since (RFC 3339, or "2h", "30m", "7d"), limit
-- (1 to 1000, default 50), after (cursor). Returns an array and the cursor of the
-- next page (nil at the end; a page may hold fewer than asked for and still have
-- one), or nil, message, code.
function methods:requests(filter)
  filter = options.check(filter, REQUESTS, "requests")
  local wanted, message, code = store_filter(self, filter)
  if not wanted then
    return nil, message, code
  end
  local list, following, failure = self._store:requests(wanted)
  if not list then
    return nil, following, failure
  end
  return views.list(list, views.request), following
end

--- One request with its attempts, or nil, message, code.
function methods:request(request_id)
  check_text(request_id, "request", "an id")
  local row, message, code = self._store:request(request_id)
  if not row then
    return nil, message, code
  end
  return views.request(row)
end

--- One event { id, event_type, account, created_at, data, data_json }, or nil,
-- message, code. data_json is the exact bytes.
function methods:event(event_id)
  check_text(event_id, "event", "an id")
  local row, message, code = self._store:event(event_id)
  if not row then
    return nil, message, code
  end
  return views.event(row)
end

--- Why an event was delivered, or was not (yet), for each webhook of its account; webhooks that
-- were deleted before it was emitted are left out. Returns { event = { id, event_type, account,
-- created_at }, explanation = a sentence or nil, workers = how many are alive, webhooks = { {
-- webhook_id, name, status, verdict, explanation = a sentence, hint = a command or nil, subscribed,
-- span = { mode, reason, event_types, since }, request = as request() returns it, each attempt with
-- its explanation } } }, or nil, message, code ("not_found" also for one that retention has cut).
function methods:explain(event_id)
  check_text(event_id, "explain", "an id")
  local found, message, code = self._store:explain(event_id)
  local event
  if found then
    event, message, code = self._store:event(event_id)
  end
  if not event then
    return nil, message, code
  end
  local about = { event_type = event.event_type, created_ms = event.created_ms,
    now_ms = core.now_ms(), workers = found.workers }
  local webhooks = views.list(found.webhooks, function(row)
    return views.explained(row, explain.webhook(row, about))
  end)
  return { event = views.event_head(event), workers = found.workers, webhooks = webhooks,
    explanation = explain.event(found.webhooks, about) }
end

--- Figures of the whole store, or of one webhook (id or name; `account` if the
-- name needs it; without a webhook it is refused), or nil, message, code.
function methods:stats(webhook, account)
  if account ~= nil and webhook == nil then
    return nil, "account: there are figures of the store or of a webhook only", "invalid"
  end
  local id, message, code = webhook_id(self, webhook, account)
  if message then
    return nil, message, code
  end
  local row
  row, message, code = self._store:stats(id)
  if not row then
    return nil, message, code
  end
  return views.stats(row)
end

return methods
