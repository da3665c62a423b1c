-- 03: a merchant's side in a plain Lua script. Needs loyalhook.core only, no store. The body is
-- the bytes as they arrived; parse it after it was verified, not before.

local signature = require("loyalhook.signature")

local secret = "example-secret-of-16+"
local body = '{"request_id":"61f11851bdfb9aac526d0c70","total_count":"1",'
  .. '"created_date":"12/29/2021 16:47:41","events":[{"id":"61f1dfbd0c709aac1851b526",'
  .. '"event_type":"event_points_earned","data":{"member_info":{"member_id":"m-1001"}}}]}'

-- Stands for a request that came in: its headers by name, in any case of letters.
local headers = assert(signature.headers { secret = secret, body = body })

-- Keys are prepared once; during a rotation both secrets are given.
local verifier = signature.verifier { secrets = { "the next secret of 16+", secret } }

local function show(what, given_body, given_headers, now_ms)
  local ok, message, code = verifier:verify(given_body, given_headers, now_ms)
  print(("%-28s %s"):format(what, ok and "valid" or code .. ": " .. message))
end

show("as it came", body, headers)
show("one byte more", body .. "\n", headers)
show("without its nonce", body, { ["x-zinrelo-signature"] = headers["x-zinrelo-signature"] })
show("an hour later", body, headers, tonumber(headers.nonce) + 3600 * 1000)
show("another secret", body, assert(signature.headers { secret = "guessed", body = body }))

-- An event may come more than once (a lost answer is followed by a retry): remember its id.
local seen = {}
for event_id in body:gmatch('"id":"(%x+)"') do
  print(("%-28s %s"):format("event " .. event_id, seen[event_id] and "known" or "new"))
  seen[event_id] = true
end
