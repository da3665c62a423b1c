-- loyalhook inbox retry: failed tasks of chosen events at once, or all failed ones in steps.

local arguments = require "loyalhook.cli.arguments"
local columns = require "loyalhook.cli.table"
local document = require "loyalhook.cli.document"
local exit_codes = require "loyalhook.cli.exit_codes"
local inbox = require "loyalhook.cli.inbox"
local progress = require "loyalhook.cli.progress"
local shapes = require "loyalhook.cli.shapes"

local retry = {}

retry.examples = {
  "loyalhook inbox retry 61f1dfbd0c709aac1851b526",
  "loyalhook inbox retry 61f1dfbd0c709aac1851b526 --handler crm.hubspot",
  "loyalhook inbox retry --failed --handler email --dry-run   # how many there are",
  "loyalhook inbox retry --failed --since 2h",
}
retry.notes = [[
A retried task is due at once, with all its tries anew; one that is not failed is left as it is.
A task that failed as unknown may have had its effect: look at the other side before. --failed
means what had failed when the command began; after Ctrl-C, run it again for the rest.]]

function retry.arguments(parser)
  parser:argument("ID", "Events whose failed tasks are retried."):args("*"):argname("ID")
    :target("failed_received")
  parser:flag("--failed", "All failed tasks, as far as the options below do not say less.")
  parser:option("--handler", "Only this handler's."):argname("NAME")
  parser:option("--source", "Only of events of this sender."):argname("NAME")
  parser:option("--since", "Only of events received since then: RFC 3339, or 30m, 2h, 7d ago.")
    :argname("TIME")
  parser:flag("--dry-run", "Only say how many there are.")
end

local function check_combination(args)
  local chosen = #args.failed_received > 0
  if chosen and args.failed then
    arguments.usage_error("either ids of events or --failed, not both")
  elseif not chosen and not args.failed then
    arguments.usage_error("the ids of events are needed, or --failed",
      "Run 'loyalhook inbox list --state failed' for the list of them.")
  elseif chosen and (args.since or args.dry_run) then
    arguments.usage_error("--since and --dry-run go with --failed")
  end
end

local WHY = { unknown = "no such event, or the handler has no task for it",
  not_failed = "it waits, runs, or is done" }

local function print_outcomes(outcomes, context)
  if context.json then
    context.output:document(document.object("events", shapes.list(outcomes, inbox.outcome)))
    return
  end
  local rows = {}
  for index, row in ipairs(outcomes) do
    rows[index] = { row.id, row.source, row.handler, row.outcome, WHY[row.outcome] or "" }
  end
  context.output:lines(columns.lines({ "EVENT", "SOURCE", "HANDLER", "OUTCOME", "WHY" }, rows))
end

local function retry_chosen(args, context)
  local wanted, seen = {}, {}
  for _, id in ipairs(args.failed_received) do
    if not seen[id] then
      seen[id] = true
      wanted[#wanted + 1] = { id = id, source = args.source, handler = args.handler }
    end
  end
  local outcomes, message, code, before = context:receiver():retry(wanted,
    { by = context.by })
  if not outcomes then
    if before and #before > 0 then
      print_outcomes(before, context)
    end
    return nil, message, code
  end
  print_outcomes(outcomes, context)
  for _, row in ipairs(outcomes) do
    if row.outcome == "unknown" then
      return exit_codes.of("not_found")
    end
  end
end

local function print_result(name, count, context, shape)
  if context.json then
    context.output:document(shape)
  else
    context.output:line(("%s: %d"):format(name, count))
  end
end

-- All of them, with progress on a terminal; broken off, it says what is done.
local function retry_all(filter, receiver, context)
  local done = 0
  local bar = progress.new(nil, require("loyalhook.core").now_ms, nil, "tasks")
  filter.on_step = function(count)
    bar:stored(count - done)
    done = count
  end
  local worked, result, message, code = pcall(receiver.retry_failed, receiver, filter)
  bar:wipe()
  if (not worked or not result) and done > 0 then
    context.output:note(("%d are retried; run it again for the rest"):format(done))
  end
  if not worked then
    error(result, 0)
  end
  return result, message, code
end

local function retry_failed(args, context)
  local filter = { handler = args.handler, source = args.source, since = args.since,
    dry_run = args.dry_run, by = context.by }
  local receiver = context:receiver()
  if args.dry_run then
    local counted, message, code = receiver:retry_failed(filter)
    if not counted then
      return nil, message, code
    end
    return print_result("failed tasks", counted.total, context,
      document.object("dry_run", true, "total", counted.total))
  end
  local result, message, code = retry_all(filter, receiver, context)
  if not result then
    return nil, message, code
  end
  print_result("retried", result.retried, context, document.object("retried", result.retried))
end

function retry.run(args, context)
  check_combination(args)
  if args.failed then
    return retry_failed(args, context)
  end
  return retry_chosen(args, context)
end

return retry
