-- What the commands about one account print.

local columns = require "loyalhook.cli.table"
local shapes = require "loyalhook.cli.shapes"

local accounts = {}

--- Prints what a call about one account returned; what a command returns (nil, message, code if
--- there is none).
function accounts.said(context, account, message, code)
  if not account then
    return nil, message, code
  end
  if context.json then
    context.output:document(shapes.account(account))
  else
    context.output:lines(columns.pairs(shapes.account_pairs(account)))
  end
end

return accounts
