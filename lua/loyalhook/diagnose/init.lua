-- Why a request does not verify: tries what usually goes wrong and says it in
-- one sentence. For people who set up a receiver; it compares in ordinary time
-- and hashes the body many times, so it must not answer requests. Neighbours:
-- bodies.lua, secrets.lua, scheme.lua hold the hypotheses, this file tries them.

local core = require("loyalhook.core")
local bodies = require("loyalhook.diagnose.bodies")
local headers = require("loyalhook.diagnose.headers")
local options = require("loyalhook.options")
local schemes = require("loyalhook.diagnose.scheme")
local secrets = require("loyalhook.diagnose.secrets")

local diagnose = {}

local PAIRS_BYTES_MAX = 64 * 1024 -- bodies for which two mistakes at once are tried
local NONCE_BYTES_MAX = 16 * 1024 -- bodies for which neighbouring nonces are tried
local NONCE_STEPS = 2000

local function said(case, sentence, hint)
  return { valid = false, code = case.code, sentence = sentence, hint = hint }
end

-- True if one of the signature's readings is the HMAC of the message.
local function fits(case, key, message, hash)
  local hex = core.hmac(hash or case.scheme.hash, key, message)
  for _, reading in ipairs(case.readings) do
    if reading[1] == hex then
      return true, reading[2]
    end
  end
  return false
end

-- The whole request is right but for how the signature is written.
local function try_as_given(case, secret)
  local ok, wrong_form = fits(case, case.scheme.key(secret), case.scheme.message(case, case.body))
  if ok then
    return said(case, wrong_form or "the signature fits", "write the signature as "
      .. (case.scheme.name == "zinrelo" and "128 lower-case hex digits" or "v1,BASE64"))
  end
end

local function try_bodies(case, secret)
  local key = case.scheme.key(secret)
  for _, variant in ipairs(case.bodies) do
    if fits(case, key, case.scheme.message(case, variant.body)) then
      return said(case, variant.sentence, variant.hint)
    end
  end
end

local function try_secrets(case, secret)
  local message = case.scheme.message(case, case.body)
  for _, variant in ipairs(secrets.variants(secret, case.scheme.key(secret))) do
    if fits(case, variant.key, message) then
      return said(case, variant.sentence, variant.hint)
    end
  end
end

local function try_messages(case, secret)
  local key, wrong = case.scheme.key(secret), case.scheme.wrong_messages(case)
  for _, candidate in ipairs(wrong) do
    if fits(case, key, candidate[1]) then
      return said(case, candidate[2], wrong.message)
    end
  end
end

local function try_hash(case, secret)
  local scheme = case.scheme
  if fits(case, scheme.key(secret), scheme.message(case, case.body), scheme.other_hash) then
    return said(case, "the signature was made with HMAC-" .. scheme.other_hash_name,
      "the scheme " .. scheme.name .. " uses HMAC-" .. scheme.hash_name)
  end
end

local function try_pairs(case, secret)
  if #case.body > PAIRS_BYTES_MAX then
    return nil
  end
  for _, key in ipairs(secrets.variants(secret, case.scheme.key(secret))) do
    for _, variant in ipairs(case.bodies) do
      if fits(case, key.key, case.scheme.message(case, variant.body)) then
        return said(case, key.sentence .. "; and " .. variant.sentence, key.hint)
      end
    end
  end
end

-- A signer that asks the clock twice signs a nonce a little off the header's.
local function try_neighbours(case, secret)
  local stamp = tonumber(case.stamp)
  if not stamp or stamp > 1e14 or #case.body > NONCE_BYTES_MAX then
    return nil
  end
  local key = case.scheme.key(secret)
  for step = 1, NONCE_STEPS do
    for _, other in ipairs({ stamp - step, stamp + step }) do
      if other >= 0 and fits(case, key, case.scheme.message(case, case.body,
        ("%d"):format(other))) then
        return said(case, ("the signature was made with %d, but the header %s says %s"):format(
          other, case.scheme.stamp_header, case.stamp),
          "ask the clock once and use that value for both")
      end
    end
  end
end

local TRIES = { try_as_given, try_secrets, try_messages, try_hash, try_bodies, try_pairs,
  try_neighbours }

-- The first explanation for any of the secrets.
local function search(case)
  case.bodies = bodies.variants(case.body)
  for _, try in ipairs(TRIES) do
    for _, secret in ipairs(case.secrets) do
      local found = try(case, secret)
      if found then
        return found
      end
    end
  end
end

local function explain_mismatch(case)
  local found = search(case)
  if found then
    return found
  end
  local sentence, hint = bodies.remark(case.body, case.headers["content-length"])
  if sentence then
    return said(case, sentence, hint)
  end
  return said(case, (#case.secrets > 1 and "none of the secrets" or "the secret does not") ..
    (#case.secrets > 1 and " fits" or " fit")
    .. " the signature, nor does any usual change of the body",
    "compare the secret with the webhook's, and the body with the bytes that were sent")
end

local function explain_signature_form(case)
  local found = #case.readings > 0 and search(case)
  if found then
    return found
  end
  local scheme = case.scheme
  local text = case.headers[scheme.signature_header] or ""
  local digits = text:match("^%x+$")
  if scheme.name == "zinrelo" and digits and #digits == 64 then
    return said(case, "the signature has 64 hex digits, as SHA-256 gives",
      "sign with HMAC-SHA512, which gives 128")
  elseif scheme.name == "zinrelo" and digits and #digits < 128 then
    return said(case, ("the signature has %d hex digits instead of 128"):format(#digits),
      "it was cut off")
  end
  return said(case, ("the header %s is not a signature of the scheme %s"):format(
    scheme.signature_header, scheme.name), scheme.name == "zinrelo"
    and "it must be 128 lower-case hex digits" or "it must be v1, and base64 of 32 bytes")
end

local function explain_stamp(case)
  local sentence, hint = headers.stamp_problem(case)
  for _, secret in ipairs(case.secrets) do
    if fits(case, case.scheme.key(secret), case.scheme.message(case, case.body)) then
      return said(case, sentence .. " (the signature itself fits)", hint)
    end
  end
  return said(case, sentence, hint)
end

local EXPLAIN = {
  signature_mismatch = explain_mismatch,
  signature_malformed = explain_signature_form,
  nonce_malformed = explain_stamp,
  header_missing = function(case)
    return said(case, headers.missing(case))
  end,
  header_repeated = function(case)
    return said(case, case.message, "a proxy may have added one; each must come once")
  end,
  too_old = function(case)
    return said(case, headers.age(case))
  end,
  too_new = function(case)
    return said(case, headers.age(case))
  end,
}

local GIVEN = { scheme = "string", secret = "string", secrets = "table", body = "string",
  headers = "table", now_ms = "number", tolerance_s = "number" }

--- Verifies like signature.verify (same options) and explains a failure.
-- Returns { valid = true }, or { valid = false, code = as verify gives it,
-- sentence = what is wrong, hint = what to do }.
function diagnose.explain(given)
  given = options.check(given, GIVEN, "diagnose.explain")
  local ok, message, code = core.verify(given)
  if ok then
    return { valid = true }
  end
  local scheme = schemes[given.scheme or "zinrelo"]
  local explain = EXPLAIN[code]
  if not scheme or not explain then
    return { valid = false, code = code, sentence = message }
  end
  local case = { code = code, message = message, scheme = scheme, body = given.body,
    secrets = given.secrets or { given.secret }, given_headers = given.headers,
    headers = headers.normal(given.headers), now_ms = given.now_ms or core.now_ms(),
    tolerance_s = given.tolerance_s or core.limits.tolerance_s_default }
  case.stamp = case.headers[scheme.stamp_header] or ""
  case.readings = scheme.readings(case.headers[scheme.signature_header] or "")
  return explain(case)
end

return diagnose
