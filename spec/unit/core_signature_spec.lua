-- Signing through the binding: published vectors, and what must be refused.

local cjson = require("cjson")
local core = require("loyalhook.core")

local function vectors(name)
  local file = assert(io.open("spec/vectors/" .. name .. ".json", "rb"))
  local text = file:read("*a")
  file:close()
  return cjson.decode(text)
end

local function unhex(text)
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function body_of(vector)
  return vector.body or vector.body_repeat[1]:rep(vector.body_repeat[2])
end

-- Each change of a good table must raise and name what is wrong.
local function assert_raises(call, good, changes)
  for field, wrong in pairs(changes) do
    for _, value in ipairs(wrong) do
      local input = {}
      for name, kept in pairs(good) do input[name] = kept end
      input[field] = value
      local ok, message = pcall(call, input)
      assert.is_false(ok, field)
      assert.matches(field, message, 1, true)
    end
  end
end

describe("core.hmac", function()
  it("has RFC 4231's values", function()
    local cases = vectors("rfc4231")
    assert.are.equal(6, #cases)
    for _, case in ipairs(cases) do
      for _, hash in ipairs({ "sha256", "sha512" }) do
        assert.are.equal(case[hash], core.hmac(hash, unhex(case.key), unhex(case.data)))
      end
    end
  end)

  it("takes bytes, not text", function()
    assert.are.equal(128, #core.hmac("sha512", "\0", "\0\255\0"))
    assert.are_not.equal(core.hmac("sha512", "k", "a\0b"), core.hmac("sha512", "k", "a\0c"))
  end)

  it("refuses an empty key", function()
    local tag, message, code = core.hmac("sha512", "", "message")
    assert.is_nil(tag)
    assert.is_string(message)
    assert.are.equal("secret_invalid", code)
  end)

  it("raises for wrong arguments", function()
    assert.has_error(function() core.hmac("md5", "k", "m") end)
    assert.has_error(function() core.hmac("sha512", "k") end)
    assert.has_error(function() core.hmac("sha512", 1, "m") end)
    assert.has_error(function() core.hmac("sha512", "k", 1) end)
    assert.has_error(function() core.hmac() end)
  end)
end)

describe("core.sign, zinrelo", function()
  it("has the vectors' values", function()
    local cases = vectors("zinrelo-hmac-sha512")
    assert.is_true(#cases >= 7)
    for _, case in ipairs(cases) do
      local body = body_of(case)
      assert.are.equal(case.signature,
        core.sign({ secret = case.secret, body = body, nonce = case.nonce }), case.name)
      assert.are.equal(case.signature, core.hmac("sha512", case.secret, body .. ":" .. case.nonce))
      assert.are.equal(case.signature, core.sign({ scheme = "zinrelo", secret = case.secret,
        body = body, nonce = tonumber(case.nonce) }), case.name .. ", nonce as a number")
    end
  end)

  it("writes a large number as digits on both VMs", function()
    assert.are.equal(core.sign({ secret = "s", body = "", nonce = "1640796461000" }),
      core.sign({ secret = "s", body = "", nonce = 1640796461000 }))
    assert.are.equal(core.sign({ secret = "s", body = "", nonce = "9007199254740991" }),
      core.sign({ secret = "s", body = "", nonce = 9007199254740991 }))
  end)

  it("refuses a nonce that is not digits", function()
    for _, nonce in ipairs({ "", "-1", "1.5", "1e3", " 1", "1 ", "12a", "1\0002", ("1"):rep(21),
      1.5, -1, 2 ^ 70, 1 / 0, 0 / 0, "0x10", "１" }) do
      local signature, _, code = core.sign({ secret = "s", body = "", nonce = nonce })
      assert.is_nil(signature, tostring(nonce))
      assert.are.equal("nonce_malformed", code)
    end
  end)

  it("refuses an empty secret and an unknown scheme", function()
    local _, _, code = core.sign({ secret = "", body = "", nonce = "1" })
    assert.are.equal("secret_invalid", code)
    for _, scheme in ipairs({ "", "ZINRELO", "standard\0" }) do
      _, _, code = core.sign({ scheme = scheme, secret = "s", body = "", nonce = "1" })
      assert.are.equal("invalid", code)
    end
  end)

  it("raises for wrong types", function()
    assert_raises(core.sign, { secret = "s", body = "", nonce = "1" }, {
      secret = { 1, true, {} }, body = { 1, false, {} }, nonce = { true, {}, print },
      scheme = { 1, true },
    })
    assert.has_error(function() core.sign({ body = "", nonce = "1" }) end)
    assert.has_error(function() core.sign({ secret = "s", body = "" }) end)
    assert.has_error(function() core.sign({ secret = "s", nonce = "1" }) end)
    assert.has_error(function() core.sign("s", "", "1") end)
  end)
end)

describe("core.sign, standard", function()
  it("has the vectors' values", function()
    for _, case in ipairs(vectors("standard-webhooks")) do
      local input = { scheme = "standard", secret = case.secret, body = case.body,
        id = case["webhook-id"], timestamp = case["webhook-timestamp"] }
      assert.are.equal(case["webhook-signature"], core.sign(input))
      input.timestamp = tonumber(input.timestamp)
      assert.are.equal(case["webhook-signature"], core.sign(input))
    end
  end)

  it("refuses an id or a time that would make the message ambiguous", function()
    local function code_of(changes)
      local input = { scheme = "standard", body = "{}", id = "msg_1", timestamp = 1614265330,
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }
      for name, value in pairs(changes) do input[name] = value end
      local signature, message, code = core.sign(input)
      assert.is_nil(signature)
      assert.is_string(message)
      return code
    end
    assert.are.equal("invalid", code_of({ id = "msg.1" }))
    assert.are.equal("invalid", code_of({ id = "msg\0001" }))
    assert.are.equal("nonce_malformed", code_of({ timestamp = "1614265330000" }))
    assert.are.equal("nonce_malformed", code_of({ timestamp = "16.5" }))
    assert.are.equal("nonce_malformed", code_of({ timestamp = 1.5 }))
    for _, secret in ipairs({ "plain text secret", "whsec_", "whsec_%%%%", "" }) do
      assert.are.equal("secret_invalid", code_of({ secret = secret }))
    end
  end)
end)

describe("core.secret", function()
  it("generates secrets that both schemes take, never the same", function()
    local seen = {}
    for _ = 1, 100 do
      local secret = core.secret.generate()
      assert.matches("^whsec_[A-Za-z0-9+/]+=*$", secret)
      assert.are.equal(50, #secret)
      assert.is_nil(seen[secret])
      seen[secret] = true
      assert.is_true(core.secret.check("zinrelo", secret))
      assert.is_true(core.secret.check("standard", secret))
    end
  end)

  it("checks new secrets", function()
    local limits = core.limits
    assert.is_true(core.secret.check("zinrelo", ("s"):rep(limits.secret_min)))
    assert.is_true(core.secret.check("zinrelo", ("s"):rep(limits.secret_max)))
    for _, secret in ipairs({ "", ("s"):rep(limits.secret_min - 1),
      ("s"):rep(limits.secret_max + 1), ("s"):rep(20) .. "\255" }) do
      local ok, message, code = core.secret.check("zinrelo", secret)
      assert.is_nil(ok)
      assert.is_nil(secret ~= "" and message:find(secret, 1, true) or nil)
      assert.are.equal("secret_invalid", code)
    end
    local _, _, code = core.secret.check("standard", ("s"):rep(40))
    assert.are.equal("secret_invalid", code)
    _, _, code = core.secret.check("other", ("s"):rep(40))
    assert.are.equal("invalid", code)
    assert.has_error(function() core.secret.check("zinrelo") end)
    assert.has_error(function() core.secret.check("zinrelo", 1234567890123456) end)
  end)
end)
