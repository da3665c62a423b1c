-- loyalhook webhook rotate-secret: the present secret goes on signing for a while, so that the
-- receiver can learn the new one in time.

local arguments = require "loyalhook.cli.arguments"
local input = require "loyalhook.cli.input"
local shapes = require "loyalhook.cli.shapes"
local webhook_options = require "loyalhook.cli.webhook_options"

local rotate = {}

rotate.examples = {
  "loyalhook webhook rotate-secret crm                  # the old one signs for 24 hours more",
  "loyalhook webhook rotate-secret crm --now            # it is known to others: change at once",
  "loyalhook webhook rotate-secret crm --overlap-s 3600 --secret-file secret.txt",
}
rotate.notes = [[
Let the receiver accept both secrets, rotate, and take the old one away when its time is over.
Without a secret of yours one is made; it is printed once and never shown again.]]

function rotate.arguments(parser)
  webhook_options.which(parser)
  input.secret_options(parser, "The new secret")
  parser:flag("--now", "The old secret signs nothing more.")
  arguments.integer_option(parser, "--overlap-s",
    "Seconds that the old one still signs (default 86400).")
end

function rotate.run(args, context)
  if args.now and args.overlap_s then
    arguments.usage_error("--now and --overlap-s exclude each other")
  end
  local secret, message, code = input.secret(args)
  if message then
    return nil, message, code
  end
  local webhook
  webhook, message, code = context:sender():rotate_secret(args.webhook, { account = args.account,
    secret = secret, overlap_s = args.now and 0 or args.overlap_s, by = context.by })
  if not webhook then
    return nil, message, code
  end
  shapes.print_webhook(webhook, context, secret == nil)
end

return rotate
