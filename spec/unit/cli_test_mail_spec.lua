-- loyalhook notices test: what it needs, and what it says of an answer. The engine is the spec's.

local test_mail = require "loyalhook.cli.test_mail"

local SMTP = { url = "smtp://mail.example.com", from = "me@example.com" }

describe("notices test", function()
  local before, sent, answer, lines, notes

  before_each(function()
    before = package.loaded["loyalhook.engine"]
    sent, lines, notes, answer = nil, {}, {}, { verdict = "accepted", status = 250,
      duration_ms = 7 }
    package.loaded["loyalhook.engine"] = { mail = function(letter)
      sent = letter
      return answer
    end }
  end)
  after_each(function() package.loaded["loyalhook.engine"] = before end)

  local function run(settings, args, json)
    settings.store = "sqlite:loyalhook.db"
    return test_mail.run(args or {}, {
      json = json, settings = function() return settings end,
      output = {
        line = function(_, text) lines[#lines + 1] = text end,
        note = function(_, text) notes[#notes + 1] = text end,
        document = function(_, document)
          lines[#lines + 1] = require("loyalhook.cli.document").encode(document)
        end,
      },
    })
  end

  it("sends one mail to notices.to, or to whom it is told", function()
    assert.are.equal(0, run({ notices = { smtp = SMTP, to = { "ops@example.com" } } }))
    assert.are.same({ "ops@example.com" }, sent.to)
    assert.are.equal("me@example.com", sent.from)
    assert.is_truthy(sent.message:find("Subject: Test mail from loyalhook", 1, true))
    assert.are.equal("smtp://mail.example.com took over the mail for ops@example.com (250), in"
      .. " 7 ms", lines[1])
    run({ notices = { smtp = SMTP }, ca_file = "ca.pem" }, { to = "a@b.example,c@d.example" })
    assert.are.same({ "a@b.example", "c@d.example" }, sent.to)
    assert.are.equal("ca.pem", sent.ca_file)
  end)

  it("says what the server answered, and fails if that was a refusal", function()
    answer = { verdict = "refused", status = 554, error = "554 no", duration_ms = 7 }
    assert.are.equal(1, run({ notices = { smtp = SMTP } }, { to = "a@b.example" }))
    assert.are.equal("smtp://mail.example.com did not take over the mail for a@b.example: 554 no",
      lines[1])
    answer = { verdict = "accepted", status = 250, error = "1 of 2 refused", duration_ms = 7 }
    assert.are.equal(0, run({ notices = { smtp = SMTP } }, { to = "a@b.example" }))
    assert.are.same({ "1 of 2 refused" }, notes)
  end)

  it("does not claim to know what it does not", function()
    answer = { verdict = "unknown", error = "the server closed the connection", duration_ms = 7 }
    assert.are.equal(1, run({ notices = { smtp = SMTP } }, { to = "a@b.example" }))
    assert.are.equal("smtp://mail.example.com may have taken over the mail for a@b.example: the"
      .. " server closed the connection", lines[1])
  end)

  it("prints a document", function()
    run({ notices = { smtp = SMTP } }, { to = "a@b.example" }, true)
    assert.are.equal('{"verdict":"accepted","status":250,"error":null,"duration_ms":7,'
      .. '"url":"smtp://mail.example.com","from":"me@example.com","to":["a@b.example"]}', lines[1])
  end)

  it("needs a server, a password that can be read, and somebody to write to", function()
    local function code_of(...)
      local result, message, code = run(...)
      assert.is_nil(result)
      assert.is_string(message)
      return code
    end
    assert.are.equal("config", code_of({}))
    assert.are.equal("config", code_of({ notices = { to = { "a@b.example" } } }))
    assert.are.equal("config", code_of({ notices = { smtp = { url = SMTP.url, from = SMTP.from,
      user = "u", password_file = "/nonexistent" } } }, { to = "a@b.example" }))
    assert.are.equal("invalid", code_of({ notices = { smtp = SMTP } }, { to = "nobody" }))
    assert.has_error(function() run({ notices = { smtp = SMTP } }) end)
    assert.is_nil(sent)
  end)
end)
