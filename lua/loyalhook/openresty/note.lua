-- Lines in nginx's error log, as the other parts of loyalhook write theirs.

local core = require("loyalhook.core")
local log = require("loyalhook.log")

local note = {}

local LEVELS = { debug = "DEBUG", info = "INFO", warn = "WARN", error = "ERR" }
local EVERY_MS = 10000

--- Writes a line.
function note.write(level, message, fields)
  ngx.log(ngx[LEVELS[level]], log.line(level, message, fields))
end

--- The same as `write`, but each message once in ten seconds: under load many requests meet the
-- same trouble. Messages are few and fixed.
function note.braked(write)
  local brake = log.brake(EVERY_MS)
  return function(level, message, fields)
    local held = brake(message, core.now_ms())
    if held then
      fields.repeated = held > 0 and held or nil
      write(level, message, fields)
    end
  end
end

return note
