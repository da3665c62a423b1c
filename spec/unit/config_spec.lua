-- Where settings come from, which place wins, and what a configuration file may not be.

local config = require("loyalhook.config")

local paths = {}

local function written(text)
  local path = os.tmpname()
  paths[#paths + 1] = path
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

-- An environment that has just these variables.
local function environment(variables)
  return function(name)
    return variables[name]
  end
end

local function refused(text)
  local values, message, code = config.parse(text, "loyalhook.lua")
  assert.is_nil(values)
  assert.are.equal("config", code)
  return message
end

describe("config.load", function()
  after_each(function()
    for _, path in ipairs(paths) do
      os.remove(path)
    end
    paths = {}
  end)

  it("says which handler is none", function()
    local form = "expected { use = NAME, … } or { file = PATH, … }, got "
    for text, wanted in pairs({
      ["{ 'log' }"] = "handlers[1]: " .. form .. '"log"',
      ["{ { use = 'log' }, {} }"] = "handlers[2]: " .. form .. "a table",
      ["{ { use = 'log', level = function() end } }"] = "handlers[1]: expected plain values",
      ["{ log = {} }"] = "handlers: expected a list of { use = NAME, … } or { file = PATH, … }",
    }) do
      local message = refused("return { handlers = " .. text .. " }")
      assert.is_truthy(message:find(wanted, 1, true), message)
    end
  end)

  it("prefers flag to environment to file to default", function()
    local file = written("return { store = 'from-file', concurrency = 7, account = 'file' }")
    local values, origins = config.load({ file = file,
      flags = { store = "from-flag" },
      environment = environment({ LOYALHOOK_STORE = "from-environment",
        LOYALHOOK_CONCURRENCY = "9" }) })
    assert.are.equal("from-flag", values.store)
    assert.are.equal(9, values.concurrency)
    assert.are.equal("file", values.account)
    assert.are.equal(30, values.drain_grace_s)
    assert.are.same({ "flag", "environment", "file", "default" },
      { origins.store, origins.concurrency, origins.account, origins.drain_grace_s })
    assert.are.equal(file, origins.path)
  end)

  it("finds the file by flag, then by LOYALHOOK_CONFIG", function()
    local first = written("return { account = 'one' }")
    local second = written("return { account = 'two' }")
    local from = environment({ LOYALHOOK_CONFIG = second })
    assert.are.equal("one", config.load({ file = first, environment = from }).account)
    assert.are.equal("two", config.load({ environment = from }).account)
  end)

  it("refuses a named file that is not there, but needs none", function()
    local values, message, code = config.load({ file = "/nowhere/loyalhook.lua",
      environment = environment({}) })
    assert.is_nil(values)
    assert.are.equal("config", code)
    assert.is_truthy(message:find("/nowhere/loyalhook.lua", 1, true))
    assert.are.equal("config",
      select(3, config.load({ file = "/", environment = environment({}) })))
    local defaults, origins = config.load({ environment = environment({ LOYALHOOK_CONFIG = "" }) })
    assert.are.equal("sqlite:loyalhook.db", defaults.store)
    assert.is_nil(origins.path)
  end)

  it("reads the environment's texts by kind", function()
    local values = config.load({ environment = environment({ LOYALHOOK_ALLOW_HTTP = "1",
      LOYALHOOK_ALLOW_NETWORKS = "10.0.0.0/8, ::1/128", LOYALHOOK_STORE = "" }) })
    assert.is_true(values.allow_http)
    assert.are.same({ "10.0.0.0/8", "::1/128" }, values.allow_networks)
    assert.are.equal("sqlite:loyalhook.db", values.store)
    assert.is_false(config.load({
      environment = environment({ LOYALHOOK_ALLOW_HTTP = "no" }) }).allow_http)
  end)

  it("names the place of a wrong value", function()
    for variable, text in pairs({ LOYALHOOK_ALLOW_HTTP = "2", LOYALHOOK_CONCURRENCY = "many",
      LOYALHOOK_DRAIN_GRACE_S = "-1", LOYALHOOK_LOG_LEVEL = "loud" }) do
      local values, message, code =
        config.load({ environment = environment({ [variable] = text }) })
      assert.is_nil(values)
      assert.are.equal("config", code)
      assert.is_truthy(message:find("(" .. variable .. ")", 1, true))
    end
    local _, message =
      config.load({ flags = { concurrency = "0" }, environment = environment({}) })
    assert.are.equal('concurrency: expected a whole number from 1 to 4096, got "0" (--concurrency)',
      message)
  end)

  it("raises for a flag that is no setting", function()
    assert.has_error(function()
      config.load({ flags = { stor = "x" }, environment = environment({}) })
    end, "config.load: no setting stor")
  end)
end)

describe("config.parse", function()
  for _, text in ipairs({ "while true do end", "repeat until false",
    "local function f() return f() end return f()",
    "local function f() while true do end end f()",
    "local t = {} for i = 1, 1e12 do t.x = i end return t" }) do
    it("ends with: " .. text, function()
      local hook = function() end
      debug.sethook(hook, "", 100000)
      local values, message, code = config.parse(text, "loyalhook.lua")
      assert.are.equal(hook, (debug.gethook()))
      debug.sethook()
      assert.is_nil(values)
      assert.are.equal("config", code)
      assert.matches("^loyalhook.lua: still running after 10000000 instructions", message)
    end)
  end

  it("has time for a long list of types", function()
    local text = [[local types = {}
      for i = 1, 900 do types[i] = { name = "event_" .. i, category = "mine" } end
      return { types = types }]]
    assert.are.equal(900, #assert(config.parse(text, "loyalhook.lua")).types)
  end)

  it("takes every kind of setting", function()
    local values = assert(config.parse([[
      local network = "10." .. "0.0.0/8"
      return { store = "sqlite:a.db", allow_http = true, allow_networks = { network },
        types = { { name = "event_order_paid", category = "order" } } }]], "loyalhook.lua"))
    assert.are.same({ store = "sqlite:a.db", allow_http = true, allow_networks = { "10.0.0.0/8" },
      types = { { name = "event_order_paid", category = "order" } } }, values)
    assert.are.same({}, config.parse("\239\187\191return {}", "loyalhook.lua"))
  end)

  it("refuses what is no network", function()
    assert.are.equal("allow_networks: network: the prefix of 10.0.0.0/99 is not 0 to 32 "
      .. "(loyalhook.lua)", refused("return { allow_networks = { '10.0.0.0/99' } }"))
    local _, message, code = config.load({
      environment = environment({ LOYALHOOK_ALLOW_NETWORKS = "10.0.0.0/8,office" }) })
    assert.are.equal("config", code)
    assert.is_truthy(message:find("office", 1, true))
  end)

  it("refuses a public URL that no browser could mean", function()
    for _, url in ipairs{ "https://hooks.example.com", "http://10.0.0.1:8480/",
      "https://[2001:db8::1]:8443/behind/a/path" } do
      assert.are.equal(url, assert(config.parse(("return { public_url = %q }"):format(url),
        "loyalhook.lua")).public_url)
    end
    for _, url in ipairs{ "hooks.example.com", "HTTPS://hooks.example.com",
      "ftp://hooks.example.com", "https://", "https:///x", "https://a b",
      "https://anna@hooks.example.com", "https://hooks.example.com:x",
      "https://hooks.example.com?x", "https://h\195\182ks.example.com" } do
      assert.is_truthy(refused(("return { public_url = %q }"):format(url))
        :find("public_url: expected https:// or http:// and a name", 1, true), url)
    end
  end)

  it("names the nearest for an unknown setting", function()
    assert.are.equal('loyalhook.lua: unknown setting "stor"; did you mean "store"?',
      refused("return { stor = 'x' }"))
    refused("return { 'x' }")
  end)

  it("refuses values of the wrong kind", function()
    for _, text in ipairs({ "store = 5", "store = ''", "allow_http = 1", "concurrency = 1.5",
      "concurrency = 4097", "allow_networks = 'x', log_level = 5", "allow_networks = { 1 }",
      "allow_networks = { a = 'x' }", "allow_networks = { 'a', nil, 'b' }", "types = 5",
      "types = { 5 }", "types = { { name = 'a b', category = 'c' } }" }) do
      refused("return { " .. text .. " }")
    end
  end)

  it("runs without globals, so that a configuration does nothing", function()
    local message = refused("os.exit(1)")
    assert.is_truthy(message:find("without globals", 1, true))
    refused("return require('os')")
    refused("x = 1 return _G")
  end)

  it("refuses bytecode, syntax errors and files that return nothing", function()
    assert.are.equal("loyalhook.lua: bytecode is refused, only Lua text is read",
      refused(string.dump(function()
        return {}
      end)))
    assert.is_truthy(refused("retur {}"):find("^loyalhook.lua:1:"))
    assert.are.equal("loyalhook.lua: must return a table, got nil", refused(""))
    assert.are.equal("loyalhook.lua: must return a table, got number", refused("return 5"))
  end)
end)

describe("the mail server's settings", function()
  local SMTP = { url = "smtp://mail.example.com", from = "me@example.com" }

  local function load_with(text, variables)
    local file = written("return { " .. text .. " }")
    local values, origins, code = config.load({ file = file,
      environment = environment(variables or {}) })
    os.remove(file)
    return values, origins, code
  end

  it("stand in a table, and are laid over by the environment", function()
    local values = assert(load_with([[notices = { to = { "a@b.example" },
      smtp = { url = "smtp://mail.example.com", from = "me@example.com" } }]]))
    assert.are.same({ smtp = SMTP, to = { "a@b.example" } }, values.notices)
    local origins
    values, origins = load_with([[notices = { to = { "a@b.example" },
      smtp = { url = "smtp://old.example.com", from = "me@example.com" } }]],
      { LOYALHOOK_SMTP_URL = "smtp://mail.example.com",
        LOYALHOOK_NOTICES_TO = "c@d.example, e@f.example" })
    assert.are.same({ smtp = SMTP, to = { "c@d.example", "e@f.example" } }, values.notices)
    assert.are.equal("environment", origins.notices)
  end)

  it("can come from the environment alone", function()
    local values = assert(load_with("", { LOYALHOOK_SMTP_URL = "smtp://mail.example.com",
      LOYALHOOK_NOTICES_FROM = "me@example.com", LOYALHOOK_SMTP_USER = "u",
      LOYALHOOK_SMTP_PASSWORD_FILE = "/etc/password", LOYALHOOK_SMTP_TLS = "none" }))
    assert.are.same({ smtp = { url = SMTP.url, from = SMTP.from, user = "u",
      password_file = "/etc/password", tls = "none" } }, values.notices)
    assert.is_nil(load_with("").notices)
  end)

  it("are refused with their full name", function()
    for text, wanted in pairs({
      ["notices = 5"] = "notices: expected a table, got 5",
      ["notices = { smpt = {} }"] = 'notices: unknown setting "smpt"; did you mean "smtp"?',
      ["notices = { smtp = { host = 'h' } }"] = 'notices.smtp: unknown setting "host"',
      ["notices = { smtp = { url = 5 } }"] = "notices.smtp.url: expected a text, got 5",
      ["notices = { smtp = { tls = 'maybe' } }"] = "notices.smtp.tls: expected one of starttls",
      ["notices = { to = 'a@b' , smtp = 5 }"] = "notices.smtp: expected a table",
      ["notices = { smtp = 'smtp://u:word@h:25' }"] = 'expected a table, got "smtp://h:25"',
      ["notices = { to = { {} } }"] = "notices.to: expected a list of texts, got a table",
      ["notices = { to = { 'nobody' } }"] = "notices.to: 'nobody' is not a mail address",
      ["notices = { smtp = { url = 'smtp://h' } }"] = "notices.smtp.from: missing",
      ["notices = { smtp = { password = 5 } }"] = "got something else",
    }) do
      local values, message, code = load_with(text)
      assert.is_nil(values, text)
      assert.is_truthy(message:find(wanted, 1, true), message)
      assert.are.equal("config", code)
    end
    local _, message = load_with("", { LOYALHOOK_SMTP_TLS = "maybe" })
    assert.are.equal('notices.smtp.tls: expected one of starttls, smtps, none, got "maybe"'
      .. " (LOYALHOOK_SMTP_TLS)", message)
  end)
end)
