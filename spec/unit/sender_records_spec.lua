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

  it("no older figures than are kept", function()
    local since = assert(sender:stats{ since = "30d" }).recent.since
    local week = assert(sender:stats{ since = "7d" }).recent.since
    assert.are.equal(week:sub(1, 13), since:sub(1, 13))
  end)
end)
