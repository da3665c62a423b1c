-- The two signature schemes as a diagnosis needs them: names of the headers,
-- the key and the message that are signed, usual wrong messages, and what a
-- signature's text can be besides right. Signatures are compared as hex.

local base64 = require("loyalhook.base64")

local scheme = {}

local function to_hex(bytes)
  return bytes and (bytes:gsub(".", function(char)
    return ("%02x"):format(char:byte())
  end))
end

local zinrelo = {
  name = "zinrelo", hash = "sha512", other_hash = "sha256", hex_len = 128,
  headers = { "nonce", "x-zinrelo-signature" },
  signature_header = "x-zinrelo-signature", stamp_header = "nonce", stamp_len = 13,
  hash_name = "SHA512", other_hash_name = "SHA256",
}

function zinrelo.key(secret)
  return secret
end

function zinrelo.message(case, body, stamp)
  return body .. ":" .. (stamp or case.stamp)
end

-- Messages that signers build by mistake: { text, sentence }.
function zinrelo.wrong_messages(case)
  local body, nonce = case.body, case.stamp
  return {
    { body .. ":" .. nonce:sub(1, 10), "the signature was made with the nonce in seconds" },
    { body .. ":" .. nonce .. "000", "the signature was made with another unit of the nonce" },
    { body, "the signature was made over the body alone, without the nonce" },
    { body .. nonce, "the signature was made without the colon between body and nonce" },
    { nonce .. ":" .. body, "the signature was made over nonce:body, not body:nonce" },
    { body .. "." .. nonce, "the signature was made with a dot between body and nonce" },
    { nonce .. "." .. body, "the signature was made over nonce.body, not body:nonce" },
    { nonce .. body, "the signature was made over nonce and body, not body:nonce" },
    message = "the message is the body, a colon, and the nonce header's digits",
  }
end

-- The hex of each signature the text may mean: { hex, sentence if it is not the right form }.
function zinrelo.readings(text)
  local plain = text:gsub("^%s*[sS][hH][aA]%-?512%s*[=:]%s*", "")
  local list = {}
  if plain:find("^%x+$") then
    list[1] = { plain:lower(), plain ~= plain:lower()
      and "the signature is in upper-case hex; it must be lower case"
      or plain ~= text and "the signature has a prefix; it is the bare hex digits" or nil }
  elseif base64.decode(plain) then
    list[1] = { to_hex(base64.decode(plain)),
      "the signature is in base64; it must be 128 lower-case hex digits" }
  end
  return list
end

local standard = {
  name = "standard", hash = "sha256", other_hash = "sha512", hex_len = 64,
  headers = { "webhook-id", "webhook-timestamp", "webhook-signature" },
  signature_header = "webhook-signature", stamp_header = "webhook-timestamp", stamp_len = 10,
  hash_name = "SHA256", other_hash_name = "SHA512",
}

function standard.key(secret)
  return base64.decode(secret:match("^whsec_(.*)$") or "") or secret
end

function standard.message(case, body, stamp)
  return (case.headers["webhook-id"] or "") .. "." .. (stamp or case.stamp) .. "." .. body
end

function standard.wrong_messages(case)
  local body, stamp, id = case.body, case.stamp, case.headers["webhook-id"] or ""
  return {
    { id .. "." .. stamp .. "000." .. body, "the signature was made with milliseconds" },
    { id .. "." .. stamp:sub(1, 10) .. "." .. body, "the signature was made with seconds" },
    { stamp .. "." .. body, "the signature was made without the webhook-id" },
    { body, "the signature was made over the body alone" },
    { body .. ":" .. stamp, "the signature was made the way of the scheme zinrelo" },
    message = "the message is webhook-id, a dot, webhook-timestamp, a dot, and the body",
  }
end

function standard.readings(text)
  local list = {}
  for part in text:gmatch("%S+") do
    local value = part:match("^v1,(.*)$")
    local bytes = base64.decode(value or part)
    local wrong = not value and "the signature lacks the prefix v1," or nil
    if (value or part):find("^%x+$") and #(value or part) == 64 then
      list[#list + 1] = { (value or part):lower(),
        "the signature is in hex; it must be v1, and base64" }
    elseif bytes then
      list[#list + 1] = { to_hex(bytes), wrong }
    end
  end
  return list
end

scheme.zinrelo, scheme.standard = zinrelo, standard

return scheme
