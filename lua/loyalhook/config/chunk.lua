-- Lua files that a person writes for this program: loyalhook.lua and handlers. They are read as
-- text, never as bytecode, and what is run of them when they are loaded must end.

local chunk = {}

local FILE_BYTES_MAX = 1024 * 1024
local INSTRUCTIONS_MAX = 10000000 -- a tenth of a second; a table takes some thousands

local ENDLESS = {} -- raised into what goes on for too long

--- The text of a file; or nil, message, and whether it is only that there is none.
function chunk.read(path)
  local file, problem, number = io.open(path, "rb")
  if not file then
    return nil, problem, number == 2
  end
  local text, read_problem = file:read(FILE_BYTES_MAX + 1)
  file:close()
  if not text and read_problem then
    return nil, path .. ": " .. read_problem
  elseif text and #text > FILE_BYTES_MAX then
    return nil, ("%s: larger than %d bytes"):format(path, FILE_BYTES_MAX)
  end
  return text or ""
end

--- A function that runs the text with these globals, or nil, message. `name` is the file's.
function chunk.compile(text, name, globals)
  if text:byte(1) == 27 then
    return nil, name .. ": bytecode is refused, only Lua text is read"
  end
  return load((text:gsub("^\239\187\191", "")), "@" .. name, "t", globals)
end

--- Calls a function of such a file. Returns true and its first result; or false, what was raised,
-- and true if it was stopped because it goes on for too long. (On Lua 5.4 a coroutine that it makes
-- is not stopped: there a hook is for one.)
function chunk.call(called, ...)
  if rawget(_G, "jit") then
    jit.off(called, true) -- compiled code calls no hooks
  end
  local hook, mask, count = debug.gethook()
  local function stop() -- from then on at each instruction: what a pcall catches is raised anew
    debug.sethook(stop, "", 1)
    if debug.getinfo(2, "f").func ~= chunk.call then
      error(ENDLESS, 0)
    end
  end
  debug.sethook(stop, "", INSTRUCTIONS_MAX)
  local ok, result = pcall(called, ...)
  debug.sethook(hook, mask, count)
  if not ok and result == ENDLESS then
    return false, ("still running after %d instructions, does it ever end?"):format(
      INSTRUCTIONS_MAX), true
  end
  return ok, result
end

--- What was raised, as a text. No metamethod is called.
function chunk.text(raised)
  return type(raised) == "string" and raised or "a " .. type(raised) .. " was raised"
end

return chunk
