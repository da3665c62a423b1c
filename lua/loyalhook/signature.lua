-- Signing and verifying without a store: for receivers of any kind, and for
-- tests. Needs loyalhook.core only, so it is safe inside a web server. Why a
-- verification fails is explained by diagnose.lua.

local core = require("loyalhook.core")
local options = require("loyalhook.options")

local signature = {}

local SIGN = { scheme = "string", secret = "string", body = "string", id = "string",
  nonce = "string or number", timestamp = "string or number" }
local VERIFY = { scheme = "string", secret = "string", secrets = "table", body = "string",
  headers = "table", now_ms = "number", tolerance_s = "number" }
local VERIFIER = { scheme = "string", secret = "string", secrets = "table",
  tolerance_s = "number" }

--- Signs a body. given: secret, body, scheme ("zinrelo", the default, or
-- "standard"), nonce (milliseconds, default now) or, for standard, id and
-- timestamp (seconds, default now). Returns the signature (128 hex digits, or
-- "v1,…") and the nonce or timestamp that was signed, or nil, message, code.
function signature.sign(given)
  given = options.check(given, SIGN, "signature.sign")
  local stamp
  if given.scheme == "standard" then
    stamp = given.timestamp or math.floor(core.now_ms() / 1000)
  else
    stamp = given.nonce or core.now_ms()
  end
  stamp = type(stamp) == "number" and ("%d"):format(stamp) or stamp
  local text, message, code = core.sign({ scheme = given.scheme, secret = given.secret,
    body = given.body, nonce = stamp, id = given.id, timestamp = stamp })
  if not text then
    return nil, message, code
  end
  return text, stamp
end

--- The headers that a request with this body carries, as a table name → value,
-- Content-Type included. given: as for sign. Or nil, message, code.
function signature.headers(given)
  given = options.check(given, SIGN, "signature.headers")
  local text, stamp, code = signature.sign(given)
  if not text then
    return nil, stamp, code
  end
  if given.scheme == "standard" then
    return { ["Content-Type"] = "application/json", ["webhook-id"] = given.id,
      ["webhook-timestamp"] = stamp, ["webhook-signature"] = text }
  end
  return { ["Content-Type"] = "application/json", nonce = stamp, ["x-zinrelo-signature"] = text }
end

--- Verifies a request. given: secrets (a list) or secret, body (the raw bytes),
-- headers (name → value, any case), scheme ("zinrelo"), now_ms (the system's
-- clock), tolerance_s (300; -1: any age). Returns true, or nil, message, code:
-- "header_missing", "header_repeated", "nonce_malformed", "signature_malformed",
-- "signature_mismatch", "too_old", "too_new", "secret_invalid".
function signature.verify(given)
  return core.verify(options.check(given, VERIFY, "signature.verify"))
end

--- A verifier with prepared keys, for servers: v:verify(body, headers [, now_ms])
-- answers like verify. given: secrets or secret, scheme, tolerance_s.
function signature.verifier(given)
  return core.verifier(options.check(given, VERIFIER, "signature.verifier"))
end

return signature
