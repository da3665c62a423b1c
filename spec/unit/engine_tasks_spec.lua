-- Handlers and their tasks through the binding: what the runtime does each round, and what people
-- do with what failed.

local engine = require("loyalhook.engine")

local folder, store, worker

local function accept(id, source)
  local body = ('{"events":[{"id":"%s","event_type":"event_points_earned",'
    .. '"data":{"member_info":{"member_id":"m-1"},"n":1.0}}]}'):format(id)
  local list = assert(store:inbox_accept({ { source = source or "shop", body = body } },
    1795000000000))
  assert.are.equal(1, list[1].added)
end

local function load(name, changes)
  local definition = { name = name, event_types = { "*" } }
  for field, value in pairs(changes or {}) do definition[field] = value end
  return assert(worker:open_handler(definition))
end

local function turn(numbers, changes)
  local wanted = { handlers = {}, slots = 10 }
  for _, number in ipairs(numbers) do
    table.insert(wanted.handlers, { number = number, concurrency = 4, slots = 10 })
  end
  for field, value in pairs(changes or {}) do wanted[field] = value end
  return assert(worker:task_turn(wanted))
end

local function result(lease, kind, changes)
  local made = { task = lease.task, attempt = lease.attempt, kind = kind }
  for field, value in pairs(changes or {}) do made[field] = value end
  return made
end

local function refused(code, pattern, value, message, found)
  assert.is_nil(value)
  assert.are.equal(code, found)
  assert.truthy(message:find(pattern), message)
end

describe("tasks", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    store = assert(engine.store_open({ location = folder .. "/s.db", create = true }))
    worker = assert(engine.worker_open({ store = store, deliver = false }))
  end)

  after_each(function()
    worker:close()
    store:close()
    os.execute("rm -r " .. folder)
  end)

  it("are leased with their event and end", function()
    local number, created = worker:open_handler({ name = "log", event_types = { "*" } })
    assert.is_true(created)
    accept("a")
    local given = turn({ number })
    local lease = given.leases[1]
    assert.are.equal(1, #given.leases)
    assert.is_number(lease.task)
    assert.is_number(lease.first_ms)
    lease.task, lease.first_ms = nil, nil
    assert.are.same({ handler = number, attempt = 1, alone = false, position = 1,
      received_ms = 1795000000000, source = "shop", id = "a", member = "m-1",
      event_type = "event_points_earned",
      data = '{"member_info":{"member_id":"m-1"},"n":1.0}' }, lease)
    assert.are.same({ due = 0, running = 1, later = 0 }, worker:pending_tasks({ number }))
    lease.task = 1
    given = turn({ number }, { results = { result(lease, "success") } })
    assert.are.same({ leases = {}, results = { { task = 1, state = "done" } }, more = false,
      session_dead = false }, given)
    assert.are.equal("done", store:inbox_get("a")[1].state)
    assert.are.same({ due = 0, running = 0, later = 0 }, worker:pending_tasks({ number }))
  end)

  it("wait longer where the remote side asks for it, and the handler rests", function()
    local number = load("crm")
    accept("a")
    local lease = turn({ number }).leases[1]
    accept("b")
    local given = turn({ number }, { results = { result(lease, "failure",
      { retry_after_ms = 60000, rest_ms = 60000, error = "429 Too Many Requests" }) } })
    local after = given.results[1]
    assert.are.equal("retrying", after.state)
    assert.is_false(after.waits)
    assert.is_true(after.next_attempt_ms >= given.next_due_ms)
    assert.are.same({}, given.leases)
    assert.are.same({ due = 1, running = 0, later = 1 }, worker:pending_tasks({ number }))
    local shown = store:inbox_get("a")[1].tasks[1]
    assert.are.equal("429 Too Many Requests", shown.error)
    assert.is_number(store:handlers()[1].rest_until_ms)
  end)

  it("that failed are retried by a person", function()
    local crm, log = load("crm"), load("log", { event_types = { "event_points_earned", "other" },
      serial = true, fails_when_unknown = true })
    accept("a")
    accept("a", "other")
    local results = {}
    for _, lease in ipairs(turn({ crm }).leases) do
      table.insert(results, result(lease, "refusal", { error = "no such contact" }))
    end
    assert.are.equal(2, #results)
    for _, after in ipairs(turn({ crm }, { results = results }).results) do
      assert.are.same({ task = after.task, state = "failed", reason = "refused" }, after)
    end
    assert.are.same({ count = 2 }, store:inbox_retry_failed({ dry_run = true }))
    assert.are.same({ count = 1 }, store:inbox_retry_failed({ dry_run = true, source = "other",
      handler = "crm" }))
    assert.are.same({ count = 0 }, store:inbox_retry_failed({ handler = "log" }))
    assert.are.same({
      { id = "a", source = "shop", handler = "crm", outcome = "retried" },
      { id = "a", source = "shop", outcome = "not_failed" },
      { id = "a", handler = "log", outcome = "unknown" },
      { id = "b", outcome = "unknown" },
    }, store:inbox_retry({ { id = "a", source = "shop", handler = "crm" },
      { id = "a", source = "shop" }, { id = "a", handler = "log" }, { id = "b" } }))
    assert.are.same({ count = 1 }, store:inbox_retry_failed({}))
    assert.are.equal(2, #turn({ crm }).leases)
    local rows = store:handlers()
    assert.are.equal("crm", rows[1].name)
    assert.are.same({ pending = 0, running = 2, retrying = 0, done = 0, failed = 0 },
      rows[1].tasks)
    rows[2].loaded_ms, rows[2].created_ms = nil, nil
    assert.are.same({ name = "log", event_types = { "event_points_earned", "other" },
      serial = true, fails_when_unknown = true, behind = 2,
      tasks = { pending = 0, running = 0, retrying = 0, done = 0, failed = 0 } }, rows[2])
    assert.is_number(log)
  end)

  it("of a handler that is forgotten fail", function()
    local number = load("old")
    accept("a")
    refused("refused", "a worker has handler 'old' loaded", store:handler_forget("old"))
    turn({ number })
    worker:close()
    assert.are.equal(1, store:handler_forget("old"))
    refused("not_found", "was forgotten already", store:handler_forget("old"))
    refused("not_found", "there is no handler 'new'", store:handler_forget("new"))
    assert.are.same({}, store:handlers())
    local shown = store:inbox_get("a")[1].tasks[1]
    assert.are.equal("old", shown.handler)
    assert.are.equal("forgotten", shown.reason)
  end)

  it("are refused where a value cannot be", function()
    local number = load("log")
    local function try(wanted) return worker:task_turn(wanted) end
    refused("invalid", "concurrency", try({ handlers = { { number = number, concurrency = 0 } } }))
    refused("invalid", "kind", try({ results = { { task = 1, attempt = 1, kind = "lost" } } }))
    refused("invalid", "slots", try({ slots = -1 }))
    refused("invalid", "tries", try({ handlers = { { number = number, tries = 0 } } }))
    refused("invalid", "its name is not", worker:open_handler({ name = "A b", event_types = {} }))
    refused("invalid", "wants no event type", worker:open_handler({ name = "a",
      event_types = {} }))
    refused("invalid", "event_types%[2%]", worker:open_handler({ name = "a",
      event_types = { "a", "b\nc" } }))
    refused("invalid", "after", store:inbox_retry_failed({ after = "x" }))
    refused("not_found", "source 'x'", store:inbox_retry_failed({ source = "x" }))
    refused("not_found", "handler 'x'", store:inbox_retry_failed({ handler = "x" }))
    refused("limit", "0 events at once", store:inbox_retry({}))
    assert.has_error(function() try({ handlers = { 1 } }) end)
    assert.has_error(function() try({ results = 1 }) end)
    assert.has_error(function() worker:pending_tasks({ "1" }) end)
    assert.has_error(function() worker:open_handler({ name = "a" }) end)
    worker:close()
    refused("closed", "worker is closed", try({}))
    refused("closed", "worker is closed", worker:pending_tasks({}))
  end)

  it("can be thousands in one turn", function()
    local number = load("log")
    local events = {}
    for n = 1, 3000 do
      events[n] = ('{"id":"e%d","event_type":"t","data":{}}'):format(n)
    end
    local body = '{"events":[' .. table.concat(events, ",") .. "]}"
    assert(store:inbox_accept({ { source = "shop", body = body } }, 1795000000000))
    local wanted = { handlers = { { number = number, concurrency = 1024, slots = 10000 } },
      slots = 10000, results = {} }
    local seen, rounds = 0, 0
    repeat
      local given = assert(worker:task_turn(wanted))
      wanted.results = {}
      for n, lease in ipairs(given.leases) do
        wanted.results[n] = result(lease, "failure", { error = "no " .. n })
      end
      seen, rounds = seen + #given.leases, rounds + 1
    until #given.leases == 0 and not given.more or rounds > 20
    assert.are.equal(3000, seen)
    assert.are.equal(3000, store:handlers()[1].tasks.retrying)
  end)

  it("alone are a worker's business that does not deliver", function()
    assert.is_true(worker:step(0).idle)
    local sender = require("loyalhook.sender")
    local given = assert(sender.open({ store = folder .. "/s.db",
      allow_networks = { "127.0.0.0/8" } }))
    assert(given:create_webhook({ name = "w", url = "https://127.0.0.1:1/",
      event_types = { "*" } }))
    assert(given:emit_json("event_points_earned", "{}"))
    for _ = 1, 3 do
      local report = assert(worker:step(0))
      assert.are.equal(0, report.started)
      assert.is_true(report.idle)
    end
    given:close()
  end)
end)
