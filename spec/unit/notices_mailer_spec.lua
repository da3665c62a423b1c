-- A worker's mails about notices, with an engine that does what the spec says. Over real servers
-- they are tested in spec/blackbox/test_notices.py.

local mailer = require("loyalhook.notices.mailer")

local SERVER = { url = "smtp://mail.example.com", from = "me@example.com" }

local engine, said, due, failing

local function mailing(number, changes)
  local made = { mailing = number, message_id = number .. "@example.com", again = false,
    webhook = { id = "61f11851bdfb9aac526d0c71", name = "crm", account = "default",
      url = "https://example.com", status = "enabled" },
    sums = { { kind = "failed", reason = "retries_exhausted", count = 1, first_ms = 1000,
      last_ms = 1000 } }, entries = {} }
  for name, value in pairs(changes or {}) do
    made[name] = value
  end
  return made
end

local function new(changes)
  local notices = { smtp = SERVER, to = { "ops@example.com" } }
  for name, value in pairs(changes or {}) do
    notices[name] = value
  end
  return mailer.new(engine, notices, function(level, message, fields)
    said[#said + 1] = { level, message, fields }
  end)
end

local function report(mails)
  return { mails = mails or {}, mail_due = #due > 0 }
end

before_each(function()
  said, due, failing = {}, {}, {}
  engine = { sent = {}, recorded = {}, wishes = {} }
  function engine:lease_mail(wish)
    self.wishes[#self.wishes + 1] = wish
    if failing.lease then
      return nil, failing.lease, "busy"
    end
    return table.remove(due, 1) or false
  end
  function engine:send_mail(letter)
    if failing.send then
      return nil, failing.send, "limit"
    end
    self.sent[#self.sent + 1] = letter
    return #self.sent
  end
  function engine:record_mail(result)
    if failing.record then
      return nil, failing.record, "full"
    end
    self.recorded[#self.recorded + 1] = result
    return true
  end
end)

describe("a mailer", function()
  it("sends what is due and records how it ended", function()
    local made = assert(new())
    due = { mailing(1), mailing(2, { notify = { "a@b.example", "c@b.example" } }) }
    assert.are.equal(2, made:handle(report()))
    assert.are.same({ "ops@example.com" }, engine.sent[1].to)
    assert.are.same({ "a@b.example", "c@b.example" }, engine.sent[2].to)
    assert.are.equal("me@example.com", engine.sent[1].from)
    assert.is_truthy(engine.sent[1].message:find("Message-ID: <1@example.com>", 1, true))
    assert.are.same({ host = "example.com", fallback = true }, engine.wishes[1])
    assert.are.equal(0, #engine.recorded)
    made:handle(report({ { number = 2, verdict = "accepted", status = 250, duration_ms = 5 } }))
    assert.are.same({ { mailing = 2, message_id = "2@example.com", again = false,
      verdict = "accepted" } }, engine.recorded)
    assert.are.equal("info", said[1][1])
    assert.are.equal(0, made:handle(report({ { number = 2, verdict = "refused" } }))) -- told once
    assert.are.equal(1, #engine.recorded)
  end)

  it("says which words the server had for a refusal, and rests", function()
    local made = assert(new())
    due = { mailing(1) }
    made:handle(report())
    due = { mailing(2) }
    local told = report({ { number = 1, verdict = "refused", status = 554, error = "554 no" } })
    assert.are.equal(0, made:handle(told))
    assert.is_false(made:may_lease(told))
    assert.are.equal("refused", engine.recorded[1].verdict)
    assert.are.equal("554 no", engine.recorded[1].error)
    assert.are.equal("error", said[1][1])
    assert.are.equal("554 no", said[1][3].error)
    assert.are.equal(1, #due) -- left alone for now
  end)

  it("warns when one of several recipients was refused", function()
    local made = assert(new())
    due = { mailing(1) }
    made:handle(report())
    made:handle(report({ { number = 1, verdict = "accepted", error = "1 of 2 refused" } }))
    assert.are.equal("warn", said[1][1])
  end)

  it("records a mail that could not be handed over as refused", function()
    local made = assert(new())
    due, failing.send = { mailing(1), mailing(2) }, "mail: over 1048576 bytes"
    made:handle(report())
    assert.are.equal("refused", engine.recorded[1].verdict)
    assert.are.equal("mail: over 1048576 bytes", engine.recorded[1].error)
    assert.are.equal(1, #due) -- one at a time
  end)

  it("records a mail that could not be written as refused", function()
    local made = assert(new())
    due = { mailing(1, { notify = { "not an address" } }) }
    made:handle(report())
    assert.are.equal("refused", engine.recorded[1].verdict)
    assert.is_truthy(engine.recorded[1].error:find("not a mail address", 1, true))
  end)

  it("keeps what the store cannot record, and leases nothing meanwhile", function()
    local made = assert(new())
    due = { mailing(1) }
    made:handle(report())
    failing.record, due = "the disk is full", { mailing(2) }
    made:handle(report({ { number = 1, verdict = "accepted" } }))
    made:handle(report())
    assert.are.equal(0, #engine.recorded)
    assert.are.equal(1, #engine.sent)
    failing.record = nil
    made:handle(report())
    assert.are.equal(1, #engine.recorded)
    assert.are.equal(2, #engine.sent)
  end)

  it("sends a few at a time", function()
    local made = assert(new())
    for number = 1, 10 do
      due[number] = mailing(number)
    end
    assert.are.equal(4, made:handle(report()))
  end)

  it("survives a store that leases nothing", function()
    local made = assert(new())
    due, failing.lease = { mailing(1) }, "busy"
    assert.are.equal(0, made:handle(report()))
    assert.are.equal("warn", said[1][1])
  end)

  it("has no fallback without notices.to", function()
    local made = assert(new({ to = {} }))
    due = { mailing(1, { notify = { "a@b" } }) }
    made:handle(report())
    assert.is_false(engine.wishes[1].fallback)
  end)

  it("is not made from a wrong configuration", function()
    local made, message, code = new({ smtp = { url = "nowhere", from = "me@example.com" } })
    assert.is_nil(made)
    assert.is_truthy(message:find("notices.smtp.url", 1, true))
    assert.are.equal("config", code)
    assert.is_nil((new({ to = { "nobody" } })))
    assert.is_nil((new({ smtp = { url = SERVER.url, from = SERVER.from, user = "u",
      password_file = "/nonexistent" } })))
  end)
end)
