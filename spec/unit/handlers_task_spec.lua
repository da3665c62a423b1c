-- One attempt as a coroutine: how it begins, waits and ends.

local real = require("loyalhook.engine")
local exchanges = require("loyalhook.handlers.exchanges")
local fake = require("harness.fake_engine")
local task = require("loyalhook.handlers.task")

local engine, door

local function new(handle, data)
  local lease = engine:add(1, { data = data })
  return task.new({ name = "points", handle = handle }, { lease }, door)
end

before_each(function()
  local clock = fake.clock()
  engine = fake.engine()
  door = task.door({ say = function() end, now_ms = clock.now_ms,
    monotonic_ms = clock.monotonic_ms, exchanges = exchanges.new(engine) })
end)

describe("a task", function()
  it("ends with what its function returned", function()
    local made = new(function(event, context)
      assert.are.same({ 5, 1 }, { event.data.points, context.attempt })
      return true
    end)
    assert.is_nil(made.begun)
    assert.are.same({ { kind = "success" } }, task.resume(made, fake.guard))
    assert.is_true(made.begun)
  end)

  it("names file and line of an error", function()
    local results = task.resume(new(function()
      error("mine")
    end), fake.guard)
    assert.are.equal("failure", results[1].kind)
    assert.matches("handlers_task_spec.lua:%d+: mine$", results[1].error)
  end)

  it("is refused if its data cannot be read, or if it yields", function()
    assert.are.equal("refusal", task.resume(new(print, "{"), fake.guard)[1].kind)
    assert.are.same({ { kind = "refusal", error = "the handler yielded; only context.http, "
      .. "context.mail and context.wait wait" } }, task.resume(new(coroutine.yield), fake.guard))
  end)

  it("waits through pcalls for the end of an exchange", function()
    local made = new(function(_, context)
      local ok, answer = pcall(context.http, { url = "https://example.com" })
      return ok and answer.status == 200
    end)
    assert.is_nil(task.resume(made, fake.guard))
    assert.are.equal("call", made.exchange.kind)
    made.exchange.ended, made.exchange.values = true, { { status = 200 }, n = 1 }
    assert.are.same({ { kind = "success" } }, task.resume(made, fake.guard))
  end)

  if coroutine.close then
    it("closes what it had marked to be closed, also when it is cut off while it waits", function()
      local closed
      local handle = assert(load([[
        local to_close, ending = ...
        return function(_, context)
          local held <close> = to_close
          ending(context)
        end]]))(setmetatable({}, { __close = function()
        closed = closed + 1
      end }), function(context)
        if context.attempt == 1 then
          error("mine")
        end
        context.http({ url = "https://example.com" })
      end)
      for attempt = 1, 2 do
        closed = 0
        local lease = engine:add(1, { attempt = attempt })
        local made = task.new({ name = "points", handle = handle }, { lease }, door)
        task.resume(made, fake.guard)
        assert.are.equal(0, closed)
        task.close(made, fake.guard)
        task.close(made, fake.guard)
        assert.are.equal(1, closed)
      end
    end)

    it("is not held up by a close that never ends, nor by one that raises", function()
      for _, code in ipairs({ "while true do pcall(function() while true do end end) end",
        "error('mine')" }) do
        local handle = assert(load("local held <close> = setmetatable({}, { __close = function() "
          .. code .. " end }) error('x')"))
        local made = task.new({ name = "points", handle = handle }, { engine:add() }, door)
        assert.are.equal("failure", task.resume(made, real)[1].kind)
        task.close(made, real)
        assert.are.equal("dead", coroutine.status(made.thread))
      end
    end)
  end

  it("is given back if it is stopped before anything was sent, else it is unknown", function()
    local made = new(print)
    assert.are.equal("given_back", task.stop(made)[1].kind)
    assert.are.equal("failure", task.cut(made, "x")[1].kind)
    task.note(made, { sent = true })
    assert.are.equal("unknown", task.stop(made)[1].kind)
    assert.are.equal("unknown", task.cut(made, "x")[1].kind)
  end)
end)
