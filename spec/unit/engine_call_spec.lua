-- The worker object's calls over real sockets: what goes out, what comes back, what is refused.
-- Every way an answer can go wrong is in spec/c/test_transport_call.c.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")

local LOOPBACK = { allow_http = true, allow_networks = { "127.0.0.0/8" } }

local folder, store, worker, server, base

local function open(changes)
  local options = { store = store }
  for name, value in pairs(changes or LOOPBACK) do options[name] = value end
  worker = assert(engine.worker_open(options))
end

-- Steps until `count` calls have ended; at most 15 s. By number, and the last report.
local function ends(count)
  local until_ms, found, report = core.now_ms() + 15000, {}, nil
  while count > 0 and core.now_ms() < until_ms do
    report = assert(worker:step(100))
    for _, ended in ipairs(report.calls) do
      found[ended.number], count = ended, count - 1
    end
  end
  assert.are.equal(0, count)
  return found, report
end

local function call(given)
  local number = assert(worker:call(given))
  return ends(1)[number]
end

local function assert_refused(wanted, ok, message, code)
  assert.is_nil(ok)
  assert.is_string(message)
  assert.are.equal(wanted, code)
end

describe("calls of the engine", function()
  setup(function()
    server = assert(io.popen("exec python3 spec/harness/mirror.py", "r"))
    base = "http://127.0.0.1:" .. server:read("*l")
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    store = assert(engine.store_open({ location = folder .. "/s.db", create = true }))
  end)

  teardown(function()
    store:close()
    os.execute("rm -rf " .. folder)
    server:close()
  end)

  after_each(function()
    if worker then worker:close() end
    worker = nil
  end)

  it("sends any method and hands the whole answer back", function()
    open()
    for _, method in ipairs({ "POST", "PUT", "PATCH", "DELETE", "GET", "HEAD" }) do
      local body = method ~= "GET" and method ~= "HEAD" and "{\"a\":1}\n" or nil
      local ended = call({ method = method, url = base .. "/x?q=1", body = body,
        headers = { "Content-Type: application/json", "Authorization: Bearer t" } })
      assert.are.equal("answered", ended.outcome)
      assert.are.equal(200, ended.status)
      assert.is_true(ended.sent)
      assert.is_false(ended.truncated)
      assert.is_nil(ended.error)
      assert.are.equal(0, ended.retry_after_ms)
      assert.is_number(ended.duration_ms)
      local headers = {}
      for _, pair in ipairs(ended.headers) do headers[pair[1]] = pair[2] end
      assert.are.equal(method .. " /x?q=1", headers["x-line"])
      assert.are.equal("Bearer t", headers["x-authorization"])
      assert.are.equal(method ~= "HEAD" and (body or "") or "", ended.body)
    end
  end)

  it("runs many at once beside each other", function()
    open()
    local numbers = {}
    for i = 1, 300 do
      numbers[i] = assert(worker:call({ method = "PUT", url = base .. "/" .. i,
        body = ("x"):rep(i) }))
    end
    local found, report = ends(300)
    assert.are.equal(0, report.in_flight)
    for i, number in ipairs(numbers) do
      assert.are.equal(("x"):rep(i), found[number].body)
    end
  end)

  it("cuts a body that is longer than wanted", function()
    open()
    local ended = call({ method = "POST", url = base, body = "0123456789", answer_bytes_max = 4 })
    assert.are.equal("answered", ended.outcome)
    assert.are.equal("0123", ended.body)
    assert.is_true(ended.truncated)
  end)

  it("says that nothing has left", function()
    open({ allow_http = true })
    local ended = call({ method = "GET", url = base })
    assert.are.equal("blocked", ended.outcome)
    assert.matches("allow_networks", ended.error)
    assert.is_false(ended.sent)
    assert.are.equal(0, ended.status)
    assert.are.equal("", ended.body)
    assert.are.same({}, ended.headers)
    worker:close()
    open({ allow_networks = LOOPBACK.allow_networks })
    ended = call({ method = "GET", url = base })
    assert.are.equal("blocked", ended.outcome)
    assert.matches("allow_http", ended.error)
    worker:close()
    open()
    ended = call({ method = "GET", url = "http://127.0.0.1:1/" })
    assert.are.equal("connect", ended.outcome)
    assert.is_false(ended.sent)
  end)

  it("drops a call", function()
    open()
    local number = assert(worker:call({ method = "GET", url = base }))
    assert.are.equal("unsent", worker:cancel_call(number))
    assert.is_nil(worker:cancel_call(number))
    assert.is_nil(worker:cancel_mail(number))
    local report = assert(worker:step(0))
    assert.are.equal(0, report.in_flight)
    assert.are.same({}, report.calls)
    assert.is_boolean(report.woken)
  end)

  it("refuses what is no call", function()
    open()
    local function with(field, value)
      local given = { method = "GET", url = base }
      given[field] = value
      return worker:call(given)
    end
    assert_refused("invalid", with("method", "BREW"))
    assert_refused("invalid", with("method", "get"))
    assert_refused("invalid", with("url", "ftp://127.0.0.1/"))
    assert_refused("invalid", with("url", base .. "/\0"))
    assert_refused("invalid", with("body", "x"))
    assert_refused("invalid", with("headers", { "no colon" }))
    assert_refused("invalid", with("headers", { "A: b\r\nHost: c" }))
    assert_refused("invalid", with("headers", { "Host: c" }))
    assert_refused("invalid", with("timeout_ms", 0))
    assert_refused("invalid", with("answer_bytes_max", 16777217))
    assert_refused("too_large", worker:call({ method = "POST", url = base,
      body = ("x"):rep(16777217) }))
    assert.has_error(function() worker:call() end)
    assert.has_error(function() with("method", 1) end)
    assert.has_error(function() with("headers", { 1 }) end)
    assert.has_error(function() worker:call({ method = "GET" }) end)
    assert.has_error(function() worker:cancel_call("1") end)
    worker:abort()
    assert_refused("refused", with("method", "GET"))
    worker:close()
    assert_refused("closed", with("method", "GET"))
    assert_refused("closed", worker:cancel_call(1))
  end)
end)
