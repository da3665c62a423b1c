-- Doctor's findings about a store that the spec plays.

local checks = require "loyalhook.cli.checks"
local engine = require "loyalhook.engine"
local core = require "loyalhook.core"
local time = require "loyalhook.time"

describe("doctor", function()
  local before, health, figures, webhooks, newest, key
  local certificates = engine.certificates

  before_each(function()
    before = package.loaded["loyalhook.sender"]
    health = { integrity = "ok", key_readable = true, sessions = 1, path = "/x/loyalhook.db" }
    figures = { wal_bytes = 1024, requests = { pending = 0, sending = 0, retrying = 0 } }
    webhooks, newest, key = {}, {}, { true }
    engine.certificates = function() return "/x/bundle.crt" end
    package.loaded["loyalhook.sender"] = {
      open = function()
        return {
          health = function() return health end,
          key_check = function() return key[1], key[2], key[3] end,
          stats = function() return figures end,
          webhooks = function() return webhooks end,
          requests = function() return newest end,
          close = function() end,
        }
      end,
    }
  end)
  after_each(function()
    package.loaded["loyalhook.sender"], engine.certificates = before, certificates
  end)

  local function finding(name)
    for _, one in ipairs(checks.run({}, nil, false)) do
      if one.name == name then
        return one
      end
    end
  end

  it("has nothing to say about a healthy store", function()
    local names = {}
    for _, one in ipairs(checks.run({}, nil, false)) do
      assert.are.equal("ok", one.status, one.name .. ": " .. one.message)
      names[#names + 1] = one.name
    end
    assert.are.same({ "configuration", "versions", "tls", "certificates", "store", "integrity",
      "key file", "permissions", "file system", "write-ahead", "workers", "webhooks", "mails",
      "nginx", "clock" }, names)
  end)

  it("stops at damage", function()
    health.integrity = "row 7 missing from index"
    assert.are.same({ "problem", "store_damaged" },
      { finding("integrity").status, finding("integrity").code })
    assert.is_nil(finding("webhooks"))
  end)

  it("finds a key that is missing or wrong", function()
    health.key_readable = false
    assert.are.equal("secret_unreadable", finding("key file").code)
    key = { nil, "no key file", "key_missing" }
    assert.are.equal("key_missing", finding("key file").code)
  end)

  it("warns of what is odd", function()
    health.filesystem_warning, health.permissions_warning = "NFS: no", "x has mode 644"
    figures.wal_bytes = 100 * 1024 * 1024
    webhooks = { { status = "enabled", name = "a" }, { status = "paused", name = "crm" } }
    figures.requests.retrying, health.sessions = 1, 0
    assert.are.equal("warning", finding("file system").status)
    assert.are.equal("problem", finding("permissions").status)
    assert.matches("100 MiB", finding("write-ahead").message)
    assert.matches("^paused: crm; .*webhook show", finding("webhooks").message)
    assert.matches("loyalhook work", finding("workers").message)
  end)

  it("says why webhooks are paused", function()
    webhooks = { { status = "paused", status_reason = "failures", name = "a" },
      { status = "paused", status_reason = "secret_unreadable", name = "b" },
      { status = "paused", status_reason = "failures", name = "c" } }
    assert.are.equal("warning", finding("webhooks").status)
    assert.is_truthy(finding("webhooks").message:find("paused after failures: a, c; paused because"
      .. " their secret does not decrypt with the key file: b", 1, true))
  end)

  it("says that nothing vouches for an endpoint", function()
    assert.are.same({ "ok", "/x/bundle.crt" },
      { finding("certificates").status, finding("certificates").message })
    engine.certificates = function() return nil end
    assert.are.equal("warning", finding("certificates").status)
    assert.matches("install ca%-certificates", finding("certificates").message)
  end)

  it("notices a clock that went back", function()
    newest = { { created_at = time.format(core.now_ms() + 3600 * 1000) } }
    assert.are.equal("problem", finding("clock").status)
    newest = { { created_at = time.format(core.now_ms() - 1000) } }
    assert.are.equal("ok", finding("clock").status)
  end)

  it("goes on without a store", function()
    package.loaded["loyalhook.sender"] = {
      open = function() return nil, "no store at x", "store_missing" end,
    }
    assert.are.equal("store_missing", finding("store").code)
    assert.are.equal("ok", finding("clock").status)
    assert.is_nil(finding("integrity"))
  end)

  local function mails(text)
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write("return { notices = { ", text, " } }")
    file:close()
    local found
    for _, one in ipairs(checks.run({}, path, false)) do
      found = found or (one.name == "mails" or one.name == "configuration") and one.status ~= "ok"
        and one or nil
    end
    os.remove(path)
    return found
  end

  local SERVER = "url = 'smtp://mail.example.com', from = 'me@example.com'"

  it("looks at the mail server's settings, and sends nothing", function()
    assert.is_nil(mails(("smtp = { %s }, to = { 'ops@example.com' }"):format(SERVER)))
    assert.are.equal("warning", mails(("smtp = { %s }"):format(SERVER)).status)
    assert.is_truthy(mails(("smtp = { %s, tls = 'none', user = 'u', password = 'hunter2' }")
      :format(SERVER)).message:find("a password travel in the clear", 1, true))
    local wrong = mails(("smtp = { %s, user = 'u', password_file = '/nonexistent' }")
      :format(SERVER))
    assert.are.equal("problem", wrong.status)
    assert.are.equal("config", wrong.code)
    assert.are.equal("configuration", mails("smtp = { url = 'nowhere' }").name)
  end)
end)
