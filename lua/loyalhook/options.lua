-- Checks tables of named options. A misspelt option in a program is the
-- programmer's mistake and raises at the caller's line; a misspelt field in
-- data that came from outside is refused as a value. Both name the nearest.

local nearest = require("loyalhook.nearest")

local options = {}

local function names_of(known)
  local names = {}
  for name in pairs(known) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- A set { name = true } of the names given, for the functions below.
function options.set(...)
  local known = {}
  for _, name in ipairs({ ... }) do
    known[name] = true
  end
  return known
end

--- nil if every key of `given` is in the set `known`, else a message that names
-- one that is not (the first in alphabetical order) and the nearest known one.
function options.unknown(given, known, what)
  local wrong = {}
  for key in pairs(given) do
    if not known[key] then
      wrong[#wrong + 1] = tostring(key)
    end
  end
  if #wrong == 0 then
    return nil
  end
  table.sort(wrong)
  return ("unknown %s %s%s"):format(what, wrong[1]:sub(1, 60):gsub("[%c\128-\255]", "?"),
    nearest.hint(wrong[1], names_of(known)))
end

--- Returns `given` (an empty table for nil). Raises at the line that called the
-- public function `where` if it is not a table or has an unknown key.
function options.check(given, known, where)
  if given == nil then
    return {}
  elseif type(given) ~= "table" then
    error(where .. ": expected a table of options, got " .. type(given), 3)
  end
  local message = options.unknown(given, known, "option")
  if message then
    error(where .. ": " .. message, 3)
  end
  return given
end

return options
