-- What a request's headers tell about a failed verification: which is missing
-- and under what name it may have come, a nonce in the wrong unit, and how old
-- a request is. Pure; used by init.lua.

local headers = {}

--- Names in lower case, values that are strings without white space around.
function headers.normal(given)
  local normal = {}
  for name, value in pairs(given) do
    if type(name) == "string" and type(value) == "string" then
      normal[name:lower()] = value:match("^%s*(.-)%s*$")
    end
  end
  return normal
end

-- x-zinrelo-signature for HTTP_X_ZINRELO_SIGNATURE and the like.
local function plain_name(name)
  return (name:lower():gsub("_", "-"):gsub("^http%-", ""))
end

local function found_under_other_name(case, wanted)
  for name in pairs(case.given_headers) do
    if type(name) == "string" and name:lower() ~= wanted and plain_name(name) == wanted then
      return name
    end
  end
end

local OTHERS = { zinrelo = "webhook-signature", standard = "x-zinrelo-signature" }
local OTHER_NAME = { zinrelo = "standard", standard = "zinrelo" }

--- A sentence and a hint about the first header that is missing.
function headers.missing(case)
  local missing
  for _, name in ipairs(case.scheme.headers) do
    if (case.headers[name] or "") == "" then
      missing = missing or name
    end
  end
  missing = missing or case.scheme.signature_header
  local sentence = "the header " .. missing .. " is missing"
  if case.headers[missing] == "" then
    sentence = "the header " .. missing .. " is empty"
  end
  local other = found_under_other_name(case, missing)
  if other then
    return sentence, ("it is there as %s: give headers by the names they have in the request")
      :format(other:gsub("%c", "?"))
  elseif case.headers[OTHERS[case.scheme.name]] then
    local name = OTHER_NAME[case.scheme.name]
    return sentence, "the request is signed with the other scheme: verify it with scheme " .. name
  end
  return sentence, "a proxy may have removed it, or the request is not from the sender"
end

--- A sentence and a hint about a nonce or timestamp that is malformed.
function headers.stamp_problem(case)
  local name, stamp = case.scheme.stamp_header, case.stamp
  local unit = case.scheme.name == "zinrelo" and "milliseconds (13 digits)" or "seconds"
  local shown = stamp:sub(1, 40):gsub("[%c\128-\255]", "?")
  local hint = ("write %s as %s since 1970"):format(name, unit)
  if case.scheme.name == "zinrelo" and stamp:find("^%d+$") and #stamp == 10 then
    return ("the nonce %s is in seconds; it must be milliseconds"):format(shown), hint
  elseif stamp:find("^%d+$") and #stamp == 13 then
    return ("%s %s is in milliseconds; it must be %s"):format(name, shown, unit), hint
  elseif stamp:find("^%d+$") and (#stamp == 16 or #stamp == 19) then
    return ("%s %s is in %s; it must be %s"):format(name, shown,
      #stamp == 16 and "microseconds" or "nanoseconds", unit), hint
  elseif stamp:find("^%d+%.%d+$") then
    return ("%s %s has a decimal point; it must be whole %s"):format(name, shown, unit), hint
  end
  return ('%s "%s" is not a time; it must be %s'):format(name, shown, unit), hint
end

local UNITS = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } }

-- The two largest units: "5 h 30 min".
local function length_of(seconds)
  local parts = {}
  for _, unit in ipairs(UNITS) do
    local count = math.floor(seconds / unit[2])
    if count > 0 and #parts < 2 then
      parts[#parts + 1] = ("%d %s"):format(count, unit[1])
    elseif #parts > 0 then
      break
    end
    seconds = seconds - count * unit[2]
  end
  return #parts > 0 and table.concat(parts, " ") or "0 s"
end

-- Half hours are what time zones differ by.
local function looks_like_zone(seconds)
  local off = seconds % 1800
  return seconds >= 1740 and seconds <= 14 * 3600 and (off < 60 or off > 1740)
end

--- A sentence and a hint about a request outside the tolerance.
function headers.age(case)
  local stamp_ms = tonumber(case.stamp) * (case.scheme.name == "zinrelo" and 1 or 1000)
  local apart_s = math.floor(math.abs(case.now_ms - stamp_ms) / 1000)
  local old = case.now_ms >= stamp_ms
  local sentence = ("the signature fits, but the request is %s %s; the tolerance is %s"):format(
    length_of(apart_s), old and "old" or "ahead of this clock", length_of(case.tolerance_s))
  if looks_like_zone(apart_s) then
    return sentence, "one of the clocks seems to show local time instead of UTC"
  elseif old then
    return sentence, "a stored or replayed request, or a clock that is wrong"
  end
  return sentence, "one of the two clocks is wrong"
end

return headers
