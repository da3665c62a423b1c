-- Amounts, and Stripe against prepared answers: every way a try can end, that no way credits twice,
-- and that nothing is rounded up.

local credits = require("loyalhook.handlers.wallet.credits")
local fake = require("harness.fake_context")
local json = require("loyalhook.json")
local stripe = require("loyalhook.handlers.wallet.stripe")
local wallet = require("harness.fake_wallet")

local answer, redeemed, with = fake.answer, wallet.redeemed, wallet.with
local HOUR_MS = 3600000

describe("a credit", function()
  local function amount(rule, value)
    local event = { event_type = "t", data = { v = value } }
    local rules = assert(credits.check({ t = rule }, "credits"))
    return credits.amount(rules, event, event.data)
  end

  it("is whole units, a part of one dropped", function()
    local rule = { points = "v", rate = { points = 100, amount = 500 } }
    for points, cents in pairs({ [360] = 1800, ["360"] = 1800, ["0360"] = 1800, [1] = 5,
      [0] = 0 }) do
      assert.are.equal(cents, amount(rule, points))
    end
    assert.are.equal(1, amount({ points = "v", rate = { points = 3, amount = 1 } }, 5))
    assert.are.equal(0, amount({ points = "v", rate = { points = 100, amount = 1 } }, 99))
    assert.are.equal("7", ("%d"):format(amount({ amount = "v" }, 7.0)))
    assert.are.equal(7, amount({ points = "v" }, "7"))
    assert.are.equal(1000, amount({ amount = 1000 }, nil))
  end)

  it("is refused where a number is none, not whole, negative or huge", function()
    for _, value in ipairs({ "", "x", "1.5", "1e3", "-1", "0x10", " 5", "1,000",
      "99999999999999999",
      "٣", -1, 1.5, 0 / 0, 1 / 0, 2 ^ 60, true, { 1 } }) do
      local result, message = amount({ amount = "v" }, value)
      assert.is_nil(result, tostring(value))
      assert.are.equal("v: expected a whole number from 0 to 99999999", message)
    end
    assert.is_nil(amount({ amount = "v" }, ("0"):rep(1000000) .. "x"))
    assert.is_nil(amount({ amount = "v" }, nil))
    assert.is_nil(amount({ amount = "v" }, json.null))
    assert.are.equal("v: too many points",
      select(2, amount({ points = "v", rate = { points = 1, amount = 1000000 } }, 1000000000000)))
  end)

  it("is refused over the most that a rule allows", function()
    assert.are.equal("501 is more than the most that is credited for t, 500",
      select(2, amount({ amount = "v", most = 500 }, 501)))
    assert.are.equal(500, amount({ amount = "v", most = 500 }, 500))
    assert.is_nil(amount({ points = "v", rate = { points = 1, amount = 1000 } }, 1000000))
  end)

  it("needs rules that make sense", function()
    for message, rule in pairs({
      ["credits.t: expected either points or amount"] = {},
      ["credits.t: rate: expected { points = whole, amount = whole }, for points only"] =
        { points = "v", rate = { points = 0, amount = 1 } },
      ["credits.t: amount: expected whole minor units, or the path of a field"] = { amount = 1.5 },
      ["credits.t: most: expected whole minor units"] = { amount = 1, most = "9" },
      ['credits.t: unknown key point; did you mean "points"?'] = { point = "v" },
    }) do
      local rules, got, code = credits.check({ t = rule }, "credits")
      assert.is_nil(rules)
      assert.are.equal(message, got)
      assert.are.equal("config", code)
    end
    assert.is_nil(credits.check({}, "credits"))
    assert.is_nil(credits.check({ T = {} }, "credits"))
  end)
end)

describe("wallet.stripe", function()
  local GIVEN = { secret_key = "sk_test_1", currency = "eur", credits = wallet.RULES }

  local function run(context_given, event, more)
    local handler = assert(stripe.new(with(GIVEN, more)))
    local context = fake.new(context_given)
    local ok, message, kind = handler.handle(event or redeemed(360), context)
    return ok, message, kind, context.requests, context
  end

  local function page(keys, has_more)
    local data = {}
    for index, key in ipairs(keys) do
      data[index] = { id = "cbtxn_" .. key, metadata = { loyalhook_key = key } }
    end
    return answer(200, json.encode({ object = "list", data = json.array(data),
      has_more = has_more or false }))
  end

  it("says what it is", function()
    local handler = assert(stripe.new(GIVEN))
    assert.are.equal("wallet.stripe", handler.name)
    assert.are.same({ "event_points_redeemed" }, handler.event_types)
    assert.are.equal("member", handler.serial)
    assert.are.equal("retry", handler.when_unknown)
  end)

  it("makes one transaction, with the task's key in the header and in the metadata", function()
    local ok, _, _, requests = run({ answers = { answer(200) } })
    assert.is_true(ok)
    local request = requests[1]
    assert.are.equal("POST", request.method)
    assert.are.equal("https://api.stripe.com/v1/customers/cus_A1/balance_transactions", request.url)
    assert.are.same({ ["Content-Type"] = "application/x-www-form-urlencoded",
      Authorization = "Bearer sk_test_1", ["Stripe-Version"] = "2025-09-30.clover",
      ["Idempotency-Key"] = "e1.zinrelo.test" }, request.headers)
    assert.are.equal("amount=-1800&currency=eur&description=Loyalty%20credit"
      .. "&metadata%5Bloyalhook_key%5D=e1.zinrelo.test&metadata%5Bevent_id%5D=e1", request.body)
  end)

  it("makes the same request at each try", function()
    local _, _, _, first = run({ answers = { answer(500) } })
    local _, _, _, second = run({ answers = { answer(200) }, attempt = 7, now_ms = 19 * HOUR_MS })
    assert.are.same(first, second)
    local long = ("x"):rep(300)
    local _, _, _, requests = run({ answers = { answer(200) }, idempotency_key = long })
    assert.are.equal(64, #requests[1].headers["Idempotency-Key"])
  end)

  it("says what an answer means", function()
    local body = '{"error":{"type":"invalid_request_error","code":"x_y","message":"No."}}'
    for status, kind in pairs({ [400] = "fail", [402] = "fail", [404] = "fail", [401] = "retry",
      [403] = "retry", [409] = "retry", [429] = "retry", [500] = "retry", [503] = "retry" }) do
      local ok, message, got = run({ answers = { answer(status, body) } })
      assert.is_nil(ok)
      assert.are.equal(("Stripe answered %d: x_y: No."):format(status), message)
      assert.are.equal(kind, got, status)
    end
    local _, message, kind = run({ answers = { answer(400,
      '{"error":{"type":"idempotency_error","message":"Keys for idempotent requests…"}}') } })
    assert.is_truthy(message:find("credited with other parameters before", 1, true))
    assert.are.equal("fail", kind)
  end)

  it("leaves what ended unknown to when_unknown, which is retry", function()
    local ok, message, kind = run({ answers = { { false, "connection reset", "unknown" } } })
    assert.is_nil(ok)
    assert.are.equal("Stripe: connection reset", message)
    assert.is_nil(kind)
  end)

  describe("later than 20 hours after the first attempt", function()
    local late = { attempt = 9, first_attempt_ms = 100 * HOUR_MS, now_ms = 121 * HOUR_MS }

    it("looks first, and does nothing if the credit is there", function()
      local ok, _, _, requests = run(with(late,
        { answers = { page({ "other", "e1.zinrelo.test" }) } }))
      assert.is_true(ok)
      assert.are.equal(1, #requests)
      assert.are.equal("GET", requests[1].method)
      assert.are.equal("https://api.stripe.com/v1/customers/cus_A1/balance_transactions"
        .. "?limit=100&created%5Bgte%5D=273600", requests[1].url)
    end)

    it("credits if it is not there", function()
      local ok, _, _, requests = run(with(late, { answers = { page({ "other" }), answer(200) } }))
      assert.is_true(ok)
      assert.are.equal("POST", requests[2].method)
    end)

    it("reads page after page", function()
      local ok, _, _, requests = run(with(late, { answers = { page({ "a", "b" }, true),
        page({ "c" }, true), page({ "e1.zinrelo.test" }) } }))
      assert.is_true(ok)
      assert.is_truthy(requests[2].url:find("&starting_after=cbtxn_b$"))
      assert.is_truthy(requests[3].url:find("&starting_after=cbtxn_c$"))
    end)

    it("credits nothing while it cannot look", function()
      for expected, bad in pairs({ ["Stripe answered 500"] = answer(500),
        ["Stripe: timed out"] = { false, "timed out", "unknown" },
        ["Stripe's list of transactions could not be read"] = answer(200, '{"data":[') }) do
        local ok, message, _, requests = run(with(late, { answers = { bad } }))
        assert.is_nil(ok)
        assert.are.equal(expected, message)
        assert.are.equal(1, #requests)
      end
    end)

    it("gives up after very many pages, for a person to decide", function()
      local answers = {}
      for index = 1, 101 do
        answers[index] = page({ "a" .. index }, true)
      end
      local ok, message, kind, requests = run(with(late, { answers = answers }))
      assert.is_nil(ok)
      assert.are.equal("fail", kind)
      assert.are.equal(100, #requests)
      assert.is_truthy(message:find("10000 transactions", 1, true))
    end)

    it("does not look at the first attempt, or earlier", function()
      local _, _, _, requests = run(with(late, { attempt = 1, answers = { answer(200) } }))
      assert.are.equal("POST", requests[1].method)
      _, _, _, requests = run(with(late, { now_ms = 120 * HOUR_MS, answers = { answer(200) } }))
      assert.are.equal("POST", requests[1].method)
    end)
  end)

  describe("when Stripe repeats a failure that it kept", function()
    local kept = answer(500, "{}", { ["idempotent-replayed"] = "true" })

    it("is done if the credit was made all the same", function()
      local ok, _, _, requests = run({ attempt = 2,
        answers = { kept, page({ "e1.zinrelo.test" }) } })
      assert.is_true(ok)
      assert.are.equal(2, #requests)
    end)

    it("uses a second key if it was not", function()
      local ok, _, _, requests = run({ attempt = 2, answers = { kept, page({}), answer(200) } })
      assert.is_true(ok)
      assert.are.equal("e1.zinrelo.test.2", requests[3].headers["Idempotency-Key"])
      assert.are.equal(requests[1].body, requests[3].body)
    end)

    it("waits while it cannot look", function()
      local ok, _, kind, requests = run({ attempt = 2, answers = { kept, answer(503) } })
      assert.is_nil(ok)
      assert.are.equal("retry", kind)
      assert.are.equal(2, #requests)
    end)
  end)

  it("fails what it cannot credit, and is done with what is worth nothing", function()
    local _, message, kind = run({}, redeemed("many"))
    assert.is_truthy(message:find("expected a whole number", 1, true))
    assert.are.equal("fail", kind)
    _, message, kind = run({}, redeemed(100, "cus_A1/../x"))
    assert.is_truthy(message:find("no id of a Stripe customer", 1, true))
    assert.are.equal("fail", kind)
    local ok, _, _, requests = run({}, redeemed(0))
    assert.is_true(ok)
    assert.are.equal(0, #requests)
  end)

  it("refuses wrong settings", function()
    for message, given in pairs({
      ["wallet.stripe.currency: expected three lower-case letters, like eur"] =
        { currency = "EUR" },
      ["wallet.stripe.url: expected https://host, without a path"] = { url = "https://a/b" },
      ["wallet.stripe.credits: expected a table event type = { points = …, rate = … }"] =
        { credits = {} },
    }) do
      local handler, got, code = stripe.new(with(GIVEN, given))
      assert.is_nil(handler)
      assert.are.equal(message, got)
      assert.are.equal("config", code)
    end
    local _, message = stripe.new({ currency = "eur", credits = wallet.RULES })
    assert.are.equal(
      "wallet.stripe: secret_key or secret_key_file: expected exactly one of them", message)
  end)
end)
