-- Any credit API against prepared answers: what is sent, and what each end means with a guard and
-- without one.

local fake = require("harness.fake_context")
local http = require("loyalhook.handlers.wallet.http")
local json = require("loyalhook.json")
local wallet = require("harness.fake_wallet")

local answer, redeemed, with = fake.answer, wallet.redeemed, wallet.with

describe("wallet.http", function()
  local GIVEN = { credits = wallet.RULES,
    url = "https://wallet.example/members/{{member_info.member_id}}/credits"
      .. "?why={{event.event_type}}",
    body = '{"cents":{{amount}},"euro":"{{amount_decimal}}","ref":"{{key}}","all":'
      .. '{{transaction_info.redeem_info}}}',
    headers = { ["X-Member"] = "{{member_info.member_id}}" } }

  local function run(context_given, more, event)
    local handler = assert(http.new(with(GIVEN, more)))
    local context = fake.new(context_given)
    local ok, message, kind = handler.handle(event or redeemed(360), context)
    return ok, message, kind, context.requests, handler
  end

  it("fills URL, headers and body, each escaped for its place", function()
    local event = redeemed(360)
    event.data.member_info.member_id = 'a/"b" ?'
    local ok, _, _, requests = run({ answers = { answer(201) } }, nil, event)
    assert.is_true(ok)
    assert.are.equal("https://wallet.example/members/a%2F%22b%22%20%3F/credits"
      .. "?why=event_points_redeemed", requests[1].url)
    assert.are.equal('{"cents":1800,"euro":"18.00","ref":"e1.zinrelo.test","all":{"points":360}}',
      requests[1].body)
    assert.are.same({ ["X-Member"] = 'a/"b" ?', ["Content-Type"] = "application/json" },
      requests[1].headers)
    _, _, _, requests = run({ answers = { answer(200) } }, { content_type =
      "application/x-www-form-urlencoded", body = "id={{member_info.member_id}}" }, event)
    assert.are.equal("id=a%2F%22b%22%20%3F", requests[1].body)
  end)

  it("writes decimals from digits", function()
    for points, text in pairs({ [1] = "0.05", [2] = "0.10", [20] = "1.00", [1234] = "61.70" }) do
      local _, _, _, requests = run({ answers = { answer(200) } },
        { body = '[{{amount_decimal}},"{{amount_decimal}}"]' }, redeemed(points))
      assert.are.equal(('[%s,"%s"]'):format(text, text), requests[1].body)
    end
  end)

  it("takes no event's word for a number", function()
    local event = redeemed(360)
    for _, value in ipairs({ '1,"cents":99', "1,2", "", ("0"):rep(1000000) .. "x" }) do
      event.data.member_info.amount_decimal = value
      local _, _, _, requests = run({ answers = { answer(200) } }, { body =
        '{"m":[{{#member_info}}{{amount_decimal}}{{/member_info}}],"cents":{{amount}}}' }, event)
      local body = json.decode(requests[1].body)
      assert.are.same({ m = { value }, cents = 1800 }, body)
    end
  end)

  it("fails an event that a template cannot take", function()
    local event = redeemed(360)
    for value, word in pairs({ ["a\nb"] = "a control character", [".."] = "another path",
      [""] = "empty" }) do
      event.data.member_info.member_id = value
      local ok, message, kind = run({}, nil, event)
      assert.is_nil(ok)
      assert.is_truthy(message:find(word, 1, true), message)
      assert.are.equal("fail", kind)
    end
    event.data.member_info.member_id = nil
    assert.are.equal("wallet.http.url:1: member_info.member_id: absent in this event",
      (select(2, run({}, nil, event))))
  end)

  it("without a guard fails whatever may have been credited", function()
    local ok, message, kind, _, handler = run({ answers = { { false, "timed out", "unknown" } } })
    assert.is_nil(ok)
    assert.are.equal("the wallet: timed out", message)
    assert.is_nil(kind)
    assert.are.equal("fail", handler.when_unknown)
    for status, expected in pairs({ [500] = "fail", [502] = "fail", [503] = "fail", [400] = "fail",
      [302] = "fail", [429] = "retry", [401] = "retry" }) do
      _, message, kind = run({ answers = { answer(status, "why") } })
      assert.are.equal(expected, kind, status)
      assert.are.equal(status >= 500, message:find("unknown", 1, true) ~= nil)
    end
    assert.are.equal("retry", (select(3, run({ answers = { answer(503) } },
      { retry_statuses = { 503 } }))))
  end)

  it("with an idempotency header sends the key and tries again", function()
    local ok, _, kind, requests, handler = run({ answers = { answer(503) } },
      { idempotency_header = "Idempotency-Key" })
    assert.is_nil(ok)
    assert.are.equal("retry", kind)
    assert.are.equal("e1.zinrelo.test", requests[1].headers["Idempotency-Key"])
    assert.are.equal("retry", handler.when_unknown)
  end)

  it("counts as success what the settings say", function()
    assert.is_nil((run({ answers = { answer(202) } })))
    assert.is_true((run({ answers = { answer(202) } }, { success = { 202 } })))
  end)

  describe("with a look-up", function()
    local LOOKUP = { lookup = { url = "https://wallet.example/credits?ref={{key}}",
      found = { path = "credits.1.ref", equals = "{{key}}" } } }

    local function look(found, attempt)
      return run({ attempt = attempt or 2, answers = { found, answer(200) } }, LOOKUP)
    end

    it("does not look at the first attempt", function()
      local ok, _, _, requests, handler = run({ answers = { answer(200) } }, LOOKUP)
      assert.is_true(ok)
      assert.are.equal("POST", requests[1].method)
      assert.are.equal("retry", handler.when_unknown)
    end)

    it("does nothing if the credit is there", function()
      local ok, _, _, requests = look(answer(200, '{"credits":[{"ref":"e1.zinrelo.test"}]}'))
      assert.is_true(ok)
      assert.are.equal(1, #requests)
      assert.are.equal("https://wallet.example/credits?ref=e1.zinrelo.test", requests[1].url)
    end)

    it("credits if it is not", function()
      for _, body in ipairs({ '{"credits":[]}', '{"credits":[{"ref":"other"}]}', "{}" }) do
        local ok, _, _, requests = look(answer(200, body))
        assert.is_true(ok)
        assert.are.equal(2, #requests)
      end
      local _, _, _, requests = look(answer(404))
      assert.are.equal(2, #requests)
    end)

    it("credits nothing while the look-up says nothing", function()
      for _, bad in ipairs({ answer(500), answer(200, "<html>"), { false, "reset", "unknown" },
        answer(301) }) do
        local ok, _, kind, requests = look(bad)
        assert.is_nil(ok)
        assert.are.equal("retry", kind)
        assert.are.equal(1, #requests)
      end
    end)
  end)

  it("reads secret headers from files, at each use", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write("k-1\n")
    file:close()
    local given = { secret_headers = { Authorization = { prefix = "Bearer ", file = path } } }
    local _, _, _, requests = run({ answers = { answer(200) } }, given)
    assert.are.equal("Bearer k-1", requests[1].headers.Authorization)
    local handler = assert(http.new(with(GIVEN, given)))
    os.remove(path)
    local ok, message = handler.handle(redeemed(360), fake.new())
    assert.is_nil(ok)
    assert.is_truthy(message:find("wallet.http.secret_headers.Authorization: ", 1, true))
    local refused, why, code = http.new(with(GIVEN, given))
    assert.is_nil(refused)
    assert.are.equal(message, "the wallet: " .. why)
    assert.are.equal("config", code)
  end)

  it("refuses wrong settings", function()
    local function wrong(given)
      local handler, message, code = http.new(with(GIVEN, given))
      assert.is_nil(handler)
      assert.are.equal("config", code)
      return message
    end
    assert.are.equal("wallet.http.url:1: {{member_info.x}}: a value may not choose the server",
      wrong({ url = "https://{{member_info.x}}.example/" }))
    assert.is_truthy(wrong({ url = "https://a/#x" }):find("never sent", 1, true))
    assert.is_truthy(wrong({ url = "wallet.example" }):find("expected https://host", 1, true))
    assert.is_truthy(wrong({ body = '{"a":{{amount}}' }):find("not JSON with every tag", 1, true))
    assert.is_truthy(wrong({ body = '{"a":"\\{{amount}}"}' }):find("right before a tag", 1, true))
    assert.are.equal("wallet.http.headers.Host: not settable here",
      wrong({ headers = { Host = "x" } }))
    assert.is_truthy(wrong({ method = "GET" }):find("expected POST", 1, true))
    assert.is_truthy(wrong({ success = { 99 } }):find("expected a list of statuses", 1, true))
    assert.is_truthy(wrong({ secret_headers = { X = 7 } })
      :find("secret_headers: expected", 1, true))
    assert.are.equal("wallet.http.lookup.found: missing: { status, path, equals }",
      wrong({ lookup = { url = "https://a/" } }))
    assert.are.equal("wallet.http.lookup.found.status: 404 means not found",
      wrong({ lookup = { url = "https://a/", found = { status = 404 } } }))
  end)
end)
