-- loyalhook user add: a person who signs in to the console.

local access = require "loyalhook.cli.access"
local input = require "loyalhook.cli.input"

local add = {}

add.examples = {
  "loyalhook user add anna --role admin --password-stdin < password.txt",
  "loyalhook user add vera@example.com --role viewer --password-file password.txt",
}
add.notes = [[
A password has 12 bytes at least. The first user must be an admin; with it, first-run tokens end.]]

function add.arguments(parser)
  parser:argument("USER", "The name to sign in with: A-Z a-z 0-9 . _ @ + -, in any case.")
    :argname("NAME"):target("user")
  parser:option("--role", "viewer: looks. admin: does everything."):choices({ "viewer", "admin" })
    :count("1")
  input.password_options(parser)
end

function add.run(args, context)
  local password, message, code = input.password(args)
  if not password then
    return nil, message, code
  end
  return access.said(context, "is added (%s)", context:access():add_user({ user = args.user,
    password = password, role = args.role }, context.by))
end

return add
