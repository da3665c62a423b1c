-- loyalhook webhook show: every field of one webhook, except its secret.

local commands = require "loyalhook.explain.commands"
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

-- What a person does about a webhook that nothing is sent to.
local function remark_status(webhook, output)
  if webhook.status_reason == "secret_unreadable" then
    output:note("paused, because its secret does not decrypt with this key file; put the right one"
      .. " back, or: " .. commands.webhook("rotate-secret --now", webhook))
  elseif webhook.status == "paused" then
    output:note("paused after failures; what failed: " .. commands.list_failed(webhook))
    output:note("does it answer again? " .. commands.webhook("test", webhook))
    output:note("then: " .. commands.retry_all(webhook))
  elseif webhook.status == "disabled" then
    output:note("disabled by a person; to deliver again: " .. commands.webhook("enable", webhook))
  end
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
    context.output:flush()
    remark_status(webhook, context.output)
  end
end

return show
