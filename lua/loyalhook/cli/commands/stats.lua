-- loyalhook stats: how much there is, how far it has got, and how long it takes.

local columns = require "loyalhook.cli.table"
local document = require "loyalhook.cli.document"
local fields = require "loyalhook.fields"
local words = require "loyalhook.explain.words"

local stats = {}

stats.examples = {
  "loyalhook stats",
  "loyalhook stats --since 24h",
  "loyalhook stats --webhook crm --json",
}
stats.notes = [[
waiting: accepted and in no request yet. ATTEMPT and DELIVERY: what 95 of a hundred did not exceed;
an attempt is one HTTP exchange, a delivery reaches from emit to the answer that was a success.]]

function stats.arguments(parser)
  parser:option("--webhook", "Only this webhook's: id or name."):argname("ID|NAME")
  parser:option("--account", "Only this account's."):argname("NAME")
  parser:option("--since", "What is recent: RFC 3339, or 30m, 2h, 7d ago (default 1h).")
    :argname("TIME")
end

local PERCENTILES = { "p50", "p95", "p99" }
local RECENT = { "since", "delivered", "delivered_events", "failed", "attempts", "failed_attempts",
  "delivered_per_hour", "failed_per_hour", "attempt_ms", "delivery_ms" }
-- Of the store, of all webhooks meant, and of each.
local STORE = { "accounts", "webhooks", "events", "waiting", "waiting_at_least", "requests",
  "attempts", "oldest_undelivered_at", "last_delivered_at", "database_bytes", "wal_bytes",
  "recent", "inbox", "per_webhook", "more" }
local INBOX = { "events", "tasks", "oldest_unfinished_at" }
local WEBHOOK = { "webhook_id", "account", "name", "status", "waiting", "waiting_at_least",
  "requests", "attempts", "oldest_undelivered_at", "last_delivered_at", "recent" }

local function copy_of(row)
  local copy = {}
  for key, value in pairs(row) do
    copy[key] = value
  end
  return copy
end

local function figures_document(row, names)
  local shown, recent = copy_of(row), copy_of(row.recent)
  for _, name in ipairs{ "attempt_ms", "delivery_ms" } do
    recent[name] = recent[name] and document.pick(recent[name], PERCENTILES)
  end
  shown.recent = document.pick(recent, RECENT)
  shown.requests = document.pick(row.requests, fields.states)
  shown.waiting_at_least = row.waiting_at_least or false
  return document.pick(shown, names)
end

local function store_document(found)
  local shown = copy_of(found)
  shown.more = found.more or false
  shown.inbox = found.inbox and document.pick({ events = found.inbox.events,
    tasks = document.pick(found.inbox.tasks, fields.task_states),
    oldest_unfinished_at = found.inbox.oldest_unfinished_at }, INBOX)
  if found.per_webhook then
    shown.per_webhook = document.list()
    for index, row in ipairs(found.per_webhook) do
      shown.per_webhook[index] = figures_document(row, WEBHOOK)
    end
  end
  return figures_document(shown, STORE)
end

local function waiting_text(row)
  return (row.waiting_at_least and "at least " or "") .. row.waiting
end

local function counts_text(counts, states)
  local parts = {}
  for index, state in ipairs(states) do
    parts[index] = ("%d %s"):format(counts[state], state)
  end
  return table.concat(parts, ", ")
end

local function percentiles_text(lengths)
  if not lengths then
    return "-"
  end
  local parts = {}
  for index, name in ipairs(PERCENTILES) do
    parts[index] = ("%s %s"):format(name, words.length(lengths[name]))
  end
  return table.concat(parts, ", ")
end

local function pairs_of(found)
  local recent = found.recent
  return {
    { "accounts", found.accounts }, { "webhooks", found.webhooks }, { "events", found.events },
    { "waiting", waiting_text(found) }, { "requests", counts_text(found.requests, fields.states) },
    { "attempts", found.attempts },
    { "oldest_undelivered_at", found.oldest_undelivered_at },
    { "last_delivered_at", found.last_delivered_at },
    { "database_bytes", found.database_bytes }, { "wal_bytes", found.wal_bytes },
    { "recent", "since " .. recent.since },
    { "  delivered", ("%s, %s; %d an hour"):format(words.count(recent.delivered, "request"),
      words.count(recent.delivered_events, "event"), recent.delivered_per_hour) },
    { "  failed", ("%s; %d an hour"):format(words.count(recent.failed, "request"),
      recent.failed_per_hour) },
    { "  attempts", ("%d, %d without success"):format(recent.attempts, recent.failed_attempts) },
    { "  attempt", percentiles_text(recent.attempt_ms) },
    { "  delivery", percentiles_text(recent.delivery_ms) },
  }
end

local function inbox_pairs(inbox)
  return {
    { "inbox", words.count(inbox.events, "event") },
    { "  tasks", counts_text(inbox.tasks, fields.task_states) },
    { "  oldest_unfinished_at", inbox.oldest_unfinished_at },
  }
end

local function p95(lengths)
  return lengths and words.length(lengths.p95) or "-"
end

local function age(row, now_ms)
  local time = require "loyalhook.time"
  local at_ms = row.oldest_undelivered_at and time.parse(row.oldest_undelivered_at)
  return at_ms and words.length(math.max(0, now_ms - at_ms)) or "-"
end

local function print_webhooks(rows, output)
  local now_ms = require("loyalhook.core").now_ms()
  local lines = {}
  for index, row in ipairs(rows) do
    local recent = row.recent
    lines[index] = { row.account, row.name, row.status, waiting_text(row), age(row, now_ms),
      row.requests.sending, row.requests.retrying, row.requests.failed, recent.delivered_per_hour,
      recent.failed_per_hour, p95(recent.attempt_ms), p95(recent.delivery_ms) }
  end
  output:lines(columns.lines({ "ACCOUNT", "WEBHOOK", "STATUS", ">WAITING", ">OLDEST",
    ">IN FLIGHT", ">RETRYING", ">FAILED", ">DELIVERED/H", ">FAILED/H", ">ATTEMPT", ">DELIVERY" },
    lines))
end

local function print_figures(found, output)
  local shown = {}
  for _, list in ipairs{ pairs_of(found), found.inbox and inbox_pairs(found.inbox) or {} } do
    for _, pair in ipairs(list) do
      shown[#shown + 1] = pair[2] ~= nil and pair or nil
    end
  end
  output:lines(columns.pairs(shown))
  if found.per_webhook and #found.per_webhook > 0 then
    output:line("")
    print_webhooks(found.per_webhook, output)
  end
  if found.more then
    output:note("only the first 1000 webhooks are shown: --account shows one account's")
  end
end

function stats.run(args, context)
  local found, message, code = context:sender():stats{ webhook = args.webhook,
    account = args.account, since = args.since }
  if not found then
    return nil, message, code
  end
  if context.json then
    context.output:document(store_document(found))
  else
    print_figures(found, context.output)
  end
end

return stats
