-- The receiver: who comes through the gate and with which answer, what strangers learn, what the
-- log says. What the inbox does is the store's own spec.

local core = require("loyalhook.core")
local json = require("loyalhook.json")
local loyalhook = require("loyalhook")
local receiver = require("loyalhook.receiver")
local sources = require("loyalhook.receiver.sources")

local NOW_MS = 1795421624874
local SECRET = "a secret for tests"
local STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
local BODY = '{"request_id":"61f1","total_count":"1","events":[{"id":"e1","event_type":'
  .. '"event_points_earned","data":{"ts":1999999999999,"note":"a:b"}}]}'

-- A store that takes everything, or answers as it is told to.
local function fake_store()
  return { calls = {}, inbox_accept = function(self, entries, now_ms)
    self.calls[#self.calls + 1] = { entries = entries, now_ms = now_ms }
    if self.failure then
      return nil, self.failure, self.code
    end
    local results = {}
    for index = 1, #entries do
      results[index] = self.result or { events = 1, added = 1, duplicates = 0 }
    end
    return results
  end, close = function() end }
end

local folder, lines, now_ms

local function open(given)
  local options = { store = "sqlite:" .. folder .. "/s.db", create = true,
    sources = { zinrelo = { secrets = { SECRET } },
      rotating = { secrets = { "an older secret", "the newer secret" } },
      strict = { secrets = { SECRET }, tolerance_s = 10 },
      hooks = { secrets = { STANDARD }, scheme = "standard" } },
    now_ms = function() return now_ms end,
    log = function(level, message, fields)
      lines[#lines + 1] = { level = level, message = message, fields = fields }
    end }
  for name, value in pairs(given or {}) do
    options[name] = value
  end
  return receiver.open(options)
end

local function opened(given)
  local made = assert(open(given))
  made._store:close()
  made._store = fake_store()
  return made, made._store
end

local function signed(changes)
  local what = { secret = SECRET, body = BODY, nonce = NOW_MS }
  for name, value in pairs(changes or {}) do
    what[name] = value
  end
  local headers = assert(loyalhook.signature.headers(what))
  return headers, what.body
end

local function code_of(body)
  return assert(json.decode(body)).error.code
end

describe("a receiver", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    lines, now_ms = {}, NOW_MS
  end)

  after_each(function()
    os.execute("rm -rf " .. folder)
  end)

  it("takes a signed request and says what became of it", function()
    local made, store = opened()
    local headers, body = signed()
    local status, answer = made:accept("zinrelo", headers, body)
    assert.are.same({ 200, '{"events":1,"added":1}' }, { status, answer })
    assert.are.same({ { source = "zinrelo", body = body, scheme = "zinrelo" } },
      store.calls[1].entries)
    assert.are.equal(NOW_MS, store.calls[1].now_ms)
    assert.are.equal(0, #lines)
  end)

  it("takes any of several secrets, and each source its own scheme", function()
    local made, store = opened()
    for _, secret in ipairs({ "an older secret", "the newer secret" }) do
      assert.are.equal(200, (made:accept("rotating", signed({ secret = secret }), BODY)))
    end
    assert.are.equal(401, (made:accept("rotating", signed(), BODY)))
    local headers = signed({ scheme = "standard", secret = STANDARD, id = "msg_1",
      timestamp = math.floor(NOW_MS / 1000) })
    headers["webhook-id"] = " msg_1\t"
    assert.are.equal(200, (made:accept("hooks", headers, BODY)))
    assert.are.equal("msg_1", store.calls[3].entries[1].id)
    assert.are.equal(401, (made:accept("zinrelo", headers, BODY)))
    assert.are.equal(401, (made:accept("hooks", signed(), BODY)))
  end)

  it("takes names in any case, and white space around values", function()
    local made = opened()
    local headers = signed()
    assert.are.equal(200, (made:accept("zinrelo", { NoNCE = " " .. headers.nonce .. "\t",
      ["X-ZINRELO-Signature"] = headers["x-zinrelo-signature"], accept = { "a", "b" } }, BODY)))
    headers.nonce = "\ta" .. (" "):rep(1000000) .. "b\t" -- each byte is looked at once
    assert.are.equal(401, (made:accept("zinrelo", headers, BODY)))
  end)

  it("refuses every split of body:nonce at a colon", function()
    local made, store = opened()
    local headers = signed()
    local whole, splits = BODY .. ":" .. headers.nonce, 0
    for at in whole:gmatch("():") do
      local nonce = whole:sub(at + 1)
      if nonce ~= headers.nonce then
        splits = splits + 1
        assert.are.equal(401, (made:accept("zinrelo", { nonce = nonce,
          ["x-zinrelo-signature"] = headers["x-zinrelo-signature"] }, whole:sub(1, at - 1))))
      end
    end
    assert.is_true(splits > 5)
    assert.are.equal(0, #store.calls)
  end)

  it("refuses variants of nonce and signature", function()
    local made, store = opened()
    local good = signed()
    local hex = good["x-zinrelo-signature"]
    local nonces = { "", "0", good.nonce .. "0", good.nonce:sub(1, 12), "-" .. good.nonce,
      "+" .. good.nonce:sub(2), "0x" .. good.nonce:sub(3), good.nonce .. "\0",
      good.nonce .. " " .. good.nonce, good.nonce .. ".0", good.nonce:sub(1, 11) .. "e1",
      "\217\161" .. good.nonce:sub(3), good.nonce .. ",", good.nonce .. "\n" }
    for _, nonce in ipairs(nonces) do
      assert.are.equal(401, (made:accept("zinrelo", { nonce = nonce,
        ["x-zinrelo-signature"] = hex }, BODY)), nonce)
    end
    local signatures = { "", hex:upper(), hex:sub(1, 127), hex .. "0", "sha512=" .. hex,
      hex:sub(1, 126) .. "zz", ("0"):rep(128), hex .. "," .. hex, "v1," .. hex, "v1,", "=" }
    for _, text in ipairs(signatures) do
      assert.are.equal(401, (made:accept("zinrelo", { nonce = good.nonce,
        ["x-zinrelo-signature"] = text }, BODY)), text)
    end
    assert.are.equal(0, #store.calls)
  end)

  it("passes over what is no name of a header", function()
    local made = opened()
    local headers = signed()
    headers[1], headers[2.5], headers[true] = "nonce: 1", "x", "y"
    assert.are.equal(200, (made:accept("zinrelo", headers, BODY)))
  end)

  it("refuses headers that are missing, repeated, or spelt with underscores", function()
    local made = opened()
    local good = signed()
    local nonce, hex = good.nonce, good["x-zinrelo-signature"]
    for _, headers in ipairs({ {}, { nonce = nonce }, { ["x-zinrelo-signature"] = hex },
      { nonce = { nonce, nonce }, ["x-zinrelo-signature"] = hex },
      { nonce = nonce, Nonce = nonce, ["x-zinrelo-signature"] = hex },
      { nonce = nonce, ["x-zinrelo-signature"] = { hex } },
      { nonce = nonce, x_zinrelo_signature = hex },
      { nonce = tonumber(nonce), ["x-zinrelo-signature"] = hex },
      { nonce = nonce, ["x-zinrelo-signature"] = true },
      setmetatable({ nonce = nonce }, { __index = { ["x-zinrelo-signature"] = hex } }) }) do
      assert.are.equal(401, (made:accept("zinrelo", headers, BODY)))
    end
  end)

  it("keeps to the tolerance, in both directions", function()
    local made = opened()
    for source, tolerance_ms in pairs({ zinrelo = 300000, strict = 10000 }) do
      local headers = signed()
      for _, sign in ipairs({ 1, -1 }) do
        now_ms = NOW_MS + sign * tolerance_ms
        assert.are.equal(200, (made:accept(source, headers, BODY)))
        now_ms = now_ms + sign
        local status, answer = made:accept(source, headers, BODY)
        assert.are.same({ 401, sign == 1 and "too_old" or "too_new" },
          { status, code_of(answer) })
      end
    end
  end)

  it("tells strangers one thing only", function()
    local made = opened()
    local headers = signed()
    local _, mismatch = made:accept("zinrelo", headers, BODY .. " ")
    local seen = {}
    for _, given in ipairs({ { "zinrelo", {} }, { "nobody", headers }, { "nobody", {} },
      { "", headers }, { "hooks", headers }, { ("x"):rep(10000), headers },
      { "zinrelo", { nonce = "1", ["x-zinrelo-signature"] = "2" } } }) do
      local status, answer = made:accept(given[1], given[2], BODY)
      assert.are.equal(401, status)
      seen[answer] = true
    end
    assert.are.same({ [mismatch] = true }, seen)
    assert.are.equal("unauthorized", code_of(mismatch))
    assert.is_nil(mismatch:find("x-zinrelo", 1, true))
  end)

  it("refuses by size before it looks at anything else", function()
    local made, store = opened({ body_bytes_max = 100 })
    assert.are.equal(413, (made:accept("nobody", {}, ("x"):rep(101))))
    local headers, body = signed({ body = ("x"):rep(100) })
    assert.are.equal(200, (made:accept("zinrelo", headers, body)))
    assert.are.equal(1, #store.calls)
  end)

  it("takes no encoding but identity", function()
    local made, store = opened()
    local headers = signed()
    for _, encoding in ipairs({ "gzip", "identity, gzip", "deflate", { "identity", "gzip" } }) do
      headers["Content-Encoding"] = encoding
      assert.are.equal(415, (made:accept("zinrelo", headers, BODY)))
    end
    assert.are.equal(0, #store.calls)
    for _, encoding in ipairs({ "identity", "Identity ", "" }) do
      headers["Content-Encoding"] = encoding
      assert.are.equal(200, (made:accept("zinrelo", headers, BODY)))
    end
  end)

  it("answers 400 for a signed body that is no envelope, and says what is wrong", function()
    local made, store = opened()
    store.result = { code = "invalid", message = 'events[2].id: not a "string"' }
    local status, answer = made:accept("zinrelo", signed(), BODY)
    assert.are.equal(400, status)
    assert.are.same({ error = { code = "invalid", message = 'events[2].id: not a "string"' } },
      json.decode(answer))
  end)

  it("answers 503 when nothing could be recorded, without saying where the store is", function()
    local made, store = opened()
    for _, code in ipairs({ "full", "io", "busy", "memory", "closed", "limit", "invalid",
      "too_large" }) do
      store.failure, store.code = "/var/lib/x.db: the disk is full", code
      local status, answer = made:accept("zinrelo", signed(), BODY)
      assert.are.same({ 503, "unavailable" }, { status, code_of(answer) })
      assert.is_nil(answer:find("/var", 1, true))
    end
    assert.are.equal("error", lines[1].level)
    assert.are.equal("/var/lib/x.db: the disk is full", lines[1].message)
  end)

  it("accepts a total_count that does not match, and notes it", function()
    local made, store = opened()
    store.result = { events = 1, added = 1, duplicates = 0, total_count = "5" }
    assert.are.equal(200, (made:accept("zinrelo", signed(), BODY)))
    assert.are.same({ "warn", "5", "zinrelo" },
      { lines[1].level, lines[1].fields.total_count, lines[1].fields.source })
  end)

  it("notes the precise reason of a refusal, at most once in ten seconds", function()
    local made = opened()
    for _ = 1, 5 do
      made:accept("zinrelo", signed(), BODY .. " ")
      made:accept("one\27[2J" .. ("x"):rep(200), signed(), BODY)
      made:accept("two", signed(), BODY)
    end
    assert.are.equal(2, #lines)
    assert.are.same({ "signature_mismatch", "unknown_source" },
      { lines[1].fields.code, lines[2].fields.code })
    assert.is_true(#lines[2].fields.source <= 64)
    assert.is_nil(lines[2].fields.source:find("\27", 1, true))
    now_ms = now_ms + 10000
    made:accept("zinrelo", signed(), BODY .. " ")
    assert.are.same({ 3, 4 }, { #lines, lines[3].fields.repeated })
  end)

  it("shows no secret, in no answer and in no log", function()
    local made = opened()
    made:accept("zinrelo", signed(), BODY .. " ")
    made:accept("hooks", signed(), BODY)
    for _, line in ipairs(lines) do
      local text = require("loyalhook.log").line(line.level, line.message, line.fields)
      assert.is_nil(text:find(SECRET, 1, true))
      assert.is_nil(text:find("whsec", 1, true))
    end
  end)

  it("raises for what only a programmer can get wrong", function()
    local made = opened()
    for _, arguments in ipairs({ { nil, {}, "" }, { "zinrelo", nil, "" }, { "zinrelo", {}, nil },
      { "zinrelo", "nonce: 1", "" } }) do
      local ok, message = pcall(function()
        made:accept(arguments[1], arguments[2], arguments[3])
      end)
      assert.is_false(ok)
      assert.is_truthy(message:find("receiver_spec.lua", 1, true))
    end
  end)

  describe("with secrets in files", function()
    local function write(name, text)
      local file = assert(io.open(folder .. "/" .. name, "wb"))
      file:write(text)
      file:close()
      return folder .. "/" .. name
    end

    it("reads them", function()
      local made = opened({ sources = { zinrelo = { secrets = { "an older secret" },
        secret_files = { write("new", SECRET .. "\n") } } } })
      assert.are.equal(200, (made:accept("zinrelo", signed(), BODY)))
      assert.are.equal(200,
        (made:accept("zinrelo", signed({ secret = "an older secret" }), BODY)))
    end)

    it("gives no service while one cannot be read, and notices when it can", function()
      local path = folder .. "/late"
      local made, store = opened({ sources = {
        zinrelo = { secrets = { SECRET }, secret_files = { path } },
        other = { secrets = { SECRET } } } })
      assert.are.equal(503, (made:accept("zinrelo", signed(), BODY)))
      assert.are.equal(503, (made:accept("zinrelo", {}, "")))
      for _ = 1, 3 do -- looked at again, and not told again
        now_ms = now_ms + 1000
        made:accept("zinrelo", {}, "")
      end
      local told = 0
      for _, line in ipairs(lines) do
        told = told + (line.message:find("a secret cannot be read", 1, true) and 1 or 0)
      end
      assert.are.equal(1, told)
      assert.are.equal(200, (made:accept("other", signed(), BODY)))
      write("late", "")
      now_ms = now_ms + 1000
      assert.are.equal(503, (made:accept("zinrelo", signed(), BODY)))
      write("late", "the newer secret\n")
      now_ms = now_ms + 1000
      assert.are.equal(200,
        (made:accept("zinrelo", signed({ secret = "the newer secret" }), BODY)))
      assert.are.equal(2, #store.calls)
      assert.is_truthy(lines[1].fields.error:find(path, 1, true))
    end)

    it("treats a secret of another form than the scheme's as one it cannot read", function()
      local made = opened({ sources = { hooks = { scheme = "standard",
        secret_files = { write("s", "no whsec_") } } } })
      assert.are.equal(503, (made:accept("hooks", signed(), BODY)))
    end)
  end)

  it("is not opened without a secret, or with a source that cannot be", function()
    local wrong = { { zinrelo = {} }, { zinrelo = { secrets = {} } },
      { zinrelo = { secret_files = {} } }, { zinrelo = { secrets = { "" } } },
      { zinrelo = { secrets = { SECRET, "" } } }, { zinrelo = { secrets = { 7 } } },
      { zinrelo = { secrets = { nil, SECRET } } }, { zinrelo = SECRET },
      { zinrelo = { secret = SECRET } }, { ["a b"] = { secrets = { SECRET } } },
      { [""] = { secrets = { SECRET } } }, { [("x"):rep(65)] = { secrets = { SECRET } } },
      { ["\195\164"] = { secrets = { SECRET } } }, { { secrets = { SECRET } } },
      { zinrelo = { secrets = { SECRET }, scheme = "basic" } },
      { zinrelo = { secrets = { SECRET }, scheme = "standard" } },
      { zinrelo = { secrets = { SECRET }, tolerance_s = 1.5 } },
      { zinrelo = { secrets = { SECRET }, tolerance_s = "300" } },
      { zinrelo = { secrets = { SECRET }, tolerance_s = 0 / 0 } } }
    for index, given in ipairs(wrong) do
      local made, message, code = open({ sources = given })
      assert.is_nil(made, index)
      assert.are.equal("config", code)
      assert.is_truthy(message:find("^sources"), message)
      assert.is_nil(message:find(SECRET, 1, true))
    end
    local many = {}
    for index = 1, 17 do
      many[index] = SECRET .. index
    end
    assert.are.equal("config", select(3, open({ sources = { zinrelo = { secrets = many } } })))
  end)

  it("is not opened where there is no store", function()
    assert.are.equal("store_missing",
      select(3, open({ create = false, store = "sqlite:" .. folder .. "/none.db" })))
  end)

  it("raises for a misspelt option", function()
    assert.has_error(function() open({ source = {} }) end)
  end)
end)

describe("sources.check", function()
  it("fills in what is not said", function()
    assert.are.same({ a = { name = "a", scheme = "zinrelo", secrets = { SECRET },
      secret_files = {}, tolerance_s = core.limits.tolerance_s_default } },
      sources.check({ a = { secrets = { SECRET } } }))
    assert.are.equal(-1, sources.check({ a = { secrets = { SECRET }, tolerance_s = -1 } })
      .a.tolerance_s)
  end)
end)
