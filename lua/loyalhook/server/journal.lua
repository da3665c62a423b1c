-- nginx's log of requests as `listen` reads it: a file that is added to, a line of
-- JSON for each request, in the order of the answers. Requests that nginx answers
-- by itself are in it too.

local json = require("loyalhook.json")
local plain = require("loyalhook.plain")

local journal = {}

local Journal = {}
Journal.__index = Journal

local PIECE_BYTES = 64 * 1024
local TURN_BYTES = 64 * 1024 * 1024 -- from this size on a new file is begun

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

--- A reader of the log at that path; reopen() lets nginx begin a new one when it has grown to
-- bytes_max (64 MiB).
function journal.new(path, reopen, bytes_max)
  return setmetatable({ _path = path, _reopen = reopen, _bytes_max = bytes_max or TURN_BYTES,
    _rest = "", _bytes = 0 }, Journal)
end

-- The next piece, or nil when there is none now.
local function piece_of(self)
  self._file = self._file or io.open(self._path, "rb")
  local piece = self._file and self._file:read(PIECE_BYTES)
  if self._file and not piece then
    self._file:seek("cur", 0) -- forgets the end, so that what is added later is seen
  end
  return piece
end

-- Begins a new file when the old one is large and read to its end. nginx's one worker may write to
-- the old one until it has written to the new one.
local function turn(self)
  if self._old then
    local fresh = io.open(self._path, "rb")
    if fresh and not fresh:read(0) then
      fresh:close()
    elseif fresh then
      local last = self._file:read("*a") or ""
      self._file:close()
      os.remove(self._old)
      self._file, self._old, self._bytes = fresh, nil, 0
      return last
    end
  elseif self._bytes >= self._bytes_max and os.rename(self._path, self._path .. ".old") then
    self._old = self._path .. ".old"
    self._reopen()
  end
  return nil
end

-- Calls back with the whole lines of a text; returns what is left.
local function each_line(text, visit)
  local from = 1
  local to = text:find("\n", from, true)
  while to do
    local found = journal.parse(text:sub(from, to - 1))
    if found then
      visit(found)
    end
    from = to + 1
    to = text:find("\n", from, true)
  end
  return text:sub(from)
end

--- Calls back with each request that has been answered since the last call.
function Journal:each(visit)
  repeat
    local piece = piece_of(self) or turn(self)
    if piece then
      self._bytes = self._bytes + #piece
      self._rest = each_line(self._rest .. piece, visit)
    end
  until not piece
end

--- Closes the file.
function Journal:close()
  if self._file then
    self._file:close()
    self._file = nil
  end
end

return journal
