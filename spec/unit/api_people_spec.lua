-- People over the API: signing in, first run, passwords; users, tokens and the audit log.

local harness = require("harness.api")
local json = require("loyalhook.json")

local NEW = "another horse battery"

describe("over the API", function()
  local here

  before_each(function()
    here = harness.new()
  end)

  after_each(function()
    here:close()
  end)

  local function sign_in(body, more)
    return here:ask(false, "POST", "/api/v1/session", body, more)
  end

  local function session_of(response, body)
    return { cookie = response.headers["Set-Cookie"]:match("^[^;]+"), csrf = body.csrf }
  end

  it("the first user comes with the first-run token", function()
    local _, body = here:ask(false, "GET", "/api/v1/session")
    assert.is_true(body.first_run)
    assert.are.equal(json.null, body.user)
    local token = assert(here.access:make_first_run({}, { who = "command line" }))
    local first = { user = "anna", password = harness.password, first_run_token = "wrong" }
    assert.are.equal(401, (sign_in(first)))
    first.first_run_token, first.password = token, "short"
    local status, problem = sign_in(first)
    assert.are.equal(422, status)
    assert.are.equal("password", problem.errors[1].field)
    first.password = harness.password
    local response
    status, body, response = sign_in(first, { origin = "http://localhost:8480",
      ["sec-fetch-site"] = "same-origin" })
    assert.are.equal(201, status)
    assert.are.equal("admin", body.role)
    assert.is_string(body.expires_at)
    local cookie = response.headers["Set-Cookie"]
    assert.matches("^loyalhook_session=lhl_%x+; Path=/; HttpOnly; SameSite=Strict$", cookie)
    local anna = session_of(response, body)
    local _, now = here:ask(anna, "GET", "/api/v1/session")
    assert.are.equal("anna", now.user)
    assert.are.equal(body.csrf, now.csrf)
    assert.is_false(now.first_run)
    first.user = "eve"
    assert.are.equal(409, (sign_in(first)))
  end)

  it("people sign in and out", function()
    here:user("anna", "admin")
    local status, _, response = sign_in({ user = "anna", password = "wrong horse battery" })
    assert.are.equal(401, status)
    local _, _, other = sign_in({ user = "nobody", password = "wrong horse battery" })
    assert.are.equal(response.body, other.body) -- who there is, is not told
    local body
    status, body, response = sign_in({ user = "anna", password = harness.password })
    assert.are.equal(201, status)
    local anna = session_of(response, body)
    assert.are.equal(200, (here:ask(anna, "GET", "/api/v1/webhooks")))
    assert.are.equal(403, (here:ask({ cookie = anna.cookie }, "DELETE", "/api/v1/session")))
    local out
    status, _, out = here:ask(anna, "DELETE", "/api/v1/session")
    assert.are.equal(204, status)
    assert.matches("Max%-Age=0", out.headers["Set-Cookie"])
    assert.are.equal(401, (here:ask(anna, "GET", "/api/v1/webhooks")))
    assert.are.equal(204, (here:ask(anna, "DELETE", "/api/v1/session")))
    status, body = here:ask(anna, "GET", "/api/v1/session")
    assert.are.equal(200, status)
    assert.are.equal(json.null, body.user)
    here.api.secure = true
    _, _, response = sign_in({ user = "anna", password = harness.password })
    assert.matches("; Secure$", response.headers["Set-Cookie"])
  end)

  it("who guesses is held up", function()
    here:user("anna", "admin")
    local status, body, response
    for _ = 1, 15 do
      status, body, response = sign_in({ user = "anna", password = "wrong horse battery" })
    end
    assert.are.equal(429, status)
    assert.are.equal("too_many", body.code)
    -- The server's log has who it was, once for each that was not held up, and no name.
    assert.are.equal(10, #here.said)
    assert.are.same({ "warn", "somebody could not sign in", { address = "192.0.2.7" } },
      here.said[1])
    assert.is_true(response.headers["Retry-After"] >= 1)
    assert.are.equal(429, (sign_in({ user = "anna", password = harness.password })))
  end)

  it("a password is changed by who knows it, and ends the sessions", function()
    local anna = here:user("anna", "admin")
    local vera = here:user("vera", "viewer")
    local function change(who, password, new)
      return here:ask(who, "POST", "/api/v1/session/password",
        { password = password, new_password = new })
    end
    assert.are.equal(403, (change(here:token("write"), harness.password, NEW)))
    local status, body = change(vera, "wrong horse battery", NEW)
    assert.are.equal(422, status)
    assert.are.equal("password", body.errors[1].field)
    assert.are.equal(422, (change(vera, harness.password, "short")))
    assert.are.equal(204, (change(vera, harness.password, NEW)))
    assert.are.equal(401, (here:ask(vera, "GET", "/api/v1/webhooks")))
    assert.are.equal(201, (sign_in({ user = "vera", password = NEW })))
    assert.are.equal(200, (here:ask(anna, "GET", "/api/v1/webhooks")))
  end)

  it("an admin manages users, but always leaves one", function()
    local anna = here:user("anna", "admin")
    local function ask(method, path, body)
      return here:ask(anna, method, "/api/v1/users" .. path, body)
    end
    local status, body, response = ask("POST", "", { user = "Vera@example.com", role = "viewer",
      password = harness.password })
    assert.are.equal(201, status)
    assert.are.equal("/api/v1/users/Vera%40example.com", response.headers.Location)
    assert.is_false(body.disabled)
    assert.are.equal(409, (ask("POST", "", { user = "vera@EXAMPLE.com", role = "viewer",
      password = harness.password })))
    assert.are.equal(422, (ask("POST", "", { user = "x", role = "root", password = NEW })))
    assert.are.equal(422, (ask("POST", "", { user = "a b", role = "viewer", password = NEW })))
    body = select(2, ask("GET", ""))
    assert.are.equal(2, #body.users)
    assert.is_nil(body.users[1].password)
    status, body = ask("PATCH", "/vera%40example.com", { role = "admin", disabled = true })
    assert.are.equal(200, status)
    assert.is_true(body.disabled)
    assert.are.equal(422, (ask("PATCH", "/anna", {})))
    assert.are.equal(409, (ask("PATCH", "/anna", { role = "viewer" })))
    assert.are.equal(409, (ask("DELETE", "/anna")))
    assert.are.equal(404, (ask("PATCH", "/nobody", { role = "viewer" })))
    assert.are.equal(204, (ask("DELETE", "/vera%40example.com")))
    assert.are.equal(404, (ask("DELETE", "/vera%40example.com")))
  end)

  it("an admin makes tokens, which are shown once, and revokes them", function()
    local anna = here:user("anna", "admin")
    local status, made = here:ask(anna, "POST", "/api/v1/tokens", { name = "shop", scope = "write",
      account = "shop-7" })
    assert.are.equal(201, status)
    assert.matches("^lhk_%x+$", made.token)
    assert.are.equal(200, (here:ask(made.token, "GET", "/api/v1/webhooks")))
    assert.are.equal(409, (here:ask(anna, "POST", "/api/v1/tokens", { name = "shop",
      scope = "read" })))
    local _, body, response = here:ask(anna, "GET", "/api/v1/tokens")
    assert.are.equal("shop-7", body.tokens[1].account)
    assert.is_nil(response.body:find(made.token, 1, true))
    status, body = here:ask(anna, "DELETE", "/api/v1/tokens/" .. made.id)
    assert.are.equal(200, status)
    assert.is_string(body.revoked_at)
    assert.are.equal(401, (here:ask(made.token, "GET", "/api/v1/webhooks")))
    assert.are.equal(404, (here:ask(anna, "DELETE", "/api/v1/tokens/61f11851bdfb9aac526d0c70")))
    _, made = here:ask(anna, "POST", "/api/v1/tokens", { name = "all", scope = "read",
      account = json.null })
    assert.are.equal(json.null, made.account)
  end)

  it("the audit log has who changed what", function()
    local anna = here:user("anna", "admin")
    here:ask(anna, "PATCH", "/api/v1/accounts/shop-7", { notify = { "ops@example.com" } })
    local _, body = here:ask(anna, "GET", "/api/v1/audit?what=account.&limit=5&since=1h")
    assert.are.equal(1, #body.entries)
    local entry = body.entries[1]
    assert.are.equal("user:anna", entry.who)
    assert.are.equal("account.edit", entry.what)
    assert.are.equal("shop-7", entry.object)
    assert.are.same({ "ops@example.com" }, entry.detail.notify)
    local _, page = here:ask(anna, "GET", "/api/v1/audit?limit=1")
    assert.is_string(page.next)
    assert.are.equal(200, (here:ask(anna, "GET", "/api/v1/audit?limit=1&after=" .. page.next)))
    _, body = here:ask(anna, "GET", "/api/v1/audit?who=nobody&object=x&account=shop-7")
    assert.are.same({}, body.entries)
  end)
end)
