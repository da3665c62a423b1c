-- Requests and mails of handlers on their way through the engine; how they meet its limits is told
-- in handlers_runtime_spec.lua.

local exchanges = require("loyalhook.handlers.exchanges")
local fake = require("harness.fake_engine")

local engine, under_way
local SERVER = { url = "smtp://localhost", from = "a@example.com" }

before_each(function()
  engine = fake.engine()
  under_way = exchanges.new(engine)
end)

describe("exchanges", function()
  it("end when a report says so, and know nothing of others", function()
    local exchange = under_way:begin({}, "call", { url = "u" })
    assert.are.same({}, under_way:take(fake.report({ calls = { { number = 99 } },
      mails = { { number = 1 } } })))
    assert.are.same({ exchange }, under_way:take(engine:end_call()))
    assert.are.equal(200, exchange.values[1].status)
  end)

  it("end at once if the engine refuses them, or the password is not to be read", function()
    engine.refuses = { "the worker is stopping", "refused" }
    assert.are.same({ n = 3, nil, "the worker is stopping", "not_sent" },
      under_way:begin({}, "call", { url = "u" }).values)
    engine.refuses = { "no room", "limit" } -- and nothing under way that could make some
    assert.are.equal("not_sent", under_way:begin({}, "call", { url = "u" }).values[3])
    local letter = under_way:begin({}, "mail", { server = { url = "smtp://localhost",
      from = "a@example.com", user = "u", password_file = "/nowhere" }, to = {}, message = "m" })
    assert.are.equal("not_sent", letter.values[3])
  end)

  it("tell whether anything was sent when they are given up", function()
    engine.calls_max = 2
    local first = under_way:begin({}, "call", { url = "u" })
    local second = under_way:begin({}, "call", { url = "u" })
    local third = under_way:begin({}, "call", { url = "u" })
    engine.calls[1].unsent = true
    assert.is_false(under_way:cancel(third))
    assert.is_false(under_way:cancel(first))
    assert.is_true(under_way:cancel(second))
    assert.is_true(under_way:cancel(under_way:begin({}, "mail", { server = SERVER, to = {},
      message = "m" })))
    assert.are.same({}, under_way:take(fake.report()))
    assert.are.same({}, engine.calls)
    assert.is_nil(third.number)
  end)

  it("of a refused mail have sent nothing that matters", function()
    local exchange = under_way:begin({}, "mail", { server = SERVER, to = {}, message = "m" })
    under_way:take(engine:end_mail(1, { verdict = "refused", stage = "server" }))
    assert.are.same({ false, false, "server" },
      { exchange.sent, exchange.unknown, exchange.values[1].stage })
    assert.is_false(under_way:cancel(exchange))
  end)

  it("can be refused as long as they wait", function()
    engine.calls_max = 1
    local first = under_way:begin({}, "call", { url = "u" })
    local second = under_way:begin({}, "call", { url = "u" })
    assert.is_false(exchanges.refuse(first, "no"))
    assert.is_true(exchanges.refuse(second, "no"))
    assert.is_false(exchanges.refuse(second, "no"))
    assert.are.same({ n = 3, nil, "no", "not_sent" }, second.values)
    assert.are.same({ first }, under_way:take(engine:end_call()))
  end)
end)
