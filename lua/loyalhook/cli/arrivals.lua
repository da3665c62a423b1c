-- What `listen` shows of a request that came: a line for people with the events below it, or an
-- object a line.

local document = require "loyalhook.cli.document"
local shapes = require "loyalhook.cli.shapes"
local terminal = require "loyalhook.cli.terminal"
local time = require "loyalhook.time"

local arrivals = {}

local SHOWN = { "time", "method", "path", "source", "verdict", "status", "script", "code", "reason",
  "hint", "total_count", "added", "duplicates", "events", "bytes", "duration_ms" }

local COLOURS = { valid = "green", refused = "red", failed = "red", aborted = "yellow" }
local EVENTS_MAX = 10 -- lines below a request
local PATH_MAX = 60

local function event(row)
  return document.pick(row, { "id", "event_type" })
end

--- A request as a document: a row of server/journal.lua.
function arrivals.document(row)
  local shown = {}
  for _, name in ipairs(SHOWN) do
    shown[name] = row[name]
  end
  shown.time = time.format(row.received_ms)
  shown.events = row.events and shapes.list(row.events, event)
  return document.pick(shown, SHOWN)
end

local function events_in_words(row)
  local words = ("%d event%s"):format(row.total_count, row.total_count == 1 and "" or "s")
  if row.duplicates and row.duplicates > 0 then
    return ("%s, %d known already"):format(words, row.duplicates)
  end
  return words
end

local function what(row)
  local words = {}
  if row.total_count then
    words[#words + 1] = events_in_words(row)
  end
  if row.reason then
    words[#words + 1] = row.reason
  end
  if row.script then
    words[#words + 1] = ("by script: %s"):format(row.script)
  end
  return table.concat(words, "; ")
end

local function add_events(row, lines)
  for index, one in ipairs(row.events or {}) do
    if index > EVENTS_MAX then
      lines[#lines + 1] = ("    … and %d more"):format(row.total_count - EVENTS_MAX)
      break
    end
    lines[#lines + 1] = ("    %s  %s"):format(terminal.safe(one.id), terminal.safe(one.event_type))
  end
end

local function address(row)
  local text = terminal.safe(("%s %s"):format(row.method or "", row.path or ""))
  text = text:match("^%s*(.-)%s*$")
  text = text == "" and "-" or text
  return #text > PATH_MAX and text:sub(1, PATH_MAX) .. "…" or text
end

--- The lines that a person sees of a request.
function arrivals.lines(row)
  local verdict = terminal.colour(COLOURS[row.verdict] or "dim", ("%-7s"):format(row.verdict))
  local lines = { ("%s  %s  %s  %s  %s  %d ms"):format(time.format(row.received_ms):sub(12, 23),
    row.status or "-  ", verdict, address(row), terminal.safe(what(row)), row.duration_ms) }
  if row.hint then
    lines[#lines + 1] = "    hint: " .. terminal.safe(row.hint)
  end
  add_events(row, lines)
  return lines
end

local FORWARDED = { "id", "source", "event_type", "attempt", "state", "reason", "error",
  "next_attempt_at" }

--- An attempt to pass an event on, as the worker's report has it: { forwarded = … }.
function arrivals.forwarded(told)
  local shown = {}
  for _, name in ipairs(FORWARDED) do
    shown[name] = told[name]
  end
  shown.next_attempt_at = told.next_attempt_ms and time.format(told.next_attempt_ms)
  return document.object("forwarded", document.pick(shown, FORWARDED))
end

--- The line that a person sees of it; what did not succeed is in the worker's log.
function arrivals.forwarded_line(told)
  return told.state == "done" and ("    forwarded  %s  %s"):format(terminal.safe(told.id),
    terminal.safe(told.event_type)) or nil
end

return arrivals
