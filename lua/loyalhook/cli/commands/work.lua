-- loyalhook work: a worker in the foreground, for a service manager or a terminal. Its log goes to
-- stderr, one line per message; what it did altogether is said at its end.

local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local exit_codes = require "loyalhook.cli.exit_codes"
local terminal = require "loyalhook.cli.terminal"

local work = {}

work.examples = {
  "loyalhook work",
  "loyalhook work --until-idle            # deliver what is due, then end",
  "loyalhook work --concurrency 64",
}
work.notes = [[
SIGTERM or Ctrl-C: no new attempts are begun, those in flight may finish (30 s), then it ends; a
second one ends it at once. Any number of workers can share one store.]]

local LEVELS = { debug = 1, info = 2, warn = 3, error = 4 }
local COLOURS = { warn = "yellow", error = "red" }

function work.arguments(parser)
  parser:flag("--until-idle", "End with 0 when nothing is due or in flight.")
  arguments.integer_option(parser, "--concurrency", "Requests in flight at most (default 256).")
  arguments.integer_option(parser, "--drain-grace-s", "Seconds to wait at the end (default 30).")
  parser:option("--role", "deliver or handle; default all there is."):choices(
    { "deliver", "handle" })
end

local function logger(settings)
  local log = require "loyalhook.log"
  local least = LEVELS[settings.log_level] or LEVELS.info
  return function(level, message, fields)
    if LEVELS[level] < least then
      return
    end
    local line = terminal.safe(log.line(level, message, fields))
    local colour = COLOURS[level]
    io.stderr:write(colour and terminal.colour(colour, line, 2) or line, "\n")
  end
end

-- Counts of what happened, fed with each report.
local function new_figures()
  return { attempts = 0, delivered = 0, retrying = 0, failed = 0 }
end

local function count(figures, report)
  figures.failed = figures.failed + report.failed_unsent
  for _, event in ipairs(report.events) do
    figures.attempts = figures.attempts + 1
    if event.state == "delivered" or event.state == "failed" or event.state == "retrying" then
      figures[event.state] = figures[event.state] + 1
    end
  end
end

local function report_end(result, figures, context)
  if context.json then
    context.output:document(document.object("result", result, "attempts", figures.attempts,
      "delivered", figures.delivered, "retrying", figures.retrying, "failed", figures.failed))
  else
    context.output:note(("%s: %d attempts; requests delivered %d, to be retried %d, failed %d")
      :format(result, figures.attempts, figures.delivered, figures.retrying, figures.failed))
  end
end

function work.run(args, context)
  if args.role == "handle" then
    return nil, "role handle: no handlers are configured", "config"
  end
  local settings, sender = context:settings(), context:sender()
  local worker, message, code = require("loyalhook.worker").new{
    sender = sender, concurrency = settings.concurrency, log = logger(settings),
  }
  if not worker then
    return nil, message, code
  end
  context.output:note(("working on %s; Ctrl-C ends it"):format(settings.store))
  local figures = new_figures()
  local result, detail
  result, detail, code = worker:run{
    until_idle = args.until_idle, grace_ms = settings.drain_grace_s * 1000,
    on_report = function(report) count(figures, report) end,
  }
  worker:close()
  if not result then
    return nil, detail, code
  end
  report_end(result == true and "idle" or result, figures, context)
  return detail == "INT" and exit_codes.INTERRUPTED or exit_codes.OK
end

return work
