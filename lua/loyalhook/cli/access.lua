-- What the commands about tokens and users share.

local columns = require "loyalhook.cli.table"
local shapes = require "loyalhook.cli.shapes"

local access = {}

--- Prints what a call about one user returned; people get one sentence. What a command returns
--- (nil, message, code if there is no user).
function access.said(context, sentence, user, message, code)
  if not user then
    return nil, message, code
  end
  if context.json then
    context.output:document(shapes.user(user))
  else
    context.output:note(("user '%s' %s"):format(user.user, sentence:format(user.role)))
  end
end

--- Prints one secret and that it is not shown again.
function access.print_once(context, name, text)
  context.output:lines(columns.pairs{ { name, text } })
  context.output:flush()
  context.output:note("It is shown only this once.")
end

return access
