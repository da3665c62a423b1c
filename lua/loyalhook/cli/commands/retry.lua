-- loyalhook retry: chosen failed requests at once, or all of them as a stored job, which this
-- command works off in steps; workers do too, so it may be interrupted.

local arguments = require "loyalhook.cli.arguments"
local columns = require "loyalhook.cli.table"
local document = require "loyalhook.cli.document"
local exit_codes = require "loyalhook.cli.exit_codes"
local jobs = require "loyalhook.cli.jobs"
local shapes = require "loyalhook.cli.shapes"

local retry = {}

retry.examples = {
  "loyalhook retry 61f11851bdfb9aac526d0c70",
  "loyalhook retry --failed --webhook crm --dry-run   # how many there are",
  "loyalhook retry --failed --webhook crm --since 2h",
  "loyalhook retry --failed",
}
retry.notes = [[
A retried request is due at once, with all its attempts anew; one that is not failed is left as it
is. A webhook that is paused or disabled must be enabled first. --failed means what had failed when
it began; Ctrl-C leaves the rest to the workers.]]

function retry.arguments(parser)
  parser:argument("ID", "Requests to retry."):args("*"):argname("ID"):target("requests")
  parser:flag("--failed", "All failed requests, as far as the options below do not say less.")
  parser:option("--webhook", "Only this webhook's: id or name."):argname("ID|NAME")
  parser:option("--account", "Only this account's."):argname("NAME")
  parser:option("--since", "Only those made since then: RFC 3339, or 30m, 2h, 7d ago.")
    :argname("TIME")
  parser:flag("--dry-run", "Only say how many there are.")
end

local function check_combination(args)
  local chosen = #args.requests > 0
  if chosen and args.failed then
    arguments.usage_error("either ids of requests or --failed, not both")
  elseif not chosen and not args.failed then
    arguments.usage_error("the ids of requests are needed, or --failed",
      "Run 'loyalhook request list --state failed' for the list of them.")
  elseif chosen and (args.webhook or args.account or args.since or args.dry_run) then
    arguments.usage_error("--webhook, --account, --since and --dry-run go with --failed")
  end
end

local function outcome_shape(row)
  if row.message then
    return document.pick(row, { "request_id", "outcome", "message" })
  end
  return document.pick(row, { "request_id", "outcome" })
end

local WHY = { unknown = "no request has this id",
  not_failed = "it waits, is being sent, or was delivered" }

local function print_outcomes(outcomes, context)
  if context.json then
    context.output:document(document.object("requests", shapes.list(outcomes, outcome_shape)))
    return
  end
  local rows = {}
  for index, row in ipairs(outcomes) do
    rows[index] = { row.request_id, row.outcome, row.message or WHY[row.outcome] or "" }
  end
  context.output:lines(columns.lines({ "REQUEST", "OUTCOME", "WHY" }, rows))
end

local function retry_chosen(args, context)
  local outcomes, message, code, before = context:sender():retry(args.requests,
    { by = context.by })
  if not outcomes then
    if before and #before > 0 then
      print_outcomes(before, context)
    end
    return nil, message, code
  end
  print_outcomes(outcomes, context)
  local seen = {}
  for _, row in ipairs(outcomes) do
    seen[row.outcome] = true
  end
  if seen.refused then
    return exit_codes.REFUSED
  end
  return seen.unknown and exit_codes.of("not_found") or exit_codes.OK
end

local function print_total(total, context)
  if context.json then
    context.output:document(document.object("dry_run", true, "total", total))
  else
    context.output:line("failed requests: " .. total)
  end
end

local function retry_failed(args, context)
  local sender = context:sender()
  local job, message, code = sender:retry_failed{ webhook = args.webhook, account = args.account,
    since = args.since, dry_run = args.dry_run, by = context.by }
  if not job then
    return nil, message, code
  elseif job.dry_run then
    return print_total(job.total, context)
  end
  jobs.print(jobs.work_off(job, context), context)
end

function retry.run(args, context)
  check_combination(args)
  if args.failed then
    return retry_failed(args, context)
  end
  return retry_chosen(args, context)
end

return retry
