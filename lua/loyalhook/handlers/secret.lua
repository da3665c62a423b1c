-- What a handler shows to a vendor to be let in: a text in the settings, or better the name of a
-- file, which is read at each use, so that a new token works without a restart. It never shows in a
-- message or a log.

local plain = require("loyalhook.plain")
local secret_file = require("loyalhook.secret_file")

local secret = {}

local MASKED_MIN = 6 -- bytes; what is shorter is no secret, and would tear any text apart

-- One line that can stand in a header: nothing that ends or hides it.
local function is_line(text)
  return text ~= "" and not text:find("[%z\1-\31\127]")
end

--- Checks the options `name` and `name`_file of a handler: exactly one is given, and what a file
-- holds can be read now. Returns what secret.read takes, or nil, message, "config".
function secret.check(given, name, where)
  local text, path = given[name], given[name .. "_file"]
  if (text == nil) == (path == nil) then
    return nil, ("%s: %s or %s_file: expected exactly one of them"):format(where, name, name),
      "config"
  elseif text and not is_line(text) then
    return nil, ("%s.%s: expected a text on one line"):format(where, name), "config"
  end
  local holder = { text = text, path = path, where = where .. "." .. name .. "_file" }
  local now, message = secret.read(holder)
  return now and holder, message, "config"
end

--- The secret as it is now, or nil, message.
function secret.read(holder)
  if holder.text then
    return holder.text
  end
  local text, message = secret_file.read(holder.path)
  if text and not is_line(text) then
    text, message = nil, holder.path .. ": expected one line with the secret"
  end
  if not text then
    return nil, holder.where .. ": " .. message
  end
  return text
end

-- As it may stand in another's text: as it is, in a URL or a form, in a JSON that escapes slashes.
local function shapes_of(list)
  local shapes = {}
  for _, text in ipairs(list) do
    if #text >= MASKED_MIN then
      shapes[#shapes + 1] = text
      shapes[#shapes + 1] = plain.percent(text)
      shapes[#shapes + 1] = text:gsub("/", "\\/")
    end
  end
  table.sort(shapes, function(a, b) return #a > #b end) -- one may be a part of another
  return shapes
end

local function without(text, shape)
  local parts, at = {}, 1
  local first, last = text:find(shape, 1, true)
  while first do
    parts[#parts + 1], at = text:sub(at, first - 1), last + 1
    first, last = text:find(shape, at, true)
  end
  parts[#parts + 1] = text:sub(at)
  return table.concat(parts, "***")
end

--- A text of somebody who was shown these secrets, without them.
function secret.masked(text, list)
  for _, shape in ipairs(shapes_of(list)) do
    text = without(text, shape)
  end
  return text
end

return secret
