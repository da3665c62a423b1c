-- The API as HTTP: paths, methods, headers, bodies, problems; and what protects browsers. What the
-- resources do is in api_resources_spec.lua, who may do it in api_access_spec.lua.

local browser = require("loyalhook.api.browser")
local harness = require("harness.api")
local parse = require("loyalhook.api.parse")
local problem = require("loyalhook.api.problem")

local UNKNOWN = "61f11851bdfb9aac526d0c70"

describe("the API", function()
  local here, token

  setup(function()
    here = harness.new({ hosts = { "Console.example.com", "10.0.0.1:8480" } })
    token = here:token("write")
  end)

  teardown(function()
    here:close()
  end)

  local function refused(status, code, got, body, response)
    assert.are.equal(status, got)
    assert.are.equal(code, body.code)
    assert.are.equal(status, body.status)
    assert.are.equal("application/problem+json", response.headers["Content-Type"])
    assert.is_string(body.detail)
    assert.is_nil(body.detail:find("[%c]"))
    return body, response
  end

  it("answers with headers that keep it from being sniffed, framed and kept", function()
    local _, _, response = here:ask(token, "GET", "/api/v1/webhooks")
    assert.are.equal("nosniff", response.headers["X-Content-Type-Options"])
    assert.are.equal("no-store", response.headers["Cache-Control"])
    assert.matches("frame%-ancestors 'none'", response.headers["Content-Security-Policy"])
    assert.are.equal(#response.body, response.headers["Content-Length"])
  end)

  it("knows its paths, and methods of each", function()
    for _, path in ipairs{ "/", "/api", "/api/v1", "/api/v1/", "/api/v1/webhook",
      "/api/v2/webhooks",
      "/api/v1/webhooks/", "/api/v1/webhooks/x", "/api/v1/webhooks/" .. UNKNOWN:upper(),
      "/api/v1/webhooks/" .. UNKNOWN .. "0", "/api/v1/webhooks/../session", "//api/v1/webhooks",
      "/api/v1/webhooks/%2e%2e", "/api/v1/webhooks/%zz", "/api/v1/webhooks/%00",
      "/api/v1/webhooks/{webhook_id}", "/api/v1/users/a%0d%0aX:1", "/api/v1/inbox/%ff" } do
      refused(404, "not_found", here:ask(token, "GET", path))
    end
    local _, response = refused(405, "method", here:ask(token, "PUT", "/api/v1/webhooks"))
    assert.are.equal("GET, HEAD, OPTIONS, POST", response.headers.Allow)
    refused(405, "method", here:ask(token, "GET", "/api/v1/requests/retry"))
    local status, _, options = here:ask(false, "OPTIONS", "/api/v1/webhooks/" .. UNKNOWN)
    assert.are.equal(204, status)
    assert.are.equal("DELETE, GET, HEAD, OPTIONS, PATCH", options.headers.Allow)
    assert.is_nil(options.headers["Access-Control-Allow-Origin"])
  end)

  it("answers HEAD as GET, without the body", function()
    local _, _, get = here:ask(token, "GET", "/api/v1/settings")
    local status, _, head = here:ask(token, "HEAD", "/api/v1/settings")
    assert.are.equal(200, status)
    assert.are.equal("", head.body)
    assert.are.equal(get.headers["Content-Length"], head.headers["Content-Length"])
  end)

  it("refuses what it does not know in a query, by name", function()
    local function ask(query)
      return here:ask(token, "GET", "/api/v1/requests?" .. query)
    end
    local body = refused(400, "invalid", ask("stat=failed"))
    assert.matches('did you mean "state"', body.detail)
    assert.are.equal("stat", body.errors[1].field)
    body = refused(400, "invalid", ask("state=x&limit=0"))
    assert.are.equal("limit", body.errors[1].field)
    assert.are.equal("state", body.errors[2].field)
    for _, query in ipairs{ "limit=201", "limit=1e2", "limit=+5", "limit=", "limit=-1", "after=0",
      "after=x", "after=9999999999999999999", "since=yesterday", "until=2024-13-01", "state=",
      "webhook=crm", "event=" .. UNKNOWN:upper(), "member=", "member=%00", "member=%ff",
      "member=a%0ab", "state=failed&state=failed", "%zz=1", "account=a%20b", "account=" ..
      ("x"):rep(65), "%73tate=x", "=x", "limit" } do
      refused(400, "invalid", ask(query))
    end
    refused(400, "invalid", ask(("a=b&"):rep(100)))
    refused(400, "invalid", ask(("x"):rep(9000)))
    assert.are.equal(200, (ask("member=m%2B1&&state=failed&")))
    assert.are.equal(200, (ask("since=2h&until=2100-01-01T00:00:00Z&limit=200")))
  end)

  it("takes JSON only", function()
    local path = "/api/v1/requests/retry"
    local body = '{"request_ids":["' .. UNKNOWN .. '"]}'
    assert.are.equal(200, (here:ask(token, "POST", path, body)))
    for _, kind in ipairs{ "application/json; charset=utf-8", "Application/JSON",
      "application/merge-patch+json" } do
      assert.are.equal(200, (here:ask(token, "POST", path, body, { ["content-type"] = kind })))
    end
    for _, kind in ipairs{ "text/plain", "application/x-www-form-urlencoded", "", false,
      "application/json; charset=latin-1", "application/jsonx" } do
      refused(415, "media_type", here:ask(token, "POST", path, body, { ["content-type"] = kind }))
    end
    refused(415, "media_type", here:ask(token, "POST", path, body,
      { ["content-encoding"] = "gzip" }))
    for _, text in ipairs{ "{", "{}x", "\239\187\191{}", '{"a":1,}', "nul", '{"request_ids":[NaN]}',
      "\255", '{"a":"\1"}', ("["):rep(100) } do
      refused(400, "invalid", here:ask(token, "POST", path, text))
    end
    for _, text in ipairs{ "[]", "null", "7", '"x"', "{}", '{"request_ids":null}',
      '{"request_ids":[]}', '{"request_ids":{}}', '{"request_ids":["x"]}', '{"request_ids":[7]}',
      '{"requestids":[]}', '{"request_ids":["' .. UNKNOWN .. '"],"more":1}' } do
      refused(422, "invalid", here:ask(token, "POST", path, text))
    end
    refused(413, "too_large", here:ask(token, "POST", path, '"' .. ("x"):rep(65536) .. '"'))
    refused(400, "invalid", here:ask(token, "GET", "/api/v1/webhooks", "{}"))
  end)

  it("answers JSON to who takes it", function()
    for _, accept in ipairs{ "*/*", "application/json", "text/html, application/*;q=0.5",
      "application/problem+json", "TEXT/HTML;q=0.1,*/*;q=0.1" } do
      assert.are.equal(200, (here:ask(token, "GET", "/api/v1/webhooks", nil, { accept = accept })))
    end
    for _, accept in ipairs{ "text/html", "application/json;q=0", "image/*", "text/*", ";;" } do
      refused(406, "not_acceptable", here:ask(token, "GET", "/api/v1/webhooks", nil,
        { accept = accept }))
    end
    assert.are.equal(200, (here:ask(token, "GET", "/metrics", nil, { accept = "text/plain" })))
  end)

  it("refuses repeated headers that could be read in two ways", function()
    for _, name in ipairs{ "authorization", "host", "content-type", "if-match", "origin" } do
      refused(400, "invalid", here:ask(token, "GET", "/api/v1/webhooks", nil,
        { [name] = { "a", "b" } }))
    end
  end)

  it("asks for a token or a session", function()
    for _, authorization in ipairs{ false, "Basic dTpw", "Bearer", "Bearer ", "Bearer x y",
      "Bearer lhk_" .. ("0"):rep(64), "Bearer '; DROP TABLE tokens; --", "bearer\0" } do
      local _, response = refused(401, "unauthenticated", here:ask(false, "GET",
        "/api/v1/webhooks", nil, { authorization = authorization }))
      assert.matches("^Bearer", response.headers["WWW-Authenticate"])
    end
    assert.are.equal(200, (here:ask(false, "GET", "/api/v1/webhooks", nil,
      { authorization = "bearer " .. token })))
    refused(401, "unauthenticated", here:ask(false, "GET", "/api/v1/webhooks", nil,
      { cookie = "loyalhook_session=lhl_" .. ("0"):rep(64) }))
  end)

  it("lets an address guess tokens only so often, and others go on", function()
    local status, body, response
    for _ = 1, 60 do
      status, body, response = here:ask(false, "GET", "/api/v1/webhooks", nil,
        { authorization = "Bearer lhk_" .. ("1"):rep(64) })
    end
    refused(429, "too_many", status, body, response)
    assert.is_true(response.headers["Retry-After"] >= 1)
    assert.are.equal(200, (here:ask(token, "GET", "/api/v1/webhooks")))
  end)

  it("answers under its own names only, against rebinding", function()
    local function ask(host, who)
      return here:ask(who or false, "GET", "/api/v1/session", nil, { host = host })
    end
    for _, host in ipairs{ "localhost", "LOCALHOST:8480", "127.0.0.1:1", "[::1]:8480", "[::1]",
      "console.example.com", "console.example.com:443", "10.0.0.1:8480" } do
      assert.are.equal(200, (ask(host)))
    end
    for _, host in ipairs{ "evil.example", "localhost.evil.example", "127.0.0.1.evil.example",
      "evil.example:8480", false, "", "localhost:8480@evil.example", "localhost/", "10.0.0.1",
      "10.0.0.1:80", "[::2]", "localhost:x", "localhost\r\nX: 1" } do
      refused(421, "host", ask(host))
      assert.are.equal(200, (here:ask(token, "GET", "/api/v1/webhooks", nil, { host = host })))
      assert.are.equal(200, (here:ask(false, "GET", "/healthz", nil, { host = host })))
    end
  end)

  it("has a name for each bug, and tells no more of it", function()
    local broken = harness.new()
    broken.api.sender = nil
    local status, body, response = broken:ask(broken:token("read"), "GET", "/api/v1/webhooks")
    refused(500, "internal", status, body, response)
    assert.is_nil(response.body:find("nil value", 1, true))
    assert.is_nil(response.body:find(".lua", 1, true))
    local said = broken.said[1]
    assert.are.equal("error", said[1])
    assert.is_truthy(body.detail:find(said[3].number, 1, true))
    broken:close()
  end)

  it("is busy rather than wrong while the store is closed", function()
    local closed = harness.new()
    local text = closed:token("read")
    closed.sender:close()
    local _, response = refused(503, "closed", closed:ask(text, "GET", "/api/v1/webhooks"))
    assert.is_true(response.headers["Retry-After"] > 0)
    assert.are.equal(200, (closed:ask(false, "GET", "/healthz")))
    local status, body = closed:ask(false, "GET", "/healthz/ready")
    assert.are.equal(503, status)
    assert.are.equal("failed", body.status)
    closed:close()
  end)
end)

describe("what protects a browser", function()
  it("compares whole texts", function()
    assert.is_true(browser.equal("abc", "abc"))
    assert.is_false(browser.equal("abc", "abd"))
    assert.is_false(browser.equal("abc", "ab"))
    assert.is_false(browser.equal("bc", "cb"))
  end)

  it("takes a cookie that is there once", function()
    assert.are.equal("v", browser.cookie("a=1; s=v", "s"))
    assert.are.equal("v=w", browser.cookie("s=v=w", "s"))
    assert.is_nil(browser.cookie("s=v; s=w", "s"))
    assert.is_nil(browser.cookie("xs=v", "s"))
    assert.is_nil(browser.cookie(nil, "s"))
  end)

  it("counts the neighbours of an address together", function()
    local cases = { ["192.0.2.7"] = "192.0.2.7", ["::ffff:192.0.2.7"] = "192.0.2.7",
      ["2001:db8:1:2:3:4:5:6"] = "2001:db8:1:2::/64", ["2001:DB8::6"] = "2001:db8:0:0::/64",
      ["::1"] = "0:0:0:0::/64", ["2001:db8:1:2::"] = "2001:db8:1:2::/64",
      ["fe80::1%eth0"] = "fe80:0:0:0::/64", [""] = "" }
    for address, expected in pairs(cases) do
      assert.are.equal(expected, browser.neighbourhood(address))
    end
  end)

  it("sets cookies that scripts cannot read", function()
    local set = browser.set_cookie("s", "v", true)
    assert.are.equal("s=v; Path=/; HttpOnly; SameSite=Strict; Secure", set)
    assert.matches("Max%-Age=0$", browser.set_cookie("s", nil, false))
  end)
end)

describe("percent-encoded text", function()
  it("is decoded once, and only if it is whole", function()
    assert.are.equal("a b%20", parse.decoded("a%20b%2520"))
    assert.are.equal("a b", parse.decoded("a+b", true))
    assert.are.equal("a+b", parse.decoded("a+b"))
    for _, text in ipairs{ "%", "%2", "%zz", "%00", "%ff", "a%2" } do
      assert.is_nil(parse.decoded(text))
    end
  end)
end)

describe("a problem", function()
  it("names the member that a message begins with", function()
    local _, failure = problem.failed("url: no scheme", "invalid", true)
    assert.are.equal(422, failure.status)
    assert.are.same({ { field = "url", code = "invalid", detail = "no scheme" } }, failure.errors)
    _, failure = problem.failed("nothing of the kind", "invalid", false)
    assert.are.equal(400, failure.status)
    assert.is_nil(failure.errors)
  end)

  it("has a status for every code, also for those of tomorrow", function()
    for code, status in pairs{ conflict = 409, limit = 409, not_found = 404, full = 507,
      busy = 503, whatever = 503, revision = 412, too_many = 429 } do
      local _, failure = problem.new(code, "x")
      assert.are.equal(status, failure.status)
      assert.are.equal(status == 503, failure.headers["Retry-After"] ~= nil)
      assert.is_string(problem.title(status))
    end
  end)
end)
