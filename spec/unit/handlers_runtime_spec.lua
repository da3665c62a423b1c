-- The handlers' runtime against an engine that is not there: what is begun, what waits, what is
-- recorded. With the real one see spec/blackbox/test_handlers.py.

local contract = require("loyalhook.handlers.contract")
local engine_module = require("loyalhook.engine")
local events = require("loyalhook.events")
local fake = require("harness.fake_engine")
local room = require("harness.fake_runtime")
local runtime = require("loyalhook.handlers.runtime")

local handler, open, working = room.handler, room.open, room.working
local post, recorded = room.post, room.recorded

local engine, clock

before_each(function()
  engine, clock = room.fresh()
end)

describe("runtime", function()
  it("opens its handlers as they say", function()
    open(handler(post), handler(post, { name = "wallet", event_types = { "event_points_earned" },
      when_unknown = "fail", serial = "member", from = "start" }))
    assert.are.same({
      { name = "points", event_types = { "*" }, serial = false, fails_when_unknown = false,
        from_start = false },
      { name = "wallet", event_types = { "event_points_earned" }, serial = true,
        fails_when_unknown = true, from_start = true },
    }, engine.opened)
  end)

  it("runs what it leases at once, and records it in the next step", function()
    engine:add()
    engine:add()
    local running = working(handler(function()
      return true
    end))
    assert.are.equal(2, running:busy())
    assert.are.equal(0, running:wait_ms())
    local told = assert(running:step(fake.report()))
    assert.are.equal(0, running:busy())
    assert.are.same({ { "points", "e1", "done" }, { "points", "e2", "done" } },
      { { told[1].handler, told[1].id, told[1].state },
        { told[2].handler, told[2].id, told[2].state } })
  end)

  it("wishes for what it has room for, and for nothing once it drains", function()
    engine:add()
    local running = working(handler(post, { concurrency = 3, tries = 2, when_unknown = "fail",
      rate = { count = 5, per_s = 1 } }))
    assert.are.same({ number = 1, concurrency = 3, interval_us = 200000, burst = 1, tries = 2,
      first_ms = 10000, factor = 3, max_ms = 21600000, fails_when_unknown = true, slots = 3 },
      engine.turns[1].handlers[1])
    running:step(fake.report({ woken = true }))
    assert.are.same({ 2, 1 }, { engine.turns[2].handlers[1].slots, engine.turns[2].running })
    running:drain()
    running:step(fake.report({ woken = true }))
    assert.are.same({ 0, 0 }, { engine.turns[3].slots, engine.turns[3].handlers[1].slots })
  end)

  it("makes a turn when somebody committed, when something is due, and each second", function()
    local running = working(handler(post))
    local function turns_after(ms, report)
      local before = #engine.turns
      clock.advance(ms)
      running:step(report or fake.report())
      return #engine.turns - before
    end
    assert.are.equal(0, turns_after(10))
    assert.are.equal(1, turns_after(0, fake.report({ woken = true })))
    assert.are.equal(0, turns_after(999))
    assert.are.equal(1, turns_after(1))
    engine.next_due_ms = clock.now_ms() + 300
    assert.are.equal(1, turns_after(1000))
    assert.are.equal(0, running:wait_ms())
    engine.next_due_ms = clock.now_ms() + 300
    assert.are.equal(1, turns_after(0))
    assert.are.equal(300, running:wait_ms())
    assert.are.equal(0, turns_after(299))
    assert.are.equal(1, turns_after(1))
    engine.next_due_ms, engine.more = nil, true
    assert.are.equal(1, turns_after(1000))
    assert.are.equal(0, running:wait_ms())
    engine.more = false
    assert.are.equal(1, turns_after(0))
    assert.are.equal(1000, running:wait_ms())
  end)

  it("hands a call over and goes on with its answer", function()
    engine:add()
    local got
    local running = working(handler(function(_, context)
      got = context.http({ method = "PUT", url = "https://example.com/a", body = "x",
        headers = { B = "2", A = 1 }, timeout_ms = 50, answer_bytes_max = 10 })
      return true
    end))
    assert.are.same({ method = "PUT", url = "https://example.com/a", body = "x",
      headers = { "A: 1", "B: 2" }, timeout_ms = 50, answer_bytes_max = 10 },
      engine.calls[1].request)
    assert.are.same({ { "success" } }, recorded(running, engine:end_call(1, { status = 201,
      body = "yes", retry_after_ms = 1500,
      headers = { { "a", "1" }, { "b", "2" }, { "a", "3" } } })))
    assert.are.same({ status = 201, body = "yes", headers = { a = "1, 3", b = "2" },
      truncated = false, duration_ms = 3, retry_after_s = 2 }, got)
  end)

  it("tells what became of a call without an answer", function()
    for _, case in ipairs({
      { { outcome = "timeout", sent = true, error = "late" }, "late unknown", "unknown" },
      { { outcome = "connect", sent = false, error = "refused" }, "refused not_sent", "failure" },
      { { outcome = "blocked", sent = false, error = "private" }, "private blocked", "failure" },
    }) do
      engine:add()
      local running = working(handler(post))
      assert.are.same({ { case[3], case[2] } }, recorded(running, engine:end_call(1, case[1])))
    end
    engine.refuses = { "url: bad", "invalid" }
    engine:add()
    assert.are.same({ { "failure", "url: bad invalid" } }, recorded(working(handler(post))))
  end)

  it("lets calls wait that the engine has no room for, in order", function()
    engine.calls_max = 2
    local order = {}
    for _ = 1, 5 do
      engine:add()
    end
    local running = working(handler(function(event, context)
      assert(context.http({ url = "https://example.com/" .. event.id }))
      order[#order + 1] = event.id
      return true
    end))
    for left = 4, 0, -1 do
      recorded(running, engine:end_call())
      assert.are.equal(math.min(left, 2), #engine.calls)
    end
    recorded(running)
    assert.are.same({ "e1", "e2", "e3", "e4", "e5" }, order)
    assert.are.equal(5, #engine.recorded)
  end)

  it("has at most twelve mails under way", function()
    local server = { url = "smtp://localhost", from = "a@example.com" }
    for _ = 1, 14 do
      engine:add()
    end
    local running = working(handler(function(_, context)
      local ended = assert(context.mail({ server = server, to = { "b@example.com" },
        message = "m" }))
      return ended.verdict == "accepted" or nil, ended.error
    end))
    assert.are.equal(12, #engine.mails)
    assert.are.same({ url = "smtp://localhost", from = "a@example.com", to = { "b@example.com" },
      message = "m" }, engine.mails[1].request)
    assert.are.same({ { "success" } }, recorded(running, engine:end_mail()))
    assert.are.equal(12, #engine.mails)
    assert.are.same({ { "unknown", "perhaps" } }, recorded(running,
      engine:end_mail(1, { verdict = "unknown", error = "perhaps" })))
    assert.are.same({ { "failure", "no" } }, recorded(running,
      engine:end_mail(1, { verdict = "refused", error = "no" })))
  end)

  it("hands on what a remote side asked for, and lets the handler rest after a 429", function()
    for _, case in ipairs({ { 429, 7000, 7000, 7000 }, { 503, 7000, 7000 }, { 500, 7000 } }) do
      engine:add()
      local running = working(handler(function(_, context)
        local answer = context.http({ url = "https://example.com" })
        return nil, "answered " .. answer.status
      end))
      recorded(running, engine:end_call(1, { status = case[1], retry_after_ms = case[2] }))
      local result = engine.recorded[#engine.recorded]
      assert.are.same({ case[3], case[4] }, { result.retry_after_ms, result.rest_ms })
    end
  end)

  it("ends an attempt that lasts for too long, unknown if something was sent", function()
    for _, unsent in ipairs({ true, false }) do
      engine:add()
      local running = working(handler(post, { timeout_s = 2.5 }))
      engine.calls[1].unsent = unsent
      assert.are.equal(1000, running:wait_ms())
      clock.advance(2499)
      assert.are.same({}, recorded(running))
      assert.are.equal(1, running:wait_ms())
      clock.advance(1)
      assert.are.same({ { unsent and "failure" or "unknown", "timed out after 2.5 s" } },
        recorded(running))
      assert.are.equal(0, #engine.calls)
      assert.are.equal(0, running:busy())
    end
  end)

  it("ends one that had sent something before it was cut off unknown", function()
    engine:add()
    local running = working(handler(function(_, context)
      context.http({ url = "https://example.com" })
      context.http({ url = "https://example.com" })
      return true
    end, { timeout_s = 1 }))
    running:step(engine:end_call())
    engine.calls[1].unsent = true
    clock.advance(1000)
    assert.are.same({ { "unknown", "timed out after 1 s" } }, recorded(running))
  end)

  it("goes on after errors of any kind, each the end of its task only", function()
    local raised = { "mine", 5, true, {}, { message = "of a table" }, print,
      setmetatable({}, { __tostring = function()
        error("in an error")
      end }) }
    for _ = 1, #raised + 1 do
      engine:add()
    end
    local running = working(handler(function(event)
      local value = raised[tonumber(event.id:sub(2))]
      if value == nil then
        return true
      end
      error(value, 0)
    end))
    assert.are.same({ { "failure", "mine" }, { "failure", "5" }, { "failure", "true" },
      { "failure", "a table instead of a message" }, { "failure", "of a table" },
      { "failure", "a function instead of a message" },
      { "failure", "a table instead of a message" }, { "success" } }, recorded(running))
  end)

  it("cuts off what loops, and lets the others get on", function()
    engine:add()
    engine:add()
    local checked = assert(contract.check_all({ handler(function(event)
      while event.id == "e1" do
        pcall(error)
      end
      return true
    end) }, events.default()))
    local jit = rawget(_G, "jit")
    if jit then
      jit.off()
      jit.flush()
    end
    local tasks = require("loyalhook.handlers.task")
    local most = tasks.INSTRUCTIONS_MAX
    tasks.INSTRUCTIONS_MAX = 100000
    local running = assert(runtime.new({ engine = engine, guard = engine_module,
      handlers = checked, say = function() end, now_ms = clock.now_ms,
      monotonic_ms = clock.monotonic_ms }))
    running:step(fake.report())
    local list = recorded(running)
    tasks.INSTRUCTIONS_MAX = most
    if jit then
      jit.on()
    end
    assert.are.same({ { "failure", "ran for 100000 instructions without waiting" },
      { "success" } }, list)
  end)
end)
