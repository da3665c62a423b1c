-- The worker object over a real store and real sockets: one delivery, one failure, one refusal,
-- signals, and ends in any order. What a worker decides is tested by scenarios.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")

local LUA = rawget(_G, "jit") and "luajit" or "lua5.4"
local LOOPBACK = { allow_http = true, allow_networks = { "127.0.0.0/8" } }
local SECRET = "0123456789abcdef"

local folder, store, worker

-- An endpoint that gives these answers and then ends.
local function endpoint(...)
  local pipe = assert(io.popen("exec python3 spec/harness/answer.py "
    .. table.concat({ ... }, " "), "r"))
  return pipe, "http://127.0.0.1:" .. pipe:read("*l") .. "/hook"
end

local function create(url, changes)
  local fields = { name = "crm", url = url, secret = SECRET, event_types = { "*" } }
  for name, value in pairs(changes or {}) do fields[name] = value end
  return assert(store:webhook_create(fields, LOOPBACK))
end

local function emit(data)
  return assert(store:emit({ { event_type = "event_x", category = "system", data = data } }))[1].id
end

local function open(changes)
  local options = { store = store, concurrency = 8 }
  for name, value in pairs(LOOPBACK) do options[name] = value end
  for name, value in pairs(changes or {}) do options[name] = value end
  return engine.worker_open(options)
end

-- Steps until an attempt has ended; at most 15 s.
local function next_event()
  local until_ms = core.now_ms() + 15000
  while core.now_ms() < until_ms do
    local report = assert(worker:step(100))
    if report.events[1] then return report.events[1], report end
  end
  error("no attempt ended")
end

local function assert_refused(wanted, ok, message, code)
  assert.is_nil(ok)
  assert.is_string(message)
  assert.are.equal(wanted, code)
end

-- Runs a script in a process of its own; its exit code (128 + n for signal n) and its output.
local function run(script, before)
  local path = folder .. "/script.lua"
  local file = assert(io.open(path, "w"))
  file:write("io.stdout:setvbuf('no')\n", script)
  file:close()
  local pipe = io.popen(("%s%s %s %s 2>&1; echo \" exit $?\""):format(before or "", LUA, path,
    folder))
  local output = pipe:read("*a")
  pipe:close()
  return tonumber(output:match("exit (%d+)%s*$")), output
end

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir '" .. folder .. "'"))
  store = assert(engine.store_open({ location = folder .. "/s.db", create = true }))
end)

after_each(function()
  if worker then worker:close() end
  store:close()
  worker, store = nil, nil
  collectgarbage()
  os.execute("rm -rf '" .. folder .. "'")
end)

describe("worker", function()
  it("delivers what was emitted, signed", function()
    local pipe, url = endpoint(200)
    local webhook = create(url)
    local id = emit('{"a": 1e2 }')
    worker = assert(open())
    local event, report = next_event()
    assert.are.equal("delivered", event.state)
    assert.are.equal("answered", event.outcome)
    assert.are.equal(200, event.status)
    assert.are.equal(webhook.id, event.webhook_id)
    assert.are.same({ 1, 1, false }, { event.attempt, event.total_count, event.paused_webhook })
    assert.is_nil(event.error)
    assert.is_nil(event.reason)
    assert.is_nil(report.signal)
    local nonce, signature, body = pipe:read("*l"):match("^(%d+) (%x+) (.*)$")
    pipe:close()
    assert.is_true(core.verify({ secret = SECRET, body = body, headers = { nonce = nonce,
      ["x-zinrelo-signature"] = signature } }))
    assert.matches('"events":[{"id":"' .. id .. '","event_type":"event_x","data":{"a": 1e2 }}]}',
      body, 1, true)

    local row = assert(store:request(event.request_id))
    assert.are.equal("delivered", row.state)
    assert.are.same({ id }, row.event_ids)
    assert.is_true(row.finished_ms >= row.created_ms)
    assert.is_nil(row.next_attempt_ms)
    local attempt = row.attempts[1]
    assert.are.same({ 1, 200, "answered", "thanks", nonce, url },
      { attempt.number, attempt.status, attempt.outcome, attempt.response, attempt.nonce,
        attempt.url })
    assert.are.same({ "Content-Type", "nonce", "x-zinrelo-signature" }, attempt.header_names)
    assert.are.same({ true, "application/json", nonce, signature },
      { attempt.sent, attempt.headers["Content-Type"], attempt.headers.nonce,
        attempt.headers["x-zinrelo-signature"] })
    assert.is_true(worker:step(0).idle)
  end)

  it("logs a failure, with when it tries again", function()
    local pipe, url = endpoint(500)
    create(url, { retry_interval_s = 60 })
    emit("{}")
    worker = assert(open())
    local event, report = next_event()
    pipe:close()
    assert.are.equal("retrying", event.state)
    assert.are.equal(500, event.status)
    assert.is_true(event.next_attempt_ms > core.now_ms() + 50000)
    assert.is_true(report.next_due_ms == nil or report.next_due_ms <= event.next_attempt_ms)
    local rows, following = store:requests({ state = "retrying" })
    assert.are.equal(event.request_id, rows[1].request_id)
    assert.are.equal(event.next_attempt_ms, rows[1].next_attempt_ms)
    assert.is_nil(following)
    assert.are.equal(1, store:pending_work().later)
  end)

  it("is stopped by the address guard, which names the setting", function()
    local pipe, url = endpoint()
    pipe:close()
    create(url)
    emit("{}")
    worker = assert(open({ allow_networks = {} }))
    local event = next_event()
    assert.are.equal("blocked", event.outcome)
    assert.matches("allow_networks", event.error, 1, true)
    assert.is_nil(event.status)
    local attempt = store:request(event.request_id).attempts[1]
    assert.are.equal(event.error, attempt.error)
    assert.is_nil(attempt.response)
  end)

  it("keeps its store from being closed or collected", function()
    worker = assert(open())
    assert_refused("refused", store:close())
    assert.are.equal(0, assert(worker:step(0)).in_flight)
    worker:close()
    assert.is_true(store:close())
    store = assert(engine.store_open({ location = folder .. "/s.db" }))
    worker = assert(open())
    store = nil
    collectgarbage()
    collectgarbage()
    assert.is_true(worker:step(0).idle)
    worker:close()
    store = assert(engine.store_open({ location = folder .. "/s.db" }))
  end)

  it("answers closed after close", function()
    worker = assert(open())
    assert.is_true(worker:close())
    assert.is_true(worker:close())
    for _, name in ipairs({ "step", "drain", "abort", "catch_signals" }) do
      assert_refused("closed", worker[name](worker, 0))
    end
    assert.are.equal("loyalhook.worker (closed)", tostring(worker))
  end)

  it("drains and aborts", function()
    worker = assert(open())
    assert.is_true(worker:drain())
    create("http://127.0.0.1:9/")
    emit("{}")
    assert.are.equal(0, worker:step(0).started)
    assert.is_true(worker:abort())
  end)

  it("refuses wrong options", function()
    assert_refused("invalid", open({ concurrency = 0 }))
    assert_refused("invalid", open({ concurrency = 1.5 }))
    assert_refused("invalid", open({ allow_networks = { "x" } }))
    for _, changes in ipairs({ { store = folder }, { store = io.stdout }, { concurrency = "8" },
      { allow_http = 1 }, { ca_file = 1 }, { allow_networks = "10.0.0.0/8" } }) do
      assert.has_error(function() open(changes) end)
    end
    assert.has_error(function() engine.worker_open({}) end)
    assert.has_error(function() engine.worker_open() end)
    worker = assert(open())
    for _, timeout in ipairs({ -1, 1.5, "1", 2 ^ 40, {} }) do
      assert.has_error(function() worker:step(timeout) end)
    end
    assert.has_error(function() worker:step() end)
    assert.has_error(function() worker.step(store, 0) end)
  end)
end)

describe("store:requests", function()
  it("pages, filters and refuses", function()
    local webhook = create("http://127.0.0.1:9/", { batch_size = 1 })
    local id
    for index = 1, 3 do id = emit(('{"member_info":{"id":"m%d"}}'):format(index)) end
    worker = assert(open())
    local seen = 0
    while #store:requests() < 3 and seen < 50 do
      worker:step(100)
      seen = seen + 1
    end
    local first, cursor = store:requests({ limit = 2 })
    assert.are.equal("string", type(cursor))
    local rest, none = store:requests({ limit = 2, after = cursor })
    assert.are.same({ 2, 1 }, { #first, #rest })
    assert.is_nil(none)
    assert.are.same({ id }, first[1].event_ids)
    for _, filter in ipairs({ { event = id }, { member = "m3" } }) do
      local found = store:requests(filter)
      assert.are.same({ 1, first[1].request_id }, { #found, found[1].request_id })
    end
    assert.are.equal(3, #store:requests({ webhook = webhook.id, since_ms = first[1].created_ms
      - 60000 }))
    assert.are.equal(0, #store:requests({ since_ms = core.now_ms() + 60000 }))
    for _, filter in ipairs({ { state = "lost" }, { state = "" }, { webhook = "crm" },
      { event = "x" }, { limit = 0 }, { limit = 1001 }, { limit = 1.5 }, { since_ms = -1 },
      { after = "" }, { after = "0" }, { after = "-1" }, { after = "1 " }, { after = "01" },
      { after = ("9"):rep(19) }, { member = "a\0" } }) do
      assert_refused("invalid", store:requests(filter))
    end
    for _, filter in ipairs({ { state = 1 }, { limit = "5" }, { after = 5 }, { member = 7 } }) do
      assert.has_error(function() store:requests(filter) end)
    end
    assert_refused("invalid", store:request("x"))
    assert_refused("not_found", store:request(core.id()))
  end)
end)

describe("engine.post", function()
  it("posts to an address a person typed, past the guard", function()
    local pipe, url = endpoint(202)
    local result = assert(engine.post({ url = url, body = "{}", headers = { "nonce: 1",
      "Content-Type: application/json" }, timeout_ms = 5000 }))
    assert.are.same({ "answered", 202, "thanks", true }, { result.outcome, result.status,
      result.response, result.uploaded })
    assert.are.equal("1 - {}", pipe:read("*l"))
    pipe:close()
  end)

  it("shows a failure as a result", function()
    local pipe, url = endpoint()
    pipe:close()
    local result = assert(engine.post({ url = url, body = "" }))
    assert.are.equal("connect", result.outcome)
    assert.is_string(result.error)
    assert.is_nil(result.status)
  end)

  it("refuses what cannot be sent", function()
    for _, line in ipairs({ "a", ": b", "A: b\r\nC: d", "A: b\0", "A: b\nC" }) do
      assert_refused("invalid",
        engine.post({ url = "http://127.0.0.1:9/", body = "", headers = { line } }))
    end
    assert_refused("invalid", engine.post({ url = "ftp://127.0.0.1/", body = "" }))
    assert_refused("invalid", engine.post({ url = "http://127.0.0.1/\0", body = "" }))
    assert_refused("invalid", engine.post({ url = "http://127.0.0.1:9/", body = "",
      timeout_ms = 1 }))
    for _, wrong in ipairs({ {}, { url = 1, body = "" }, { url = "http://127.0.0.1:9/" },
      { url = "http://127.0.0.1:9/", body = "", headers = { 1 } } }) do
      assert.has_error(function() engine.post(wrong) end)
    end
    assert.has_error(function() engine.post() end)
  end)
end)

describe("the process", function()
  it("reports the first signal and ends at the second", function()
    for name, exit_code in pairs({ TERM = 143, INT = 130 }) do
      local script = ([[
        local engine = require("loyalhook.engine")
        local store = assert(engine.store_open({ location = arg[1] .. "/s.db" }))
        local worker = assert(engine.worker_open({ store = store }))
        assert(worker:catch_signals())
        assert(worker:catch_signals())
        assert(worker:step(0).signal == nil)
        io.popen("kill -NAME $PPID"):close()
        io.write("first ", tostring(worker:step(2000).signal), "\n")
        assert(worker:step(0).signal == nil)
        io.popen("kill -NAME $PPID"):close()
        io.write("still here\n")
      ]]):gsub("NAME", name)
      local code, output = run(script)
      assert.matches("first " .. name, output, 1, true)
      assert.is_nil(output:find("still here", 1, true))
      assert.are.equal(exit_code, code)
    end
  end)

  local caught = [[
    local engine = require("loyalhook.engine")
    local store = assert(engine.store_open({ location = arg[1] .. "/s.db" }))
    local worker = assert(engine.worker_open({ store = store }))
    assert(worker:catch_signals())
    io.popen("kill -TERM $PPID"):close()
    io.write("signal ", tostring(worker:step(500).signal), "\n")
    worker:close()
    io.popen("kill -TERM $PPID"):close()
    io.write("still here\n")
  ]]

  it("gives signals back at close", function()
    local code, output = run(caught)
    assert.matches("signal TERM", output, 1, true)
    assert.is_nil(output:find("still here", 1, true))
    assert.are.equal(143, code)
  end)

  it("leaves an ignored signal ignored", function()
    local code, output = run(caught, "trap '' TERM; ")
    assert.matches("signal nil", output, 1, true)
    assert.matches("still here", output, 1, true)
    assert.are.equal(0, code)
  end)

  it("survives a closed pipe", function()
    assert.are.equal(0, (run([[
      require("loyalhook.engine")
      io.popen("kill -PIPE $PPID"):close()
    ]])))
  end)

  it("ends in good order whatever is left open", function()
    for _, ending in ipairs({ "", "os.exit(0, true)", "collectgarbage()", "worker = nil" }) do
      local code, output = run([[
        local engine = require("loyalhook.engine")
        local store = assert(engine.store_open({ location = arg[1] .. "/s.db" }))
        local worker = assert(engine.worker_open({ store = store }))
        local again = assert(engine.store_open({ location = arg[1] .. "/s.db" }))
        local other = assert(engine.worker_open({ store = again }))
        assert(select(3, engine.worker_open({ store = store })) == "refused")
        assert(worker:step(0) and other:step(0))
        store, again = nil, nil
      ]] .. ending)
      assert.are.equal(0, code, output)
    end
  end)

  it("tells of its terminal and libraries", function()
    assert.is_boolean(engine.isatty(1))
    assert.is_false(engine.isatty(10000))
    assert.is_nil(engine.columns(10000))
    assert.matches("^%d+:%d+$", engine.device(1))
    assert.is_nil(engine.device(10000))
    assert.has_error(function() engine.isatty("1") end)
    assert.has_error(function() engine.columns(-1) end)
    for _, name in ipairs({ "libcurl", "sqlite", "mbedtls" }) do
      assert.matches("%d+%.%d+", engine.versions()[name])
    end
  end)
end)
