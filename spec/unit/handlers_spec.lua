-- forward and log, and the small parts that handlers share.

local answers = require("loyalhook.handlers.answers")
local fake = require("harness.fake_context")
local forward = require("loyalhook.handlers.forward")
local json = require("loyalhook.json")
local log = require("loyalhook.handlers.log")
local signature = require("loyalhook.signature")
local urls = require("loyalhook.handlers.urls")

local SECRET = "a shared secret"

local function event()
  return fake.event("event_points_earned",
    { member_info = { member_id = "m1", name = "50 %s \"x\"" } }, 'odd "id"')
end

describe("forward", function()
  local function run(given, answer)
    given.url, given.secret = "https://hooks.example/in", given.secret or SECRET
    local context = fake.new({ answers = { answer or fake.answer(200) } })
    local handler = assert(forward.new(given))
    local ok, message, kind = handler.handle(event(), context)
    return ok, message, kind, context.requests[1]
  end

  it("posts an envelope of one event that a receiver can verify", function()
    local ok, _, _, request = run({ headers = { ["X-Shop"] = "7" } })
    assert.is_true(ok)
    assert.is_true(signature.verify({ secret = SECRET, body = request.body, tolerance_s = -1,
      headers = { nonce = request.headers.nonce,
        ["x-zinrelo-signature"] = request.headers["x-zinrelo-signature"] } }))
    assert.are.equal("7", request.headers["X-Shop"])
    local body = json.decode(request.body)
    assert.are.equal("1", body.total_count)
    assert.are.equal("12/29/2021 16:47:41", body.created_date)
    assert.is_truthy(body.request_id:find("^%x+$") and #body.request_id == 24)
    assert.are.equal('odd "id"', body.events[1].id)
    assert.is_truthy(request.body:find(event().data_json, 1, true))
    local _, _, _, again = run({})
    assert.are.equal(request.body, again.body)
  end)

  it("signs by the standard scheme too", function()
    local secret = "whsec_" .. ("A"):rep(32)
    local _, _, _, request = run({ scheme = "standard", secret = secret })
    assert.is_true(signature.verify({ scheme = "standard", secret = secret, body = request.body,
      headers = request.headers, tolerance_s = -1 }))
    assert.are.equal(json.decode(request.body).request_id, request.headers["webhook-id"])
  end)

  it("takes 200 for success, or any 2xx on demand; the rest is tried again", function()
    assert.is_true((run({ success = "2xx" }, fake.answer(204))))
    local ok, message, kind = run({}, fake.answer(204))
    assert.is_nil(ok)
    assert.are.equal("the receiver answered 204", message)
    assert.are.equal("retry", kind)
    assert.are.equal("forward: reset", (select(2, run({}, { false, "reset", "unknown" }))))
  end)

  it("refuses wrong settings", function()
    for message, given in pairs({
      ["forward.url: expected https://…"] = { secret = SECRET },
      ["forward.url: a user name or password in it is not sent; use headers"] =
        { url = "https://u:p@a/", secret = SECRET },
      ["forward.secret_file: /nowhere/s: No such file or directory"] =
        { url = "https://a/", secret_file = "/nowhere/s" },
      ["forward.success: expected 200 or 2xx"] =
        { url = "https://a/", secret = SECRET, success = "3" },
      ["forward: secret or secret_file: expected exactly one of them"] = { url = "https://a/" },
      ["forward.timeout_ms: expected 100 to 300000"] =
        { url = "https://a/", secret = SECRET, timeout_ms = 1 },
    }) do
      local handler, got, code = forward.new(given)
      assert.is_nil(handler)
      assert.are.equal(message, got)
      assert.are.equal("config", code)
    end
    local _, message = forward.new({ url = "https://a/", secret = "short", scheme = "standard" })
    assert.is_truthy(message:find("forward.secret: ", 1, true))
  end)
end)

describe("log", function()
  it("writes what the event is, and nothing of the member", function()
    local context = fake.new()
    assert.is_true(assert(log.new()).handle(event(), context))
    assert.are.same({ { level = "info", message = "event received", fields = { event = 'odd "id"',
      event_type = "event_points_earned", source = "zinrelo" } } }, context.lines)
  end)

  it("adds the fields that are named", function()
    local context = fake.new()
    assert(log.new({ level = "debug", fields = { "member_info.member_id", all = "member_info",
      none = "x.y" } })).handle(event(), context)
    assert.are.same({ event = 'odd "id"', event_type = "event_points_earned", source = "zinrelo",
      member_id = "m1", all = "(a list or an object)" }, context.lines[1].fields)
  end)

  it("refuses wrong settings", function()
    assert.are.equal("log.level: expected debug, info, warn or error",
      (select(2, log.new({ level = "loud" }))))
    assert.are.equal("log.fields: expected paths, or name = path",
      (select(2, log.new({ fields = { 7 } }))))
  end)
end)

describe("an answer's sentence", function()
  it("is one harmless line of limited length", function()
    assert.are.equal("X answered 500: a b",
      answers.sentence("X", { status = 500, body = "a\r\nb\27" }))
    local text = answers.sentence("X", { status = 500, body = ("ä"):rep(500) })
    assert.are.equal("X answered 500: " .. ("ä"):rep(100), text)
    assert.are.equal("X answered 204", answers.sentence("X", { status = 204 }))
  end)
end)

describe("what was shown to a vendor", function()
  it("is not in the sentence about its answer, as it is or percent-encoded", function()
    local body = ("no: Bearer s3cret/key=, s3cret%2Fkey%3D "):rep(100)
    local context = fake.new({ answers = { fake.answer(401, body) } })
    local got = answers.ask(context, { url = "https://x" }, { "s3cret/key=" })
    assert.are.equal(body, got.body)
    local text = answers.sentence("X", got)
    assert.is_truthy(text:find("X answered 401: no: Bearer ***, *** no: ", 1, true))
    assert.is_nil(text:find("s3c", 1, true))
    assert.are.equal("X answered 401: ***", answers.sentence("X", got, "s3cret/key="))
  end)

  it("is masked if it is long, cut to pieces by nothing", function()
    local key = ("k"):rep(3000) .. "end"
    local got = answers.ask(fake.new({ answers = { fake.answer(500, key .. key) } }), {}, { key })
    assert.are.equal("X answered 500: ******", answers.sentence("X", got))
  end)

  it("is what each handler knows to be secret", function()
    local path = os.tmpname()
    finally(function() os.remove(path) end)
    local file = assert(io.open(path, "w"))
    file:write("t0ps3cret\n")
    file:close()
    local given = {
      ["crm.hubspot"] = { token_file = path },
      ["crm.salesforce"] = { url = "https://x.my.salesforce.com", client_id = "c",
        client_secret_file = path },
      forward = { url = "https://x", secret = "another secret", event_types = { "*" },
        headers = { Authorization = "Bearer t0ps3cret" } },
      ["wallet.http"] = { url = "https://x/", body = "{}", secret_headers = { ["X-Key"] = path },
        credits = { event_points_earned = { amount = 5 } } },
      ["wallet.stripe"] = { secret_key_file = path, currency = "eur",
        credits = { event_points_earned = { amount = 5 } } } }
    for name, options in pairs(given) do
      local handler = assert(require("loyalhook.handlers." .. name).new(options))
      local asked = 0
      local function echo(request)
        asked = asked + 1
        return fake.answer(403, '{"error":"no","error_description":"not with t0ps3cret and ' ..
          (request.headers.Authorization or "") .. '"}')
      end
      local _, message = handler.handle(fake.event("event_points_earned", { member_info =
        { member_id = "m", email_address = "a@b.example",
          custom_attributes = { stripe_customer_id = "cus_A1" } } }),
        fake.new({ answers = { echo } }))
      assert.are.equal(1, asked, name)
      assert.is_truthy(message:find("***", 1, true), message)
      assert.is_nil(message:find("s3cret", 1, true), message)
    end
  end)
end)

describe("a URL's origin", function()
  it("is scheme, host and port, and nothing else", function()
    for text, origin in pairs({ ["https://a.example"] = "https://a.example",
      ["http://127.0.0.1:80/"] = "http://127.0.0.1:80",
      ["https://[::1]:9"] = "https://[::1]:9" }) do
      assert.are.equal(origin, urls.origin(text))
    end
    for _, text in ipairs({ "https://a/b", "ftp://a", "https://u@a", "https://a?x",
      "https://a b" }) do
      assert.is_nil(urls.origin(text))
    end
  end)
end)
