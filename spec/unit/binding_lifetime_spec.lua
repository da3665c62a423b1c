-- Lives of the C objects: scopes, forks, and a finalizer that uses what is being used.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")

local folder, store

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir '" .. folder .. "'"))
  store = assert(engine.store_open({ location = folder .. "/s.db", create = true }))
end)

after_each(function()
  store:close()
  store = nil
  collectgarbage()
  os.execute("rm -rf '" .. folder .. "'")
end)

-- Runs `child` in a forked process, which ends without finalizers; what it returned, as text.
local function in_fork(child)
  local ffi = require("ffi")
  ffi.cdef("int fork(void); void _exit(int); int waitpid(int, int *, int);")
  local path = folder .. "/child"
  local pid = ffi.C.fork()
  if pid == 0 then
    local ok, text = pcall(child)
    local file = io.open(path, "w")
    if file then
      file:write((ok and "" or "error: ") .. tostring(text))
      file:close()
    end
    ffi.C._exit(0)
  end
  assert(pid > 0 and ffi.C.waitpid(pid, nil, 0) == pid)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

describe("a fork", function()
  local fork_it = rawget(_G, "jit") and it or function(name)
    pending(name .. ": only LuaJIT can fork without another module", function() end)
  end

  fork_it("does not share ids", function()
    local before = core.id()
    local child = in_fork(function() return core.id() end)
    local after = core.id()
    assert.matches("^[0-9a-f]+$", child)
    assert.are.equal(before:sub(9, 18), after:sub(9, 18)) -- the process' random part
    assert.are_not.equal(before:sub(9, 18), child:sub(9, 18))
  end)

  fork_it("does not share stores", function()
    local answer = in_fork(function()
      local results = {}
      for _, call in ipairs({
        function() return store:emit({ event_type = "event_x", category = "c", data = "{}" }) end,
        function() return store:stats() end,
        function() return store:requests() end,
      }) do
        results[#results + 1] = tostring(select(3, call()))
      end
      store:close()
      collectgarbage()
      return table.concat(results, " ")
    end)
    assert.are.equal("closed closed closed", answer)
    assert.are.equal(0, store:stats().events)
    assert.is_table(store:emit({ event_type = "event_x", category = "c", data = "{}" }))
  end)

  fork_it("does not share workers", function()
    local worker = assert(engine.worker_open({ store = store }))
    assert.is_true(worker:step(0).idle)
    local answer = in_fork(function()
      local code = select(3, worker:step(0))
      worker:close()
      return code
    end)
    assert.are.equal("closed", answer)
    assert.is_true(worker:step(0).idle)
    worker:close()
  end)
end)

describe("a scope", function()
  local chunk = (loadstring or load)([[
    local engine, path = ...
    local kept_store, kept_worker
    do
      local store <close> = assert(engine.store_open({ location = path }))
      local worker <close> = assert(engine.worker_open({ store = store }))
      assert(worker:step(0))
      kept_store, kept_worker = store, worker
    end
    local ends = { tostring(kept_store), tostring(kept_worker) }
    do -- in the other order: the store waits for its worker
      local worker <close> = nil
      local store <close> = assert(engine.store_open({ location = path }))
      kept_worker = assert(engine.worker_open({ store = store }))
      kept_store = store
    end
    ends[3] = tostring(kept_store):match("closed") or "open"
    kept_worker:close()
    ends[4] = tostring(kept_store)
    return ends
  ]])
  local scope_it = chunk and it or function(name)
    pending(name .. ": only Lua 5.4 closes variables", function() end)
  end

  scope_it("closes what is opened in it, a store after its worker", function()
    assert.are.same({ "loyalhook.store (closed)", "loyalhook.worker (closed)", "open",
      "loyalhook.store (closed)" }, chunk(engine, folder .. "/s.db"))
  end)
end)

describe("a finalizer", function()
  -- Runs when the garbage that this makes is collected.
  local function on_collection(callback)
    if newproxy then
      getmetatable(newproxy(true)).__gc = callback
    else
      setmetatable({}, { __gc = callback })
    end
  end

  it("may close the store while a call pushes what it found", function()
    local events = {}
    for index = 1, 500 do
      events[index] = { event_type = "event_x", category = "c", account = "shop-" .. index,
        data = ('{"n":%d}'):format(index) }
    end
    local id = assert(store:emit(events))[500].id
    for _ = 1, 20 do
      local victim = assert(engine.store_open({ location = folder .. "/s.db" }))
      on_collection(function() victim:close() end)
      local results = victim:emit(events)
      assert.is_true(results == nil or #results == 500)
      local event = victim:event(id)
      assert.is_true(event == nil or event.data == '{"n":500}')
      assert.is_true(victim:types() == nil or #store:types() == 1)
      victim:close()
    end
  end)

  it("may step and close the worker while a report is pushed", function()
    assert(store:webhook_create({ name = "w", url = "http://127.0.0.1:9/", event_types = { "*" },
      batch_size = 1, max_in_flight = 8, retry_interval_s = 1 },
      { allow_http = true, allow_networks = { "127.0.0.0/8" } }))
    local stepped = 0
    for _ = 1, 10 do
      local worker = assert(engine.worker_open({ store = store }))
      assert(store:emit({ event_type = "event_x", category = "c", data = "{}" }))
      for _ = 1, 5 do
        on_collection(function()
          worker:step(0)
          stepped = stepped + 1
        end)
        local report = worker:step(10)
        assert.is_table(report.events)
      end
      on_collection(function() worker:close() end)
      collectgarbage("step", 10)
      worker:step(0)
      worker:close()
    end
    collectgarbage()
    assert.are.equal(50, stepped)
  end)

  it("may step and close the worker while ends of calls are pushed", function()
    for round = 1, 20 do
      local worker = assert(engine.worker_open({ store = store }))
      local told = 0
      local function step()
        for _, ended in ipairs((worker:step(0) or { calls = {} }).calls) do
          assert.are.equal("blocked", ended.outcome)
          assert.matches("allow_http", ended.error)
          told = told + 1
        end
      end
      for _ = 1, 50 do
        assert(worker:call({ method = "GET", url = "http://127.0.0.1/" }))
        on_collection(step)
      end
      if round % 2 == 0 then
        on_collection(function() worker:close() end)
      end
      step()
      collectgarbage()
      step()
      assert.is_true(told == 50 or round % 2 == 0)
      worker:close()
    end
  end)
end)
