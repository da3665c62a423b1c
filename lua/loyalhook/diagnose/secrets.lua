-- Forms in which the same secret is often held by mistake: each variant is the
-- key that the signer may have used, if this is the secret that the verifier
-- was given. Pure; used by init.lua.

local base64 = require("loyalhook.base64")

local secrets = {}

local function from_hex(text)
  if #text == 0 or #text % 2 == 1 or text:find("%X") then
    return nil
  end
  return (text:gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

local function add(list, key, sentence, hint)
  if key and key ~= "" and not list.seen[key] then
    list.seen[key] = true
    list[#list + 1] = { key = key, sentence = sentence, hint = hint }
  end
end

local EXACT = "the key is the secret's text exactly as shown, prefix included"

--- Keys that may have been used if `secret` is what the verifier has: an array
-- of { key, sentence, hint }, without `right`, the key that is correct.
function secrets.variants(secret, right)
  local list = { seen = { [right] = true } }
  local plain = secret:match("^whsec_(.*)$")
  add(list, secret, "the signer used the secret's text, not the bytes that it encodes",
    "the standard scheme's key is the base64 after whsec_, decoded")
  add(list, plain and base64.decode(plain),
    "the signer used the base64-decoded secret as the key", EXACT)
  add(list, plain, "the signer left out the prefix whsec_ of the secret", EXACT)
  add(list, (secret:match("^%s*(.-)%s*$")), "the secret has white space around it",
    "a file or variable with the secret ends in a newline; one is dropped by --secret-stdin")
  add(list, secret .. "\n", "the signer's secret has a newline at its end",
    "the signer read its secret from a file and kept the line end")
  add(list, secret .. "\r\n", "the signer's secret has a line end (CR LF) at its end",
    "the signer read its secret from a file and kept the line end")
  add(list, secret:match('^["\'](.*)["\']$'), "the secret has quotes around it",
    "quotes of a settings file are not part of the secret")
  add(list, "whsec_" .. secret, "the secret lacks its prefix whsec_", EXACT)
  add(list, base64.decode(secret), "the signer used the base64-decoded secret as the key", EXACT)
  add(list, from_hex(secret), "the signer used the hex-decoded secret as the key", EXACT)
  list.seen = nil
  return list
end

return secrets
