-- The script of `listen --respond`: what each request is answered, one word a
-- request in order, the last for all that follow. It lets senders be tried.

local respond = {}

local WORDS_MAX = 1000
local TIMES_MAX = 1000000
local SECONDS_MAX = 3600
local SLOW_S = 5

local STATUS_MIN, STATUS_MAX = 200, 599

-- Words that are no status: whether they take seconds, and how many by default.
local KINDS = { slow = { seconds = SLOW_S }, timeout = {}, reset = {}, close = {}, half = {} }

--- What a word means, for help and documentation.
respond.meanings = {
  { "200", "received as always: verified, recorded, answered" },
  { "STATUS", "any other status from 200 to 599" },
  { "STATUS/N", "the same with Retry-After: N" },
  { "slow, slow/N", "as 200, but answered after 5 or N seconds" },
  { "timeout", "never answered; the sender gives up" },
  { "half", "half an answer, then the connection ends" },
  { "close", "the connection ends without an answer" },
  { "reset", "the connection is reset without an answer" },
  { "WORD*N", "the word for N requests" },
}

local function refuse(word, why)
  return nil, ("--respond: '%s' %s"):format(word:sub(1, 40), why), "invalid"
end

local function whole(text, most)
  local number = text:find("^%d+$") and #text <= 7 and tonumber(text)
  return number and number <= most and math.floor(number) or nil
end

local function status_step(word, name, seconds)
  local status = whole(name, STATUS_MAX)
  if not status or status < STATUS_MIN then
    return refuse(word, ("is neither a status (%d to %d) nor slow, timeout, half, close, reset")
      :format(STATUS_MIN, STATUS_MAX))
  end
  return { kind = status == 200 and not seconds and "receive" or "status", status = status,
    seconds = seconds }
end

local function step_of(word, text)
  local name, after = text:match("^([^/]*)/?(.*)$")
  local seconds = after ~= "" and whole(after, SECONDS_MAX) or nil
  if text:find("/", 1, true) and not seconds then
    return refuse(word, ("needs 0 to %d seconds behind the /"):format(SECONDS_MAX))
  end
  local kind = KINDS[name]
  if not kind then
    return status_step(word, name, seconds)
  elseif seconds and not kind.seconds then
    return refuse(word, "takes no seconds")
  end
  return { kind = name, seconds = seconds or kind.seconds }
end

--- The steps of a script such as "500*3, 429/5, timeout, 200": a list of { word, times, kind =
-- receive, status, slow, timeout, half, close or reset, status, seconds }. Or nil, message, code.
function respond.parse(script)
  local steps = {}
  for part in (script .. ","):gmatch("([^,]*),") do
    local word = part:match("^%s*(.-)%s*$")
    local text, times = word:match("^(.-)%*(%d+)$")
    times = times and whole(times, TIMES_MAX)
    if word:find("*", 1, true) and (not times or times == 0) then
      return refuse(word, ("needs 1 to %d behind the *"):format(TIMES_MAX))
    end
    local step, message, code = step_of(word, text or word)
    if not step then
      return nil, message, code
    end
    step.word, step.times = text or word, times or 1
    steps[#steps + 1] = step
  end
  if #steps > WORDS_MAX then
    return refuse(script, ("has more than %d words"):format(WORDS_MAX))
  end
  return steps
end

--- The step for the request of that number, from 1.
function respond.step(steps, number)
  for _, step in ipairs(steps) do
    if number <= step.times then
      return step
    end
    number = number - step.times
  end
  return steps[#steps]
end

return respond
