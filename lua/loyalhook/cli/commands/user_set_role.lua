-- loyalhook user set-role.

local access = require "loyalhook.cli.access"

local set_role = {}

set_role.examples = { "loyalhook user set-role vera admin" }
set_role.notes = "Ends the user's logins. One enabled admin must be left."

function set_role.arguments(parser)
  parser:argument("USER", "The user's name."):argname("NAME"):target("user")
  parser:argument("ROLE", "viewer or admin."):choices({ "viewer", "admin" }):target("role")
end

function set_role.run(args, context)
  return access.said(context, "is %s now", context:access():set_user(args.user,
    { role = args.role }, context.by))
end

return set_role
