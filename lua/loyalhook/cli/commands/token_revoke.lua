-- loyalhook token revoke: the token is refused from now on.

local shapes = require "loyalhook.cli.shapes"

local revoke = {}

revoke.examples = {
  "loyalhook token revoke shop",
  "loyalhook token revoke 61f11851bdfb9aac526d0c70",
}

function revoke.arguments(parser)
  parser:argument("TOKEN", "The token's id or name, not its text."):argname("ID|NAME")
    :target("token")
end

function revoke.run(args, context)
  local token, message, code = context:access():revoke_token(args.token, context.by)
  if not token then
    return nil, message, code
  end
  if context.json then
    context.output:document(shapes.token(token))
  else
    context.output:note(("token '%s' is revoked"):format(token.name))
  end
end

return revoke
