-- What `work` and `serve` share: a worker in the foreground of a command, its log on
-- stderr, and what is said at its end.

local arguments = require "loyalhook.cli.arguments"
local document = require "loyalhook.cli.document"
local exit_codes = require "loyalhook.cli.exit_codes"
local log = require "loyalhook.log"
local settings_list = require "loyalhook.settings"
local terminal = require "loyalhook.cli.terminal"

local working = {}

local COLOURS = { warn = "yellow", error = "red" }

--- The options that both have.
function working.arguments(parser)
  arguments.integer_option(parser, "--concurrency", "Requests in flight at most (default 256).")
  arguments.integer_option(parser, "--drain-grace-s", "Seconds to wait at the end (default 30).")
  parser:option("--log-level", "Least important messages logged (default info).")
    :choices(settings_list.by_name.log_level.values)
  parser:option("--log-format", "text (default), or json: one object a line."):choices(
    settings_list.by_name.log_format.values)
end

--- What the command says is a line of its worker's log: a sentence, or an object with figures. A
--- person who asked for a document gets that instead of the sentences. Returns { say(level,
--- message, fields), note(text, message, fields), … }.
function working.voice(context)
  local settings = context:settings()
  local structured = settings.log_format == "json"
  local say = log.writer{ level = settings.log_level, format = settings.log_format,
    paint = function(level, line)
      return COLOURS[level] and terminal.colour(COLOURS[level], line, 2) or line
    end }
  local function note(text, message, fields)
    if structured then
      say("info", message, fields)
    elseif not context.json then
      say("info", text)
    end
  end
  return { say = say, note = note, tells_failures = structured and not context.json }
end

-- Counts of what happened, fed with each report.
local function new_figures()
  return { attempts = 0, delivered = 0, retrying = 0, failed = 0, tasks_done = 0,
    tasks_retrying = 0, tasks_failed = 0 }
end

local function count(figures, report)
  figures.failed = figures.failed + report.failed_unsent
  for _, event in ipairs(report.events) do
    figures.attempts = figures.attempts + 1
    if event.state == "delivered" or event.state == "failed" or event.state == "retrying" then
      figures[event.state] = figures[event.state] + 1
    end
  end
  for _, told in ipairs(report.tasks or {}) do
    local name = "tasks_" .. (told.state or "")
    figures[name] = figures[name] and figures[name] + 1
  end
end

-- The sentence of the end; tasks only where there are handlers.
local function words_of(result, figures, parts)
  local words = { result .. ":" }
  if parts.sender then
    words[#words + 1] = ("%d attempts; requests delivered %d, to be retried %d, failed %d"):format(
      figures.attempts, figures.delivered, figures.retrying, figures.failed)
      .. (parts.handlers and parts.handlers[1] and ";" or "")
  end
  if parts.handlers and parts.handlers[1] then
    words[#words + 1] = ("tasks done %d, to be retried %d, failed %d"):format(figures.tasks_done,
      figures.tasks_retrying, figures.tasks_failed)
  end
  return table.concat(words, " ")
end

local function report_end(result, figures, context, voice, parts)
  if context.json then
    context.output:document(document.object("result", result, "attempts", figures.attempts,
      "delivered", figures.delivered, "retrying", figures.retrying, "failed", figures.failed,
      "tasks_done", figures.tasks_done, "tasks_retrying", figures.tasks_retrying, "tasks_failed",
      figures.tasks_failed))
  end
  voice.note(words_of(result, figures, parts), result, figures)
end

--- The end by an error; in a log of objects that is one too. Returns what a command does.
function working.failure(message, code, voice)
  if not voice.tells_failures then
    return nil, message, code
  end
  voice.say("error", message, { code = code })
  return exit_codes.of(code)
end

--- What a worker works on and with, all that is configured: options of worker.new.
function working.parts(context)
  local settings = context:settings()
  return { concurrency = settings.concurrency, retention_days = settings.retention_days,
    failed_retention_days = settings.failed_retention_days, dedupe_days = settings.dedupe_days,
    types = settings.types, handlers = context:handlers(), sender = context:sender(),
    notices = settings.notices }
end

--- Runs a worker to its end and says what it did. given: parts (of the worker), until_idle,
--- round_ms, on_report(report), which may return "stop". Returns what a command does, and whether
--- it ended well.
function working.run(worker, given, context, voice)
  local figures = new_figures()
  local result, detail, code = worker:run{
    until_idle = given.until_idle, round_ms = given.round_ms,
    grace_ms = context:settings().drain_grace_s * 1000,
    on_report = function(report)
      count(figures, report)
      return given.on_report and given.on_report(report)
    end,
  }
  worker:close()
  if not result then
    return working.failure(detail, code, voice)
  end
  report_end(result == true and "idle" or result, figures, context, voice, given.parts)
  return detail == "INT" and exit_codes.INTERRUPTED or exit_codes.OK
end

return working
