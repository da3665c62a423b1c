-- What the sender tells of an event: on a real store, before a worker and after one.

local loyalhook = require("loyalhook")

local function folder_of_its_own()
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder))
  return folder
end

describe("a sender tells", function()
  local sender, folder

  before_each(function()
    folder = folder_of_its_own()
    sender = assert(loyalhook.sender.open{ store = "sqlite:" .. folder .. "/s.db", create = true,
      allow_http = true, allow_networks = { "127.0.0.0/8" } })
  end)

  after_each(function()
    sender:close()
    os.execute("rm -rf " .. folder)
  end)

  local function create(name, changes)
    local wanted = { name = name, event_types = { "*" }, retries_max = 0,
      url = "http://127.0.0.1:1/" .. name } -- nothing listens there
    for key, value in pairs(changes or {}) do
      wanted[key] = value
    end
    return assert(sender:create_webhook(wanted))
  end

  local function emit()
    return assert(sender:emit_json("event_points_earned", '{"member_info":{"member_id":"m"}}'))
  end

  local function of(id, name)
    local found = assert(sender:explain(id))
    for _, webhook in ipairs(found.webhooks) do
      if webhook.name == name then
        return webhook, found
      end
    end
    return nil, found
  end

  it("that nobody wanted an event", function()
    local _, found = of(emit(), "none")
    assert.are.equal(0, #found.webhooks)
    assert.is_truthy(found.explanation:find("no webhook"))
    assert.are.equal("event_points_earned", found.event.event_type)
    assert.is_nil(found.event.data)
  end)

  it("what each webhook makes of an event", function()
    local crm = create("crm")
    create("members", { event_types = { "category:member" } })
    local id = emit()
    local webhook, found = of(id, "crm")
    assert.are.equal("waiting", webhook.verdict)
    assert.are.equal(crm.id, webhook.webhook_id)
    assert.are.equal("loyalhook work", webhook.hint)
    assert.are.same({ mode = "deliver", event_types = { "*" }, since = found.event.created_at },
      webhook.span)
    assert.are.equal(0, found.workers)
    webhook = of(id, "members")
    assert.are.equal("not_subscribed", webhook.verdict)
    assert.is_false(webhook.subscribed)
    create("late")
    webhook = of(id, "late")
    assert.are.equal("created_later", webhook.verdict)
    assert.is_nil(webhook.span)
  end)

  it("every attempt in words", function()
    create("crm")
    local id = emit()
    local worker = assert(loyalhook.worker.new{ sender = sender, log = function() end })
    assert.is_true(worker:run{ until_idle = true, catch_signals = false })
    worker:close()
    local webhook = of(id, "crm")
    assert.are.equal("failed", webhook.verdict)
    assert.are.equal("retries_exhausted", webhook.request.reason)
    assert.are.equal("loyalhook retry " .. webhook.request.request_id, webhook.hint)
    assert.is_truthy(webhook.request.attempts[1].explanation:find("could not connect"))
  end)

  it("nothing of what is no id or not there", function()
    assert.are.equal("invalid", select(3, sender:explain("crm")))
    assert.are.equal("not_found", select(3, sender:explain(("0"):rep(24))))
    assert.has_error(function()
      sender:explain(nil)
    end)
  end)

  it("figures of the store, of an account, of a webhook", function()
    create("crm")
    create("theirs", { account = "shop-7" })
    emit()
    local all = assert(sender:stats())
    assert.are.equal(1, all.waiting)
    assert.is_nil(all.waiting_at_least)
    assert.are.equal(2, #all.per_webhook)
    assert.are.equal("crm", all.per_webhook[1].name)
    assert.are.equal(1, all.per_webhook[1].waiting)
    assert.are.equal(0, all.recent.delivered_per_hour)
    assert.is_nil(all.recent.attempt_ms)
    assert.is_truthy(all.oldest_undelivered_at:find("^%d%d%d%d%-"))
    assert.are.equal(1, #assert(sender:stats{ account = "shop-7" }).per_webhook)
    assert.are.equal(1, assert(sender:stats{ webhook = "crm" }).waiting)
    assert.is_nil(assert(sender:stats("theirs", "shop-7")).per_webhook)
    assert.are.equal("invalid", select(3, sender:stats{ since = "yesterday" }))
    assert.are.equal("not_found", select(3, sender:stats{ webhook = "nobody" }))
    assert.has_error(function()
      sender:stats{ hook = "crm" }
    end)
  end)

  it("what was done span by span, and in all", function()
    create("crm")
    emit()
    local worker = assert(loyalhook.worker.new{ sender = sender, log = function() end })
    assert.is_true(worker:run{ until_idle = true, catch_signals = false })
    worker:close()
    local now_ms = require("loyalhook.core").now_ms()
    local from_ms = now_ms - now_ms % 300000 - 300000
    local points = assert(sender:series{ from_ms = from_ms, to_ms = now_ms, step_ms = 300000 })
    assert.are.equal(2, #points)
    assert.are.equal(from_ms, tonumber(points[1].from_ms))
    assert.are.equal(1, points[1].failed + points[2].failed)
    assert.is_nil(points[1].attempts == 0 and points[1].attempt_ms or nil)
    assert.are.equal("invalid", select(3, sender:series{ from_ms = 0, to_ms = now_ms,
      step_ms = 300000 }))
    assert.has_error(function()
      sender:series{ from = 0 }
    end)
    local totals = assert(sender:totals())
    assert.are.equal(1, totals.emitted)
    assert.are.equal(1, totals.failed_attempts)
    assert.are.equal(31, #totals.attempt.below)
    assert.are.equal(totals.attempt.count, totals.attempt.below[31])
    assert.is_true(totals.attempt.sum_ms >= 0)
  end)

  it("whether it can work", function()
    local vitals = assert(sender:vitals())
    assert.are.equal(0, vitals.workers)
    assert.is_true(vitals.key_present and vitals.writable)
    os.remove(folder .. "/s.db.key")
    assert.is_false(assert(sender:vitals()).key_present)
  end)

  it("the body of a request, and which requests were made when", function()
    create("crm")
    local id = sender:emit_json("event_points_earned", '{"a":  1.50}')
    local worker = assert(loyalhook.worker.new{ sender = sender, log = function() end })
    assert.is_true(worker:run{ until_idle = true, catch_signals = false })
    worker:close()
    local request = assert(sender:requests{ event = id })[1]
    local body = assert(sender:request_body(request.request_id))
    assert.is_truthy(body:find('"data":{"a":  1.50}', 1, true))
    assert.is_truthy(body:find(request.request_id, 1, true))
    assert.are.equal("not_found", select(3, sender:request_body(("0"):rep(24))))
    assert.are.equal("invalid", select(3, sender:request_body("x")))
    assert.are.equal(1, #sender:requests{ event_type = "event_points_earned" })
    assert.are.equal(0, #sender:requests{ event_type = "event_member_enrol" })
    assert.are.equal(0, #sender:requests{ ["until"] = "1h" })
    assert.are.equal(1, #sender:requests{ since = "1h", ["until"] = "2100-01-01T00:00:00Z" })
    local _, message = sender:requests{ ["until"] = "noon" }
    assert.is_truthy(message:find("^until: "))
  end)

  it("no older figures than are kept", function()
    local since = assert(sender:stats{ since = "30d" }).recent.since
    local week = assert(sender:stats{ since = "7d" }).recent.since
    assert.are.equal(week:sub(1, 13), since:sub(1, 13))
  end)
end)
