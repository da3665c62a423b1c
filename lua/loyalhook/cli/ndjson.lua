-- Events from a file with one JSON object a line. Memory stays flat: a line is read in pieces, one
-- that is too long is skipped without being kept. The bytes of "data" are taken out of the line as
-- they stand there, never decoded and written again.

local ndjson = {}

local CHUNK_BYTES = 65536
-- An event's own limit and room for the other members of its line.
ndjson.LINE_BYTES_MAX = 1024 * 1024 + 4096
-- The line is one level around an event's data.
local DEPTH_MAX = 65

local Reader = {}
Reader.__index = Reader

function Reader:refill()
  local chunk, problem = self.file:read(CHUNK_BYTES)
  if not chunk and problem then
    error({ stop = "failure", message = "reading failed: " .. problem, code = "io" }, 0)
  end
  self.ended = chunk == nil
  self.chunk, self.from = chunk or "", 1
  if self.progress then
    self.progress(#self.chunk)
  end
end

-- The pieces of the next line and its size with the newline; nil at the end. What goes beyond
-- bytes_max is counted but not kept.
function Reader:next_line()
  local parts, size = {}, 0
  while true do
    if self.from > #self.chunk then
      self:refill()
    end
    if self.ended then
      return size > 0 and parts or nil, size
    end
    local at = self.chunk:find("\n", self.from, true)
    local last = at or #self.chunk + 1
    size = size + last + 1 - self.from
    if size <= self.bytes_max then
      parts[#parts + 1] = self.chunk:sub(self.from, last - 1)
    end
    self.from = last + 1
    if at then
      return parts, size
    end
    size = size - 1 -- no newline yet
  end
end

--- Iterates over a file's lines: number, text, or number, false for a line over bytes_max. Raises
--- { stop = "failure" } if reading fails. `progress(bytes)` (optional) hears of every piece read.
function ndjson.lines(file, bytes_max, progress)
  local number = 0
  local reader = setmetatable({ file = file, bytes_max = bytes_max, progress = progress,
    chunk = "", from = 1, ended = false }, Reader)
  return function()
    if reader.ended then
      return nil
    end
    local parts, size = reader:next_line()
    if not parts then
      return nil
    end
    number = number + 1
    return number, size <= bytes_max and table.concat(parts)
  end
end

local NAMES = { event_type = true, data = true, id = true, account = true, idempotency_key = true }

-- A JSON string's text, or nil if the value is of another kind.
local function string_of(value)
  if value:sub(1, 1) ~= '"' then
    return nil
  elseif not value:find("\\", 1, true) then
    return value:sub(2, -2)
  end
  return require("loyalhook.json").decode("[" .. value .. "]")[1]
end

-- Whether a checked line is as short as one with these members can be: then it has each once.
local function is_compact(line, members)
  local size = 1
  for name, value in pairs(members) do
    size = size + #name + #value + 4
  end
  return size == #line
end

-- The name that a checked line gives twice, or nil. Values are stepped over by their text, which
-- `members` has; the text of a name's last value does not stand where its first one does.
local function repeated(line, members)
  local at, seen = line:find("{", 1, true), {}
  while true do
    local quote = line:find('"', at + 1, true)
    if not quote then
      return nil
    end
    local stop = quote
    repeat
      stop = line:find('["\\]', stop + 1)
      local escaped = line:sub(stop, stop) == "\\"
      stop = escaped and stop + 1 or stop
    until not escaped
    local name = string_of(line:sub(quote, stop))
    local first = line:find("[^%s:]", stop + 1)
    local last = first + #members[name] - 1
    if seen[name] or line:sub(first, last) ~= members[name] then
      return name
    end
    seen[name] = true
    at = line:find("[,}]", last + 1)
  end
end

-- Values as emit takes them; null is as good as absent.
local function event_of(members)
  local event = {}
  for name, value in pairs(members) do
    if not NAMES[name] then
      return nil, ('unknown member "%s" (known: event_type, data, id, account, idempotency_key)')
        :format(name)
    elseif name == "data" then
      event.data = value
    elseif value ~= "null" then
      event[name] = string_of(value)
      if not event[name] then
        return nil, name .. ": must be a string"
      end
    end
  end
  return event
end

--- The event of one line: { event_type, data, id, account, idempotency_key }, data as its bytes.
--- Returns nil, message, code for a line that is not such an object; what its values may be is
--- checked where events are accepted.
function ndjson.event(line)
  local members, message, code = require("loyalhook.core").json.members(line, DEPTH_MAX)
  if not members then
    return nil, message, code
  end
  local event, problem = event_of(members)
  local twice = event and not is_compact(line, members) and repeated(line, members)
  if not event then
    return nil, problem, "invalid"
  elseif twice then
    return nil, twice .. " is there twice", "invalid"
  elseif not event.event_type then
    return nil, "event_type is missing", "invalid"
  elseif not event.data then
    return nil, "data is missing", "invalid"
  end
  return event
end

return ndjson
