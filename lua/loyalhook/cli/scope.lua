-- Things that a command opens and that must be closed whatever happens: nginx, a
-- worker, a temporary folder. In the reverse order of their opening.

local context_of = require "loyalhook.cli.context"

local scope = {}

--- Calls work(keep) and closes what was kept. keep(object, message, code) returns the object, or
--- ends the command if it is nil; an object has close(), or `close` is given as the fourth value.
--- Returns what work returns, or raises what it raises.
function scope.run(work)
  local closers = {}
  local function keep(object, message, code, close)
    context_of.must(object, message, code)
    closers[#closers + 1] = close or function() object:close() end
    return object
  end
  local results = { pcall(work, keep) }
  for index = #closers, 1, -1 do
    closers[index]()
  end
  if not results[1] then
    error(results[2], 0)
  end
  return (table.unpack or unpack)(results, 2, 4)
end

--- A temporary folder until the scope ends. What a killed command has left there is removed before.
function scope.folder(keep)
  local engine = require("loyalhook.engine")
  engine.folders_clean(require("loyalhook.core").now_ms())
  local folder, message, code = engine.folder_new()
  return keep(folder, message, code, function() engine.folder_remove(folder) end)
end

--- Catches SIGTERM and SIGINT until the scope ends; to be kept before what a signal must not leave
--- behind. Returns a function that tells the first one that came, "TERM" or "INT", or nil. A
--- worker that runs catches those that it has not told.
function scope.signals(keep)
  local signals = keep(require("loyalhook.engine").signals())
  local came
  return function()
    came = came or signals:read()
    return came
  end
end

return scope
