-- loyalhook user reset: a new first-run token. For a console that has users it begins anew only if
-- that is said, and a person at a terminal is asked.

local access = require "loyalhook.cli.access"
local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local terminal = require "loyalhook.cli.terminal"

local reset = {}

reset.examples = {
  "loyalhook user reset                      # the printed one is lost, or over",
  "loyalhook user reset --remove-users       # begin anew, without any user",
}
reset.notes = [[
Whoever opens the console first gives the token and becomes its first user, an admin. It is good for
a day and used once. Who forgot a password needs no reset: loyalhook user set-password.]]

function reset.arguments(parser)
  parser:flag("--remove-users", "Remove all users first, with their logins.")
  parser:flag("-y --yes", "Do not ask.")
end

local function ask(context)
  context.output:note("Remove all users of the console? Nobody can sign in then.")
  context.output:note("Type 'remove' to do it:")
  return io.read("l") == "remove"
end

function reset.run(args, context)
  local door = context:access()
  local asks = args.remove_users and not args.yes and not context.json and terminal.is_terminal(0)
  if asks and not ask(context) then
    arguments.usage_error("not done: that is not the word")
  end
  local text, message, code = door:make_first_run({ remove_users = args.remove_users }, context.by)
  if not text then
    return nil, message, code
  end
  if context.json then
    context.output:document(document.object("first_run_token", text))
  else
    access.print_once(context, "first-run token", text)
  end
end

return reset
