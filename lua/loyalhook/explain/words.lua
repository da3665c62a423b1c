-- Moments, lengths of time, attempts and reasons in words that need no manual.
-- Pure: now is an argument. Foreign text (errors, answers) is cut and kept on
-- one line, but not made safe for a terminal: whoever prints it does that.

local plain = require("loyalhook.plain")
local time = require("loyalhook.time")

local words = {}

local SNIPPET_MAX = 120
local UNITS = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "min" }, { 1000, "s" } }

--- A length of time, its two largest units: "850 ms", "4 min 12 s", "3 d 2 h".
function words.length(ms)
  if ms < 1000 then
    return ("%d ms"):format(ms)
  end
  for index, unit in ipairs(UNITS) do
    if ms >= unit[1] then
      local count = math.floor(ms / unit[1])
      local smaller = UNITS[index + 1]
      local rest = smaller and math.floor((ms - count * unit[1]) / smaller[1]) or 0
      local text = ("%d %s"):format(count, unit[2])
      return rest > 0 and ("%s %d %s"):format(text, rest, smaller[2]) or text
    end
  end
end

--- A moment: "2026-01-02 10:00:05 UTC".
function words.moment(ms)
  return (time.format(ms):gsub("T", " "):gsub("%.%d+Z$", " UTC"))
end

--- The same, with how far it is: "… UTC (in 4 min)", "… UTC (3 h ago)", "… UTC (now)".
function words.when(ms, now_ms)
  local distance = ms - now_ms
  if distance >= 1000 then
    return ("%s (in %s)"):format(words.moment(ms), words.length(distance))
  elseif distance <= -1000 then
    return ("%s (%s ago)"):format(words.moment(ms), words.length(-distance))
  end
  return words.moment(ms) .. " (now)"
end

--- "1 event", "12 events".
function words.count(number, noun)
  return number == 1 and "1 " .. noun or ("%d %ss"):format(number, noun)
end

--- The beginning of foreign text, on one line.
function words.snippet(text)
  local line = text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  if #line <= SNIPPET_MAX then
    return line
  end
  return line:sub(1, plain.whole(line, SNIPPET_MAX)) .. "…"
end

local REASONS = {
  retries_exhausted = "every attempt of its budget failed",
  worker_lost = "the worker that made its last attempt ended before it knew the answer",
  paused = "its webhook was paused",
  disabled = "its webhook was disabled",
  deleted = "its webhook was deleted",
}

--- Why a request failed, as a clause.
function words.reason(reason)
  return REASONS[reason] or reason
end

local OUTCOMES = {
  timeout = "got no answer in time",
  connect = "could not connect",
  dns = "could not find the host",
  tls = "could not agree on a secure connection",
  blocked = "was not made: its address is not allowed",
  protocol = "got something that is not HTTP",
  lost = "has no known end: its worker ended before",
  secret = "was not made: the secret cannot be used",
}

local function outcome(attempt)
  if attempt.status and attempt.status > 0 then
    return ("was answered %d"):format(attempt.status)
  end
  return OUTCOMES[attempt.outcome] or "got no answer"
end

-- What the attempt itself adds: its error, or what the endpoint answered.
local function detail(attempt)
  if attempt.outcome == "lost" then
    return "" -- says the same
  elseif (attempt.error == nil or attempt.error == "") and attempt.status ~= 200 then
    return attempt.response or ""
  end
  return attempt.error or ""
end

local function with_detail(text, attempt)
  local more = detail(attempt)
  return more == "" and text or ("%s (%s)"):format(text, words.snippet(more))
end

--- How an attempt { status, outcome, error, response } ended: "was answered 500 (Internal Server
-- Error)".
function words.ending(attempt)
  return with_detail(outcome(attempt), attempt)
end

--- One attempt { number, started_ms, duration_ms, status, outcome, error, response }: "attempt 2,
-- 2026-01-02 10:00:05 UTC: was answered 500 after 12 ms (Internal Server Error)".
function words.attempt(attempt)
  local text = ("attempt %d, %s: %s"):format(attempt.number, words.moment(attempt.started_ms),
    outcome(attempt))
  if attempt.duration_ms and attempt.duration_ms >= 0 then
    text = ("%s after %s"):format(text, words.length(attempt.duration_ms))
  end
  return with_detail(text, attempt)
end

return words
