-- What a receiver answers, and what it notes about it: one table a request, the
-- outcome. { status, body (JSON text) } go out; { code, message, level } are for the
-- log, where the precise reason stands; { events, added, duplicates, total_count }
-- are there when something was recorded. A stranger learns no more than that the
-- signature was not accepted.

local plain = require("loyalhook.plain")

local answers = {}

-- code → status. What is not here is a failure of our own: 503, try again.
local STATUS = {
  header_missing = 401, header_repeated = 401, nonce_malformed = 401, signature_malformed = 401,
  signature_mismatch = 401, unknown_source = 401, too_old = 401, too_new = 401,
  too_large = 413, encoding = 415, invalid = 400,
}

-- What is shown instead of the reason. Too old and too new are found only once the signature fits:
-- there the sender is who it says, and its clock or ours is wrong.
local UNAUTHORIZED = { "unauthorized",
  "the signature was not accepted; the receiver's log says why" }
local UNAVAILABLE = { "unavailable", "nothing was recorded; send it again" }

local function error_body(code, message)
  return ('{"error":{"code":%s,"message":%s}}'):format(plain.json(code), plain.json(message))
end

local function shown(status, code, message)
  if status == 503 then
    return UNAVAILABLE[1], UNAVAILABLE[2]
  elseif status == 401 and code ~= "too_old" and code ~= "too_new" then
    return UNAUTHORIZED[1], UNAUTHORIZED[2]
  end
  return code, message
end

local function outcome_of(status, code, message)
  return { status = status, body = error_body(shown(status, code, message)), code = code,
    message = message, level = status == 503 and "error" or "warn" }
end

--- The outcome of a request that was not accepted, for the reason `code`.
function answers.refused(code, message)
  return outcome_of(STATUS[code] or 503, code, message)
end

--- The outcome of a request that may be good: it could not be recorded.
function answers.failed(code, message)
  return outcome_of(503, code, message)
end

--- The outcome of a request whose events are in the inbox. result: { events, added, duplicates,
-- total_count (only if it does not match) }.
function answers.accepted(result)
  local outcome = { status = 200, events = result.events, added = result.added,
    duplicates = result.duplicates, total_count = result.total_count,
    body = ('{"events":%d,"added":%d}'):format(result.events, result.added) }
  if result.total_count then
    outcome.level, outcome.code = "warn", "total_count"
    outcome.message = ("accepted, although total_count does not fit the %d events"):format(
      result.events)
  end
  return outcome
end

return answers
