-- loyalhook request list: the log of requests, newest first, a page at a time.

local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local fields = require "loyalhook.fields"
local names = require "loyalhook.cli.names"
local shapes = require "loyalhook.cli.shapes"
local columns = require "loyalhook.cli.table"

local list = {}

list.examples = {
  "loyalhook request list --state failed",
  "loyalhook request list --webhook crm --since 2h",
  "loyalhook request list --member m-1001 --json",
}

function list.arguments(parser)
  parser:option("--state", table.concat(fields.states, ", ") .. "."):argname("STATE")
  parser:option("--webhook", "Only this webhook's: id or name."):argname("ID|NAME")
  parser:option("--account", "Only this account's."):argname("NAME")
  parser:option("--event", "Only those with this event."):argname("ID")
  parser:option("--member", "Only those with an event of this member."):argname("ID")
  parser:option("--since", "Only those made since then: RFC 3339, or 30m, 2h, 7d ago.")
    :argname("TIME")
  arguments.integer_option(parser, "--limit", "At most so many, 1-1000 (default 50).")
  parser:option("--after", "Go on after this cursor, printed at the end of a page.")
    :argname("CURSOR")
end

local FILTERS = { "state", "webhook", "account", "event", "member", "since", "limit", "after" }

local function print_table(requests, following, context)
  local output, named = context.output, names.of(context:sender())
  if #requests == 0 then
    output:note(following and "none so far; more: --after " .. following or "no requests")
    return
  end
  local rows = {}
  for index, request in ipairs(requests) do
    local webhook = named(request.webhook_id)
    rows[index] = { request.request_id, webhook.account, webhook.name, request.state,
      request.reason, request.total_count, request.attempts_made, request.next_attempt_at,
      request.created_at }
  end
  output:lines(columns.lines({ "REQUEST", "ACCOUNT", "WEBHOOK", "STATE", "REASON", ">EVENTS",
    ">ATTEMPTS", "NEXT ATTEMPT", "CREATED" }, rows))
  if following then
    output:note("more: --after " .. following)
  end
end

function list.run(args, context)
  local filter = {}
  for _, name in ipairs(FILTERS) do
    filter[name] = args[name]
  end
  local requests, following, code = context:sender():requests(filter)
  if not requests then
    return nil, following, code
  end
  if context.json then
    context.output:document(document.object("requests", shapes.list(requests, shapes.request),
      "next", following))
  else
    print_table(requests, following, context)
  end
end

return list
