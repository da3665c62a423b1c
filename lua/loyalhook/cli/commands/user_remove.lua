-- loyalhook user remove.

local access = require "loyalhook.cli.access"

local remove = {}

remove.examples = { "loyalhook user remove vera" }
remove.notes = "Ends the user's logins. One enabled admin must be left."

function remove.arguments(parser)
  parser:argument("USER", "The user's name."):argname("NAME"):target("user")
end

function remove.run(args, context)
  return access.said(context, "is removed", context:access():remove_user(args.user, context.by))
end

return remove
