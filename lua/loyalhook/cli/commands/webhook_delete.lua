-- loyalhook webhook delete. It cannot be undone, so a person at a terminal is asked.

local arguments = require "loyalhook.cli.arguments"
local shapes = require "loyalhook.cli.shapes"
local terminal = require "loyalhook.cli.terminal"
local webhook_options = require "loyalhook.cli.webhook_options"

local delete = {}

delete.examples = {
  "loyalhook webhook delete crm",
  "loyalhook webhook delete crm --yes      # do not ask",
}
delete.notes = [[
What waits for it ends failed (deleted) and cannot be retried; its log stays readable. To stop a
webhook for a while: loyalhook webhook disable.]]

function delete.arguments(parser)
  webhook_options.which(parser)
  parser:flag("-y --yes", "Do not ask.")
end

local function ask(webhook, context)
  context.output:note(("Delete webhook '%s' (%s) for good? What waits for it is not delivered.")
    :format(webhook.name, webhook.url))
  context.output:note("Type its name to delete it:")
  return io.read("l") == webhook.name
end

function delete.run(args, context)
  local sender = context:sender()
  local webhook, message, code = sender:webhook(args.webhook, args.account)
  if not webhook then
    return nil, message, code
  end
  local asks = not args.yes and not context.json and terminal.is_terminal(0)
  if asks and not ask(webhook, context) then
    arguments.usage_error("not deleted: that is not its name")
  end
  webhook, message, code = sender:delete_webhook(webhook.id, { by = context.by })
  if not webhook then
    return nil, message, code
  end
  shapes.print_status(webhook, context, "deleted")
end

return delete
