-- loyalhook account set: who gets the mails about an account's webhooks.

local accounts = require "loyalhook.cli.accounts"
local arguments = require "loyalhook.cli.arguments"

local set = {}

set.examples = {
  "loyalhook account set shop-7 --notify ops@shop-7.example",
  "loyalhook account set shop-7 --notify a@shop-7.example,b@shop-7.example",
  "loyalhook account set shop-7 --no-notify      # those that notices.to names",
}

function set.arguments(parser)
  parser:argument("NAME", "The account; made if it is not there."):argname("NAME"):target("name")
  parser:mutex(
    parser:option("--notify", "Mail addresses; repeatable, or separated by commas.")
      :argname("ADDRESS"):count("*"),
    parser:flag("--no-notify", "No addresses of its own."))
end

function set.run(args, context)
  local notify = arguments.list(args.notify)
  if #notify == 0 and not args.no_notify then
    arguments.usage_error("--notify ADDRESS or --no-notify is needed")
  end
  return accounts.said(context, context:sender():set_account(args.name,
    { notify = not args.no_notify and notify, by = context.by }))
end

return set
