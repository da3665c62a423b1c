-- Instants as people and the wire write them. Inside, an instant is an integer
-- of milliseconds since the Unix epoch; outside it is RFC 3339 in UTC, or the
-- wire's MM/DD/YYYY HH:MM:SS. Pure: nothing here reads a clock.

local time = {}

local DAY_S = 86400
local YEAR_MIN, YEAR_MAX = 1970, 9999

local UNIT_MS = { s = 1000, m = 60 * 1000, h = 3600 * 1000, d = DAY_S * 1000 }

-- Days since 1970-01-01 of a date of the Gregorian calendar; years start in
-- March here, so that the leap day is the last one.
local function days_from_date(year, month, day)
  if month <= 2 then
    year = year - 1
  end
  local era = math.floor(year / 400)
  local year_of_era = year - era * 400
  local day_of_year = math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  local leap_days = math.floor(year_of_era / 4) - math.floor(year_of_era / 100)
  return era * 146097 + year_of_era * 365 + leap_days + day_of_year - 719468
end

local function date_from_days(days)
  days = days + 719468
  local era = math.floor(days / 146097)
  local day_of_era = days - era * 146097
  local year_of_era = math.floor((day_of_era - math.floor(day_of_era / 1460)
    + math.floor(day_of_era / 36524) - math.floor(day_of_era / 146096)) / 365)
  local day_of_year = day_of_era
    - (365 * year_of_era + math.floor(year_of_era / 4) - math.floor(year_of_era / 100))
  local shifted_month = math.floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - math.floor((153 * shifted_month + 2) / 5) + 1
  local month = shifted_month < 10 and shifted_month + 3 or shifted_month - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  return year, month, day
end

local function fields_of(ms)
  local seconds = math.floor(ms / 1000)
  local days = math.floor(seconds / DAY_S)
  local rest = seconds - days * DAY_S
  local year, month, day = date_from_days(days)
  return year, month, day, math.floor(rest / 3600), math.floor(rest / 60) % 60, rest % 60,
    ms - seconds * 1000
end

local function month_days(year, month)
  if month == 2 then
    local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
    return leap and 29 or 28
  end
  return (month == 4 or month == 6 or month == 9 or month == 11) and 30 or 31
end

--- True if the three numbers are a date of the calendar (years 1 to 9999).
function time.is_date(year, month, day)
  return year >= 1 and year <= YEAR_MAX and month >= 1 and month <= 12 and day >= 1
    and day <= month_days(year, month)
end

--- Milliseconds as RFC 3339 in UTC: "2021-12-29T16:47:41.000Z".
function time.format(ms)
  return ("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"):format(fields_of(ms))
end

--- Milliseconds as the wire writes them: "12/29/2021 16:47:41" (UTC).
function time.wire(ms)
  local year, month, day, hour, minute, second = fields_of(ms)
  return ("%02d/%02d/%04d %02d:%02d:%02d"):format(month, day, year, hour, minute, second)
end

--- The day of an instant as the wire writes it: "12/29/2021" (UTC).
function time.wire_date(ms)
  return time.wire(ms):sub(1, 10)
end

local function refuse(text)
  return nil, ('time: expected RFC 3339 like 2024-05-01T10:00:00Z, got "%s"'):format(
    tostring(text):sub(1, 60):gsub("%c", "?")), "invalid"
end

-- Offset from UTC in minutes, or nil.
local function zone_minutes(zone)
  if zone == "Z" or zone == "z" then
    return 0
  end
  local sign, hours, minutes = zone:match("^([+-])(%d%d):(%d%d)$")
  if not sign or tonumber(hours) > 23 or tonumber(minutes) > 59 then
    return nil
  end
  local total = tonumber(hours) * 60 + tonumber(minutes)
  return sign == "-" and -total or total
end

-- Hours, minutes, seconds, zone → milliseconds since that day's midnight UTC, or nil.
local function clock_ms(text)
  local hour, minute, second, fraction, zone =
    text:match("^[Tt ](%d%d):(%d%d):(%d%d)(%.?%d*)([Zz+-][%d:]*)$")
  local offset = hour and zone_minutes(zone)
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second)
  if not offset or hour > 23 or minute > 59 or second > 60 or fraction == "." then
    return nil
  end
  if fraction ~= "" and fraction:sub(1, 1) ~= "." then
    return nil
  end
  local ms = tonumber((fraction:sub(2) .. "000"):sub(1, 3))
  return (((hour * 60 + minute - offset) * 60) + second) * 1000 + ms
end

--- RFC 3339 (also with a space for the T, or a date alone: midnight UTC) as
-- integer milliseconds, or nil, message, "invalid". Years 1970 to 9999.
function time.parse(text)
  if type(text) ~= "string" then
    return refuse(text)
  end
  local year, month, day, rest = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$")
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if not year or year < YEAR_MIN or not time.is_date(year, month, day) then
    return refuse(text)
  end
  local ms = rest == "" and 0 or clock_ms(rest)
  if not ms then
    return refuse(text)
  end
  return math.floor(days_from_date(year, month, day) * DAY_S * 1000 + ms)
end

--- A moment in the past as people type it: "30m", "2h", "7d", "90s" before
-- `now_ms`, or RFC 3339, or a number of milliseconds since the epoch. Returns
-- integer milliseconds, or nil, message, "invalid".
function time.since(text, now_ms)
  if type(text) == "number" and text == math.floor(text) and text >= 0 then
    return math.floor(text)
  end
  local count, unit = tostring(text):match("^(%d+)([smhd])$")
  if count and #count <= 9 then
    return math.max(0, math.floor(now_ms - tonumber(count) * UNIT_MS[unit]))
  end
  local ms = time.parse(text)
  if not ms then
    return nil, ('since: expected RFC 3339 or a length of time like 30m, 2h, 7d, got "%s"'):format(
      tostring(text):sub(1, 60):gsub("%c", "?")), "invalid"
  end
  return ms
end

return time
