-- loyalhook user set-password: for who forgot it, or for whom it became known.

local access = require "loyalhook.cli.access"
local input = require "loyalhook.cli.input"

local set_password = {}

set_password.examples = {
  "loyalhook user set-password anna --password-stdin < password.txt",
}
set_password.notes = "Ends the user's logins."

function set_password.arguments(parser)
  parser:argument("USER", "The user's name."):argname("NAME"):target("user")
  input.password_options(parser)
end

function set_password.run(args, context)
  local password, message, code = input.password(args)
  if not password then
    return nil, message, code
  end
  return access.said(context, "has a new password", context:access():set_user(args.user,
    { password = password }, context.by))
end

return set_password
