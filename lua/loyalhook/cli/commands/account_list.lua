-- loyalhook account list: the accounts by name, a page at a time. An account comes into being with
-- its first event, its first webhook, or account set.

local arguments = require "loyalhook.cli.arguments"
local page = require "loyalhook.cli.page"
local shapes = require "loyalhook.cli.shapes"

local list = {}

list.examples = { "loyalhook account list", "loyalhook account list --limit 1000 --json" }

function list.arguments(parser)
  arguments.integer_option(parser, "--limit", "At most so many, 1-1000 (default 50).")
  parser:option("--after", "Go on after this name."):argname("NAME")
end

local FORM = { shape = shapes.account, heads = { "ACCOUNT", ">WEBHOOKS", "NOTIFY" },
  row = function(account)
    return { account.name, account.webhooks,
      account.notify and shapes.joined(account.notify) or false }
  end }

function list.run(args, context)
  local accounts, following, code = context:sender():accounts{ limit = args.limit,
    after = args.after }
  if not accounts then
    return nil, following, code
  end
  page.show(context, "accounts", accounts, following, FORM)
end

return list
