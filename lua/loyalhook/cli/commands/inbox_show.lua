-- loyalhook inbox show: one received event, what each handler made of it, and its data.

local columns = require "loyalhook.cli.table"
local inbox = require "loyalhook.cli.inbox"
local terminal = require "loyalhook.cli.terminal"

local show = {}

show.examples = {
  "loyalhook inbox show 61f1dfbd0c709aac1851b526",
  "loyalhook inbox show 61f1dfbd0c709aac1851b526 --source zinrelo --json",
}
show.notes = "An id is a sender's: where several sources sent the same one, --source says which."

function show.arguments(parser)
  parser:argument("ID", "The event's id."):argname("ID"):target("received")
  parser:option("--source", "Who sent it."):argname("NAME")
end

local SHOWN = { "id", "source", "event_type", "received_at", "member_id", "state" }

local function print_tasks(tasks, output)
  if #tasks == 0 then
    output:line("no handler has come to it")
    return
  end
  local rows = {}
  for index, task in ipairs(tasks) do
    local due = task.next_attempt_at or task.waits and "waits for its member's earlier event"
    rows[index] = { task.handler, task.state, task.reason, task.attempts_made, due, task.error }
  end
  output:lines(columns.lines({ "HANDLER", "STATE", "REASON", ">ATTEMPTS", "NEXT ATTEMPT", "ERROR" },
    rows))
end

-- Whether it is pending although no task of it is unfinished.
local function waits_for_a_handler(event)
  for _, task in ipairs(event.tasks) do
    if task.state ~= "done" and task.state ~= "failed" then
      return false
    end
  end
  return event.state == "pending"
end

local function print_event(event, output)
  local pairs_list = {}
  for _, name in ipairs(SHOWN) do
    if event[name] ~= nil then
      pairs_list[#pairs_list + 1] = { name, event[name] }
    end
  end
  output:lines(columns.pairs(pairs_list))
  output:line("")
  print_tasks(event.tasks, output)
  output:line("")
  output:line("data")
  output:line("  " .. terminal.safe(event.data_json))
  if waits_for_a_handler(event) then
    output:note("a handler has still to come to it: loyalhook inbox handlers")
  end
end

local function sources_of(events)
  local names = {}
  for index, event in ipairs(events) do
    names[index] = event.source
  end
  return table.concat(names, ", ")
end

function show.run(args, context)
  local events, message, code = context:receiver():event(args.received, args.source)
  if not events then
    return nil, message, code
  elseif #events > 1 then
    return nil, ("%d sources sent an event with this id: %s; choose one with --source"):format(
      #events, sources_of(events)), "conflict"
  end
  if context.json then
    context.output:document(inbox.event_shown(events[1]))
  else
    print_event(events[1], context.output)
  end
end

return show
