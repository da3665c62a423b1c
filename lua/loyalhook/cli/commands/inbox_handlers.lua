-- loyalhook inbox handlers: the handlers that the store knows, and how far each is.

local columns = require "loyalhook.cli.table"
local document = require "loyalhook.cli.document"
local inbox = require "loyalhook.cli.inbox"
local shapes = require "loyalhook.cli.shapes"

local handlers = {}

handlers.examples = { "loyalhook inbox handlers", "loyalhook inbox handlers --json" }
handlers.notes = [[
The store knows each handler that a worker has loaded once. BEHIND counts events that it has not
come to. One that is not configured any more keeps its place, and its tasks wait:
loyalhook inbox forget ends them.]]

local TYPES_SHOWN = 2

function handlers.arguments() end

-- The first of them: one that takes a whole category would fill the screen.
local function types_of(row)
  local types = row.event_types
  if #types <= TYPES_SHOWN then
    return shapes.joined(types)
  end
  return ("%s and %d more"):format(table.concat(types, ", ", 1, TYPES_SHOWN), #types - TYPES_SHOWN)
end

local function print_table(list, output)
  if #list == 0 then
    output:note("no handlers: no worker has loaded one")
    return
  end
  local rows = {}
  for index, row in ipairs(list) do
    local tasks = row.tasks
    rows[index] = { row.name, row.behind, tasks.pending, tasks.running, tasks.retrying,
      tasks.failed, tasks.done, row.loaded_at, types_of(row) }
  end
  output:lines(columns.lines({ "HANDLER", ">BEHIND", ">PENDING", ">RUNNING", ">RETRYING",
    ">FAILED", ">DONE", "LAST LOADED", "EVENT TYPES" }, rows))
end

function handlers.run(_, context)
  local list, message, code = context:receiver():handlers()
  if not list then
    return nil, message, code
  end
  if context.json then
    context.output:document(document.object("handlers", shapes.list(list, inbox.handler)))
  else
    print_table(list, context.output)
  end
end

return handlers
