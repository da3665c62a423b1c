-- loyalhook inbox list: the received events and how far their handlers are, newest first, a page at
-- a time.

local arguments = require "loyalhook.cli.arguments"
local columns = require "loyalhook.cli.table"
local document = require "loyalhook.cli.document"
local fields = require "loyalhook.fields"
local inbox = require "loyalhook.cli.inbox"
local shapes = require "loyalhook.cli.shapes"

local list = {}

list.examples = {
  "loyalhook inbox list",
  "loyalhook inbox list --state failed --since 2h",
  "loyalhook inbox list --handler crm.hubspot --event-type event_points_earned --json",
}
list.notes = [[
STATE is failed if a handler's task for the event failed, pending while one is not finished, else
done. TASKS has what each handler made of it.]]

function list.arguments(parser)
  parser:option("--state", table.concat(fields.received_states, ", ") .. "."):argname("STATE")
    :choices(fields.received_states)
  parser:option("--source", "Only those of this sender."):argname("NAME")
  parser:option("--event-type", "Only those of this type."):argname("TYPE")
  parser:option("--handler", "Only those that this handler came to."):argname("NAME")
  parser:option("--since", "Only those received since then: RFC 3339, or 30m, 2h, 7d ago.")
    :argname("TIME")
  arguments.integer_option(parser, "--limit", "At most so many, 1-1000 (default 50).")
  parser:option("--after", "Go on after this cursor, printed at the end of a page.")
    :argname("CURSOR")
end

local FILTERS = { "state", "source", "event_type", "handler", "since", "limit", "after" }

local function print_table(events, following, output)
  if #events == 0 then
    output:note(following and "none so far; more: --after " .. following or "no events")
    return
  end
  local rows = {}
  for index, event in ipairs(events) do
    rows[index] = { event.received_at, event.source, event.id, event.event_type, event.state,
      inbox.tasks_in_words(event.tasks) }
  end
  output:lines(columns.lines({ "RECEIVED", "SOURCE", "EVENT", "TYPE", "STATE", "TASKS" }, rows))
  if following then
    output:note("more: --after " .. following)
  end
end

function list.run(args, context)
  local filter = {}
  for _, name in ipairs(FILTERS) do
    filter[name] = args[name]
  end
  local events, following, code = context:receiver():events(filter)
  if not events then
    return nil, following, code
  end
  if context.json then
    context.output:document(document.object("events", shapes.list(events, inbox.event),
      "next", following))
  else
    print_table(events, following, context.output)
  end
end

return list
