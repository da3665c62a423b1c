-- What a terminal is shown: foreign text made safe, colour only where a person looks and has not
-- declined it.

local plain = require "loyalhook.plain"
local width = require "loyalhook.cli.width"

local terminal = {}

local SGR = { bold = "1", dim = "2", red = "31", green = "32", yellow = "33" }

-- The engine's C module knows whether a descriptor is a terminal. Commands that do without it
-- (they must not load SQLite for a look at the terminal) print as to a file.
local function engine()
  return package.loaded["loyalhook.engine"]
end

--- Whether a descriptor (1 stdout, 2 stderr) is a terminal, as far as this command can know.
function terminal.is_terminal(fd)
  local module = engine()
  return module ~= nil and module.isatty(fd) == true
end

--- Columns of the terminal behind a descriptor, 80 if unknown.
function terminal.columns(fd)
  local module = engine()
  return module and module.columns(fd) or 80
end

--- Foreign text made safe for one line (see plain.lua).
terminal.safe = plain.line

--- Whether output on a descriptor may be coloured.
function terminal.may_colour(fd)
  local declined = os.getenv("NO_COLOR")
  if declined and declined ~= "" or os.getenv("TERM") == "dumb" then
    return false
  end
  return terminal.is_terminal(fd)
end

--- Text in a colour (bold, dim, red, green, yellow) if that descriptor may have it.
function terminal.colour(name, text, fd)
  if not terminal.may_colour(fd or 1) then
    return text
  end
  return "\27[" .. SGR[name] .. "m" .. text .. "\27[0m"
end

--- Columns a text takes (see width.lua).
terminal.width = width.of

return terminal
