-- Who may do what: every operation of docs/openapi.yaml, asked by everybody; its x-access says what
-- must come of it. And a change of a person's is refused unless a page of ours made it.

local harness = require("harness.api")
local routes = require("loyalhook.api.routes")

local UNKNOWN = "61f11851bdfb9aac526d0c70"

-- The operations of the contract: { method, path, need, accounts }.
local function operations()
  local list, path, method = {}, nil, nil
  for line in io.lines("docs/openapi.yaml") do
    path = line:match("^  (/%S*):$") or path
    method = line:match("^    (%l+):$") or method
    local need, accounts = line:match("^      x%-access: { need: (%l+), accounts: (%l+) }")
    if need then
      list[#list + 1] = { method = method:upper(), path = path, need = need, accounts = accounts }
    end
  end
  return list
end

local FILLED = { account = "shop-7", user = "nobody", handler = "nothing", received_id = "r-1" }

-- A path with something in its braces that is not there.
local function filled(path)
  return (path:gsub("{([%l_]+)}", function(name)
    return FILLED[name] or UNKNOWN
  end))
end

describe("the contract", function()
  it("and the routes are the same", function()
    local known, paths = {}, routes.load()
    for _, operation in ipairs(operations()) do
      local entry = paths[operation.path]
      local route = entry and entry.methods[operation.method]
      assert.is_table(route, operation.method .. " " .. operation.path)
      assert.are.equal(operation.need, route.need, operation.path)
      assert.are.equal(operation.need ~= "session" and operation.accounts == "all",
        route.all_accounts or false, operation.method .. " " .. operation.path)
      known[operation.method .. " " .. operation.path] = true
    end
    for _, entry in ipairs(paths) do
      for method in pairs(entry.methods) do
        assert.is_true(known[method .. " " .. entry.path], method .. " " .. entry.path)
      end
    end
    assert.is_true(#operations() > 45)
  end)
end)

-- What each caller has.
local CALLERS = {
  nobody = {}, unknown = {}, revoked = {},
  read = { read = true, all = true }, write = { read = true, write = true, all = true },
  own_read = { read = true }, own_write = { read = true, write = true },
  viewer = { read = true, all = true, session = true },
  admin = { read = true, write = true, admin = true, all = true, session = true },
}

describe("every operation", function()
  local here, callers

  setup(function()
    here = harness.new()
    callers = { nobody = false, unknown = "lhk_" .. ("0"):rep(64), read = here:token("read"),
      write = here:token("write"), own_read = here:token("read", "shop-7"),
      own_write = here:token("write", "shop-7"), admin = here:user("anna", "admin"),
      viewer = here:user("vera", "viewer"), revoked = here:token("write") }
    local revoked = here.access:check_token(callers.revoked)
    assert(here.access:revoke_token(revoked.id))
  end)

  teardown(function()
    here:close()
  end)

  -- What must come of it: "in", 401 or 403.
  local function expected(operation, caller)
    local has, is_signed_in = CALLERS[caller], CALLERS[caller].read
    if operation.need == "none" then
      local bad_token = (caller == "unknown" or caller == "revoked")
        and operation.path == "/api/v1/session" and operation.method ~= "POST"
      return bad_token and 401 or "in"
    elseif not is_signed_in then
      return 401
    elseif not has[operation.need] or operation.accounts == "all" and not has.all then
      return 403
    end
    return "in"
  end

  for _, operation in ipairs(operations()) do
    for caller in pairs(CALLERS) do
      local is_last = operation.path:find("/session", 1, true) and operation.method ~= "GET"
      if not is_last then -- those end the session
        it(("%s %s for %s"):format(operation.method, operation.path, caller), function()
          local body = (operation.method == "POST" or operation.method == "PATCH") and "{}" or nil
          local status = here:ask(callers[caller], operation.method, filled(operation.path), body)
          local wanted = expected(operation, caller)
          if status == 429 then
            wanted = (caller == "unknown" or caller == "revoked") and wanted == 401 and 429
          elseif wanted == "in" then
            local refused = status == 401 or status == 403 or status == 421 or status >= 500
            wanted = refused and operation.path ~= "/healthz/ready" and "in" or status
          end
          assert.are.equal(wanted, status)
        end)
      end
    end
  end
end)

describe("another account's things", function()
  local here, own, writes

  setup(function()
    here = harness.new()
    own, writes = here:token("read", "shop-7"), here:token("write", "shop-7")
  end)

  teardown(function()
    here:close()
  end)

  it("are not there", function()
    local webhook = here:webhook("theirs")
    local id = assert(here.sender:emit_json("event_points_earned", "{}"))
    here:work()
    local request_id = assert(here.sender:requests{})[1].request_id
    local job = assert(here.sender:retry_failed{ webhook = webhook.id })
    for _, path in ipairs{ "webhooks/" .. webhook.id, "events/" .. id,
      "events/" .. id .. "/explain",
      "requests/" .. request_id, "requests/" .. request_id .. "/body", "jobs/" .. job.id,
      "accounts/default", "stats?webhook=" .. webhook.id, "stats/series?webhook=" .. webhook.id,
      "requests?webhook=" .. webhook.id } do
      local status, body = here:ask(own, "GET", "/api/v1/" .. path)
      local message = path .. " " .. status
      if path:find("^requests%?") then
        assert.is_true(status == 404 or #body.requests == 0, message)
      else
        assert.are.equal(404, status, message)
      end
      status = here:ask(own, "GET", "/api/v1/" .. path:gsub(webhook.id, UNKNOWN))
      assert.is_true(status == 404 or status == 200, message)
    end
    for _, action in ipairs{ "enable", "disable", "rotate-secret", "test" } do
      assert.are.equal(404, (here:ask(writes, "POST", ("/api/v1/webhooks/%s/%s"):format(webhook.id,
        action), "{}")))
    end
    assert.are.equal(404, (here:ask(writes, "PATCH", "/api/v1/webhooks/" .. webhook.id,
      { batch_size = 1 })))
    assert.are.equal(404, (here:ask(writes, "DELETE", "/api/v1/webhooks/" .. webhook.id)))
    local _, retried = here:ask(writes, "POST", "/api/v1/requests/retry",
      { request_ids = { request_id } })
    assert.are.equal("unknown", retried.requests[1].outcome)
    assert.are.equal("enabled", here.sender:webhook(webhook.id).status)
  end)

  it("are not shown while the store cannot say whose they are", function()
    here:webhook("unknown")
    assert(here.sender:emit_json("event_points_earned", "{}"))
    here:work()
    local request_id = assert(here.sender:requests{ limit = 1 })[1].request_id
    here.sender.webhook = function()
      return nil, "the store is busy", "busy"
    end
    for _, path in ipairs{ request_id, request_id .. "/body" } do
      local status, body = here:ask(own, "GET", "/api/v1/requests/" .. path)
      assert.are.equal(503, status)
      assert.are.equal("busy", body.code)
    end
    here.sender.webhook = nil
  end)

  it("cannot be asked for by name", function()
    for _, path in ipairs{ "webhooks", "requests", "notices", "stats", "stats/series", "jobs" } do
      local status, body = here:ask(own, "GET", "/api/v1/" .. path .. "?account=default")
      assert.are.equal(403, status, path)
      assert.are.equal("forbidden", body.code)
      assert.are.equal(200, (here:ask(own, "GET", "/api/v1/" .. path .. "?account=shop-7")))
    end
  end)

  it("are not made by a token of one account", function()
    local status, body = here:ask(writes, "POST", "/api/v1/events", { events = {
      { event_type = "event_points_earned", data = {} },
      { event_type = "event_points_earned", data = {}, account = "default" } } })
    assert.are.equal(403, status)
    assert.are.equal(1, body.errors[1].index)
    assert.are.equal(403, (here:ask(writes, "POST", "/api/v1/webhooks", { account = "default",
      name = "x", url = "http://127.0.0.1/x", event_types = { "*" } })))
    local _, made = here:ask(writes, "POST", "/api/v1/webhooks", { name = "x",
      url = "http://127.0.0.1/x", event_types = { "*" } })
    assert.are.equal("shop-7", made.account)
    local _, emitted = here:ask(writes, "POST", "/api/v1/events",
      { event_type = "event_points_earned", data = {} })
    assert.are.equal("shop-7", here.sender:event(emitted.ids[1]).account)
  end)

  it("do not show in its lists and figures", function()
    here:webhook("own", { account = "shop-7" })
    local function list(name)
      local _, body = here:ask(own, "GET", "/api/v1/" .. name)
      return body
    end
    for _, row in ipairs(list("webhooks").webhooks) do
      assert.are.equal("shop-7", row.account)
    end
    assert.are.equal(0, #list("jobs").jobs)
    assert.are.equal(0, #list("notices").notices)
    assert.are.equal(1, #list("accounts").accounts)
    local stats = list("stats")
    for _, row in ipairs(stats.per_webhook) do
      assert.are.equal("shop-7", row.account)
    end
    local null = require("loyalhook.json").null
    for _, name in ipairs{ "events", "accounts", "webhooks", "database_bytes", "inbox" } do
      assert.are.equal(null, stats[name])
    end
  end)
end)

describe("a person's change", function()
  local here, admin

  setup(function()
    here = harness.new()
    admin = here:user("anna", "admin")
  end)

  teardown(function()
    here:close()
  end)

  local function change(more)
    return here:ask(admin, "PATCH", "/api/v1/accounts/default", '{"notify":null}', more)
  end

  it("is made with the session's CSRF token", function()
    assert.are.equal(200, (change()))
    for _, token in ipairs{ false, "", ("0"):rep(64), admin.csrf:upper() .. "0",
      admin.csrf:sub(1, 63) } do
      local status, body = change({ ["x-csrf-token"] = token })
      assert.are.equal(403, status)
      assert.are.equal("csrf", body.code)
    end
  end)

  it("comes from a page of ours, or from none", function()
    for _, origin in ipairs{ "http://localhost:8480", "https://localhost:8480" } do
      assert.are.equal(200, (change({ origin = origin, ["sec-fetch-site"] = "same-origin" })))
    end
    for _, more in ipairs{ { origin = "http://evil.example" }, { origin = "null" },
      { origin = "http://localhost:9999" }, { origin = "http://localhost:8480.evil.example" },
      { origin = "http://localhost:8480/" }, { ["sec-fetch-site"] = "cross-site" },
      { ["sec-fetch-site"] = "same-site" }, { origin = "http://a@localhost:8480" } } do
      assert.are.equal(403, (change(more)))
    end
  end)

  it("needs none of that with a token, which no browser sends by itself", function()
    assert.are.equal(200, (here:ask(here:token("write"), "PATCH", "/api/v1/accounts/default",
      '{"notify":null}', { origin = "http://evil.example" })))
  end)

  it("cannot be signed in for by another page", function()
    local body = { user = "anna", password = harness.password }
    assert.are.equal(403, (here:ask(false, "POST", "/api/v1/session", body,
      { origin = "http://evil.example" })))
    assert.are.equal(415, (here:ask(false, "POST", "/api/v1/session", body,
      { ["content-type"] = "text/plain" })))
    -- Its name was made to lead here: to the browser it is of the same origin then.
    local status, problem = here:ask(false, "POST", "/api/v1/session", body,
      { host = "evil.example", origin = "http://evil.example", authorization = "Bearer x" })
    assert.are.equal(421, status)
    assert.are.equal("host", problem.code)
  end)
end)
