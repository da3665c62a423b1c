-- /stats: figures as they are now, and over time.

local core = require("loyalhook.core")
local fields = require("loyalhook.fields")
local json = require("loyalhook.json")
local kinds = require("loyalhook.api.kinds")
local render = require("loyalhook.api.render")
local time = require("loyalhook.time")

local DAY_MS = 86400000
local WEEK_MS = 7 * DAY_MS -- older figures are deleted
local POINTS_MAX = 1000
local STEP_MS = 300000 -- of the store

local RECENT = { "since", "delivered", "delivered_events", "failed", "attempts", "failed_attempts",
  "delivered_per_hour", "failed_per_hour" }
local WEBHOOK = { "webhook_id", "account", "name", "status", "waiting", "attempts",
  "oldest_undelivered_at", "last_delivered_at" }
local STORE = { "accounts", "webhooks", "events", "database_bytes", "wal_bytes" }
local SUM = { "waiting", "attempts", "oldest_undelivered_at", "last_delivered_at" }

local function add_figures(shown, row)
  shown.waiting_at_least = row.waiting_at_least or false
  shown.requests = render.pick(row.requests, fields.states)
  shown.recent = render.pick(row.recent, RECENT)
  shown.recent.attempt_ms = render.percentiles(row.recent.attempt_ms)
  shown.recent.delivery_ms = render.percentiles(row.recent.delivery_ms)
  return shown
end

local function per_webhook(rows)
  return render.list(rows, function(row)
    return add_figures(render.pick(row, WEBHOOK), row)
  end)
end

local function inbox(found)
  return { events = found.events, tasks = render.pick(found.tasks, fields.task_states),
    oldest_unfinished_at = render.maybe(found.oldest_unfinished_at) }
end

-- The account and webhook that a query means, both perhaps nil; or false, problem.
local function scope_of(call)
  local account, failure = call:account(call.query.account)
  if account == false then
    return false, failure
  end
  local webhook = call.query.webhook
  if webhook then
    local row
    row, failure = call:webhook(webhook)
    if not row then
      return false, failure
    end
  end
  return account, webhook
end

local function stats(call)
  local account, webhook = scope_of(call)
  if account == false then
    return nil, webhook
  end
  local found, message, code = call.sender:stats({ account = account, webhook = webhook,
    since = call.query.since })
  if not found then
    return call:failed(message, code)
  end
  local is_whole = not call.who.account
  local shown = add_figures(render.pick(found, SUM), found)
  for name, value in pairs(render.pick(is_whole and found or {}, STORE)) do
    shown[name] = value
  end
  shown.inbox = is_whole and found.inbox and inbox(found.inbox) or json.null
  shown.per_webhook = found.per_webhook and per_webhook(found.per_webhook) or json.null
  shown.more = found.more or false
  return call:ok(shown)
end

local POINT = { "delivered", "delivered_events", "failed", "attempts", "failed_attempts" }

-- The window { from_ms, to_ms, step_ms } that a query means.
local function window_of(query)
  local now_ms = core.now_ms()
  local from_ms = math.max(query.from or now_ms - DAY_MS, now_ms - WEEK_MS)
  from_ms = math.min(from_ms, now_ms)
  from_ms = from_ms - from_ms % STEP_MS
  local step_ms = (query.step or 300) * 1000
  step_ms = math.max(step_ms, (now_ms - from_ms) / (POINTS_MAX - 1))
  step_ms = math.ceil(step_ms / STEP_MS) * STEP_MS
  return { from_ms = from_ms, to_ms = now_ms, step_ms = step_ms }
end

local function series(call)
  local account, webhook = scope_of(call)
  if account == false then
    return nil, webhook
  end
  local window = window_of(call.query)
  local points, message, code = call.sender:series({ account = account, webhook = webhook,
    from_ms = window.from_ms, to_ms = window.to_ms, step_ms = window.step_ms })
  if not points then
    return call:failed(message, code)
  end
  return call:ok({ from = time.format(window.from_ms), step = math.floor(window.step_ms / 1000),
    points = render.list(points, function(row)
      local shown = render.pick(row, POINT)
      shown.from = time.format(tonumber(row.from_ms))
      shown.attempt_ms = render.percentiles(row.attempt_ms)
      shown.delivery_ms = render.percentiles(row.delivery_ms)
      return shown
    end) })
end

return {
  { "GET", "/stats", need = "read", run = stats, query = { account = kinds.account,
    webhook = kinds.id, since = kinds.since } },
  { "GET", "/stats/series", need = "read", run = series, query = { account = kinds.account,
    webhook = kinds.id, from = kinds.since, step = kinds.integer(1, 604800) } },
}
