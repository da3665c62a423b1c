-- Which mail servers can be configured, and where their passwords come from.

local smtp = require("loyalhook.notices.smtp")

local function check(changes)
  local given = { url = "smtp://mail.example.com:587", from = "me@example.com" }
  for name, value in pairs(changes or {}) do
    given[name] = value or nil
  end
  return smtp.check(given)
end

local function refused(changes)
  local server, message, code = check(changes)
  assert.is_nil(server)
  assert.are.equal("config", code)
  return message
end

describe("smtp.check", function()
  it("takes STARTTLS, TLS, and no TLS if that is said", function()
    assert.is_false(check().cleartext)
    assert.is_false(check({ tls = "starttls" }).cleartext)
    assert.is_false(check({ url = "smtps://mail.example.com" }).cleartext)
    assert.is_false(check({ url = "SMTPS://mail.example.com:465", tls = "smtps" }).cleartext)
    assert.is_true(check({ tls = "none" }).cleartext)
    assert.is_truthy(check({ url = "smtp://[::1]:2525" }))
    assert.are.equal("example.com", check().host)
  end)

  it("refuses what does not fit together", function()
    assert.is_truthy(refused({ tls = "smtps" }):find("tls: smtps does not go with", 1, true))
    assert.is_truthy(refused({ url = "smtps://h", tls = "none" }):find("does not go with", 1, true))
    assert.is_truthy(refused({ url = "smtps://h", tls = "starttls" }):find("smtps://", 1, true))
    assert.is_truthy(refused({ tls = "always" }):find("expected starttls, smtps or none", 1, true))
    assert.is_truthy(refused({ user = "u" }):find("a user without a password", 1, true))
    assert.is_truthy(refused({ password = "p" }):find("user: missing", 1, true))
    assert.is_truthy(refused({ user = "u", password = "p", password_file = "f" })
      :find("only one", 1, true))
    assert.is_truthy(refused({ from = false }):find("from: missing", 1, true))
    assert.is_truthy(refused({ from = "Me <me@example.com>" }):find("not a mail address", 1, true))
    assert.is_truthy(refused({ pasword = "x" }):find('did you mean', 1, true))
    assert.is_truthy(refused({ user = 7, password = "p" }):find("user: expected a text", 1, true))
    assert.is_truthy(refused({ user = "a\r\nb", password = "p" }):find("one line", 1, true))
  end)

  it("refuses what names no server", function()
    for _, url in ipairs{ "mail.example.com", "http://h", "smtp://", "smtp://h/path", "smtp://u@h",
      "smtp://h:", "smtp://h:0", "smtp://h:65536", "smtp://h x", "smtp://h?x" } do
      assert.is_truthy(refused({ url = url }):find("expected smtp://host:port", 1, true), url)
    end
    assert.is_truthy(refused({ url = false }):find("smtp.url", 1, true))
  end)

  it("never shows a password", function()
    local message = refused({ user = "u", password = "hunter2\r\n" })
    assert.is_nil(message:find("hunter2", 1, true))
  end)
end)

describe("smtp.recipients", function()
  it("takes up to twenty addresses", function()
    local many = {}
    for index = 1, 20 do
      many[index] = ("a%d@example.com"):format(index)
    end
    assert.are.same(many, smtp.recipients(many, "to"))
    assert.are.same({}, smtp.recipients(nil, "to"))
    many[21] = "b@example.com"
    assert.is_nil(smtp.recipients(many, "to"))
    for _, bad in ipairs{ "a@b", { "nobody" }, { "a@b\n" }, { 7 } } do
      local list, message, code = smtp.recipients(bad, "notices.to")
      assert.is_nil(list)
      assert.is_truthy(message:find("^notices%.to: "))
      assert.are.equal("config", code)
    end
  end)
end)

describe("smtp.password", function()
  local path = os.tmpname()

  local function written(text)
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
    return smtp.password(check({ user = "u", password_file = path }))
  end

  teardown(function()
    os.remove(path)
  end)

  it("reads it from a file, each time anew", function()
    assert.are.equal("one word or two", written("one word or two\n"))
    assert.are.equal("other", written("other\r\n"))
    assert.are.equal("bare", written("bare"))
  end)

  it("refuses a file that is no password, without showing what is in it", function()
    for _, text in ipairs{ "", "\n", "hunter2\nhunter2\n", ("hunter2"):rep(1000), "hunter2\0" } do
      local password, message, code = written(text)
      assert.is_nil(password)
      assert.is_truthy(message:find("^notices%.smtp%.password_file: "))
      assert.is_nil(message:find("hunter2", 1, true))
      assert.are.equal("config", code)
    end
    os.remove(path)
    local password, message = smtp.password(check({ user = "u", password_file = path }))
    assert.is_nil(password)
    assert.is_truthy(message:find(path, 1, true))
  end)

  it("is the one of the configuration, or none", function()
    assert.are.equal("p", smtp.password(check({ user = "u", password = "p" })))
    assert.is_nil(smtp.password(check()))
  end)
end)

describe("smtp.letter", function()
  it("is what the transport wants", function()
    local server = check({ user = "u", password = "p", tls = "none" })
    assert.are.same({ url = "smtp://mail.example.com:587", cleartext = true, user = "u",
      password = "p", from = "me@example.com", to = { "a@b" }, message = "x\r\n" },
      smtp.letter(server, { "a@b" }, "x\r\n"))
  end)
end)
