-- What a worker says while it runs: one line a message, as text or as JSON, on
-- stderr; and a brake for messages that would repeat every round. A program can
-- hand the worker a function of its own instead. Lines never hold a secret, and
-- whatever becomes of stderr, working goes on.

local plain = require("loyalhook.plain")

local log = {}

local without_tokens = plain.without_tokens

-- Each level: its rank, and the number that systemd's journal knows it by.
local LEVELS = {
  debug = { rank = 1, priority = "<7>" },
  info = { rank = 2, priority = "<6>" },
  warn = { rank = 3, priority = "<4>" },
  error = { rank = 4, priority = "<3>" },
}

local FIRST = { time = true, level = true, message = true } -- of a JSON line

local function sorted_names(fields)
  local names = {}
  for name in pairs(fields or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function value_text(value)
  local text = without_tokens(plain.line(value))
  if text:find('[%s"=]') or text == "" then
    return '"' .. text:gsub('["\\]', "\\%0") .. '"'
  end
  return text
end

--- One message as text: level, sentence, then the fields sorted by name. URLs
-- are shown without user, password, query and fragment.
function log.line(level, message, fields)
  local parts = { level .. ": " .. without_tokens(plain.line(message)) }
  for _, name in ipairs(sorted_names(fields)) do
    parts[#parts + 1] = name .. "=" .. value_text(fields[name])
  end
  return table.concat(parts, " ")
end

local function json_value(value)
  if type(value) == "number" and value == math.floor(value) and math.abs(value) < 2 ^ 53 then
    return ("%d"):format(value)
  elseif type(value) == "number" and math.abs(value) < 2 ^ 53 then
    return (("%.14g"):format(value):gsub(",", "."))
  elseif type(value) == "boolean" then
    return tostring(value)
  end
  return plain.json(without_tokens(tostring(value)))
end

--- One message as a JSON object on one line: time (RFC 3339 in UTC, with
-- milliseconds), level, message, then the fields sorted by name.
function log.json(level, message, fields, now_ms)
  local stamp = require("loyalhook.time").format(now_ms)
  local parts = { ('{"time":"%s","level":"%s","message":%s'):format(stamp, level,
    json_value(message)) }
  for _, name in ipairs(sorted_names(fields)) do
    local key = FIRST[name] and name .. "_" or name
    parts[#parts + 1] = plain.json(key) .. ":" .. json_value(fields[name])
  end
  return table.concat(parts, ",") .. "}"
end

--- Where the lines on this process's stderr end up: "terminal", "journal"
-- (systemd's, which keeps the time itself) or "file".
function log.place()
  local engine = require("loyalhook.engine")
  if engine.isatty(2) then
    return "terminal"
  end
  local journal = os.getenv("JOURNAL_STREAM") -- inherited, so it may be another stream's
  return journal and journal == engine.device(2) and "journal" or "file"
end

local OPTIONS = { level = "string", format = "string", place = "string", paint = "function",
  now_ms = "function", file = "table or userdata" }

-- A line as that place wants it. Text has a time only where nobody else notes it.
local function shaped(given, level, message, fields)
  local line
  if given.format == "json" then
    line = log.json(level, message, fields, given.now_ms())
  else
    line = log.line(level, message, fields)
    if given.place == "file" then
      line = require("loyalhook.time").format(given.now_ms()) .. " " .. line
    elseif given.place == "terminal" and given.paint then
      line = given.paint(level, line)
    end
  end
  return (given.place == "journal" and LEVELS[level].priority or "") .. line .. "\n"
end

-- In one piece, so that several processes can share a file. What goes wrong here
-- (a closed stream, a full disk) is nobody's business: events must be delivered.
local function write_line(file, line)
  pcall(function()
    file:write(line)
    file:flush()
  end)
end

--- A function (level, message, fields) that writes lines. given (all optional):
-- level = the least that is written ("info"), format = "text" or "json", file =
-- where to (stderr), place = what that is ("terminal", "journal", "file"; asked
-- for stderr), paint = function(level, line) that colours a terminal's text line,
-- now_ms = a clock.
function log.writer(given)
  given = require("loyalhook.options").check(given, OPTIONS, "log.writer")
  local least = LEVELS[given.level or "info"]
  if not least then
    error("log.writer: level must be debug, info, warn or error", 2)
  elseif given.format and given.format ~= "text" and given.format ~= "json" then
    error("log.writer: format must be text or json", 2)
  end
  local file = given.file or io.stderr
  local kept = { format = given.format, paint = given.paint,
    place = given.place or file == io.stderr and log.place() or "file",
    now_ms = given.now_ms or require("loyalhook.core").now_ms }
  return function(level, message, fields)
    if LEVELS[level].rank >= least.rank then
      write_line(file, shaped(kept, level, message, fields))
    end
  end
end

--- A function (key, now_ms) that allows each key once in `every_ms`: it returns
-- how many were held back since the last one that was allowed, or nil to hold
-- this one back. Keys are few and fixed (error codes).
function log.brake(every_ms)
  local seen = {}
  return function(key, now_ms)
    local entry = seen[key]
    if entry and now_ms - entry.at_ms < every_ms and now_ms >= entry.at_ms then
      entry.held = entry.held + 1
      return nil
    end
    local held = entry and entry.held or 0
    seen[key] = { at_ms = now_ms, held = 0 }
    return held
  end
end

return log
