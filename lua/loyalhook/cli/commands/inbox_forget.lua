-- loyalhook inbox forget: ends what a removed handler has left. It cannot be undone, so a person at
-- a terminal is asked.

local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local terminal = require "loyalhook.cli.terminal"

local forget = {}

forget.examples = {
  "loyalhook inbox forget crm.hubspot",
  "loyalhook inbox forget crm.hubspot --yes      # do not ask",
}
forget.notes = [[
Take the handler out of loyalhook.lua and restart the workers before; while one has it, it is not
forgotten. Its unfinished tasks end failed (forgotten), its place in the inbox is gone: loaded again
under this name, it begins as a new one.]]

function forget.arguments(parser)
  parser:argument("NAME", "The handler's name."):argname("NAME"):target("handler")
  parser:flag("-y --yes", "Do not ask.")
end

local function find(receiver, name)
  local list, message, code = receiver:handlers()
  if not list then
    return nil, message, code
  end
  for _, row in ipairs(list) do
    if row.name == name then
      return row
    end
  end
  return nil, ("no handler '%s' in this store: loyalhook inbox handlers lists them"):format(name),
    "not_found"
end

local function ask(row, output)
  local waiting = row.tasks.pending + row.tasks.running + row.tasks.retrying
  output:note(("Forget handler '%s'? Unfinished tasks that end failed: %d; events that it has not"
    .. " come to: %d."):format(row.name, waiting, row.behind))
  output:note("Type its name to forget it:")
  return io.read("l") == row.name
end

function forget.run(args, context)
  local receiver = context:receiver()
  local row, message, code = find(receiver, args.handler)
  if not row then
    return nil, message, code
  end
  local asks = not args.yes and not context.json and terminal.is_terminal(0)
  if asks and not ask(row, context.output) then
    arguments.usage_error("not forgotten: that is not its name")
  end
  local failed
  failed, message, code = receiver:forget_handler(row.name, { by = context.by })
  if not failed then
    return nil, message, code
  end
  if context.json then
    context.output:document(document.object("name", row.name, "failed", failed))
  else
    context.output:note(("handler '%s' is forgotten; tasks that ended failed: %d"):format(row.name,
      failed))
  end
end

return forget
