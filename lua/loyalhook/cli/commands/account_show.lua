-- loyalhook account show: one account.

local columns = require "loyalhook.cli.table"
local shapes = require "loyalhook.cli.shapes"

local show = {}

show.examples = { "loyalhook account show shop-7", "loyalhook account show shop-7 --json" }

function show.arguments(parser)
  parser:argument("NAME", "The account."):argname("NAME"):target("name")
end

function show.run(args, context)
  local account, message, code = context:sender():account(args.name)
  if not account then
    return nil, message, code
  end
  if context.json then
    context.output:document(shapes.account(account))
  else
    context.output:lines(columns.pairs(shapes.account_pairs(account)))
  end
end

return show
