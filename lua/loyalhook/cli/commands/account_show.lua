-- loyalhook account show: one account.

local accounts = require "loyalhook.cli.accounts"

local show = {}

show.examples = { "loyalhook account show shop-7", "loyalhook account show shop-7 --json" }

function show.arguments(parser)
  parser:argument("NAME", "The account."):argname("NAME"):target("name")
end

function show.run(args, context)
  return accounts.said(context, context:sender():account(args.name))
end

return show
