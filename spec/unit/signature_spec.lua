-- Signing and verifying: shared vectors, both schemes, a code for each refusal.

local core = require("loyalhook.core")
local json = require("loyalhook.json")
local signature = require("loyalhook.signature")

local function vectors(name)
  local file = assert(io.open("spec/vectors/" .. name, "rb"))
  local list = assert(json.decode(file:read("*a")))
  file:close()
  return list
end

local SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
local NOW_MS = 1700000000000

describe("the zinrelo scheme", function()
  it("has the shared vectors' signatures", function()
    for _, vector in ipairs(vectors("zinrelo-hmac-sha512.json")) do
      local body = vector.body or vector.body_repeat[1]:rep(vector.body_repeat[2])
      assert.are.equal(vector.signature, signature.sign({ secret = vector.secret, body = body,
        nonce = vector.nonce }), vector.name)
    end
  end)

  it("verifies what it signed, with any of several secrets and any case of names", function()
    local headers = signature.headers({ secret = "second", body = "{}", nonce = NOW_MS })
    assert.are.equal("1700000000000", headers.nonce)
    assert.are.equal("application/json", headers["Content-Type"])
    local upper = {}
    for name, value in pairs(headers) do
      upper[name:upper()] = value
    end
    assert.is_true(signature.verify({ secrets = { "first", "second" }, body = "{}",
      headers = upper, now_ms = NOW_MS + 299000 }))
  end)

  it("signs now if no nonce is given", function()
    local headers = signature.headers({ secret = "s", body = "{}" })
    assert.is_truthy(headers.nonce:find("^%d%d%d%d%d%d%d%d%d%d%d%d%d$"))
    assert.is_true(signature.verify({ secret = "s", body = "{}", headers = headers }))
    local _, nonce = signature.sign({ secret = "s", body = "{}" })
    assert.is_true(math.abs(tonumber(nonce) - core.now_ms()) < 60000)
  end)

  it("gives a code for each refusal", function()
    local function code_of(changes)
      local headers = signature.headers({ secret = "s", body = "{}", nonce = NOW_MS })
      for name, value in pairs(changes.headers or {}) do
        headers[name] = value ~= "" and value or nil
      end
      local ok, message, code = signature.verify({ secrets = changes.secrets or { "s" },
        body = changes.body or "{}", headers = headers, now_ms = changes.now_ms or NOW_MS })
      assert.is_nil(ok)
      assert.are.equal("string", type(message))
      return code
    end
    assert.are.equal("signature_mismatch", code_of({ body = "{ }" }))
    assert.are.equal("signature_mismatch", code_of({ secrets = { "x" } }))
    assert.are.equal("header_missing", code_of({ headers = { nonce = "" } }))
    assert.are.equal("header_repeated", code_of({ headers = { nonce = { "1", "2" } } }))
    assert.are.equal("nonce_malformed", code_of({ headers = { nonce = "1700000000" } }))
    assert.are.equal("signature_malformed",
      code_of({ headers = { ["x-zinrelo-signature"] = "abc" } }))
    assert.are.equal("too_old", code_of({ now_ms = NOW_MS + 301000 }))
    assert.are.equal("too_new", code_of({ now_ms = NOW_MS - 301000 }))
    assert.are.equal("secret_invalid", code_of({ secrets = {} }))
  end)
end)

describe("the standard scheme", function()
  it("has the published vector's signature", function()
    for _, vector in ipairs(vectors("standard-webhooks.json")) do
      assert.are.equal(vector["webhook-signature"], signature.sign({ scheme = "standard",
        secret = vector.secret, body = vector.body, id = vector["webhook-id"],
        timestamp = vector["webhook-timestamp"] }))
    end
  end)

  it("verifies what it signed", function()
    local headers = signature.headers({ scheme = "standard", secret = SECRET, body = "{}",
      id = "61f11851bdfb9aac526d0c70" })
    assert.is_true(signature.verify({ scheme = "standard", secret = SECRET, body = "{}",
      headers = headers }))
    assert.are.equal("signature_mismatch", select(3, signature.verify({ scheme = "standard",
      secret = SECRET, body = "{ }", headers = headers })))
  end)
end)

describe("signature functions", function()
  it("raise for misspelt options and pass refusals through", function()
    assert.has_error(function()
      signature.sign({ secret = "s", body = "", nonec = "1" })
    end)
    assert.has_error(function()
      signature.verify({ secrt = "s" })
    end)
    local text, _, code = signature.sign({ secret = "s", body = "", nonce = "x" })
    assert.is_nil(text)
    assert.are.equal("nonce_malformed", code)
    local headers, _, same_code = signature.headers({ secret = "s", body = "", nonce = "x" })
    assert.is_nil(headers)
    assert.are.equal("nonce_malformed", same_code)
  end)

  it("prepare keys once for a server", function()
    local verifier = assert(signature.verifier({ secrets = { "s" }, tolerance_s = 10 }))
    local headers = signature.headers({ secret = "s", body = "{}", nonce = NOW_MS })
    assert.is_true(verifier:verify("{}", headers, NOW_MS))
    assert.are.equal("too_old", select(3, verifier:verify("{}", headers, NOW_MS + 11000)))
  end)
end)
