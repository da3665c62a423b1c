-- Rows of the store as the public API shows them: pinned field names, times in
-- RFC 3339, nil for what is absent, lists marked as lists. Pure.

local fields = require("loyalhook.fields")
local json = require("loyalhook.json")
local time = require("loyalhook.time")
local words = require("loyalhook.explain.words")

local views = {}

-- Public name of a time → name in the store's rows.
local TIMES = {
  status_since = "status_since_ms", created_at = "created_ms", updated_at = "updated_ms",
  next_attempt_at = "next_attempt_ms", finished_at = "finished_ms", started_at = "started_ms",
  oldest_undelivered_at = "oldest_undelivered_ms", since = "since_ms",
  last_used_at = "last_used_ms", revoked_at = "revoked_ms", last_seen_at = "last_seen_ms",
  expires_at = "expires_ms", at = "at_ms",
  ["until"] = "until_ms",
}
local LISTS = { event_types = true, retry_schedule = true, event_ids = true, notify = true }

local function instant(ms)
  ms = tonumber(ms)
  return ms and ms > 0 and ms < 253402300800000 and time.format(ms) or nil
end

local function value_of(row, name)
  if TIMES[name] then
    return instant(row[TIMES[name]])
  end
  local value = row[name]
  if value == "" then
    return nil
  elseif LISTS[name] and value ~= nil then
    return json.array(value)
  end
  return value
end

local function copy(row)
  local made = {}
  for key, value in pairs(row) do
    made[key] = value
  end
  return made
end

local function pick(names, row)
  local view = {}
  for _, name in ipairs(names) do
    view[name] = value_of(row, name)
  end
  return view
end

--- A webhook; `secret` only if the row has one (at creation and rotation), `secret_rotates_at` only
-- while a new secret waits for the old one's end.
function views.webhook(row)
  local view = pick(fields.webhook, row)
  view.secret = row.secret
  view.secret_rotates_at = instant(row.secret_rotates_ms)
  return view
end

local function attempt_view(row)
  local view = pick(fields.attempt, row)
  if view.duration_ms and view.duration_ms < 0 then
    view.duration_ms = nil -- its end was not seen
  end
  if view.status == 0 then
    view.status = nil -- no answer came
  end
  view.header_names = row.header_names
  view.explanation = words.attempt(row)
  return view
end

--- A request; with `attempts` if the row has them, each with its explanation.
function views.request(row)
  local view = pick(fields.request, row)
  if view.state ~= "pending" and view.state ~= "retrying" then
    view.next_attempt_at = nil
  end
  if row.attempts then
    view.attempts = json.array()
    for index, attempt in ipairs(row.attempts) do
      view.attempts[index] = attempt_view(attempt)
    end
  end
  return view
end

--- A retry of many; without `finished_at` it is under way.
function views.job(row)
  return pick(fields.job, row)
end

--- An event: `data_json` is the exact bytes, `data` the same decoded.
function views.event(row)
  local view = pick(fields.event, row)
  view.data_json = row.data
  view.data = json.decode(row.data)
  return view
end

--- An event without its data.
function views.event_head(row)
  local view = pick(fields.event, row)
  view.data = nil
  return view
end

--- What became of an event at one webhook: a row of store:explain and what explain.webhook made of
-- it.
function views.explained(row, result)
  local view = { webhook_id = row.webhook.id, name = row.webhook.name, status = row.webhook.status,
    verdict = result.verdict, explanation = result.explanation, hint = result.hint }
  if row.covered then
    view.subscribed = row.subscribed
    view.span = { mode = row.mode, reason = row.reason ~= "" and row.reason or nil,
      event_types = json.array(row.event_types), since = instant(row.span_ms) }
  end
  view.request = row.request and views.request(row.request)
  return view
end

local HOUR_MS = 3600000

-- What was done in the window, and how much of it an hour.
local function recent_view(row, from_ms, now_ms)
  local view = copy(row)
  local hours = math.max(now_ms - from_ms, 1) / HOUR_MS
  view.since = instant(from_ms)
  view.delivered_per_hour = math.floor(row.delivered / hours + 0.5)
  view.failed_per_hour = math.floor(row.failed / hours + 0.5)
  return view
end

local function figures_view(row, from_ms, now_ms)
  local view = copy(row)
  view.oldest_undelivered_ms = nil
  view.oldest_undelivered_at = instant(row.oldest_undelivered_ms)
  view.last_delivered_ms = nil
  view.last_delivered_at = instant(row.last_delivered_ms)
  view.recent = recent_view(row.recent, from_ms, now_ms)
  return view
end

--- Figures: numbers as they are, times in RFC 3339, rates by the hour.
function views.stats(row, now_ms)
  local from_ms = tonumber(row.recent_from_ms)
  local view = figures_view(row, from_ms, now_ms)
  view.recent_from_ms = nil
  if row.inbox then
    view.inbox = { events = row.inbox.events, tasks = row.inbox.tasks,
      oldest_unfinished_at = instant(row.inbox.oldest_unfinished_ms) }
  end
  if row.per_webhook then
    view.per_webhook = views.list(row.per_webhook, function(webhook)
      return figures_view(webhook, from_ms, now_ms)
    end)
  end
  return view
end

--- A notice: its number is its id.
function views.notice(row)
  local view = pick(fields.notice, row)
  view.id = row.notice
  return view
end

--- An account; notify only if it has addresses of its own.
function views.account(row)
  return pick(fields.account, row)
end

--- A token of a program; `token`, its text, only if the row has it: where it is made.
function views.token(row)
  local view = pick(fields.token, row)
  view.token = row.token
  return view
end

--- A user.
function views.user(row)
  return pick(fields.user, row)
end

--- A login that holds.
function views.login(row)
  return pick({ "user", "role", "csrf", "created_at", "expires_at" }, row)
end

--- An entry of the audit log; `detail` is decoded.
function views.audit(row)
  local view = pick(fields.audit, row)
  view.detail = row.detail and json.decode(row.detail)
  return view
end

--- An array of rows, each shown by `view`.
function views.list(rows, view)
  local list = json.array()
  for index, row in ipairs(rows) do
    list[index] = view(row)
  end
  return list
end

return views
