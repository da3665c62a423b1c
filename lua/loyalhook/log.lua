-- What a worker says while it runs: one line per message on stderr, key=value
-- after the sentence, and a brake for messages that would repeat every round.
-- A program can hand the worker a function of its own instead.

local log = {}

local LEVELS = { debug = 1, info = 2, warn = 3, error = 4 }

local function value_text(value)
  local text = tostring(value)
  if text:find('[%s"=%c]') or text == "" then
    return '"' .. text:gsub('["\\]', "\\%0"):gsub("%c", "?") .. '"'
  end
  return text
end

--- One message as text: level, sentence, then the fields sorted by name.
function log.line(level, message, fields)
  local names, parts = {}, { level .. ": " .. message:gsub("%c", " ") }
  for name in pairs(fields or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    parts[#parts + 1] = name .. "=" .. value_text(fields[name])
  end
  return table.concat(parts, " ")
end

--- A function (level, message, fields) that writes lines of at least `level`
-- ("info") to `file` (stderr).
function log.writer(level, file)
  local least, out = LEVELS[level or "info"], file or io.stderr
  return function(at, message, fields)
    if LEVELS[at] >= least then
      out:write(log.line(at, message, fields), "\n")
      out:flush()
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
