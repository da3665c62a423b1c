-- loyalhook account list: the accounts by name, a page at a time. An account comes into being with
-- its first event, its first webhook, or account set.

local arguments = require "loyalhook.cli.arguments"
local columns = require "loyalhook.cli.table"
local document = require "loyalhook.cli.document"
local shapes = require "loyalhook.cli.shapes"

local list = {}

list.examples = { "loyalhook account list", "loyalhook account list --limit 1000 --json" }

function list.arguments(parser)
  arguments.integer_option(parser, "--limit", "At most so many, 1-1000 (default 50).")
  parser:option("--after", "Go on after this name."):argname("NAME")
end

local function print_table(accounts, following, output)
  if #accounts == 0 then
    output:note("no accounts")
    return
  end
  local rows = {}
  for index, account in ipairs(accounts) do
    rows[index] = { account.name, account.webhooks,
      account.notify and shapes.joined(account.notify) or false }
  end
  output:lines(columns.lines({ "ACCOUNT", ">WEBHOOKS", "NOTIFY" }, rows))
  if following then
    output:note("more: --after " .. following)
  end
end

function list.run(args, context)
  local accounts, following, code = context:sender():accounts{ limit = args.limit,
    after = args.after }
  if not accounts then
    return nil, following, code
  end
  if context.json then
    context.output:document(document.object("accounts", shapes.list(accounts, shapes.account),
      "next", following))
  else
    print_table(accounts, following, context.output)
  end
end

return list
