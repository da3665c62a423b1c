-- Each usual mistake of a receiver or signer, made on purpose, must be named.

local base64 = require("loyalhook.base64")
local core = require("loyalhook.core")
local diagnose = require("loyalhook.diagnose")
local signature = require("loyalhook.signature")

local SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
local NONCE = "1700000000000"
local NOW_MS = 1700000000000
local BODY = '{"request_id":"61f11851bdfb9aac526d0c70","total_count":"1","created_date":'
  .. '"12/29/2021 16:47:41","events":[{"id":"61f1dfbd0c709aac1851b526","event_type":'
  .. '"event_points_earned","data":{"url":"https://example.com/é","member_info":{"id":"1"}}}]}'

local function from_hex(hex)
  return (hex:gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

-- Explains a request that was signed with `signed` and arrived with `arrived`.
local function explain(signed, arrived)
  local body, nonce = signed.body or BODY, signed.nonce or NONCE
  local hex = core.hmac(signed.hash or "sha512", signed.key or SECRET,
    signed.message or body .. ":" .. nonce)
  local headers = { nonce = NONCE, ["x-zinrelo-signature"] = hex }
  for name, value in pairs(arrived.headers or {}) do
    headers[name] = value
  end
  for _, name in ipairs(arrived.without or {}) do
    headers[name] = nil
  end
  if arrived.write then
    headers["x-zinrelo-signature"] = arrived.write(hex)
  end
  return diagnose.explain({ secrets = arrived.secrets or { SECRET }, body = arrived.body or body,
    headers = headers, now_ms = arrived.now_ms or NOW_MS })
end

-- The code and a part of the sentence that an explanation must have.
local function expect(code, words, result)
  assert.is_false(result.valid)
  assert.are.equal(code, result.code)
  assert.is_truthy(result.sentence:find(words, 1, true),
    ("%q lacks %q"):format(result.sentence, words))
  assert.are.equal("string", type(result.hint))
end

describe("diagnose: nothing wrong", function()
  it("says so", function()
    assert.are.same({ valid = true }, explain({}, {}))
  end)
end)

describe("diagnose: the body", function()
  local function arrived(body)
    return explain({}, { body = body })
  end

  it("was changed at its end", function()
    expect("signature_mismatch", "has a newline at its end that was not signed",
      arrived(BODY .. "\n"))
    expect("signature_mismatch", "has a newline at its end that was not signed",
      arrived(BODY .. "\r\n"))
    expect("signature_mismatch", "signed had a newline at its end",
      explain({ body = BODY .. "\n" }, { body = BODY }))
  end)

  it("has other line ends", function()
    local lines = BODY:gsub(",", ",\n")
    expect("signature_mismatch", "from LF to CR LF",
      explain({ body = lines }, { body = (lines:gsub("\n", "\r\n")) }))
    expect("signature_mismatch", "from CR LF to LF",
      explain({ body = (lines:gsub("\n", "\r\n")) }, { body = lines }))
  end)

  it("got or lost a byte-order mark", function()
    expect("signature_mismatch", "starts with a byte-order mark", arrived("\239\187\191" .. BODY))
    expect("signature_mismatch", "byte-order mark at the start of the body was removed",
      explain({ body = "\239\187\191" .. BODY }, { body = BODY }))
  end)

  it("was parsed and written again", function()
    local spaced = '{"a": [1, "x: y, z"], "b": 2}'
    expect("signature_mismatch", "written again before verifying: white space was added",
      explain({ body = '{"a":[1,"x: y, z"],"b":2}' }, { body = spaced }))
    expect("signature_mismatch", "white space was added",
      explain({ body = '{"a":[1,"x: y, z"],"b":2}' },
        { body = '{\n  "a": [\n    1,\n    "x: y, z"\n  ],\n  "b": 2\n}' }))
    expect("signature_mismatch", "white space was removed",
      explain({ body = spaced }, { body = '{"a":[1,"x: y, z"],"b":2}' }))
    expect("signature_mismatch", "slashes were escaped", arrived((BODY:gsub("/", "\\/"))))
    expect("signature_mismatch", "slashes were unescaped",
      explain({ body = (BODY:gsub("/", "\\/")) }, { body = BODY }))
    expect("signature_mismatch", "non-ASCII characters were escaped",
      arrived((BODY:gsub("é", "\\u00e9"))))
    expect("signature_mismatch", "escaped characters were written out",
      explain({ body = (BODY:gsub("é", "\\u00e9")) }, { body = BODY }))
    expect("signature_mismatch", "non-ASCII characters were escaped",
      explain({ body = '{"a":"😀\\\\u0041\\n\\u0001"}' },
        { body = '{"a":"\\ud83d\\ude00\\\\u0041\\n\\u0001"}' }))
    expect("signature_mismatch", "white space was added, slashes were escaped, non-ASCII",
      explain({ body = '{"a":"/é","b":1}' }, { body = '{"a": "\\/\\u00e9", "b": 1}' }))
  end)

  it("was parsed and written again, and its data had white space of its own", function()
    local sent = BODY:gsub('"data":{"url":', '"data":{ "url":  ')
    assert.are.same({ valid = true }, explain({ body = sent }, {}))
    local SPREAD = "white space around its keys, where none is sent: it was parsed and written"
    local spread = BODY:gsub('",', '", '):gsub('":', '": '):gsub("https: ", "https:")
    expect("signature_mismatch", SPREAD, explain({ body = sent }, { body = spread }))
    expect("signature_mismatch", SPREAD,
      explain({ body = sent }, { body = (spread:gsub("{", "{\n  ")) }))
    expect("signature_mismatch", SPREAD,
      explain({ body = sent }, { body = (BODY:gsub('"data":', '"data" :')) }))
    for _, other in ipairs({ (BODY:gsub('("id":"%x+"),("event_type":"[^"]+")', "%2,%1")),
      (BODY:gsub('"total_count":"1"', '"total_count":1')) }) do
      expect("signature_mismatch", "does not begin as it is sent",
        explain({ body = sent }, { body = other }))
    end
    expect("signature_mismatch", "the secret does not fit",
      explain({ body = sent }, { body = BODY }))
    expect("signature_mismatch", "the secret does not fit",
      explain({ body = '{"x": 1}' }, { body = '{"x": 2}' }))
  end)

  it("was encoded twice", function()
    expect("signature_mismatch", "read as Latin-1",
      arrived((BODY:gsub("é", "\195\131\194\169"))))
    expect("signature_mismatch", "encoded twice", arrived('"' .. BODY:gsub('"', '\\"') .. '"'))
  end)

  it("is gone, cut off or in another order of keys", function()
    expect("signature_mismatch", "the body is empty", arrived(""))
    expect("signature_mismatch", "not JSON", arrived(BODY:sub(1, 80)))
    expect("signature_mismatch", "but its Content-Length says",
      explain({}, { body = BODY:sub(1, 80), headers = { ["Content-Length"] = tostring(#BODY) } }))
    expect("signature_mismatch", "not in the order in which they are sent",
      arrived('{"created_date":"x","events":[],"request_id":"x","total_count":"0"}'))
  end)
end)

describe("diagnose: the secret", function()
  it("is another one", function()
    expect("signature_mismatch", "the secret does not fit", explain({ key = "other" }, {}))
    expect("signature_mismatch", "none of the secrets fits",
      explain({ key = "other" }, { secrets = { SECRET, "third" } }))
  end)

  it("is held in another form", function()
    local plain = SECRET:sub(7)
    expect("signature_mismatch", "base64-decoded", explain({ key = base64.decode(plain) }, {}))
    expect("signature_mismatch", "left out the prefix", explain({ key = plain }, {}))
    expect("signature_mismatch", "lacks its prefix", explain({}, { secrets = { plain } }))
    expect("signature_mismatch", "newline at its end", explain({ key = SECRET .. "\n" }, {}))
    expect("signature_mismatch", "white space around it",
      explain({}, { secrets = { SECRET .. "\n" } }))
    expect("signature_mismatch", "quotes around it",
      explain({}, { secrets = { '"' .. SECRET .. '"' } }))
    expect("signature_mismatch", "hex-decoded",
      explain({ key = "\1\2\3\4" }, { secrets = { "01020304" } }))
  end)

  it("and the body can be wrong together", function()
    expect("signature_mismatch", "newline at its end; and the body",
      explain({ key = SECRET .. "\n" }, { body = BODY .. "\n" }))
  end)

  it("never appears in an explanation", function()
    for _, result in ipairs({ explain({ key = "other" }, {}), explain({ key = SECRET .. "\n" }, {}),
      explain({}, { secrets = { SECRET:sub(7) } }) }) do
      assert.is_nil((result.sentence .. result.hint):find("MfKQ9r8GK", 1, true))
    end
  end)
end)

describe("diagnose: the signature", function()
  it("was made over another message", function()
    for message, words in pairs({ [BODY .. ":1700000000"] = "nonce in seconds",
      [BODY] = "over the body alone", [BODY .. NONCE] = "without the colon",
      [NONCE .. ":" .. BODY] = "nonce:body", [BODY .. "." .. NONCE] = "with a dot" }) do
      expect("signature_mismatch", words, explain({ message = message }, {}))
    end
  end)

  it("was made with a nonce a little off the header's", function()
    expect("signature_mismatch", "made with 1700000000007, but the header nonce says 1700000000000",
      explain({ nonce = "1700000000007" }, {}))
  end)

  it("is written in another way", function()
    expect("signature_malformed", "upper-case hex", explain({}, { write = string.upper }))
    expect("signature_malformed", "in base64", explain({}, { write = function(hex)
      return base64.encode(from_hex(hex))
    end }))
    expect("signature_malformed", "prefix", explain({}, { write = function(hex)
      return "sha512=" .. hex
    end }))
    expect("signature_malformed", "100 hex digits instead of 128",
      explain({}, { write = function(hex)
        return hex:sub(1, 100)
      end }))
    expect("signature_malformed", "not a signature", explain({}, { write = function()
      return "hello!"
    end }))
  end)

  it("was made with SHA-256", function()
    expect("signature_malformed", "made with HMAC-SHA256", explain({ hash = "sha256" }, {}))
    expect("signature_malformed", "64 hex digits",
      explain({ hash = "sha256", key = "other" }, {}))
  end)
end)

describe("diagnose: the headers", function()
  it("lack one", function()
    expect("header_missing", "the header nonce is missing", explain({}, { without = { "nonce" } }))
    expect("header_missing", "x-zinrelo-signature is missing",
      explain({}, { without = { "x-zinrelo-signature" } }))
    local result = explain({}, { without = { "x-zinrelo-signature" },
      headers = { HTTP_X_ZINRELO_SIGNATURE = "ab" } })
    assert.is_truthy(result.hint:find("it is there as HTTP_X_ZINRELO_SIGNATURE", 1, true))
    result = explain({}, { without = { "x-zinrelo-signature" },
      headers = { ["Webhook-Signature"] = "v1,x" } })
    assert.is_truthy(result.hint:find("scheme standard", 1, true))
  end)

  it("come twice", function()
    expect("header_repeated", "given more than once", explain({}, { headers = { Nonce = NONCE } }))
  end)

  it("have a nonce in another unit, and the signature may fit all the same", function()
    expect("nonce_malformed", "is in seconds; it must be milliseconds (the signature itself fits)",
      explain({ nonce = "1700000000" }, { headers = { nonce = "1700000000" } }))
    expect("nonce_malformed", "is in seconds", explain({ key = "other" },
      { headers = { nonce = "1700000000" } }))
    expect("nonce_malformed", "microseconds", explain({}, { headers = { nonce = NONCE .. "000" } }))
    expect("nonce_malformed", "decimal point",
      explain({}, { headers = { nonce = "1700000000.123" } }))
    expect("nonce_malformed", "is not a time", explain({}, { headers = { nonce = "yesterday" } }))
  end)

  it("show a request too old or too new, and by how much", function()
    expect("too_old", "12 min 3 s old; the tolerance is 5 min",
      explain({}, { now_ms = NOW_MS + 723000 }))
    expect("too_new", "6 min 40 s ahead of this clock", explain({}, { now_ms = NOW_MS - 400000 }))
    local zone = explain({}, { now_ms = NOW_MS + 5.5 * 3600000 })
    assert.is_truthy(zone.hint:find("local time instead of UTC", 1, true))
  end)
end)

describe("diagnose: the standard scheme", function()
  local function standard(arrived)
    local headers = signature.headers({ scheme = "standard", secret = SECRET, body = BODY,
      id = "msg_1", timestamp = 1700000000 })
    for name, value in pairs(arrived.headers or {}) do
      headers[name] = value
    end
    return diagnose.explain({ scheme = "standard", secret = SECRET, now_ms = NOW_MS,
      body = arrived.body or BODY, headers = headers })
  end

  it("is explained too", function()
    assert.is_true(standard({}).valid)
    expect("signature_mismatch", "newline", standard({ body = BODY .. "\n" }))
    expect("nonce_malformed", "is in milliseconds",
      standard({ headers = { ["webhook-timestamp"] = NONCE } }))
    expect("signature_mismatch", "used the secret's text", standard({ headers = {
      ["webhook-signature"] = "v1," .. base64.encode(from_hex(core.hmac("sha256", SECRET,
        "msg_1.1700000000." .. BODY))) } }))
    expect("signature_malformed", "lacks the prefix v1,", standard({ headers = {
      ["webhook-signature"] = base64.encode(from_hex(core.hmac("sha256",
        base64.decode(SECRET:sub(7)), "msg_1.1700000000." .. BODY))) } }))
  end)
end)

describe("diagnose: limits", function()
  it("answers for a large body", function()
    local large = '{"a":"' .. ("x/é "):rep(100000) .. '"}'
    expect("signature_mismatch", "does not fit", explain({ body = large, key = "other" },
      { body = large }))
  end)

  it("hands other refusals on as they are", function()
    local result = diagnose.explain({ secrets = {}, body = "", headers = {} })
    assert.are.equal("secret_invalid", result.code)
  end)
end)
