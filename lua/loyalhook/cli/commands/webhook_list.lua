-- loyalhook webhook list: all webhooks that are not deleted, or those of an account.

local document = require "loyalhook.cli.document"
local shapes = require "loyalhook.cli.shapes"
local columns = require "loyalhook.cli.table"

local list = {}

list.examples = {
  "loyalhook webhook list",
  "loyalhook webhook list --account shop-7 --json",
}

function list.arguments(parser)
  parser:option("--account", "Only this account's."):argname("NAME")
end

function list.run(args, context)
  local webhooks, message, code = context:sender():webhooks{ account = args.account }
  if not webhooks then
    return nil, message, code
  end
  if context.json then
    local rows = shapes.list(webhooks, shapes.webhook)
    context.output:document(document.object("webhooks", rows))
    return
  elseif #webhooks == 0 then
    context.output:note("no webhooks; create one with: loyalhook webhook create")
    return
  end
  local rows = {}
  for index, webhook in ipairs(webhooks) do
    rows[index] = { webhook.id, webhook.account, webhook.name, webhook.status, webhook.batch_size,
      shapes.joined(webhook.event_types), webhook.url }
  end
  context.output:lines(columns.lines(
    { "ID", "ACCOUNT", "NAME", "STATUS", ">BATCH", "EVENT TYPES", "URL" }, rows))
end

return list
