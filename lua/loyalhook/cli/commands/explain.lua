-- loyalhook explain: why an event was delivered, or was not (yet), webhook by webhook.

local document = require "loyalhook.cli.document"
local shapes = require "loyalhook.cli.shapes"
local terminal = require "loyalhook.cli.terminal"
local words = require "loyalhook.explain.words"

local explain = {}

explain.examples = {
  "loyalhook explain 61f1dfbd0c709aac1851b526",
  "loyalhook explain 61f1dfbd0c709aac1851b526 --json",
}
explain.notes = [[
For each webhook of the event's account: did it want the event, in which request is it, what came of
each attempt, when is the next one, and which command helps.]]

function explain.arguments(parser)
  parser:argument("ID", "The id that emit printed."):argname("ID"):target("event")
end

local HEAD = { "id", "event_type", "account", "created_at" }
local SPAN = { "mode", "reason", "event_types", "since" }
local WEBHOOK = { "webhook_id", "name", "status", "verdict", "explanation", "hint", "subscribed",
  "span", "request" }

local function webhook_document(row)
  local shown = {}
  for _, name in ipairs(WEBHOOK) do
    shown[name] = row[name]
  end
  shown.span = row.span and document.pick(row.span, SPAN)
  shown.request = row.request and shapes.request_explained(row.request)
  return document.pick(shown, WEBHOOK)
end

-- Text below an indent; broken between words where a terminal would break it anywhere.
local function print_text(indent, text, output)
  local most = terminal.is_terminal(1) and terminal.columns(1) or math.huge
  local line, blank = "", true
  for word in terminal.safe(text):gmatch("%S+") do
    if not blank and terminal.width(indent .. line .. " " .. word) >= most then
      output:line(indent .. line)
      line, blank = "", true
    end
    line, blank = blank and word or line .. " " .. word, false
  end
  output:line(indent .. line)
end

local COLOURS = { delivered = "green", failed = "red", expired = "dim", not_subscribed = "dim",
  created_later = "dim", disabled = "dim" }

local function print_webhook(row, output)
  output:line("")
  output:line(("%s: %s"):format(terminal.safe(row.name),
    terminal.colour(COLOURS[row.verdict] or "yellow", row.verdict, 1)))
  print_text("  ", row.explanation, output)
  for _, attempt in ipairs(row.request and row.request.attempts or {}) do
    print_text("    ", attempt.explanation, output)
  end
  if row.hint then
    output:line("  try: " .. terminal.safe(row.hint))
  end
end

local function print_event(found, output)
  local event = found.event
  output:line(terminal.safe(("event %s: %s of account %s, accepted at %s"):format(event.id,
    event.event_type, event.account, words.moment(require("loyalhook.time").parse(
    event.created_at)))))
  if found.explanation then
    output:line(found.explanation)
  end
end

function explain.run(args, context)
  local sender = context:sender()
  local found, message, code = sender:explain(args.event)
  if not found then
    if code == "not_found" and sender:request(args.event) then
      message = message .. ", but a request: loyalhook request show " .. args.event
    elseif code == "not_found" then
      message = message .. "; it was never accepted here, or is older than retention_days"
    end
    return nil, message, code
  end
  if context.json then
    context.output:document(document.object("event", document.pick(found.event, HEAD),
      "explanation", found.explanation, "workers", found.workers,
      "webhooks", shapes.list(found.webhooks, webhook_document)))
    return
  end
  print_event(found, context.output)
  for _, row in ipairs(found.webhooks) do
    print_webhook(row, context.output)
  end
end

return explain
