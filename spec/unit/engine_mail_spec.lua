-- The worker object's mails over a real store, with no mail server: what is leased, what is refused
-- to a caller, how an end is told. Real servers are in spec/blackbox/test_notices.py.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")

local LOOPBACK = { allow_http = true, allow_networks = { "127.0.0.0/8" } }

local folder, store, worker

local function assert_refused(wanted, ok, message, code)
  assert.is_nil(ok)
  assert.is_string(message)
  assert.are.equal(wanted, code)
end

local function fail_one()
  assert(store:webhook_create({ name = "crm", url = "http://127.0.0.1:1/hook",
    secret = "0123456789abcdef", event_types = { "*" }, retries_max = 0, pause_after = 1 },
    LOOPBACK))
  assert(store:emit({ { event_type = "event_x", category = "system", data = "{}" } }))
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

describe("mails of the engine", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    store = assert(engine.store_open({ location = folder .. "/s.db", create = true }))
  end)

  after_each(function()
    if worker then worker:close() end
    worker = nil
    store:close()
    os.execute("rm -rf " .. folder)
  end)

  it("leases, sends and records mails about notices", function()
    fail_one()
    worker = assert(engine.worker_open({ store = store, sends_notices = true, allow_http = true,
      allow_networks = LOOPBACK.allow_networks }))
    assert.is_false(worker:lease_mail({ host = "example.com", fallback = true }))
    local _, report = next_event()
    assert.is_true(report.mail_due)
    assert.are.same({}, report.mails)
    local mailing = assert(worker:lease_mail({ host = "example.com", fallback = true }))
    assert.is_false(worker:lease_mail({ host = "example.com", fallback = true }))
    assert.matches("^%x+@example%.com$", mailing.message_id)
    assert.is_false(mailing.again)
    assert.is_nil(mailing.notify)
    assert.are.equal("crm", mailing.webhook.name)
    assert.are.equal("paused", mailing.webhook.status)
    assert.are.same({ { "failed", "retries_exhausted", 1 }, { "paused", "failures", 1 } },
      { { mailing.sums[1].kind, mailing.sums[1].reason, mailing.sums[1].count },
        { mailing.sums[2].kind, mailing.sums[2].reason, mailing.sums[2].count } })
    assert.are.equal("connect", mailing.entries[1].outcome)
    local letter = { url = "smtp://127.0.0.1:1", cleartext = true, from = "a@b.example",
      to = { "c@d.example" }, message = "Subject: x\r\n\r\nx\r\n" }
    local number = assert(worker:send_mail(letter))
    local until_ms, ended = core.now_ms() + 15000, nil
    while not ended and core.now_ms() < until_ms do
      ended = assert(worker:step(100)).mails[1]
    end
    assert.are.equal(number, ended.number)
    assert.are.equal("refused", ended.verdict)
    assert.are.equal("connect", ended.outcome)
    assert.are.equal("server", ended.stage)
    assert.is_string(ended.error)
    assert.is_true(worker:record_mail({ mailing = mailing.mailing, verdict = ended.verdict,
      message_id = mailing.message_id, error = ended.error }))
    assert.is_false(assert(worker:step(0)).mail_due) -- in a minute
    letter.message = "no line"
    assert_refused("invalid", worker:send_mail(letter))
    assert.has_error(function() worker:send_mail({}) end)
    assert.has_error(function() worker:send_mail() end)
    assert.has_error(function() worker:lease_mail({}) end)
    assert_refused("invalid", worker:record_mail({ mailing = 1, verdict = "lost",
      message_id = "x" }))
    worker:close()
    assert_refused("closed", worker:lease_mail({ host = "x" }))
  end)

  it("sends one mail without a worker", function()
    local letter = { url = "smtp://127.0.0.1:1", cleartext = true, from = "a@b.example",
      to = { "c@d.example" }, message = "Subject: x\r\n\r\nx\r\n" }
    local ended = assert(engine.mail(letter))
    assert.are.equal("refused", ended.verdict)
    assert.is_nil(ended.status)
    letter.to = {}
    assert_refused("limit", engine.mail(letter))
    letter.to = { "c@d.example\r\n" }
    assert_refused("invalid", engine.mail(letter))
    letter.to, letter.url = { "c@d.example" }, "http://127.0.0.1"
    assert_refused("invalid", engine.mail(letter))
    assert.has_error(function() engine.mail({ url = "smtp://h" }) end)
  end)
end)
