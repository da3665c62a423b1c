-- Accepting many events from a file: batches of one transaction each, a sink for what comes back,
-- memory that does not grow with the file. ndjson.lua reads the lines.

local document = require "loyalhook.cli.document"
local exit_codes = require "loyalhook.cli.exit_codes"
local input = require "loyalhook.cli.input"
local ndjson = require "loyalhook.cli.ndjson"
local progress = require "loyalhook.cli.progress"
local terminal = require "loyalhook.cli.terminal"

local bulk = {}

local BATCH_LINES_MAX = 1000
local BATCH_BYTES_MAX = 4 * 1024 * 1024
local COPY_BYTES = 65536

-- Where results go: ids to stdout at once; refused lines to stderr, or with --json into the same
-- document after the ids, kept in a temporary file until then.
local Sink = {}
Sink.__index = Sink

local function new_sink(output, bar)
  local sink = setmetatable({ output = output, bar = bar, stored = 0, known = 0, refused = 0,
    shows_ids = output.json or not terminal.is_terminal(1) }, Sink)
  if output.json then
    output:write('{"ids":[')
  end
  return sink
end

function Sink:id(id, duplicate)
  self.stored = self.stored + (duplicate and 0 or 1)
  self.known = self.known + (duplicate and 1 or 0)
  if self.output.json then
    self.output:write(self.stored + self.known > 1 and "," or "", document.encode(id))
  elseif self.shows_ids then
    self.output:line(id)
  end
end

function Sink:refuse(line, message, code)
  self.refused = self.refused + 1
  if not self.output.json then
    self.bar:wipe()
    self.output:note(("line %d: %s (%s)"):format(line, message, code))
    return
  end
  local problem
  if not self.spool then
    self.spool, problem = io.tmpfile()
  end
  local text = document.encode(document.object("line", line, "code", code, "message", message))
  if not self.spool or not self.spool:write(self.refused > 1 and "," or "", text) then
    error({ stop = "failure", code = "io",
      message = "temporary file for refused lines: " .. tostring(problem or "cannot write") }, 0)
  end
end

-- Ends the document, or says in a line what has been done.
function Sink:finish()
  self.bar:wipe()
  if not self.output.json then
    local known = self.known > 0 and (", %d known already"):format(self.known) or ""
    self.output:note(("%d stored%s, %d refused"):format(self.stored, known, self.refused))
    return
  end
  self.output:write('],"refused":[')
  if self.spool then
    self.spool:seek("set")
    for piece in function() return self.spool:read(COPY_BYTES) end do
      self.output:write(piece)
    end
    self.spool:close()
  end
  self.output:write("]}\n")
end

-- The lines read but not stored yet, in their order. A slot holds an event, or why its line was
-- refused.
local Batch = {}
Batch.__index = Batch

local function new_batch(sender, sink, bar)
  return setmetatable({ sender = sender, sink = sink, bar = bar, slots = {}, bytes = 0 }, Batch)
end

function Batch:add(line, text)
  local event, message, code
  if text then
    event, message, code = ndjson.event(text)
  else
    message, code = ("longer than %d bytes"):format(ndjson.LINE_BYTES_MAX), "too_large"
  end
  if event then
    event.data_json, event.data = event.data, nil
    self.bytes = self.bytes + #event.data_json
  end
  self.slots[#self.slots + 1] = { line = line, event = event, message = message, code = code }
  if #self.slots >= BATCH_LINES_MAX or self.bytes >= BATCH_BYTES_MAX then
    self:store()
  end
end

-- One transaction; raises if it fails as a whole.
function Batch:store()
  local events = {}
  for _, slot in ipairs(self.slots) do
    events[#events + 1] = slot.event
  end
  local results, message, code = self.sender:emit_each(events)
  if not results then
    error({ stop = "failure", message = message, code = code }, 0)
  end
  local number = 0
  for _, slot in ipairs(self.slots) do
    local result = slot
    if slot.event then
      number = number + 1
      result = results[number]
    end
    if result.id then
      self.sink:id(result.id, result.duplicate)
    else
      self.sink:refuse(slot.line, result.message, result.code)
    end
  end
  self.slots, self.bytes = {}, 0
  self.bar:stored(#events)
end

-- Size of a file that has one; a pipe has none.
local function size_of(file)
  local at = file:seek("cur")
  local size = at and file:seek("end")
  if size then
    file:seek("set", at)
  end
  return size and size > at and size - at or nil
end

--- Stores the events of an NDJSON file ("-": stdin). Returns an exit code, or nil, message, code.
function bulk.emit(path, context)
  local sender = context:sender()
  local file, name, code = input.open(path)
  if not file then
    return nil, name, code
  end
  local bar = progress.new(size_of(file), require("loyalhook.core").now_ms)
  local sink = new_sink(context.output, bar)
  local batch = new_batch(sender, sink, bar)
  local done, raised = pcall(function()
    local function read(bytes) bar:read(bytes) end
    for line, text in ndjson.lines(file, ndjson.LINE_BYTES_MAX, read) do
      if not text or text:find("%S") then
        batch:add(line, text)
      end
    end
    batch:store()
  end)
  if done or raised.stop ~= "stdout" then
    sink:finish()
  end
  if not done then
    error(raised, 0)
  end
  return sink.refused > 0 and exit_codes.REFUSED or exit_codes.OK
end

return bulk
