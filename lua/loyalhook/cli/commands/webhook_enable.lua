-- loyalhook webhook enable, and making up for the pause that ends with it.

local commands = require "loyalhook.explain.commands"
local document = require "loyalhook.cli.document"
local jobs = require "loyalhook.cli.jobs"
local shapes = require "loyalhook.cli.shapes"
local webhook_options = require "loyalhook.cli.webhook_options"

local enable = {}

enable.examples = {
  "loyalhook webhook enable crm",
  "loyalhook webhook enable crm --retry-failed   # deliver what the pause has failed",
}
enable.notes = [[
Events emitted from now on are delivered. What failed stays failed until it is retried:
--retry-failed retries what failed because of the pause (reason paused); loyalhook retry --failed
--webhook W all that has failed.]]

function enable.arguments(parser)
  webhook_options.which(parser)
  parser:flag("--retry-failed", "Retry what failed because of the pause.")
end

-- What is left to make up for: easily overlooked after --retry-failed, which leaves what had failed
-- before the pause.
local function remark_failed(webhook, context)
  local left = context:sender():retry_failed{ webhook = webhook.id, dry_run = true }
  if left and left.total > 0 then
    context.output:note(("failed requests of it: %d; to send them again: %s"):format(left.total,
      commands.retry_all(webhook)))
  end
end

local function report(webhook, job, context)
  if context.json and job then
    context.output:document(document.object("webhook", shapes.webhook(webhook), "job",
      shapes.job(job)))
    return
  end
  shapes.print_status(webhook, context, "enabled: events emitted from now on are delivered")
  if job then
    jobs.print(job, context)
  end
  if not context.json then
    remark_failed(webhook, context)
  end
end

function enable.run(args, context)
  local webhook, job, code = context:sender():enable_webhook(args.webhook,
    { account = args.account, retry_failed = args.retry_failed,
      by = context.by })
  if not webhook then
    return nil, job, code
  end
  report(webhook, job and jobs.work_off(job, context), context)
end

return enable
