-- Checks tables of named options. A misspelt option in a program is the
-- programmer's mistake and raises at the caller's line; a misspelt field in
-- data that came from outside is refused as a value. Both name the nearest.

local nearest = require("loyalhook.nearest")

local options = {}

local function names_of(known)
  local names = {}
  for name in pairs(known) do
    if type(name) == "string" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

-- The first key, in alphabetical order, whose value is not of its kind.
local function wrong_kind(given, known)
  for _, name in ipairs(names_of(given)) do
    local kind, got = known[name], type(given[name])
    if not kind:find(got, 1, true) then
      return ("%s: expected a %s, got %s"):format(name, kind, got)
    end
  end
end

--- nil if every key of `given` is one of `known`, else a message that names one
-- that is not (the first in alphabetical order) and the nearest known one.
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
-- public function `where` if it is not a table, has a key that is not in `known`,
-- or a value that is not of the kind (or kinds) that `known` has for it.
function options.check(given, known, where)
  if given == nil then
    return {}
  elseif type(given) ~= "table" then
    error(where .. ": expected a table of options, got " .. type(given), 3)
  end
  local message = options.unknown(given, known, "option") or wrong_kind(given, known)
  if message then
    error(where .. ": " .. message, 3)
  end
  return given
end

--- Raises at the line that called the public function `where` if `value` is not a text. expected:
-- what it should have been, in words.
function options.text(value, where, expected)
  if type(value) ~= "string" then
    error(("%s: expected %s, got %s"):format(where, expected, type(value)), 3)
  end
end

return options
