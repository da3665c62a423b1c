-- The mail handler: which options it takes, who gets a mail, what becomes of it. The mail server is
-- a function here; real ones are in spec/blackbox/test_handler_email.py.

local email = require("loyalhook.handlers.email")
local json = require("loyalhook.json")

local EARNED, OTP = "event_points_earned", "event_member_otp_generation"
local NOW_MS = 1767348005000
local ID = ("%08x"):format(NOW_MS / 1000) .. "0123456789abcdef"

local function options(changes)
  local given = { event_types = { EARNED, OTP }, from_name = "Club Zoë",
    smtp = { url = "smtp://127.0.0.1:25", from = "club@shop.example" } }
  for name, value in pairs(changes or {}) do
    given[name] = value
  end
  return given
end

local function refusal(changes)
  local handler, message, code = email.new(options(changes))
  assert.is_nil(handler)
  assert.are.equal("config", code)
  return message
end

-- A context whose mail ends as `ended` says, or (a list) as context.mail returns it.
local function context(ended)
  local self = { mails = {}, lines = {}, idempotency_key = ID .. ".zinrelo.email", attempt = 1 }
  self.now_ms = function() return self.at_ms or NOW_MS end
  self.log = function(level, message, fields)
    table.insert(self.lines, { level = level, message = message, fields = fields })
  end
  self.mail = function(given)
    table.insert(self.mails, given)
    if ended and ended[1] == false then
      return nil, ended[2], ended[3]
    end
    return ended or { verdict = "accepted", stage = "message", status = 250 }
  end
  return self
end

local function event(changes, member)
  local made = { id = ID, source = "zinrelo", event_type = EARNED, received_ms = NOW_MS,
    received_at = "2026-01-02T10:00:05.000Z", member_id = "m-1", data = {
      member_info = { member_id = "m-1", first_name = "Zoë", email_address = "zoe@example.com" },
      transaction_info = { award_info = { points = "120" } }, otp_info = { otp = "123456" } } }
  for name, value in pairs(changes or {}) do
    made[name] = value
  end
  for name, value in pairs(member or {}) do
    made.data.member_info[name] = value
  end
  return made
end

-- Header lines of a mail by name, unfolded.
local function headers(message)
  local map = {}
  for line in (message:match("^(.-)\r\n\r\n"):gsub("\r\n ", " ") .. "\r\n"):gmatch("(.-)\r\n") do
    local name, value = line:match("^([%w-]+): (.*)$")
    assert.is_nil(map[name], name)
    map[name] = value
  end
  return map
end

local function run(changes, given, with)
  local handler = assert(email.new(options(changes)))
  with = with or context()
  return with, handler.handle(given or event(), with)
end

describe("email.new", function()
  it("gives a handler that may send a mail again", function()
    local handler = assert(email.new(options({ rate = { count = 5, per_s = 1 }, tries = 3 })))
    assert.are.equal("email", handler.name)
    assert.are.same({ EARNED, OTP }, handler.event_types)
    assert.are.same({ "retry", 8, 3 },
      { handler.when_unknown, handler.concurrency, handler.tries })
    assert.are.same({ count = 5, per_s = 1 }, handler.rate)
    assert.is_nil(handler.serial)
    assert.are.equal("mails", email.new(options({ name = "mails", concurrency = 2 })).name)
    assert.has_error(function() email.new({ progam = {} }) end,
      'email.new: unknown option progam; did you mean "program"?')
    assert.has_error(function() email.new({ program = "x" }) end,
      "email.new: program: expected a table, got string")
  end)

  local cases = {
    { "an empty list", { event_types = {} }, "nothing is mailed unless its type is listed" },
    { "everything", { event_types = { "*" } }, "* is not taken here: name each type" },
    { "a category", { event_types = { "category:member" } }, "category:member is not taken here" },
    { "a misspelt type", { event_types = { "event_points_erned" } },
      'did you mean "event_points_earned"' },
    { "a type twice", { event_types = { EARNED, EARNED } }, "stands there twice" },
    { "an empty server", { smtp = {} }, "smtp.url: expected smtp://host:port" },
    { "a server without TLS that is not said", { smtp = { url = "http://x" } },
      "email: smtp.url: expected smtp://host:port" },
    { "a sender that is none", { smtp = { url = "smtp://x", from = "Me <a@b>" } }, "smtp.from: " },
    { "a password that is not there", { smtp = { url = "smtp://x", from = "a@b", user = "u",
      password_file = "/nonexistent/p" } }, "email: smtp.password_file: /nonexistent/p" },
    { "a name of two lines", { from_name = "a\r\nBcc: b@c" }, "from_name: expected a text" },
    { "an answer address", { reply_to = "a@b, c@d" }, "reply_to: " },
    { "a template of a type that is not listed", { templates = { event_member_enrol = {} } },
      "templates: event_member_enrol is not in event_types" },
    { "a template's misspelt part", { templates = { [EARNED] = { txt = "" } } }, "templates."
      .. EARNED .. ".unknown option txt" },
    { "a mistake in a template", { templates = { [EARNED] = { text = "{{x}}" } } },
      "templates.event_points_earned.text:1: {{x}}" },
    { "a folder that is not there", { template_folder = "/nonexistent" }, "template_folder: " },
    { "a folder without templates", { template_folder = "/" }, "there is none of " .. EARNED },
    { "a programme of two lines", { program = { name = "a\nb" } }, "program.name: expected" },
    { "a programme's URL", { program = { url = "javascript:x" } }, "program.url: expected https" },
    { "an age of nothing", { max_age_s = { [OTP] = 0 } }, "max_age_s." .. OTP },
    { "an age of what is not listed", { max_age_s = { event_member_enrol = 1 } }, "not in" },
    { "a transactional type that is not listed", { transactional = { "event_member_enrol" } },
      "transactional[1]: event_member_enrol is not in event_types" },
    { "a way out that is not https", { unsubscribe = { url = "http://shop.example/u" } },
      "unsubscribe.url: expected https://" },
    { "a way out of anybody's", { unsubscribe = { url = "https://{{member_info.id}}" } },
      "a value may not choose the server" },
    { "a misspelt name in it", { unsubscribe = { url = "https://x/{{member_info.idd}}" } },
      "unsubscribe.url:1: {{member_info.idd}}" },
    { "a way out by mail that is none", { unsubscribe = { mailto = "u" } }, "unsubscribe.mailto" },
    { "a field that is none", { fields = { "a b" } }, "fields[1]" },
  }
  for _, case in ipairs(cases) do
    it("refuses " .. case[1], function()
      local message = refusal(case[2])
      assert.is_truthy(message:find(case[3], 1, true), message)
      assert.is_truthy(message:find("^email: "))
      assert.is_nil(message:find("\n"))
    end)
  end

  it("says what is missing", function()
    local handler, message = email.new({ smtp = options().smtp })
    assert.is_nil(handler)
    assert.is_truthy(message:find("event_types: missing", 1, true))
    handler, message = email.new({ event_types = { EARNED } })
    assert.is_nil(handler)
    assert.is_truthy(message:find("smtp: missing", 1, true))
  end)
end)

describe("a mail", function()
  it("goes to the member, from the merchant", function()
    local with, done = run({ reply_to = "help@shop.example", program = { name = "Club" } })
    assert.is_true(done)
    assert.are.equal(1, #with.mails)
    assert.are.same({ "zoe@example.com" }, with.mails[1].to)
    assert.are.equal("club@shop.example", with.mails[1].server.from)
    local map = headers(with.mails[1].message)
    assert.are.equal("You earned 120 points", map.Subject)
    assert.are.equal("zoe@example.com", map.To)
    assert.are.equal("=?UTF-8?B?Q2x1YiBab8Or?= <club@shop.example>", map.From)
    assert.are.equal("help@shop.example", map["Reply-To"])
    assert.are.equal("Fri, 02 Jan 2026 10:00:05 +0000", map.Date)
    assert.are.equal("<" .. ID .. ".zinrelo.email@shop.example>", map["Message-ID"])
    assert.are.equal("auto-generated", map["Auto-Submitted"])
    assert.is_nil(map["List-Unsubscribe"])
    assert.is_truthy(map["Content-Type"]:find("^multipart/alternative"))
    assert.are.same({ "debug" }, { with.lines[1].level })
  end)

  it("has the same Message-ID at each attempt, and another one for another event", function()
    local function id(key)
      local with = context()
      with.idempotency_key = key
      run({}, event(), with)
      local left = headers(with.mails[1].message)["Message-ID"]:match("^<(.*)@shop.example>$")
      assert.is_truthy(left:find("^[%w_%%-]+[%w_%%.-]*$") and not left:find("%.%.")
        and not left:find("%.$") and #left <= 200, left)
      return left
    end
    local seen = {}
    for _, key in ipairs({ "a.b.c", "a..b.c", "a%2E.b.c", ".a.b", "a.b.", "a...b",
      ("x"):rep(300) .. ".a", ("x"):rep(300) .. ".b" }) do
      assert.are.equal(id(key), id(key))
      assert.is_nil(seen[id(key)], key)
      seen[id(key)] = true
    end
  end)

  it("tells how to unsubscribe, unless it is one that a member asked for", function()
    local unsubscribe = { url = "https://shop.example/u?m={{member_info.member_id}}&e={{event.id}}",
      mailto = "out@shop.example" }
    local with = run({ unsubscribe = unsubscribe }, event(nil, { member_id = "m/1&x" }))
    local map = headers(with.mails[1].message)
    assert.are.equal("<https://shop.example/u?m=m%2F1%26x&e=" .. ID
      .. ">, <mailto:out@shop.example?subject=unsubscribe>", map["List-Unsubscribe"])
    assert.are.equal("List-Unsubscribe=One-Click", map["List-Unsubscribe-Post"])
    with = run({ unsubscribe = { mailto = "out@shop.example" } })
    map = headers(with.mails[1].message)
    assert.are.equal("<mailto:out@shop.example?subject=unsubscribe>", map["List-Unsubscribe"])
    assert.is_nil(map["List-Unsubscribe-Post"])
    with = run({ unsubscribe = unsubscribe }, event({ event_type = OTP }))
    assert.is_nil(headers(with.mails[1].message)["List-Unsubscribe"])
    with = run({ unsubscribe = unsubscribe, transactional = { EARNED } })
    assert.is_nil(headers(with.mails[1].message)["List-Unsubscribe"])
    local _, done, message, kind = run({ unsubscribe = unsubscribe },
      event(nil, { member_id = ("x"):rep(2000) }))
    assert.are.same({ nil, "unsubscribe.url: not a URL of at most 900 bytes once it is filled",
      "fail" }, { done, message, kind })
  end)

  it("without HTML is one part", function()
    local with = run({ templates = { [EARNED] = { text = "Zoë: {{member_info.first_name}}" } } })
    local message = with.mails[1].message
    assert.are.equal("text/plain; charset=utf-8", headers(message)["Content-Type"])
    assert.are.equal("Zo=C3=AB: Zo=C3=AB\r\n", message:match("\r\n\r\n(.*)$"))
  end)
end)

describe("nobody is mailed", function()
  local cases = {
    { "unsubscribed", { email_subscription_status = "unsubscribed" }, OTP },
    { "unsubscribed", { email_subscription_status = "Unsubscribed " }, OTP },
    { "opted out", { member_status = "opted_out" }, OTP },
    { "no address", { email_address = json.null } }, { "no address", { email_address = " " } },
    { "no address", { email_address = 7 } },
  }
  for _, case in ipairs(cases) do
    it("who is " .. case[1], function()
      local with, done = run({}, event(nil, case[2]))
      assert.is_true(done)
      assert.are.equal(0, #with.mails)
      assert.are.same({ "info", "not mailed", case[1], EARNED, "m-1" }, { with.lines[1].level,
        with.lines[1].message, with.lines[1].fields.reason, with.lines[1].fields.event_type,
        with.lines[1].fields.member })
      with = run({}, event({ event_type = OTP }, case[2]))
      assert.are.equal(case[3] and 1 or 0, #with.mails)
      with = run({ transactional = { EARNED } }, event(nil, case[2]))
      assert.are.equal(case[3] and 1 or 0, #with.mails)
    end)
  end

  it("if there is no member", function()
    local with, done = run({}, event({ data = { member_info = "x" } }))
    assert.is_true(done)
    assert.are.equal(0, #with.mails)
  end)

  it("at an address that is none, which fails", function()
    for address, words in pairs({ ["zoë@example.com"] = "letters outside ASCII",
      ["zoe@exämple.com"] = "letters outside ASCII", ["n/a"] = "is none: n/a",
      ["Zoe <zoe@example.com>"] = "is none", [(" "):rep(500000) .. "x"] = "is none",
      ["a@b\r\nBcc: c@d"] = "is none: a@b Bcc: c@d",
      ["a@b,c@d"] = "is none" }) do
      local with, done, message, kind = run({}, event(nil, { email_address = address }))
      assert.are.same({ nil, "fail", 0 }, { done, kind, #with.mails })
      assert.is_truthy(message:find(words, 1, true), message)
    end
    assert.are.same({ "zoe@example.com" },
      run({}, event(nil, { email_address = " zoe@example.com\n" })).mails[1].to)
  end)

  it("about a code that has expired, which fails", function()
    local function at(age_s, changes, given)
      local with = context()
      with.at_ms = NOW_MS + age_s * 1000
      local _, done, message, kind = run(changes, given or event({ event_type = OTP }), with)
      return done, message, kind
    end
    assert.is_true(at(600))
    local done, message, kind = at(601)
    assert.are.same({ nil, "expired: not mailed later than 600 s after the event", "fail" },
      { done, message, kind })
    assert.is_true(at(601, {}, event()))
    assert.is_true(at(601, { max_age_s = { [OTP] = false } }))
    assert.is_nil(at(61, { max_age_s = { [OTP] = 60 } }))
    assert.is_nil(at(61, { max_age_s = { [EARNED] = 60 } }, event()))
  end)

  it("about a code that was old when it came: its id says when it was made", function()
    local function id_of(before_s)
      return ("%08x"):format(NOW_MS / 1000 - before_s) .. "0123456789abcdef"
    end
    for id, there in pairs({ [id_of(1500)] = false, [id_of(60)] = true, [id_of(-500)] = true,
      ["507f1f77bcf86cd799439011"] = true, [id_of(90000)] = true, ["msg_x.y"] = true }) do
      local with, done = run({}, event({ event_type = OTP, id = id }))
      assert.are.equal(there, done or false, id)
      assert.are.equal(there and 1 or 0, #with.mails)
    end
  end)
end)

describe("a mail that", function()
  local function ended(stage, status, error, verdict)
    return { stage = stage, status = status, error = error, verdict = verdict or "refused" }
  end
  local cases = {
    { "has no mailbox", ended("recipient", 550, "zoe@example.com: 550 5.1.1 no such user"), "fail",
      "the mail server refuses it: 550 5.1.1 no such user" },
    { "comes too early for a greylist", ended("recipient", 451, "451 4.7.1 later"), "retry" },
    { "finds the mailbox full for now", ended("recipient", 452, "452 4.2.2 full"), "retry" },
    { "is not relayed", ended("recipient", 554, "zoe@example.com: 554 5.7.1 relay denied"),
      "retry" },
    { "is not taken as it is", ended("message", 552, "552 5.3.4 too large"), "fail" },
    { "is not taken from a sender without DMARC", ended("message", 550, "550 5.7.26 DMARC"),
      "retry" },
    { "is not taken now", ended("message", 451, "451 4.3.0 later"), "retry" },
    { "has a sender that is refused", ended("sender", 550, "550 5.1.8 who?"), "retry" },
    { "meets a changed password", ended("server", 535, "user and password (535 5.7.8)"), "retry" },
    { "meets a closed door", ended("server", nil, "Connection refused"), "retry" },
    { "may have arrived", ended("message", nil, "the server closed the connection", "unknown"), nil,
      "the mail may have arrived: the server closed the connection" },
    { "does not begin", { false, "mail: the worker is stopping", "refused" }, "retry",
      "mail: the worker is stopping" },
    { "finds no password", { false, "smtp.password_file: gone", "config" }, "retry" },
    { "is too large", { false, "mail: over 1048576 bytes", "too_large" }, "fail" },
  }
  for _, case in ipairs(cases) do
    it(case[1] .. (case[3] and " ends as " .. case[3] or " is unknown"), function()
      local _, done, message, kind = run({}, event(), context(case[2]))
      assert.is_nil(done)
      assert.are.equal(case[3], kind)
      assert.is_nil(message:find("zoe@", 1, true))
      if case[4] then
        assert.are.equal(case[4], message)
      end
    end)
  end

  it("has no code to tell fails", function()
    local given = event({ event_type = OTP })
    given.data.otp_info = { unheard_of = "1" }
    local with, done, message, kind = run({}, given)
    assert.are.same({ nil, "not mailed: found.code is absent in this event", "fail", 0 },
      { done, message, kind, #with.mails })
  end)
end)
