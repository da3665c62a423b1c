-- What a terminal may be shown. Names, URLs, answers and event data come from strangers: printed as
-- they are, they could move the cursor, retitle the window or turn text around. Colour only where
-- a person looks and has not declined it.

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

local function valid_utf8(text)
  if not text:find("[\128-\255]") then
    return text
  end
  local loaded, core = pcall(require, "loyalhook.core")
  if not loaded then -- the very message may be that it is missing
    return (text:gsub("[\128-\255]", "?"))
  end
  local check = core.utf8_check
  local good, bad_at = check(text)
  local parts = {}
  while not good do
    parts[#parts + 1] = text:sub(1, bad_at - 1)
    text = text:sub(bad_at + 1)
    good, bad_at = check(text)
  end
  parts[#parts + 1] = text
  return table.concat(parts, "\239\191\189")
end

--- Text with every invalid byte replaced by U+FFFD.
terminal.valid_utf8 = valid_utf8

--- Foreign text made safe for one line: white space becomes a space; other control characters (C0,
--- DEL, C1) and the marks that reverse the reading direction go. nil becomes "-".
function terminal.safe(text)
  if text == nil then
    return "-"
  end
  text = valid_utf8(tostring(text))
  text = text:gsub("[\t\n\v\f\r]+", " "):gsub("[%z\1-\31\127]", "")
  text = text:gsub("\194[\128-\159]", "") -- C1
  text = text:gsub("\226\128[\142\143\168-\174]", ""):gsub("\226\129[\166-\169]", "")
  return text
end

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

--- Columns a text takes: characters, not bytes.
function terminal.width(text)
  local _, continuations = text:gsub("[\128-\191]", "")
  return #text - continuations
end

return terminal
