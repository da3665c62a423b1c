-- What a command hands to its nginx: plain data in a file of the temporary folder,
-- which is nginx's prefix and its owner's alone. So no value of a person's has to
-- be quoted into nginx.conf, and a secret is in no command line.

local json = require("loyalhook.json")

local settings = {}

local NAME = "/settings.json"
local BYTES_MAX = 16 * 1024 * 1024

--- Writes them. Returns true, or nil, message, code.
function settings.write(folder, values)
  local text, message, code = json.encode(values)
  if not text then
    return nil, message, code
  end
  local file
  file, message = io.open(folder .. NAME, "wb")
  if not file then
    return nil, message, "io"
  end
  local done, problem = file:write(text)
  local closed, last = file:close()
  if not done or not closed then
    return nil, ("%s%s: %s"):format(folder, NAME, problem or last), "io"
  end
  return true
end

--- Removes them, once nginx has read them: it does so only when it starts.
function settings.remove(folder)
  os.remove(folder .. NAME)
end

--- Reads them. Raises where that fails, for nginx to say why it does not start.
function settings.read(folder)
  local file = assert(io.open(folder:gsub("/$", "") .. NAME, "rb"))
  local text = file:read(BYTES_MAX)
  file:close()
  return assert(json.decode(text))
end

return settings
