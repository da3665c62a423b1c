-- The handlers' runtime when it must stop, wait or do many things at once: shortages, drains,
-- batches, waits; handlers_runtime_spec.lua has the beginning.

local fake = require("harness.fake_engine")
local room = require("harness.fake_runtime")

local handler, open, working = room.handler, room.open, room.working
local post, recorded = room.post, room.recorded

local engine, clock

before_each(function()
  engine, clock = room.fresh()
end)

describe("runtime", function()
  it("keeps what the store cannot take, starts nothing new, and offers it again", function()
    engine:add()
    local running = working(handler(function()
      return true
    end))
    engine.turn_error = { "disk full", "full" }
    engine:add()
    local told, message, code = running:step(fake.report())
    assert.are.same({ {}, "disk full", "full" }, { told, message, code })
    assert.are.equal(1000, running:wait_ms())
    assert.are.equal(1, running:busy())
    clock.advance(999)
    assert.are.same({ {} }, { running:step(fake.report({ woken = true })) })
    engine.turn_error = nil
    clock.advance(1)
    assert.are.same({ { "success" } }, recorded(running))
    assert.are.same({ { "success" } }, recorded(running))
    engine.turn_error = { "malformed", "store_damaged" }
    clock.advance(1000)
    assert.are.same({ nil, "malformed", "store_damaged" }, { running:step(fake.report()) })
  end)

  it("opens its handlers when the store can, if it could not at first", function()
    engine.turn_error = { "disk full", "full" }
    engine:add()
    local running = open(handler(function()
      return true
    end))
    assert.are.same({ {}, "handler points: disk full", "full" }, { running:step(fake.report()) })
    assert.are.equal("full", select(3, running:pending()))
    engine.turn_error = nil
    clock.advance(1000)
    running:step(fake.report())
    assert.are.same({ { "success" } }, recorded(running))
    assert.are.equal(1, #engine.opened)
    engine.turn_error = { "name: bad", "invalid" }
    local ok, message = pcall(open, handler(print, { name = "other" }))
    assert.is_false(ok)
    assert.matches("handler other: name: bad", tostring(message), 1, true)
  end)

  it("gives back what it has not begun when it drains, and waits for the rest", function()
    local begun = 0
    for _ = 1, 3 do
      engine:add()
    end
    local running = working(handler(function(_, context)
      begun = begun + 1
      clock.advance(15) -- the second one ends the step's time
      return post(nil, context)
    end))
    assert.are.equal(2, begun)
    running:drain()
    assert.are.same({ { "given_back" } }, recorded(running))
    assert.are.equal(2, running:busy())
    assert.are.same({ { "success" } }, recorded(running, engine:end_call()))
    assert.are.equal(1, running:busy())
  end)

  it("stops the rest when it aborts: unsent is given back, sent is unknown", function()
    engine:add()
    engine:add()
    local running = working(handler(post))
    engine.calls[2].unsent = true
    local told = assert(running:abort())
    local states = { [told[1].id] = told[1].kind, [told[2].id] = told[2].kind }
    assert.are.same({ e1 = "unknown", e2 = "given_back" }, states)
    assert.are.equal(0, running:busy())
    assert.are.equal(0, #engine.calls)
    assert.are.same({}, running:abort())
  end)

  it("sends nothing more for tasks that were given to others", function()
    engine.calls_max = 1
    engine:add()
    engine:add()
    local running = working(handler(function(_, context)
      for _ = 1, 2 do
        local answer, message, code = context.http({ url = "https://example.com" })
        if not answer then
          return nil, message .. " " .. code
        end
      end
      return true
    end))
    engine.session_dead = true
    running:step(fake.report({ woken = true }))
    assert.are.same({ { "failure", "this worker was taken for dead not_sent" } },
      recorded(running))
    assert.are.same({ { "failure", "this worker was taken for dead and its tasks were given to "
      .. "others not_sent" } }, recorded(running, engine:end_call()))
    assert.are.equal(0, #engine.calls)
  end)

  it("asks first whose its tasks are by now when it stood still", function()
    engine.calls_max = 1
    for _ = 1, 3 do
      engine:add()
    end
    local running = working(handler(function(event, context)
      if event.id == "e3" then
        clock.advance(25000) -- as os.execute("sleep 25") does
      end
      return context.http({ url = "https://example.com/" .. event.id }) ~= nil or nil, "not sent"
    end))
    engine:add()
    engine.session_dead = true
    running:step(engine:end_call()) -- makes room for e2, which was given to others
    assert.are.equal("https://example.com/e4", engine.calls[1].request.url)
    local ends = {}
    for index, result in ipairs(engine.recorded) do
      ends[index] = result.lease.id .. " " .. result.kind
    end
    table.sort(ends)
    assert.are.same({ "e1 success", "e2 failure", "e3 failure" }, ends)
  end)

  it("hands events over in batches, single and lone ones not", function()
    local sizes = {}
    for index = 1, 7 do
      engine:add(1, { alone = index == 7 })
    end
    local running = working(handler(function()
      sizes[#sizes + 1] = 1
      return true
    end, { batch_max = 5, handle_batch = function(list, context)
      sizes[#sizes + 1] = #list
      assert.are.same({ nil, #list }, { context.idempotency_key, #context.idempotency_keys })
      return { true, { message = "no", kind = "fail" }, { message = "later" }, true }
    end }))
    assert.are.same({ { "success" }, { "refusal", "no" }, { "failure", "later" }, { "success" },
      { "refusal", "handle_batch returned nothing for this event; it returns true when all is "
      .. "done, or nil and a message" }, { "success" }, { "success" } }, recorded(running))
    assert.are.same({ 5, 1, 1 }, sizes)
  end)

  it("lets others wait for what one of them fetches", function()
    local token
    for _ = 1, 3 do
      engine:add()
    end
    local running = working(handler(function(event, context)
      if event.id == "e1" then
        token = context.http({ url = "https://example.com" }).body
      elseif not context.wait(function()
        return token ~= nil
      end, 5000) then
        return nil, "waited in vain"
      end
      return token == "t"
    end))
    assert.are.equal(1, #engine.calls)
    assert.is_true(running:wait_ms() <= 100)
    assert.are.same({ { "success" }, { "success" }, { "success" } }, (function()
      local list = recorded(running, engine:end_call(1, { body = "t" }))
      for _, entry in ipairs(recorded(running)) do
        list[#list + 1] = entry
      end
      return list
    end)())
  end)

  it("ends a wait whose time is over", function()
    engine:add()
    local running = working(handler(function(_, context)
      return nil, tostring(context.wait(function() end, 250))
    end))
    assert.are.same({}, recorded(running)) -- something went on, so it looks again
    for _ = 1, 2 do
      assert.are.equal(100, running:wait_ms())
      clock.advance(100)
      assert.are.same({}, recorded(running))
    end
    clock.advance(100)
    assert.are.same({ { "failure", "false" } }, recorded(running))
  end)

  it("runs two thousand at once", function()
    for _ = 1, 2000 do
      engine:add(engine._task % 2 + 1)
    end
    local running = open(handler(post, { concurrency = 1024 }),
      handler(post, { concurrency = 1024, name = "other" }))
    for _ = 1, 6 do
      running:step(fake.report({ woken = true }))
    end
    assert.are.equal(2000, running:busy())
    while running:busy() > 0 do
      running:step(engine.calls[1] and engine:end_call() or fake.report())
    end
    assert.are.equal(2000, #engine.recorded)
  end)
end)
