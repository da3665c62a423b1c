-- loyalhook webhook create: one option per field of a webhook.

local input = require "loyalhook.cli.input"
local shapes = require "loyalhook.cli.shapes"
local webhook_options = require "loyalhook.cli.webhook_options"

local create = {}

create.examples = {
  "loyalhook webhook create --name crm --url https://example.com/crm --event-type category:member",
  "loyalhook webhook create --name all --url https://example.com/all --event-type '*' \\\n"
    .. "    --batch-size 50 --retry-interval-s 60",
  "loyalhook webhook create --name crm --url https://example.com/crm \\\n"
    .. "    --event-type event_points_earned,event_points_redeemed --secret-file secret.txt",
}
create.notes = "Without a secret of yours one is made; it is printed once and never shown again."

function create.arguments(parser)
  local name, url, types = webhook_options.declare(parser)
  name:count("1")
  url:count("1")
  types:count("+")
  parser:option("--account", "The account (default: the configured one)."):argname("NAME")
  input.secret_options(parser, "The secret that signs")
end

function create.run(args, context)
  local fields = webhook_options.fields(args)
  local secret, message, code = input.secret(args)
  if message then
    return nil, message, code
  end
  fields.secret, fields.account = secret, args.account
  local webhook
  webhook, message, code = context:sender():create_webhook(fields, { by = context.by })
  if not webhook then
    return nil, message, code
  end
  shapes.print_webhook(webhook, context, secret == nil)
end

return create
