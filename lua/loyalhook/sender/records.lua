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
  event_type = "string", since = "string or number", ["until"] = "string or number",
  limit = "number", after = "string", account = "string" }
local SERIES = { webhook = "string", account = "string", from_ms = "number", to_ms = "number",
  step_ms = "number" }

local STATS = { webhook = "string", account = "string", since = "string or number" }
local RECENT = "1h"
local KEPT_MS = 7 * 86400000 -- older figures are deleted

-- Raises at the line that called the method.
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
    member = filter.member, event_type = filter.event_type, after = filter.after,
    limit = filter.limit or core.limits.list_limit_default }
  if filter.state ~= nil then
    local ok, message, code = check_state(filter.state)
    if not ok then
      return nil, message, code
    end
  end
  return resolve(self._store, filter, wanted)
end

--- The log of requests, newest first. filter: state, account, webhook (id or name), event (id),
-- member (id), event_type (of an event that is still in the log), since and until (RFC 3339, or
-- "2h", "30m", "7d"; until itself does not belong), limit (1 to 1000, default 50), after (cursor).
-- Returns an array and the cursor of the next page (nil at the end; a page may hold fewer than
-- asked for and still have one), or nil, message, code.
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
  options.text(request_id, "request", "an id")
  local row, message, code = self._store:request(request_id)
  if not row then
    return nil, message, code
  end
  return views.request(row)
end

--- The exact bytes of a request's body: what every attempt sends. Or nil, message, code.
function methods:request_body(request_id)
  options.text(request_id, "request_body", "an id")
  return self._store:request_body(request_id)
end

--- One event { id, event_type, account, created_at, data, data_json }, or nil,
-- message, code. data_json is the exact bytes.
function methods:event(event_id)
  options.text(event_id, "event", "an id")
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
  options.text(event_id, "explain", "an id")
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

-- The query as the store takes it, or nil, message, code.
local function stats_query(self, given, now_ms)
  local query, message, code = resolve(self._store, { webhook = given.webhook,
    account = given.account, since = given.since or RECENT }, {})
  if not query then
    return nil, message, code
  end
  query.since_ms = math.max(query.since_ms, now_ms - KEPT_MS, 0)
  query.with_webhooks = not query.webhook
  query.account = not query.webhook and given.account or nil
  return query
end

--- Figures of the store, of one account or of one webhook. given: webhook (id or name), account,
-- since (default "1h", at most "7d"): where the window of `recent` begins. Also as stats(webhook
-- [, account]). Returns { events, webhooks, accounts, database_bytes, wal_bytes (of the store); of
-- all webhooks meant: waiting (matching events in no request yet; waiting_at_least = true if
-- counting stopped at a limit), requests = { pending = n, … }, attempts, oldest_undelivered_at,
-- last_delivered_at, recent = { since, delivered, delivered_events, failed, attempts,
-- failed_attempts, delivered_per_hour, failed_per_hour, attempt_ms and delivery_ms =
-- { p50, p95, p99 } or nil };
-- per_webhook = { { webhook_id, account, name, status, the same }, … } unless one webhook is meant
-- (more = true: only the first 1000) }, or nil, message, code.
function methods:stats(given, account)
  if type(given) ~= "table" then
    given = { webhook = given, account = account }
  end
  given = options.check(given, STATS, "stats")
  local now_ms = core.now_ms()
  local query, message, code = stats_query(self, given, now_ms)
  local row
  if query then
    row, message, code = self._store:stats(query)
  end
  if not row then
    return nil, message, code
  end
  return views.stats(row, now_ms)
end

--- What was done in equal spans of time, for charts; figures are kept for a week. given: webhook
-- (id), account, from_ms, to_ms, step_ms (all three whole multiples of 300,000, at most 2016
-- points; to_ms may be any moment). Returns an array of { from_ms, delivered, delivered_events,
-- failed, attempts, failed_attempts, attempt_ms and delivery_ms = { p50, p95, p99 } or nil }, one a
-- step, oldest first; or nil, message, code.
function methods:series(given)
  return self._store:series(options.check(given, SERIES, "series"))
end

--- Numbers that only rise, for monitors: { emitted, received (events), delivered,
-- delivered_events, failed (requests), attempts, failed_attempts, attempt and delivery = { count,
-- sum_ms, below = { how many took less than 1, 2, 4, 8 … ms } } }. Or nil, message, code.
function methods:totals()
  return self._store:totals()
end

--- Whether the store can do its work now: { workers (that live), key_present, writable,
-- notices_last }. Or nil, message, code.
function methods:vitals()
  return self._store:vitals()
end

return methods
