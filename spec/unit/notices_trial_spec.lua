-- A test mail: who gets it, what is told of its end, and what is missing. The engine is the spec's;
-- what the command says of it is in cli_test_mail_spec.lua.

local trial = require("loyalhook.notices.trial")

local SMTP = { url = "smtp://mail.example.com", from = "me@example.com" }

describe("a test mail", function()
  local before, sent

  before_each(function()
    before = package.loaded["loyalhook.engine"]
    sent = nil
    package.loaded["loyalhook.engine"] = { mail = function(letter)
      sent = letter
      return { verdict = "accepted", status = 250, duration_ms = 7 }
    end }
  end)

  after_each(function()
    package.loaded["loyalhook.engine"] = before
  end)

  it("goes to whom the configuration names, or to others", function()
    local settings = { store = "s.db", ca_file = "ca.pem",
      notices = { smtp = SMTP, to = { "ops@example.com" } } }
    local ended = assert(trial.send(settings))
    assert.are.same({ verdict = "accepted", status = 250, duration_ms = 7,
      url = "smtp://mail.example.com", from = "me@example.com", to = { "ops@example.com" } }, ended)
    assert.are.equal("ca.pem", sent.ca_file)
    assert.are.same({ "a@b.example" }, trial.send(settings, { "a@b.example" }).to)
  end)

  it("is not sent if what comes before it does not come about", function()
    local told
    local settings = { store = "s.db", notices = { smtp = SMTP, to = { "ops@example.com" } } }
    assert.are.equal("full", select(3, trial.send(settings, nil, function(to)
      told = to
      return nil, "disk full", "full"
    end)))
    assert.are.same({ "ops@example.com" }, told)
    assert.is_nil(sent)
    assert(trial.send(settings, nil, function()
      return true
    end))
    assert.is_table(sent)
  end)

  it("is not written where something is missing", function()
    assert.are.equal("config", select(3, trial.send({})))
    assert.are.equal("config", select(3, trial.send({ notices = { smtp = SMTP } })))
    assert.are.equal("invalid", select(3, trial.send({ notices = { smtp = SMTP } },
      { "a\r\nBcc: b@c.example" })))
    assert.is_nil(sent)
  end)
end)
