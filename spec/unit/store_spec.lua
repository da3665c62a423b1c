-- The store object: opening, emitting, reading back, closing, and what is refused.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")

local folder, store

local function path(name) return folder .. "/" .. name end

local function exists(name)
  local file = io.open(path(name), "rb")
  if file then file:close() end
  return file ~= nil
end

local function write(name, text)
  local file = assert(io.open(path(name), "wb"))
  file:write(text)
  file:close()
end

local function open(changes)
  local options = { location = "sqlite:" .. path("s.db"), create = true }
  for name, value in pairs(changes or {}) do options[name] = value end
  return engine.store_open(options)
end

local function event(changes)
  local fields = { event_type = "event_x", category = "system", data = '{"a":1}' }
  for name, value in pairs(changes or {}) do fields[name] = value end
  return fields
end

local function webhook_fields(changes)
  local fields = { name = "crm", url = "https://example.com/hook", event_types = { "*" } }
  for name, value in pairs(changes or {}) do fields[name] = value or nil end
  return fields
end

-- Calls back when the garbage that this makes is collected.
local function on_collection(callback)
  if newproxy then
    getmetatable(newproxy(true)).__gc = callback
  else
    setmetatable({}, { __gc = callback })
  end
end

local function assert_refused(wanted, ok, message, code)
  assert.is_nil(ok)
  assert.is_string(message)
  assert.is_nil(message:find("\n", 1, true))
  assert.are.equal(wanted, code)
  return message
end

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir '" .. folder .. "'"))
  store = assert(open())
end)

after_each(function()
  store:close()
  store = nil
  collectgarbage()
  os.execute("rm -rf '" .. folder .. "'")
end)

describe("engine.store_open", function()
  it("refuses what is not a store, and leaves no trace", function()
    assert_refused("store_missing", open({ location = path("none.db"), create = false }))
    assert.is_false(exists("none.db"))
    assert_refused("store_exists", open({ create_only = true }))
    write("text.db", ("not a database, but long enough for a header\n"):rep(40))
    assert_refused("store_foreign", open({ location = path("text.db") }))
    assert_refused("config", open({ location = "postgresql://x" }))
    assert_refused("invalid", open({ location = path("a\0b.db") }))
    assert_refused("config", open({ location = "" }))
    assert_refused("invalid", open({ wal_bytes_max = 1.5 }))
    assert_refused("invalid", open({ webhooks_max = 2 ^ 40 }))
  end)

  it("raises for wrong types", function()
    for _, options in ipairs({ {}, { location = 1 }, { location = "x", create = 1 },
      { location = "x", key_file = {} }, { location = "x", wal_bytes_max = "1" } }) do
      assert.has_error(function() engine.store_open(options) end)
    end
    assert.has_error(function() engine.store_open() end)
    assert.has_error(function() engine.store_open("x") end)
  end)

  it("keeps what was stored", function()
    local id = assert(store:emit({ event() }))[1].id
    assert.is_true(store:close())
    store = assert(open({ create = false }))
    assert.are.equal('{"a":1}', store:event(id).data)
    assert.are.same({ { name = "event_x", category = "system" } }, store:types())
  end)
end)

describe("store:close", function()
  it("may be called twice; any method then answers closed", function()
    assert.matches("^loyalhook%.store %(", tostring(store))
    assert.is_true(store:close())
    assert.is_true(store:close())
    assert.are.equal("loyalhook.store (closed)", tostring(store))
    for _, call in ipairs({
      function() return store:emit({ event() }) end, function() return store:emit({}) end,
      function() return store:event(core.id()) end, function() return store:types() end,
      function() return store:webhook_create(webhook_fields()) end,
      function() return store:webhooks() end, function() return store:webhook(nil, "crm") end,
      function() return store:requests() end, function() return store:request(core.id()) end,
      function() return store:stats() end, function() return store:health() end,
      function() return store:pending_work() end, function() return store:backup("x") end,
      function() return store:key_check() end, function() return store:retry({}) end,
      function() return store:retry_count() end, function() return store:job_create() end,
      function() return store:job_step(core.id()) end, function() return store:job(core.id()) end,
      function() return store:jobs() end,
    }) do
      assert.are.equal("store is closed", assert_refused("closed", call()))
    end
    assert_refused("closed", engine.worker_open({ store = store }))
  end)

  it("is not a method of anything else", function()
    for _, wrong in ipairs({ {}, io.stdout, "x", 1 }) do
      assert.has_error(function() store.close(wrong) end)
      assert.has_error(function() store.emit(wrong, {}) end)
    end
    assert.has_error(function() store.close() end)
    assert.is_false(getmetatable(store))
  end)
end)

describe("store:emit", function()
  it("keeps odd but valid JSON byte for byte", function()
    local odd = { "{}", " {\t\"a\" :\r\n1 } ", '{"a":1e400,"b":-0,"c":1.0}',
      '{"\\u0000":"\\ud83d\\ude00"}', '{"a":1,"a":2}', '{"é":"☃ 😀"}', '{"/":"\\/"}',
      '{"":{"":[[[]]]}}',
      '{"n":123456789012345678901234567890}', '{"a":"' .. ("x"):rep(100000) .. '"}' }
    local events = {}
    for index, data in ipairs(odd) do events[index] = event({ data = data }) end
    for index, result in ipairs(assert(store:emit(events))) do
      assert.are.equal(odd[index], store:event(result.id).data)
    end
  end)

  it("stores thousands in one call, in order", function()
    local events = {}
    for index = 1, 3000 do
      events[index] = event({ data = ('{"member_info":{"id":"m%d"}}'):format(index) })
    end
    for _ = 1, 3 do
      local results = assert(store:emit(events, "all"))
      assert.are.equal(3000, #results)
      for index = 1, 3000, 499 do
        assert.are.equal(events[index].data, store:event(results[index].id).data)
      end
    end
    assert.are.equal(9000, store:stats().events)
  end)

  it("takes a single event's table and an empty array", function()
    local results = assert(store:emit(event({ account = "shop-7" })))
    assert.are.equal(1, #results)
    local stored = store:event(results[1].id)
    assert.are.equal("shop-7", stored.account)
    assert.are.equal("event_x", stored.event_type)
    assert.is_true(math.abs(stored.created_ms - core.now_ms()) < 60000)
    assert.are.same({}, store:emit({}))
    assert.are.equal("default", store:event(store:emit({ event() })[1].id).account)
  end)

  it("knows keys and ids again", function()
    local id = core.id()
    local keyed = event({ idempotency_key = "order-1" })
    local given = event({ id = id, data = '{"b":1}' })
    local first = assert(store:emit({ keyed, given }))
    assert.are.equal(id, first[2].id)
    assert.is_nil(first[1].duplicate)
    local again = assert(store:emit({ keyed, given }, "each"))
    assert.are.same({ { id = first[1].id, duplicate = true }, { id = id, duplicate = true } },
      again)
    local _, message, code, index = store:emit({ given, event({ id = id, data = "{}" }) })
    assert.is_string(message)
    assert.are.equal("conflict", code)
    assert.are.equal(2, index)
    local results = assert(store:emit({ event({ id = id, data = "{}" }), event() }, "each"))
    assert.are.equal("conflict", results[1].code)
    assert.is_string(results[1].message)
    assert.is_nil(results[1].id)
    assert.is_string(results[2].id)
  end)

  it("refuses wrong values: all or nothing, or each by itself", function()
    local wrong = {
      { account = "a b" }, { account = "" }, { account = ("a"):rep(65) }, { account = "a\0b" },
      { event_type = "Event X" }, { event_type = "" }, { category = "a.b" }, { category = "" },
      { id = "61F11851BDFB9AAC526D0C70" }, { id = "x" }, { idempotency_key = "" },
      { idempotency_key = ("k"):rep(256) }, { idempotency_key = "\255" }, { data = "[]" },
      { data = "" }, { data = '{"a":"\255"}' }, { data = '{"a":1} ' .. "x" },
      { data = '{"a":' .. ("["):rep(64) .. ("]"):rep(64) .. "}" },
    }
    local events = {}
    for _, changes in ipairs(wrong) do
      events[#events + 1], events[#events + 2] = event(changes), event()
      local ok, message, code, index = store:emit({ event(), event(changes), event() })
      assert_refused("invalid", ok, message, code)
      assert.matches(next(changes), message, 1, true)
      assert.are.equal(2, index)
    end
    assert.are.equal(0, store:stats().events)
    local results = assert(store:emit(events, "each"))
    for index = 1, #events, 2 do
      local field = next(wrong[(index + 1) / 2])
      assert.are.equal("invalid", results[index].code)
      assert.matches(field, results[index].message, 1, true)
      assert.is_nil(results[index].id)
      assert.is_string(results[index + 1].id)
    end
    assert.are.equal(#wrong, store:stats().events)
  end)

  it("refuses too much", function()
    local large = '{"a":"' .. ("x"):rep(core.limits.event_bytes_max) .. '"}'
    assert_refused("too_large", store:emit({ event({ data = large }) }))
    local many, one = {}, event()
    for index = 1, core.limits.emit_many_max + 1 do many[index] = one end
    assert_refused("limit", store:emit(many))
  end)

  it("raises for wrong types and names the event", function()
    for _, changes in ipairs({ { account = 1 }, { event_type = {} }, { id = 1 }, { data = {} },
      { idempotency_key = 1 }, { category = true } }) do
      local ok, message = pcall(store.emit, store, { event(), event(changes) })
      assert.is_false(ok)
      assert.matches("events[2]." .. next(changes), message, 1, true)
    end
    for _, field in ipairs({ "event_type", "category", "data" }) do
      local missing = event()
      missing[field] = nil
      assert.has_error(function() store:emit({ event(), missing }) end)
    end
    assert.has_error(function() store:emit({ 1 }) end)
    assert.has_error(function() store:emit("x") end)
    assert.has_error(function() store:emit({ event() }, "some") end)
    assert.are.equal(0, store:stats().events)
    assert.is_table(store:emit({ event() }))
  end)

  it("reads tables raw: no metamethod runs in between", function()
    local proxy = setmetatable({}, { __index = function() error("must not be called") end })
    assert.has_error(function() store:emit({ proxy }) end, nil)
    local ok, message = pcall(store.emit, store, { proxy })
    assert.is_false(ok)
    assert.matches("events[1].event_type", message, 1, true)
  end)

  it("may be called by a finalizer while its results are made", function()
    local inner = 0
    for _ = 1, 50 do
      on_collection(function() inner = inner + #assert(store:emit({ event(), event() })) end)
      local events = {}
      for index = 1, 200 do events[index] = event() end
      for _, result in ipairs(assert(store:emit(events))) do assert.are.equal(24, #result.id) end
    end
    collectgarbage()
    assert.are.equal(100, inner)
  end)
end)

describe("store:event", function()
  it("refuses unknown and malformed ids", function()
    assert_refused("not_found", store:event(core.id()))
    assert_refused("invalid", store:event("x"))
    assert.has_error(function() store:event() end)
    assert.has_error(function() store:event(1) end)
  end)
end)

describe("care", function()
  it("shows figures and findings", function()
    local webhook = assert(store:webhook_create(webhook_fields()))
    assert(store:emit({ event(), event({ account = "other" }) }))
    local stats = store:stats()
    assert.are.equal(2, stats.events)
    assert.are.equal(1, stats.webhooks)
    assert.are.equal(1, stats.waiting)
    assert.are.equal(0, stats.requests.delivered)
    assert.are.equal(1, store:stats({ webhook = webhook.id }).waiting)
    assert_refused("not_found", store:stats({ webhook = core.id() }))
    assert_refused("invalid", store:stats({ webhook = "crm" }))
    local health = store:health(true)
    assert.are.equal("ok", health.integrity)
    assert.is_true(health.key_present and health.key_readable)
    assert.are.equal(1, store:pending_work().due)
    assert.is_true(store:key_check())
  end)

  it("copies the store to a new file only", function()
    local id = assert(store:emit({ event() }))[1].id
    assert.is_true(store:backup(path("copy.db")))
    assert_refused("refused", store:backup(path("copy.db")))
    assert_refused("invalid", store:backup(""))
    assert.has_error(function() store:backup() end)
    local copy = assert(engine.store_open({ location = path("copy.db") }))
    assert.are.equal('{"a":1}', copy:event(id).data)
    copy:close()
  end)

  it("misses the key file", function()
    assert(store:webhook_create(webhook_fields()))
    store:close()
    os.remove(path("s.db.key"))
    store = assert(open({ create = false }))
    assert_refused("key_missing", store:key_check())
    assert_refused("key_missing", store:webhook_create(
      webhook_fields({ name = "b", url = "https://example.com/b" })))
    assert.is_table(store:emit({ event() }))
  end)
end)
