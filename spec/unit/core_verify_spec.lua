-- Verification through the binding: each refusal by its code, headers as web servers show them,
-- and the object with prepared keys.

local core = require("loyalhook.core")

local SECRET = "whsec-test"
local NOW_MS = 1640796461000
local NONCE = "1640796461000"
local BODY = '{"request_id":"61f11851bdfb9aac526d0c70"}'

local function signed(changes)
  local input = { secret = SECRET, body = BODY, now_ms = NOW_MS, headers = {
    nonce = NONCE,
    ["x-zinrelo-signature"] = core.sign({ secret = SECRET, body = BODY, nonce = NONCE }),
  } }
  for name, value in pairs(changes or {}) do input[name] = value end
  return input
end

local function with_headers(changes)
  local input = signed()
  for name, value in pairs(changes) do input.headers[name] = value or nil end
  return input
end

local function assert_refused(wanted, input)
  local ok, message, code = core.verify(input)
  assert.is_nil(ok)
  assert.is_string(message)
  assert.is_nil(message:find("\n", 1, true))
  assert.is_nil(message:find(SECRET, 1, true))
  assert.are.equal(wanted, code)
end

describe("core.verify, zinrelo", function()
  it("accepts what was signed", function()
    assert.is_true(core.verify(signed()))
    assert.is_true(core.verify(signed({ scheme = "zinrelo", tolerance_s = 0 })))
  end)

  it("finds headers in any case, with white space around values", function()
    local signature = signed().headers["x-zinrelo-signature"]
    assert.is_true(core.verify(signed({ headers = { NONCE = "  " .. NONCE .. "\t",
      ["X-Zinrelo-Signature"] = signature .. " ", ["content-type"] = "application/json",
      ["x-other"] = { "a", "b" }, [1] = true, [true] = 1 } })))
  end)

  it("refuses a missing header", function()
    assert_refused("header_missing", with_headers({ nonce = false }))
    assert_refused("header_missing", with_headers({ ["x-zinrelo-signature"] = false }))
    assert_refused("header_missing", signed({ headers = {} }))
  end)

  it("refuses a repeated header", function()
    assert_refused("header_repeated", with_headers({ nonce = { NONCE, NONCE } }))
    assert_refused("header_repeated", with_headers({ nonce = { NONCE } }))
    assert_refused("header_repeated", with_headers({ Nonce = NONCE }))
    assert_refused("header_repeated", with_headers({ ["x-zinrelo-signature"] = {} }))
    assert_refused("header_repeated", with_headers({ ["X-ZINRELO-SIGNATURE"] = "00" }))
  end)

  it("refuses a nonce that is not exactly 13 digits", function()
    for _, nonce in ipairs({ "", "164079646100", "16407964610000", "164079646100a",
      "-640796461000", "+640796461000", "1640796461.00", "1640796461000, 1640796461000",
      "1640796461000:1", "164079646100\0", "1640796 61000", "１640796461000" }) do
      assert_refused("nonce_malformed", with_headers({ nonce = nonce }))
    end
  end)

  it("refuses a signature that is not 128 lower-case hex digits", function()
    local good = signed().headers["x-zinrelo-signature"]
    for _, bad in ipairs({ "", good:sub(2), good .. "0", good:upper(), "z" .. good:sub(2),
      good:sub(1, 64), "sha512=" .. good, good .. "\0", good .. "," .. good }) do
      assert_refused("signature_malformed", with_headers({ ["x-zinrelo-signature"] = bad }))
    end
  end)

  it("refuses another body, secret or signature", function()
    assert_refused("signature_mismatch", signed({ body = BODY .. "\n" }))
    assert_refused("signature_mismatch", signed({ body = "" }))
    assert_refused("signature_mismatch", signed({ secret = "whsec-tesT" }))
    assert_refused("signature_mismatch", with_headers({ ["x-zinrelo-signature"] = ("0"):rep(128) }))
    assert_refused("signature_mismatch", with_headers({ nonce = "1640796461001" }))
  end)

  it("refuses any digit changed in the signature", function()
    local good = signed().headers["x-zinrelo-signature"]
    for at = 1, 128 do
      local digit = ("%x"):format((tonumber(good:sub(at, at), 16) + 1) % 16)
      local bad = good:sub(1, at - 1) .. digit .. good:sub(at + 1)
      assert_refused("signature_mismatch", with_headers({ ["x-zinrelo-signature"] = bad }))
    end
  end)

  it("refuses a nonce outside the tolerance in both directions", function()
    assert.is_true(core.verify(signed({ now_ms = NOW_MS + 300000 })))
    assert_refused("too_old", signed({ now_ms = NOW_MS + 300001 }))
    assert.is_true(core.verify(signed({ now_ms = NOW_MS - 300000 })))
    assert_refused("too_new", signed({ now_ms = NOW_MS - 300001 }))
    assert_refused("too_old", signed({ now_ms = NOW_MS + 10001, tolerance_s = 10 }))
    assert.is_true(core.verify(signed({ now_ms = NOW_MS + 10 ^ 12, tolerance_s = -1 })))
  end)

  it("takes the system's time if none is given", function()
    local input = signed()
    input.now_ms = nil
    assert_refused("too_old", input)
    local nonce = ("%d"):format(core.now_ms())
    assert.is_true(core.verify({ secret = SECRET, body = "", headers = { nonce = nonce,
      ["x-zinrelo-signature"] = core.sign({ secret = SECRET, body = "", nonce = nonce }) } }))
  end)

  it("checks the MAC before the age, so that a stranger learns nothing of the clock", function()
    assert_refused("signature_mismatch", signed({ body = "x", now_ms = NOW_MS + 10 ^ 9 }))
  end)

  it("takes any one of several secrets", function()
    local input = signed({ secrets = { "one", "two", SECRET } })
    input.secret = nil
    assert.is_true(core.verify(input))
    input.secrets = { "one", "two" }
    assert_refused("signature_mismatch", input)
    input.secrets = {}
    assert_refused("secret_invalid", input)
    input.secrets = { SECRET, "" }
    assert_refused("secret_invalid", input)
    for at = 1, core.limits.secrets_max + 1 do input.secrets[at] = SECRET end
    assert_refused("limit", input)
  end)

  it("refuses every other split of body:nonce", function()
    local message = '{"a":1}:1640796460999:1640796461000'
    local tag = core.hmac("sha512", SECRET, message)
    local accepted = 0
    for at in message:gmatch("():") do
      local input = { secret = SECRET, body = message:sub(1, at - 1), now_ms = NOW_MS,
        headers = { nonce = message:sub(at + 1), ["x-zinrelo-signature"] = tag } }
      local ok, _, code = core.verify(input)
      if ok then
        accepted = accepted + 1
        assert.are.equal('{"a":1}:1640796460999', input.body)
      else
        assert.are.equal("nonce_malformed", code)
      end
    end
    assert.are.equal(1, accepted)
    for at = 1, #message do -- where there is no colon
      local input = { secret = SECRET, body = message:sub(1, at), now_ms = NOW_MS,
        headers = { nonce = message:sub(at + 1), ["x-zinrelo-signature"] = tag } }
      assert.is_nil((core.verify(input)))
    end
  end)

  it("raises for wrong types", function()
    for name, values in pairs({ body = { 1, true, {} }, headers = { 1, "nonce: 1" },
      secret = { 1, {} }, now_ms = { "1", {} }, tolerance_s = { "300", false } }) do
      for _, value in ipairs(values) do
        local ok, message = pcall(core.verify, signed({ [name] = value }))
        assert.is_false(ok)
        assert.matches(name, message, 1, true)
      end
    end
    assert.has_error(function() core.verify(with_headers({ nonce = 1640796461000 })) end)
    assert.has_error(function() core.verify(signed({ secrets = { SECRET } })) end)
    assert.has_error(function() core.verify({ body = "", headers = {} }) end)
    assert.has_error(function() core.verify({ secrets = { 1 }, body = "", headers = {} }) end)
    assert.has_error(function() core.verify({ secret = SECRET, headers = {} }) end)
    assert.has_error(function() core.verify({ secret = SECRET, body = "" }) end)
    assert.has_error(function() core.verify() end)
  end)

  it("refuses numbers that are no time", function()
    for _, number in ipairs({ 1.5, -1, 2 ^ 63, 1 / 0, 0 / 0 }) do
      assert_refused("invalid", signed({ now_ms = number }))
    end
    for _, number in ipairs({ 1.5, -2, 10 ^ 12, 0 / 0 }) do
      assert_refused("invalid", signed({ tolerance_s = number }))
    end
  end)
end)

describe("core.verify, standard", function()
  local secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
  local other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

  local function message(changes)
    local input = { scheme = "standard", secrets = { secret }, body = "{}", now_ms = 1614265330000,
      headers = { ["webhook-id"] = "msg_1", ["webhook-timestamp"] = "1614265330",
        ["webhook-signature"] = core.sign({ scheme = "standard", secret = secret, body = "{}",
          id = "msg_1", timestamp = 1614265330 }) } }
    for name, value in pairs(changes or {}) do input.headers[name] = value or nil end
    return input
  end

  it("accepts one good signature among several", function()
    assert.is_true(core.verify(message()))
    local good = message().headers["webhook-signature"]
    local wrong = core.sign({ scheme = "standard", secret = other, body = "{}", id = "msg_1",
      timestamp = 1614265330 })
    assert.is_true(core.verify(message({ ["webhook-signature"] = wrong .. " " .. good })))
    assert.is_true(core.verify(message({ ["webhook-signature"] = good .. " v1a,abc" })))
    assert_refused("signature_mismatch", message({ ["webhook-signature"] = wrong }))
  end)

  it("refuses missing, repeated and malformed headers", function()
    for _, name in ipairs({ "webhook-id", "webhook-timestamp", "webhook-signature" }) do
      assert_refused("header_missing", message({ [name] = false }))
      assert_refused("header_repeated", message({ [name] = { "a", "b" } }))
      assert_refused("header_repeated", message({ [name:upper()] = "a" }))
    end
    assert_refused("nonce_malformed", message({ ["webhook-timestamp"] = "1614265330000" }))
    assert_refused("nonce_malformed", message({ ["webhook-timestamp"] = "x" }))
    assert_refused("signature_malformed", message({ ["webhook-signature"] = "" }))
    assert_refused("signature_mismatch", message({ ["webhook-id"] = "msg_2" }))
  end)

  it("refuses a secret of another form", function()
    local input = message()
    input.secrets = { "plain text, not base64" }
    assert_refused("secret_invalid", input)
  end)
end)

describe("core.verifier", function()
  it("verifies with prepared keys", function()
    local input = signed()
    local verifier = assert(core.verifier({ secrets = { "old", SECRET }, tolerance_s = 10 }))
    for _ = 1, 3 do
      assert.is_true(verifier:verify(BODY, input.headers, NOW_MS))
    end
    local ok, _, code = verifier:verify(BODY .. " ", input.headers, NOW_MS)
    assert.is_nil(ok)
    assert.are.equal("signature_mismatch", code)
    assert.are.equal("too_old", select(3, verifier:verify(BODY, input.headers, NOW_MS + 10001)))
    assert.are.equal("too_old", select(3, verifier:verify(BODY, input.headers)))
    assert.are.equal("header_repeated", select(3, verifier:verify(BODY, { nonce = {} }, NOW_MS)))
  end)

  it("cannot be made without a secret that can be used", function()
    for wanted, options in pairs({ secret_invalid = { secrets = {} },
      invalid = { secret = SECRET, scheme = "hmac" } }) do
      local verifier, message, code = core.verifier(options)
      assert.is_nil(verifier)
      assert.is_string(message)
      assert.are.equal(wanted, code)
    end
    assert.are.equal("secret_invalid", select(3, core.verifier({ secrets = { SECRET, "" } })))
    assert.are.equal("secret_invalid",
      select(3, core.verifier({ scheme = "standard", secret = SECRET })))
    assert.has_error(function() core.verifier() end)
    assert.has_error(function() core.verifier({}) end)
  end)

  it("answers after close that it is closed, and closes twice without harm", function()
    local verifier = assert(core.verifier({ secret = SECRET }))
    assert.are.equal("loyalhook.verifier (zinrelo)", tostring(verifier))
    verifier:close()
    verifier:close()
    local ok, message, code = verifier:verify(BODY, {})
    assert.is_nil(ok)
    assert.are.equal("verifier is closed", message)
    assert.are.equal("closed", code)
    assert.are.equal("loyalhook.verifier (zinrelo, closed)", tostring(verifier))
  end)

  it("raises for wrong types and other objects", function()
    local verifier = assert(core.verifier({ secret = SECRET }))
    assert.has_error(function() verifier.verify() end)
    assert.has_error(function() verifier.verify({}, BODY, {}) end)
    assert.has_error(function() verifier.verify(io.stdout, BODY, {}) end)
    assert.has_error(function() verifier:verify(1, {}) end)
    assert.has_error(function() verifier:verify(BODY) end)
    assert.has_error(function() verifier:verify(BODY, {}, "now") end)
    assert.has_error(function() verifier:verify(BODY, {}, 1.5) end)
    assert.is_false(getmetatable(verifier))
  end)

  it("survives collection while others are in use", function()
    local headers = signed().headers
    local kept = assert(core.verifier({ secret = SECRET }))
    for _ = 1, 200 do
      assert(core.verifier({ secrets = { "a", "b", "c" } }))
      collectgarbage()
      assert.is_true(kept:verify(BODY, headers, NOW_MS))
    end
  end)
end)
