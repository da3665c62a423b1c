-- What a handler shows to a vendor to be let in: a text in the settings, or better the name of a
-- file, which is read at each use, so that a new token works without a restart. It never shows in a
-- message or a log.

local secret_file = require("loyalhook.secret_file")

local secret = {}

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

return secret
