-- loyalhook webhook edit: the options that are given change, everything else stays.

local arguments = require "loyalhook.cli.arguments"
local shapes = require "loyalhook.cli.shapes"
local webhook_options = require "loyalhook.cli.webhook_options"

local edit = {}

edit.examples = {
  "loyalhook webhook edit crm --batch-size 20",
  "loyalhook webhook edit crm --event-type category:member,event_points_earned",
  "loyalhook webhook edit crm --url https://new.example.com/crm --no-headers",
}
edit.notes = [[
--event-type and --header replace what was there. New event types hold for events emitted from now
on; all else for each attempt that starts from now on, also of requests that wait.]]

function edit.arguments(parser)
  webhook_options.which(parser)
  webhook_options.declare(parser)
  parser:flag("--no-ordered", "Requests may overtake each other again.")
  parser:flag("--no-headers", "No custom headers any more.")
  parser:flag("--no-retry-schedule", "Back to one interval.")
end

local function refuse_both(args, one, other)
  if args[one] and args[other] and #args[one] > 0 then
    arguments.usage_error(("--%s and --%s exclude each other"):format(one:gsub("_", "-"),
      (other:gsub("_", "-"))))
  end
end

function edit.run(args, context)
  refuse_both(args, "header", "no_headers")
  refuse_both(args, "retry_schedule", "no_retry_schedule")
  local fields = webhook_options.fields(args)
  if args.no_headers then
    fields.headers = {}
  end
  if args.no_retry_schedule then
    fields.retry_schedule = {}
  end
  if args.no_ordered then
    if args.ordered then
      arguments.usage_error("--ordered and --no-ordered exclude each other")
    end
    fields.ordered = false
  end
  if next(fields) == nil then
    arguments.usage_error("nothing to edit: give at least one option",
      "Run 'loyalhook webhook edit --help' for them.")
  end
  local webhook, message, code = context:sender():update_webhook(args.webhook, fields,
    { account = args.account, by = context.by })
  if not webhook then
    return nil, message, code
  end
  shapes.print_webhook(webhook, context)
end

return edit
