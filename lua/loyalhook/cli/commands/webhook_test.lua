-- loyalhook webhook test: one sample event, sent as a worker would send it, outside log and budget.

local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local exit_codes = require "loyalhook.cli.exit_codes"
local webhook_options = require "loyalhook.cli.webhook_options"

local test = {}

test.examples = {
  "loyalhook webhook test crm",
  "loyalhook webhook test crm --event-type event_member_enrol --json",
}
test.notes = [[
Works whatever the webhook's status is; nothing is stored, retried or counted. Exit code: 0 if the
answer counts as delivered, 1 for anything else.]]

function test.arguments(parser)
  webhook_options.which(parser)
  parser:option("--event-type", "Which sample (default: the first type it wants)."):argname("TYPE")
  arguments.integer_option(parser, "--seed", "Which sample; the same number, the same event.")
end

local FIELDS = { "webhook_id", "url", "delivered", "event_type", "event_id", "request_id",
  "outcome", "status", "duration_ms", "error", "response" }

local function report(result, output)
  output:line(("%s in %d ms: %s"):format(
    result.status or "no answer (" .. result.outcome .. ")", result.duration_ms,
    result.delivered and "delivered" or "not delivered"))
  if result.error then
    output:note(result.error)
  elseif not result.delivered and result.response then
    output:note("answer: " .. result.response:sub(1, 500))
  end
end

function test.run(args, context)
  local result, message, code = context:sender():test_webhook(args.webhook, {
    account = args.account, event_type = args.event_type, seed = args.seed,
    by = context.by })
  if not result then
    return nil, message, code
  end
  if context.json then
    context.output:document(document.pick(result, FIELDS))
  else
    report(result, context.output)
  end
  return result.delivered and exit_codes.OK or exit_codes.FAILURE
end

return test
