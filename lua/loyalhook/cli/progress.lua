-- A progress bar on stderr, for a terminal only. It is drawn a few times a second at most and wiped
-- before anything else is written there.

local terminal = require "loyalhook.cli.terminal"

local Progress = {}
Progress.__index = Progress

local progress = {}

local BAR_COLUMNS_MAX = 40
local REDRAW_MS = 100

--- total: bytes (or things) to come, or nil if unknown. now_ms: a clock. stream: default stderr if
--- it is a terminal; without one every method does nothing. what: is counted, default "events".
function progress.new(total, now_ms, stream, what)
  if not stream and terminal.is_terminal(2) then
    stream = io.stderr
  end
  return setmetatable({ total = total, done = 0, count = 0, now_ms = now_ms, stream = stream,
    what = what or "events", started_ms = stream and now_ms(), drawn_ms = 0 }, Progress)
end

--- The line as it would be drawn in so many columns.
function Progress:text(columns, now)
  local seconds = math.max(now - self.started_ms, 1) / 1000
  local figures = ("%d %s, %d/s"):format(self.count, self.what, math.floor(self.count / seconds))
  if not self.total or self.total == 0 then
    return figures
  end
  local share = math.min(self.done / self.total, 1)
  local room = math.min(BAR_COLUMNS_MAX, columns - #figures - 10)
  if room < 5 then
    return ("%3d%% %s"):format(math.floor(share * 100), figures)
  end
  local full = math.floor(share * room)
  return ("[%s%s] %3d%% %s"):format(("#"):rep(full), ("."):rep(room - full),
    math.floor(share * 100), figures)
end

--- So many more bytes have been read.
function Progress:read(bytes)
  self.done = self.done + bytes
end

--- So many of so many are done, `count` of them with success; draws if it is time.
function Progress:reached(done, total, count)
  self.done, self.total, self.count = done, total, count
  self:stored(0)
end

--- So many more events have been stored; draws if it is time.
function Progress:stored(count)
  self.count = self.count + count
  if not self.stream then
    return
  end
  local now = self.now_ms()
  if now - self.drawn_ms >= REDRAW_MS then
    self.drawn_ms = now
    self.stream:write("\r\27[K", self:text(terminal.columns(2), now))
  end
end

--- Wipes the line, so that something else can be written.
function Progress:wipe()
  if self.stream and self.drawn_ms > 0 then
    self.stream:write("\r\27[K")
    self.drawn_ms = 0
  end
end

return progress
