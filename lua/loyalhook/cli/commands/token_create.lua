-- loyalhook token create: a token for a program that uses the HTTP API. Its text is printed once;
-- the store keeps a hash of it.

local access = require "loyalhook.cli.access"
local columns = require "loyalhook.cli.table"
local shapes = require "loyalhook.cli.shapes"

local create = {}

create.examples = {
  "loyalhook token create --name shop --scope write",
  "loyalhook token create --name shop-7 --scope write --account shop-7",
  "loyalhook token create --name grafana --scope read --all-accounts",
}
create.notes = [[
The program sends it with each request: Authorization: Bearer TOKEN. A token of an account sees and
changes that account alone. Users, tokens and the audit log are for admins of the console only.]]

function create.arguments(parser)
  parser:option("--name", "What it is for; one token has a name."):argname("NAME"):count("1")
  parser:option("--scope", "read: it looks. write: it emits, configures and retries too.")
    :choices({ "read", "write" }):count("1")
  parser:mutex(
    parser:option("--account", "The account (default: the configured one)."):argname("NAME"),
    parser:flag("--all-accounts", "Every account, also those to come."))
end

function create.run(args, context)
  local account
  if not args.all_accounts then
    account = args.account or context:settings().account or "default"
  end
  local token, message, code = context:access():create_token({ name = args.name,
    scope = args.scope, account = account }, context.by)
  if not token then
    return nil, message, code
  end
  if context.json then
    context.output:document(shapes.token(token))
    return
  end
  context.output:lines(columns.pairs{ { "id", token.id }, { "name", token.name },
    { "account", token.account or "all" }, { "scope", token.scope } })
  access.print_once(context, "token", token.token)
end

return create
