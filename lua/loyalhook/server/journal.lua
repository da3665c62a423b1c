-- A line of nginx's log of requests as `listen` has it: JSON, one for each request,
-- in the order of the answers. Requests that nginx answers by itself are in it too.

local json = require("loyalhook.json")
local plain = require("loyalhook.plain")

local journal = {}

-- What nginx means by an answer that no handler of ours gave.
local REASONS = {
  [400] = "not a request as HTTP has it",
  [408] = "the request did not come to its end in time",
  [413] = "the body is larger than 10 MiB",
  [414] = "the address is too long",
  [431] = "the headers are too long",
  [494] = "the headers are too long",
  [499] = "the sender hung up before the answer",
}

-- Statuses of nginx's own for: no answer went out.
local UNANSWERED = { [0] = true, [444] = true, [499] = true }

local function whole(number)
  return math.floor(number + 0.5)
end

-- A request that no handler of ours has come to, or not to its end.
local function by_nginx(status)
  return { verdict = status == 499 and "aborted" or "refused", code = "http",
    reason = REASONS[status] or "nginx answered by itself" }
end

--- One line as a table: received_ms, duration_ms, method, path (with its query), bytes, status
-- (nil: no answer went out), verdict ("valid", "refused", "failed", "aborted"), source, script,
-- code, reason, hint, total_count, added, duplicates, events. nil for a line that is none.
function journal.parse(line)
  local read = json.decode(plain.valid_utf8(line))
  local ended_s = type(read) == "table" and tonumber(read.ended_s)
  if not ended_s then
    return nil
  end
  local took_s, status = tonumber(read.took_s) or 0, tonumber(read.status) or 0
  local seen = read.seen ~= "" and json.decode(read.seen) or by_nginx(status)
  seen.received_ms, seen.duration_ms = whole((ended_s - took_s) * 1000), whole(took_s * 1000)
  seen.method, seen.path, seen.bytes = read.method, read.uri, tonumber(read.bytes)
  seen.status = not UNANSWERED[status] and whole(status) or nil
  return seen
end

return journal
