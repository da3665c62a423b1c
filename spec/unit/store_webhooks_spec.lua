-- Webhooks through the store object: fields in, fields out, and what is refused.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")

local folder, store

local function fields(changes)
  local good = { name = "crm", url = "https://example.com/hook", event_types = { "*" } }
  for name, value in pairs(changes or {}) do good[name] = value end
  return good
end

local function assert_refused(wanted, ok, message, code)
  assert.is_nil(ok)
  assert.is_string(message)
  assert.is_nil(message:find("\n", 1, true))
  assert.are.equal(wanted, code)
  return message
end

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir '" .. folder .. "'"))
  store = assert(engine.store_open({ location = folder .. "/s.db", create = true }))
end)

after_each(function()
  store:close()
  os.execute("rm -rf '" .. folder .. "'")
end)

describe("store:webhook_create", function()
  it("fills in the defaults and generates a secret", function()
    local webhook = assert(store:webhook_create(fields()))
    assert.matches("^[0-9a-f]+$", webhook.id)
    assert.are.equal(50, #webhook.secret)
    assert.is_true(core.secret.check("standard", webhook.secret))
    local wanted = { account = "default", name = "crm", url = "https://example.com/hook",
      status = "enabled", batch_size = 100, batch_bytes_max = 1000000, batch_wait_ms = 0,
      retries_max = 5, retry_interval_s = 300, pause_after = 5, failed_in_a_row = 0,
      timeout_ms = 30000, max_in_flight = 4, ordered = false, success = "200", scheme = "zinrelo" }
    for name, value in pairs(wanted) do assert.are.equal(value, webhook[name], name) end
    assert.are.same({ "*" }, webhook.event_types)
    assert.are.same({}, webhook.headers)
    assert.is_nil(webhook.retry_schedule)
    assert.is_nil(webhook.status_reason)
    for _, name in ipairs({ "created_ms", "updated_ms", "status_since_ms" }) do
      assert.is_true(math.abs(webhook[name] - core.now_ms()) < 60000)
    end
  end)

  it("keeps every field and shows the secret once", function()
    local given = fields({ account = "shop-7", secret = ("s"):rep(16), scheme = "zinrelo",
      event_types = { "event_x", "category:member", "event_y" }, batch_size = 7,
      batch_bytes_max = 5000, batch_wait_ms = 10, retries_max = 0, retry_interval_s = 1,
      retry_schedule = { 1, 60, 3600 }, pause_after = 0, timeout_ms = 100, max_in_flight = 1,
      ordered = true, success = "2xx", headers = { ["X-Shop"] = "7: seven", Authorization = "B x" },
    })
    local webhook = assert(store:webhook_create(given))
    local listed = store:webhooks()
    assert.are.equal(1, #listed)
    for _, shown in ipairs({ webhook, listed[1], store:webhook("shop-7", "crm"),
      store:webhook(nil, webhook.id) }) do
      for name, value in pairs(given) do
        if name ~= "secret" then assert.are.same(value, shown[name], name) end
      end
      assert.are.equal(shown == webhook and given.secret or nil, shown.secret)
    end
  end)

  it("refuses wrong values and names the field", function()
    local cases = {
      name = { "", ("n"):rep(101), "a\nb", "a\0b", "\255" },
      account = { "a b", ("a"):rep(65), "a\0" },
      url = { "", "ftp://example.com/", "https://", "https://user@example.com/", "/hook",
        "https://example.com/#f", "https://example.com/" .. ("x"):rep(2048), "https://a\0b/" },
      event_types = { {}, { "" }, { "Event" }, { "*\nevent_x" }, { "category:" }, { "a\0" },
        { ("a"):rep(200) } },
      batch_size = { 0, 1001, 1.5, -1, 2 ^ 31, 2 ^ 70, 0 / 0, 1 / 0 },
      batch_bytes_max = { 0, 1000001 }, batch_wait_ms = { -1, 60001 }, retries_max = { -1, 101 },
      retry_interval_s = { 0, 86401 }, pause_after = { -1, 1001 }, timeout_ms = { 99, 300001 },
      max_in_flight = { 0, 1025 }, retry_schedule = { { 0 }, { -1 }, { 1.5 }, { 2 ^ 40 } },
      success = { "201", 201, "" }, scheme = { "", "hmac" },
      secret = { "", "short", ("s"):rep(257), ("s"):rep(20) .. "\255" },
      headers = { { ["X-A\n"] = "1" }, { ["X-A"] = "1\nX-B: 2" }, { ["X-A"] = "1\r" },
        { [""] = "1" }, { ["A:"] = "1" }, { ["X-A"] = "1", ["x-a"] = "2" },
        { nonce = "1" }, { ["X-A"] = "\0" },
        { ["X-A"] = ("x"):rep(9000) }, { ["content-length"] = "1" } },
    }
    for field, values in pairs(cases) do
      for _, value in ipairs(values) do
        local message = assert_refused(field == "secret" and "secret_invalid" or "invalid",
          store:webhook_create(fields({ [field] = value })))
        assert.matches(field, message, 1, true)
        if field == "secret" and value ~= "" then assert.is_nil(message:find(value, 1, true)) end
      end
    end
    local many = {}
    for index = 1, 201 do many[index] = "event_x" end
    assert_refused("invalid", store:webhook_create(fields({ event_types = many })))
    assert_refused("invalid", store:webhook_create(fields({ retry_schedule = many })))
    assert_refused("secret_invalid", store:webhook_create(fields({ scheme = "standard",
      secret = ("s"):rep(40) })))
    assert.are.same({}, store:webhooks({ with_deleted = true }))
  end)

  it("refuses a field that does not exist", function()
    local message = assert_refused("invalid", store:webhook_create(fields({ batchsize = 5 })))
    assert.matches("batchsize", message, 1, true)
    assert_refused("invalid", store:webhook_create(fields({ [1] = "x" })))
    assert_refused("invalid", store:webhook_create(fields({ ["a\nb"] = "x" })))
  end)

  it("asks the deployment for http and inner networks", function()
    local url = "http://127.0.0.1:8080/hook"
    local message = assert_refused("invalid", store:webhook_create(fields({ url = url })))
    assert.matches("allow_http", message, 1, true)
    message = assert_refused("invalid", store:webhook_create(fields({ url = url }),
      { allow_http = true }))
    assert.matches("allow_networks", message, 1, true)
    local allowed = { allow_http = true, allow_networks = { "10.0.0.0/8", "127.0.0.0/8" } }
    assert.is_table(store:webhook_create(fields({ url = url }), allowed))
    assert_refused("invalid", store:webhook_create(fields({ url = url }),
      { allow_networks = { "127.0.0.0/99" } }))
  end)

  it("refuses a name or URL that is taken, and an eleventh webhook", function()
    assert(store:webhook_create(fields()))
    assert_refused("conflict", store:webhook_create(fields({ url = "https://example.com/b" })))
    assert_refused("conflict", store:webhook_create(fields({ name = "b",
      url = "HTTPS://EXAMPLE.com:443/hook" })))
    assert(store:webhook_create(fields({ account = "other" })))
    for index = 2, 10 do
      assert(store:webhook_create(fields({ name = "w" .. index,
        url = "https://example.com/" .. index })))
    end
    assert_refused("limit", store:webhook_create(fields({ name = "w11",
      url = "https://example.com/11" })))
    assert.are.equal(11, #store:webhooks())
    assert.are.equal(10, #store:webhooks({ account = "default" }))
  end)

  it("raises for wrong types", function()
    for name, values in pairs({ name = { 1, {} }, url = { 1 }, account = { true }, secret = { 1 },
      scheme = { 1 }, event_types = { "*", { 1 }, { {} } }, headers = { "X-A: 1", { "X-A: 1" },
      { ["X-A"] = 1 } }, retry_schedule = { "1,2", { "1" } }, ordered = { 1, "yes" },
      success = { true, {} }, batch_size = { "5", {} } }) do
      for _, value in ipairs(values) do
        local ok, message = pcall(store.webhook_create, store, fields({ [name] = value }))
        assert.is_false(ok)
        assert.matches(name, message, 1, true)
      end
    end
    assert.has_error(function() store:webhook_create() end)
    assert.has_error(function() store:webhook_create(fields(), "x") end)
    assert.has_error(function() store:webhook_create(fields(), { allow_networks = "x" }) end)
    assert.has_error(function() store:webhook_create(fields(), { allow_networks = { 1 } }) end)
    assert.are.same({}, store:webhooks())
  end)
end)

describe("store:webhook", function()
  it("finds by id and by name", function()
    local webhook = assert(store:webhook_create(fields()))
    assert.are.equal("crm", store:webhook(nil, webhook.id).name)
    assert.are.equal(webhook.id, store:webhook(nil, "crm").id)
    assert_refused("not_found", store:webhook("other", "crm"))
    assert_refused("not_found", store:webhook(nil, core.id()))
    assert_refused("not_found", store:webhook(nil, "a\0b"))
    assert(store:webhook_create(fields({ account = "other" })))
    assert_refused("conflict", store:webhook(nil, "crm"))
    assert.has_error(function() store:webhook("default") end)
    assert.has_error(function() store:webhook(nil, 1) end)
    assert.has_error(function() store:webhooks("default") end)
    assert.has_error(function() store:webhooks({ account = 1 }) end)
  end)
end)

describe("engine.url_check", function()
  it("normalises and refuses", function()
    assert.are.equal("https://example.com/", engine.url_check("HTTPS://Example.COM:443"))
    assert.are.equal("https://example.com/A?b=C", engine.url_check("https://example.com/A?b=C"))
    assert_refused("invalid", engine.url_check("http://example.com/"))
    assert.are.equal("http://example.com/",
      engine.url_check("http://example.com:80/", { allow_http = true }))
    assert_refused("invalid", engine.url_check("https://10.0.0.1/"))
    assert.is_string(engine.url_check("https://10.0.0.1/", { allow_networks = { "10.0.0.0/8" } }))
    assert_refused("invalid", engine.url_check("https://example.com/\0"))
    local many = {}
    for index = 1, 65 do many[index] = "10.0.0.0/8" end
    assert_refused("limit", engine.url_check("https://example.com/", { allow_networks = many }))
    assert.has_error(function() engine.url_check() end)
    assert.has_error(function() engine.url_check("https://example.com/", 1) end)
    assert.has_error(function() engine.url_check("https://example.com/", { allow_http = 1 }) end)
  end)
end)
