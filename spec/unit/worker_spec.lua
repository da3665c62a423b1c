-- loyalhook.worker over a real store and the misbehaving endpoint: what run does with reports,
-- idleness, signals and shortages. The engine's object below it is in engine_worker_spec.lua.

local core = require("loyalhook.core")
local json = require("loyalhook.json")
local log = require("loyalhook.log")
local loyalhook = require("loyalhook")
local new_endpoint = require("harness.endpoint")

local SECRET = "0123456789abcdef"
local VM = rawget(_G, "jit") and "luajit " or "lua5.4 "

local sender, folder, endpoint, said

local function webhook(path, changes)
  local fields = { name = "w", url = endpoint:url(path), event_types = { "*" },
    secret = SECRET, retry_interval_s = 1 }
  for name, value in pairs(changes or {}) do
    fields[name] = value
  end
  return assert(sender:create_webhook(fields))
end

local function worker()
  return assert(loyalhook.worker.new({ sender = sender, log = function(level, message, fields)
    said[#said + 1] = log.line(level, message, fields)
  end }))
end

local function emit(count)
  local list = {}
  for event in loyalhook.samples.stream(1, count) do
    list[#list + 1] = loyalhook.payload.build(event.event_type, event.data)
  end
  return assert(sender:emit_many(list))
end

-- What the endpoint got on a path.
local function arrived(path)
  local list = {}
  for _, request in ipairs(endpoint:requests()) do
    if request.path == path then
      list[#list + 1] = request
    end
  end
  return list
end

local function stop_in_flight(report)
  return report.in_flight > 0 and "stop" or nil
end

local function until_idle()
  local working = worker()
  local result = assert(working:run({ until_idle = true, catch_signals = false }))
  working:close()
  return result
end

describe("worker:run", function()
  setup(function()
    endpoint = new_endpoint({ ["/flaky"] = { 500, 200 }, ["/broken"] = { 500 } })
  end)

  teardown(function()
    endpoint:stop()
  end)

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    said = {}
    sender = assert(loyalhook.sender.open({ store = "sqlite:" .. folder .. "/s.db", create = true,
      allow_http = true, allow_networks = { "127.0.0.0/8" } }))
  end)

  after_each(function()
    sender:close()
    os.execute("rm -rf " .. folder)
  end)

  it("delivers everything and ends when idle", function()
    webhook("/ok", { batch_size = 7 })
    local ids = emit(50)
    local working, reports = worker(), 0
    assert.is_true(working:run({ until_idle = true, catch_signals = false,
      on_report = function()
        reports = reports + 1
      end }))
    working:close()
    assert.is_true(reports > 0)
    assert.are.equal(8, #arrived("/ok"))
    local list, following = assert(sender:requests({ state = "delivered", limit = 5 }))
    assert.are.equal(5, #list)
    local rest = assert(sender:requests({ state = "delivered", limit = 5, after = following }))
    assert.are.equal(3, #rest)
    local first = assert(sender:request(rest[3].request_id))
    assert.are.equal(ids[1], first.event_ids[1])
    assert.are.equal(7, first.total_count)
    assert.are.same({ 1, 200 }, { first.attempts_made, first.attempts[1].status })
    assert.is_nil(first.next_attempt_at)
    assert.is_true(first.finished_at >= first.created_at)
    assert.is_truthy(first.attempts[1].started_at:find("Z$"))
    assert.is_nil(first.attempts[1].outcome)
    assert.are.equal(50, sender:stats().events)
  end)

  it("finds requests by webhook, event and member", function()
    local made = webhook("/ok", { batch_size = 10 })
    local ids = emit(30)
    until_idle()
    local member = sender:event(ids[15]).data.member_info.member_id
    for _, filter in ipairs({ { event = ids[15] }, { member = member, event = ids[15] } }) do
      local list = assert(sender:requests(filter))
      assert.are.equal(1, #list)
      assert.are.equal(ids[11], list[1].event_ids[1])
      assert.are.equal(made.id, list[1].webhook_id)
    end
    assert.are.equal(3, #assert(sender:requests({ webhook = "w", since = "1h" })))
    assert.are.equal(0, #assert(sender:requests({ since = core.now_ms() + 60000 })))
  end)

  it("finds requests by account", function()
    local mine = webhook("/ok", { batch_size = 1 })
    local theirs = webhook("/ok", { batch_size = 1, account = "shop-7" })
    emit(2)
    assert(sender:emit_json("event_points_earned", "{}", { account = "shop-7" }))
    until_idle()
    for account, wanted in pairs({ default = { mine.id, 2 }, ["shop-7"] = { theirs.id, 1 } }) do
      local list = assert(sender:requests({ account = account }))
      assert.are.equal(wanted[2], #list)
      assert.are.equal(wanted[1], list[1].webhook_id)
      assert.are.equal(wanted[2], #sender:requests({ account = account, state = "delivered",
        webhook = "w" }))
    end
    assert.are.same({}, sender:requests({ account = "other" }))
    assert.are.equal(3, #sender:requests())
  end)

  it("sends requests that verify", function()
    webhook("/echo")
    emit(3)
    assert.is_true(until_idle())
    local request = arrived("/echo")[1]
    local headers = {}
    for _, header in ipairs(request.headers) do
      headers[header[1]] = header[2]
    end
    local body = require("loyalhook.base64").decode(request.body)
    assert.is_true(loyalhook.signature.verify({ secrets = { SECRET }, body = body,
      headers = headers }))
    assert.are.equal("3", json.decode(body).total_count)
  end)

  it("logs a failed attempt, and the retry that delivers", function()
    webhook("/flaky")
    emit(1)
    repeat -- idle while the retry is not due yet
      assert.is_true(until_idle())
    until sender:stats().requests.retrying == 0
    assert.are.equal(2, #arrived("/flaky"))
    local text = table.concat(said, "\n")
    assert.is_truthy(text:find("warn: attempt did not succeed attempt=1", 1, true))
    assert.is_truthy(text:find("status=500", 1, true))
    assert.is_truthy(text:find("debug: delivered attempt=2", 1, true))
  end)

  it("logs a failed request and a pause", function()
    webhook("/broken", { retries_max = 0, pause_after = 1 })
    emit(1)
    assert.is_true(until_idle())
    local text = table.concat(said, "\n")
    assert.is_truthy(text:find("error: request failed", 1, true))
    assert.is_truthy(text:find("error: webhook paused after too many failures", 1, true))
    local shown = sender:webhook("w")
    assert.are.equal("paused", shown.status)
    assert.is_truthy(shown.status_reason)
    assert.are.equal("retries_exhausted", sender:requests({ state = "failed" })[1].reason)
  end)

  it("returns at once when nothing waits", function()
    assert.is_true(until_idle())
    assert.are.same({}, said)
  end)

  it("drains when told to, and keeps what was not begun", function()
    webhook("/delay/300", { batch_size = 1, max_in_flight = 1 })
    emit(5)
    local working = worker()
    assert.are.equal("drained",
      working:run({ catch_signals = false, on_report = stop_in_flight }))
    working:close()
    assert.are.equal(1, sender:stats().requests.delivered)
    assert.are.equal(4, sender:stats("w").waiting)
  end)

  it("aborts what outlasts the grace", function()
    webhook("/hang", { batch_size = 1, max_in_flight = 1 })
    emit(1)
    local working = worker()
    local start_ms = core.now_ms()
    assert.are.equal("drained", working:run({ catch_signals = false, grace_ms = 200,
      on_report = stop_in_flight }))
    assert.is_true(core.now_ms() - start_ms < 10000)
    working:close()
    local request = sender:requests()[1]
    assert.are.equal("retrying", request.state)
    assert.are.equal(1, request.attempts_made)
  end)

  it("refuses names of logging that it does not know, at the caller's line", function()
    for _, given in ipairs({ { log_level = "loud" }, { log_format = "xml" } }) do
      given.sender = sender
      local done, message = pcall(function() loyalhook.worker.new(given) end)
      assert.is_false(done)
      assert.matches("worker_spec.*worker%.new: log_%l+ must be", message)
    end
  end)

  it("drains on a signal and says which", function()
    local path = folder .. "/script.lua"
    local file = assert(io.open(path, "w"))
    file:write(([[
      package.path, package.cpath = %q, %q
      local loyalhook = require("loyalhook")
      local sender = assert(loyalhook.sender.open({ store = %q, create = true }))
      local worker = assert(loyalhook.worker.new({ sender = sender, log_level = "error" }))
      local told = false
      local result, signal = worker:run({ on_report = function()
        if not told then
          told = true
          os.execute("kill -TERM " .. assert(io.open("/proc/self/stat")):read("*n"))
        end
      end })
      print(result, signal)
    ]]):format(package.path, package.cpath, "sqlite:" .. folder .. "/signal.db"))
    file:close()
    local pipe = io.popen(VM .. path .. " 2>&1")
    local output = pipe:read("*a")
    pipe:close()
    assert.are.equal("drained\tTERM\n", output)
  end)

  it("answers closed after close", function()
    local working = worker()
    working:close()
    working:close()
    assert.are.equal("closed", select(3, working:step(0)))
    assert.are.equal("closed", select(3, working:run({ catch_signals = false })))
    assert.is_truthy(tostring(working):find("closed", 1, true))
  end)

  -- A worker whose engine answers steps from a list, the last one for ever.
  local function troubled(...)
    local working, answers, at = worker(), { ... }, 0
    working:close()
    working._engine = {
      step = function()
        at = math.min(at + 1, #answers)
        local answer = answers[at]
        return answer.report, answer[1], answer[2], answer.signal
      end,
      form_all = function() end,
      drain = function() end,
      abort = function()
        return true
      end,
    }
    return working
  end
  local QUIET = { report = { events = {}, started = 0, rescued = 0, in_flight = 0,
    failed_unsent = 0, paused_unreadable = 0, cleaned_events = 0, cleaned_requests = 0,
    cleaned_received = 0 } }

  it("goes on through shortages of the machine, and says so once", function()
    local full = { "disk full", "full" }
    local working = troubled(full, full, { "store is locked", "busy" }, full, QUIET)
    assert.is_true(working:run({ until_idle = true, catch_signals = false }))
    assert.are.same({ "error: disk full code=full", "error: store is locked code=busy" }, said)
  end)

  it("says what failed unsent and which webhooks it cannot sign for, once each", function()
    local working = troubled({ report = { events = {}, started = 0, rescued = 0, in_flight = 0,
      failed_unsent = 3, paused_unreadable = 1, cleaned_events = 7, cleaned_requests = 2,
      cleaned_received = 5 } },
      QUIET)
    assert.is_true(working:run({ until_idle = true, catch_signals = false }))
    assert.are.same({
      "error: requests failed without an attempt: their webhook was stopped count=3",
      "error: webhooks paused: their secret does not decrypt with this key file count=1",
      "info: deleted what is older than it is to be kept events=7 received=5 requests=2",
    }, said)
  end)

  it("gives up waiting for idle when a shortage stays", function()
    local working = troubled({ "disk full", "full" })
    local result, message, code =
      working:run({ until_idle = true, catch_signals = false, grace_ms = 20 })
    assert.is_nil(result)
    assert.are.same({ "disk full", "full" }, { message, code })
  end)

  it("can be stopped by a signal while nothing works", function()
    local full = { "disk full", "full" }
    local working = troubled(full, { "disk full", "full", signal = "INT" }, full)
    local result, signal = working:run({ catch_signals = false, grace_ms = 20 })
    assert.are.same({ "drained", "INT" }, { result, signal })
  end)

  it("ends with any other error", function()
    local working = troubled(QUIET, { "database disk image is malformed", "store_damaged" })
    local result, message, code = working:run({ catch_signals = false })
    assert.is_nil(result)
    assert.are.same({ "database disk image is malformed", "store_damaged" }, { message, code })
  end)

  it("tells apart what waits for the machine from what waits for its time", function()
    local working = troubled(QUIET)
    local work = { due = 0, sending = 0, later = 3, given_back = 0 }
    working._sender = { _store = { pending_work = function()
      return work
    end } }
    assert.is_true(working:run({ until_idle = true, catch_signals = false }))
    work.given_back = 2
    local result, message, code = working:run({ until_idle = true, catch_signals = false })
    assert.is_nil(result)
    assert.are.equal("shortage", code)
    assert.are.equal("2 requests wait because this machine ran short of something", message)
  end)
end)

describe("worker.new", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    sender = assert(loyalhook.sender.open({ store = folder .. "/s.db", create = true }))
  end)

  after_each(function()
    sender:close()
    os.execute("rm -rf " .. folder)
  end)

  it("is refused without the key file", function()
    assert(sender:create_webhook({ name = "w", url = "https://example.com",
      event_types = { "*" } }))
    os.remove(folder .. "/s.db.key")
    local nothing, message, code = loyalhook.worker.new({ sender = sender })
    assert.is_nil(nothing)
    assert.are.equal("key_missing", code)
    assert.are.equal("string", type(message))
  end)

  it("refuses wrong handlers, and wrong calls", function()
    local _, message, code = loyalhook.worker.new({ sender = sender, handlers = { {} } })
    assert.are.same({ "handlers[1]: name: missing; a handler is { name =, event_types = { … }, "
      .. "handle = function(event, context) … end }", "config" }, { message, code })
    assert.are.equal("invalid", select(3, loyalhook.worker.new({ sender = sender,
      concurrency = 0 })))
    for _, notices in ipairs{ { smpt = {} }, { smtp = {} }, { smtp = 5 } } do
      assert.are.equal("config", select(3, loyalhook.worker.new({ sender = sender,
        notices = notices })))
    end
    assert(loyalhook.worker.new({ sender = sender })):close() -- those above have left none behind
    assert.has_error(function()
      loyalhook.worker.new({})
    end, "worker.new: expected sender = an open sender, or receiver = an open receiver")
    assert.has_error(function()
      loyalhook.worker.new({ receiver = {} })
    end, "worker.new: expected receiver = an open receiver")
    assert.has_error(function()
      loyalhook.worker.new({ sender = sender, concurency = 5 })
    end)
  end)
end)
