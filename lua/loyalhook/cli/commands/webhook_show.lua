-- loyalhook webhook show: every field of one webhook, except its secret.

local shapes = require "loyalhook.cli.shapes"
local columns = require "loyalhook.cli.table"
local webhook_options = require "loyalhook.cli.webhook_options"

local show = {}

show.examples = {
  "loyalhook webhook show crm",
  "loyalhook webhook show 61f11851bdfb9aac526d0c70 --json",
}

function show.arguments(parser)
  webhook_options.which(parser)
end

function show.run(args, context)
  local webhook, message, code = context:sender():webhook(args.webhook, args.account)
  if not webhook then
    return nil, message, code
  end
  if context.json then
    context.output:document(shapes.webhook(webhook))
  else
    context.output:lines(columns.pairs(shapes.webhook_pairs(webhook)))
  end
end

return show
