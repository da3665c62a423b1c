-- loyalhook webhook disable.

local shapes = require "loyalhook.cli.shapes"
local webhook_options = require "loyalhook.cli.webhook_options"

local disable = {}

disable.examples = { "loyalhook webhook disable crm" }
disable.notes = [[
What was accepted for it before and is not delivered fails with the reason disabled; later events
are not recorded for it. Enable it again at any time.]]

function disable.arguments(parser)
  webhook_options.which(parser)
end

function disable.run(args, context)
  local webhook, message, code = context:sender():disable_webhook(args.webhook,
    { account = args.account, by = context.by })
  if not webhook then
    return nil, message, code
  end
  shapes.print_status(webhook, context,
    "disabled: nothing is sent to it and nothing is recorded for it")
end

return disable
