-- engine.watch: whatever Lua code does, it is cut off when it goes on for too long, and the caller
-- gets on. Each case below would run for ever.

local engine = require("loyalhook.engine")

local jit = rawget(_G, "jit")
local INSTRUCTIONS, CPU_MS = 300000, 60000

local function forever()
  while true do end
end

local function class(name, method)
  return setmetatable({}, { [name] = method })
end

-- name → what runs for ever
local cases = {}

cases["an empty loop"] = forever

cases["a loop of pcalls that fail"] = function()
  while true do
    pcall(error)
  end
end

cases["a loop in a pcall in a loop"] = function()
  while true do
    pcall(forever)
  end
end

cases["endless recursion by tail calls"] = function()
  local function again()
    return again()
  end
  again()
end

cases["a stack that overflows again and again"] = function()
  local function deeper()
    return 1 + deeper()
  end
  while true do
    pcall(deeper)
  end
end

cases["a loop in an error handler"] = function()
  while true do
    xpcall(error, forever)
  end
end

cases["loops in error handlers of error handlers"] = function()
  while true do
    xpcall(function()
      xpcall(error, function()
        while true do
          pcall(error)
        end
      end)
    end, forever)
  end
end

cases["a loop whose error handler would tell where it was"] = function()
  while true do
    xpcall(forever, debug.traceback)
  end
end

cases["a comparator of a sort"] = function()
  table.sort({ 3, 2, 1, 5, 4 }, forever)
end

cases["a comparator of a sort in a pcall in a loop"] = function()
  while true do
    pcall(table.sort, { 3, 2, 1, 5, 4 }, forever)
  end
end

cases["a comparator with pcalls of its own"] = function()
  table.sort({ 3, 2, 1, 5, 4 }, function()
    while true do
      pcall(forever)
    end
  end)
end

cases["a comparator with an error handler that loops too"] = function()
  while true do
    pcall(table.sort, { 3, 2, 1, 4 }, function()
      xpcall(forever, forever)
    end)
  end
end

cases["a function of a gsub"] = function()
  while true do
    pcall(string.gsub, "aaa", "a", forever)
  end
end

cases["what load reads from"] = function()
  return load(forever)
end

cases["what load reads from, in a loop"] = function()
  while true do
    load(forever)
  end
end

cases["a metamethod __index"] = function()
  return class("__index", forever).field
end

cases["a metamethod __lt"] = function()
  local mt = { __lt = forever }
  return setmetatable({}, mt) < setmetatable({}, mt)
end

cases["a metamethod __concat"] = function()
  return "a" .. class("__concat", forever)
end

cases["a metamethod __tostring"] = function()
  return tostring(class("__tostring", forever))
end

cases["errors with a metamethod"] = function()
  while true do
    pcall(error, class("__tostring", forever))
  end
end

cases["a coroutine of its own"] = function()
  while true do
    coroutine.resume(coroutine.create(forever))
  end
end

cases["a wrapped coroutine with pcalls"] = function()
  while true do
    pcall(coroutine.wrap(function()
      while true do
        pcall(forever)
      end
    end))
  end
end

cases["coroutines that make coroutines"] = function()
  local function deeper(n)
    if n == 0 then
      forever()
    end
    while true do
      coroutine.wrap(deeper)(n - 1)
    end
  end
  deeper(20)
end

cases["short coroutines without end"] = function()
  while true do
    coroutine.wrap(function()
      for _ = 1, 200 do end
    end)()
  end
end

cases["an iterator that is a coroutine"] = function()
  while true do
    for _ in coroutine.wrap(forever) do end
  end
end

cases["a generator without end"] = function()
  local following = coroutine.wrap(function()
    while true do
      coroutine.yield(1)
    end
  end)
  while true do
    following()
  end
end

cases["a gsub in a coroutine"] = function()
  coroutine.wrap(function()
    while true do
      pcall(string.gsub, "aaa", "a", forever)
    end
  end)()
end

cases["code that was text"] = function()
  local chunk = (loadstring or load)("while true do end")
  while true do
    pcall(chunk)
  end
end

-- What only Lua 5.4 has.
local NEWER = [[
  local cases, class, forever = ...
  cases["closing a variable"] = function()
    while true do
      local _ <close> = class("__close", forever)
    end
  end
  cases["closing a variable after an error"] = function()
    while true do
      pcall(function()
        local _ <close> = class("__close", forever)
        error("x")
      end)
    end
  end
  cases["closing a coroutine"] = function()
    while true do
      local thread = coroutine.create(function()
        local _ <close> = class("__close", forever)
        coroutine.yield()
      end)
      coroutine.resume(thread)
      pcall(coroutine.close, thread)
    end
  end
]]

if not jit then
  load(NEWER)(cases, class, forever)
end

-- Runs it as the runtime does. Returns what resume did, then why it was cut off.
local function run(chunk, instructions, cpu_ms, ...)
  local thread = coroutine.create(chunk)
  if jit then
    jit.off()
    jit.flush() -- what is compiled already grows over its exits, also with the compiler off
  end
  engine.watch(thread, instructions, cpu_ms)
  local results = { coroutine.resume(thread, ...) }
  local reason = engine.unwatch(thread)
  if jit then
    jit.on()
  end
  return results, reason, thread
end

describe("engine.watch cuts off", function()
  for name, chunk in pairs(cases) do
    it(name, function()
      local results, reason = run(chunk, INSTRUCTIONS, CPU_MS)
      assert.are.equal("instructions", reason)
      assert.is_true(not results[1] or results[2] == nil)
      assert.is_nil((debug.gethook()))
      assert.are.same({ { true, "done" } }, { (run(function()
        for _ = 1, 1000 do end -- no trace of the one before
        return "done"
      end, INSTRUCTIONS, CPU_MS)) })
    end)
  end

  it("what takes long in few instructions", function()
    local _, reason = run(function()
      local text = ("x"):rep(100000)
      while true do
        text:gsub("x", "y")
      end
    end, 1000000000, 30)
    assert.are.equal("time", reason)
  end)

  it("a loop that was compiled outside of it", function()
    local function spin(n)
      local sum = 0
      for i = 1, n do
        sum = sum + i % 7
      end
      return sum
    end
    spin(10000)
    local _, reason = run(function()
      while true do
        spin(1000)
      end
    end, INSTRUCTIONS, CPU_MS)
    assert.are.equal("instructions", reason)
  end)
end)

describe("engine.watch", function()
  it("lets alone what ends, waits or fails in time", function()
    local results, reason, thread = run(function(first)
      local second = coroutine.yield(first + 1)
      return second
    end, INSTRUCTIONS, CPU_MS, 1)
    assert.are.same({ { true, 2 } }, { results, reason })
    engine.watch(thread, INSTRUCTIONS, CPU_MS)
    assert.are.same({ true, 5 }, { coroutine.resume(thread, 5) })
    assert.is_nil(engine.unwatch(thread))
    results, reason = run(function()
      error({ "mine" }, 0)
    end, INSTRUCTIONS, CPU_MS)
    assert.are.same({ { false, { "mine" } } }, { results, reason })
  end)

  it("counts anew each time", function()
    local thread = coroutine.create(function()
      for _ = 1, 20 do
        for _ = 1, 20000 do end
        coroutine.yield()
      end
    end)
    for _ = 1, 20 do
      engine.watch(thread, 60000, CPU_MS)
      assert.is_true(coroutine.resume(thread))
      assert.is_nil(engine.unwatch(thread))
    end
  end)

  it("leaves the hook that was there", function()
    local seen = 0
    local function count()
      seen = seen + 1
    end
    debug.sethook(count, "", 1)
    run(forever, 2000, CPU_MS)
    local after, mask, every = debug.gethook()
    debug.sethook()
    assert.are.same({ count, "", 1 }, { after, mask, every })
    local before = seen
    assert.is_true(before > 0)
  end)

  it("leaves coroutines of the watched one alone when others run them", function()
    local kept
    run(function()
      kept = coroutine.create(function()
        for _ = 1, 100000 do end
        return "whole"
      end)
      forever()
    end, 10000, CPU_MS)
    assert.are.same({ true, "whole" }, { coroutine.resume(kept) })
  end)

  it("refuses what is no thread, and a second one", function()
    local thread = coroutine.create(forever)
    assert.has_error(function()
      engine.watch(forever, 1, 1)
    end)
    assert.has_error(function()
      engine.watch(thread, 0, 1)
    end)
    assert.has_error(function()
      engine.unwatch(thread)
    end)
    engine.watch(thread, 1000, CPU_MS)
    assert.has_error(function()
      engine.watch(coroutine.create(forever), 1000, CPU_MS)
    end)
    engine.unwatch(thread)
  end)
end)
