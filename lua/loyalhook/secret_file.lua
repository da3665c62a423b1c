-- A file that holds one secret: a password, a token, a source's key. What is in it
-- is never part of a message.

local secret_file = {}

local BYTES_MAX = 4096

--- The one line that a file holds, without its newline; or nil, "PATH: what is wrong", "config".
function secret_file.read(path)
  local file, problem = io.open(path, "rb")
  local text = file and file:read(BYTES_MAX + 1)
  if file then
    file:close()
  end
  if not text then
    return nil, problem or path .. ": empty, or not to be read", "config"
  end
  text = text:gsub("\r?\n$", "")
  if text == "" or #text > BYTES_MAX or text:find("[%z\r\n]") then
    return nil, path .. ": expected one line with the secret and nothing else", "config"
  end
  return text
end

return secret_file
