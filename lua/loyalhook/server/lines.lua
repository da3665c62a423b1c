-- The lines of a file that nginx adds to, read as they come. A file that has grown
-- large is given up for a new one, as nginx's way with log files is.

local lines = {}

local Lines = {}
Lines.__index = Lines

local PIECE_BYTES = 64 * 1024
local TURN_BYTES = 64 * 1024 * 1024 -- from this size on a new file is begun

--- A reader of the file at that path, which may not be there yet; reopen() lets nginx begin a new
-- one when it has grown to bytes_max (64 MiB).
function lines.new(path, reopen, bytes_max)
  return setmetatable({ _path = path, _reopen = reopen, _bytes_max = bytes_max or TURN_BYTES,
    _rest = "", _bytes = 0 }, Lines)
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

-- Begins a new file when the old one is large and read to its end. A process of nginx may write to
-- the old one until it has written to the new one: with one, nothing is lost.
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
    visit(text:sub(from, to - 1))
    from = to + 1
    to = text:find("\n", from, true)
  end
  return text:sub(from)
end

--- Calls back with each line that has been added since the last call.
function Lines:each(visit)
  repeat
    local piece = piece_of(self) or turn(self)
    if piece then
      self._bytes = self._bytes + #piece
      self._rest = each_line(self._rest .. piece, visit)
    end
  until not piece
end

--- Closes the file.
function Lines:close()
  if self._file then
    self._file:close()
    self._file = nil
  end
end

return lines
