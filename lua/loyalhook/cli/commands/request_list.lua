-- loyalhook request list: the log of requests, newest first, a page at a time.

local fields = require "loyalhook.fields"
local names = require "loyalhook.cli.names"
local page = require "loyalhook.cli.page"
local shapes = require "loyalhook.cli.shapes"

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
  parser:option("--event-type", "Only those with an event of this type."):argname("TYPE")
  parser:option("--since", "Only those made since then: RFC 3339, or 30m, 2h, 7d ago.")
    :argname("TIME")
  parser:option("--until", "Only those made before."):argname("TIME")
  page.options(parser)
end

local FILTERS = { "state", "webhook", "account", "event", "member", "event_type", "since",
  "until", "limit", "after" }

-- Webhooks are shown by their names, which are read when the first one is asked for.
local function form_of(context)
  local named
  return { shape = shapes.request,
    heads = { "REQUEST", "ACCOUNT", "WEBHOOK", "STATE", "REASON", ">EVENTS", ">ATTEMPTS",
      "NEXT ATTEMPT", "CREATED" },
    row = function(request)
      named = named or names.of(context:sender())
      local webhook = named(request.webhook_id)
      return { request.request_id, webhook.account, webhook.name, request.state, request.reason,
        request.total_count, request.attempts_made, request.next_attempt_at, request.created_at }
    end }
end

function list.run(args, context)
  local requests, following, code = context:sender():requests(page.filter(args, FILTERS))
  if not requests then
    return nil, following, code
  end
  page.show(context, "requests", requests, following, form_of(context))
end

return list
