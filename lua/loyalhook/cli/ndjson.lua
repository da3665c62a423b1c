-- Events from a file with one JSON object a line. Memory stays flat: a line is read in pieces, one
-- that is too long is skipped without being kept. The bytes of "data" are taken out of the line as
-- they stand there, never decoded and written again.

local ndjson = {}

local CHUNK_BYTES = 65536
-- An event's own limit and room for the other members of its line.
ndjson.LINE_BYTES_MAX = 1024 * 1024 + 4096
-- The line is one level around an event's data.
local DEPTH_MAX = 65

local QUOTE, OPEN_OBJECT, OPEN_ARRAY = ('"'):byte(), ("{"):byte(), ("["):byte()

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

-- The functions below read text that the strict scanner has accepted.

-- Last byte of the string whose opening quote is at `at`.
local function string_end(text, at)
  local from = at + 1
  while true do
    local found = text:find('["\\]', from)
    if text:byte(found) == QUOTE then
      return found
    end
    from = found + 2
  end
end

-- Last byte of the value that begins at `at`.
local function value_end(text, at)
  local first = text:byte(at)
  if first == QUOTE then
    return string_end(text, at)
  elseif first ~= OPEN_OBJECT and first ~= OPEN_ARRAY then
    return text:find("[%s,}%]]", at) - 1
  end
  local depth, from = 0, at
  while true do
    local found = text:find('["{}%[%]]', from)
    local byte = text:byte(found)
    if byte == QUOTE then
      found = string_end(text, found)
    elseif byte == OPEN_OBJECT or byte == OPEN_ARRAY then
      depth = depth + 1
    else
      depth = depth - 1
    end
    if depth == 0 then
      return found
    end
    from = found + 1
  end
end

-- The text of a JSON string, or nil if the value is of another kind.
local function decoded(text, from, to)
  if text:byte(from) ~= QUOTE then
    return nil
  elseif not text:find("\\", from, true) then
    return text:sub(from + 1, to - 1)
  end
  local json = require "loyalhook.json"
  return json.decode("[" .. text:sub(from, to) .. "]")[1]
end

local MEMBERS = {
  event_type = "string", data = "raw", id = "string", account = "string",
  idempotency_key = "string",
}

-- Calls take(name, from, to) for each member of the object; stops at the first message it returns.
local function each_member(text, take)
  local at = text:find("{", 1, true) + 1
  while true do
    local quote = text:find('["}]', at)
    if text:byte(quote) ~= QUOTE then
      return nil
    end
    local key_end = string_end(text, quote)
    local from = text:find("[^%s:]", key_end + 1)
    local to = value_end(text, from)
    local problem = take(decoded(text, quote, key_end), from, to)
    if problem then
      return problem
    end
    at = text:find("[,}]", to + 1)
    if text:byte(at) ~= (","):byte() then
      return nil
    end
    at = at + 1
  end
end

local function members_of(line)
  local event = {}
  local problem = each_member(line, function(name, from, to)
    local kind = MEMBERS[name]
    if not kind then
      return ('unknown member "%s" (known: event_type, data, id, account, idempotency_key)')
        :format(name)
    elseif kind == "raw" then
      event.data = line:sub(from, to)
    elseif line:sub(from, to) ~= "null" then
      event[name] = decoded(line, from, to)
      if event[name] == nil then
        return name .. ": must be a string"
      end
    end
  end)
  if problem then
    return nil, problem
  end
  return event
end

--- The event of one line: { event_type, data, id, account, idempotency_key }, data as its bytes.
--- Returns nil, message, code for a line that is not such an object; what its values may be is
--- checked where events are accepted.
function ndjson.event(line)
  local kind, message, code = require("loyalhook.core").json.check(line, DEPTH_MAX)
  if not kind then
    return nil, message, code
  elseif kind ~= "object" then
    return nil, "the line is not a JSON object but a JSON " .. kind, "invalid"
  end
  local event, problem = members_of(line)
  if not event then
    return nil, problem, "invalid"
  elseif not event.event_type then
    return nil, "event_type is missing", "invalid"
  elseif not event.data then
    return nil, "data is missing", "invalid"
  end
  return event
end

return ndjson
