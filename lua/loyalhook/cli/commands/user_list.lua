-- loyalhook user list: the console's users.

local columns = require "loyalhook.cli.table"
local document = require "loyalhook.cli.document"
local shapes = require "loyalhook.cli.shapes"

local list = {}

list.examples = { "loyalhook user list", "loyalhook user list --json" }

function list.arguments() end

function list.run(_, context)
  local users, message, code = context:access():users()
  if not users then
    return nil, message, code
  end
  if context.json then
    context.output:document(document.object("users", shapes.list(users, shapes.user)))
    return
  elseif #users == 0 then
    context.output:note("no users; add one with: loyalhook user add")
    return
  end
  local rows = {}
  for index, user in ipairs(users) do
    rows[index] = { user.user, user.role, user.disabled and "disabled" or "enabled",
      user.created_at, user.last_seen_at or false }
  end
  context.output:lines(columns.lines({ "USER", "ROLE", "STATUS", "ADDED", "LAST SEEN" }, rows))
end

return list
