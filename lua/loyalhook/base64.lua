-- Base64 (RFC 4648 §4) in plain Lua, for the few short texts that are looked
-- at in Lua: secrets and signatures in a diagnosis. The signing path does not
-- come through here; the core has its own.

local base64 = {}

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local VALUES = {}
for index = 1, #ALPHABET do
  VALUES[ALPHABET:byte(index)] = index - 1
end

--- The text of some bytes, with padding.
function base64.encode(bytes)
  local out = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local word = a * 65536 + (b or 0) * 256 + (c or 0)
    local quad = {}
    for place = 4, 1, -1 do
      local digit = word % 64
      quad[place] = ALPHABET:sub(digit + 1, digit + 1)
      word = (word - digit) / 64
    end
    out[#out + 1] = quad[1] .. quad[2] .. (b and quad[3] or "=") .. (c and quad[4] or "=")
  end
  return table.concat(out)
end

--- The bytes of a text, or nil if it is not base64 with full padding.
function base64.decode(text)
  local digits, padding = text:match("^([A-Za-z0-9+/]*)(=?=?)$")
  if not digits or #text % 4 ~= 0 then
    return nil
  end
  local out, word, count = {}, 0, 0
  for index = 1, #digits do
    word = word * 64 + VALUES[digits:byte(index)]
    count = count + 1
    if count == 4 then
      out[#out + 1] = string.char(math.floor(word / 65536), math.floor(word / 256) % 256,
        word % 256)
      word, count = 0, 0
    end
  end
  if count == 3 then
    out[#out + 1] = string.char(math.floor(word / 1024), math.floor(word / 4) % 256)
  elseif count == 2 then
    out[#out + 1] = string.char(math.floor(word / 16))
  end
  return (count == 3 and #padding == 1 or count == 2 and #padding == 2
    or count == 0 and padding == "") and table.concat(out) or nil
end

return base64
