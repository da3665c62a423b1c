-- Signs and verifies for tests in other languages, through loyalhook.core alone. Each line of stdin
-- is one case, fields separated by tabs, texts in hex:
--   sign      zinrelo  SECRET BODY NONCE
--   sign      standard SECRET BODY ID TIMESTAMP
--   verify    zinrelo  SECRET BODY NONCE SIGNATURE NOW_MS
--   verify    standard SECRET BODY ID TIMESTAMP SIGNATURE NOW_MS
-- and the answer one line: the signature, "ok", or "refused CODE".

local core = require("loyalhook.core")

local function text(hex)
  return (hex:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function fields(line)
  local list = {}
  for field in (line .. "\t"):gmatch("(.-)\t") do list[#list + 1] = field end
  return list
end

local actions = { sign = {}, verify = {} }

function actions.sign.zinrelo(f)
  return core.sign { secret = text(f[3]), body = text(f[4]), nonce = text(f[5]) }
end

function actions.sign.standard(f)
  return core.sign { scheme = "standard", secret = text(f[3]), body = text(f[4]), id = text(f[5]),
    timestamp = tonumber(text(f[6])) }
end

function actions.verify.zinrelo(f)
  return core.verify { secrets = { text(f[3]) }, body = text(f[4]), now_ms = tonumber(f[7]),
    headers = { nonce = text(f[5]), ["X-Zinrelo-Signature"] = text(f[6]) } }
end

function actions.verify.standard(f)
  return core.verify { scheme = "standard", secrets = { text(f[3]) }, body = text(f[4]),
    now_ms = tonumber(f[8]), headers = { ["webhook-id"] = text(f[5]),
      ["webhook-timestamp"] = text(f[6]), ["webhook-signature"] = text(f[7]) } }
end

for line in io.lines() do
  local f = fields(line)
  local result, _, code = actions[f[1]][f[2]](f)
  print(result == true and "ok" or result or "refused " .. code)
end
