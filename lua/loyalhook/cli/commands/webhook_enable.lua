-- loyalhook webhook enable.

local shapes = require "loyalhook.cli.shapes"
local webhook_options = require "loyalhook.cli.webhook_options"

local enable = {}

enable.examples = { "loyalhook webhook enable crm" }
enable.notes = [[
What failed while it was paused stays failed until it is retried (loyalhook retry --failed). Events
emitted from now on are delivered.]]

function enable.arguments(parser)
  webhook_options.which(parser)
end

function enable.run(args, context)
  local webhook, message, code = context:sender():enable_webhook(args.webhook,
    { account = args.account })
  if not webhook then
    return nil, message, code
  end
  shapes.print_status(webhook, context, "enabled: events emitted from now on are delivered")
end

return enable
