-- What surrounds nginx's thread pool, with an nginx of tables: which requests go together, and what
-- becomes of them when timers or threads fail. The same in a real nginx is in spec/openresty.

local loyalhook = require("loyalhook")
local openresty = require("loyalhook.openresty")
local queue = require("loyalhook.openresty.queue")

local SECRET = "a secret for tests"

-- Requests are coroutines; a semaphore's wait yields until it is posted or its time is over.
local world

local function new_world()
  local self = { now_s = 1000, timers = {}, tasks = {}, running = {}, lines = {} }
  self.ngx = {
    now = function() return self.now_s end,
    timer = { at = function(_, callback, ...)
      if self.no_timers then
        return nil, "too many pending timers"
      end
      self.timers[#self.timers + 1] = { callback, ... }
      return true
    end },
    run_worker_thread = function(pool, module, method, settings, items)
      self.tasks[#self.tasks + 1] = { pool = pool, module = module, method = method,
        settings = settings, items = items }
      if self.broken then
        return self.broken()
      end
      coroutine.yield("thread")
      local results = {}
      for index, item in ipairs(items) do
        results[index] = "done " .. item
      end
      return true, results
    end,
  }
  self.semaphore = { new = function()
    local posted = 0
    return { post = function(_, count) posted = posted + count end,
      wait = function(_, timeout_s)
        local end_s = self.now_s + timeout_s
        while posted == 0 and self.now_s < end_s do
          coroutine.yield("semaphore")
        end
        posted = math.max(0, posted - 1)
      end }
  end }
  return self
end

local function start(work, ...)
  local routine = coroutine.create(work)
  assert(coroutine.resume(routine, ...))
  world.running[#world.running + 1] = routine
end

-- Everybody goes on as far as they can, once.
local function go_on()
  local routines = world.running
  world.running = {}
  for _, routine in ipairs(routines) do
    if coroutine.status(routine) ~= "dead" then
      assert(coroutine.resume(routine))
      world.running[#world.running + 1] = routine
    end
  end
end

local function run_timers(premature)
  local timers = world.timers
  world.timers = {}
  for _, timer in ipairs(timers) do
    start(function()
      timer[1](premature or false, timer[2], timer[3])
    end)
  end
end

local function settle()
  for _ = 1, 10 do
    run_timers()
    go_on()
  end
end

local function sizes()
  local list = {}
  for index, task in ipairs(world.tasks) do
    list[index] = #task.items
  end
  return list
end

local given, results

local function new_queue(changes)
  local options = { method = "accept", settings = {}, log = function(level, message, fields)
    world.lines[#world.lines + 1] = { level = level, message = message, fields = fields }
  end }
  for name, value in pairs(changes or {}) do
    options[name] = value
  end
  given = queue.new(options)
  results = {}
  return given
end

local function submit(item, bytes)
  start(function()
    results[item] = { given:submit(item, bytes or 10) }
  end)
end

describe("the queue before nginx's thread pool", function()
  before_each(function()
    world = new_world()
    _G.ngx = world.ngx
    package.loaded["ngx.semaphore"] = world.semaphore
  end)

  after_each(function()
    _G.ngx = nil
    package.loaded["ngx.semaphore"] = nil
  end)

  it("makes one task of what came before its timer, and one of what came meanwhile", function()
    new_queue({ threads = "mine" })
    for number = 1, 5 do
      submit("a" .. number)
    end
    run_timers()
    assert.are.same({ 5 }, sizes())
    assert.are.same({ "mine", "loyalhook.openresty.thread", "accept" }, { world.tasks[1].pool,
      world.tasks[1].module, world.tasks[1].method })
    for number = 1, 7 do
      submit("b" .. number)
    end
    run_timers()
    assert.are.same({ 5 }, sizes())
    settle()
    assert.are.same({ 5, 7 }, sizes())
    for _, name in ipairs({ "a1", "a5", "b1", "b7" }) do
      assert.are.same({ "done " .. name }, results[name])
    end
    assert.are.same({ tasks = 2, items = 12, running = 0, waiting = 0 }, given:figures())
  end)

  it("makes a second task beside one that takes long, and never a third", function()
    new_queue()
    for number = 1, 4 do
      submit("a" .. number)
      run_timers()
      world.now_s = world.now_s + 0.1
    end
    assert.are.same({ 1, 1 }, sizes())
    settle()
    assert.are.same({ 1, 1, 2 }, sizes())
  end)

  it("bounds a task by items and by bytes, and lets one that is larger go alone", function()
    new_queue()
    for number = 1, 300 do
      submit("s" .. number)
    end
    settle()
    assert.are.same({ 256, 44 }, sizes())
    world.tasks = {}
    for number, megabytes in ipairs({ 5, 4, 1, 9, 1 }) do
      submit("l" .. number, megabytes * 1024 * 1024)
    end
    settle()
    assert.are.same({ 1, 2, 1, 1 }, sizes())
  end)

  it("refuses what would wait behind too much", function()
    new_queue({ waiting_max = 2 })
    for number = 1, 3 do
      submit("a" .. number)
    end
    assert.are.equal("overload", results.a3[3])
    settle()
    assert.are.same({ "done a2" }, results.a2)
    submit("large", 60 * 1024 * 1024)
    submit("larger", 5 * 1024 * 1024)
    assert.are.equal("overload", results.larger[3])
    settle()
    submit("after")
    settle()
    assert.are.same({ "done after" }, results.after)
  end)

  it("does not let anybody wait for ever, and forgets those who no longer do", function()
    new_queue({ wait_s = 5 })
    submit("a")
    world.now_s = world.now_s + 5
    go_on()
    assert.are.equal("timeout", results.a[3])
    submit("b")
    settle()
    assert.are.same({ 1 }, sizes())
    assert.are.same({ "b" }, world.tasks[1].items)
    assert.are.same({ "done b" }, results.b)
  end)

  it("tells everybody in a task that failed, and names the missing directive", function()
    new_queue()
    local failures = {
      { function() return false, "thread pool loyalhook not found" end, "thread_pool loyalhook" },
      { function() return false, "no available Lua vm" end, "lua_worker_thread_vm_pool_size" },
      { function() error("boom") end },
      { function() return true, nil end },
      { function() return true, {} end },
    }
    for index, failure in ipairs(failures) do
      world.broken = failure[1]
      submit("a" .. index)
      submit("b" .. index)
      settle()
      assert.are.equal("thread", results["a" .. index][3])
      assert.are.equal("thread", results["b" .. index][3])
      if failure[2] then
        assert.is_truthy(world.lines[index].fields.hint:find(failure[2], 1, true))
      end
    end
    assert.are.equal(4, #world.lines)
    world.broken = nil
    submit("after")
    settle()
    assert.are.same({ "done after" }, results.after)
  end)

  it("says which nginx it needs where threads are missing", function()
    world.ngx.run_worker_thread = nil
    new_queue()
    submit("a")
    settle()
    assert.are.equal("thread", results.a[3])
    assert.is_truthy(world.lines[1].fields.problem:find("lua-nginx-module", 1, true))
  end)

  it("works off what waits when nginx is about to leave", function()
    new_queue()
    submit("a")
    run_timers(true)
    settle()
    assert.are.same({ "done a" }, results.a)
  end)

  it("answers at once when there are no timers, unless a task is under way", function()
    new_queue()
    world.no_timers = true
    submit("a")
    assert.are.equal("thread", results.a[3])
    world.no_timers = false
    submit("b")
    run_timers()
    world.no_timers = true
    submit("c")
    settle()
    assert.are.same({ "done c" }, results.c)
    assert.are.same({ 1, 1 }, sizes())
  end)

  it("is not stopped by timers that nginx never ran", function()
    new_queue()
    submit("a")
    submit("b")
    local lost = world.timers
    world.timers = {}
    world.now_s = world.now_s + 6
    settle()
    assert.are.same({ { "done a" }, { "done b" } }, { results.a, results.b })
    assert.is_truthy(world.lines[1].message:find("lua_max_running_timers", 1, true))
    world.timers = lost
    settle()
    assert.are.same({ 2 }, sizes())
  end)
end)

describe("openresty", function()
  it("makes receivers and senders without opening a store", function()
    assert(openresty.receiver({ store = "sqlite:/nowhere/x.db",
      sources = { zinrelo = { secrets = { SECRET } } } }))
    assert(openresty.sender({ store = "sqlite:/nowhere/x.db" }))
    assert.are.equal("config", select(3, openresty.receiver({ sources = { zinrelo = {} } })))
    assert.are.equal("invalid", select(3, openresty.sender({ types = { {} } })))
  end)

  it("raises at the caller's line for what only a programmer can get wrong", function()
    local made = assert(openresty.receiver({}))
    local sender = assert(openresty.sender({}))
    for index, wrong in ipairs({
      function() local _ = openresty.receiver({ source = {} }) end,
      function() local _ = openresty.sender({ sources = {} }) end,
      function() local _ = openresty.accept({}, "zinrelo") end,
      function() local _ = openresty.accept(made, nil) end,
      function() local _ = openresty.emit(made, "event_x", "{}") end,
      function() local _ = openresty.emit(sender, "event_x", "{}", { key = "k" }) end,
      function() local _ = openresty.emit_many(sender, "x") end,
    }) do
      local ok, message = pcall(wrong)
      assert.is_false(ok)
      assert.is_truthy(message:find("openresty_spec.lua", 1, true), index .. message)
    end
  end)

  it("refuses data that is none before it bothers the thread", function()
    local sender = assert(openresty.sender({}))
    local payload = loyalhook.payload
    for _, given_data in ipairs({ 7, { print }, payload.member_update({}),
      payload.points_earned({ member_info = { id = "m" }, transaction_info = { id = "t" } }) }) do
      local id, message, code = openresty.emit(sender, "event_member_update", given_data)
      assert.is_nil(id)
      assert.are.same({ "string", "invalid" }, { type(message), code })
    end
    assert.are.same({ "invalid", 2 }, { select(3, openresty.emit_many(sender,
      { { event_type = "event_x", data = "{}" }, { event_type = 7 } })) })
  end)
end)
