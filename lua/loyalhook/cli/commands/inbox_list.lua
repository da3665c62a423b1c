-- loyalhook inbox list: the received events and how far their handlers are, newest first, a page at
-- a time.

local fields = require "loyalhook.fields"
local inbox = require "loyalhook.cli.inbox"
local page = require "loyalhook.cli.page"

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
  page.options(parser)
end

local FILTERS = { "state", "source", "event_type", "handler", "since", "limit", "after" }

local FORM = { shape = inbox.event,
  heads = { "RECEIVED", "SOURCE", "EVENT", "TYPE", "STATE", "TASKS" },
  row = function(event)
    return { event.received_at, event.source, event.id, event.event_type, event.state,
      inbox.tasks_in_words(event.tasks) }
  end }

function list.run(args, context)
  local events, following, code = context:receiver():events(page.filter(args, FILTERS))
  if not events then
    return nil, following, code
  end
  page.show(context, "events", events, following, FORM)
end

return list
