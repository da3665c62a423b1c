-- /metrics: figures for Prometheus. Counters are the store's totals, which only rise,
-- whichever process is asked. Labels are bounded: of very many webhooks those are shown
-- that wait for longest.

local core = require("loyalhook.core")
local exposition = require("loyalhook.api.exposition")
local fields = require("loyalhook.fields")
local time = require("loyalhook.time")

local WEBHOOKS_MAX = 200
local HANDLERS_MAX = 200
-- Doublings of a millisecond that become buckets: 1 ms to 9 min; 1 ms to 3 days.
local ATTEMPT_BUCKETS, DELIVERY_BUCKETS = 20, 29

local function seconds_since(instant, now_ms)
  local ms = instant and time.parse(instant)
  return ms and math.max(0, (now_ms - ms) / 1000) or 0
end

local function add_totals(page, totals)
  page:metric("loyalhook_events_emitted_total", "counter", "Events that were accepted.")
  page:value(totals.emitted)
  page:metric("loyalhook_events_delivered_total", "counter",
    "Events in delivered requests; one for each webhook.")
  page:value(totals.delivered_events)
  page:metric("loyalhook_requests_total", "counter", "Requests that ended.")
  page:value(totals.delivered, { "outcome", "delivered" })
  page:value(totals.failed, { "outcome", "failed" })
  page:metric("loyalhook_attempts_total", "counter", "HTTP exchanges with webhooks that ended.")
  page:value(totals.attempts - totals.failed_attempts, { "outcome", "success" })
  page:value(totals.failed_attempts, { "outcome", "failure" })
  page:metric("loyalhook_attempt_duration_seconds", "histogram",
    "How long attempts took. The sum is up to a quarter too high.")
  page:lengths(totals.attempt, 1, ATTEMPT_BUCKETS)
  page:metric("loyalhook_delivery_duration_seconds", "histogram",
    "From emit of a request's oldest event to its delivery. The sum is up to a quarter too high.")
  page:lengths(totals.delivery, 1, DELIVERY_BUCKETS)
  page:metric("loyalhook_inbox_events_received_total", "counter",
    "Received events that were recorded; repeated ones do not count.")
  page:value(totals.received)
end

local function add_stats(page, stats, now_ms)
  page:metric("loyalhook_queue_depth", "gauge",
    "Accepted events that wait to be put into a request, once for each webhook that wants them.")
  page:value(stats.waiting)
  page:metric("loyalhook_requests", "gauge", "Requests in the log by state.")
  for _, state in ipairs(fields.states) do
    page:value(stats.requests[state], { "state", state })
  end
  page:metric("loyalhook_store_bytes", "gauge", "Size of the store's files.")
  page:value(stats.database_bytes, { "file", "database" })
  page:value(stats.wal_bytes, { "file", "wal" })
  page:metric("loyalhook_inbox_oldest_unfinished_seconds", "gauge",
    "Age of the oldest received event with an unfinished task; 0 if there is none.")
  page:value(seconds_since(stats.inbox and stats.inbox.oldest_unfinished_at, now_ms))
end

-- At most so many of the webhooks, those that wait for longest first.
local function longest_first(rows, now_ms)
  local list = {}
  for _, row in ipairs(rows) do
    list[#list + 1] = { row = row, age_s = seconds_since(row.oldest_undelivered_at, now_ms) }
  end
  table.sort(list, function(left, right)
    if left.age_s ~= right.age_s then
      return left.age_s > right.age_s
    end
    return left.row.webhook_id < right.row.webhook_id
  end)
  for index = #list, WEBHOOKS_MAX + 1, -1 do
    list[index] = nil
  end
  return list
end

local function add_webhooks(page, stats, now_ms)
  local count = { enabled = 0, paused = 0, disabled = 0 }
  for _, row in ipairs(stats.per_webhook) do
    count[row.status] = (count[row.status] or 0) + 1
  end
  page:metric("loyalhook_webhooks", "gauge", "Webhooks by status, of the first 1000.")
  for _, status in ipairs{ "enabled", "paused", "disabled" } do
    page:value(count[status], { "status", status })
  end
  local list = longest_first(stats.per_webhook, now_ms)
  page:metric("loyalhook_oldest_undelivered_seconds", "gauge",
    "Age of a webhook's oldest event that is neither delivered nor failed; 0 if there is none.")
  for _, entry in ipairs(list) do
    page:value(entry.age_s, { "webhook", entry.row.webhook_id, "account", entry.row.account,
      "name", entry.row.name })
  end
  page:metric("loyalhook_webhook_paused", "gauge", "1 for a webhook that is paused.")
  for _, entry in ipairs(list) do
    page:value(entry.row.status == "paused" and 1 or 0, { "webhook", entry.row.webhook_id,
      "account", entry.row.account, "name", entry.row.name })
  end
end

local function add_handlers(page, rows)
  page:metric("loyalhook_handler_tasks", "gauge", "Tasks of a handler by state.")
  for index = 1, math.min(#rows, HANDLERS_MAX) do
    for _, state in ipairs(fields.task_states) do
      page:value(rows[index].tasks[state], { "handler", rows[index].name, "state", state })
    end
  end
  page:metric("loyalhook_handler_behind_events", "gauge",
    "Received events that a handler has not come to.")
  for index = 1, math.min(#rows, HANDLERS_MAX) do
    page:value(rows[index].behind, { "handler", rows[index].name })
  end
end

local function add_vitals(page, vitals)
  page:metric("loyalhook_notices_total", "counter", "Notices: failed requests and pauses.")
  page:value(vitals.notices_last)
  page:metric("loyalhook_workers", "gauge", "Workers that live.")
  page:value(vitals.workers)
  page:metric("loyalhook_store_writable", "gauge",
    "1 if the store's files may be written and the disk has room.")
  page:value(vitals.writable and 1 or 0)
  page:metric("loyalhook_build_info", "gauge", "The version.")
  page:value(1, { "version", core._VERSION })
end

-- All that is shown: { totals, stats, vitals, handlers }, or nil, message, code.
local function collect(call, now_ms)
  local found, message, code = {}
  found.totals, message, code = call.sender:totals()
  if found.totals then
    found.stats, message, code = call.sender:stats({ since = now_ms })
  end
  if found.stats then
    found.vitals, message, code = call.sender:vitals()
  end
  if found.vitals then
    found.handlers = {}
    if call.receiver then
      found.handlers, message, code = call.receiver:handlers()
    end
  end
  if not found.handlers then
    return nil, message, code
  end
  return found
end

local function metrics(call)
  local now_ms = core.now_ms()
  local found, message, code = collect(call, now_ms)
  if not found then
    return call:failed(message, code)
  end
  local page = exposition.new()
  add_totals(page, found.totals)
  add_stats(page, found.stats, now_ms)
  add_webhooks(page, found.stats, now_ms)
  add_handlers(page, found.handlers)
  add_vitals(page, found.vitals)
  return { status = 200, text = page:text(), media = exposition.media }
end

return {
  { "GET", "/metrics", bare = true, need = "read", all_accounts = true, run = metrics,
    media = "text/plain", is_open = function(api)
      return api.metrics_public
    end },
}
